"""The ready agents, each in order in the lane of every queue that may have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, QueueId
from cti.routing.lane import AgentEntry, Lane, Pool
from cti.routing.strategy import Strategy


class Match(NamedTuple):
    """Where an agent with these settings belongs, as long as no queue is redefined."""

    settings: AgentSettings
    own: tuple[Pool, ...]
    """The pool of each queue that the agent stands in."""
    served: tuple[Pool, ...]
    """These and their later steps: whose calls the agent may take."""


class Ready(NamedTuple):
    """Where an agent stands."""

    agent: Agent
    match: Match
    entries: tuple[AgentEntry, ...]
    """In each pool of ``match.own``."""


class ReadyAgents:
    """Puts agents in their places, and takes them out.

    Args:
        lanes: by queue, as they are defined now.
        fault: told of a strategy that misbehaves: its lane, the agent, and what.
    """

    def __init__(self, lanes: Mapping[QueueId, Lane], fault: Callable[[Lane, Agent, str], None]) -> None:
        self._lanes = lanes
        self._fault = fault
        self.ready: dict[AgentId, Ready] = {}
        self._matches: WeakKeyDictionary[Agent, Match] = WeakKeyDictionary()
        """Of those who are not ready, as long as no queue is redefined; maybe of some who are."""

    def available(self, agent: Agent) -> None:
        """An agent is ready; told again of one who is, their skills or figures are others."""
        self.unavailable(agent.id)
        match = self.match(agent)
        self.ready[agent.id] = Ready(agent, match, self._add(agent, match.own))

    def unavailable(self, agent: AgentId) -> None:
        """An agent is not ready any more, if they were."""
        ready = self.ready.pop(agent, None)
        if ready is not None:
            self._matches[ready.agent] = ready.match
            for pool, entry in zip(ready.match.own, ready.entries, strict=True):
                pool.remove(entry)

    def match(self, agent: Agent) -> Match:
        """Where an agent belongs, ready or not."""
        ready = self.ready.get(agent.id)
        known = ready.match if ready is not None else self._matches.get(agent)
        if known is None or known.settings is not agent.settings:
            own = self._own(agent, self._lanes.values())
            known = self._matches[agent] = Match(agent.settings, own, _served(own))
        return known

    def _own(self, agent: Agent, lanes: Iterable[Lane]) -> tuple[Pool, ...]:
        skills = agent.skills
        return tuple([lane.pools[step] for lane in lanes if (step := lane.first_step(skills)) is not None])

    def rematch(self, lanes: Sequence[Lane], old: Lane | None) -> None:
        """Place every ready agent afresh in these lanes; others are matched when they become ready.

        Args:
            lanes: those of the queue that was redefined, and of the queues whose widening names it.
            old: the lane that the queue had before.
        """
        self._matches.clear()
        changed = {lane.queue.id for lane in lanes}
        stood: set[AgentId] = set()
        for lane in (*lanes, *([old] if old is not None else [])):
            for pool in lane.pools:
                stood.update(entry[-1] for entry in pool.agents)
                pool.agents.clear()
        asked: frozenset[str] | None = frozenset()
        for lane in lanes:
            asked = asked | lane.asked if asked is not None and lane.asked is not None else None
        for name, (agent, match, entries) in self.ready.items():
            # Most agents have nothing to do with one queue, and with 30,000 of them that must be seen at once.
            if asked is not None and name not in stood and asked.isdisjoint(agent.settings.skills):
                continue
            new = self._own(agent, lanes)
            if not new and name not in stood:
                continue
            kept = [at for at, pool in enumerate(match.own) if pool.lane.queue.id not in changed]
            own = (*(match.own[at] for at in kept), *new)
            placed = (*(entries[at] for at in kept), *self._add(agent, new))
            self.ready[name] = Ready(agent, Match(match.settings, own, _served(own)), placed)

    def _add(self, agent: Agent, pools: tuple[Pool, ...]) -> tuple[AgentEntry, ...]:
        entries = []
        shared: Strategy | None = None
        entry: AgentEntry = (1, 0.0, agent.id)
        for pool in pools:
            lane = pool.lane
            if lane.strategy is not shared:
                entry = self._entry(agent, lane)
                shared = lane.strategy if lane.shares_key else None
            entries.append(pool.add(entry, agent, self._fault))
        return tuple(entries)

    def _entry(self, agent: Agent, lane: Lane) -> AgentEntry:
        try:
            key = lane.strategy.key(agent, lane.queue)
            if key < key or key != key:  # noqa: PLR0124 - neither holds of a value that sorts; NaN is not itself
                raise ValueError(f"{key!r} is not equal to itself")  # noqa: TRY301 - said as what it raised itself
        except Exception as error:  # noqa: BLE001 - whatever a host application's strategy does costs its own order only
            self._fault(lane, agent, repr(error))
            return (1, agent.idle_since, agent.id)
        return (0, key, agent.id)


def _served(own: tuple[Pool, ...]) -> tuple[Pool, ...]:
    """These pools and the later steps of each; the same object if there are none."""
    if all(len(pool.lane.pools) == pool.step + 1 for pool in own):
        return own
    return tuple(later for pool in own for later in pool.lane.pools[pool.step :])
