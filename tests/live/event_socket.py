"""A small event-socket client, independent of the library under test: the tests' own eyes and hands on FreeSWITCH."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from gevent import socket

Event = dict[str, Any]


class EventSocket:
    """One authenticated connection; commands block, events are kept until asked for. For one greenlet at a time."""

    def __init__(self, port: int, password: str = "ClueCon", *, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._buffer = b""
        self._events: deque[Event] = deque()
        greeting, _ = self._frame(time.monotonic() + timeout_s)
        if greeting.get("Content-Type") != "auth/request":
            raise ConnectionError(f"not the greeting of an event socket: {greeting}")
        if not self.command(f"auth {password}").startswith("+OK"):
            raise ConnectionError("the event socket refuses the password")

    def command(self, text: str) -> str:
        """Send one command (without the blank line at its end) and return its reply, or the body of an api's."""
        self._socket.sendall(text.encode() + b"\n\n")
        deadline = time.monotonic() + self._timeout_s
        while True:
            headers, body = self._frame(deadline)
            if headers["Content-Type"] == "text/event-json":
                self._events.append(json.loads(body))
            elif headers["Content-Type"] == "api/response":
                return body.decode(errors="surrogateescape")
            elif headers["Content-Type"] == "command/reply":
                return headers.get("Reply-Text", "")

    def api(self, text: str) -> str:
        """Return what an api command prints, without the line break at its end."""
        return self.command(f"api {text}").strip()

    def subscribe(self, *names: str) -> None:
        """Ask for these events, as JSON."""
        reply = self.command("event json " + " ".join(names))
        if not reply.startswith("+OK"):
            raise ConnectionError(f"subscription refused: {reply}")

    def channels(self) -> list[Event]:
        """Return the rows of `show channels`; the table lags behind the calls themselves by up to 0.2 s."""
        return list(json.loads(self.api("show channels as json")).get("rows", []))

    def next_event(self, timeout_s: float) -> Event | None:
        """Return the next event, or None when none comes in time. Blocks."""
        if self._events:
            return self._events.popleft()
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                headers, body = self._frame(deadline)
            except TimeoutError:
                return None
            if headers["Content-Type"] == "text/event-json":
                return json.loads(body)  # type: ignore[no-any-return]

    def wait_event(self, wanted: Callable[[Event], bool], timeout_s: float, what: str) -> Event:
        """Return the first event that is ``wanted``, dropping those before it; AssertionError naming ``what`` after the wait."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            event = self.next_event(left)
            if event is not None and wanted(event):
                return event
        raise AssertionError(f"no {what} within {timeout_s} s")

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _frame(self, deadline: float) -> tuple[dict[str, str], bytes]:
        while True:
            head, blank, rest = self._buffer.partition(b"\n\n")
            if blank:
                lines = head.decode(errors="surrogateescape").split("\n")
                headers = dict(line.split(": ", 1) for line in lines if ": " in line)
                length = int(headers.get("Content-Length", "0"))
                if len(rest) >= length:
                    self._buffer = rest[length:]
                    return headers, rest[:length]
            self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the event socket said nothing in time")
        self._socket.settimeout(left)
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionError("FreeSWITCH closed the event socket")
        self._buffer += received
