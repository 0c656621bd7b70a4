"""What the rules of a plan may refer to."""

from __future__ import annotations

from collections.abc import Collection

from attrs import Factory, define

from cti.errors import ConfigurationError, UnknownName
from cti.plan.calendar import Calendar
from cti.plan.region import Regions


class UnknownCalendar(UnknownName):
    """No calendar has this name."""

    code = "operation.unknown_calendar"
    kind = "calendar"


class UnknownScript(UnknownName):
    """No script has this name."""

    code = "operation.unknown_script"
    kind = "script"


@define(eq=False)
class Scope:
    """The names in a plan's reach; a set that is None takes any name.

    Args:
        time_zone: of the rules' ``time``, and of calendars that give none.
        regions: looks up where callers are from.
        has_country: whether the plan names a country, be it a wrong one.
        calendars: by name; None for one that cannot be used, which has been said already.
        queues: those that are there.
        agents: those that are there.
        scripts: those that are there.
        mailboxes: those that are there.
    """

    time_zone: str | None = None
    regions: Regions | None = None
    has_country: bool = False
    calendars: dict[str, Calendar | None] = Factory(dict)
    queues: Collection[str] | None = None
    agents: Collection[str] | None = None
    scripts: Collection[str] | None = None
    mailboxes: Collection[str] | None = None
    _times: dict[str, Calendar] = Factory(dict)

    def time(self, text: str) -> Calendar:
        """The calendar of a rule's ``time``: the same one for the same text, so that equal conditions are equal.

        Raises:
            ConfigurationError: the text cannot be read, or the plan has no time zone.
        """
        if self.time_zone is None:
            raise ConfigurationError("it needs the plan's time_zone, such as 'Asia/Shanghai'")
        if text not in self._times:
            self._times[text] = Calendar(" ".join(text.split())[:100] or "time", text, self.time_zone)
        return self._times[text]
