"""Values as msgpack knows them, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

DEEPEST: Final = 100
"""So many levels of lists and mappings are kept; msgpack itself ends at 511, and a value may contain itself."""
_INT64: Final = (-(1 << 63), (1 << 64) - 1)


def stand_in(value: object) -> str:
    """The text that is kept in place of a value that cannot be."""
    kind = type(value)
    return f"<not kept: {kind.__module__}.{kind.__qualname__}>"


def plain(value: object, path: str, lost: list[str]) -> Any:
    """A copy of a value that msgpack can write; the paths of what it cannot are added to ``lost``."""
    return _plain(value, path, lost, ())


def _plain(value: object, path: str, lost: list[str], above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool | float | str | bytes | bytearray):
        return value
    if isinstance(value, int) and _INT64[0] <= value <= _INT64[1]:
        return value
    if type(value) is datetime and value.tzinfo is not None:
        return value
    if isinstance(value, Mapping | list | tuple) and id(value) not in above and len(above) < DEEPEST:
        within = (*above, id(value))
        if isinstance(value, Mapping):
            return {_key(key, path, lost): _plain(item, f"{path}.{key}", lost, within) for key, item in value.items()}
        return [_plain(item, f"{path}[{at}]", lost, within) for at, item in enumerate(value)]
    lost.append(path)
    return stand_in(value)


def _key(key: object, path: str, lost: list[str]) -> Any:
    if key is None or isinstance(key, bool | float | str | bytes):
        return key
    if isinstance(key, int) and _INT64[0] <= key <= _INT64[1]:
        return key
    lost.append(f"{path}.{key!r:.80}")
    return stand_in(key)


def packer(default: Any = None) -> msgpack.Packer:
    """A packer as all of a journal is written by; ``default`` stands in for what msgpack does not know."""
    # Text from a switch may hold lone surrogates, where its bytes were not UTF-8.
    return msgpack.Packer(default=default, datetime=True, unicode_errors="surrogatepass")


def unpack(data: bytes | memoryview) -> Any:
    """The value that was packed.

    Raises:
        ValueError: it is not one msgpack value.
    """
    try:
        return msgpack.unpackb(
            data,
            strict_map_key=False,
            timestamp=3,
            unicode_errors="surrogatepass",
        )
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(f"not msgpack: {error}") from error
