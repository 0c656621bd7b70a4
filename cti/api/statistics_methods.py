"""Methods about figures by interval."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.refusal import InvalidParameter, NoStatistics
from cti.api.service import Service
from cti.api.table import NO_TEXT, method
from cti.errors import ConfigurationError, UnknownAgent, UnknownQueue
from cti.model.figures import AgentFigures, QueueFigures
from cti.model.ids import AgentId, QueueId
from cti.statistics import AgentInterval, QueueInterval, Statistics, moment

MOST: Final = 2_000
"""Intervals in one answer: a month of half hours."""


@frozen
class QueueSpan:
    """Which queue, and from when to when."""

    queue: QueueId
    since: Line = NO_TEXT
    until: Line = NO_TEXT


@frozen
class AgentSpan:
    """Which agent, and from when to when."""

    agent: AgentId
    since: Line = NO_TEXT
    until: Line = NO_TEXT


@frozen
class WhichDay:
    """A day; today if it is empty."""

    day: Line = NO_TEXT


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


@method(
    "queue.intervals",
    QueueSpan,
    QueueIntervals,
    UnknownQueue,
    InvalidParameter,
    NoStatistics,
    subject=Subject.QUEUE,
    slow=True,
    cost=20,
)
def queue_intervals(service: Service, params: QueueSpan) -> QueueIntervals:
    """A queue's figures by interval, today's unless it is said from when to when."""
    kept = _kept(service)
    begin, end = _span(kept, params.since, params.until)
    found = kept.queue(params.queue, begin, end, MOST)
    if not found and params.queue not in service.centre.queue_ids():
        raise UnknownQueue(params.queue, service.centre.queue_ids())
    return QueueIntervals(tuple(map(_of_queue, found)))


@method(
    "agent.intervals",
    AgentSpan,
    AgentIntervals,
    UnknownAgent,
    InvalidParameter,
    NoStatistics,
    subject=Subject.AGENT,
    slow=True,
    cost=20,
)
def agent_intervals(service: Service, params: AgentSpan) -> AgentIntervals:
    """An agent's figures by interval, today's unless it is said from when to when."""
    kept = _kept(service)
    begin, end = _span(kept, params.since, params.until)
    found = kept.agent(params.agent, begin, end, MOST)
    if not found and params.agent not in service.centre.agent_ids():
        raise UnknownAgent(params.agent, service.centre.agent_ids())
    return AgentIntervals(tuple(map(_of_agent, found)))


@method("day", WhichDay, DayRecord, InvalidParameter, NoStatistics, slow=True, cost=40)
def day(service: Service, params: WhichDay) -> DayRecord:
    """The figures of a day, of every queue and agent that the key covers: those of today up to now."""
    kept, grant = _kept(service), service.grant
    found = kept.day(_moment(kept, "params.day", params.day) if params.day else None)
    return DayRecord(
        found.begins_at,
        tuple(_of_queue(each) for each in found.queues if grant.covers_queue(QueueId(each.name))),
        tuple(_of_agent(each) for each in found.agents if grant.covers_agent(AgentId(each.name))),
    )


def _kept(service: Service) -> Statistics:
    kept = service.centre.statistics
    if kept is None:
        raise NoStatistics("no figures by interval are kept here; the daemon keeps them with [state]")
    return kept


def _span(kept: Statistics, since: str, until: str) -> tuple[float, float]:
    begin = _moment(kept, "params.since", since) if since else kept.midnight()
    end = _moment(kept, "params.until", until) if until else time.time()
    return begin, end


def _moment(kept: Statistics, field: str, text: str) -> float:
    try:
        return moment(text, kept.zone)
    except ConfigurationError as error:
        raise InvalidParameter(str(error), field) from None


def _of_queue(each: QueueInterval) -> QueueIntervalRecord:
    made: QueueFigures = each.figures
    rates = (made.service_level, made.asa_s, made.aht_s, made.abandon_rate)
    return QueueIntervalRecord(each.name, each.begins_at, each.length_s, _plain(made), *rates)


def _of_agent(each: AgentInterval) -> AgentIntervalRecord:
    made: AgentFigures = each.figures
    rates = (made.logged_on_s, made.occupancy, made.aht_s)
    return AgentIntervalRecord(each.name, each.begins_at, each.length_s, _plain(made), *rates)


def _plain(figures: Any) -> dict[str, float]:
    counts = ((field.name, getattr(figures, field.name)) for field in figures.__attrs_attrs__)
    return {name: round(value, 3) for name, value in counts if name != "longest_wait_s"}
