"""A circuit breaker: after so many failures in a row nobody is asked for a while, and then one question is a trial."""

from __future__ import annotations

import math


class Breaker:
    """Pure: the time is handed in, in monotonic seconds.

    Args:
        failures: so many in a row open it.
        pause_s: how long nothing is let through then.
    """

    def __init__(self, failures: int, pause_s: float) -> None:
        self._most = failures
        self._pause_s = pause_s
        self._failures = 0
        self._until = -math.inf

    def lets_through(self, now: float) -> bool:
        """Whether a question may be asked now; the first after a pause is a trial, and the next has to wait for it."""
        if self._failures < self._most:
            return True
        if now < self._until:
            return False
        self._until = now + self._pause_s
        return True

    def worked(self) -> None:
        """A question was answered."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """A question was not answered as it should be."""
        self._failures += 1
        if self._failures >= self._most:
            self._until = now + self._pause_s
