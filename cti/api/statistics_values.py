"""Figures by interval as the API answers with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.statistics import AgentInterval, QueueInterval


@frozen
class QueueIntervalRecord:
    """What was counted of a queue in an interval, by the definitions of the live figures."""

    queue: str
    begins_at: float
    length_s: float
    figures: Mapping[str, float]
    service_level: float | None
    asa_s: float | None
    aht_s: float | None
    abandon_rate: float | None


@frozen
class AgentIntervalRecord:
    """The same of an agent."""

    agent: str
    begins_at: float
    length_s: float
    figures: Mapping[str, float]
    logged_on_s: float
    occupancy: float | None
    aht_s: float | None


@frozen
class QueueIntervals:
    """Intervals, the oldest first; one in which nothing was counted is left out."""

    intervals: tuple[QueueIntervalRecord, ...]


@frozen
class AgentIntervals:
    """The same."""

    intervals: tuple[AgentIntervalRecord, ...]


@frozen
class DayRecord:
    """A day's figures, of the queues and agents that the key covers."""

    begins_at: float
    queues: tuple[QueueIntervalRecord, ...]
    agents: tuple[AgentIntervalRecord, ...]


def queue_interval(each: QueueInterval) -> QueueIntervalRecord:
    """The wire's form of a queue's interval."""
    made = each.figures
    rates = (made.service_level, made.asa_s, made.aht_s, made.abandon_rate)
    return QueueIntervalRecord(each.name, each.begins_at, each.length_s, _plain(made), *rates)


def agent_interval(each: AgentInterval) -> AgentIntervalRecord:
    """The wire's form of an agent's interval."""
    made = each.figures
    rates = (made.logged_on_s, made.occupancy, made.aht_s)
    return AgentIntervalRecord(each.name, each.begins_at, each.length_s, _plain(made), *rates)


def _plain(figures: Any) -> dict[str, float]:
    counts = ((field.name, getattr(figures, field.name)) for field in figures.__attrs_attrs__)
    return {name: round(value, 3) for name, value in counts if name != "longest_wait_s"}
