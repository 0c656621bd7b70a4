"""Tie lines: the channels on one switch that carry legs of another on to phones there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cti.engine.world import World
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId, SwitchId
from cti.model.switch import Tie

TIE = "tie"

GONE_S: Final = 5.0
"""How long may a tie outlive its leg? The word of an end goes from switch to switch in milliseconds."""
AGAIN_S: Final = 10.0
"""How long after we asked for its end do we ask again?"""


class Ties:
    """Knows the channels that belong to legs on other switches; they are nobody's calls.

    A switch that dies tells nobody: the other switch keeps its half of each tie until it is asked to end it. And while the
    link to the leg's own switch is down, the other half is the only one who says that the leg has ended.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.leg_cleared: Callable[[Connection, Cause, str], None] = lambda _leg, _cause, _why: None
        """Set by the engine: a leg has ended, on a switch that cannot say so now."""
        self.came: Callable[[SwitchId, SwitchId, ConnectionId], None] = lambda _origin, _to, _leg: None
        """Set by the engine: something of a leg has got from one switch to another."""

    def tied(self, fact: facts.Tied) -> None:
        """A channel carries on a leg of another switch."""
        world = self._world
        if fact.connection in world.ties or world.has_ended(fact.connection):
            return
        tie = Tie(fact.connection, fact.switch, fact.leg, fact.origin, fact.interaction)
        world.ties[tie.id] = tie
        self.came(tie.origin, tie.switch, tie.leg)
        if not self._lives(tie):
            world.timers.start(TIE, tie.id, GONE_S)

    def gone(self, connection: ConnectionId, cause: Cause, switch_cause: str) -> bool:
        """A channel has ended; whether it was a tie."""
        world = self._world
        tie = world.ties.pop(connection, None)
        if tie is None:
            return False
        world.timers.cancel(TIE, tie.id)
        leg = world.connections.get(tie.leg)
        others = any(other.leg == tie.leg for other in world.ties.values())
        if leg is not None and not others and not world.is_live(leg.switch):
            self.leg_cleared(leg, cause, switch_cause)
        return True

    def leg_gone(self, leg: ConnectionId) -> None:
        """A leg has ended: so do its ties, in a moment."""
        for tie in self._world.ties.values():
            if tie.leg == leg:
                self._world.timers.start(TIE, tie.id, GONE_S)

    def timer_fired(self, connection: ConnectionId) -> None:
        """A tie has outlived its leg, or never had one: end it, unless nobody can say whether the leg lives."""
        world = self._world
        tie = world.ties.get(connection)
        if tie is None or self._lives(tie):
            return
        unknown = tie.origin in world.links and tie.origin not in world.lost and not world.is_live(tie.origin)
        if unknown:
            world.timers.start(TIE, tie.id, GONE_S)
            return
        world.emit(intents.ClearConnection(tie.switch, tie.id, Cause.NORMAL_CLEARING))
        world.emit(intents.CheckConnection(tie.switch, tie.id))
        world.timers.start(TIE, tie.id, AGAIN_S)

    def snapshot(self, fact: facts.SnapshotTaken) -> None:
        """Compare the ties on a switch with what lives there."""
        seen = {channel.connection for channel in fact.channels}
        for tie in [each for each in self._world.ties.values() if each.switch == fact.switch]:
            if fact.restarted or tie.id not in seen:
                self.gone(tie.id, Cause.SWITCHING_FUNCTION_TERMINATED, "SWITCH_SNAPSHOT")
        for channel in fact.channels:
            if channel.tied_to is not None:
                origin = channel.tied_from or SwitchId("")
                self.tied(facts.Tied(fact.switch, channel.connection, channel.tied_to, origin, channel.interaction))

    def forget(self, switch: SwitchId) -> None:
        """A switch is lost, and its channels with it."""
        for tie in [each for each in self._world.ties.values() if each.switch == switch]:
            del self._world.ties[tie.id]
            self._world.timers.cancel(TIE, tie.id)

    def _lives(self, tie: Tie) -> bool:
        return tie.leg in self._world.connections or tie.leg in self._world.supervisions
