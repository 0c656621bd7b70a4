"""Checks the invariants in a run: after each fact what it was about, now and then everything."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cti.engine.invariants import broken, broken_near
from cti.engine.world import World
from cti.model import events, facts, intents
from cti.model.ids import AgentId, InteractionId

KEPT = 20
"""How many violations a report names; all are counted."""


@frozen
class Violation:
    """An invariant that did not hold."""

    at: float
    """Virtual seconds since the start."""
    fact: str
    """The fact after which it was seen."""
    what: str


class Watch:
    """Says once of each invariant that it is broken.

    Args:
        world: the engine's.
        check_every: everything is looked at after so many facts, more where there are more calls in progress; 1: after
            each; 0: nothing ever.
    """

    def __init__(self, world: World, check_every: int) -> None:
        self.world = world
        """The engine's."""
        self._every = check_every
        self._left = check_every
        self._said: set[str] = set()
        self.count = 0
        self.found: list[Violation] = []
        """The first of them."""

    def after(self, fact: facts.Fact, wanted: Sequence[intents.Intent], *, grace_s: float = 0.0) -> None:
        """A fact was handled; a lease may be over for so long."""
        if not self._every:
            return
        self._left -= 1
        if self._left <= 0:
            # A full check costs as much as there are calls; so many facts have to pay for it.
            self._left = self._every if self._every == 1 else max(self._every, len(self.world.interactions))
            wrong = broken(self.world, grace_s=grace_s)
            self._said.intersection_update(wrong)  # what is no longer wrong may be said again
        else:
            wrong = broken_near(self.world, *touched(self.world, fact, wanted), grace_s=grace_s)
        for what in wrong:
            if what not in self._said:
                self._said.add(what)
                self.tell(fact, what)

    def tell(self, fact: facts.Fact | None, what: str) -> None:
        """Something must not be."""
        self.count += 1
        if len(self.found) < KEPT:
            self.found.append(Violation(self.world.now, type(fact).__name__ if fact is not None else "", what))


def touched(
    world: World, fact: facts.Fact, wanted: Sequence[intents.Intent]
) -> tuple[set[AgentId], set[InteractionId]]:
    """The agents and calls that a fact was about, by its own words and by what it made the engine want."""
    agents: set[AgentId] = set()
    calls: set[InteractionId] = set()
    named = getattr(fact, "connection", None)
    leg = world.connections.get(named) if named is not None else None
    if leg is not None:
        calls.add(leg.interaction)
        if leg.agent is not None:
            agents.add(leg.agent)
    for intent in wanted:
        if isinstance(intent, intents.Notify):
            event = intent.event
            if isinstance(event, events.CallEvent):
                calls.add(event.interaction)
                if event.agent is not None:
                    agents.add(event.agent)
            elif isinstance(event, events.AgentEvent):
                agents.add(event.agent)
        elif isinstance(intent, intents.OfferCall | intents.PutThrough):
            calls.add(intent.interaction)
            agents.add(intent.agent)
    return agents, calls
