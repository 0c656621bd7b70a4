"""Calls that agents make: their own phone first, then the other party (CSTA: Make Call)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.engine.calling_out import call_out
from cti.engine.consultations import ANSWER
from cti.engine.desk import Desk
from cti.engine.exits import LIVE, Exits
from cti.engine.media import Media
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import DestinationNotAllowed, InvalidAgentState, InvalidConnection
from cti.model import events, intents, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import AgentId, SwitchId
from cti.model.interaction import Interaction
from cti.model.party import Party, ToAgent, ToNumber, contact_of
from cti.model.states import AgentState, AgentTrigger, ConnectionTrigger, InteractionState, InteractionTrigger

OWN_RING_S: Final = 20.0
"""How long may the phone ring of the agent who wants to call?"""
RING_S: Final = 60.0
"""How long may the other party's phone ring?"""
RING_BACK: Final = "tone_stream://%(1000,4000,450);loops=-1"
"""What the agent hears meanwhile; FreeSWITCH is asked to keep what the far end sends before it answers to itself."""
LIVE_EVERY_S: Final = 60.0
LONGEST_DIALLING_S: Final = 120.0
"""How long may an agent who dials stage by stage take in all, before FreeSWITCH lets their leg go?"""

_POSSIBLE = (AgentState.READY, AgentState.NOT_READY, AgentState.WORKING_AFTER_CALL)


class MadeCalls:
    """Makes the calls that agents ask for.

    In such a call the other party is in the caller's place; the agent is in charge of it as of any other.

    Args:
        world: what is known.
        desk: changes agents.
        offers: rings agents who are called.
        media: says who hears whom.
        exits: ends calls.
    """

    def __init__(self, world: World, desk: Desk, offers: Offers, media: Media, exits: Exits) -> None:
        self._world = world
        self._desk = desk
        self._offers = offers
        self._media = media
        self._exits = exits
        self.in_vain: Callable[[Interaction], None] = lambda _: None
        """Set by the engine: whom a call was to reach is not ready when their turn comes."""

    def make(self, fact: services.MakeCallRequested) -> None:
        """Ring the agent's phone, to call somebody when it is answered.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is logged off, on a call, or being offered one.
            InvalidConnection: the agent to be called is not ready, or no switch can be reached.
            DestinationNotAllowed: the number may not be called.
        """
        self.begin(fact.agent, fact.to, fact.calling_number, fact.wrap_up_s, Cause.MAKE_CALL)

    def begin(
        self, caller: AgentId, to: Party | None, calling_number: str, wrap_up_s: float, cause: Cause
    ) -> Interaction:
        """Ring the phone of an agent who calls; whom, or None if they say so later.

        Raises:
            UnknownAgent, InvalidAgentState, InvalidConnection, DestinationNotAllowed: as ``make``.
        """
        world = self._world
        agent = world.agent(caller)
        if agent.state not in _POSSIBLE:
            said = "logged off" if agent.state is AgentState.NULL else agent.state.value
            service = "make connection" if to is None else "make call"
            possible = ", ".join(state.value for state in _POSSIBLE)
            raise InvalidAgentState(f"agent {agent.id!r} is {said}; {service!r} is not possible (possible: {possible})")
        if why := self.no_line(agent):
            raise InvalidAgentState(f"agent {agent.id!r} is to call by their standing connection, which {why}")
        if to is not None:
            self._check(agent, to)
        switch = self._switch(agent)
        call = Interaction(
            id=world.ids.interaction(world.now),
            switch=switch,
            caller=world.ids.connection(),
            calling_number=calling_number,
            calling_name=agent.id,
            called_number="" if to is None else to.agent if isinstance(to, ToAgent) else to.number,
            created_at=world.now,
            state_since=world.now,
            agent=agent.id,
            made_by=agent.id,
            dials=to,
            dialled="" if to is None else None,
            wrap_up_s=wrap_up_s,
        )
        world.interactions[call.id] = call
        world.timers.start(LIVE, call.id, LIVE_EVERY_S)
        line = world.line_of(agent)
        leg = Connection(
            line.leg if line is not None else world.ids.connection(), switch, Side.AGENT, call.id, agent.id
        )
        self._offers.add_leg(call, leg)
        tie = world.tie_line(agent, switch)
        leg.via = tie.to if tie is not None else None
        back_to = (agent.state, agent.reason) if agent.state is AgentState.NOT_READY else agent.pending
        agent.connection, agent.interaction = leg.id, call.id
        self._desk.apply(agent, AgentTrigger.ANSWER, cause)
        agent.pending = back_to
        world.tell(events.ServiceInitiated, call, cause, connection=leg.id)
        if leg.standing:
            self._offers.put_through(call, agent, leg.id)
        else:
            self._ring(call, leg, agent)
        return call

    def no_line(self, agent: Agent) -> str:
        """What is wrong with the standing connection by which an agent is to call; empty for nothing, or no need of one."""
        line = self._world.line_of(agent)
        if not agent.standing:
            return ""
        if line is None:
            return "is not up (possible: ready, which has it rung)"
        return "is still in a call (possible: in a moment)" if line.leg in self._world.connections else ""

    def _check(self, agent: Agent, to: Party) -> None:
        if isinstance(to, ToNumber):
            contact_of(to.number, self._world.destinations)
            return
        called = self._world.agent(to.agent)
        if called is agent or called.state is not AgentState.READY:
            said = "the one who calls" if called is agent else called.state.value
            raise InvalidConnection(f"agent {called.id!r} is {said}; only another one who is ready can be called")

    def _switch(self, agent: Agent) -> SwitchId:
        found = self._world.switch_for(agent)
        if found is None:
            raise InvalidConnection("no link to a switch is live, or all are drained; 'make call' has to wait")
        return found

    def _ring(self, call: Interaction, leg: Connection, agent: Agent) -> None:
        world = self._world
        world.timers.start(ANSWER, leg.id, OWN_RING_S)
        world.emit(
            intents.MakeConnection(
                call.switch,
                leg.id,
                agent.phone,
                call.id,
                OWN_RING_S,
                calling_number=call.called_number,
                calling_name="",
                called_number=call.called_number,
                agent=agent.id,
                auto_answer=agent.settings.auto_answer,
                park_s=RING_S if call.dialled is None else RING_S + LONGEST_DIALLING_S,
                tie=world.tie_line(agent, call.switch),
            )
        )

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: Connection) -> None:
        """The phone of the agent who calls has been answered: now the other party is called; then the two are joined."""
        call = self._world.interactions.get(leg.interaction)
        if call is None or call.state is not InteractionState.CREATED:
            return
        self._media.settle(call)
        to = call.dials
        if to is None or leg.clearing or leg.agent != call.made_by:
            return
        call.dials = None
        self.own_answered(leg)
        if isinstance(to, ToNumber):
            try:
                contact = contact_of(to.number, self._world.destinations)
            except DestinationNotAllowed:  # the rules have changed while the agent's own phone rang
                self._exits.clear(call, Cause.BLOCKED)
                return
            far = call_out(
                self._world,
                call,
                Side.OTHER,
                contact,
                call.called_number,
                ring_s=RING_S,
                connection=call.caller,
                calling_number=call.calling_number,
            )
            self._world.timers.start(ANSWER, far.id, RING_S)
        else:
            agent = self._world.agents.get(to.agent)
            made = self._world.reservations.get(call.consultation) if call.consultation is not None else None
            if made is not None:
                call.caller = self._offers.ring(call, made)
            elif agent is None or agent.state is not AgentState.READY:
                self.in_vain(call)
                self._exits.clear(call, Cause.BUSY)
                return
            else:
                call.caller = self._offers.invite(call, agent, leg.id, Cause.MAKE_CALL)
        self._world.tell(events.Originated, call, Cause.MAKE_CALL, connection=call.caller, to=call.called_number)

    def own_answered(self, leg: Connection) -> None:
        """The phone of the agent who calls has been answered."""
        self._world.timers.cancel(ANSWER, leg.id)

    def delivered(self, leg: Connection) -> None:
        """The other party's phone rings: the agent hears that it does."""
        call = self._world.interactions[leg.interaction]
        if not self._is_other(call, leg):
            return
        if leg.side is Side.OTHER:  # an agent's has been told of
            if not leg.move(ConnectionTrigger.ALERT):
                return
            self._world.tell(events.Delivered, call, Cause.MAKE_CALL, connection=leg.id, waited_s=0.0)
        own = self._own(call)
        if own is not None and own.parked and not own.clearing:
            self._world.emit(intents.StartTreatment(call.switch, own.id, RING_BACK))

    def answered(self, leg: Connection) -> None:
        """The other party has answered."""
        call = self._world.interactions[leg.interaction]
        own = self._own(call)
        if self._is_other(call, leg) and own is not None and not own.clearing:
            self._media.join(call, own.id, leg.id)

    def bridged(self, first: Connection, second: Connection) -> None:
        """Two legs hear each other: the call is under way."""
        world = self._world
        call = world.interactions[first.interaction]
        if (
            call.made_by is None
            or call.caller not in (first.id, second.id)
            or call.state is not InteractionState.CREATED
        ):
            return
        call.move(InteractionTrigger.ESTABLISH, world.now)
        for leg in (first, second):
            world.timers.cancel(ANSWER, leg.id)
            if leg.established_at is None:
                leg.established_at = world.now
            leg.move(ConnectionTrigger.ESTABLISH)
        if call.data:  # attached while there was nobody in the caller's place yet
            world.mirror(call)
        other = world.connections[call.caller]
        if other.agent is None:
            world.tell(events.Established, call, Cause.MAKE_CALL, connection=other.id, waited_s=0.0)

    def gone(self, call: Interaction, leg: Connection, cause: Cause) -> None:
        """The leg of the agent who called has ended before anybody answered: the other party is not to be rung for it."""
        if leg.agent is None or leg.agent != call.made_by:
            return
        call.made_by = None
        if call.state is InteractionState.CREATED:
            self._exits.clear(call, cause)

    def _is_other(self, call: Interaction, leg: Connection) -> bool:
        return call.made_by is not None and leg.id == call.caller and call.state is InteractionState.CREATED

    def _own(self, call: Interaction) -> Connection | None:
        agent = self._world.agents.get(call.made_by) if call.made_by is not None else None
        return self._world.connections.get(agent.connection) if agent is not None and agent.connection else None
