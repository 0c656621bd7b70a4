"""A reader of the publisher: for wallboards and recorders, who may see everything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self

import zmq
import zmq.green
from attrs import frozen

from cti.api import envelope
from cti.api.event_record import topic_part
from cti.client.event import Event, read_event
from cti.client.keys import client_keys

BEAT: Final = "beat."


@frozen
class Published:
    """What came: an event under its topic, or word that something was missed (``event`` is None): take a snapshot."""

    topic: str
    event: Event | None


class Ledger:
    """Checks the numbers of what is published. No sockets here."""

    def __init__(self) -> None:
        self._epoch = ""
        self._at_least = 0
        self._last: dict[str, int] = {}
        self._beat = 0

    def synced(self, epoch: str, seq: int) -> None:
        """A snapshot was taken: all up to this number is known."""
        if epoch != self._epoch:
            self._beat = 0
            self._last.clear()
        self._epoch, self._at_least = epoch, seq
        self._last = {subject: last for subject, last in self._last.items() if last > seq}

    def event(self, subject: str, message: Mapping[str, Any]) -> bool:
        """An event came under a subject; says whether nothing was missed before it."""
        whole = bool(message["epoch"] == self._epoch and message["prev"] <= self._known(subject))
        self._last[subject] = max(self._known(subject), message["seq"])
        return whole

    def is_old(self, message: Mapping[str, Any]) -> bool:
        """Whether the last snapshot has this event in it."""
        return bool(message["epoch"] == self._epoch and message["seq"] <= self._at_least)

    def beat(self, message: Mapping[str, Any], subjects: Iterable[str]) -> bool:
        """A heartbeat came; says whether nothing was missed under these prefixes."""
        prefixes = tuple(subjects)
        whole = bool(message["epoch"] == self._epoch and message["prev"] <= max(self._beat, self._at_least))
        for subject, last in message["beat"].items():
            if subject.startswith(prefixes) and last > self._known(subject):
                whole = False
        self._beat = message["seq"]
        return whole

    def _known(self, subject: str) -> int:
        return max(self._at_least, self._last.get(subject, 0))


class Subscriber:
    """Reads what is published under some topics.

    Begin so: make it, take a snapshot through a ``Client``, hand it to ``synced``, then read. Whenever an item without
    an event comes, take a snapshot again and hand it over again.

    Args:
        address: the publisher's, ``Client.request("hello")["publish"]``.
        topics: beginnings of topics: subjects as ``agent``, ``queue``, ``call`` and ``kind`` below make them. The
            default is everything, each event once.
        key: as of the Client.
        server_key: as of the Client.
        silence_s: nothing heard for so long is a gap too.
        concurrency: ``"greenlets"`` or ``"threads"``.
    """

    def __init__(
        self,
        address: str,
        topics: Iterable[str] = ("kind.",),
        *,
        key: str | os.PathLike[str] | None = None,
        server_key: str | os.PathLike[str] | None = None,
        silence_s: float = 5.0,
        concurrency: Literal["greenlets", "threads"] = "greenlets",
    ) -> None:
        self.topics = tuple(topics)
        self._zmq: Any = zmq if concurrency == "threads" else zmq.green
        self._silence_s = silence_s
        self._heard = time.monotonic()
        self._ledger = Ledger()
        keys = client_keys(key, server_key)
        self._context = self._zmq.Context()
        self._socket = self._context.socket(self._zmq.SUB)
        self._socket.set(self._zmq.LINGER, 0)
        self._socket.set(self._zmq.RCVHWM, 10_000)
        self._socket.set(self._zmq.IPV6, "[" in address)
        if keys is not None:
            keys.put_on(self._socket)
        for topic in (*self.topics, BEAT):
            self._socket.subscribe(topic)
        self._socket.connect(address)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def synced(self, epoch: str, seq: int) -> None:
        """A snapshot was taken: what came up to its number is in it."""
        self._ledger.synced(epoch, seq)

    def next(self, timeout: float) -> Published | None:
        """The next item, or None when none came within ``timeout`` seconds. Blocks for so long."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            if self._socket.poll(min(left, self._silence_s) * 1000):
                self._heard = time.monotonic()
                topic, payload = self._socket.recv_multipart()
                item = self._read(topic.decode(), envelope.unpacked(payload))
                if item is not None:
                    return item
            elif time.monotonic() - self._heard >= self._silence_s:
                self._heard = time.monotonic()
                return Published("", None)
        return None

    def close(self) -> None:
        """End it."""
        self._socket.close(linger=0)
        self._context.term()

    def _read(self, topic: str, message: Mapping[str, Any]) -> Published | None:
        if "beat" in message:
            return None if self._ledger.beat(message, self.topics) else Published(topic, None)
        subject = ".".join(topic.split(".")[:2]) + "."
        is_old = self._ledger.is_old(message)
        if not self._ledger.event(subject, message):
            return Published(topic, None)
        return None if is_old else Published(topic, read_event(message))


def subject(family: Literal["agent", "queue", "call", "kind"], name: str) -> str:
    """The topic of all events about one agent, queue or call, or of one kind."""
    return f"{family}.{topic_part(name)}."
