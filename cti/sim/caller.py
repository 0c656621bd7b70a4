"""A caller: rings in, waits as long as patience lasts, talks, and one side hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.scheduler import Handle
    from cti.sim.switch import SimulatedSwitch
    from cti.sim.traffic import Counters


@define(eq=False)
class Caller:
    """One caller, of one call.

    Args:
        switch: where the call comes in.
        patience_s: hangs up after this long without having been connected; None waits for ever.
        talk_s: hangs up this long after having been connected; None lets the other side do it.
        counters: what this caller's fate is added to.
    """

    switch: SimulatedSwitch = field(repr=False)
    patience_s: float | None = None
    talk_s: float | None = None
    counters: Counters | None = None
    channel: Channel | None = None
    connected: bool = False
    abandoned: bool = False
    ended: bool = False
    _patience: Handle | None = None

    def placed(self, channel: Channel) -> None:
        """The call is in the switch."""
        self.channel = channel
        if self.counters is not None:
            self.counters.offered += 1
        if self.patience_s is not None:
            self._patience = self.switch.scheduler.call_later(self.patience_s, self.hang_up)

    def told_to_talk(self, _channel: Channel) -> None:
        """A caller's phone has nothing to answer."""

    def hang_up(self) -> None:
        """Puts the receiver down: a CANCEL before the answer, a BYE after it; nothing when the call is over."""
        channel = self.channel
        if channel is None or not channel.up:
            return
        if not self.connected:
            self.abandoned = True
            if self.counters is not None:
                self.counters.abandoned += 1
        if channel.answered:
            channel.variables["variable_sip_term_status"] = "200"
            channel.variables["variable_proto_specific_hangup_cause"] = "sip:200"
            channel.hangup("NORMAL_CLEARING", disposition="recv_bye")
        else:
            channel.variables["variable_sip_term_status"] = "487"
            channel.variables["variable_proto_specific_hangup_cause"] = "sip:487"
            channel.hangup("ORIGINATOR_CANCEL", disposition="recv_cancel")

    def answered(self, _channel: Channel) -> None:
        """The switch answered: music at best, nobody to talk to yet."""

    def bridged(self, _channel: Channel) -> None:
        """Somebody to talk to."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self.connected:
            self.connected = True
            if self.counters is not None:
                self.counters.connected += 1
            if self.talk_s is not None:
                self.switch.scheduler.call_later(self.talk_s, self.hang_up)

    def leave(self, _channel: Channel) -> None:
        """As :meth:`hang_up`."""
        self.hang_up()

    def cleared(self, _channel: Channel) -> None:
        """The call is over."""
        self._over()
        if self.counters is not None:
            self.counters.ended += 1
            if not self.connected and not self.abandoned:
                self.counters.turned_away += 1

    def lost(self, _channel: Channel) -> None:
        """The switch died under the call."""
        self._over()
        if self.counters is not None:
            self.counters.lost += 1

    def _over(self) -> None:
        self.ended = True
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
