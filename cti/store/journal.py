"""The journal: records appended to segment files, in batches, without holding up whoever writes them."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Literal

import gevent
import gevent.event
import gevent.lock
import structlog

from cti.errors import ConfigurationError
from cti.store.backlog import Backlog, Batch, Span
from cti.store.errors import JournalError
from cti.store.frame import frame
from cti.store.past import Past, put_aside, read_past
from cti.store.record import Gap, dump_gap
from cti.store.retention import Retention
from cti.store.segment import numbers, read_segment
from cti.store.segment_writer import SegmentWriter
from cti.store.trouble import JournalFigures, Trouble

Sync = Literal["batch", "always"]

SEGMENT_BYTES: Final = 64 << 20
SNAPSHOT_BYTES: Final = 1 << 20  # some 7,000 facts: telling them again at a restart takes half a second
FLUSH_S: Final = 0.05
"""How long a record may wait to be written; a killed process loses no more than this and the write under way."""
FLUSH_BYTES: Final = 256 << 10
SYNC_S: Final = 1.0
"""How long what was written may stay in the kernel; a power cut loses no more than this and the two above."""
RETRY_S: Final = 2.0
BACKLOG_BYTES: Final = 64 << 20
"""So much may wait for a slow disk; beyond it, facts go unwritten and a gap is marked."""
_SET_UP_WRONG: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT}
)

_log = structlog.get_logger("cti.journal")


class Journal:
    """An append-only record in a directory of segment files. One process writes it; others may read it meanwhile.

    Whatever happens to the disk, nothing is raised: what cannot be written is counted, logged once, told to
    ``on_trouble``, and marked as a gap in the segment that is begun when writing succeeds again.

    Args:
        directory: where the segments are; made if it is not there.
        segment_bytes: a segment of this size is followed by the next.
        snapshot_bytes: within a segment, a snapshot is written after so many bytes of facts, or half as many as the last
            one took if those are more: what comes after the last snapshot has to be told again at a restart.
        retention: how much is kept.
        sync: ``"batch"`` writes every 50 ms in another thread and waits for the disk once a second: a killed process
            loses at most what 50 ms and one write brought, a power cut what a second did. ``"always"`` waits for the
            disk at each record, before anything is done about it, and blocks the whole process meanwhile: nothing is
            lost, at the price of as many milliseconds a fact as the disk takes.
        on_trouble: told when writing fails and when it succeeds again; must not block.
        clock: Unix time.

    Raises:
        ConfigurationError: a setting cannot be used, the directory cannot, or another process writes it.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        segment_bytes: int = SEGMENT_BYTES,
        snapshot_bytes: int = SNAPSHOT_BYTES,
        retention: Retention | None = None,
        sync: Sync = "batch",
        on_trouble: Callable[[Trouble], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, value in (("segment_bytes", segment_bytes), ("snapshot_bytes", snapshot_bytes)):
            if not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"{name} is {value!r}; it must be a whole number from 1 up")
        if sync not in ("batch", "always"):
            raise ConfigurationError(f"sync is {sync!r}; it must be one of 'batch', 'always'")
        self.directory = Path(directory)
        self.clock = clock
        self.figures = JournalFigures()
        self.repairs: list[str] = []
        """What was cut off when the journal was opened."""
        self._segment_bytes = segment_bytes
        self._snapshot_bytes = snapshot_bytes
        self._retention = retention
        self._sync = sync
        self._on_trouble = on_trouble
        self._opening: Callable[[int], list[bytes]] = lambda _: []
        self._writer = SegmentWriter(self.directory)
        self._writing = gevent.lock.RLock()
        """Held by whoever uses the writer."""
        self._backlog = Backlog()
        self._number = 0
        self._size = 0
        self._told_again = 0
        """The bytes of facts since the last snapshot."""
        self._snapshot_size = 0
        self._failed: str | None = "not begun"
        """Why nothing can be written now."""
        self._in_trouble = False
        self._lost = Span()
        self._unsynced = False
        self._closed = False
        self._due = gevent.event.Event()
        self._full = gevent.event.Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._lock = -1
        self._open()

    # -- opening --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = numbers(self.directory)
            self._writer.probe()
        except BlockingIOError:
            self._unlock()
            raise ConfigurationError(
                f"journal {self.directory}: it is being written already; give each its own"
            ) from None
        except OSError as error:
            if error.errno in _SET_UP_WRONG:
                self._unlock()
                raise ConfigurationError(
                    f"journal {self.directory}: {error.strerror}; name a directory that can be written"
                ) from error
            return  # a full disk must not keep a centre from starting: begin says so
        if found:
            self._repair(found[-1])

    def _repair(self, number: int) -> None:
        """Cut off what a crash left half written at the end of the last segment."""
        segment = read_segment(self.directory, number)
        tail = segment.torn_tail()
        if tail is None or not tail.offset:
            return
        said = f"{segment.path.name}: cut off {tail.bytes} bytes at {tail.offset} ({tail.what})"
        try:
            known = segment.path.stat()
            os.truncate(segment.path, tail.offset)
            os.utime(segment.path, ns=(known.st_atime_ns, known.st_mtime_ns))  # when the run before ended: see Past
        except OSError as error:
            said = f"{segment.path.name}: {tail.bytes} bytes at {tail.offset} ({tail.what}) stay: {error}"
        self.repairs.append(said)
        _log.warning("the journal ended in the middle of a record", what=said)

    def past(self) -> Past | None:
        """What the run before has left; None if nothing, or nothing that can be read: that is put aside. Blocks."""
        try:
            return read_past(self.directory)
        except (JournalError, OSError) as error:
            _log.error("the journal of the run before cannot be read; the centre begins empty", why=str(error))
        self.set_aside()
        return None

    def set_aside(self) -> None:
        """Move all segments into a directory beside them; to be called before ``begin``. Does not raise."""
        try:
            _log.error("the journal's segments are put aside", where=str(put_aside(self.directory, self.clock())))
        except OSError as error:
            _log.error("the journal's segments cannot be put aside, and stay", why=str(error))

    def begin(self, opening: Callable[[int], list[bytes]]) -> None:
        """Begin to write; to be called once, before ``add``. Blocks for as long as the disk takes.

        Args:
            opening: the payloads that a segment of this number begins with, a header and a snapshot; called between
                two facts.
        """
        self._opening = opening
        self._failed = None
        self._resume(Span(), "")
        self._greenlet = gevent.spawn(self._run)

    # -- writing --------------------------------------------------------------------------------------------------

    def add(self, payload: bytes, at: float) -> None:
        """Append a record of a fact that was handled at ``at`` (the engine's clock).

        With ``sync="always"`` it blocks the whole process until the disk has it; else for microseconds.

        Raises:
            JournalError: the record is larger than any may be; nothing else is raised, whatever the disk does.
        """
        if self._failed is not None or self._closed:
            self._lose(at)
            return
        framed = frame(payload)
        self._put(framed)
        self._told_again += len(framed)
        self._backlog.count(at)
        self.figures.facts += 1
        if self._size >= self._segment_bytes:
            self._rotate()  # after the fact, as the snapshot is of what it led to
        elif self._told_again >= max(self._snapshot_bytes, self._snapshot_size // 2):
            self._told_again = 0
            self._snapshot()
        if self._sync == "always":
            self._write_here()
        elif self._backlog.bytes > BACKLOG_BYTES:
            self._fail(f"the disk is {self._backlog.bytes >> 20} MB behind", ())
        elif self._backlog.bytes >= FLUSH_BYTES:
            self._full.set()

    def skip(self, at: float, why: str) -> None:
        """A fact was handled at ``at`` that cannot be written; a new segment is begun soon, with a gap."""
        self._lose(at)
        if self._failed is None:
            self._failed = why
            self._due.set()
            self._say(why)

    def _lose(self, at: float) -> None:
        self._lost.add(Span(1, at, at))
        self.figures.lost += 1

    def flush(self) -> None:
        """Write what waits, and wait until the disk has it. Blocks for as long as it takes; does not raise."""
        with self._writing:
            self._write_here()

    def close(self) -> None:
        """Write what waits and end; harmless when ended. Blocks for as long as the disk takes; does not raise."""
        if self._closed:
            return
        self._closed = True
        self.flush()
        if self._greenlet is not None:
            self._greenlet.kill()
        with self._writing:
            try:
                self._writer.close()
            except OSError as error:
                self._fail(str(error), ())
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def _put(self, data: bytes) -> None:
        self._backlog.put(self._number, data)
        self._size += len(data)
        if not self._due.is_set():
            self._due.set()

    def _rotate(self, gap: Gap | None = None) -> None:
        """Go on in a new segment, which begins with a header, the gap before it if there is one, and a snapshot."""
        try:
            opening = self._opening(self._number + 1)
            if gap is not None:
                opening.insert(1, dump_gap(gap))
            frames = [frame(payload) for payload in opening]
        except Exception as error:  # noqa: BLE001 - a defect of ours must not reach the one whose fact this is
            _log.exception("no snapshot could be made for the journal")
            self._fail(f"no snapshot could be made: {error!r}", ())
            return
        self._number += 1
        for framed in frames:
            self._put(framed)
        self._told_again, self._snapshot_size = 0, len(frames[-1])
        self._size = 0  # a snapshot as large as a segment must not end it at once
        self.figures.segments += 1

    def _snapshot(self) -> None:
        """Write one in the midst of a segment. Without it more has to be told again, and nothing is lost."""
        try:
            framed = frame(self._opening(self._number)[-1])
        except Exception:  # noqa: BLE001 - a defect of ours must not reach the one whose fact this is
            _log.exception("no snapshot could be made for the journal")
        else:
            self._put(framed)
            self._size -= len(framed)  # a segment is as long as its facts
            self._snapshot_size = len(framed)

    def _write_here(self) -> None:
        """Write all that waits, in this thread, and wait for the disk."""
        batches = self._backlog.take()
        try:
            self._write(batches, sync=True)
        except OSError as error:
            self._fail(str(error), batches)

    def _write(self, batches: deque[Batch], *, sync: bool) -> None:
        """In this thread or another; what has been written is no longer in ``batches``."""
        while batches:
            data = b"".join(batches[0].chunks)
            fresh = self._writer.write(batches[0].segment, data)
            batches.popleft()
            self.figures.bytes += len(data)
            if fresh and self._retention is not None:
                try:
                    self._retention.prune(self.directory, self.clock)
                except OSError as error:
                    _log.warning("an old segment of the journal cannot be deleted", why=str(error))
        if sync:
            self._writer.sync()

    # -- trouble --------------------------------------------------------------------------------------------------

    def _fail(self, why: str, batches: Iterable[Batch]) -> None:
        """Nothing can be written for now: what waits is lost, and so is what comes until ``_resume``."""
        for batch in (*batches, *self._backlog.take()):
            self._lost.add(batch.span)
            self.figures.lost += batch.span.facts
            self.figures.facts -= batch.span.facts
        self._failed = why
        self._due.set()
        self._say(why)

    def _can_write(self) -> bool:
        return self._failed is None

    def _say(self, why: str) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self.figures.troubles += 1
            _log.error("the journal cannot be written; calls go on without it", why=why, directory=str(self.directory))
            self._tell(Trouble(why, self.figures.lost))

    def _resume(self, lost: Span, why: str) -> None:
        """Try to begin a new segment, which says what is missing before it."""
        self._lost = Span()
        self._failed = None  # what comes from now on is after the snapshot
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            known = self._number if self._backlog or not self._in_trouble else 0
            self._number = max([known, *numbers(self.directory)])
        except OSError as error:
            self._fail(str(error), ())
        else:
            self._rotate(Gap(lost.facts, lost.since, lost.until, why) if why else None)
            if self._greenlet is None:
                self._write_here()
            else:
                self._write_aside(sync=True)
        if not self._can_write():
            self._lost.add(lost)
        elif self._in_trouble:
            self._in_trouble = False
            _log.warning("the journal can be written again", lost=lost.facts, directory=str(self.directory))
            self._tell(Trouble(why, self.figures.lost, over=True))

    def _tell(self, trouble: Trouble) -> None:
        try:
            self._on_trouble(trouble)
        except Exception:  # noqa: BLE001 - a host's own code may raise anything
            _log.exception("a handler of journal troubles failed")

    # -- the greenlet ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        synced_at = time.monotonic()
        while not self._closed:
            if self._failed is not None:
                gevent.sleep(RETRY_S)
                self._resume(self._lost, self._failed)
                continue
            self._due.wait(SYNC_S if self._unsynced else None)
            if self._due.is_set():
                self._full.wait(FLUSH_S)
            self._due.clear()
            self._full.clear()
            sync = time.monotonic() - synced_at >= SYNC_S
            if self._failed is None:
                self._write_aside(sync=sync)
            if sync:
                synced_at = time.monotonic()

    def _write_aside(self, *, sync: bool) -> None:
        """Write all that waits, in another thread; in this one if each record waits for the disk anyway."""
        with self._writing:
            batches = self._backlog.take()
            some = bool(batches)
            try:
                if self._sync == "always":
                    self._write(batches, sync=True)
                else:
                    gevent.get_hub().threadpool.apply(self._write, (batches,), {"sync": sync})
            except OSError as error:
                self._fail(str(error), batches)
            except Exception as error:  # noqa: BLE001 - a defect: the journal must not end unseen
                _log.exception("the journal failed")
                self._fail(repr(error), batches)
            else:
                self._unsynced = not sync and (some or self._unsynced)
