"""What waits to be written, by segment."""

from __future__ import annotations

from collections import deque

from attrs import Factory, define


@define
class Span:
    """So many facts, from when to when (the engine's clock)."""

    facts: int = 0
    since: float = 0.0
    until: float = 0.0

    def add(self, other: Span) -> None:
        """Reach over another one too."""
        if other.facts:
            self.since = min(self.since, other.since) if self.facts else other.since
            self.until = max(self.until, other.until) if self.facts else other.until
            self.facts += other.facts


@define
class Batch:
    """Bytes for one segment, in order."""

    segment: int
    chunks: list[bytes] = Factory(list)
    span: Span = Factory(Span)


class Backlog:
    """Bytes in order."""

    def __init__(self) -> None:
        self.bytes = 0
        """Of facts: a snapshot, however large, does not show that the disk is behind."""
        self._batches: deque[Batch] = deque()

    def put(self, segment: int, data: bytes) -> None:
        """Add bytes to the end."""
        if not self._batches or self._batches[-1].segment != segment:
            self._batches.append(Batch(segment))
        self._batches[-1].chunks.append(data)

    def count(self, at: float) -> None:
        """What was put last is a fact of this time."""
        batch = self._batches[-1]
        batch.span.add(Span(1, at, at))
        self.bytes += len(batch.chunks[-1])

    def __bool__(self) -> bool:
        return bool(self._batches)

    def take(self) -> deque[Batch]:
        """All that waits; from now on nothing does."""
        batches, self._batches, self.bytes = self._batches, deque(), 0
        return batches
