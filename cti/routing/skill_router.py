"""The router that comes with the library: required skills, priority and age, and a strategy a queue."""

from __future__ import annotations

from typing import Any

from sortedcontainers import SortedList

from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.routing.router import Router
from cti.routing.strategy import Strategy, strategy


class _Lane:
    """One queue's side of the router: its ready agents and its waiting calls, both in order."""

    def __init__(self, queue: Queue, chosen: Strategy) -> None:
        self.queue = queue
        self.strategy = chosen
        self.agents: Any = SortedList()
        self.calls: Any = SortedList()


class SkillRouter(Router):
    """A call goes to the agent with the required skills whom the queue's strategy puts first; an agent takes, over all
    queues they have the skills for, the call with the highest priority, of these the oldest.

    Ready agents and waiting calls are kept in order, so that a decision costs O(log n) in agents and calls.

    Args:
        strategy: a strategy for all queues, by name or object, in place of the one each queue names.
    """

    def __init__(self, strategy: str | Strategy | None = None) -> None:
        self._override = strategy
        self._lanes: dict[QueueId, _Lane] = {}
        self._served: dict[AgentId, tuple[AgentSettings, tuple[_Lane, ...]]] = {}
        self._ready: dict[AgentId, tuple[tuple[_Lane, tuple[Any, AgentId]], ...]] = {}
        self._agents: dict[AgentId, Agent] = {}
        self._waiting: dict[InteractionId, tuple[_Lane, tuple[Any, InteractionId]]] = {}

    def queue_defined(self, queue: Queue) -> None:  # noqa: D102 - see Router
        chosen = self._override if self._override is not None else queue.settings.strategy
        named = strategy(chosen) if isinstance(chosen, str) else chosen
        old = self._lanes.get(queue.id)
        lane = self._lanes[queue.id] = _Lane(queue, named)
        self._served.clear()
        if old is not None:
            lane.calls = old.calls
            for call, (was_in, entry) in list(self._waiting.items()):
                if was_in is old:
                    self._waiting[call] = (lane, entry)
        for agent in list(self._agents.values()):  # matched afresh: who may be offered what has changed
            self.agent_unavailable(agent.id)
            self.agent_available(agent)

    def agent_available(self, agent: Agent) -> None:  # noqa: D102
        self.agent_unavailable(agent.id)
        entries = tuple((lane, (lane.strategy.key(agent, lane.queue), agent.id)) for lane in self._lanes_of(agent))
        for lane, entry in entries:
            lane.agents.add(entry)
        self._ready[agent.id] = entries
        self._agents[agent.id] = agent

    def agent_unavailable(self, agent: AgentId) -> None:  # noqa: D102
        for lane, entry in self._ready.pop(agent, ()):
            lane.agents.discard(entry)
        self._agents.pop(agent, None)

    def call_waiting(self, call: Interaction) -> None:  # noqa: D102
        self.call_gone(call.id)
        assert call.queue is not None
        lane = self._lanes[call.queue]
        entry = (call.age_key, call.id)
        lane.calls.add(entry)
        self._waiting[call.id] = (lane, entry)

    def call_gone(self, call: InteractionId) -> None:  # noqa: D102
        found = self._waiting.pop(call, None)
        if found is not None:
            lane, entry = found
            lane.calls.remove(entry)

    def agent_for(self, call: Interaction) -> AgentId | None:  # noqa: D102
        lane = self._waiting[call.id][0]
        return lane.agents[0][1] if lane.agents else None

    def call_for(self, agent: Agent) -> InteractionId | None:  # noqa: D102
        heads = [lane.calls[0] for lane in self._lanes_of(agent) if lane.calls]
        return min(heads)[1] if heads else None

    def position(self, call: InteractionId) -> int:  # noqa: D102
        found = self._waiting.get(call)
        return found[0].calls.index(found[1]) + 1 if found else 0

    def waiting(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        return tuple(call for _, call in self._lanes[queue].calls)

    def _lanes_of(self, agent: Agent) -> tuple[_Lane, ...]:
        known = self._served.get(agent.id)
        if known is None or known[0] is not agent.settings:
            lanes = tuple(lane for lane in self._lanes.values() if lane.queue.settings.accepts(agent.skills))
            known = self._served[agent.id] = (agent.settings, lanes)
        return known[1]
