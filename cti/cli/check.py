"""`cti check`: everything that is wrong with a configuration at once, and a picture of where its calls go."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from cti.cli.check_picture import picture
from cti.config import BadConfiguration, Problem, load_scripts, read_configuration


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--quiet", "-q", is_flag=True, help="Draw nothing; say only what is wrong.")
@click.pass_context
def check(ctx: click.Context, /, *, file: Path, quiet: bool) -> None:
    """Check the configuration FILE, and draw where its calls go.

    The modules of its scripts are imported. Exits with 0 if the daemon can run with it, warnings or not, else with 2.
    """
    out, err = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        made = read_configuration(file)
        load_scripts(made)
    except BadConfiguration as error:
        for problem in error.problems:
            _say(err, "red", "error", problem)
        count = len(error.problems)
        err.print(f"{count} error{'s' if count != 1 else ''}", style="bold red")
        ctx.exit(2)
    if not quiet:
        out.print(picture(made))
    for problem in made.warnings:
        _say(err, "yellow", "warning", problem)
    count = len(made.warnings)
    warnings = f", {count} warning{'s' if count != 1 else ''}" if count else ""
    out.print(f"{len(made.queues)} queues, {len(made.agents)} agents: no errors{warnings}")


def _say(console: Console, style: str, kind: str, problem: Problem) -> None:
    console.print(f"[{style}]{kind}:[/] {escape(str(problem))}")
