"""The line of waiting calls: into a queue, to an agent, out of it, and the end of every interaction."""

from __future__ import annotations

from cti.engine.desk import Desk
from cti.engine.offers import CHECK, CHECK_AFTER_S, LOOK, Offers
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, facts, intents
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings, ToDestination, ToQueue
from cti.model.states import (
    AgentState,
    ConnectionState,
    ConnectionTrigger,
    InteractionState,
    InteractionTrigger,
    ReservationTrigger,
)

WAIT = "wait"
WIDEN = "widen"

_ASK_AGAIN_S = 1.0
"""How long to put off what cannot be done while a switch cannot be reached."""


class Line:
    """Moves interactions.

    Args:
        world: what is known.
        desk: changes agents.
        offers: makes and ends reservations.
    """

    def __init__(self, world: World, desk: Desk, offers: Offers) -> None:
        self._world = world
        self._desk = desk
        self._offers = offers

    # -- in -------------------------------------------------------------------------------------------------------

    def offered(self, fact: facts.Offered) -> None:
        """A call has been handed to us."""
        world = self._world
        if fact.connection in world.connections or world.has_ended(fact.connection):
            return
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=fact.switch,
            caller=fact.connection,
            calling_number=fact.calling_number,
            calling_name=fact.calling_name,
            called_number=fact.called_number,
            created_at=world.now,
            data=dict(fact.data),
        )
        world.interactions[call.id] = call
        caller = Connection(fact.connection, fact.switch, Side.CALLER, call.id)
        caller.move(ConnectionTrigger.ESTABLISH if fact.established else ConnectionTrigger.ORIGINATE)
        if fact.established:
            caller.established_at = world.now
        world.connections[caller.id] = caller
        call.connections.add(caller.id)
        call.move(InteractionTrigger.OFFER, world.now)
        world.tell(events.Offered, call, Cause.NEW_CALL)

    def queue(self, fact: facts.QueueRequested) -> None:
        """A script puts its call into a queue, or moves it from one to another.

        Raises:
            UnknownInteraction: the call is over.
            UnknownQueue: there is none of this id; the call stays where it is.
            InvalidConnection: the call is with an agent, or on its way out.
        """
        world = self._world
        call, queue = world.interaction(fact.interaction), world.queue(fact.queue)
        if not (call.state.is_waiting or call.state is InteractionState.OFFERED):
            raise InvalidConnection(f"call {call.id} is {call.state.value}; only a call without an agent can be queued")
        call.data.update(fact.data)
        made = world.reservations.get(call.reservation) if call.reservation else None
        if made is None:
            self._move(call, queue, fact.priority)
        else:
            self._offers.end(
                made,
                ReservationTrigger.CANCEL,
                Cause.CALL_CANCELLED,
                "",
                then=lambda call: self._move(call, queue, fact.priority),
            )

    def _move(self, call: Interaction, queue: Queue, priority: int) -> None:
        self._leave(call)
        call.own_priority = priority
        self._enter(call, queue, Cause.ENTERING_DISTRIBUTION)

    def _enter(self, call: Interaction, queue: Queue, cause: Cause) -> None:
        world = self._world
        figures, settings = queue.figures, queue.settings
        call.queue = queue.id
        call.priority = call.own_priority + settings.priority
        if call.queued_at is None:
            call.queued_at, call.place = world.now, world.next_place()
        call.overflow_due = False
        call.entered_at = world.now
        self._widen(call, settings)
        call.move(InteractionTrigger.QUEUE, world.now)
        figures.offered += 1
        figures.waiting += 1
        if world.is_live(call.switch):
            world.router.call_waiting(call)
        if settings.max_wait_s is not None:
            world.timers.start(WAIT, call.id, settings.max_wait_s)
        else:
            world.timers.cancel(WAIT, call.id)
        caller = world.connections[call.caller]
        answered = caller.established_at is not None
        caller.move(ConnectionTrigger.QUEUE)
        world.tell(events.Queued, call, cause, position=world.router.position(call.id))
        self.route(call)  # before anything that can wait: the agent's phone is what takes time
        if not answered:
            world.emit(intents.AnswerConnection(call.switch, caller.id))
        world.emit(intents.KeepCaller(call.switch, caller.id, keep=True))
        if settings.music:
            world.emit(intents.StartTreatment(call.switch, caller.id, settings.music, replace=call.treated))
            call.treated = True
        world.emit(intents.TagConnection(call.switch, caller.id, {"cti_interaction": call.id, "cti_queue": queue.id}))

    def route(self, call: Interaction) -> None:
        """Offer a waiting call to an agent, if one is free for it."""
        world = self._world
        if call.state is not InteractionState.QUEUED or not world.is_live(call.switch):
            return
        found = world.router.agent_for(call)
        while found is not None and world.agents[found].state is AgentState.READY:
            agent = world.agents[found]
            due = world.router.call_for(agent)
            # Where several calls become possible at once (a queue redefined, a link back up), whichever is looked at
            # first: the agent gets the one that is due to them, and this one looks for the next agent.
            best = call if due is None else world.interactions[due]
            self._make(best, agent)
            if best is call:
                return
            found = world.router.agent_for(call) if call.state is InteractionState.QUEUED else None

    def offer_to(self, agent: Agent) -> None:
        """Offer an agent who became ready the call that is due to them, if one waits."""
        if agent.state is AgentState.READY:
            call = self._world.router.call_for(agent)
            if call is not None:
                self._make(self._world.interactions[call], agent)

    def _make(self, call: Interaction, agent: Agent) -> None:
        self._world.router.decided(call, agent)
        self._offers.make(call, agent)

    def widen(self, interaction: InteractionId) -> None:
        """A call has been in its queue for long enough to go to more agents."""
        call = self._world.interactions.get(interaction)
        if call is not None and call.state.is_waiting and call.queue is not None:
            self._widen(call, self._world.queues[call.queue].settings)
            self._placed(call)
            self.route(call)

    def _widen(self, call: Interaction, settings: QueueSettings) -> None:
        """The step of widening a call has come to, and the timer of the next."""
        waited = self._world.now - call.entered_at
        call.widened = settings.steps_due(waited)
        if call.widened < len(settings.widening):
            self._world.timers.start(WIDEN, call.id, settings.widening[call.widened].after_s - waited)
        else:
            self._world.timers.cancel(WIDEN, call.id)

    def redefined(self, queue: Queue) -> None:
        """A queue's settings changed: its calls have the priority and the widening that they would have now."""
        for call in self._world.interactions.values():
            if call.queue == queue.id and call.state.is_waiting:
                call.priority = call.own_priority + queue.settings.priority
                self._widen(call, queue.settings)
                self._placed(call)

    def _placed(self, call: Interaction) -> None:
        """Tell the router anew of a call that it knows."""
        if call.state is InteractionState.QUEUED and self._world.is_live(call.switch):
            self._world.router.call_waiting(call)

    def put_back(self, call: Interaction) -> None:
        """An offer came to nothing: back in place, with the same age; or on, if the time was up meanwhile."""
        world = self._world
        if not call.move(InteractionTrigger.REQUEUE, world.now):
            return
        if call.overflow_due:
            self._overflow(call)
            return
        if world.is_live(call.switch):
            world.router.call_waiting(call)
        world.tell(events.Queued, call, Cause.REMAINS_IN_QUEUE, position=world.router.position(call.id))

    # -- on and out -----------------------------------------------------------------------------------------------

    def waited_too_long(self, interaction: InteractionId) -> None:
        """The maximum wait is over. An offer under way is let finish: if it is answered, the agent has won (race 13)."""
        call = self._world.interactions.get(interaction)
        if call is None or not call.state.is_waiting:
            return
        if not self._world.is_live(call.switch):  # nothing we asked for would be done: a little later, then
            self._world.timers.start(WAIT, call.id, _ASK_AGAIN_S)
        elif call.state is InteractionState.QUEUED:
            self._overflow(call)
        else:
            call.overflow_due = True

    def _overflow(self, call: Interaction) -> None:
        world = self._world
        assert call.queue is not None
        queue = world.queues[call.queue]
        self._take_out(call)
        queue.figures.overflowed += 1
        overflow = queue.settings.overflow
        if isinstance(overflow, ToQueue) and overflow.queue in world.queues:
            world.tell(events.Diverted, call, Cause.QUEUE_TIME_OVERFLOW, to_queue=overflow.queue)
            self._enter(call, world.queues[overflow.queue], Cause.OVERFLOW)
        elif isinstance(overflow, ToDestination):
            self._divert(call, overflow.destination, Cause.QUEUE_TIME_OVERFLOW)
        else:
            self._clear(call, Cause.QUEUE_TIME_OVERFLOW)

    def divert(self, fact: facts.DivertRequested) -> None:
        """A script sends its call out of the centre.

        Raises:
            UnknownInteraction: the call is over.
            InvalidConnection: the call is with an agent.
        """
        call = self._world.interaction(fact.interaction)
        if not (call.state.is_waiting or call.state is InteractionState.OFFERED):
            raise InvalidConnection(
                f"call {call.id} is {call.state.value}; only a call without an agent can be diverted"
            )
        self._leave(call)
        self._divert(call, fact.destination, Cause.REDIRECTED)

    def _divert(self, call: Interaction, destination: str, cause: Cause) -> None:
        world = self._world
        call.move(InteractionTrigger.DIVERT, world.now)
        world.tell(events.Diverted, call, cause, destination=destination)
        world.emit(intents.TagConnection(call.switch, call.caller, {"cti_interaction": "", "cti_queue": ""}))
        world.emit(intents.DivertConnection(call.switch, call.caller, destination))
        del world.connections[call.caller]  # it is the dialplan's now
        call.connections.discard(call.caller)
        self._finish(call, cause)

    def clear(self, fact: facts.ClearRequested) -> None:
        """End the whole call; one that is over already stays so."""
        call = self._world.interactions.get(fact.interaction)
        if call is not None and not call.state.is_over:
            self._leave(call)
            self._clear(call, fact.cause)

    def _clear(self, call: Interaction, cause: Cause) -> None:
        call.move(InteractionTrigger.CLEAR, self._world.now)
        self._clear_legs(call, cause)

    def _clear_legs(self, call: Interaction, cause: Cause) -> None:
        for leg in sorted(call.connections):
            if not self._world.connections[leg].clearing:
                self._offers.clear(self._world.connections[leg], cause)

    def _leave(self, call: Interaction) -> None:
        """Out of its queue, if it waits in one, by the host application's wish."""
        if call.state.is_waiting and call.queue is not None:
            self._take_out(call)
            self._world.queues[call.queue].figures.left += 1

    def _take_out(self, call: Interaction) -> None:
        """Out of its queue, whatever the reason: the caller of this counts it."""
        world = self._world
        made = world.reservations.get(call.reservation) if call.reservation else None
        if made is not None:
            self._offers.end(made, ReservationTrigger.CANCEL, Cause.CALL_CANCELLED, "", then=lambda _: None)
        world.router.call_gone(call.id)
        world.timers.cancel(WAIT, call.id)
        world.timers.cancel(WIDEN, call.id)
        assert call.queue is not None
        world.queues[call.queue].figures.waiting -= 1

    def answered(self, call: Interaction, _agent: Agent) -> None:
        """Count an answered call."""
        world = self._world
        world.timers.cancel(WAIT, call.id)
        world.timers.cancel(WIDEN, call.id)
        caller = world.connections[call.caller]
        caller.move(ConnectionTrigger.ESTABLISH)
        world.emit(intents.KeepCaller(call.switch, caller.id, keep=False))
        if call.queue is None or call.queued_at is None:
            return
        queue, waited = world.queues[call.queue], call.waited_s(world.now)
        figures = queue.figures
        figures.waiting -= 1
        figures.answered += 1
        figures.wait_answered_s += waited
        figures.longest_wait_s = max(figures.longest_wait_s, waited)
        if waited <= queue.settings.service_level_s:
            figures.answered_in_time += 1

    def established(self, leg: Connection) -> None:
        """A leg was answered; a caller in a queue stays queued, an agent is connected."""
        if leg.clearing:
            self._offers.clear(leg, Cause.CALL_CANCELLED)
            return
        if leg.established_at is None:
            leg.established_at = self._world.now
        if leg.side is Side.AGENT:
            leg.move(ConnectionTrigger.ESTABLISH)
            self._offers.established(leg)
        elif leg.state is not ConnectionState.QUEUED:
            leg.move(ConnectionTrigger.ESTABLISH)

    # -- the end --------------------------------------------------------------------------------------------------

    def connection_cleared(self, leg: Connection, cause: Cause, switch_cause: str) -> None:
        """A leg is gone; what that means for the call depends on whose it was."""
        world = self._world
        del world.connections[leg.id]
        world.timers.cancel(CHECK, leg.id)
        world.timers.cancel(LOOK, leg.id)
        leg.move(ConnectionTrigger.CLEAR)
        call = world.interactions[leg.interaction]
        call.connections.discard(leg.id)
        world.tell(
            events.ConnectionCleared,
            call,
            cause,
            agent=leg.agent,
            connection=leg.id,
            side=leg.side.value,
            switch_cause=switch_cause,
        )
        if leg.side is Side.CALLER:
            self._caller_gone(call, cause)
        else:
            self._agent_gone(call, leg, cause, switch_cause)
        if not call.connections:
            self._finish(call, cause)

    def _caller_gone(self, call: Interaction, cause: Cause) -> None:
        world = self._world
        if call.state.is_waiting and call.queue is not None:
            figures = world.queues[call.queue].figures
            waited = call.waited_s(world.now)
            short = waited < world.queues[call.queue].settings.short_abandon_s
            lost = cause is Cause.SWITCHING_FUNCTION_TERMINATED
            self._take_out(call)
            call.move(InteractionTrigger.LOSE if lost else InteractionTrigger.ABANDON, world.now)
            if lost:
                figures.lost += 1
            else:
                figures.abandoned += 1
                figures.short_abandoned += short
                world.tell(events.Abandoned, call, cause, waited_s=waited)
        elif cause is Cause.SWITCHING_FUNCTION_TERMINATED:
            call.move(InteractionTrigger.LOSE, world.now)
        else:
            call.move(InteractionTrigger.CLEAR, world.now)
        self._clear_legs(call, Cause.NORMAL_CLEARING)

    def _agent_gone(self, call: Interaction, leg: Connection, cause: Cause, switch_cause: str) -> None:
        world = self._world
        self._offers.leg_gone(leg, cause, switch_cause)
        agent = world.agents.get(leg.agent) if leg.agent is not None else None
        if world.adopted.get(leg.agent or AgentId("")) == leg.id:
            del world.adopted[leg.agent or AgentId("")]
        if agent is not None and agent.connection == leg.id:
            queue = world.queues.get(call.queue) if call.queue is not None else None
            self._desk.call_ended(agent, queue.settings.wrap_up_s if queue is not None else 0.0)
        # A leg of an offer that came to nothing may end long after the same agent took the call by another.
        if call.agent == leg.agent and not leg.clearing and call.state is InteractionState.ESTABLISHED:
            call.move(InteractionTrigger.CLEAR, world.now)
            self._clear_legs(call, Cause.NORMAL_CLEARING)

    def _finish(self, call: Interaction, cause: Cause) -> None:
        world = self._world
        if not call.connections and world.interactions.pop(call.id, None) is not None:
            world.tell(events.CallCleared, call, cause, state=call.state.value)

    def check(self, connection: ConnectionId) -> None:
        """A leg that we asked to end has not said so: ask again, and ask whether it lives at all (race 15)."""
        leg = self._world.connections.get(connection)
        if leg is not None:
            self._world.emit(intents.ClearConnection(leg.switch, leg.id, Cause.NORMAL_CLEARING))
            self._world.emit(intents.CheckConnection(leg.switch, leg.id))
            self._world.timers.start(CHECK, leg.id, CHECK_AFTER_S)
