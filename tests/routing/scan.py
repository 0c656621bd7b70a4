"""A router that looks at everything there is each time: slow, and short enough to be read as the definition."""

from __future__ import annotations

from typing import Any

from cti.model.agent import Agent
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.routing.widening import first_step


class Scan:
    """Told the same as SkillRouter, it must give the same answers."""

    def __init__(self, *, service_level: bool) -> None:
        self.now = 0.0
        self.by_deficit = service_level
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self.calls: dict[str, Interaction] = {}
        self.low: set[str] = set()
        self.well: set[tuple[str, str]] = set()

    # -- borrowing ------------------------------------------------------------------------------------------------

    def queue_defined(self, queue: Queue) -> None:
        self.queues[queue.id] = queue
        terms = queue.settings.borrows
        if terms is None:
            self.low.discard(queue.id)
        self.well = {(b, le) for b, le in self.well if b != queue.id or (terms is not None and le in terms.lenders)}
        self.judge()

    def judge(self) -> None:
        """Nothing but the thresholds: in between, all stays as it is."""
        for name, queue in self.queues.items():
            terms, share = queue.settings.borrows, queue.recent.share
            if terms is None:
                continue
            if share is not None and share < terms.below:
                self.low.add(name)
            elif share is not None and share >= terms.until:
                self.low.discard(name)
            for lender in terms.lenders:
                if lender not in self.queues:
                    continue
                other = self.queues[lender].recent.share
                if other is None or other >= terms.lender_above:
                    self.well.add((name, lender))
                elif other < terms.lender_until:
                    self.well.discard((name, lender))

    def lenders(self, name: str) -> list[str]:
        terms = self.queues[name].settings.borrows
        if terms is None or name not in self.low:
            return []
        return [lender for lender in terms.lenders if (name, lender) in self.well]

    # -- who, and which call --------------------------------------------------------------------------------------

    def _step(self, name: str, agent: Agent) -> int | None:
        known = self.queues
        return first_step(known[name].settings, agent.skills, lambda n: known[n].settings if n in known else None)

    def _ranked(self, call: Interaction, agent: Agent) -> Any:
        """How soon the call is offered to the agent; None for never."""
        if call.wanted is not None:
            return () if agent.id == call.wanted else None
        step = self._step(call.queue, agent)
        if step is not None and step <= min(call.widened, len(self.queues[call.queue].settings.widening)):
            found = (0, step, *self._key(call.queue, agent))
        else:
            lent = [(at, le) for at, le in enumerate(self.lenders(call.queue)) if self._step(le, agent) == 0]
            if not lent:
                return None
            found = (1, lent[0][0], *self._key(lent[0][1], agent))
        if agent.id in call.preferred:
            return (-1, call.preferred.index(agent.id))
        return found

    def _key(self, name: str, agent: Agent) -> tuple[Any, ...]:
        if self.queues[name].settings.strategy == "fewest-calls":
            return (agent.calls_answered, agent.idle_since, agent.id)
        return (agent.idle_since, agent.id)

    def agent_for(self, call: Interaction) -> str | None:
        able = [(rank, a.id) for a in self.agents.values() if (rank := self._ranked(call, a)) is not None]
        return min(able)[1] if able else None

    def call_for(self, agent: Agent) -> str | None:
        due = [c for c in self.calls.values() if self._ranked(c, agent) is not None]
        return min(due, key=self.due_key).id if due else None

    def due_key(self, call: Interaction) -> tuple[Any, ...]:
        settings, share = self.queues[call.queue].settings, self.queues[call.queue].recent.share
        grown = call.priority + settings.priority_per_minute * (self.now - call.queued_at) / 60
        deficit = 0.0
        if self.by_deficit and settings.service_level_target is not None and share is not None:
            deficit = max(0.0, round(settings.service_level_target - share, 9))
        return (-grown, -deficit, call.queued_at, call.place)

    # -- looking --------------------------------------------------------------------------------------------------

    def in_order(self, calls: list[Interaction]) -> tuple[str, ...]:
        return tuple(c.id for c in sorted(calls, key=self.due_key))

    def waiting(self, name: str) -> tuple[str, ...]:
        return self.in_order([c for c in self.calls.values() if c.queue == name])

    def waiting_for(self, agent: str) -> tuple[str, ...]:
        return self.in_order([c for c in self.calls.values() if c.wanted == agent])

    def concerned(self, name: str) -> tuple[str, ...]:
        def touched(other: str) -> bool:
            widens = any(name in step.also for step in self.queues[other].settings.widening)
            return other == name or widens or name in self.lenders(other)

        return self.in_order([c for c in self.calls.values() if touched(c.queue)])

    def possible(self) -> set[tuple[str, str]]:
        """Every call with every agent whom it may be offered to."""
        return {
            (c.id, a.id) for c in self.calls.values() for a in self.agents.values() if self._ranked(c, a) is not None
        }
