"""A call that FreeSWITCH's ``socket`` application handed over, controlled over that very connection."""

from __future__ import annotations

import time

import gevent
import gevent.event

from cti.errors import CallGone, CommandRejected, CtiError
from cti.esl import Event
from cti.script.control import Running
from cti.script.keys import Keys
from cti.switch.outbound import OutboundSession


class SocketControl:
    """The call of one outbound session; a Control. One greenlet waits at a time.

    Args:
        session: connected, ``async`` and ``full``; its ``on_event`` is taken over (and the one before it still called).

    Raises:
        CommandRejected: it is not ``async full``: such a session hears no key while something plays.
    """

    def __init__(self, session: OutboundSession) -> None:
        if session.mode != "async" or not session.full:
            raise CommandRejected("socket", "a script needs `async full`: add both words to the dialplan's application")
        self.keys = Keys()
        self.cause: str | None = None
        self._session = session
        self._changed = gevent.event.Event()
        self._before = session.on_event
        session.on_event = self._take
        session.myevents()
        gevent.spawn(self._watch)

    def now(self) -> float:
        """See Control."""
        return time.monotonic()

    def check(self) -> None:
        """See Control."""
        if self.cause is not None:
            raise CallGone(self._session.uuid, self.cause)
        self._session.raise_if_gone()

    def gone(self, cause: str) -> CtiError:
        """See Control."""
        if self.cause is None:
            self.cause = cause
            self.keys.flush()
            self._changed.set()
        return CallGone(self._session.uuid, self.cause)

    def start(self, application: str, argument: str, timeout: float) -> Running:
        """See Control. The session's own verb waits, in a greenlet of its own."""
        self.check()
        running = Running(application)

        def execute() -> None:
            try:
                running.outcome = self._session.execute(application, argument, wait=True, timeout=timeout)
            except CtiError as error:
                running.outcome = error
            self._changed.set()

        gevent.spawn(execute)
        return running

    def wait(self, running: Running | None, *, key: bool, until: float) -> None:
        """See Control."""
        while True:
            self.check()
            if (running is not None and running.outcome is not None) or (key and self.keys):
                return
            left_s = until - time.monotonic()
            if left_s <= 0:
                return
            self._changed.clear()
            self._changed.wait(left_s)

    def stop(self) -> None:
        """See Control."""
        self._session.stop_playing()

    def set_variable(self, name: str, value: str) -> None:
        """See Control."""
        self.check()
        self._session.set_variable(name, value)

    def variable(self, name: str) -> str | None:
        """See Control."""
        self.check()
        return self._session.variable(name)

    def api(self, command: str, argument: str) -> str:
        """See Control."""
        self.check()
        return self._session.api(command, argument)

    def answer(self) -> None:
        """See Control."""
        self._session.answer()

    def _take(self, event: Event) -> None:
        if event.name == "DTMF" and event.text("Unique-ID") == self._session.uuid and self.cause is None:
            self.keys.pressed(event.text("DTMF-Digit") or "", time.monotonic())
            self._changed.set()
        if self._before is not None:
            self._before(event)

    def _watch(self) -> None:
        """Whoever waits for a key is told of the hang-up, too."""
        while not self._session.wait_gone(3600):
            pass
        self.gone(self._session.cause)
