"""Reservations: an agent promised to one interaction, with a lease and a fencing token."""

from __future__ import annotations

from attrs import define

from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId
from cti.model.states import ReservationState


@define(eq=False)
class Reservation:
    """A promise. ``token`` only grows and ends the id, which rides on the leg as a tag.

    No id and no leg serves twice, so that what a leg of an older promise does changes nothing but gets it cleared.
    """

    id: ReservationId
    token: int
    agent: AgentId
    interaction: InteractionId
    queue: QueueId
    leg: ConnectionId
    """The agent's leg, named by us before the switch hears of it."""
    made_at: float
    lease_ends_at: float
    consults: ConnectionId | None = None
    """The agent's leg for whose sake this one was asked, where an agent consults, calls or invites another; None for an
    offered call."""
    cause: Cause = Cause.DISTRIBUTED
    """Why they are asked."""
    state: ReservationState = ReservationState.PENDING
    delivered_at: float | None = None
    second: ConnectionId | None = None
    """The leg to their mobile, while both ring."""

    @property
    def legs(self) -> tuple[ConnectionId, ...]:
        """The legs by which they are rung, or are to be."""
        return (self.leg,) if self.second is None else (self.leg, self.second)
