"""Methods about figures by interval."""

from __future__ import annotations

import time
from typing import Final

from attrs import frozen

from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.refusal import InvalidParameter, NoStatistics
from cti.api.service import Service
from cti.api.statistics_values import AgentIntervals, DayRecord, QueueIntervals, agent_interval, queue_interval
from cti.api.table import NO_TEXT, method
from cti.errors import ConfigurationError, UnknownAgent, UnknownQueue
from cti.model.ids import AgentId, QueueId
from cti.statistics import Statistics, in_turns, moment

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
    return QueueIntervals(tuple(map(queue_interval, found)))


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
    return AgentIntervals(tuple(map(agent_interval, found)))


@method("day", WhichDay, DayRecord, InvalidParameter, NoStatistics, slow=True, cost=40)
def day(service: Service, params: WhichDay) -> DayRecord:
    """The figures of a day, of every queue and agent that the key covers: those of today up to now."""
    kept, grant = _kept(service), service.grant
    found = kept.day(_moment(kept, "params.day", params.day) if params.day else None)
    return DayRecord(
        found.begins_at,
        tuple(queue_interval(each) for each in in_turns(found.queues) if grant.covers_queue(QueueId(each.name))),
        tuple(agent_interval(each) for each in in_turns(found.agents) if grant.covers_agent(AgentId(each.name))),
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
