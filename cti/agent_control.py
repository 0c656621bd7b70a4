"""What can be asked for on behalf of one agent."""

from __future__ import annotations

from cti.engine.view import AgentView, view
from cti.engine_loop import EngineLoop
from cti.model import facts, services
from cti.model.ids import AgentId
from cti.model.overflow import Overflow
from cti.model.party import Party, ToAgent


class AgentControl:
    """What an agent, or somebody on their behalf, can ask for. None of these blocks for more than microseconds.

    A state asked for while the agent is on a call is kept as pending and applied when the call and its wrap-up end.
    """

    def __init__(self, agent: AgentId, loop: EngineLoop) -> None:
        self._agent = agent
        self._loop = loop

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
        return next(a for a in view(self._loop.engine.world).agents if a.id == self._agent)

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

    def consult(self, to: Party) -> None:
        """Consultation Call: hold the caller and call somebody else, ``ToAgent`` or ``ToNumber``.

        Told by Originated, then Delivered and Established for an agent. One who does not answer leaves the caller held.

        Raises:
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            InvalidConnection: besides the above, the agent to be consulted is not ready.
        """
        self._loop.ask(services.ConsultationRequested(self._agent, to))

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

    def transfer_to(self, to: ToAgent | Overflow) -> None:
        """Single Step Transfer: send the caller on and leave.

        To an agent: the caller waits for them in the queue they came by, for a minute at most, then for anybody. To a
        queue, a number of the switch's dialplan, a mailbox, a script.

        Raises:
            UnknownQueue: there is none of this id.
        """
        self._loop.ask(services.SingleStepTransferRequested(self._agent, to))

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
