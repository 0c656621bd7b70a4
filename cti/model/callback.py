"""Callbacks: a customer is called back, and keeps the place in the queue meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from attrs import Attribute, Factory, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.party import Destination, is_number
from cti.model.states import CALLBACK, CallbackState, CallbackTrigger
from cti.model.validate import at_least_one, count, name, one_of, seconds

BUSY: Final = "busy"
NO_ANSWER: Final = "no answer"
FAILED: Final = "failed"
"""The network says no, or does not know the number."""
ABANDONED: Final = "abandoned"
"""The customer answered, and hung up before an agent was there."""
LOST: Final = "lost"
"""The switch lost the leg, or died; such a try does not count."""


def _number(_instance: object, attribute: Attribute[str], value: str) -> None:
    if value and not is_number(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be 1 to 64 of 0-9 + * # . _ - and letters")


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _days(value: str | date | Iterable[str | date]) -> tuple[str, ...]:
    days = (value,) if isinstance(value, str | date) else tuple(value)
    for day in days:
        if not isinstance(day, str | date) or isinstance(day, datetime):
            raise ConfigurationError(f"closed has {day!r}; it must be a date, such as '2026-12-24', or a range of them")
    return tuple(map(str, days))


def _prompts(_instance: object, attribute: Attribute[Any], value: tuple[object, ...]) -> None:
    for part in value:
        if not isinstance(part, str) or not part or not part.isprintable() or len(part) > 1000:
            raise ConfigurationError(
                f"{attribute.name}: {part!r} is no prompt; it must be 1 to 1000 printable characters"
            )


def _more_than_nothing(_instance: object, attribute: Attribute[float], value: float) -> None:
    seconds(_instance, attribute, value)
    if value < 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be at least 1 second")


def _destinations(value: Iterable[Destination]) -> tuple[Destination, ...]:
    return tuple(value)


@frozen
class CallbackPrompts:
    """What a caller hears who is offered a callback: files, tones and streams as FreeSWITCH plays them; in their names
    ``{language}`` stands for the caller's language.

    Args:
        number: before the number is read to the caller.
        choose: after it: 1 to be called there, 2 at another number, 3 to wait on.
        enter: asks for another number, ended by the hash key.
        refused: the number cannot be called back.
        goodbye: the callback is taken.
    """

    number: tuple[str, ...] = field(default=(), converter=_texts, validator=_prompts)
    choose: tuple[str, ...] = field(default=(), converter=_texts, validator=_prompts)
    enter: tuple[str, ...] = field(default=(), converter=_texts, validator=_prompts)
    refused: tuple[str, ...] = field(default=(), converter=_texts, validator=_prompts)
    goodbye: tuple[str, ...] = field(default=(), converter=_texts, validator=_prompts)


@frozen
class CallbackSettings:
    """How a queue calls back.

    Args:
        first: who is called first: ``"agent"``: an agent answers, then the customer is called; ``"customer"``: an agent is
            kept free while the customer is called, and called when the customer has answered.
        destinations: which numbers may be called back, and how; empty takes the centre's ``allowed_destinations``.
        calling_number: what the customer's phone shows; empty shows the number that they had called.
        ring_s: seconds the customer's phone may ring.
        tries: how often the customer is called.
        pause_s: seconds before the next try.
        busy_pause_s: the same, when the customer's line was busy.
        expiry_s: seconds after which a callback that has come to nothing is given up, from the first moment at which it
            may be made.
        hours: when customers may be called, such as ``mon-fri 09:00-18:00; sat 10:00-14:00``; empty for always.
        time_zone: of these hours, an IANA name.
        closed: dates on which nobody is called (``2026-12-24``), and ranges (``2026-12-24..2026-12-26``).
        most: how many may be pending; None for no limit.
        rejoin: whether a caller who calls this queue again takes the place that the pending callback has kept, in its
            stead. One for an agreed time, or for one agent, stays.
        abandoned: whether those who hung up while waiting are called back, once each in a day.
        abandoned_after_s: seconds after which they are.
        other_numbers: whether callers may give another number than their own, which may be somebody else's.
        prompts: what callers hear.
    """

    first: str = field(default="agent", validator=one_of("agent", "customer"))
    destinations: tuple[Destination, ...] = field(default=(), converter=_destinations)
    calling_number: str = field(default="", validator=_number)
    ring_s: float = field(default=30.0, validator=_more_than_nothing)
    tries: int = field(default=3, validator=count)
    pause_s: float = field(default=300.0, validator=_more_than_nothing)
    busy_pause_s: float = field(default=60.0, validator=_more_than_nothing)
    expiry_s: float = field(default=8 * 3600.0, validator=_more_than_nothing)
    hours: str = ""
    time_zone: str = field(default="UTC", validator=name)
    closed: tuple[str, ...] = field(default=(), converter=_days)
    most: int | None = field(default=None, validator=at_least_one)
    rejoin: bool = True
    abandoned: bool = False
    abandoned_after_s: float = field(default=60.0, validator=seconds)
    other_numbers: bool = True
    prompts: CallbackPrompts = CallbackPrompts()


@frozen
class Try:
    """One time that the customer was called: when (the engine's clock), and what came of it."""

    at: float
    outcome: str
    switch_cause: str = ""


@define(eq=False)
class Callback:
    """One callback: the half of an interaction that is still to come. Only the engine changes it."""

    number: str
    """Whom to call."""
    requested_at: float
    due_at: float
    """Not before this."""
    expires_at: float
    source: str
    """``caller`` (asked for while on the line), ``request`` (by somebody else), or ``abandoned``."""
    agreed: bool = False
    """Whether it is for an agreed time."""
    agent: AgentId | None = None
    """The one agent whom it is for."""
    state: CallbackState = CallbackState.SCHEDULED
    tries: list[Try] = Factory(list)
    called_at: float = 0.0
    """When the customer's phone was last asked to ring."""
    leaving: ConnectionId | None = None
    """The leg of the caller who asked for it, while they are still on the line."""

    def move(self, trigger: CallbackTrigger) -> bool:
        """Pull a trigger of the table; whether it changed the state.

        Raises:
            IllegalTransition: the table forbids it; nothing was changed.
        """
        after = CALLBACK.next(self.state, trigger)
        if after is None:
            return False
        self.state = after
        return True

    @property
    def tries_counted(self) -> int:
        """How many of the tries count against ``tries``."""
        return sum(each.outcome != LOST for each in self.tries)


@frozen
class AbandonedCall:
    """A caller who hung up while waiting."""

    interaction: InteractionId
    queue: QueueId
    calling_number: str
    calling_name: str
    at: float
    """When they hung up, by the engine's clock."""
    waited_s: float
    callback: InteractionId | None = None
    """The callback that was made for them."""
