"""What the centre tells of callbacks (CSTA knows the service; these events are ours, their cause is its callBack)."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from cti.model.call_event import CallEvent
from cti.model.ids import ConnectionId


@frozen(kw_only=True)
class CallbackEvent(CallEvent):
    """What all events about callbacks say."""

    number: str
    """Whom to call."""
    state: str
    """``scheduled``, ``waiting``, ``calling``, ``holding``, ``answered``, ``failed``, ``cancelled`` or ``expired``."""


@frozen(kw_only=True)
class CallbackMade(CallbackEvent):
    """A callback has been taken; the interaction keeps its place in ``queue``."""

    source: str
    """``caller``, ``request`` or ``abandoned``."""
    due_in_s: float


@frozen(kw_only=True)
class CallbackRescheduled(CallbackEvent):
    """It is to be made at another time, or to another number."""

    due_in_s: float


@frozen(kw_only=True)
class CallbackAnswered(CallbackEvent):
    """The customer has answered, and is on the line by ``connection``."""

    connection: ConnectionId


@frozen(kw_only=True)
class CallbackTried(CallbackEvent):
    """The customer has been called, and it came to nothing."""

    outcome: str
    """``busy``, ``no answer``, ``failed``, ``abandoned`` (they hung up before an agent was there) or ``lost``."""
    switch_cause: str
    tries: int
    """How many that is."""


@frozen(kw_only=True)
class CallbackEnded(CallbackEvent):
    """The customer will not be called any more; ``state`` says what came of it."""

    tries: int


EVENTS: Final = (CallbackMade, CallbackRescheduled, CallbackAnswered, CallbackTried, CallbackEnded)
