"""Configurations that cannot work are refused; what probably does not do what was meant is said."""

from __future__ import annotations

import pytest

from cti.engine.advice import advice
from cti.errors import ConfigurationError, UnknownQueue
from cti.model.borrowing import Borrowing
from cti.model.ids import QueueId
from cti.model.overflow import ToQueue
from cti.model.widening import Widening

from .story import Story


@pytest.fixture
def s() -> Story:
    story = Story()
    story.queue("sales", requires="sales")
    return story


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"overflow": ToQueue(QueueId("sails"))}, UnknownQueue, "did you mean 'sales'"),
        ({"overflows": {"wait": ToQueue(QueueId("sails"))}}, UnknownQueue, "did you mean 'sales'"),
        ({"widening": Widening(5, also=("sails",))}, UnknownQueue, "did you mean 'sales'"),
        ({"borrows": Borrowing(("sails",))}, UnknownQueue, "did you mean 'sales'"),
        ({"overflow": ToQueue(QueueId("new"))}, ConfigurationError, "queue 'new' overflows to itself"),
        ({"widening": Widening(5, also=("new",))}, ConfigurationError, "queue 'new' widens to itself"),
        ({"borrows": Borrowing(("new",))}, ConfigurationError, "queue 'new' borrows from itself"),
    ],
)
def test_what_cannot_work_is_refused(s, settings, error, says):
    before = s.picture()
    with pytest.raises(error, match=says):
        s.queue("new", **settings)
    assert s.picture() == before


def test_two_ways_to_one_queue_are_no_circle(s):
    s.queue("a", overflow=ToQueue(QueueId("sales")))
    s.queue("b", overflow=ToQueue(QueueId("sales")), overflows={"wait": ToQueue(QueueId("a"))})
    s.queue("a", overflow=ToQueue(QueueId("sales")), priority=1)
    with pytest.raises(ConfigurationError, match="in a circle: sales -> a -> sales"):
        s.queue("sales", overflow=ToQueue(QueueId("a")))


def test_nothing_to_say(s):
    assert advice(s.world) == []  # nobody has been added yet
    s.agent("ann", logged_on=False, skills={"sales": 1})
    assert advice(s.world) == []


def test_a_requirement_that_nobody_meets(s):
    s.queue("loans", requires="loans >= 3")
    s.agent("ann", logged_on=False, skills={"sales": 1, "loans": 2})
    assert advice(s.world) == ["queue 'loans': none of the 1 agents meets 'loans >= 3', not even by widening"]
    s.queue("loans", requires="loans >= 3", widening=Widening(5, also=("sales",)))
    assert advice(s.world) == []


def test_an_agent_who_meets_none(s):
    s.agent("ann", logged_on=False, skills={"sales": 1})
    s.agent("bob", logged_on=False, skills={"sailing": 5})
    assert advice(s.world) == ["agent 'bob' meets no queue's requirement"]
    s.queue("all")
    assert advice(s.world) == []


def test_agents_before_the_first_queue():
    s = Story()
    s.agent("ann")
    assert advice(s.world) == []
