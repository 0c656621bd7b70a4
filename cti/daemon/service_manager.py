"""What systemd is told: that we are ready, alive, reloading, stopping (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import gevent


class ServiceManager:
    """Tells the service manager how we are, if there is one.

    A message is a datagram to the socket that ``NOTIFY_SOCKET`` names; one that begins with ``@`` is abstract. A manager
    that does not listen is none.

    Args:
        environ: the process's environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._every_s = _watchdog_s(environ) / 2
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def ready(self, status: str) -> None:
        """We serve. From now on it is told that we are alive, twice in each of its deadlines, if it asked for that."""
        self._tell("READY=1", f"STATUS={status}")
        if self._every_s and self._greenlet is None:
            self._greenlet = gevent.spawn(self._be_alive)

    def status(self, status: str) -> None:
        """What ``systemctl status`` shows."""
        self._tell(f"STATUS={status}")

    def stopping(self, status: str) -> None:
        """We are on our way out, and still alive until ``close``."""
        self._tell("STOPPING=1", f"STATUS={status}")

    def close(self) -> None:
        """Say no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _be_alive(self) -> None:
        # In a greenlet: a loop that is stuck does not say that it is alive.
        while True:
            self._tell("WATCHDOG=1")
            gevent.sleep(self._every_s)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
            except (OSError, ValueError):
                return  # sd_notify(3): nothing to be done about it


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """The deadline between two signs of life; 0 for none, or if it is meant for another process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    asked = environ.get("WATCHDOG_USEC", "")
    return int(asked) / 1e6 if asked.isascii() and asked.isdecimal() else 0.0
