"""How many phones ring for one call."""

from __future__ import annotations

from attrs import field, frozen

from cti.model.validate import count, seconds


@frozen
class Ringing:
    """How many agents are offered one call at the same time; the first to answer gets it.

    Args:
        at_once: how many at first.
        more_every_s: after each so many seconds one more; None for no more.
        most: never more than this.
    """

    at_once: int = field(default=1, validator=count)
    more_every_s: float | None = field(default=None, validator=seconds)
    most: int = field(default=1, validator=count)

    def allowed(self, ringing_s: float) -> int:
        """How many, after a call has been offered for so many seconds."""
        if self.more_every_s is None:
            return min(self.at_once, self.most)
        if not self.more_every_s:
            return self.most
        # As with widening: a timer may fire a rounding error early.
        return min(self.at_once + int((ringing_s + 1e-6) / self.more_every_s), self.most)


ONE = Ringing()
"""One agent at a time."""
