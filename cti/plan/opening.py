"""Conditions on the time: open or closed by a calendar, what kind of day it is."""

from __future__ import annotations

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.plan.calendar import DAY_KINDS, Calendar
from cti.plan.condition import listed
from cti.plan.hours import DAYS
from cti.plan.request import Asked
from cti.plan.wall_clock import local, unix


def _kinds(_instance: object, _attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not isinstance(value, tuple) or not value:
        raise ConfigurationError(f"kinds is {value!r}; it must be a tuple of kinds of days")
    for kind in value:
        if kind not in DAY_KINDS:
            raise ConfigurationError(f"{kind!r} is no kind of day; it must be one of {', '.join(DAY_KINDS)}")


@frozen
class Open:
    """A calendar is open, or closed."""

    calendar: Calendar
    open: bool = True

    def misses(self, asked: Asked) -> str:
        """What it is instead, and by which day's hours."""
        at = asked.request.at
        if self.calendar.is_open(at) is self.open:
            return ""
        return f"{self.calendar.name} is {self.calendar.why(at)}"

    def __str__(self) -> str:
        return f"{self.calendar.name} {'open' if self.open else 'closed'}"


@frozen
class TimeIs:
    """The time of day, or of the week; by a calendar of nothing but hours."""

    calendar: Calendar

    def misses(self, asked: Asked) -> str:
        """What time it is instead."""
        at = asked.request.at
        if self.calendar.is_open(at):
            return ""
        now = local(unix(at), self.calendar.time_zone)
        return f"it is {DAYS[now.weekday()]} {now:%H:%M} in {self.calendar.time_zone.key}, not {self.calendar.name}"

    def __str__(self) -> str:
        return f"the time is {self.calendar.name}"


@frozen
class DayIs:
    """Today is of one of these kinds: ``regular``, ``special``, ``closed``, ``working``, ``holiday``."""

    calendar: Calendar
    kinds: tuple[str, ...] = field(validator=_kinds)

    def misses(self, asked: Asked) -> str:
        """What it is instead."""
        day = self.calendar.day(asked.request.at)
        if day.kind in self.kinds:
            return ""
        return f"{day.date} is {day.kind} ({day.name}) for {self.calendar.name}, not {listed(self.kinds)}"

    def __str__(self) -> str:
        return f"{self.calendar.name} has a day that is {listed(self.kinds)}"
