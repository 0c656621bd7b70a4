"""Conditions of a rule, and how they are put together."""

from __future__ import annotations

import reprlib
from typing import Any, Final, Protocol, runtime_checkable

from attrs import frozen

from cti.plan.request import Asked

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = 60


def short(value: Any) -> str:
    """What a caller or a program sent, fit for a message however long it is."""
    return _SHORT.repr(value)


def listed(words: tuple[Any, ...]) -> str:
    """Some words for a message: ``'a'``, or ``one of 'a', 'b'``."""
    told = ", ".join(repr(word) for word in words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")
    return told if len(words) == 1 else f"one of {told}"


@runtime_checkable
class Condition(Protocol):
    """Something that holds for a request or does not; its ``str`` says what must hold.

    It is compared with ``==``: a rule whose conditions include all those of an earlier one can never be reached.
    """

    def misses(self, asked: Asked) -> str:
        """Why it does not hold, such as ``class is 'gold', not 'vip'``; empty when it holds."""


def misses(conditions: tuple[Condition, ...], asked: Asked) -> tuple[str, ...]:
    """Why each of those that do not hold does not."""
    return tuple(why for condition in conditions if (why := condition.misses(asked)))


def holds(conditions: tuple[Condition, ...], asked: Asked) -> bool:
    """Whether all hold; those after the first that does not are not tried."""
    return not any(condition.misses(asked) for condition in conditions)


@frozen
class AnyOf:
    """Any of several groups, in each of which all must hold."""

    groups: tuple[tuple[Condition, ...], ...]

    def misses(self, asked: Asked) -> str:
        """Why no group holds."""
        found = [misses(group, asked) for group in self.groups]
        return "" if not all(found) else "none of (" + "; ".join(" and ".join(whys) for whys in found) + ")"

    def __str__(self) -> str:
        return "any of (" + "; ".join(" and ".join(map(str, group)) for group in self.groups) + ")"


@frozen
class Not:
    """Not all of these hold."""

    group: tuple[Condition, ...]

    def misses(self, asked: Asked) -> str:
        """That they hold."""
        return f"it is so that {' and '.join(map(str, self.group))}" if holds(self.group, asked) else ""

    def __str__(self) -> str:
        return f"not ({' and '.join(map(str, self.group))})"
