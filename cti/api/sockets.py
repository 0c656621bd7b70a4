"""The server's sockets: encrypted with the server's key, or plain where nobody from outside can reach them."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

import zmq.green as zmq

from cti.api.keyring import KeyRing
from cti.api.limits import Limits
from cti.errors import ConfigurationError

HANDSHAKE_MS: Final = 5_000
"""Who has not shown a key by then is disconnected."""
HEARTBEAT_MS: Final = 5_000
HEARTBEAT_TIMEOUT_MS: Final = 15_000
"""ZMTP's own heartbeats: a peer whose host is gone is disconnected after so long, and its queue with it."""
STALLED_MS: Final = 15_000
"""A peer that takes no byte for so long is disconnected (TCP_USER_TIMEOUT); ZMTP's heartbeats wait behind what it
does not take."""
PUBLISHER_UNREAD: Final = 10_000
"""Messages that may wait for a slow subscriber of the publisher."""


class Sockets:
    """Makes them, all in one context.

    Args:
        keys: the keys; None for plain sockets.
        limits: sizes and queues.
        ipv6: whether an address is one of IPv6.
    """

    def __init__(self, keys: KeyRing | None, limits: Limits, *, ipv6: bool) -> None:
        self.context = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 64)
        self._keys = keys
        self._limits = limits
        self._ipv6 = ipv6

    def router(self) -> Any:
        """A ROUTER socket that says when a message finds no room, or nobody."""
        made = self._socket(zmq.ROUTER, "requests")
        made.set(zmq.ROUTER_MANDATORY, 1)
        made.set(zmq.SNDHWM, self._limits.unread)
        made.set(zmq.RCVHWM, self._limits.unread)
        return made

    def publisher(self) -> Any:
        """A PUB socket; a subscription is at most as long as a topic can be."""
        made = self._socket(zmq.PUB, "events")
        made.set(zmq.SNDHWM, PUBLISHER_UNREAD)
        return made

    def close(self) -> None:
        """End the context; its sockets have been closed."""
        self.context.destroy(linger=0)

    def _socket(self, kind: int, domain: str) -> Any:
        made = self.context.socket(kind)
        made.set(zmq.LINGER, 0)
        made.set(zmq.IPV6, self._ipv6)
        made.set(zmq.MAXMSGSIZE, self._limits.message_bytes)
        made.set(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        made.set(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        made.set(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
        made.set(zmq.TCP_MAXRT, STALLED_MS)
        made.set(zmq.BACKLOG, 1_024)
        if self._keys is not None:
            made.set(zmq.CURVE_SERVER, 1)
            made.set(zmq.CURVE_SECRETKEY, self._keys.server_secret)
            made.set(zmq.CURVE_PUBLICKEY, self._keys.server_public)
            made.set_string(zmq.ZAP_DOMAIN, domain)
        return made


def check_plain(address: str) -> None:
    """Raise ConfigurationError unless only this machine can reach an address."""
    transport, _, rest = address.partition("://")
    if transport in {"ipc", "inproc"}:
        return
    host = rest.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise ConfigurationError(
            f"{address} can be reached from other machines, and nothing is encrypted: give keys, "
            "bind to 127.0.0.1, or say allow_plain=True if another layer protects it"
        )
