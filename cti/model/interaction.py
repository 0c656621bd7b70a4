"""Interactions: what a customer wants of the centre, over however many channels it takes."""

from __future__ import annotations

from typing import Any

from attrs import Factory, define

from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, ReservationId, SwitchId
from cti.model.states import INTERACTION, InteractionState, InteractionTrigger


@define(eq=False)
class Interaction:
    """One interaction. Only the engine changes it."""

    id: InteractionId
    switch: SwitchId
    caller: ConnectionId
    calling_number: str
    calling_name: str
    called_number: str
    created_at: float
    state: InteractionState = InteractionState.CREATED
    state_since: float = 0.0
    connections: set[ConnectionId] = Factory(set)
    data: dict[str, Any] = Factory(dict)
    """Attached data: what the script and the agents know of it."""
    queue: QueueId | None = None
    priority: int = 0
    """The call's own priority plus its queue's."""
    own_priority: int = 0
    queued_at: float | None = None
    """When it first entered a queue; it keeps this through re-queues and overflow."""
    entered_at: float = 0.0
    """When it entered the queue it is in; what widening counts from."""
    widened: int = 0
    """The step of widening it has come to in that queue; 0 for none."""
    place: int = 0
    """Breaks a tie between calls that entered in the same instant; never changes."""
    overflow_due: bool = False
    """Its maximum wait ended while an agent was being offered it."""
    reservation: ReservationId | None = None
    agent: AgentId | None = None
    treated: bool = False
    """Whether the music has been started."""
    offers: int = 0

    @property
    def age_key(self) -> tuple[int, float, int]:
        """The order of waiting calls: priority, then age, then place."""
        return (-self.priority, self.queued_at or 0.0, self.place)

    def waited_s(self, now: float) -> float:
        """Seconds since it first entered a queue; 0 if it never did."""
        return 0.0 if self.queued_at is None else now - self.queued_at

    def move(self, trigger: InteractionTrigger, now: float) -> bool:
        """Pull a trigger of the table; whether it changed the state.

        Raises:
            IllegalTransition: the table forbids it; nothing was changed.
        """
        after = INTERACTION.next(self.state, trigger)
        if after is None:
            return False
        self.state, self.state_since = after, now
        return True
