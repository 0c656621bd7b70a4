"""Tie lines: whether an offer that one switch sends to a phone at another arrives there."""

from __future__ import annotations

from typing import Final

from cti.engine.blame import NETWORK
from cti.engine.offers import Offers
from cti.engine.trunks import Trunks
from cti.engine.world import World
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId, SwitchId
from cti.model.states import ConnectionState, DeviceState, ReservationTrigger

TIE_LINE: Final = "tie line"

WORD_S: Final = 5.0
"""How long may it take until the other switch tells of an offer that was sent to it? It makes the channel to the phone in
milliseconds. SIP itself gives up after 32 s (RFC 3261, timer B), long after the phone should have rung."""
DOWN_S: Final = 1.5
"""The same while nothing has got there of late: each agent at that switch costs the caller as much."""
_SILENT: Final = "TIE_LINE_SILENT"
"""The switch cause of an offer of which the other switch has not heard; ours, not FreeSWITCH's."""
_NO_ANSWER: Final = frozenset({Cause.CALL_NOT_ANSWERED, Cause.ALERT_TIME_EXPIRED})


class TieLines:
    """Watches offers on their way to another switch, so that no agent is blamed for what never reached their phone.

    Two links tell of such an offer: that of the switch which sends it, and that of the switch which the phone is at. What the
    first one calls an unanswered call, and the second has not heard of, was lost between the two.

    Args:
        world: what is known.
        offers: makes and ends reservations.
        trunks: knows which tie line is in service.
    """

    def __init__(self, world: World, offers: Offers, trunks: Trunks) -> None:
        self._world = world
        self._offers = offers
        self._trunks = trunks
        offers.sent_over_tie = self._sent
        offers.why_ended = self._why_ended

    def came(self, origin: SwitchId, to: SwitchId, leg: ConnectionId) -> None:
        """A switch tells of a channel that carries on a leg of another: the way there is good."""
        known = self._world.connections.get(leg)
        if known is not None:
            known.tied = True
            self._world.timers.cancel(TIE_LINE, leg)
        self._trunks.tie(origin, to, in_service=True)

    def timer_fired(self, connection: ConnectionId) -> None:
        """The other switch has had time enough to tell of an offer."""
        leg = self._world.connections.get(connection)
        if leg is None or leg.clearing or leg.reservation is None or not self._is_silent(leg):
            return
        self._down(leg)
        made, cause = self._world.reservations[leg.reservation], Cause.NETWORK_OUT_OF_ORDER
        if self._offers.goes_on(made, leg, cause, refused=False):  # their mobile rings
            leg.reservation = None
            self._offers.clear(leg, cause)
        else:
            self._offers.end(made, ReservationTrigger.FAIL, cause, _SILENT)

    def _sent(self, leg: Connection) -> None:
        down = leg.via is not None and self._trunks.tie_state(leg.switch, leg.via) is DeviceState.OUT_OF_SERVICE
        self._world.timers.start(TIE_LINE, leg.id, DOWN_S if down else WORD_S)

    def _why_ended(self, leg: Connection, cause: Cause) -> Cause:
        """The cause of a leg's end, or of its ringing for too long, that is fair to its agent."""
        if not (cause in _NO_ANSWER or cause in NETWORK) or not self._is_silent(leg):
            return cause
        self._down(leg)
        return Cause.NETWORK_OUT_OF_ORDER

    def _down(self, leg: Connection) -> None:
        assert leg.via is not None
        detail = f"switch {leg.via} has not heard of a call that was sent to a phone there"
        self._trunks.tie(leg.switch, leg.via, in_service=False, detail=detail)

    def _is_silent(self, leg: Connection) -> bool:
        """Whether the phone's switch has told of nothing, and could have."""
        live = leg.via is not None and self._world.is_live(leg.via) and self._world.is_live(leg.switch)
        return live and not leg.tied and leg.state in (ConnectionState.NULL, ConnectionState.INITIATED)
