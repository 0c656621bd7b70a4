"""Widening over time: driven by timers, and re-evaluated when agents, skills or queues change."""

from __future__ import annotations

import random

import pytest

from cti.engine import Engine
from cti.errors import ConfigurationError, CtiError, UnknownQueue
from cti.model import intents
from cti.model.cause import Cause
from cti.model.ids import IdSource, QueueId
from cti.model.overflow import ToQueue
from cti.model.queue import QueueSettings
from cti.model.widening import Widening
from cti.routing import SkillRouter

from .story import Story

STEPS = (Widening(30, requires="loans >= 3"), Widening(60, also=("sales",)))


@pytest.fixture
def s():
    story = Story()
    story.queue("sales", requires="sales")
    story.queue("loans", requires="loans >= 5", widening=STEPS)
    return story


def test_each_step_lets_more_agents_in(s):
    s.agent("less", skills={"loans": 3})
    s.agent("seller", skills={"sales": 1})
    first = s.waiting("loans")
    second = s.waiting("loans")
    s.advance(29.9)
    assert s.offers() == []
    s.advance(0.2)
    assert s.offers() == [("less", first)]
    s.take("less")
    s.advance(29)
    assert s.offers()[1:] == []
    s.advance(1)
    assert s.offers()[1:] == [("seller", second)]


def test_an_agent_who_becomes_ready_later_finds_the_widened_call(s):
    call = s.waiting("loans")
    s.advance(40)
    s.agent("less", skills={"loans": 3})
    assert s.offers() == [("less", call)]


def test_a_skill_that_is_changed_counts_at_the_step_the_call_is_at(s):
    s.agent("ann", skills={"loans": 1})
    call = s.waiting("loans")
    s.advance(40)
    s.agent("ann", skills={"loans": 2}, logged_on=False)
    assert s.offers() == []
    s.agent("ann", skills={"loans": 3}, logged_on=False)
    assert s.offers() == [("ann", call)]


def test_the_queue_it_is_widened_to_may_change(s):
    s.agent("artist", skills={"art": 1})
    call = s.waiting("loans")
    s.advance(70)
    assert s.offers() == []
    s.queue("sales", requires="sales or art")
    assert s.offers() == [("artist", call)]


def test_its_own_steps_may_change(s):
    s.agent("less", skills={"loans": 3})
    call = s.waiting("loans")
    s.advance(10)
    s.queue("loans", requires="loans >= 5", widening=(Widening(20, requires="loans >= 3"),))
    s.advance(9.9)
    assert s.offers() == []
    s.advance(0.1)
    assert s.offers() == [("less", call)]


def test_steps_that_are_taken_back(s):
    call = s.waiting("loans")
    s.advance(70)
    s.queue("loans", requires="loans >= 5")
    s.agent("less", skills={"loans": 3})
    s.advance(100)
    assert s.offers() == []
    s.queue("loans", requires="loans >= 5", widening=STEPS)
    assert s.offers() == [("less", call)]
    assert s.timers[0].kind == "lease"


def test_the_timer_goes_with_the_call(s):
    call = s.waiting("loans")
    assert [timer.kind for timer in s.timers] == ["widen"]
    s.hang_up(call)
    assert s.timers == []
    s.agent("able", skills={"loans": 5})
    s.talking("able", "loans")
    assert not [timer for timer in s.timers if timer.kind == "widen"]


def test_it_goes_on_while_an_agent_is_being_offered_the_call(s):
    s.agent("able", skills={"loans": 5}, no_answer_delay_s=1000, no_answers_allowed=2)
    s.agent("less", skills={"loans": 3})
    call = s.waiting("loans")
    s.advance(19)
    s.failed(s.offered_leg("able"), Cause.BUSY)
    s.not_ready("able")
    assert s.offers() == [("able", call)]
    s.advance(11)
    assert s.offers()[1:] == [("less", call)]


def test_a_step_at_once_still_asks_the_narrower_first(s):
    s.queue("vip", requires="loans >= 5", widening=(Widening(0, requires="loans"),))
    s.agent("less", skills={"loans": 1})
    s.advance(5)
    s.agent("able", skills={"loans": 5})
    first, second = s.waiting("vip"), s.waiting("vip")
    assert s.offers() == [("able", first), ("less", second)]
    assert s.timers[0].kind == "lease"


def test_it_counts_from_the_entry_into_this_queue(s):
    s.queue("first", requires="nobody", max_wait_s=50, overflow=ToQueue(QueueId("loans")))
    s.agent("less", skills={"loans": 3})
    call = s.waiting("first")
    s.advance(79)
    assert s.offers() == []
    s.advance(1)
    assert s.offers() == [("less", call)]


def test_after_the_link_comes_back_the_older_call_goes_first(s):
    young = s.waiting("sales")
    s.advance(1)
    urgent = s.call()
    s.enqueue(urgent, "loans", priority=5)
    legs = [s.seen(s.caller_of(call)) for call in (young, urgent)]
    s.link_lost()
    s.agent("both", skills={"sales": 1})
    s.advance(70)  # the timers fire while nothing can be routed
    s.link_up(*legs)
    assert s.offers() == [("both", urgent)]


def test_after_the_link_comes_back_a_call_whose_priority_has_grown_goes_first(s):
    s.queue("patient", requires="sales", priority_per_minute=6)
    grown = s.waiting("patient")
    steady = s.waiting("sales", priority=1)
    legs = [s.seen(s.caller_of(call)) for call in (grown, steady)]
    s.link_lost()
    s.agent("ann", skills={"sales": 1})
    s.advance(30)
    s.link_up(*legs)
    assert s.offers() == [("ann", grown)]
    s.agent("bob", skills={"sales": 1})
    assert s.offers()[1:] == [("bob", steady)]


def test_a_queue_redefined_gives_the_agent_to_the_call_that_is_due(s):
    s.queue("patient", requires="nobody", priority_per_minute=1)
    s.queue("urgent", requires="nobody", widening=(Widening(0, also=("patient",)),))
    old = s.waiting("patient")
    s.advance(1)
    urgent = s.call()
    s.enqueue(urgent, "urgent", priority=1)
    s.agent("ann")
    s.agent("bob", ready=False)
    assert s.offers() == []
    s.queue("patient", requires="not sales", priority_per_minute=1)
    assert s.offers() == [("ann", urgent)]
    s.ready("bob")
    assert s.offers()[1:] == [("bob", old)]


def test_a_priority_that_is_changed_counts_for_those_who_wait(s):
    first = s.waiting("sales")
    s.advance(1)
    second = s.waiting("loans")
    s.queue("loans", requires="loans", priority=1)
    s.agent("both", skills={"sales": 1, "loans": 1})
    assert s.offers() == [("both", second)]
    assert s.waits("sales") == [first]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Widening(30), ConfigurationError, "widening after 30 s widens to nobody"),
        (lambda: Widening(-1, requires="a"), ConfigurationError, "after_s is -1"),
        (lambda: Widening(None, requires="a"), ConfigurationError, "after_s is None"),
        (lambda: Widening(1, requires="a >= "), ConfigurationError, "widening: requires: column 6: expected a level"),
        (lambda: Widening(1, also="sales"), ConfigurationError, "also is 'sales'; it must be a list"),
        (lambda: QueueSettings("q", widening=STEPS[::-1]), ConfigurationError, "after_s 30 follows 60"),
        (lambda: QueueSettings("q", widening=("x",)), ConfigurationError, "each step must be a Widening"),
        (lambda: QueueSettings("q", priority_per_minute=-1), ConfigurationError, "priority_per_minute is -1"),
    ],
)
def test_what_is_refused(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)


def test_a_step_to_a_queue_that_there_is_not(s):
    before = s.picture()
    with pytest.raises(UnknownQueue, match="unknown queue 'sails'; did you mean 'sales'"):
        s.queue("loans", widening=(Widening(5, also=("sails",)),))
    with pytest.raises(ConfigurationError, match="queue 'loans' widens to itself"):
        s.queue("loans", widening=(Widening(5, also=("loans",)),))
    assert s.picture() == before


def a_day(seed: int) -> Story:
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(42).getrandbits)
    names, queues = ["ann", "bob", "dan", "eve"], ["sales", "loans", "cards"]

    def define(name: str) -> None:
        others = [other for other in queues if other != name and other in s.world.queues]
        steps = [Widening(5, requires=f"x >= {chance.randrange(3)}")]
        steps += [Widening(12, also=(chance.choice(others),))] if others else []
        s.queue(
            name,
            requires=f"x >= {chance.randrange(4)}",
            widening=tuple(steps[: chance.randrange(3)]),
            priority=chance.randrange(2),
            priority_per_minute=chance.choice([0, 5]),
            strategy=chance.choice(["longest-idle", "least-skilled", "round-robin"]),
        )

    for name in queues:
        define(name)
    for name in names:
        s.agent(name, skills={"x": chance.randrange(4)}, no_answers_allowed=2)
    for _ in range(300):
        s.advance(chance.random() * 4)
        name = chance.choice(names)
        made = s.reservation(name)
        calls = sorted(s.world.interactions)
        try:
            match chance.randrange(12):
                case 0 | 1 | 2 | 3:
                    s.enqueue(s.call(), chance.choice(queues), chance.randrange(2))
                case 4 | 5 | 6 if made:
                    s.take(name)
                case 7 | 8 if calls:
                    s.hang_up(chance.choice(calls))
                case 9:
                    s.ready(name)
                case 10:
                    s.agent(name, skills={"x": chance.randrange(4)}, logged_on=False)
                case 11:
                    define(chance.choice(queues))
        except CtiError:
            continue  # not possible in this state, and refused
        for call in [call for queue in queues for call in s.waits(queue)]:
            assert s.world.router.agent_for(s.interaction(call)) is None, "a call waits for an agent who is ready"
        for leg in [leg.id for leg in s.world.connections.values() if leg.clearing]:
            s.cleared(leg)
    return s


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_widening_replays_to_the_byte_and_no_call_waits_for_a_ready_agent(seed):
    s = a_day(seed)
    engine = Engine(IdSource(random.Random(42).getrandbits), SkillRouter())
    again: list[intents.Intent] = []
    for fact, now in s.told:
        try:
            again += engine.handle(fact, now)
        except CtiError:
            continue
    assert again == s.intents
    decisions = s.world.router.decisions
    assert list(engine.world.router.decisions) == list(decisions)
    assert any(made.widened for made in decisions)
    for made in decisions:
        beaten = [(-priority, -waited_s) for _, _, priority, waited_s in made.calls_over]
        assert all((-made.priority, -made.waited_s) <= (p + 1e-9, w + 1e-9) for p, w in beaten), made
