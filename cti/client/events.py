"""A subscription as a program reads it: first a snapshot, then events, a snapshot again where some were missed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

from cti.api.values import SnapshotRecord
from cti.client.connection import Connection
from cti.client.event import Event
from cti.client.stream import Stream

UNREAD: Final = 10_000
"""What a slow reader may leave lying; beyond it all of it is dropped and replaced by a snapshot."""
_AGAIN_S: Final = 1.0
"""How long to wait after a snapshot was refused before it is asked for again."""

Item = Event | SnapshotRecord


class Events:
    """An iterator of snapshots and events that never ends by itself, through gaps, reconnects and restarts.

    A ``SnapshotRecord`` replaces everything that is known; an ``Event`` changes it. The first item is a snapshot.

    Args:
        connection: to the server.
        inbox: a queue for the items.
        wanted: the parameters of ``subscribe``.
        ended: called when it is closed.
    """

    def __init__(
        self, connection: Connection, inbox: Any, wanted: Mapping[str, Any], ended: Callable[[Events], None]
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._wanted = wanted
        self._ended = ended
        self._stream = Stream()
        self._asking = False
        self._again_at = 0.0
        self._closed = False

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __iter__(self) -> Iterator[Item]:
        """Itself."""
        return self

    def __next__(self) -> Item:
        """The next item. Blocks until there is one.

        Raises:
            RequestRefused: the server refuses the subscription.
            TurnedAway: the server does not accept this client any more.
        """
        item = self.next()
        if item is None:
            raise StopIteration
        return item

    def next(self, timeout: float | None = None) -> Item | None:
        """The next item, or None when none came within ``timeout`` seconds, or it was closed. Blocks for so long.

        Raises:
            RequestRefused: the server refuses the subscription.
            TurnedAway: the server does not accept this client any more.
        """
        if self._closed and self._inbox.empty():
            return None
        try:
            item = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            self.close()
            raise item
        return None if item is _END else item

    def close(self) -> None:
        """End the subscription; whoever waits in it is let go."""
        if not self._closed:
            self._closed = True
            self._ended(self)
            self._connection.begin("unsubscribe", {}, lambda _: None, own=True)
            self._give(_END)

    # -- in the connection's owner --------------------------------------------------------------------------------

    def up(self) -> None:
        """There is a connection, which knows nothing of us yet."""
        self._asking = False
        self._connection.begin("subscribe", self._wanted, self._subscribed, own=True)

    def take(self, message: Mapping[str, Any]) -> None:
        """A message that is no reply."""
        if "event" in message:
            self._give(*self._stream.event(message))
            self._ask()

    def pulse(self, outcome: Mapping[str, Any]) -> None:
        """The server said which event it told us last."""
        if not outcome["subscribed"]:
            self.up()
            return
        self._stream.pulse(outcome["epoch"], outcome["sent"])
        self._ask()

    def fail(self, error: Exception) -> None:
        """There will be no more."""
        self._give(error)

    def _subscribed(self, outcome: Any) -> None:
        if isinstance(outcome, Exception):
            self._give(outcome)
            return
        self._stream.resync()
        self._ask()

    def _ask(self) -> None:
        if self._stream.wants_snapshot and not self._asking and time.monotonic() >= self._again_at:
            self._asking = True
            self._stream.wants_snapshot = False
            self._connection.begin("snapshot", {}, self._snapshot, own=True)

    def _snapshot(self, outcome: Any) -> None:
        self._asking = False
        if isinstance(outcome, Exception):
            self._stream.wants_snapshot = True
            self._again_at = time.monotonic() + _AGAIN_S
            return
        self._give(*self._stream.snapshot(outcome))
        self._ask()

    def _give(self, *items: Any) -> None:
        for item in items:
            try:
                self._inbox.put_nowait(item)
            except queue.Full:
                self._throw_away()
                if isinstance(item, Event | SnapshotRecord):
                    self._stream.resync()
                    return
                self._inbox.put_nowait(item)

    def _throw_away(self) -> None:
        try:
            while True:
                self._inbox.get_nowait()
        except queue.Empty:
            return


_END: Final = object()
