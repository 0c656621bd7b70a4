"""What can be asked for on behalf of one agent."""

from __future__ import annotations

from cti.agent_calls import AgentCalls
from cti.agent_messages import AgentMessages
from cti.engine.view import AgentView, agent_view
from cti.engine_loop import EngineLoop
from cti.errors import InvalidConnection
from cti.model import facts, services
from cti.model.ids import AgentId, InteractionId
from cti.model.overflow import Overflow
from cti.model.party import Party, ToAgent
from cti.model.recording import RecordingAction
from cti.privileges import Privileges, SupervisionPolicy


class AgentControl(AgentCalls, AgentMessages):
    """What an agent, or somebody on their behalf, can ask for. None of these blocks for more than microseconds.

    A state asked for while the agent is on a call is kept as pending and applied when the call and its wrap-up end.

    Args:
        agent: the agent's id.
        loop: runs the engine.
        policy: says who may come into others' calls; everybody if not given.
    """

    def __init__(self, agent: AgentId, loop: EngineLoop, policy: SupervisionPolicy | None = None) -> None:
        self._agent = agent
        self._loop = loop
        self._privileges = Privileges(loop, policy)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<agent {self._agent}>"

    def log_on(self, *, ready: bool = False) -> None:
        """Begin a session, not ready unless ``ready``.

        Raises:
            InvalidAgentState: logged on already.
            ResourceBusy: another agent is logged on at the same phone.
        """
        self._loop.ask(facts.LogOnRequested(self._agent, ready))

    def log_off(self, reason: str = "") -> None:
        """End the session, at once or after the call in hand; harmless when logged off."""
        self._loop.ask(facts.LogOffRequested(self._agent, reason))

    def ready(self) -> None:
        """Ask for calls, at once or after the call in hand; during wrap-up this ends it.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._loop.ask(facts.ReadyRequested(self._agent))

    def not_ready(self, reason: str = "") -> None:
        """Ask for no calls, at once (an offer under way is withdrawn) or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._loop.ask(facts.NotReadyRequested(self._agent, reason))

    @property
    def view(self) -> AgentView:
        """The agent as they are now."""
        return agent_view(self._loop.engine.world, self._agent)

    # -- what an agent does with the call they have ---------------------------------------------------------------
    #
    # Each raises UnknownAgent; InvalidConnection when the agent has no call, or it is not in a state for this: the
    # message says what is possible. They return when the switch has been asked; events tell when it has happened.

    def hold(self) -> None:
        """Hold Call: the caller hears the queue's music. Told by Held; harmless when held."""
        self._loop.ask(services.HoldRequested(self._agent))

    def retrieve(self) -> None:
        """Retrieve Call: talk with the held caller again. Told by Retrieved."""
        self._loop.ask(services.RetrieveRequested(self._agent))

    def consult(self, to: Party, *, wait_s: float = 0.0) -> None:
        """Consultation Call: hold the caller and call somebody else, ``ToAgent`` or ``ToNumber``.

        Told by Originated, then Delivered and Established for an agent. One who does not answer leaves the caller held.

        Args:
            to: whom.
            wait_s: for an agent who has a call, or works after one: how long to wait until they are ready (Camp On
                Call). Then Originated is told with cause campOn; if they are not in time, OfferEnded.

        Raises:
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            InvalidConnection: besides the above, the agent to be consulted is not ready.
        """
        self._loop.ask(services.ConsultationRequested(self._agent, to, wait_s))

    def alternate(self) -> None:
        """Alternate Call: change between the caller and whom is consulted; the other hears nothing."""
        self._loop.ask(services.AlternateRequested(self._agent))

    def reconnect(self) -> None:
        """Reconnect Call: end the consultation, answered or not, and talk with the caller again."""
        self._loop.ask(services.ReconnectRequested(self._agent))

    def transfer(self) -> None:
        """Transfer Call: whom is consulted takes the caller over; this agent leaves. Told by Transferred."""
        self._loop.ask(services.TransferRequested(self._agent))

    def conference(self) -> None:
        """Conference Call: the caller, this agent and whom is consulted hear each other. Told by Conferenced."""
        self._loop.ask(services.ConferenceRequested(self._agent))

    def invite(self, to: Party) -> None:
        """Single Step Conference: ring one more agent, or a number, who joins the conversation, or the conference, on
        answering.

        Told by Originated, Delivered (of an agent), Established and Conferenced, all with cause singleStepConference. The
        two go on talking meanwhile; one who does not answer changes nothing, and one who answers when they do not talk any
        more is let go.

        Raises:
            InvalidConnection: besides the above, the agent is not ready, or somebody else is being rung already.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
        """
        self._loop.ask(services.SingleStepConferenceRequested(self._agent, to))

    def transfer_to(self, to: ToAgent | Overflow) -> None:
        """Single Step Transfer: send the caller on and leave.

        To an agent: the caller waits for them in the queue they came by, for a minute at most, then for anybody. To a
        queue, a number of the switch's dialplan that ``allowed_destinations`` lets through, a mailbox, a script.

        Raises:
            UnknownQueue: there is none of this id.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            InvalidConnection: besides the above, the call is a conference, or the other party an agent.
        """
        self._loop.ask(services.SingleStepTransferRequested(self._agent, to))

    def park(self, place: str = "", *, recall_s: float = 120.0) -> str:
        """Park Call: let the caller wait at a place that everybody knows, and leave; returns which place.

        Told by Diverted with ``to_place``. ``snapshot().parked`` lists the places that are taken.

        Args:
            place: up to 16 letters and digits; empty for the first of 701, 702, ... that is free.
            recall_s: if nobody has taken it up after so many seconds, it is offered to this agent again.

        Raises:
            ResourceBusy: the place is taken.
            InvalidConnection: besides the above, the call came by no queue, is a conference, or is with an agent.
        """
        held = self._loop.engine.world.agent(self._agent).interaction
        self._loop.ask(services.ParkRequested(self._agent, place, recall_s))
        return self._loop.engine.world.interactions[InteractionId(held or "")].place_kept

    def unpark(self, place: str) -> None:
        """Take up a parked call: it is offered to this agent, and for a minute to nobody else.

        Raises:
            InvalidAgentState: this agent is not ready.
            InvalidConnection: nobody waits there.
        """
        self._loop.ask(services.UnparkRequested(self._agent, place))

    # -- calls that ring ------------------------------------------------------------------------------------------

    def pick_up(self, at: str | None = None, *, group: str = "") -> None:
        """Directed Pickup Call: take the call that rings at another agent. Without one: Group Pickup Call, the call that has
        been ringing longest at anybody with whom this agent has a pickup group in common (``group``, or any); for one who is
        in none, in a queue that they serve.

        The other phone stops ringing, this agent's rings; told by OfferEnded and Delivered with cause callPickup.

        Raises:
            InvalidAgentState: this agent is not ready.
            InvalidConnection: nothing rings there.
        """
        if at is None:
            self._loop.ask(services.GroupPickupRequested(self._agent, group))
        else:
            self._loop.ask(services.DirectedPickupRequested(self._agent, AgentId(at)))

    def deflect(self, to: ToAgent | Overflow) -> None:
        """Deflect Call: send the call that rings at this agent's phone elsewhere; the agent stays ready.

        Raises:
            InvalidConnection: nothing rings here.
            InvalidAgentState: it is to go to an agent who is not ready.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
        """
        self._loop.ask(services.DeflectRequested(self._agent, to))

    def accept(self) -> None:
        """Take the fax that the agent is offered; no phone rings for one. Told by Established.

        Raises:
            InvalidConnection: the agent is offered none.
        """
        self._loop.ask(services.AcceptTaskRequested(self._agent))

    def reject(self) -> None:
        """Do not take the fax that the agent is offered: it goes to somebody else. Told by OfferEnded.

        Raises:
            InvalidConnection: the agent is offered none.
        """
        self._loop.ask(services.RejectTaskRequested(self._agent))

    def return_call(self, number: str = "") -> None:
        """Call whoever left the message that the agent hears, in the same interaction; as the key 2 does.

        What plays ends, and the agent hears that it rings. Told by Originated, CallbackAnswered, and Established, from which
        on it is a call as any other. Nobody reached: told by ConnectionCleared, and the agent is back at the message.

        Args:
            number: another number than that of whoever left it.

        Raises:
            InvalidConnection: the agent hears no message, or is calling back already.
            DestinationNotAllowed: the number is hidden, or neither the queue's callback destinations nor
                ``allowed_destinations`` let it through.
        """
        self._loop.ask(services.ReturnCallRequested(self._agent, number))

    def complete(self) -> None:
        """The agent has dealt with the fax they have, and works after it as after a call. Told by CallCleared.

        Raises:
            InvalidConnection: the agent has none.
        """
        self._loop.ask(services.CompleteTaskRequested(self._agent))

    def hang_up(self) -> None:
        """Clear Connection: the agent leaves. With a caller alone, that ends the call; a held caller goes back to the
        queue.
        """
        self._loop.ask(services.ClearConnectionRequested(self._agent))

    def send_digits(self, digits: str) -> None:
        """Generate Digits: whoever the agent talks with hears keys being pressed.

        Raises:
            ConfigurationError: these are no digits.
        """
        self._loop.ask(services.DigitsRequested(self._agent, digits))

    def assistance(self, note: str = "") -> None:
        """Ask for help with the call in hand. Told by AssistanceRequested, to whoever supervises its queue."""
        self._loop.ask(services.AssistanceRequested(self._agent, note))

    # -- the recording of the call in hand ------------------------------------------------------------------------

    def start_recording(self) -> None:
        """Record from now on. Told by RecordingStarted, or RecordingFailed; harmless when it is recorded."""
        self._record(RecordingAction.START)

    def stop_recording(self) -> None:
        """Record no more of this call. Told by RecordingEnded."""
        self._record(RecordingAction.STOP)

    def pause_recording(self) -> None:
        """Have silence in the file from now on, while a card number is read out, say. Told by RecordingPaused."""
        self._record(RecordingAction.PAUSE)

    def resume_recording(self) -> None:
        """Have what is said in the file again. Told by RecordingResumed."""
        self._record(RecordingAction.RESUME)

    def _record(self, what: RecordingAction) -> None:
        agent = self._loop.engine.world.agent(self._agent)
        if agent.interaction is None:
            raise InvalidConnection(f"agent {self._agent!r} has no call; {what.value!r} needs one")
        self._loop.ask(services.RecordingRequested(agent.interaction, what))
