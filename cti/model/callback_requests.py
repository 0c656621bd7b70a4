"""What is asked for about callbacks, as facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, field, frozen
from attrs.validators import optional

from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.validate import name, whole


@frozen
class CallbackRequested:
    """Somebody is to be called back; a caller who is on the line keeps their place by it (CSTA: Call Back)."""

    queue: QueueId
    number: str = field(validator=name)
    interaction: InteractionId | None = None
    """The caller's; None for somebody who is not on the line."""
    at: float | None = None
    """Unix time before which they are not called; None for their turn in the queue."""
    agent: AgentId | None = None
    """The one agent who calls."""
    priority: int | None = field(default=None, validator=optional(whole))
    """The callback's own; None leaves the call's."""
    data: Mapping[str, Any] = Factory(dict)
    calling_name: str = ""
    called_number: str = ""
    """What the customer's phone shows, if the queue names no number."""


@frozen
class CallerLetGo:
    """A caller who has asked for a callback has heard that it is taken: their leg ends, the place stays."""

    interaction: InteractionId
    connection: ConnectionId


@frozen
class CancelCallbackRequested:
    """A callback is not wanted any more (CSTA: Cancel Call Back)."""

    interaction: InteractionId


@frozen
class RescheduleCallbackRequested:
    """A callback is to be made at another time, or to another number."""

    interaction: InteractionId
    at: float | None = None
    """Unix time; None leaves it."""
    number: str = ""
    """Empty leaves it."""


@frozen
class CallbacksHeld:
    """No customer is to be called back from now on, or they are again; whoever is being called is called on."""

    held: bool


CallbackRequest = (
    CallbacksHeld | CallbackRequested | CallerLetGo | CancelCallbackRequested | RescheduleCallbackRequested
)
