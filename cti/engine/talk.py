"""Talk: what an agent does with a call they have: hold, consult, transfer, confer, hang up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cti.engine.after_call import AfterCall
from cti.engine.consultations import ANSWER, Consultations, move
from cti.engine.exits import Exits
from cti.engine.invitations import Invitations
from cti.engine.line import Line
from cti.engine.media import Media
from cti.engine.offers import Offers
from cti.engine.parking import Parking
from cti.engine.world import World
from cti.errors import IllegalTransition, InvalidConnection
from cti.model import events, intents, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import AgentId
from cti.model.interaction import Interaction
from cti.model.overflow import Overflow, ToDestination, ToQueue
from cti.model.parked_call import ToPlace
from cti.model.party import ToAgent, contact_of, said
from cti.model.personal import Personal
from cti.model.states import TALK, ConnectionTrigger, TalkState, TalkTrigger

TRANSFER_WAIT_S = 60.0
"""How long a call that is transferred to an agent waits for them, before everybody in its queue may be offered it."""


class _Asked(Protocol):
    """A service that one agent asks for."""

    @property
    def agent(self) -> AgentId: ...


class Talk:
    """Carries out the services that an agent asks for.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        line: moves calls into queues and out of them.
        exits: lets calls go.
        media: says who hears whom.
        consultations: calls those whom agents consult.
        parking: keeps the places where calls are parked.
        invitations: rings those who are to join.
        after: says where callers go after a conversation.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        offers: Offers,
        line: Line,
        exits: Exits,
        media: Media,
        consultations: Consultations,
        parking: Parking,
        invitations: Invitations,
        after: AfterCall,
    ) -> None:
        self._world = world
        self._after = after
        after.send = self._send
        self._parking = parking
        self._invitations = invitations
        self._consultations = consultations
        self._offers = offers
        self._line = line
        self._exits = exits
        self._media = media
        self.table: dict[type, Callable[..., None]] = {
            services.HoldRequested: self._hold,
            services.RetrieveRequested: self._retrieve,
            services.ConsultationRequested: self._consult,
            services.AlternateRequested: self._alternate,
            services.ReconnectRequested: self._reconnect,
            services.TransferRequested: self._transfer,
            services.ConferenceRequested: self._confer,
            services.SingleStepTransferRequested: self._send_on,
            services.ClearConnectionRequested: self._hang_up,
            services.DigitsRequested: media.send_digits,
            services.ParkRequested: self._park,
            services.SingleStepConferenceRequested: self._invite,
            services.DestinationsDefined: self._define,
        }

    def _define(self, fact: services.DestinationsDefined) -> None:
        self._world.destinations = fact.allowed

    # -- services -------------------------------------------------------------------------------------------------

    def _mine(self, fact: _Asked, trigger: TalkTrigger) -> tuple[Interaction, Agent]:
        """The call that this agent is in charge of, and whether the service is possible now.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent has no call, or is only consulted on it, or the service is not possible in its
                state; the message says what is.
        """
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if call is None or agent.connection is None:
            raise InvalidConnection(f"agent {agent.id!r} has no call; {trigger.value!r} needs one")
        if call.agent != agent.id:
            raise InvalidConnection(
                f"agent {agent.id!r} is consulted on a call of {call.agent!r}, who alone can do this"
            )
        if not self._world.is_live(call.switch):
            raise InvalidConnection(f"the link to switch {call.switch} is not live; {trigger.value!r} has to wait")
        if call.talk is TalkState.NONE or call.state.is_over:  # it has been cleared, and its legs still end
            raise InvalidConnection(
                f"the call of agent {agent.id!r} is not under way; {trigger.value!r} is not possible (possible: clear)"
            )
        try:
            TALK.next(call.talk, trigger)
        except IllegalTransition:
            possible = ", ".join(t.value for t in TALK.allowed(call.talk) if t in _ASKABLE)
            raise InvalidConnection(
                f"the call of agent {agent.id!r} is {call.talk.value}; {trigger.value!r} is not possible (possible: {possible})"
            ) from None
        return call, agent

    def _hold(self, fact: services.HoldRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.HOLD)
        if move(call, TalkTrigger.HOLD):
            self._held(call, agent)
            self._media.part(call)

    def _held(self, call: Interaction, agent: Agent) -> None:
        """The caller is put on hold."""
        assert agent.connection is not None
        world = self._world
        world.connections[agent.connection].move(ConnectionTrigger.HOLD)
        # Should the agent's leg, or the consulted one, end: this keeps the others from being hung up with it.
        for leg in (call.caller, agent.connection):
            world.emit(intents.KeepCaller(call.switch, leg, keep=True))
        world.tell(events.Held, call, Cause.NORMAL, connection=agent.connection)

    def _retrieve(self, fact: services.RetrieveRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.RETRIEVE)
        if move(call, TalkTrigger.RETRIEVE):
            self._resume(call, agent)

    def _resume(self, call: Interaction, agent: Agent) -> None:
        assert agent.connection is not None
        self._media.join(call, call.caller, agent.connection)

    def _consult(self, fact: services.ConsultationRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.CONSULT)
        world = self._world
        assert agent.connection is not None
        was = call.talk
        self._invitations.check_free(call)
        said = self._consultations.begin(call, agent.connection, fact.to, fact.wait_s)
        if was is TalkState.TALKING:
            self._held(call, agent)
        self._media.part(call)
        if call.consulted is not None:
            world.tell(events.Originated, call, Cause.CONSULTATION, connection=call.consulted, to=said)

    def _alternate(self, fact: services.AlternateRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.ALTERNATE)
        assert agent.connection is not None
        assert call.consulted is not None
        if move(call, TalkTrigger.ALTERNATE):
            if call.talk is TalkState.ALTERNATED:
                self._media.join(call, call.caller, agent.connection)
            else:
                self._held(call, agent)
                self._media.join(call, agent.connection, call.consulted)

    def _reconnect(self, fact: services.ReconnectRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.RECONNECT)
        if move(call, TalkTrigger.RECONNECT):
            self._consultations.give_up(call, Cause.NORMAL_CLEARING)
            self._resume(call, agent)

    def _transfer(self, fact: services.TransferRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.TRANSFER)
        assert call.consulted is not None
        assert agent.connection is not None
        if not move(call, TalkTrigger.TRANSFER):
            return
        world = self._world
        to = world.connections[call.consulted]
        call.consulted = None
        world.connections[agent.connection].leaving = True
        call.agent = to.agent
        self._media.join(call, call.caller, to.id)
        world.tell(
            events.Transferred,
            call,
            Cause.TRANSFER,
            from_agent=agent.id,
            to=to.agent or ("outside" if to.side is Side.OTHER else to.id),
            agent=to.agent,
        )

    def _confer(self, fact: services.ConferenceRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.CONFERENCE)
        assert call.consulted is not None
        assert agent.connection is not None
        if not move(call, TalkTrigger.CONFERENCE):
            return
        members = [call.caller, agent.connection, call.consulted]
        call.consulted = None
        self._invitations.into_conference(call, members)
        self._world.tell(events.Conferenced, call, Cause.CONFERENCE, connections=tuple(sorted(members)))

    def _invite(self, fact: services.SingleStepConferenceRequested) -> None:
        call, agent = self._mine(fact, TalkTrigger.JOIN)
        assert agent.connection is not None
        self._invitations.begin(call, agent.connection, fact.to, Cause.SINGLE_STEP_CONFERENCE)

    def _send_on(self, fact: services.SingleStepTransferRequested) -> None:
        call, agent = self._alone(fact, "single step transfer")
        world = self._world
        if isinstance(fact.to, ToAgent):
            world.agent(fact.to.agent)
            if call.queue is None:
                raise InvalidConnection(
                    f"call {call.id} came by no queue, and can wait for an agent in none; name a queue"
                )
        elif isinstance(fact.to, ToQueue):
            world.queue(fact.to.queue)
        elif isinstance(fact.to, ToDestination):
            contact_of(fact.to.destination, world.destinations)
        world.tell(
            events.Transferred, call, Cause.SINGLE_STEP_TRANSFER, from_agent=agent.id, to=said(fact.to), agent=agent.id
        )
        self._send(call, fact.to, Cause.SINGLE_STEP_TRANSFER)

    def _park(self, fact: services.ParkRequested) -> None:
        call, _ = self._alone(fact, "park")
        self._send(call, ToPlace(self._parking.reserve(call, fact)), Cause.PARK)

    def _alone(self, fact: _Asked, service: str) -> tuple[Interaction, Agent]:
        """The call that this agent is in charge of, if its caller can be sent elsewhere.

        Raises:
            InvalidConnection: the call is a conference, or the other party is an agent, besides what ``_mine`` raises.
        """
        call, agent = self._mine(fact, TalkTrigger.END)
        if call.talk is TalkState.CONFERENCE:
            raise InvalidConnection(f"the call of agent {agent.id!r} is a conference; {service!r} is not possible")
        other = self._world.connections.get(call.caller)
        if other is not None and other.agent is not None:
            raise InvalidConnection(f"agent {agent.id!r} talks with agent {other.agent!r}; {service!r} is not possible")
        return call, agent

    def _send(self, call: Interaction, onward: ToAgent | ToPlace | Overflow, cause: Cause) -> None:
        self._consultations.give_up(call, cause)
        call.onward = onward
        move(call, TalkTrigger.END)
        self._media.part(call)
        self._go_on(call)

    def _go_on(self, call: Interaction) -> None:
        """Send a caller who is apart from their agent where they are to go; the agent's leg ends."""
        to = call.onward
        if to is None or not self._media.apart(call):
            return
        call.onward = None
        self._let_go(call)
        call.queued_at = None  # a new wait begins
        if isinstance(to, ToPlace):
            self._parking.placed(call, to.place)
        elif isinstance(to, ToAgent):
            assert call.queue is not None
            call.personal = Personal(to.agent, TRANSFER_WAIT_S)
            self._line.enter(call, self._world.queues[call.queue], Cause.SINGLE_STEP_TRANSFER)
        else:
            self._line.go(call, to, Cause.SINGLE_STEP_TRANSFER)

    def _let_go(self, call: Interaction) -> None:
        """All legs but the caller's end; nobody is in charge of the call."""
        call.agent = None
        for each in sorted(call.connections - {call.caller}):
            leg = self._world.connections[each]
            if not leg.clearing:
                self._offers.clear(leg, Cause.SINGLE_STEP_TRANSFER)

    def _hang_up(self, fact: services.ClearConnectionRequested) -> None:
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if call is None or agent.connection is None:
            raise InvalidConnection(f"agent {agent.id!r} has no call")
        over = not call.on_the_line or (call.talk in _WITH_CALLER and self._after.target(call) is None)
        if call.agent == agent.id and over:
            self._exits.clear(call, Cause.NORMAL_CLEARING)
        else:
            self._offers.clear(self._world.connections[agent.connection], Cause.NORMAL_CLEARING)

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody: music for a caller who is held, and on with what was waiting for this."""
        call = self._world.interactions[leg.interaction]
        self._media.parked(leg)
        if leg.leaving and not leg.clearing:
            self._offers.clear(leg, Cause.TRANSFER)
        if leg.id == call.caller:
            self._go_on(call)
            if call.talk in _CALLER_HELD:
                queue = self._world.queues.get(call.queue) if call.queue is not None else None
                if queue is not None and queue.settings.music:
                    self._world.emit(intents.StartTreatment(call.switch, leg.id, queue.settings.music))
        if call.id in self._world.interactions and (
            call.talk is not TalkState.NONE or call.onward is not None or call.wanted_pair is not None
        ):
            self._media.settle(call)
            self._invitations.settle(call)

    def bridged(self, first: Connection, second: Connection) -> None:
        """Two legs hear each other: the one that was wanted, or the end of a consultation's ringing."""
        world = self._world
        call = world.interactions[first.interaction]
        asked = call.pairing
        self._media.bridged(first, second)
        late = first.clearing or second.clearing
        if call.talk is TalkState.NONE and call.agent is not None and call.onward is None and not late:
            call.wanted_pair = call.pair
            move(call, TalkTrigger.CONNECT)
        legs = {first.id, second.id}
        if call.consulted in legs and call.talk is TalkState.CALLING:
            move(call, TalkTrigger.ANSWER)
        if asked and call.wanted_pair is not None and set(call.wanted_pair) == legs and call.caller in legs:
            self._resumed(call)
        if (
            call.talk is not TalkState.NONE or call.onward is not None or call.wanted_pair is not None
        ):  # else a leg that is being cleared has been bridged late
            self._media.settle(call)
        self._invitations.settle(call)

    def _resumed(self, call: Interaction) -> None:
        """The caller talks with whom they are to talk."""
        world = self._world
        for each in sorted(call.connections):
            leg = world.connections[each]
            if leg.leaving and not leg.clearing:
                self._offers.clear(leg, Cause.TRANSFER)
            elif leg.id in (call.pair or ()):
                if call.talk is TalkState.TALKING and leg.id == call.caller and call.agent is not None:
                    self._after.keep(call)
                elif call.talk is TalkState.TALKING and not leg.standing:  # whoever hangs up now ends it for both
                    world.emit(intents.KeepCaller(call.switch, leg.id, keep=False))
                if leg.move(ConnectionTrigger.RETRIEVE):
                    world.tell(events.Retrieved, call, Cause.NORMAL, connection=leg.id)

    def over(self, call: Interaction) -> None:
        """The call ends: nobody is consulted, or to be paired with anybody, any more."""
        self._parking.forget(call)
        self._consultations.give_up(call, Cause.NORMAL_CLEARING)
        self._media.over(call)
        call.onward = None
        move(call, TalkTrigger.END)

    def gone(self, call: Interaction, leg: Connection, *, had_it: bool) -> bool:
        """A leg other than the caller's has ended; whether the call goes on without it, and what for is seen to.

        ``had_it``: it was the one by which the agent in charge had the call.
        """
        world = self._world
        self._media.gone(call, leg)
        world.timers.cancel(ANSWER, leg.id)
        if self._invitations.gone(call, leg):
            return True
        in_charge = had_it and leg.agent is not None
        if leg.id == call.consulted:
            self._consultations.lost(call, leg.id)
        elif call.talk is TalkState.CONFERENCE and in_charge:
            call.agent = next((other.agent for other in self._others(call) if other.agent is not None), None)
        elif in_charge and call.talk in _CALLER_HELD and call.queue is not None and call.has_caller:
            # The agent is gone while the caller is held, who is not to pay for it: back to the queue.
            self._send(call, ToQueue(call.queue), Cause.RECALL)
            return True
        elif call.talk is not TalkState.CONFERENCE:
            return (in_charge and self._after.goes_on(call)) or call.onward is not None
        if call.talk is TalkState.CONFERENCE and not self._others(call):
            if not (in_charge and self._after.goes_on(call)):
                self._exits.clear(call, Cause.NORMAL_CLEARING)
        elif call.talk is TalkState.TALKING and call.pair is not None:
            call.wanted_pair = call.pair
        return True

    def phone_lost(self, leg: Connection) -> None:
        """The phone at the end of a leg is gone, and the leg's own switch does not know: it ends.

        A caller who talked with its agent, or was held by them, goes back to the queue.
        """
        call = self._world.interactions[leg.interaction]
        other = self._world.connections.get(call.caller)
        in_charge = leg.agent is not None and leg.agent == call.agent and leg.id != call.caller
        with_caller = call.talk is TalkState.TALKING or call.talk in _CALLER_HELD
        to_queue = call.queue is not None and (other is None or other.agent is None)
        if in_charge and with_caller and to_queue and call.onward is None and call.queue is not None:
            self._send(call, ToQueue(call.queue), Cause.RECALL)
        else:
            self._offers.clear(leg, Cause.DEST_OUT_OF_ORDER)

    def _others(self, call: Interaction) -> list[Connection]:
        """The living legs other than the caller's, by id; without those that are only being rung."""
        legs = [self._world.connections[each] for each in sorted(call.connections - {call.caller, call.invited})]
        return [leg for leg in legs if not leg.clearing and leg.reservation is None]


_WITH_CALLER = (TalkState.TALKING, TalkState.ALTERNATED)
_CALLER_HELD = (TalkState.HELD, TalkState.CALLING, TalkState.CONSULTING)
_ASKABLE = tuple(
    t
    for t in TalkTrigger
    if t not in (TalkTrigger.CONNECT, TalkTrigger.ANSWER, TalkTrigger.LOSE, TalkTrigger.END, TalkTrigger.CALLER_LEFT)
)
