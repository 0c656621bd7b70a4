"""The router that comes with the library: required skills, priority and age, and a strategy a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import nsmallest
from itertools import islice
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.routing.decision import RUNNERS_UP, Decision, Fault
from cti.routing.lane import AgentEntry, Lane, Pool
from cti.routing.order import CallKey, at_time, call_key
from cti.routing.router import Router
from cti.routing.strategy import Strategy, strategy
from cti.routing.widening import first_step

FAULTS_KEPT = 100


class _Match(NamedTuple):
    """Where an agent with these settings belongs, as long as no queue is redefined."""

    settings: AgentSettings
    version: int
    own: tuple[Pool, ...]
    """The pool of each queue that the agent stands in."""
    served: tuple[Pool, ...]
    """These and their later steps: whose calls the agent may take."""


class _Place(NamedTuple):
    """Where a call waits."""

    call: Interaction
    lane: Lane
    pool: Pool
    key: CallKey


class SkillRouter(Router):
    """A call goes to the agent with the required skills whom the queue's strategy puts first; an agent takes, over all
    queues they may serve, the call with the highest priority, of these the oldest (docs/routing.md has the order).

    Ready agents and waiting calls are kept in order, so that a decision costs O(log n) in agents and calls.

    Args:
        strategy: a strategy for all queues, by name or object, in place of the one each queue names.
        chance: what the strategy ``random`` draws from: ``random.Random(seed).random`` or alike.
        decisions_kept: how many decisions ``decisions`` holds.
    """

    def __init__(
        self,
        strategy: str | Strategy | None = None,
        *,
        chance: Callable[[], float] | None = None,
        decisions_kept: int = 1000,
    ) -> None:
        self._override = strategy
        self._chance = chance
        self.decisions: deque[Decision] = deque(maxlen=decisions_kept)
        """The last decisions that the engine acted on, the oldest first."""
        self.faults: deque[Fault] = deque(maxlen=FAULTS_KEPT)
        """The last misdeeds of strategies."""
        self._strategies: dict[str, Strategy] = {}
        self._lanes: dict[QueueId, Lane] = {}
        self._version = 0
        self._matches: WeakKeyDictionary[Agent, _Match] = WeakKeyDictionary()
        self._ready: dict[AgentId, tuple[tuple[Pool, ...], tuple[AgentEntry, ...]]] = {}
        self._agents: dict[AgentId, Agent] = {}
        self._waiting: dict[InteractionId, _Place] = {}

    # -- queues ---------------------------------------------------------------------------------------------------

    def queue_defined(self, queue: Queue) -> None:  # noqa: D102 - see Router
        lane = Lane(queue, self._strategy(queue))
        old = self._lanes.get(queue.id)
        self._lanes[queue.id] = lane
        for place in [self._waiting[key[-1]] for key in old.calls] if old is not None else []:
            self._put(place.call, lane)
        self._rematch({queue.id, *self._borrowers(queue.id)})

    def _strategy(self, queue: Queue) -> Strategy:
        wanted = self._override if self._override is not None else queue.settings.strategy
        if not isinstance(wanted, str):
            return strategy(wanted)
        if wanted not in self._strategies:  # one of each name, kept: turns go on when a queue is redefined
            self._strategies[wanted] = strategy(wanted, self._chance)
        return self._strategies[wanted]

    def _borrowers(self, queue: QueueId) -> list[QueueId]:
        """The queues whose widening names this one."""
        return [
            lane.queue.id
            for lane in self._lanes.values()
            if any(queue in step.also for step in lane.queue.settings.widening)
        ]

    def _rematch(self, changed: set[QueueId]) -> None:
        """Place every ready agent afresh in these queues' lanes; others are matched when they become ready."""
        self._version += 1
        lanes = [self._lanes[name] for name in sorted(changed)]
        for lane in lanes:
            for pool in lane.pools:
                pool.agents.clear()
        for agent in self._agents.values():
            match = self._matches[agent]
            pools, entries = self._ready[agent.id]
            kept = [at for at, pool in enumerate(pools) if pool.lane.queue.id not in changed]
            new = self._own(agent, lanes)
            if not new and len(kept) == len(pools):  # most agents have nothing to do with one queue
                self._matches[agent] = match._replace(version=self._version)
                continue
            own = (*(pools[at] for at in kept), *new)
            self._matches[agent] = _Match(match.settings, self._version, own, _served(own))
            self._ready[agent.id] = (own, (*(entries[at] for at in kept), *self._add(agent, new)))

    def concerned(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        lanes = [self._lanes[name] for name in {queue, *self._borrowers(queue)}]
        keys = sorted(at_time(key, lane.per_minute, self.now) for lane in lanes for key in lane.calls)
        return tuple(key[-1] for key in keys)

    # -- agents ---------------------------------------------------------------------------------------------------

    def agent_available(self, agent: Agent) -> None:  # noqa: D102
        self.agent_unavailable(agent.id)
        own = self._match(agent).own
        self._ready[agent.id] = (own, self._add(agent, own))
        self._agents[agent.id] = agent

    def agent_unavailable(self, agent: AgentId) -> None:  # noqa: D102
        if self._agents.pop(agent, None) is not None:
            for pool, entry in zip(*self._ready.pop(agent), strict=True):
                pool.remove(entry)

    def _match(self, agent: Agent) -> _Match:
        known = self._matches.get(agent)
        if known is None or known.version != self._version or known.settings is not agent.settings:
            own = self._own(agent, self._lanes.values())
            known = self._matches[agent] = _Match(agent.settings, self._version, own, _served(own))
        return known

    def _own(self, agent: Agent, lanes: Any) -> tuple[Pool, ...]:
        skills = agent.skills
        found = []
        for lane in lanes:
            step = first_step(lane.queue.settings, skills, self._settings)
            if step is not None:
                found.append(lane.pools[step])
        return tuple(found)

    def _settings(self, queue: QueueId) -> QueueSettings | None:
        lane = self._lanes.get(queue)
        return lane.queue.settings if lane is not None else None

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

    def _fault(self, lane: Lane, agent: Agent | None, what: str) -> None:
        name = getattr(lane.strategy, "name", type(lane.strategy).__name__)
        self.faults.append(Fault(self.now, lane.queue.id, name, agent.id if agent is not None else None, what))

    # -- calls ----------------------------------------------------------------------------------------------------

    def call_waiting(self, call: Interaction) -> None:  # noqa: D102
        self.call_gone(call.id)
        assert call.queue is not None
        self._put(call, self._lanes[call.queue])

    def _put(self, call: Interaction, lane: Lane) -> None:
        key = call_key(call, lane.per_minute)
        self._waiting[call.id] = _Place(call, lane, lane.add(key, call.widened), key)

    def call_gone(self, call: InteractionId) -> None:  # noqa: D102
        place = self._waiting.pop(call, None)
        if place is not None:
            place.lane.remove(place.key, place.pool)

    # -- decisions ------------------------------------------------------------------------------------------------

    def agent_for(self, call: Interaction) -> AgentId | None:  # noqa: D102
        _, lane, widest, _ = self._waiting[call.id]
        for pool in lane.pools[: widest.step + 1]:
            if pool.agents:
                entry: AgentEntry = pool.agents[self._placed(lane, len(pool.agents)) if lane.place is not None else 0]
                return entry[2]
        return None

    def _placed(self, lane: Lane, count: int) -> int:
        assert lane.place is not None
        try:
            at = lane.place(count)
            if not 0 <= at < count:
                raise IndexError(f"place {at} of {count}")  # noqa: TRY301 - said as what it raised itself
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(lane, None, repr(error))
            return 0
        return at

    def call_for(self, agent: Agent) -> InteractionId | None:  # noqa: D102
        heads = [at_time(pool.calls[0], pool.per_minute, self.now) for pool in self._match(agent).served if pool.calls]
        return min(heads)[-1] if heads else None

    def decided(self, call: Interaction, agent: Agent) -> None:  # noqa: D102
        lane = self._waiting[call.id].lane
        self.decisions.append(self._decision(self._waiting[call.id], agent))
        if lane.chosen is not None:
            try:
                lane.chosen(agent, lane.queue)
            except Exception as error:  # noqa: BLE001 - as above
                self._fault(lane, agent, repr(error))

    def _decision(self, place: _Place, agent: Agent) -> Decision:
        call, lane, widest, key = place
        pools, entries = self._ready.get(agent.id, ((), ()))
        own = next((at for at, pool in enumerate(pools) if pool.lane is lane), None)
        others: list[tuple[AgentId, Any]] = []
        for pool in lane.pools[: widest.step + 1]:
            others += [(who, shown) for _, shown, who in islice(pool.agents, RUNNERS_UP + 1) if who != agent.id]
            if len(others) >= RUNNERS_UP:
                break
        heads: list[tuple[CallKey, Pool]] = []
        for pool in self._match(agent).served:
            for other in islice(pool.calls, 2):
                if other[-1] != call.id:
                    heads.append((at_time(other, pool.per_minute, self.now), pool))
                    break
        return Decision(
            at=self.now,
            call=call.id,
            queue=lane.queue.id,
            agent=agent.id,
            widened=pools[own].step if own is not None else 0,
            priority=-at_time(key, lane.per_minute, self.now)[0],
            waited_s=self.now - key[1],
            strategy=getattr(lane.strategy, "name", type(lane.strategy).__name__),
            key=entries[own][1] if own is not None else None,
            agents_over=tuple(others[:RUNNERS_UP]),
            calls_over=tuple(
                (other[-1], pool.lane.queue.id, -other[0], self.now - other[1])
                for other, pool in nsmallest(RUNNERS_UP, heads, key=lambda head: head[0])
            ),
        )

    # -- looking --------------------------------------------------------------------------------------------------

    def position(self, call: InteractionId) -> int:  # noqa: D102
        place = self._waiting.get(call)
        return place.lane.calls.index(place.key) + 1 if place is not None else 0

    def waiting(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        return tuple(key[-1] for key in self._lanes[queue].calls)


def _served(own: tuple[Pool, ...]) -> tuple[Pool, ...]:
    """These pools and the later steps of each; the same object if there are none."""
    if all(len(pool.lane.pools) == pool.step + 1 for pool in own):
        return own
    return tuple(later for pool in own for later in pool.lane.pools[pool.step :])
