"""What a clock on the wall shows, and when: local time in a time zone, exact over its changes."""

from __future__ import annotations

import difflib
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cti.errors import ConfigurationError

At = datetime | float
"""An instant: an aware datetime, or Unix time in seconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = (datetime(10, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()
_LAST: Final = (datetime(9989, 12, 31, tzinfo=UTC) - _EPOCH).total_seconds()
"""Beyond these, a calendar that looks two days back or 800 ahead would leave Python's."""


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as ``Asia/Shanghai``.

    Raises:
        ConfigurationError: there is none of this name; the message names the nearest.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError) as error:
        known = sorted(available_timezones())
        if not known:
            hint = "this system has no time zones at all; pip install tzdata"
        else:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else "write an IANA name, such as 'Asia/Shanghai' or 'UTC'"
        raise ConfigurationError(f"time_zone: unknown time zone {name!r}; {hint}") from error


def unix(at: At) -> float:
    """An instant as Unix time in seconds.

    Raises:
        ConfigurationError: it has no time zone, or is no instant of the years 10 to 9989.
    """
    if isinstance(at, datetime):
        if at.utcoffset() is None:
            raise ConfigurationError(f"at is {at!r}; a datetime must be aware: give it a time zone")
        at = (at - _EPOCH).total_seconds()
    if not isinstance(at, int | float) or isinstance(at, bool) or not _FIRST <= at <= _LAST:
        raise ConfigurationError(
            f"at is {at!r:.60}; it must be an aware datetime, or Unix time in seconds, of the years 10 to 9989"
        )
    return at


def local(at: float, zone: tzinfo) -> datetime:
    """What the wall clock shows then."""
    return (_EPOCH + timedelta(seconds=at)).astimezone(zone)


def instant(day: date, minutes: int, zone: tzinfo, *, last: bool) -> int:
    """When the wall clock shows so many minutes after a day's midnight, as Unix time in seconds.

    Args:
        day: the day.
        minutes: may be more than a day's.
        zone: where the clock hangs.
        last: which of the two, for a time that comes twice because the clock is set back; a time that never comes
            because the clock is set forward is the moment of the jump.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - a wall clock has none
    first_offset, last_offset = (_offset(wall, zone, fold) for fold in (0, 1))
    naive = _seconds(wall.replace(tzinfo=UTC) - _EPOCH)
    if last_offset <= first_offset:  # an ordinary time, or one that comes twice
        return naive - (last_offset if last else first_offset)
    # It never comes. The first offset is the one before the jump, so the jump lies between these two.
    before, after = naive - last_offset, naive - first_offset
    while after - before > 1:
        middle = (before + after) // 2
        jumped = _seconds(local(middle, zone).utcoffset()) != first_offset
        before, after = (before, middle) if jumped else (middle, after)
    return after


def _offset(wall: datetime, zone: tzinfo, fold: int) -> int:
    return _seconds(wall.replace(tzinfo=zone, fold=fold).utcoffset())


def _seconds(length: timedelta | None) -> int:
    return 0 if length is None else length.days * 86400 + length.seconds
