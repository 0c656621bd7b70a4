"""A switch that does what a script says, right or wrong: each connection runs one function over a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gevent import event, socket
from gevent.server import StreamServer

from cti.esl import api_response_bytes, event_bytes, reply_bytes

PASSWORD = "open sesame 4711"
GREETING = b"Content-Type: auth/request\n\n"
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b"
REJECTION = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"


class Client:
    """The other side, as a script sees it."""

    def __init__(self, sock, released: event.Event) -> None:
        self.sock = sock
        self._buffer = b""
        self._released = released

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, text: str) -> None:
        self.write(reply_bytes(text))

    def api(self, output: str) -> None:
        self.write(api_response_bytes(output))

    def event(self, *pairs: tuple[str, str], body: str | None = None) -> None:
        self.write(event_bytes(pairs, body))

    def line(self) -> str | None:
        """The first line of the next command; None at the end of the stream. Bodies are not understood."""
        while True:
            self._buffer = self._buffer.lstrip(b"\n")
            head, blank, rest = self._buffer.partition(b"\n\n")
            if blank:
                self._buffer = rest
                return head.partition(b"\n")[0].decode("utf-8", "surrogateescape")
            more = self.sock.recv(1 << 16)
            if not more:
                return None
            self._buffer += more

    def let_in(self) -> None:
        """Greet, and accept whatever password comes."""
        self.write(GREETING)
        self.line()
        self.reply("+OK accepted")

    def stay(self) -> None:
        """Keep the connection open, silently, until the test is over."""
        self._released.wait()

    def read_on(self) -> Iterator[str]:
        """Every command that still comes."""
        while (line := self.line()) is not None:
            yield line


@contextmanager
def fake_switch(*scripts: Callable[[Client], object], host: str = "127.0.0.1") -> Iterator[tuple[str, int]]:
    """Serve one script a connection, the last one for all others; the connection is closed when it returns."""
    released = event.Event()
    scripts_left = list(scripts)

    def serve(sock, _address) -> None:
        script = scripts_left.pop(0) if len(scripts_left) > 1 else scripts_left[0]
        try:
            script(Client(sock, released))
        except OSError:
            pass  # the link under test has gone
        finally:
            sock.close()

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, 0))
    listener.listen(8)
    server = StreamServer(listener, serve)
    server.start()
    try:
        yield host, server.server_port
    finally:
        released.set()
        server.stop(timeout=0.1)
