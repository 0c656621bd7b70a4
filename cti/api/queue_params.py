"""A queue as a client defines it: every setting that the daemon's file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import fields, frozen

from cti.api.converter import Line
from cti.api.overflow_params import OverflowParams
from cti.api.personal_params import PersonalParams
from cti.api.waiting_params import QueueCallbackParams, WaitingParams
from cti.errors import ConfigurationError
from cti.model.borrowing import Borrowing
from cti.model.ids import QueueId
from cti.model.predictive import PredictiveSettings
from cti.model.queue import QueueSettings
from cti.model.widening import Widening


@frozen
class WideningParams:
    """Whom else a call may go to after so long in the queue."""

    after_s: float
    requires: Line | None = None
    also: tuple[QueueId, ...] = ()


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
    max_expected_wait_s: float | None = None
    max_waiting: int | None = None
    overflow_unstaffed: bool | None = None
    overflow: OverflowParams | None = None
    overflows: Mapping[str, OverflowParams] | None = None
    after_call: OverflowParams | None = None
    conference_ends_with_caller: bool | None = None
    personal: PersonalParams | None = None
    route_script: Line | None = None
    route_deadline_s: float | None = None
    ring_timeout_s: float | None = None
    wrap_up_s: float | None = None
    music: Line | None = None
    waiting: WaitingParams | None = None
    callback: QueueCallbackParams | None = None
    service_level_s: float | None = None
    service_level_target: float | None = None
    borrows: Borrowing | None = None
    short_abandon_s: float | None = None
    keep_place_s: float | None = None
    record: str | float | None = None
    record_announcement: Line | None = None
    predictive: PredictiveSettings | None = None

    def settings(self) -> dict[str, Any]:
        """What is given, as arguments of ``CallCenter.add_queue``, without the queue's name.

        Raises:
            ConfigurationError: something given cannot be used; the message names it.
        """
        given = {name: value for name in _NAMES if (value := getattr(self, name)) is not None}
        return {name: _FORMS[name](value) if name in _FORMS else value for name, value in given.items()}


@frozen
class QueueChange(QueueParams):
    """What is to be another of a queue's settings; what is left out stays."""

    reset: tuple[Line, ...] = ()
    """The settings that are to be as in a new queue."""

    def changed(self, before: QueueSettings) -> dict[str, Any]:
        """All arguments of ``CallCenter.add_queue``, without the queue's name.

        Args:
            before: the queue's settings.

        Raises:
            ConfigurationError: something given cannot be used, or ``reset`` names no setting, or one that is given.
        """
        given = self.settings()
        for name in self.reset:
            if name not in _NAMES:
                raise ConfigurationError(f"reset: there is no setting {name!r}; there is {', '.join(_NAMES)}")
            if name in given:
                raise ConfigurationError(f"reset: {name} is given too; one of the two")
        kept = {name: getattr(before, name) for name in _NAMES if name not in self.reset}
        return {**kept, **given}


_NAMES: Final = tuple(one.name for one in fields(QueueParams) if one.name != "queue")
_FORMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "widening": lambda steps: tuple(Widening(step.after_s, step.requires, step.also) for step in steps),
    "overflow": lambda target: target.overflow("overflow"),
    "overflows": lambda targets: {
        reason.replace("_", " "): target.overflow(f"overflows.{reason}") for reason, target in targets.items()
    },
    "after_call": lambda target: target.overflow("after_call"),
    "personal": lambda wanted: wanted.personal(),
    "waiting": lambda wanted: wanted.treatment(),
    "callback": lambda wanted: wanted.callback(),
}
"""How the library says it, where that is not as a client does."""
