"""Histories of past interactions in SQL: found by number, agent, queue and time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.event
import structlog
from attrs import asdict, fields, frozen
from gevent.threadpool import ThreadPool

from cti.errors import ConfigurationError
from cti.model.history import InteractionHistory, LeftOutRecord, SegmentRecord
from cti.store.plain import packer, plain, unpack

if TYPE_CHECKING:
    import sqlalchemy

HISTORY_FILE: Final = "history.db"
"""The file of a daemon's histories, unless it has another database."""
MOST_FOUND: Final = 1000
"""How many a search returns at most."""
BATCH: Final = 500
"""So many are written in one transaction."""
MOST_WAITING: Final = 100_000
"""So many wait to be written while the database cannot be; then the oldest are dropped, counted and logged."""
AGAIN_S: Final = 2.0
"""How long after a failure is it tried again?"""
DAY_S: Final = 86_400.0

_APART: Final = frozenset({"segments", "recordings"})
"""Not in the table of interactions: segments have one of their own, and of recordings their index says what there is."""
_PACKED: Final = ("agents", "data", "left_out")
_log = structlog.get_logger("cti.history")


@frozen
class _Tables:
    interaction: sqlalchemy.Table
    segment: sqlalchemy.Table


class HistoryStore:
    """Keeps what InteractionEnded tells, in a database. Handed to CallCenter.

    Its two tables, ``interaction`` and ``segment``, are there to be read by other programs too.

    Args:
        url: as SQLAlchemy writes it: ``sqlite:////var/lib/cti/history.db``, ``postgresql+psycopg://...``; or the path of an
            SQLite file. The tables are made when they are not there.
        keep_days: what ended longer ago is deleted, once an hour; None keeps all.

    Raises:
        ConfigurationError: the database cannot be opened, or SQLAlchemy or its driver is not installed.
    """

    def __init__(self, url: str, *, keep_days: float | None = None) -> None:
        self.keep(keep_days)
        try:
            import sqlalchemy  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError("a history store needs SQLAlchemy; install cti[history]") from None
        self._sql: Any = sqlalchemy
        text = url if "://" in url else f"sqlite:///{url}"
        try:
            self._engine = sqlalchemy.create_engine(sqlalchemy.make_url(text), pool_pre_ping=True, hide_parameters=True)
            self._tables = _tables()
            self._tables.interaction.metadata.create_all(self._engine)
            if self._engine.dialect.name == "sqlite":
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except (sqlalchemy.exc.SQLAlchemyError, ImportError, TypeError, OSError) as error:
            raise ConfigurationError(f"the history store cannot be opened: {_said(error)}") from error
        # One thread writes, another reads: a long search keeps no history from being written.
        self._writing, self._reading = ThreadPool(1), ThreadPool(1)
        self._waiting: deque[InteractionHistory] = deque()
        self._due = gevent.event.Event()
        self._idle = gevent.event.Event()
        self._idle.set()
        self._writer: gevent.Greenlet[..., None] | None = None
        self._expired_at = 0.0
        self.dropped = 0
        """How many could not be written for so long that they are lost."""

    # -- in -------------------------------------------------------------------------------------------------------

    def keep(self, days: float | None) -> None:
        """From now on what ended longer ago is deleted, once an hour; None keeps all.

        Raises:
            ConfigurationError: it is not more than 0.
        """
        if days is not None and not days > 0:
            raise ConfigurationError(f"keep_days is {days!r}; it must be more than 0, or None to keep all")
        self._keep_days = days

    def take(self, history: InteractionHistory) -> None:
        """Write a history, soon. Never blocks."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped == 1 or self.dropped % MOST_WAITING == 0:
                _log.error("histories are lost: the database cannot be written for too long", lost=self.dropped)
        self._waiting.append(history)
        self._idle.clear()
        self._due.set()
        if self._writer is None:
            self._writer = gevent.spawn(self._write)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Blocks this greenlet until all that was taken is written; False if it is not in time."""
        return self._idle.wait(timeout_s)

    def close(self) -> None:
        """Write what waits, for up to 10 s, and close the database. Blocks this greenlet."""
        if not self.flush():
            _log.error("histories are lost: the database could not be written", lost=len(self._waiting))
        if self._writer is not None:
            self._writer.kill()
            self._writer = None
        self._engine.dispose()

    def _write(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    self._writing.apply(self._add, (batch,))
                except Exception as error:  # noqa: BLE001 - a driver may raise anything; the calls must not notice
                    _log.warning("histories cannot be written; tried again", reason=_said(error), waiting=len(batch))
                    self._waiting.extendleft(reversed(batch))
                    gevent.sleep(AGAIN_S)
            self._idle.set()

    def _add(self, batch: Sequence[InteractionHistory]) -> None:
        """In the writing thread. What is there already under the same id is replaced."""
        latest = {history.interaction: history for history in batch}
        calls, parts = self._tables.interaction, self._tables.segment
        with self._engine.begin() as connection:
            connection.execute(calls.delete().where(calls.c.interaction.in_(latest)))
            connection.execute(parts.delete().where(parts.c.interaction.in_(latest)))
            connection.execute(calls.insert(), [_row(history) for history in latest.values()])
            rows = [
                {"interaction": history.interaction, "n": n, **asdict(segment)}
                for history in latest.values()
                for n, segment in enumerate(history.segments)
            ]
            if rows:
                connection.execute(parts.insert(), rows)
            if self._keep_days is not None and time.time() - self._expired_at > 3600.0:
                self._expired_at = time.time()
                self._expire(connection, time.time() - self._keep_days * DAY_S)

    def _expire(self, connection: sqlalchemy.Connection, before: float) -> None:
        calls, parts = self._tables.interaction, self._tables.segment
        old = self._sql.select(calls.c.interaction).where(calls.c.ended < before)
        connection.execute(parts.delete().where(parts.c.interaction.in_(old)))
        connection.execute(calls.delete().where(calls.c.ended < before))

    # -- out ------------------------------------------------------------------------------------------------------

    def get(self, interaction: str) -> InteractionHistory | None:
        """The history of one interaction; None if it is not there. Blocks this greenlet, and no other."""
        found = self._reading.apply(self._select, ([self._tables.interaction.c.interaction == interaction], 1))
        return found[0] if found else None

    def find(
        self,
        *,
        number: str = "",
        agent: str = "",
        queue: str = "",
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> list[InteractionHistory]:
        """Past interactions that are all of this, the latest first. Blocks this greenlet, and no other.

        Args:
            number: that called, or was called.
            agent: who did anything in it, if only that their phone rang.
            queue: that it was in.
            since: Unix time; it began then or later.
            until: Unix time; it began before then.
            limit: how many at most, up to 1,000.
        """
        calls, parts = self._tables.interaction.c, self._tables.segment.c
        which: list[Any] = []
        if number:
            which.append((calls.calling_number == number) | (calls.called_number == number))
        for column, value in ((parts.agent, agent), (parts.queue, queue)):
            if value:
                which.append(calls.interaction.in_(self._sql.select(parts.interaction).where(column == value)))
        if since is not None:
            which.append(calls.began >= since)
        if until is not None:
            which.append(calls.began < until)
        found: list[InteractionHistory] = self._reading.apply(self._select, (which, max(1, min(limit, MOST_FOUND))))
        return found

    def _select(self, which: Iterable[Any], limit: int) -> list[InteractionHistory]:
        """In the reading thread."""
        calls, parts = self._tables.interaction, self._tables.segment
        with self._engine.connect() as connection:
            rows = connection.execute(calls.select().where(*which).order_by(calls.c.began.desc()).limit(limit)).all()
            ids = [row.interaction for row in rows]
            segments: dict[str, list[SegmentRecord]] = {each: [] for each in ids}
            wanted = parts.select().where(parts.c.interaction.in_(ids)).order_by(parts.c.interaction, parts.c.n)
            for row in connection.execute(wanted):
                values = dict(row._mapping)  # noqa: SLF001 - its documented name
                del values["n"]
                segments[values.pop("interaction")].append(SegmentRecord(**values))
        return [_history(dict(row._mapping), segments[row.interaction]) for row in rows]  # noqa: SLF001


def _row(history: InteractionHistory) -> dict[str, Any]:
    row = {field.name: getattr(history, field.name) for field in fields(InteractionHistory) if field.name not in _APART}
    row["left_out"] = [asdict(each) for each in history.left_out]
    for name in _PACKED:
        row[name] = packer().pack(plain(row[name], name, []))
    return row


def _history(row: dict[str, Any], segments: list[SegmentRecord]) -> InteractionHistory:
    for name in _PACKED:
        row[name] = unpack(row[name])
    row["agents"] = tuple(row["agents"])
    row["left_out"] = tuple(LeftOutRecord(**each) for each in row["left_out"])
    return InteractionHistory(**row, segments=tuple(segments))


def _tables() -> _Tables:
    import sqlalchemy as sql  # noqa: PLC0415 - an extra

    made = sql.MetaData()

    def column(owner: type[Any], name: str) -> sqlalchemy.Column[Any]:
        kind = {field.name: str(field.type) for field in fields(owner)}[name]
        if name in _PACKED:
            return sql.Column(name, sql.LargeBinary, nullable=False)
        return sql.Column(name, sql.Double if "float" in kind else sql.Text, nullable="None" in kind)

    calls = sql.Table(
        "interaction",
        made,
        *(
            column(InteractionHistory, field.name)
            for field in fields(InteractionHistory)
            if field.name not in {"interaction", *_APART}
        ),
        sql.Column("interaction", sql.String(200), primary_key=True),
    )
    parts = sql.Table(
        "segment",
        made,
        sql.Column("interaction", sql.String(200), primary_key=True),
        sql.Column("n", sql.Integer, primary_key=True, autoincrement=False),
        *(column(SegmentRecord, field.name) for field in fields(SegmentRecord)),
    )
    for table, names in ((calls, ("began", "ended", "calling_number", "called_number")), (parts, ("agent", "queue"))):
        for name in names:
            sql.Index(f"{table.name}_{name}", table.c[name])
    return _Tables(calls, parts)


def _said(error: BaseException) -> str:
    """An error without the statement and its values."""
    return str(getattr(error, "orig", None) or error) or type(error).__name__
