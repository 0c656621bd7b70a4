"""Facts: what happened, told to the engine. Past tense, in CSTA's words; no fact knows a FreeSWITCH header.

The first group comes from a switch, the second from the host application or an agent, the last from a timer.
A fact about a connection the engine does not know, or knows to be over, changes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, field, frozen
from attrs.validators import optional

from cti.model.agent import AgentSettings
from cti.model.callback_requests import CallbackRequest
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.device_facts import DeviceFact, OwnCallBegan
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.overflow import Overflow, ToDestination
from cti.model.personal import LastAgent, Personal
from cti.model.queue import QueueSettings
from cti.model.services import Service
from cti.model.switch import SwitchSettings
from cti.model.trunk_facts import TrunkFact
from cti.model.validate import whole

# -- from a switch ----------------------------------------------------------------------------------------------------


@frozen
class Offered:
    """A call has been handed to us and waits for what we say (a parked channel that carries our centre's name)."""

    switch: SwitchId
    connection: ConnectionId
    calling_number: str
    calling_name: str
    called_number: str
    established: bool = False
    """Whether it has been answered already."""
    data: Mapping[str, Any] = Factory(dict)
    previous: InteractionId | None = None
    """The interaction that this channel was before we let it go, if it was one."""


@frozen
class Originated:
    """A leg we asked for exists on the switch now; it carries the reservation it was made for."""

    switch: SwitchId
    connection: ConnectionId
    reservation: ReservationId | None = None


@frozen
class Delivered:
    """A leg we asked for is alerting its phone."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class Established:
    """A leg has been answered; one we asked for carries the reservation it was made for."""

    switch: SwitchId
    connection: ConnectionId
    reservation: ReservationId | None = None
    parked: bool = False
    """Whether it is known to hear nobody, as Parked would say."""


@frozen
class Bridged:
    """Two legs hear each other."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId


@frozen
class BridgeFailed:
    """Two legs could not be connected, though we asked."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId
    switch_cause: str


@frozen
class Held:
    """One end has put the other on hold."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class Retrieved:
    """A held connection is talking again."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class ConnectionCleared:
    """A leg has ended."""

    switch: SwitchId
    connection: ConnectionId
    cause: Cause
    switch_cause: str
    by_far_end: bool | None = None
    """Whether whoever is at the other end hung up; None if the switch does not say."""


@frozen
class Failed:
    """A leg we asked for will not come to be."""

    switch: SwitchId
    connection: ConnectionId
    cause: Cause
    switch_cause: str


@frozen
class LinkConnecting:
    """We are trying to reach the switch."""

    switch: SwitchId


@frozen
class LinkAuthenticated:
    """The switch let us in; a snapshot is being taken."""

    switch: SwitchId


@frozen
class LinkLost:
    """The link to the switch is gone; what happens there is unknown until the next snapshot."""

    switch: SwitchId


@frozen
class ChannelSeen:
    """One channel of a snapshot, with what our own tags say of it."""

    connection: ConnectionId
    calling_number: str = ""
    calling_name: str = ""
    called_number: str = ""
    established: bool = False
    bridged_to: ConnectionId | None = None
    interaction: InteractionId | None = None
    agent: AgentId | None = None
    reservation: ReservationId | None = None
    queue: QueueId | None = None
    side: Side = Side.CALLER
    conferring: bool = False
    """Whether it is in a conference of ours."""
    priority: int = 0
    """What its script asked for, if it waits in a queue."""
    data: Mapping[str, Any] = Factory(dict)
    """What is attached to its call."""
    recorded: int = 0
    """The number of the segment of its call that was recorded last; 0 for none."""
    recording: str = ""
    """``paused`` or ``stopped``, if it was."""
    queued_at: float | None = None
    """Unix time at which it first entered a queue."""
    standing: AgentId | None = None
    """Whose standing connection it is."""
    tied_to: ConnectionId | None = None
    """The leg on another switch that it carries on to a phone."""
    tied_from: SwitchId | None = None
    """The switch that leg is on."""


@frozen
class SnapshotTaken:
    """All channels of ours that live on the switch now. ``restarted``: it is not the process we knew."""

    switch: SwitchId
    channels: tuple[ChannelSeen, ...]
    restarted: bool = False
    own_calls: tuple[OwnCallBegan, ...] = ()
    """The calls past the centre of the phones that we watch."""


@frozen
class Parked:
    """A leg is in our hands and hears nobody: it waits for what we say."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class Tied:
    """A channel on this switch carries on a leg that is on another, to a phone here."""

    switch: SwitchId
    connection: ConnectionId
    leg: ConnectionId
    """The leg that it carries on."""
    origin: SwitchId
    """The switch that leg is on."""
    interaction: InteractionId | None = None


@frozen
class Tapped:
    """A leg is being listened in on."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class RecordingStarted:
    """A leg is being recorded."""

    switch: SwitchId
    connection: ConnectionId
    path: str


@frozen
class RecordingStopped:
    """A recording has ended, and its file is closed."""

    switch: SwitchId
    connection: ConnectionId
    path: str
    length_s: float | None = None


@frozen
class RecordingFailed:
    """A recording could not be announced, started, or paused."""

    switch: SwitchId
    connection: ConnectionId
    path: str
    why: str


@frozen
class Announced:
    """A prompt that a leg was to hear has ended."""

    switch: SwitchId
    connection: ConnectionId


# -- from the host application and from agents ------------------------------------------------------------------------


@frozen
class SwitchDefined:
    """A switch was added, or its settings changed."""

    settings: SwitchSettings


@frozen
class SwitchRemoved:
    """A switch is none of the centre's any more: its calls are over for us."""

    switch: SwitchId


@frozen
class AgentDefined:
    """An agent was added, or their settings changed."""

    settings: AgentSettings


@frozen
class AgentRemoved:
    """An agent was removed; a call in hand ends first."""

    agent: AgentId


@frozen
class QueueDefined:
    """A queue was added, or its settings changed."""

    settings: QueueSettings


@frozen
class LogOnRequested:
    """An agent logs on; ``ready`` says whether they want calls at once."""

    agent: AgentId
    ready: bool = False


@frozen
class LogOffRequested:
    """An agent logs off, or somebody logs them off."""

    agent: AgentId
    reason: str = ""


@frozen
class ReadyRequested:
    """An agent asks for calls."""

    agent: AgentId


@frozen
class NotReadyRequested:
    """An agent asks for no calls, with a reason code."""

    agent: AgentId
    reason: str = ""


@frozen
class QueueRequested:
    """A script puts its call into a queue."""

    interaction: InteractionId
    queue: QueueId
    priority: int = field(default=0, validator=whole)
    data: Mapping[str, Any] = Factory(dict)
    personal: Personal | LastAgent | None = None
    """The agent whom the call waits for first; in place of what the queue says."""
    preferred: tuple[AgentId, ...] = ()
    """Who is asked before all others."""


@frozen
class RouteSelected:
    """A route script has answered a route request (CSTA: Route Select).

    ``cross_ref`` is the request's; an answer to a request that is over changes nothing. Without any of the others the
    call is routed as if nobody had been asked.
    """

    interaction: InteractionId
    cross_ref: str
    to: Overflow | None = None
    """Where else the call goes, another queue included."""
    priority: int | None = field(default=None, validator=optional(whole))
    """The call's own priority from now on; None leaves it."""
    personal: Personal | LastAgent | None = None
    preferred: tuple[AgentId, ...] = ()
    data: Mapping[str, Any] = Factory(dict)
    error: str = ""
    """Why the script has no answer, if it failed; for the report."""


@frozen
class DataAttached:
    """Data was attached to an interaction; a value of None takes the key away."""

    interaction: InteractionId
    data: Mapping[str, Any]


def _anywhere(value: Overflow | str) -> Overflow:
    return ToDestination(value) if isinstance(value, str) else value


@frozen
class DivertRequested:
    """A script sends its call somewhere: out of the centre, to another script, to a queue on that queue's own terms."""

    interaction: InteractionId
    to: Overflow = field(converter=_anywhere)
    """A text is a number of the switch's dialplan."""


@frozen
class ClearRequested:
    """A script or an agent ends the whole call."""

    interaction: InteractionId
    cause: Cause = Cause.NORMAL_CLEARING


# -- from a timer -----------------------------------------------------------------------------------------------------


@frozen
class TimerFired:
    """A timer that the engine started has run out. ``generation`` tells a late one from the one that counts."""

    kind: str
    key: str
    generation: int


Fact = (
    Offered
    | Originated
    | Delivered
    | Established
    | Bridged
    | BridgeFailed
    | Parked
    | Tied
    | Tapped
    | RecordingStarted
    | RecordingStopped
    | RecordingFailed
    | Announced
    | Held
    | Retrieved
    | ConnectionCleared
    | Failed
    | LinkConnecting
    | LinkAuthenticated
    | LinkLost
    | SnapshotTaken
    | SwitchDefined
    | SwitchRemoved
    | AgentDefined
    | AgentRemoved
    | QueueDefined
    | LogOnRequested
    | LogOffRequested
    | ReadyRequested
    | NotReadyRequested
    | QueueRequested
    | RouteSelected
    | DataAttached
    | DivertRequested
    | ClearRequested
    | TimerFired
    | DeviceFact
    | TrunkFact
    | Service
    | CallbackRequest
)
