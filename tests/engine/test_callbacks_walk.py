"""Callbacks while anything happens in any order: the invariants hold after every fact, and in the end nothing is left."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cti.errors import CtiError
from cti.model import callback_requests, events, facts, intents, services
from cti.model.callback import CallbackSettings
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId
from cti.model.party import Destination
from cti.model.states import AgentState
from cti.store import Codec
from cti.store.plain import packer, unpack
from cti.store.snapshot import restore, take
from tests.store.recording import an_engine

from .story import FS, Story

AGENTS = ("ann", "bob", "eve")
NUMBERS = tuple(f"+44{n:06}" for n in range(1, 6))
FAILURES = (Cause.BUSY, Cause.CALL_NOT_ANSWERED, Cause.NETWORK_CONGESTION, Cause.NUMBER_UNALLOCATED, Cause.NORMAL)


class Leg:
    """A channel that exists on the switch, or is about to."""

    def __init__(self, side: Side, interaction: InteractionId | None, reservation: ReservationId | None = None) -> None:
        self.side, self.interaction, self.reservation = side, interaction, reservation
        self.established = False
        self.bridged_to: ConnectionId | None = None


class Walk:
    """A centre that calls back, a switch that does what it is asked some time later, and people."""

    def __init__(self, seed: int, first: str) -> None:
        self.chance = random.Random(seed)
        self.first = first
        self.legs: dict[ConnectionId, Leg] = {}
        self.to_bridge: list[intents.Bridge] = []
        self.to_clear: list[ConnectionId] = []
        self.to_check: list[ConnectionId] = []
        self.callers = 0
        self.up = False
        self.s = Story(live=False, heard=self.hear, getrandbits=random.Random(seed + 1).getrandbits)
        self.s.tell(services.DestinationsDefined((Destination("+44*", "sofia/gateway/trunk/{number}"),)))
        self.define()
        for name in AGENTS:
            self.s.agent(name, logged_on=False, wrap_up_s=2.0)
        self.link_up()
        self.s.log_on("ann", ready=True)

    def define(self) -> None:
        chance = self.chance
        settings = CallbackSettings(
            first=self.first,
            tries=chance.choice([1, 2, 3]),
            pause_s=20.0,
            busy_pause_s=10.0,
            ring_s=chance.choice([5.0, 15.0]),
            expiry_s=chance.choice([60.0, 400.0]),
            hours=chance.choice(["", "", "thu 00:00-00:10, 00:12-00:20, 01:00-24:00; fri 00:00-24:00"]),
            rejoin=chance.random() < 0.7,
            abandoned=chance.random() < 0.5,
            abandoned_after_s=5.0,
            most=chance.choice([None, None, 3]),
        )
        self.s.queue("sales", callback=settings, ring_timeout_s=8.0, max_wait_s=chance.choice([None, 90.0]))

    # -- the switch -----------------------------------------------------------------------------------------------

    def hear(self, wanted: list[intents.Intent]) -> None:
        if not self.up:
            return
        for intent in wanted:
            match intent:
                case intents.OfferCall(leg=leg, interaction=call, reservation=made):
                    self.legs[leg] = Leg(Side.AGENT, call, made)
                case intents.MakeConnection(leg=leg, interaction=call):
                    self.legs[leg] = Leg(Side.CALLER, call)
                case intents.Bridge():
                    self.to_bridge.append(intent)
                case intents.ClearConnection(connection=leg):
                    self.to_clear.append(leg)
                case intents.CheckConnection(connection=leg):
                    self.to_check.append(leg)

    def say(self, fact: facts.Fact) -> None:
        if self.up:
            self.s.tell(fact)

    def ask(self, fact: facts.Fact) -> None:
        before = self.s.picture()
        try:
            self.s.tell(fact)
        except CtiError:
            assert self.s.picture() == before, f"refused, and changed something: {fact}"

    def leg(self, wanted: Callable[[Leg], bool]) -> ConnectionId | None:
        found = [leg for leg, each in self.legs.items() if wanted(each)]
        return self.chance.choice(found) if found else None

    def gone(self, leg: ConnectionId, cause: Cause) -> None:
        known = self.legs.pop(leg, None)
        if known is None:
            return
        if known.bridged_to in self.legs:
            self.legs[known.bridged_to].bridged_to = None
        self.say(facts.ConnectionCleared(FS, leg, cause, cause.name))

    # -- what may happen ------------------------------------------------------------------------------------------

    def comes(self) -> None:
        self.callers += 1
        caller = ConnectionId(f"caller-{self.callers}")
        if not self.up:
            return
        self.legs[caller] = Leg(Side.CALLER, None)
        self.legs[caller].established = True
        self.say(facts.Offered(FS, caller, self.chance.choice(NUMBERS), "", "5000", True))
        known = self.s.world.connections.get(caller)
        if known is not None and self.chance.random() < 0.9:
            self.ask(facts.QueueRequested(known.interaction, QueueId("sales"), self.chance.choice([0, 0, 1])))

    def is_taken(self) -> None:
        calls = [call for call in self.s.world.interactions.values() if call.callback is None]
        if calls:
            call = self.chance.choice(calls)
            number = call.calling_number if self.chance.random() < 0.8 else self.chance.choice(NUMBERS)
            self.ask(callback_requests.CallbackRequested(QueueId("sales"), number, call.id))

    def is_requested(self) -> None:
        agent = self.chance.choice([None, None, AgentId("bob")])
        at = self.chance.choice([None, self.s.now + 30])
        self.ask(callback_requests.CallbackRequested(QueueId("sales"), self.chance.choice(NUMBERS), at=at, agent=agent))

    def is_changed(self) -> None:
        pending = [call.id for call in self.s.world.interactions.values()]
        if not pending:
            return
        call = self.chance.choice(pending)
        match self.chance.randrange(5):
            case 0:
                self.ask(callback_requests.CancelCallbackRequested(call))
            case 1:
                self.ask(callback_requests.RescheduleCallbackRequested(call, self.s.now + 15))
            case 2:
                self.ask(callback_requests.RescheduleCallbackRequested(call, number=self.chance.choice(NUMBERS)))
            case 3:
                self.ask(facts.ClearRequested(call))
            case 4:
                self.ask(facts.DivertRequested(call, "ivr"))

    def agent_acts(self) -> None:
        agent = AgentId(self.chance.choice(AGENTS))
        asks = (
            facts.LogOnRequested(agent, ready=True),
            facts.LogOnRequested(agent, ready=True),
            facts.ReadyRequested(agent),
            facts.ReadyRequested(agent),
            facts.NotReadyRequested(agent, "lunch"),
            facts.LogOffRequested(agent),
            services.ClearConnectionRequested(agent),
        )
        self.ask(self.chance.choice(asks))

    def rings(self) -> None:
        leg = self.leg(lambda each: not each.established)
        if leg is not None:
            self.say(facts.Delivered(FS, leg))

    def answers(self) -> None:
        leg = self.leg(lambda each: not each.established)
        if leg is None:
            return
        known = self.legs[leg]
        known.established = True
        self.say(facts.Established(FS, leg, known.reservation))
        if leg in self.legs:
            self.say(facts.Parked(FS, leg))

    def fails(self) -> None:
        leg = self.leg(lambda each: not each.established)
        if leg is not None:
            cause = self.chance.choice(FAILURES)
            self.legs.pop(leg)
            self.say(facts.Failed(FS, leg, cause, cause.name))

    def hangs_up(self) -> None:
        leg = self.leg(lambda each: each.established)
        if leg is not None:
            partner = self.legs[leg].bridged_to
            self.gone(leg, Cause.NORMAL_CLEARING)
            if partner is not None:
                self.gone(partner, Cause.NORMAL_CLEARING)

    def switch_works(self) -> None:
        for leg in self.to_clear:
            self.gone(leg, Cause.NORMAL_CLEARING)
        self.to_clear.clear()
        checks, self.to_check = self.to_check, []
        for leg in checks:
            if leg not in self.legs:
                self.say(facts.ConnectionCleared(FS, leg, Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE"))
        bridges, self.to_bridge = self.to_bridge, []
        for one in bridges:
            first, second = self.legs.get(one.connection), self.legs.get(one.other)
            if first is None or second is None or self.chance.random() < 0.1:
                self.say(facts.BridgeFailed(FS, one.connection, one.other, "-ERR"))
                continue
            first.bridged_to, second.bridged_to = one.other, one.connection
            self.say(facts.Bridged(FS, one.connection, one.other))

    def link_breaks(self) -> None:
        if self.up:
            self.up = False
            self.s.link_lost()
            if self.chance.random() < 0.2:  # the switch died as well
                self.legs.clear()
            for leg in list(self.legs):
                if self.chance.random() < 0.2:  # unseen
                    self.legs.pop(leg)
                elif self.chance.random() < 0.3 and not self.legs[leg].established:
                    self.legs[leg].established = True
            for each in self.legs.values():
                if each.bridged_to not in self.legs:
                    each.bridged_to = None

    def link_up(self) -> None:
        if self.up:
            return
        self.up = True
        self.to_clear, self.to_bridge, self.to_check = [], [], []
        seen = tuple(
            facts.ChannelSeen(
                leg,
                self.chance.choice(NUMBERS),
                established=each.established,
                bridged_to=each.bridged_to,
                interaction=each.interaction,
                agent=self.s.world.connections[leg].agent if leg in self.s.world.connections else None,
                reservation=each.reservation,
                side=each.side,
            )
            for leg, each in self.legs.items()
            if leg in self.s.world.connections or each.side is Side.CALLER
        )
        self.s.tell(facts.LinkConnecting(FS))
        self.s.tell(facts.LinkAuthenticated(FS))
        self.s.tell(facts.SnapshotTaken(FS, seen))

    def time_passes(self) -> None:
        for _ in range(self.chance.choice([1, 1, 5, 20])):
            self.s.advance(1.0)
            self.switch_works()

    def are_held(self) -> None:
        self.ask(callback_requests.CallbacksHeld(self.chance.random() < 0.4))

    def kept_and_restored(self) -> None:
        """A snapshot of the whole is the same again after it was restored."""
        picture, lost = take(self.s.engine, Codec())
        assert not lost
        copy = an_engine(random.Random(1))
        written = packer().pack(picture)
        assert restore(copy, unpack(written), Codec()) == ()
        assert packer().pack(take(copy, Codec())[0]) == written

    def step(self) -> None:
        often = (
            self.time_passes,
            self.switch_works,
            self.answers,
            self.answers,
            self.rings,
            self.agent_acts,
            self.comes,
        )
        seldom = (self.is_taken, self.is_taken, self.is_requested, self.is_changed, self.fails, self.hangs_up)
        rare = (self.link_breaks, self.define, self.kept_and_restored, self.are_held)
        if not self.up and self.chance.random() < 0.4:
            self.link_up()
        self.chance.choices((often, seldom, rare), (10, 6, 1))[0]
        self.chance.choice(self.chance.choices((often, seldom, rare), (10, 6, 1))[0])()

    def ends(self) -> None:
        """Everybody goes home: nothing may be left of them."""
        self.link_up()
        self.ask(callback_requests.CallbacksHeld(held=False))
        for call in list(self.s.world.interactions.values()):
            self.ask(callback_requests.CancelCallbackRequested(call.id))
        for leg in list(self.legs):
            self.gone(leg, Cause.NORMAL_CLEARING)
        for _ in range(1200):
            self.s.advance(1.0)
            self.switch_works()
            leg = self.leg(lambda each: each.established)
            if leg is not None:
                self.gone(leg, Cause.NORMAL_CLEARING)
            if not self.s.world.interactions:
                break


@pytest.mark.parametrize("first", ["agent", "customer"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens(seed, first):
    walk = Walk(seed, first)
    for _ in range(250):
        walk.step()
    walk.ends()
    world = walk.s.world
    assert world.interactions == {}
    assert world.connections == {}
    assert world.reservations == {}
    assert not any(world.callbacks.values())
    assert {agent.state for agent in world.agents.values()} <= {
        AgentState.NULL,
        AgentState.READY,
        AgentState.NOT_READY,
        AgentState.WORKING_AFTER_CALL,
    }
    over = [event.interaction for event in walk.s.events(events.CallCleared)]
    assert len(over) == len(set(over))
