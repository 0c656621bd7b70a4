"""Call control: what an agent does with the call they have (CSTA's services)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from cti.api.converter import Line
from cti.api.grant import Role
from cti.api.method import EVERY_ROLE, Subject
from cti.api.service import Service
from cti.api.table import NO_TEXT, NOT_AGENTS, Agent, F, method
from cti.api.values import Parked
from cti.api.whither import PartyParams, WhitherParams
from cti.errors import (
    ConfigurationError,
    CtiError,
    DestinationNotAllowed,
    InvalidAgentState,
    InvalidConnection,
    ResourceBusy,
    UnknownAgent,
    UnknownQueue,
)
from cti.model.ids import AgentId


def asked(
    name: str,
    params: type[Any],
    *errors: type[CtiError],
    result: type[Any] | None = None,
    roles: frozenset[Role] = EVERY_ROLE,
) -> Callable[[F], F]:
    """Add a service that an agent asks for: the key must cover the agent, and it may fail as all of these may."""
    every: tuple[type[CtiError], ...] = (UnknownAgent, *errors, InvalidConnection)
    return method(f"agent.{name}", params, result, *every, roles=roles, subject=Subject.AGENT, changes=True)


@frozen
class Consult:
    """Which agent, whom they want to talk with, and how long they wait for one who is busy."""

    agent: AgentId
    to: PartyParams
    wait_s: float = 0.0


@frozen
class Invite:
    """Which agent, and whom they ask to join: another agent, or a number; one of the two."""

    agent: AgentId
    to: AgentId | None = None
    number: Line | None = None


@frozen
class Park:
    """Which agent, the place where the caller waits (empty: one that is free), and for how long."""

    agent: AgentId
    place: Line = NO_TEXT
    recall_s: float = 120.0


@frozen
class Unpark:
    """Which agent, and the place where the caller waits whom they take up."""

    agent: AgentId
    place: Line


@frozen
class PickUp:
    """Which agent, and at whose phone the call rings; None for any colleague of a pickup group (``group``, or any)."""

    agent: AgentId
    at: AgentId | None = None
    group: Line = NO_TEXT


@frozen
class SendTo:
    """Which agent, and where their caller goes."""

    agent: AgentId
    to: WhitherParams


@frozen
class Digits:
    """Which agent, and which keys are heard."""

    agent: AgentId
    digits: Line


@frozen
class Note:
    """Which agent, and what they say of it."""

    agent: AgentId
    note: Line = NO_TEXT


@asked("hold", Agent)
def hold(service: Service, params: Agent) -> None:
    """Hold Call: the caller hears the queue's music; harmless when held."""
    service.centre.agent(params.agent).hold()


@asked("retrieve", Agent)
def retrieve(service: Service, params: Agent) -> None:
    """Retrieve Call: talk with the held caller again."""
    service.centre.agent(params.agent).retrieve()


@asked("consult", Consult, DestinationNotAllowed, ConfigurationError)
def consult(service: Service, params: Consult) -> None:
    """Consultation Call: hold the caller, and call an agent or a number."""
    service.centre.agent(params.agent).consult(params.to.party(), wait_s=params.wait_s)


@asked("alternate", Agent)
def alternate(service: Service, params: Agent) -> None:
    """Alternate Call: change between the caller and whom is consulted."""
    service.centre.agent(params.agent).alternate()


@asked("reconnect", Agent)
def reconnect(service: Service, params: Agent) -> None:
    """Reconnect Call: end the consultation, answered or not, and talk with the caller again."""
    service.centre.agent(params.agent).reconnect()


@asked("transfer", Agent)
def transfer(service: Service, params: Agent) -> None:
    """Transfer Call: whom is consulted takes the caller over, and this agent leaves."""
    service.centre.agent(params.agent).transfer()


@asked("conference", Agent)
def conference(service: Service, params: Agent) -> None:
    """Conference Call: the caller, this agent and whom is consulted hear each other."""
    service.centre.agent(params.agent).conference()


@asked("invite", Invite, DestinationNotAllowed, ConfigurationError)
def invite(service: Service, params: Invite) -> None:
    """Single Step Conference: ring one more agent, or a number, who joins the conversation on answering."""
    service.centre.agent(params.agent).invite(PartyParams(params.to, params.number).party())


@asked("park", Park, ResourceBusy, ConfigurationError, result=Parked)
def park(service: Service, params: Park) -> Parked:
    """Park Call: let the caller wait at a place that everybody knows, and leave."""
    return Parked(service.centre.agent(params.agent).park(params.place, recall_s=params.recall_s))


@asked("unpark", Unpark, InvalidAgentState, ConfigurationError)
def unpark(service: Service, params: Unpark) -> None:
    """Take up a parked call: it is offered to this agent, and for a minute to nobody else."""
    service.centre.agent(params.agent).unpark(params.place)


@asked("pick_up", PickUp, InvalidAgentState)
def pick_up(service: Service, params: PickUp) -> None:
    """Directed or Group Pickup Call: take a call that rings at another agent, or in a queue that this one serves."""
    service.centre.agent(params.agent).pick_up(params.at, group=params.group)


@asked("deflect", SendTo, UnknownQueue, InvalidAgentState, DestinationNotAllowed, ConfigurationError)
def deflect(service: Service, params: SendTo) -> None:
    """Deflect Call: send the call that rings at this agent's phone elsewhere; the agent stays ready."""
    service.centre.agent(params.agent).deflect(params.to.whither())


@asked("transfer_to", SendTo, UnknownQueue, DestinationNotAllowed, ConfigurationError)
def transfer_to(service: Service, params: SendTo) -> None:
    """Single Step Transfer: send the caller on and leave."""
    service.centre.agent(params.agent).transfer_to(params.to.whither())


@asked("hang_up", Agent)
def hang_up(service: Service, params: Agent) -> None:
    """Clear Connection: the agent leaves; with a caller alone that ends the call, a held one goes back to the queue."""
    service.centre.agent(params.agent).hang_up()


@asked("send_digits", Digits, ConfigurationError)
def send_digits(service: Service, params: Digits) -> None:
    """Generate Digits: whoever the agent talks with hears keys being pressed."""
    service.centre.agent(params.agent).send_digits(params.digits)


@asked("assistance", Note)
def assistance(service: Service, params: Note) -> None:
    """Ask for help with the call in hand; told to whoever supervises its queue."""
    service.centre.agent(params.agent).assistance(params.note)


@asked("start_recording", Agent)
def start_recording(service: Service, params: Agent) -> None:
    """Record the call in hand from now on; harmless when it is recorded."""
    service.centre.agent(params.agent).start_recording()


@asked("stop_recording", Agent, roles=NOT_AGENTS)
def stop_recording(service: Service, params: Agent) -> None:
    """Record no more of the call in hand."""
    service.centre.agent(params.agent).stop_recording()


@asked("pause_recording", Agent)
def pause_recording(service: Service, params: Agent) -> None:
    """Have silence in the recording from now on, while a card number is read out, say."""
    service.centre.agent(params.agent).pause_recording()


@asked("resume_recording", Agent)
def resume_recording(service: Service, params: Agent) -> None:
    """Have what is said in the recording again."""
    service.centre.agent(params.agent).resume_recording()
