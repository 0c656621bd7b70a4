"""Consultations: somebody else is called while the caller is held."""

from __future__ import annotations

from typing import Final

from cti.engine.calling_out import call_out
from cti.engine.media import Media
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.party import Party, ToAgent, contact_of
from cti.model.states import TALK, AgentState, TalkState, TalkTrigger

ANSWER = "answer"
CAMP = "camp"

RING_S: Final = 30.0
"""How long the phone of somebody outside may ring."""


_WAITED_FOR = (AgentState.RESERVED, AgentState.ALERTING, AgentState.BUSY, AgentState.WORKING_AFTER_CALL)


def move(call: Interaction, trigger: TalkTrigger) -> bool:
    """Pull a trigger of the conversation's table; whether it changed the state.

    Raises:
        IllegalTransition: the table forbids it; nothing was changed.
    """
    after = TALK.next(call.talk, trigger)
    if after is None or after is call.talk:
        return False
    call.talk = after
    return True


class Consultations:
    """Calls those whom agents consult, and follows their legs.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        media: says who hears whom.
    """

    def __init__(self, world: World, offers: Offers, media: Media) -> None:
        self._world = world
        self._offers = offers
        self._media = media

    def begin(self, call: Interaction, asks: ConnectionId, to: Party, wait_s: float) -> str:
        """Call somebody for the agent whose leg is ``asks``; returns whom, in words.

        An agent who has a call, or works after one, is called when they are ready, within ``wait_s``.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent is not ready.
            DestinationNotAllowed: the number may not be called.
        """
        if isinstance(to, ToAgent):
            agent = self._world.agent(to.agent)
            if agent.state in _WAITED_FOR and wait_s > 0 and agent.id != call.agent:
                self._camp_on(call, agent, wait_s)
                return agent.id
            if agent.state is not AgentState.READY:
                raise InvalidConnection(
                    f"agent {agent.id!r} is {agent.state.value}; only one who is ready can be consulted"
                )
            move(call, TalkTrigger.CONSULT)
            call.consulted = self._offers.invite(call, agent, asks, Cause.CONSULTATION)
            return agent.id
        contact = contact_of(to.number, self._world.destinations)
        move(call, TalkTrigger.CONSULT)
        call.consulted = self._call_out(call, contact, to.number)
        return to.number

    def _camp_on(self, call: Interaction, agent: Agent, wait_s: float) -> None:
        move(call, TalkTrigger.CONSULT)
        call.camps_on = agent.id
        self._world.camped.setdefault(agent.id, []).append(call.id)
        self._world.timers.start(CAMP, call.id, wait_s)

    def became_ready(self, agent: Agent) -> bool:
        """An agent is ready: whether somebody has been waiting to consult them, who does now."""
        world = self._world
        waiting = world.camped.get(agent.id, [])
        while waiting:
            call = world.interactions.get(waiting.pop(0))
            own = world.agents.get(call.agent) if call is not None and call.agent is not None else None
            if call is None or own is None or own.connection is None or not self._camps(call, agent.id):
                continue
            self._end_camping(call)
            call.consulted = self._offers.invite(call, agent, own.connection, Cause.CONSULTATION)
            world.tell(events.Originated, call, Cause.CAMP_ON, connection=call.consulted, to=agent.id)
            return True
        return False

    def camped_too_long(self, interaction: InteractionId) -> None:
        """An agent whom somebody wants to consult has not become ready in time: the caller stays held."""
        call = self._world.interactions.get(interaction)
        agent = call.camps_on if call is not None else None
        if call is None or agent is None:
            return
        camps = self._camps(call, agent)
        self._end_camping(call)
        if camps:
            move(call, TalkTrigger.LOSE)
            self._world.tell(events.OfferEnded, call, Cause.CAMP_ON, agent=agent, outcome="timed out", switch_cause="")

    def _camps(self, call: Interaction, agent: AgentId) -> bool:
        """Whether the call still waits for this agent; it may have given up long ago."""
        live = self._world.is_live(call.switch)
        return live and call.camps_on == agent and call.talk is TalkState.CALLING and call.consulted is None

    def _end_camping(self, call: Interaction) -> None:
        agent, call.camps_on = call.camps_on, None
        self._world.timers.cancel(CAMP, call.id)
        waiting = self._world.camped.get(agent, []) if agent is not None else []
        if call.id in waiting:
            waiting.remove(call.id)
        if agent is not None and not waiting:
            self._world.camped.pop(agent, None)

    def _call_out(self, call: Interaction, contact: str, number: str) -> ConnectionId:
        leg = call_out(self._world, call, Side.OTHER, contact, number, ring_s=RING_S)
        self._world.timers.start(ANSWER, leg.id, RING_S)
        return leg.id

    def give_up(self, call: Interaction, cause: Cause) -> None:
        """Nobody is consulted any more: the leg of whoever was ends, answered or not; nobody is waited for."""
        self._end_camping(call)
        consulted, call.consulted = call.consulted, None
        self.drop(consulted, cause)

    def drop(self, connection: ConnectionId | None, cause: Cause) -> None:
        """End a leg, answered or not."""
        world = self._world
        leg = world.connections.get(connection) if connection is not None else None
        if leg is None or leg.clearing:
            return
        world.timers.cancel(ANSWER, leg.id)
        if leg.reservation is not None:
            self._offers.cancel(world.reservations[leg.reservation], cause)
        else:
            self._offers.clear(leg, cause)

    def answered(self, leg: Connection) -> None:
        """Whom an agent consults has answered."""
        self._world.timers.cancel(ANSWER, leg.id)
        self._connect_consulted(self._world.interactions[leg.interaction], leg)

    def _connect_consulted(self, call: Interaction, leg: Connection) -> None:
        agent = self._world.agents.get(call.agent) if call.agent is not None else None
        if call.talk is TalkState.CALLING and call.consulted == leg.id and agent is not None and agent.connection:
            self._media.join(call, agent.connection, leg.id)

    def no_answer(self, connection: ConnectionId) -> None:
        """Somebody outside has not answered in time."""
        leg = self._world.connections.get(connection)
        if leg is not None:
            self.drop(connection, Cause.CALL_NOT_ANSWERED)
            self.lost(self._world.interactions[leg.interaction], connection)

    def failed(self, call: Interaction) -> None:
        """The consulted agent did not take it: the caller stays held."""
        if call.consulted is not None:
            self.lost(call, call.consulted)

    def lost(self, call: Interaction, connection: ConnectionId) -> None:
        """Whom the agent consults is gone, if it is this leg: the caller is held, or talked with if they were."""
        if call.consulted == connection:
            call.consulted = None
            move(call, TalkTrigger.LOSE)
