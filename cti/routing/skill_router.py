"""The router that comes with the library: skills, priority and age, a strategy a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from cti.model.agent import Agent
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.routing.decision import RUNNERS_UP, Decision, Fault
from cti.routing.lane import PERSONAL, AgentEntry, Lane, Pool
from cti.routing.lending import Lending
from cti.routing.order import CallKey, DueKey, at_time, call_key
from cti.routing.ready_agents import ReadyAgents
from cti.routing.ringing import ONE, Ringing
from cti.routing.router import Router
from cti.routing.strategy import Strategy, strategy

FAULTS_KEPT = 100


class _Place(NamedTuple):
    """Where a call waits, as it was when the router was last told of it."""

    call: Interaction
    lane: Lane
    pool: Pool
    key: CallKey
    wanted: AgentId | None


class SkillRouter(Router):
    """A call goes to the agent with the required skills whom the queue's strategy puts first; an agent takes, over all
    queues they may serve, the call with the highest priority, of these the oldest (docs/routing.md has the order).

    Ready agents and waiting calls are kept in order, so that a decision costs O(log n) in agents and calls.

    Args:
        strategy: a strategy for all queues, by name or object, in place of the one each queue names.
        service_level: whether, of calls with equal priority, that of the queue which is further below its
            ``service_level_target`` goes first.
        chance: what the strategy ``random`` draws from: ``random.Random(seed).random`` or alike.
        decisions_kept: how many decisions ``decisions`` holds.
    """

    def __init__(
        self,
        strategy: str | Strategy | None = None,
        *,
        service_level: bool = False,
        chance: Callable[[], float] | None = None,
        decisions_kept: int = 1000,
    ) -> None:
        self._override = strategy
        self._by_deficit = service_level
        self._chance = chance
        self.decisions: deque[Decision] = deque(maxlen=decisions_kept)
        """The last decisions that the engine acted on, the oldest first."""
        self.faults: deque[Fault] = deque(maxlen=FAULTS_KEPT)
        """The last misdeeds of strategies."""
        self._strategies: dict[str, Strategy] = {}
        self._lanes: dict[QueueId, Lane] = {}
        self._lending = Lending(self._queue)
        self._staff = ReadyAgents(self._lanes, self._fault)
        self._ready = self._staff.ready
        self._waiting: dict[InteractionId, _Place] = {}
        self._personal: dict[AgentId, dict[QueueId, Pool]] = {}
        """The calls that wait for one agent alone, by the queue they are in."""

    def state(self) -> dict[str, Any]:
        """What it holds that it is not told of: turns, lots, who borrows; plain values, for a snapshot."""
        kept = {name: made.state() if hasattr(made, "state") else None for name, made in self._strategies.items()}
        return {
            "strategy": self._override if isinstance(self._override, str) else None,
            "service_level": self._by_deficit,
            "strategies": kept,
            "lending": self._lending.state(),
        }

    def restore(self, state: Mapping[str, Any], agents: Mapping[AgentId, Agent]) -> None:
        """Go on from a state; before it is told of anything. A strategy that it was made with stays."""
        if self._override is None:
            self._override = state["strategy"]
        self._by_deficit = self._by_deficit or state["service_level"]
        for name, kept in state["strategies"].items():
            made = self._strategies[name] = strategy(name, self._chance)
            if hasattr(made, "restore"):
                made.restore(kept, agents)
        self._lending.restore(state["lending"])

    # -- queues ---------------------------------------------------------------------------------------------------

    def queue_defined(self, queue: Queue) -> None:  # noqa: D102 - see Router
        lane = Lane(queue, self._strategy(queue), by_deficit=self._by_deficit)
        old = self._lanes.get(queue.id)
        calls = [self._waiting[key[-1]].call for key in old.calls] if old is not None else []
        for call in calls:
            self.call_gone(call.id)
        self._lanes[queue.id] = lane
        for call in calls:
            self.call_waiting(call)
        self._lending.defined(queue)
        changed = [self._lanes[name] for name in sorted({queue.id, *self._widens_to(queue.id)})]
        for each in changed:
            each.match(self._settings)
        self._staff.rematch(changed, old)

    def _strategy(self, queue: Queue) -> Strategy:
        wanted = self._override if self._override is not None else queue.settings.strategy
        if not isinstance(wanted, str):
            return strategy(wanted)
        if wanted not in self._strategies:  # one of each name, kept: turns go on when a queue is redefined
            self._strategies[wanted] = strategy(wanted, self._chance)
        return self._strategies[wanted]

    def _widens_to(self, queue: QueueId) -> list[QueueId]:
        """The queues whose widening names this one."""
        return [
            lane.queue.id
            for lane in self._lanes.values()
            if any(queue in step.also for step in lane.queue.settings.widening)
        ]

    def concerned(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        return self._calls_of({queue, *self._widens_to(queue), *self._lending.borrowers.get(queue, ())})

    def figures_changed(self, queue: Queue) -> tuple[InteractionId, ...]:  # noqa: D102
        self._lanes[queue.id].figures_changed()
        begun = self._lending.figures_changed(queue)
        # With nobody ready to be lent, nothing is possible that was not.
        return self._calls_of({borrower for borrower, lender in begun if self._lanes[lender].pools[0].agents})

    def _calls_of(self, queues: set[QueueId]) -> tuple[InteractionId, ...]:
        """These queues' calls, in the order in which they are due."""
        found = [self._due(lane, key) for lane in map(self._lanes.__getitem__, queues) for key in lane.calls]
        return tuple(key[-1] for key in sorted(found))

    def _due(self, lane: Lane, key: CallKey) -> DueKey:
        return at_time(key, lane.per_minute, self.now, lane.deficit)

    # -- agents ---------------------------------------------------------------------------------------------------

    def agent_available(self, agent: Agent) -> None:  # noqa: D102
        self._staff.available(agent)

    def agent_unavailable(self, agent: AgentId) -> None:  # noqa: D102
        self._staff.unavailable(agent)

    def _queue(self, queue: QueueId) -> Queue | None:
        lane = self._lanes.get(queue)
        return lane.queue if lane is not None else None

    def _settings(self, queue: QueueId) -> QueueSettings | None:
        lane = self._lanes.get(queue)
        return lane.queue.settings if lane is not None else None

    def _fault(self, lane: Lane, agent: Agent | None, what: str) -> None:
        name = getattr(lane.strategy, "name", type(lane.strategy).__name__)
        self.faults.append(Fault(self.now, lane.queue.id, name, agent.id if agent is not None else None, what))

    # -- calls ----------------------------------------------------------------------------------------------------

    def call_waiting(self, call: Interaction) -> None:  # noqa: D102
        self.call_gone(call.id)
        assert call.queue is not None
        lane = self._lanes[call.queue]
        if call.wanted is None:
            pool = lane.pool_of(call.widened)
        else:
            mine = self._personal.setdefault(call.wanted, {})
            found = mine.get(call.queue)
            pool = mine[call.queue] = found if found is not None else Pool(lane, PERSONAL)
        key = call_key(call, lane.per_minute)
        lane.add(key, pool)
        self._waiting[call.id] = _Place(call, lane, pool, key, call.wanted)

    def call_gone(self, call: InteractionId) -> None:  # noqa: D102
        place = self._waiting.pop(call, None)
        if place is None:
            return
        place.lane.remove(place.key, place.pool)
        if place.wanted is not None and not place.pool.calls:
            mine = self._personal[place.wanted]
            del mine[place.lane.queue.id]
            if not mine:
                del self._personal[place.wanted]

    # -- decisions ------------------------------------------------------------------------------------------------

    def agent_for(self, call: Interaction) -> AgentId | None:  # noqa: D102
        place = self._waiting[call.id]
        if place.wanted is not None:
            return place.wanted if place.wanted in self._ready else None
        for name in call.preferred:
            if name in self._ready and self._lets_in(place, name) is not None:
                return name
        for pool in self._asked(place):
            if pool.agents:
                at = self._placed(pool.lane, len(pool.agents)) if pool.lane.place is not None else 0
                entry: AgentEntry = pool.agents[at]
                return entry[2]
        return None

    def _asked(self, place: _Place) -> tuple[Pool, ...]:
        """The pools whose agents may be offered a call, the first to be asked first."""
        lane, step = place.lane, place.pool.step
        if step == PERSONAL:
            return ()
        own = lane.pools[: step + 1]
        lenders = self._lending.lenders.get(lane.queue.id)
        return (*own, *(self._lanes[name].pools[0] for name in lenders)) if lenders else own

    def _lets_in(self, place: _Place, agent: AgentId) -> Pool | None:
        """The pool by which a ready agent may be offered a call, None if they may not."""
        stands = self._ready[agent].match.own
        return next((pool for pool in self._asked(place) if pool in stands), None)

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
        heads = [pool.due(self.now) for pool in self._serves(agent) if pool.calls]
        return min(heads)[-1] if heads else None

    def _serves(self, agent: Agent) -> Iterable[Pool]:
        """The pools whose calls an agent may take now."""
        match = self._staff.match(agent)
        pools: Iterable[Pool] = match.served
        if self._lending.borrowers:
            lent = self._lending.borrowers
            names = [name for own in match.own if not own.step for name in lent.get(own.lane.queue.id, ())]
            pools = dict.fromkeys((*pools, *(pool for name in names for pool in self._lanes[name].pools)))
        mine = self._personal.get(agent.id)
        return (*pools, *mine.values()) if mine is not None else pools

    def ringing(self, queue: QueueId) -> Ringing:  # noqa: D102
        lane = self._lanes.get(queue)
        return lane.ringing if lane is not None else ONE

    def decided(self, call: Interaction, agent: Agent) -> None:  # noqa: D102
        place = self._waiting[call.id]
        let_in = self._lets_in(place, agent.id) if agent.id in self._ready else None
        lane = let_in.lane if let_in is not None else place.lane
        self.decisions.append(self._decision(place, agent, let_in))
        if lane.chosen is not None:
            try:
                lane.chosen(agent, lane.queue)
            except Exception as error:  # noqa: BLE001 - as above
                self._fault(lane, agent, repr(error))

    def _decision(self, place: _Place, agent: Agent, let_in: Pool | None) -> Decision:
        call, lane = place.call, place.lane
        others: list[tuple[AgentId, Any]] = []
        for pool in self._asked(place):
            others += [(who, shown) for _, shown, who in islice(pool.agents, RUNNERS_UP + 1) if who != agent.id]
            if len(others) >= RUNNERS_UP:
                break
        heads: list[tuple[DueKey, CallKey, Pool]] = []
        for pool in self._serves(agent):
            calls = pool.calls
            at = 1 if calls and calls[0][-1] == call.id else 0
            if len(calls) > at:
                heads.append((pool.due(self.now, at), calls[at], pool))
        named = "preferred" if agent.id in call.preferred else "strategy"
        chose = let_in.lane if let_in is not None else lane
        lent = let_in is not None and let_in.lane is not lane
        return Decision(
            at=self.now,
            call=call.id,
            queue=lane.queue.id,
            agent=agent.id,
            widened=let_in.step if let_in is not None else 0,
            priority=-self._due(lane, place.key)[0],
            waited_s=self.now - place.key[1],
            strategy=getattr(chose.strategy, "name", type(chose.strategy).__name__),
            key=self._shown(let_in, agent.id),
            agents_over=tuple(others[:RUNNERS_UP]),
            calls_over=tuple(
                (other[-1], pool.lane.queue.id, -due[0], self.now - other[1])
                for due, other, pool in sorted(heads)[:RUNNERS_UP]  # no two keys are equal: each ends in its call's id
            ),
            lender=chose.queue.id if lent else None,
            deficit=lane.deficit,
            by="wanted" if place.wanted is not None else named,
        )

    def _shown(self, let_in: Pool | None, agent: AgentId) -> Any:
        """The agent's key in this pool."""
        if let_in is None:
            return None
        _, match, entries = self._ready[agent]
        return entries[match.own.index(let_in)][1]

    # -- looking --------------------------------------------------------------------------------------------------

    def due_key(self, call: Interaction) -> DueKey:  # noqa: D102
        lane = self._lanes.get(call.queue) if call.queue is not None else None
        return self._due(lane, call_key(call, lane.per_minute)) if lane is not None else call_key(call, 0.0)

    def borrowing(self) -> Mapping[QueueId, tuple[QueueId, ...]]:  # noqa: D102
        return dict(self._lending.lenders)

    def waiting_for(self, agent: AgentId) -> tuple[InteractionId, ...]:  # noqa: D102
        mine = self._personal.get(agent, {})
        found = [self._due(pool.lane, key) for pool in mine.values() for key in pool.calls]
        return tuple(key[-1] for key in sorted(found))

    def position(self, call: InteractionId) -> int:  # noqa: D102
        place = self._waiting.get(call)
        return place.lane.calls.index(place.key) + 1 if place is not None else 0

    def waiting(self, queue: QueueId) -> tuple[InteractionId, ...]:  # noqa: D102
        return tuple(key[-1] for key in self._lanes[queue].calls)
