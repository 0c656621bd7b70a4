"""The service level of a queue's last calls: what borrowing and deficits go by."""

from __future__ import annotations

from collections import deque
from typing import Final

from attrs import define, field

CALLS: Final = 100
"""How many of the last calls count."""


@define
class ServiceLevel:
    """The share of the last 100 calls that were answered in time.

    A call counts once: when it is answered in time, or when its time is up while it waits. One that was abandoned
    before does not count.
    """

    _last: deque[bool] = field(factory=lambda: deque(maxlen=CALLS))
    _in_time: int = 0

    def note(self, *, in_time: bool) -> None:
        """Count a call."""
        if len(self._last) == CALLS:
            self._in_time -= self._last[0]
        self._last.append(in_time)
        self._in_time += in_time

    @property
    def share(self) -> float | None:
        """From 0 to 1; None before the first call."""
        return self._in_time / len(self._last) if self._last else None
