"""A journal in memory, for a simulated process that is killed: what was written by then survives it."""

from __future__ import annotations

from collections.abc import Callable

from cti.store import JournalFigures, Past
from cti.store.record import FactRecord, Header, SnapshotRecord, load

SNAPSHOT_EVERY = 500
"""Facts between two snapshots: what has to be told again after a kill, and what is held in memory."""


class Notebook:
    """Takes what a RecordedEngine writes, as a Journal does, and gives it back to the next one.

    It knows no files, damage or greenlets; the bytes of the records are a journal's.

    Args:
        clock: virtual seconds, as the engine's clock and Unix time both.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.figures = JournalFigures()
        self._opening: Callable[[int], list[bytes]] = lambda _: []
        self._opened: list[bytes] = []
        self._facts: list[tuple[float, bytes]] = []
        self._before: list[tuple[float, bytes]] = []
        """The facts before the snapshot, which may be younger than the kill leaves any."""
        self._opened_before: list[bytes] = []

    def begin(self, opening: Callable[[int], list[bytes]]) -> None:
        """A new process begins to write."""
        self._opening = opening
        self._opened, self._facts = opening(1), []
        self._opened_before, self._before = [], []

    def add(self, payload: bytes, at: float) -> None:
        """Write down a fact."""
        self._facts.append((at, payload))
        if len(self._facts) >= SNAPSHOT_EVERY:
            self._opened_before, self._before = self._opened, self._facts
            self._opened, self._facts = self._opening(1), []

    def skip(self, at: float, why: str) -> None:
        """A fact could not be written: in a simulation that is a defect."""
        raise AssertionError(f"at {at}: {why}")

    def set_aside(self) -> None:
        """What was written could not be taken up: in a simulation that is a defect."""
        raise AssertionError("the journal could not be taken up")

    def past(self, lost_s: float) -> Past:
        """What a process that is killed now has written; the facts of the last ``lost_s`` seconds were not yet."""
        until = self.clock() - lost_s
        opened, facts = self._opened, self._facts
        if self._opened_before and (not facts or facts[0][0] > until):
            opened, facts = self._opened_before, self._before + facts
        header, snapshot = (load(payload) for payload in opened)
        assert isinstance(header, Header)
        assert isinstance(snapshot, SnapshotRecord)
        kept = [record for at, payload in facts if at <= until and isinstance(record := load(payload), FactRecord)]
        return Past(header, snapshot, tuple(kept), until)
