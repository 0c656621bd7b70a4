"""A mean and how far it can be trusted, when each value depends on those before it: the method of batch means."""

from __future__ import annotations

import math
from typing import Final

BATCHES: Final = 20
T_99: Final = 2.878
"""Student's t, two-sided 99 %, for 18 degrees of freedom: 19 batches, since the first is left out."""


class BatchMeans:
    """Splits so many numbered values into 20 batches; the first, in which the centre fills up, is left out.

    Waits of calls that follow each other are alike, so the spread of single waits says little; the means of long
    batches are nearly independent.

    Args:
        total: how many values there will be.
    """

    __slots__ = ("_counts", "_size", "_sums")

    def __init__(self, total: int) -> None:
        self._size = max(1, math.ceil(total / BATCHES))
        self._sums = [0.0] * BATCHES
        self._counts = [0] * BATCHES

    def add(self, number: int, value: float) -> None:
        """Take the value of the thing of this number, from 1."""
        batch = min((number - 1) // self._size, BATCHES - 1)
        self._sums[batch] += value
        self._counts[batch] += 1

    @property
    def mean(self) -> float | None:
        """The mean of the batches' means; None while one has no value."""
        means = self._means()
        return sum(means) / len(means) if means else None

    @property
    def half_width(self) -> float | None:
        """Half the width of the 99 % confidence interval; None while a batch has no value."""
        means = self._means()
        if not means:
            return None
        mean = sum(means) / len(means)
        variance = sum((one - mean) ** 2 for one in means) / (len(means) - 1)
        return T_99 * math.sqrt(variance / len(means))

    def _means(self) -> list[float]:
        if not all(self._counts[1:]):
            return []
        return [total / count for total, count in zip(self._sums[1:], self._counts[1:], strict=True)]
