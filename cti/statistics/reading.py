"""Reads the file of figures by interval from outside the daemon, which may be running: nothing is made or changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cti.errors import ConfigurationError
from cti.statistics.book import FILE, Row, decode
from cti.store.state_file import BUSY_S


def read_rows(directory: Path, begin: float, end: float) -> list[Row]:
    """The intervals that begin within a time, Unix seconds, the oldest first. Blocks the thread for the disk.

    Args:
        directory: where ``figures.sqlite3`` is.
        begin: from then on.
        end: before then.

    Raises:
        ConfigurationError: there is no such file, it cannot be read, or it is damaged; the message says which.
    """
    path = directory / FILE
    if not path.exists():
        raise ConfigurationError(
            f"there is no {path}: the daemon makes it when it runs with that directory as its [state]"
        )
    # Where no daemon is at it there is nothing beside the file, and it can be read where nothing may be written.
    how = "mode=ro" if path.with_name(f"{FILE}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=BUSY_S)) as database:
            found = database.execute(
                "SELECT kind, name, begins_at, length_s, figures FROM interval WHERE begins_at >= ? AND begins_at < ?"
                " ORDER BY begins_at, kind, name",
                (begin, end),
            )
            return [
                Row(kind, name, begins_at, length_s, decode(text)) for kind, name, begins_at, length_s, text in found
            ]
    except (sqlite3.Error, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}; it may be damaged, or another's file") from None
