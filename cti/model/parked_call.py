"""Parked calls: a caller who waits at a place that everybody knows, until somebody takes them up."""

from __future__ import annotations

import re
from typing import Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId, InteractionId, QueueId

_PLACE: Final = re.compile(r"[0-9A-Za-z]{1,16}\Z", re.ASCII)


def place(_instance: object, attribute: Attribute[str], value: str) -> None:
    """An attrs validator: the name of a place, or nothing for any that is free."""
    if value and not _PLACE.match(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be 1 to 16 letters and digits, or nothing")


@frozen
class ToPlace:
    """A place to wait at."""

    place: str = field(validator=place)


@frozen
class ParkedCall:
    """One place that is taken: by which call, parked by whom, since when, and after how long it goes back to them."""

    place: str
    interaction: InteractionId
    by: AgentId
    since: float
    recall_s: float
    queue: QueueId | None = None
    """The queue that it came by, and goes back to."""
