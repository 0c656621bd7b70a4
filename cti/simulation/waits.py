"""Waits counted by length, in memory that does not grow with their number."""

from __future__ import annotations

from array import array
from typing import Final

RESOLUTION_S: Final = 0.1
LONGEST_S: Final = 7200.0
"""Longer waits are counted as this long; the longest, the sum and the mean are exact all the same."""


class Waits:
    """A histogram of waits in seconds, from 0 to two hours in steps of a tenth of a second."""

    __slots__ = ("_counts", "count", "longest_s", "sum_s")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (int(LONGEST_S / RESOLUTION_S) + 1)))
        self.count = 0
        self.sum_s = 0.0
        self.longest_s = 0.0

    def add(self, wait_s: float) -> None:
        """Count one."""
        self._counts[min(int(wait_s / RESOLUTION_S), len(self._counts) - 1)] += 1
        self.count += 1
        self.sum_s += wait_s
        self.longest_s = max(self.longest_s, wait_s)

    @property
    def mean_s(self) -> float | None:
        """The mean; None before the first."""
        return self.sum_s / self.count if self.count else None

    def percentile_s(self, share: float) -> float | None:
        """The wait that this share of them (0 to 1) does not exceed, rounded up to the resolution; None before the first."""
        if not self.count:
            return None
        wanted, seen = share * self.count, 0
        for at, number in enumerate(self._counts):
            seen += number
            if number and seen >= wanted:
                if at == len(self._counts) - 1:
                    break
                return min((at + 1) * RESOLUTION_S, self.longest_s)
        return self.longest_s
