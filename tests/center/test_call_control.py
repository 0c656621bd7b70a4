"""Hold, consultation, transfer and conference through the library's face, on a simulated switch over TCP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti import Destination, PredictiveSettings, ToAgent, ToNumber, ToQueue, errors, events
from cti.call import Call
from cti.model.states import AgentState
from cti.sim import Behaviour

from .bench import QUICK, Bench, bench


class Desk:
    """Ann talks with a caller of claims; Bob is ready."""

    def __init__(self, line: Bench) -> None:
        self.line = line
        self.centre = line.centre
        self.world = line.centre._loop.engine.world
        self.ann, self.bob = line.centre.agent("ann"), line.centre.agent("bob")
        self.far_end = line.switch.incoming(called_number="5000")
        self.call = line.wait_for(events.Established).interaction
        self.caller = self.world.interactions[self.call].caller

    def pair(self) -> set[str]:
        """Who hears each other, by the switch's own channels."""
        legs = self.line.switch.channels
        bridged = {each for each, leg in legs.items() if leg.bridge is not None and leg.bridge.joined}
        return {self.name(each) for each in bridged}

    def name(self, leg: str) -> str:
        known = self.world.connections.get(leg)
        return "nobody's" if known is None else known.agent or known.side.value

    def until_pair(self, *names: str) -> None:
        settled = self.line.until(f"{names} talk", lambda: self.pair() == set(names))
        assert settled
        self.line.until("the model knows", lambda: self._known() == set(names))

    def _known(self) -> set[str]:
        call = self.world.interactions.get(self.call)
        return {self.name(leg) for leg in (call.pair or ())} if call is not None else set()

    def until_state(self, agent: str, state: AgentState) -> None:
        self.line.until(f"{agent} is {state.value}", lambda: self.centre.agent(agent).view.state is state)

    def running(self, leg: str) -> list[str]:
        """What the switch executes on a leg."""
        return [each.application for each in self.line.switch.channels[leg].stack]

    def ends(self) -> None:
        self.line.all_is_over()
        self.line.until("no channel is left", lambda: not self.line.switch.channels)
        self.until_state("ann", AgentState.READY)
        self.until_state("bob", AgentState.READY)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with bench(allowed_destinations=[Destination("9*", "sofia/agents/{number}@127.0.0.1:5990")]) as line:
        line.centre.add_queue("claims", requires="claims", music="tone_stream://%(1000,0,250);loops=-1")
        line.centre.add_queue("loans", requires="loans")
        line.agent("ann", skills={"claims": 1})
        line.agent("bob", skills={"loans": 1})
        line.switch.phones.add("sofia/agents/9123@127.0.0.1:5990", QUICK)
        line.centre.on_call("5000")(lambda call: call.queue("claims", data={"policy": "4711"}))
        line.centre.on_call("5001")(lambda call: call.queue("loans"))
        line.centre.start()
        yield Desk(line)


def test_hold_and_retrieve(desk):
    desk.ann.hold()
    desk.until_pair()
    desk.line.until("music", lambda: desk.running(desk.caller) == ["park", "playback"])
    desk.ann.retrieve()
    desk.line.wait_for(events.Retrieved)
    desk.until_pair("ann", "caller")
    assert desk.running(desk.caller) == []
    assert [type(e).__name__ for e in desk.line.said if isinstance(e, events.Held | events.Retrieved)] == [
        "Held",
        "Retrieved",
    ]
    desk.ann.hang_up()
    desk.ends()


def test_a_consultation_alternated_and_transferred(desk):
    desk.ann.consult(ToAgent("bob"))
    popped = desk.line.wait_for(events.Delivered, agent="bob")
    assert (popped.cause.csta_name, popped.data) == ("consultation", {"policy": "4711"})
    desk.until_pair("ann", "bob")
    desk.ann.alternate()
    desk.until_pair("ann", "caller")
    desk.ann.alternate()
    desk.until_pair("ann", "bob")
    desk.ann.transfer()
    desk.until_pair("bob", "caller")
    desk.until_state("ann", AgentState.READY)
    (told,) = desk.line.of(events.Transferred)
    assert (told.agent, told.from_agent, told.cause.csta_name) == ("bob", "ann", "transfer")
    desk.bob.hang_up()
    desk.ends()


def test_a_consultation_ended_by_either_side(desk):
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.reconnect()
    desk.until_pair("ann", "caller")
    desk.until_state("bob", AgentState.READY)
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.bob.hang_up()
    desk.until_pair()
    desk.until_state("bob", AgentState.READY)
    desk.ann.retrieve()
    desk.until_pair("ann", "caller")
    desk.far_end.hang_up()
    desk.ends()


def test_a_number_outside_takes_the_call(desk):
    with pytest.raises(errors.DestinationNotAllowed):
        desk.ann.consult(ToNumber("0900123"))
    desk.ann.consult(ToNumber("9123"))
    desk.until_pair("ann", "other")
    desk.ann.transfer()
    desk.until_pair("caller", "other")
    desk.until_state("ann", AgentState.READY)
    desk.centre.hang_up(desk.call)
    desk.ends()


def test_a_conference_that_the_first_agent_leaves(desk):
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.conference()
    assert len(desk.line.wait_for(events.Conferenced).connections) == 3
    desk.line.until(
        "three are in it",
        lambda: [desk.running(leg) for leg in desk.line.switch.channels] == [["conference"]] * 3,
    )
    desk.ann.hang_up()
    desk.until_state("ann", AgentState.READY)
    assert desk.centre.agent("bob").view.state is AgentState.BUSY
    desk.bob.hang_up()
    desk.ends()


def test_a_single_step_transfer_to_a_queue_and_back_to_an_agent(desk):
    desk.ann.transfer_to(ToQueue("loans"))
    second = desk.line.wait_for(events.Established, agent="bob")
    assert (second.queue, second.data) == ("loans", {"policy": "4711"})
    desk.until_pair("bob", "caller")
    desk.until_state("ann", AgentState.READY)
    desk.bob.transfer_to(ToAgent("ann"))
    desk.line.until("ann has it", lambda: len(desk.line.of(events.Established, agent="ann")) == 2)
    desk.until_pair("ann", "caller")
    desk.ann.send_digits("12#")
    desk.ann.hang_up()
    desk.ends()


def test_an_agent_calls_another_and_a_number_outside(desk):
    desk.ann.hang_up()
    desk.ends()
    desk.line.said.clear()
    desk.ann.make_call(ToAgent("bob"))
    desk.line.wait_for(events.Established, agent="bob")
    desk.call = desk.line.of(events.ServiceInitiated)[0].interaction
    desk.until_pair("ann", "bob")
    desk.bob.hang_up()
    desk.ends()
    desk.line.said.clear()
    desk.ann.make_call(ToNumber("9123"))
    desk.call = desk.line.wait_for(events.Established).interaction
    names = [type(e).__name__ for e in desk.line.said if isinstance(e, events.CallEvent)]
    assert names == ["ServiceInitiated", "Originated", "Delivered", "Established"]
    desk.ann.hold()
    desk.until_pair()
    desk.ann.retrieve()
    desk.line.wait_for(events.Retrieved)
    desk.ann.hang_up()
    desk.ends()


def test_a_call_is_parked_seen_by_all_and_taken_up(desk):
    place = desk.ann.park()
    assert place == "701"
    desk.line.wait_for(events.Diverted, to_place="701")
    desk.line.until("music", lambda: desk.running(desk.caller) == ["park", "playback"])
    assert [(each.place, each.by) for each in desk.centre.snapshot().parked] == [("701", "ann")]
    desk.until_state("ann", AgentState.READY)
    desk.bob.unpark("701")
    desk.until_pair("bob", "caller")
    assert desk.centre.snapshot().parked == ()
    desk.bob.hang_up()
    desk.ends()


def test_one_more_agent_is_invited_and_joins(desk):
    desk.ann.invite(ToAgent("bob"))
    assert len(desk.line.wait_for(events.Conferenced).connections) == 3
    legs = desk.line.switch.channels
    desk.line.until("three are in it", lambda: [desk.running(leg) for leg in legs] == [["conference"]] * 3)
    assert desk.centre.agent("bob").view.state is AgentState.BUSY
    desk.ann.hang_up()
    desk.until_state("ann", AgentState.READY)
    desk.far_end.hang_up()
    desk.ends()


def test_a_consultation_waits_until_the_agent_is_free(desk):
    desk.line.switch.incoming(called_number="5001", talk_s=0.2)
    desk.line.until("bob has a call", lambda: desk.bob.view.state is AgentState.BUSY)
    desk.ann.consult(ToAgent("bob"), wait_s=30)
    assert desk.line.wait_for(events.Originated).cause.csta_name == "campOn"
    desk.until_pair("ann", "bob")
    desk.ann.transfer()
    desk.until_pair("bob", "caller")
    desk.bob.hang_up()
    desk.ends()


def test_a_ringing_call_is_picked_up_and_another_is_deflected(desk):
    desk.ann.hang_up()
    desk.ends()
    desk.line.switch.phones.add("user/ann", Behaviour(ring_s=(0.001, 0.002), no_answer=1.0))
    first = desk.line.switch.incoming(called_number="5000")
    desk.line.until("it rings at ann", lambda: desk.ann.view.state is AgentState.ALERTING)
    desk.bob.pick_up("ann")
    picked_up = desk.line.wait_for(events.Established, agent="bob")
    assert picked_up.cause.csta_name == "callPickup"
    first.hang_up()
    desk.ends()
    second = desk.line.switch.incoming(called_number="5000")
    desk.line.until("it rings at ann", lambda: desk.ann.view.state is AgentState.ALERTING)
    desk.ann.deflect(ToQueue("loans"))
    desk.line.until("bob has it", lambda: len(desk.line.of(events.Established, agent="bob")) == 2)
    second.hang_up()
    desk.ends()


def test_the_features_name_methods_that_there_are(desk):
    places = {"AgentControl": desk.ann, "CallCenter": desk.centre, "Call": Call}
    features = desk.centre.get_csta_features()
    assert len(features) == 28
    for name, feature in features.items():
        assert feature.method or feature.note, name
        if feature.available:
            place, _, method = feature.method.partition(".")
            assert callable(getattr(places[place], method)), name


def test_a_number_is_invited_and_the_call_is_cleared_for_everybody(desk):
    desk.ann.invite(ToNumber("9123"))
    assert len(desk.line.wait_for(events.Conferenced).connections) == 3
    legs = desk.line.switch.channels
    desk.line.until("three are in it", lambda: [desk.running(leg) for leg in legs] == [["conference"]] * 3)
    desk.ann.clear_call()
    desk.ends()


@pytest.mark.parametrize("how", ["join", "intrude"])
def test_an_agent_comes_into_a_conversation_and_is_accounted_for(desk, how):
    audited = []
    desk.centre.subscribe(audited.append, events.Audited)
    desk.bob.join("ann") if how == "join" else desk.bob.intrude("ann", warn_s=0.01)
    assert desk.line.wait_for(events.Conferenced).cause.csta_name == {"join": "joinCall", "intrude": "intrude"}[how]
    desk.line.until(
        "it is told", lambda: [(e.who, e.what, e.whom, e.outcome) for e in audited] == [("bob", how, "ann", "done")]
    )
    desk.bob.hang_up()
    desk.until_state("bob", AgentState.READY)
    desk.ann.clear_call()
    desk.ends()


def test_an_agent_joins_silently(desk):
    desk.bob.not_ready()
    desk.bob.join("ann", silent=True)
    supervisions = desk.world.supervisions
    desk.line.until("bob listens", lambda: [s.phase.value for s in supervisions.values()] == ["listening"])
    desk.ann.hang_up()
    desk.line.until("bob's line is let go", lambda: not supervisions)
    desk.bob.ready()
    desk.ends()


def test_a_policy_that_forbids_it():
    class Nobody:
        def allows(self, who: str, what: str, whom: str) -> bool:
            return (who, what, whom) == ("bob", "join", "ann")

    with bench(supervision_policy=Nobody()) as line:
        line.agent("ann")
        line.agent("bob")
        line.centre.start()
        told = []
        line.centre.subscribe(told.append, events.Audited)
        with pytest.raises(errors.PrivilegeViolation, match="'bob' may not intrude 'ann'"):
            line.centre.agent("bob").intrude("ann")
        with pytest.raises(errors.InvalidConnection, match="has no call"):
            line.centre.agent("bob").join("ann")
        line.until("told", lambda: [e.outcome for e in told] == ["refused", "state.invalid_connection"])


def test_a_phone_that_obeys_answers_when_it_is_asked_to(desk):
    desk.ann.hang_up()
    desk.ends()
    desk.line.switch.phones.add("user/ann", Behaviour(ring_s=(0.001, 0.002), no_answer=1.0))
    far_end = desk.line.switch.incoming(called_number="5000")
    desk.until_state("ann", AgentState.ALERTING)
    desk.ann.answer()
    desk.until_state("ann", AgentState.BUSY)
    far_end.hang_up()
    desk.ends()


def test_a_phone_is_connected_and_the_number_dialled_stage_by_stage(desk):
    desk.ann.hang_up()
    desk.ends()
    desk.line.said.clear()
    desk.ann.make_connection(wrap_up_s=0)
    desk.line.until(
        "the dial tone", lambda: any(desk.running(leg) == ["park", "playback"] for leg in desk.line.switch.channels)
    )
    desk.ann.dial_digits("91", more=True)
    with pytest.raises(errors.ConfigurationError):
        desk.ann.dial_digits("x")
    desk.ann.dial_digits("23")
    desk.call = desk.line.wait_for(events.Established).interaction
    names = [type(e).__name__ for e in desk.line.said if isinstance(e, events.CallEvent)]
    assert names == ["ServiceInitiated", "DigitsDialled", "DigitsDialled", "Originated", "Delivered", "Established"]
    desk.ann.hang_up()
    desk.ends()


def test_a_customer_is_called_for_a_queue_and_one_whom_nobody_is_there_for_hears_a_message(desk):
    asked = PredictiveSettings("tone_stream://%(30,0,700)", abandon_cap=1.0, alone_s=0.05)
    desk.centre.add_queue("loans", requires="loans", predictive=asked)
    call = desk.centre.make_predictive_call("loans", "9123", {"policy": "4712"})
    popped = desk.line.wait_for(events.Delivered, interaction=call)
    assert (popped.agent, popped.calling_number, popped.data) == ("bob", "9123", {"policy": "4712"})
    desk.until_state("bob", AgentState.BUSY)
    second = desk.centre.make_predictive_call("loans", "9123")
    told = desk.line.wait_for(events.PredictiveCallAbandoned, interaction=second)
    assert told.cause.csta_name == "noAvailableAgents"
    desk.line.wait_for(events.CallCleared, interaction=second)
    figures = desk.centre.predictive_figures("loans")
    assert (figures.answered, figures.abandoned, figures.under_way) == (2, 1, 0)
    desk.bob.hang_up()
    desk.ann.hang_up()
    desk.ends()
