"""Calls that agents make: what they are told, who is rung when, and every way it can come to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidAgentState, InvalidConnection, UnknownAgent
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, ReservationId
from cti.model.overflow import ToQueue
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS, Story

ANN, BOB = AgentId("ann"), AgentId("bob")


class Making(Story):
    """Ann and Bob are ready; 9 numbers may be called."""

    def __init__(self) -> None:
        super().__init__()
        self.queue("claims", requires="claims")
        self.agent("ann", skills={"claims": 1}, auto_answer=True, wrap_up_s=30)
        self.agent("bob")
        self.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))

    def make(self, to: ToAgent | ToNumber | None = None, **more: Any) -> InteractionId:
        self.tell(services.MakeCallRequested(ANN, to or ToNumber("9123"), **more))
        call = self.world.agents[ANN].interaction
        assert call is not None
        return call

    @property
    def own(self) -> ConnectionId:
        leg = self.world.agents[ANN].connection
        assert leg is not None
        return leg

    def pick_up(self) -> None:
        """Ann answers her own phone."""
        self.established(self.own)
        self.tell(facts.Parked(FS, self.own))

    def talk(self, to: ToAgent | ToNumber | None = None, **more: Any) -> InteractionId:
        """Ann calls somebody, who answers."""
        call = self.make(to, **more)
        self.pick_up()
        far = self.caller_of(call)
        self.delivered(far)
        self.established(far)
        self.tell(facts.Parked(FS, far))
        self.tell(facts.Bridged(FS, self.own, far))
        return call

    def names(self) -> list[str]:
        return [type(e).__name__ for e in self.events(events.CallEvent)]


@pytest.fixture
def making() -> Making:
    return Making()


def test_the_agents_own_phone_rings_first_and_then_the_other_partys(making):
    call = making.make(calling_number="4000")
    (own,) = making.wanted(intents.MakeConnection)
    assert (own.leg, own.contact, own.agent, own.auto_answer) == (making.own, "user/ann", ANN, True)
    assert (own.calling_number, own.called_number) == ("9123", "9123")  # what her phone shows
    assert making.state("ann") is AgentState.BUSY
    making.pick_up()
    (other,) = making.wanted(intents.MakeConnection)
    assert (other.contact, other.calling_number, other.agent) == ("sofia/gateway/trunk/9123", "4000", None)
    making.delivered(other.leg)
    assert [i.connection for i in making.wanted(intents.StartTreatment)] == [making.own]  # she hears that it rings
    making.established(other.leg)
    assert making.wanted(intents.Bridge) == []
    making.tell(facts.Parked(FS, other.leg))
    assert making.wanted(intents.Bridge) == [intents.Bridge(FS, making.own, other.leg)]
    making.tell(facts.Bridged(FS, making.own, other.leg))
    assert making.interaction(call).talk is TalkState.TALKING
    assert making.interaction(call).state is InteractionState.ESTABLISHED
    assert making.names() == ["ServiceInitiated", "Originated", "Delivered", "Established"]
    assert {e.cause for e in making.events(events.CallEvent)} == {Cause.MAKE_CALL}
    assert making.timers == []


def test_an_agent_is_called_as_one_is_consulted(making):
    call = making.make(ToAgent(BOB))
    assert making.state("bob") is AgentState.READY  # not promised before Ann has picked up
    making.pick_up()
    assert making.state("bob") is AgentState.RESERVED
    far = making.caller_of(call)
    making.delivered(far)
    assert [i.connection for i in making.wanted(intents.StartTreatment)] == [making.own]
    making.established(far)
    making.tell(facts.Parked(FS, far))
    making.tell(facts.Bridged(FS, making.own, far))
    assert (making.state("ann"), making.state("bob")) == (AgentState.BUSY, AgentState.BUSY)
    assert making.names() == ["ServiceInitiated", "Originated", "Delivered", "Established"]
    assert making.events(events.Established)[0].agent == BOB
    making.tell(services.ClearConnectionRequested(BOB))
    assert making.clears() == [far]
    making.cleared(far)
    assert making.clears() == [making.own]
    making.cleared(making.own)
    assert making.is_over(call)
    assert (making.state("ann"), making.state("bob")) == (AgentState.READY, AgentState.READY)


@pytest.mark.parametrize("before", ["ready", "not ready"])
def test_afterwards_the_agent_is_what_they_were_and_works_for_as_long_as_was_said(making, before):
    if before == "not ready":
        making.not_ready("ann", "back office")
    call = making.talk(wrap_up_s=5)
    making.hang_up(call)
    making.cleared(making.own)
    assert making.state("ann") is AgentState.WORKING_AFTER_CALL
    making.advance(5)
    assert making.state("ann").value == before
    assert making.why("ann") == ("back office" if before == "not ready" else "")
    assert making.world.interactions == {}


def test_without_that_there_is_no_wrap_up_and_no_queue_counts_it(making):
    call = making.talk()
    making.waiting("claims")
    assert making.offers() == []  # she is busy
    making.tell(services.ClearConnectionRequested(ANN))
    making.cleared(making.own)
    making.cleared(making.caller_of(call))
    assert making.offers()[0][0] == ANN
    assert making.figures("claims").answered == 0


def test_a_call_made_is_held_consulted_about_and_transferred_as_any(making):
    call = making.talk()
    far = making.caller_of(call)
    making.tell(services.HoldRequested(ANN))
    making.tell(facts.Parked(FS, far))
    making.tell(facts.Parked(FS, making.own))
    assert making.interaction(call).talk is TalkState.HELD
    making.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    bob = making.offered_leg("bob")
    assert making.events(events.Originated)[-1].cause is Cause.CONSULTATION
    making.delivered(bob)
    making.established(bob)
    making.tell(facts.Parked(FS, bob))
    making.tell(facts.Bridged(FS, making.own, bob))
    making.tell(services.TransferRequested(ANN))
    making.tell(facts.Parked(FS, making.own))
    making.cleared(making.own)
    making.tell(facts.Parked(FS, bob))
    making.tell(facts.Bridged(FS, far, bob))
    assert making.interaction(call).agent == BOB
    assert making.state("ann") is AgentState.READY
    making.cleared(bob)
    making.cleared(far)
    assert making.is_over(call)


def test_a_call_made_can_be_put_into_a_queue(making):
    making.not_ready("bob")
    call = making.talk()
    making.tell(services.SingleStepTransferRequested(ANN, ToQueue(making.queue("loans", requires="loans"))))
    making.tell(facts.Parked(FS, making.caller_of(call)))
    making.tell(facts.Parked(FS, making.own))
    making.cleared(making.own)
    assert making.interaction(call).state is InteractionState.QUEUED
    assert making.waits("loans") == [call]


@pytest.mark.parametrize("how", ["own phone", "own phone rings on", "busy", "rings on", "own phone while it rings"])
def test_a_call_that_comes_to_nothing_leaves_nobody_ringing_and_the_agent_free(making, how):
    call = making.make()
    own = making.own
    if how == "own phone":
        making.failed(own, Cause.DEST_NOT_OBTAINABLE)
    elif how == "own phone rings on":
        making.advance(21)
        assert making.clears() == [own]
        making.cleared(own, Cause.CALL_NOT_ANSWERED)
    else:
        making.pick_up()
        far = making.caller_of(call)
        if how == "busy":
            making.failed(far, Cause.BUSY)
            assert making.clears() == [own]
            making.cleared(own)
        elif how == "rings on":
            making.advance(61)
            assert making.clears() == [far]
            making.cleared(far, Cause.CALL_NOT_ANSWERED)
            assert making.clears() == [own]
            making.cleared(own)
        else:
            making.delivered(far)
            making.cleared(own)
            assert making.clears() == [far]
            making.cleared(far)
    assert making.world.interactions == {}
    assert making.events(events.CallCleared)
    assert making.state("ann") is AgentState.READY
    assert making.timers == []


@pytest.mark.parametrize("how", ["rejects", "rings on", "goes not ready", "is not there any more"])
def test_an_agent_who_does_not_take_it(making, how):
    call = making.make(ToAgent(BOB))
    own = making.own
    if how == "is not there any more":
        making.not_ready("bob")
        making.pick_up()
        assert making.clears() == [own]
    else:
        making.pick_up()
        far = making.caller_of(call)
        making.delivered(far)
        if how == "rejects":
            making.failed(far, Cause.BUSY)
        elif how == "rings on":
            making.advance(21)
            making.cleared(far, Cause.CALL_NOT_ANSWERED)
        else:
            making.not_ready("bob")
            making.cleared(far)
        assert making.clears() == [own]
    making.cleared(own)
    assert making.world.interactions == {}
    assert making.state("ann") is AgentState.READY
    assert making.state("bob") is AgentState.NOT_READY


def test_in_a_wrong_state_nothing_is_changed(making):
    making.queue("loans")
    for prepare, said in (
        (making.make, r"'ann' is busy; 'make call' is not possible \(possible: ready, not ready, working"),
        (lambda: making.log_off("bob"), "'bob' is logged off"),
    ):
        prepare()
        agent = ANN if "ann" in said else BOB
        before = making.picture()
        with pytest.raises(InvalidAgentState, match=said):
            making.tell(services.MakeCallRequested(agent, ToNumber("9123")))
        assert making.picture() == before


def test_one_who_is_being_offered_a_call_makes_none(making):
    making.waiting("claims")
    with pytest.raises(InvalidAgentState, match="is reserved"):
        making.make()


def test_whom_one_cannot_call(making):
    making.not_ready("bob")
    for to, error in (
        (ToNumber("0900123"), DestinationNotAllowed),
        (ToNumber("9,1"), DestinationNotAllowed),
        (ToAgent(AgentId("eve")), UnknownAgent),
        (ToAgent(BOB), InvalidConnection),
        (ToAgent(ANN), InvalidConnection),
    ):
        with pytest.raises(error):
            making.tell(services.MakeCallRequested(ANN, to))
    assert making.state("ann") is AgentState.READY
    assert making.world.interactions == {}
    for number in ("1 2", "1}", "{a=b}1", "^^:1", "1,2", "1\n2", "x" * 65):
        with pytest.raises(ConfigurationError, match="calling_number"):
            services.MakeCallRequested(ANN, ToNumber("9123"), number)


def test_no_call_is_made_while_no_link_is_live(making):
    making.link_lost()
    with pytest.raises(InvalidConnection, match="no link to a switch is live"):
        making.make()


def test_the_link_goes_while_a_call_is_made_and_what_is_left_ends(making):
    call = making.make()
    making.pick_up()
    far = making.caller_of(call)
    own = making.own
    making.link_lost()
    making.link_up(making.seen(own))  # whom she called has gone meanwhile
    assert own in {i.connection for i in making.intents if isinstance(i, intents.ClearConnection)}
    making.cleared(own)
    assert far not in making.world.connections
    assert making.state("ann") is AgentState.READY


@pytest.mark.parametrize("back_first", [True, False])
@pytest.mark.parametrize("whom", ["a number", "an agent"])
def test_race_16_a_new_process_finds_a_made_call_and_takes_nobody_for_a_caller(whom, back_first):
    before = Making()
    call = before.talk(ToAgent(BOB) if whom == "an agent" else None)
    own, far = before.own, before.caller_of(call)
    after = Story()
    after.queue("claims", requires="claims")
    for name in ("ann", "bob"):
        after.agent(name, logged_on=back_first, skills={"claims": 1})
    after.link_lost()
    theirs = BOB if whom == "an agent" else None
    made_for = ReservationId("it/1") if theirs else None
    after.link_up(
        facts.ChannelSeen(own, established=True, bridged_to=far, interaction=call, agent=ANN, side=Side.AGENT),
        facts.ChannelSeen(
            far,
            established=True,
            bridged_to=own,
            interaction=call,
            agent=theirs,
            reservation=made_for,
            side=Side.AGENT if theirs else Side.OTHER,
        ),
    )
    if not back_first:
        after.log_on("ann", ready=True)
        after.log_on("bob", ready=True)
    busy = ["ann", "bob"] if theirs else ["ann"]
    assert [after.state(each) for each in busy] == [AgentState.BUSY] * len(busy)
    assert list(after.world.interactions) == [call]
    assert after.interaction(call).talk is TalkState.TALKING
    after.advance(1)
    waiting = after.waiting("claims")
    assert after.ringing(waiting) == ([] if theirs else [BOB])
    after.tell(services.HoldRequested(ANN))  # she can go on with it
    after.tell(facts.Parked(FS, own))
    after.tell(facts.Parked(FS, far))
    after.cleared(own)
    after.cleared(far)
    assert after.is_over(call)
    assert after.state("ann") in (AgentState.READY, AgentState.RESERVED)


def test_a_number_that_may_not_be_called_any_more_when_its_turn_comes_ends_the_call(making):
    """The rules have changed while her own phone rang: she is not left in silence."""
    call = making.make()
    making.tell(services.DestinationsDefined(()))
    own = making.own
    making.pick_up()
    assert not making.wanted(intents.MakeConnection)
    assert making.clears() == [own]
    making.cleared(own)
    assert call not in making.world.interactions
    assert making.state("ann") is AgentState.READY
