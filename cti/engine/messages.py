"""Messages: what somebody has left is routed as a call is, and heard, or accepted and completed, by whoever gets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.desk import Desk
from cti.engine.exits import Exits
from cti.engine.line import Line
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, facts, services
from cti.model.agent import Agent
from cti.model.attached_data import attached
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.interaction import NOBODY, Interaction, InteractionKind
from cti.model.reservation import Reservation
from cti.model.states import InteractionState, InteractionTrigger, ReservationTrigger


class Messages:
    """Brings messages into queues, and follows those that no phone rings for: tasks.

    Args:
        world: what is known.
        desk: changes agents.
        offers: makes and ends reservations.
        line: moves interactions into queues and out of them.
        exits: ends them.
    """

    def __init__(self, world: World, desk: Desk, offers: Offers, line: Line, exits: Exits) -> None:
        self._world = world
        self._desk = desk
        self._offers = offers
        self._line = line
        self._exits = exits
        self.table: dict[type, Callable[[Any], None]] = {
            services.DeliverMessageRequested: self._deliver,
            services.AcceptTaskRequested: self._accept,
            services.RejectTaskRequested: self._reject,
            services.CompleteTaskRequested: self._complete,
        }

    def _deliver(self, fact: services.DeliverMessageRequested) -> None:
        """Make a message an interaction; one that is one already stays as it is.

        Raises:
            UnknownQueue: there is none of this id.
            UnknownAgent: it is to wait for one whom there is not.
            DataRefused: something of its data cannot be attached.
        """
        world = self._world
        queue = world.queue(fact.queue)
        if fact.personal is not None:
            world.agent(fact.personal.agent)
        if any(call.message is not None and call.message.id == fact.message.id for call in world.interactions.values()):
            return
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=fact.switch,
            caller=NOBODY,
            calling_number=fact.calling_number,
            calling_name=fact.calling_name,
            called_number=fact.called_number,
            created_at=world.now,
            kind=fact.kind,
            message=fact.message,
            data=attached({}, fact.data),
            own_priority=fact.priority,
            personal=fact.personal,
        )
        world.interactions[call.id] = call
        call.move(InteractionTrigger.OFFER, world.now)
        world.tell(
            events.MessageDelivered,
            call,
            Cause.ENTERING_DISTRIBUTION,
            message=fact.message.id,
            mailbox=fact.message.mailbox,
            length_s=fact.message.length_s,
            pages=fact.message.pages,
        )
        self._line.enter(call, queue, Cause.ENTERING_DISTRIBUTION)

    # -- tasks ----------------------------------------------------------------------------------------------------

    def _offered(self, agent_id: AgentId) -> Reservation:
        agent = self._world.agent(agent_id)
        made = self._world.reservations.get(agent.reservation) if agent.reservation is not None else None
        if made is None or self._world.interactions[made.interaction].kind is not InteractionKind.FAX:
            raise InvalidConnection(f"agent {agent.id!r} is offered no fax; only what no phone rings for is accepted")
        return made

    def _accept(self, fact: services.AcceptTaskRequested) -> None:
        self._offers.kept(self._offered(fact.agent))

    def _reject(self, fact: services.RejectTaskRequested) -> None:
        self._offers.end(self._offered(fact.agent), ReservationTrigger.REJECT, Cause.CALL_NOT_ANSWERED, "")

    def _complete(self, fact: services.CompleteTaskRequested) -> None:
        agent = self._world.agent(fact.agent)
        task = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if task is None or not _is_with(task, agent):
            raise InvalidConnection(f"agent {agent.id!r} has no fax to complete")
        self._end(task, agent, Cause.NORMAL_CLEARING)

    def clear(self, fact: facts.ClearRequested) -> bool:
        """Somebody ends an interaction; whether it was a task in an agent's hands, and has been ended here."""
        task = self._world.interactions.get(fact.interaction)
        agent = self._world.agents.get(task.agent) if task is not None and task.agent is not None else None
        if task is None or agent is None or not _is_with(task, agent):
            return False
        self._end(task, agent, fact.cause)
        return True

    def _end(self, task: Interaction, agent: Agent, cause: Cause) -> None:
        queue = self._world.queues.get(task.queue) if task.queue is not None else None
        self._exits.clear(task, cause)  # first, or an agent who is ready again would still be on it
        self._desk.call_ended(agent, queue.settings.wrap_up_s if queue is not None else 0.0)


def _is_with(task: Interaction, agent: Agent) -> bool:
    """Whether an agent has accepted it, and it is one that no phone rings for."""
    mine = task.agent == agent.id and agent.interaction == task.id
    return mine and task.kind is InteractionKind.FAX and task.state is InteractionState.ESTABLISHED
