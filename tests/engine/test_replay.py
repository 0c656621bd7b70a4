"""The same facts at the same times give the same intents, to the byte."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest

from cti.engine import Engine
from cti.errors import CtiError
from cti.model import events, facts
from cti.model.borrowing import Borrowing
from cti.model.cause import Cause
from cti.model.ids import AgentId, IdSource, QueueId
from cti.model.overflow import ToDestination, ToQueue, ToScript
from cti.model.personal import Deputy, LastAgent, Personal
from cti.routing import SkillRouter

from .story import Story

NAMES = ("ann", "bob", "dan", "eve", "fay")
QUEUES = ("sales", "loans", "all", "steps", "asked")
WISHES = (
    None,
    None,
    Personal(AgentId("ann"), 15, {"lunch": Deputy(AgentId("bob"))}),
    LastAgent(wait_s=5, by_presence={"logged off": ToQueue(QueueId("sales"))}),
)
ANSWERS = (
    {},
    {"to": ToQueue(QueueId("loans")), "priority": 1},
    {"to": ToScript("survey")},
    {"to": ToQueue(QueueId("nowhere"))},
    {"personal": WISHES[2], "data": {"tier": "gold"}},
    {"preferred": (AgentId("eve"), AgentId("dan"))},
)


@cache
def a_day(seed: int) -> Story:
    """A day of a small centre, at random: the facts of it and when they were told."""
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(42).getrandbits)
    s.queue("sales", wrap_up_s=5, ring_timeout_s=10)
    s.queue("loans", requires={"loans": 2}, priority=1, max_wait_s=30, overflow=ToQueue(QueueId("sales")))
    s.queue("all", strategy="ring-all", overflow_unstaffed=True, overflow=ToDestination("closed"), max_wait_s=25)
    s.queue("steps", strategy="ring-progressively", personal=LastAgent(wait_s=10), borrows=Borrowing(("sales",)))
    s.queue(
        "asked",
        route_script="who",
        route_deadline_s=8,
        max_waiting=3,
        overflow=ToQueue(QueueId("sales")),
        max_expected_wait_s=60,
    )
    for name in NAMES:
        s.agent(name, skills={"loans": chance.randrange(4)}, no_answers_allowed=2)
    for _ in range(400):
        s.advance(chance.random() * 4)
        name = chance.choice(NAMES)
        made = s.reservation(name)
        calls = sorted(s.world.interactions)
        asked = [call for call in calls if s.interaction(call).route_request]
        try:
            match chance.randrange(15):
                case 0 | 1 | 2:
                    s.enqueue(s.call(), chance.choice(QUEUES), chance.randrange(2), personal=chance.choice(WISHES))
                case 3 if made:
                    s.delivered(made.leg)
                case 4 | 5 if made:
                    s.take(name)
                case 6 if made:
                    s.failed(made.leg, chance.choice([Cause.BUSY, Cause.CALL_CANCELLED]))
                case 7 | 8 if calls:
                    s.hang_up(chance.choice(calls))
                case 9:
                    s.ready(name)
                case 10:
                    s.not_ready(name)
                case 11:
                    for leg in [leg.id for leg in s.world.connections.values() if leg.clearing]:
                        s.cleared(leg)
                case 12 if asked:
                    s.select(chance.choice(asked), **chance.choice(ANSWERS))
                case 13:
                    s.log_off(name)
                    s.log_on(name, ready=True)
                case 14 if calls:
                    s.enqueue(chance.choice(calls), chance.choice(QUEUES), personal=chance.choice(WISHES))
        except CtiError:
            continue  # not possible in this state, and refused
    return s


@pytest.mark.parametrize("seed", range(5))
def test_a_recorded_day_replays_to_the_byte(seed):
    s = a_day(seed)
    engine = Engine(IdSource(random.Random(42).getrandbits), SkillRouter())
    again = []
    for fact, now in s.told:
        try:
            again += engine.handle(fact, now)
        except CtiError:
            continue
    assert len(s.offers()) > 20
    assert again == s.intents
    assert repr(again) == repr(s.intents)


def test_a_late_timer_is_part_of_the_record():
    """Every fact that changed something was recorded: the timers' too."""
    s = a_day(0)
    told = {type(fact) for fact, _ in s.told}
    assert told >= {facts.TimerFired, facts.Bridged, facts.QueueRequested, facts.RouteSelected}
    fired = {fact.kind for fact, _ in s.told if isinstance(fact, facts.TimerFired)}
    assert fired >= {"lease", "wait", "late", "route", "ring", "personal", "wrap-up", "pause"}


def test_a_day_has_seen_all_there_is():
    """The replay would prove little of what did not happen."""
    days = [a_day(seed) for seed in range(3)]
    happened = Counter(type(event).__name__ for s in days for event in s.events(object))
    missing = {"RouteUsed", "RouteEnded", "OfferEnded", "Diverted", "Abandoned", "Established"} - set(happened)
    assert not missing
    outcomes = {event.outcome for s in days for event in s.events(events.OfferEnded)}
    assert outcomes >= {"rejected", "timed out", "cancelled", "rescinded"}
