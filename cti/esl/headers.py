"""Header look-up as FreeSWITCH does it: without regard to case, and the first match wins.

That is ``switch_event_get_header_ptr`` (``switch_event.c``). A ``dict`` keeps the last of repeated names, so what it
says and what FreeSWITCH says can differ; hence this class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

HeaderValue = str | list[str]
"""A header's value: text, or a list where FreeSWITCH holds an array."""

HeaderPair = tuple[str, HeaderValue]


def fold(name: str) -> str:
    """Return the form under which names are equal: only ASCII letters are folded, as ``strcasecmp`` does."""
    if name.isascii():
        return name.lower()
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


class HeaderMap(Mapping[str, HeaderValue]):
    """An immutable mapping of header names to values, case-insensitive, the first of repeated names winning.

    Iterating gives each name once, in wire order, as first spelled; ``len`` counts the same. ``raw`` has every pair.
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: Iterable[HeaderPair] = ()) -> None:
        self._index: dict[str, HeaderValue] | None = None  # _pairs by folded name; None until they are needed
        self._pairs = list(pairs)

    def _load(self) -> list[HeaderPair]:
        """Return all pairs in wire order; a subclass decodes them here."""
        return self._pairs

    def _indexed(self) -> dict[str, HeaderValue]:
        index = self._index
        if index is None:
            self._pairs = self._load()
            # Written backwards, so that the first of repeated names is the one that stays.
            index = self._index = {fold(name): value for name, value in reversed(self._pairs)}
        return index

    def _find(self, name: str) -> HeaderValue | None:
        return self._indexed().get(fold(name))

    @property
    def raw(self) -> list[HeaderPair]:
        """Every ``(name, value)`` pair in wire order, repeated names included; a new list each time."""
        self._indexed()
        return list(self._pairs)

    @property
    def raw_headers(self) -> list[HeaderPair]:
        """The same as ``raw``."""
        return self.raw

    def get_all(self, name: str) -> list[HeaderValue]:
        """Return the values of every header called ``name``, in wire order; empty when there is none."""
        folded = fold(name)
        return [value for known, value in self.raw if fold(known) == folded]

    def starting_with(self, prefix: str) -> list[HeaderPair]:
        """Return the pairs whose names start with ``prefix``, letter for letter, in wire order."""
        return [pair for pair in self.raw if pair[0].startswith(prefix)]

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return the header's value as text: of an array its first element; ``default`` when it is absent."""
        value = self._find(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        return value[0] if value else ""

    def get(self, name: str, default: object = None) -> HeaderValue | None:  # type: ignore[override]
        """Return the first header called ``name``, whatever its case, or ``default`` when it is absent."""
        value = self._find(name)
        return default if value is None else value  # type: ignore[return-value]

    def __getitem__(self, name: str) -> HeaderValue:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for name, _ in self.raw:
            folded = fold(name)
            if folded not in seen:
                seen.add(folded)
                yield name

    def __len__(self) -> int:
        return len(self._indexed())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HeaderMap):
            return NotImplemented
        return self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]  # equal by value, and values may be lists

    def __repr__(self) -> str:
        # Names only: values hold phone numbers, and sometimes secrets.
        return f"<{type(self).__name__} {len(self.raw)} headers>"


class Headers(HeaderMap):
    """The headers of an envelope, whose values are raw text; nothing is decoded until one is asked for.

    Text is UTF-8 with ``surrogateescape``, so that any bytes survive a round trip.

    Args:
        block: the header lines, divided by single line feeds.
    """

    __slots__ = ("_block",)

    def __init__(self, block: bytes = b"") -> None:  # the pairs are read from the block
        self._block = block
        self._index = None

    def _load(self) -> list[HeaderPair]:
        pairs: list[HeaderPair] = []
        for line in self._block.split(b"\n"):
            name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
            if name:
                pairs.append((name, value.removeprefix(" ")))
        return pairs
