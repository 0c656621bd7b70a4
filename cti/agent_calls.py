"""What an agent can ask for about calls that are not theirs yet: to make, to answer, to come into; and to end for all."""

from __future__ import annotations

from cti.engine_loop import EngineLoop
from cti.model import calling, services
from cti.model.ids import AgentId
from cti.model.party import Party
from cti.privileges import Privileges


class AgentCalls:
    """A part of AgentControl; see there."""

    _agent: AgentId
    _loop: EngineLoop
    _privileges: Privileges

    def make_call(self, to: Party, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Make Call: ring the agent's own phone, then call somebody: ``ToAgent`` or ``ToNumber``.

        The agent is busy from now on, and when it is over what they were before, after ``wrap_up_s`` of work. Told by
        ServiceInitiated, Originated when their own phone is answered (by itself, with ``auto_answer`` of the agent's
        settings and a phone that can), Delivered, Established; all with cause makeCall. If nobody answers, by
        ConnectionCleared and CallCleared.

        Args:
            to: whom.
            calling_number: what a number outside is shown.
            wrap_up_s: seconds of work after the call.

        Raises:
            InvalidAgentState: logged off, on a call, or being offered one.
            InvalidConnection: the agent to be called is not ready, or no switch can be reached.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            ConfigurationError: calling_number is none.
        """
        self._loop.ask(services.MakeCallRequested(self._agent, to, calling_number, wrap_up_s))

    def make_connection(self, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Make Connection: ring the agent's own phone; whom to call is said by ``dial_digits``.

        On answering the agent hears a dial tone, and has 30 s to begin. Told by ServiceInitiated, cause makeConnection.

        Args:
            calling_number: what a number outside is shown.
            wrap_up_s: seconds of work after the call.

        Raises:
            InvalidAgentState: logged off, on a call, or being offered one.
            InvalidConnection: no switch can be reached.
            ConfigurationError: calling_number is none.
        """
        self._loop.ask(calling.MakeConnectionRequested(self._agent, calling_number, wrap_up_s))

    def dial_digits(self, digits: str, *, more: bool = False) -> None:
        """Dial Digits: dial into the connection that ``make_connection`` has made, at once or stage by stage.

        The number is called when it is complete and the agent's phone is answered. Told by DigitsDialled, then as
        ``make_call`` is.

        Args:
            digits: 1 to 64 of 0-9 * # +.
            more: whether more are to come; after 5 s without them what there is is the number.

        Raises:
            InvalidConnection: the agent has no connection that waits for digits.
            DestinationNotAllowed: the number is complete, and nothing in ``allowed_destinations`` lets it through; these
                digits were not taken.
            ConfigurationError: these are no digits.
        """
        self._loop.ask(calling.DialDigitsRequested(self._agent, digits, more))

    def answer(self) -> None:
        """Answer Call: ask the agent's own phone, which rings, to answer by itself.

        FreeSWITCH sends it ``NOTIFY`` with ``Event: talk``, which Polycom, Yealink, Snom and others can be told to obey. Told
        by Established; nothing at all happens on a phone that does not obey, and it rings on.

        Raises:
            InvalidConnection: the phone does not ring.
        """
        self._loop.ask(calling.AnswerRequested(self._agent))

    def clear_call(self) -> None:
        """Clear Call: end the call that this agent is in charge of, for everybody who is on it. Told by CallCleared.

        Raises:
            InvalidConnection: the agent has no call, or is only a party to one.
        """
        self._loop.ask(calling.ClearCallRequested(self._agent))

    def join(self, at: str, *, silent: bool = False) -> None:
        """Join Call: come into the conversation that another agent has.

        Heard by all, the agent's phone rings, and on answering the conversation becomes a conference; told by Originated,
        Delivered, Established and Conferenced, all with cause joinCall. Silent, the agent listens in until the call ends;
        told by Supervised. Told by Audited, whatever its outcome.

        Args:
            at: the other agent.
            silent: whether nobody is to hear this agent.

        Raises:
            PrivilegeViolation: the policy does not allow it.
            InvalidAgentState: this agent is not ready; or, to be silent, anything but not ready.
            InvalidConnection: the other agent has no call, or it is held or being transferred, or somebody is being rung.
        """
        self._privileges.ask(self._agent, "join", at, calling.JoinRequested(self._agent, AgentId(at), silent))

    def intrude(self, at: str, *, warn_s: float = 1.0) -> None:
        """Intrude Call: come into the conversation that another agent has, to be heard by all, after a warning tone.

        Told as ``join`` is, with cause intrude.

        Args:
            at: the other agent.
            warn_s: seconds between the tone and coming in, at most 2.

        Raises:
            PrivilegeViolation: the policy does not allow it.
            InvalidAgentState: this agent is not ready.
            InvalidConnection: as for ``join``.
            ConfigurationError: warn_s cannot be used.
        """
        asked = calling.IntrudeRequested(self._agent, AgentId(at), warn_s)
        self._privileges.ask(self._agent, "intrude", at, asked)
