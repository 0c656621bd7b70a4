"""An event of our own, sent round trip: how late are the events of this connection?

``Event-Sequence`` proves neither loss nor order (docs/event-socket.md), so the delay is measured: a canary passes
FreeSWITCH's dispatcher, its queue for us, the network, and our own reading.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final

from cti.esl import Event, SendEvent

SUBCLASS: Final = "cti::canary"
_NONCE: Final = "CTI-Canary"
_KEPT: Final = 10


class Canary:
    """Measures the delay of one connection's events.

    Every client of the switch that does the same hears our canaries, and we theirs: ours are known by their name.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._name = uuid.uuid4().hex
        self._number = 0
        self._flying: deque[tuple[str, float]] = deque()
        self._times: deque[float] = deque(maxlen=_KEPT)

    def command(self) -> bytes:
        """Return the command that sends the next one, to be written now."""
        self._number += 1
        nonce = f"{self._name}-{self._number}"
        self._flying.append((nonce, self._clock()))
        return SendEvent("CUSTOM", {_NONCE: nonce}, subclass=SUBCLASS).encode()

    def came(self, event: Event) -> bool:
        """Take note of a canary; whether it was one of ours that was awaited."""
        nonce = event.text(_NONCE)
        if nonce is None or all(nonce != flying for flying, _ in self._flying):
            return False
        while True:  # those before it have been lost
            flying, sent_at = self._flying.popleft()
            if flying == nonce:
                self._times.append(self._clock() - sent_at)
                return True

    @property
    def age_s(self) -> float:
        """How long the oldest one under way has been, in seconds; 0 when none is."""
        return self._clock() - self._flying[0][1] if self._flying else 0.0

    @property
    def lag_s(self) -> float:
        """The longest delay among the last ten, and of the one still under way, in seconds."""
        return max(self.age_s, max(self._times, default=0.0))
