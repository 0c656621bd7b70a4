"""The numbers of events: an epoch, in it 1, 2, 3, ..., and which number a moment had."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final

REMEMBERED: Final = 10_000
"""Times of the last events, to say which number a snapshot is true at: many more than come while one is taken."""


class Numbering:
    """Numbers events. A new epoch says: nothing you know counts any more, take a snapshot.

    Args:
        clock: the engine's, monotonic seconds.
        wall_clock: Unix seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.now = clock
        self._wall_now = wall_clock
        self.epoch = ""
        self.seq = 0
        self._times: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self.begin()

    def begin(self) -> None:
        """Begin a new epoch."""
        self.epoch = uuid.uuid4().hex
        self.seq = 0
        self._times.clear()

    def next(self, at: float) -> int:
        """Number the next event.

        Args:
            at: when it happened, the engine's time.
        """
        self.seq += 1
        self._times.append((self.seq, at))
        return self.seq

    def wall(self, at: float) -> float:
        """The engine's time as Unix seconds."""
        return self._wall_now() - (self.now() - at)

    def at(self, moment: float) -> int:
        """The number of the last event that had happened by a moment, which must not be long ago."""
        for seq, at in reversed(self._times):
            if at <= moment:
                return seq
        return self.seq - len(self._times)
