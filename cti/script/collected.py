"""What came of asking a caller: digits, a choice, a recording."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from attrs import frozen

from cti.errors import ConfigurationError
from cti.script.secret import Secret

T = TypeVar("T")

Outcome = Literal["ok", "nothing", "invalid"]
"""``nothing``: the last try passed without a key or a word. ``invalid``: what came in it would not do."""
EndedBy = Literal["length", "terminator", "timeout"]


@frozen
class Collected:
    """The digits a caller pressed.

    ``if call.collect(...):`` asks whether they are good. A secret's are in ``secret`` only.
    """

    outcome: Outcome
    ended_by: EndedBy
    """What ended the input: it had all the digits it may have, a terminator, or no key in time."""
    terminator: str = ""
    tries: int = 1
    pressed: str | Secret = ""
    """The digits of the last try, good or not."""

    def __bool__(self) -> bool:
        return self.outcome == "ok"

    @property
    def digits(self) -> str:
        """The digits when they are good, else an empty text.

        Raises:
            ConfigurationError: they are secret; read ``secret``.
        """
        if isinstance(self.pressed, Secret):
            raise ConfigurationError("these digits are secret; use .secret.matches(...) or .secret.reveal()")
        return self.pressed if self else ""

    @property
    def secret(self) -> Secret:
        """The digits as a Secret; empty when they are not good."""
        value = self.pressed.reveal() if isinstance(self.pressed, Secret) else self.pressed
        return Secret(value if self else "")


@frozen
class Choice(Generic[T]):
    """Which option a caller chose; ``if call.menu(...):`` asks whether they chose any."""

    outcome: Outcome
    key: str = ""
    value: T | None = None
    spoken: str = ""
    """What the caller said, when they chose by voice."""
    tries: int = 1

    def __bool__(self) -> bool:
        return self.outcome == "ok"


@frozen
class Recorded:
    """A recording on the switch's disk."""

    path: str
    length_s: float
    ended_by: Literal["terminator", "silence", "time"]
    terminator: str = ""


def no_secret(data: dict[str, Any]) -> None:
    """Refuse data that holds a Secret: attached data is told to everybody who sees the call.

    Raises:
        ConfigurationError: it does.
    """
    for key, value in data.items():
        if isinstance(value, Secret):
            raise ConfigurationError(f"data {key!r} is secret; attach what was found with it, not the digits")
