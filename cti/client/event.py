"""What a client hears of the centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import cattrs
from attrs import field, frozen

from cti.api.values import SnapshotRecord

T = TypeVar("T")

_converter = cattrs.Converter()
"""Lenient, where the server's is strict: a newer server may say more than this client knows."""
_converter.register_structure_hook(float, lambda value, _: value)  # a count stays a whole number


@frozen
class Event:
    """An event of the centre; its fields are attributes too, as of the library's events.

    Args:
        kind: what happened, such as ``Delivered``.
        seq: its number.
        fields: all that was said of it.
    """

    kind: str
    seq: int
    fields: Mapping[str, Any] = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        """A field of the event."""
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"{self.kind} has no {name!r}; it has {', '.join(self.fields)}") from None

    @property
    def agent(self) -> str | None:
        """The agent it is about, if any."""
        return self.fields.get("agent")

    @property
    def queue(self) -> str | None:
        """The queue it is about, if any."""
        return self.fields.get("queue")

    @property
    def interaction(self) -> str | None:
        """The call it is about, if any."""
        return self.fields.get("interaction")


def read_event(message: Mapping[str, Any]) -> Event:
    """The event in a message."""
    fields = message["event"]
    return Event(fields["kind"], message["seq"], fields)


def read_snapshot(result: Mapping[str, Any]) -> SnapshotRecord:
    """The snapshot in a reply."""
    return read(SnapshotRecord, result)


def read(kind: type[T], result: Mapping[str, Any]) -> T:
    """A value in a reply."""
    return _converter.structure(result, kind)
