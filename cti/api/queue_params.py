"""A queue as a client defines it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from cti.api.converter import Line
from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToQueue
from cti.model.widening import Widening


@frozen
class WideningParams:
    """Whom else a call may go to after so long in the queue."""

    after_s: float
    requires: Line | None = None
    also: tuple[QueueId, ...] = ()


@frozen
class OverflowParams:
    """Where a call goes that the queue does not keep: one of the two, or neither to clear the call."""

    queue: QueueId | None = None
    destination: Line | None = None

    def overflow(self) -> Overflow:
        """The library's form of it.

        Raises:
            ConfigurationError: both are given.
        """
        if self.queue is not None and self.destination is not None:
            raise ConfigurationError("overflow: give queue or destination, not both")
        if self.queue is not None:
            return ToQueue(self.queue)
        return ToDestination(self.destination) if self.destination is not None else Disconnect()


@frozen
class QueueParams:
    """A queue as it shall be; what is left out is as the library has it."""

    queue: QueueId
    requires: str | None = None
    widening: tuple[WideningParams, ...] | None = None
    priority: int | None = None
    priority_per_minute: float | None = None
    strategy: Line | None = None
    max_wait_s: float | None = None
    overflow: OverflowParams | None = None
    ring_timeout_s: float | None = None
    wrap_up_s: float | None = None
    music: Line | None = None
    service_level_s: float | None = None
    short_abandon_s: float | None = None

    def settings(self) -> dict[str, Any]:
        """The arguments of ``CallCenter.add_queue``, without the queue's name.

        Raises:
            ConfigurationError: something given cannot be used.
        """
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in self.__attrs_attrs__}
        del values["queue"]
        if self.widening is not None:
            values["widening"] = tuple(Widening(step.after_s, step.requires, step.also) for step in self.widening)
        if self.overflow is not None:
            values["overflow"] = self.overflow.overflow()
        return {name: value for name, value in values.items() if value is not None}
