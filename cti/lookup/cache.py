"""Answers that are remembered for a while; no secret is among the keys."""

from __future__ import annotations

import hmac
import os
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, Final

from cti.script.secret import Secret

MOST: Final = 10_000
"""Answers that are kept; beyond them the oldest is forgotten."""

_SALT: Final = os.urandom(32)
"""Of this process only: nobody can try all PINs against a key found in memory or a core dump of another run."""


class Cache:
    """Pure: the time is handed in, in monotonic seconds.

    Args:
        keep_s: how long an answer counts; 0 for not at all.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, now: float) -> tuple[Any] | None:
        """The answer in a tuple; None if there is none that counts."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= now:
            del self._kept[key]
            return None
        return (found[1],)

    def put(self, key: Hashable, value: Any, now: float) -> None:
        """Remember an answer."""
        if self._keep_s <= 0:
            return
        self._kept.pop(key, None)
        self._kept[key] = (now + self._keep_s, value)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)


def key_of(parameters: Mapping[str, object]) -> Hashable:
    """What a question is remembered by: of a secret a digest."""
    return tuple((name, _part(value)) for name, value in sorted(parameters.items()))


def _part(value: object) -> Hashable:
    if isinstance(value, Secret):
        return hmac.digest(_SALT, value.reveal().encode(), "sha256")
    return type(value).__name__, str(value)
