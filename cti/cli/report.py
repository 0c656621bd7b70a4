"""`cti report`: what queues and agents did, and past calls, as a table, CSV or JSON."""

from __future__ import annotations

import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from cti.cli.report_calls import past_calls, store_of
from cti.cli.report_output import FORMATS, CallSheet, FigureSheet, Sheet, write
from cti.config import Configuration, read_configuration
from cti.errors import ConfigurationError, UnknownAgent, UnknownQueue
from cti.statistics.interval import AGENT, QUEUE, midnight, moment
from cti.statistics.reading import read_rows
from cti.statistics.report import BY, report


@click.command(name="report")
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE|DIRECTORY")
@click.option("--day", metavar="DATE", help="One day, such as 2026-03-01; today if no time is given.")
@click.option("--since", metavar="TIME", help="From then on, such as 2026-03-01 or 2026-03-01T09:00.")
@click.option("--until", metavar="TIME", help="Before then; now if it is left out.")
@click.option("--by", type=click.Choice(BY), default="interval", show_default=True, help="What is summed.")
@click.option("--queue", "queues", multiple=True, metavar="ID", help="Only this queue. Repeatable.")
@click.option("--agent", "agents", multiple=True, metavar="ID", help="Only this agent. Repeatable.")
@click.option("--calls", is_flag=True, help="The past calls themselves, from [history].")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--time-zone", metavar="ZONE", help="In place of the one in [statistics], such as Europe/Berlin.")
def report_command(  # noqa: PLR0917 - click names them
    path: Path,
    day: str | None,
    since: str | None,
    until: str | None,
    by: str,
    queues: tuple[str, ...],
    agents: tuple[str, ...],
    calls: bool,
    form: str,
    time_zone: str | None,
) -> None:
    """Report what queues and agents did in a time: calls, service level, talk, hold and wrap-up.

    From the figures by interval of the daemon that runs by the configuration FILE, or from those in DIRECTORY, which is that of its
    [state]. The daemon may be running; its last half minute may be missing then. docs/statistics.md has every definition.
    """
    made = None if path.is_dir() else read_configuration(path)
    zone = _zone(time_zone, made)
    begin, end = _time(day, since, until, zone)
    sheets: list[Sheet]
    if calls:
        found = past_calls(store_of(path, made), begin, end, queues, agents)
        sheets = [CallSheet(tuple(found), zone)]
    else:
        rows = read_rows(_directory(path, made), begin, end)
        _known(made, {QUEUE: queues, AGENT: agents}, {(row.kind, row.name) for row in rows})
        summed = report(rows, begin, end, zone, by=by, queues=queues, agents=agents)
        sheets = [
            FigureSheet(QUEUE, summed.queues, zone),
            FigureSheet(AGENT, summed.agents, zone),
        ]
    write(sheets, form, begin, end, zone)


def _zone(named: str | None, made: Configuration | None) -> ZoneInfo:
    zone = named or (made.services.statistics.time_zone if made is not None else "UTC")
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        raise ConfigurationError(
            f"--time-zone: there is no time zone {zone!r}; write it as Europe/Berlin or UTC"
        ) from None


def _time(day: str | None, since: str | None, until: str | None, zone: ZoneInfo) -> tuple[float, float]:
    now = time.time()
    if day is not None and (since is not None or until is not None):
        raise ConfigurationError("give --day, or --since and --until")
    if day is not None:
        at = _moment("--day", day, zone)
        return midnight(at, zone), midnight(at, zone, days=1)
    begin = midnight(now, zone) if since is None else _moment("--since", since, zone)
    end = now if until is None else _moment("--until", until, zone)
    if end <= begin:
        raise ConfigurationError(f"--until {until or 'now'} is not after --since {since or 'midnight'}")
    return begin, end


def _moment(option: str, text: str, zone: ZoneInfo) -> float:
    try:
        return moment(text, zone)
    except ConfigurationError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def _directory(path: Path, made: Configuration | None) -> Path:
    if made is None:
        return path
    if made.services.state is None:
        raise ConfigurationError(f"{path}: there is no [state], so that no figures are kept; give it a directory")
    return Path(made.services.state.directory)


def _known(made: Configuration | None, wanted: dict[str, tuple[str, ...]], counted: set[tuple[str, str]]) -> None:
    """Refuse names that nothing has, in the file or in the figures: a report of nothing would be taken for an empty one."""
    for kind, names in wanted.items():
        there = {name for of, name in counted if of == kind}
        if made is not None:
            there |= set(made.queues if kind == QUEUE else made.agents)
        for name in names:
            if name not in there:
                raise UnknownQueue(name, there) if kind == QUEUE else UnknownAgent(name, there)
