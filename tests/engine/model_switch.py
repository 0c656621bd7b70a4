"""A switch reduced to what matters to the engine: which legs exist, and what it was asked to do with them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, define

from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId

from .story import FS


@define
class Channel:
    """One leg that exists."""

    id: ConnectionId
    side: Side
    agent: AgentId | None = None
    reservation: ReservationId | None = None
    interaction: InteractionId | None = None
    queue: QueueId | None = None
    established: bool = False
    bridged_to: ConnectionId | None = None
    kept: bool = False
    """Whether it is parked when the other leg of its bridge ends."""

    def seen(self) -> facts.ChannelSeen:
        """How a snapshot shows it."""
        return facts.ChannelSeen(
            self.id,
            "+441",
            "Caller",
            "5000",
            self.established,
            self.bridged_to,
            self.interaction,
            self.agent,
            self.reservation,
            self.queue,
            self.side,
        )


@define
class ModelSwitch:
    """What exists, and what has been asked for and not been done yet. ``tell`` takes each fact; nobody may listen."""

    tell: Callable[[facts.Fact], None]
    reachable: bool = False
    """Whether what is asked for arrives."""
    channels: dict[ConnectionId, Channel] = Factory(dict)
    asked: dict[ConnectionId, intents.OfferCall] = Factory(dict)
    """Legs that do not exist yet."""
    offers: dict[ConnectionId, intents.OfferCall] = Factory(dict)
    """All legs that were ever asked for, and arrived."""
    to_clear: dict[ConnectionId, None] = Factory(dict)
    to_answer: dict[ConnectionId, None] = Factory(dict)
    to_check: dict[ConnectionId, None] = Factory(dict)
    to_bridge: list[intents.Bridge] = Factory(list)
    callers: int = 0

    def ask(self, wanted: list[intents.Intent]) -> None:
        """Take the engine's intents; they are lost if the switch cannot be reached."""
        if not self.reachable:
            return
        for intent in wanted:
            match intent:
                case intents.OfferCall():
                    self.asked[intent.leg] = self.offers[intent.leg] = intent
                case intents.ClearConnection():
                    if intent.connection in self.channels:  # otherwise "no such channel", and it is forgotten
                        self.to_clear[intent.connection] = None
                case intents.AnswerConnection():
                    self.to_answer[intent.connection] = None
                case intents.CheckConnection():
                    self.to_check[intent.connection] = None
                case intents.Bridge():
                    self.to_bridge.append(intent)
                case intents.DivertConnection() | intents.LeaveMessage():
                    self.channels.pop(intent.connection, None)
                case intents.KeepCaller():
                    if intent.connection in self.channels:
                        self.channels[intent.connection].kept = intent.keep
                case intents.TagConnection():
                    channel = self.channels.get(intent.connection)
                    if channel is not None:
                        channel.interaction = intent.tags.get("cti_interaction", channel.interaction) or None
                        channel.queue = intent.tags.get("cti_queue", channel.queue) or None

    # -- what happens on it ---------------------------------------------------------------------------------------

    def call_comes_in(self) -> None:
        self.callers += 1
        caller = Channel(ConnectionId(f"caller-{self.callers}"), Side.CALLER)
        self.channels[caller.id] = caller
        self.tell(facts.Offered(FS, caller.id, "+441", "Caller", "5000"))

    def originate(self, leg: ConnectionId) -> None:
        offer = self.asked.pop(leg)
        self.channels[leg] = Channel(leg, Side.AGENT, offer.agent, offer.reservation, offer.interaction, offer.queue)
        self.tell(facts.Originated(FS, leg, offer.reservation))

    def alert(self, leg: ConnectionId) -> None:
        self.tell(facts.Delivered(FS, leg))

    def answer(self, connection: ConnectionId) -> None:
        self.to_answer.pop(connection, None)
        channel = self.channels.get(connection)
        if channel is not None:
            channel.established = True
            self.tell(facts.Established(FS, connection, channel.reservation))

    def fail(self, leg: ConnectionId, cause: Cause) -> None:
        """A leg does not come to be: reported once, or twice when it existed for a moment."""
        self.asked.pop(leg, None)
        if leg in self.channels:
            self.clear(leg, cause)
        self.tell(facts.Failed(FS, leg, cause, cause.name))

    def clear(self, connection: ConnectionId, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        self.to_clear.pop(connection, None)
        channel = self.channels.pop(connection, None)
        if channel is None:
            return
        other = self.channels.get(channel.bridged_to) if channel.bridged_to is not None else None
        if other is not None:
            other.bridged_to = None
        self.tell(facts.ConnectionCleared(FS, connection, cause, cause.name))
        if other is not None and other.kept:
            self.tell(facts.Parked(FS, other.id))

    def bridge(self, *, refuse: bool) -> None:
        """Carry out the oldest bridge asked for."""
        asked = self.to_bridge.pop(0)
        one, other = self.channels.get(asked.connection), self.channels.get(asked.other)
        if refuse or one is None or other is None:
            self.tell(facts.BridgeFailed(FS, asked.connection, asked.other, "-ERR Invalid uuid"))
        else:
            one.bridged_to, other.bridged_to = other.id, one.id
            self.tell(facts.Bridged(FS, one.id, other.id))

    def check(self, connection: ConnectionId) -> None:
        del self.to_check[connection]
        if connection not in self.channels and connection not in self.asked:
            self.tell(facts.ConnectionCleared(FS, connection, Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE"))

    def restart(self) -> None:
        for pending in (self.channels, self.asked, self.to_clear, self.to_answer, self.to_check, self.to_bridge):
            pending.clear()

    def snapshot(self, *, restarted: bool = False) -> facts.SnapshotTaken:
        return facts.SnapshotTaken(FS, tuple(channel.seen() for channel in self.channels.values()), restarted)

    # -- looking --------------------------------------------------------------------------------------------------

    def legs(self, *, established: bool | None = None) -> list[ConnectionId]:
        """Agents' legs that exist."""
        return [c.id for c in self.channels.values() if c.side is Side.AGENT and established in (None, c.established)]

    def not_answered(self) -> list[ConnectionId]:
        """Agents' legs that were asked for, and those that exist and are not answered."""
        return [*self.asked, *self.legs(established=False)]

    def callers_there(self) -> list[ConnectionId]:
        return [c.id for c in self.channels.values() if c.side is Side.CALLER]
