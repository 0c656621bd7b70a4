"""Intents: what the engine wants done. Imperative; a shell carries them out, in order, and reports back by facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from cti.model.cause import Cause
from cti.model.events import Event
from cti.model.ids import AgentId, ConnectionId, DeviceId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.switch import TieLine


@frozen
class OfferCall:
    """Ring an agent's phone by a new leg called ``leg``; report Originated, Delivered, Established or Failed."""

    switch: SwitchId
    leg: ConnectionId
    contact: str
    interaction: InteractionId
    agent: AgentId
    queue: QueueId
    reservation: ReservationId
    ring_timeout_s: float
    calling_number: str
    calling_name: str
    called_number: str
    park_s: float = 0.0
    """How long the answered leg may stay without anybody to hear, besides the time that every leg is given."""
    tie: TieLine | None = None
    """The way to the phone, where it is at another switch."""
    data: Mapping[str, Any] = Factory(dict)
    """Attached data, for that switch and the phone to see."""
    confirm: str = ""
    """The key that whoever answers has to press before it counts; empty for none."""
    auto_answer: bool = False
    """Whether the phone is asked to answer by itself."""


@frozen
class PutThrough:
    """Make a standing connection ready for a call that comes without ringing: tag its leg, and let it hear a short tone
    as soon as somebody is heard on it.
    """

    switch: SwitchId
    connection: ConnectionId
    interaction: InteractionId
    agent: AgentId
    queue: QueueId
    called_number: str
    tone: bool


@frozen
class StandBy:
    """A standing connection is in no call any more: its leg is tagged so."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class PlayBetweenCalls:
    """Let a standing connection that is parked hear music until it is taken away from it."""

    switch: SwitchId
    connection: ConnectionId
    music: str


@frozen
class Bridge:
    """Connect two answered legs; report Bridged or BridgeFailed."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId


@frozen
class Separate:
    """Take two who hear each other apart; report Parked for each."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId


@frozen
class JoinConference:
    """Bring a leg into a conference, with the one it talks to, if any."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId | None
    conference: str


@frozen
class MakeConnection:
    """Call somebody by a new leg called ``leg``; report Delivered, Established and Parked, or Failed."""

    switch: SwitchId
    leg: ConnectionId
    contact: str
    interaction: InteractionId
    ring_timeout_s: float
    calling_number: str
    calling_name: str
    called_number: str
    agent: AgentId | None = None
    """Whose phone it is, where an agent calls; None for somebody outside."""
    auto_answer: bool = False
    """Whether the phone is asked to answer by itself."""
    park_s: float = 0.0
    """How long it waits for somebody to talk with, besides the time that every leg is given."""
    supervisor: AgentId | None = None
    """The supervisor whom it is for, if it is no party's."""
    standing: bool = False
    """Whether it is to stay on the line for call after call: no time limit ends it, and no bridge."""
    tie: TieLine | None = None
    """As in OfferCall."""
    data: Mapping[str, Any] = Factory(dict)


@frozen
class Listen:
    """Let a leg hear a conversation by listening in on one of its legs; report Tapped, or Parked when there is nothing
    to hear any more.

    Asked again it changes at once, without a new leg.
    """

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId
    """The leg that is listened in on; it hears nothing of this unless ``to_other``."""
    to_other: bool
    """Whether that leg hears the listener."""
    to_partner: bool
    """Whether those with whom that leg talks hear the listener."""


@frozen
class StopListening:
    """Let a leg hear nobody any more; report Parked."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class StartRecording:
    """Record a leg to a file, the caller left and the agent right; report RecordingStarted or RecordingFailed.

    It ends with the leg at the latest; report RecordingStopped.
    """

    switch: SwitchId
    connection: ConnectionId
    path: str


@frozen
class StopRecording:
    """End a recording; report RecordingStopped."""

    switch: SwitchId
    connection: ConnectionId
    path: str


@frozen
class PauseRecording:
    """Have silence in the file from now on, or no longer; report RecordingFailed if it cannot be done."""

    switch: SwitchId
    connection: ConnectionId
    path: str
    pause: bool


@frozen
class Announce:
    """Let a leg hear a prompt beside what it hears; report Announced, or RecordingFailed if it cannot be played."""

    switch: SwitchId
    connection: ConnectionId
    prompt: str
    path: str
    """The recording that it announces."""


@frozen
class SendDigits:
    """Let whoever is at the end of a leg hear keys being pressed."""

    switch: SwitchId
    connection: ConnectionId
    digits: str


@frozen
class AnswerConnection:
    """Answer a caller's leg."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class AnswerPhone:
    """Ask a phone that rings to answer by itself; report Established if it does."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class WarningTone:
    """Let a leg hear a short tone beside what it hears: somebody comes into the conversation."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class SendMessage:
    """Send a text to the phone at the end of a leg (SIP MESSAGE); many phones show it."""

    switch: SwitchId
    connection: ConnectionId
    text: str


@frozen
class PlayMessage:
    """Let a leg hear a message, whatever it heard, and end it then; report ConnectionCleared."""

    switch: SwitchId
    connection: ConnectionId
    message: str


@frozen
class ClearConnection:
    """End a leg; harmless when it is gone already, or not there yet."""

    switch: SwitchId
    connection: ConnectionId
    cause: Cause


@frozen
class StartTreatment:
    """Let a waiting caller hear music until something else happens to the leg."""

    switch: SwitchId
    connection: ConnectionId
    music: str
    replace: bool = False
    """Whether music of another queue is playing and has to stop first."""


@frozen
class ResumeTreatment:
    """Let a caller hear again what they heard: they wait on, as the bridge that has ended it came to nothing.

    Args:
        music: the queue's; empty where announcements are all there is.
    """

    switch: SwitchId
    connection: ConnectionId
    music: str


@frozen
class StopTreatment:
    """Let a caller hear nothing more: their script goes on."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class DivertConnection:
    """Send a leg to a number of the switch's dialplan; it is no longer ours."""

    switch: SwitchId
    connection: ConnectionId
    destination: str


@frozen
class LeaveMessage:
    """Send a leg to a mailbox of the switch's own voicemail; it is no longer ours."""

    switch: SwitchId
    connection: ConnectionId
    mailbox: str
    domain: str


@frozen
class KeepCaller:
    """Say whether a caller whose bridge fails comes back to us (while it waits) or is let go (once it talks)."""

    switch: SwitchId
    connection: ConnectionId
    keep: bool


@frozen
class TagConnection:
    """Write what we know onto the leg itself, so that the switch can tell us after a crash."""

    switch: SwitchId
    connection: ConnectionId
    tags: Mapping[str, str]


@frozen
class KeepData:
    """Write the attached data onto a leg, all of them anew, so that the switch can tell us after a crash."""

    switch: SwitchId
    connection: ConnectionId
    data: Mapping[str, Any]


@frozen
class CheckConnection:
    """Ask whether the leg still lives; report ConnectionCleared if it does not."""

    switch: SwitchId
    connection: ConnectionId


@frozen
class WatchDevice:
    """Say whether a phone is registered, now and whenever that changes; report DeviceInService or DeviceOutOfService.

    Asked again it is looked at again, and reported in any case.
    """

    switch: SwitchId
    device: DeviceId


@frozen
class UnwatchDevice:
    """A phone is nobody's any more."""

    switch: SwitchId
    device: DeviceId


@frozen
class StartTimer:
    """Report TimerFired with these values after so many seconds."""

    kind: str
    key: str
    generation: int
    after_s: float


@frozen
class CancelTimer:
    """The timer is no longer wanted; a late TimerFired is harmless."""

    kind: str
    key: str


@frozen
class Notify:
    """Tell everybody who subscribed."""

    event: Event


LegIntent = (
    OfferCall
    | PutThrough
    | StandBy
    | PlayBetweenCalls
    | Bridge
    | Separate
    | JoinConference
    | MakeConnection
    | Listen
    | StopListening
    | StartRecording
    | StopRecording
    | PauseRecording
    | Announce
    | SendDigits
    | AnswerConnection
    | AnswerPhone
    | WarningTone
    | SendMessage
    | PlayMessage
    | ClearConnection
    | StartTreatment
    | ResumeTreatment
    | StopTreatment
    | DivertConnection
    | LeaveMessage
    | KeepCaller
    | TagConnection
    | KeepData
    | CheckConnection
)
SwitchIntent = LegIntent | WatchDevice | UnwatchDevice
Intent = SwitchIntent | StartTimer | CancelTimer | Notify
