"""The file of figures by interval."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
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


@frozen
class Entry:
    """What is to be written. Nothing in it may be changed any more: another thread reads it.

    Args:
        at: up to when it was counted, Unix seconds.
        length_s: how long an interval is.
        intervals: what was counted, by the beginnings of the intervals.
        baseline: what everything has been counted to.
        changed: of these, what is to be written.
        gone: what there is no more.
    """

    at: float
    length_s: float
    intervals: Mapping[float, Mapping[Key, Counted]]
    baseline: Mapping[Key, Counted]
    changed: frozenset[Key]
    gone: frozenset[Key]


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
            return Left(at, {(kind, name): decode(text) for kind, name, text in rows})

        return self._file.apart(read)

    def write(self, made: Entry) -> None:
        """Write what was counted and up to where, in one transaction; rows that are there are replaced.

        Raises:
            OSError, sqlite3.Error: the disk does not take it; nothing was written.
        """

        def write(database: sqlite3.Connection) -> None:
            values = [
                (*key, begin, made.length_s, encode(figures))
                for begin, all_of in made.intervals.items()
                for key, figures in all_of.items()
                if key in made.changed
            ]
            bases = [(*key, encode(made.baseline[key])) for key in made.changed if key in made.baseline]
            database.executemany("INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?)", values)
            database.executemany("INSERT OR REPLACE INTO baseline VALUES (?, ?, ?)", bases)
            database.executemany("DELETE FROM baseline WHERE kind = ? AND name = ?", list(made.gone))
            database.execute("DELETE FROM taken")
            database.execute("INSERT INTO taken VALUES (?)", (made.at,))

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
            return [Row(of, whose, begin, length, decode(text)) for of, whose, begin, length, text in found]

        return self._file.apart(read)

    def forget(self, before: float) -> None:
        """Delete intervals that began before a time."""
        self._file.apart(lambda database: database.execute("DELETE FROM interval WHERE begins_at < ?", (before,)))


def encode(figures: Counted) -> str:
    """Figures as they stand in the file."""
    return msgspec.json.encode(figures).decode()


def decode(text: str) -> Counted:
    """The same again; what is no number is left out.

    Raises:
        ValueError: it is not JSON.
    """
    found = msgspec.json.decode(text)
    return {str(name): value for name, value in found.items() if isinstance(value, int | float)}
