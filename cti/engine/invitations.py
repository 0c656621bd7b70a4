"""Invitations: one more party is brought into a conversation, without a consultation (CSTA: Single Step Conference, Join
Call, Intrude Call).
"""

from __future__ import annotations

from typing import Final

from cti.engine.calling_out import call_out
from cti.engine.consultations import ANSWER, Consultations
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, intents
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.party import Party, ToAgent, contact_of
from cti.model.reservation import Reservation
from cti.model.states import TALK, AgentState, ConnectionTrigger, ReservationState, TalkState, TalkTrigger

WARN = "warn"

RING_S: Final = 30.0
"""How long the phone of somebody outside may ring."""
_JOINS = (Cause.SINGLE_STEP_CONFERENCE, Cause.JOIN_CALL, Cause.INTRUDE)
_OPEN = (TalkState.TALKING, TalkState.CONFERENCE)


class Invitations:
    """Rings those who are to join, and brings conversations into conferences.

    Args:
        world: what is known.
        offers: makes and ends reservations.
        consultations: ends the legs of those who are not needed any more.
    """

    def __init__(self, world: World, offers: Offers, consultations: Consultations) -> None:
        self._world = world
        self._offers = offers
        self._consultations = consultations

    def begin(
        self, call: Interaction, asks: ConnectionId, to: Party, cause: Cause, warn_s: float | None = None
    ) -> None:
        """Ring an agent, or a number, who is to join; those who talk are warned for ``warn_s`` before that, if it is given.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent is not ready, or somebody else is being rung for this call.
            DestinationNotAllowed: the number may not be called.
        """
        if isinstance(to, ToAgent):
            agent = self._world.agent(to.agent)
            self.check_free(call)
            if agent.state is not AgentState.READY:
                raise InvalidConnection(
                    f"agent {agent.id!r} is {agent.state.value}; only one who is ready can join a conversation"
                )
            leg, said = self._offers.invite(call, agent, asks, cause), str(agent.id)
        else:
            contact = contact_of(to.number, self._world.destinations)
            self.check_free(call)
            leg, said = self._call_out(call, contact, to.number), to.number
        call.warn_s = warn_s
        self._world.tell(events.Originated, call, cause, connection=leg, to=said)

    def _call_out(self, call: Interaction, contact: str, number: str) -> ConnectionId:
        leg = call_out(self._world, call, Side.OTHER, contact, number, ring_s=RING_S)
        call.invited = leg.id
        self._world.timers.start(ANSWER, leg.id, RING_S)
        return leg.id

    def check_free(self, call: Interaction) -> None:
        """See that nobody is being rung for this call.

        Raises:
            InvalidConnection: somebody is.
        """
        made = self._world.reservations.get(call.consultation) if call.consultation is not None else None
        if made is not None:
            raise InvalidConnection(f"agent {made.agent!r} is being rung for call {call.id}; wait until that is over")
        if call.invited is not None:
            raise InvalidConnection(f"a number is being rung for call {call.id}; wait until that is over")

    # -- what the switch says -------------------------------------------------------------------------------------

    def settle(self, call: Interaction) -> None:
        """If whoever is to join has answered and waits: they join, unless there is nothing to join any more."""
        made = self._world.reservations.get(call.consultation) if call.consultation is not None else None
        connection = made.leg if made is not None else call.invited
        leg = self._world.connections.get(connection) if connection is not None else None
        if leg is None or not self._waits(made, leg) or call.pairing:
            return
        if call.talk not in _OPEN:
            self._let_go(call, made, leg)
        elif call.warn_s is not None:
            self._warn(call, leg, call.warn_s)
        elif not self._world.timers.running(WARN, call.id):
            self._join(call, made, leg)

    def _waits(self, made: Reservation | None, leg: Connection) -> bool:
        if made is not None and (made.cause not in _JOINS or made.state is not ReservationState.ACCEPTED):
            return False
        return leg.established_at is not None and leg.parked and not leg.clearing

    def _let_go(self, call: Interaction, made: Reservation | None, leg: Connection) -> None:
        if made is not None:
            self._offers.cancel(made, Cause.CALL_CANCELLED)
        else:
            call.invited = None
            self._consultations.drop(leg.id, Cause.CALL_CANCELLED)

    def _warn(self, call: Interaction, joins: Connection, warn_s: float) -> None:
        """Let those who talk hear that somebody comes in; they are given a moment for it."""
        call.warn_s = None
        for each in sorted(call.connections - {joins.id}):
            leg = self._world.connections[each]
            if leg.reservation is None and not leg.clearing:
                self._world.emit(intents.WarningTone(leg.switch, leg.id))
        self._world.timers.start(WARN, call.id, warn_s)

    def warned(self, interaction: InteractionId) -> None:
        """The warning has been heard: whoever intrudes comes in."""
        call = self._world.interactions.get(interaction)
        if call is not None:
            self.settle(call)

    def _join(self, call: Interaction, made: Reservation | None, leg: Connection) -> None:
        world, cause = self._world, made.cause if made is not None else Cause.SINGLE_STEP_CONFERENCE
        others = [] if call.talk is TalkState.CONFERENCE else [*(call.wanted_pair or ())]
        call.talk = TALK.next(call.talk, TalkTrigger.JOIN) or call.talk
        self.into_conference(call, [*others, leg.id])
        if made is not None:
            self._offers.bridged(leg)
        else:
            call.invited = None
            world.timers.cancel(ANSWER, leg.id)
            world.tell(events.Established, call, cause, agent=None, connection=leg.id, waited_s=0.0)
        members = {each.id for each in map(world.connections.__getitem__, call.connections) if not each.clearing}
        world.tell(events.Conferenced, call, cause, connections=tuple(sorted(members)))

    def gone(self, call: Interaction, leg: Connection) -> bool:
        """A leg has ended; whether it was that of a number that was being rung."""
        if call.invited != leg.id:
            return False
        call.invited = None
        return True

    def into_conference(self, call: Interaction, members: list[ConnectionId]) -> None:
        """Bring these legs into the call's conference: the pair that talks with one command, the others one by one."""
        world, pair = self._world, call.pair
        call.pair = call.wanted_pair = None
        if pair is not None:
            world.emit(intents.JoinConference(call.switch, pair[0], pair[1], call.id))
        for each in members:
            world.connections[each].parked, world.connections[each].partner = False, None
            world.connections[each].move(ConnectionTrigger.RETRIEVE)
            if pair is None or each not in pair:
                world.emit(intents.JoinConference(call.switch, each, None, call.id))
