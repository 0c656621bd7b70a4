"""Call-control services as facts: what an agent, or somebody on their behalf, asks for. CSTA's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, Factory, field, frozen

from cti.errors import ConfigurationError
from cti.model.call_back import CallBackService
from cti.model.calling import CallingService, calling
from cti.model.ids import AgentId, InteractionId, QueueId, SwitchId
from cti.model.interaction import InteractionKind
from cti.model.message import Message
from cti.model.overflow import Overflow
from cti.model.parked_call import place
from cti.model.party import Destination, Party, ToAgent
from cti.model.personal import Personal
from cti.model.predictive import PredictiveCallRequested
from cti.model.recording import RecordingAction, RecordingSettings
from cti.model.supervision import Mode
from cti.model.validate import seconds, whole


@frozen
class HoldRequested:
    """Hold Call: the caller hears music, the agent nothing."""

    agent: AgentId


@frozen
class RetrieveRequested:
    """Retrieve Call: the held caller and the agent talk again."""

    agent: AgentId


@frozen
class ConsultationRequested:
    """Consultation Call: the caller is held, and somebody else is called.

    For an agent who has a call, or works after one, it waits for up to ``wait_s`` (Camp On Call).
    """

    agent: AgentId
    to: Party
    wait_s: float = field(default=0.0, validator=seconds)


@frozen
class AlternateRequested:
    """Alternate Call: the one who is held and the one who talks change places."""

    agent: AgentId


@frozen
class ReconnectRequested:
    """Reconnect Call: the consultation ends, and the caller is talked with again."""

    agent: AgentId


@frozen
class TransferRequested:
    """Transfer Call: the consulted party takes the caller over, and the agent leaves."""

    agent: AgentId


@frozen
class ConferenceRequested:
    """Conference Call: the caller, the agent and the consulted party hear each other."""

    agent: AgentId


@frozen
class SingleStepTransferRequested:
    """Single Step Transfer: the caller goes elsewhere at once, and the agent leaves."""

    agent: AgentId
    to: ToAgent | Overflow


@frozen
class ClearConnectionRequested:
    """Clear Connection: the agent hangs up."""

    agent: AgentId


def _digits(_instance: object, _attribute: object, value: str) -> None:
    if not value or len(value) > 128 or set(value) - set("0123456789*#ABCDw"):
        raise ConfigurationError(f"digits are {value!r}; they must be 1 to 128 of 0-9 * # A-D, or w for a pause")


@frozen
class DigitsRequested:
    """Generate Digits: the other end hears keys being pressed."""

    agent: AgentId
    digits: str = field(validator=_digits)


@frozen
class MakeCallRequested:
    """Make Call: the agent's own phone rings, then the other party's.

    ``calling_number`` is what the other party is shown, ``wrap_up_s`` how long the agent works after the call.
    """

    agent: AgentId
    to: Party
    calling_number: str = field(default="", validator=calling)
    wrap_up_s: float = field(default=0.0, validator=seconds)


@frozen
class DirectedPickupRequested:
    """Directed Pickup Call: a ready agent takes the call that rings ``at`` another."""

    agent: AgentId
    at: AgentId


@frozen
class GroupPickupRequested:
    """Group Pickup Call: a ready agent takes the call that has been ringing longest in a pickup group of theirs, the named
    one or any; of the queues they serve, if they are in no group.
    """

    agent: AgentId
    group: str = ""


@frozen
class DeflectRequested:
    """Deflect Call: the call that rings at the agent goes elsewhere."""

    agent: AgentId
    to: ToAgent | Overflow


@frozen
class ParkRequested:
    """Park Call: the caller waits at a place, the next that is free if none is named; the agent leaves.

    After ``recall_s`` the call comes back to the agent.
    """

    agent: AgentId
    place: str = field(default="", validator=place)
    recall_s: float = field(default=120.0, validator=seconds)


@frozen
class UnparkRequested:
    """A ready agent takes up the call that is parked at a place."""

    agent: AgentId
    place: str


@frozen
class SingleStepConferenceRequested:
    """Single Step Conference: one more agent, or a number, joins the conversation, as soon as they answer."""

    agent: AgentId
    to: Party


@frozen
class DestinationsDefined:
    """Which numbers may be called; none until this has been told."""

    allowed: tuple[Destination, ...]


# -- supervision: what somebody asks for who is no party to the call ----------------------------------------------------


@frozen
class SupervisionRequested:
    """Join Call, silently or actively: listen to an agent, or to a call; asked again, it changes what is not None."""

    supervisor: AgentId
    mode: Mode | None = None
    """None leaves it as it is; monitor at first."""
    agent: AgentId | None = None
    interaction: InteractionId | None = None


@frozen
class SupervisionEndRequested:
    """The supervisor leaves the line."""

    supervisor: AgentId


@frozen
class TakeOverRequested:
    """The supervisor takes the agent's place, or an agent's whom a waiting caller does not have yet."""

    supervisor: AgentId


@frozen
class PullRequested:
    """The supervisor is called, and takes a call that waits."""

    supervisor: AgentId
    interaction: InteractionId


@frozen
class PushRequested:
    """Somebody sends a call elsewhere, whether it waits or is with an agent."""

    interaction: InteractionId
    to: ToAgent | Overflow


@frozen
class AssistanceRequested:
    """An agent asks for help with the call they have."""

    agent: AgentId
    note: str = ""


@frozen
class AuditNoted:
    """Somebody has done, or tried, something that is to be accounted for."""

    who: str
    what: str
    whom: str
    outcome: str


# -- recording ----------------------------------------------------------------------------------------------------------


@frozen
class RecordingsDefined:
    """Where recordings go; nothing is recorded until this has been told."""

    settings: RecordingSettings


@frozen
class RecordingRequested:
    """Somebody starts, stops, pauses or resumes the recording of a call."""

    interaction: InteractionId
    what: RecordingAction


@frozen
class RecordingChecked:
    """The file of a segment has been looked at, after its end."""

    path: str
    interaction: InteractionId
    length_s: float
    size: int
    """Bytes; 0 when it cannot be reached from here."""
    sha256: str
    """Of the whole file, in hexadecimal; empty when it cannot be reached."""
    error: str = ""


# -- messages ------------------------------------------------------------------------------------------------------------


def _kind(_instance: object, attribute: Attribute[InteractionKind], value: InteractionKind) -> None:
    if value not in (InteractionKind.VOICEMAIL, InteractionKind.FAX):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a voicemail or a fax")


@frozen
class DeliverMessageRequested:
    """A message that somebody has left goes into a queue, as an interaction of its own."""

    message: Message
    kind: InteractionKind = field(validator=_kind)
    queue: QueueId
    switch: SwitchId
    """Where a voice message can be played; empty for a fax."""
    calling_number: str
    calling_name: str
    called_number: str
    priority: int = field(default=0, validator=whole)
    personal: Personal | None = None
    """The agent whom it waits for first."""
    data: Mapping[str, Any] = Factory(dict)


@frozen
class AcceptTaskRequested:
    """Accept Call, of what no phone rings for: the agent takes the fax that they are offered."""

    agent: AgentId


@frozen
class RejectTaskRequested:
    """The agent does not take the fax that they are offered."""

    agent: AgentId


@frozen
class CompleteTaskRequested:
    """The agent has dealt with the fax that they have."""

    agent: AgentId


@frozen
class ReturnCallRequested:
    """An agent who hears a message calls whoever left it, in the same interaction (not CSTA)."""

    agent: AgentId
    number: str = ""
    """Another number than theirs."""


@frozen
class DrainRequested:
    """A switch is to take no new calls, and its agents none, until it is told otherwise (not CSTA)."""

    switch: SwitchId
    drain: bool = True


@frozen
class StandingConnectionRequested:
    """A caller is an agent who has dialled in, and stays on the line as their standing connection."""

    interaction: InteractionId
    agent: AgentId


Service = (
    HoldRequested
    | RetrieveRequested
    | ConsultationRequested
    | AlternateRequested
    | ReconnectRequested
    | TransferRequested
    | ConferenceRequested
    | SingleStepTransferRequested
    | ClearConnectionRequested
    | DigitsRequested
    | MakeCallRequested
    | DirectedPickupRequested
    | GroupPickupRequested
    | DeflectRequested
    | ParkRequested
    | UnparkRequested
    | SingleStepConferenceRequested
    | CallingService
    | CallBackService
    | PredictiveCallRequested
    | DestinationsDefined
    | SupervisionRequested
    | SupervisionEndRequested
    | TakeOverRequested
    | PullRequested
    | PushRequested
    | AssistanceRequested
    | AuditNoted
    | RecordingsDefined
    | RecordingRequested
    | RecordingChecked
    | DeliverMessageRequested
    | AcceptTaskRequested
    | RejectTaskRequested
    | CompleteTaskRequested
    | ReturnCallRequested
    | DrainRequested
    | StandingConnectionRequested
)
