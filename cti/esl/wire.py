"""Writing a command: one header block, perhaps a body, and nothing in either that FreeSWITCH would read as more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cti.errors import LocalProtocolError

NUDGE = b"\n"
"""A bare line feed: FreeSWITCH answers nothing, but wakes up and sends what it has queued (``mod_event_socket.c``)."""

# FreeSWITCH 1.11.2 closes the connection above this (MAX_CONTENT_LENGTH); 1.11.1 tries to allocate what it is told.
MAX_BODY_BYTES = 16 * 1024 * 1024
# Beyond this FreeSWITCH takes what it has for a complete command (max_len of read_packet).
MAX_HEADER_BYTES = 10 * 1024 * 1024

_BREAKS = {"\r": "a carriage return", "\n": "a line feed", "\0": "a NUL"}
_BREAK = re.compile("[\r\n\0]")
_SPACE = re.compile(r"\s")
# Whatever command holds both, anywhere, FreeSWITCH takes for the order to unload itself (parse_command).
_SELF_DESTRUCT = (b"unload", b"reload")
_MODULE = b"mod_event_socket"


def line_part(field: str, text: str) -> str:
    """Return ``text`` when it can stand within one line of a command.

    Raises:
        LocalProtocolError: it holds a line break or a NUL; the message names ``field`` and not the text, which may be
            a secret.
    """
    found = _BREAK.search(text)
    if found:
        raise LocalProtocolError(f"{field} holds {_BREAKS[found.group()]} at position {found.start()}")
    return text


def word(field: str, text: str) -> str:
    """Return ``text`` when it can stand as one word of a command line.

    Raises:
        LocalProtocolError: it is empty or holds white space or a NUL.
    """
    line_part(field, text)
    if not text:
        raise LocalProtocolError(f"{field} is empty")
    if _SPACE.search(text):
        raise LocalProtocolError(f"{field} holds white space")
    return text


def rest(field: str, text: str) -> str:
    """Return ``text`` when it can stand as the last part of a command line.

    Raises:
        LocalProtocolError: it is empty or blank, or holds a line break or a NUL.
    """
    if not line_part(field, text).strip():
        raise LocalProtocolError(f"{field} is empty")
    return text


def to_bytes(field: str, text: str) -> bytes:
    """Return ``text`` as UTF-8, lone surrogates of ``surrogateescape`` as the bytes they stand for.

    Raises:
        LocalProtocolError: it holds another lone surrogate, which stands for nothing.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"{field} holds a lone surrogate at position {exc.start}") from exc


def encode(line: str, headers: Iterable[tuple[str, str]] = (), body: str | bytes | None = None) -> bytes:
    """Return the bytes of one command, to be sent in one write.

    FreeSWITCH strips the spaces a header's value begins with, and drops a header without a value: those are left out.

    Args:
        line: the command line, without a line break.
        headers: further header lines.
        body: what follows the blank line; its ``Content-Length`` is added.

    Raises:
        LocalProtocolError: a part would be read as something else: it holds a line break or a NUL, a header's name
            cannot be one or is ours to set, the command would make FreeSWITCH unload its event socket, or it is longer
            than FreeSWITCH reads.
    """
    lines = [line_part("command", line)]
    if not line.strip():
        raise LocalProtocolError("command is empty")
    for name, value in headers:
        _check_name(name)
        line_part(f"header {name}", value)
        if value.strip(" "):
            lines.append(f"{name}: {value}")
    payload = _payload(body)
    if payload:
        lines.append(f"Content-Length: {len(payload)}")
    block = to_bytes("command", "\n".join(lines))
    if len(block) > MAX_HEADER_BYTES:
        raise LocalProtocolError(f"command has {len(block)} bytes of headers, FreeSWITCH reads {MAX_HEADER_BYTES}")
    folded = block.lower()
    if _MODULE in folded and any(order in folded for order in _SELF_DESTRUCT):
        raise LocalProtocolError("command would make FreeSWITCH unload or reload mod_event_socket")
    return block + b"\n\n" + payload


def _check_name(name: str) -> None:
    line_part("header name", name)
    if not name or name != name.strip() or ":" in name:
        raise LocalProtocolError(f"header name {name!r} cannot be written")
    # A second Content-Length has FreeSWITCH read a second body; `Command` is how it holds the command line itself.
    if name.lower() in ("content-length", "command"):
        raise LocalProtocolError(f"header {name} is not the caller's to set")


def _payload(body: str | bytes | None) -> bytes:
    if body is None:
        return b""
    payload = to_bytes("body", body) if isinstance(body, str) else body
    if b"\0" in payload:
        raise LocalProtocolError("body holds a NUL, where FreeSWITCH would end it")
    if len(payload) > MAX_BODY_BYTES:
        raise LocalProtocolError(f"body has {len(payload)} bytes, FreeSWITCH takes {MAX_BODY_BYTES}")
    return payload
