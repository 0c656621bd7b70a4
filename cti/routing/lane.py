"""One queue's side of the router: its ready agents and its waiting calls, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sortedcontainers import SortedList

from cti.model.agent import Agent
from cti.model.ids import AgentId, QueueId
from cti.model.queue import Queue, QueueSettings
from cti.routing.order import CallKey, DueKey, at_time
from cti.routing.ringing import ONE, Ringing
from cti.routing.strategy import Strategy
from cti.routing.widening import first_step

AgentEntry = tuple[int, Any, AgentId]
"""0, the strategy's key, and the agent; 1 and since when they are idle if the key could not be used."""

PERSONAL: Final = -1
"""The step of a pool whose calls wait for one agent alone."""


class Pool:
    """A step of a queue's widening: the agents whom it lets in, and the calls that have come to it.

    Args:
        lane: the queue's.
        step: 0 for the queue's own requirement; PERSONAL for the calls that wait for one agent alone.
    """

    __slots__ = ("agents", "calls", "lane", "step")

    def __init__(self, lane: Lane, step: int) -> None:
        self.lane = lane
        self.step = step
        self.agents: Any = SortedList()
        self.calls: Any = SortedList()

    def add(self, entry: AgentEntry, agent: Agent, fault: Callable[[Lane, Agent, str], None]) -> AgentEntry:
        """Put an agent in order; the entry it was put under, which is another if this one does not compare."""
        try:
            self.agents.add(entry)
        except Exception as error:  # noqa: BLE001 - the keys are a host application's, and so is how they compare
            fault(self.lane, agent, f"key {entry[1]!r} does not compare with the others: {error!r}")
            entry = (1, agent.idle_since, agent.id)
            self.agents.add(entry)
        return entry

    def remove(self, entry: AgentEntry) -> None:
        """Take an agent out."""
        try:
            self.agents.remove(entry)
        except Exception:  # noqa: BLE001 - keys that stopped comparing as they did: searched for by identity
            kept = [other for other in self.agents if other is not entry]
            self.agents.clear()
            for other in kept:
                self.agents.add(other)

    def due(self, now: float, at: int = 0) -> DueKey:
        """The key of its first call (or of another) among those of all queues at this time."""
        lane = self.lane
        return at_time(self.calls[at], lane.per_minute, now, lane.deficit)


class Lane:
    """A queue with one pool for each step of its widening, the queue's own requirement first.

    Args:
        queue: whose lane.
        strategy: which of its ready agents goes first.
        by_deficit: whether the queue's deficit counts in the order of calls.
    """

    def __init__(self, queue: Queue, strategy: Strategy, *, by_deficit: bool = False) -> None:
        self.queue = queue
        self.strategy = strategy
        self.place: Callable[[int], int] | None = getattr(strategy, "place", None)
        self.chosen: Callable[[Agent, Queue], None] | None = getattr(strategy, "chosen", None)
        self.ringing: Ringing = getattr(strategy, "ringing", ONE)
        self.shares_key = not getattr(strategy, "per_queue", True)
        """Whether the key is the same in every queue, and need be kept but once."""
        self.per_minute = queue.settings.priority_per_minute
        self.calls: Any = SortedList()
        """All its waiting calls, of whatever step, and those that wait for one agent alone."""
        self.pools = tuple(Pool(self, step) for step in range(len(queue.settings.widening) + 1))
        self.deficit: float | None = 0.0 if by_deficit else None
        """How far the recent service level is below the target; None if deficits do not count."""
        self.figures_changed()
        self._settings: Callable[[QueueId], QueueSettings | None] = lambda _: None
        self.asked: frozenset[str] | None = None
        """Skills of which an agent must have one to be let in at any step; None if that cannot be said."""

    @property
    def agents(self) -> list[AgentEntry]:
        """Its ready agents, the first to be asked first."""
        return [entry for pool in self.pools for entry in pool.agents]

    # -- calls ----------------------------------------------------------------------------------------------------

    def pool_of(self, widened: int) -> Pool:
        """Where a call that has come to this step of widening stands."""
        return self.pools[min(widened, len(self.pools) - 1)]

    def add(self, key: CallKey, pool: Pool) -> None:
        """Put a call in order."""
        self.calls.add(key)
        pool.calls.add(key)

    def remove(self, key: CallKey, pool: Pool) -> None:
        """Take a call out."""
        self.calls.remove(key)
        pool.calls.remove(key)

    def figures_changed(self) -> None:
        """Take note of how far the recent service level is below the target."""
        if self.deficit is not None:
            target, share = self.queue.settings.service_level_target, self.queue.recent.share
            # Rounded, so that two queues that lack as much, of other figures, are equal.
            self.deficit = round(max(0.0, target - share), 9) if target is not None and share is not None else 0.0

    # -- agents ---------------------------------------------------------------------------------------------------

    def match(self, settings: Callable[[QueueId], QueueSettings | None]) -> None:
        """Take note of the queues that its widening names, as they are now.

        Args:
            settings: a queue's settings, None if there is none of the name.
        """
        self._settings = settings
        own = self.queue.settings
        named = (settings(name) for step in own.widening for name in step.also)
        requirements = [own.requires, *(step.requires for step in own.widening if step.requires is not None)]
        requirements += [other.requires for other in named if other is not None]
        # Where nobody without skills is let in, those who have none of the skills asked for are not either: what a
        # requirement forbids keeps more agents out, never fewer. But "a != 0" asks for a in a way of its own.
        odd = any("!=" in one.text or "==" in one.text for one in requirements)
        if odd or first_step(own, {}, settings) is not None:
            self.asked = None
        else:
            self.asked = frozenset().union(*(one.skills for one in requirements))

    def first_step(self, skills: Mapping[str, int]) -> int | None:
        """The first step at which an agent with these skills may be offered its calls, None for never."""
        if self.asked is not None and self.asked.isdisjoint(skills):
            return None
        return first_step(self.queue.settings, skills, self._settings)
