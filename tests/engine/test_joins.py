"""Who comes into a conversation: agents and numbers who are invited, agents who join or intrude, heard or silent."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidAgentState, InvalidConnection, UnknownAgent
from cti.model import calling, events, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId
from cti.model.party import ToNumber
from cti.model.states import AgentState, TalkState
from cti.model.supervision import Mode, Phase

from .story import FS
from .test_talk import ANN, BOB, Desk

EVE = AgentId("eve")
JOIN = intents.JoinConference


@pytest.fixture
def desk() -> Desk:
    return Desk()


def answered(desk: Desk, agent: str = "bob") -> ConnectionId:
    """Whoever comes in answers, and waits."""
    leg = desk.offered_leg(agent)
    desk.delivered(leg)
    desk.established(leg)
    desk.park(leg)
    return leg


def invite(desk: Desk, number: str = "9123") -> ConnectionId:
    desk.tell(services.SingleStepConferenceRequested(ANN, ToNumber(number)))
    leg = desk.interaction(desk.call_id).invited
    assert leg is not None
    return leg


def outside(desk: Desk, number: str = "9123") -> ConnectionId:
    """Ann invites a number, and whoever is there answers."""
    leg = invite(desk, number)
    desk.delivered(leg)
    desk.established(leg)
    desk.park(leg)
    return leg


# -- numbers ------------------------------------------------------------------------------------------------------------


def test_a_number_is_invited_while_the_two_talk_on(desk):
    leg = invite(desk)
    (made,) = desk.asked(intents.MakeConnection)
    assert (made.leg, made.contact, made.called_number) == (leg, "sofia/gateway/trunk/9123", "9123")
    (told,) = desk.heard(events.Originated)
    assert (told.cause, told.to, told.connection) == (Cause.SINGLE_STEP_CONFERENCE, "9123", leg)
    assert desk.talk is TalkState.TALKING
    desk.established(leg)
    assert not desk.asked(JOIN)  # not before it is in our hands
    desk.park(leg)
    assert desk.asked(JOIN) == [
        JOIN(FS, desk.caller, desk.ann_leg, desk.call_id),
        JOIN(FS, leg, None, desk.call_id),
    ]
    assert desk.talk is TalkState.CONFERENCE
    (said,) = desk.heard(events.Conferenced)
    assert (said.cause, set(said.connections)) == (Cause.SINGLE_STEP_CONFERENCE, {desk.caller, desk.ann_leg, leg})
    assert desk.heard(events.Established)[-1].connection == leg


def test_a_conference_grows_and_goes_on_as_they_leave(desk):
    first, second = outside(desk), outside(desk, "9456")
    desk.tell(services.SingleStepConferenceRequested(ANN, services.ToAgent(BOB)))
    bob = answered(desk)
    assert set(desk.heard(events.Conferenced)[-1].connections) == {desk.caller, desk.ann_leg, first, second, bob}
    desk.cleared(first)
    desk.cleared(desk.ann_leg)
    assert desk.interaction(desk.call_id).agent == BOB
    desk.cleared(bob)
    assert not desk.is_over(desk.call_id)  # the caller and the number talk
    desk.cleared(second)
    assert desk.is_over(desk.call_id)


def test_a_number_that_is_invited_and_not_allowed_is_not_called(desk):
    with pytest.raises(DestinationNotAllowed):
        desk.tell(services.SingleStepConferenceRequested(ANN, ToNumber("0900")))
    assert not desk.asked(intents.MakeConnection)


def test_a_number_that_does_not_answer_changes_nothing(desk):
    leg = invite(desk)
    with pytest.raises(InvalidConnection, match="a number is being rung"):
        invite(desk, "9456")
    with pytest.raises(InvalidConnection, match="a number is being rung"):
        desk.tell(services.ConsultationRequested(ANN, services.ToAgent(BOB)))
    desk.advance(30)
    (cleared,) = desk.asked(intents.ClearConnection)
    assert (cleared.connection, cleared.cause) == (leg, Cause.CALL_NOT_ANSWERED)
    desk.cleared(leg)
    assert desk.talk is TalkState.TALKING
    assert not desk.is_over(desk.call_id)
    invite(desk)


@pytest.mark.parametrize("early", [True, False])
def test_a_number_that_refuses_after_a_transfer_to_a_number_ends_nobodys_call(desk, early):
    """Neither of the two has an agent any more: the leg of whoever is invited is no reason to end it."""
    leg = invite(desk)
    if early:
        desk.failed(leg, Cause.BUSY)
        assert desk.interaction(desk.call_id).invited is None
        return
    desk.hold()
    desk.established(leg)
    desk.park(leg)
    assert [each.connection for each in desk.asked(intents.ClearConnection)] == [leg]
    desk.cleared(leg)
    assert desk.talk is TalkState.HELD
    assert not desk.is_over(desk.call_id)


def test_the_caller_hangs_up_while_a_number_is_being_rung(desk):
    leg = invite(desk)
    desk.hang_up(desk.call_id)
    assert leg in {each.connection for each in desk.asked(intents.ClearConnection)}
    desk.cleared(leg)
    desk.cleared(desk.ann_leg)
    assert desk.is_over(desk.call_id)
    assert desk.state("ann") is AgentState.READY


# -- join and intrude ---------------------------------------------------------------------------------------------------


def test_an_agent_joins_and_is_heard_by_all(desk):
    desk.tell(calling.JoinRequested(BOB, ANN))
    assert desk.state("bob") is AgentState.RESERVED
    (told,) = desk.heard(events.Originated)
    assert (told.cause, told.to) == (Cause.JOIN_CALL, "bob")
    leg = answered(desk)
    assert desk.asked(JOIN) == [JOIN(FS, desk.caller, desk.ann_leg, desk.call_id), JOIN(FS, leg, None, desk.call_id)]
    assert desk.heard(events.Conferenced)[-1].cause is Cause.JOIN_CALL
    assert [e.cause for e in desk.heard(events.Established) if e.agent == BOB] == [Cause.JOIN_CALL]
    assert desk.interaction(desk.call_id).agent == ANN  # she is still in charge
    desk.cleared(leg)
    assert desk.state("bob") is AgentState.READY
    assert not desk.is_over(desk.call_id)


def test_those_who_talk_are_warned_before_somebody_intrudes(desk):
    desk.tell(calling.IntrudeRequested(BOB, ANN, 1.5))
    leg = answered(desk)
    tones = desk.asked(intents.WarningTone, JOIN)
    assert {each.connection for each in tones} == {desk.caller, desk.ann_leg}
    desk.advance(1.4)
    assert not desk.asked(JOIN)
    desk.advance(0.2)
    assert [each.connection for each in desk.asked(JOIN)] == [desk.caller, leg]
    assert desk.heard(events.Conferenced)[-1].cause is Cause.INTRUDE
    assert len([each for each in desk.intents if isinstance(each, intents.WarningTone)]) == 2


@pytest.mark.parametrize("how", ["the caller", "the intruder", "a hold"])
def test_an_intrusion_that_comes_to_nothing_during_the_warning(desk, how):
    desk.tell(calling.IntrudeRequested(BOB, ANN))
    leg = answered(desk)
    if how == "the caller":
        desk.hang_up(desk.call_id)
    elif how == "the intruder":
        desk.cleared(leg)
    else:
        desk.hold()
    desk.advance(5)
    if how != "the intruder":
        desk.cleared(leg)
    desk.advance(30)
    assert not desk.asked(JOIN)
    assert desk.state("bob") is AgentState.READY


def test_joining_silently_is_listening_to_the_call_until_it_ends(desk):
    desk.agent("eve", ready=False)
    desk.tell(calling.JoinRequested(EVE, ANN, silent=True))
    ((leg, known),) = desk.world.supervisions.items()
    assert (known.supervisor, known.mode, known.interaction, known.agent) == (EVE, Mode.MONITOR, desk.call_id, None)
    assert known.phase is Phase.CALLING
    desk.established(desk.caller)
    desk.park(leg)
    assert [each.other for each in desk.asked(intents.Listen)] == [desk.caller]
    desk.ends("ann")
    assert leg in {each.connection for each in desk.asked(intents.ClearConnection)}


def test_who_can_come_into_what(desk):
    desk.agent("eve", ready=False)
    for fact in (calling.JoinRequested(EVE, ANN), calling.IntrudeRequested(EVE, ANN)):
        with pytest.raises(InvalidAgentState, match=r"is not ready; .* is not possible \(possible: ready\)"):
            desk.tell(fact)
    with pytest.raises(InvalidAgentState, match="has to be logged on and not ready"):
        desk.tell(calling.JoinRequested(BOB, ANN, silent=True))
    with pytest.raises(InvalidConnection, match="agent 'eve' has no call"):
        desk.tell(calling.JoinRequested(BOB, EVE))
    with pytest.raises(InvalidConnection, match="their own call"):
        desk.tell(calling.JoinRequested(ANN, ANN))
    with pytest.raises(UnknownAgent, match="did you mean 'ann'"):
        desk.tell(calling.IntrudeRequested(BOB, AgentId("anna")))
    for wrong in (-1, 2.5, float("nan"), True):
        with pytest.raises(ConfigurationError, match="warn_s"):
            calling.IntrudeRequested(BOB, ANN, wrong)
    desk.hold()
    with pytest.raises(InvalidConnection, match=r"is held; nobody can come into it \(possible: talking, conference\)"):
        desk.tell(calling.JoinRequested(BOB, ANN))


def test_nobody_joins_while_the_link_is_down_and_who_was_coming_in_is_not_lost(desk):
    desk.tell(calling.JoinRequested(BOB, ANN))
    desk.link_lost()
    with pytest.raises(InvalidConnection, match="not live"):
        desk.tell(calling.IntrudeRequested(BOB, ANN))
    desk.advance(30)
    assert desk.reservation("bob") is None
    assert desk.state("bob") is not AgentState.RESERVED


# -- clear call ---------------------------------------------------------------------------------------------------------


def test_the_call_is_cleared_for_everybody_and_whoever_is_being_rung_is_not_to_blame(desk):
    desk.tell(services.ConsultationRequested(ANN, services.ToAgent(BOB)))
    bob = desk.offered_leg("bob")
    desk.delivered(bob)
    desk.tell(calling.ClearCallRequested(ANN))
    assert {each.connection for each in desk.asked(intents.ClearConnection)} == {desk.caller, desk.ann_leg, bob}
    for leg in (bob, desk.ann_leg, desk.caller):
        desk.cleared(leg)
    assert desk.is_over(desk.call_id)
    assert (desk.state("ann"), desk.state("bob")) == (AgentState.READY, AgentState.READY)
    assert [e.outcome for e in desk.heard(events.OfferEnded) if e.agent == BOB] == ["cancelled"]
    assert len(desk.heard(events.CallCleared)) == 1


def test_only_whoever_is_in_charge_clears_a_call(desk):
    desk.consult()
    with pytest.raises(InvalidConnection, match=r"a party to a call of 'ann'.*possible: clear connection"):
        desk.tell(calling.ClearCallRequested(BOB))
    desk.tell(services.ConferenceRequested(ANN))
    desk.tell(calling.ClearCallRequested(ANN))
    assert len(desk.asked(intents.ClearConnection)) == 3


# -- answer -------------------------------------------------------------------------------------------------------------


def test_a_phone_that_rings_is_asked_to_answer(desk):
    call = desk.waiting("loans")
    leg = desk.offered_leg("bob")
    with pytest.raises(InvalidConnection, match="the phone of agent 'bob', who is reserved, does not ring"):
        desk.tell(calling.AnswerRequested(BOB))  # the switch has not said so yet
    desk.delivered(leg)
    desk.tell(calling.AnswerRequested(BOB))
    assert desk.asked(intents.AnswerPhone) == [intents.AnswerPhone(FS, leg)]
    desk.established(leg)
    desk.bridged(call, leg)
    with pytest.raises(InvalidConnection, match="does not ring"):
        desk.tell(calling.AnswerRequested(BOB))


def test_the_phone_of_an_agent_who_makes_a_call_is_asked_to_answer(desk):
    desk.tell(services.MakeCallRequested(BOB, ToNumber("9123")))
    leg = desk.leg_of("bob")
    desk.delivered(leg)
    desk.tell(calling.AnswerRequested(BOB))
    assert desk.asked(intents.AnswerPhone) == [intents.AnswerPhone(FS, leg)]
    desk.link_lost()
    with pytest.raises(InvalidConnection, match="not live"):
        desk.tell(calling.AnswerRequested(BOB))
