"""One outcome that greenlets wait for: a value or an error, set once."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

import gevent.event

T = TypeVar("T")


class Promise(Generic[T]):
    """A value that comes later. The first outcome counts; later ones are ignored."""

    def __init__(self) -> None:
        self._result: gevent.event.AsyncResult[T] = gevent.event.AsyncResult()

    @property
    def settled(self) -> bool:
        """Whether there is an outcome."""
        return self._result.ready()

    def settle(self, outcome: T | Exception) -> None:
        """Set the outcome; an exception is raised in whoever waits. Never blocks."""
        if self._result.ready():
            return
        if isinstance(outcome, Exception):
            self._result.set_exception(outcome)
        else:
            self._result.set(outcome)

    def wait(self, timeout: float | None = None) -> T:
        """Return the value. Blocks this greenlet for at most ``timeout`` seconds.

        Raises:
            gevent.Timeout: no outcome in time.
            Exception: the outcome, when it is an error.
        """
        return cast(T, self._result.get(timeout=timeout))
