"""The simulated switch on a TCP port, for clients that want a real socket."""

from __future__ import annotations

from typing import Any

import gevent
from gevent import event, socket
from gevent.server import StreamServer

from cti.sim.session import Session
from cti.sim.switch import SimulatedSwitch

_READ_BYTES = 65_536


class SimServer:
    """Serves a :class:`SimulatedSwitch` (on a :class:`~cti.sim.gevent_scheduler.GeventScheduler`) as an event socket.

    Args:
        switch: the switch.
        host: the address to listen on.
        port: the port; 0 takes a free one, see :attr:`address`.
    """

    def __init__(self, switch: SimulatedSwitch, host: str = "127.0.0.1", port: int = 0) -> None:
        self.switch = switch
        self._host = host
        self._port = port
        self._server: StreamServer | None = None

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port it listens on, or last listened on."""
        return self._host, self._port

    def start(self) -> None:
        """Listens; raises OSError when the port is taken. After :meth:`stop` the same port is taken again."""
        server = StreamServer((self._host, self._port), self._serve)
        server.start()
        self._server = server
        self._port = int(server.server_port or 0)

    def stop(self) -> None:
        """Stops listening and cuts every connection; calls go on."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self.switch.drop_links()

    def drop_links(self) -> None:
        """Cuts every connection; new ones are accepted."""
        self.switch.drop_links()

    def restart(self, down_s: float = 0.0) -> None:
        """FreeSWITCH is killed and started again; blocks this greenlet for ``down_s`` while nothing listens."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self.switch.restart()
        if down_s > 0:
            gevent.sleep(down_s)
        self.start()

    def _serve(self, sock: Any, _address: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.switch.connect()
        _Connection(session, sock).run()


class _Connection:
    """One client: a greenlet that reads, and one that writes what has gathered meanwhile in one go."""

    def __init__(self, session: Session, sock: Any) -> None:
        self._session = session
        self._sock = sock
        self._out: list[bytes] = []
        self._wake = event.Event()
        session.on_send = self._send
        session.on_close = self._wake.set

    def run(self) -> None:
        writer = gevent.spawn(self._write)
        reader = gevent.spawn(self._read)
        writer.join()
        reader.kill()
        self._session.close()
        self._sock.close()

    def _send(self, data: bytes) -> None:
        self._out.append(data)
        self._wake.set()

    def _read(self) -> None:
        try:
            while data := self._sock.recv(_READ_BYTES):
                self._session.receive(data)
        except OSError:
            pass  # the client went away without a word
        self._session.close()
        self._wake.set()

    def _write(self) -> None:
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                data, self._out = b"".join(self._out), []
                if data:
                    self._sock.sendall(data)
                if self._session.closed and not self._out:
                    return
        except OSError:
            return
