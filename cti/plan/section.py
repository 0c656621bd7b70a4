"""A table of data while it is read: each key is taken once, and all that is wrong is noted, not the first thing only."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from attrs import frozen

from cti.errors import ConfigurationError, UnknownName
from cti.plan.condition import short

T = TypeVar("T")

MISSING: Final = object()


@frozen
class Problem:
    """One thing that is wrong.

    Args:
        where: in which rule or part, such as ``rule 2 'vip'``.
        key: under which key, such as ``when.region``.
        what: what was expected there, and what was found.
    """

    where: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.what}" if self.key else f"{self.where}: {self.what}"


class BadPlan(ConfigurationError):
    """A plan's data cannot be used; ``problems`` has everything that is wrong with it, a line each in the message."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Section:
    """One table.

    Args:
        where: which rule or part it is of.
        data: what should be a table.
        problems: the list that takes what is wrong.
        path: the keys that led to it, with a dot after them.
    """

    def __init__(self, where: str, data: object, problems: list[Problem], path: str = "") -> None:
        self.where = where
        self.path = path
        self.problems = problems
        self.is_table = isinstance(data, Mapping)
        self._left: dict[Any, Any] = dict(data) if isinstance(data, Mapping) else {}
        if not self.is_table:
            problems.append(Problem(where, path.removesuffix("."), f"expected a table, found {short(data)}"))
        self._known: list[str] = []

    def wrong(self, key: str, what: str) -> None:
        """Note what is wrong with a key's value."""
        self.problems.append(Problem(self.where, (self.path + key).removesuffix("."), what))

    def has(self, *keys: str) -> bool:
        """Whether any of these keys is there and not taken yet."""
        return any(key in self._left for key in keys)

    def take(self, key: str) -> Any:
        """A key's value, or MISSING."""
        self._known.append(key)
        return self._left.pop(key, MISSING)

    def within(self, key: str, data: object) -> Section:
        """The table under a key."""
        return Section(self.where, data, self.problems, f"{self.path}{key}.")

    def rest(self) -> dict[Any, Any]:
        """All keys not taken yet, where any key may stand."""
        left, self._left = self._left, {}
        return left

    def end(self) -> None:
        """Note every key that nobody took."""
        for key in self._left:
            near = difflib.get_close_matches(str(key), self._known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(set(self._known)))}"
            self.wrong(str(key), f"unknown key; {hint}")

    def text(self, key: str) -> str | None:
        """Text; None if it is missing or wrong."""
        found: str | None = self._one(key, "text", lambda value: isinstance(value, str) and bool(value))
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them; empty if missing or wrong."""
        value = self.take(key)
        if value is MISSING:
            return ()
        many = (value,) if isinstance(value, str) else value
        if not isinstance(many, list | tuple) or not many or not all(isinstance(one, str) and one for one in many):
            self.wrong(key, f"expected text, or a list of texts, found {short(value)}")
            return ()
        return tuple(many)

    def flag(self, key: str) -> bool | None:
        """True or false; None if it is missing or wrong."""
        found: bool | None = self._one(key, "true or false", lambda value: isinstance(value, bool))
        return found

    def number(self, key: str) -> float | None:
        """A number; None if it is missing or wrong."""
        found: float | None = self._one(
            key, "a number", lambda it: isinstance(it, int | float) and not isinstance(it, bool)
        )
        return found

    def _one(self, key: str, expected: str, fits: Callable[[Any], bool]) -> Any:
        value = self.take(key)
        if value is MISSING:
            return None
        if not fits(value):
            self.wrong(key, f"expected {expected}, found {short(value)}")
            return None
        return value

    def made(self, key: str, make: Callable[..., T], /, *args: Any, **kwargs: Any) -> T | None:
        """What a constructor makes; None, with its complaint noted under the key, if it refuses."""
        try:
            return make(*args, **kwargs)
        except ConfigurationError as error:
            self.wrong(key, str(error))
            return None

    def known(self, key: str, kind: type[UnknownName], found: str, among: Iterable[str] | None) -> None:
        """Note a name that is not among those known; None knows all."""
        if among is not None and found not in (names := set(among)):
            self.wrong(key, str(kind(found, names)))
