"""Token buckets by name, for those who are not known yet: no more of them than memory is meant to hold."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from cti.api.token_bucket import TokenBucket

KEPT: Final = 10_000
"""Buckets that are remembered; the longest unused is forgotten first, and is full again when it comes back."""


class Buckets:
    """A bucket for each name.

    Args:
        per_s: tokens that come back a second.
        burst: the most there can be.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._buckets)

    def use(self, per_s: float, burst: float) -> None:
        """From now on so many come back, and so many there can be, in those that are remembered too."""
        self._per_s, self._burst = per_s, burst
        for bucket in self._buckets.values():
            bucket.use(per_s, burst)

    def take(self, name: str, now: float, cost: float = 1.0) -> bool:
        """Take tokens of a name's bucket; says whether there were enough."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._per_s, self._burst, now)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(cost, now)

    def give_back(self, name: str, cost: float = 1.0) -> None:
        """Put back what was taken for nothing."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.tokens = min(self._burst, bucket.tokens + cost)
