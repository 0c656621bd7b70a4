"""One reader's stream of server-sent events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import gevent
import gevent.event
from attrs import frozen

from cti.api.interest import Interest
from cti.api.numbering import Numbering
from cti.api.refusal import ErrorRecord
from cti.web.json_text import written

RETRY_MS: Final = 2_000
"""How long a browser waits before it connects anew."""
LONG_RETRY_MS: Final = 30_000
"""The same, after the server ended the stream."""
PIECE_BYTES: Final = 65_536
"""So much is written at once."""
TURN: Final = 1_000
"""So many kept events are looked at before others get their turn."""


@frozen(eq=False)
class Kept:
    """An event as it was handed out."""

    seq: int
    event: Any
    text: bytes


class Source(Protocol):
    """Where a stream's events come from: the feed."""

    numbering: Numbering
    handed_out: int

    def since(self, epoch: str, seq: int) -> list[Kept] | None:
        """The events after one, or None when there is a gap."""
        ...


class Stream:
    """What one reader is sent. A reader who is slow is owed the events that are still kept, then a snapshot.

    Args:
        source: the feed.
        interest: what the reader is told of.
        matches: whether an event is of that interest.
        snapshot: takes one, or says why not.
        unread: events that may wait for this reader.
        heartbeat_s: how often a silent stream is written to.
        is_over: whether the reader's session has ended; asked before each piece.
    """

    def __init__(
        self,
        source: Source,
        interest: Interest,
        *,
        matches: Callable[[Interest, Any], bool],
        snapshot: Callable[[], Mapping[str, Any] | ErrorRecord],
        unread: int,
        heartbeat_s: float,
        is_over: Callable[[], bool],
    ) -> None:
        self.due = gevent.event.Event()
        self._source = source
        self._interest = interest
        self._matches = matches
        self._snapshot = snapshot
        self._unread = unread
        self._heartbeat_s = heartbeat_s
        self._is_over = is_over
        self._queue: deque[Kept] = deque()
        self._epoch = source.numbering.epoch
        self._seq = source.numbering.seq
        self._behind = False
        self._wants_snapshot = False
        self._ending: tuple[str, str] | None = None

    def begin(self, last_event_id: str | None, *, with_snapshot: bool) -> None:
        """Say where to begin: after the last event that the reader knows, or now.

        Args:
            last_event_id: as the reader gave it; None for a reader that knows nothing.
            with_snapshot: whether a reader that knows nothing gets a snapshot first.
        """
        if last_event_id is None:
            self._wants_snapshot = with_snapshot
            return
        epoch, _, seq = last_event_id.rpartition("-")
        self._epoch, self._seq = epoch, int(seq) if seq.isascii() and seq.isdecimal() and len(seq) < 19 else -1
        self._behind = True

    def offer(self, kept: Kept) -> bool:
        """Put an event into what is to be sent; False when there is no room. Whoever calls sets ``due``."""
        if self._epoch != self._epoch_now:  # numbers have begun anew; the stream is about to notice
            return True
        if self._behind or kept.seq <= self._seq:
            return True
        if len(self._queue) >= self._unread:
            self.fall_behind()
            return False
        self._queue.append(kept)
        self._seq = kept.seq
        return True

    def fall_behind(self) -> None:
        """Something was not put into the queue: once that is sent, go on from what is kept."""
        self._behind = True
        self.due.set()

    def end(self, code: str, message: str) -> None:
        """End the stream, and say why."""
        self._ending = code, message
        self.due.set()

    def pieces(self) -> Iterator[bytes]:
        """What is written, piece by piece. Blocks this greenlet between them."""
        first = b"" if self._behind or self._wants_snapshot else self._id()
        yield b"retry: %d\n" % RETRY_MS + first + self._said("hello", self._position())
        while True:
            self.due.clear()
            if self._is_over() and self._ending is None:
                self._ending = "security.not_logged_in", "the session has ended; log in"
            if self._ending is not None:
                code, message = self._ending
                yield b"retry: %d\n" % LONG_RETRY_MS + self._said("closed", {"code": code, "message": message})
                return
            if self._queue:
                yield self._next_piece()
            elif self._epoch != self._epoch_now or self._behind or self._wants_snapshot:
                yield from self._catch_up()
            elif not self.due.wait(self._heartbeat_s):
                yield self._beat()

    @property
    def _epoch_now(self) -> str:
        return self._source.numbering.epoch

    def _next_piece(self) -> bytes:
        piece = []
        size = 0
        while self._queue and size < PIECE_BYTES:
            piece.append(self._queue.popleft().text)
            size += len(piece[-1])
        return b"".join(piece)

    def _catch_up(self) -> Iterator[bytes]:
        """Send what is kept since the last event; where something is missing, say so and send a snapshot."""
        missed = None if self._wants_snapshot else self._source.since(self._epoch, self._seq)
        if missed is None:
            yield from self._start_from_snapshot()
            return
        self._behind = False
        if missed:
            self._seq = missed[-1].seq  # what is offered from now on comes after these
        for begin in range(0, len(missed), TURN):
            part = [kept.text for kept in missed[begin : begin + TURN] if self._matches(self._interest, kept.event)]
            if part:
                yield b"".join(part)
            gevent.sleep(0)

    def _start_from_snapshot(self) -> Iterator[bytes]:
        if not self._wants_snapshot:
            yield self._said("gap", self._position())
        self._wants_snapshot = False
        self._behind = True
        taken = self._snapshot()
        if isinstance(taken, ErrorRecord):
            self.end(taken.code, taken.message)
            return
        # If events were lost while it was being taken, its epoch is over, and another follows.
        self._epoch, self._seq = taken["epoch"], taken["seq"]
        yield self._id() + self._said("snapshot", taken)

    def _beat(self) -> bytes:
        """A comment for the connection's sake, and an id: who comes back after a long silence has missed nothing."""
        if not self._behind and self._epoch == self._epoch_now:
            self._seq = max(self._seq, self._source.handed_out)
        return b": beat\n" + self._id() + b"\n"

    def _position(self) -> dict[str, Any]:
        return {"epoch": self._epoch_now, "seq": self._source.numbering.seq}

    def _id(self) -> bytes:
        return b"id: %s-%d\n" % (self._epoch.encode(), self._seq)

    def _said(self, name: str, said: Any) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (name.encode(), written(said))
