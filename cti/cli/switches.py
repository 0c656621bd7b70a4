"""`cti switches`: the switches of a running daemon, and draining one of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cti.config import read_configuration
from cti.daemon.control import ask
from cti.errors import ConfigurationError


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--drain", metavar="NAME", help="Let this one take no new calls; those that are there end first.")
@click.option("--undrain", metavar="NAME", help="Let this one take calls again.")
@click.pass_context
def switches(ctx: click.Context, /, *, file: Path, drain: str | None, undrain: str | None) -> None:
    """Show the switches of the daemon that runs by the configuration FILE: link, calls, agents, and whether drained.

    The file needs `daemon.control`. Exits with 2 if there is no switch of this name, with 1 if no daemon runs.
    """
    if drain is not None and undrain is not None:
        raise ConfigurationError("one of --drain and --undrain at a time")
    made = read_configuration(file)
    if not made.daemon.control:
        raise ConfigurationError(f"{file}: give daemon.control, or no daemon can be asked")
    request = f"drain {drain}" if drain is not None else f"undrain {undrain}" if undrain is not None else "switches"
    answer = ask(Path(made.daemon.control), request)
    for line in answer.said:
        print(line, file=sys.stdout if answer.done else sys.stderr)
    ctx.exit(0 if answer.done else 2)
