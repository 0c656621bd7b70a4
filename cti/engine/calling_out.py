"""Calling out: somebody outside is called by a new leg of a call."""

from __future__ import annotations

from cti.engine.world import World
from cti.model import intents
from cti.model.connection import Connection, Side
from cti.model.ids import ConnectionId
from cti.model.interaction import Interaction


def call_out(
    world: World,
    call: Interaction,
    side: Side,
    contact: str,
    number: str,
    *,
    ring_s: float,
    connection: ConnectionId | None = None,
    calling_number: str | None = None,
    park_s: float = 0.0,
) -> Connection:
    """Have the switch of a call call somebody for it; how long that is waited for is the caller's to see to.

    Args:
        world: what is known.
        call: whose leg it is.
        side: on which side of the call.
        contact: what is dialled: a destination's, allowed by whoever asks.
        number: whom it is said to be to.
        ring_s: how long their phone may ring, in seconds.
        connection: the leg's id, if the call has one for it already.
        calling_number: whom it is said to be from; None for the number that was called.
        park_s: how long whoever answers may have to wait for somebody to talk with, in seconds.
    """
    leg = Connection(connection or world.ids.connection(), call.switch, side, call.id)
    world.connections[leg.id] = leg
    call.connections.add(leg.id)
    world.emit(
        intents.MakeConnection(
            call.switch,
            leg.id,
            contact,
            call.id,
            ring_s,
            calling_number=call.called_number if calling_number is None else calling_number,
            calling_name="",
            called_number=number,
            park_s=park_s,
        )
    )
    return leg
