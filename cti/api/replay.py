"""Requests that come again: the first one's reply, not a second doing."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from attrs import define

from cti.api.refusal import IdReused

REMEMBERED_S: Final = 60.0
"""A client that has had no reply gives up or asks again well before; see the client's timeout."""
REMEMBERED: Final = 256
"""Requests remembered of one key."""


@define(eq=False)
class Doing:
    """A request that changes something, under way or done."""

    payload: bytes
    at: float
    reply: bytes | None = None
    route: bytes = b""
    """Which connection waits for the reply: the one that asked last."""


class ReplayWindow:
    """Remembers the changing requests of all clients, by key and id, for a minute."""

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[str, Doing]] = {}

    def __len__(self) -> int:
        """How many requests are remembered."""
        return sum(map(len, self._of.values()))

    def begin(self, key: str, id: str, payload: bytes, now: float) -> tuple[Doing, bool]:  # noqa: A002 - the wire's word
        """What is known of a request, and whether it is new.

        Raises:
            IdReused: another request had this id.
        """
        known = self._of.setdefault(key, OrderedDict())
        earlier = known.get(id)
        if earlier is not None and now - earlier.at <= REMEMBERED_S:
            if earlier.payload != payload:
                raise IdReused("another request had this id; give each one its own", "id")
            return earlier, False
        doing = known[id] = Doing(payload, now)
        known.move_to_end(id)
        if len(known) > REMEMBERED:
            known.popitem(last=False)
        return doing, True

    def expire(self, now: float) -> None:
        """Forget what is older than the window."""
        for key, known in list(self._of.items()):
            while known and now - next(iter(known.values())).at > REMEMBERED_S:
                known.popitem(last=False)
            if not known:
                del self._of[key]
