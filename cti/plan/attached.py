"""Conditions on attached data."""

from __future__ import annotations

import math
import operator
from typing import Any, Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.validate import name
from cti.plan.condition import short
from cti.plan.request import Asked

ORDERED: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
OPERATORS: Final = ("==", "!=", "in", "exists", *ORDERED)


def _operator(_instance: object, _attribute: Attribute[str], value: str) -> None:
    if value not in OPERATORS:
        raise ConfigurationError(f"{value!r} is no comparison; it must be one of {' '.join(OPERATORS)}")


@frozen
class Attached:
    """A value of attached data compares so.

    Numbers compare as numbers, also where one is written as text, as a switch's variables are; ``true`` and ``false``
    likewise. What is not there equals nothing, and is not in order with anything.

    Args:
        key: which value.
        operator: ``==``, ``!=``, ``in``, ``exists``, ``<``, ``<=``, ``>`` or ``>=``.
        value: what it is compared with: text, a number or a boolean; for ``in`` a tuple of these, for ``exists``
            whether it should, for the last four a number.
    """

    key: str = field(validator=name)
    operator: str = field(validator=_operator)
    value: Any

    def __attrs_post_init__(self) -> None:
        kind = self.operator
        if kind == "exists":
            fits, expected = isinstance(self.value, bool), "true or false"
        elif kind in ORDERED:
            fits, expected = isinstance(self.value, int | float) and _number(self.value) is not None, "a number"
        elif kind == "in":
            many = isinstance(self.value, tuple) and bool(self.value)
            fits, expected = many and all(map(_is_plain, self.value)), "a tuple of texts, numbers or booleans"
        else:
            fits, expected = _is_plain(self.value), "text, a number or a boolean"
        if not fits:
            raise ConfigurationError(f"{self.key!r} {kind} needs {expected}, not {short(self.value)}")

    def misses(self, asked: Asked) -> str:
        """What is attached instead."""
        data = asked.request.data
        if self._holds(self.key in data, data.get(self.key)):
            return ""
        if self.operator == "exists":
            return f"data.{self.key} is {'not there' if self.value else 'there'}"
        return f"data.{self.key} is {short(data[self.key]) if self.key in data else 'not there'}, not {self._wanted}"

    def _holds(self, there: bool, value: Any) -> bool:
        if self.operator == "exists":
            return there is self.value
        if self.operator == "!=":
            return not (there and _same(value, self.value))
        if not there:
            return False
        if self.operator == "==":
            return _same(value, self.value)
        if self.operator == "in":
            return any(_same(value, one) for one in self.value)
        number = _number(value)
        return number is not None and bool(ORDERED[self.operator](number, self.value))

    @property
    def _wanted(self) -> str:
        if self.operator == "exists":
            return "there" if self.value else "absent"
        return short(self.value) if self.operator == "==" else f"{self.operator} {short(self.value)}"

    def __str__(self) -> str:
        return f"data.{self.key} {self._wanted}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _number(value: Any) -> float | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (isinstance(value, str) and len(value) > 40)
    ):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _same(one: Any, other: Any) -> bool:
    if not (_is_plain(one) and _is_plain(other)):
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    number = _number(one)
    return number is not None and number == _number(other)
