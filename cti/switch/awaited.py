"""Things FreeSWITCH will report later, by a name we chose before we asked: background jobs and executed applications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from cti.errors import CallGone, CtiError, JobTimeout
from cti.esl import Event

Told = Callable[[Event | CtiError], None]


class Timer(Protocol):
    """A call that was asked for and has not happened yet."""

    def cancel(self) -> None:
        """It shall not happen; harmless when it has, or is happening. Must not block."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Asks for a call after so many seconds."""


@frozen
class _Wait:
    what: str
    channel: str
    told: Told
    timer: Timer


class Awaited:
    """Waits by id (Job-UUID, Application-UUID); each ends once: by its event, its deadline, its channel or the link.

    Args:
        later: the clock of the deadlines.
    """

    def __init__(self, later: Later) -> None:
        self.later = later
        """The clock, for whoever else needs one."""
        self._waits: dict[str, _Wait] = {}
        self._of_channel: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._waits)

    def add(self, awaited: str, what: str, told: Told, *, timeout: float, channel: str = "") -> None:
        """Wait for ``awaited``. ``told`` gets the event, or the error that ended the wait; it must not block.

        Args:
            awaited: the id the event will carry.
            what: what it is, for errors.
            told: whom to tell.
            timeout: seconds until JobTimeout.
            channel: the channel whose end also ends the wait, with CallGone.
        """
        timer = self.later(timeout, lambda: self._late(awaited))
        self._waits[awaited] = _Wait(what, channel, told, timer)
        if channel:
            self._of_channel.setdefault(channel, set()).add(awaited)

    def came(self, awaited: str, event: Event) -> bool:
        """The event came; whether anybody waited for it."""
        return self._end(awaited, event)

    def channel_gone(self, channel: str, cause: str) -> None:
        """The channel ended: whoever waits for something on it is told."""
        for awaited in tuple(self._of_channel.get(channel, ())):
            self._end(awaited, CallGone(channel, cause))

    def forget(self, awaited: str, error: CtiError) -> None:
        """It will not come (the command was refused, say)."""
        self._end(awaited, error)

    def drop(self, awaited: str) -> None:
        """Nobody needs to know any more; nobody is told."""
        self._take(awaited)

    def fail(self, error: CtiError) -> None:
        """Nothing will come any more."""
        for awaited in tuple(self._waits):
            self._end(awaited, error)

    def _late(self, awaited: str) -> None:
        wait = self._waits.get(awaited)
        if wait is not None:
            self._end(awaited, JobTimeout(f"{wait.what} did not report in time"))

    def _end(self, awaited: str, outcome: Event | CtiError) -> bool:
        wait = self._take(awaited)
        if wait is not None:
            wait.told(outcome)
        return wait is not None

    def _take(self, awaited: str) -> _Wait | None:
        wait = self._waits.pop(awaited, None)
        if wait is None:
            return None
        wait.timer.cancel()
        if wait.channel:
            others = self._of_channel[wait.channel]
            others.discard(awaited)
            if not others:
                del self._of_channel[wait.channel]
        return wait
