"""Events of what agents have to say to each other, besides calls."""

from __future__ import annotations

from attrs import frozen

from cti.model.cause import Cause
from cti.model.ids import AgentId


@frozen(kw_only=True)
class CallBack:
    """A call back to ``to`` that ``agent`` waits for is set, or is over (``set`` is false): they are called (callBack),
    it was taken back (callCancelled), it has expired (timeout).
    """

    agent: AgentId
    at: float
    cause: Cause
    to: AgentId
    set: bool


@frozen(kw_only=True)
class CallBackMessage:
    """``from_agent`` asks ``agent`` to call them, or that is over (``set`` is false): they have talked (normal), it was
    taken back or seen to (callCancelled).
    """

    agent: AgentId
    at: float
    cause: Cause
    from_agent: AgentId
    text: str
    set: bool


@frozen(kw_only=True)
class MessageReceived:
    """``from_agent`` has written to ``agent`` (CSTA: Send Message)."""

    agent: AgentId
    at: float
    from_agent: AgentId
    text: str
    on_phone: bool
    """Whether their phone has been sent it too."""
