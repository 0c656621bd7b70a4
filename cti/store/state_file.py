"""An SQLite file for what is to outlive the process; one that is damaged is set aside, and a new one begun."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

import gevent
import structlog

from cti.errors import ConfigurationError

T = TypeVar("T")

CHECKED_BYTES: Final = 256 << 20
"""A larger file is not read through at the start, which takes a second for so many bytes."""
BUSY_S: Final = 10.0
_BESIDE: Final = ("-wal", "-shm")

_log = structlog.get_logger("cti.store")


class StateFile:
    """An SQLite file. Opened for each piece of work, which may be done in any thread, one at a time.

    Args:
        path: the file; made with its directory when it is not there.
        schema: statements that make its tables if they are not there.

    Raises:
        ConfigurationError: it can neither be opened nor set aside: the directory is missing or not ours.
    """

    def __init__(self, path: Path, schema: tuple[str, ...]) -> None:
        self.path = path
        self.set_aside: list[Path] = []
        """The damaged files that were set aside."""
        self._schema = schema
        self._turn = Lock()
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._begin()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"{path} cannot be used: {error}") from None

    def _begin(self) -> None:
        try:
            self._make()
        except sqlite3.OperationalError:
            raise  # not damaged: the disk, the directory
        except sqlite3.DatabaseError as error:
            self._put_aside(error)
            self._make()

    def _make(self) -> None:
        known = self.path.exists()
        with self._open() as database:
            if known and self.path.stat().st_size <= CHECKED_BYTES:
                (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
                if said != "ok":
                    raise sqlite3.DatabaseError(said)
            database.execute("PRAGMA journal_mode=WAL")
            for statement in self._schema:
                database.execute(statement)

    def _put_aside(self, error: Exception) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        self.path.replace(aside)
        for suffix in _BESIDE:
            beside = self.path.with_name(self.path.name + suffix)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + suffix))
        self.set_aside.append(aside)
        _log.error("a damaged file was set aside, and a new one is begun", file=str(aside), why=str(error))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as database, database:
            database.execute("PRAGMA synchronous=NORMAL")
            yield database

    def work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in one transaction. Blocks the thread for disk accesses.

        Should the file turn out to be damaged, it is set aside and the work is done on a new one.

        Raises:
            OSError, sqlite3.Error: the disk does not take it; nothing of it was done.
        """
        with self._turn:
            try:
                with self._open() as database:
                    return work(database)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
                self._make()
                with self._open() as database:
                    return work(database)

    def apart(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same in gevent's thread pool: blocks this greenlet, and no other."""
        done: T = gevent.get_hub().threadpool.apply(self.work, (work,))
        return done
