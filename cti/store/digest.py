"""A checksum of what the engine decided, by which a replay tells whether it decided the same."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from typing import Any, get_args, get_origin

import attrs

from cti.model.intents import Intent
from cti.store.plain import packer, plain, stand_in


class Digest:
    """Makes checksums of intents. What of attached data cannot be written counts as the text that stands in for it."""

    def __init__(self) -> None:
        self._parts: dict[type[Any], Callable[[Any], Any]] = {}
        self._pack = packer(self._plain).pack

    def of(self, intents: Sequence[Intent]) -> int:
        """A number of 32 bits; 0 for no intents. The same for the same intents in the same order."""
        return zlib.crc32(self._pack(intents)) if intents else 0

    def _plain(self, value: Any) -> Any:
        kind = type(value)
        parts = self._parts.get(kind)
        if parts is None:
            parts = self._parts[kind] = _parts(kind)
        return parts(value)


def _parts(kind: type[Any]) -> Callable[[Any], Any]:
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, set | frozenset):
        return sorted
    if issubclass(kind, Mapping):
        return dict
    if not attrs.has(kind):
        return stand_in
    attrs.resolve_types(kind)
    fields = attrs.fields(kind)
    apart = [field.name for field in fields if field.type is Any or _may_hold_anything(field.type)]
    # The class first: the same fields may mean something else in another one.
    others = attrgetter("__class__.__name__", *(field.name for field in fields if field.name not in apart))
    if not apart:
        return others
    return lambda value: (others(value), *(plain(getattr(value, name), name, []) for name in apart))


def _may_hold_anything(kind: Any) -> bool:
    return get_origin(kind) in (dict, Mapping) and get_args(kind)[1:] == (Any,)
