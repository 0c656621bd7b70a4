"""Calls after a while, in a greenlet of their own."""

from __future__ import annotations

from collections.abc import Callable

import gevent


class GeventTimer:
    """A call that was asked for and has not happened yet.

    Args:
        after_s: seconds until it happens.
        fn: what is called, in a greenlet of its own.
    """

    __slots__ = ("_greenlet",)

    def __init__(self, after_s: float, fn: Callable[[], None]) -> None:
        self._greenlet = gevent.spawn_later(after_s, fn)

    def cancel(self) -> None:
        """It shall not happen; harmless when it has. Never blocks."""
        self._greenlet.kill(block=False)
