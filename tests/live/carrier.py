"""A carrier's SIP server, as far as a gateway needs one: it answers REGISTER and OPTIONS with 200 OK, while it is there."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

import gevent
from gevent import socket

_COPIED = re.compile(rb"^(?:via|v|from|f|call-id|i|cseq|contact|m):.*$", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(rb"^(?:to|t):(.*)$", re.IGNORECASE | re.MULTILINE)


class Carrier:
    """Answers on a UDP port of the loopback interface; a context manager that falls silent at its end."""

    def __init__(self, port: int, status: str = "200 OK") -> None:
        self.status = status
        self.requests: list[str] = []
        """The method of each request."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._greenlet = gevent.spawn(self._run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._greenlet.kill()
        self._socket.close()

    def _run(self) -> None:
        while True:
            request, sender = self._socket.recvfrom(65536)
            self.requests.append(request.split(b" ", 1)[0].decode())
            head = request.partition(b"\r\n\r\n")[0]
            to = _TO.search(head)
            assert to is not None, head
            lines = [f"SIP/2.0 {self.status}".encode()]
            lines += [line.strip() for line in _COPIED.findall(head)]
            lines += [b"To:" + to.group(1).strip() + b";tag=carrier", b"Expires: 60", b"Content-Length: 0"]
            self._socket.sendto(b"\r\n".join(lines) + b"\r\n\r\n", sender)
