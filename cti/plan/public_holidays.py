"""Public holidays of a country, and the weekend days on which it works instead, by the package ``holidays``."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Any, Final

from cti.errors import ConfigurationError

NEEDS: Final = "public holidays need the extra 'holidays'; run: pip install 'cti[holidays]'"


class PublicHolidays:
    """The public holidays of one country, or of one subdivision of it.

    China's State Council names each year's make-up days in the November before; the package has them a release later,
    so keep it up to date, or name the days in the calendar (``closed``, ``working``), which counts before it.

    Args:
        where: ISO 3166's code of the country (``CN``) or of the subdivision (``DE-BY``).

    Raises:
        ConfigurationError: the package is not installed, or knows no such place.
    """

    def __init__(self, where: str) -> None:
        try:
            import holidays  # noqa: PLC0415 - an extra: only those who ask for public holidays pay for it
        except ImportError as error:
            raise ConfigurationError(f"holidays is {where!r}, but {NEEDS}") from error
        country, _, subdivision = where.partition("-")
        known = holidays.list_supported_countries(include_aliases=False)
        if country not in known:
            raise ConfigurationError(
                f"holidays: no country {country!r} is known; write ISO's two letters, such as 'CN' or 'DE-BY'"
            )
        if subdivision and subdivision not in known[country]:
            near = difflib.get_close_matches(subdivision, known[country], n=1, cutoff=0.4)
            hint = f"did you mean {country}-{near[0]}?" if near else f"write {country!r} for the whole country"
            raise ConfigurationError(f"holidays: {country} has no holidays of its own for {subdivision!r}; {hint}")
        self._known: Any = holidays.country_holidays(country, subdiv=subdivision or None)
        self._years: set[int] = set()

    def name(self, day: date) -> str | None:
        """What the holiday is called, in the country's language; None if the day is none."""
        self._read(day)
        found: str | None = self._known.get(day)
        return found

    def is_made_up(self, day: date) -> bool:
        """Whether this day of a weekend is worked, in place of a day off near a holiday."""
        self._read(day)
        return day in self._known.weekend_workdays

    def _read(self, day: date) -> None:
        # A year's days off are in part made up for in the year before.
        for year in (day.year, day.year + 1):
            if year not in self._years:
                self._years.add(year)
                self._known.get(date(year, 1, 1))
