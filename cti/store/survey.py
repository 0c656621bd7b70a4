"""What is in a journal, without replaying it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from attrs import define, field

from cti.store.frame import Damage
from cti.store.record import FactRecord, Gap, Header
from cti.store.segment import read_segment, segments


@define
class SegmentSurvey:
    """One file."""

    file: str
    bytes: int
    header: Header | None = None
    facts: int = 0
    since: float | None = None
    """Unix time of the first fact; None if there is none, or no header to tell it by."""
    until: float | None = None
    damages: list[Damage] = field(factory=list)
    gaps: list[Gap] = field(factory=list)


@define
class Survey:
    """A whole journal."""

    segments: list[SegmentSurvey] = field(factory=list)
    facts: Counter[str] = field(factory=Counter)
    """How many of each kind."""
    offers: int = 0
    refused: int = 0
    not_kept: int = 0

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(segment.bytes for segment in self.segments)

    @property
    def since(self) -> float | None:
        """Unix time of the first fact."""
        return next((segment.since for segment in self.segments if segment.since is not None), None)

    @property
    def until(self) -> float | None:
        """Unix time of the last fact."""
        return next((segment.until for segment in reversed(self.segments) if segment.until is not None), None)

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged, torn or missing."""
        numbers = [segment.header.number for segment in self.segments if segment.header is not None]
        return (
            not any(segment.damages or segment.gaps for segment in self.segments)
            and len(numbers) == len(self.segments)
            and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        )


def survey(directory: str | Path) -> Survey:
    """Read all of a journal; changes nothing. Blocks.

    Raises:
        ConfigurationError: the directory has no segments.
    """
    found = Survey()
    for number in segments(Path(directory)):
        segment = read_segment(Path(directory), number)
        one = SegmentSurvey(segment.path.name, len(segment.data), damages=segment.damages)
        found.segments.append(one)
        for record in segment.records():
            if isinstance(record, Header):
                one.header = record
            elif isinstance(record, Gap):
                one.gaps.append(record)
            elif isinstance(record, FactRecord):
                one.facts += 1
                found.facts[record.name] += 1
                found.offers += len(record.offers)
                found.refused += bool(record.refused)
                found.not_kept += bool(record.not_kept)
                if one.header is not None:
                    one.until = one.header.unix(record.at)
                    one.since = one.until if one.since is None else one.since
    return found
