"""One queue's side of the router: its ready agents and its waiting calls, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sortedcontainers import SortedList

from cti.model.agent import Agent
from cti.model.ids import AgentId
from cti.model.queue import Queue
from cti.routing.order import CallKey
from cti.routing.strategy import Strategy

AgentEntry = tuple[int, Any, AgentId]
"""0, the strategy's key, and the agent; 1 and since when they are idle if the key could not be used."""


class Pool:
    """A step of a queue's widening: the agents whom it lets in, and the calls that have come to it.

    Args:
        lane: the queue's.
        step: 0 for the queue's own requirement.
        calls: what holds the calls; a lane of one step has but one list.
    """

    __slots__ = ("agents", "calls", "lane", "step")

    def __init__(self, lane: Lane, step: int, calls: Any) -> None:
        self.lane = lane
        self.step = step
        self.agents: Any = SortedList()
        self.calls: Any = calls

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

    @property
    def per_minute(self) -> float:
        """By how much its calls' priority grows in a minute."""
        return self.lane.per_minute


class Lane:
    """A queue with one pool for each step of its widening, the queue's own requirement first.

    Args:
        queue: whose lane.
        strategy: which of its ready agents goes first.
    """

    def __init__(self, queue: Queue, strategy: Strategy) -> None:
        self.queue = queue
        self.strategy = strategy
        self.place: Callable[[int], int] | None = getattr(strategy, "place", None)
        self.chosen: Callable[[Agent, Queue], None] | None = getattr(strategy, "chosen", None)
        self.shares_key = not getattr(strategy, "per_queue", True)
        """Whether the key is the same in every queue, and need be kept but once."""
        self.per_minute = queue.settings.priority_per_minute
        self.calls: Any = SortedList()
        """All its waiting calls, of whatever step."""
        steps = len(queue.settings.widening)
        self.pools = tuple(Pool(self, step, SortedList() if steps else self.calls) for step in range(steps + 1))

    @property
    def agents(self) -> list[AgentEntry]:
        """Its ready agents, the first to be asked first."""
        return [entry for pool in self.pools for entry in pool.agents]

    def add(self, key: CallKey, widened: int) -> Pool:
        """Put a call in order; the pool it is in."""
        pool = self.pools[min(widened, len(self.pools) - 1)]
        self.calls.add(key)
        if pool.calls is not self.calls:
            pool.calls.add(key)
        return pool

    def remove(self, key: CallKey, pool: Pool) -> None:
        """Take a call out."""
        self.calls.remove(key)
        if pool.calls is not self.calls:
            pool.calls.remove(key)
