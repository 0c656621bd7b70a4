"""FreeSWITCH's HEARTBEAT: that its event system lives, and what it says of itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from cti.esl import Event


class Heartbeat:
    """Follows the HEARTBEAT events of one connection (every 20 s unless switch.conf.xml says otherwise).

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_at: float | None = None
        self._longest_s = 0.0
        self.sessions: int | None = None
        """How many channels FreeSWITCH had at the last one (``Session-Count``); None before the first."""

    def came(self, event: Event) -> None:
        """Take note of one."""
        now = self._clock()
        if self._last_at is not None:
            self._longest_s = max(self._longest_s, now - self._last_at)
        self._last_at = now
        count = event.text("Session-Count") or ""
        self.sessions = int(count) if count.isdecimal() else None

    def missed(self, at_most: int) -> bool:
        """Whether more than ``at_most`` in a row are missing; never before two have shown how often they come."""
        if self._last_at is None or not self._longest_s:
            return False
        return self._clock() - self._last_at > self._longest_s * (at_most + 1)
