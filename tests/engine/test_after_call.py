"""Callers who go on when their agent has hung up: to a survey, to another queue; and those who do not."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError, UnknownQueue
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import ToQueue, ToScript
from cti.model.party import Destination, ToAgent, ToNumber
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS, Story

ANN, BOB = AgentId("ann"), AgentId("bob")
SURVEY = ToScript("survey")


class Desk(Story):
    """Ann talks with a caller of claims, after which there is a survey; Bob is ready."""

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self.queue("payments", requires="payments")
        self.queue("claims", **{"requires": "claims", "music": "music", "after_call": SURVEY, **settings})
        self.agent("ann", skills={"claims": 1})
        self.agent("bob", skills={"other": 1})
        self.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))
        self.call_id = self.talking("ann", "claims")
        self.caller = self.caller_of(self.call_id)
        self.leg = self.world.agents[ANN].connection
        assert self.leg is not None

    def kept(self) -> list[bool]:
        """What the switch was told of the caller, from the beginning."""
        return [i.keep for i in self.intents if isinstance(i, intents.KeepCaller) and i.connection == self.caller]

    def parked(self, *legs: object) -> None:
        for leg in legs:
            self.tell(facts.Parked(FS, leg))

    def to_script(self) -> list[str]:
        return [event.to_script for event in self.events(events.Diverted) if event.to_script]

    def in_the_survey(self) -> bool:
        call = self.world.interactions.get(self.call_id)
        if call is None or call.state is not InteractionState.OFFERED:
            return False
        assert (call.script, call.queue, call.agent, call.talk) == ("survey", None, None, TalkState.NONE)
        assert call.connections == {self.caller}
        return self.to_script() == ["survey"]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("parked_first", [True, False])
def test_the_agent_hangs_up_first_and_the_caller_goes_on(desk, parked_first):
    assert desk.kept() == [True, True]  # while waiting, and still when the two talk
    if parked_first:
        desk.parked(desk.caller)
        assert desk.state("ann") is AgentState.BUSY
        desk.cleared(desk.leg)
    else:
        desk.cleared(desk.leg)
        assert desk.state("ann") is AgentState.READY  # free at once, whatever the caller does
        assert not desk.in_the_survey()
        desk.parked(desk.caller)
    assert desk.in_the_survey()
    assert desk.figures("claims").answered == 1
    assert desk.timers == []
    desk.clear(desk.call_id)  # its script has ended
    desk.cleared(desk.caller)
    assert desk.is_over(desk.call_id)
    assert len(desk.events(events.CallCleared)) == 1


def test_the_agent_hangs_up_by_their_screen(desk):
    desk.tell(services.ClearConnectionRequested(ANN))
    assert desk.clears() == [desk.leg]  # and not the caller's
    desk.cleared(desk.leg)
    desk.parked(desk.caller)
    assert desk.in_the_survey()


def test_the_caller_hangs_up_first(desk):
    desk.cleared(desk.caller)
    assert desk.clears() == [desk.leg]
    desk.cleared(desk.leg)
    assert desk.to_script() == []
    assert desk.state("ann") is AgentState.READY
    assert desk.is_over(desk.call_id)


@pytest.mark.parametrize("caller_first", [True, False])
def test_both_hang_up_at_once(desk, caller_first):
    for leg in (desk.caller, desk.leg) if caller_first else (desk.leg, desk.caller):
        desk.cleared(leg)
    assert desk.to_script() == []
    assert desk.is_over(desk.call_id)
    assert [event.state for event in desk.events(events.CallCleared)] == ["cleared"]
    assert desk.timers == []


def test_a_late_parking_of_a_caller_who_is_gone_changes_nothing(desk):
    desk.cleared(desk.leg)
    desk.cleared(desk.caller)
    desk.parked(desk.caller)
    assert desk.to_script() == []


def test_the_whole_call_is_cleared(desk):
    desk.clear(desk.call_id)
    desk.cleared(desk.leg)
    desk.parked(desk.caller)
    desk.cleared(desk.caller)
    assert desk.to_script() == []
    assert desk.is_over(desk.call_id)


def test_on_to_another_queue():
    desk = Desk(after_call=ToQueue(QueueId("payments")))
    desk.cleared(desk.leg)
    desk.parked(desk.caller)
    assert desk.interaction(desk.call_id).state is InteractionState.QUEUED
    assert desk.waits("payments") == [desk.call_id]
    assert desk.figures("claims").answered == 1


def test_without_it_the_call_ends_with_the_conversation():
    desk = Desk(after_call=None)
    assert desk.kept() == [True, False]
    desk.cleared(desk.leg)
    assert desk.clears() == [desk.caller]


def test_an_agent_who_has_put_the_caller_on_hold_gives_them_back_to_the_queue(desk):
    desk.tell(services.HoldRequested(ANN))
    desk.parked(desk.caller, desk.leg)
    desk.cleared(desk.leg)
    assert desk.interaction(desk.call_id).queue == "claims"
    assert desk.to_script() == []


@pytest.mark.parametrize("after_call", [SURVEY, None])
def test_hanging_up_by_the_screen_while_the_caller_is_held_loses_nobody(after_call):
    desk = Desk(after_call=after_call)
    desk.tell(services.HoldRequested(ANN))
    desk.parked(desk.caller, desk.leg)
    desk.tell(services.ClearConnectionRequested(ANN))
    desk.cleared(desk.leg)
    assert desk.events(events.Queued)[-1].cause is Cause.OVERFLOW
    assert desk.ringing(desk.call_id) == ["ann"]  # who is the only one, and ready again


def test_hanging_up_by_the_screen_while_the_consulted_one_is_held_ends_the_call():
    desk = Desk(after_call=None)
    desk.tell(services.ConsultationRequested(ANN, ToNumber("9123")))
    other = desk.interaction(desk.call_id).consulted
    desk.parked(desk.caller, desk.leg)
    desk.established(other)
    desk.parked(other)
    desk.tell(facts.Bridged(FS, desk.leg, other))
    desk.tell(services.AlternateRequested(ANN))
    desk.parked(desk.leg, other)
    desk.tell(facts.Bridged(FS, desk.caller, desk.leg))
    desk.tell(services.ClearConnectionRequested(ANN))
    assert set(desk.clears()) == {desk.caller, desk.leg, other}


def test_hanging_up_by_the_screen_a_made_call_whose_party_is_held_ends_it():
    desk = Story()
    desk.agent("ann")
    desk.tell(services.DestinationsDefined((Destination("9*", "sofia/gateway/trunk/{number}"),)))
    desk.tell(services.MakeCallRequested(ANN, ToNumber("9123")))
    (call_id,) = desk.world.interactions
    agent_leg = next(i.leg for i in desk.intents if isinstance(i, intents.MakeConnection))
    desk.established(agent_leg)
    desk.tell(facts.Parked(FS, agent_leg))
    party = next(i.leg for i in desk.intents if isinstance(i, intents.MakeConnection) and i.leg != agent_leg)
    desk.established(party)
    desk.tell(facts.Parked(FS, party))
    desk.tell(facts.Bridged(FS, agent_leg, party))
    assert desk.interaction(call_id).talk is TalkState.TALKING
    desk.tell(services.HoldRequested(ANN))
    for leg in (agent_leg, party):
        desk.tell(facts.Parked(FS, leg))
    desk.tell(services.ClearConnectionRequested(ANN))
    desk.cleared(agent_leg)
    assert desk.clears() == [party]  # there is no queue to give them back to


def test_after_a_transfer_to_an_agent_it_is_their_hanging_up_that_counts(desk):
    desk.tell(services.ConsultationRequested(ANN, ToAgent(BOB)))
    bob = desk.interaction(desk.call_id).consulted
    desk.parked(desk.caller, desk.leg)
    desk.established(bob)
    desk.parked(bob)
    desk.tell(facts.Bridged(FS, desk.leg, bob))
    desk.tell(services.TransferRequested(ANN))
    desk.parked(desk.leg, bob)
    desk.tell(facts.Bridged(FS, desk.caller, bob))
    assert desk.kept()[-1] is True
    desk.cleared(desk.leg)
    assert desk.to_script() == []
    desk.cleared(bob)
    desk.parked(desk.caller)
    assert desk.in_the_survey()


def test_after_a_transfer_to_somebody_outside_there_is_nothing_more(desk):
    desk.tell(services.ConsultationRequested(ANN, ToNumber("9123")))
    other = desk.interaction(desk.call_id).consulted
    desk.parked(desk.caller, desk.leg)
    desk.established(other)
    desk.parked(other)
    desk.tell(facts.Bridged(FS, desk.leg, other))
    desk.tell(services.TransferRequested(ANN))
    desk.parked(desk.leg, other)
    desk.tell(facts.Bridged(FS, desk.caller, other))
    assert desk.kept()[-1] is False
    desk.cleared(desk.leg)
    desk.cleared(other)
    assert desk.clears() == [desk.caller]
    assert desk.to_script() == []


def test_the_last_agent_of_a_conference_leaves(desk):
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
    bob = desk.offered_leg("bob")
    desk.established(bob)
    desk.parked(bob)
    assert desk.interaction(desk.call_id).talk is TalkState.CONFERENCE
    desk.cleared(desk.leg)
    assert desk.to_script() == []
    desk.cleared(bob)
    assert desk.wanted(intents.StopListening) == [intents.StopListening(FS, desk.caller)]
    assert desk.clears() == []
    desk.parked(desk.caller)
    assert desk.in_the_survey()


def test_the_agent_hung_up_while_the_link_was_down(desk):
    desk.link_lost()
    desk.link_up(desk.seen(desk.caller))
    assert desk.state("ann") is AgentState.READY
    assert desk.in_the_survey()


def test_the_word_of_the_parking_was_lost(desk):
    desk.cleared(desk.leg)
    assert not desk.in_the_survey()
    desk.link_lost()
    desk.link_up(desk.seen(desk.caller))
    assert desk.in_the_survey()


def test_a_caller_left_alone_in_a_conference_while_the_link_was_down_is_fetched(desk):
    desk.tell(services.SingleStepConferenceRequested(ANN, ToAgent(BOB)))
    bob = desk.offered_leg("bob")
    desk.established(bob)
    desk.parked(bob)
    desk.link_lost()
    desk.start = len(desk.intents)
    desk.link_up(desk.seen(desk.caller, conferring=True))
    assert intents.StopListening(FS, desk.caller) in desk.intents[desk.start :]
    assert not desk.in_the_survey()
    desk.parked(desk.caller)
    assert desk.in_the_survey()


def test_an_agent_whom_a_stale_offer_of_the_same_call_rang_before(desk):
    """The leg of an offer that came to nothing ends late: that is no hanging up."""
    second = desk.waiting("claims")
    desk.cleared(desk.leg)
    desk.parked(desk.caller)
    stale = desk.offered_leg("ann")
    desk.not_ready("ann")
    desk.ready("ann")
    fresh = desk.offered_leg("ann")
    assert fresh != stale
    desk.established(fresh)
    desk.bridged(second, fresh)
    desk.cleared(stale)
    assert desk.interaction(second).talk is TalkState.TALKING


def test_what_it_may_be():
    story = Story()
    with pytest.raises(ConfigurationError, match="after_call is 'survey'; it must be ToQueue"):
        story.queue("claims", after_call="survey")
    with pytest.raises(ConfigurationError, match="hands its callers on to itself"):
        story.queue("claims", after_call=ToQueue(QueueId("claims")))
    with pytest.raises(UnknownQueue):
        story.queue("claims", after_call=ToQueue(QueueId("nowhere")))
