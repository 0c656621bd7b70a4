"""Supervision: listening to agents and calls, speaking to them, taking over, sending elsewhere, changing agents' states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from cti.api.method import Subject
from cti.api.refusal import NotPermitted
from cti.api.service import Service
from cti.api.table import NOT_AGENTS, Agent, F, method
from cti.api.whither import WhitherParams
from cti.errors import (
    ConfigurationError,
    CtiError,
    DestinationNotAllowed,
    InvalidAgentState,
    InvalidConnection,
    PrivilegeViolation,
    UnknownAgent,
    UnknownInteraction,
    UnknownQueue,
)
from cti.model.ids import AgentId, InteractionId


def _asked(name: str, params: type[Any], *errors: type[CtiError]) -> Callable[[F], F]:
    """Add a service that a supervisor asks for, who is ``agent``: the key must cover them, and whom it is about."""
    every = (UnknownAgent, InvalidAgentState, PrivilegeViolation, *errors)
    return method(f"supervisor.{name}", params, None, *every, roles=NOT_AGENTS, subject=Subject.AGENT, changes=True)


@frozen
class Listening:
    """Which supervisor, and whom they hear from now on: an agent, or a call; neither for whom they hear already."""

    agent: AgentId
    watched: AgentId | None = None
    call: InteractionId | None = None


@frozen
class OfCall:
    """Which supervisor, and which call."""

    agent: AgentId
    call: InteractionId


@frozen
class Push:
    """Which supervisor, which call, and where it goes."""

    agent: AgentId
    call: InteractionId
    to: WhitherParams


@frozen
class OfAgent:
    """Which supervisor, and whose state they change."""

    agent: AgentId
    watched: AgentId


@_asked("monitor", Listening, UnknownInteraction, InvalidConnection)
def monitor(service: Service, params: Listening) -> None:
    """Listen to an agent, from call to call, or to a call, from agent to agent; nobody hears the supervisor."""
    _covered(service, params.watched, params.call)
    service.centre.supervisor(params.agent).monitor(params.watched, params.call)


@_asked("whisper", Listening, UnknownInteraction, InvalidConnection)
def whisper(service: Service, params: Listening) -> None:
    """As supervisor.monitor, and the agent hears the supervisor; the caller does not."""
    _covered(service, params.watched, params.call)
    service.centre.supervisor(params.agent).whisper(params.watched, params.call)


@_asked("barge", Listening, UnknownInteraction, InvalidConnection)
def barge(service: Service, params: Listening) -> None:
    """As supervisor.monitor, and both hear the supervisor."""
    _covered(service, params.watched, params.call)
    service.centre.supervisor(params.agent).barge(params.watched, params.call)


@_asked("end", Agent, InvalidConnection)
def end(service: Service, params: Agent) -> None:
    """Leave the line."""
    service.centre.supervisor(params.agent).end()


@_asked("take_over", Agent, InvalidConnection)
def take_over(service: Service, params: Agent) -> None:
    """Take the agent's place in the call that is heard; the agent leaves it."""
    service.centre.supervisor(params.agent).take_over()


@_asked("pull", OfCall, UnknownInteraction, InvalidConnection)
def pull(service: Service, params: OfCall) -> None:
    """Take a call that waits: the supervisor's phone rings, and it keeps its place until they answer."""
    _covered(service, None, params.call)
    service.centre.supervisor(params.agent).pull(params.call)


@_asked("push", Push, UnknownInteraction, UnknownQueue, InvalidConnection, DestinationNotAllowed, ConfigurationError)
def push(service: Service, params: Push) -> None:
    """Send a call that waits, or is with an agent, elsewhere."""
    _covered(service, None, params.call)
    service.centre.supervisor(params.agent).push(params.call, params.to.whither())


@_asked("force_log_off", OfAgent)
def force_log_off(service: Service, params: OfAgent) -> None:
    """Log an agent off, reason SUPERVISOR; at once, or after the call in hand."""
    _covered(service, params.watched, None)
    service.centre.supervisor(params.agent).force_log_off(params.watched)


@_asked("force_ready", OfAgent)
def force_ready(service: Service, params: OfAgent) -> None:
    """Make an agent ready; at once, or after the call in hand."""
    _covered(service, params.watched, None)
    service.centre.supervisor(params.agent).force_ready(params.watched)


@_asked("force_not_ready", OfAgent)
def force_not_ready(service: Service, params: OfAgent) -> None:
    """Make an agent not ready, reason SUPERVISOR; at once, or after the call in hand."""
    _covered(service, params.watched, None)
    service.centre.supervisor(params.agent).force_not_ready(params.watched)


def _covered(service: Service, watched: AgentId | None, call: InteractionId | None) -> None:
    if watched is not None and not service.grant.covers_agent(watched):
        raise NotPermitted(f"this key does not cover agent {watched!r}", "params.watched")
    if call is not None and not service.calls.covered_by(service.grant, call):
        raise NotPermitted(f"this key does not cover call {call!r}", "params.call")
