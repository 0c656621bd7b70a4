"""A bad router in the real engine: calls are taken all the same, and no invariant breaks (a Story checks them)."""

from __future__ import annotations

import random

import pytest

from cti.model.ids import AgentId
from cti.model.states import AgentState
from cti.routing import GuardedRouter, SkillRouter
from tests.engine.story import Story


class Reckless(SkillRouter):
    """Raises anywhere, and answers what comes to its mind."""

    def __init__(self, seed: int, often: float) -> None:
        super().__init__()
        self._chance, self._often = random.Random(seed), often

    def _mind(self, *answers):
        if self._chance.random() < self._often:
            found = self._chance.choice([RuntimeError("out of its mind"), *answers])
            if isinstance(found, Exception):
                raise found
            return (found,)
        return None

    def agent_for(self, call):
        said = self._mind("ann", "bob", "nobody", None, 5, [])
        return said[0] if said else super().agent_for(call)

    def call_for(self, agent):
        said = self._mind(*list(self._waiting)[:3], "no call", None, 5, {})
        return said[0] if said else super().call_for(agent)

    def agent_available(self, agent):
        self._mind(None, None, None)
        super().agent_available(agent)

    def call_gone(self, call):
        self._mind(None, None, None)
        super().call_gone(call)

    def position(self, call):
        said = self._mind(0, -1, "first", 3)
        return said[0] if said else super().position(call)

    def decided(self, call, agent):
        self._mind(None)
        super().decided(call, agent)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("often", [0.05, 0.5])
def test_every_caller_is_answered_in_the_end(seed, often):
    chance = random.Random(seed)
    guard = GuardedRouter(Reckless(seed, often), SkillRouter(), most_bad=4, aside_s=5.0)
    story = Story(router=guard)
    story.queue("sales")
    for name in ("ann", "bob", "eve"):
        story.agent(name, ready=chance.random() < 0.7)
    calls = []
    for _ in range(25):
        story.advance(chance.choice([0.0, 0.5, 4.0]))
        kind, name = chance.randrange(5), chance.choice(["ann", "bob", "eve"])
        if kind < 3 and len(calls) < 10:
            calls.append(story.waiting("sales", chance.randrange(2)))
        elif kind == 3 and story.state(name) is AgentState.READY:
            story.not_ready(name)
        elif story.reservation(name) is not None:
            leg = story.offered_leg(name)
            call = story.world.connections[leg].interaction
            story.take(name)
            story.hang_up(call)
            story.cleared(leg)
            calls.remove(call)
        elif story.state(name) is AgentState.NOT_READY:
            story.ready(name)
    # A router may let calls wait; a sane one in charge leaves none waiting with an agent who is free.
    guard.router._often = 0.0
    story.advance(10_000.0)
    for _ in range(100):
        if not calls:
            break
        for name in ("ann", "bob", "eve"):
            if story.reservation(name) is not None:
                leg = story.offered_leg(name)
                call = story.world.connections[leg].interaction
                story.take(name)
                story.hang_up(call)
                story.cleared(leg)
                calls.remove(call)
            else:
                if story.state(name) is AgentState.READY:
                    story.not_ready(name)
                story.advance(1.0)
                story.ready(name)
    assert not calls
    assert guard.in_charge
    assert guard.faults or often == 0.05


def test_one_that_never_answers_anything_changes_nothing():
    class Dead(SkillRouter):
        def agent_for(self, call):
            raise RuntimeError("dead")

        def call_for(self, agent):
            raise RuntimeError("dead")

    def played(router):
        story = Story(router=router)
        story.queue("sales")
        story.agent("ann")
        for _ in range(3):
            story.waiting("sales")
        story.agent("bob")
        story.take("ann")
        return story.offers(), [story.state(AgentId(name)) for name in ("ann", "bob")]

    guard = GuardedRouter(Dead(), SkillRouter(), most_bad=2)
    assert played(guard) == played(SkillRouter())
    assert not guard.in_charge
