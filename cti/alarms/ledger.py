"""Alarms on the disk: when each was raised and cleared, so that a restart knows what is raised."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import gevent
import structlog

from cti.alarms.alarm import RAISED, Alarm, Grade
from cti.alarms.board import AlarmBoard
from cti.alarms.kinds import KINDS
from cti.store import StateFile

FILE: Final = "alarms.sqlite3"
KEPT: Final = 10_000
"""So many cleared alarms are kept."""
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS alarm
        (name TEXT, subject TEXT, grade TEXT, cause TEXT, suggestion TEXT, queue TEXT, raised_at REAL, cleared_at REAL)""",
    "CREATE INDEX IF NOT EXISTS of_subject ON alarm (name, subject, cleared_at)",
)
_OPEN_NAMES: Final = "SELECT DISTINCT name FROM alarm WHERE cleared_at IS NULL"

_log = structlog.get_logger("cti.alarms")


class AlarmLedger:
    """Writes down alarms as they are raised and cleared, in another thread. A subscriber: ``take``.

    Args:
        directory: where its file is, or will be made.
        clock: Unix seconds.

    Raises:
        ConfigurationError: the file can neither be opened nor made.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = StateFile(directory / FILE, _SCHEMA)
        self._clock = clock

    def bring_back(self, board: AlarmBoard) -> None:
        """Raise again, without a word to anybody, what was raised when the run before ended. Blocks for the disk.

        Only what ``AlarmWatch`` looks at, and clears when it is over; what a host raised it raises anew.
        """

        def read(database: sqlite3.Connection) -> list[tuple[str, str, str, str, str, str | None, float]]:
            database.executemany(
                "UPDATE alarm SET cleared_at = ? WHERE cleared_at IS NULL AND name = ?",
                [(self._clock(), name) for (name,) in database.execute(_OPEN_NAMES) if name not in KINDS],
            )
            return database.execute(
                "SELECT name, subject, grade, cause, suggestion, queue, raised_at FROM alarm WHERE cleared_at IS NULL"
                " ORDER BY raised_at"
            ).fetchall()

        behind = self._clock() - board.now()
        for name, subject, grade, cause, suggestion, queue, raised_at in self._file.work(read):
            board.bring_back(
                Alarm(
                    at=raised_at - behind,
                    name=name,
                    subject=subject,
                    state=RAISED,
                    grade=Grade(grade),
                    cause=cause,
                    suggestion=suggestion,
                    queue=queue,  # type: ignore[arg-type] # an id is text
                )
            )

    def take(self, alarm: Alarm) -> None:
        """Write down an alarm that was raised or cleared. Blocks this greenlet for the disk."""
        now, of = self._clock(), (alarm.name, alarm.subject)

        def write(database: sqlite3.Connection) -> None:
            database.execute(
                "UPDATE alarm SET cleared_at = ? WHERE name = ? AND subject = ? AND cleared_at IS NULL", (now, *of)
            )
            if alarm.state == RAISED:
                values = (*of, alarm.grade.value, alarm.cause, alarm.suggestion, alarm.queue, now)
                database.execute("INSERT INTO alarm VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", values)
            database.execute(
                "DELETE FROM alarm WHERE cleared_at IS NOT NULL AND rowid <= (SELECT max(rowid) FROM alarm) - ?",
                (KEPT,),
            )

        try:
            gevent.get_hub().threadpool.apply(self._file.work, (write,))
        except (OSError, sqlite3.Error) as error:
            _log.error("an alarm cannot be written down", alarm=alarm.name, why=str(error))
