"""When a queue's customers may be called back."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cti.model.callback import CallbackSettings
from cti.plan.calendar import Calendar

EARLY_S: Final = 0.001
"""A timer may fire a rounding error before its time."""


@lru_cache(maxsize=1000)
def _calendar(hours: str, time_zone: str, closed: tuple[str, ...]) -> Calendar:
    return Calendar("callbacks", hours, time_zone, closed=closed)


def check_hours(settings: CallbackSettings) -> None:
    """Refuse hours that cannot be read.

    Raises:
        ConfigurationError: the hours, the time zone or the days; the message says which, and where.
    """
    _calendar(settings.hours or "daily 00:00-24:00", settings.time_zone, settings.closed)


def opens_at(settings: CallbackSettings, unix: float) -> float | None:
    """The first moment from ``unix`` on (Unix time) at which customers may be called; None if none is near."""
    if not settings.hours and not settings.closed:
        return unix
    calendar = _calendar(settings.hours or "daily 00:00-24:00", settings.time_zone, settings.closed)
    if calendar.is_open(unix + EARLY_S):
        return unix
    opens = calendar.opens_next(unix)
    return opens.timestamp() if opens is not None else None


def closes_at(settings: CallbackSettings, unix: float) -> float | None:
    """When they may not be called any more, after ``unix``; None if that is not near."""
    if not settings.hours and not settings.closed:
        return None
    calendar = _calendar(settings.hours or "daily 00:00-24:00", settings.time_zone, settings.closed)
    closes = calendar.closes_next(unix + EARLY_S)
    return closes.timestamp() if closes is not None else None
