"""Calls that wait for one agent alone, and calls that ask for some before others."""

from __future__ import annotations

import pytest

from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.widening import Widening
from cti.routing import SkillRouter

from .made import agent, call, queue, wait


@pytest.fixture
def router() -> SkillRouter:
    router = SkillRouter()
    router.queue_defined(queue("loans", requires="loans", widening=(Widening(30, requires="sales"),)))
    router.queue_defined(queue("sales", requires="sales"))
    return router


def test_a_wanted_agent_needs_no_skill_and_nobody_else_is_offered_the_call(router):
    ann, bob = agent("ann"), agent("bob", loans=1)
    first = call("1", "loans", wanted="ann")
    wait(router, first)
    router.agent_available(bob)
    assert router.agent_for(first) is None
    assert router.call_for(bob) is None
    router.agent_available(ann)
    assert router.agent_for(first) == "ann"
    assert router.call_for(ann) == "1"
    router.agent_unavailable(ann.id)
    assert router.agent_for(first) is None


def test_it_keeps_its_place_in_the_queue(router):
    first, second, third = call("1", "loans", at=1), call("2", "loans", at=2, wanted="ann"), call("3", "loans", at=3)
    wait(router, first, second, third)
    assert router.waiting(QueueId("loans")) == ("1", "2", "3")
    assert router.position(second.id) == 2
    bob = agent("bob", loans=1)
    router.call_gone(first.id)
    assert router.call_for(bob) == "3"
    second.wanted = None
    wait(router, second)
    assert router.call_for(bob) == "2"
    assert router.waiting_for(AgentId("ann")) == ()


def test_it_is_due_by_the_same_order_as_all_others(router):
    router.queue_defined(queue("growing", requires="nothing", priority_per_minute=2.0))
    ann = agent("ann", sales=1)
    wait(
        router,
        call("mine", "growing", at=0, wanted="ann", place=1),
        call("anybody's", "sales", at=0, place=2, priority=1),
        call("mine too", "loans", at=5, wanted="ann", place=3),
    )
    for now, due, mine in ((29, "anybody's", "mine"), (30, "mine", "mine"), (31, "mine", "mine")):
        router.now = now
        assert router.call_for(ann) == due
        assert router.waiting_for(ann.id) == (mine, "mine too")
    router.call_gone(InteractionId("mine"))
    router.call_gone(InteractionId("anybody's"))
    assert router.call_for(ann) == "mine too"


def test_a_redefined_queue_keeps_the_calls_that_want_an_agent(router):
    one = call("1", "loans", wanted="ann", widened=1)
    wait(router, one)
    router.agent_available(agent("ann"))
    router.queue_defined(queue("loans", requires="loans >= 9"))
    assert router.agent_for(one) == "ann"
    assert router.waiting_for(AgentId("ann")) == router.waiting(QueueId("loans")) == ("1",)
    router.call_gone(one.id)
    assert router.waiting_for(AgentId("ann")) == router.waiting(QueueId("loans")) == ()


def test_the_decision_says_so(router):
    ann, bob = agent("ann"), agent("bob", loans=1)
    for one in (ann, bob):
        router.agent_available(one)
    wanted, other, preferring = call("1", "loans", wanted="ann"), call("2", "loans", at=3), call("3", "loans", at=4)
    preferring.preferred = (bob.id,)
    wait(router, wanted, other, preferring)
    router.decided(wanted, ann)
    router.decided(other, bob)
    router.decided(preferring, bob)
    assert [(made.by, made.agent, made.key) for made in router.decisions] == [
        ("wanted", "ann", None),
        ("strategy", "bob", 0.0),
        ("preferred", "bob", 0.0),
    ]
    assert router.decisions[0].agents_over == ()
    assert router.decisions[0].widened == 0


@pytest.mark.parametrize(
    ("preferred", "widened", "found"),
    [
        ((), 0, "old"),
        (("new",), 0, "new"),
        (("gone", "nobody", "new", "old"), 0, "new"),
        (("seller", "new"), 0, "new"),  # not let in yet
        (("seller", "new"), 1, "seller"),
        (("stranger",), 1, "old"),
    ],
)
def test_preferred_agents_are_asked_first_in_their_order(router, preferred, widened, found):
    staff = [agent("old", loans=1), agent("new", idle_since=9, loans=1), agent("seller", sales=1), agent("stranger")]
    for one in staff:
        router.agent_available(one)
    one = call("1", "loans", preferred=preferred, widened=widened)
    wait(router, one)
    assert router.agent_for(one) == found


def test_no_call_is_overtaken_by_one_that_prefers_the_agent(router):
    wait(router, call("1", "loans", at=1), call("2", "loans", at=2, preferred=("ann",)))
    assert router.call_for(agent("ann", loans=1)) == "1"
