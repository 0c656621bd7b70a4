"""Events in order, without gaps: what is missing is made good by a snapshot. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cti.api.values import SnapshotRecord
from cti.client.event import Event, read_event, read_snapshot

KEPT_LIMIT: Final = 10_000
"""Events kept while a snapshot is under way; beyond it another snapshot is needed."""


class Stream:
    """Follows one subscription.

    Each method returns what the reader is to be given now; after each, ``wants_snapshot`` says whether a snapshot has
    to be asked for (and is false until it has come or ``resync`` is called).
    """

    def __init__(self) -> None:
        self._epoch = ""
        self._known = 0
        self._is_live = False
        self._kept: list[Mapping[str, Any]] = []
        self.wants_snapshot = False

    def resync(self) -> None:
        """Nothing known counts any more."""
        self._is_live = False
        self._kept.clear()
        self.wants_snapshot = True

    def event(self, message: Mapping[str, Any]) -> list[Event]:
        """An event came."""
        if not self._is_live:
            self._keep(message)
            return []
        if message["epoch"] != self._epoch or message["prev"] > self._known:
            self.resync()
            self._keep(message)
            return []
        if message["seq"] <= self._known:
            return []
        self._known = message["seq"]
        return [read_event(message)]

    def snapshot(self, result: Mapping[str, Any]) -> list[Event | SnapshotRecord]:
        """The snapshot came."""
        kept, self._kept = self._kept, []
        if kept and kept[-1]["epoch"] != result["epoch"]:
            self.resync()
            self._kept = kept
            return []
        self._epoch, self._known, self._is_live = result["epoch"], result["seq"], True
        given: list[Event | SnapshotRecord] = [read_snapshot(result)]
        for message in kept:
            given += self.event(message)
        return given

    def pulse(self, epoch: str, sent: int) -> None:
        """The server said which event it told us last."""
        if self._is_live and (epoch != self._epoch or sent > self._known):
            self.resync()

    def _keep(self, message: Mapping[str, Any]) -> None:
        if len(self._kept) >= KEPT_LIMIT:
            self.resync()
        self._kept.append(message)
