"""A supervisor of a centre on another machine: the verbs of ``cti.SupervisorControl``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.client.whither import whither
from cti.model.overflow import Overflow
from cti.model.party import ToAgent


class SupervisorAtCentre:
    """What a supervisor can ask for; each blocks until the centre has answered.

    A supervisor is an agent who is logged on and not ready. Each may raise PrivilegeViolation, UnknownAgent and
    UnknownInteraction; Supervised tells how the supervision stands.
    """

    def __init__(self, supervisor: str, request: Callable[..., Any]) -> None:
        self._supervisor = supervisor
        self._request = request

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<supervisor {self._supervisor}>"

    def monitor(self, agent: str | None = None, call: str | None = None) -> None:
        """Listen to an agent, from call to call, or to a call, from agent to agent; nobody hears the supervisor.

        Raises:
            InvalidAgentState: the supervisor is not logged on, or not "not ready".
            InvalidConnection: both an agent and a call were given, or neither, and there is nothing supervised yet.
        """
        self._listen("monitor", agent, call)

    def whisper(self, agent: str | None = None, call: str | None = None) -> None:
        """As monitor, and the agent hears the supervisor; the caller does not."""
        self._listen("whisper", agent, call)

    def barge(self, agent: str | None = None, call: str | None = None) -> None:
        """As monitor, and both hear the supervisor."""
        self._listen("barge", agent, call)

    def _listen(self, mode: str, agent: str | None, call: str | None) -> None:
        self._request(f"supervisor.{mode}", agent=self._supervisor, watched=agent, call=call)

    def end(self) -> None:
        """Leave the line.

        Raises:
            InvalidConnection: there is nothing supervised.
        """
        self._request("supervisor.end", agent=self._supervisor)

    def take_over(self) -> None:
        """Take the agent's place in the call that is heard; the agent leaves it. Told by Transferred.

        Raises:
            InvalidConnection: there is no call to be heard now, or it is a conference.
        """
        self._request("supervisor.take_over", agent=self._supervisor)

    def pull(self, call: str) -> None:
        """Take a call that waits: the supervisor's phone rings, and it keeps its place until they answer.

        Raises:
            InvalidAgentState: the supervisor is not logged on, or not "not ready".
            InvalidConnection: the call does not wait.
        """
        self._request("supervisor.pull", agent=self._supervisor, call=call)

    def push(self, call: str, to: ToAgent | Overflow) -> None:
        """Send a call that waits, or is with an agent, to an agent, a queue, a number, a mailbox or a script.

        Raises:
            UnknownQueue: there is none of this id.
            InvalidConnection: the call is in a script, or in a state in which it cannot be parted from its agent.
        """
        self._request("supervisor.push", agent=self._supervisor, call=call, to=whither(to))

    def force_log_off(self, agent: str) -> None:
        """Log an agent off, reason SUPERVISOR; at once, or after the call in hand."""
        self._request("supervisor.force_log_off", agent=self._supervisor, watched=agent)

    def force_ready(self, agent: str) -> None:
        """Make an agent ready; at once, or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._request("supervisor.force_ready", agent=self._supervisor, watched=agent)

    def force_not_ready(self, agent: str) -> None:
        """Make an agent not ready, reason SUPERVISOR; at once, or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._request("supervisor.force_not_ready", agent=self._supervisor, watched=agent)
