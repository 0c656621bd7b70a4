"""Failures of the last minutes, counted by kind of alarm and by what they are about."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from attrs import define, frozen

SUBJECTS: Final = 100
"""So many causes are told apart; failures for others are counted together."""
REMEMBERED: Final = 1_000
"""So many failures of one cause are remembered; no limit for an alarm needs more."""
OTHERS: Final = "other causes"


@frozen
class Failed:
    """How often something failed of late, with how many different ones, and what was said of the last."""

    name: str
    subject: str
    times: int
    different: int
    last: str


@define
class _Past:
    when: deque[tuple[float, str]]
    last: str = ""


class Failures:
    """Counts failures of the last ``window_s`` seconds."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._past: dict[tuple[str, str], _Past] = {}

    def note(self, name: str, subject: str, whose: str, said: str, now: float) -> None:
        """One more failure.

        Args:
            name: of the alarm it may be cause for.
            subject: what it is about.
            whose: an agent, a leg: different ones are counted.
            said: what is known of it.
            now: when.
        """
        key = (name, subject) if (name, subject) in self._past or len(self._past) < SUBJECTS else (name, OTHERS)
        past = self._past.setdefault(key, _Past(deque(maxlen=REMEMBERED)))
        past.when.append((now, whose))
        past.last = said

    def now(self, now: float) -> Iterator[Failed]:
        """The failures that are not too long ago, by name and subject."""
        for (name, subject), past in list(self._past.items()):
            while past.when and now - past.when[0][0] > self._window_s:
                past.when.popleft()
            if past.when:
                yield Failed(name, subject, len(past.when), len({whose for _, whose in past.when}), past.last)
            else:
                del self._past[name, subject]
