"""Sorted indexes are an optimisation: whatever happens, the answers are those of a search through all there is."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cti.model.agent import Agent
from cti.model.borrowing import Borrowing
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.model.widening import Widening
from cti.routing import SkillRouter

from .made import agent, call, level
from .scan import Scan

QUEUES = "abc"
AGENTS = ("ann", "bob", "dan", "eve")

requirements = st.sampled_from(["", "s >= 1", "s >= 2", "t", "t and not s >= 3", "s != 0", "not t"])
thresholds = st.tuples(*[st.sampled_from([0.25, 0.5, 0.75])] * 4).map(
    lambda four: {
        "below": min(four[:2]),
        "until": max(four[:2]),
        "lender_until": min(four[2:]),
        "lender_above": max(four[2:]),
    }
)


@st.composite
def queues(draw, name):
    others = [other for other in (*QUEUES, "none") if other != name]
    also = st.lists(st.sampled_from([o for o in others if o != "none"]), min_size=1, max_size=2).map(tuple)
    steps = draw(st.lists(st.one_of(requirements.filter(bool), also), max_size=2))
    widening = tuple(
        Widening(10.0 * at, requires=one) if isinstance(one, str) else Widening(10.0 * at, also=one)
        for at, one in enumerate(steps)
    )
    lenders = draw(st.lists(st.sampled_from(others), min_size=int(name == "c"), max_size=2))
    # Nobody has u: that queue lives by its widening and by borrowing.
    requires = draw(requirements) if name != "c" else "u"
    return QueueSettings(
        id=QueueId(name),
        **({"requires": requires} if requires else {}),
        widening=widening,
        priority_per_minute=draw(st.sampled_from([0, 15, 30])),  # dyadic by the second, so that equal is equal
        strategy=draw(st.sampled_from(["longest-idle", "fewest-calls"])),
        service_level_target=draw(st.sampled_from([None, 0.5, 0.9])),
        borrows=Borrowing(lenders, **draw(thresholds)) if lenders else None,
    )


class Centre(RuleBasedStateMachine):
    """A centre whose router is compared with the search after each thing that happens."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, Interaction] = {}
        self.known: dict[str, Agent] = {}
        self.queues: dict[str, Queue] = {}
        self.made = 0

    @initialize(by_deficit=st.booleans(), data=st.data())
    def begin(self, by_deficit, data):
        self.router = SkillRouter(service_level=by_deficit)
        self.scan = Scan(service_level=by_deficit)
        for name in QUEUES:
            self.define(name, data)
            self.figures(name, data.draw(st.sampled_from([0, 40, 100])))
        for name in "cab":
            self.comes(name, 0, None, [])
        for name in AGENTS[:2]:
            self.available(name, data.draw(st.integers(0, 3)), 1, 0, 0)

    @rule(name=st.sampled_from(QUEUES), data=st.data())
    def define(self, name, data):
        made = Queue(data.draw(queues(name)))
        if name in self.queues:
            made.recent = self.queues[name].recent
        self.queues[name] = made
        for one in (self.router, self.scan):
            one.queue_defined(made)

    @rule(name=st.sampled_from(QUEUES), percent=st.sampled_from([0, 25, 40, 50, 75, 100]))
    def figures(self, name, percent):
        before = self.scan.possible()
        afresh = level(self.queues[name], percent / 100, self.router)
        self.scan.judge()
        now_possible = {c for c, _ in self.scan.possible() - before}
        assert now_possible <= set(afresh)
        assert afresh == self.scan.in_order([self.calls[c] for c in afresh])

    @rule(
        name=st.sampled_from(AGENTS),
        s=st.integers(0, 3),
        t=st.integers(0, 1),
        idle=st.integers(0, 3),
        calls=st.integers(0, 2),
    )
    def available(self, name, s, t, idle, calls):
        made = agent(name, idle_since=idle, calls=calls, **({"s": s} if s else {}), **({"t": t} if t else {}))
        self.known[name] = made
        self.back(name)

    @precondition(lambda self: self.known)
    @rule(name=st.sampled_from(AGENTS))
    def back(self, name):
        if name in self.known:
            self.router.agent_available(self.known[name])
            self.scan.agents[name] = self.known[name]

    @rule(name=st.sampled_from(AGENTS))
    def unavailable(self, name):
        self.router.agent_unavailable(AgentId(name))
        self.scan.agents.pop(name, None)

    @rule(
        name=st.sampled_from(QUEUES),
        priority=st.integers(0, 2),
        wanted=st.sampled_from([None, None, *AGENTS]),
        preferred=st.lists(st.sampled_from(AGENTS), max_size=2),
    )
    def comes(self, name, priority, wanted, preferred):
        self.made += 1
        one = call(f"call {self.made}", name, at=self.router.now, place=self.made, priority=priority)
        one.wanted, one.preferred = wanted, tuple(preferred)
        self.told(one)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), wanted=st.sampled_from([None, *AGENTS]), widened=st.integers(0, 3))
    def changes(self, data, wanted, widened):
        one = self.calls[data.draw(st.sampled_from(sorted(self.calls)))]
        one.wanted, one.widened = wanted, widened
        self.told(one)

    def told(self, one):
        self.calls[one.id] = self.scan.calls[one.id] = one
        self.router.call_waiting(one)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def goes(self, data):
        name = data.draw(st.sampled_from(sorted(self.calls)))
        del self.calls[name], self.scan.calls[name]
        self.router.call_gone(InteractionId(name))

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds):
        self.router.now += seconds
        self.scan.now = self.router.now

    @precondition(lambda self: self.calls and self.scan.agents)
    @rule(data=st.data())
    def is_decided(self, data):
        one = self.calls[data.draw(st.sampled_from(sorted(self.calls)))]
        found = self.scan.agent_for(one)
        if found is not None:
            who = self.scan.agents[found]
            self.router.decided(one, who)
            made = self.router.decisions[-1]
            lenders = self.scan.lenders(one.queue)
            step = self.scan._step(one.queue, who)
            lent = one.wanted is None and (step is None or step > made.widened)
            assert (made.lender in lenders) if lent else made.lender is None
            assert (made.call, made.agent, made.queue) == (one.id, found, one.queue)
            assert -made.priority == self.scan.due_key(one)[0]
            assert one.id not in [other[0] for other in made.calls_over]

    @invariant()
    def the_same_answers(self):
        router, scan = self.router, self.scan
        for one in self.calls.values():
            assert router.agent_for(one) == scan.agent_for(one)
            assert router.due_key(one)[0] == scan.due_key(one)[0]
        for who in scan.agents.values():
            assert router.call_for(who) == scan.call_for(who)
        for name in AGENTS:
            assert router.waiting_for(AgentId(name)) == scan.waiting_for(name)
        for name in QUEUES:
            inside = router.waiting(QueueId(name))
            assert inside == scan.waiting(name)
            assert [router.position(one) for one in inside] == list(range(1, len(inside) + 1))
            assert router.concerned(QueueId(name)) == scan.concerned(name)
        assert router.borrowing() == {name: tuple(found) for name in QUEUES if (found := scan.lenders(name))}

    def teardown(self):
        """Nothing is kept of those who have gone."""
        if self.queues:
            for one in list(self.calls):
                self.router.call_gone(InteractionId(one))
            for name in AGENTS:
                self.router.agent_unavailable(AgentId(name))
            assert not self.router._waiting
            assert not self.router._personal
            assert not self.router._ready
            lanes = self.router._lanes.values()
            assert not any(lane.calls or pool.calls or pool.agents for lane in lanes for pool in lane.pools)


TestCentre = Centre.TestCase
TestCentre.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
