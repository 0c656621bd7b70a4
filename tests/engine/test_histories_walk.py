"""Agents do anything with a call, in any order and at any pace: its history, their sessions and the figures agree."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import CtiError
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, QueueId
from cti.model.overflow import ToQueue
from cti.model.party import Destination, ToAgent, ToNumber

from .story import FS, Story
from .times import seconds_told

ANN, BOB, DAN = AgentId("ann"), AgentId("bob"), AgentId("dan")
agents = st.sampled_from([ANN, BOB, DAN])
parties = st.sampled_from([ToAgent(ANN), ToAgent(BOB), ToAgent(DAN), ToNumber("9123")])
asked = st.one_of(
    st.builds(services.HoldRequested, agents),
    st.builds(services.RetrieveRequested, agents),
    st.builds(services.ConsultationRequested, agents, parties),
    st.builds(services.AlternateRequested, agents),
    st.builds(services.ReconnectRequested, agents),
    st.builds(services.TransferRequested, agents),
    st.builds(services.ConferenceRequested, agents),
    st.builds(services.SingleStepTransferRequested, agents, st.just(ToQueue(QueueId("loans")))),
    st.builds(services.ClearConnectionRequested, agents),
    st.builds(services.ParkRequested, agents),
    st.builds(services.UnparkRequested, agents, st.just("701")),
)
steps = st.lists(
    st.tuples(asked | st.sampled_from(["caller hangs up", "a phone dies", "a call", "a call"]), st.integers(0, 7)),
    min_size=5,
    max_size=25,
)


class Switch:
    """Does what it is asked for, each thing after some time."""

    def __init__(self, story: Story) -> None:
        self.s = story
        self._seen = len(story.intents)

    def works(self, pace: int) -> None:
        for _ in range(200):
            todo = self.s.intents[self._seen :]
            if not todo:
                return
            self._seen = len(self.s.intents)
            for intent in todo:
                self._do(intent, pace)
        raise AssertionError("it does not come to rest")

    def _do(self, intent: Any, pace: int) -> None:
        s = self.s
        match intent:
            case intents.OfferCall(leg=leg):
                s.originated(leg)
                self._comes_about(leg, pace)
            case intents.MakeConnection(leg=leg):
                self._comes_about(leg, pace)
            case intents.Separate(connection=first, other=second):
                self._tell(facts.Parked, first, pace)
                self._tell(facts.Parked, second, 0)
            case intents.Bridge(connection=first, other=second):
                s.advance(pace / 10)
                if first in s.world.connections and second in s.world.connections:
                    s.tell(facts.Bridged(FS, first, second))
            case intents.ClearConnection(connection=leg):
                s.advance(pace / 10)
                if leg in s.world.connections:
                    s.cleared(leg)

    def _comes_about(self, leg: ConnectionId, pace: int) -> None:
        for tell in (self.s.delivered, self.s.established, lambda leg: self._tell(facts.Parked, leg, 0)):
            self.s.advance(pace / 10)
            if leg in self.s.world.connections:
                tell(leg)

    def _tell(self, kind: type[Any], leg: ConnectionId, pace: int) -> None:
        self.s.advance(pace / 10)
        if leg in self.s.world.connections:
            self.s.tell(kind(FS, leg))


def a_centre() -> tuple[Story, Switch]:
    s = Story()
    s.queue("claims", wrap_up_s=3)
    s.queue("loans", requires="loans")
    s.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))
    for name in ("ann", "bob", "dan"):
        s.agent(name, skills={"loans": 1} if name != "ann" else {})
    return s, Switch(s)


@given(steps)
@settings(max_examples=120, deadline=None)
def test_whatever_agents_do_all_times_add_up(walk):
    s, switch = a_centre()
    s.enqueue(s.call(established=True), "claims")
    switch.works(0)
    for step, pace in walk:
        callers = [call.caller for call in s.world.interactions.values() if call.caller in s.world.connections]
        phones = [agent.connection for agent in s.world.agents.values() if agent.connection is not None]
        if step == "a call":
            s.enqueue(s.call(established=True), "claims")
        elif step == "caller hangs up" and callers:
            s.cleared(callers[0])
        elif step == "a phone dies" and phones:
            s.cleared(phones[-1])
        elif not isinstance(step, str):
            has_one = [call.agent for call in s.world.interactions.values() if call.agent is not None]
            mine = isinstance(step, services.UnparkRequested) or not has_one or pace == 7
            with suppress(CtiError):
                s.tell(step if mine else evolve(step, agent=has_one[-1]))
        switch.works(pace)
        s.advance(pace)
    for _ in range(3):
        for leg in list(s.world.connections):
            if leg in s.world.connections:
                s.cleared(leg, Cause.NORMAL_CLEARING)
            switch.works(0)
        s.advance(200)
    told = s.events(events.InteractionEnded)
    assert not s.world.histories
    assert len(told) == len(s.events(events.CallCleared))
    handled = seconds_told(told)
    for agent in s.world.agents.values():
        assert handled[agent.id] == pytest.approx(s.sessions.seconds[agent.id], abs=1e-3), agent.id
        figures = agent.figures_now(s.now)
        assert figures.busy_s + figures.after_call_s == pytest.approx(handled[agent.id], abs=1e-3), agent.id
