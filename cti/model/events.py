"""Events: what the centre tells its subscribers. CSTA's names, each with the cause and the whole context.

Where a fact says what one leg did, an event says what that means: which interaction, agent and queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId


@frozen(kw_only=True)
class CallEvent:
    """What all events about an interaction say."""

    interaction: InteractionId
    at: float
    """The engine's monotonic time, seconds."""
    cause: Cause
    switch: SwitchId
    calling_number: str
    calling_name: str
    called_number: str
    queue: QueueId | None
    agent: AgentId | None
    data: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class Offered(CallEvent):
    """A call has come in and its script starts."""


@frozen(kw_only=True)
class Queued(CallEvent):
    """The call waits in ``queue``; with cause remainsInQueue it is back in its place after an offer failed."""

    position: int
    """1 is the head, by this queue's order; 0 while the link to the switch is down and nothing is routed."""


@frozen(kw_only=True)
class Delivered(CallEvent):
    """The agent's phone rings: the moment for the screen pop."""

    connection: ConnectionId
    waited_s: float


@frozen(kw_only=True)
class Established(CallEvent):
    """Caller and agent hear each other."""

    connection: ConnectionId
    waited_s: float


@frozen(kw_only=True)
class OfferEnded(CallEvent):
    """An offer came to nothing: rejected, timed out, cancelled, rescinded or failed. (A reservation's end; not CSTA.)"""

    outcome: str
    switch_cause: str


@frozen(kw_only=True)
class Diverted(CallEvent):
    """The call left its queue or script for another queue (``to_queue``), or the centre for ``destination``."""

    destination: str = ""
    to_queue: QueueId | None = None


@frozen(kw_only=True)
class Abandoned(CallEvent):
    """The caller hung up while waiting. (CSTA: Connection Cleared of a queued call.)"""

    waited_s: float


@frozen(kw_only=True)
class ConnectionCleared(CallEvent):
    """One leg ended; ``side`` is "caller" or "agent"."""

    connection: ConnectionId
    side: str
    switch_cause: str


@frozen(kw_only=True)
class CallCleared(CallEvent):
    """Every leg has ended; comes once, and nothing comes after it."""

    state: str
    """The state the interaction ended in: cleared, abandoned, diverted or lost."""


@frozen(kw_only=True)
class AgentEvent:
    """What all events about an agent's session say."""

    agent: AgentId
    at: float
    cause: Cause
    state: str
    reason: str = ""
    pending: str = ""
    """The state asked for while busy, empty when none is."""


@frozen(kw_only=True)
class AgentLoggedOn(AgentEvent):
    """The agent's session begins."""


@frozen(kw_only=True)
class AgentLoggedOff(AgentEvent):
    """The agent's session is over."""


@frozen(kw_only=True)
class AgentReady(AgentEvent):
    """The agent can be offered a call."""


@frozen(kw_only=True)
class AgentNotReady(AgentEvent):
    """The agent can be offered nothing; ``reason`` says why."""


@frozen(kw_only=True)
class AgentReserved(AgentEvent):
    """The agent has been promised to a call. (Not CSTA.)"""


@frozen(kw_only=True)
class AgentAlerting(AgentEvent):
    """The agent's phone rings. (Not CSTA.)"""


@frozen(kw_only=True)
class AgentBusy(AgentEvent):
    """The agent is on an ACD call."""


@frozen(kw_only=True)
class AgentWorkingAfterCall(AgentEvent):
    """The agent finishes the work of the last call."""


@frozen(kw_only=True)
class AgentPending(AgentEvent):
    """A state asked for while busy is kept for the end of the call. (Not CSTA.)"""


@frozen(kw_only=True)
class SystemStatus:
    """A switch's link changed: ``status`` is CSTA's (initializing, normal, messagesLost, disabled)."""

    switch: SwitchId
    at: float
    status: str
    detail: str = ""


@frozen(kw_only=True)
class InvariantBroken:
    """The engine found itself in a state that must not be; it has been logged and is being mended."""

    at: float
    what: str


Event = CallEvent | AgentEvent | SystemStatus | InvariantBroken

EVENTS: Mapping[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Offered,
        Queued,
        Delivered,
        Established,
        OfferEnded,
        Diverted,
        Abandoned,
        ConnectionCleared,
        CallCleared,
        AgentLoggedOn,
        AgentLoggedOff,
        AgentReady,
        AgentNotReady,
        AgentReserved,
        AgentAlerting,
        AgentBusy,
        AgentWorkingAfterCall,
        AgentPending,
        SystemStatus,
        InvariantBroken,
    )
}
"""Every event by its name."""
