"""Watches a centre and raises alarms: events as they come, and a look at everything now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import gevent
import gevent.event
import structlog

from cti.alarms import kinds
from cti.alarms.board import AlarmBoard
from cti.alarms.failures import Failures
from cti.alarms.judge import Judge, Observation
from cti.alarms.look import Look
from cti.alarms.rules import CALLED_PARTY, NOT_REGISTERED, observations
from cti.alarms.settings import AlarmSettings
from cti.model import events
from cti.model.trunk import TRUNK_CAUSES
from cti.store.trouble import Trouble

LONGEST_CAUSE: Final = 300
"""Characters of what is said of a cause; it may be a switch's own words."""

_log = structlog.get_logger("cti.alarms")


class Watched(Protocol):
    """What is watched; ``cti.CallCenter`` is one."""

    @property
    def alarms(self) -> AlarmBoard:
        """Where alarms are raised."""
        ...

    def look(self) -> Look:
        """The centre as it is now."""
        ...

    def subscribe(self, handler: Callable[[Any], object], *wanted: type[Any] | str) -> Any:
        """Call ``handler`` with every event of these classes, in a greenlet of its own."""
        ...

    def unsubscribe(self, subscription: Any) -> None:
        """End a subscription."""
        ...


class AlarmWatch:
    """Raises and clears the alarms of docs/alarms.md.

    It can be made before the centre, so that what the centre is made of can tell it of trouble.

    Args:
        settings: from when on something is cause for an alarm.
    """

    def __init__(self, settings: AlarmSettings | None = None) -> None:
        self._settings = settings or AlarmSettings()
        self._kinds = self._settings.kinds
        self._judge = Judge(self._kinds)
        self._failures = Failures(self._settings.window_s)
        self._parts: dict[str, Any] = {}
        self._troubles: dict[str, str] = {}
        self._due = gevent.event.Event()
        self._centre: Watched | None = None
        self._subscription: Any = None
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<AlarmWatch {'of ' + repr(self._centre) if self._centre is not None else 'of nothing yet'}>"

    def start(self, centre: Watched) -> None:
        """Watch a centre from now on, best once it is started. Does not block."""
        self._centre = centre
        for alarm in centre.alarms.raised:
            if alarm.name in self._kinds:
                self._judge.know(Observation(alarm.name, alarm.subject, bad=True, cause=alarm.cause, queue=alarm.queue))
            elif alarm.name in kinds.KINDS:  # never raised any more
                centre.alarms.clear(alarm.name, alarm.subject)
        wanted = (
            events.OfferEnded,
            events.OutOfService,
            events.ConnectionCleared,
            events.RecordingFailed,
            events.InvariantBroken,
            events.SystemStatus,
            events.TrunkStatus,
        )
        self._subscription = centre.subscribe(self._told, *wanted)
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Watch no more; what is raised stays so. Harmless when nothing is watched."""
        if self._greenlet is not None and self._centre is not None:
            self._greenlet.kill()
            self._greenlet = None
            self._centre.unsubscribe(self._subscription)

    def use(self, settings: AlarmSettings) -> None:
        """Go by other settings from now on. What is never raised any more is cleared; failures are counted afresh."""
        gone = self._kinds.keys() - settings.kinds.keys()
        self._settings, self._kinds = settings, settings.kinds
        self._judge.use(self._kinds)
        self._failures = Failures(settings.window_s)
        if self._centre is not None:
            for alarm in self._centre.alarms.raised:
                if alarm.name in gone:
                    self._centre.alarms.clear(alarm.name, alarm.subject)
        self._due.set()

    def part(self, name: str, failed: Any) -> None:
        """Watch a part of the program: ``part.failed`` is raised when it has ended.

        Args:
            name: what it is called, ``api`` say; another part of the same name replaces it.
            failed: an AsyncResult that is set when the part has ended, as ``ApiServer.failed``.
        """
        self._parts[name] = failed

    def trouble(self, name: str) -> Callable[[Trouble], None]:
        """What to hand to whoever writes files, ``Journal(on_trouble=...)``: it raises and clears this alarm.

        Args:
            name: ``journal.trouble`` or ``audit.trouble``.
        """

        def told(trouble: Trouble) -> None:
            if trouble.over:
                self._troubles.pop(name, None)
            else:
                self._troubles[name] = f"{trouble.what}; {trouble.lost} lost so far"
            self._due.set()

        return told

    def look(self) -> None:
        """Look at everything now, and raise and clear what is due. Does not block."""
        if self._centre is None:
            return
        seen = self._centre.look()
        board = self._centre.alarms
        for verdict in self._judge.look(self._observed(seen), seen.at):
            one = verdict.seen
            if not verdict.raised:
                board.clear(one.name, one.subject)
                continue
            kind = self._kinds[one.name]
            board.sound(
                one.name,
                one.subject,
                grade=kind.grade,
                cause=one.cause[:LONGEST_CAUSE],
                suggestion=kind.suggestion,
                queue=one.queue,
            )

    def _observed(self, look: Look) -> Iterator[Observation]:
        yield from observations(look, self._failures.now(look.at), self._settings)
        for name, said in self._troubles.items():
            yield Observation(name, "", bad=True, cause=said)
        for name, failed in self._parts.items():
            if failed.ready() and failed.exception is not None:
                yield Observation(kinds.PART, name, bad=True, cause=f"{name}: {failed.exception!r}")

    def _run(self) -> None:
        while True:
            self._due.clear()
            try:
                self.look()
            except Exception:  # noqa: BLE001 - whoever watches must not be the first to die
                _log.exception("the watch for alarms failed on a look")
                gevent.sleep(self._settings.every_s)
            self._due.wait(max(self._settings.every_s, 0.01))

    def _told(self, event: Any) -> None:
        note = self._failures.note
        match event:
            case events.OfferEnded(outcome="failed") if event.switch_cause not in CALLED_PARTY:
                note(kinds.OFFERS, event.switch_cause, event.agent or "", f"agent {event.agent}", event.at)
            case events.OutOfService():  # found before an offer could fail for it
                note(kinds.OFFERS, NOT_REGISTERED, event.agent or "", f"agent {event.agent}", event.at)
            case events.ConnectionCleared() if event.side != "agent" and event.switch_cause in TRUNK_CAUSES:
                note(kinds.TRUNK, event.switch_cause, event.connection, f"call {event.interaction}", event.at)
            case events.RecordingFailed():
                note(kinds.RECORDING, "", event.path, f"{event.why}, {event.path}", event.at)
            case events.InvariantBroken():
                note(kinds.INVARIANT, "", event.what, event.what, event.at)
            case events.SystemStatus() | events.TrunkStatus():
                self._due.set()
