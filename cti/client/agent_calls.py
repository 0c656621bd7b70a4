"""Calls that are not an agent's yet: the verbs of ``cti.AgentControl`` that make, answer and come into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.client.whither import whither
from cti.model.party import Party


class AgentCallsAtCentre:
    """A part of AgentAtCentre; see there."""

    _agent: str
    _request: Callable[..., Any]

    def make_call(self, to: Party, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Make Call: ring the agent's own phone, then call somebody: ``ToAgent`` or ``ToNumber``.

        Raises:
            InvalidAgentState: logged off, on a call, or being offered one.
            InvalidConnection: the agent to be called is not ready, or no switch can be reached.
            DestinationNotAllowed: nothing in ``allowed_destinations`` lets the number through.
            ConfigurationError: calling_number is none.
        """
        self._request(
            "agent.make_call", agent=self._agent, to=whither(to), calling_number=calling_number, wrap_up_s=wrap_up_s
        )

    def make_connection(self, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Make Connection: ring the agent's own phone; whom to call is said by ``dial_digits``, within 30 s.

        Raises:
            InvalidAgentState: logged off, on a call, or being offered one.
            InvalidConnection: no switch can be reached.
            ConfigurationError: calling_number is none.
        """
        self._request("agent.make_connection", agent=self._agent, calling_number=calling_number, wrap_up_s=wrap_up_s)

    def dial_digits(self, digits: str, *, more: bool = False) -> None:
        """Dial Digits: dial into the connection that ``make_connection`` has made, at once or stage by stage.

        Args:
            digits: 1 to 64 of 0-9 * # +.
            more: whether more are to come; after 5 s without them what there is is the number.

        Raises:
            InvalidConnection: the agent has no connection that waits for digits.
            DestinationNotAllowed: the number is complete, and nothing in ``allowed_destinations`` lets it through.
            ConfigurationError: these are no digits.
        """
        self._request("agent.dial_digits", agent=self._agent, digits=digits, more=more)

    def answer(self) -> None:
        """Answer Call: ask the agent's own phone, which rings, to answer by itself. Told by Established, if it obeys.

        Raises:
            InvalidConnection: the phone does not ring.
        """
        self._request("agent.answer", agent=self._agent)

    def clear_call(self) -> None:
        """Clear Call: end the call that this agent is in charge of, for everybody who is on it. Told by CallCleared."""
        self._request("agent.clear_call", agent=self._agent)

    def join(self, at: str, *, silent: bool = False) -> None:
        """Join Call: come into the conversation that another agent has, heard by all or silent.

        Args:
            at: the other agent.
            silent: whether nobody is to hear this agent.

        Raises:
            PrivilegeViolation: the centre's policy does not allow it.
            InvalidAgentState: this agent is not ready; or, to be silent, anything but not ready.
        """
        self._request("agent.join", agent=self._agent, at=at, silent=silent)

    def intrude(self, at: str, *, warn_s: float = 1.0) -> None:
        """Intrude Call: come into the conversation that another agent has, after a warning tone.

        Args:
            at: the other agent.
            warn_s: seconds between the tone and coming in, at most 2.

        Raises:
            PrivilegeViolation: the centre's policy does not allow it.
            InvalidAgentState: this agent is not ready.
        """
        self._request("agent.intrude", agent=self._agent, at=at, warn_s=warn_s)
