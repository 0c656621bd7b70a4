"""A connection that FreeSWITCH opened to us: the same reading, writing and answering as a Link, nothing to log on to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import gevent.socket

from cti.errors import LinkError, RemoteProtocolError
from cti.esl import Frame
from cti.switch.link import Link

KEEP_ALIVE_S: Final = 30
"""Seconds of silence before the kernel asks whether FreeSWITCH's machine is still there (FreeSWITCH sets the same)."""


class AcceptedLink(Link):
    """One accepted connection; reading begins with ``start_event_handlers``.

    Args:
        sock: the connected socket; closed with the link.
        address: where it comes from, for errors: host, port and, for IPv6, two more.
        on_event: called in the reading greenlet with every frame that is no reply; must not block.
        on_closed: called once, in any greenlet, when the connection has ended, with the reason.
    """

    def __init__(
        self,
        sock: Any,
        address: Any,
        *,
        on_event: Callable[[Frame], None],
        on_closed: Callable[[LinkError | RemoteProtocolError], None],
    ) -> None:
        host, port = (str(address[0]), int(address[1])) if isinstance(address, tuple) else (str(address), 0)
        super().__init__(host, port, "", on_event=on_event, on_closed=on_closed)
        self.sock = sock
        self.connected = True
        self._greeted.settle("")  # FreeSWITCH does not greet here; a frame that does is an error
        with suppress(OSError):  # a socket of another family has no such options
            sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
            sock.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_KEEPALIVE, 1)
            sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_KEEPIDLE, KEEP_ALIVE_S)
