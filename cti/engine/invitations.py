"""Invitations: one more agent is brought into a conversation, without a consultation (CSTA: Single Step Conference)."""

from __future__ import annotations

from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, intents, services
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId
from cti.model.interaction import Interaction
from cti.model.reservation import Reservation
from cti.model.states import TALK, AgentState, ConnectionTrigger, ReservationState, TalkState, TalkTrigger


class Invitations:
    """Rings those who are invited, and brings conversations into conferences.

    Args:
        world: what is known.
        offers: makes and ends reservations.
    """

    def __init__(self, world: World, offers: Offers) -> None:
        self._world = world
        self._offers = offers

    def begin(self, call: Interaction, asks: ConnectionId, fact: services.SingleStepConferenceRequested) -> None:
        """Ring an agent who is to join.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent is not ready, or somebody else is being rung for this call.
        """
        agent = self._world.agent(fact.to.agent)
        self.check_free(call)
        if agent.state is not AgentState.READY:
            raise InvalidConnection(f"agent {agent.id!r} is {agent.state.value}; only one who is ready can be invited")
        leg = self._offers.invite(call, agent, asks, Cause.SINGLE_STEP_CONFERENCE)
        self._world.tell(events.Originated, call, Cause.SINGLE_STEP_CONFERENCE, connection=leg, to=agent.id)

    def check_free(self, call: Interaction) -> None:
        """See that nobody is being rung for this call.

        Raises:
            InvalidConnection: somebody is.
        """
        made = self._world.reservations.get(call.consultation) if call.consultation is not None else None
        if made is not None:
            raise InvalidConnection(f"agent {made.agent!r} is being rung for call {call.id}; wait until that is over")

    def settle(self, call: Interaction) -> None:
        """If whoever is invited has answered and waits: they join, unless there is nothing to join any more."""
        made = self._world.reservations.get(call.consultation) if call.consultation is not None else None
        leg = self._world.connections.get(made.leg) if made is not None else None
        if made is None or leg is None or not self._waits(made, leg) or call.pairing:
            return
        if call.talk not in (TalkState.TALKING, TalkState.CONFERENCE):
            self._offers.cancel(made, Cause.CALL_CANCELLED)
            return
        others = [] if call.talk is TalkState.CONFERENCE else [*(call.wanted_pair or ())]
        call.talk = TALK.next(call.talk, TalkTrigger.JOIN) or call.talk
        self.into_conference(call, [*others, leg.id])
        self._offers.bridged(leg)
        members = {each.id for each in map(self._world.connections.__getitem__, call.connections) if not each.clearing}
        self._world.tell(events.Conferenced, call, Cause.SINGLE_STEP_CONFERENCE, connections=tuple(sorted(members)))

    def _waits(self, made: Reservation, leg: Connection) -> bool:
        invited = made.cause is Cause.SINGLE_STEP_CONFERENCE
        return invited and made.state is ReservationState.ACCEPTED and leg.parked and not leg.clearing

    def into_conference(self, call: Interaction, members: list[ConnectionId]) -> None:
        """Bring these legs into the call's conference: the pair that talks with one command, the others one by one."""
        world, pair = self._world, call.pair
        call.pair = call.wanted_pair = None
        if pair is not None:
            world.emit(intents.JoinConference(call.switch, pair[0], pair[1], call.id))
        for each in members:
            world.connections[each].parked = False
            world.connections[each].move(ConnectionTrigger.RETRIEVE)
            if pair is None or each not in pair:
                world.emit(intents.JoinConference(call.switch, each, None, call.id))
