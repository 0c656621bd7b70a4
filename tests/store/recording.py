"""Journals of random days: recorded as a centre records them, and what they hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cti.engine import Engine
from cti.errors import CtiError
from cti.model import facts
from cti.model.cause import Cause
from cti.model.ids import IdSource, QueueId
from cti.model.overflow import ToQueue
from cti.routing import Router, SkillRouter
from cti.store import Journal, RecordedEngine
from cti.store.segment import numbers, segment_path
from tests.engine.story import Story

SEED = 42
"""What the ids of ``a_day`` are drawn from."""


def a_day(seed: int) -> Story:
    """A day of a small centre, at random: the facts of it and when they were told."""
    chance = random.Random(seed)
    s = Story(getrandbits=random.Random(SEED).getrandbits)
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
    return s


Told = Iterable[tuple[facts.Fact, float]]


def an_engine(chance: random.Random, router: Callable[[], Router] | None = None) -> Engine:
    return Engine(IdSource(chance.getrandbits), (router or SkillRouter)())


def tell(engine: Engine, told: Told) -> list[Any]:
    """Each fact's intents, or the refusal."""
    heard: list[Any] = []
    for fact, now in told:
        try:
            heard.append(repr(engine.handle(fact, now)))
        except CtiError as error:
            heard.append(repr(error))
    return heard


def record(directory: Path, told: Told, *, router: Router | None = None, **options: Any) -> Journal:
    """Record these facts, and close the journal."""
    journal = Journal(directory, **options)
    chance = random.Random(SEED)
    engine = RecordedEngine(IdSource(chance.getrandbits), router or SkillRouter(), journal, chance=chance, node="here")
    for fact, now in told:
        with suppress(CtiError):
            engine.handle(fact, now)
    journal.close()
    return journal


def files(directory: Path) -> list[Path]:
    return [segment_path(directory, number) for number in numbers(directory)]
