"""What keeps FreeSWITCH's event socket awake: a doorbell where there is one and it works, else a ticker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from cti.model.switch import doorbell_address
from cti.switch.doorbell import Doorbell
from cti.switch.nudge import Nudger

_log = structlog.get_logger("cti.switch")

RINGS: Final = frozenset({"CHANNEL_PARK", "CHANNEL_ANSWER"})
"""Events that a doorbell, if it works, has rung for."""
SILENT_S: Final = 1.0
"""So long before the event its ring must have come, at most."""


class Awake:
    """Wakes FreeSWITCH's event socket while milliseconds count.

    Args:
        nudge: writes one line feed; must not block.
        warm_s: seconds that ``warm`` lasts.
        doorbell: where FreeSWITCH's datagrams come; empty for no doorbell. Without its rings a ticker does.

    Raises:
        ConfigurationError: ``doorbell`` is no address.
    """

    def __init__(self, nudge: Callable[[], None], warm_s: float, doorbell: str = "") -> None:
        self._nudge = nudge
        self._warm_s = warm_s
        if doorbell:
            doorbell_address(doorbell)  # what is wrong is said before anything is connected
        self._address = doorbell
        self._ticker = Nudger(nudge)
        self._bell: Doorbell | None = None
        self._said: bool | None = None
        self.rings = False
        """Whether the doorbell has proved itself, and nothing else is needed."""

    def open(self) -> None:
        """Listen for the doorbell, if there is to be one. Harmless when open.

        Raises:
            ConfigurationError: it cannot be listened for.
        """
        if self._address and self._bell is None:
            self._bell = Doorbell(self._address, self._nudge)

    def came(self, name: str) -> None:
        """An event of this name has come: has the doorbell rung for it?"""
        if self._bell is None or name not in RINGS:
            return
        rings = time.monotonic() - self._bell.last < SILENT_S
        if rings and not self.rings:
            _log.info("the doorbell rings", doorbell=self._bell.address)
        elif not rings and self._said is not False:
            _log.warning("the doorbell is silent: is mod_event_multicast loaded?", doorbell=self._bell.address)
        self.rings = self._said = rings

    def warm(self) -> None:
        """A call is in a phase where milliseconds count."""
        if not self.rings:
            self._ticker.warm(self._warm_s)

    def rest(self) -> None:
        """There is nothing to be woken for now: the link is down."""
        self._ticker.stop()
        self.rings = False

    def close(self) -> None:
        """Listen no more, either."""
        self.rest()
        if self._bell is not None:
            self._bell.close()
            self._bell = None
