"""An event of the simulated switch, and its two encodings, byte for byte as ``switch_event.c`` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

HeaderValue = str | list[str]

# switch_url_encode leaves an existing %XX alone (switch_utils.c); everything else listed here becomes %XX.
_UNSAFE = re.compile(rb"%(?![0-9A-F]{2})|[^%!$'()*,\-./0-9A-Za-z_~]")
_UNSAFE_TEXT = re.compile(r"[^!$'()*,\-./0-9A-Za-z_~]")

_ENCODER = msgspec.json.Encoder()


@lru_cache(maxsize=4096)
def percent_encoded(value: str) -> str:
    """A header's value as a plain event carries it; bytes that are not UTF-8 arrive as surrogate escapes."""
    if not _UNSAFE_TEXT.search(value):
        return value
    raw = value.encode("utf-8", "surrogateescape")
    return _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")


def plain_value(value: HeaderValue) -> str:
    """A value, or an array, as a plain event carries it; an empty one is ``_undef_``."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else "ARRAY::" + "|:".join(value)
    return percent_encoded(value) if value else "_undef_"


def json_members(headers: Mapping[str, HeaderValue]) -> str:
    """The headers as a JSON object without its braces; bytes that are not UTF-8 stay surrogate escapes."""
    return members_after(headers)[1:]


def members_after(headers: Mapping[str, HeaderValue] | None) -> str:
    """:func:`json_members` with the comma that is needed behind other headers; nothing for none."""
    if not headers:
        return ""
    try:
        return "," + str(_ENCODER.encode(headers), "utf-8")[1:-1]
    except UnicodeEncodeError:
        return "," + json.dumps(headers, ensure_ascii=False, separators=(",", ":"))[1:-1]


@lru_cache(maxsize=4096)
def json_string(text: str) -> str:
    """A text as JSON has it, in its quotes; remembered, so meant for names that come again, not for long texts."""
    try:
        return str(_ENCODER.encode(text), "utf-8")
    except UnicodeEncodeError:
        return json.dumps(text, ensure_ascii=False)


def headers_of(members: str) -> dict[str, HeaderValue]:
    """What :func:`json_members` was made of."""
    found: dict[str, HeaderValue] = json.loads(f"{{{members}}}")
    return found


def plain_text(headers: Mapping[str, HeaderValue], body: str | None = None) -> bytes:
    """The headers as ``Name: value`` lines, a blank line, and the body."""
    lines = [f"{name}: {plain_value(value)}\n" for name, value in headers.items()]
    raw = body.encode("utf-8", "surrogateescape") if body else b""
    if raw:
        lines.append(f"Content-Length: {len(raw)}\n")
    lines.append("\n")
    return "".join(lines).encode("utf-8", "surrogateescape") + raw


class SimEvent:
    """An event that somebody has subscribed to; each encoding is made once, however many sessions take it.

    Its headers come as JSON (:func:`json_members`), since that is what almost every client wants to have; the other
    encoding and the filters read them back from there.
    """

    __slots__ = ("_headers", "_json", "_plain", "body", "members", "name", "subclass")

    def __init__(self, name: str, members: str, body: str | None = None, subclass: str = "") -> None:
        self.name = name
        self.members = members
        self.body = body
        self.subclass = subclass
        self._headers: dict[str, HeaderValue] | None = None
        self._json: bytes | None = None
        self._plain: bytes | None = None

    @property
    def headers(self) -> dict[str, HeaderValue]:
        """The headers by name, in their order."""
        if self._headers is None:
            self._headers = headers_of(self.members)
        return self._headers

    def frame(self, form: str) -> bytes:
        """The whole frame, envelope included, in ``json`` or ``plain``."""
        if form == "json":
            if self._json is None:
                self._json = self._json_frame()
            return self._json
        if self._plain is None:
            text = plain_text(self.headers, self.body)
            self._plain = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(text), text)
        return self._plain

    def _json_frame(self) -> bytes:
        members = self.members
        if self.body is not None:
            length = len(self.body.encode("utf-8", "surrogateescape"))
            members = f"{members},{json_members({'Content-Length': str(length), '_body': self.body})}"
        if members.isascii():
            head = f"Content-Length: {len(members) + 2}\nContent-Type: text/event-json\n\n"
            return f"{head}{{{members}}}".encode("ascii")
        raw = members.encode("utf-8", "surrogateescape")
        return b"Content-Length: %d\nContent-Type: text/event-json\n\n{%s}" % (len(raw) + 2, raw)
