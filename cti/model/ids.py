"""Names of things. Every id is text with a type of its own, so that a queue's id cannot pass for an agent's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NewType

AgentId = NewType("AgentId", str)
QueueId = NewType("QueueId", str)
SwitchId = NewType("SwitchId", str)
InteractionId = NewType("InteractionId", str)
"""A UUIDv7: sorts by the time it was made."""
ConnectionId = NewType("ConnectionId", str)
"""The switch's own id of one leg (FreeSWITCH: the channel's UUID)."""
ReservationId = NewType("ReservationId", str)
TrunkId = NewType("TrunkId", str)
"""The switch's own name of a trunk (FreeSWITCH: the gateway's)."""
DeviceId = NewType("DeviceId", str)
"""A phone that registers at a switch, by its user: ``1001``, or ``1001@example.com``."""


def _uuid(bits: int, *, version: int) -> str:
    bits = bits & ~(0xF << 76) | (version << 76)
    bits = bits & ~(0x3 << 62) | (0x2 << 62)  # the variant of RFC 9562
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class IdSource:
    """Makes ids from a random source and an epoch that are handed in, so that a replay makes the same ids again.

    Args:
        getrandbits: ``random.Random(seed).getrandbits`` or alike.
        epoch: the wall time (Unix, seconds) at which the engine's monotonic clock read 0.
    """

    def __init__(self, getrandbits: Callable[[int], int], epoch: float = 0.0) -> None:
        self._getrandbits = getrandbits
        self._epoch = epoch

    def unix(self, at: float) -> float:
        """The Unix time that belongs to an instant of the engine's clock."""
        return self._epoch + at

    def instant(self, unix: float) -> float:
        """The instant of the engine's clock that belongs to a Unix time."""
        return unix - self._epoch

    def interaction(self, now: float) -> InteractionId:
        """A new interaction's id: UUIDv7 (RFC 9562, 5.7) of the wall time that belongs to ``now``."""
        milliseconds = int((self._epoch + now) * 1000) & ((1 << 48) - 1)
        bits = (milliseconds << 80) | self._getrandbits(80)
        return InteractionId(_uuid(bits, version=7))

    def connection(self) -> ConnectionId:
        """A new leg's id: UUIDv4, chosen by us before the switch hears of the leg."""
        return ConnectionId(_uuid(self._getrandbits(128), version=4))
