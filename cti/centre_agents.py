"""The agents of a centre: added, by the operator or on somebody else's request, removed, and their controls."""

from __future__ import annotations

from typing import Any

from cti.agent_control import AgentControl
from cti.centre_settings import settings_of
from cti.engine_loop import EngineLoop
from cti.errors import UnknownAgent
from cti.model import facts
from cti.model.agent import AgentSettings
from cti.model.contact import AllowedContacts
from cti.model.ids import AgentId
from cti.privileges import SupervisionPolicy
from cti.supervisor_control import SupervisorControl


class CentreAgents:
    """The part of CallCenter that has to do with its agents; see there."""

    _loop: EngineLoop
    _policy: SupervisionPolicy
    _contacts: AllowedContacts

    def add_agent(self, agent: str, contact: str, **settings: Any) -> AgentControl:
        """Add an agent, or change one's settings; a call in hand goes on.

        This is the operator's word: any contact will do. For what comes from somebody else there is
        ``add_agent_on_request``.

        Args:
            agent: the agent's id.
            contact: the dial string of the phone, such as ``user/1001``.
            settings: the fields of AgentSettings: skills, wrap_up_s, no_answers_allowed, ...

        Raises:
            ConfigurationError: a setting is unknown or cannot be used; the message names it.
        """
        made = settings_of(AgentSettings, id=AgentId(agent), contact=contact, **settings)
        self._loop.ask(facts.AgentDefined(made))
        return AgentControl(made.id, self._loop, self._policy)

    def add_agent_on_request(self, agent: str, contact: str, **settings: Any) -> AgentControl:
        """As ``add_agent``, for somebody who is not the operator: a client of the API, a form of your own.

        ``contact`` and ``mobile`` must be a registered user's phone, or let through by ``allowed_contacts``, or be what
        the agent has already.

        Raises:
            ContactNotAllowed: one is not; the message names it.
            ConfigurationError: as ``add_agent``.
        """
        made = settings_of(AgentSettings, id=AgentId(agent), contact=contact, **settings)
        known = self._loop.engine.world.agents.get(made.id)
        self._contacts.check(made, known.settings if known is not None else None)
        self._loop.ask(facts.AgentDefined(made))
        return AgentControl(made.id, self._loop, self._policy)

    def remove_agent(self, agent: str) -> None:
        """Log an agent off and forget them.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is on a call; log off first.
        """
        self._loop.ask(facts.AgentRemoved(AgentId(agent)))

    def agent(self, agent: str) -> AgentControl:
        """The control of one agent.

        Raises:
            UnknownAgent: there is none of this id; the message names the nearest.
        """
        known = self._loop.engine.world.agents
        if AgentId(agent) not in known:
            raise UnknownAgent(agent, known)
        return AgentControl(AgentId(agent), self._loop, self._policy)

    def supervisor(self, agent: str) -> SupervisorControl:
        """The control of an agent who supervises others: listens to them, speaks to them, takes calls over.

        Raises:
            UnknownAgent: there is none of this id; the message names the nearest.
        """
        return SupervisorControl(self._loop.engine.world.agent(AgentId(agent)).id, self._loop, self._policy)
