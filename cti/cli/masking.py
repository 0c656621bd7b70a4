"""Takes secrets out of events, and on request the numbers and names of people."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any, Final

from cti.esl import Frame
from cti.esl.percent import encode_value

MASKED: Final = "***"
_SECRET: Final = re.compile(
    r"passw|secret|a1[-_]hash|authorization|auth[-_]token|api[-_]key|(?:^|_)pin(?:_|$)", re.IGNORECASE
)
"""A header of this name holds a secret: its value is masked whole."""
_SECRET_INSIDE: Final = re.compile(
    r"([\w-]*(?:password|secret|a1-hash)[\w-]*\s*[=:]\s*)('[^']*'|[^,;}\s]+)", re.IGNORECASE
)
"""``{sip_auth_password=...}`` within a value."""
_PERSONAL: Final = re.compile(
    r"caller-id|callee-id|caller_id|callee_id|caller-username|destination-number|-ani$|-rdnis$|dialed|"
    r"sip_(?:from|to|req|contact|p_asserted|remote_party)\w*_(?:user|display)|_number$|_name_\d|display",
    re.IGNORECASE,
)
"""A header of this name holds the number or the name of a person."""
_NUMBER: Final = re.compile(r"[+*#\d][\d*#.() -]{2,}\Z")
_OWN_WORDS: Final = re.compile(r"[a-z_]+|[A-Z_]+|_undef_|Outbound Call|Inbound Call|unknown|anonymous")

Pairs = list[tuple[str, Any]]


class Mask:
    """Masks the events of one recording.

    The same number becomes the same other number of the same length everywhere, and the same name the same other name,
    so that a masked recording is as coherent as the session was. What becomes what is decided by chance and kept nowhere.

    Args:
        people: also mask people's numbers and names, not only secrets.
        chance: where the other numbers come from.
    """

    def __init__(self, *, people: bool = False, chance: random.Random | None = None) -> None:
        self._people = people
        self._chance = chance or random.SystemRandom()
        self._others: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None

    def frame(self, frame: Frame) -> bytes:
        """Return the frame as bytes, masked; byte for byte as it came where there is nothing to mask."""
        body = frame.body
        if body is not None:
            if frame.content_type == "text/event-json":
                body = self._json(body)
            elif frame.content_type == "text/event-plain" and frame.event is not None:
                body = self._plain(body, frame.event.raw)
            else:
                body = self._text(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        lines = []
        for name, value in frame.headers.raw:
            is_length = name.lower() == "content-length"
            lines.append(f"{name}: {len(body or b'') if is_length else self._text(str(value))}\n")
        return "".join(lines).encode("utf-8", "surrogateescape") + b"\n" + (body or b"")

    def _json(self, body: bytes) -> bytes:
        text = body.decode("utf-8", "surrogateescape")
        pairs: Pairs = json.loads(text, object_pairs_hook=list, strict=False)
        masked = self._pairs(pairs)
        if masked == pairs:
            return body
        sizes = dict(masked)
        if "_body" in sizes:  # Content-Length counts the body's bytes
            size = str(len(str(sizes["_body"]).encode("utf-8", "surrogateescape")))
            masked = [(name, size if name == "Content-Length" else value) for name, value in masked]
        quoted = (f"{_quoted(name)}:{_quoted(value)}" for name, value in masked)
        return f"{{{','.join(quoted)}}}".encode("utf-8", "surrogateescape")

    def _plain(self, block: bytes, pairs: Pairs) -> bytes:
        head, blank, inner = block.partition(b"\n\n")
        masked = self._pairs(pairs)
        if inner:
            inner = self._text(inner.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if masked == pairs and head + blank + inner == block:
            return block
        lines = []
        for name, value in masked:
            is_length = name.lower() == "content-length"
            shown = str(len(inner)).encode() if is_length else encode_value(value)
            lines.append(b"%b: %b" % (name.encode("utf-8", "surrogateescape"), shown))
        return b"\n".join(lines) + b"\n\n" + inner

    def _pairs(self, pairs: Pairs) -> Pairs:
        if self._people:
            for name, value in pairs:
                if isinstance(value, str) and _PERSONAL.search(name):
                    self._learn(value)
        return [(name, _each(value, lambda text, name=name: self._value(name, text))) for name, value in pairs]  # type: ignore[misc]

    def _value(self, name: str, value: str) -> str:
        if _SECRET.search(name):
            return MASKED if value else value
        if name in ("Event-Name", "Core-UUID", "Unique-ID", "Event-Date-Timestamp", "Event-Sequence"):
            return value
        if value in self._others and not _PERSONAL.search(name) and _OWN_WORDS.fullmatch(value):
            return value  # somebody may be called "true"
        return self._text(value)

    def _text(self, text: str) -> str:
        text = _SECRET_INSIDE.sub(lambda found: found[1] + MASKED, text)
        if self._known is None:
            return text
        return self._known.sub(lambda found: self._others[found[0]], text)

    def _learn(self, value: str) -> None:
        if value in self._others or _OWN_WORDS.fullmatch(value) or len(value) < 2:
            return
        if value in self._others.values():
            return  # FreeSWITCH never saw it: a value masked before
        if _NUMBER.match(value):
            other = re.sub(r"\d", lambda _: str(self._chance.randrange(10)), value)
        elif value.isdigit():
            return  # two digits: it would be found everywhere
        else:
            other = f"Name{len(self._others) + 1}"
        self._others[value] = other
        longest_first = sorted(self._others, key=len, reverse=True)
        numbers = "|".join(re.escape(each) for each in longest_first if _NUMBER.match(each)) or r"(?!)"
        names = "|".join(re.escape(each) for each in longest_first if not _NUMBER.match(each)) or r"(?!)"
        # Not inside a word and not inside a UUID; but FreeSWITCH makes names of its own with numbers at their ends, such
        # as the conference_call_key "conference_room_domain_1234".
        self._known = re.compile(rf"(?<![^\W_])(?<!-)(?:{numbers})(?![^\W_])(?!-)|(?<![\w-])(?:{names})(?![\w-])")


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    return [change(item) if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
