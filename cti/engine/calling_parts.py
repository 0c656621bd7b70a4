"""The parts of the engine for calls that are not the agent's yet, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.engine.agents_call_backs import CALL_BACK, AgentsCallBacks
from cti.engine.answering import Answering
from cti.engine.calls import Calls
from cti.engine.dialling import DIAL, Dialling
from cti.engine.exits import Exits
from cti.engine.invitations import WARN, Invitations
from cti.engine.joins import Joins
from cti.engine.line import Line
from cti.engine.made_calls import MadeCalls
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.predictive import PredictiveCalls
from cti.engine.supervision import Supervising
from cti.engine.world import World
from cti.model import calling, facts
from cti.model.agent import Agent
from cti.model.connection import Connection
from cti.model.ids import InteractionId
from cti.model.predictive import ALONE, PredictiveCallRequested
from cti.model.states import AgentState


class CallingParts:
    """Puts the parts together.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        line: moves calls into queues and out of them.
        matching: looks for agents.
        exits: ends calls.
        calls: follows calls and their legs.
        made: makes agents' calls.
        invitations: rings those who are to join.
        supervising: rings those who are to be silent.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        offers: Offers,
        line: Line,
        matching: Matching,
        exits: Exits,
        calls: Calls,
        made: MadeCalls,
        invitations: Invitations,
        supervising: Supervising,
    ) -> None:
        self._world = world
        self._call_backs = AgentsCallBacks(world, made, offers)
        self._predictive = PredictiveCalls(world, line, matching, exits)
        self._dialling = Dialling(world, made, exits)
        joins = Joins(world, invitations, supervising)
        self.table: dict[type, Callable[[Any], None]] = {
            calling.MakeConnectionRequested: self._dialling.connect,
            calling.DialDigitsRequested: self._dialling.dial,
            calling.AnswerRequested: Answering(world).answer,
            calling.ClearCallRequested: calls.clear_of,
            calling.JoinRequested: joins.join,
            calling.IntrudeRequested: joins.intrude,
            PredictiveCallRequested: self._predictive.make,
            **self._call_backs.table,
        }
        self.timers: dict[str, Callable[[facts.TimerFired], None]] = {
            CALL_BACK: lambda fact: self._call_backs.expired(fact.key),
            ALONE: lambda fact: self._predictive.alone(InteractionId(fact.key)),
            DIAL: lambda fact: self._dialling.no_more(InteractionId(fact.key)),
            WARN: lambda fact: invitations.warned(InteractionId(fact.key)),
        }
        self.became_ready, self.talked = self._call_backs.became_ready, self._call_backs.talked

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody: it may be of an agent who is to dial, or of a customer who was called."""
        self._dialling.parked(leg)
        self._predictive.parked(leg)

    def agent_left(self, agent: Agent) -> None:
        """An agent is not ready, has logged off, or is removed."""
        removed = agent.id not in self._world.agents
        if removed or agent.state is AgentState.NULL:
            self._call_backs.left(agent.id, removed=removed)
