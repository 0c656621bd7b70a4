"""Joins: an agent comes into a conversation that another has (CSTA: Join Call, Intrude Call)."""

from __future__ import annotations

from cti.engine.invitations import Invitations
from cti.engine.supervision import Supervising
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection
from cti.model import calling, services
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.interaction import Interaction
from cti.model.party import ToAgent
from cti.model.states import AgentState, TalkState
from cti.model.supervision import Mode

_JOINABLE = (TalkState.TALKING, TalkState.CONFERENCE)


class Joins:
    """Brings agents into conversations that they are no party to.

    Whoever is heard comes in as one who is invited does: the conversation becomes a conference. Whoever is silent listens
    in as a supervisor does, to this call, until it ends.

    Args:
        world: what is known.
        invitations: rings those who are to be heard.
        supervising: rings those who are to be silent.
    """

    def __init__(self, world: World, invitations: Invitations, supervising: Supervising) -> None:
        self._world = world
        self._invitations = invitations
        self._supervising = supervising

    def join(self, fact: calling.JoinRequested) -> None:
        """An agent joins the conversation that another has.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is not ready, or, to be silent, anything but not ready.
            InvalidConnection: the other has no call, it is held or being transferred, or somebody is being rung for it.
        """
        joiner, call = self._world.agent(fact.agent), self._conversation(fact.agent, fact.at)
        if fact.silent:
            self._supervising.supervise(services.SupervisionRequested(joiner.id, Mode.MONITOR, interaction=call.id))
            return
        self._ready(joiner, "join")
        self._begin(call, joiner.id, fact.at, Cause.JOIN_CALL)

    def intrude(self, fact: calling.IntrudeRequested) -> None:
        """The same, to be heard, after a warning tone.

        Raises:
            UnknownAgent, InvalidAgentState, InvalidConnection: as ``join``.
        """
        joiner, call = self._world.agent(fact.agent), self._conversation(fact.agent, fact.at)
        self._ready(joiner, "intrude")
        self._begin(call, joiner.id, fact.at, Cause.INTRUDE, fact.warn_s)

    def _begin(
        self, call: Interaction, joiner: AgentId, at: AgentId, cause: Cause, warn_s: float | None = None
    ) -> None:
        asks = self._world.agent(at).connection
        assert asks is not None
        self._invitations.begin(call, asks, ToAgent(joiner), cause, warn_s)

    def _ready(self, joiner: Agent, service: str) -> None:
        if joiner.state is not AgentState.READY:
            said = "logged off" if joiner.state is AgentState.NULL else joiner.state.value
            raise InvalidAgentState(f"agent {joiner.id!r} is {said}; {service!r} is not possible (possible: ready)")

    def _conversation(self, joiner: AgentId, at: AgentId) -> Interaction:
        world = self._world
        if joiner == at:
            raise InvalidConnection(f"agent {at!r} cannot come into their own call")
        agent = world.agent(at)
        call = world.interactions.get(agent.interaction) if agent.interaction is not None else None
        if call is None or agent.connection is None:
            raise InvalidConnection(f"agent {at!r} has no call; there is nothing to come into")
        if not world.is_live(call.switch):
            raise InvalidConnection(f"the link to switch {call.switch} is not live; it has to wait")
        if call.talk not in _JOINABLE or call.state.is_over:
            said = call.state.value if call.state.is_over else call.talk.value
            possible = ", ".join(state.value for state in _JOINABLE)
            raise InvalidConnection(
                f"the call of agent {at!r} is {said}; nobody can come into it (possible: {possible})"
            )
        return call
