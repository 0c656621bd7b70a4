"""Recordings on the disk: each finished file is measured, summed and written into an index; old ones are deleted."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import gevent
import structlog
from attrs import asdict, evolve, field, fields, frozen

from cti.errors import ConfigurationError
from cti.model import events, services
from cti.model.history import HistoryRecording
from cti.model.ids import InteractionId
from cti.model.recording import NO_QUEUE, OUTSIDE, RecordingSettings
from cti.store import StateFile

INDEX: Final = "recordings.sqlite3"
DAY_S: Final = 86_400.0
_AT_ONCE: Final = 500
"""So many interactions are looked up at once: SQLite takes 999 values in a statement, in its older versions."""
_BLOCK: Final = 1 << 20
_SLACK_S: Final = 2.0
_SHORT: Final = 0.8
"""A file that holds less than this share of the time it was recorded for, and 2 s less, is not sound: the disk was full."""

_log = structlog.get_logger("cti.recordings")


@frozen
class RecordingRecord:
    """What is kept of one segment.

    Args:
        path: on the switch's machine.
        interaction: the interaction's id; its segments have it in common.
        n: which of its segments it is, from 1.
        agent: the agent's id; empty for somebody outside.
        queue: the queue's id; empty without one.
        started: Unix time, seconds.
        ended: Unix time, seconds.
        length_s: by the file itself where it can be reached, else by the switch's word.
        size: bytes; 0 if it cannot be reached from here.
        sha256: of the whole file; empty if it cannot be reached from here.
        error: why the file is not sound; empty if it is.
        held: whether it may not be deleted, whatever its age.
    """

    path: str
    interaction: str
    n: int
    agent: str
    queue: str
    started: float
    ended: float
    length_s: float
    size: int
    sha256: str
    error: str = ""
    held: bool = field(default=False, converter=bool)


_COLUMNS: Final = tuple(each.name for each in fields(RecordingRecord))


_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS recording (path TEXT PRIMARY KEY, interaction TEXT, n INTEGER, agent TEXT,
        queue TEXT, started REAL, ended REAL, length_s REAL, size INTEGER, sha256 TEXT, error TEXT, held INTEGER)""",
    "CREATE INDEX IF NOT EXISTS of_interaction ON recording (interaction, n)",
    "CREATE INDEX IF NOT EXISTS of_time ON recording (ended)",
)


class RecordingIndex:
    """Which recordings there are, in an SQLite file. Each call opens it, and blocks for a disk access; threads may share it.

    One that is damaged is set aside. Recordings that are in no index are not deleted, whatever their age; those that
    ``Recordings.take_in`` finds after that are held.

    Args:
        path: the file; made with its directories when it is not there.

    Raises:
        ConfigurationError: it can neither be opened nor made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = StateFile(Path(path), _SCHEMA)

    def add(self, record: RecordingRecord) -> None:
        """Keep a record; one of the same path is replaced, but for its being held."""
        marks = ", ".join("?" * len(_COLUMNS))
        names = ", ".join(_COLUMNS)
        changed = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("path", "held"))
        statement = f"INSERT INTO recording ({names}) VALUES ({marks}) ON CONFLICT (path) DO UPDATE SET {changed}"  # noqa: S608 - names of columns
        values = tuple(asdict(record).values())
        self._file.work(lambda database: database.execute(statement, values))

    def of(self, interaction: str) -> list[RecordingRecord]:
        """The segments of an interaction, in order."""
        return self._select("WHERE interaction = ? ORDER BY n", interaction)

    def of_each(self, interactions: Iterable[str]) -> dict[str, list[RecordingRecord]]:
        """The segments of several interactions, in order; those that have none are left out."""
        found: dict[str, list[RecordingRecord]] = {}
        wanted = list(interactions)
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            for record in self._select(f"WHERE interaction IN ({', '.join('?' * len(some))}) ORDER BY n", *some):
                found.setdefault(record.interaction, []).append(record)
        return found

    def paths(self) -> set[str]:
        """The paths of all records."""
        rows = self._file.work(lambda database: database.execute("SELECT path FROM recording").fetchall())
        return {path for (path,) in rows}

    @property
    def lost_holds(self) -> bool:
        """Whether a damaged index is beside this one, which may say of recordings that they are held."""
        path = self._file.path
        return any(path.parent.glob(f"{path.name}.damaged-*"))

    def ended_before(self, when: float) -> list[RecordingRecord]:
        """What ended before a Unix time and is not held, the oldest first."""
        return self._select("WHERE ended < ? AND NOT held ORDER BY ended", when)

    def _select(self, which: str, *values: object) -> list[RecordingRecord]:
        statement = f"SELECT {', '.join(_COLUMNS)} FROM recording {which}"  # noqa: S608 - ours
        rows = self._file.work(lambda database: database.execute(statement, values).fetchall())
        return [RecordingRecord(*row) for row in rows]

    def hold(self, interaction: str, *, held: bool = True) -> int:
        """Forbid, or allow again, that an interaction's recordings are deleted; returns how many there are."""
        statement = "UPDATE recording SET held = ? WHERE interaction = ?"
        return self._file.work(lambda database: database.execute(statement, (int(held), interaction)).rowcount)

    def forget(self, paths: Iterable[str]) -> None:
        """Take records out; those that are held meanwhile stay."""
        gone = [(path,) for path in paths]
        statement = "DELETE FROM recording WHERE path = ? AND NOT held"
        self._file.work(lambda database: database.executemany(statement, gone))


class Recordings:
    """Where recordings go, and what becomes of them. Handed to CallCenter.

    Args:
        directory: on the switch's machine; absolute.
        name: the file below it, see RecordingSettings.
        reached_at: the same directory as this process sees it; ``directory`` if not given. Where it cannot be reached,
            records have the length by the switch's word, and no checksum.
        index: the index's file; ``recordings.sqlite3`` in ``reached_at`` if not given.
    """

    def __init__(
        self,
        directory: str,
        *,
        name: str | None = None,
        reached_at: str | os.PathLike[str] | None = None,
        index: str | os.PathLike[str] | None = None,
    ) -> None:
        self.settings = RecordingSettings(directory) if name is None else RecordingSettings(directory, name)
        self._directory = Path(reached_at if reached_at is not None else directory)
        try:
            self.index = RecordingIndex(index if index is not None else self._directory / INDEX)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"the index of recordings cannot be made: {error}; say index=, a file that can be written"
            ) from error

    def rename(self, name: str) -> RecordingSettings:
        """From now on files are called so; the centre has to be told what is returned, see ``CallCenter.use_recordings``.

        Raises:
            ConfigurationError: the name cannot be used.
        """
        self.settings = RecordingSettings(self.settings.directory, name)
        return self.settings

    def local(self, path: str) -> Path:
        """Where this process finds a file that the switch calls ``path``."""
        return self._directory / Path(path).relative_to(self.settings.directory)

    def listed(self, interactions: Iterable[str]) -> dict[str, tuple[HistoryRecording, ...]]:
        """What histories say of the recordings of interactions that are in the index. Blocks this greenlet, and no other.

        Raises:
            OSError, sqlite3.Error: the index cannot be read.
        """
        found = gevent.get_hub().threadpool.apply(self.index.of_each, (list(interactions),))
        return {interaction: tuple(map(_of_history, records)) for interaction, records in found.items()}

    def take(self, ended: events.RecordingEnded, now: float) -> services.RecordingChecked:
        """Look at the file of a segment, and index it; what was found. Blocks this greenlet, and no other.

        Args:
            ended: what the engine said of it.
            now: the engine's clock.
        """
        behind = time.time() - now
        record = RecordingRecord(
            ended.path,
            ended.interaction,
            ended.n,
            ended.agent or "",
            ended.queue or "",
            started=behind + ended.started_at,
            ended=behind + ended.at,
            length_s=ended.length_s or 0.0,
            size=0,
            sha256="",
        )
        pool = gevent.get_hub().threadpool
        record = pool.apply(self._look, (record, ended.at - ended.started_at))
        try:
            pool.apply(self.index.add, (record,))
        except (OSError, sqlite3.Error) as error:
            _log.exception("a recording is not in the index", path=record.path)
            return _checked(record, f"not in the index: {error}")
        return _checked(record, record.error)

    def _look(self, record: RecordingRecord, lasted_s: float) -> RecordingRecord:
        """In a thread of its own: what the file itself says."""
        values = asdict(record)
        try:
            path = self.local(record.path)
            values["sha256"], values["size"] = _sha256(path)
            with wave.open(str(path), "rb") as opened:
                values["length_s"] = opened.getnframes() / opened.getframerate()
            if values["length_s"] < _SHORT * lasted_s - _SLACK_S:
                values["error"] = f"the file holds {values['length_s']:.1f} s of {lasted_s:.1f} s"
        except FileNotFoundError:
            if self._directory.is_dir():
                values["error"] = "there is no such file"
        except (OSError, ValueError, EOFError, wave.Error) as error:
            values["error"] = str(error) or type(error).__name__
        return RecordingRecord(**values)

    def take_in(self, *, older_s: float = 3600.0, clock: Callable[[], float] = time.time) -> list[RecordingRecord]:
        """Index files that are there and in no record: their segments ended while nobody was looking. Blocks for disk accesses.

        The agent is as the file's name has it; of the queue nothing is known unless the name says it. While a damaged index
        lies beside this one they are held: which of them were, only that one knows.

        Args:
            older_s: only those that nobody has written to for so long: the others may still be being recorded.
            clock: Unix time.

        Returns:
            The new records.
        """
        new, known, held = [], self.index.paths(), self.index.lost_holds
        for file in sorted(self._directory.rglob("*.wav")):
            path = f"{self.settings.directory.rstrip('/')}/{file.relative_to(self._directory).as_posix()}"
            said = self.settings.read_path(path)
            try:
                ended = file.stat().st_mtime
            except OSError:
                continue
            if said is None or ended > clock() - older_s or path in known:
                continue
            agent, queue = said.get("agent", ""), said.get("queue", "")
            record = self._look(
                RecordingRecord(
                    path,
                    said["interaction"],
                    int(said["n"]),
                    "" if agent == OUTSIDE else agent,
                    "" if queue == NO_QUEUE else queue,
                    started=ended,
                    ended=ended,
                    length_s=0.0,
                    size=0,
                    sha256="",
                ),
                0.0,
            )
            record = evolve(record, started=ended - record.length_s, held=held)
            self.index.add(record)
            new.append(record)
        return new

    def expire(
        self, days: float, *, dry_run: bool = True, clock: Callable[[], float] = time.time
    ) -> list[RecordingRecord]:
        """Delete what ended more than so many days ago and is not held; returns it. Blocks for disk accesses.

        Args:
            days: how old.
            dry_run: only say what would be deleted; that is what happens unless it is False.
            clock: Unix time.
        """
        due = self.index.ended_before(clock() - days * DAY_S)
        if dry_run:
            return due
        gone = []
        for record in due:
            try:
                self.local(record.path).unlink(missing_ok=True)
            except OSError as error:
                _log.warning("a recording cannot be deleted", path=record.path, reason=str(error))
                continue
            gone.append(record)
        self.index.forget(record.path for record in gone)
        return gone


def _sha256(path: Path) -> tuple[str, int]:
    found, size = hashlib.sha256(), 0
    with path.open("rb") as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
            size += len(block)
    return found.hexdigest(), size


def _of_history(record: RecordingRecord) -> HistoryRecording:
    return HistoryRecording(
        n=record.n,
        path=record.path,
        agent=record.agent or None,
        queue=record.queue or None,
        started=record.started,
        ended=record.ended,
        length_s=record.length_s,
        size=record.size,
        sha256=record.sha256,
        error=record.error,
        held=record.held,
    )


def _checked(record: RecordingRecord, error: str) -> services.RecordingChecked:
    return services.RecordingChecked(
        record.path, InteractionId(record.interaction), record.length_s, record.size, record.sha256, error
    )
