"""The `cti` command: its groups, and how errors become messages and exit statuses."""

from __future__ import annotations

import sys
from contextlib import suppress
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

        from cti.cli.audit import audit  # noqa: PLC0415 - an extra
        from cti.cli.check import check  # noqa: PLC0415 - the same
        from cti.cli.demo import demo  # noqa: PLC0415 - needs the extra as well
        from cti.cli.esl import esl  # noqa: PLC0415 - the same
        from cti.cli.ivr import ivr  # noqa: PLC0415 - the same
        from cti.cli.journal import journal  # noqa: PLC0415 - the same
        from cti.cli.keys import keys  # noqa: PLC0415 - the same
        from cti.cli.reload import reload  # noqa: PLC0415 - the same
        from cti.cli.report import report_command  # noqa: PLC0415 - the same
        from cti.cli.run import run  # noqa: PLC0415 - the same
        from cti.cli.sim import sim  # noqa: PLC0415 - the same
        from cti.cli.switches import switches  # noqa: PLC0415 - the same
    except ImportError as error:
        sys.exit(f"cti: the command line needs the extra 'cli' ({error}); run: pip install 'cti[cli]'")

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="cti")
    def cti() -> None:
        """Computer-telephony middleware for FreeSWITCH."""

    with suppress(ImportError):  # these two need the extra "web" besides
        from cti.cli.accounts import accounts  # noqa: PLC0415 - extras
        from cti.cli.webhooks import webhooks  # noqa: PLC0415 - the same

        cti.add_command(accounts)
        cti.add_command(webhooks)
    cti.add_command(audit)
    cti.add_command(demo)
    cti.add_command(esl)
    cti.add_command(ivr)
    cti.add_command(keys)
    cti.add_command(journal)
    cti.add_command(sim)
    cti.add_command(check)
    cti.add_command(reload)
    cti.add_command(report_command)
    cti.add_command(run)
    cti.add_command(switches)
    try:
        cti()
    except errors.CtiError as error:
        print(f"cti: {error}", file=sys.stderr)
        sys.exit(exit_status(error))
