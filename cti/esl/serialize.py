"""What a FreeSWITCH writes: frames and events as bytes, for a simulated switch and for tests.

The counterpart of ``Decoder``; it follows ``switch_event_serialize`` and ``switch_event_serialize_json``
(``switch_event.c``) byte for byte, their losses included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from cti.errors import LocalProtocolError
from cti.esl.event_names import EventFormat
from cti.esl.frame import EVENT_JSON, EVENT_PLAIN
from cti.esl.headers import HeaderPair
from cti.esl.percent import encode_value
from cti.esl.wire import line_part, to_bytes


def frame_bytes(content_type: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None) -> bytes:
    """Return a frame: ``Content-Type``, ``Content-Length`` when there is a body, the headers, a blank line, the body.

    Raises:
        LocalProtocolError: a header's name or value holds a line break or a NUL.
    """
    pairs = [("Content-Type", content_type)]
    if body is not None:
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{line_part('name', name)}: {line_part(name, value)}\n" for name, value in (*pairs, *headers)]
    return to_bytes("headers", "".join(lines)) + b"\n" + (body or b"")


def reply_bytes(text: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a ``command/reply`` frame with this ``Reply-Text``."""
    return frame_bytes("command/reply", [("Reply-Text", text), *headers])


def api_response_bytes(output: str) -> bytes:
    """Return an ``api/response`` frame; FreeSWITCH says ``-ERR no reply`` when there is no output."""
    return frame_bytes("api/response", body=to_bytes("output", output or "-ERR no reply\n"))


def event_bytes(pairs: Iterable[HeaderPair], body: str | None = None, *, fmt: EventFormat = "json") -> bytes:
    """Return the frame of an event, its envelope in the order FreeSWITCH gives it.

    Args:
        pairs: the event's headers in order; a list is an array.
        body: the event's body; its ``Content-Length`` is added.
        fmt: ``json`` or ``plain``; FreeSWITCH's XML is not written.

    Raises:
        LocalProtocolError: another format.
    """
    if fmt == "json":
        block, content_type = json_event(pairs, body), EVENT_JSON
    elif fmt == "plain":
        block, content_type = plain_event(pairs, body), EVENT_PLAIN
    else:
        raise LocalProtocolError(f"events are not written as {fmt}")
    return b"Content-Length: %d\nContent-Type: %b\n\n%b" % (len(block), content_type.encode(), block)


def plain_event(pairs: Iterable[HeaderPair], body: str | None = None) -> bytes:
    """Return an event in the plain format, without an envelope."""
    lines = [b"%b: %b\n" % (to_bytes("name", name), encode_value(value)) for name, value in pairs]
    raw = to_bytes("body", body or "")
    if raw:
        lines.append(b"Content-Length: %d\n" % len(raw))
    return b"".join(lines) + b"\n" + raw


def json_event(pairs: Iterable[HeaderPair], body: str | None = None) -> bytes:
    """Return an event in the JSON format, without an envelope; repeated names are all written."""
    members = list(pairs)
    if body is not None:
        members += [("Content-Length", str(len(to_bytes("body", body)))), ("_body", body)]
    text = ",".join(f"{_quoted(name)}:{_quoted(value)}" for name, value in members)
    return to_bytes("event", f"{{{text}}}")


def _quoted(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
