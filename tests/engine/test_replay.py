"""The same facts at the same times give the same intents, to the byte."""

from __future__ import annotations

import random

import pytest

from cti.engine import Engine
from cti.errors import CtiError
from cti.model import facts
from cti.model.cause import Cause
from cti.model.ids import IdSource, QueueId
from cti.model.queue import ToQueue
from cti.routing import SkillRouter

from .story import Story


def a_day(seed: int) -> Story:
    """A day of a small centre, at random: the facts of it and when they were told."""
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(42).getrandbits)
    s.queue("sales", wrap_up_s=5, ring_timeout_s=10)
    s.queue("loans", requires={"loans": 2}, priority=1, max_wait_s=30, overflow=ToQueue(QueueId("sales")))
    names = ["ann", "bob", "dan", "eve"]
    for name in names:
        s.agent(name, skills={"loans": chance.randrange(4)}, no_answers_allowed=2)
    for _ in range(400):
        s.advance(chance.random() * 4)
        name = chance.choice(names)
        made = s.reservation(name)
        calls = sorted(s.world.interactions)
        try:
            match chance.randrange(12):
                case 0 | 1 | 2:
                    s.enqueue(s.call(), chance.choice(["sales", "loans"]), chance.randrange(2))
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
    assert {type(fact) for fact, _ in s.told} >= {facts.TimerFired, facts.Bridged, facts.QueueRequested}
