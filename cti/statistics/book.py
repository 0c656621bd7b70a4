"""The file of figures by interval."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from cti.statistics.interval import Counted
from cti.store import StateFile

FILE: Final = "figures.sqlite3"
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS interval
        (kind TEXT, name TEXT, begins_at REAL, length_s REAL, figures TEXT, PRIMARY KEY (kind, name, begins_at))""",
    "CREATE INDEX IF NOT EXISTS of_time ON interval (begins_at)",
    "CREATE TABLE IF NOT EXISTS baseline (kind TEXT, name TEXT, figures TEXT, PRIMARY KEY (kind, name))",
    "CREATE TABLE IF NOT EXISTS taken (at REAL)",
)
Key = tuple[str, str]
"""``queue`` or ``agent``, and its name."""


@frozen
class Row:
    """What was counted of one in one interval."""

    kind: str
    name: str
    begins_at: float
    length_s: float
    figures: Counted


@frozen
class Left:
    """What the run before left.

    Args:
        at: when it last looked, Unix seconds; None if nothing did.
        baseline: what everything had been counted to by then.
    """

    at: float | None
    baseline: Mapping[Key, Counted]


class FigureBook:
    """Figures by interval in an SQLite file. Every method blocks for disk accesses, and none but its own greenlet.

    Args:
        directory: where the file is, or will be made.

    Raises:
        ConfigurationError: the file can neither be opened nor made.
    """

    def __init__(self, directory: Path) -> None:
        self._file = StateFile(directory / FILE, _SCHEMA)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def left(self) -> Left:
        """What the run before left."""

        def read(database: sqlite3.Connection) -> Left:
            (at,) = database.execute("SELECT max(at) FROM taken").fetchone()
            rows = database.execute("SELECT kind, name, figures FROM baseline")
            return Left(at, {(kind, name): _read(text) for kind, name, text in rows})

        return self._file.apart(read)

    def write(self, at: float, rows: Iterable[Row], baseline: Mapping[Key, Counted], gone: Iterable[Key]) -> None:
        """Write what was counted and up to where, in one transaction; rows that are there are replaced.

        Raises:
            OSError, sqlite3.Error: the disk does not take it; nothing was written.
        """
        written, left = list(rows), list(gone)

        def write(database: sqlite3.Connection) -> None:
            values = [(row.kind, row.name, row.begins_at, row.length_s, json.dumps(row.figures)) for row in written]
            bases = [(*key, json.dumps(figures)) for key, figures in baseline.items()]
            database.executemany("INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?)", values)
            database.executemany("INSERT OR REPLACE INTO baseline VALUES (?, ?, ?)", bases)
            database.executemany("DELETE FROM baseline WHERE kind = ? AND name = ?", left)
            database.execute("DELETE FROM taken")
            database.execute("INSERT INTO taken VALUES (?)", (at,))

        self._file.apart(write)

    def rows(self, begin: float, end: float, key: Key | None = None, limit: int = -1) -> list[Row]:
        """The intervals that begin within a time, the oldest first; of one, or of all.

        Raises:
            OSError, sqlite3.Error: the disk does not give them.
        """
        kind, name = key or (None, None)

        def read(database: sqlite3.Connection) -> list[Row]:
            found = database.execute(
                "SELECT kind, name, begins_at, length_s, figures FROM interval WHERE begins_at >= ? AND begins_at < ?"
                " AND (? IS NULL OR (kind = ? AND name = ?)) ORDER BY begins_at LIMIT ?",
                (begin, end, kind, kind, name, limit),
            )
            return [Row(of, whose, begin, length, _read(text)) for of, whose, begin, length, text in found]

        return self._file.apart(read)

    def forget(self, before: float) -> None:
        """Delete intervals that began before a time."""
        self._file.apart(lambda database: database.execute("DELETE FROM interval WHERE begins_at < ?", (before,)))


def _read(text: str) -> Counted:
    found = json.loads(text)
    return {str(name): value for name, value in found.items() if isinstance(value, int | float)}
