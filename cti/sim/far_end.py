"""Whoever is at the other end of a line, as a channel sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cti.sim.channel import Channel


class FarEnd(Protocol):
    """Whoever is at the other end of a channel's line: a phone, or a caller."""

    def answered(self, channel: Channel, /) -> None:
        """FreeSWITCH has answered the call this far end made."""

    def told_to_talk(self, channel: Channel, /) -> None:
        """``NOTIFY`` with ``Event: talk`` has come."""

    def bridged(self, channel: Channel, /) -> None:
        """The channel is connected with another one."""

    def leave(self, channel: Channel, /) -> None:
        """Hangs up, or cancels, or refuses what rings."""

    def cleared(self, channel: Channel, /) -> None:
        """The channel has ended, whoever ended it."""

    def lost(self, channel: Channel, /) -> None:
        """The switch died under the call."""
