"""Time for the simulation: the protocol everything here is driven by, and the virtual clock that can run a day in a second."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Protocol

# 2026-01-01 00:00:00 UTC: a fixed day, so that the same seed gives the same bytes on any day.
VIRTUAL_EPOCH_S = 1_767_225_600.0


class Handle(Protocol):
    """A call that was asked for and has not happened yet."""

    def cancel(self) -> None:
        """Makes the call never happen; nothing at all when it already has."""


class Scheduler(Protocol):
    """Where the simulation gets its time from, and how it waits."""

    epoch_s: float
    """The wall clock, in seconds since 1970, when :meth:`now` was 0."""

    def now(self) -> float:
        """The monotonic time in seconds."""

    def call_later(self, delay_s: float, fn: Callable[..., Any], *args: Any) -> Handle:
        """Calls ``fn(*args)`` once, ``delay_s`` seconds from now, never before this method has returned."""


class _Entry(list[Any]):
    """``[at_s, number, fn, args]``: a list, so that the heap compares two of them without coming back to Python."""

    __slots__ = ()

    def cancel(self) -> None:
        self[2] = None
        self[3] = ()


class VirtualScheduler:
    """A clock that moves only when told to; calls due at the same instant happen in the order they were asked for."""

    def __init__(self, *, epoch_s: float = VIRTUAL_EPOCH_S) -> None:
        self.epoch_s = epoch_s
        self._now = 0.0
        self._number = 0
        self._heap: list[_Entry] = []

    def now(self) -> float:
        """The virtual time in seconds; it starts at 0."""
        return self._now

    def call_later(self, delay_s: float, fn: Callable[..., Any], *args: Any) -> Handle:
        """Asks for ``fn(*args)`` at ``delay_s`` seconds from now; a negative delay means now."""
        self._number += 1
        entry = _Entry((self._now + delay_s if delay_s > 0 else self._now, self._number, fn, args))
        heapq.heappush(self._heap, entry)
        return entry

    def run_next(self) -> bool:
        """Moves to the next call and makes it; False when there is none."""
        while self._heap:
            at_s, _, fn, args = heapq.heappop(self._heap)
            if fn is not None:
                self._now = at_s
                fn(*args)
                return True
        return False

    def run_until(self, at_s: float) -> None:
        """Makes every call due up to and including ``at_s`` and leaves the clock there."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= at_s:
            due_s, _, fn, args = pop(heap)
            if fn is not None:
                self._now = due_s
                fn(*args)
        self._now = max(self._now, at_s)

    def run_for(self, duration_s: float) -> None:
        """Makes every call due in the next ``duration_s`` seconds."""
        self.run_until(self._now + duration_s)
