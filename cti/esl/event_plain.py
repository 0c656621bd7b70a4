"""Events in the ``plain`` format: lines of ``Name: value`` with the values percent-encoded, a blank line, the body.

Lines are divided first, by line feeds only, and values decoded after: a caller's name that decodes to a line break
can then forge nothing (``switch_event_serialize`` of ``switch_event.c``).
"""

from __future__ import annotations

from functools import lru_cache

from cti.esl.event import Event
from cti.esl.headers import HeaderPair, HeaderValue, fold
from cti.esl.percent import decode_value


@lru_cache(maxsize=4096)
def _line_start(name: str) -> bytes:
    return b"\n%b: " % name.encode("utf-8", "surrogateescape").lower()


class PlainEvent(Event):
    """A plain event that keeps its bytes: a header costs one search when asked for, the rest nothing.

    A line without ``": "`` is no header and is passed over; FreeSWITCH writes one when a header's name holds a line
    feed.
    """

    __slots__ = ("_block", "_clear", "_folded")

    def __init__(self, block: bytes) -> None:  # the pairs are read from the block
        self._block = block
        self._folded: bytes | None = None  # a line feed and the block in lower case, so that each line follows one
        self._clear = 0  # there is no blank line, so no beginning of a body, before this offset of _folded
        self._pairs = None
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
        folded = self._folded
        if folded is None:
            folded = self._folded = b"\n" + self._block.lower()
        try:
            start = _line_start(name)
        except UnicodeEncodeError:  # a lone surrogate that stands for no byte can be in no name
            return None
        at = folded.find(start)
        while at >= 0:
            if folded.find(b"\n\n", self._clear, at + 1) >= 0:
                return None  # what was found is in the body
            self._clear = at
            end = folded.find(b"\n", at + 1)
            value = self._block[at + len(start) - 1 : end - 1 if end > 0 else None]
            if b": " not in value:  # otherwise the name goes on beyond what was asked for
                if b"%" in value or b":" in value:
                    return decode_value(value)
                return value.decode("utf-8", "surrogateescape")
            at = folded.find(start, at + 1)
        return None

    @property
    def body(self) -> str | None:
        """What follows the first blank line, whatever ``Content-Length`` claims (it may be there twice, and wrong)."""
        end = self._header_end()
        text = self._block[1:] if end == 0 else self._block[end + 2 :]
        return text.decode("utf-8", "surrogateescape") if text else None
