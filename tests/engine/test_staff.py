"""Who is logged on for which queue, and what a caller has to expect: kept up to date, never counted afresh."""

from __future__ import annotations

import random

import pytest

from cti.engine.staff import Staff
from cti.errors import CtiError
from cti.model import facts
from cti.model.ids import AgentId, QueueId
from cti.model.widening import Widening

from .story import Story

SALES, LOANS = QueueId("sales"), QueueId("loans")


@pytest.fixture
def s() -> Story:
    story = Story()
    story.queue("sales", requires="sales")
    story.queue("loans", requires="loans", widening=(Widening(60, also=("sales",)),))
    return story


def counts(s: Story) -> tuple[int, int]:
    return s.world.staff.count(SALES), s.world.staff.count(LOANS)


def test_from_log_on_to_log_off(s):
    s.agent("ann", logged_on=False, skills={"sales": 1})
    assert counts(s) == (0, 0)
    s.log_on("ann")
    assert counts(s) == (1, 1)  # widening lets her into loans, one day
    assert s.world.staff.serves(AgentId("ann")) == {"sales", "loans"}
    s.ready("ann")
    s.talking("ann", "sales")
    s.log_off("ann")
    assert counts(s) == (1, 1)  # she is talking
    s.ends("ann")
    assert counts(s) == (0, 0)
    assert s.world.staff.serves(AgentId("ann")) == frozenset()


def test_skills_and_queues_that_change(s):
    s.agent("ann", skills={"sales": 1})
    s.agent("bob", skills={"loans": 1})
    assert counts(s) == (1, 2)
    s.agent("ann", skills={"loans": 1}, logged_on=False)
    assert counts(s) == (0, 2)
    s.queue("sales", requires="loans")
    assert counts(s) == (2, 2)
    s.queue("loans", requires="loans >= 2")
    assert counts(s) == (2, 0)
    s.queue("loans", requires="loans >= 2", widening=(Widening(5, also=("sales",)),))
    assert counts(s) == (2, 2)
    s.queue("sales", requires="nobody")  # and so nobody by the widening of loans either
    assert counts(s) == (0, 0)
    s.tell(facts.AgentRemoved(AgentId("ann")))
    s.queue("sales", requires="loans")
    assert counts(s) == (1, 1)


def test_settings_of_one_who_is_logged_off_count_from_the_log_on(s):
    s.agent("ann", logged_on=False)
    s.agent("ann", logged_on=False, skills={"sales": 1})
    assert counts(s) == (0, 0)
    s.log_on("ann")
    assert counts(s) == (1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_is_what_a_count_afresh_finds(seed):
    chance = random.Random(seed)
    s = Story()
    names, queues = ["ann", "bob", "dan"], ["sales", "loans", "art"]

    def define(queue: str) -> None:
        others = [other for other in queues if other != queue and other in s.world.queues]
        also = (Widening(5, also=tuple(others[: chance.randrange(1, 3)])),) if others and chance.random() < 0.7 else ()
        s.queue(queue, requires=f"x >= {chance.randrange(4)}", widening=also)

    for queue in queues:
        define(queue)
    for name in names:
        s.agent(name, skills={"x": chance.randrange(4)})
    for _ in range(120):
        name = chance.choice(names)
        try:
            match chance.randrange(5):
                case 0:
                    define(chance.choice(queues))
                case 1:
                    s.agent(name, skills={"x": chance.randrange(4)}, logged_on=False)
                case 2:
                    s.log_off(name)
                case 3:
                    s.log_on(name)
                case 4:
                    s.tell(facts.AgentRemoved(AgentId(name)))
                    s.agent(name, skills={"x": chance.randrange(4)}, logged_on=False)
        except CtiError:
            continue
        fresh = Staff(s.world)
        fresh.rebuild()
        kept = s.world.staff
        assert {q: kept.count(QueueId(q)) for q in queues} == {q: fresh.count(QueueId(q)) for q in queues}
        assert [kept.serves(AgentId(n)) for n in names] == [fresh.serves(AgentId(n)) for n in names]
        for queue in s.world.queues.values():
            queue.figures.handled, queue.figures.handle_s = 1, 60.0
            assert kept.expected_wait_s(queue, 2) == pytest.approx(fresh.expected_wait_s(queue, 2))


# -- what a caller has to expect --------------------------------------------------------------------------------------


def expected(s: Story, queue: str, position: int) -> float | None:
    return s.world.staff.expected_wait_s(s.world.queues[QueueId(queue)], position)


def handled(s: Story, queue: str, seconds: float) -> None:
    figures = s.figures(queue)
    figures.handled, figures.handle_s = 1, seconds


def test_it_is_not_known_without_a_handling_time_or_without_agents(s):
    assert expected(s, "sales", 1) is None
    s.agent("ann", ready=False, skills={"sales": 1})
    assert expected(s, "sales", 1) is None
    handled(s, "sales", 60)
    assert expected(s, "sales", 1) == 60
    s.log_off("ann")
    assert expected(s, "sales", 1) is None


def test_it_grows_with_the_place_and_falls_with_the_agents(s):
    handled(s, "sales", 60)
    s.agent("ann", ready=False, skills={"sales": 1})
    assert [expected(s, "sales", place) for place in (0, 1, 2)] == [0, 60, 120]
    s.agent("bob", ready=False, skills={"sales": 1})
    assert [expected(s, "sales", place) for place in (0, 1, 2)] == [0, 30, 60]


def test_agents_whom_two_queues_share_are_shared_by_their_work(s):
    for queue in ("sales", "loans"):
        handled(s, queue, 60)
    s.agent("both", ready=False, skills={"sales": 1, "loans": 1})
    s.agent("one", ready=False, skills={"sales": 1})
    s.waiting("sales")
    s.waiting("loans")
    # Sales: one agent, and half of the other. Loans: the other half.
    assert expected(s, "sales", 1) == pytest.approx(60 / 1.5)
    assert expected(s, "loans", 1) == pytest.approx(60 / 0.5)
    s.waiting("loans")
    assert expected(s, "sales", 1) == pytest.approx(60 / (1 + 1 / 3))


def test_a_call_that_is_only_coming_is_work_too(s):
    """Else an agent with work in another queue would be worth nothing to a queue that is empty yet."""
    for queue in ("sales", "loans"):
        handled(s, queue, 60)
    s.agent("both", ready=False, skills={"sales": 1, "loans": 1})
    s.waiting("loans")
    assert expected(s, "sales", 1) == pytest.approx(120)


def test_whom_only_widening_lets_in_is_not_reckoned_with(s):
    handled(s, "loans", 60)
    s.agent("ann", ready=False, skills={"sales": 1})
    assert s.world.staff.count(LOANS) == 1
    assert expected(s, "loans", 1) is None
