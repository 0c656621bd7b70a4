"""Borrowing agents by service level, and the order of calls by deficit."""

from __future__ import annotations

import pytest

from cti.model.borrowing import Borrowing
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.widening import Widening
from cti.routing import SkillRouter
from cti.routing.strategies import Random

from .made import agent, call, level, queue, wait

TERMS = Borrowing(["lend", "also"], below=0.6, until=0.8, lender_above=0.9, lender_until=0.7)


@pytest.fixture
def queues():
    return {
        "low": queue("low", requires="low", borrows=TERMS, widening=(Widening(30, requires="near"),)),
        "lend": queue("lend", requires="lend"),
        "also": queue("also", requires="also", strategy="fewest-calls"),
    }


@pytest.fixture
def router(queues) -> SkillRouter:
    router = SkillRouter()
    for one in queues.values():
        router.queue_defined(one)
    return router


def test_both_sides_have_a_threshold_to_begin_and_another_to_end(router, queues):
    wait(router, call("1", "low"))
    router.agent_available(agent("ann", lend=1))
    seen = []
    for name, share in (
        ("low", 0.6),  # not below
        ("low", 0.59),
        ("low", 0.79),  # not until
        ("low", 0.8),
        ("low", 0.7),
        ("low", 0.5),
        ("lend", 0.7),  # lends until below
        ("lend", 0.69),
        ("also", 0.69),
        ("lend", 0.89),
        ("lend", 0.9),
    ):
        afresh = level(queues[name], share, router)
        seen.append((name, share, router.borrowing().get(QueueId("low")), afresh))
    both = ("lend", "also")
    assert seen == [
        ("low", 0.6, None, ()),
        ("low", 0.59, both, ("1",)),
        ("low", 0.79, both, ()),
        ("low", 0.8, None, ()),
        ("low", 0.7, None, ()),
        ("low", 0.5, both, ("1",)),
        ("lend", 0.7, both, ()),
        ("lend", 0.69, ("also",), ()),
        ("also", 0.69, None, ()),
        ("lend", 0.89, None, ()),
        ("lend", 0.9, ("lend",), ("1",)),
    ]


def test_own_agents_go_first_then_those_of_each_lender_in_turn(router, queues):
    level(queues["low"], 0.1, router)
    staff = [
        agent("zoe", low=1, idle_since=9),
        agent("yan", near=1, idle_since=9),
        agent("xi", lend=1, idle_since=8),
        agent("wu", lend=1, also=1, idle_since=9),
        agent("veronica", also=1, calls=3),
        agent("una", also=1, calls=4),
        agent("nobody"),
    ]
    for one in staff:
        router.agent_available(one)
    for widened, expected in ((0, "zoe xi wu veronica una"), (1, "zoe yan xi wu veronica una")):
        one = call("1", "low", widened=widened)
        wait(router, one)
        found = []
        while (name := router.agent_for(one)) is not None:
            found.append(name)
            router.agent_unavailable(name)
        assert " ".join(found) == expected
        for who in staff:
            router.agent_available(who)


def test_one_whom_widening_would_let_in_later_may_be_borrowed_now(router, queues):
    level(queues["low"], 0.1, router)
    one, ann = call("1", "low"), agent("ann", near=1, lend=1)
    wait(router, one)
    router.agent_available(ann)
    assert router.agent_for(one) == "ann"
    assert router.call_for(ann) == "1"


def test_a_lent_agent_takes_the_call_that_is_due_and_goes_back_when_it_is_over(router, queues):
    ann = agent("ann", lend=1)
    router.agent_available(ann)
    wait(router, call("low", "low", at=1), call("wide", "low", at=0, widened=1), call("own", "lend", at=2))
    assert router.call_for(ann) == "own"
    level(queues["low"], 0.1, router)
    assert router.call_for(ann) == "wide"
    router.call_gone(InteractionId("wide"))
    assert router.call_for(ann) == "low"
    level(queues["low"], 0.9, router)
    assert router.call_for(ann) == "own"
    assert router.agent_for(router._waiting[InteractionId("low")].call) is None


def test_a_decision_names_the_lender_and_its_strategy(router, queues):
    level(queues["low"], 0.1, router)
    level(queues["lend"], 0.1, router)
    ann, bob = agent("ann", also=1, calls=2), agent("bob", also=1, calls=3)
    for one in (ann, bob):
        router.agent_available(one)
    one = call("1", "low")
    wait(router, one)
    router.decided(one, ann)
    [made] = router.decisions
    assert (made.queue, made.lender, made.strategy, made.key) == ("low", "also", "fewest-calls", (2, 0.0))
    assert made.agents_over == ((AgentId("bob"), (3, 0.0)),)
    assert made.widened == 0


def test_the_lender_s_strategy_is_told_of_its_decision(router, queues):
    lots = iter([0.9, 0.0, 0.0])
    router.queue_defined(queue("lend", requires="lend", strategy=Random(lambda: next(lots))))
    level(queues["low"], 0.1, router)
    staff = {name: agent(name, lend=1) for name in ("ann", "bob")}
    for one in staff.values():
        router.agent_available(one)
    one = call("1", "low")
    wait(router, one)
    assert router.agent_for(one) == "bob"
    router.decided(one, staff["bob"])
    assert router.agent_for(one) == "ann"


def test_redefined_queues_go_on_where_the_new_settings_allow_it(router, queues):
    level(queues["low"], 0.5, router)
    level(queues["lend"], 0.8, router)  # between the thresholds: as it began
    assert router.borrowing() == {"low": ("lend", "also")}

    def redefine(name, **settings):
        made = queue(name, **settings)
        made.recent = queues[name].recent
        queues[name] = made
        router.queue_defined(made)

    redefine("lend", requires="lend >= 2")
    redefine("low", requires="low", borrows=Borrowing(["lend"], below=0.3, until=0.6, lender_above=0.9))
    assert router.borrowing() == {"low": ("lend",)}  # above the new threshold to begin, below that to end
    redefine("low", requires="low", borrows=Borrowing(["lend"], below=0.3, until=0.5, lender_above=0.9))
    assert router.borrowing() == {}
    redefine("low", requires="low", borrows=Borrowing(["also", "lend"], below=0.6, until=0.7, lender_above=0.9))
    assert router.borrowing() == {"low": ("also", "lend")}
    redefine("low", requires="low", borrows=Borrowing(["also"], below=0.6, until=0.7))
    redefine("low", requires="low", borrows=Borrowing(["lend"], below=0.6, until=0.7))
    assert router.borrowing() == {}  # a lender named afresh must first do well
    redefine("low", requires="low", borrows=Borrowing(["also"], below=0.6, until=0.7))
    redefine("low", requires="low")
    level(queues["low"], 0.0, router)
    assert router.borrowing() == {}
    queues["low"].recent.note(in_time=True)
    level(queues["low"], 0.65)
    redefine("low", requires="low", borrows=Borrowing(["also"], below=0.6, until=0.7))
    assert router.borrowing() == {}  # it did not borrow, and is not below the threshold to begin


def test_a_lender_defined_later(router, queues):
    router.queue_defined(low := queue("low", borrows=Borrowing(["later"])))
    level(low, 0.1, router)
    assert router.borrowing() == {}
    one = call("1", "low")
    wait(router, one)
    router.queue_defined(queue("later", requires="later"))
    assert router.borrowing() == {"low": ("later",)}
    assert router.concerned(QueueId("later")) == ("1",)


def test_nothing_is_matched_afresh_while_nobody_is_there_to_be_lent(router, queues):
    wait(router, call("1", "low"))
    assert level(queues["low"], 0.1, router) == ()
    assert router.borrowing() == {"low": ("lend", "also")}


def deficits(router: SkillRouter) -> list[str]:
    for name, target, share in (("ok", 0.8, 0.9), ("bad", 0.8, 0.7), ("worse", 0.9, 0.5), ("none", None, 0.0)):
        one = queue(name, service_level_target=target)
        router.queue_defined(one)
        level(one, share, router)
    router.queue_defined(queue("new", service_level_target=1.0))  # no call yet
    wait(
        router,
        call("a", "ok", at=1),
        call("b", "bad", at=5),
        call("c", "worse", at=9),
        call("d", "none", at=2),
        call("e", "new", at=3),
        call("f", "ok", at=8, priority=1),
        call("g", "worse", at=7),
    )
    order, ann = [], agent("ann")
    while (due := router.call_for(ann)) is not None:
        order.append(due)
        router.call_gone(due)
    return order


def test_the_deficit_comes_after_priority_and_before_age_where_it_counts():
    assert "".join(deficits(SkillRouter(service_level=True))) == "fgcbade"
    assert "".join(deficits(SkillRouter())) == "fadebgc"


def test_equal_deficits_are_equal():
    router, ann = SkillRouter(service_level=True), agent("ann")
    for name, target, share in (("a", 0.9, 0.6), ("b", 0.5, 0.2)):  # 0.30000000000000004 and 0.3
        one = queue(name, service_level_target=target)
        router.queue_defined(one)
        level(one, share, router)
    wait(router, call("1", "b", at=1), call("2", "a", at=2))
    assert router.call_for(ann) == "1"


def test_a_decision_and_a_key_show_the_deficit():
    router = SkillRouter(service_level=True)
    router.now = 60.0
    router.queue_defined(one := queue("q", service_level_target=0.8, priority_per_minute=2.0))
    level(one, 0.5, router)
    ann, first = agent("ann"), call("1", "q", at=30, priority=3)
    router.agent_available(ann)
    wait(router, first)
    router.decided(first, ann)
    [made] = router.decisions
    assert (made.deficit, made.priority) == (0.3, 4.0)
    assert router.due_key(first)[:3] == (-4.0, -0.3, 30)
    unknown = call("2", "nowhere", at=1, priority=7)
    assert router.due_key(unknown)[0] == -7
