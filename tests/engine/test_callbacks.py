"""Callbacks: the place is kept, the customer is called when it is their turn, and every way it can come to nothing."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidConnection, ResourceBusy, UnknownQueue
from cti.model import callback_events, callback_requests, events, intents
from cti.model.cause import Cause
from cti.model.states import AgentState, CallbackState, InteractionState

from .calling_back import SALES, CallingBack

WAITING, CALLING, HOLDING = CallbackState.WAITING, CallbackState.CALLING, CallbackState.HOLDING


def ended(story: CallingBack) -> list[str]:
    return [each.state for each in story.events(callback_events.CallbackEnded)]


def outcomes(story: CallingBack) -> list[str]:
    return [each.outcome for each in story.events(callback_events.CallbackTried)]


# -- taken ------------------------------------------------------------------------------------------------------------


def test_the_caller_leaves_the_line_and_the_place_is_kept():
    story = CallingBack()
    first = story.waiting("sales")
    mine = story.waiting("sales")
    last = story.waiting("sales")
    story.advance(60)
    leg = story.caller_of(mine)
    story.take_back(mine)
    assert story.wanted(intents.StopTreatment)[0].connection == leg
    assert story.waits("sales") == [first, mine, last]
    assert story.interaction(mine).state is InteractionState.QUEUED
    assert story.interaction(mine).waited_s(story.now) == 60
    assert leg in story.world.connections  # their script says goodbye
    story.cleared(leg)
    assert story.back(mine).leaving is None
    assert story.waits("sales") == [first, mine, last]
    made = story.events(callback_events.CallbackMade)
    assert [(e.number, e.source, e.cause) for e in made] == [("+44000002", "caller", Cause.CALL_BACK)]
    figures = story.figures("sales")
    assert (figures.offered, figures.taken_as_callback, figures.waiting, figures.in_line) == (3, 1, 2, 3)
    assert (figures.callbacks, figures.callbacks_pending) == (1, 1)


def test_who_asks_before_they_were_in_a_queue_waits_from_then_on():
    story = CallingBack()
    call = story.call()
    story.take_back(call)
    assert story.interaction(call).waited_s(story.now) == 0
    assert story.waits("sales") == [call]
    assert (story.figures("sales").offered, story.figures("sales").taken_as_callback) == (1, 1)


def test_the_age_goes_along_from_another_queue():
    story = CallingBack()
    story.queue("other")
    call = story.waiting("other")
    story.advance(100)
    story.take_back(call)
    assert story.interaction(call).waited_s(story.now) == 100
    assert (story.figures("other").left, story.figures("other").waiting) == (1, 0)
    assert story.figures("sales").taken_as_callback == 1


def test_a_caller_who_does_not_leave_is_let_go():
    story = CallingBack()
    call = story.waiting("sales")
    leg = story.caller_of(call)
    story.take_back(call)
    story.advance(60)
    assert story.leg(leg).clearing
    assert story.back(call).state is WAITING


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_a_caller_who_is_reached_at_another_phone_hears_no_more_goodbye_at_the_first(first):
    """At the moment the two talk, not when the goodbye has lasted for too long; and the conversation goes on."""
    story = CallingBack(first)
    story.agent("ann")
    call = story.call()
    old = story.caller_of(call)
    story.take_back(call, "+447")
    if first == "agent":
        story.agent_answers("ann")
    new = story.customer_answers()
    if first == "customer":
        story.agent_answers("ann")
    assert not story.leg(old).clearing
    story.connect("ann", call)
    assert story.leg(old).clearing
    assert old in story.clears()
    story.cleared(old)
    assert story.interaction(call).state is InteractionState.ESTABLISHED
    assert not story.leg(new).clearing
    assert story.state("ann") is AgentState.BUSY
    assert ended(story) == ["answered"]


@pytest.mark.parametrize("why", ["cancelled", "expired"])
def test_a_caller_whose_callback_is_over_before_they_have_left_is_let_go(why):
    story = CallingBack(expiry_s=30.0)
    call = story.waiting("sales")
    old = story.caller_of(call)
    story.take_back(call)
    story.cancel(call) if why == "cancelled" else story.advance(30)
    assert old in story.clears()
    story.cleared(old)
    assert ended(story) == [why]
    assert call not in story.world.interactions


def test_hanging_up_the_call_that_asked_ends_the_leg_and_not_the_callback():
    story = CallingBack()
    call = story.waiting("sales")
    leg = story.caller_of(call)
    story.take_back(call)
    story.clear(call)
    assert story.clears() == [leg]
    story.cleared(leg)
    story.clear(call)
    assert story.clears() == []
    assert story.waits("sales") == [call]


def test_an_agent_who_was_being_offered_the_call_is_free():
    story = CallingBack()
    story.agent("ann")
    call = story.waiting("sales")
    leg = story.offered_leg("ann")
    story.delivered(leg)
    story.take_back(call)
    assert leg in story.clears()
    assert [made.agent for made in story.world.reservations.values()] == ["ann"]  # and gets it again, as a callback
    assert story.offers() == [("ann", call), ("ann", call)]


@pytest.mark.parametrize("queue", ["sales", "other"])
def test_a_caller_who_asks_while_an_agent_is_rung_is_not_overtaken(queue):
    """The place is kept before the agent is free for whoever has come later."""
    story = CallingBack()
    story.queue("other")
    story.agent("ann")
    mine = story.waiting(queue)
    story.advance(1)
    story.waiting("sales")
    story.advance(1)
    story.take_back(mine)
    assert story.offers() == [("ann", mine), ("ann", mine)]


@pytest.mark.parametrize("number", ["+33123", "+44 1", "+44}x", "0900123", "+44\n1"])
def test_a_number_that_no_rule_lets_through_is_refused(number):
    story = CallingBack()
    call = story.waiting("sales")
    before = story.picture()
    with pytest.raises((DestinationNotAllowed, ConfigurationError)):
        story.take_back(call, number)
    assert story.picture() == before


def test_a_queues_own_rules_go_before_the_centres():
    from cti.model.party import Destination

    story = CallingBack(destinations=(Destination("+33*", "sofia/gateway/paris/{number}"),))
    story.agent("ann")
    call = story.waiting("sales")
    with pytest.raises(DestinationNotAllowed):
        story.take_back(call)
    story.take_back(call, "+3312")
    story.agent_answers("ann")
    assert story.called().contact == "sofia/gateway/paris/+3312"


def test_what_cannot_be_taken_says_why_and_changes_nothing():
    story = CallingBack(most=1)
    story.queue("other")
    call = story.waiting("sales")
    before = story.picture()
    with pytest.raises(UnknownQueue):
        story.take_back(call, queue="sails")
    with pytest.raises(ConfigurationError, match="calls nobody back"):
        story.take_back(call, queue="other")
    assert story.picture() == before
    story.take_back(call)
    with pytest.raises(InvalidConnection, match="a callback already"):
        story.take_back(call)
    second = story.waiting("sales")
    with pytest.raises(ResourceBusy, match="pending"):
        story.take_back(second, story.back(call).number)
    with pytest.raises(ResourceBusy, match="all it takes"):
        story.take_back(second)
    story.agent("ann")
    with pytest.raises(InvalidConnection, match="not on the line"):
        story.divert(call, "5000")
    talking = story.waiting("sales")
    story.hang_up(second)
    story.agent_answers("ann")
    story.customer_answers()
    story.connect("ann", call)
    with pytest.raises(InvalidConnection, match="established"):
        story.take_back(call)
    assert story.waits("sales") == [talking]


# -- agent first ------------------------------------------------------------------------------------------------------


def test_agent_first_the_customer_is_called_when_an_agent_has_answered():
    story = CallingBack(calling_number="4000", ring_s=25.0)
    call = story.taken()
    story.agent("ann")
    assert story.ringing(call) == ["ann"]
    (offer,) = story.wanted(intents.OfferCall)
    assert offer.park_s == 35.0  # so that the switch lets her wait for the customer
    assert story.calls_made() == 0
    leg = story.answers("ann")
    assert story.wanted(intents.Bridge) == []
    made = story.called()
    assert (made.contact, made.calling_number, made.ring_timeout_s) == ("sofia/gateway/trunk/+44000001", "4000", 25.0)
    assert made.park_s >= 3600  # who answers may wait for an agent as long as any caller
    assert story.back(call).state is CALLING
    story.tell(_parked(leg))
    assert [each.connection for each in story.wanted(intents.StartTreatment)] == [leg]  # she hears that it rings
    story.advance(20)  # longer than a bridge may take
    customer = story.customer_answers()
    assert story.wanted(intents.Bridge) == [intents.Bridge("fs", customer, leg)]
    assert story.back(call).state is HOLDING
    story.connect("ann", call)
    assert story.state("ann") is AgentState.BUSY
    assert story.interaction(call).callback is None
    assert story.interaction(call).state is InteractionState.ESTABLISHED
    assert ended(story) == ["answered"]
    figures = story.figures("sales")
    assert (figures.callbacks_answered, figures.callbacks_pending, figures.answered) == (1, 0, 0)
    causes = {type(e).__name__: e.cause for e in story.events(events.CallEvent)}
    assert {causes[name] for name in ("Originated", "Delivered", "Established")} == {Cause.CALL_BACK}
    story.ends("ann")
    assert story.is_over(call)
    assert story.world.callbacks[SALES] == {}


def _parked(leg):
    from cti.model import facts

    return facts.Parked("fs", leg)


@pytest.mark.parametrize(
    ("cause", "outcome", "pause_s"),
    [
        (Cause.BUSY, "busy", 60),
        (Cause.CALL_NOT_ANSWERED, "no answer", 300),
        (Cause.NETWORK_CONGESTION, "failed", 300),
    ],
)
def test_a_customer_who_cannot_be_reached_is_called_again_after_a_pause(cause, outcome, pause_s):
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    waited_since = story.interaction(call).queued_at
    leg = story.agent_answers("ann")
    story.customer_fails(cause)
    assert outcomes(story) == [outcome]
    assert leg in story.clears()
    assert story.state("ann") is AgentState.READY  # and not to blame
    assert story.interaction(call).state is InteractionState.CALLBACK
    assert story.waits("sales") == []
    story.cleared(leg)
    story.advance(pause_s - 1)
    assert story.state("ann") is AgentState.READY
    story.advance(1)
    assert story.ringing(call) == ["ann"]
    assert story.interaction(call).queued_at == waited_since
    story.agent_answers("ann")
    assert story.calls_made() == 2
    story.customer_answers()
    story.connect("ann", call)


def test_a_phone_that_rings_for_too_long_is_given_up():
    story = CallingBack(ring_s=10.0)
    story.agent("ann")
    call = story.taken()
    story.agent_answers("ann")
    customer = story.called().leg
    story.delivered(customer)
    story.advance(10)
    assert customer in story.clears()
    assert outcomes(story) == ["no answer"]
    assert story.state("ann") is AgentState.READY
    story.cleared(customer, Cause.CALL_NOT_ANSWERED)
    assert outcomes(story) == ["no answer"]  # once
    assert story.back(call).state is CallbackState.SCHEDULED


def test_the_tries_come_to_an_end():
    story = CallingBack(tries=2, pause_s=10.0)
    story.agent("ann")
    call = story.taken()
    for _ in range(2):
        leg = story.agent_answers("ann")
        story.customer_fails(Cause.CALL_NOT_ANSWERED)
        story.cleared(leg)
        story.advance(10)
    assert story.is_over(call)
    assert ended(story) == ["failed"]
    assert story.state("ann") is AgentState.READY
    assert [e.state for e in story.events(events.CallCleared)] == ["cleared"]
    assert story.figures("sales").callbacks_failed == 1
    assert story.timers == []


def test_a_number_that_does_not_exist_is_not_tried_again():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    story.customer_fails(Cause.NUMBER_UNALLOCATED)
    story.cleared(leg)
    assert story.is_over(call)
    assert ended(story) == ["failed"]


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_a_rule_that_has_been_taken_away_ends_it_and_frees_the_agent(first):
    from cti.model import services

    story = CallingBack(first)
    call = story.taken()
    story.tell(services.DestinationsDefined(()))
    story.agent("ann")
    if first == "agent":
        leg = story.answers("ann")
        assert leg in story.clears()
        story.cleared(leg)
    assert story.calls_made() == 0
    assert story.is_over(call)
    assert story.state("ann") is AgentState.READY


@pytest.mark.parametrize("why", ["hangs up", "not ready", "logs off"])
def test_race_24_an_agent_who_goes_while_the_customer_is_called_leaves_them_at_the_head(why):
    """Race 24: the customer whose phone rings is not hung up on, and goes before everybody."""
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    customer = story.called().leg
    if why == "hangs up":
        story.cleared(leg)
    elif why == "not ready":
        story.not_ready("ann")
    else:
        story.log_off("ann")
    assert customer not in story.clears()
    urgent = story.waiting("sales", 50)
    story.customer_answers()
    assert story.back(call).state is HOLDING
    assert story.waits("sales") == [call, urgent]
    music = [each.connection for each in story.wanted(intents.StartTreatment)]
    assert story.wanted(intents.StartTreatment) == [] or music == [customer]
    assert customer in [i.connection for i in story.intents if isinstance(i, intents.StartTreatment)]
    story.agent("bob")
    assert story.ringing(call) == ["bob"]
    story.take("bob")
    assert story.interaction(call).agent == "bob"
    assert story.calls_made() == 1


def test_the_next_agent_is_rung_while_the_customer_is_still_being_called():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    story.agent_answers("ann")
    story.log_off("ann")
    story.agent("bob")
    bobs = story.agent_answers("bob")
    assert story.calls_made() == 1
    customer = story.customer_answers()
    assert story.wanted(intents.Bridge) == [intents.Bridge("fs", customer, bobs)]
    story.connect("bob", call)


def test_a_bridge_that_fails_leaves_the_customer_at_the_head_with_music():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    customer = story.customer_answers()
    story.bridge_failed(call, leg)
    story.cleared(leg)
    assert story.waits("sales") == [call]
    assert customer in [each.connection for each in story.wanted(intents.StartTreatment)]
    story.advance(10)
    story.take("ann")


def test_a_customer_who_hangs_up_before_an_agent_is_there_is_called_again():
    story = CallingBack("customer")
    story.agent("ann")
    call = story.taken()
    customer = story.customer_answers()
    story.log_off("ann")
    story.cleared(customer)
    assert outcomes(story) == ["abandoned"]
    assert story.back(call).state is CallbackState.SCHEDULED
    assert story.figures("sales").abandoned == 0
    story.log_on("ann", ready=True)
    story.advance(300)
    assert story.calls_made() == 2


# -- customer first ---------------------------------------------------------------------------------------------------


def test_customer_first_an_agent_is_kept_and_rung_when_the_customer_has_answered():
    story = CallingBack("customer")
    call = story.taken()
    story.agent("ann")
    assert story.offers() == []
    assert story.state("ann") is AgentState.RESERVED
    assert story.calls_made() == 1
    other = story.waiting("sales")
    customer = story.customer_answers()
    assert story.offers() == [("ann", call)]
    assert customer in [each.connection for each in story.wanted(intents.StartTreatment)]
    story.take("ann")
    assert story.interaction(call).agent == "ann"
    assert story.waits("sales") == [other]
    assert ended(story) == ["answered"]


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.CALL_NOT_ANSWERED])
def test_customer_first_the_agent_never_hears_of_a_customer_who_is_not_reached(cause):
    story = CallingBack("customer")
    call = story.taken()
    story.agent("ann")
    story.customer_fails(cause)
    assert story.offers() == []
    assert story.state("ann") is AgentState.READY
    assert story.why("ann") == ""
    assert story.back(call).state is CallbackState.SCHEDULED


def test_customer_first_an_agent_who_does_not_answer_is_followed_by_the_next():
    story = CallingBack("customer", queue={"ring_timeout_s": 15.0})
    story.agent("ann")
    call = story.taken()
    story.customer_answers()
    story.delivered(story.offered_leg("ann"))
    story.agent("bob")
    story.advance(15)
    assert story.ringing(call) == ["bob"]
    story.take("bob")


def test_an_agent_who_is_kept_is_not_to_blame_when_nobody_says_what_became_of_the_customer():
    story = CallingBack("customer", ring_s=10.0)
    story.taken()
    story.agent("ann", no_answers_allowed=1)
    story.advance(16)
    assert story.offers() == []
    assert story.state("ann") is AgentState.READY


# -- the hours, the time, the end -------------------------------------------------------------------------------------


def test_customers_are_called_in_the_hours_only():
    # The engine's clock began at Unix time 0: a Thursday, midnight.
    story = CallingBack(hours="thu 01:00-02:00, 03:00-05:00")
    story.agent("ann")
    call = story.taken()
    assert story.interaction(call).state is InteractionState.CALLBACK
    assert story.state("ann") is AgentState.READY
    story.advance(3600)
    assert story.ringing(call) == ["ann"]
    story.log_off("ann")
    story.advance(3600)
    assert story.back(call).state is CallbackState.SCHEDULED
    story.log_on("ann", ready=True)
    assert story.state("ann") is AgentState.READY
    story.advance(3600)
    assert story.ringing(call) == ["ann"]


def test_the_hours_end_while_an_agent_rings_and_the_offer_finishes():
    story = CallingBack(hours="thu 00:00-01:00; fri 00:00-01:00", expiry_s=2 * 86400.0)
    call = story.taken()
    story.advance(3595)
    story.agent("ann")
    story.advance(6)
    assert story.ringing(call) == ["ann"]
    story.agent_answers("ann")
    story.customer_fails(Cause.BUSY)
    story.advance(120)
    assert story.back(call).state is CallbackState.SCHEDULED
    assert story.state("ann") is AgentState.READY


def test_it_expires_from_the_first_moment_at_which_it_may_be_made():
    story = CallingBack(hours="fri 09:00-12:00", expiry_s=3600.0)
    call = story.taken()
    story.advance(33 * 3600)
    assert story.waits("sales") == [call]
    story.advance(3600)
    assert ended(story) == ["expired"]


def test_hours_that_never_come_refuse_it():
    story = CallingBack(hours="closed")
    call = story.waiting("sales")
    with pytest.raises(ConfigurationError, match="leave no time"):
        story.take_back(call)


@pytest.mark.parametrize(
    "bad", [{"hours": "mon 9-5"}, {"time_zone": "Europe/Atlantis"}, {"hours": "daily 01:00-02:00", "closed": "soon"}]
)
def test_hours_that_cannot_be_read_are_refused_with_the_queue(bad):
    story = CallingBack()
    with pytest.raises(ConfigurationError):
        story.define(**bad)


def test_an_agreed_time():
    story = CallingBack()
    story.agent("ann")
    call = story.request(at=1000.0, calling_name="Mrs Hill", data={"policy": "12"})
    assert story.interaction(call).state is InteractionState.CALLBACK
    assert story.figures("sales").offered == 0
    story.advance(999)
    assert story.state("ann") is AgentState.READY
    story.advance(1)
    assert story.ringing(call) == ["ann"]
    assert story.interaction(call).data == {"policy": "12", "callback_number": "+44777"}
    story.agent_answers("ann")
    story.customer_answers()
    story.connect("ann", call)


def test_one_for_one_agent_waits_for_them_whatever_they_do():
    story = CallingBack()
    story.agent("bob")
    call = story.request(agent="bob")
    assert story.ringing(call) == ["bob"]
    story.log_off("bob")
    story.agent("ann")
    story.advance(3600)
    assert story.state("ann") is AgentState.READY
    story.log_on("bob", ready=True)
    assert story.ringing(call) == ["bob"]


def test_a_customer_on_the_line_does_not_wait_for_an_agent_who_has_gone():
    story = CallingBack("customer")
    call = story.request(agent=story.agent("bob").id)
    story.log_off("bob")
    story.agent("ann")
    assert story.state("ann") is AgentState.READY
    story.customer_answers()
    assert story.ringing(call) == ["ann"]
    story.take("ann")


def test_it_expires():
    story = CallingBack(expiry_s=600.0)
    call = story.taken()
    story.advance(600)
    assert story.is_over(call)
    assert ended(story) == ["expired"]
    assert story.waits("sales") == []
    assert story.figures("sales").callbacks_expired == 1


def test_one_that_is_being_made_does_not_expire_under_way():
    story = CallingBack(expiry_s=600.0)
    call = story.taken()
    story.advance(590)
    story.agent("ann")
    story.agent_answers("ann")
    story.advance(20)
    story.customer_answers()
    story.connect("ann", call)


def test_it_is_cancelled_in_every_state_but_with_the_customer_on_the_line():
    story = CallingBack()
    scheduled, waiting = story.request(at=500.0), story.request("+44778")
    story.cancel(scheduled)
    story.cancel(waiting)
    assert story.is_over(scheduled)
    assert story.is_over(waiting)
    assert ended(story) == ["cancelled", "cancelled"]
    story.agent("ann")
    call = story.request("+44779")
    story.agent_answers("ann")
    customer = story.called().leg
    story.cancel(call)
    assert customer in story.clears()
    assert story.state("ann") is AgentState.READY
    story.cleared(customer)
    again = story.request("+44779")
    story.agent_answers("ann")
    story.customer_answers()
    with pytest.raises(InvalidConnection, match="on the line"):
        story.cancel(again)


def test_it_is_moved_to_another_time_and_number():
    story = CallingBack()
    call = story.request()
    story.move(call, 900.0, "+44888")
    assert story.interaction(call).state is InteractionState.CALLBACK
    assert story.world.callbacks[SALES] == {"+44888": call}
    story.agent("ann")
    story.advance(900)
    story.agent_answers("ann")
    assert story.called().contact.endswith("+44888")
    with pytest.raises(InvalidConnection, match="calling"):
        story.move(call, 2000.0)


def test_overflow_is_for_callers_on_the_line():
    from cti.model.overflow import ToVoicemail

    story = CallingBack(
        queue={"max_wait_s": 30.0, "overflow_unstaffed": True, "overflow": ToVoicemail("1"), "max_waiting": 1}
    )
    story.agent("ann", ready=False)
    call = story.taken()
    story.waiting("sales")  # the callback does not count as one on the line
    assert story.figures("sales").waiting == 1
    story.advance(31)
    story.log_off("ann")
    assert story.back(call).state is WAITING
    assert story.waits("sales") == [call]


# -- the link ---------------------------------------------------------------------------------------------------------


def test_the_customer_answers_while_the_link_is_down():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    customer = story.called().leg
    story.link_lost()
    story.advance(45)  # longer than the phone may ring: nobody knows whether it did
    assert story.back(call).state is CALLING
    story.link_up(story.seen(leg, established=True), story.seen(customer, established=True))
    assert story.back(call).state is HOLDING
    assert any(isinstance(each, intents.Bridge) for each in story.last)
    story.connect("ann", call)


def test_the_link_is_lost_and_nobody_is_there_any_more():
    story = CallingBack(tries=1)
    story.agent("ann")
    call = story.taken()
    story.agent_answers("ann")
    story.link_lost()
    story.link_up(restarted=True)
    assert outcomes(story) == ["lost"]
    assert story.back(call).state is CallbackState.SCHEDULED  # it does not count as a try
    assert story.back(call).tries_counted == 0
    story.advance(60)
    assert story.ringing(call) == ["ann"]


def test_a_customer_who_is_being_called_is_still_rung_after_a_short_loss():
    story = CallingBack("customer")
    story.agent("ann")
    call = story.taken()
    customer = story.called().leg
    story.link_lost()
    story.advance(2)
    story.link_up(story.seen(customer))
    assert story.back(call).state is CALLING
    story.customer_answers()
    story.take("ann")


def test_nothing_is_begun_while_the_link_is_down():
    story = CallingBack()
    call = story.taken()
    story.link_lost()
    story.agent("ann")
    story.advance(100)
    assert story.state("ann") is AgentState.READY
    story.link_up()
    assert story.ringing(call) == ["ann"]


def test_a_request_for_a_call_that_never_was():
    story = CallingBack()
    from cti.errors import UnknownInteraction

    for fact in (
        callback_requests.CallbackRequested(SALES, "+441", "nobody"),
        callback_requests.CancelCallbackRequested("nobody"),
        callback_requests.RescheduleCallbackRequested("nobody"),
    ):
        with pytest.raises(UnknownInteraction):
            story.tell(fact)


# -- those who come back ----------------------------------------------------------------------------------------------


def again(story: CallingBack, call: str, queue: str = "sales", **more: object) -> str:
    """The caller of a call calls again, from the same number."""
    from cti.model import facts
    from cti.model.ids import ConnectionId

    number = story.interaction(call).calling_number
    caller = ConnectionId(f"again-{len(story.told)}")
    story.tell(facts.Offered("fs", caller, number, "", "5000", True))
    new = story.world.connections[caller].interaction
    story.enqueue(new, queue)
    return new


def test_a_caller_who_calls_again_takes_the_place_that_was_kept():
    story = CallingBack()
    call = story.taken(data={"policy": "12"})
    others = [story.waiting("sales") for _ in range(2)]
    story.advance(100)
    new = again(story, call)
    assert story.waits("sales") == [new, *others]
    assert story.interaction(new).waited_s(story.now) == 100
    assert story.interaction(new).data == {}  # a calling number can be forged
    assert story.is_over(call)
    assert ended(story) == ["cancelled"]
    story.agent("ann")
    assert story.ringing(new) == ["ann"]
    assert story.calls_made() == 0


def test_a_caller_who_calls_as_we_call_them_is_not_called_any_more():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    customer = story.called().leg
    new = again(story, call)
    assert {leg, customer} <= {i.connection for i in story.intents if isinstance(i, intents.ClearConnection)}
    assert story.ringing(new) == ["ann"]
    story.cleared(customer)
    story.cleared(leg)
    assert call not in story.world.interactions


def test_what_was_agreed_stays_when_its_customer_calls():
    story = CallingBack()
    agreed = story.request("+44000001", at=5000.0)
    call = story.waiting("sales")  # by +44000001
    assert story.back(agreed).state is CallbackState.SCHEDULED
    story.hang_up(call)
    owned = story.request("+44000002", agent=story.agent("ann", ready=False).id)
    story.waiting("sales")
    assert story.back(owned).state is WAITING


def test_a_queue_may_keep_both():
    story = CallingBack(rejoin=False)
    call = story.taken()
    new = again(story, call)
    assert story.waits("sales") == [call, new]


def test_who_hung_up_while_waiting_is_called_back_once_in_a_day():
    story = CallingBack(abandoned=True, abandoned_after_s=30.0)
    call = story.waiting("sales")
    story.advance(10)
    number, place = story.interaction(call).calling_number, story.interaction(call).place
    story.hang_up(call)
    (noted,) = story.world.abandoned
    assert (noted.calling_number, noted.waited_s, noted.interaction) == (number, 10, call)
    back = noted.callback
    assert back is not None
    assert story.back(back).source == "abandoned"
    assert (story.figures("sales").abandoned, story.figures("sales").taken_as_callback) == (1, 0)
    story.advance(30)
    assert story.waits("sales") == [back]
    assert story.interaction(back).waited_s(story.now) == 40
    assert story.interaction(back).place == place
    new = again(story, back)  # they call again, and give up again
    story.advance(10)
    story.hang_up(new)
    assert [each.callback for each in story.world.abandoned] == [back, None]
    assert story.world.callbacks[SALES] == {}


def test_who_is_not_called_back_though_they_hung_up():
    from cti.model import facts
    from cti.model.ids import ConnectionId

    story = CallingBack(abandoned=True)
    story.hang_up(story.waiting("sales"))  # at once: a short abandon
    for at, number in enumerate(("anonymous", "+33123", "")):
        caller = ConnectionId(f"hidden-{at}")
        story.tell(facts.Offered("fs", caller, number, "", "5000", True))
        call = story.world.connections[caller].interaction
        story.enqueue(call, "sales")
        story.advance(10)
        story.hang_up(call)
    assert [each.callback for each in story.world.abandoned] == [None] * 4
    assert story.figures("sales").callbacks == 0


def test_a_queue_that_calls_nobody_back_notes_who_hung_up():
    story = CallingBack()
    story.queue("other")
    call = story.waiting("other")
    story.hang_up(call)
    assert [each.interaction for each in story.world.abandoned] == [call]


def test_the_history_tells_where_the_time_went():
    story = CallingBack(busy_pause_s=60.0)
    call = story.waiting("sales")
    story.advance(10)
    story.take_back(call)
    story.leaves(call)
    story.advance(20)
    story.agent("ann")
    leg = story.agent_answers("ann")
    story.advance(5)
    story.customer_fails(Cause.BUSY)
    story.cleared(leg)
    story.advance(60)
    story.agent_answers("ann")
    story.advance(5)
    story.customer_answers()
    story.connect("ann", call)
    story.advance(30)
    story.ends("ann")
    (over,) = story.events(events.InteractionEnded)
    told = [(one.kind, one.length_s) for one in over.history.segments if one.side == "caller" and one.length_s]
    assert told == [
        ("queued", 10),
        ("queued", 20),
        ("ringing", 5),
        ("callback", 60),
        ("ringing", 5),
        ("talk", 30),
    ]


# -- switches, and a centre that is about to end ----------------------------------------------------------------------


def test_held_back_nobody_is_called_who_is_not_being_called():
    story = CallingBack()
    story.agent("ann")
    call = story.taken()
    leg = story.agent_answers("ann")
    story.tell(callback_requests.CallbacksHeld(held=True))
    second = story.taken()
    story.agent("bob")
    assert story.state("bob") is AgentState.READY
    assert story.interaction(second).state is InteractionState.QUEUED
    story.customer_answers()
    story.connect("ann", call)
    story.cleared(leg)
    story.hang_up(call)
    assert story.state("ann") is AgentState.READY
    story.tell(callback_requests.CallbacksHeld(held=False))
    assert story.ringing(second) != []


def test_held_back_and_let_go_they_are_made_in_the_order_of_their_places():
    """Not in that of their numbers, of which one has been changed."""
    story = CallingBack()
    first = story.request("+441")
    second = story.request("+442")
    story.move(first, number="+443")
    story.tell(callback_requests.CallbacksHeld(held=True))
    story.agent("ann")
    assert story.offers() == []
    story.tell(callback_requests.CallbacksHeld(held=False))
    assert story.offers() == [("ann", first)]
    assert story.waits("sales") == [second]


def test_a_switch_that_is_drained_leaves_its_callbacks_to_another():
    from cti.model import facts, services
    from cti.model.ids import SwitchId
    from cti.model.switch import SwitchSettings

    story = CallingBack()
    other = SwitchId("other")
    for each in ("fs", other):
        story.tell(facts.SwitchDefined(SwitchSettings(id=SwitchId(each), sip=f"10.0.0.1:{len(each)}")))
    call = story.taken()
    story.tell(services.DrainRequested(SwitchId("fs"), True))
    story.agent("ann", switch="fs")
    assert story.waits("sales") == []
    story.link_up(switch=other)
    assert story.interaction(call).switch == other
    assert story.waits("sales") == [call]
    later = story.request(at=500.0)
    assert story.interaction(later).switch == other
    story.link_lost(switch=other)
    assert story.waits("sales") == []
    story.tell(services.DrainRequested(SwitchId("fs"), False))
    assert story.interaction(call).switch == "fs"


@pytest.mark.parametrize("what", ["drained", "down"])
def test_a_callback_that_waits_for_a_switch_is_not_overtaken_as_its_agents_return(what):
    from cti.model import facts, services
    from cti.model.ids import SwitchId
    from cti.model.interaction import InteractionKind
    from cti.model.switch import SwitchSettings
    from tests.engine.test_messages import leave

    story, other = CallingBack(), SwitchId("other")
    for each in ("fs", other):
        story.tell(
            facts.SwitchDefined(SwitchSettings(id=SwitchId(each), sip=f"10.0.0.1:{len(each)}", lost_after_s=None))
        )
    story.link_up(switch=other)
    story.agent("ann", switch="other", ready=False)
    callback = story.request()
    for each in (other, "fs"):
        if what == "drained":
            story.tell(services.DrainRequested(SwitchId(each), True))
        else:
            story.link_lost(switch=SwitchId(each))
    story.ready("ann")
    story.advance(1)
    leave(story, InteractionKind.FAX, "sales")  # needs no switch
    assert story.reservation("ann") is None
    if what == "drained":
        story.tell(services.DrainRequested(other, False))
    else:
        story.link_up(switch=other)
    assert story.reservation("ann").interaction == callback


def test_what_is_not_there_can_be_neither_moved_nor_taken_over():
    from cti.model import facts, services
    from cti.model.party import ToAgent

    story = CallingBack()
    story.queue("other")
    story.agent("ann", ready=False)
    call = story.taken()
    before = story.picture()
    for fact in (
        facts.QueueRequested(call, "other", 3, {"a": 1}),
        services.PushRequested(call, ToAgent("ann")),
        services.PullRequested("ann", call),
        facts.DivertRequested(call, "5000"),
    ):
        with pytest.raises(InvalidConnection, match="not on the line"):
            story.tell(fact)
        assert story.picture() == before
