"""A day of agents who call, join, dial and call back at random, on a switch that does what it is asked for, late."""

from __future__ import annotations

import random
from contextlib import suppress

from cti.errors import CtiError
from cti.model import call_back, calling, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, QueueId
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.predictive import PredictiveCallRequested, PredictiveSettings

from .story import FS, Story

NAMES = [AgentId(name) for name in ("ann", "bob", "dan", "eve")]
SALES = QueueId("sales")
SEED = 42


class AgentsDay(Story):
    """After each fact the invariants are checked, as in every story."""

    def __init__(self, seed: int) -> None:
        super().__init__(getrandbits=random.Random(SEED).getrandbits)
        self.chance = random.Random(seed)
        self.asked: list[facts.Fact] = []
        self.queue("sales", ring_timeout_s=10, predictive=PredictiveSettings("sorry.wav", abandon_cap=1.0))
        for name in NAMES:
            self.agent(name, no_answers_allowed=3)
        self.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))

    def tell(self, fact: facts.Fact) -> list[intents.Intent]:
        with suppress(CtiError):
            super().tell(fact)
            self._will_happen()
        return self.last

    def _will_happen(self) -> None:
        """What the switch will say of what it has just been asked for."""
        for intent in self.last:
            match intent:
                case intents.OfferCall(leg=leg, reservation=made_for):
                    self.asked.append(facts.Established(FS, leg, made_for))
                case intents.MakeConnection(leg=leg):
                    self.asked += [facts.Delivered(FS, leg), facts.Established(FS, leg)]
                case intents.Bridge(connection=one, other=other):
                    self.asked.append(facts.Bridged(FS, one, other))
                case intents.Separate(connection=one, other=other):
                    self.asked += [facts.Parked(FS, one), facts.Parked(FS, other)]
                case intents.StopListening(connection=leg):
                    self.asked.append(facts.Parked(FS, leg))
                case intents.ClearConnection(connection=leg, cause=cause):
                    self.asked.append(facts.ConnectionCleared(FS, leg, cause, cause.name))

    def happens(self) -> None:
        """The oldest of it happens, or somebody hangs up instead."""
        if not self.asked:
            return
        fact = self.asked.pop(0)
        leg = fact.connection  # type: ignore[union-attr]
        if leg not in self.world.connections and leg not in self.world.supervisions:
            return
        if isinstance(fact, facts.Established) and self.chance.random() < 0.2:
            fact = facts.Failed(FS, leg, self.chance.choice([Cause.BUSY, Cause.CALL_NOT_ANSWERED]), "")
        self.tell(fact)
        if isinstance(fact, facts.Established):
            self.tell(facts.Parked(FS, leg))

    def ask(self) -> facts.Fact:
        """Something that an agent may ask for, possible or not."""
        chance = self.chance
        one, other = chance.sample(NAMES, 2)
        number = ToNumber(chance.choice(["9123", "0900"]))
        return chance.choice(
            [
                calling.MakeConnectionRequested(one),
                calling.DialDigitsRequested(one, chance.choice(["9", "12", "0"]), more=chance.random() < 0.5),
                calling.AnswerRequested(one),
                calling.ClearCallRequested(one),
                calling.JoinRequested(one, other, silent=chance.random() < 0.3),
                calling.IntrudeRequested(one, other),
                services.SingleStepConferenceRequested(one, chance.choice([number, ToAgent(other)])),
                services.MakeCallRequested(one, chance.choice([number, ToAgent(other)])),
                services.HoldRequested(one),
                services.RetrieveRequested(one),
                services.ConsultationRequested(one, ToAgent(other)),
                services.TransferRequested(one),
                services.ConferenceRequested(one),
                services.ClearConnectionRequested(one),
                services.GroupPickupRequested(one),
                call_back.CallBackRequested(one, other, 60.0),
                call_back.CallBackCancelled(one, other),
                call_back.CallBackMessageRequested(one, other, "call me"),
                call_back.MessageRequested(one, other, "hello", phone=chance.random() < 0.5),
                PredictiveCallRequested(SALES, "9123"),
                PredictiveCallRequested(SALES, "9456"),
                facts.ReadyRequested(one),
                facts.NotReadyRequested(one, "lunch"),
                facts.LogOnRequested(one, ready=True),
                facts.LogOffRequested(one) if chance.random() < 0.2 else facts.ReadyRequested(one),
            ]
        )

    def live(self, steps: int) -> None:
        """So many things happen; then everybody hangs up."""
        for _ in range(steps):
            self.advance(self.chance.random())
            self.tell(self.ask())
            for _ in range(self.chance.randrange(4)):
                self.happens()
            roll = self.chance.random()
            if roll < 0.02:
                self.link_lost()
                self.advance(self.chance.random() * 5)
                seen = [c for c in list(self.world.connections) if self.chance.random() < 0.9]
                self.link_up(*(self.seen(each) for each in seen))
            elif roll < 0.1 and self.world.connections:
                self.cleared(self.chance.choice(sorted(self.world.connections)))
            elif roll < 0.2:
                self.waiting("sales")
        for _ in range(200):
            self.advance(1)
            for leg in [*self.world.connections, *self.world.supervisions]:
                self.cleared(ConnectionId(leg))


def agents_day(seed: int, steps: int = 250) -> AgentsDay:
    """Such a day."""
    made = AgentsDay(seed)
    made.live(steps)
    return made
