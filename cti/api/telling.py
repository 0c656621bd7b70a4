"""Events on their way out: numbered at once, published, and told to each client that wants them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import gevent
import gevent.event
import structlog
from attrs import frozen

from cti.api import envelope
from cti.api.centre import Centre
from cti.api.event_record import event_record
from cti.api.interest import Readers
from cti.api.known_calls import KnownCalls
from cti.api.numbering import Numbering
from cti.api.peers import Peer
from cti.api.publisher import Publisher

SLICE_S: Final = 0.002
"""How long messages are handed out before everybody else gets a turn."""
BACKLOG_LIMIT: Final = 10_000
"""Events that may wait to be handed out; beyond it they are dropped, and their readers see the gap."""

_log = structlog.get_logger("cti.api")


@frozen
class _Due:
    """An event that is still to be handed out: all of its message but ``prev``."""

    epoch: str
    seq: int
    start: bytes
    readers: list[Peer]


class Telling:
    """Takes the centre's events, one after another, and waits for nobody.

    Args:
        centre: whose events.
        numbering: numbers them.
        send: puts a message into a client's queue; False when there is no room in it.
        publisher: for those who see everything; None for no such socket.
    """

    def __init__(
        self, centre: Centre, numbering: Numbering, send: Callable[[Peer, bytes], bool], publisher: Publisher | None
    ) -> None:
        self.numbering = numbering
        self.calls = KnownCalls()
        self.readers: Readers[Peer] = Readers()
        self.publisher = publisher
        self._centre = centre
        self._send = send
        self._due: deque[_Due] = deque()
        self._more = gevent.event.Event()
        self._lost = 0
        self._subscription = centre.subscribe(self._tell, object)

    def stop(self) -> None:
        """Take no more events."""
        self._centre.unsubscribe(self._subscription)

    def run(self) -> None:
        """Hand out what is due, until killed. Blocks this greenlet."""
        until = 0.0
        while True:
            self._more.wait()
            self._more.clear()
            while self._due:
                due = self._due.popleft()
                for peer in due.readers:
                    if time.monotonic() >= until:
                        gevent.sleep(0)
                        until = time.monotonic() + SLICE_S
                    self._hand_out(due, peer)

    def _tell(self, event: Any) -> None:
        """In the subscription's own greenlet. Must not switch: a snapshot counts on that (methods.py, _caught_up)."""
        if self._subscription.dropped != self._lost:
            self._begin_anew()
        seq = self.numbering.next(event.at)
        self.calls.follow(event)
        start = envelope.event_start(self.numbering.epoch, seq, event_record(event, self.numbering))
        if self.publisher is not None:
            self.publisher.tell(event, start, seq)
        readers = self.readers.of(event)
        if not readers:
            return
        if len(self._due) >= BACKLOG_LIMIT:
            self._drop(self._due.popleft())
        self._due.append(_Due(self.numbering.epoch, seq, start, readers))
        self._more.set()

    def _hand_out(self, due: _Due, peer: Peer) -> None:
        # Who subscribed anew meanwhile begins at a later number; who left is told nothing.
        if due.epoch != self.numbering.epoch or due.seq <= peer.sent or peer not in self.readers:
            return
        # A message that finds no room counts as sent, so that the next one shows the gap.
        if not self._send(peer, envelope.event_end(due.start, peer.sent)):
            peer.dropped += 1
        peer.sent = due.seq

    def _drop(self, due: _Due) -> None:
        for peer in due.readers:
            peer.dropped += 1
            peer.sent = max(peer.sent, due.seq)

    def _begin_anew(self) -> None:
        """The centre dropped events before we saw them: what anybody knows may be wrong."""
        _log.error("the API fell behind the centre", lost=self._subscription.dropped - self._lost)
        self._lost = self._subscription.dropped
        self.numbering.begin()
        self.calls.forget()
        for peer in self.readers.members():
            peer.sent = 0
        if self.publisher is not None:
            self.publisher.begin()
