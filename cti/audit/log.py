"""The audit's file: lines appended by another thread, so that no request waits for the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

import gevent
import gevent.event
import gevent.lock
import structlog

from cti.api.requests import Done
from cti.audit.entry import BEGINS, LOST, Entry, entry, opened, sealed
from cti.errors import ConfigurationError
from cti.model import events
from cti.store.trouble import Trouble

FILE: Final = "audit.jsonl"
FLUSH_S: Final = 0.2
"""How long an entry may wait before it is written and on the disk; a crash loses no more than this and the write."""
RETRY_S: Final = 2.0
BACKLOG: Final = 20_000
"""So many entries wait for a disk that does not take them; beyond it the oldest are lost, and a line says how many."""
BATCH: Final = 2_000
CLOSE_S: Final = 5.0
TAIL_BYTES: Final = 65_536
"""So much of the end of a file is read to go on from; no line is longer."""

_log = structlog.get_logger("cti.audit")


class AuditLog:
    """An append-only file of JSON lines, each sealed with a hash of all lines before it. One process writes it.

    Nothing that is asked for waits for the disk, and nothing fails for it: entries are written, and forced to the disk
    (fdatasync), within ``FLUSH_S``. What cannot be written is kept and tried again; ``on_trouble`` is told.

    Args:
        directory: where ``audit.jsonl`` is, and those before it; made if it is not there.
        max_bytes: a longer file is renamed after the time, and another is begun.
        keep: so many files before it are kept; 0 keeps all.
        on_trouble: told when writing fails and when it succeeds again; must not block.

    Raises:
        ConfigurationError: the directory cannot be made, or the file cannot be opened for writing.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        max_bytes: int = 16 << 20,
        keep: int = 0,
        on_trouble: Callable[[Trouble], object] = lambda _: None,
    ) -> None:
        self._directory = Path(directory)
        self._path = self._directory / FILE
        self._max_bytes = max_bytes
        self._keep = keep
        self._on_trouble = on_trouble
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._in_trouble = False
        self._file = -1
        self._more = gevent.event.Event()
        self._writing = gevent.lock.RLock()
        self._closed = False
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._seal = self._last_seal()
            self._open()
        except BlockingIOError:
            os.close(self._lock)
            raise ConfigurationError(f"another process writes the audit in {self._directory}") from None
        except OSError as error:
            raise ConfigurationError(f"the audit cannot be written in {self._directory}: {error}") from None
        self._greenlet: gevent.Greenlet[..., None] = gevent.spawn(self._run)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<AuditLog {self._path}: {len(self._waiting)} waiting, {self._lost} lost>"

    # -- in: none of these blocks ---------------------------------------------------------------------------------

    def done(self, done: Done) -> None:
        """A request was done or refused: ``ApiServer(audit=log.done)``, ``WebServer(audit=log.done)``."""
        self.add(entry(done))

    def audited(self, event: events.Audited) -> None:
        """Somebody supervises: ``centre.subscribe(log.audited, events.Audited)``."""
        self.add(Entry(time.time(), event.who, "", event.what, {"to": event.whom}, (), event.outcome))

    def add(self, made: Entry) -> None:
        """Write something down."""
        if len(self._waiting) >= BACKLOG:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(made)
        self._more.set()

    def use(self, *, max_bytes: int, keep: int) -> None:
        """From now on a longer file is put aside, and so many are kept; see the class. Applied when the next is put aside."""
        self._max_bytes = max_bytes
        self._keep = keep

    def close(self) -> None:
        """Write what is left and close the file. Blocks this greenlet, for some seconds if the disk does not take it."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + CLOSE_S
        try:
            with gevent.Timeout(CLOSE_S):
                while self._waiting and self._flush() and time.monotonic() < deadline:
                    pass
        except gevent.Timeout:  # another thread is still in it: the file is left to the end of the process
            self._file = -1
        if self._waiting:
            _log.error("the audit ends with entries that could not be written", entries=len(self._waiting))
        self._greenlet.kill()
        self._let_go()
        os.close(self._lock)

    # -- out ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._more.wait()
            gevent.sleep(FLUSH_S)
            self._more.clear()
            if not self._flush():
                gevent.sleep(RETRY_S)
            if self._waiting:
                self._more.set()

    def _flush(self) -> bool:
        """Write what waits; whether that went well. Blocks this greenlet, and no other."""
        with self._writing:
            batch, lost = list(islice(self._waiting, BATCH)), self._lost
            if not batch and not lost:
                return True
            try:
                gevent.get_hub().threadpool.apply(self._write, (batch, lost))
            except Exception as error:  # noqa: BLE001 - whatever the disk does, requests go on
                self._trouble(error)
                return False
            for each in batch:
                if self._waiting and self._waiting[0] is each:  # those lost meanwhile are not there any more
                    self._waiting.popleft()
            self._lost -= lost
            if self._in_trouble:
                self._in_trouble = False
                _log.info("the audit is written again", file=str(self._path))
                self._tell(Trouble("the audit is written again", lost, over=True))
            return True

    def _write(self, batch: list[Entry], lost: int) -> None:
        """In another thread, one at a time: nothing is counted as written before it is on the disk."""
        if self._file >= 0 and os.fstat(self._file).st_size >= self._max_bytes:
            self._rotate()
        if self._file < 0:
            self._open()
        before, seal, lines = os.fstat(self._file).st_size, self._seal, []
        marks = [] if before else [Entry(time.time(), "", "", BEGINS, {"after": seal})]
        if lost:
            marks.append(Entry(time.time(), "", "", LOST, {"entries": lost}))
        for each in (*marks, *batch):
            line, seal = sealed(each, seal)
            lines.append(line)
        try:
            rest = memoryview(b"".join(lines))
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            # As it was before, so that nothing is there twice when it is tried again.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, before)
            self._let_go()
            raise
        self._seal = seal

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # a line that a crash cut off stays one, and nobody else's
        os.fsync(self._lock)  # the directory: or the file's name may be lost with the power

    def _let_go(self) -> None:
        """Close the file: the next try opens it again, which may be another one by then."""
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)

    def _rotate(self) -> None:
        before = kept(self._directory)
        number = int(before[-1].name.split("-")[1]) + 1 if before else 1
        aside = self._directory / f"audit-{number:06}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.jsonl"
        self._path.rename(aside)
        self._let_go()
        if self._keep:
            for old in kept(self._directory)[: -self._keep]:
                old.unlink(missing_ok=True)

    def _last_seal(self) -> str:
        """The seal that the next line goes on from: of the last whole line that there is."""
        for path in reversed(files(self._directory)):
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - TAIL_BYTES))
                for line in reversed(file.read().splitlines(keepends=True)):
                    if line.endswith(b"\n") and (found := opened(line)) is not None:
                        return found[2]
        return ""

    def _trouble(self, error: Exception) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            _log.error("the audit cannot be written", file=str(self._path), why=str(error))
            self._tell(Trouble(f"{self._path}: {error}", self._lost))

    def _tell(self, trouble: Trouble) -> None:
        try:
            self._on_trouble(trouble)
        except Exception:  # noqa: BLE001 - a host's own code may raise anything
            _log.exception("a handler of audit troubles failed")


def kept(directory: Path) -> list[Path]:
    """The files that were put aside, the oldest first."""
    return sorted(directory.glob("audit-[0-9][0-9][0-9][0-9][0-9][0-9]-*.jsonl"))


def files(directory: Path) -> list[Path]:
    """Every file of an audit, the oldest first."""
    now = directory / FILE
    return [*kept(directory), *([now] if now.exists() else [])]
