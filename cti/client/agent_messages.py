"""What an agent asks of other agents besides a call: the verbs of ``cti.AgentControl`` for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cti.api.message_methods import CallBackList, MessageList
from cti.client.event import read
from cti.model.call_back import WaitingCallBack, WaitingMessage


class AgentMessagesAtCentre:
    """A part of AgentAtCentre; see there."""

    _agent: str
    _request: Callable[..., Any]

    def call_back(self, to: str, *, expires_s: float = 3600.0) -> None:
        """Call Back: talk with an agent who is busy, or does not answer, as soon as both are ready. Told by CallBack.

        Args:
            to: the other agent.
            expires_s: for how long, at most a day.

        Raises:
            InvalidAgentState: this agent is logged off.
            InvalidConnection: both are ready now: a call can be made.
            ResourceBusy: this agent waits for 8 call backs already.
        """
        self._request("agent.call_back", agent=self._agent, to=to, expires_s=expires_s)

    def cancel_call_back(self, to: str) -> None:
        """Wait for an agent no more.

        Raises:
            InvalidConnection: this agent waits for no call back to that one.
        """
        self._request("agent.cancel_call_back", agent=self._agent, to=to)

    def call_backs(self) -> tuple[WaitingCallBack, ...]:
        """The call backs that this agent waits for, the first asked for first."""
        return read(CallBackList, self._request("agent.call_backs", agent=self._agent)).call_backs

    def call_back_message(self, to: str, text: str = "") -> None:
        """Call Back Message: ask an agent, whatever they do, to call this one. Told by CallBackMessage, to them.

        Raises:
            ResourceBusy: the other has been asked by 50 agents already.
        """
        self._request("agent.call_back_message", agent=self._agent, to=to, text=text)

    def cancel_call_back_message(self, to: str) -> None:
        """Take back what was asked of an agent by ``call_back_message``.

        Raises:
            InvalidConnection: this agent has asked nothing of them.
        """
        self._request("agent.cancel_call_back_message", agent=self._agent, to=to)

    def seen_to(self, by: str) -> None:
        """Another agent's request to be called is seen to, without a call.

        Raises:
            InvalidConnection: that agent has not asked.
        """
        self._request("agent.seen_to", agent=self._agent, by=by)

    def call_back_messages(self) -> tuple[WaitingMessage, ...]:
        """Who has asked this agent to call, the first first."""
        return read(MessageList, self._request("agent.call_back_messages", agent=self._agent)).messages

    def send_message(self, to: str, text: str, *, phone: bool = False) -> None:
        """Send Message: a text to an agent who is logged on. Told by MessageReceived, to them; it is not kept.

        Args:
            to: the other agent.
            text: up to 500 characters.
            phone: whether it is sent to their phone too, in the call that they are on.

        Raises:
            InvalidAgentState: the other is logged off.
            InvalidConnection: it is to be sent to the phone, and they are on no call.
        """
        self._request("agent.send_message", agent=self._agent, to=to, text=text, phone=phone)
