"""Wakes FreeSWITCH's event socket while a call is in a phase where milliseconds count.

FreeSWITCH's listener sleeps up to 20 ms in poll and queued events do not wake it; any byte from us does, and a bare
line feed between commands is a legal no-op (mod_event_socket.c, read_packet and listener_run; measured in
docs/event-socket.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import gevent
from gevent.event import Event

INTERVAL_S: Final = 0.002
"""How often to wake it. FreeSWITCH answers a wake-up after about 1 ms, so twice that adds 1 ms on average."""


class Nudger:
    """A ticker that runs only while it is kept warm.

    Args:
        nudge: writes one line feed; called from this ticker's greenlet.
        interval_s: seconds between two.
    """

    def __init__(self, nudge: Callable[[], None], interval_s: float = INTERVAL_S) -> None:
        self._nudge = nudge
        self._interval_s = interval_s
        self._until = 0.0
        self._warm = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin; idle until warmed."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """End; harmless when not started."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def warm(self, seconds: float) -> None:
        """Tick for at least so many seconds from now."""
        self._until = max(self._until, time.monotonic() + seconds)
        self._warm.set()

    def _run(self) -> None:
        while True:
            self._warm.wait()
            while time.monotonic() < self._until:
                self._nudge()
                gevent.sleep(self._interval_s)
            self._warm.clear()
