"""Which messages there are, in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import astuple, fields

from cti.messages.message_record import HEARD, NEW, RECORDING, MessageRecord

_COLUMNS: Final = tuple(each.name for each in fields(MessageRecord))
_NAMES: Final = ", ".join(_COLUMNS)


class MessageIndex:
    """Which messages there are. Each call opens the file, and blocks for a disk access; threads may share it.

    Args:
        path: the file; made with its directories when it is not there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, kind TEXT, mailbox TEXT, path TEXT, switch TEXT,"
                " interaction TEXT, calling_number TEXT, calling_name TEXT, called_number TEXT, left_at REAL, state TEXT,"
                " length_s REAL, pages INTEGER, size INTEGER, sha256 TEXT, error TEXT, heard_at REAL, heard_by TEXT,"
                " deliveries INTEGER, mailed INTEGER)"
            )
            database.execute("CREATE INDEX IF NOT EXISTS of_mailbox ON message (mailbox, left_at)")
            database.execute("CREATE INDEX IF NOT EXISTS of_state ON message (state, left_at)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
            yield database

    def put(self, record: MessageRecord) -> None:
        """Keep a record, in place of any of the same id."""
        marks = ", ".join("?" * len(_COLUMNS))
        with self._open() as database:
            database.execute(f"INSERT OR REPLACE INTO message ({_NAMES}) VALUES ({marks})", astuple(record))  # noqa: S608 - names of columns

    def get(self, message: str) -> MessageRecord | None:
        """The record of a message; None if there is none."""
        found = self._select("WHERE id = ?", message)
        return found[0] if found else None

    def of(self, mailbox: str) -> list[MessageRecord]:
        """The messages of a mailbox, the oldest first; not those that are still being left."""
        return self._select("WHERE mailbox = ? AND state != ? ORDER BY left_at", mailbox, RECORDING)

    def in_state(self, state: str) -> list[MessageRecord]:
        """The messages in a state, the oldest first."""
        return self._select("WHERE state = ? ORDER BY left_at", state)

    def not_mailed(self) -> list[MessageRecord]:
        """The messages that have yet to be mailed, the oldest first."""
        return self._select("WHERE NOT mailed AND state != ? ORDER BY left_at", RECORDING)

    def heard_before(self, mailbox: str, when: float) -> list[MessageRecord]:
        """The messages of a mailbox that had been heard before a Unix time."""
        return self._select("WHERE mailbox = ? AND state = ? AND heard_at < ?", mailbox, HEARD, when)

    def _select(self, which: str, *values: object) -> list[MessageRecord]:
        with self._open() as database:
            return [MessageRecord(*row) for row in database.execute(f"SELECT {_NAMES} FROM message {which}", values)]  # noqa: S608 - ours

    def change(self, message: str, **values: Any) -> MessageRecord | None:
        """Change some of what is kept of a message; what it is then, or None if it is not there any more."""
        changed = ", ".join(f"{name} = ?" for name in values if name in _COLUMNS)
        with self._open() as database:
            database.execute(f"UPDATE message SET {changed} WHERE id = ?", (*values.values(), message))  # noqa: S608 - names of columns
        return self.get(message)

    def counts(self, mailbox: str) -> tuple[int, int]:
        """How many messages of a mailbox are new, and how many have been heard."""
        with self._open() as database:
            found = dict(
                database.execute("SELECT state, count(*) FROM message WHERE mailbox = ? GROUP BY state", (mailbox,))
            )
        return int(found.get(NEW, 0)), int(found.get(HEARD, 0))

    def forget(self, message: str) -> None:
        """Take a message out."""
        with self._open() as database:
            database.execute("DELETE FROM message WHERE id = ?", (message,))
