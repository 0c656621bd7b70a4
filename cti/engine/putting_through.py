"""Putting through: what is done with standing connections when the fact in hand has been seen to."""

from __future__ import annotations

from collections.abc import Callable

from cti.engine.calls import Calls
from cti.engine.invitations import Invitations
from cti.engine.offers import Offers
from cti.engine.standing import Standing
from cti.engine.world import World
from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId


class PuttingThrough:
    """Lets a call have an agent who is on the line, and lets that line go again.

    Both have to wait until everybody else is in their place: whoever asked for the agent knows of it only then, and an
    agent who is free again is offered the next call.

    Args:
        world: what is known.
        offers: makes and ends reservations.
        calls: follows calls and their legs.
        invitations: brings those who are to join into conversations.
        standing: follows standing connections.
    """

    def __init__(
        self, world: World, offers: Offers, calls: Calls, invitations: Invitations, standing: Standing
    ) -> None:
        self._world = world
        self._offers = offers
        self._calls = calls
        self._invitations = invitations
        self._standing = standing
        self.parked: Callable[[Connection], None] = lambda _: None
        """Set by the engine: a leg hears nobody, which may be what a call of an agent's own waits for."""

    @property
    def due(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._world.freed or self._world.through)

    def next(self) -> None:
        """Do one thing of it."""
        if self._world.freed:
            self._free(self._world.freed.pop(0))
        else:
            self._put_through(self._world.through.pop(0))

    def _free(self, connection: ConnectionId) -> None:
        """A standing connection is parked, and its part in its call is over."""
        leg = self._world.connections.get(connection)
        if leg is not None and leg.clearing:
            self._standing.rest(connection)
            self._calls.connection_cleared(leg, Cause.NORMAL_CLEARING, "")
            self._standing.free(connection)

    def _put_through(self, connection: ConnectionId) -> None:
        """A call has come to an agent who is on the line: as if their phone had rung and been answered."""
        leg = self._world.connections.get(connection)
        if leg is None or leg.clearing:
            return
        call = self._world.interactions[leg.interaction]
        self._offers.delivered(leg)
        self._calls.parked(leg)
        self.parked(leg)
        self._calls.established(leg)
        if not leg.clearing and leg.sought is None:  # it waits for somebody, or hears a message
            self._offers.parked(leg)
            self._invitations.settle(call)
            self._calls.callbacks.parked(leg)
