"""The other end of a connection, played by the test: what we send is read whole, what FreeSWITCH would say is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent import socket

from cti.esl import EventFormat, event_bytes, reply_bytes

UUID = "c0ffee00-0000-4000-8000-000000000001"


def pair() -> tuple[Any, ScriptedPeer]:
    """Return our end of a connection and the other."""
    ours, theirs = socket.socketpair()
    return ours, ScriptedPeer(theirs)


def outcome_of(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> gevent.Greenlet[..., Any]:
    """Run a verb in a greenlet that ends with what it returns or raises."""

    def run() -> Any:
        try:
            return verb(*args, **kwargs)
        except Exception as error:
            return error

    return gevent.spawn(run)


class ScriptedPeer:
    """Reads commands and writes frames."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.sock.settimeout(5)
        self._buffer = b""

    def command(self) -> str:
        """The next command, without its blank line; line feeds between commands are passed over. Blocks."""
        while True:
            self._buffer = self._buffer.lstrip(b"\n")
            head, blank, rest = self._buffer.partition(b"\n\n")
            if blank:
                self._buffer = rest
                return head.decode()
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self._buffer += data

    def header(self, command: str, name: str) -> str:
        """A header of a command."""
        [value] = [line.partition(": ")[2] for line in command.split("\n") if line.startswith(f"{name}: ")]
        return value

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, text: str = "+OK") -> None:
        self.write(reply_bytes(text))

    def answer_connect(self, *, mode: str = "async", control: str = "full") -> None:
        assert self.command() == "connect"
        self.write(
            b"Event-Name: CHANNEL_DATA\nUnique-ID: %b\nvariable_uuid: %b\nCaller-Caller-ID-Number: 100\n"
            b"Caller-Caller-ID-Name: Bob%%0AUnique-ID%%3A%%20FAKE\n"
            b"Content-Type: command/reply\nReply-Text: %%2BOK%%0A\nSocket-Mode: %b\nControl: %b\n\n"
            % (UUID.encode(), UUID.encode(), mode.encode(), control.encode())
        )

    def event(
        self, name: str, headers: dict[str, str] | None = None, body: str | None = None, *, fmt: EventFormat = "json"
    ) -> None:
        pairs = {"Event-Name": name, "Unique-ID": UUID, **(headers or {})}
        self.write(event_bytes(pairs.items(), body, fmt=fmt))

    def notice(self, disposition: str) -> None:
        body = b"" if disposition == "linger" else b"Disconnected, goodbye.\n"
        self.write(
            b"Content-Type: text/disconnect-notice\nContent-Disposition: %b\nContent-Length: %d\n\n%b"
            % (disposition.encode(), len(body), body)
        )

    def goodbye(self) -> None:
        """Have us leave in order."""
        assert self.command() == "exit"
        self.reply("+OK bye")
        self.close()

    def close(self) -> None:
        self.sock.close()
