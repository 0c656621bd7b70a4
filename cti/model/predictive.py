"""Predictive calls: a customer is called first, and gets whichever agent of a queue is free when they answer (CSTA: Make
Predictive Call).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute, Factory, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import InteractionId, QueueId
from cti.model.party import is_number
from cti.model.validate import seconds, share

ALONE: Final = "alone"
"""The kind of the timer that ends it."""
LONGEST_ALONE_S: Final = 2.0
"""How long may somebody who has answered hear nobody, before they are told so?"""
STEPS: Final = 24
"""Into so many pieces the window of the abandon rate is divided; the oldest is forgotten as a whole."""

_FORBIDDEN: Final = "|'\"\\"
"""What would end or change the application that plays it."""


def _message(_instance: object, attribute: Attribute[Any], value: str) -> None:
    if not isinstance(value, str) or not value or not value.isprintable() or set(value) & set(_FORBIDDEN):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a prompt as FreeSWITCH's playback takes it, without | ' \" or \\"
        )


def _alone(_instance: object, attribute: Attribute[Any], value: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST_ALONE_S:
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a number of seconds from 0 to {LONGEST_ALONE_S:g}"
        )


def _number(_instance: object, attribute: Attribute[Any], value: str) -> None:
    if value and not is_number(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number, or nothing")


@frozen
class PredictiveSettings:
    """How a queue makes predictive calls.

    Args:
        message: what somebody hears who has answered, and whom no agent is there for; then the call ends.
        abandon_cap: the largest share of answered calls that may end so. A call that could lead beyond it is not made.
        window_s: over which time that share is taken.
        alone_s: seconds from the answer to the message, if no agent has answered; at most 2.
        ring_s: seconds the customer's phone may ring.
        calling_number: what the customer is shown.
    """

    message: str = field(validator=_message)
    abandon_cap: float = field(default=0.03, validator=share)
    window_s: float = field(default=86_400.0, validator=seconds)
    alone_s: float = field(default=LONGEST_ALONE_S, validator=_alone)
    ring_s: float = field(default=30.0, validator=seconds)
    calling_number: str = field(default="", validator=_number)


@define
class PredictedCalls:
    """What has become of a queue's predictive calls. Only the engine changes it."""

    counts: dict[int, list[int]] = Factory(dict)
    """Step of the window -> how many were answered in it, and how many of these were abandoned."""
    under_way: list[InteractionId] = Factory(list)
    """Those that have no agent yet."""

    def note(self, now: float, window_s: float, *, abandoned: bool) -> None:
        """One more was answered, or one that was answered is abandoned."""
        step = self._step(now, window_s)
        self.counts.setdefault(step, [0, 0])[abandoned] += 1
        for old in [each for each in self.counts if each <= step - STEPS]:
            del self.counts[old]

    def answered_abandoned(self, now: float, window_s: float) -> tuple[int, int]:
        """How many were answered within the window, and how many of these were abandoned."""
        oldest = self._step(now, window_s) - STEPS
        kept = [each for step, each in self.counts.items() if step > oldest]
        return sum(each[0] for each in kept), sum(each[1] for each in kept)

    def _step(self, now: float, window_s: float) -> int:
        return int(now * STEPS / max(window_s, 1.0))


@frozen
class PredictiveFigures:
    """How a queue's predictive calls stand: within the window, and now."""

    answered: int
    abandoned: int
    under_way: int
    """Those that have no agent yet."""
    abandon_cap: float


@frozen
class PredictiveCallRequested:
    """Make Predictive Call: call a customer, for the agents of a queue."""

    queue: QueueId
    number: str
    data: Mapping[str, Any] = Factory(dict)
