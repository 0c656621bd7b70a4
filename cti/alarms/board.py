"""What alarms are raised now; each change is logged and told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog
from attrs import evolve

from cti.alarms.alarm import CLEARED, RAISED, Alarm, Grade
from cti.model.ids import QueueId

MOST: Final = 1_000
"""So many alarms are raised at once; what is beyond is logged and not kept: a person reads them."""

_log = structlog.get_logger("cti.alarms")
_LEVEL: Final = {Grade.INFO: "info", Grade.MINOR: "warning", Grade.MAJOR: "error", Grade.CRITICAL: "critical"}


class AlarmBoard:
    """Holds the alarms that are raised. ``AlarmWatch`` writes on it; so may the host application.

    Args:
        tell: takes each alarm raised or cleared; must not block.
        now: the engine's clock.
    """

    def __init__(self, tell: Callable[[Any], object], now: Callable[[], float]) -> None:
        self.now = now
        self._tell = tell
        self._raised: dict[tuple[str, str], Alarm] = {}

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<AlarmBoard: {len(self._raised)} raised>"

    @property
    def raised(self) -> tuple[Alarm, ...]:
        """The alarms that are raised, the oldest first."""
        return tuple(self._raised.values())

    def sound(
        self,
        name: str,
        subject: str = "",
        *,
        grade: Grade,
        cause: str,
        suggestion: str = "",
        queue: QueueId | None = None,
    ) -> bool:
        """Raise an alarm, unless it is raised; says whether it was raised by this. Never blocks."""
        if (name, subject) in self._raised:
            return False
        if len(self._raised) >= MOST:
            _log.critical("too many alarms are raised", alarm=name, subject=subject, cause=cause)
            return False
        alarm = self._raised[name, subject] = Alarm(
            at=self.now(),
            name=name,
            subject=subject,
            state=RAISED,
            grade=grade,
            cause=cause,
            suggestion=suggestion,
            queue=queue,
        )
        log = getattr(_log, _LEVEL[grade])
        log("alarm raised", alarm=name, about=subject, grade=grade.value, cause=cause, suggestion=suggestion)
        self._tell(alarm)
        return True

    def bring_back(self, alarm: Alarm) -> None:
        """It was raised when the run before ended, and is still: nobody is told, for they have been."""
        self._raised.setdefault((alarm.name, alarm.subject), alarm)

    def clear(self, name: str, subject: str = "") -> bool:
        """Clear an alarm; harmless when it is not raised. Says whether it was. Never blocks."""
        raised = self._raised.pop((name, subject), None)
        if raised is None:
            return False
        now = self.now()
        _log.info("alarm cleared", alarm=name, about=subject, after_s=round(now - raised.at, 1))
        self._tell(evolve(raised, at=now, state=CLEARED, lasted_s=max(0.0, now - raised.at)))
        return True
