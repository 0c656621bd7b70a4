"""What an agent can ask of other agents besides a call: to be called when both are free, to be called back, a message."""

from __future__ import annotations

from cti.engine_loop import EngineLoop
from cti.model import call_back
from cti.model.call_back import WaitingCallBack, WaitingMessage
from cti.model.ids import AgentId


class AgentMessages:
    """A part of AgentControl; see there."""

    _agent: AgentId
    _loop: EngineLoop

    def call_back(self, to: str, *, expires_s: float = 3600.0) -> None:
        """Call Back: talk with an agent who is busy, or does not answer, as soon as both are ready.

        Then this agent's phone rings, the other is kept from other calls meanwhile, and is called when this one answers.
        Told by CallBack, then as ``make_call`` is, with cause callBack. Asked again it counts from anew. Logging off ends it.

        Args:
            to: the other agent.
            expires_s: for how long, at most a day.

        Raises:
            InvalidAgentState: this agent is logged off.
            InvalidConnection: both are ready now: a call can be made.
            ResourceBusy: this agent waits for 8 call backs already.
            ConfigurationError: expires_s cannot be used.
        """
        self._loop.ask(call_back.CallBackRequested(self._agent, AgentId(to), expires_s))

    def cancel_call_back(self, to: str) -> None:
        """Wait for an agent no more. Told by CallBack.

        Raises:
            InvalidConnection: this agent waits for no call back to that one.
        """
        self._loop.ask(call_back.CallBackCancelled(self._agent, AgentId(to)))

    def call_backs(self) -> tuple[WaitingCallBack, ...]:
        """The call backs that this agent waits for, the first asked for first."""
        world = self._loop.engine.world
        now = self._loop.now()
        wishes = world.call_backs.get(world.agent(self._agent).id, ())
        return tuple(WaitingCallBack(each.to, max(0.0, each.until - now)) for each in wishes)

    def call_back_message(self, to: str, text: str = "") -> None:
        """Call Back Message: ask an agent, whatever they do, to call this one. Told by CallBackMessage, to them.

        It is kept until the two have talked, or somebody takes it back.

        Args:
            to: the other agent.
            text: up to 500 characters that go with it.

        Raises:
            ResourceBusy: the other has been asked by 50 agents already.
            ConfigurationError: the text cannot be used.
        """
        self._loop.ask(call_back.CallBackMessageRequested(self._agent, AgentId(to), text))

    def cancel_call_back_message(self, to: str) -> None:
        """Take back what was asked of an agent by ``call_back_message``.

        Raises:
            InvalidConnection: this agent has asked nothing of them.
        """
        self._loop.ask(call_back.CallBackMessageCancelled(AgentId(to), self._agent))

    def seen_to(self, by: str) -> None:
        """Another agent's request to be called is seen to, without a call.

        Raises:
            InvalidConnection: that agent has not asked.
        """
        self._loop.ask(call_back.CallBackMessageCancelled(self._agent, AgentId(by)))

    def call_back_messages(self) -> tuple[WaitingMessage, ...]:
        """Who has asked this agent to call, the first first."""
        world = self._loop.engine.world
        now = self._loop.now()
        asked = world.call_me.get(world.agent(self._agent).id, ())
        return tuple(WaitingMessage(each.by, each.text, max(0.0, now - each.at)) for each in asked)

    def send_message(self, to: str, text: str, *, phone: bool = False) -> None:
        """Send Message: a text to an agent who is logged on. Told by MessageReceived, to them; it is not kept.

        Args:
            to: the other agent.
            text: up to 500 characters.
            phone: whether it is sent to their phone too, in the call that they are on (SIP MESSAGE): many phones show it,
                and none says so.

        Raises:
            InvalidAgentState: the other is logged off.
            InvalidConnection: it is to be sent to the phone, and they are on no call.
            ConfigurationError: the text cannot be used.
        """
        self._loop.ask(call_back.MessageRequested(self._agent, AgentId(to), text, phone))
