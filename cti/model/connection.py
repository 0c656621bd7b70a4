"""Connections: one leg of an interaction on a switch (CSTA: a call's relation to a device)."""

from __future__ import annotations

from enum import Enum

from attrs import define

from cti.model.ids import AgentId, ConnectionId, InteractionId, ReservationId, SwitchId
from cti.model.states import CONNECTION, ConnectionState, ConnectionTrigger


class Side(Enum):
    """Whose leg it is."""

    CALLER = "caller"
    AGENT = "agent"
    OTHER = "other"
    """Somebody outside whom an agent has called."""


@define(eq=False)
class Connection:
    """One leg. Only the engine changes it."""

    id: ConnectionId
    switch: SwitchId
    side: Side
    interaction: InteractionId
    agent: AgentId | None = None
    reservation: ReservationId | None = None
    state: ConnectionState = ConnectionState.NULL
    clearing: bool = False
    """Whether we have asked the switch to clear it."""
    established_at: float | None = None
    leaving: bool = False
    """Whether it is to end as soon as it hears nobody."""
    via: SwitchId | None = None
    """The switch at which its phone is, where that is another."""
    standing: bool = False
    """Whether it is a standing connection: it goes on when the call is over."""
    partner: ConnectionId | None = None
    """Whom it heard last, until it is parked."""
    sought: ConnectionId | None = None
    """With whom the switch has been asked to connect it, until it has said what became of that."""
    sought_at: float = 0.0
    """When that was."""
    tied: bool = False
    """Whether that switch has told of it."""
    parked: bool = False
    """Whether the switch has said that it hears nobody, since it last heard somebody."""

    def move(self, trigger: ConnectionTrigger) -> bool:
        """Pull a trigger of the table; whether it changed the state.

        Raises:
            IllegalTransition: the table forbids it; nothing was changed.
        """
        after = CONNECTION.next(self.state, trigger)
        if after is None:
            return False
        self.state = after
        return True
