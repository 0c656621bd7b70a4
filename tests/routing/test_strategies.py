"""Each strategy's order, what it keeps between decisions, and what a bad one costs."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cti.errors import ConfigurationError
from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.model.states import AgentState
from cti.routing import SkillRouter
from cti.routing.strategies import BUILT_IN, TopDown


def agent(name: str, *, idle_since: float = 0.0, calls: int = 0, spent=None, **skills: int) -> Agent:
    settings = AgentSettings(id=AgentId(name), contact=f"user/{name}", skills=skills)
    return Agent(settings, idle_since=idle_since, calls_answered=calls, seconds_in=dict(spent or {}))


def call(number: int, queue: str = "q") -> Interaction:
    return Interaction(
        InteractionId(f"call {number}"),
        SwitchId("fs"),
        ConnectionId(f"leg {number}"),
        "",
        "",
        "",
        float(number),
        queue=QueueId(queue),
        queued_at=float(number),
        place=number,
    )


def centre(strategy, *agents: Agent, requires="", seed: int = 1) -> SkillRouter:
    router = SkillRouter(chance=random.Random(seed).random)
    settings = {"requires": requires} if requires else {}
    router.queue_defined(Queue(QueueSettings(id=QueueId("q"), strategy=strategy, **settings)))
    for one in agents:
        router.agent_available(one)
    return router


def order(router: SkillRouter) -> list[str]:
    """Who is offered each of as many calls as there are agents; nobody comes back."""
    found = []
    for number in range(len(router._ready)):
        one = call(number)
        router.call_waiting(one)
        name = router.agent_for(one)
        router.decided(one, router._ready[name].agent)
        router.call_gone(one.id)
        router.agent_unavailable(name)
        found.append(name)
    return found


BUSY, AFTER, READY = AgentState.BUSY, AgentState.WORKING_AFTER_CALL, AgentState.READY
STAFF = [
    lambda: agent("ann", idle_since=3, calls=2, spent={BUSY: 30, READY: 10}, loans=9, vip=9),
    lambda: agent("bob", idle_since=2, calls=1, spent={BUSY: 50, AFTER: 0, READY: 150}, loans=5),
    lambda: agent("dan", idle_since=1, calls=3, spent={BUSY: 40, AFTER: 60, READY: 100}, loans=5, vip=1),
    lambda: agent("eve", idle_since=4, calls=2, loans=3, art=1),
]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("longest-idle", "dan bob ann eve"),
        ("most-skilled", "ann dan bob eve"),
        ("least-skilled", "eve bob dan ann"),
        ("fewest-calls", "bob ann eve dan"),
        ("least-talk-time", "eve ann dan bob"),
        ("lowest-occupancy", "eve bob dan ann"),
        ("round-robin", "ann bob dan eve"),
        ("top-down", "ann bob dan eve"),
        (TopDown(["eve", "dan"]), "eve dan ann bob"),
    ],
)
def test_the_order_of(strategy, expected):
    assert " ".join(order(centre(strategy, *(made() for made in STAFF), requires="loans"))) == expected


def test_every_built_in_one_is_tested_here():
    assert set(BUILT_IN) == {
        "longest-idle",
        "most-skilled",
        "least-skilled",
        "fewest-calls",
        "least-talk-time",
        "lowest-occupancy",
        "round-robin",
        "top-down",
        "ring-all",
        "ring-progressively",
    }


def chosen(router: SkillRouter, number: int) -> str:
    """One call that is taken and ends at once: the agent is ready again, the longest idle of all."""
    one = call(number)
    router.call_waiting(one)
    name = router.agent_for(one)
    assert router.agent_for(one) == name, "a question changes nothing"
    taken = router._ready[name].agent
    router.decided(one, taken)
    router.call_gone(one.id)
    router.agent_unavailable(name)
    router.agent_available(taken)
    return name


def test_round_robin_gives_each_a_turn_and_keeps_them_when_the_queue_is_redefined():
    router = centre("round-robin", *(made() for made in STAFF))
    assert [chosen(router, n) for n in range(6)] == ["ann", "bob", "dan", "eve", "ann", "bob"]
    router.queue_defined(Queue(QueueSettings(id=QueueId("q"), strategy="round-robin", priority=1)))
    assert [chosen(router, n) for n in range(6, 9)] == ["dan", "eve", "ann"]


def test_random_gives_each_the_same_chance_and_a_seed_the_same_lots():
    def lots(seed):
        router = centre("random", *(made() for made in STAFF), seed=seed)
        return [chosen(router, n) for n in range(800)]

    counts = Counter(lots(1))
    assert set(counts) == {"ann", "bob", "dan", "eve"}
    assert all(150 < count < 250 for count in counts.values())
    assert lots(1) == lots(1) != lots(2)


def test_random_needs_a_source():
    with pytest.raises(ConfigurationError, match="strategy 'random' draws lots; hand the router a source"):
        SkillRouter().queue_defined(Queue(QueueSettings(id=QueueId("q"), strategy="random")))


def test_swapped_while_agents_are_ready():
    router = centre("longest-idle", *(made() for made in STAFF))
    one = call(1)
    router.call_waiting(one)
    assert router.agent_for(one) == "dan"
    router.queue_defined(Queue(QueueSettings(id=QueueId("q"), strategy="fewest-calls")))
    assert router.agent_for(one) == "bob"


def test_no_strategy_at_all():
    with pytest.raises(ConfigurationError, match=r"strategy is 5; it must be a strategy's name, or an object with key"):
        QueueSettings(id=QueueId("q"), strategy=5)


class Bad:
    """A strategy gone wrong in one way or another, for some agents."""

    name = "bad"

    def __init__(self, keys):
        self._keys = keys

    def key(self, agent, queue):
        found = self._keys[agent.id]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.mark.parametrize(
    ("bad", "says"),
    [(RuntimeError("no database"), "no database"), (float("nan"), "nan"), ("text", "'text'"), (object(), "not supp")],
)
def test_a_strategy_that_returns_nonsense_costs_its_own_order_only(bad, says):
    keys = {"ann": 2, "bob": bad, "dan": bad, "eve": 1}
    router = centre(Bad(keys), *(made() for made in STAFF))
    assert order(router) == ["eve", "ann", "dan", "bob"]
    assert {(fault.queue, fault.strategy, fault.agent) for fault in router.faults} == {
        ("q", "bad", "bob"),
        ("q", "bad", "dan"),
    }
    assert all(says in fault.what for fault in router.faults)


class Misplaced:
    """A strategy that takes an agent who is not there."""

    def __init__(self, at):
        self._at = at

    def key(self, agent, queue):
        return agent.id

    def place(self, count):
        return self._at

    def chosen(self, agent, queue):
        raise RuntimeError("no longer")


@pytest.mark.parametrize("at", [-1, 4, "x"])
def test_a_place_that_is_none(at):
    router = centre(Misplaced(at), *(made() for made in STAFF))
    assert chosen(router, 1) == "ann"
    assert [fault.agent for fault in router.faults] == [None, None, "ann"]
    assert "no longer" in router.faults[-1].what
