"""What agents ask of each other besides calls: call backs, requests to be called, messages (CSTA's services)."""

from __future__ import annotations

from attrs import frozen

from cti.api.control_methods import asked
from cti.api.method import Subject
from cti.api.service import Service
from cti.api.table import Agent, method
from cti.errors import ConfigurationError, InvalidAgentState, ResourceBusy, UnknownAgent
from cti.model.call_back import WaitingCallBack, WaitingMessage
from cti.model.ids import AgentId


@frozen
class Other:
    """Which agent, and which other one."""

    agent: AgentId
    to: AgentId


@frozen
class SeenTo:
    """Which agent, and who asked them to call."""

    agent: AgentId
    by: AgentId


@frozen
class CallBackParams:
    """Which agent, with whom they want to talk, and for how long they wait for it."""

    agent: AgentId
    to: AgentId
    expires_s: float = 3600.0


@frozen
class CallBackMessageParams:
    """Which agent, whom they ask to call, and what they say."""

    agent: AgentId
    to: AgentId
    text: str = ""


@frozen
class MessageParams:
    """Which agent, to whom they write, what, and whether that one's phone is to show it."""

    agent: AgentId
    to: AgentId
    text: str
    phone: bool = False


@frozen
class CallBackList:
    """The call backs that an agent waits for."""

    call_backs: tuple[WaitingCallBack, ...]


@frozen
class MessageList:
    """Who has asked an agent to call."""

    messages: tuple[WaitingMessage, ...]


@asked("call_back", CallBackParams, InvalidAgentState, ResourceBusy, ConfigurationError)
def call_back(service: Service, params: CallBackParams) -> None:
    """Call Back: talk with an agent who is busy, or does not answer, as soon as both are ready."""
    service.centre.agent(params.agent).call_back(params.to, expires_s=params.expires_s)


@asked("cancel_call_back", Other)
def cancel_call_back(service: Service, params: Other) -> None:
    """Wait for an agent no more."""
    service.centre.agent(params.agent).cancel_call_back(params.to)


@method("agent.call_backs", Agent, CallBackList, UnknownAgent, subject=Subject.AGENT)
def call_backs(service: Service, params: Agent) -> CallBackList:
    """The call backs that an agent waits for, the first asked for first."""
    return CallBackList(service.centre.agent(params.agent).call_backs())


@asked("call_back_message", CallBackMessageParams, ResourceBusy, ConfigurationError)
def call_back_message(service: Service, params: CallBackMessageParams) -> None:
    """Call Back Message: ask an agent, whatever they do, to call this one."""
    service.centre.agent(params.agent).call_back_message(params.to, params.text)


@asked("cancel_call_back_message", Other)
def cancel_call_back_message(service: Service, params: Other) -> None:
    """Take back what was asked of an agent by agent.call_back_message."""
    service.centre.agent(params.agent).cancel_call_back_message(params.to)


@asked("seen_to", SeenTo)
def seen_to(service: Service, params: SeenTo) -> None:
    """Another agent's request to be called is seen to, without a call."""
    service.centre.agent(params.agent).seen_to(params.by)


@method("agent.call_back_messages", Agent, MessageList, UnknownAgent, subject=Subject.AGENT)
def call_back_messages(service: Service, params: Agent) -> MessageList:
    """Who has asked an agent to call, the first first."""
    return MessageList(service.centre.agent(params.agent).call_back_messages())


@asked("send_message", MessageParams, InvalidAgentState, ConfigurationError)
def send_message(service: Service, params: MessageParams) -> None:
    """Send Message: a text to an agent who is logged on, and to their phone during a call."""
    service.centre.agent(params.agent).send_message(params.to, params.text, phone=params.phone)
