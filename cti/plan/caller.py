"""Conditions on who calls whom: numbers, names, regions, and the customer's class."""

from __future__ import annotations

import fnmatch
import re

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.plan.condition import listed, short
from cti.plan.region import NUMBER_TYPES, check_country, check_region
from cti.plan.request import Asked


def _texts(_instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not isinstance(value, tuple) or not value or not all(isinstance(text, str) and text for text in value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a tuple of texts, none of them empty")


def _countries(instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    _texts(instance, attribute, value)
    for country in value:
        check_country(country)


def _regions(instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    _texts(instance, attribute, value)
    for pattern in value:
        check_region(pattern)


def _kinds(instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    _texts(instance, attribute, value)
    for kind in value:
        if kind not in NUMBER_TYPES:
            raise ConfigurationError(f"{kind!r} is no type of number; it must be one of {', '.join(NUMBER_TYPES)}")


@frozen
class Patterns:
    """Texts, and patterns as in file names (``*``, ``?``, ``[0-9]``); long lists of plain texts cost nothing more."""

    texts: tuple[str, ...] = field(validator=_texts)
    _plain: frozenset[str] = field(init=False, eq=False, repr=False)
    _patterns: tuple[re.Pattern[str], ...] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        patterns = [text for text in self.texts if set(text) & set("*?[")]
        object.__setattr__(self, "_plain", frozenset(self.texts).difference(patterns))
        object.__setattr__(self, "_patterns", tuple(re.compile(fnmatch.translate(text)) for text in patterns))

    def match(self, text: str) -> bool:
        """Whether a text is one of them, or like one."""
        return text in self._plain or any(pattern.match(text) for pattern in self._patterns)

    def __str__(self) -> str:
        return listed(self.texts)


def _patterns(value: Patterns | tuple[str, ...] | str) -> Patterns:
    return value if isinstance(value, Patterns) else Patterns((value,) if isinstance(value, str) else tuple(value))


@frozen
class CalledNumber:
    """The number that was dialled."""

    like: Patterns = field(converter=_patterns)

    def misses(self, asked: Asked) -> str:
        """What was dialled instead."""
        number = asked.request.called_number
        return "" if self.like.match(number) else f"called {short(number)}, not {self.like}"

    def __str__(self) -> str:
        return f"called {self.like}"


@frozen
class CallingNumber:
    """The caller's number, as it came or in the international form."""

    like: Patterns = field(converter=_patterns)

    def misses(self, asked: Asked) -> str:
        """Who calls instead."""
        number = asked.request.calling_number
        if self.like.match(number) or any(map(self.like.match, asked.calling_numbers)):
            return ""
        return f"calling {short(number)}, not {self.like}"

    def __str__(self) -> str:
        return f"calling {self.like}"


@frozen
class CallingName:
    """The caller's name, as the switch tells it."""

    like: Patterns = field(converter=_patterns)

    def misses(self, asked: Asked) -> str:
        """Who calls instead."""
        name = asked.request.calling_name
        return "" if self.like.match(name) else f"calling name {short(name)}, not {self.like}"

    def __str__(self) -> str:
        return f"calling name {self.like}"


@frozen
class FromCountry:
    """The country of the caller's number, as ISO's two letters."""

    countries: tuple[str, ...] = field(validator=_countries)

    def misses(self, asked: Asked) -> str:
        """Where they call from instead."""
        country = asked.region.country
        return "" if country in self.countries else f"country {country or 'unknown'}, not {listed(self.countries)}"

    def __str__(self) -> str:
        return f"country {listed(self.countries)}"


@frozen
class FromRegion:
    """The region of the caller's number, by a code (``CN-GD``, ``CN-44``, ``US-CA``), or a place's name or pattern."""

    patterns: tuple[str, ...] = field(validator=_regions)

    def misses(self, asked: Asked) -> str:
        """Where they call from instead."""
        region = asked.region
        return "" if any(map(region.is_called, self.patterns)) else f"region {region}, not {listed(self.patterns)}"

    def __str__(self) -> str:
        return f"region {listed(self.patterns)}"


@frozen
class NumberType:
    """What kind of number calls: ``mobile``, ``fixed line``, ..., ``unknown``."""

    kinds: tuple[str, ...] = field(validator=_kinds)

    def misses(self, asked: Asked) -> str:
        """What kind it is instead."""
        kind = asked.region.kind
        return "" if kind in self.kinds else f"number type {kind}, not {listed(self.kinds)}"

    def __str__(self) -> str:
        return f"number type {listed(self.kinds)}"


@frozen
class CustomerClass:
    """The customer's class."""

    classes: tuple[str, ...] = field(validator=_texts)

    def misses(self, asked: Asked) -> str:
        """Which they are of instead."""
        found = asked.request.customer_class
        return "" if found in self.classes else f"class {short(found)}, not {listed(self.classes)}"

    def __str__(self) -> str:
        return f"class {listed(self.classes)}"
