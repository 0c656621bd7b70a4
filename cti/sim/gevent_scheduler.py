"""Real time for the simulation, on gevent's loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent.hub import get_hub

from cti.sim.scheduler import Handle


class _Timer:
    __slots__ = ("_timer",)

    def __init__(self, timer: Any) -> None:
        self._timer = timer

    def cancel(self) -> None:
        """Stops the loop's timer."""
        self._timer.stop()
        self._timer.close()


class GeventScheduler:
    """The monotonic clock and the loop's own timers; calls run in the hub and must not block."""

    def __init__(self) -> None:
        self.epoch_s = time.time() - time.monotonic()

    def now(self) -> float:
        """The monotonic time in seconds."""
        return time.monotonic()

    def call_later(self, delay_s: float, fn: Callable[..., Any], *args: Any) -> Handle:
        """Asks the loop for ``fn(*args)``; an exception in it is printed by the hub and stops nothing."""
        timer = get_hub().loop.timer(max(delay_s, 0.0))

        def fire() -> None:
            timer.close()
            fn(*args)

        # update=True: the loop's idea of "now" may be old when a greenlet has computed for long.
        timer.start(fire, update=True)
        return _Timer(timer)
