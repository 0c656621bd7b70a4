"""Call control: what an agent does with the call they have, and calls they make (CSTA's services)."""

from __future__ import annotations

from attrs import frozen

from cti.api.converter import Line
from cti.api.method import Subject
from cti.api.service import Service
from cti.api.table import NO_TEXT, NOT_AGENTS, Agent, method
from cti.api.values import Parked
from cti.api.whither import PartyParams, WhitherParams
from cti.errors import (
    ConfigurationError,
    DestinationNotAllowed,
    InvalidAgentState,
    InvalidConnection,
    ResourceBusy,
    UnknownAgent,
    UnknownQueue,
)
from cti.model.ids import AgentId
from cti.model.party import ToAgent


@frozen
class Consult:
    """Which agent, whom they want to talk with, and how long they wait for one who is busy."""

    agent: AgentId
    to: PartyParams
    wait_s: float = 0.0


@frozen
class Invite:
    """Which agent, and whom they ask to join."""

    agent: AgentId
    to: AgentId


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
    """Which agent, and at whose phone the call rings; None for any call of a queue that they serve."""

    agent: AgentId
    at: AgentId | None = None


@frozen
class MakeCall:
    """Which agent, whom they call, what that one is shown, and how long the agent works after it."""

    agent: AgentId
    to: PartyParams
    calling_number: Line = NO_TEXT
    wrap_up_s: float = 0.0


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


@method(
    "agent.make_call",
    MakeCall,
    None,
    UnknownAgent,
    InvalidAgentState,
    InvalidConnection,
    DestinationNotAllowed,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def make_call(service: Service, params: MakeCall) -> None:
    """Make Call: ring the agent's own phone, then call an agent or a number."""
    agent = service.centre.agent(params.agent)
    agent.make_call(params.to.party(), calling_number=params.calling_number, wrap_up_s=params.wrap_up_s)


@method("agent.hold", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def hold(service: Service, params: Agent) -> None:
    """Hold Call: the caller hears the queue's music; harmless when held."""
    service.centre.agent(params.agent).hold()


@method("agent.retrieve", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def retrieve(service: Service, params: Agent) -> None:
    """Retrieve Call: talk with the held caller again."""
    service.centre.agent(params.agent).retrieve()


@method(
    "agent.consult",
    Consult,
    None,
    UnknownAgent,
    InvalidConnection,
    DestinationNotAllowed,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def consult(service: Service, params: Consult) -> None:
    """Consultation Call: hold the caller, and call an agent or a number."""
    service.centre.agent(params.agent).consult(params.to.party(), wait_s=params.wait_s)


@method("agent.alternate", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def alternate(service: Service, params: Agent) -> None:
    """Alternate Call: change between the caller and whom is consulted."""
    service.centre.agent(params.agent).alternate()


@method("agent.reconnect", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def reconnect(service: Service, params: Agent) -> None:
    """Reconnect Call: end the consultation, answered or not, and talk with the caller again."""
    service.centre.agent(params.agent).reconnect()


@method("agent.transfer", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def transfer(service: Service, params: Agent) -> None:
    """Transfer Call: whom is consulted takes the caller over, and this agent leaves."""
    service.centre.agent(params.agent).transfer()


@method("agent.conference", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def conference(service: Service, params: Agent) -> None:
    """Conference Call: the caller, this agent and whom is consulted hear each other."""
    service.centre.agent(params.agent).conference()


@method("agent.invite", Invite, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def invite(service: Service, params: Invite) -> None:
    """Single Step Conference: ring one more agent, who joins the conversation on answering."""
    service.centre.agent(params.agent).invite(ToAgent(params.to))


@method(
    "agent.park",
    Park,
    Parked,
    UnknownAgent,
    InvalidConnection,
    ResourceBusy,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def park(service: Service, params: Park) -> Parked:
    """Park Call: let the caller wait at a place that everybody knows, and leave."""
    return Parked(service.centre.agent(params.agent).park(params.place, recall_s=params.recall_s))


@method(
    "agent.unpark",
    Unpark,
    None,
    UnknownAgent,
    InvalidAgentState,
    InvalidConnection,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def unpark(service: Service, params: Unpark) -> None:
    """Take up a parked call: it is offered to this agent, and for a minute to nobody else."""
    service.centre.agent(params.agent).unpark(params.place)


@method(
    "agent.pick_up",
    PickUp,
    None,
    UnknownAgent,
    InvalidAgentState,
    InvalidConnection,
    subject=Subject.AGENT,
    changes=True,
)
def pick_up(service: Service, params: PickUp) -> None:
    """Directed or Group Pickup Call: take a call that rings at another agent, or in a queue that this one serves."""
    service.centre.agent(params.agent).pick_up(params.at)


@method(
    "agent.deflect",
    SendTo,
    None,
    UnknownAgent,
    UnknownQueue,
    InvalidAgentState,
    InvalidConnection,
    DestinationNotAllowed,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def deflect(service: Service, params: SendTo) -> None:
    """Deflect Call: send the call that rings at this agent's phone elsewhere; the agent stays ready."""
    service.centre.agent(params.agent).deflect(params.to.whither())


@method(
    "agent.transfer_to",
    SendTo,
    None,
    UnknownAgent,
    UnknownQueue,
    InvalidConnection,
    DestinationNotAllowed,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def transfer_to(service: Service, params: SendTo) -> None:
    """Single Step Transfer: send the caller on and leave."""
    service.centre.agent(params.agent).transfer_to(params.to.whither())


@method("agent.hang_up", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def hang_up(service: Service, params: Agent) -> None:
    """Clear Connection: the agent leaves; with a caller alone that ends the call, a held one goes back to the queue."""
    service.centre.agent(params.agent).hang_up()


@method(
    "agent.send_digits",
    Digits,
    None,
    UnknownAgent,
    InvalidConnection,
    ConfigurationError,
    subject=Subject.AGENT,
    changes=True,
)
def send_digits(service: Service, params: Digits) -> None:
    """Generate Digits: whoever the agent talks with hears keys being pressed."""
    service.centre.agent(params.agent).send_digits(params.digits)


@method("agent.assistance", Note, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def assistance(service: Service, params: Note) -> None:
    """Ask for help with the call in hand; told to whoever supervises its queue."""
    service.centre.agent(params.agent).assistance(params.note)


@method("agent.start_recording", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def start_recording(service: Service, params: Agent) -> None:
    """Record the call in hand from now on; harmless when it is recorded."""
    service.centre.agent(params.agent).start_recording()


@method(
    "agent.stop_recording",
    Agent,
    None,
    UnknownAgent,
    InvalidConnection,
    roles=NOT_AGENTS,
    subject=Subject.AGENT,
    changes=True,
)
def stop_recording(service: Service, params: Agent) -> None:
    """Record no more of the call in hand."""
    service.centre.agent(params.agent).stop_recording()


@method("agent.pause_recording", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def pause_recording(service: Service, params: Agent) -> None:
    """Have silence in the recording from now on, while a card number is read out, say."""
    service.centre.agent(params.agent).pause_recording()


@method("agent.resume_recording", Agent, None, UnknownAgent, InvalidConnection, subject=Subject.AGENT, changes=True)
def resume_recording(service: Service, params: Agent) -> None:
    """Have what is said in the recording again."""
    service.centre.agent(params.agent).resume_recording()
