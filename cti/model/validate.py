"""Validators of settings: each error names the field, the value, and what would do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import Attribute

from cti.errors import ConfigurationError

ONE_WORD: Final = re.compile(r"[^\s\x00-\x1f\x7f'\"\\]+\Z")
"""A dial string that stays one word in every command it is written into."""


def seconds(_instance: object, attribute: Attribute[Any], value: float | None) -> None:
    """An attrs validator: a finite number of seconds from 0 up, or None."""
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number of seconds from 0 up")


def flag(_instance: object, attribute: Attribute[Any], value: bool) -> None:
    """An attrs validator: true or false."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be true or false")


def count(_instance: object, attribute: Attribute[Any], value: int) -> None:
    """An attrs validator: a whole number from 1 up."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a whole number from 1 up")


def whole(_instance: object, attribute: Attribute[Any], value: int) -> None:
    """An attrs validator: a whole number, of either sign."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a whole number")


def one_of(*choices: str) -> Callable[[object, Attribute[Any], str], None]:
    """An attrs validator: one of these words."""

    def validate(_instance: object, attribute: Attribute[Any], value: str) -> None:
        if value not in choices:
            raise ConfigurationError(
                f"{attribute.name} is {value!r}; it must be one of {', '.join(map(repr, choices))}"
            )

    return validate


def levels(_instance: object, attribute: Attribute[Any], value: Mapping[str, int]) -> None:
    """An attrs validator: skill -> level, each a whole number from 0 up."""
    for skill, level in value.items():
        if not isinstance(skill, str) or not skill:
            raise ConfigurationError(f"{attribute.name}: {skill!r} is not a skill's name; it must be text")
        if not isinstance(level, int) or isinstance(level, bool) or level < 0:
            raise ConfigurationError(
                f"{attribute.name}: the level of {skill!r} is {level!r}; it must be a whole number from 0 up"
            )


def name(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: text without line breaks, not empty, at most 200 characters."""
    if not isinstance(value, str) or not value or len(value) > 200 or not value.isprintable():
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be 1 to 200 printable characters")


def share(_instance: object, attribute: Attribute[Any], value: float | None) -> None:
    """An attrs validator: a number from 0 to 1, or None."""
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a share from 0 to 1")


def at_least_one(_instance: object, attribute: Attribute[Any], value: int | None) -> None:
    """An attrs validator: a whole number from 1 up, or None."""
    if value is not None:
        count(_instance, attribute, value)


def dial_string(instance: object, attribute: Attribute[Any], value: str) -> None:
    """A phone: text in one word, which may be empty.

    FreeSWITCH reads its commands word by word, and takes quotes and backslashes for its own: what stood after a blank would
    be another part of the command (originate_function in mod_commands.c).
    """
    if value != "":
        contact(instance, attribute, value)


def contact(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """The same, and not empty."""
    if not isinstance(value, str) or not value or len(value) > 200 or not ONE_WORD.match(value):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a dial string of 1 to 200 characters, such as user/1001, without"
            " blanks, quotes, backslashes and line breaks"
        )


def key(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """A key of a phone, or none."""
    if not isinstance(value, str) or len(value) > 1 or set(value) - set("0123456789*#"):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be one of 0-9 * #, or empty")
