"""Decisions made: who was chosen over whom, by which keys; the last so many are kept."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from cti.model.ids import AgentId, InteractionId, QueueId

RUNNERS_UP = 3
"""How many of those not chosen a decision names, on each side."""


@frozen
class Decision:
    """One call given to one agent, and the best of those it was not given to."""

    at: float
    call: InteractionId
    queue: QueueId
    agent: AgentId
    widened: int
    """The step of widening that let the agent in; 0 if they meet the queue's own requirement, were lent, or wanted."""
    priority: float
    """The call's, as it had grown by then."""
    waited_s: float
    strategy: str
    key: Any
    """The agent's, by which the strategy put them first; None if the call waited for this agent alone."""
    agents_over: tuple[tuple[AgentId, Any], ...]
    """The next best agents for this call, with their keys: those of an earlier step of widening first."""
    calls_over: tuple[tuple[InteractionId, QueueId, float, float], ...]
    """The heads of the other queues the agent serves, best first: call, queue, priority then, and seconds waited."""
    lender: QueueId | None = None
    """The queue that lent the agent, whose strategy and key these are; None for an agent of the queue's own."""
    deficit: float | None = None
    """How far the call's queue was below its service level's target; None where that does not count."""
    by: str = "strategy"
    """``strategy``; ``preferred``, if the agent is among the call's preferred ones; ``wanted``, if it waited for this
    agent alone."""


@frozen
class Fault:
    """A strategy misbehaved; the agent was placed by how long they have been idle, or the first one was taken."""

    at: float
    queue: QueueId
    strategy: str
    agent: AgentId | None
    what: str
