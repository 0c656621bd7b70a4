"""A bounded queue between a link and a handler that is slower than the switch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import gevent
import gevent.event
import structlog

from cti.errors import FellBehind
from cti.esl import Frame

MAX_EVENTS: Final = 20_000
"""A fifth of what FreeSWITCH itself would queue for us: we are the first to notice."""
MAX_BYTES: Final = 64 << 20

_log = structlog.get_logger("cti.switch")


class Backlog:
    """Hands frames to a handler in a greenlet of its own, so that the reader of the link never waits.

    Its policy when full: nothing is dropped silently. ``put`` raises FellBehind, which ends the link (see
    ``Link.on_event``); what was queued is still handed out, and whoever keeps the link connects anew and takes a
    snapshot.

    Args:
        handler: called with each frame, in order; may block. What it raises is logged.
        max_events: the most frames that may wait.
        max_bytes: the most bytes that their bodies may have together.
    """

    def __init__(
        self, handler: Callable[[Frame], object], *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES
    ) -> None:
        self._handler = handler
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._line: deque[Frame] = deque()
        self._bytes = 0
        self._due = gevent.event.Event()
        self._greenlet = gevent.spawn(self._run)

    def __len__(self) -> int:
        return len(self._line)

    def put(self, frame: Frame) -> None:
        """Add a frame. Never blocks.

        Raises:
            FellBehind: there is no room for it.
        """
        size = len(frame.body or b"")
        if len(self._line) >= self._max_events or (self._line and self._bytes + size > self._max_bytes):
            raise FellBehind(f"{len(self._line)} events ({self._bytes} bytes) wait for a handler that is too slow")
        self._line.append(frame)
        self._bytes += size
        self._due.set()

    def stop(self) -> None:
        """End it; what waits is not handed out."""
        self._greenlet.kill(block=False)
        self._line.clear()
        self._bytes = 0

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            while self._line:
                frame = self._line.popleft()
                self._bytes -= len(frame.body or b"")
                try:
                    self._handler(frame)
                except Exception:  # noqa: BLE001 - a host's own code may raise anything
                    _log.exception("an event handler failed", frame=frame.content_type)
