"""Letting go: a standing connection's part in a call ends, and it stays on the line."""

from __future__ import annotations

from typing import Final

from cti.engine.world import World
from cti.model import intents
from cti.model.connection import Connection
from cti.model.ids import ConnectionId

FREE_AFTER_S: Final = 1.0
"""How long may a standing connection take to be out of its call? FreeSWITCH takes 20 to 60 ms."""


def let_go(world: World, leg: Connection) -> None:
    """Take a leg out of its call, unless it comes out of it by itself; when it is parked, it is free."""
    if leg.sought is not None:
        # FreeSWITCH waits up to 20 s for a leg that is taken out of a bridge that is coming up, and hangs up both then
        # (uuid_bridge_on_soft_execute in switch_ivr_bridge.c): let it come up, if the other is there.
        waits = _is_there(world, leg.sought)
    else:
        # Its partner is gone, or is being hung up: it parks.
        waits = leg.partner is not None and not leg.parked and not _is_there(world, leg.partner)
    if not waits:
        world.emit(intents.StopListening(leg.switch, leg.id))


def _is_there(world: World, connection: ConnectionId) -> bool:
    other = world.connections.get(connection)
    return other is not None and not other.clearing
