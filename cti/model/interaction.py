"""Interactions: what a customer wants of the centre, over however many channels it takes."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from attrs import Factory, define

from cti.model.call_back import CallBackWish
from cti.model.callback import Callback
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.message import Message
from cti.model.overflow import Overflow, ToDestination, ToVoicemail
from cti.model.parked_call import ToPlace
from cti.model.party import Party, ToAgent
from cti.model.personal import LastAgent, Personal
from cti.model.recording import CallRecording
from cti.model.states import INTERACTION, CallbackState, InteractionState, InteractionTrigger, TalkState

AHEAD: Final = 1_000_000
"""Added to the priority of a customer who has answered a callback."""

NOBODY: Final = ConnectionId("")
"""In the caller's place of an interaction that has no caller on the line."""


class InteractionKind(Enum):
    """What an interaction is."""

    CALL = "call"
    VOICEMAIL = "voicemail"
    """A voice message: whoever it is routed to hears it on their phone."""
    FAX = "fax"
    """A fax: whoever it is routed to accepts it, looks at it, and says when it is done; no phone rings."""


@define(eq=False)
class Interaction:
    """One interaction. Only the engine changes it."""

    id: InteractionId
    switch: SwitchId
    """Empty for what needs none, such as a fax."""
    caller: ConnectionId
    """The caller's leg; NOBODY while there is none."""
    calling_number: str
    calling_name: str
    called_number: str
    created_at: float
    kind: InteractionKind = InteractionKind.CALL
    message: Message | None = None
    """What somebody has left, if that is what it is."""
    state: InteractionState = InteractionState.CREATED
    state_since: float = 0.0
    previous: InteractionId | None = None
    """The interaction that the same channel was before it left the centre and came back."""
    connections: set[ConnectionId] = Factory(set)
    data: dict[str, Any] = Factory(dict)
    """Attached data: what the script and the agents know of it."""
    queue: QueueId | None = None
    priority: int = 0
    """The call's own priority plus its queue's."""
    own_priority: int = 0
    queued_at: float | None = None
    """When it first entered a queue; it keeps this through re-queues and overflow."""
    entered_at: float = 0.0
    """When it entered the queue it is in; what widening counts from."""
    widened: int = 0
    """The step of widening it has come to in that queue; 0 for none."""
    place: int = 0
    """Breaks a tie between calls that entered in the same instant; never changes."""
    overflow_due: bool = False
    """Its maximum wait ended while an agent was being offered it."""
    reservations: list[ReservationId] = Factory(list)
    """The agents promised to it now, the first first; more than one where the queue's strategy rings several phones."""
    ringing_since: float = 0.0
    """Since when it has been offered without a pause; what ringing progressively counts from."""
    wanted: AgentId | None = None
    """The agent for whom it waits alone; nobody else is offered it."""
    personal: Personal | LastAgent | None = None
    """What was asked for it: whom it is to wait for."""
    preferred: tuple[AgentId, ...] = ()
    """Who is asked before all others, in this order, among those who may be offered it and are ready."""
    route_request: str = ""
    """The route request that has not been answered yet; until then no agent is looked for."""
    route_requests: int = 0
    """How often route scripts have been asked about it."""
    late: bool = False
    """Whether its queue's service level counts it as late already."""
    agent: AgentId | None = None
    talk: TalkState = TalkState.NONE
    pair: tuple[ConnectionId, ConnectionId] | None = None
    """Who hears each other now, by what the switch said last."""
    wanted_pair: tuple[ConnectionId, ConnectionId] | None = None
    """Who is to hear each other."""
    pairing: bool = False
    """Whether the switch has been asked for something to that end, and has not said what became of it."""
    pairings: int = 0
    """How often it has been asked in vain."""
    made_by: AgentId | None = None
    """The agent who made this call; whom they call is in the caller's place."""
    dials: Party | None = None
    """Whom that agent wants to call as soon as their own phone is answered."""
    calls_back: CallBackWish | None = None
    """The wish that this call of an agent's comes from, until they talk."""
    predicted_for: QueueId | None = None
    """The queue for which the customer has been called; None for a call that came by itself."""
    handed_to: ToDestination | ToVoicemail | None = None
    """Where in the switch the caller is to go as soon as the link to it is back."""
    dialled: str | None = None
    """The digits that agent has dialled so far, stage by stage; None when none are waited for."""
    wrap_up_s: float = 0.0
    """How long that agent works after it."""
    caller_left: bool = False
    """Whether its caller has hung up, and those who were left behind talk on; one of them is in the caller's place."""
    consulted: ConnectionId | None = None
    """The leg of whom the agent consults, or confers with."""
    consultation: ReservationId | None = None
    """The promise of an agent whom the call's agent is about to consult."""
    invited: ConnectionId | None = None
    """The leg of somebody outside who is being rung to join."""
    warn_s: float | None = None
    """How long those who talk are to hear a warning before somebody intrudes; None when there is none to be given."""
    camps_on: AgentId | None = None
    """Whom the agent wants to consult as soon as they are ready."""
    place_kept: str = ""
    """The place where it is parked, or is going to be."""
    onward: ToAgent | ToPlace | Overflow | None = None
    """Where the caller goes as soon as it is apart from its agent."""
    script: str = ""
    """The named script it was sent to last; empty while that of its number has it."""
    recording: CallRecording | None = None
    """What is recorded of it, once that has been decided."""
    treated: bool = False
    """Whether the music has been started."""
    hushed: bool = False
    """Whether the caller has been asked into a bridge since then, which ends what they hear."""
    callback: Callback | None = None
    """The callback by which it keeps its place; None once an agent talks with the customer."""

    @property
    def on_the_line(self) -> bool:
        """Whether it has a caller, and lives by its legs; anything else waits without any, until somebody says it is over."""
        return self.kind is InteractionKind.CALL

    @property
    def has_caller(self) -> bool:
        """Whether it is not over, and its caller has not left it to others."""
        return not (self.state.is_over or self.caller_left)

    @property
    def is_away(self) -> bool:
        """Whether there is nobody on the line: the customer is to be called back."""
        return self.callback is not None and self.callback.state.is_away

    def rank(self, queue_priority: int) -> int:
        """Its priority in a queue of this one; who has answered a callback goes before everybody (race 24)."""
        ahead = self.callback is not None and self.callback.state is CallbackState.HOLDING
        return self.own_priority + queue_priority + (AHEAD if ahead else 0)

    @property
    def age_key(self) -> tuple[int, float, int]:
        """The order of waiting calls: priority, then age, then place."""
        return (-self.priority, self.queued_at or 0.0, self.place)

    def waited_s(self, now: float) -> float:
        """Seconds since it first entered a queue; 0 if it never did."""
        return 0.0 if self.queued_at is None else now - self.queued_at

    def move(self, trigger: InteractionTrigger, now: float) -> bool:
        """Pull a trigger of the table; whether it changed the state.

        Raises:
            IllegalTransition: the table forbids it; nothing was changed.
        """
        after = INTERACTION.next(self.state, trigger)
        if after is None:
            return False
        self.state, self.state_since = after, now
        return True
