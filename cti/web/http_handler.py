"""gevent's WSGI handler with what it leaves out: deadlines, sizes, and no request that two servers read differently."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Final

import gevent
import gevent.pool
import structlog
from gevent import pywsgi

from cti.api.refusal import ErrorRecord
from cti.web.json_text import written
from cti.web.limits import WebLimits
from cti.web.problem import MEDIA_TYPE, body

REQUEST_LINE_BYTES: Final = 8_192
"""gevent's bound, ``pywsgi.MAX_REQUEST_LINE``, which its type stubs leave out."""
HEADER_BYTES: Final = 65_536
"""All header lines of a request together; http.client bounds each line, and their number to 100."""

_log = structlog.get_logger("cti.web")


class _Unfit(ValueError):
    """Carries why a request is not passed on to the application."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.record = ErrorRecord(code, message)


class _Headers(io.RawIOBase):
    """What the headers are read from: no more of it than there may be."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = HEADER_BYTES

    def readline(self, size: int | None = -1, /) -> bytes:
        line: bytes = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise _Unfit(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "limit.size", "the headers are too long")
        return line


class HttpHandler(pywsgi.WSGIHandler):
    """One connection. A request is read whole, within a deadline, before the application sees it."""

    server: HttpServer
    _deadline: gevent.Timeout | None = None
    _body = b""

    def handle(self) -> None:
        """Serve the connection until it ends."""
        limits = self.server.limits
        self.socket.settimeout(max(limits.idle_s, limits.request_s, limits.write_s))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are two writes
        try:
            with contextlib.suppress(OSError):  # the client has gone
                super().handle()
        finally:
            self._stop_deadline()

    def handle_one_request(self) -> Any:
        """Serve a request; True when another may follow on the connection."""
        served = super().handle_one_request()
        if isinstance(served, tuple) and served[0] == "414":  # gevent's own answer has no body, and nobody counts it
            message = f"a request line may have {REQUEST_LINE_BYTES} bytes"
            return self._handle_client_error(_Unfit(HTTPStatus.REQUEST_URI_TOO_LONG, "limit.size", message))
        return served

    def read_requestline(self) -> str:
        """Wait for a request, and begin to read it."""
        limits = self.server.limits
        with gevent.Timeout(limits.idle_s, _timed_out()):
            self.rfile.peek(1)
        too_slow = _Unfit(HTTPStatus.REQUEST_TIMEOUT, "limit.time", "the request did not come in time")
        self._deadline = gevent.Timeout.start_new(limits.request_s, too_slow)
        try:
            return str(super().read_requestline())
        except _Unfit:
            self._stop_deadline()
            raise _timed_out() from None

    def read_request(self, raw_requestline: str) -> Any:
        """Read the headers and the body.

        Raises:
            ValueError: it is not a request, or one that is not served.
        """
        try:
            known = super().read_request(raw_requestline)
            self._check()
            self._body = self._read_body()
        finally:
            self._stop_deadline()
        return known

    def MessageClass(self, file: Any, *arguments: Any) -> Any:  # noqa: N802 - gevent's name
        """Read the headers, as far as they are not too long."""
        limited: Any = _Headers(file)
        return super().MessageClass(limited, *arguments)

    def get_environ(self) -> dict[str, Any]:
        """What the application is given: the body is there already."""
        environ: dict[str, Any] = super().get_environ()
        environ["wsgi.input"] = io.BytesIO(self._body)
        rest: Any = self.wsgi_input
        rest.position = len(self._body)  # nothing is left to be thrown away
        return environ

    def _sendall(self, data: bytes) -> None:
        with gevent.Timeout(self.server.limits.write_s, _timed_out()):
            super()._sendall(data)  # type: ignore[misc]  # the stubs know nothing of it

    def log_request(self) -> None:
        """Nothing: the application counts its requests."""

    def handle_error(self, kind: Any, error: Any, trace: Any) -> None:
        """The application failed, or the client does not take what is sent: no traceback leaves the process."""
        if isinstance(error, OSError):
            self.close_connection = True
            return
        if not isinstance(error, gevent.GreenletExit):
            _log.error("a response failed", exc_info=(kind, error, trace))
        self._send_error_response_if_possible(500)  # type: ignore[attr-defined]  # the same

    def _check(self) -> None:
        """Refuse what the next server in line could read otherwise.

        Raises:
            ValueError: the request is not served.
        """
        if self.request_version not in {"HTTP/1.1", "HTTP/1.0"}:
            raise _Unfit(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "protocol.version", "speak HTTP/1.1")
        if self.headers.get_all("transfer-encoding"):
            raise _Unfit(HTTPStatus.LENGTH_REQUIRED, "protocol.malformed", "send a Content-Length")
        lengths = self.headers.get_all("content-length") or ["0"]
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdecimal()):
            raise _Unfit(HTTPStatus.BAD_REQUEST, "protocol.malformed", "Content-Length must be one whole number")
        if int(lengths[0][:19]) > self.server.limits.body_bytes:
            message = f"a body may have {self.server.limits.body_bytes} bytes"
            raise _Unfit(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "limit.size", message)
        hosts = len(self.headers.get_all("host") or [])
        if hosts > 1 or (not hosts and self.request_version == "HTTP/1.1"):
            raise _Unfit(HTTPStatus.BAD_REQUEST, "protocol.malformed", "a request has one Host")

    def _read_body(self) -> bytes:
        length = self.content_length or 0
        if not length:
            return b""
        if self.headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        read: bytes = self.rfile.read(length)
        if len(read) < length:
            raise _Unfit(HTTPStatus.BAD_REQUEST, "protocol.malformed", "the body is shorter than its Content-Length")
        return read

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
            self._deadline = None

    def _handle_client_error(self, error: Exception) -> tuple[str, bytes]:
        """What is answered to a request that is none; the connection ends after it."""
        if not isinstance(error, _Unfit):
            error = _Unfit(HTTPStatus.BAD_REQUEST, "protocol.malformed", "the request is not HTTP")
        self.server.on_unfit(error.record.code, str(self.client_address[0]))
        return error.status.phrase, _response(error.status, error.record)


class HttpServer(pywsgi.WSGIServer):
    """Accepts connections, no more than there may be.

    Args:
        listener: host and port.
        application: the WSGI application.
        limits: sizes, deadlines and numbers.
        one_address: connections that one address may have.
        on_unfit: called with the code and the address of each request that the application does not see.
        ssl: the TLS context; None for none.
    """

    handler_class = HttpHandler

    def __init__(
        self,
        listener: tuple[str, int],
        application: Callable[..., Any],
        limits: WebLimits,
        *,
        one_address: int,
        on_unfit: Callable[[str, str], None],
        ssl: SSLContext | None,
    ) -> None:
        pool = gevent.pool.Pool(limits.connections)
        options: dict[str, Any] = {"ssl_context": ssl} if ssl is not None else {}
        log: Any = _Complaints()
        name = {"SERVER_NAME": listener[0]}  # gevent would ask the DNS
        super().__init__(listener, application, spawn=pool, log=None, error_log=log, environ=name, **options)
        self.limits = limits
        self.on_unfit = on_unfit
        self._one_address = one_address
        self._of_address: Counter[str] = Counter()

    def use(self, limits: WebLimits, *, one_address: int) -> None:
        """From now on these limits count, but for how many connections there may be; see the class."""
        self.limits = limits
        self._one_address = one_address

    def handle(self, sock: Any, address: Any) -> None:
        """Serve a connection. Blocks this greenlet until it ends."""
        if self.ssl_enabled:  # it has been counted, before the handshake
            super().handle(sock, address)
            return
        with self._counted(sock, address) as room:
            if room:
                super().handle(sock, address)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """Serve a TLS connection. Blocks this greenlet until it ends."""
        with self._counted(client_socket, address) as room:
            if room:
                client_socket.settimeout(self.limits.request_s)
                with contextlib.suppress(OSError):  # no TLS, or not in time
                    super().wrap_socket_and_handle(client_socket, address)

    @contextlib.contextmanager
    def _counted(self, sock: Any, address: Any) -> Iterator[bool]:
        host = str(address[0])
        if self._of_address[host] >= self._one_address:
            sock.close()
            self.on_unfit("limit.clients", host)
            yield False
            return
        self._of_address[host] += 1
        try:
            yield True
        finally:
            self._of_address[host] -= 1
            if not self._of_address[host]:
                del self._of_address[host]


class _Complaints:
    """What gevent has to say of clients goes to our log, at a level that a flood of them does not fill."""

    def write(self, text: str) -> None:
        _log.debug("http", complaint=text.strip()[:200])

    def flush(self) -> None:
        """Nothing is kept back."""


def _response(status: HTTPStatus, record: ErrorRecord) -> bytes:
    said = written(body(status, record))
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(said)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + said


def _timed_out() -> TimeoutError:
    """As the socket itself says it: gevent looks at its first argument."""
    return TimeoutError(errno.ETIMEDOUT, "timed out")
