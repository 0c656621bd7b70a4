"""An alarm: something that a person should know of, raised once and cleared once."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from cti.model.ids import QueueId

RAISED = "raised"
CLEARED = "cleared"


class Grade(Enum):
    """How bad it is."""

    INFO = "info"
    """Good to know."""
    MINOR = "minor"
    """To be looked at in working hours."""
    MAJOR = "major"
    """Callers notice; to be looked at now."""
    CRITICAL = "critical"
    """No calls are handled, or what must not be lost is being lost."""

    @property
    def rank(self) -> int:
        """0 for info, 3 for critical."""
        return list(Grade).index(self)


@frozen(kw_only=True)
class Alarm:
    """An alarm was raised, or is over; subscribers are told it as they are told events."""

    at: float
    """The engine's monotonic time, seconds."""
    name: str
    """What is wrong, in a stable word such as ``link.down``."""
    subject: str
    """With what: a switch, a queue, a cause; may be empty. One name and subject is raised once at a time."""
    state: str
    """``raised`` or ``cleared``."""
    grade: Grade
    cause: str
    """What was seen; in one that is cleared, what was seen when it was raised."""
    suggestion: str
    """What to do about it."""
    queue: QueueId | None = None
    """The queue it is about, if any: whoever may see that one may see this."""
    lasted_s: float = 0.0
    """How long it was raised; 0 while it is."""
