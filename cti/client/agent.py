"""One agent of a centre on another machine: the verbs of ``cti.AgentControl``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.api.values import AgentRecord
from cti.client.agent_calls import AgentCallsAtCentre
from cti.client.agent_messages import AgentMessagesAtCentre
from cti.client.event import read
from cti.client.whither import whither
from cti.model.overflow import Overflow
from cti.model.party import Party, ToAgent


class AgentAtCentre(AgentCallsAtCentre, AgentMessagesAtCentre):
    """What an agent, or somebody on their behalf, can ask for; each blocks until the centre has answered.

    A state asked for while the agent is on a call is kept as pending and applied when the call and its wrap-up end.
    """

    def __init__(self, agent: str, request: Callable[..., Any]) -> None:
        self._agent = agent
        self._request = request

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<agent {self._agent}>"

    def log_on(self, *, ready: bool = False) -> None:
        """Begin a session, not ready unless ``ready``.

        Raises:
            InvalidAgentState: logged on already.
            ResourceBusy: another agent is logged on at the same phone.
        """
        self._request("agent.log_on", agent=self._agent, ready=ready)

    def log_off(self, reason: str = "") -> None:
        """End the session, at once or after the call in hand; harmless when logged off."""
        self._request("agent.log_off", agent=self._agent, reason=reason)

    def ready(self) -> None:
        """Ask for calls, at once or after the call in hand; during wrap-up this ends it.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._request("agent.ready", agent=self._agent)

    def not_ready(self, reason: str = "") -> None:
        """Ask for no calls, at once (an offer under way is withdrawn) or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._request("agent.not_ready", agent=self._agent, reason=reason)

    @property
    def view(self) -> AgentRecord:
        """The agent as they are now."""
        return read(AgentRecord, self._request("agent.get", agent=self._agent))

    # -- what an agent does with the call they have ---------------------------------------------------------------
    #
    # Each may raise UnknownAgent, and InvalidConnection when the agent has no call or it is not in a state for this.

    def hold(self) -> None:
        """Hold Call: the caller hears the queue's music. Told by Held; harmless when held."""
        self._request("agent.hold", agent=self._agent)

    def retrieve(self) -> None:
        """Retrieve Call: talk with the held caller again. Told by Retrieved."""
        self._request("agent.retrieve", agent=self._agent)

    def consult(self, to: Party, *, wait_s: float = 0.0) -> None:
        """Consultation Call: hold the caller and call somebody else, ``ToAgent`` or ``ToNumber``.

        Args:
            to: whom.
            wait_s: how long to wait for an agent who is busy, until they are ready.

        Raises:
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
        """
        self._request("agent.consult", agent=self._agent, to=whither(to), wait_s=wait_s)

    def invite(self, to: Party) -> None:
        """Single Step Conference: ring one more agent, or a number, who joins the conversation on answering.

        Raises:
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
        """
        whom = {"to": to.agent} if isinstance(to, ToAgent) else {"number": to.number}
        self._request("agent.invite", agent=self._agent, **whom)

    def park(self, place: str = "", *, recall_s: float = 120.0) -> str:
        """Park Call: let the caller wait at a place that everybody knows, and leave; returns which place.

        Raises:
            ResourceBusy: the place is taken.
        """
        parked = self._request("agent.park", agent=self._agent, place=place, recall_s=recall_s)
        return str(parked["place"])

    def unpark(self, place: str) -> None:
        """Take up a parked call: it is offered to this agent, and for a minute to nobody else.

        Raises:
            InvalidAgentState: this agent is not ready.
        """
        self._request("agent.unpark", agent=self._agent, place=place)

    def pick_up(self, at: str | None = None, *, group: str = "") -> None:
        """Directed Pickup Call: take the call that rings at another agent; without one, Group Pickup Call.

        Args:
            at: the other agent.
            group: a pickup group of this agent's; any if empty.

        Raises:
            InvalidAgentState: this agent is not ready.
        """
        self._request("agent.pick_up", agent=self._agent, at=at, group=group)

    def deflect(self, to: ToAgent | Overflow) -> None:
        """Deflect Call: send the call that rings at this agent's phone elsewhere; the agent stays ready.

        Raises:
            InvalidAgentState: it is to go to an agent who is not ready.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
        """
        self._request("agent.deflect", agent=self._agent, to=whither(to))

    def transfer_to(self, to: ToAgent | Overflow) -> None:
        """Single Step Transfer: send the caller on and leave: to an agent, a queue, a number, a mailbox, a script.

        Raises:
            UnknownQueue: there is none of this id.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            ConfigurationError: there is no word for it in the protocol: a mailbox with a domain, to hang up.
        """
        self._request("agent.transfer_to", agent=self._agent, to=whither(to))

    def send_digits(self, digits: str) -> None:
        """Generate Digits: whoever the agent talks with hears keys being pressed.

        Raises:
            ConfigurationError: these are no digits.
        """
        self._request("agent.send_digits", agent=self._agent, digits=digits)

    def assistance(self, note: str = "") -> None:
        """Ask for help with the call in hand. Told by AssistanceRequested."""
        self._request("agent.assistance", agent=self._agent, note=note)

    def alternate(self) -> None:
        """Alternate Call: change between the caller and whom is consulted; the other hears nothing."""
        self._request("agent.alternate", agent=self._agent)

    def reconnect(self) -> None:
        """Reconnect Call: end the consultation, answered or not, and talk with the caller again."""
        self._request("agent.reconnect", agent=self._agent)

    def transfer(self) -> None:
        """Transfer Call: whom is consulted takes the caller over; this agent leaves. Told by Transferred."""
        self._request("agent.transfer", agent=self._agent)

    def conference(self) -> None:
        """Conference Call: the caller, this agent and whom is consulted hear each other. Told by Conferenced."""
        self._request("agent.conference", agent=self._agent)

    def return_call(self, number: str = "") -> None:
        """Call whoever left the message that the agent hears, in the same interaction; as the key 2 does.

        Args:
            number: another number than that of whoever left it.

        Raises:
            InvalidConnection: the agent hears no message, or is calling back already.
            DestinationNotAllowed: the number is hidden, or may not be called.
        """
        self._request("agent.return_call", agent=self._agent, number=number)

    def accept(self) -> None:
        """Take the fax that the agent is offered; no phone rings for one. Told by Established.

        Raises:
            InvalidConnection: the agent is offered none.
        """
        self._request("agent.accept", agent=self._agent)

    def reject(self) -> None:
        """Do not take the fax that the agent is offered: it goes to somebody else. Told by OfferEnded.

        Raises:
            InvalidConnection: the agent is offered none.
        """
        self._request("agent.reject", agent=self._agent)

    def complete(self) -> None:
        """The agent has dealt with the fax they have, and works after it as after a call. Told by CallCleared.

        Raises:
            InvalidConnection: the agent has none.
        """
        self._request("agent.complete", agent=self._agent)

    def hang_up(self) -> None:
        """Clear Connection: the agent leaves. With a caller alone, that ends the call; a held caller goes back to the
        queue.
        """
        self._request("agent.hang_up", agent=self._agent)

    def start_recording(self) -> None:
        """Record from now on. Told by RecordingStarted, or RecordingFailed; harmless when it is recorded."""
        self._request("agent.start_recording", agent=self._agent)

    def stop_recording(self) -> None:
        """Record no more of this call. Told by RecordingEnded."""
        self._request("agent.stop_recording", agent=self._agent)

    def pause_recording(self) -> None:
        """Have silence in the file from now on. Told by RecordingPaused."""
        self._request("agent.pause_recording", agent=self._agent)

    def resume_recording(self) -> None:
        """Have what is said in the file again. Told by RecordingResumed."""
        self._request("agent.resume_recording", agent=self._agent)
