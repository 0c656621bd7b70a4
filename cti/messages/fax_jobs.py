"""The faxes that are to be sent, in an SQLite file: they survive a restart."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from attrs import astuple, fields

from cti.messages.fax_job import SENDING, WAITING, FaxJob

_COLUMNS: Final = tuple(each.name for each in fields(FaxJob))
_NAMES: Final = ", ".join(_COLUMNS)


class FaxJobs:
    """Which faxes are to be sent. Each call opens the file, and blocks for a disk access; threads may share it.

    Args:
        path: the file, which the index of messages has made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS fax_job (id TEXT PRIMARY KEY, number TEXT, path TEXT, calling_number TEXT,"
                " station TEXT, created_at REAL, most_tries INTEGER, pause_s REAL, state TEXT, tries INTEGER, next_at REAL,"
                " pages INTEGER, total_pages INTEGER, code INTEGER, text TEXT, remote TEXT, ended_at REAL)"
            )
            if "mailbox" not in {row[1] for row in database.execute("PRAGMA table_info(fax_job)")}:
                database.execute("ALTER TABLE fax_job ADD COLUMN mailbox TEXT NOT NULL DEFAULT ''")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
            yield database

    def put(self, job: FaxJob) -> None:
        """Keep a job, in place of any of the same id."""
        marks = ", ".join("?" * len(_COLUMNS))
        with self._open() as database:
            database.execute(f"INSERT OR REPLACE INTO fax_job ({_NAMES}) VALUES ({marks})", astuple(job))  # noqa: S608 - names of columns

    def get(self, job: str) -> FaxJob | None:
        """A job; None if there is none of this id."""
        found = self._select("WHERE id = ?", job)
        return found[0] if found else None

    def waiting(self) -> list[FaxJob]:
        """Those that wait for a try, the next first."""
        return self._select("WHERE state = ? ORDER BY next_at, created_at", WAITING)

    def all(self) -> list[FaxJob]:
        """Every job, the newest first."""
        return self._select("WHERE 1 ORDER BY created_at DESC")

    def take_up(self) -> None:
        """What was being sent as the run before ended waits again; that try counts."""
        with self._open() as database:
            database.execute("UPDATE fax_job SET state = ? WHERE state = ?", (WAITING, SENDING))

    def forget_before(self, when: float) -> list[FaxJob]:
        """Take out what had ended before a Unix time, and return it."""
        gone = self._select("WHERE ended_at > 0 AND ended_at < ?", when)
        with self._open() as database:
            database.executemany("DELETE FROM fax_job WHERE id = ?", [(job.id,) for job in gone])
        return gone

    def _select(self, which: str, *values: object) -> list[FaxJob]:
        with self._open() as database:
            return [FaxJob(*row) for row in database.execute(f"SELECT {_NAMES} FROM fax_job {which}", values)]  # noqa: S608 - ours
