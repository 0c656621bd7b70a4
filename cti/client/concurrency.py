"""The same client on greenlets and on threads: what differs between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import gevent.queue
import zmq
import zmq.green


class Concurrency(Protocol):
    """How to run beside the caller, wait, and use ZeroMQ."""

    zmq: Any
    """The module whose sockets block only the caller."""

    def spawn(self, work: Callable[[], None]) -> Any:
        """Run something beside the caller."""
        ...

    def join(self, running: Any, timeout: float) -> None:
        """Wait until it has ended, at most so many seconds."""
        ...

    def queue(self, size: int) -> Any:
        """A queue that raises queue.Full and queue.Empty."""
        ...


class Greenlets:
    """On gevent: everything in the thread that made the client."""

    zmq: Any = zmq.green

    def spawn(self, work: Callable[[], None]) -> Any:
        """Run something in a greenlet."""
        return gevent.spawn(work)

    def join(self, running: Any, timeout: float) -> None:
        """Wait for it."""
        running.join(timeout)

    def queue(self, size: int) -> Any:
        """Gevent's queue."""
        return gevent.queue.Queue(size)


class Threads:
    """On threads: the client may be used by any of them."""

    zmq: Any = zmq

    def spawn(self, work: Callable[[], None]) -> Any:
        """Run something in a thread that does not keep the program alive."""
        thread = threading.Thread(target=work, daemon=True, name="cti.client")
        thread.start()
        return thread

    def join(self, running: Any, timeout: float) -> None:
        """Wait for it."""
        running.join(timeout)

    def queue(self, size: int) -> Any:
        """The standard library's queue."""
        return queue.Queue(size)
