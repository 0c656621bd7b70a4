"""Widening: whom else a queue's calls may go to when they have waited for long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.requirement import Requirement, requirement
from cti.model.validate import seconds


def _wider(value: Requirement | str | Mapping[str, int] | None) -> Requirement | None:
    return None if value is None else requirement("widening: requires", value)


def _after(_instance: object, attribute: Attribute[Any], value: float) -> None:
    if value is None:
        raise ConfigurationError(f"widening: {attribute.name} is None; it must be a number of seconds from 0 up")
    seconds(_instance, attribute, value)


def _queues(value: Iterable[str]) -> tuple[QueueId, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"widening: also is {value!r}; it must be a list of queues")
    return tuple(QueueId(queue) for queue in value)


@frozen
class Widening:
    """A step of widening: whom else a call may go to, once it has been in its queue for so long.

    Args:
        after_s: seconds in the queue.
        requires: agents who meet this may be offered the call too.
        also: agents whom these queues accept (by their ``requires``, not by their own widening) may be too.
    """

    after_s: float = field(validator=_after)
    requires: Requirement | None = field(default=None, converter=_wider)
    also: tuple[QueueId, ...] = field(default=(), converter=_queues)

    def __attrs_post_init__(self) -> None:
        if self.requires is None and not self.also:
            raise ConfigurationError(f"widening after {self.after_s} s widens to nobody; give it requires or also")


def steps(value: Iterable[Widening]) -> tuple[Widening, ...]:
    """An attrs converter: one step, or several."""
    return (value,) if isinstance(value, Widening) else tuple(value)


def rising(_instance: object, attribute: Attribute[Any], value: tuple[Widening, ...]) -> None:
    """An attrs validator: steps, none earlier than the one before."""
    for step in value:
        if not isinstance(step, Widening):
            raise ConfigurationError(f"{attribute.name} has {step!r}; each step must be a Widening")
    for earlier, later in pairwise(value):
        if later.after_s < earlier.after_s:
            raise ConfigurationError(
                f"{attribute.name}: after_s {later.after_s} follows {earlier.after_s}; no step may come earlier than the one before"
            )
