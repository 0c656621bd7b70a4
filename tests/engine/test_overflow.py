"""Overflow: for every reason to every kind of target, as a call comes and later; and service levels, counted once."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError, UnknownQueue
from cti.model import events, facts, intents
from cti.model.borrowing import Borrowing
from cti.model.cause import Cause
from cti.model.ids import AgentId, QueueId
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToQueue, ToScript, ToVoicemail
from cti.model.states import AgentState, ConnectionState, InteractionState
from cti.model.widening import Widening

from .story import FS, Story

SALES, NEXT = QueueId("sales"), QueueId("next")
TARGETS = [ToQueue(NEXT), ToDestination("9138"), ToVoicemail("1000", "example.org"), ToScript("callback"), Disconnect()]
CAUSES = {
    "wait": Cause.QUEUE_TIME_OVERFLOW,
    "expected wait": Cause.QUEUE_TIME_OVERFLOW,
    "length": Cause.CAPACITY_OVERFLOW,
    "unstaffed": Cause.NO_AVAILABLE_AGENTS,
}


@pytest.fixture
def s() -> Story:
    """A queue to overflow to."""
    story = Story()
    story.queue("next")
    return story


def sales_knows_its_handling_time(s: Story, seconds: float) -> None:
    """Ann, who alone serves sales, has a call of so many seconds behind her, and is on the next."""
    s.agent("ann", skills={"sales": 1})
    s.talking("ann", "sales")
    s.advance(seconds)
    s.ends("ann")
    assert s.figures("sales").aht_s == seconds
    s.talking("ann", "sales")


def overflowing(s: Story, reason: str, target: Overflow) -> object:
    """A call that overflows for this reason."""
    match reason:
        case "wait":
            s.queue("sales", requires="sales", max_wait_s=10, overflow=target)
            call = s.waiting("sales")
            s.advance(10)
        case "length":
            s.queue("sales", requires="sales", max_waiting=1, overflow=target)
            s.waiting("sales")
            call = s.waiting("sales")
        case "expected wait":
            s.queue("sales", requires="sales", max_expected_wait_s=50, overflow=target)
            sales_knows_its_handling_time(s, 60)
            call = s.waiting("sales")
        case "unstaffed as it comes":
            s.queue("sales", requires="sales", overflow_unstaffed=True, overflow=target)
            call = s.waiting("sales")
        case "unstaffed later":
            s.queue("sales", requires="sales", overflow_unstaffed=True, overflow=target)
            s.agent("ann", ready=False, skills={"sales": 1})
            call = s.waiting("sales")
            s.log_off("ann")
    return call


REASONS = ["wait", "length", "expected wait", "unstaffed as it comes", "unstaffed later"]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
@pytest.mark.parametrize("reason", REASONS)
def test_for_every_reason_to_every_target(s, reason, target):
    call = overflowing(s, reason, target)
    assert s.figures("sales").overflowed == 1
    cause = CAUSES[reason.removesuffix(" as it comes").removesuffix(" later")]
    told = s.events(events.Diverted)
    if not isinstance(target, Disconnect):
        assert [(e.interaction, e.queue, e.cause) for e in told] == [(call, "sales", cause)]
    match target:
        case ToQueue():
            assert s.waits("next") == [call]
            assert s.interaction(call).queue == "next"
            assert s.figures("next").offered == 1
        case ToDestination():
            assert [i.destination for i in s.intents if isinstance(i, intents.DivertConnection)] == ["9138"]
        case ToVoicemail():
            [left] = [i for i in s.intents if isinstance(i, intents.LeaveMessage)]
            assert (left.mailbox, left.domain) == ("1000", "example.org")
        case ToScript():
            assert told[0].to_script == "callback"
            assert s.interaction(call).state is InteractionState.OFFERED
            assert s.interaction(call).queue is None
        case Disconnect():
            assert told == []
            assert s.clears() == [s.caller_of(call)]
    if isinstance(target, ToDestination | ToVoicemail):
        assert [(e.interaction, e.state) for e in s.events(events.CallCleared)][-1] == (call, "diverted")
        assert call not in s.world.interactions
    kinds = {(timer.kind, timer.key) for timer in s.timers}
    assert not {("wait", call), ("late", call), ("route", call), ("personal", call)} & kinds


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_may_have_a_target_of_its_own(s, reason):
    plain = reason.removesuffix(" as it comes").removesuffix(" later")
    overflowing(s, reason, ToDestination("for all"))
    assert [e.destination for e in s.events(events.Diverted)] == ["for all"]
    s = Story()
    s.queue("next")
    settings = {"overflow": ToDestination("for all"), "overflows": {plain: ToDestination("of its own")}}
    s.queue("sales", requires="sales", **settings)
    limits = {"wait": {"max_wait_s": 1}, "length": {"max_waiting": 1}, "unstaffed": {"overflow_unstaffed": True}}
    if plain in limits:
        s.waiting("sales")
        s.queue("sales", requires="sales", **limits[plain], **settings)
        s.waiting("sales")
        s.advance(1)
        assert {e.destination for e in s.events(events.Diverted)} == {"of its own"}


# -- length -----------------------------------------------------------------------------------------------------------


def test_calls_that_are_being_offered_count_as_waiting(s):
    s.queue("sales", max_waiting=2, overflow=ToQueue(NEXT))
    s.agent("ann")
    s.waiting("sales")
    s.waiting("sales")
    third = s.waiting("sales")
    assert s.interaction(third).queue == "next"
    s.take("ann")
    fourth = s.waiting("sales")
    assert s.interaction(fourth).queue == "sales"


def test_a_call_that_is_refused_as_it_comes_is_not_answered_for_it(s):
    """What it hears and whether it is answered is for the place where it goes."""
    s.queue("sales", overflow_unstaffed=True, overflow=ToScript("callback"))
    call = s.call()
    s.enqueue(call, "sales")
    assert s.wanted(intents.AnswerConnection) == s.wanted(intents.StartTreatment) == []
    assert s.leg(s.caller_of(call)).state is not ConnectionState.CONNECTED
    assert s.interaction(call).queued_at is None


def test_a_chain_of_queues(s):
    s.queue("third", max_waiting=1, overflow=ToDestination("end"))
    s.queue("second", max_waiting=1, overflow=ToQueue(QueueId("third")))
    s.queue("sales", max_waiting=1, overflow=ToQueue(QueueId("second")))
    calls = [s.waiting("sales") for _ in range(4)]
    assert [s.interaction(call).queue for call in calls[:3]] == ["sales", "second", "third"]
    assert s.is_over(calls[3])
    assert [(e.queue, e.to_queue or e.destination) for e in s.events(events.Diverted) if e.interaction == calls[3]] == [
        ("sales", "second"),
        ("second", "third"),
        ("third", "end"),
    ]
    assert [s.figures(name).overflowed for name in ("sales", "second", "third")] == [3, 2, 1]
    assert [s.figures(name).offered for name in ("sales", "second", "third")] == [4, 3, 2]


def test_a_chain_over_time_keeps_the_age(s):
    s.queue("third", requires="none", max_wait_s=10, overflow=ToQueue(NEXT))
    s.queue("sales", requires="none", max_wait_s=10, overflow=ToQueue(QueueId("third")))
    call = s.waiting("sales")
    s.advance(5)
    young = s.waiting("next")
    s.advance(15)
    assert s.waits("next") == [call, young]
    assert s.interaction(call).waited_s(s.now) == 20


def test_a_maximum_wait_that_was_over_in_one_queue_is_not_in_the_next(s):
    s.queue("sales", max_wait_s=10, overflow=ToQueue(NEXT))
    s.queue("next", max_wait_s=100)
    s.agent("ann")
    call = s.waiting("sales")
    s.advance(10)  # the offer is let finish
    s.agent("bob")
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert (s.interaction(call).queue, s.ringing(call)) == ("next", ["bob"])
    s.failed(s.offered_leg("bob"), Cause.CALL_CANCELLED)
    assert s.waits("next") == [call]


def test_circles_are_refused(s):
    s.queue("b", overflow=ToQueue(NEXT))
    s.queue("a", overflow=ToQueue(QueueId("b")))
    before = s.picture()
    with pytest.raises(ConfigurationError, match="overflow goes in a circle: next -> a -> b -> next"):
        s.queue("next", overflows={"unstaffed": ToQueue(QueueId("a"))})
    with pytest.raises(ConfigurationError, match="overflows to itself"):
        s.queue("next", overflow=ToQueue(NEXT))
    with pytest.raises(UnknownQueue, match="did you mean 'next'"):
        s.queue("next", overflows={"length": ToQueue(QueueId("nexxt"))})
    assert s.picture() == before


# -- the expected wait ------------------------------------------------------------------------------------------------


def test_an_expected_wait_that_is_not_known_is_short(s):
    s.queue("sales", max_expected_wait_s=0, overflow=ToQueue(NEXT))
    calls = [s.waiting("sales") for _ in range(3)]
    assert s.waits("sales") == calls  # nobody is there, and no call has been handled yet
    s.agent("ann")
    assert s.figures("sales").overflowed == 0


def test_a_call_for_which_an_agent_is_ready_has_nothing_to_expect(s):
    s.queue("sales", requires="sales", max_expected_wait_s=50, overflow=ToQueue(NEXT))
    sales_knows_its_handling_time(s, 300)
    s.agent("bob", skills={"sales": 1})
    s.agent("dan", skills={"sales": 1})
    first, second, third = (s.waiting("sales") for _ in range(3))
    assert (s.ringing(first), s.ringing(second)) == (["bob"], ["dan"])  # while the first still rings
    assert s.interaction(third).queue == "next"


def test_the_first_to_wait_has_to_expect_a_wait_too(s):
    s.queue("sales", requires="sales", max_expected_wait_s=50, overflow=ToQueue(NEXT))
    sales_knows_its_handling_time(s, 60)
    assert s.interaction(s.waiting("sales")).queue == "next"
    s.agent("bob", ready=False, skills={"sales": 1})  # two of them: half the wait
    assert s.interaction(s.waiting("sales")).queue == "sales"
    assert s.interaction(s.waiting("sales")).queue == "next"


def test_how_far_it_had_been_widened_in_another_queue_does_not_count(s):
    s.queue(
        "sales",
        requires="sales",
        widening=Widening(600, requires="help"),
        max_expected_wait_s=50,
        overflow=ToQueue(NEXT),
    )
    sales_knows_its_handling_time(s, 60)
    s.queue("first", requires="none", widening=Widening(1, requires="nobody"))
    call = s.waiting("first")
    s.advance(2)
    s.agent("bob", skills={"help": 1})  # for sales in ten minutes, and not before
    s.enqueue(call, "sales")
    assert s.interaction(call).queue == "next"


# -- unstaffed --------------------------------------------------------------------------------------------------------


def unstaffed(s: Story, **settings: object) -> None:
    s.queue("sales", requires="sales", overflow_unstaffed=True, overflow=ToDestination("closed"), **settings)


def gone(s: Story) -> list[object]:
    return [e.interaction for e in s.events(events.Diverted) if e.destination == "closed"]


def test_an_agent_who_is_not_ready_is_there_all_the_same(s):
    unstaffed(s)
    s.agent("ann", ready=False, skills={"sales": 1})
    s.waiting("sales")
    assert gone(s) == []


def test_all_who_wait_go_when_the_last_one_logs_off(s):
    unstaffed(s)
    for name in ("ann", "bob"):
        s.agent(name, ready=False, skills={"sales": 1})
    calls = [s.waiting("sales") for _ in range(3)]
    s.log_off("ann")
    assert gone(s) == []
    s.log_off("bob")
    assert gone(s) == calls
    assert (s.figures("sales").overflowed, s.figures("sales").waiting) == (3, 0)


def test_they_go_when_the_last_one_loses_the_skill(s):
    unstaffed(s)
    s.agent("ann", ready=False, skills={"sales": 1})
    call = s.waiting("sales")
    s.agent("ann", skills={"sales": 0}, logged_on=False)
    assert gone(s) == [call]


def test_they_go_when_the_last_one_is_removed(s):
    unstaffed(s)
    s.agent("ann", ready=False, skills={"sales": 1})
    call = s.waiting("sales")
    s.tell(facts.AgentRemoved(AgentId("ann")))
    assert gone(s) == [call]


def test_they_go_when_the_queue_asks_for_more(s):
    unstaffed(s)
    s.agent("ann", ready=False, skills={"sales": 1})
    call = s.waiting("sales")
    s.queue("sales", requires="sales >= 2", overflow_unstaffed=True, overflow=ToDestination("closed"))
    assert gone(s) == [call]


def test_they_go_when_the_queue_they_are_widened_to_asks_for_more(s):
    s.queue("helpers", requires="help")
    unstaffed(s, widening=(Widening(60, also=(QueueId("helpers"),)),))
    s.agent("ann", ready=False, skills={"help": 1})
    call = s.waiting("sales")
    assert gone(s) == []  # she may be offered it, in a minute
    s.queue("helpers", requires="help >= 2")
    assert gone(s) == [call]


def test_they_go_when_the_queue_begins_to_mind(s):
    s.queue("sales", requires="sales")
    call = s.waiting("sales")
    unstaffed(s)
    assert gone(s) == [call]


@pytest.mark.parametrize("ringing", [False, True])
def test_the_last_one_logs_off_while_being_offered_a_call(s, ringing):
    unstaffed(s)
    s.agent("ann", skills={"sales": 1})
    offered, other = s.waiting("sales"), s.waiting("sales")
    if ringing:
        s.delivered(s.offered_leg("ann"))
    s.log_off("ann")
    assert sorted(gone(s)) == sorted([offered, other])
    assert (s.figures("sales").overflowed, s.figures("sales").waiting) == (2, 0)


def test_the_last_one_loses_the_skill_while_being_offered_a_call(s):
    """The call in hand goes on; if nothing comes of it, nobody is there any more."""
    unstaffed(s)
    s.agent("ann", skills={"sales": 1})
    call = s.waiting("sales")
    s.agent("ann", skills={}, logged_on=False)
    assert s.ringing(call) == ["ann"]
    s.failed(s.offered_leg("ann"), Cause.CALL_CANCELLED)
    assert gone(s) == [call]


def test_the_last_two_log_off_while_both_ring(s):
    unstaffed(s, strategy="ring-all")
    for name in ("ann", "bob"):
        s.agent(name, skills={"sales": 1})
    call = s.waiting("sales")
    s.log_off("ann")
    assert s.ringing(call) == ["bob"]
    s.log_off("bob")
    assert gone(s) == [call]


def test_the_last_one_logs_off_after_the_call(s):
    unstaffed(s)
    s.agent("ann", skills={"sales": 1})
    s.talking("ann", "sales")
    call = s.waiting("sales")
    s.log_off("ann")
    assert gone(s) == []
    s.ends("ann")
    assert gone(s) == [call]


@pytest.mark.parametrize("reason", ["unstaffed", "wait"])
def test_while_the_link_is_down_nothing_is_asked_of_the_switch(s, reason):
    """A caller who was sent elsewhere then would be told so and stay where they are."""
    unstaffed(s, max_wait_s=10)
    s.agent("ann", skills={"sales": 1})
    call = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    if reason == "wait":
        s.advance(10)  # the offer is let finish
    s.link_lost()
    if reason == "wait":
        s.advance(10)  # the lease
    else:
        s.log_off("ann")
    assert gone(s) == []
    assert s.interaction(call).state is InteractionState.QUEUED
    s.link_up(s.seen(s.caller_of(call)))
    s.advance(2)
    assert gone(s) == [call]
    assert s.figures("sales").overflowed == 1


# -- to a script ------------------------------------------------------------------------------------------------------


def test_a_script_that_gets_its_call_back_may_queue_it_again_in_its_place(s):
    s.queue("sales", requires="none", max_wait_s=10, overflow=ToScript("callback"))
    call = s.call(established=True)
    s.enqueue(call, "sales", 2)
    s.advance(5)
    young = s.waiting("next", 2)
    s.advance(5)
    [diverted] = s.events(events.Diverted)
    assert (diverted.to_script, diverted.queue) == ("callback", "sales")
    assert s.wanted(intents.StopTreatment) == [intents.StopTreatment(FS, s.caller_of(call))]
    assert s.leg(s.caller_of(call)).state is ConnectionState.CONNECTED
    s.enqueue(call, "next", 2)
    assert s.waits("next") == [call, young]
    assert [i.replace for i in s.wanted(intents.StartTreatment)] == [False]


def test_a_call_whose_time_is_up_while_the_link_is_down_goes_to_its_script_unanswered(s):
    s.queue("sales", requires="none", max_wait_s=10, overflow=ToScript("callback"))
    call = s.waiting("sales")
    s.link_lost()
    s.advance(12)
    assert s.interaction(call).state is InteractionState.QUEUED
    s.link_up(s.seen(s.caller_of(call)))
    s.advance(2)
    assert [each.to_script for each in s.events(events.Diverted)] == ["callback"]
    assert s.interaction(call).queue is None
    assert s.wanted(intents.AnswerConnection) == [], "which is for the script to do"


def test_a_caller_who_hangs_up_in_the_script_has_not_abandoned(s):
    s.queue("sales", requires="none", max_wait_s=10, overflow=ToScript("callback"))
    call = s.waiting("sales")
    s.advance(10)
    s.hang_up(call)
    assert s.events(events.Abandoned) == []
    assert [e.state for e in s.events(events.CallCleared)] == ["cleared"]
    assert (s.figures("sales").overflowed, s.figures("sales").abandoned) == (1, 0)


def test_a_script_may_send_its_call_to_another(s):
    call = s.waiting("next")
    s.divert(call, ToScript("survey"))
    assert [e.to_script for e in s.events(events.Diverted)] == ["survey"]
    assert (s.figures("next").left, s.figures("next").overflowed) == (1, 0)


# -- handling times ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrap_up_s", "then", "aht_s"),
    [(0, "nothing", 60), (30, "nothing", 90), (30, "ready", 70), (30, "log off", 70), (30, "removed", 70)],
)
def test_the_handling_time_is_talk_and_wrap_up(s, wrap_up_s, then, aht_s):
    s.queue("sales", wrap_up_s=wrap_up_s)
    s.agent("ann")
    s.talking("ann", "sales")
    s.advance(60)
    s.ends("ann")
    assert s.figures("sales").handled == (0 if wrap_up_s else 1)
    s.advance(10)
    match then:
        case "ready":
            s.ready("ann")
        case "log off":
            s.log_off("ann")
        case "removed":
            s.tell(facts.AgentRemoved(AgentId("ann")))
    s.advance(50)
    figures = s.figures("sales")
    assert (figures.handled, figures.aht_s) == (1, aht_s)


def test_the_handling_time_counts_for_the_queue_the_call_was_answered_in(s):
    s.queue("sales", requires="none", max_wait_s=10, overflow=ToQueue(NEXT))
    s.agent("ann")
    s.waiting("sales")
    s.advance(10)
    s.take("ann")
    s.advance(20)
    s.ends("ann")
    assert (s.figures("next").aht_s, s.figures("sales").aht_s) == (20, None)


# -- the service level, once a call -----------------------------------------------------------------------------------


def levels(s: Story, queue: str = "sales") -> list[bool]:
    return list(s.world.queues[QueueId(queue)].recent._last)


@pytest.fixture(params=["nobody", "a target", "a borrower", "a lender"])
def level(request, s):
    """A queue whose service level somebody looks at while calls wait, or nobody does."""
    settings = {}
    match request.param:
        case "a target":
            settings = {"service_level_target": 0.8}
        case "a borrower":
            settings = {"borrows": Borrowing(lenders=("next",))}
    s.queue("sales", requires="sales", max_wait_s=100, overflow=ToQueue(NEXT), **settings)
    if request.param == "a lender":
        s.queue("poor", requires="poor", borrows=Borrowing(lenders=("sales",)))
    s.agent("ann", ready=False, skills={"sales": 1})
    return request.param


def test_a_late_call_is_counted_once_whatever_becomes_of_it(s, level):
    at_once = [False] if level != "nobody" else []
    answered = s.waiting("sales")
    s.advance(20.5)
    assert levels(s) == at_once
    s.ready("ann")
    s.take("ann")
    assert levels(s) == [False]
    s.waiting("sales")
    s.advance(21)
    s.hang_up(list(s.world.interactions)[-1])
    assert levels(s) == [False, False]
    in_time = s.waiting("sales")
    s.ends("ann")
    s.take("ann")
    assert s.interaction(in_time).agent == "ann"
    assert levels(s) == [False, False, True]
    soon = s.waiting("sales")
    s.advance(20)
    s.hang_up(soon)
    assert levels(s)[:3] == [False, False, True]
    assert s.figures("sales").answered_in_time == 1
    assert answered not in s.world.interactions
    assert [t.kind for t in s.timers] == []


def test_a_call_that_overflows_late_is_late_in_both_queues(s):
    s.queue("next", service_level_target=0.8)
    s.queue("sales", requires="none", max_wait_s=30, overflow=ToQueue(NEXT), service_level_target=0.8)
    s.waiting("sales")
    s.advance(30)
    assert levels(s) == [False]
    s.advance(0)
    assert levels(s, "next") == [False]
    s.agent("ann")
    s.take("ann")
    assert levels(s, "next") == [False]


def test_a_borrower_gets_help_as_soon_as_a_call_is_late(s):
    """Nobody answered and nobody hung up: the time alone makes the level fall."""
    s.queue("helpers", requires="help")
    s.queue("sales", requires="sales", borrows=Borrowing(lenders=("helpers",)))
    s.agent("ann", skills={"help": 1})
    call = s.waiting("sales")
    s.advance(19.9)
    assert s.ringing(call) == []
    s.advance(0.1)
    assert s.ringing(call) == ["ann"]


def test_a_lender_stops_lending_as_soon_as_its_own_calls_are_late(s):
    s.queue("helpers", requires="help and not trainee")
    s.queue("sales", requires="sales", borrows=Borrowing(lenders=("helpers",)))
    s.waiting("sales")
    s.advance(20)
    assert s.world.router.borrowing() == {"sales": ("helpers",)}
    s.waiting("helpers")
    s.advance(20)
    assert s.world.router.borrowing() == {}


def test_an_agent_of_a_queue_that_is_unstaffed_is_not_borrowed_for_it(s):
    """Who is only lent is not logged on for it: the queue is closed, however low its level."""
    s.queue("helpers", requires="help")
    s.queue("sales", requires="sales", borrows=Borrowing(lenders=("helpers",)))
    s.agent("ann", ready=False, skills={"help": 1})
    call = s.waiting("sales")
    s.advance(20)
    assert s.state("ann") is AgentState.NOT_READY
    unstaffed(s, borrows=Borrowing(lenders=("helpers",)))
    assert gone(s) == [call]
    assert s.world.staff.count(SALES) == 0
    assert s.world.agents[AgentId("ann")].reservation is None
