"""Business calendars: when it is open, in a time zone, with the days that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.model.validate import name, one_of
from cti.plan.hours import DAY_NAMES, DAYS, Hours, Week, day_hours, week
from cti.plan.public_holidays import PublicHolidays
from cti.plan.wall_clock import At, instant, local, time_zone, unix

HORIZON_DAYS: Final = 800
"""How far ahead an opening or a closing is looked for."""
LONGEST_RANGE: Final = 1000
"""Days in one range of dates."""
REMEMBERED: Final = 1000
"""Days whose spans are kept."""

DayKind = Literal["regular", "special", "closed", "working", "holiday"]
DAY_KINDS: Final[tuple[str, ...]] = get_args(DayKind)


@frozen
class Day:
    """What one date is."""

    date: date
    kind: DayKind
    """``regular`` (by the week), ``special`` (hours of its own), ``closed``, ``working`` (it replaces a weekend's day
    off), or ``holiday``."""
    name: str
    """The day of the week, or the public holiday's name."""
    hours: Hours


def _hours(value: object) -> Week:
    return week("hours", value)


def _holiday_hours(value: object) -> Hours:
    return day_hours("holiday_hours", value)


def _date(field_name: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise ConfigurationError(f"{field_name}: {value!r} is no date; write it as 2026-12-24") from None


def _dates(field_name: str, values: object) -> frozenset[date]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigurationError(f"{field_name} is {values!r}; it must be a list of dates")
    found: set[date] = set()
    for value in values:
        first, dots, last = value.partition("..") if isinstance(value, str) else (value, "", "")
        since = _date(field_name, first)
        until = _date(field_name, last) if dots else since
        if not 0 <= (until - since).days < LONGEST_RANGE:
            raise ConfigurationError(f"{field_name}: {value!r} must run forwards, over at most {LONGEST_RANGE} days")
        found.update(since + timedelta(days=n) for n in range((until - since).days + 1))
    return frozenset(found)


def _closed(value: object) -> frozenset[date]:
    return _dates("closed", value)


def _working(value: object) -> frozenset[date]:
    return _dates("working", value)


def _special(value: object) -> Mapping[date, Hours]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"special is {value!r}; it must be date -> hours, such as '2026-12-24' -> '09:00-12:00'"
        )
    return {_date("special", day): day_hours(f"special: {day}", hours) for day, hours in value.items()}


def _public(value: object) -> PublicHolidays | None:
    if value is None or isinstance(value, PublicHolidays):
        return value
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"holidays is {value!r}; it must be a country's code such as 'CN', or 'DE-BY'")
    return PublicHolidays(value)


@frozen(eq=False, repr=False)
class Calendar:
    """When a service is open.

    What is said of a date counts before public holidays, and these before the week. Hours are those of the wall clock.
    A time that comes twice, when the clock is set back, opens at the first and closes at the second: it is open
    whenever the clock shows an hour of opening. A time that never comes, when the clock is set forward, is the moment
    of the jump.

    Args:
        name: what rules call it.
        hours: the week's, as text (``mon-fri 09:00-12:00, 13:00-18:00; sat 22:00-02:00``) or as days -> hours.
        time_zone: an IANA name, such as ``Asia/Shanghai``.
        closed: dates (``2026-12-24``) and ranges of dates (``2026-12-24..2026-12-26``) that are closed.
        special: date -> its own hours.
        working: dates that are worked though the week says otherwise: those that make up for a day off.
        working_as: the day of the week whose hours such dates have, and those that the public holidays bring.
        holidays: a country (``CN``) or subdivision (``DE-BY``) whose public holidays are kept; needs the extra
            ``holidays``. Weekend days that such a country works instead are ``working``.
        holiday_hours: a public holiday's hours; closed if not given.

    Raises:
        ConfigurationError: a field cannot be used, or a date is named in two of them.
    """

    name: str = field(validator=name)
    hours: Week = field(converter=_hours)
    time_zone: ZoneInfo = field(converter=time_zone)
    closed: frozenset[date] = field(default=(), converter=_closed)
    special: Mapping[date, Hours] = field(factory=dict, converter=_special)
    working: frozenset[date] = field(default=(), converter=_working)
    working_as: str = field(default="mon", validator=one_of(*DAYS))
    holidays: PublicHolidays | None = field(default=None, converter=_public)
    holiday_hours: Hours = field(default="closed", converter=_holiday_hours)
    _spans: Callable[[date], tuple[tuple[int, int], ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        named = (("closed", self.closed), ("special", frozenset(self.special)), ("working", self.working))
        for at, (one, its_days) in enumerate(named):
            for other, other_days in named[at + 1 :]:
                for day in sorted(its_days & other_days):
                    raise ConfigurationError(f"calendar {self.name!r}: {day} is in {one} and in {other}; keep one")
        object.__setattr__(self, "_spans", lru_cache(maxsize=REMEMBERED)(self._spans_of))

    def __repr__(self) -> str:
        return f"<Calendar {self.name!r} {self.time_zone.key}>"

    def day(self, at: At) -> Day:
        """What the date at an instant is, there.

        Raises:
            ConfigurationError: ``at`` is no instant.
        """
        return self.on(local(unix(at), self.time_zone).date())

    def on(self, day: date) -> Day:
        """What a date is."""
        weekday = day.weekday()
        if day in self.special:
            return Day(day, "special", DAY_NAMES[weekday], self.special[day])
        if day in self.closed:
            return Day(day, "closed", DAY_NAMES[weekday], ())
        if day in self.working:
            return Day(day, "working", DAY_NAMES[weekday], self.hours[DAYS.index(self.working_as)])
        if self.holidays is not None:
            holiday = self.holidays.name(day)
            if holiday is not None:
                return Day(day, "holiday", holiday, self.holiday_hours)
            if self.holidays.is_made_up(day):
                return Day(day, "working", DAY_NAMES[weekday], self.hours[DAYS.index(self.working_as)])
        return Day(day, "regular", DAY_NAMES[weekday], self.hours[weekday])

    def is_open(self, at: At) -> bool:
        """Whether it is open then; at the very moment of closing it is not.

        Raises:
            ConfigurationError: ``at`` is no instant.
        """
        at = unix(at)
        today = local(at, self.time_zone).date()
        # Two days back: hours run into the next day, and its small hours may come twice.
        return any(
            opens <= at < closes for back in (0, 1, 2) for opens, closes in self._spans(today - timedelta(days=back))
        )

    def opens_next(self, at: At) -> datetime | None:
        """When it opens next, after ``at``, in its own time zone; None if not within 800 days.

        Raises:
            ConfigurationError: ``at`` is no instant.
        """
        at = unix(at)
        return next((self._local(opens) for opens, _ in self._open_from(at) if opens > at), None)

    def closes_next(self, at: At) -> datetime | None:
        """When it closes next, after ``at``, in its own time zone; None if not within 800 days.

        Raises:
            ConfigurationError: ``at`` is no instant.
        """
        at = unix(at)
        return next(
            (self._local(closes) for _, closes in self._open_from(at) if closes is not None and closes > at), None
        )

    def why(self, at: At) -> str:
        """Open or closed, and by which day's hours, such as ``closed: holiday 春节, closed all day``."""
        day = self.day(at)
        hours = ", ".join(map(str, day.hours)) or "closed all day"
        return f"{'open' if self.is_open(at) else 'closed'}: {day.kind} {day.name}, {hours}"

    def _local(self, at: int) -> datetime:
        return local(at, self.time_zone)

    def _spans_of(self, day: date) -> tuple[tuple[int, int], ...]:
        found = []
        for span in self.on(day).hours:
            opens = instant(day, span.opens, self.time_zone, last=False)
            closes = instant(day, span.closes, self.time_zone, last=True)
            if opens < closes:
                found.append((opens, closes))
        return tuple(found)

    def _open_from(self, at: float) -> Iterator[tuple[int, int | None]]:
        """Spans in which it is open, each as long as can be; the last one's end is None if the horizon hides it."""
        began = ended = None
        day = local(at, self.time_zone).date() - timedelta(days=2)
        for _ in range(HORIZON_DAYS + 3):
            for opens, closes in self._spans(day):
                if began is None or ended is None:
                    began, ended = opens, closes
                elif opens <= ended:
                    ended = max(ended, closes)
                else:
                    yield began, ended
                    began, ended = opens, closes
            day += timedelta(days=1)
        if began is not None and ended is not None:
            yield began, ended if ended < instant(day, 0, self.time_zone, last=False) else None
