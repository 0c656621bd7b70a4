"""The caller hangs up while others talk: they finish, and then work after it."""

from __future__ import annotations

import pytest

from cti.errors import InvalidConnection
from cti.model import events, intents, services
from cti.model.cause import Cause
from cti.model.history import InteractionHistory
from cti.model.ids import AgentId, ConnectionId, QueueId
from cti.model.overflow import ToQueue, ToScript
from cti.model.party import ToAgent, ToNumber
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS
from .test_talk import ANN, BOB, Desk

DAN = AgentId("dan")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def confer(desk: Desk, to: ToAgent | ToNumber | None = None) -> ConnectionId:
    leg = desk.consult(to)
    desk.tell(services.ConferenceRequested(ANN))
    return leg


def caller_leaves(desk: Desk) -> None:
    caller = desk.caller
    desk.asked(object)
    desk.cleared(caller)


def ended(desk: Desk) -> InteractionHistory:
    (event,) = desk.events(events.InteractionEnded)
    return event.history


@pytest.mark.parametrize("first", ["ann", "bob"])
def test_an_agent_and_whom_they_consult_finish_talking(desk, first):
    desk.queue("claims", requires="claims", music="music", wrap_up_s=30)
    bob_leg = desk.consult()
    desk.advance(5)
    caller_leaves(desk)
    assert not desk.asked(intents.ClearConnection, intents.Separate, intents.Bridge)
    assert not desk.is_over(desk.call_id)
    assert (desk.state("ann"), desk.state("bob")) == (AgentState.BUSY, AgentState.BUSY)
    desk.advance(60)
    legs = {"ann": desk.ann_leg, "bob": bob_leg}
    desk.cleared(legs.pop(first))
    (other,) = legs.values()
    assert desk.clears() == [other]
    desk.cleared(other)
    assert desk.is_over(desk.call_id)
    assert {desk.state("ann"), desk.state("bob")} == {AgentState.WORKING_AFTER_CALL}
    desk.advance(30)
    assert desk.timers == []
    history = ended(desk)
    assert (history.ended_by, history.agents, history.ended - history.began) == ("caller", ("ann",), 5)
    assert history.seconds("consult", agent="ann") == history.seconds("consult", agent="bob") == 65
    assert history.seconds("hold") == 5


def test_whoever_hangs_up_then_ends_it_for_both_on_the_switch_too(desk):
    bob_leg = desk.consult()
    caller_leaves(desk)
    assert set(desk.asked(intents.KeepCaller)) == {
        intents.KeepCaller(FS, desk.ann_leg, keep=False),
        intents.KeepCaller(FS, bob_leg, keep=False),
    }


def test_they_finish_talking_though_the_agent_was_with_the_caller_just_then(desk):
    bob_leg = desk.consult()
    desk.tell(services.AlternateRequested(ANN))
    desk.park(desk.ann_leg, bob_leg)
    desk.pair(desk.caller, desk.ann_leg)
    caller_leaves(desk)
    desk.park(desk.ann_leg)
    assert desk.asked(intents.Bridge) == [intents.Bridge(FS, desk.ann_leg, bob_leg)]
    desk.pair(desk.ann_leg, bob_leg)
    assert desk.talk is TalkState.TALKING
    desk.tell(services.ClearConnectionRequested(ANN))
    assert set(desk.clears()) == {desk.ann_leg, bob_leg}


def test_with_somebody_outside_too(desk):
    leg = desk.consult(ToNumber("9123"))
    caller_leaves(desk)
    assert not desk.is_over(desk.call_id)
    desk.cleared(leg)
    assert desk.clears() == [desk.ann_leg]


@pytest.mark.parametrize("during", ["calling", "hold"])
def test_an_agent_who_talks_with_nobody_is_free_at_once(desk, during):
    if during == "calling":
        desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    else:
        desk.hold()
    caller_leaves(desk)
    assert desk.is_over(desk.call_id)
    assert desk.ann_leg in {i.connection for i in desk.asked(intents.ClearConnection)}


def test_the_switch_lost_the_caller_and_nobody_goes_on(desk):
    bob_leg = desk.consult()
    desk.asked(object)
    desk.cleared(desk.caller, Cause.SWITCHING_FUNCTION_TERMINATED)
    assert {i.connection for i in desk.asked(intents.ClearConnection)} == {desk.ann_leg, bob_leg}


def test_a_colleague_is_no_caller_who_goes_back_to_the_queue(desk):
    """Ann has put Bob aside, after the caller had left, and her phone dies."""
    bob_leg = desk.consult()
    caller_leaves(desk)
    desk.tell(services.HoldRequested(ANN))
    desk.park(desk.ann_leg, bob_leg)
    desk.cleared(desk.ann_leg)
    assert desk.interaction(desk.call_id).state is InteractionState.CLEARED
    assert desk.clears() == [bob_leg]


def test_a_colleague_is_not_asked_how_they_liked_the_call(desk):
    desk.queue("claims", requires="claims", after_call=ToScript("survey"))
    bob_leg = desk.consult()
    caller_leaves(desk)
    desk.cleared(desk.ann_leg)
    assert desk.clears() == [bob_leg]


def test_a_colleague_cannot_be_sent_on(desk):
    desk.consult()
    caller_leaves(desk)
    with pytest.raises(InvalidConnection, match="talks with agent 'bob'"):
        desk.tell(services.SingleStepTransferRequested(ANN, ToQueue(QueueId("loans"))))


# -- conferences ----------------------------------------------------------------------------------------------------


def test_a_conference_goes_on_without_the_caller(desk):
    bob_leg = confer(desk)
    caller_leaves(desk)
    assert not desk.asked(intents.ClearConnection)
    assert desk.talk is TalkState.CONFERENCE
    desk.advance(10)
    desk.cleared(desk.ann_leg)
    assert desk.clears() == [bob_leg], "nobody confers alone"
    desk.cleared(bob_leg)
    assert desk.is_over(desk.call_id)
    assert ended(desk).ended_by == "caller"
    assert ended(desk).seconds("conference", agent="bob") == 10


def test_one_of_many_leaves_after_another(desk):
    bob_leg = confer(desk)
    desk.agent("dan")
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(DAN)))
    dan_leg = desk.answers("dan")
    desk.park(dan_leg)
    caller_leaves(desk)
    desk.cleared(bob_leg)
    assert not desk.clears()
    assert desk.talk is TalkState.CONFERENCE
    desk.cleared(dan_leg)
    assert desk.clears() == [desk.ann_leg]


def test_people_outside_are_not_left_with_one_another(desk):
    leg = confer(desk, ToNumber("9123"))
    desk.cleared(desk.ann_leg)
    caller_leaves(desk)
    assert {i.connection for i in desk.asked(intents.ClearConnection)} == {leg}


def test_a_conference_ends_with_its_caller_where_the_operator_wants_that(desk):
    desk.queue("claims", requires="claims", conference_ends_with_caller=True)
    bob_leg = confer(desk)
    caller_leaves(desk)
    assert {i.connection for i in desk.asked(intents.ClearConnection)} == {desk.ann_leg, bob_leg}
