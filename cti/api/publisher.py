"""The ways out for events: the publisher's socket, for those who see everything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

import gevent
import structlog
import zmq.green as zmq

from cti.api import envelope
from cti.api.event_record import topics
from cti.api.numbering import Numbering
from cti.model import events

BEAT_TOPIC: Final = b"beat."
_REBIND_TRIES: Final = 50
_REBIND_EVERY_S: Final = 0.02

_log = structlog.get_logger("cti.api")


class Publisher:
    """A PUB socket: each event once by kind, by agent, by queue and by call.

    A subscriber that reads too slowly misses messages (its high-water mark); nobody waits for it. It sees that from the
    numbers: ``prev`` is the number of the message before in the same subject, and the beats say the last of each.

    Args:
        make: makes the socket, ready but not bound.
        address: where to bind it.
        numbering: the events' numbers.
    """

    def __init__(self, make: Callable[[], Any], address: str, numbering: Numbering) -> None:
        self._make = make
        self._numbering = numbering
        self._last: dict[str, int] = {}
        self._changed: dict[str, int] = {}
        self._beat_at = 0
        self._socket = make()
        self._socket.bind(address)
        self.address = self._bound()

    def tell(self, event: Any, start: bytes, seq: int) -> None:
        """Publish an event. Never blocks."""
        for subject, topic in topics(event):
            message = envelope.event_end(start, self._last.get(subject, 0))
            self._changed[subject] = seq
            # What comes after a call's end (its recordings) is told, and not remembered: nothing would ever forget it.
            if not subject.startswith("call.") or subject in self._last or isinstance(event, events.CallEvent):
                self._last[subject] = seq
            self._socket.send_multipart([topic.encode(), message], zmq.NOBLOCK)
            if isinstance(event, events.InteractionEnded) and subject.startswith("call."):
                self._last.pop(subject, None)

    def beat(self) -> None:
        """Publish the heartbeat. Never blocks."""
        numbering = self._numbering
        message = envelope.beat(numbering.epoch, numbering.seq, self._beat_at, self._changed)
        self._beat_at = numbering.seq
        self._changed.clear()
        self._socket.send_multipart([BEAT_TOPIC, message], zmq.NOBLOCK)

    def begin(self) -> None:
        """A new epoch has begun."""
        self._last.clear()
        self._changed.clear()
        self._beat_at = 0

    def reopen(self) -> None:
        """Close and bind again, so that every subscriber has to show its key anew. Blocks this greenlet for up to 1 s.

        ZeroMQ has no other way to end the connection of a key that has been revoked. Those who may stay are back in a
        fraction of a second and see what they missed from the numbers.
        """
        address = self.address
        self._socket.close(linger=0)
        self._socket = self._make()
        for _ in range(_REBIND_TRIES):
            with contextlib.suppress(zmq.ZMQError):
                self._socket.bind(address)
                return
            gevent.sleep(_REBIND_EVERY_S)  # the old socket is closed by another thread, soon
        _log.error("the publisher's address cannot be bound again", address=address)
        self._socket.bind(address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close(linger=0)

    def _bound(self) -> str:
        return str(self._socket.getsockopt_string(zmq.LAST_ENDPOINT))
