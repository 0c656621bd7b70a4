"""Events in the ``plain`` format: lines of ``Name: value`` with the values percent-encoded, a blank line, the body.

Lines are divided first, by line feeds only, and values decoded after: a caller's name that decodes to a line break
can then forge nothing (``switch_event_serialize`` of ``switch_event.c``).
"""

from __future__ import annotations

from contextlib import suppress

from cti.esl.event import Event
from cti.esl.headers import HeaderPair, HeaderValue, fold
from cti.esl.percent import decode_value

# How much of an event is folded at first: what everybody reads is among its first thirty headers.
_PREFIX = 1024
_LENGTH = b"\ncontent-length: "
_PERCENT = 0x25
_COLON = 0x3A

# Begins no header: what a name that cannot be one is looked for as.
_NEVER = b"\n\0no header\0: "

_line_starts: dict[str, bytes] = {}


def _line_start(name: str) -> bytes:
    """Return what a header line of this name begins with, in lower case, after a line feed; remembered."""
    start = _NEVER
    if "\n" not in name:
        with suppress(UnicodeEncodeError):  # a lone surrogate that stands for no byte can be in no name
            start = b"\n%b: " % name.encode("utf-8", "surrogateescape").lower()
    if len(_line_starts) >= 4096:
        _line_starts.clear()
    _line_starts[name] = start
    return start


class PlainEvent(Event):
    """A plain event that keeps its bytes: a header costs one search when asked for, the rest nothing.

    A line without ``": "`` is no header and is passed over; FreeSWITCH writes one when a header's name holds a line
    feed.
    """

    __slots__ = ("_block", "_end", "_folded")

    def __init__(self, block: bytes) -> None:  # the pairs are read from the block
        self._block = block
        # A line feed and then the headers in lower case, so that each line follows one; empty until it is needed, and
        # at first not all of them.
        self._folded = b""
        self._end = -1  # where the headers end, once all of them are folded
        self._index = None

    def _load(self) -> list[HeaderPair]:
        pairs: list[HeaderPair] = []
        for line in self._block[: self._header_end()].split(b"\n"):
            # A value never holds a raw ": ", a name may: the last one divides them.
            name, divider, value = line.rpartition(b": ")
            if divider:
                pairs.append((name.decode("utf-8", "surrogateescape"), decode_value(value)))
        return pairs

    def _header_end(self) -> int:
        """Return where the headers end: the offset of the first blank line, else of the end."""
        if self._block.startswith(b"\n"):
            return 0
        end = self._block.find(b"\n\n")
        return len(self._block) if end < 0 else end

    def _find(self, name: str) -> HeaderValue | None:
        if self._index is not None:
            return self._index.get(fold(name))
        folded = self._folded or self._fold_prefix()
        start = _line_starts.get(name) or _line_start(name)
        at = folded.find(start)
        if at < 0 and self._end < 0:
            folded = self._fold_all()
            at = folded.find(start)
        while at >= 0:
            begin = at + len(start) - 1
            end = self._block.find(b"\n", begin)
            value = self._block[begin:end] if end >= 0 else self._block[begin:]
            if _COLON not in value:
                if _PERCENT in value:
                    return decode_value(value)
                try:
                    return value.decode()
                except UnicodeDecodeError:
                    return value.decode("utf-8", "surrogateescape")
            if b": " not in value:
                return decode_value(value)
            # The name goes on beyond what was asked for.
            folded = self._fold_all()
            at = folded.find(start, at + 1)
        return None

    def _fold_prefix(self) -> bytes:
        """Fold the first part, unless a body might begin in it: FreeSWITCH announces that by a Content-Length."""
        folded = b"\n" + self._block[:_PREFIX].lower()
        if len(self._block) <= _PREFIX or folded.find(_LENGTH) >= 0:
            return self._fold_all()
        self._folded = folded
        return folded

    def _fold_all(self) -> bytes:
        if self._end < 0:
            self._end = self._header_end()
            self._folded = b"\n" + self._block[: self._end].lower()
        return self._folded

    @property
    def body(self) -> str | None:
        """What follows the first blank line, whatever ``Content-Length`` claims (it may be there twice, and wrong)."""
        end = self._header_end()
        text = self._block[1:] if end == 0 else self._block[end + 2 :]
        return text.decode("utf-8", "surrogateescape") if text else None
