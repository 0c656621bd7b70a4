"""greenswitch's outbound server: an application object a call. It is told of each by gevent and polls for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import structlog
from gevent.server import StreamServer

from cti.errors import ConfigurationError, CtiError
from cti.switch.greenswitch_session import OutboundSession
from cti.switch.outbound_server import BACKLOG

_log = structlog.get_logger("cti.switch")


class OutboundESLServer:
    """Listens for FreeSWITCH's ``socket`` application; ``application(session).run()`` handles a call.

    Args:
        bind_address: the address to listen on.
        bind_port: the port, or several to try in order.
        application: called with the session of each call; its ``run`` runs in a greenlet of its own.
        max_connections: calls at a time; one beyond is connected and let go at once.

    Raises:
        ValueError: there is no port or no application.
    """

    def __init__(
        self,
        bind_address: str = "127.0.0.1",
        bind_port: int | list[int] | tuple[int, ...] = 8000,
        application: Callable[[OutboundSession], Any] | None = None,
        max_connections: int = 100,
    ) -> None:
        ports = list(bind_port) if isinstance(bind_port, (list, tuple)) else [bind_port]
        if not ports:
            raise ValueError("bind_port must be a string or list with port numbers")
        if application is None:
            raise ValueError("You need an Application to control your calls.")
        self.bind_address = bind_address
        self.bind_port = ports
        self.max_connections = max_connections
        self.connection_count = 0
        self.application = application
        self.bound_port: int | None = None
        self.server: StreamServer | None = None
        self._greenlets: set[Any] = set()
        self._stopped = gevent.event.Event()

    def listen(self) -> None:
        """Serve until ``stop`` is called and the calls in progress have ended. Blocks this greenlet.

        Raises:
            ConfigurationError: none of the ports can be had (greenswitch ends the process then).
        """
        self._stopped.clear()
        self.server = self._bind()
        self.server.start()
        try:
            self._stopped.wait()
        finally:
            self.server.close()
            gevent.joinall(list(self._greenlets))

    def stop(self) -> None:
        """Take no more calls; ``listen`` returns when those in progress have ended. Never blocks."""
        self._stopped.set()

    def _bind(self) -> StreamServer:
        reasons = []
        for port in self.bind_port:
            server = StreamServer((self.bind_address, int(port)), self._serve, backlog=BACKLOG)
            try:
                server.init_socket()
            except OSError as error:
                reasons.append(f"{port}: {error.strerror or error}")
                continue
            self.bound_port = server.server_port
            return server
        raise ConfigurationError(f"no port of {self.bind_address} can be had ({', '.join(reasons)})")

    def _serve(self, sock: Any, client_address: Any) -> None:
        session = OutboundSession(client_address, sock)
        full = self.connection_count >= self.max_connections
        greenlet = gevent.getcurrent()
        if not full:
            self.connection_count += 1
            self._greenlets.add(greenlet)
        try:
            session.connect()
            if full:
                _log.warning("too many outbound sessions", limit=self.max_connections)
            else:
                self.application(session).run()
        except CtiError as error:
            _log.info("outbound session ended", reason=str(error))
        except Exception:  # noqa: BLE001 - an application may raise anything
            _log.exception("the application of an outbound session failed")
        finally:
            session.stop()
            if not full:
                self.connection_count -= 1
                self._greenlets.discard(greenlet)
