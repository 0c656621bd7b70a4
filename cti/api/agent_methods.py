"""Methods about agents: their sessions, what they are, and why they have no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.service import Service
from cti.api.table import ADMINISTRATOR, NO_TEXT, NOT_AGENTS, Agent, Nothing, method
from cti.api.values import AgentExplanation, AgentList, AgentRecord, agent_record, reason_record
from cti.errors import ConfigurationError, ContactNotAllowed, InvalidAgentState, ResourceBusy, UnknownAgent
from cti.model.ids import AgentId


@frozen
class LogOn:
    """Which agent, and whether they want calls at once."""

    agent: AgentId
    ready: bool = False


@frozen
class AgentReason:
    """Which agent, and why: a reason code of the centre's own, or empty."""

    agent: AgentId
    reason: Line = NO_TEXT


@frozen
class AgentParams:
    """An agent as they shall be; what is left out is as the library has it."""

    agent: AgentId
    contact: Line
    skills: Mapping[str, int] | None = None
    wrap_up_s: float | None = None
    after_wrap_up: Line | None = None
    no_answers_allowed: int | None = None
    no_answer_delay_s: float | None = None
    reject_delay_s: float | None = None
    busy_delay_s: float | None = None
    phone_down_delay_s: float | None = None
    pickup_groups: tuple[Line, ...] | None = None
    after_phone_up: Line | None = None
    own_calls: Line | None = None
    mobile: Line | None = None
    mobile_after_s: float | None = None
    mobile_key: Line | None = None
    standing: bool | None = None
    standing_rings: bool | None = None
    standing_tone: bool | None = None
    standing_music: Line | None = None


@method("agent.log_on", LogOn, None, UnknownAgent, InvalidAgentState, ResourceBusy, subject=Subject.AGENT, changes=True)
def log_on(service: Service, params: LogOn) -> None:
    """Begin an agent's session, not ready unless ``ready``."""
    service.centre.agent(params.agent).log_on(ready=params.ready)


@method("agent.log_off", AgentReason, None, UnknownAgent, subject=Subject.AGENT, changes=True)
def log_off(service: Service, params: AgentReason) -> None:
    """End an agent's session, at once or after the call in hand; harmless when logged off."""
    service.centre.agent(params.agent).log_off(params.reason)


@method("agent.ready", Agent, None, UnknownAgent, InvalidAgentState, subject=Subject.AGENT, changes=True)
def ready(service: Service, params: Agent) -> None:
    """Ask for calls, at once or after the call in hand; during wrap-up this ends it."""
    service.centre.agent(params.agent).ready()


@method("agent.not_ready", AgentReason, None, UnknownAgent, InvalidAgentState, subject=Subject.AGENT, changes=True)
def not_ready(service: Service, params: AgentReason) -> None:
    """Ask for no calls, at once (an offer under way is withdrawn) or after the call in hand."""
    service.centre.agent(params.agent).not_ready(params.reason)


@method("agent.get", Agent, AgentRecord, UnknownAgent, subject=Subject.AGENT)
def get_agent(service: Service, params: Agent) -> AgentRecord:
    """The agent as they are now."""
    return agent_record(service.centre.agent(params.agent).view)


@method("agent.add", AgentParams, None, ConfigurationError, ContactNotAllowed, roles=ADMINISTRATOR, changes=True)
def add_agent(service: Service, params: AgentParams) -> None:
    """Add an agent, or change one's settings; a call in hand goes on."""
    service.centre.add_agent_on_request(params.agent, params.contact, **_given(params, "agent", "contact"))


@method("agent.remove", Agent, None, UnknownAgent, InvalidAgentState, roles=ADMINISTRATOR, changes=True)
def remove_agent(service: Service, params: Agent) -> None:
    """Log an agent off and forget them."""
    service.centre.remove_agent(params.agent)


@method(
    "agent.explain", Agent, AgentExplanation, UnknownAgent, roles=NOT_AGENTS, subject=Subject.AGENT, slow=True, cost=20
)
def explain_agent(service: Service, params: Agent) -> AgentExplanation:
    """Why an agent has no call: each waiting call that the key covers, in the order in which they are due."""
    said = service.centre.explain_agent(params.agent)
    shown = tuple(reason_record(one) for one in said.calls if service.calls.covered_by(service.grant, one.call))
    return AgentExplanation(said.agent, said.state.value, said.summary, shown)


@method("agent.list", Nothing, AgentList)
def list_agents(service: Service, params: Nothing) -> AgentList:  # noqa: ARG001 - the form of every method
    """The ids of all agents that the key covers."""
    covers = service.grant.covers_agent
    return AgentList(tuple(agent for agent in service.centre.agent_ids() if covers(agent)))


def _given(params: Any, *but: str) -> dict[str, Any]:
    """The settings that were given, by name."""
    values = ((field.name, getattr(params, field.name)) for field in params.__attrs_attrs__)
    return {name: value for name, value in values if value is not None and name not in but}
