"""Segment files: their names, and reading one whatever state it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import define, field

from cti.errors import ConfigurationError
from cti.store.errors import NotUnderstood
from cti.store.frame import MAGIC, Damage, Framed, scan
from cti.store.record import Header, Record, load

SUFFIX: Final = ".ctij"
_HEADER_BYTES: Final = 4096


def segment_path(directory: Path, number: int) -> Path:
    """Where the segment of this number is."""
    return directory / f"{number:06}{SUFFIX}"


def numbers(directory: Path) -> list[int]:
    """The numbers of the segments in a directory, in order.

    Raises:
        OSError: the directory cannot be read.
    """
    return sorted(int(path.stem) for path in directory.iterdir() if path.suffix == SUFFIX and path.stem.isdecimal())


@define
class Segment:
    """One file of a journal, read into memory. Reading its records never raises; what is wrong is in ``damages``.

    Args:
        path: the file.
        number: its place in the journal.
        data: all of it.
        damages: what is not a record, or not one that can be understood; complete when all records have been read.
    """

    path: Path
    number: int
    data: bytes = field(repr=False)
    damages: list[Damage] = field(factory=list)

    def records(self) -> Iterator[Record | Damage]:
        """Its records in order, and each damage where it is."""
        self.damages.clear()
        if not self.data.startswith(MAGIC):
            yield self._damaged(Damage(0, 0, f"does not begin as a segment of a journal ({self.data[:8]!r})"))
        for found in scan(self.data):
            if isinstance(found, Damage):
                yield self._damaged(found)
                continue
            yield self._understood(found)

    def header(self) -> Header | None:
        """Its first record, if that is a header that can be read."""
        first = next((record for record in self.records() if isinstance(record, Header | Damage)), None)
        return first if isinstance(first, Header) else None

    def torn_tail(self) -> Damage | None:
        """The damage that the file ends with, if it does."""
        return next((found for found in scan(self.data) if isinstance(found, Damage) and found.tail), None)

    def _understood(self, found: Framed) -> Record | Damage:
        try:
            return load(found.payload)
        except NotUnderstood as error:
            return self._damaged(Damage(found.offset, found.end - found.offset, str(error)))

    def _damaged(self, damage: Damage) -> Damage:
        self.damages.append(damage)
        return damage


def segments(directory: Path) -> list[int]:
    """The numbers of a journal's segments, at least one.

    Raises:
        ConfigurationError: there are none, or the directory cannot be read.
    """
    try:
        found = numbers(directory)
    except OSError as error:
        raise ConfigurationError(f"journal {directory}: {error.strerror}; name a journal's directory") from error
    if not found:
        raise ConfigurationError(
            f"journal {directory}: there are no segments (*{SUFFIX}) in it; name a journal's directory"
        )
    return found


def read_header(directory: Path, number: int) -> Header | None:
    """A segment's header, without reading all of it; None if it has none that can be read."""
    path = segment_path(directory, number)
    try:
        with path.open("rb") as file:
            return Segment(path, number, file.read(_HEADER_BYTES)).header()
    except OSError:
        return None


def read_segment(directory: Path, number: int) -> Segment:
    """Read a segment's file; one that cannot be read is an empty segment that says so."""
    path = segment_path(directory, number)
    try:
        return Segment(path, number, path.read_bytes())
    except OSError as error:
        return _Unreadable(path, number, b"", why=str(error))


@define
class _Unreadable(Segment):
    why: str = ""

    def records(self) -> Iterator[Record | Damage]:
        self.damages.clear()
        yield self._damaged(Damage(0, 0, f"cannot be read: {self.why}"))
