"""How long to wait before the next attempt, so that a switch that comes back is not met by all its clients at once."""

from __future__ import annotations

import random


class BackOff:
    """Doubles the wait from attempt to attempt, and takes up to a half of it off by chance.

    Args:
        shortest_s: the first wait.
        longest_s: no wait is longer; a link that was up for so long starts again with the shortest.
        chance: where the jitter comes from.
    """

    def __init__(self, shortest_s: float, longest_s: float, chance: random.Random | None = None) -> None:
        self._shortest_s = shortest_s
        self._longest_s = longest_s
        self._chance = chance or random.Random()
        self._next_s = shortest_s

    def wait_s(self) -> float:
        """Return how many seconds to wait now."""
        wait_s = self._next_s * self._chance.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s

    def was_up(self, for_s: float) -> None:
        """The link was up for so many seconds; one that breaks again and again does not start with the shortest."""
        if for_s >= self._longest_s:
            self._next_s = self._shortest_s
