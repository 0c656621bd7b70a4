"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Any, Final

from cti.errors import ConfigurationError

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)", re.ASCII)


def duration(value: Any) -> Any:
    """Seconds of ``"30s"``, ``"1m 30s"``, ``"500ms"``, ``"2h"``, ``"7d"``; what is no text is left as it is.

    Raises:
        ConfigurationError: the text is none of these.
    """
    if not isinstance(value, str):
        return value
    total, at = 0.0, 0
    while part := _PART.match(value, at):
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    if not at or value[at:].strip():
        raise ConfigurationError(
            f"expected a number of seconds, or text such as '30s', '1m 30s' or '2h'; found {value[:60]!r}"
        )
    return total
