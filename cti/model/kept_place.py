"""Places that are kept: a caller whom a lost switch has cut off finds theirs again when they call back."""

from __future__ import annotations

from attrs import frozen

from cti.model.ids import QueueId


@frozen
class KeptPlace:
    """Where somebody was in a queue."""

    queue: QueueId
    queued_at: float
    """When they first entered a queue, by the engine's clock."""
    place: int
    until: float
    """How long it is kept."""
