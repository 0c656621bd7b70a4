"""One try at an input, key by key: whether it is complete, and whether it is good. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final, Protocol

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.script.keys import KEYS

MOST_DIGITS: Final = 64
NUMBER: Final = "[0-9]*"

Valid = str | Callable[[str], bool]


class Rules(Protocol):
    """What an input may be."""

    @property
    def terminators(self) -> str:
        """Keys that end it and are no part of it."""
        ...

    def complete(self, pressed: str) -> bool:
        """Whether no further key is awaited after these."""
        ...

    def good(self, pressed: str) -> bool:
        """Whether this will do."""
        ...


def _keys(_: object, attribute: object, value: str) -> None:
    if not set(value) <= KEYS:
        raise ConfigurationError(f"{getattr(attribute, 'name', '')} {value!r}: keys are 0 to 9, *, # and A to D")


def _pattern(value: Valid) -> Valid:
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            raise ConfigurationError(f"valid {value!r} is no regular expression: {error}") from error
    return value


@frozen
class DigitRules:
    """From ``least`` to ``most`` digits; ``valid`` is a pattern for all of them, or a function that says yes or no.

    Without a pattern of its own only 0 to 9 are good: a ``*`` or ``#`` that is no terminator makes the input invalid.
    """

    least: int = 1
    most: int = MOST_DIGITS
    terminators: str = field(default="#", validator=_keys)
    valid: Valid = field(default=NUMBER, converter=_pattern)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= MOST_DIGITS or self.most == 0:
            raise ConfigurationError(
                f"collect: {self.least} to {self.most} digits; give 0 <= min <= max <= {MOST_DIGITS}"
            )

    def complete(self, pressed: str) -> bool:
        """See Rules."""
        return len(pressed) >= self.most

    def good(self, pressed: str) -> bool:
        """See Rules."""
        if not self.least <= len(pressed) <= self.most:
            return False
        if isinstance(self.valid, str):
            return re.fullmatch(self.valid, pressed) is not None
        return bool(self.valid(pressed))


@frozen
class OptionRules:
    """One of these options, each of one key or more."""

    options: Collection[str]
    terminators: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.options:
            raise ConfigurationError("menu: there are no options")
        for option in self.options:
            if not option or not set(option) <= KEYS:
                raise ConfigurationError(f"menu: option {option!r} is not of the keys 0 to 9, *, # and A to D")

    def complete(self, pressed: str) -> bool:
        """Also when no option begins like this: the caller need not wait to hear that."""
        return not any(option != pressed and option.startswith(pressed) for option in self.options)

    def good(self, pressed: str) -> bool:
        """See Rules."""
        return pressed in self.options
