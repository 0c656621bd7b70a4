"""Intents: what the engine wants done. Imperative; a shell carries them out, in order, and reports back by facts."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cti.model.cause import Cause
from cti.model.events import Event
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId


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


@frozen
class Bridge:
    """Connect two answered legs; report Bridged or BridgeFailed."""

    switch: SwitchId
    connection: ConnectionId
    other: ConnectionId


@frozen
class AnswerConnection:
    """Answer a caller's leg."""

    switch: SwitchId
    connection: ConnectionId


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
class DivertConnection:
    """Send a leg to a number of the switch's dialplan; it is no longer ours."""

    switch: SwitchId
    connection: ConnectionId
    destination: str


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
class CheckConnection:
    """Ask whether the leg still lives; report ConnectionCleared if it does not."""

    switch: SwitchId
    connection: ConnectionId


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


Intent = (
    OfferCall
    | Bridge
    | AnswerConnection
    | ClearConnection
    | StartTreatment
    | DivertConnection
    | KeepCaller
    | TagConnection
    | CheckConnection
    | StartTimer
    | CancelTimer
    | Notify
)
SwitchIntent = (
    OfferCall
    | Bridge
    | AnswerConnection
    | ClearConnection
    | StartTreatment
    | DivertConnection
    | KeepCaller
    | TagConnection
    | CheckConnection
)
