"""Bytes from a client to commands, with the leniency and the quirks of ``read_packet`` (``mod_event_socket.c``)."""

from __future__ import annotations

import re

# Any \r is ignored when the two line ends of a command are counted.
_END = re.compile(rb"\n\r*\n")


class Command:
    """One command: its first line, its headers by lower-case name, and its body."""

    __slots__ = ("body", "headers", "line")

    def __init__(self, line: str, headers: dict[str, str], body: str | None) -> None:
        self.line = line
        self.headers = headers
        self.body = body


class CommandReader:
    """Collects what a client writes; line ends between commands are dropped without a word."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: tuple[str, dict[str, str], int] | None = None

    def feed(self, data: bytes) -> None:
        """Adds bytes."""
        self._buffer += data

    def next(self) -> Command | None:
        """The next complete command, or None."""
        if self._waiting is None:
            self._buffer = self._buffer.lstrip(b"\r\n")
            if not self._buffer:
                return None
            found = _END.search(self._buffer)
            if found is None:
                return None
            lines = _lines(self._buffer[: found.start()].decode("utf-8", "surrogateescape"))
            self._buffer = self._buffer[found.end() :]
            headers: dict[str, str] = {}
            for line in lines[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    headers.setdefault(name.strip().lower(), value.strip(" \t"))
            length = _number(headers["content-length"]) if "content-length" in headers else 0
            if length <= 0:
                return Command(lines[0], headers, None)
            self._waiting = (lines[0], headers, length)
        line, headers, length = self._waiting
        if len(self._buffer) < length:
            return None
        body = self._buffer[:length].partition(b"\0")[0]
        self._buffer = self._buffer[length:]
        self._waiting = None
        return Command(line, headers, body.decode("utf-8", "surrogateescape"))


def _lines(block: str) -> list[str]:
    """Splits at the next CR when there is one anywhere ahead, else at LF: mixed line ends merge lines."""
    block = block.partition("\0")[0]
    if "\r" not in block:
        return block.split("\n")
    lines: list[str] = []
    rest = block
    while rest:
        end = "\r" if "\r" in rest else "\n"
        line, _, rest = rest.partition(end)
        rest = rest.lstrip("\r\n") if end == "\r" else rest
        lines.append(line.replace("\r", "").strip("\n"))
    return lines or [""]


def _number(text: str) -> int:
    found = re.match(r"\s*[+-]?\d+", text)  # atoi
    return int(found[0]) if found else 0
