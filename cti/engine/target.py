"""Where an interaction may be sent."""

from __future__ import annotations

from cti.errors import InvalidConnection
from cti.model.interaction import Interaction
from cti.model.overflow import Overflow, ToQueue
from cti.model.party import ToAgent


def may_go(call: Interaction, target: Overflow) -> bool:
    """Whether this can go there: whoever is not on the line can hear no announcement, and only waits in queues."""
    return call.on_the_line or isinstance(target, ToQueue)


def check_target(call: Interaction, target: ToAgent | Overflow) -> None:
    """Whether somebody may send this there.

    Raises:
        InvalidConnection: it has no caller on the line, and is to go where only a caller can.
    """
    if not isinstance(target, ToAgent) and not may_go(call, target):
        raise InvalidConnection(f"{call.id} is a {call.kind.value}; it can only go to a queue")


def check_there(call: Interaction) -> None:
    """Whether something can be done with the caller of a waiting call.

    Raises:
        InvalidConnection: it is a callback, and the customer is not on the line.
    """
    if call.is_away:
        raise InvalidConnection(f"call {call.id} is a callback, and the customer is not on the line")
