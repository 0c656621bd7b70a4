"""A doorbell: FreeSWITCH sends a datagram with each event of urgent kinds, and we fetch the event at once.

An event waits up to 20 ms in FreeSWITCH's event socket unless a byte of ours wakes it (see nudge.py). mod_event_multicast
sends its datagram in the thread that has just queued the event (mod_event_multicast.c, event_handler; switch_event.c:
modules that were loaded later are told first, so it has to be loaded before mod_event_socket). Nothing of a datagram is
read: whatever comes only wakes, and so need not be trusted.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import gevent

from cti.errors import ConfigurationError
from cti.model.switch import doorbell_address

SHORTEST_S: Final = 0.0003
"""Between two wake-ups: datagrams without end cost no more than a ticker would."""
_AT_ONCE: Final = 64
"""Datagrams thrown away in one go."""
_READABLE: Final = 1


class Doorbell:
    """Listens for datagrams, and calls a function when some have come. To be made in the hub's thread.

    Args:
        address: ``host:port``, an address of this machine or a multicast group, of IPv4.
        rung: called in the hub, so it must not block.

    Raises:
        ConfigurationError: it is no such address, or cannot be listened at.
    """

    def __init__(self, address: str, rung: Callable[[], object]) -> None:
        self._rung = rung
        self._socket = _bound(address)
        self.last = float("-inf")
        """When it rang last, on the monotonic clock."""
        self._woken = float("-inf")
        loop = gevent.get_hub().loop
        self._watcher: Any = loop.io(self._socket.fileno(), _READABLE)
        self._later: Any = loop.timer(SHORTEST_S)
        self._watcher.start(self._heard)

    @property
    def address(self) -> str:
        """Where it listens, with the port that the system chose for port 0."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Listen no more. Harmless when closed."""
        for watcher in (self._watcher, self._later):
            watcher.stop()
            watcher.close()
        self._socket.close()

    def _heard(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                self._socket.recv(1)
        self.last = time.monotonic()
        if self.last - self._woken >= SHORTEST_S:
            self._wake()
        elif not self._later.active:
            self._later.start(self._wake)

    def _wake(self) -> None:
        self._woken = time.monotonic()
        self._rung()


def _bound(address: str) -> socket.socket:
    host, port = doorbell_address(address)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        # The process that takes over from this one may listen already.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((str(host), port))
        if host.is_multicast:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, host.packed + bytes(4))
    except OSError as error:
        made.close()
        raise ConfigurationError(f"cannot listen for the doorbell at {address!r}: {error}") from None
    return made
