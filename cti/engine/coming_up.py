"""Bridges that come up: a leg is in one of them at a time, and what would disturb it waits for the switch's word."""

from __future__ import annotations

from typing import Final

from cti.engine.world import World
from cti.model import intents
from cti.model.connection import Connection
from cti.model.ids import ConnectionId, SwitchId

HELD: Final = "held"
"""The timer of a reservation whose bridge waits for the word of another."""
LEAVING: Final = "leaving"
"""The timer of a call that is to leave us, and waits for the same."""
HELD_S: Final = 1.0
"""How long is the word of a bridge waited for? FreeSWITCH takes 20 to 60 ms; what takes so long has been lost."""


def is_taken(leg: Connection) -> bool:
    """Whether a leg is in a bridge, or in one that comes up: it is to be parked before it is used otherwise.

    FreeSWITCH loses sight of a bridge when it is asked for another one of the same leg meanwhile, and whoever is left waits
    for up to 20 s (switch_ivr_uuid_bridge in switch_ivr_bridge.c).
    """
    return leg.sought is not None or leg.partner is not None


def is_coming_up(world: World, leg: Connection) -> bool:
    """Whether a bridge of a leg is coming up at this moment: word that the leg is parked is of before, then.

    Not if the other one is gone, or is being hung up: then the leg parks without ever having been in it.
    """
    other = world.connections.get(leg.sought) if leg.sought is not None else None
    there = other is not None and (not other.clearing or world.stands(other))
    return there and world.now - leg.sought_at < HELD_S


def ask(world: World, switch: SwitchId, first: ConnectionId, second: ConnectionId) -> None:
    """Ask the switch to connect two legs, of which neither is to be disturbed until it has said what became of that."""
    for each, other in ((first, second), (second, first)):
        leg = world.connections.get(each)
        if leg is not None:
            leg.sought, leg.sought_at = other, world.now
            call = world.interactions[leg.interaction]
            call.hushed |= each == call.caller
    world.emit(intents.Bridge(switch, first, second))


def failed(world: World, first: ConnectionId, second: ConnectionId) -> None:
    """The switch has said that two legs cannot be connected."""
    for each, other in ((first, second), (second, first)):
        leg = world.connections.get(each)
        if leg is not None and leg.sought == other:
            leg.sought = None


def give_up(leg: Connection) -> None:
    """Wait no longer for the word of a leg's bridge."""
    leg.sought = leg.partner = None
