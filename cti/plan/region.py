"""Where a phone number is from: country, province or city, and what kind of number it is, by ``phonenumbers``."""

from __future__ import annotations

import difflib
import fnmatch
import re
from functools import lru_cache
from typing import Any, Final

import phonenumbers
from attrs import frozen
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from cti.errors import ConfigurationError
from cti.plan.provinces import CODES, PROVINCES

UNKNOWN: Final = "unknown"
KINDS: Final = {
    PhoneNumberType.FIXED_LINE: "fixed line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed line or mobile",
    PhoneNumberType.TOLL_FREE: "toll free",
    PhoneNumberType.PREMIUM_RATE: "premium rate",
    PhoneNumberType.SHARED_COST: "shared cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
"""What kinds of numbers there are; where mobile numbers look like others (USA, Canada): ``fixed line or mobile``."""
NUMBER_TYPES: Final = (*KINDS.values(), UNKNOWN)

# No letters: phonenumbers would read "alice138..." as the number that it ends with, and "1-800-FLOWERS" as digits.
_NUMBER = re.compile(r"\+?[0-9][0-9 ().\-]{0,40}")
_LETTERED_STATES: Final = ("US", "CA")


@frozen
class Region:
    """What a number tells of itself; every part may be unknown, which is empty text, or ``unknown`` for the kind."""

    e164: str = ""
    """The number in the international form, such as ``+8613800000001``."""
    country: str = ""
    """ISO 3166-1's two letters."""
    code: str = ""
    """The province's or state's code, such as ``CN-GD`` or ``US-CA``; known in China, the USA and Canada."""
    place: str = ""
    """City and province as far as is known, in English, such as ``Guangzhou, Guangdong``."""
    kind: str = UNKNOWN
    """One of NUMBER_TYPES."""
    time_zones: tuple[str, ...] = ()
    """IANA names of the zones the number may be in."""
    names: frozenset[str] = frozenset()
    """All that the region may be called, in lower case: codes, and names in English and in the other language."""

    def is_called(self, pattern: str) -> bool:
        """Whether one of its names is like a pattern, which may hold ``*`` and ``?``; case does not matter."""
        pattern = pattern.lower()
        return pattern in self.names or any(fnmatch.fnmatchcase(known, pattern) for known in self.names)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.code or self.country, self.place and f"({self.place})"))) or UNKNOWN


NOWHERE: Final = Region()
"""Anonymous, a name, an extension, too long, or not a number that anybody can have."""


class Regions:
    """Looks up where numbers are from; keeps what it found for the numbers asked for last.

    The first one made reads phonenumbers' places: about half a second and 100 MB.

    Args:
        country: the country in which numbers without a country's code are dialled, as ISO 3166-1's two letters.
        language: a second language for the names of places, such as ``zh``; English always does.
        remembered: how many numbers to keep; each takes about 1 kB.

    Raises:
        ConfigurationError: there is no such country.
    """

    def __init__(self, country: str, *, language: str = "en", remembered: int = 10_000) -> None:
        from phonenumbers import geocoder, timezone  # noqa: PLC0415 - only those who ask for regions pay for it

        self.country = check_country(country)
        self.language = language
        self._geocoder: Any = geocoder
        self._timezone: Any = timezone
        self._kept = lru_cache(maxsize=remembered)(self._look_up)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<Regions of {self.country}>"

    def of(self, number: str) -> Region:
        """Where a number is from: never raises, whatever a caller sends as theirs."""
        return self._kept(number) if _NUMBER.fullmatch(number) else NOWHERE

    def e164(self, number: str) -> str:
        """The number in the international form; as it is where it has none."""
        return self.of(number).e164 or number

    def _look_up(self, number: str) -> Region:
        try:
            parsed = phonenumbers.parse(number, self.country)
        except phonenumbers.NumberParseException:
            return NOWHERE
        if not phonenumbers.is_valid_number(parsed):
            return NOWHERE
        country = phonenumbers.region_code_for_number(parsed) or ""
        if len(country) != 2:  # "001": satellites, international toll free
            country = ""
        place = self._place(parsed, "en")
        local = self._place(parsed, self.language) if self.language != "en" else ""
        codes = _codes(country, place)
        # "CA" alone must not be both California and Canada, so what became a code is a name only as that.
        parts = {part for part in place.split(", ") if f"{country}-{part}" not in codes}
        names = ({country, place, local, *codes} | parts) - {""}
        return Region(
            e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
            country=country,
            code=codes[0] if codes else "",
            place=place,
            kind=KINDS.get(phonenumbers.number_type(parsed), UNKNOWN),
            time_zones=tuple(z for z in self._timezone.time_zones_for_number(parsed) if z != "Etc/Unknown"),
            names=frozenset(known.lower() for known in names),
        )

    def _place(self, parsed: Any, language: str) -> str:
        place: str = self._geocoder.description_for_valid_number(parsed, language)
        # Where nothing nearer is known it is the country's name.
        return "" if place == self._geocoder.country_name_for_number(parsed, language) else place


def check_country(country: str) -> str:
    """The country's code, if phone numbers are known there.

    Raises:
        ConfigurationError: they are not.
    """
    if country not in phonenumbers.SUPPORTED_REGIONS:
        near = difflib.get_close_matches(str(country).upper(), phonenumbers.SUPPORTED_REGIONS, n=1, cutoff=0.9)
        hint = f"did you mean {near[0]!r}?" if near else "write ISO's two letters, such as 'CN'"
        raise ConfigurationError(f"country {country!r} is unknown; {hint}")
    return country


def check_region(pattern: str) -> str:
    """A region's name or code, if it may be one.

    Raises:
        ConfigurationError: it is a code of China's that no province has.
    """
    if re.fullmatch(r"CN-\w+", pattern, re.IGNORECASE) and pattern.upper() not in CODES:
        near = difflib.get_close_matches(pattern.upper(), CODES, n=1, cutoff=0.7)
        raise ConfigurationError(f"region {pattern!r} is unknown" + (f"; did you mean {near[0]!r}?" if near else ""))
    return pattern


def _codes(country: str, place: str) -> tuple[str, ...]:
    last = place.rpartition(", ")[2]
    if country == "CN":
        return PROVINCES.get(last, ())
    if country in _LETTERED_STATES and len(last) == 2 and last.isupper():
        return (f"{country}-{last}",)
    return ()
