"""Voice messages and faxes: routed as calls are, heard or accepted by whoever gets them, and never lost or in the way."""

from __future__ import annotations

from typing import Any

import pytest

from cti.errors import ConfigurationError, InvalidConnection, UnknownAgent, UnknownQueue
from cti.model import events, facts, intents, services
from cti.model.callback import CallbackSettings
from cti.model.callback_requests import CallbackRequested
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.interaction import NOBODY, InteractionKind
from cti.model.message import Message
from cti.model.overflow import Disconnect, ToDestination, ToQueue
from cti.model.party import Destination
from cti.model.personal import Personal
from cti.model.states import AgentState, InteractionState

from .story import FS, Story

VOICEMAIL, FAX = InteractionKind.VOICEMAIL, InteractionKind.FAX
ANN, BOB = AgentId("ann"), AgentId("bob")


def leave(
    story: Story, kind: InteractionKind, queue: str, message: str = "m1", *, switch: SwitchId = FS, **more: Any
) -> InteractionId:
    """A message comes into a queue."""
    known = set(story.world.interactions)
    story.tell(
        services.DeliverMessageRequested(
            Message(message, "claims", length_s=12.5, pages=2),
            kind,
            QueueId(queue),
            switch if kind is VOICEMAIL else SwitchId(""),
            "+441",
            "Caller",
            "5000",
            **more,
        )
    )
    (found,) = set(story.world.interactions) - known or {InteractionId("")}
    return found


@pytest.fixture
def story() -> Story:
    made = Story()
    made.queue("claims", wrap_up_s=10.0, ring_timeout_s=15.0)
    return made


def heard(story: Story, agent: str) -> ConnectionId:
    leg = story.offered_leg(agent)
    story.delivered(leg)
    story.established(leg)
    assert story.state(agent) is AgentState.ALERTING
    story.tell(facts.Parked(FS, leg))
    return leg


# -- voice messages -------------------------------------------------------------------------------------------------


def test_a_message_rings_at_an_agent_who_hears_it_until_they_hang_up(story):
    message = leave(story, VOICEMAIL, "claims")
    assert [e.message for e in story.events(events.MessageDelivered)] == ["m1"]
    assert story.waits("claims") == [message]
    story.advance(7.0)
    story.agent("ann")
    (offer,) = [i for i in story.intents if isinstance(i, intents.OfferCall)]
    assert offer.park_s > 600
    assert offer.calling_number == "+441"
    leg = heard(story, "ann")
    assert story.state("ann") is AgentState.BUSY
    assert story.wanted(intents.Bridge) == []
    told = story.events(events.Established)[-1]
    assert (told.interaction_kind, told.connection, told.waited_s) == ("voicemail", leg, 7.0)
    assert story.reservation("ann") is None
    story.advance(30.0)
    story.cleared(leg)
    assert story.is_over(message)
    assert message not in story.world.interactions
    assert story.events(events.CallCleared)[-1].state == "cleared"
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL
    figures = story.figures("claims")
    assert (figures.offered, figures.answered, figures.waiting) == (1, 1, 0)
    story.advance(10.0)
    assert story.state("ann") is AgentState.READY
    assert story.figures("claims").handle_s == pytest.approx(40.0)


def test_of_several_who_answer_the_first_hears_the_message(story):
    """The first has answered, and is not in our hands yet: the others' phones stop ringing then, and nobody else takes it."""
    story.queue("claims", strategy="ring-all")
    message = leave(story, VOICEMAIL, "claims")
    story.agent("ann")
    story.agent("bob")
    bobs = story.offered_leg("bob")
    anns = story.answers("ann")
    assert story.ringing(message) == [ANN]
    assert story.state("bob") is AgentState.READY
    story.established(bobs)
    assert bobs in story.clears()
    story.tell(facts.Parked(FS, anns))
    assert story.interaction(message).agent == ANN


def test_a_message_whose_offer_fails_keeps_its_place(story):
    story.agent("ann", no_answers_allowed=1)
    message = leave(story, VOICEMAIL, "claims")
    later = leave(story, VOICEMAIL, "claims", "m2")
    story.delivered(story.offered_leg("ann"))
    story.advance(15.0)
    (leg,) = story.interaction(message).connections
    story.cleared(leg, Cause.CALL_CANCELLED)
    assert story.waits("claims") == [message, later]
    assert story.why("ann") == "RNA"
    story.agent("bob")
    assert story.ringing(message) == [BOB]


def test_calls_and_messages_wait_in_one_order(story):
    first, message, last = (
        story.waiting("claims"),
        leave(story, VOICEMAIL, "claims"),
        story.waiting("claims"),
    )
    urgent = leave(story, VOICEMAIL, "claims", "m2", priority=5)
    assert story.waits("claims") == [urgent, first, message, last]


def test_a_message_waits_for_its_owner_first(story):
    story.agent("bob")
    story.talking("bob", "claims")
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims", personal=Personal(BOB, 30.0))
    assert story.ringing(message) == []
    story.advance(30.0)
    assert story.ringing(message) == [ANN]


def test_a_message_is_told_once_however_often_it_is_delivered(story):
    leave(story, VOICEMAIL, "claims")
    assert leave(story, VOICEMAIL, "claims") == ""
    assert story.figures("claims").offered == 1


def test_a_message_goes_to_queues_only(story):
    story.queue("short", max_wait_s=5.0, overflow=ToDestination("9000"))
    story.queue("on", max_wait_s=5.0, overflow=ToQueue(QueueId("claims")))
    story.queue("full", max_waiting=1, overflow=Disconnect())
    story.waiting("full")
    story.queue("empty", overflow_unstaffed=True, overflow=ToDestination("9000"))
    stays = [
        leave(story, kind, name, f"{kind}{name}") for kind in (VOICEMAIL, FAX) for name in ("short", "full", "empty")
    ]
    goes = leave(story, VOICEMAIL, "on", "m9")
    story.advance(20.0)
    for each in stays:
        assert story.interaction(each).state is InteractionState.QUEUED
        assert each in story.waits(story.interaction(each).queue)
    assert story.interaction(goes).queue == "claims"
    for refused in (facts.DivertRequested(stays[0], "9000"), services.PushRequested(stays[0], ToDestination("9000"))):
        with pytest.raises(InvalidConnection, match="only go to a queue"):
            story.tell(refused)
    story.divert(stays[0], ToQueue(QueueId("claims")))
    assert story.interaction(stays[0]).queue == "claims"


def test_a_time_that_is_up_while_a_phone_rings_leaves_the_message_where_it_is(story):
    story.queue("short", max_wait_s=5.0, overflow=ToDestination("9000"))
    message = leave(story, VOICEMAIL, "short")
    story.agent("ann")
    story.advance(6.0)
    story.failed(story.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert story.waits("short") == [message]
    story.agent("bob")
    assert story.ringing(message) == [BOB]


def test_somebody_ends_a_message_that_waits_or_rings(story):
    waits = leave(story, VOICEMAIL, "claims")
    story.clear(waits)
    assert waits not in story.world.interactions
    story.agent("ann")
    rings = leave(story, VOICEMAIL, "claims", "m2")
    leg = story.offered_leg("ann")
    story.clear(rings)
    assert story.clears() == [leg]
    story.cleared(leg, Cause.CALL_CANCELLED)
    assert rings not in story.world.interactions
    assert story.state("ann") is AgentState.READY


def test_a_switch_that_starts_again_has_the_message_waiting_and_the_agent_free(story):
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims")
    heard(story, "ann")
    story.link_lost()
    story.link_up(restarted=True)
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL
    assert story.waits("claims") == [message]
    story.advance(10.0)
    assert story.ringing(message) == [ANN]


def test_a_message_outlives_a_link_that_is_lost_while_it_waits(story):
    message = leave(story, VOICEMAIL, "claims")
    story.link_lost()
    story.agent("ann")
    assert story.ringing(message) == []
    story.link_up()
    assert story.ringing(message) == [ANN]


def test_whoever_hears_a_message_can_hang_up_and_be_picked_up_from(story):
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims")
    story.delivered(story.offered_leg("ann"))
    story.agent("bob")
    rang = story.offered_leg("ann")
    story.tell(services.DirectedPickupRequested(BOB, ANN))
    story.cleared(rang, Cause.CALL_CANCELLED)
    assert story.ringing(message) == [BOB]
    leg = heard(story, "bob")
    story.tell(services.ClearConnectionRequested(BOB))
    assert story.clears() == [leg]
    story.cleared(leg)
    assert message not in story.world.interactions
    assert story.state("bob") is AgentState.WORKING_AFTER_CALL


def test_what_needs_a_caller_is_refused(story):
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims")
    story.agent("boss", ready=False)
    with pytest.raises(InvalidConnection, match="voicemail"):
        story.tell(services.PullRequested(AgentId("boss"), message))
    heard(story, "ann")
    for service in (services.HoldRequested(ANN), services.ParkRequested(ANN), services.DigitsRequested(ANN, "1")):
        with pytest.raises(InvalidConnection):
            story.tell(service)


def test_several_phones_ring_and_the_first_hears_it(story):
    story.queue("all", strategy="ring-all")
    story.agent("ann")
    story.agent("bob")
    leave(story, VOICEMAIL, "all")
    other = story.offered_leg("bob")
    heard(story, "ann")
    assert story.leg(other).clearing
    story.cleared(other, Cause.CALL_CANCELLED)
    assert story.state("bob") is AgentState.READY


def test_what_is_asked_for_has_to_be_there(story):
    with pytest.raises(UnknownQueue):
        leave(story, VOICEMAIL, "clams")
    with pytest.raises(UnknownAgent):
        leave(story, VOICEMAIL, "claims", personal=Personal(AgentId("nobody")))
    with pytest.raises(ConfigurationError, match="voicemail or a fax"):
        leave(story, InteractionKind.CALL, "claims")
    assert not story.world.interactions


def test_a_leg_that_is_never_parked_gives_the_message_to_somebody_else(story):
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims")
    leg = story.offered_leg("ann")
    story.delivered(leg)
    story.established(leg)
    story.agent("bob")
    story.advance(3.0)
    assert leg in story.clears() or story.leg(leg).clearing
    assert story.ringing(message) == [ANN] or story.ringing(message) == [BOB]
    story.cleared(leg, Cause.CALL_CANCELLED)
    assert story.interaction(message).state.is_waiting


def test_an_answer_that_only_a_snapshot_shows_lets_the_message_be_heard(story):
    story.agent("ann")
    message = leave(story, VOICEMAIL, "claims")
    leg = story.offered_leg("ann")
    story.delivered(leg)
    story.link_lost()
    story.link_up(story.seen(leg, established=True))
    assert story.state("ann") is AgentState.BUSY
    assert story.interaction(message).state is InteractionState.ESTABLISHED


@pytest.mark.parametrize("kind", [VOICEMAIL, FAX])
def test_nobody_is_called_back_for_a_message(story, kind):
    """There is no caller whose leg could be let go: it is refused before anything is done."""
    story.queue("loans", callback=CallbackSettings(destinations=(Destination("*", "sofia/gateway/trunk/{number}"),)))
    message = leave(story, kind, "claims")
    with pytest.raises(InvalidConnection, match=f"is a {kind.value}; only a caller"):
        story.tell(CallbackRequested(QueueId("loans"), "0441", message))
    assert story.waits("claims") == [message]
    assert story.figures("claims").waiting == 1


# -- faxes ----------------------------------------------------------------------------------------------------------


def test_a_fax_is_accepted_and_completed_without_a_phone(story):
    story.agent("ann")
    fax = leave(story, FAX, "claims")
    assert story.offers() == []
    assert story.state("ann") is AgentState.ALERTING
    popped = story.events(events.Delivered)[-1]
    assert (popped.agent, popped.interaction_kind, popped.connection) == (ANN, "fax", NOBODY)
    story.advance(5.0)
    story.tell(services.AcceptTaskRequested(ANN))
    assert story.state("ann") is AgentState.BUSY
    story.not_ready("ann")
    story.advance(100.0)
    assert story.state("ann") is AgentState.BUSY
    story.tell(services.CompleteTaskRequested(ANN))
    assert fax not in story.world.interactions
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL
    story.advance(10.0)
    assert story.state("ann") is AgentState.NOT_READY
    figures = story.figures("claims")
    assert (figures.offered, figures.answered, figures.handled) == (1, 1, 1)
    assert figures.handle_s == pytest.approx(110.0)


def test_a_fax_that_is_rejected_or_ignored_goes_to_somebody_else(story):
    story.agent("ann", no_answers_allowed=1)
    fax = leave(story, FAX, "claims")
    story.tell(services.RejectTaskRequested(ANN))
    assert story.why("ann") == "REJECTED"
    assert story.waits("claims") == [fax]
    story.agent("bob", no_answers_allowed=1)
    assert story.ringing(fax) == [BOB]
    story.advance(15.0)
    assert story.why("bob") == "RNA"
    assert fax in story.world.interactions


def test_a_fax_needs_no_switch(story):
    story.link_lost()
    story.agent("ann")
    fax = leave(story, FAX, "claims")
    assert story.ringing(fax) == [ANN]
    story.tell(services.AcceptTaskRequested(ANN))
    story.link_up(restarted=True)
    assert story.state("ann") is AgentState.BUSY
    story.tell(services.CompleteTaskRequested(ANN))
    assert story.state("ann") is AgentState.WORKING_AFTER_CALL


def test_a_fax_that_somebody_ends_frees_its_agent(story):
    story.queue("claims")
    story.agent("ann")
    fax = leave(story, FAX, "claims")
    story.tell(services.AcceptTaskRequested(ANN))
    second = leave(story, FAX, "claims", "m2")
    story.clear(fax)
    assert fax not in story.world.interactions
    assert story.ringing(second) == [ANN]


def test_an_agent_who_logs_off_has_the_fax_offered_to_others_or_finishes_it(story):
    story.agent("ann")
    fax = leave(story, FAX, "claims")
    story.log_off("ann")
    assert story.waits("claims") == [fax]
    story.agent("bob")
    story.tell(services.AcceptTaskRequested(BOB))
    story.log_off("bob")
    assert story.state("bob") is AgentState.BUSY
    story.tell(services.CompleteTaskRequested(BOB))
    story.advance(10.0)
    assert story.state("bob") is AgentState.NULL


@pytest.mark.parametrize(
    "service", [services.AcceptTaskRequested, services.RejectTaskRequested, services.CompleteTaskRequested]
)
def test_who_has_no_fax_is_told_so(story, service):
    story.agent("ann")
    with pytest.raises(InvalidConnection, match="fax"):
        story.tell(service(ANN))
    story.talking("ann", "claims")
    with pytest.raises(InvalidConnection, match="fax"):
        story.tell(service(ANN))
    with pytest.raises(UnknownAgent):
        story.tell(service(AgentId("nobody")))
