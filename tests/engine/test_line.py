"""Waiting calls: their order, where they overflow to, and how they are counted."""

from __future__ import annotations

import pytest

from cti.errors import InvalidConnection
from cti.model import events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Disconnect, ToDestination, ToQueue
from cti.model.states import AgentState, InteractionState

from .story import FS, Story


@pytest.fixture
def s() -> Story:
    """Two queues, and one agent who is not ready."""
    story = Story()
    story.queue("sales")
    story.queue("loans", requires={"loans": 2})
    story.agent("ann", ready=False, skills={"loans": 2})
    return story


# -- in ---------------------------------------------------------------------------------------------------------------


def test_a_call_that_comes_in_is_told_of(s):
    call = s.call("5000")
    (event,) = s.events(events.Offered)
    assert (event.interaction, event.called_number, event.cause) == (call, "5000", Cause.NEW_CALL)
    s.hang_up(call)
    assert [e.state for e in s.events(events.CallCleared)] == ["cleared"]
    assert s.events(events.Abandoned) == []  # it waited for nobody


def test_a_caller_is_kept_while_they_wait_and_let_go_once_they_talk(s):
    call = s.waiting("sales")
    assert s.wanted(intents.KeepCaller) == [intents.KeepCaller(FS, s.caller_of(call), keep=True)]
    s.ready("ann")
    s.take("ann")
    assert s.wanted(intents.KeepCaller) == [intents.KeepCaller(FS, s.caller_of(call), keep=False)]


@pytest.mark.parametrize("established", [False, True])
def test_entering_a_queue_answers_and_plays_music(s, established):
    call = s.call(established=established)
    s.enqueue(call, "sales", priority=3, account="17")
    assert len(s.wanted(intents.AnswerConnection)) == (0 if established else 1)
    assert len(s.wanted(intents.StartTreatment)) == 1
    tags = {"cti_interaction": call, "cti_queue": "sales", "cti_priority": "3", "cti_queued_at": f"{s.now:.6f}"}
    assert s.wanted(intents.TagConnection) == [intents.TagConnection(FS, s.caller_of(call), tags)]
    (event,) = s.events(events.Queued)
    assert (event.queue, event.position, event.cause) == ("sales", 1, Cause.ENTERING_DISTRIBUTION)
    assert event.data == {"account": "17"}


def test_the_agents_phone_is_rung_before_the_caller_is_answered(s):
    s.ready("ann")
    s.waiting("sales")
    wanted = [type(i).__name__ for i in s.last if isinstance(i, intents.SwitchIntent)]
    assert wanted == ["OfferCall", "AnswerConnection", "KeepCaller", "StartTreatment", "TagConnection"]


def test_a_silent_queue_plays_nothing(s):
    s.queue("silent", music="")
    s.waiting("silent")
    assert s.wanted(intents.StartTreatment) == []


def test_music_of_another_queue_replaces_what_plays(s):
    call = s.waiting("sales")
    s.enqueue(call, "loans")
    assert [i.replace for i in s.intents if isinstance(i, intents.StartTreatment)] == [False, True]


def test_attached_data_travels_with_the_call(s):
    call = s.call()
    s.tell(facts.DataAttached(call, {"account": "17", "tier": "gold"}))
    s.tell(facts.DataAttached(call, {"tier": None, "never": None}))
    s.enqueue(call, "sales", language="en")
    s.ready("ann")
    s.take("ann")
    (event,) = s.events(events.Established)
    assert event.data == {"account": "17", "language": "en"}
    assert (event.agent, event.queue) == ("ann", "sales")


def test_what_an_event_says_does_not_change_later(s):
    call = s.call()
    s.tell(facts.DataAttached(call, {"account": "17"}))
    s.enqueue(call, "sales")
    s.tell(facts.DataAttached(call, {"account": "18"}))
    (event,) = s.events(events.Queued)
    assert event.data == {"account": "17"}


# -- who is next ------------------------------------------------------------------------------------------------------


def test_priority_first_then_age(s):
    calls = [s.waiting("sales", priority) for priority in (0, 2, 1, 2, 0)]
    order = [calls[1], calls[3], calls[2], calls[0], calls[4]]
    assert s.waits("sales") == order
    s.ready("ann")
    for call in order:
        assert s.reservation("ann").interaction == call
        leg = s.take("ann")
        s.hang_up(call)
        s.cleared(leg)


def test_a_queues_priority_is_added_to_the_calls_own(s):
    s.queue("vip", priority=2)
    first, second, third = s.waiting("sales", 1), s.waiting("vip"), s.waiting("sales", 3)
    s.ready("ann")
    assert s.reservation("ann").interaction == third
    s.hang_up(third)
    assert s.reservation("ann").interaction == second
    s.hang_up(second)
    assert s.reservation("ann").interaction == first


def test_nobody_of_equal_priority_is_overtaken_after_a_failed_offer(s):
    s.ready("ann")
    first, second = s.waiting("sales"), s.waiting("sales")
    s.agent("bob", ready=False)
    s.delivered(s.offered_leg("ann"))
    s.advance(5)
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    third = s.waiting("sales")
    assert s.waits("sales") == [first, second, third]
    s.ready("bob")
    assert s.reservation("bob").interaction == first


def test_a_call_in_the_queue_an_agent_cannot_serve_is_passed_by(s):
    s.waiting("loans")
    second = s.waiting("sales")
    s.agent("bob")
    assert s.reservation("bob").interaction == second


def test_the_one_who_is_longest_without_a_call_is_offered_the_next(s):
    s.ready("ann")
    s.advance(1)
    s.agent("bob")
    assert s.talking("ann", "sales")
    s.advance(100)
    s.cleared(s.world.agents[AgentId("ann")].connection)
    call = s.waiting("sales")
    assert s.reservation("bob").interaction == call


def test_an_agent_is_offered_one_call_at_a_time(s):
    s.ready("ann")
    for _ in range(5):
        s.waiting("sales")
    assert len(s.offers()) == 1
    assert len(s.waits("sales")) == 4


# -- moved and sent on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", [False, True])
def test_a_script_moves_its_call_to_another_queue(s, offered):
    call = s.waiting("sales")
    s.advance(10)
    if offered:
        s.ready("ann")
        s.delivered(s.offered_leg("ann"))
    s.enqueue(call, "loans")
    assert s.interaction(call).queued_at == 0
    sales, loans = s.figures("sales"), s.figures("loans")
    assert (sales.offered, sales.left, sales.waiting) == (1, 1, 0)
    assert (loans.offered, loans.waiting) == (1, 1)
    if offered:
        assert s.reservation("ann").interaction == call
        assert [i.queue for i in s.intents if isinstance(i, intents.OfferCall)] == [
            "sales",
            "loans",
        ]


def test_a_call_that_is_moved_during_an_offer_is_not_overtaken(s):
    s.ready("ann")
    old, young = s.waiting("sales"), s.waiting("sales")
    assert s.reservation("ann").interaction == old
    s.enqueue(old, "loans")
    assert s.reservation("ann").interaction == old
    assert s.waits("sales") == [young]


def test_a_call_that_is_moved_keeps_its_age(s):
    old = s.waiting("sales")
    s.advance(10)
    young = s.waiting("loans")
    s.enqueue(old, "loans")
    assert s.waits("loans") == [old, young]


@pytest.mark.parametrize("where", ["offered", "queued", "delivered"])
def test_a_script_diverts_its_call(s, where):
    call = s.call()
    caller = s.caller_of(call)
    if where != "offered":
        s.enqueue(call, "sales")
    if where == "delivered":
        s.ready("ann")
        s.delivered(s.offered_leg("ann"))
    s.divert(call, "ivr")
    assert s.wanted(intents.DivertConnection) == [intents.DivertConnection(FS, caller, "ivr")]
    assert s.figures("sales").left == (0 if where == "offered" else 1)
    assert caller not in s.world.connections
    for leg in s.clears():
        s.cleared(leg)
    assert [e.state for e in s.events(events.CallCleared)] == ["diverted"]
    assert not s.world.interactions


@pytest.mark.parametrize("where", ["offered", "queued", "delivered", "established"])
def test_a_script_ends_its_call(s, where):
    call = s.call()
    caller = s.caller_of(call)
    if where != "offered":
        s.enqueue(call, "sales")
    if where in ("delivered", "established"):
        s.ready("ann")
        s.delivered(s.offered_leg("ann"))
    if where == "established":
        s.take("ann")
    s.clear(call)
    legs = s.clears()
    assert caller in legs
    assert len(legs) == len(set(legs)) == len(s.interaction(call).connections)
    s.clear(call)
    assert s.last == []
    for leg in legs:
        s.cleared(leg)
    assert [e.state for e in s.events(events.CallCleared)] == ["cleared"]
    assert s.figures("sales").left == (1 if where in ("queued", "delivered") else 0)
    s.clear(call)
    assert s.last == []


@pytest.mark.parametrize("request_", [Story.enqueue, Story.divert], ids=["queue", "divert"])
@pytest.mark.parametrize("where", ["established", "clearing"])
def test_a_call_with_an_agent_or_on_its_way_out_can_be_neither_queued_nor_diverted(s, request_, where):
    s.ready("ann")
    call = s.talking("ann", "sales")
    if where == "clearing":
        s.clear(call)
    before = s.picture()
    with pytest.raises(InvalidConnection, match=f"call {call} is (established|cleared); only a call without an agent"):
        request_(s, call, "sales")
    assert s.picture() == before


# -- the maximum wait -------------------------------------------------------------------------------------------------


def test_overflow_to_another_queue(s):
    s.queue("third", requires={"none": 1}, max_wait_s=30, overflow=ToQueue(QueueId("sales")))
    s.advance(100)
    first = s.waiting("third")
    s.advance(10)
    second = s.waiting("sales")
    s.advance(20)
    assert s.waits("sales") == [first, second]  # it keeps its age
    assert s.interaction(first).queued_at == 100
    assert [(e.to_queue, e.cause) for e in s.events(events.Diverted)] == [("sales", Cause.QUEUE_TIME_OVERFLOW)]
    queued = [e for e in s.events(events.Queued) if e.cause is Cause.OVERFLOW]
    assert [(e.queue, e.position) for e in queued] == [("sales", 1)]
    third, sales = s.figures("third"), s.figures("sales")
    assert (third.offered, third.overflowed, third.waiting) == (1, 1, 0)
    assert (sales.offered, sales.waiting) == (2, 2)
    s.advance(3600)
    assert s.waits("sales") == [first, second]  # which has no maximum


def test_overflow_keeps_the_priority_the_call_has_of_its_own(s):
    s.queue("third", requires={"none": 1}, priority=5, max_wait_s=30, overflow=ToQueue(QueueId("sales")))
    call = s.waiting("third", 2)
    assert s.interaction(call).priority == 7
    s.advance(30)
    assert s.interaction(call).priority == 2


def test_overflow_to_an_agent_who_is_ready(s):
    s.queue("third", requires={"none": 1}, max_wait_s=30, overflow=ToQueue(QueueId("loans")))
    s.ready("ann")
    call = s.waiting("third")
    s.advance(30)
    assert s.reservation("ann").interaction == call


def test_overflow_to_a_destination(s):
    s.queue("sales", max_wait_s=30, overflow=ToDestination("voicemail"))
    call = s.waiting("sales")
    caller = s.caller_of(call)
    s.advance(30)
    assert s.wanted(intents.DivertConnection) == [intents.DivertConnection(FS, caller, "voicemail")]
    assert [e.state for e in s.events(events.CallCleared)] == ["diverted"]
    assert s.figures("sales").overflowed == 1
    assert not s.world.connections
    s.cleared(caller)
    assert s.last == []


def test_overflow_disconnects(s):
    s.queue("sales", max_wait_s=30, overflow=Disconnect())
    call = s.waiting("sales")
    s.advance(30)
    assert s.clears() == [s.caller_of(call)]
    assert s.figures("sales").overflowed == 1
    s.hang_up(call)
    assert s.events(events.Abandoned) == []
    assert [e.state for e in s.events(events.CallCleared)] == ["cleared"]
    assert s.figures("sales").abandoned == 0


def test_the_maximum_counts_from_entering_this_queue(s):
    s.queue("fourth", requires={"none": 1}, max_wait_s=20)
    s.queue("third", requires={"none": 1}, max_wait_s=30, overflow=ToQueue(QueueId("fourth")))
    call = s.waiting("third")
    s.advance(49)
    assert s.interaction(call).state is InteractionState.QUEUED
    s.advance(1)
    assert s.interaction(call).state is InteractionState.CLEARED


@pytest.mark.parametrize("ending", ["answered", "abandoned", "moved", "diverted", "cleared"])
def test_no_timer_is_left_of_a_wait_that_is_over(s, ending):
    s.queue("sales", max_wait_s=30)
    call = s.waiting("sales")
    match ending:
        case "answered":
            s.ready("ann")
            s.take("ann")
        case "abandoned":
            s.hang_up(call)
        case "moved":
            s.enqueue(call, "loans")
        case "diverted":
            s.divert(call, "ivr")
        case "cleared":
            s.clear(call)
    assert [t for t in s.timers if t.kind == "wait"] == []
    assert ("wait", call) not in s.world.timers._running


# -- figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_a_day(s):
    s.queue("sales", service_level_s=20, short_abandon_s=5)
    s.agent("bob", ready=False)
    short = s.waiting("sales")
    s.advance(4)
    s.hang_up(short)
    long = s.waiting("sales")
    s.advance(6)
    s.hang_up(long)
    in_time, late = s.waiting("sales"), s.waiting("sales")
    s.advance(20)
    s.ready("ann")
    s.take("ann")
    s.advance(10)
    s.ready("bob")
    s.take("bob")
    s.waiting("sales")
    figures = s.figures("sales")
    assert (figures.offered, figures.answered, figures.abandoned, figures.waiting) == (5, 2, 2, 1)
    assert (figures.answered_in_time, figures.short_abandoned) == (1, 1)
    assert figures.service_level == 0.5
    assert figures.asa_s == 25
    assert figures.longest_wait_s == 30
    assert [(e.interaction, e.waited_s) for e in s.events(events.Abandoned)] == [(short, 4), (long, 6)]
    assert [(e.interaction, e.waited_s) for e in s.events(events.Established)] == [(in_time, 20), (late, 30)]


def test_an_offer_that_comes_to_nothing_is_no_call_more(s):
    s.ready("ann")
    s.waiting("sales")
    for _ in range(3):
        s.failed(s.offered_leg("ann"), Cause.BUSY)
        s.advance(10)
    figures = s.figures("sales")
    assert (figures.offered, figures.waiting) == (1, 1)
    assert len(s.offers()) == 4


def test_a_queue_defined_again_keeps_its_figures(s):
    s.waiting("sales")
    s.queue("sales", priority=1)
    assert s.figures("sales").offered == 1


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["caller", "agent"])
def test_a_call_is_cleared_once_after_all_its_legs(s, first):
    s.ready("ann")
    call = s.talking("ann", "sales")
    caller, leg = s.caller_of(call), s.world.agents[AgentId("ann")].connection
    one, other = (caller, leg) if first == "caller" else (leg, caller)
    s.cleared(one)
    assert s.clears() == [other]
    assert s.events(events.CallCleared) == []
    s.cleared(other)
    names = [type(e).__name__ for e in s.events(events.CallEvent, last=True)]
    assert names == ["ConnectionCleared", "CallCleared"]
    assert [e.side for e in s.events(events.ConnectionCleared)] == [first, "agent" if first == "caller" else "caller"]
    assert s.state("ann") is AgentState.READY


def test_the_switchs_own_cause_is_kept_beside_ours(s):
    call = s.call()
    s.tell(facts.ConnectionCleared(FS, s.caller_of(call), Cause.NORMAL_CLEARING, "ORIGINATOR_CANCEL"))
    (event,) = s.events(events.ConnectionCleared)
    assert (event.cause, event.switch_cause) == (Cause.NORMAL_CLEARING, "ORIGINATOR_CANCEL")


def test_hold_is_a_matter_of_the_leg(s):
    s.ready("ann")
    call = s.talking("ann", "sales")
    leg = s.world.agents[AgentId("ann")].connection
    s.tell(facts.Held(FS, leg))
    assert s.leg(leg).state.value == "hold"
    assert s.state("ann") is AgentState.BUSY
    s.tell(facts.Retrieved(FS, leg))
    assert s.leg(leg).state.value == "connected"
    assert s.interaction(call).state is InteractionState.ESTABLISHED
