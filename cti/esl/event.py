"""An event: header look-up, a body, and shorthands for the headers every consumer wants."""

from __future__ import annotations

from collections.abc import Iterable

from cti.esl.headers import HeaderMap, HeaderPair, HeaderValue


class Event(HeaderMap):
    """A FreeSWITCH event, read-only; made from pairs here, and lazily from bytes by its subclasses.

    Args:
        pairs: every header in wire order, values decoded; a list stands for an array.
        body: the event's body, or None when it has none.
    """

    __slots__ = ("_body",)

    def __init__(self, pairs: Iterable[HeaderPair] = (), body: str | None = None) -> None:
        super().__init__(pairs)
        self._body = body

    @property
    def name(self) -> str:
        """The event's name, such as ``CHANNEL_ANSWER``; empty when it has none."""
        return self.text("Event-Name") or ""

    @property
    def subclass(self) -> str:
        """What kind of ``CUSTOM`` event it is, such as ``callcenter::info``; empty for other events."""
        return self.text("Event-Subclass") or ""

    @property
    def body(self) -> str | None:
        """The body as text (UTF-8 with ``surrogateescape``), or None when the event has none."""
        return self._body

    def variable(self, name: str) -> HeaderValue | None:
        """Return the channel variable ``name`` as the event carries it, or None when it does not."""
        return self._find("variable_" + name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return self.raw == other.raw and self.body == other.body

    __hash__ = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.subclass or self.name or 'without a name'}>"
