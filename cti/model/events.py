"""Events: what the centre tells its subscribers. CSTA's names, each with the cause and the whole context.

Where a fact says what one leg did, an event says what that means: which interaction, agent and queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.model import agents_events, callback_events, device_events, recording_events, trunk_events
from cti.model.call_event import CallEvent as CallEvent  # noqa: PLC0414 - events.CallEvent is what all say
from cti.model.cause import Cause
from cti.model.conference import Member
from cti.model.history import EndedBy, InteractionHistory
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId

BackInService = device_events.BackInService
DeviceEvent = device_events.DeviceEvent
OutOfService = device_events.OutOfService
OwnCall = device_events.OwnCall
StandingConnectionChanged = device_events.StandingConnectionChanged
CallBack = agents_events.CallBack
CallBackMessage = agents_events.CallBackMessage
MessageReceived = agents_events.MessageReceived
RecordingEnded = recording_events.RecordingEnded
RecordingEvent = recording_events.RecordingEvent
RecordingFailed = recording_events.RecordingFailed
RecordingKept = recording_events.RecordingKept
RecordingPaused = recording_events.RecordingPaused
RecordingResumed = recording_events.RecordingResumed
RecordingStarted = recording_events.RecordingStarted
TrunkStatus = trunk_events.TrunkStatus


@frozen(kw_only=True)
class Offered(CallEvent):
    """A call has come in and its script starts."""


@frozen(kw_only=True)
class MessageDelivered(CallEvent):
    """A message is an interaction from now on, and waits for an agent (not CSTA)."""

    message: str
    """What it is kept under."""
    mailbox: str
    length_s: float
    pages: int


@frozen(kw_only=True)
class Queued(CallEvent):
    """The call waits in ``queue``; with cause remainsInQueue it is back in its place after an offer failed."""

    position: int
    """1 is the head, by this queue's order; 0 while nothing is routed: the link to the switch is down, or a route
    script is being asked."""


@frozen(kw_only=True)
class RouteRequested(CallEvent):
    """A route script is asked about the call (CSTA: Route Request)."""

    cross_ref: str
    script: str
    deadline_s: float


@frozen(kw_only=True)
class RouteUsed(CallEvent):
    """A route script's answer is being acted on (CSTA: Route Used)."""

    cross_ref: str
    to: str
    """Where the call goes: ``default`` if the script left it to the router."""


@frozen(kw_only=True)
class RouteEnded(CallEvent):
    """A route request is over without an answer that was used (CSTA: Route End); ``error`` says why, if it failed."""

    cross_ref: str
    error: str


@frozen(kw_only=True)
class Delivered(CallEvent):
    """The agent's phone rings: the moment for the screen pop, with all that is attached to the call."""

    connection: ConnectionId
    waited_s: float
    from_agent: AgentId | None = None
    """Who consults this agent, or invites them; else who had the call last before them."""
    previous_agents: tuple[AgentId, ...] = ()
    """All who have talked with the caller, the latest last."""


@frozen(kw_only=True)
class Established(CallEvent):
    """Caller and agent hear each other."""

    connection: ConnectionId
    waited_s: float


@frozen(kw_only=True)
class Held(CallEvent):
    """The caller hears music; ``connection`` is the leg of the agent who holds them."""

    connection: ConnectionId


@frozen(kw_only=True)
class Retrieved(CallEvent):
    """The agent and whoever was held talk again."""

    connection: ConnectionId


@frozen(kw_only=True)
class ServiceInitiated(CallEvent):
    """An agent makes a call: their own phone is being rung by the leg ``connection``."""

    connection: ConnectionId


@frozen(kw_only=True)
class Originated(CallEvent):
    """An agent has somebody called, to consult or to talk with: ``to`` says whom, ``connection`` is their leg."""

    connection: ConnectionId
    to: str


@frozen(kw_only=True)
class DigitsDialled(CallEvent):
    """The agent has dialled ``digits``; ``called_number`` is what they have come to so far."""

    connection: ConnectionId
    digits: str


@frozen(kw_only=True)
class PredictiveCallAbandoned(CallEvent):
    """A customer who was called has answered, and no agent was there in time: they hear the message, and the call ends.

    ``answered`` and ``abandoned`` are the queue's, within the window of its abandon cap, with this one.
    """

    answered: int
    abandoned: int


@frozen(kw_only=True)
class Transferred(CallEvent):
    """The call is with ``agent`` now, or with ``to`` outside or elsewhere; ``from_agent`` has left it."""

    from_agent: AgentId
    to: str


@frozen(kw_only=True)
class Conferenced(CallEvent):
    """All of these legs hear each other."""

    connections: tuple[ConnectionId, ...]


@frozen(kw_only=True)
class ConferenceChanged(CallEvent):
    """A conference has begun, or somebody joined or left it, or takes part in another way (not CSTA)."""

    conference: str
    owner: AgentId | None
    """The agent in charge of it."""
    since: float
    """Unix time, seconds."""
    members: tuple[Member, ...]
    """Everybody who is in it now, or is being rung for it; nobody when it is over."""


@frozen(kw_only=True)
class AssistanceRequested(CallEvent):
    """The agent asks for help with the call, from whoever supervises its queue (not CSTA)."""

    note: str


@frozen(kw_only=True)
class OfferEnded(CallEvent):
    """An offer came to nothing: rejected, timed out, cancelled, rescinded or failed. (A reservation's end; not CSTA.)"""

    outcome: str
    switch_cause: str


@frozen(kw_only=True)
class Diverted(CallEvent):
    """The call left its queue or script for another queue (``to_queue``) or a script (``to_script``), its agent for a
    place where it is parked (``to_place``), or the centre for ``destination`` (a mailbox as ``voicemail:1000``).
    """

    destination: str = ""
    to_queue: QueueId | None = None
    to_script: str = ""
    to_place: str = ""


@frozen(kw_only=True)
class Abandoned(CallEvent):
    """The caller hung up while waiting. (CSTA: Connection Cleared of a queued call.)"""

    waited_s: float


@frozen(kw_only=True)
class ConnectionCleared(CallEvent):
    """One leg ended; ``side`` is "caller", "agent" or "other"."""

    connection: ConnectionId
    side: str
    switch_cause: str
    by: EndedBy
    """Who ended it: whose leg it is, we, or the switch."""


@frozen(kw_only=True)
class CallCleared(CallEvent):
    """Every leg has ended; comes once, and nothing comes after it but InteractionEnded, and the ends of recordings."""

    state: str
    """The state the interaction ended in: cleared, abandoned, diverted or lost."""


@frozen(kw_only=True)
class InteractionEnded:
    """The call is cleared, and all its agents have done the work after it: its whole history (not CSTA). Comes once."""

    interaction: InteractionId
    at: float
    agent: AgentId | None
    """Who talked with the caller last."""
    queue: QueueId | None
    history: InteractionHistory


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
class Supervised(AgentEvent):
    """How a supervision stands (not CSTA); ``agent`` is the supervisor, ``state`` their state as an agent."""

    connection: ConnectionId
    """The supervisor's own leg."""
    mode: str
    """``monitor``, ``whisper`` or ``barge``."""
    phase: str
    """``calling``, ``waiting``, ``listening`` or ``ended``."""
    watched: AgentId | None
    """The agent who is followed from call to call, if it is one."""
    interaction: InteractionId | None
    """The call that is heard, or followed."""


@frozen(kw_only=True)
class Audited:
    """Somebody who is no party to a call has done something, or tried to: what has to be accounted for (not CSTA)."""

    at: float
    who: str
    what: str
    """``monitor``, ``take over``, ``force log off``, ...; see docs/supervision.md."""
    whom: str
    """The agent's or the interaction's id."""
    outcome: str
    """``done``, ``refused`` by the policy, or the ``code`` of the error."""


@frozen(kw_only=True)
class FaxSent:
    """A fax has been sent, or given up after its last try (not CSTA)."""

    at: float
    fax: str
    """What it is kept under."""
    number: str
    success: bool
    pages: int
    """That went over in the last try."""
    total_pages: int
    code: int
    """Of spandsp (``t30.h``); -1 if there was no fax machine at the other end."""
    text: str
    tries: int
    mailbox: str = ""
    """In whose name it was sent; empty for the centre's."""
    queue: QueueId | None = None
    """That mailbox's."""
    agent: AgentId | None = None
    """That mailbox's owner."""


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


Event = (
    CallBack
    | CallBackMessage
    | MessageReceived
    | CallEvent
    | InteractionEnded
    | AgentEvent
    | DeviceEvent
    | StandingConnectionChanged
    | SystemStatus
    | TrunkStatus
    | InvariantBroken
    | Audited
    | RecordingEvent
    | RecordingKept
)

EVENTS: Mapping[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Offered,
        MessageDelivered,
        Queued,
        RouteRequested,
        RouteUsed,
        RouteEnded,
        Delivered,
        Established,
        Held,
        Retrieved,
        ServiceInitiated,
        Originated,
        DigitsDialled,
        PredictiveCallAbandoned,
        Transferred,
        Conferenced,
        ConferenceChanged,
        OfferEnded,
        Diverted,
        Abandoned,
        ConnectionCleared,
        CallCleared,
        InteractionEnded,
        AgentLoggedOn,
        AgentLoggedOff,
        AgentReady,
        AgentNotReady,
        AgentReserved,
        AgentAlerting,
        AgentBusy,
        AgentWorkingAfterCall,
        AgentPending,
        AssistanceRequested,
        Supervised,
        CallBack,
        CallBackMessage,
        MessageReceived,
        Audited,
        RecordingStarted,
        RecordingPaused,
        RecordingResumed,
        RecordingEnded,
        RecordingFailed,
        RecordingKept,
        BackInService,
        OutOfService,
        OwnCall,
        StandingConnectionChanged,
        FaxSent,
        SystemStatus,
        TrunkStatus,
        InvariantBroken,
        *callback_events.EVENTS,
    )
}
"""Every event by its name."""
