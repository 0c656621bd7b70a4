"""A value that must not be seen: a PIN, an identity number."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Digits that no log, repr, message or file name shows; ``reveal`` is the only way to read them."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the look-up that needs it."""
        return self._value

    def matches(self, other: str) -> bool:
        """Whether it is this; takes as long whether it is nearly right or quite wrong."""
        return hmac.compare_digest(self._value.encode(), other.encode())

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Never the value; nor its length."""
        return "****"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("****", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied into a message; reveal() it where it is needed")
