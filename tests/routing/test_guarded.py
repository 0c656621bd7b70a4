"""A host application's router that does everything wrong, and the guard around it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError, UnknownStrategy
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.routing import GuardedRouter, Ringing, RouterFault, SkillRouter

from .made import agent, call, level, queue, wait

RAISES = object()


class Host(SkillRouter):
    """Answers as scripted: ``says`` by method, each answer once; then as SkillRouter does."""

    def __init__(self) -> None:
        super().__init__()
        self.says: dict[str, list[Any]] = {}
        self.heard: list[str] = []
        self.spends = lambda what: None
        self._within = False

    def _scripted(self, what, args):
        if self._within:  # what SkillRouter asks of itself
            return getattr(SkillRouter, what)(self, *args)
        self.heard.append(what)
        self.spends(what)
        if queued := self.says.get(what):
            answer = queued.pop(0)
            if answer is RAISES:
                raise RuntimeError(f"{what} is broken")
            if isinstance(answer, Exception):
                raise answer
            return answer
        self._within = True
        try:
            return getattr(SkillRouter, what)(self, *args)
        finally:
            self._within = False


def _scripted(what):
    return lambda self, *args: self._scripted(what, args)


for _what in (
    "queue_defined",
    "agent_available",
    "agent_unavailable",
    "call_waiting",
    "call_gone",
    "agent_for",
    "call_for",
    "decided",
    "ringing",
    "position",
    "waiting",
    "concerned",
    "figures_changed",
    "borrowing",
    "due_key",
):
    setattr(Host, _what, _scripted(_what))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def told() -> list[RouterFault]:
    return []


@pytest.fixture
def guard(host, clock, told) -> GuardedRouter:
    guard = GuardedRouter(host, SkillRouter(), slow_s=0.05, clock=clock, most_bad=3, on_fault=told.append)
    guard.queue_defined(queue("q"))
    return guard


def faults(guard: GuardedRouter) -> list[tuple[str, str]]:
    found = [(fault.asked, fault.what) for fault in guard.faults]
    guard.faults.clear()
    return found


def test_the_host_s_router_decides(guard, host, told):
    guard.now = 7.0
    for name in ("ann", "bob"):
        guard.agent_available(agent(name))
    first, second = call("1", "q"), call("2", "q", at=1)
    wait(guard, first, second)
    host.says = {"agent_for": ["bob"], "call_for": ["2", None], "position": [9], "ringing": [Ringing(3, most=3)]}
    assert guard.agent_for(first) == "bob"
    assert guard.call_for(agent("bob")) == "2"
    assert guard.call_for(agent("bob")) is None
    assert guard.position(first.id) == 9
    assert guard.ringing(QueueId("q")).most == 3
    assert host.now == guard.default.now == 7.0
    guard.decided(first, agent("bob"))
    assert host.decisions[-1].call == guard.default.decisions[-1].call == "1"
    assert not told


class Unsayable:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __hash__(self):
        raise RuntimeError("no hash")


class Odd(str):
    """Text that cannot be looked up."""

    __slots__ = ()

    def __hash__(self):
        raise RuntimeError("no hash")


@pytest.mark.parametrize("what", ["agent_for", "call_for"])
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (RAISES, "raised RuntimeError("),
        (KeyError("x"), "raised KeyError('x')"),
        ("nobody", "answered 'nobody', which is no "),
        ("dan", "answered 'dan', which is no "),
        (7, "answered 7, which is no "),
        (True, "answered True, which is no "),
        (["ann"], "answered ['ann'], which is no "),
        (Unsayable(), "answered a Unsayable without a repr"),
        (Odd("ann"), "raised RuntimeError('no hash')"),
        ("x" * 1000, "answered 'xxx"),
        ("mine", "waits for dan alone"),
    ],
)
def test_what_costs_its_own_decision_only(guard, host, what, answer, says):
    ann, dan = agent("ann"), agent("dan")
    for one in (ann, dan):
        guard.agent_available(one)
    guard.agent_unavailable(dan.id)
    first, mine = call("1", "q"), call("mine", "q", at=-1, wanted="dan")
    wait(guard, first, mine)
    if answer == "mine" and what == "agent_for":  # an agent for a call that waits for another
        host.says[what] = ["ann"]
        assert guard.agent_for(mine) is None
    else:
        host.says[what] = [answer]
        assert (guard.agent_for(first) if what == "agent_for" else guard.call_for(ann)) in ("ann", "1")
    [(asked, said)] = faults(guard)
    assert asked == what
    assert says in said
    assert len(said) < 300
    assert guard.in_charge
    host.says[what] = [None]
    assert (guard.agent_for(first) if what == "agent_for" else guard.call_for(ann)) is None


def test_a_slow_one_is_reported_and_its_answer_taken(guard, host, clock, told):
    for name in ("ann", "bob"):
        guard.agent_available(agent(name))
    first = call("1", "q")
    wait(guard, first)
    host.says["agent_for"] = ["bob", "bob"]
    host.spends = lambda what: setattr(clock, "now", clock.now + 0.05)
    assert guard.agent_for(first) == "bob"
    assert not faults(guard)
    host.spends = lambda what: setattr(clock, "now", clock.now + 0.25)
    assert guard.agent_for(first) == "bob"
    assert list(guard.faults) == told == [RouterFault(0.0, "agent_for", "took 0.250 s, more than 0.05 s", 0.25)]


def test_so_many_bad_decisions_in_a_row_set_it_aside(guard, host):
    guard.agent_available(agent("ann"))
    guard.agent_available(agent("bob"))
    first = call("1", "q")
    wait(guard, first)
    host.says["agent_for"] = [RAISES, RAISES, "bob", RAISES, RAISES, RAISES]
    assert [guard.agent_for(first) for _ in range(6)] == ["ann", "ann", "bob", "ann", "ann", "ann"]
    assert faults(guard)[-1] == ("", "set aside for 60 s: 3 slow or failed decisions in a row")
    assert not guard.in_charge

    # Until it is tried again, it is told everything and asked nothing.
    host.heard.clear()
    host.says["agent_for"] = ["bob", RAISES]
    guard.now = 59.9
    assert guard.agent_for(first) == "ann"
    guard.agent_available(agent("eve"))
    assert guard.position(first.id) == 1
    assert host.heard == ["agent_available"]
    guard.now = 60.0
    assert guard.agent_for(first) == "bob"
    assert faults(guard) == [("", "tried again")]
    assert guard.in_charge

    # One good decision, and it has as many to lose as before.
    assert guard.agent_for(first) == "ann"
    assert guard.in_charge


def test_on_probation_one_bad_decision_is_enough_and_the_next_time_is_twice_as_long(guard, host):
    guard.agent_available(agent("ann"))
    first = call("1", "q")
    wait(guard, first)
    host.says["agent_for"] = [RAISES] * 20
    set_aside = []
    for _ in range(10):
        while guard.in_charge or guard.now >= guard._until:
            guard.agent_for(first)
        set_aside.append(guard._until - guard.now)
        guard.now = guard._until
    assert set_aside == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    assert len(guard.faults) <= 100
    host.says.clear()
    assert guard.agent_for(first) == "ann"
    assert guard.in_charge
    host.says["agent_for"] = [RAISES] * 3
    for _ in range(3):
        guard.agent_for(first)
    assert guard._until - guard.now == 60


@pytest.mark.parametrize("what", ["agent_available", "agent_unavailable", "call_waiting", "call_gone", "decided"])
def test_one_that_raises_while_it_is_told_something_is_told_everything_anew(guard, host, what):
    ann, bob, dan = agent("ann"), agent("bob"), agent("dan")
    first, second, third = call("1", "q"), call("2", "q", at=1), call("3", "q", at=2)
    for one in (ann, bob):
        guard.agent_available(one)
    wait(guard, first, second)
    host.says[what] = [RAISES]
    guard.agent_available(dan)
    guard.agent_unavailable(ann.id)
    wait(guard, third)
    guard.call_gone(first.id)
    guard.decided(second, bob)
    assert not guard.in_charge
    assert faults(guard)[0] == (what, f"raised RuntimeError('{what} is broken')")
    assert guard.agent_for(second) == "bob"  # all of this did not keep the default from knowing
    guard.agent_unavailable(bob.id)
    guard.call_gone(third.id)
    guard.queue_defined(queue("new"))
    wait(guard, call("4", "new", at=3))

    guard.now = 60.0
    assert guard.agent_for(second) == "dan"
    assert guard.in_charge
    for router in (host, guard.default):
        assert router.waiting(QueueId("q")) == ("2",)
        assert router.waiting(QueueId("new")) == ("4",)
        assert set(router._ready) == {"dan"}
    assert not guard._stale_agents
    assert not guard._stale_calls


def test_one_that_cannot_be_rebuilt_is_tried_again_later_and_nothing_piles_up(guard, host):
    guard.agent_available(agent("ann"))
    host.says["call_waiting"] = [RAISES] * 4
    calls = [call(str(number), "q", at=number) for number in range(8)]
    for at, one in enumerate(calls[:4]):
        wait(guard, one)
        guard.now = guard._until
        assert guard.agent_for(one) == "ann"
        assert guard.in_charge is (at == 3)
        assert len(guard._stale_calls) == (at + 1) * (at < 3)
    assert host.waiting(QueueId("q")) == ("0", "1", "2", "3")


def test_taking_in_everything_has_a_limit(guard, host, clock):
    for number in range(20):
        guard.agent_available(agent(f"agent {number}"))
    first = call("1", "q")
    host.says["call_waiting"] = [RAISES]
    wait(guard, first)
    faults(guard)
    host.heard.clear()
    host.spends = lambda what: setattr(clock, "now", clock.now + 1.0)
    guard.now = 60.0
    assert guard.agent_for(first) == "agent 0"
    assert len(host.heard) == 6
    assert [what for _, what in faults(guard)] == [
        "answered after more than 5 s",
        "set aside for 120 s: told everything anew, it did not take it",
    ]
    host.spends = lambda what: None
    guard.now = 180.0
    assert guard.agent_for(first) == "agent 0"
    assert guard.in_charge


def test_one_that_is_slow_to_be_told_things_is_told_nothing_any_more(guard, host, clock):
    host.spends = lambda what: setattr(clock, "now", clock.now + 0.1)
    for number in range(2):
        guard.agent_available(agent(f"agent {number}"))
    host.spends = lambda what: None
    guard.agent_available(agent("agent 2"))
    host.spends = lambda what: setattr(clock, "now", clock.now + 0.1)
    for number in range(3, 6):
        guard.agent_available(agent(f"agent {number}"))
    assert faults(guard)[-1] == ("", "set aside for 60 s: told 3 things in a row, it was slow each time")
    host.heard.clear()
    guard.agent_available(agent("agent 6"))
    assert host.heard == []


def test_settings_that_one_of_them_cannot_route_by(guard, host):
    host.says["queue_defined"] = [ConfigurationError("not this one")]
    with pytest.raises(ConfigurationError, match="not this one"):
        guard.queue_defined(queue("q", requires="chinese"))
    with pytest.raises(UnknownStrategy):
        guard.queue_defined(queue("q", strategy="none such"))
    guard.agent_available(agent("ann"))
    first = call("1", "q")
    wait(guard, first)
    assert host.agent_for(first) == guard.default.agent_for(first) == "ann"
    assert guard.in_charge
    host._strategies["none such"] = host._strategies["longest-idle"]  # the default only does not know it
    with pytest.raises(UnknownStrategy):
        guard.queue_defined(queue("q", strategy="none such", requires="chinese"))
    assert host.agent_for(first) == "ann"
    host.says["queue_defined"] = [RAISES]
    guard.queue_defined(queue("q", requires="chinese"))
    assert guard.agent_for(first) is None
    assert not guard.in_charge


@pytest.mark.parametrize(
    ("what", "ask", "bad", "good"),
    [
        ("position", lambda g: g.position(InteractionId("1")), [0, "1", True, None, RAISES], 1),
        (
            "waiting",
            lambda g: g.waiting(QueueId("q")),
            [(), None, ("1", "1"), ("1", "9"), [[], []], RAISES],
            ("1", "2"),
        ),
        ("ringing", lambda g: g.ringing(QueueId("q")), [3, None, RAISES], Ringing()),
        ("concerned", lambda g: g.concerned(QueueId("q")), [("9",), None, 3, ([],), RAISES], ("1", "2")),
        ("figures_changed", lambda g: g.figures_changed(g._queues["q"]), [("9",), None, 3, ([],)], ()),
        ("borrowing", lambda g: g.borrowing(), [3, None, RAISES], {}),
        ("due_key", lambda g: g.due_key(g._calls["1"])[0], [3, None, RAISES], 0),
    ],
)
def test_what_is_no_decision(guard, what, ask, bad, good):
    host = guard.router
    wait(guard, call("1", "q"), call("2", "q", at=1))
    for answer in bad:
        host.says[what] = [answer]
        assert ask(guard) == good
    if what in ("concerned", "figures_changed"):
        host.says[what] = [("2",)]
        assert ask(guard) == ("2", *(one for one in good if one != "2"))
    assert {fault.asked for fault in guard.faults} == {what}
    assert guard.in_charge
    assert guard.position(InteractionId("9")) == 0


def test_a_report_that_fails(host):
    def fails(fault):
        raise RuntimeError("nobody listens")

    guard = GuardedRouter(host, SkillRouter(), on_fault=fails)
    guard.queue_defined(queue("q"))
    wait(guard, first := call("1", "q"))
    host.says["agent_for"] = [RAISES]
    assert guard.agent_for(first) is None
    assert "on_fault raised RuntimeError('nobody listens')" in faults(guard)[-1][1]


def test_service_levels_and_wishes_pass_through(guard):
    one = queue("q", service_level_target=0.9)
    guard.queue_defined(one)
    level(one, 0.5, guard)
    wait(guard, call("1", "q", wanted="ann"))
    assert guard.waiting_for(AgentId("ann")) == ("1",)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_whatever_it_does_decisions_are_possible_ones(seed, often):
    """A host that raises anywhere at any time: each answer names somebody who is there, and in the end both agree."""
    chance = random.Random(seed)
    host = Host()
    guard = GuardedRouter(host, SkillRouter(), most_bad=2)
    guard.queue_defined(queue("q"))

    def spends(what):
        if chance.randrange(often + 1) == 0:
            raise RuntimeError(what)

    host.spends = spends
    agents, calls = {}, {}
    for step in range(60):
        guard.now += chance.randrange(30)
        kind, name = chance.randrange(6), f"agent {chance.randrange(4)}"
        if kind == 0:
            agents[name] = agent(name)
            guard.agent_available(agents[name])
        elif kind == 1:
            agents.pop(name, None)
            guard.agent_unavailable(AgentId(name))
        elif kind in (2, 3):
            one = calls[f"call {step}"] = call(f"call {step}", "q", at=step)
            guard.call_waiting(one)
        elif calls:
            gone = chance.choice(sorted(calls))
            del calls[gone]
            guard.call_gone(InteractionId(gone))
        for one in calls.values():
            assert guard.agent_for(one) in agents or not agents
        for one in agents.values():
            assert guard.call_for(one) in calls or not calls
    host.spends = lambda what: None
    guard.now += 10_000.0
    one = call("last", "q", at=99)
    guard.call_waiting(one)
    guard.agent_for(one)
    assert guard.in_charge
    assert host.waiting(QueueId("q")) == guard.default.waiting(QueueId("q"))
    assert set(host._ready) == set(guard.default._ready) == set(agents)
