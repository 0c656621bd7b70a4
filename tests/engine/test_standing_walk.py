"""Standing connections in a thousand orders: whatever happens when, nobody sticks, and no line is left behind."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from attrs import Factory, define

from cti.engine.coming_up import HELD_S
from cti.errors import CtiError
from cti.model import facts, intents, services
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.overflow import ToDestination, ToScript
from cti.model.party import ToAgent
from cti.model.states import AgentState, LinkState

from .story import FS, Story

STANDING, ALL = ("ann", "bob"), ("ann", "bob", "eve")
"""Eve's phone rings as any."""


@define
class Channel:
    """A leg as FreeSWITCH has it."""

    id: ConnectionId
    side: Side
    agent: AgentId | None = None
    reservation: Any = None
    standing: bool = False
    kept: bool = False
    answered: bool = False
    where: str = "parked"
    """``ringing``, ``parked``, ``bridging``, ``bridged`` or ``stuck``."""
    other: ConnectionId | None = None
    bridge_asked: float = 0.0
    """When the engine asked for the bridge that comes up, or is up."""
    tags: dict[str, str] = Factory(dict)


class Walk(Story):
    """A centre and a switch that carries out commands in order, and in its own time."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.channels: dict[ConnectionId, Channel] = {}
        self.todo: list[tuple[intents.Intent, float]] = []
        """What was asked for, and when."""
        super().__init__(live=False, heard=self._take)
        self.queue("sales", wrap_up_s=1.0, music="local_stream://moh")
        self.queue("asked", after_call=ToScript("survey"))
        for name in ALL:
            self.agent(name, ready=True, standing=name in STANDING, wrap_up_s=self.chance.choice((0, 2)))
        self.back()

    def _take(self, wanted: list[intents.Intent]) -> None:
        if self.world.links.get(FS) is LinkState.LIVE:
            self.todo += [
                (i, self.now)
                for i in wanted
                if not isinstance(i, intents.Notify | intents.StartTimer | intents.CancelTimer)
            ]

    # -- the switch -----------------------------------------------------------------------------------------------

    def back(self, *, restarted: bool = False) -> None:
        if restarted:
            self.channels.clear()
        self.link_up(*(self._seen(each) for each in self.channels.values()), restarted=restarted)

    def down(self) -> None:
        self.todo.clear()
        self.link_lost()

    def _seen(self, it: Channel) -> facts.ChannelSeen:
        return facts.ChannelSeen(
            it.id,
            established=it.answered,
            bridged_to=it.other if it.where == "bridged" else None,
            interaction=InteractionId(i) if (i := it.tags.get("cti_interaction")) else None,
            agent=it.agent,
            reservation=it.reservation,
            side=it.side,
            standing=it.agent if it.standing else None,
        )

    def do(self) -> None:
        """Carry out the oldest command."""
        intent, asked = self.todo.pop(0)
        leg = self.channels.get(getattr(intent, "connection", getattr(intent, "leg", None)))
        match intent:
            case intents.MakeConnection(leg=name, agent=agent, standing=standing):
                side = Side.AGENT if agent is not None else Side.OTHER
                self.channels[name] = Channel(name, side, agent, standing=standing, kept=standing, where="ringing")
            case intents.OfferCall(leg=name, agent=agent, reservation=reservation):
                self.channels[name] = Channel(name, Side.AGENT, agent, reservation, where="ringing")
                self.tell(facts.Originated(FS, name, reservation))
            case intents.Bridge(connection=first, other=second):
                pair = [self.channels.get(each) for each in (first, second)]
                if None in pair or any(each is not None and not each.answered for each in pair):
                    self.tell(facts.BridgeFailed(FS, first, second, "-ERR"))
                    return
                for one, two in (pair, pair[::-1]):
                    assert one is not None
                    assert two is not None
                    other = self.channels.get(one.other) if one.other not in (None, two.id) else None
                    if one.where == "bridging":
                        assert asked - one.bridge_asked >= HELD_S, f"{one} is taken away while a bridge of it comes up"
                    if other is not None:
                        self._deserted(other)
                for one, two in (pair, pair[::-1]):
                    assert one is not None
                    assert two is not None
                    one.where, one.other, one.bridge_asked = "bridging", two.id, asked
            case _ if leg is None:
                if isinstance(intent, intents.CheckConnection):
                    gone = Cause.SWITCHING_FUNCTION_TERMINATED
                    self.tell(facts.ConnectionCleared(FS, intent.connection, gone, "NOT_THERE"))
            case intents.StopListening() | intents.PlayBetweenCalls():
                other = self.channels.get(leg.other) if leg.other is not None else None
                if leg.where == "bridging" and other is not None:
                    assert asked - leg.bridge_asked >= HELD_S, f"{leg} is torn out of a bridge that comes up"
                self._park(leg, told=isinstance(intent, intents.StopListening))
            case intents.DivertConnection():
                if leg.where == "bridging":
                    assert asked - leg.bridge_asked >= HELD_S, f"{leg} is sent away while a bridge of it comes up"
                del self.channels[leg.id]
                if (other := self.channels.get(leg.other)) if leg.other is not None else None:
                    self._deserted(other)
            case intents.Separate(other=second):
                if leg.where == "bridged" and leg.other == second:
                    leg.kept = True
                    two = self.channels[second]
                    for each in (leg, two):
                        each.where, each.other = "parked", None
                    for each in (leg, two):
                        self.tell(facts.Parked(FS, each.id))
            case intents.ClearConnection():
                self.end(leg)
            case intents.KeepCaller(keep=keep):
                leg.kept = keep or leg.standing
                assert keep or not leg.standing, "a line is never let go with its caller"
            case intents.TagConnection(tags=tags):
                leg.tags.update(tags)
            case intents.PutThrough(interaction=interaction):
                leg.tags["cti_interaction"] = interaction
            case intents.StandBy():
                leg.tags.clear()
            case intents.AnswerConnection():
                leg.answered = True
                self.tell(facts.Established(FS, leg.id))

    def _park(self, leg: Channel, *, told: bool = True) -> None:
        other = self.channels.get(leg.other) if leg.other is not None else None
        leg.where, leg.other = "parked", None
        if other is not None:
            self._deserted(other)
        if told:
            self.tell(facts.Parked(FS, leg.id))

    def _deserted(self, leg: Channel) -> None:
        """The other end of a bridge is gone."""
        bridged, leg.other = leg.where == "bridged", None
        if bridged or (leg.side is Side.CALLER and leg.kept):
            leg.where = "parked"
            if leg.kept:
                self.tell(facts.Parked(FS, leg.id))
            else:
                self.end(leg)
        elif leg.standing and self.chance.random() < 0.7:
            leg.where = "stuck"  # in CS_RESET, without a word
        else:
            self.end(leg, Cause.DEST_OUT_OF_ORDER, by_far_end=False)

    def end(self, leg: Channel, cause: Cause = Cause.NORMAL_CLEARING, *, by_far_end: bool | None = None) -> None:
        """A leg ends."""
        del self.channels[leg.id]
        other = self.channels.get(leg.other) if leg.other is not None else None
        self.tell(facts.ConnectionCleared(FS, leg.id, cause, cause.name, by_far_end))
        if other is not None and other.id in self.channels:
            self._deserted(other)

    def bridges(self) -> None:
        """A bridge comes up."""
        coming = [each for each in self.channels.values() if each.where == "bridging"]
        if coming:
            one = self.chance.choice(coming)
            assert one.other is not None
            two = self.channels[one.other]
            one.where = two.where = "bridged"
            self.tell(facts.Bridged(FS, one.id, two.id))

    def answers(self, it: Channel | None = None) -> None:  # type: ignore[override]
        """A phone that rings is answered, or not."""
        ringing = [each for each in self.channels.values() if each.where == "ringing"]
        it = it or (self.chance.choice(ringing) if ringing else None)
        if it is None:
            return
        if self.chance.random() < 0.85:
            it.answered, it.where = True, "parked"
            self.tell(facts.Established(FS, it.id, it.reservation))
            if it.id in self.channels and it.where == "parked":
                self.tell(facts.Parked(FS, it.id))
        else:
            del self.channels[it.id]
            cause = self.chance.choice((Cause.BUSY, Cause.CALL_NOT_ANSWERED, Cause.DEST_OUT_OF_ORDER))
            self.tell(facts.Failed(FS, it.id, cause, cause.name))

    # -- people ---------------------------------------------------------------------------------------------------

    def comes(self) -> None:
        known = {each.id for each in self.channels.values()}
        call = self.call()
        caller = self.caller_of(call)
        assert caller not in known
        self.channels[caller] = Channel(caller, Side.CALLER)
        if self.chance.random() < 0.9:
            self.enqueue(call, self.chance.choice(("sales", "sales", "asked")))
        else:
            self.clear(call)

    def some(self, what: Any) -> Channel | None:
        found = [each for each in self.channels.values() if what(each)]
        return self.chance.choice(found) if found else None

    def step(self) -> None:
        chance, live = self.chance, self.world.links[FS] is LinkState.LIVE
        what = chance.random()
        if not live:
            if what < 0.3:
                self.back(restarted=chance.random() < 0.2)
            elif what < 0.6:
                self.advance(chance.choice((0.1, 1.0, 6.0)))
            else:
                self._asked()
        elif what < 0.45:
            for _ in range(chance.randint(1, 4)):
                if self.todo and live:
                    self.do()
        elif what < 0.58:
            self.bridges()
        elif what < 0.66:
            self.answers()
        elif what < 0.74:
            self.comes()
        elif what < 0.80:
            caller = self.some(lambda each: each.side is Side.CALLER)
            if caller is not None:
                self.end(caller, by_far_end=True)
        elif what < 0.83:
            line = self.some(lambda each: each.side is Side.AGENT and each.answered)
            if line is not None:
                self.end(line, by_far_end=True)
        elif what < 0.85:
            line = self.some(lambda each: each.standing and each.answered)
            if line is not None:
                self.end(line, Cause.NETWORK_OUT_OF_ORDER)
        elif what < 0.91:
            self.advance(chance.choice((0.02, 0.3, 1.0, 3.0)))
        elif what < 0.92:
            self.down()
        else:
            self._asked()

    def _asked(self) -> None:
        chance = self.chance
        name, other = (AgentId(each) for each in chance.sample(ALL, 2))
        calls = sorted(self.world.interactions)
        asked: list[facts.Fact] = [
            facts.LogOnRequested(name, True),
            facts.LogOffRequested(name),
            facts.ReadyRequested(name),
            facts.ReadyRequested(name),
            facts.NotReadyRequested(name, "lunch"),
            services.HoldRequested(name),
            services.RetrieveRequested(name),
            services.ConsultationRequested(name, ToAgent(other)),
            services.TransferRequested(name),
            services.ReconnectRequested(name),
            services.ClearConnectionRequested(name),
            services.MakeCallRequested(name, ToAgent(other)),
        ]
        if calls:
            asked.append(facts.ClearRequested(chance.choice(calls)))
            asked.append(facts.QueueRequested(chance.choice(calls), self.world.queues["sales"].id))  # type: ignore[index]
            asked.append(facts.DivertRequested(chance.choice(calls), ToDestination("elsewhere")))
        with suppress(CtiError):
            self.tell(chance.choice(asked))

    def settle(self, seconds: float = 240.0) -> None:
        """All is done that was asked for; nobody does anything else."""
        until = self.now + seconds
        while self.now < until:
            for _ in range(200):
                if not self.todo:
                    break
                self.do()
            while any(each.where == "bridging" for each in self.channels.values()):
                self.bridges()
            for each in [each for each in self.channels.values() if each.where == "ringing"]:
                each.answered, each.where = True, "parked"
                self.tell(facts.Established(FS, each.id, each.reservation))
                if each.id in self.channels and each.where == "parked":
                    self.tell(facts.Parked(FS, each.id))
            if not self.todo:
                self.advance(0.5)


@pytest.mark.parametrize("seed", range(90))
def test_nobody_sticks(seed):
    walk = Walk(seed)
    for _ in range(400):
        walk.step()
    if walk.world.links[FS] is not LinkState.LIVE:
        walk.back()
    walk.settle(5)
    for each in [each for each in walk.channels.values() if each.side is not Side.AGENT]:
        if each.id in walk.channels:
            walk.end(each, by_far_end=True)
    walk.settle()
    for call in sorted(walk.world.interactions):
        if call in walk.world.interactions:
            walk.clear(call)
    walk.settle()
    for name in ALL:
        if walk.state(name) is AgentState.NULL:
            walk.log_on(name, ready=True)
        else:
            walk.ready(name)
    walk.settle()
    assert {name: walk.state(name) for name in ALL} == dict.fromkeys(ALL, AgentState.READY)
    assert not walk.world.interactions
    assert not walk.world.connections
    assert not walk.world.stray
    lines = {walk.world.standing[AgentId(name)].leg for name in STANDING}
    assert set(walk.channels) == lines
    assert all(walk.channels[leg].where == "parked" for leg in lines)
