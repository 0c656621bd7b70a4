"""Attached data: what may be attached to an interaction, so that it can be told, kept and written onto a channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

from cti.errors import DataRefused, TooMuchData

MOST_BYTES: Final = 16_384
"""All that is attached to one call, as msgpack: it goes out with every event of the call."""
MOST_KEYS: Final = 200
MOST_CHARACTERS: Final = 200
"""Of a key."""
DEEPEST: Final = 8
"""Lists and maps in each other, as in any message of the API."""
PRIVATE: Final = "_"
"""Data whose key begins so is not written onto the channel: it does not survive us, and is in no record of FreeSWITCH's."""

_INTEGERS: Final = range(-(2**63), 2**64)


def attached(known: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What is attached once ``more`` has been added: a copy, in lists and maps of its own; None takes a key away.

    Raises:
        DataRefused: a key or a value that msgpack, JSON and the journal cannot all carry; the first one is named.
        TooMuchData: it would be more than 16 KiB or 200 keys in all, or is nested more than 8 deep.
    """
    after = dict(known)
    for key, value in more.items():
        if not isinstance(key, str) or not 0 < len(key) <= MOST_CHARACTERS or not key.isprintable():
            raise DataRefused(f"a key must have 1 to {MOST_CHARACTERS} printable characters", "")
        if value is None:
            after.pop(key, None)
        else:
            after[key] = _plain(value, key, DEEPEST)
    if len(after) > MOST_KEYS:
        raise TooMuchData(f"the call would have {len(after)} keys of data attached; {MOST_KEYS} is the most", "")
    size = _size(after)
    if size > MOST_BYTES:
        largest = max(more, key=lambda key: _size(after.get(key)))
        raise TooMuchData(
            f"the call would have {size:,} bytes of data attached; {MOST_BYTES:,} is the most (the largest of them: "
            f"{largest!r})",
            "",
        )
    return after


def as_much_as_fits(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a dialplan has collected, that which may be attached; the rest is left out, and the call goes on."""
    kept: dict[str, Any] = {}
    for key in data:
        try:
            kept = attached(kept, {key: data[key]})
        except DataRefused:
            continue
    return kept


def mirrored(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of it is written onto the channel."""
    return {key: value for key, value in data.items() if not key.startswith(PRIVATE)}


def pack(data: Mapping[str, Any]) -> bytes:
    """Attached data as msgpack."""
    packed: bytes = msgpack.packb(data, unicode_errors="surrogatepass", datetime=True)
    return packed


def unpack(packed: bytes) -> dict[str, Any]:
    """What ``pack`` made; whatever is not that is nothing."""
    try:
        data = msgpack.unpackb(packed, unicode_errors="surrogatepass", timestamp=3)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        return {}
    return as_much_as_fits(data) if isinstance(data, dict) else {}


def _size(value: Any) -> int:
    return len(msgpack.packb(value, unicode_errors="surrogatepass", datetime=True))


def _plain(value: Any, path: str, deeper: int) -> Any:
    if isinstance(value, Mapping | list | tuple) and not deeper:
        raise TooMuchData(f"{path} is nested more than {DEEPEST} deep", path)
    match value:
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise DataRefused(f"{path}: keys must be text", path)
            return {key: _plain(each, f"{path}.{key}", deeper - 1) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, f"{path}[{at}]", deeper - 1) for at, each in enumerate(value)]
        case bool() | str() | bytes() | None:
            return value
        case float():
            if not math.isfinite(value):
                raise DataRefused(f"{path}: a number must be finite", path)
            return value
        case int():
            if value not in _INTEGERS:
                raise DataRefused(f"{path}: a whole number has at most 64 bits", path)
            return value
        case datetime() if value.tzinfo is not None:
            return value
        case _:
            raise DataRefused(f"{path}: {type(value).__name__} cannot be attached", path)
