"""The router's contract: the engine tells it what is there, and asks it who goes to whom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from cti.model.agent import Agent
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.routing.order import DueKey, call_key
from cti.routing.ringing import ONE, Ringing


class Router(ABC):
    """Decides which waiting call goes to which ready agent.

    A call may name agents itself: ``wanted`` waits for one agent alone, ``preferred`` are asked first.

    The engine calls it in one greenlet, and it must neither block nor change what it is handed. Every call it is told
    of with ``call_waiting`` is taken back with ``call_gone``, every agent likewise.
    """

    now: float = 0.0
    """The time of the fact in hand (monotonic, seconds); the engine sets it before anything else."""

    @abstractmethod
    def queue_defined(self, queue: Queue) -> None:
        """A queue is new, or its settings changed.

        Raises:
            CtiError: the settings cannot be routed by (an unknown strategy, say); the engine keeps the old ones.
        """

    @abstractmethod
    def agent_available(self, agent: Agent) -> None:
        """An agent can be offered a call from now on."""

    @abstractmethod
    def agent_unavailable(self, agent: AgentId) -> None:
        """An agent can be offered nothing any more; told of one who was not available, it does nothing."""

    @abstractmethod
    def call_waiting(self, call: Interaction) -> None:
        """A call waits in its queue from now on; told again of one that waits, its priority or widening changed."""

    @abstractmethod
    def call_gone(self, call: InteractionId) -> None:
        """A call no longer waits (it was taken, left or ended); told of one who did not wait, it does nothing."""

    @abstractmethod
    def agent_for(self, call: Interaction) -> AgentId | None:
        """The available agent whom this waiting call should be offered to now; None to let it wait. (Route Request.)"""

    @abstractmethod
    def call_for(self, agent: Agent) -> InteractionId | None:
        """The waiting call that this available agent should be offered now; None to let them stay idle."""

    def decided(self, call: Interaction, agent: Agent) -> None:  # noqa: B027 - most routers need not know
        """The engine acts on a decision: this waiting call is offered to this available agent now. (Route Used.)"""

    def ringing(self, queue: QueueId) -> Ringing:  # noqa: ARG002 - for those who override it
        """How many agents are offered one call of this queue at the same time; by default one."""
        return ONE

    def figures_changed(self, queue: Queue) -> tuple[InteractionId, ...]:  # noqa: ARG002 - for those who override it
        """A call of this queue was answered, abandoned, or has become late: its recent service level may be another.

        Returns the waiting calls whose agents may be others since, in order; by default none.
        """
        return ()

    def waiting_for(self, agent: AgentId) -> tuple[InteractionId, ...]:  # noqa: ARG002 - for those who override it
        """The waiting calls that wait for this agent alone (``Interaction.wanted``), in order; by default none."""
        return ()

    def concerned(self, queue: QueueId) -> tuple[InteractionId, ...]:
        """The waiting calls whose agents may be others since this queue was defined, in order; by default its own."""
        return self.waiting(queue)

    def due_key(self, call: Interaction) -> DueKey:
        """A queued call's key among the calls of all queues now: the lower is due first.

        Its first element is the priority as it has grown, negative. By default priority, age and place.
        """
        return call_key(call, 0.0)

    def borrowing(self) -> Mapping[QueueId, tuple[QueueId, ...]]:
        """The queues that borrow agents now, each with the queues that lend to it; by default none."""
        return {}

    @abstractmethod
    def position(self, call: InteractionId) -> int:
        """A waiting call's place in its queue, 1 for the head; 0 if it does not wait."""

    @abstractmethod
    def waiting(self, queue: QueueId) -> tuple[InteractionId, ...]:
        """A queue's waiting calls, in order."""
