"""Answering: an agent's phone that rings is asked to answer by itself (CSTA: Answer Call)."""

from __future__ import annotations

from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import calling, intents
from cti.model.agent import Agent
from cti.model.connection import Connection
from cti.model.states import ConnectionState


class Answering:
    """Asks agents' phones to answer.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, fact: calling.AnswerRequested) -> None:
        """Ask the agent's phone, which rings, to answer by itself.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the phone does not ring, or the link to its switch is not live.
        """
        agent = self._world.agent(fact.agent)
        leg = self._ringing(agent)
        if leg is None:
            raise InvalidConnection(
                f"the phone of agent {agent.id!r}, who is {agent.state.value}, does not ring; 'answer' is not possible "
                "(possible: as soon as it rings)"
            )
        if leg.via is not None:
            raise InvalidConnection(
                f"the phone of agent {agent.id!r} is at switch {leg.via}, and the call comes from {leg.switch}; only a call "
                "on the phone's own switch can be answered for it"
            )
        if not self._world.is_live(leg.switch):
            raise InvalidConnection(f"the link to switch {leg.switch} is not live; 'answer' has to wait")
        self._world.emit(intents.AnswerPhone(leg.switch, leg.id))

    def _ringing(self, agent: Agent) -> Connection | None:
        made = self._world.reservations.get(agent.reservation) if agent.reservation is not None else None
        connection = made.leg if made is not None else agent.connection
        leg = self._world.connections.get(connection) if connection is not None else None
        rings = leg is not None and leg.state is ConnectionState.ALERTING and not leg.clearing
        return leg if rings else None
