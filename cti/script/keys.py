"""What a caller has pressed and no verb has taken yet."""

from __future__ import annotations

from collections import deque
from typing import Final

MOST: Final = 64
"""Keys kept for a script that does not ask; what is pressed beyond them is lost."""
KEYS: Final = frozenset("0123456789*#ABCD")


class Keys:
    """The keys pressed on one call, in order. Pure: nothing here waits or knows the time of its own."""

    __slots__ = ("_pressed", "_stray", "_stray_until")

    def __init__(self) -> None:
        self._pressed: deque[str] = deque()
        self._stray = ""
        self._stray_until = 0.0

    def __len__(self) -> int:
        return len(self._pressed)

    def __repr__(self) -> str:
        """How many; never which: one of them may belong to a PIN."""
        return f"<Keys {len(self._pressed)}>"

    def pressed(self, key: str, now: float) -> None:
        """A key came at this time; anything that is no key of a telephone is ignored."""
        if key not in KEYS:
            return
        stray, self._stray = self._stray, ""
        if key in stray and now <= self._stray_until:
            return
        if len(self._pressed) < MOST:
            self._pressed.append(key)

    def take(self) -> str:
        """The oldest key, which is taken away; empty when there is none."""
        return self._pressed.popleft() if self._pressed else ""

    def flush(self) -> None:
        """Forget what was pressed."""
        self._pressed.clear()

    def ignore_next(self, keys: str, until: float) -> None:
        """Ignore the next key if it is one of these and comes by this time.

        For the ``#`` that a caller presses by habit after the last digit there was room for; it would otherwise answer
        the next question.
        """
        if self._pressed:
            if self._pressed[0] in keys:
                self._pressed.popleft()
            return
        self._stray, self._stray_until = keys, until
