"""Counts: what each queue's figures and recent service level take note of, once a call."""

from __future__ import annotations

from cti.engine.matching import Matching
from cti.engine.world import World
from cti.model import events
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue

LATE = "late"


class Counts:
    """Counts what becomes of the calls of queues.

    Args:
        world: what is known.
        matching: looks for agents, where a service level that is another lets more of them help.
    """

    def __init__(self, world: World, matching: Matching) -> None:
        self._world = world
        self._matching = matching
        self._lenders: frozenset[QueueId] = frozenset()

    def redefined(self) -> None:
        """A queue is new, or its settings changed."""
        named = [each.settings.borrows for each in self._world.queues.values()]
        self._lenders = frozenset(lender for terms in named if terms is not None for lender in terms.lenders)

    def entered(self, call: Interaction, queue: Queue) -> None:
        """A call waits in this queue from now on."""
        queue.figures.waiting += 1
        call.late = False
        settings = queue.settings
        if settings.service_level_target is not None or settings.borrows is not None or queue.id in self._lenders:
            # Somebody goes by the queue's service level, so that it must be known while calls still wait.
            after_s = max(0.0, settings.service_level_s - call.waited_s(self._world.now))
            self._world.timers.start(LATE, call.id, after_s)

    def late(self, interaction: InteractionId) -> None:
        """A call's time to be answered within the service level is over, and it still waits."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.state.is_waiting and call.queue is not None and not call.late:
            call.late = True
            self._level(self._world.queues[call.queue], in_time=False)

    def abandoned(self, call: Interaction, queue: Queue, cause: Cause) -> None:
        """The caller of a waiting call hung up."""
        waited = call.waited_s(self._world.now)
        queue.figures.abandoned += 1
        short = waited < queue.settings.short_abandon_s
        queue.figures.short_abandoned += short
        queue.figures.abandoned_in_time += not short and waited <= queue.settings.service_level_s
        self._world.tell(events.Abandoned, call, cause, waited_s=waited)
        if waited > queue.settings.service_level_s and not call.late:
            self._level(queue, in_time=False)

    def called_back(self, queue: Queue, agent: Agent) -> None:
        """An agent has a customer who was called back: the conversation counts, the wait was counted as what it was."""
        agent.handling = (queue.id, self._world.now)

    def answered(self, call: Interaction, queue: Queue, agent: Agent) -> None:
        """An agent has taken a waiting call."""
        waited = call.waited_s(self._world.now)
        agent.handling = (queue.id, self._world.now)
        agent.handled_from = (agent.figures.hold_s, agent.figures.after_call_s)
        figures = queue.figures
        figures.waiting -= 1
        figures.answered += 1
        figures.wait_answered_s += waited
        figures.longest_wait_s = max(figures.longest_wait_s, waited)
        in_time = waited <= queue.settings.service_level_s
        figures.answered_in_time += in_time
        if not call.late:
            self._level(queue, in_time=in_time)

    def _level(self, queue: Queue, *, in_time: bool) -> None:
        queue.recent.note(in_time=in_time)
        self._matching.rematch(self._world.router.figures_changed(queue))
