"""Call control: calls that are not the agent's yet, to make, to answer, to come into; and to end for all (CSTA's services)."""

from __future__ import annotations

from attrs import frozen

from cti.api.control_methods import asked
from cti.api.converter import Line
from cti.api.refusal import NotPermitted
from cti.api.service import Service
from cti.api.table import NO_TEXT, NOT_AGENTS, Agent
from cti.api.whither import PartyParams
from cti.errors import ConfigurationError, DestinationNotAllowed, InvalidAgentState, PrivilegeViolation
from cti.model.ids import AgentId


@frozen
class MakeCall:
    """Which agent, whom they call, what that one is shown, and how long the agent works after it."""

    agent: AgentId
    to: PartyParams
    calling_number: Line = NO_TEXT
    wrap_up_s: float = 0.0


@frozen
class MakeConnection:
    """Which agent, what whom they call is shown, and how long the agent works after it."""

    agent: AgentId
    calling_number: Line = NO_TEXT
    wrap_up_s: float = 0.0


@frozen
class DialDigits:
    """Which agent, what they dial, and whether more is to come."""

    agent: AgentId
    digits: Line
    more: bool = False


@frozen
class Join:
    """Which agent, whose conversation they come into, and whether nobody hears them."""

    agent: AgentId
    at: AgentId
    silent: bool = False


@frozen
class Intrude:
    """Which agent, whose conversation they come into, and how long after the warning."""

    agent: AgentId
    at: AgentId
    warn_s: float = 1.0


@asked("make_call", MakeCall, InvalidAgentState, DestinationNotAllowed, ConfigurationError)
def make_call(service: Service, params: MakeCall) -> None:
    """Make Call: ring the agent's own phone, then call an agent or a number."""
    agent = service.centre.agent(params.agent)
    agent.make_call(params.to.party(), calling_number=params.calling_number, wrap_up_s=params.wrap_up_s)


@asked("make_connection", MakeConnection, InvalidAgentState, ConfigurationError)
def make_connection(service: Service, params: MakeConnection) -> None:
    """Make Connection: ring the agent's own phone; whom they call is said by agent.dial_digits."""
    agent = service.centre.agent(params.agent)
    agent.make_connection(calling_number=params.calling_number, wrap_up_s=params.wrap_up_s)


@asked("dial_digits", DialDigits, DestinationNotAllowed, ConfigurationError)
def dial_digits(service: Service, params: DialDigits) -> None:
    """Dial Digits: dial into the connection that agent.make_connection has made, at once or stage by stage."""
    service.centre.agent(params.agent).dial_digits(params.digits, more=params.more)


@asked("answer", Agent)
def answer(service: Service, params: Agent) -> None:
    """Answer Call: ask the agent's phone, which rings, to answer by itself."""
    service.centre.agent(params.agent).answer()


@asked("clear_call", Agent)
def clear_call(service: Service, params: Agent) -> None:
    """Clear Call: end the call that the agent is in charge of, for everybody who is on it."""
    service.centre.agent(params.agent).clear_call()


@asked("join", Join, InvalidAgentState, PrivilegeViolation, roles=NOT_AGENTS)
def join(service: Service, params: Join) -> None:
    """Join Call: come into the conversation that another agent has, heard by all or silent."""
    _covered(service, params.at)
    service.centre.agent(params.agent).join(params.at, silent=params.silent)


@asked("intrude", Intrude, InvalidAgentState, PrivilegeViolation, ConfigurationError, roles=NOT_AGENTS)
def intrude(service: Service, params: Intrude) -> None:
    """Intrude Call: come into the conversation that another agent has, after a warning tone."""
    _covered(service, params.at)
    service.centre.agent(params.agent).intrude(params.at, warn_s=params.warn_s)


def _covered(service: Service, at: AgentId) -> None:
    if not service.grant.covers_agent(at):
        raise NotPermitted(f"this key does not cover agent {at!r}", "params.at")
