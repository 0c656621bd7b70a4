"""Attached data as a client may give it: what msgpack, JSON and the journal can carry, and no more than fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

from cti.api.converter import MOST_CHARACTERS
from cti.api.refusal import InvalidParameter, TooLarge

MOST_BYTES: Final = 16_384
"""All that is attached to one call, as msgpack: it goes out with every event of the call."""

DEEPEST: Final = 8
"""Lists and maps in each other, as in any message."""
_INTEGERS: Final = range(-(2**63), 2**64)


def checked(data: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Check what is to be attached to a call that has ``known`` already; None takes a key away.

    Raises:
        InvalidParameter: a key or a value that cannot be carried; the first one is named.
        TooLarge: it would be more than 16 KiB in all.
    """
    for key, value in data.items():
        if not 0 < len(key) <= MOST_CHARACTERS or not key.isprintable():
            raise InvalidParameter(
                f"params.data: a key must have 1 to {MOST_CHARACTERS} printable characters", "params.data"
            )
        _check(value, f"params.data.{key}", DEEPEST)
    after = {key: value for key, value in {**known, **data}.items() if value is not None}
    # What a script has attached may be objects of its own: as the events, their text counts.
    size = len(msgpack.packb(after, unicode_errors="replace", default=str))
    if size > MOST_BYTES:
        raise TooLarge(
            f"the call would have {size:,} bytes of data attached; {MOST_BYTES:,} is the most", "params.data"
        )


def _check(value: Any, path: str, deeper: int) -> None:
    if not deeper:
        raise TooLarge(f"{path} is nested more than {DEEPEST} deep", path)
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise InvalidParameter(f"{path}: keys must be text", path)
            _check(each, path, deeper - 1)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each, path, deeper - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidParameter(f"{path}: a number must be finite", path)
    elif isinstance(value, int):
        if value not in _INTEGERS:
            raise InvalidParameter(f"{path}: a whole number has at most 64 bits", path)
    elif not (value is None or isinstance(value, str | bytes)):
        raise InvalidParameter(f"{path}: {type(value).__name__} cannot be attached", path)
