"""Long work in pieces: everybody else gets a turn in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import gevent

T = TypeVar("T")

AT_ONCE: Final = 200
"""So many figures are compared, or answered with, before others get their turn: about 1 ms."""


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The items, with a turn for everybody else now and then."""
    for count, item in enumerate(items, 1):
        yield item
        if count % AT_ONCE == 0:
            gevent.sleep(0)
