"""Several phones ring for one call: the first to answer gets it, and all the others are as if they had never rung."""

from __future__ import annotations

import pytest

from cti.engine.offers import BRIDGE_LEASE_S
from cti.model import events, facts, intents, reason
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import ToDestination, ToQueue
from cti.model.states import AgentState, InteractionState
from cti.routing import RingAll, RingProgressively

from .story import FS, Story

FIVE = ("ann", "bob", "dan", "eve", "fay")


@pytest.fixture
def s() -> Story:
    """A queue that rings all, with five ready agents."""
    story = Story()
    story.queue("sales", strategy="ring-all")
    for name in FIVE:
        story.agent(name)
    return story


def blameless(s: Story, *agents: str) -> bool:
    known = [s.world.agents[AgentId(name)] for name in agents]
    return all((a.state, a.no_answers, a.reservation) == (AgentState.READY, 0, None) for a in known)


# -- who wins ---------------------------------------------------------------------------------------------------------


def test_all_phones_ring_and_each_agent_for_this_call_alone(s):
    call, other = s.waiting("sales"), s.waiting("sales")
    assert s.ringing(call) == list(FIVE)
    assert s.ringing(other) == []
    assert s.waits("sales") == [call, other]
    assert len({i.leg for i in s.intents if isinstance(i, intents.OfferCall)}) == 5


def test_the_first_to_answer_gets_the_call_and_nobody_else_is_to_blame(s):
    call = s.waiting("sales")
    legs = {name: s.offered_leg(name) for name in FIVE}
    for name in FIVE[:3]:
        s.delivered(legs[name])
    s.established(legs["dan"])
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller_of(call), legs["dan"])]
    cleared = {i.connection: i.cause for i in s.wanted(intents.ClearConnection)}
    assert cleared == dict.fromkeys((legs[name] for name in FIVE if name != "dan"), Cause.MULTIPLE_ALERTING)
    assert [(e.outcome, e.cause) for e in s.events(events.OfferEnded)] == [("rescinded", Cause.MULTIPLE_ALERTING)] * 4
    assert blameless(s, "ann", "bob", "eve", "fay")
    s.bridged(call, legs["dan"])
    for name in ("ann", "bob", "eve", "fay"):
        s.cleared(legs[name], Cause.CALL_NOT_ANSWERED)
    assert blameless(s, "ann", "bob", "eve", "fay")
    assert s.interaction(call).agent == "dan"
    assert s.figures("sales").answered == 1
    assert [e.agent for e in s.events(events.Established)] == ["dan"]


def test_those_who_lost_are_offered_the_next_call_at_once(s):
    call, other = s.waiting("sales"), s.waiting("sales")
    s.answers("eve")
    assert s.ringing(call) == ["eve"]
    assert s.ringing(other) == ["ann", "bob", "dan", "fay"]


def test_two_answer_before_either_is_bridged(s):
    call = s.waiting("sales")
    ann, bob = s.offered_leg("ann"), s.offered_leg("bob")
    s.established(bob)
    s.established(ann)  # it was on its way when we cancelled it
    assert s.clears() == [ann]
    assert s.wanted(intents.Bridge) == []
    s.cleared(ann)
    assert blameless(s, "ann")
    s.bridged(call, bob)
    assert s.interaction(call).agent == "bob"
    assert s.world.agents[AgentId("ann")].calls_answered == 0


def test_an_answer_that_is_told_of_after_the_bridge(s):
    call = s.waiting("sales")
    bob = s.offered_leg("bob")
    s.bridged(call, bob)
    assert s.state("bob") is AgentState.BUSY
    assert len(s.clears()) == 4
    assert blameless(s, "ann", "dan", "eve", "fay")
    s.established(bob)
    assert s.last == []


def test_the_winners_bridge_fails_and_all_ring_again(s):
    call = s.waiting("sales")
    leg = s.answers("bob")
    s.bridge_failed(call, leg)
    s.advance(BRIDGE_LEASE_S)
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["rescinded"] * 4 + ["failed"]
    assert sorted(s.ringing(call)) == sorted(FIVE)
    assert leg not in [s.offered_leg(name) for name in FIVE]
    s.cleared(leg)
    s.take("fay")
    assert s.interaction(call).agent == "fay"


def test_the_winner_hangs_up_before_the_bridge(s):
    call = s.waiting("sales")
    s.cleared(s.answers("bob"))
    assert (s.state("bob"), s.why("bob")) == (AgentState.NOT_READY, reason.REJECTED)
    assert sorted(s.ringing(call)) == ["ann", "dan", "eve", "fay"]


# -- some of them go --------------------------------------------------------------------------------------------------


def test_one_rejects_and_the_others_ring_on(s):
    call = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert s.ringing(call) == ["bob", "dan", "eve", "fay"]
    assert s.clears() == []  # hers is gone, the others are left alone
    assert s.events(events.Queued, last=True) == []  # it has not come back: it never left
    s.advance(5)  # her pause is over, and the call still rings
    assert s.ringing(call) == ["bob", "dan", "eve", "fay", "ann"]


def test_all_reject(s):
    call = s.waiting("sales")
    for name in FIVE:
        s.failed(s.offered_leg(name), Cause.BUSY)
    assert s.interaction(call).state is InteractionState.QUEUED
    assert [e.cause for e in s.events(events.Queued)] == [Cause.ENTERING_DISTRIBUTION, Cause.REMAINS_IN_QUEUE]
    assert [s.why(name) for name in FIVE] == [reason.BUSY] * 5
    s.advance(10)
    assert sorted(s.ringing(call)) == sorted(FIVE)


def test_nobody_answers(s):
    call = s.waiting("sales")
    s.advance(20)
    assert [s.why(name) for name in FIVE] == [reason.RNA] * 5
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["timed out"] * 5
    assert s.waits("sales") == [call]


def test_the_caller_hangs_up_while_five_ring(s):
    call, other = s.waiting("sales"), s.waiting("sales")
    legs = [s.offered_leg(name) for name in FIVE]
    s.hang_up(call)
    assert s.clears() == legs
    assert s.ringing(other) == list(FIVE)
    assert [e.outcome for e in s.events(events.OfferEnded)] == ["cancelled"] * 5
    assert (s.figures("sales").abandoned, s.figures("sales").waiting) == (1, 1)
    assert s.events(events.CallCleared) == []
    for leg in legs:
        s.cleared(leg)
    assert [e.interaction for e in s.events(events.CallCleared)] == [call]


@pytest.mark.parametrize("ask", [Story.not_ready, Story.log_off], ids=["not ready", "log off"])
def test_one_goes_while_all_ring(s, ask):
    call = s.waiting("sales")
    leg = s.offered_leg("dan")
    ask(s, "dan")
    assert s.clears() == [leg]
    assert s.ringing(call) == ["ann", "bob", "eve", "fay"]
    s.established(leg)
    assert s.clears() == [leg]
    s.take("ann")
    assert s.interaction(call).agent == "ann"


def test_one_is_removed_while_all_ring(s):
    call = s.waiting("sales")
    s.tell(facts.AgentRemoved(AgentId("dan")))
    assert s.ringing(call) == ["ann", "bob", "eve", "fay"]
    s.advance(20)
    assert s.waits("sales") == [call]


def test_one_becomes_ready_while_others_ring(s):
    s.agent("gus", ready=False)
    call = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    s.ready("gus")
    assert s.ringing(call)[-1] == "gus"
    s.take("gus")
    assert s.interaction(call).agent == "gus"


def test_one_who_becomes_ready_after_the_answer_does_not_ring(s):
    s.agent("gus", ready=False)
    call = s.waiting("sales")
    s.answers("ann")
    s.ready("gus")
    assert s.ringing(call) == ["ann"]
    assert s.state("gus") is AgentState.READY


def test_no_more_phones_than_the_strategy_allows(s):
    s.queue("few", strategy=RingAll(most=2))
    call, other = s.waiting("few"), s.waiting("few")
    assert s.ringing(call) == ["ann", "bob"]
    assert s.ringing(other) == ["dan", "eve"]
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    assert s.ringing(call) == ["bob", "fay"]


# -- the call goes ----------------------------------------------------------------------------------------------------


def test_the_maximum_wait_ends_while_all_ring(s):
    s.queue("sales", strategy="ring-all", max_wait_s=10, overflow=ToDestination("voicemail"))
    s.agent("gus", ready=False)
    call = s.waiting("sales")
    s.advance(10)
    s.ready("gus")
    assert len(s.ringing(call)) == 5  # nobody more
    for name in FIVE[:4]:
        s.failed(s.offered_leg(name), Cause.CALL_CANCELLED)
    assert s.ringing(call) == ["fay"]
    s.failed(s.offered_leg("fay"), Cause.CALL_CANCELLED)
    assert s.is_over(call)
    assert [e.destination for e in s.events(events.Diverted)] == ["voicemail"]
    assert s.figures("sales").overflowed == 1
    assert len(s.offers()) == 5


def test_the_maximum_wait_ends_while_all_ring_and_one_answers(s):
    s.queue("sales", strategy="ring-all", max_wait_s=10, overflow=ToDestination("voicemail"))
    call = s.waiting("sales")
    s.advance(10)
    s.take("dan")
    assert s.interaction(call).agent == "dan"
    assert (s.figures("sales").answered, s.figures("sales").overflowed) == (1, 0)
    assert blameless(s, "ann", "bob", "eve", "fay")


@pytest.mark.parametrize("how", ["queued", "diverted to a queue"])
def test_a_call_that_is_moved_while_all_ring_is_overtaken_by_nobody(s, how):
    """All five are free again in the same instant: the older call has the first choice in its new queue."""
    s.queue("loans", requires="loans")
    s.agent("ann", skills={"loans": 1}, logged_on=False)
    old, young = s.waiting("sales"), s.waiting("sales")
    if how == "queued":
        s.enqueue(old, "loans")
    else:
        s.divert(old, ToQueue(QueueId("loans")))
    assert s.ringing(old) == ["ann"]
    assert sorted(s.ringing(young)) == ["bob", "dan", "eve", "fay"]
    assert (s.figures("sales").left, s.figures("sales").waiting) == (1, 1)


def test_a_call_that_is_ended_while_all_ring(s):
    call = s.waiting("sales")
    legs = [s.offered_leg(name) for name in FIVE]
    s.clear(call)
    assert sorted(s.clears()) == sorted([s.caller_of(call), *legs])
    assert blameless(s, *FIVE)


def test_a_queue_that_is_redefined_while_all_ring(s):
    s.agent("gus", ready=False)
    call, other = s.waiting("sales"), s.waiting("sales")
    s.queue("sales")
    assert len(s.ringing(call)) == 5
    s.ready("gus")
    assert s.ringing(other) == ["gus"]
    s.queue("sales", strategy="ring-all")
    s.failed(s.offered_leg("gus"), Cause.BUSY)
    s.advance(10)
    assert "gus" in s.ringing(call)


def test_a_queue_that_begins_to_ring_all_while_one_rings():
    s = Story()
    s.queue("sales")
    s.agent("ann")
    s.agent("bob")
    call = s.waiting("sales")
    assert s.ringing(call) == ["ann"]
    s.queue("sales", strategy="ring-all")
    assert s.ringing(call) == ["ann", "bob"]


# -- one after the other ----------------------------------------------------------------------------------------------


def test_phones_are_added_one_by_one_while_the_first_rings_on(s):
    s.queue("sales", strategy=RingProgressively(every_s=4, most=3), ring_timeout_s=60)
    call = s.waiting("sales")
    rings = []
    for _ in range(5):
        rings.append(len(s.ringing(call)))
        s.advance(3.9)
        assert len(s.ringing(call)) == rings[-1]
        s.advance(0.1)
    assert rings == [1, 2, 3, 3, 3]
    assert [t.kind for t in s.timers] == ["lease"] * 3


def test_the_first_rejects_and_another_takes_the_place(s):
    s.queue("sales", strategy=RingProgressively(every_s=4))
    call = s.waiting("sales")
    s.advance(4)
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    assert s.ringing(call) == ["bob", "dan"]
    s.advance(4)
    assert s.ringing(call) == ["bob", "dan", "eve"]


def test_progress_begins_anew_when_nobody_rings_any_more(s):
    s.queue("sales", strategy=RingProgressively(every_s=4))
    for name in FIVE[1:]:
        s.not_ready(name)
    call = s.waiting("sales")
    s.advance(9)
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    assert s.waits("sales") == [call]
    s.advance(1)
    s.ready("bob")
    s.ready("dan")
    assert s.ringing(call) == ["bob"]
    s.advance(3.5)
    assert s.ringing(call) == ["bob"]
    s.advance(0.5)
    assert s.ringing(call) == ["bob", "dan"]


def test_a_place_that_came_due_while_nobody_was_free_is_filled_later(s):
    s.queue("sales", strategy=RingProgressively(every_s=4), ring_timeout_s=60)
    for name in FIVE[1:]:
        s.not_ready(name)
    call = s.waiting("sales")
    s.advance(9)
    for name in FIVE[1:]:
        s.ready(name)
    assert s.ringing(call) == ["ann", "bob", "dan"]


def test_no_timer_is_left_when_somebody_has_answered(s):
    s.queue("sales", strategy=RingProgressively(every_s=4))
    s.waiting("sales")
    s.take("ann")
    assert s.timers == []


def test_another_fact_in_the_instant_in_which_a_phone_is_due(s):
    """The timer has not fired yet, and the time says already that one more may ring."""
    s.queue("sales", strategy=RingProgressively(every_s=4))
    call = s.waiting("sales")
    s.advance(4)
    s.now += 4
    s.failed(s.offered_leg("ann"), Cause.BUSY)
    assert s.ringing(call) == ["bob", "dan", "eve"]
    s.advance(0)
    assert s.ringing(call) == ["bob", "dan", "eve"]


# -- the link ---------------------------------------------------------------------------------------------------------


def test_the_link_is_lost_while_all_ring(s):
    call = s.waiting("sales")
    legs = {name: s.offered_leg(name) for name in FIVE}
    s.delivered(legs["ann"])
    s.link_lost()
    s.not_ready("bob")
    s.link_up(s.seen(s.caller_of(call)), *(s.seen(legs[name]) for name in ("ann", "bob", "dan")))
    assert s.clears() == [legs["bob"]]
    # Eve's and Fay's legs never came to be, or are gone: their phones ring again.
    assert s.ringing(call) == ["ann", "dan", "eve", "fay"]
    assert s.world.agents[AgentId("eve")].no_answers == 0
    assert s.offered_leg("eve") != legs["eve"]


def test_two_have_answered_when_the_link_is_back(s):
    call = s.waiting("sales")
    legs = {name: s.offered_leg(name) for name in FIVE}
    s.link_lost()
    s.link_up(
        s.seen(s.caller_of(call)),
        *(s.seen(legs[name], established=name in ("bob", "dan")) for name in FIVE),
    )
    assert s.wanted(intents.Bridge) == [intents.Bridge(FS, s.caller_of(call), legs["bob"])]
    assert {*s.clears()} == {legs[name] for name in FIVE if name != "bob"}
    assert s.ringing(call) == ["bob"]
    assert blameless(s, "ann", "dan", "eve", "fay")


def test_one_is_talking_already_when_the_link_is_back(s):
    call = s.waiting("sales")
    legs = {name: s.offered_leg(name) for name in FIVE}
    s.established(legs["dan"])
    s.link_lost()
    s.link_up(
        s.seen(s.caller_of(call), bridged_to=legs["dan"]),
        *(s.seen(legs[name], bridged_to=s.caller_of(call) if name == "dan" else None) for name in FIVE),
    )
    assert s.state("dan") is AgentState.BUSY
    assert {*s.clears()} == {legs[name] for name in FIVE if name != "dan"}
    assert s.figures("sales").answered == 1


def test_all_leases_end_while_the_link_is_down(s):
    call = s.waiting("sales")
    s.link_lost()
    s.advance(30)
    assert blameless(s, *FIVE)
    s.link_up(s.seen(s.caller_of(call)))
    assert sorted(s.ringing(call)) == sorted(FIVE)


def test_a_snapshot_of_a_link_that_is_up_finds_the_caller_gone(s):
    call, other = s.waiting("sales"), s.waiting("sales")
    legs = [s.offered_leg(name) for name in FIVE]
    s.snapshot(s.seen(s.caller_of(other)), *(s.seen(leg) for leg in legs))
    assert set(legs) <= set(s.clears())
    assert sorted(s.ringing(other)) == sorted(FIVE)
    assert s.figures("sales").lost == 1
    assert s.interaction(call).state is InteractionState.LOST
