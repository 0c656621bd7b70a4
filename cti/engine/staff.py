"""Who is logged on for which queues, and what that lets a caller expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from cti.model.agent import Agent
from cti.model.ids import AgentId, QueueId
from cti.model.queue import Queue, QueueSettings
from cti.model.states import AgentState
from cti.routing.expected_wait import agents_worth, expected_wait_s
from cti.routing.widening import first_step

if TYPE_CHECKING:
    from cti.engine.world import World


@frozen
class _Serves:
    own: frozenset[QueueId]
    """The queues whose own requirement the agent meets."""
    any: frozenset[QueueId]
    """These, and those whose widening lets them in."""


_NOTHING = _Serves(frozenset(), frozenset())
_OFF = AgentState.NULL


class Staff:
    """Counts the logged-on agents of each queue.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._serves: dict[AgentId, _Serves] = {}
        self._known: dict[frozenset[QueueId], frozenset[QueueId]] = {}
        self._groups: dict[QueueId, Counter[frozenset[QueueId]]] = {}
        self._counts: Counter[QueueId] = Counter()

    def changed(self, agent: Agent) -> None:
        """An agent has logged on or off, or their skills are others."""
        self._put(agent.id, self._match(agent, self._world.queues.values()) if agent.state is not _OFF else _NOTHING)

    def redefined(self, queue: QueueId) -> frozenset[QueueId]:
        """A queue is new, or its settings changed; the queues that other agents may serve since."""
        queues = self._world.queues
        concerned = [q for q in queues.values() if q.id == queue or any(queue in s.also for s in q.settings.widening)]
        names = frozenset(each.id for each in concerned)
        for agent in self._world.agents.values():
            if agent.state is not _OFF:
                before, now = self._serves.get(agent.id, _NOTHING), self._match(agent, concerned)
                self._put(agent.id, _Serves(before.own - names | now.own, before.any - names | now.any))
        return names

    def _match(self, agent: Agent, queues: Iterable[Queue]) -> _Serves:
        steps = {queue.id: first_step(queue.settings, agent.skills, self._settings) for queue in queues}
        return _Serves(
            frozenset(name for name, step in steps.items() if step == 0),
            frozenset(name for name, step in steps.items() if step is not None),
        )

    def _put(self, agent: AgentId, serves: _Serves) -> None:
        before = self._serves.pop(agent, _NOTHING)
        if serves != before:
            self._count(before, -1)
            self._count(serves, 1)
        if serves != _NOTHING:
            self._serves[agent] = _Serves(self._one(serves.own), self._one(serves.any))

    def _count(self, serves: _Serves, one: int) -> None:
        for name in serves.any:
            self._counts[name] += one
        for name in serves.own:
            group = self._groups.setdefault(name, Counter())
            group[serves.own] += one
            if not group[serves.own]:
                del group[serves.own]

    def count(self, queue: QueueId) -> int:
        """How many are logged on who may ever be offered its calls, without borrowing."""
        return self._counts[queue]

    def serves(self, agent: AgentId) -> frozenset[QueueId]:
        """The queues whose calls a logged-on agent may ever be offered."""
        return self._serves.get(agent, _NOTHING).any

    def expected_wait_s(self, queue: Queue, position: int) -> float | None:
        """How long the call at this place (1 is the head) has yet to wait; None if that is not known.

        A call that is only coming counts as work of this queue too.
        """
        groups = self._groups.get(queue.id) or Counter()
        concerned = {name for group in groups for name in group}
        load_s = self._load_s(concerned)
        load_s[queue.id] = max(queue.figures.waiting, position) * (queue.figures.aht_s or 0.0)
        return expected_wait_s(position, queue.figures.aht_s, agents_worth(queue.id, groups.items(), load_s))

    def _load_s(self, queues: set[QueueId]) -> dict[QueueId, float]:
        """The work in hand of these queues: the calls that wait, times their handling time."""
        known = self._world.queues
        return {
            name: known[name].figures.waiting * (known[name].figures.aht_s or 0.0) for name in queues if name in known
        }

    def _settings(self, queue: QueueId) -> QueueSettings | None:
        found = self._world.queues.get(queue)
        return found.settings if found is not None else None

    def rebuild(self) -> None:
        """Count everybody afresh, from the agents and queues as they are."""
        self._serves, self._groups, self._counts = {}, {}, Counter()
        for agent in self._world.agents.values():
            self.changed(agent)

    def _one(self, queues: frozenset[QueueId]) -> frozenset[QueueId]:
        """One object for all agents who serve the same."""
        return self._known.setdefault(queues, queues)
