"""Call backs among agents: a wish to talk with an agent when both are free, and a request to be called (CSTA: Call Back
(Call-Related), Call Back Message (Call-Related)).
"""

from __future__ import annotations

from typing import Any, Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId

MOST_WISHES: Final = 8
"""How many call backs may one agent have asked for at a time?"""
MOST_REQUESTS: Final = 50
"""How many agents' requests to be called may one agent have?"""
LONGEST_S: Final = 86_400.0
"""How long may a wish wait?"""
LONGEST_TEXT: Final = 500


@frozen
class CallBackWish:
    """``by`` wants to talk with ``to`` as soon as both are free, until the time ``until``."""

    id: str
    by: AgentId
    to: AgentId
    until: float


@frozen
class CallMe:
    """``by`` asks to be called by ``to``, since ``at``."""

    by: AgentId
    to: AgentId
    text: str
    at: float


@frozen
class WaitingCallBack:
    """A call back that an agent waits for: with whom, and for how long yet."""

    to: AgentId
    expires_in_s: float


@frozen
class WaitingMessage:
    """A request to be called that an agent has: from whom, what they say, and how long ago."""

    by: AgentId
    text: str
    for_s: float


def expiry(_instance: object, attribute: Attribute[Any], value: float) -> None:
    """An attrs validator: how long a wish may wait."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LONGEST_S:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number of seconds up to {LONGEST_S:g}")


def text(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: what one agent writes to another, in as many lines as they like."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not all(c.isprintable() or c == "\n" for c in value):
        raise ConfigurationError(f"{attribute.name} must be text of at most {LONGEST_TEXT} printable characters")


def some_text(instance: object, attribute: Attribute[Any], value: str) -> None:
    """The same, and not empty."""
    text(instance, attribute, value)
    if not value.strip():
        raise ConfigurationError(f"{attribute.name} is empty; say something")


@frozen
class CallBackRequested:
    """Call Back: the agent wants to talk with another when both are free, within ``expires_s``."""

    agent: AgentId
    to: AgentId
    expires_s: float = field(default=3600.0, validator=expiry)


@frozen
class CallBackCancelled:
    """The agent does not want that any more."""

    agent: AgentId
    to: AgentId


@frozen
class CallBackMessageRequested:
    """Call Back Message: the agent asks another to call them."""

    agent: AgentId
    to: AgentId
    text: str = field(default="", validator=text)


@frozen
class CallBackMessageCancelled:
    """The request that one agent has left with another is taken back, or has been seen to."""

    agent: AgentId
    """Who is asked to call."""
    by: AgentId
    """Who asked."""


@frozen
class MessageRequested:
    """Send Message: a text to an agent; to their phone too, if they are on a call and ``phone`` says so."""

    agent: AgentId
    to: AgentId
    text: str = field(validator=some_text)
    phone: bool = False


CallBackService = (
    CallBackRequested | CallBackCancelled | CallBackMessageRequested | CallBackMessageCancelled | MessageRequested
)
