"""Sessions on the disk, so that a restart logs nobody out: hashes of tokens, never a token."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import gevent
import gevent.event
import gevent.lock
import structlog
from attrs import frozen

from cti.errors import ConfigurationError
from cti.store import StateFile
from cti.web.accounts import Account

USED_EVERY_S: Final = 30.0
"""How often it is written when sessions were used last: by so much one may end too early after a crash."""
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS session
        (hash BLOB PRIMARY KEY, account TEXT NOT NULL, fingerprint TEXT NOT NULL, began_at REAL NOT NULL,
         used_at REAL NOT NULL)""",
)

_log = structlog.get_logger("cti.web")


@frozen
class KeptSession:
    """A session as it is kept.

    Args:
        hash: of its token.
        account: the account's name.
        fingerprint: of the account as it was at log-in: one that has been changed since is another.
        began_at: Unix seconds, as the next.
        used_at: when the last request came.
    """

    hash: bytes
    account: str
    fingerprint: str
    began_at: float
    used_at: float


class SessionStore:
    """Keeps sessions in a file of their own, written in another thread.

    Args:
        path: the file; made, for its owner alone, if it is not there. One that is damaged is set aside.
        clock: Unix seconds.

    Raises:
        ConfigurationError: it can neither be opened nor made.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._file = StateFile(path, _SCHEMA)
        path.chmod(0o600)
        self._due: dict[bytes, KeptSession | None] = {}
        self._more = gevent.event.Event()
        self._turn = gevent.lock.Semaphore()
        self._failing = False

    def read(self) -> list[KeptSession]:
        """Every session, the oldest first. Blocks the thread for the disk.

        Raises:
            ConfigurationError: the disk does not give it, or it is a database of somebody else's.
        """

        def read(database: sqlite3.Connection) -> list[KeptSession]:
            found = database.execute(
                "SELECT hash, account, fingerprint, began_at, used_at FROM session ORDER BY began_at, used_at"
            )
            return [made for row in found if (made := _session(row)) is not None]

        try:
            return self._file.work(read)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"{self._file.path} cannot be read: {error}; move it away") from None

    def keep(self, session: KeptSession) -> None:
        """Write down a session, or when it was used; soon, see ``write``."""
        self._due[session.hash] = session
        self._more.set()

    def forget(self, hash_: bytes) -> None:
        """Take out a session; soon, see ``write``."""
        self._due[hash_] = None
        self._more.set()

    def write(self) -> None:
        """Write what is due. Blocks this greenlet until it is on the disk, or has failed.

        A failure is logged, once until it is over; then it is tried again with what comes next.
        """
        with self._turn:
            due, self._due = self._due, {}
            if not due:
                return
            try:
                gevent.get_hub().threadpool.apply(self._file.work, (lambda database: _write(database, due),))
            except (OSError, sqlite3.Error) as error:
                self._due = {**due, **self._due}
                if not self._failing:
                    _log.error("sessions cannot be written; a restart will log people out", why=str(error))
                self._failing = True
            else:
                if self._failing:
                    _log.info("sessions are written again")
                self._failing = False

    def run(self, used: Callable[[], Iterator[KeptSession]]) -> None:
        """Write what is due as it comes, and every half minute what is used, until killed. Blocks this greenlet."""
        until = time.monotonic() + USED_EVERY_S
        while True:
            self._more.wait(max(0.0, until - time.monotonic()))
            self._more.clear()
            if time.monotonic() >= until:
                self._due = {**{session.hash: session for session in used()}, **self._due}
                until = time.monotonic() + USED_EVERY_S
            self.write()


def fingerprint(account: Account) -> str:
    """What tells whether an account is still what it was; nothing can be read out of it."""
    grant = account.grant
    said = [
        account.password,
        grant.role.value,
        *(sorted(names) for names in (grant.agents, grant.queues, grant.methods)),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _write(database: sqlite3.Connection, due: Mapping[bytes, KeptSession | None]) -> None:
    database.executemany("DELETE FROM session WHERE hash = ?", [(hash_,) for hash_ in due])
    database.executemany(
        "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
        [
            (one.hash, one.account, one.fingerprint, one.began_at, one.used_at)
            for one in due.values()
            if one is not None
        ],
    )


def _session(row: tuple[object, ...]) -> KeptSession | None:
    """None for a row that is not ours: SQLite does not hold to the types of its columns."""
    match row:
        case (bytes() as hash_, str() as account, str() as print_, float() as began_at, float() as used_at):
            return KeptSession(hash_, account, print_, began_at, used_at)
    return None
