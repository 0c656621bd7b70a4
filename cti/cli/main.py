"""The `cti` command: its groups, and how errors become messages and exit statuses."""

from __future__ import annotations

import sys
from typing import Final

from cti import errors
from cti._version import __version__

EXIT_STATUS: Final[dict[type[errors.CtiError], int]] = {
    errors.ConfigurationError: 2,
    errors.UnknownName: 2,
    errors.ConnectFailed: 10,
    errors.AccessDenied: 11,
    errors.AuthenticationFailed: 12,
    errors.SwitchTooOld: 13,
    errors.LinkError: 14,
}
"""What went wrong, for scripts; 1 is anything else, 2 also a wrong use of the command."""


def exit_status(error: errors.CtiError) -> int:
    """The exit status of an error: its class's, else its nearest ancestor's."""
    return next((EXIT_STATUS[kind] for kind in type(error).__mro__ if kind in EXIT_STATUS), 1)


def main() -> None:
    """Run `cti`.

    Exits with 0, or with a message and the status of what went wrong; never with a traceback for an error this
    library raises on purpose.
    """
    try:
        import click  # noqa: PLC0415 - an extra

        from cti.cli.commands import Commands  # noqa: PLC0415 - the same
    except ImportError as error:
        sys.exit(f"cti: the command line needs the extra 'cli' ({error}); run: pip install 'cti[cli]'")

    @click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="cti")
    def cti() -> None:
        """Computer-telephony middleware for FreeSWITCH."""

    try:
        cti()
    except errors.CtiError as error:
        print(f"cti: {error}", file=sys.stderr)
        sys.exit(exit_status(error))
