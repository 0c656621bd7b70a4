"""What a journal says of the run before: its last snapshot, and the facts after it."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from cti.store.errors import JournalError, NotUnderstood
from cti.store.frame import Damage, Framed, scan
from cti.store.record import SNAPSHOT, FactRecord, Gap, Header, SnapshotRecord, load
from cti.store.segment import numbers, read_segment, segment_path


@frozen
class Past:
    """Where the run before was when it ended, as far as it was written.

    Args:
        header: of the segment that the snapshot is in.
        snapshot: the last that can be read.
        facts: those after it.
        ended_at: when the last of it was written, Unix time by the file system.
        notes: what is missing or damaged, one sentence each.
    """

    header: Header
    snapshot: SnapshotRecord
    facts: tuple[FactRecord, ...]
    ended_at: float
    notes: tuple[str, ...] = ()

    @property
    def at(self) -> float:
        """The engine's clock, as of the last fact."""
        return max(self.snapshot.at, self.facts[-1].at) if self.facts else self.snapshot.at

    def clock_at(self, unix: float) -> float:
        """What the engine's clock is to say at a Unix time, so that it never runs backwards.

        By the time at which the journal was last written, as neither does the monotonic clock of the run before say
        anything after a reboot, nor its Unix time after the system's clock has been set.
        """
        return self.at + max(0.0, unix - self.ended_at)


def read_past(directory: Path) -> Past | None:
    """The run before; None if there was none. Reads one segment, and those before it only if that is of no use.

    Raises:
        JournalError: there are segments, and in none of them a snapshot that can be read.
        OSError: the directory cannot be read.
    """
    found = numbers(directory)
    if not found:
        return None
    notes: list[str] = []
    for number in reversed(found):
        past = _past_of(directory, number, notes)
        if past is not None:
            return past
        notes.append(f"{segment_path(directory, number).name}: no snapshot in it can be read")
    raise JournalError(
        f"journal {directory}: no segment has a snapshot that can be read; the newest was {found[-1]:06}"
    )


def put_aside(directory: Path, unix: float) -> Path:
    """Move all segments into a new directory within theirs, named after the time; returns it.

    Raises:
        OSError: they cannot be moved; some may have been.
    """
    aside = directory / f"aside-{unix:.0f}"
    aside.mkdir(exist_ok=True)
    for number in numbers(directory):
        path = segment_path(directory, number)
        path.rename(aside / path.name)
    return aside


def _past_of(directory: Path, number: int, notes: list[str]) -> Past | None:
    segment = read_segment(directory, number)
    header = segment.header()
    if header is None:
        return None
    found = list(scan(segment.data))
    kind = bytes([SNAPSHOT])
    # A record is a short msgpack array: its kind is the second byte.
    marked = [at for at, each in enumerate(found) if isinstance(each, Framed) and each.payload[1:2] == kind]
    for at in reversed(marked):
        snapshot = _snapshot(found[at])
        if snapshot is not None:
            facts = _facts(segment.path.name, found[at + 1 :], notes)
            return Past(header, snapshot, facts, segment.path.stat().st_mtime, tuple(notes))
    return None


def _snapshot(found: Framed | Damage) -> SnapshotRecord | None:
    assert isinstance(found, Framed)
    try:
        record = load(found.payload)
    except NotUnderstood:
        return None
    return record if isinstance(record, SnapshotRecord) else None


def _facts(name: str, tail: list[Framed | Damage], notes: list[str]) -> tuple[FactRecord, ...]:
    """The facts up to the first thing that is none: what comes after it follows from what is not known."""
    facts: list[FactRecord] = []
    for each in tail:
        if isinstance(each, Damage):
            notes.append(f"{name}: {each.bytes} bytes at {each.offset} are no record ({each.what})")
            break
        try:
            record = load(each.payload)
        except NotUnderstood as error:
            notes.append(f"{name}: {error}")
            break
        if isinstance(record, FactRecord):
            facts.append(record)
        elif isinstance(record, Gap):
            notes.append(f"{name}: {record.facts} facts were not written: {record.why}")
            break
    return tuple(facts)
