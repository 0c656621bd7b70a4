"""So many a second, with a burst after a pause."""

from __future__ import annotations

from attrs import define


@define(eq=False)
class TokenBucket:
    """A token bucket.

    Args:
        per_s: tokens that come back a second.
        burst: the most there can be.
        at: the time now, monotonic seconds.
    """

    per_s: float
    burst: float
    at: float
    tokens: float = -1.0

    def __attrs_post_init__(self) -> None:
        if self.tokens < 0:
            self.tokens = self.burst

    def use(self, per_s: float, burst: float) -> None:
        """From now on so many come back, and so many there can be."""
        self.per_s, self.burst = per_s, burst
        self.tokens = min(self.tokens, burst)

    def take(self, cost: float, now: float) -> bool:
        """Take so many tokens, or none if there are too few; says which.

        What costs more than the whole burst is let through by a full bucket.
        """
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_s)
        self.at = now
        if self.tokens < min(cost, self.burst):
            return False
        self.tokens -= cost
        return True
