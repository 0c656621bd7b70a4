"""An event of the simulated switch, and its two encodings, byte for byte as ``switch_event.c`` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

HeaderValue = str | list[str]

# switch_url_encode leaves an existing %XX alone (switch_utils.c); everything else listed here becomes %XX.
_UNSAFE = re.compile(rb"%(?![0-9A-F]{2})|[^%!$'()*,\-./0-9A-Za-z_~]")
_UNSAFE_TEXT = re.compile(r"[^!$'()*,\-./0-9A-Za-z_~]")


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


def json_text(headers: Mapping[str, HeaderValue]) -> bytes:
    """The headers as one JSON object; bytes that are not UTF-8 go out raw, as cJSON lets them."""
    try:
        return msgspec.json.encode(headers)
    except UnicodeEncodeError:
        text = json.dumps(headers, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogateescape")


def plain_text(headers: Mapping[str, HeaderValue], body: str | None = None) -> bytes:
    """The headers as ``Name: value`` lines, a blank line, and the body."""
    lines = [f"{name}: {plain_value(value)}\n" for name, value in headers.items()]
    raw = body.encode("utf-8", "surrogateescape") if body else b""
    if raw:
        lines.append(f"Content-Length: {len(raw)}\n")
    lines.append("\n")
    return "".join(lines).encode("utf-8", "surrogateescape") + raw


class SimEvent:
    """An event that somebody has subscribed to; each encoding is made once, however many sessions take it."""

    __slots__ = ("_json", "_plain", "body", "headers", "name", "subclass")

    def __init__(self, name: str, headers: dict[str, HeaderValue], body: str | None = None, subclass: str = "") -> None:
        self.name = name
        self.headers = headers
        self.body = body
        self.subclass = subclass
        self._json: bytes | None = None
        self._plain: bytes | None = None

    def frame(self, form: str) -> bytes:
        """The whole frame, envelope included, in ``json`` or ``plain``."""
        if form == "json":
            if self._json is None:
                self._json = _framed(b"json", self._json_text())
            return self._json
        if self._plain is None:
            self._plain = _framed(b"plain", plain_text(self.headers, self.body))
        return self._plain

    def _json_text(self) -> bytes:
        if self.body is None:
            return json_text(self.headers)
        length = len(self.body.encode("utf-8", "surrogateescape"))
        return json_text({**self.headers, "Content-Length": str(length), "_body": self.body})


def _framed(form: bytes, text: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-%s\n\n%s" % (len(text), form, text)
