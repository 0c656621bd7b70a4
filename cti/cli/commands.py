"""The commands of `cti`, each imported when it is asked for: `cti keys` need not wait for what `cti run` needs."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = {
    "accounts": "accounts",
    "audit": "audit",
    "check": "check",
    "demo": "demo",
    "esl": "esl",
    "ivr": "ivr",
    "journal": "journal",
    "keys": "keys",
    "reload": "reload",
    "report": "report_command",
    "run": "run",
    "sim": "sim",
    "switches": "switches",
    "webhooks": "webhooks",
}
"""Each is in the module of its name."""
_WEB: Final = frozenset({"accounts", "webhooks"})
"""Those that need the extra "web" besides."""


class Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Their names, in order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command; one that only says what is missing, where an extra is not installed."""
        if cmd_name not in _COMMANDS:
            return None
        try:
            module = import_module(f"cti.cli.{cmd_name}")
        except ImportError as error:
            return _missing(cmd_name, error)
        command: click.Command = getattr(module, _COMMANDS[cmd_name])
        return command


def _missing(name: str, error: ImportError) -> click.Command:
    extra = "web" if name in _WEB else "cli"
    said = f"needs the extra '{extra}'"

    def say() -> None:
        sys.exit(f"cti: {name} {said} ({error}); run: pip install 'cti[{extra}]'")

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=say, short_help=f"({said})", context_settings=anything, add_help_option=False)
