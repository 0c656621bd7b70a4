"""From when on something is cause for an alarm."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Attribute, evolve, field, frozen

from cti.alarms.alarm import Grade
from cti.alarms.kinds import KINDS, Kind
from cti.errors import ConfigurationError
from cti.model.validate import count, seconds, share


def _names(_instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for name in value:
        if name not in KINDS:
            raise ConfigurationError(f"{attribute.name} has {name!r}; there is {', '.join(KINDS)}")


def _grades(_instance: object, attribute: Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    for name, grade in value.items():
        if name not in KINDS:
            raise ConfigurationError(f"{attribute.name} has {name!r}; there is {', '.join(KINDS)}")
        if grade not in {each.value for each in Grade}:
            raise ConfigurationError(f"{attribute.name}: {grade!r} is none of {', '.join(one.value for one in Grade)}")


@frozen
class AlarmSettings:
    """When alarms are raised.

    Args:
        every_s: how often the centre is looked at.
        longest_wait_s: a call that waits longer is cause for an alarm, until none waits 0.8 of it; None for never.
        service_level: the share of a queue's last calls that should be answered in time, for queues without a
            ``service_level_target`` of their own; None for no alarm there.
        service_level_margin: so much above it the alarm is over.
        service_level_calls: so many calls must have left a queue before its service level says anything.
        lag_s: events that come later than this are cause for an alarm, until they are half as late.
        window_s: failures are counted over so many seconds.
        agents_failing: so many agents whose phones fail for one cause within that time are cause for an alarm.
        trunk_failures: the same, calls outside that fail for one cause.
        off: alarms that are never raised, by name.
        grades: grades that are other than usual: an alarm's name -> info, minor, major or critical.
    """

    every_s: float = field(default=2.0, validator=seconds)
    longest_wait_s: float | None = field(default=300.0, validator=seconds)
    service_level: float | None = field(default=None, validator=share)
    service_level_margin: float = field(default=0.05, validator=share)
    service_level_calls: int = field(default=20, validator=count)
    lag_s: float = field(default=0.5, validator=seconds)
    window_s: float = field(default=300.0, validator=seconds)
    agents_failing: int = field(default=3, validator=count)
    trunk_failures: int = field(default=5, validator=count)
    off: tuple[str, ...] = field(default=(), converter=tuple, validator=_names)
    grades: Mapping[str, str] = field(factory=dict, validator=_grades)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds that are watched for, with the grades they have here."""
        watched = {name: kind for name, kind in KINDS.items() if name not in self.off}
        return {
            name: evolve(kind, grade=Grade(self.grades[name])) if name in self.grades else kind
            for name, kind in watched.items()
        }
