"""Routers and strategies that hold something: a snapshot has it."""

from __future__ import annotations

import random

import pytest

from cti.model.borrowing import Borrowing
from cti.routing import SkillRouter
from cti.store import Replay
from tests.engine.story import Story
from tests.store.recording import SEED, an_engine, record, tell
from tests.store.test_snapshot import restored


def day(router=None, **settings):
    """Three agents who are often ready together, so that it matters who is chosen."""
    chance = random.Random(SEED)
    s = Story(getrandbits=chance.getrandbits, now=10.0, router=router or SkillRouter(chance=chance.random))
    s.queue("other", service_level_s=1)
    s.queue("sales", requires="talk", service_level_s=1, **settings)
    for name in ("ann", "bob", "dan"):
        s.agent(name, skills={"talk": 1})
    s.agent("eve")
    for step in range(24):
        s.advance(1)
        call = s.waiting("sales")
        s.advance(4 if step % 3 else 0.5)
        rung = next((name for name in ("bob", "dan", "ann", "eve") if s.reservation(name)), None)
        if rung is not None:
            leg = s.take(rung)
            s.advance(2)
            s.hang_up(call)
            s.cleared(leg)
    return s


@pytest.mark.parametrize(
    "settings",
    [{"strategy": "round-robin"}, {"strategy": "random"}, {"borrows": Borrowing(("other",), below=0.5, until=0.99)}],
)
def test_turns_lots_and_borrowing_go_on(settings):
    told = day(**settings).told
    for at in range(0, len(told), 7):
        chance, again = random.Random(SEED), random.Random()
        engine = an_engine(chance, lambda chance=chance: SkillRouter(chance=chance.random))
        tell(engine, told[:at])
        copy = restored(engine, chance, again, lambda again=again: SkillRouter(chance=again.random))
        assert tell(copy, told[at:]) == tell(engine, told[at:])


@pytest.mark.parametrize("strategy", ["round-robin", "top-down"])
def test_a_router_made_with_a_strategy_replays(tmp_path, strategy):
    record(tmp_path, day(SkillRouter(strategy)).told, router=SkillRouter(strategy), segment_bytes=5_000)
    report = Replay(tmp_path).run()
    assert report.same, report.first_difference
