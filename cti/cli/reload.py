"""`cti reload`: tells the daemon to take changes of its configuration over."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click

from cti.config import read_configuration
from cti.daemon.control import NoDaemon, ask
from cti.daemon.pid_file import running_pid
from cti.errors import ConfigurationError


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def reload(ctx: click.Context, /, *, file: Path) -> None:
    """Let the daemon that runs by the configuration FILE read it again.

    What changed is printed. Exits with 2 if the daemon refuses it; nothing was changed then; with 1 if none runs. Without `daemon.control`
    in the file, the daemon is sent SIGHUP, and what comes of it is in its log.
    """
    made = read_configuration(file)
    if made.daemon.control:
        answer = ask(Path(made.daemon.control), "reload")
        for line in answer.said:
            print(line, file=sys.stdout if answer.done else sys.stderr)
        ctx.exit(0 if answer.done else 2)
    if not made.daemon.pid_file:
        raise ConfigurationError(f"{file}: give daemon.control or daemon.pid_file, or no daemon can be found")
    pid = running_pid(Path(made.daemon.pid_file))
    if pid is None:
        raise NoDaemon(f"no daemon holds {made.daemon.pid_file}; is it running?")
    os.kill(pid, signal.SIGHUP)
    print(f"process {pid} was told; its log says what changed")
