"""`cti run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from cti.daemon import Daemon


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def run(file: Path) -> None:
    """Run a call centre by the configuration FILE, in the foreground; the log goes to standard error.

    SIGHUP, or `cti reload`, takes changes of the file over. SIGTERM or Ctrl-C lets calls end first, a second one does
    not.
    """
    Daemon(file).run()
