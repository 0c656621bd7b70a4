"""Figures of a time, summed by interval, hour, day or in all, of each queue and each agent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from cti.model.figures import AgentFigures, QueueFigures
from cti.statistics.book import Row
from cti.statistics.interval import AGENT, QUEUE, AgentInterval, Counted, QueueInterval, added, figures_of, midnight

Period = tuple[float, float]
"""When it begins, Unix seconds, and how long it is."""


def _interval(row: Row, _zone: ZoneInfo) -> Period:
    return row.begins_at, row.length_s


def _hour(row: Row, zone: ZoneInfo) -> Period:
    at = datetime.fromtimestamp(row.begins_at, zone)
    begin = row.begins_at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond).total_seconds()
    return begin, max(3600.0, row.length_s)


def _day(row: Row, zone: ZoneInfo) -> Period:
    begin = midnight(row.begins_at, zone)
    return begin, midnight(row.begins_at, zone, days=1) - begin


PERIODS: Final[Mapping[str, Callable[[Row, ZoneInfo], Period]]] = {"interval": _interval, "hour": _hour, "day": _day}
TOTAL: Final = "total"
BY: Final = (*PERIODS, TOTAL)
"""By what a report may be."""


@frozen
class Report:
    """What was counted.

    Args:
        begins_at: Unix seconds.
        ends_at: the same.
        queues: by time and name; one of which nothing was counted is left out.
        agents: the same.
    """

    begins_at: float
    ends_at: float
    queues: tuple[QueueInterval, ...]
    agents: tuple[AgentInterval, ...]


def report(
    rows: Iterable[Row],
    begin: float,
    end: float,
    zone: ZoneInfo,
    *,
    by: str = "interval",
    queues: Collection[str] = (),
    agents: Collection[str] = (),
) -> Report:
    """Sum the figures of a time.

    Args:
        rows: the intervals of that time.
        begin: when it begins, Unix seconds.
        end: when it ends.
        zone: where hours and days begin.
        by: one of ``BY``.
        queues: only these; all if neither they nor agents are given, else none.
        agents: the same.
    """
    sums: dict[tuple[str, Period, str], Counted] = {}
    wanted = {QUEUE: queues, AGENT: agents}
    for row in rows:
        if (queues or agents) and row.name not in wanted.get(row.kind, ()):
            continue
        period = (begin, end - begin) if by == TOTAL else PERIODS[by](row, zone)
        key = (row.kind, period, row.name)
        sums[key] = added(sums.get(key, {}), row.figures)
    ordered = sorted(sums.items(), key=lambda each: (each[0][1][0], each[0][2]))
    return Report(
        begin,
        end,
        tuple(
            QueueInterval(name, *period, figures_of(QueueFigures, figures))
            for (kind, period, name), figures in ordered
            if kind == QUEUE
        ),
        tuple(
            AgentInterval(name, *period, figures_of(AgentFigures, figures))
            for (kind, period, name), figures in ordered
            if kind == AGENT
        ),
    )
