"""Methods about calls that are over, from the history store."""

from __future__ import annotations

from attrs import frozen

from cti.api.converter import Line
from cti.api.grant import Grant
from cti.api.service import Service
from cti.api.table import NO_TEXT, NOT_AGENTS, method
from cti.api.values import FoundCalls
from cti.errors import ConfigurationError
from cti.model.history import InteractionHistory
from cti.model.ids import AgentId, QueueId


@frozen
class Find:
    """Which past calls: of a number, an agent, a queue, begun between two Unix times; all that is given must hold."""

    number: Line = NO_TEXT
    agent: AgentId | None = None
    queue: QueueId | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 100


@method("call.find", Find, FoundCalls, ConfigurationError, roles=NOT_AGENTS, slow=True, cost=20)
def find(service: Service, params: Find) -> FoundCalls:
    """Past calls that the key covers by one of their agents or queues, the latest first."""
    calls = service.centre.find_calls(
        number=params.number,
        agent=params.agent or "",
        queue=params.queue or "",
        since=params.since,
        until=params.until,
        limit=params.limit,
    )
    return FoundCalls(tuple(each for each in calls if _covers(service.grant, each)))


def _covers(grant: Grant, history: InteractionHistory) -> bool:
    parties = {(each.agent, each.queue) for each in history.segments} | {(None, history.queue)}
    return any(grant.sees(agent, queue) for agent, queue in parties)
