"""The life of a call's legs: a call is handed to us, its legs are answered, and end."""

from __future__ import annotations

from collections.abc import Callable

from cti.engine.callback_hooks import CallbackHooks
from cti.engine.coming_up import is_taken
from cti.engine.consultations import ANSWER, Consultations
from cti.engine.desk import Desk
from cti.engine.exits import LIVE, Exits
from cti.engine.line import Line
from cti.engine.made_calls import MadeCalls
from cti.engine.offers import CHECK, CHECK_AFTER_S, LOOK, Offers
from cti.engine.return_calls import ReturnCalls
from cti.engine.talk import Talk
from cti.engine.target import check_target
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import calling, events, facts, intents
from cti.model.attached_data import as_much_as_fits
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.history import EndedBy
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.overflow import ToQueue
from cti.model.states import ConnectionState, ConnectionTrigger, InteractionState, InteractionTrigger

LIVE_EVERY_S = 60.0
"""How often is a living call asked after? An event that the switch has dropped keeps an agent busy for so long at most."""


class Calls:
    """Follows calls and their legs.

    Args:
        world: what is known.
        desk: changes agents.
        offers: makes and ends reservations.
        line: moves calls into queues and out of them.
        exits: lets calls go.
        talk: what agents do with the calls they have.
        consultations: follows those whom agents consult.
        made: follows the calls that agents make.
        returns: follows the calls to those who have left messages.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        desk: Desk,
        offers: Offers,
        line: Line,
        exits: Exits,
        talk: Talk,
        consultations: Consultations,
        made: MadeCalls,
        returns: ReturnCalls,
    ) -> None:
        self._world = world
        self._desk = desk
        self._offers = offers
        self._line = line
        self._exits = exits
        self._talk = talk
        self._consultations = consultations
        self._made = made
        self._returns = returns
        self.callbacks = CallbackHooks()
        self.talked: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: who hears whom in a call has changed."""
        self.goes_on_without: Callable[[Interaction, Connection], bool] = lambda _call, _caller: False
        """Set by the engine: whether those whom the caller leaves behind go on."""
        self.leg_gone: Callable[[Interaction, Connection], None] = lambda _call, _leg: None
        """Set by the engine: a leg has ended, and the call with it if it was the last."""

    def offered(self, fact: facts.Offered) -> None:
        """A call has been handed to us."""
        world = self._world
        known = world.connections.get(fact.connection)
        if known is not None:
            self.parked(known)
            return
        if world.has_ended(fact.connection):
            return
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=fact.switch,
            caller=fact.connection,
            calling_number=fact.calling_number,
            calling_name=fact.calling_name,
            called_number=fact.called_number,
            created_at=world.now,
            data=as_much_as_fits(fact.data),
            previous=fact.previous,
        )
        world.interactions[call.id] = call
        caller = Connection(fact.connection, fact.switch, Side.CALLER, call.id)
        caller.move(ConnectionTrigger.ESTABLISH if fact.established else ConnectionTrigger.ORIGINATE)
        if fact.established:
            caller.established_at = world.now
        caller.parked = True
        world.connections[caller.id] = caller
        call.connections.add(caller.id)
        call.move(InteractionTrigger.OFFER, world.now)
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        if call.switch in world.draining:
            self._turn_away(call)
            return
        world.tell(events.Offered, call, Cause.NEW_CALL)

    def _turn_away(self, call: Interaction) -> None:
        """The switch is drained: a new call goes where that is said, or is refused; no script runs for it."""
        self._world.tell(events.Offered, call, Cause.RESOURCES_NOT_AVAILABLE)
        settings = self._world.switches.get(call.switch)
        if settings is not None and settings.drain is not None:
            self._line.go(call, settings.drain, Cause.REDIRECTED)
        else:
            self._exits.clear(call, Cause.RESOURCES_NOT_AVAILABLE)

    def divert(self, fact: facts.DivertRequested) -> None:
        """A script sends its call somewhere.

        Raises:
            UnknownInteraction: the call is over.
            UnknownQueue: it is to go to one that is not there; it stays where it is.
            InvalidConnection: the call is with an agent, or is a message, and is not to go to a queue.
        """
        call = self._world.interaction(fact.interaction)
        if not (call.state.is_waiting or call.state is InteractionState.OFFERED):
            raise InvalidConnection(
                f"call {call.id} is {call.state.value}; only a call without an agent can be diverted"
            )
        check_target(call, fact.to)
        if isinstance(fact.to, ToQueue):
            self._world.queue(fact.to.queue)
        self._line.leave(call, lambda: self._line.go(call, fact.to, Cause.REDIRECTED, wish=True))

    def clear(self, fact: facts.ClearRequested) -> None:
        """End the whole call; one that is over already stays so."""
        call = self._world.interactions.get(fact.interaction)
        if call is not None and not call.state.is_over and not self.callbacks.let_go(call):
            self._line.leave(call, lambda: self._exits.clear(call, fact.cause))

    def clear_of(self, fact: calling.ClearCallRequested) -> None:
        """End the whole call that an agent is in charge of.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent has no call, or somebody else is in charge of it.
        """
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if call is None or agent.connection is None:
            raise InvalidConnection(f"agent {agent.id!r} has no call; 'clear call' needs one")
        if agent.id not in (call.agent, call.made_by):
            raise InvalidConnection(
                f"agent {agent.id!r} is a party to a call of {call.agent!r}, who alone can end it for all "
                "(possible: clear connection)"
            )
        self._talk.over(call)
        self._exits.clear(call, Cause.NORMAL_CLEARING)

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody now."""
        if not leg.clearing:
            self._offers.parked(leg)
            self._talk.parked(leg)
            self._made.parked(leg)
            self._returns.parked(leg)
            self.callbacks.parked(leg)
            self.settled(leg)

    def settled(self, leg: Connection) -> None:
        """The switch has said what became of a bridge of a leg: what has waited for that goes on."""
        call = self._world.interactions.get(leg.interaction)
        if call is not None and leg.id == call.caller and not leg.clearing and not is_taken(leg):
            self._offers.caller_free(call)
            self._exits.caller_free(call)
            self._line.soothe(call)

    def leaves_now(self, interaction: InteractionId) -> None:
        """A call that is to leave us has waited long enough for the word of its caller's bridge."""
        call = self._world.interactions.get(interaction)
        if call is not None:
            self._exits.caller_free(call)

    def bridged(self, leg: Connection, other: Connection) -> None:
        """Two legs of one call hear each other."""
        if not (leg.clearing or other.clearing):
            self._returns.bridged(leg, other)
            self._talk.bridged(leg, other)
            self.talked(self._world.interactions[leg.interaction])

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
        elif leg.side is Side.OTHER:
            leg.move(ConnectionTrigger.ESTABLISH)
            self._consultations.answered(leg)
            self._made.answered(leg)
        elif leg.state is not ConnectionState.QUEUED:
            leg.move(ConnectionTrigger.ESTABLISH)

    # -- the end --------------------------------------------------------------------------------------------------

    def connection_cleared(
        self, leg: Connection, cause: Cause, switch_cause: str, *, by_far_end: bool | None = None
    ) -> None:
        """A leg is gone; what that means for the call depends on whose it was."""
        world = self._world
        del world.connections[leg.id]
        world.timers.cancel(CHECK, leg.id)
        world.timers.cancel(LOOK, leg.id)
        world.timers.cancel(ANSWER, leg.id)
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
            by=_ended_by(leg, cause, by_far_end=by_far_end),
        )
        had_it = self._agent_gone(call, leg, cause, switch_cause)
        if leg.id == call.caller and call.callback is not None:
            self.callbacks.customer_gone(call, leg, cause, switch_cause)
        elif self._returns.in_vain(call, leg):
            pass
        elif leg.id == call.caller:
            if cause is Cause.SWITCHING_FUNCTION_TERMINATED or not self.goes_on_without(call, leg):
                self._caller_gone(call, cause)
        elif leg.side is Side.CALLER:
            self.callbacks.leaver_gone(call, leg.id)
        else:
            self._other_gone(call, leg, cause, had_it=had_it)
        self._exits.finish(call, cause)
        self.leg_gone(call, leg)

    def _caller_gone(self, call: Interaction, cause: Cause) -> None:
        lost = cause is Cause.SWITCHING_FUNCTION_TERMINATED
        if lost:
            self._line.keep_place(call)
        if call.state.is_waiting and call.queue is not None:
            self._line.gone(call, cause, lost=lost)
        else:
            call.move(InteractionTrigger.LOSE if lost else InteractionTrigger.CLEAR, self._world.now)
        self._talk.over(call)
        self._exits.clear_legs(call, Cause.NORMAL_CLEARING)

    def _agent_gone(self, call: Interaction, leg: Connection, cause: Cause, switch_cause: str) -> bool:
        """If it was an agent's leg: the agent is free of it.

        Whether it was the one by which the call's agent had it: a leg of an offer that came to nothing may end long after
        the same agent took the call by another.
        """
        world = self._world
        self._offers.leg_gone(leg, cause, switch_cause)
        agent = world.agents.get(leg.agent) if leg.agent is not None else None
        if world.adopted.get(leg.agent or AgentId("")) == leg.id:
            del world.adopted[leg.agent or AgentId("")]
        by_another = agent is not None and agent.connection not in (None, leg.id)
        if agent is not None and agent.connection == leg.id:
            queue = world.queues.get(call.queue) if call.queue is not None else None
            own = call.made_by == agent.id
            wrap_up_s = call.wrap_up_s if own else queue.settings.wrap_up_s if queue is not None else 0.0
            self._desk.call_ended(agent, wrap_up_s, exactly=own)
        return leg.agent == call.agent and not by_another

    def _other_gone(self, call: Interaction, leg: Connection, cause: Cause, *, had_it: bool) -> None:
        world = self._world
        self._made.gone(call, leg, cause)
        if self._talk.gone(call, leg, had_it=had_it):
            return
        heard = call.kind is InteractionKind.VOICEMAIL and had_it and not leg.clearing
        if heard and cause is Cause.SWITCHING_FUNCTION_TERMINATED and call.state is InteractionState.ESTABLISHED:
            self._wait_again(call)
        elif had_it and call.state is InteractionState.ESTABLISHED:
            call.move(InteractionTrigger.CLEAR, world.now)
            self._exits.clear_legs(call, Cause.NORMAL_CLEARING)

    def _wait_again(self, call: Interaction) -> None:
        """The switch went down while somebody heard a message, which may not have been heard to the end."""
        assert call.queue is not None
        call.agent = None
        self._returns.leaves_alone(call)
        self._line.enter(call, self._world.queues[call.queue], Cause.RECALL, wish=False)

    def look(self, interaction: InteractionId) -> None:
        """Ask whether the legs of a call live: both words of an end may have been lost (race 15)."""
        call = self._world.interactions.get(interaction)
        if call is not None:
            for leg in sorted(call.connections):
                self._world.emit(intents.CheckConnection(call.switch, leg))
            self._world.timers.start(LIVE, call.id, LIVE_EVERY_S)

    def check(self, connection: ConnectionId) -> None:
        """A leg that we asked to end has not said so: ask again, and ask whether it lives at all (race 15)."""
        leg = self._world.connections.get(connection)
        if leg is not None:
            if self._world.stands(leg):
                self._world.emit(intents.StopListening(leg.switch, leg.id))
            else:
                self._world.emit(intents.ClearConnection(leg.switch, leg.id, Cause.NORMAL_CLEARING))
            self._world.emit(intents.CheckConnection(leg.switch, leg.id))
            self._world.timers.start(CHECK, leg.id, CHECK_AFTER_S)


_AT_THE_END = {Side.CALLER: EndedBy.CALLER, Side.AGENT: EndedBy.AGENT, Side.OTHER: EndedBy.OTHER}


def _ended_by(leg: Connection, cause: Cause, *, by_far_end: bool | None) -> EndedBy:
    """Who ended a leg: by the switch's word, or by whether we had asked for it."""
    if cause is Cause.SWITCHING_FUNCTION_TERMINATED:
        return EndedBy.SWITCH
    if leg.clearing and not by_far_end:
        return EndedBy.US
    return EndedBy.SWITCH if by_far_end is False else _AT_THE_END[leg.side]
