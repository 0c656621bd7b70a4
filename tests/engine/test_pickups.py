"""Ringing calls that others take or that are sent elsewhere, parked calls, and those who are invited or waited for."""

from __future__ import annotations

import pytest

from cti.errors import (
    ConfigurationError,
    CtiError,
    DestinationNotAllowed,
    InvalidAgentState,
    InvalidConnection,
    ResourceBusy,
    UnknownAgent,
    UnknownQueue,
)
from cti.model import events, intents, services
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Disconnect, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS, Story
from .test_talk import ANN, BOB, Desk

CAROL = AgentId("carol")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.agent("carol", skills={"claims": 1})
    return made


@pytest.fixture
def ringing() -> Story:
    """A call of claims rings at Ann; Bob, without the skill, and Carol are there."""
    story = Story()
    story.queue("claims", requires="claims")
    story.queue("loans", requires="loans")
    story.agent("ann", skills={"claims": 1})
    story.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))
    story.waiting("claims")
    story.delivered(story.offered_leg("ann"))
    story.agent("bob", skills={"loans": 1})
    story.agent("carol", skills={"claims": 1})
    return story


# -- pickup -----------------------------------------------------------------------------------------------------------


def test_a_ringing_call_is_picked_up_by_an_agent_who_names_the_other(ringing):
    (call,) = ringing.world.interactions
    rang = ringing.offered_leg("ann")
    ringing.tell(services.DirectedPickupRequested(BOB, ANN))
    assert ringing.clears() == [rang]
    assert ringing.ringing(call) == [BOB]
    assert ringing.state("ann") is AgentState.READY  # she is not to blame
    (ended,) = ringing.events(events.OfferEnded)
    assert (ended.agent, ended.outcome, ended.cause) == (ANN, "rescinded", Cause.CALL_PICKUP)
    ringing.take("bob")
    assert ringing.events(events.Delivered)[-1].cause is Cause.CALL_PICKUP
    assert ringing.events(events.Established)[-1].cause is Cause.CALL_PICKUP
    assert ringing.interaction(call).agent == BOB
    assert ringing.figures("claims").adds_up
    ringing.cleared(rang, Cause.CALL_CANCELLED)
    assert ringing.interaction(call).agent == BOB


def test_whoever_picks_up_and_does_not_answer_gives_it_back_to_the_queue(ringing):
    (call,) = ringing.world.interactions
    ringing.tell(services.DirectedPickupRequested(BOB, ANN))
    ringing.failed(ringing.offered_leg("bob"), Cause.BUSY)
    assert ringing.ringing(call)[0] in (ANN, CAROL)
    assert ringing.figures("claims").adds_up


def test_a_group_picks_up_what_rings_longest_in_a_queue_they_serve(ringing):
    (first,) = ringing.world.interactions
    ringing.advance(1)
    with pytest.raises(InvalidConnection, match="nothing to pick up"):
        ringing.tell(services.GroupPickupRequested(BOB))  # he serves loans only
    ringing.tell(services.GroupPickupRequested(CAROL))
    assert ringing.ringing(first) == [CAROL]


@pytest.mark.parametrize("state", ["not ready", "logged off", "nothing rings", "answered", "unknown", "link down"])
def test_nothing_is_picked_up_that_cannot_be_and_nothing_is_changed(ringing, state):
    taker, at = BOB, ANN
    error: type[CtiError] = InvalidConnection
    if state == "not ready":
        ringing.not_ready("bob")
        error = InvalidAgentState
    elif state == "logged off":
        ringing.log_off("bob")
        error = InvalidAgentState
    elif state == "nothing rings":
        at = CAROL
    elif state == "answered":
        ringing.established(ringing.offered_leg("ann"))
    elif state == "unknown":
        at, error = AgentId("eve"), UnknownAgent
    else:
        ringing.link_lost()
    before = ringing.picture()
    with pytest.raises(error):
        ringing.tell(services.DirectedPickupRequested(taker, at))
    assert ringing.picture() == before


# -- deflect ----------------------------------------------------------------------------------------------------------


def test_a_ringing_call_is_deflected_to_an_agent(ringing):
    (call,) = ringing.world.interactions
    ringing.tell(services.DeflectRequested(ANN, ToAgent(BOB)))
    assert ringing.ringing(call) == [BOB]
    assert ringing.state("ann") is AgentState.READY
    assert ringing.events(events.OfferEnded)[-1].cause is Cause.REDIRECTED


@pytest.mark.parametrize(
    ("to", "state"),
    [
        (ToQueue(QueueId("loans")), InteractionState.ROUTING),
        (ToScript("survey"), InteractionState.OFFERED),
        (ToDestination("9123"), None),
        (ToVoicemail("1000"), None),
        (Disconnect(), InteractionState.CLEARED),
    ],
)
def test_a_ringing_call_is_deflected_elsewhere(ringing, to, state):
    (call,) = ringing.world.interactions
    leg = ringing.offered_leg("ann")
    ringing.tell(services.DeflectRequested(ANN, to))
    assert leg in ringing.clears()
    assert ringing.state("ann") is AgentState.READY
    ringing.cleared(leg, Cause.CALL_CANCELLED)
    known = ringing.world.interactions.get(call)
    assert (known.state if known is not None else None) is state
    assert ringing.figures("claims").adds_up


def test_what_is_not_allowed_or_not_there_is_refused_before_anything_happens(ringing):
    before = ringing.picture()
    for to, error in (
        (ToDestination("0900123"), DestinationNotAllowed),
        (ToDestination("9 1"), DestinationNotAllowed),
        (ToQueue(QueueId("eve")), UnknownQueue),
        (ToAgent(AgentId("eve")), UnknownAgent),
        (ToAgent(ANN), InvalidAgentState),
    ):
        with pytest.raises(error):
            ringing.tell(services.DeflectRequested(ANN, to))
    with pytest.raises(InvalidConnection, match="nothing to deflect"):
        ringing.tell(services.DeflectRequested(BOB, ToQueue(QueueId("loans"))))
    assert ringing.picture() == before


# -- parking ----------------------------------------------------------------------------------------------------------


def parked(desk: Desk, place: str = "", recall_s: float = 120.0) -> None:
    desk.tell(services.ParkRequested(ANN, place, recall_s))
    desk.park(desk.caller, desk.ann_leg)
    desk.cleared(desk.ann_leg)


def test_a_call_is_parked_with_music_and_taken_up_by_another(desk):
    leg = desk.ann_leg
    desk.tell(services.ParkRequested(ANN))
    desk.park(desk.caller, leg)
    assert [i.music for i in desk.wanted(intents.StartTreatment)] == []  # the agent's leg was the last to be told of
    assert desk.events(events.Diverted)[-1].to_place == "701"
    assert desk.events(events.Diverted)[-1].cause is Cause.PARK
    assert [i.connection for i in desk.asked(intents.StartTreatment)] == [desk.caller]
    desk.cleared(leg)
    assert desk.state("ann") is AgentState.READY
    desk.tell(services.UnparkRequested(BOB, "701"))
    assert desk.ringing(desk.call_id) == [BOB]
    desk.take("bob")
    assert desk.interaction(desk.call_id).agent == BOB
    assert desk.world.parked == {}
    assert desk.figures("claims").adds_up


def test_a_parked_call_that_nobody_takes_up_comes_back(desk):
    parked(desk, "12", 30)
    desk.not_ready("carol")
    desk.advance(29)
    assert desk.interaction(desk.call_id).state is InteractionState.OFFERED
    desk.advance(2)
    assert desk.ringing(desk.call_id) == [ANN]
    assert desk.events(events.Queued)[-1].cause is Cause.RECALL
    assert desk.world.parked == {}


def test_a_parked_caller_who_hangs_up_leaves_the_place(desk):
    parked(desk)
    desk.hang_up(desk.call_id)
    assert desk.is_over(desk.call_id)
    assert desk.world.parked == {}
    assert desk.timers == []
    with pytest.raises(InvalidConnection, match=r"nobody waits at place '701' \(taken: none is taken\)"):
        desk.tell(services.UnparkRequested(BOB, "701"))


def test_to_ask_for_a_place_that_is_free_again_changes_nothing(desk):
    """It is refused before anything is done, and the place can be taken."""
    parked(desk, "5")
    desk.divert(desk.call_id, ToQueue(QueueId("loans")))
    with pytest.raises(InvalidConnection, match=r"nobody waits at place '5' \(taken: none is taken\)"):
        desk.tell(services.UnparkRequested(AgentId("carol"), "5"))
    assert desk.world.intents == []
    desk.advance(121)
    assert desk.world.parked == {}


def test_a_parked_call_that_a_script_sends_elsewhere_leaves_the_place(desk):
    parked(desk, "5")
    desk.divert(desk.call_id, ToQueue(QueueId("loans")))
    desk.advance(300)
    with pytest.raises(InvalidConnection, match="nobody waits"):
        desk.tell(services.UnparkRequested(CAROL, "5"))
    assert desk.interaction(desk.call_id).queue == "loans"


def test_a_place_that_is_taken_and_one_who_is_not_ready(desk):
    parked(desk, "5")
    desk.talking("ann", "claims")
    with pytest.raises(ResourceBusy, match="place 5 is taken by call"):
        desk.tell(services.ParkRequested(ANN, "5"))
    desk.not_ready("bob")
    with pytest.raises(InvalidAgentState, match="'bob' is not ready; 'unpark' is not possible"):
        desk.tell(services.UnparkRequested(BOB, "5"))
    for place in ("7 1", "7,1", "x" * 17, "7\n"):
        with pytest.raises(ConfigurationError, match="place is"):
            services.ParkRequested(ANN, place)


# -- invitations ------------------------------------------------------------------------------------------------------


def invited(desk: Desk) -> str:
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
    leg = desk.offered_leg("bob")
    desk.delivered(leg)
    desk.asked(object)
    desk.established(leg)
    desk.park(leg)
    return leg


def test_an_agent_who_is_invited_joins_when_they_answer(desk):
    leg = invited(desk)
    assert desk.asked(intents.JoinConference) == [
        intents.JoinConference(FS, desk.caller, desk.ann_leg, desk.call_id),
        intents.JoinConference(FS, leg, None, desk.call_id),
    ]
    assert desk.talk is TalkState.CONFERENCE
    (told,) = desk.heard(events.Conferenced)
    assert (set(told.connections), told.cause) == ({desk.caller, desk.ann_leg, leg}, Cause.SINGLE_STEP_CONFERENCE)
    assert desk.state("bob") is AgentState.BUSY
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(CAROL)))
    third = desk.offered_leg("carol")
    desk.established(third)
    desk.park(third)
    assert desk.asked(intents.JoinConference) == [intents.JoinConference(FS, third, None, desk.call_id)]
    desk.cleared(desk.ann_leg)
    assert desk.interaction(desk.call_id).agent in (BOB, CAROL)
    desk.cleared(leg)
    assert not desk.is_over(desk.call_id)
    assert desk.interaction(desk.call_id).agent == CAROL
    desk.cleared(third)
    assert desk.caller in desk.clears()
    desk.hang_up(desk.call_id)
    assert {desk.state(each) for each in ("ann", "bob", "carol")} == {AgentState.READY}


@pytest.mark.parametrize("how", ["rejects", "rings on", "the caller is held", "everybody has left"])
def test_an_invitation_that_comes_to_nothing(desk, how):
    if how in ("rejects", "rings on"):
        desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
        leg = desk.offered_leg("bob")
        if how == "rejects":
            desk.failed(leg, Cause.BUSY)
        else:
            desk.advance(21)
            desk.cleared(leg)
        assert desk.talk is TalkState.TALKING
    elif how == "the caller is held":
        desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
        desk.hold()
        leg = desk.offered_leg("bob")
        desk.established(leg)
        desk.park(leg)
        assert desk.talk is TalkState.HELD
        assert leg in {i.connection for i in desk.asked(intents.ClearConnection)}
        assert desk.state("bob") is AgentState.READY
    else:
        desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
        leg = desk.offered_leg("bob")
        desk.tell(services.ClearConnectionRequested(ANN))
        assert leg in desk.clears()
        for each in (desk.ann_leg, leg, desk.caller):
            desk.cleared(each)
        assert desk.world.interactions == {}
    assert desk.world.reservations == {}


def test_the_inviting_agent_leaves_a_conference_while_another_rings(desk):
    first = invited(desk)
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(CAROL)))
    ringing = desk.offered_leg("carol")
    desk.cleared(first)
    desk.cleared(desk.ann_leg)  # nobody but the caller is in it; Carol has not answered
    assert {desk.caller, ringing} <= {i.connection for i in desk.asked(intents.ClearConnection)}


def test_only_one_is_rung_for_a_call_at_a_time(desk):
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
    for fact in (
        services.SingleStepConferenceRequested(ANN, ToAgent(CAROL)),
        services.ConsultationRequested(ANN, ToAgent(CAROL)),
        services.ConsultationRequested(ANN, ToNumber("9123")),
    ):
        with pytest.raises(InvalidConnection, match="agent 'bob' is being rung"):
            desk.tell(fact)


# -- camping on -------------------------------------------------------------------------------------------------------


def busy_bob(desk: Desk) -> None:
    desk.second = desk.talking("bob", "loans")
    desk.asked(object)


def test_a_consultation_waits_for_an_agent_who_is_busy(desk):
    busy_bob(desk)
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB), wait_s=60))
    assert desk.talk is TalkState.CALLING
    assert desk.asked(intents.OfferCall) == []
    desk.park(desk.caller, desk.ann_leg)
    desk.waiting("loans")  # who would be offered to Bob otherwise
    desk.ends("bob")
    (offer,) = desk.asked(intents.OfferCall)
    assert (offer.agent, offer.interaction) == (BOB, desk.call_id)
    assert desk.heard(events.Originated)[-1].cause is Cause.CAMP_ON
    desk.delivered(offer.leg)
    desk.established(offer.leg)
    desk.park(offer.leg)
    desk.pair(desk.ann_leg, offer.leg)
    assert desk.talk is TalkState.CONSULTING
    assert desk.world.camped == {}


def test_it_waits_for_so_long_and_the_caller_stays_held(desk):
    busy_bob(desk)
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB), wait_s=20))
    desk.park(desk.caller, desk.ann_leg)
    desk.advance(21)
    assert desk.talk is TalkState.HELD
    (ended,) = desk.heard(events.OfferEnded)
    assert (ended.agent, ended.outcome, ended.cause) == (BOB, "timed out", Cause.CAMP_ON)
    assert desk.world.camped == {}
    desk.ends("bob")
    assert desk.state("bob") is AgentState.READY


@pytest.mark.parametrize("how", ["reconnects", "the caller hangs up", "the agent's phone goes"])
def test_who_gives_up_is_not_called_back(desk, how):
    busy_bob(desk)
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB), wait_s=60))
    desk.park(desk.caller, desk.ann_leg)
    if how == "reconnects":
        desk.tell(services.ReconnectRequested(ANN))
    elif how == "the caller hangs up":
        desk.hang_up(desk.call_id)
    else:
        desk.not_ready("carol")
        desk.cleared(desk.ann_leg)
    desk.asked(object)
    desk.ends("bob")
    assert [i.agent for i in desk.asked(intents.OfferCall) if i.agent == BOB] == []
    assert desk.world.camped == {}


def test_one_waits_for_no_one_who_is_away(desk):
    desk.not_ready("bob")
    with pytest.raises(InvalidConnection, match="'bob' is not ready"):
        desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB), wait_s=60))
    with pytest.raises(InvalidConnection, match="'ann' is busy"):
        desk.tell(services.ConsultationRequested(ANN, ToAgent(ANN), wait_s=60))
    assert desk.talk is TalkState.TALKING


def test_a_call_is_picked_up_by_whoever_is_in_the_same_declared_group():
    s = Story()
    s.queue("claims", requires="claims")
    s.agent("ann", skills={"claims": 1}, pickup_groups=["north", "night"])
    s.agent("bob", pickup_groups=["north"])
    s.agent("eve", pickup_groups=["south"])
    s.agent("dan")
    call = s.waiting("claims")
    s.delivered(s.offered_leg("ann"))
    for agent in ("eve", "dan"):
        with pytest.raises(InvalidConnection, match="no call rings at a colleague"):
            s.tell(services.GroupPickupRequested(AgentId(agent)))
    with pytest.raises(InvalidConnection, match=r"'bob' is not in pickup group 'night' \(theirs: north\)"):
        s.tell(services.GroupPickupRequested(AgentId("bob"), "night"))
    s.tell(services.GroupPickupRequested(AgentId("bob"), "north"))
    assert s.ringing(call) == [AgentId("bob")]
    for wrong in ("north", [""], [1]):
        with pytest.raises(ConfigurationError, match="pickup_groups"):
            AgentSettings(id=AgentId("x"), contact="user/x", pickup_groups=wrong)
