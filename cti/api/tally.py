"""How many requests there were and how many were refused, and the log of refusals: one line a second of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

LOG_EVERY_S: Final = 1.0

_log = structlog.get_logger("cti.api")


class Tally:
    """Counts; a flood of refusals becomes one line a second, never a payload."""

    def __init__(self) -> None:
        self.requests = 0
        self.unsent = 0
        """Messages that were dropped because their receiver does not read, or is gone."""
        self._refused: Counter[str] = Counter()
        self._silent_until: dict[tuple[str, str], float] = {}
        self._unsaid: Counter[tuple[str, str]] = Counter()

    @property
    def refused(self) -> Mapping[str, int]:
        """Code -> how many requests were refused with it."""
        return self._refused

    def refuse(self, code: str, who: str, now: float, *, method: str = "") -> None:
        """Count a refusal, and log it unless the same was logged within the last second."""
        self._refused[code] += 1
        if now < self._silent_until.get((who, code), 0.0):
            self._unsaid[who, code] += 1
            return
        self._silent_until[who, code] = now + LOG_EVERY_S
        _log.info("a request was refused", key=who, code=code, method=method, unsaid=self._unsaid.pop((who, code), 0))

    def expire(self, now: float) -> None:
        """Forget who was silenced: keys come and go."""
        for one in [one for one, until in self._silent_until.items() if until <= now]:
            del self._silent_until[one]
            self._unsaid.pop(one, None)
