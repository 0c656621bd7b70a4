"""The skill router by itself: who is first, who may take what, and what a change of settings does."""

from __future__ import annotations

import pytest

from cti.errors import UnknownStrategy
from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.model.widening import Widening
from cti.routing import Decision, SkillRouter


def agent(name: str, *, idle_since: float = 0.0, **skills: int) -> Agent:
    return Agent(AgentSettings(id=AgentId(name), contact=f"user/{name}", skills=skills), idle_since=idle_since)


def queue(name: str, *, priority: int = 0, strategy: str = "longest-idle", **requires: int) -> Queue:
    return Queue(QueueSettings(id=QueueId(name), requires=requires, priority=priority, strategy=strategy))


def call(name: str, queue_name: str, *, at: float = 0.0, priority: int = 0, place: int = 0) -> Interaction:
    return Interaction(
        InteractionId(name),
        SwitchId("fs"),
        ConnectionId(f"leg of {name}"),
        "",
        "",
        "",
        at,
        queue=QueueId(queue_name),
        priority=priority,
        queued_at=at,
        place=place,
    )


@pytest.fixture
def router() -> SkillRouter:
    router = SkillRouter()
    router.queue_defined(queue("sales"))
    router.queue_defined(queue("loans", loans=3))
    return router


def wait(router: SkillRouter, *calls: Interaction) -> None:
    for one in calls:
        router.call_waiting(one)


def test_nobody_there(router):
    first = call("1", "sales")
    wait(router, first)
    assert router.agent_for(first) is None
    assert router.call_for(agent("ann")) == "1"
    router.call_gone(first.id)
    assert router.call_for(agent("ann")) is None


def test_longest_idle_goes_first(router):
    for one in (agent("ann", idle_since=5), agent("bob", idle_since=2), agent("eve", idle_since=9)):
        router.agent_available(one)
    first = call("1", "sales")
    wait(router, first)
    assert router.agent_for(first) == "bob"
    router.agent_unavailable(AgentId("bob"))
    assert router.agent_for(first) == "ann"


def test_equally_long_idle_by_name(router):
    router.agent_available(agent("bob"))
    router.agent_available(agent("ann"))
    first = call("1", "sales")
    wait(router, first)
    assert router.agent_for(first) == "ann"


@pytest.mark.parametrize(("level", "may"), [(None, False), (0, False), (2, False), (3, True), (4, True)])
def test_required_skills(router, level, may):
    skills = {} if level is None else {"loans": level}
    one = agent("ann", **skills)
    first = call("1", "loans")
    wait(router, first)
    router.agent_available(one)
    assert router.agent_for(first) == ("ann" if may else None)
    assert router.call_for(one) == ("1" if may else None)


def test_age_goes_before_queue_and_priority_before_age(router):
    wait(
        router,
        call("young", "sales", at=9),
        call("old", "loans", at=1),
        call("urgent", "sales", at=10, priority=1),
        call("older", "loans", at=0.5),
    )
    able, unable = agent("ann", loans=3), agent("bob")
    order = []
    while (first := router.call_for(able)) is not None:
        order.append(first)
        router.call_gone(first)
    assert order == ["urgent", "older", "old", "young"]
    wait(router, call("young", "sales", at=9), call("old", "loans", at=1))
    assert router.call_for(unable) == "young"


def test_same_instant_by_place(router):
    wait(router, call("b", "sales", place=2), call("c", "sales", place=3), call("a", "sales", place=1))
    assert router.waiting(QueueId("sales")) == ("a", "b", "c")
    assert [router.position(InteractionId(name)) for name in "abcx"] == [1, 2, 3, 0]


def test_told_twice_and_told_of_strangers(router):
    one, ann = call("1", "sales"), agent("ann")
    for _ in range(2):
        router.call_waiting(one)
        router.agent_available(ann)
    assert router.waiting(QueueId("sales")) == ("1",)
    for _ in range(2):
        router.call_gone(one.id)
        router.agent_unavailable(ann.id)
    router.call_gone(InteractionId("never"))
    router.agent_unavailable(AgentId("never"))
    assert router.waiting(QueueId("sales")) == ()
    wait(router, one)
    assert router.agent_for(one) is None


def test_skills_changed_while_ready(router):
    ann = agent("ann")
    router.agent_available(ann)
    first = call("1", "loans")
    wait(router, first)
    assert router.agent_for(first) is None
    ann.settings = AgentSettings(id=ann.id, contact="x", skills={"loans": 3})
    router.agent_available(ann)
    assert router.agent_for(first) == "ann"
    ann.settings = AgentSettings(id=ann.id, contact="x", skills={"loans": 1})
    router.agent_available(ann)
    assert router.agent_for(first) is None


def test_a_queue_defined_again_keeps_its_calls_and_matches_agents_afresh(router):
    ann = agent("ann")
    router.agent_available(ann)
    first, second = call("1", "loans", at=1), call("2", "loans", at=2)
    wait(router, second, first)
    router.queue_defined(queue("loans"))
    assert router.waiting(QueueId("loans")) == ("1", "2")
    assert router.agent_for(first) == "ann"
    assert router.call_for(ann) == "1"
    router.call_gone(first.id)
    assert router.waiting(QueueId("loans")) == ("2",)
    router.queue_defined(queue("loans", loans=1))
    assert router.agent_for(second) is None
    assert router.call_for(ann) is None


def test_a_queue_defined_after_its_agents(router):
    router.agent_available(agent("ann"))
    router.queue_defined(queue("new"))
    first = call("1", "new")
    wait(router, first)
    assert router.agent_for(first) == "ann"


def test_an_agent_who_was_away_while_a_queue_was_redefined(router):
    ann = agent("ann")
    router.agent_available(ann)
    router.agent_unavailable(ann.id)
    router.queue_defined(queue("loans"))
    router.agent_available(ann)
    first = call("1", "loans")
    wait(router, first)
    assert router.agent_for(first) == "ann"


def test_redefining_a_queue_that_another_one_s_widening_names(router):
    widening = (Widening(30, also=("sales",)),)
    router.queue_defined(Queue(QueueSettings(id=QueueId("wide"), requires="wide", widening=widening)))
    ann, bob = agent("ann", s=1), agent("bob", wide=1)
    for one in (ann, bob):
        router.agent_available(one)
    first = call("1", "wide")
    first.widened = 1
    wait(router, first)
    router.agent_unavailable(bob.id)
    assert router.agent_for(first) == "ann"
    router.queue_defined(queue("sales", s=2))
    assert router.agent_for(first) is None
    assert router.call_for(ann) is None
    router.queue_defined(queue("sales", s=1))
    assert router.agent_for(first) == "ann"
    assert router.call_for(ann) == "1"


def test_an_unknown_strategy_is_refused_and_the_old_one_kept(router):
    router.agent_available(agent("ann"))
    with pytest.raises(UnknownStrategy, match="unknown strategy 'longest-idel'; did you mean 'longest-idle'"):
        router.queue_defined(queue("sales", strategy="longest-idel"))
    first = call("1", "sales")
    wait(router, first)
    assert router.agent_for(first) == "ann"


class ShortestName:
    """A strategy of a host application."""

    def key(self, agent: Agent, queue: Queue) -> int:
        return len(agent.id)


@pytest.mark.parametrize("strategy", [ShortestName(), "longest-idle"])
def test_a_strategy_for_all_queues(strategy):
    router = SkillRouter(strategy)
    router.queue_defined(queue("sales", strategy="nobody has this one"))
    for one in (agent("barbara", idle_since=1), agent("al", idle_since=2)):
        router.agent_available(one)
    first = call("1", "sales")
    wait(router, first)
    assert router.agent_for(first) == ("barbara" if strategy == "longest-idle" else "al")


def test_priority_that_grows_overtakes_across_queues_and_never_within_one(router):
    router.queue_defined(
        Queue(QueueSettings(id=QueueId("patient"), priority_per_minute=2.0)),
    )
    wait(
        router,
        call("steady", "sales", at=0, priority=3),
        call("growing", "patient", at=0, place=1),
        call("grows too", "patient", at=30, place=2),
        call("equal", "patient", at=30, place=3),
    )
    ann = agent("ann")
    # Equal at 90: the first to come in goes first.
    for now, first in ((89, "steady"), (90, "steady"), (91, "growing")):
        router.now = now
        assert router.call_for(ann) == first
        assert router.waiting(QueueId("patient")) == ("growing", "grows too", "equal")


def test_narrower_agents_go_before_those_whom_widening_lets_in(router):
    loans = QueueSettings(
        id=QueueId("loans"),
        requires="loans >= 5",
        widening=(Widening(30, requires="loans >= 3"), Widening(60, also=("sales",))),
    )
    router.queue_defined(Queue(loans))
    router.queue_defined(queue("sales", sales=1))
    able = agent("able", idle_since=9, loans=5)
    for one in (able, agent("less", idle_since=5, loans=3), agent("seller", sales=1)):
        router.agent_available(one)
    first = call("1", "loans")
    found = []
    for widened in (0, 1, 2):
        for gone in ((), ("able",), ("able", "less"), ("able", "less", "seller")):
            first.widened = widened
            router.call_waiting(first)
            staff = {name: router._ready[name].agent for name in gone}
            for name in gone:
                router.agent_unavailable(name)
            found.append(router.agent_for(first))
            for one in staff.values():
                router.agent_available(one)
    assert found == ["able", None, None, None, "able", "less", None, None, "able", "less", "seller", None]


def test_a_decision_says_who_was_chosen_over_whom(router):
    for one in (agent("ann", idle_since=3), agent("bob", idle_since=1, loans=3), agent("eve", idle_since=2)):
        router.agent_available(one)
    router.now = 20.0
    first, other = call("1", "sales", at=5, priority=1), call("2", "loans", at=6)
    wait(router, first, other, call("3", "sales", at=7))
    router.decided(first, router._ready["bob"].agent)
    [made] = router.decisions
    assert made == Decision(
        at=20.0,
        call=InteractionId("1"),
        queue=QueueId("sales"),
        agent=AgentId("bob"),
        widened=0,
        priority=1,
        waited_s=15.0,
        strategy="longest-idle",
        key=1,
        agents_over=((AgentId("eve"), 2), (AgentId("ann"), 3)),
        calls_over=((InteractionId("2"), QueueId("loans"), 0, 14.0), (InteractionId("3"), QueueId("sales"), 0, 13.0)),
    )


def test_decisions_are_bounded():
    router = SkillRouter(decisions_kept=3)
    router.queue_defined(queue("sales"))
    ann = agent("ann")
    router.agent_available(ann)
    for number in range(5):
        one = call(str(number), "sales")
        wait(router, one)
        router.decided(one, ann)
    assert [made.call for made in router.decisions] == ["2", "3", "4"]
