"""Queues: where calls wait, for whom, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from attrs import Attribute, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.requirement import ANYBODY, Requirement, requirement
from cti.model.validate import name, seconds, whole


@frozen
class ToQueue:
    """Overflow: on to another queue, with the age and priority the call has."""

    queue: QueueId


@frozen
class ToDestination:
    """Overflow: the call leaves the centre for a number of the switch's dialplan."""

    destination: str


@frozen
class Disconnect:
    """Overflow: the call is cleared."""


Overflow = ToQueue | ToDestination | Disconnect


def _required(value: Requirement | str | Mapping[str, int]) -> Requirement:
    return requirement("requires", value)


def _wider(value: Requirement | str | Mapping[str, int] | None) -> Requirement | None:
    return None if value is None else requirement("widening: requires", value)


def _per_minute(_instance: object, attribute: Attribute[Any], value: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a number from 0 up")


def _after(_instance: object, attribute: Attribute[Any], value: float) -> None:
    if value is None:
        raise ConfigurationError(f"widening: {attribute.name} is None; it must be a number of seconds from 0 up")
    seconds(_instance, attribute, value)


def _queues(value: Iterable[str]) -> tuple[QueueId, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"widening: also is {value!r}; it must be a list of queues")
    return tuple(QueueId(queue) for queue in value)


@frozen
class Widening:
    """A step of widening: whom else a call may go to, once it has been in its queue for so long.

    Args:
        after_s: seconds in the queue.
        requires: agents who meet this may be offered the call too.
        also: agents whom these queues accept (by their ``requires``, not by their own widening) may be too.
    """

    after_s: float = field(validator=_after)
    requires: Requirement | None = field(default=None, converter=_wider)
    also: tuple[QueueId, ...] = field(default=(), converter=_queues)

    def __attrs_post_init__(self) -> None:
        if self.requires is None and not self.also:
            raise ConfigurationError(f"widening after {self.after_s} s widens to nobody; give it requires or also")


def _steps(value: Iterable[Widening]) -> tuple[Widening, ...]:
    return (value,) if isinstance(value, Widening) else tuple(value)


def _rising(_instance: object, attribute: Attribute[Any], value: tuple[Widening, ...]) -> None:
    for step in value:
        if not isinstance(step, Widening):
            raise ConfigurationError(f"{attribute.name} has {step!r}; each step must be a Widening")
    for earlier, later in pairwise(value):
        if later.after_s < earlier.after_s:
            raise ConfigurationError(
                f"{attribute.name}: after_s {later.after_s} follows {earlier.after_s}; no step may come earlier than the one before"
            )


def _strategy(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, str) and not callable(getattr(value, "key", None)):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a strategy's name, or an object with key(agent, queue)"
        )


@frozen
class QueueSettings:
    """What is configured of a queue.

    Args:
        id: the queue's name, unique in the centre.
        requires: what an agent must have to be offered its calls: text such as ``loans >= 3 and not trainee``
            (see Requirement), or skill -> lowest level.
        widening: whom else a call may go to after so long in the queue, the earliest step first. Those who meet
            ``requires`` are asked before those whom a step lets in, an earlier step's before a later's.
        priority: added to each call's own priority; the higher goes first.
        priority_per_minute: by how much the priority of a waiting call grows in a minute of waiting.
        strategy: which of its ready agents goes first: a strategy's name, or an object with ``key(agent, queue)``.
        max_wait_s: seconds after which a call that nobody has taken goes to ``overflow``; None waits for ever. An
            offer that is under way then is let finish first.
        overflow: where such a call goes.
        ring_timeout_s: seconds an agent's phone may ring.
        wrap_up_s: seconds of work after each call, unless the agent has a figure of their own.
        music: what a waiting caller hears, as FreeSWITCH's playback takes it; empty for silence.
        service_level_s: a call answered within so many seconds counts towards the service level.
        short_abandon_s: an abandon before so many seconds is counted apart, in no denominator.
    """

    id: QueueId = field(validator=name)
    requires: Requirement = field(default=ANYBODY, converter=_required)
    widening: tuple[Widening, ...] = field(default=(), converter=_steps, validator=_rising)
    priority: int = field(default=0, validator=whole)
    priority_per_minute: float = field(default=0.0, validator=_per_minute)
    strategy: object = field(default="longest-idle", validator=_strategy)
    max_wait_s: float | None = field(default=None, validator=seconds)
    overflow: Overflow = Disconnect()
    ring_timeout_s: float = field(default=20.0, validator=seconds)
    wrap_up_s: float = field(default=0.0, validator=seconds)
    music: str = "tone_stream://%(1000,4000,350,440);loops=-1"
    service_level_s: float = field(default=20.0, validator=seconds)
    short_abandon_s: float = field(default=5.0, validator=seconds)

    def accepts(self, skills: Mapping[str, int]) -> bool:
        """Whether an agent with these skills may be offered its calls, without any widening."""
        return self.requires.accepts(skills)

    def shortfalls(self, skills: Mapping[str, int]) -> list[str]:
        """What such an agent lacks, one phrase a part; empty when they may be offered its calls."""
        return self.requires.shortfalls(skills)

    def steps_due(self, in_queue_s: float) -> int:
        """How many steps of widening a call has come to after so many seconds in the queue."""
        # A timer may fire a rounding error early; without the microsecond it would be started again, for nothing.
        return sum(step.after_s <= in_queue_s + 1e-6 for step in self.widening)


@define
class QueueFigures:
    """A queue's counts since the start: offered = answered + abandoned + overflowed + lost + left + still waiting.

    ``abandoned`` includes ``short_abandoned``. ``lost`` are callers the switch lost (it died, or its events never
    came); ``left`` are callers that the host application took out of the queue.
    """

    offered: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    overflowed: int = 0
    lost: int = 0
    left: int = 0
    waiting: int = 0
    wait_answered_s: float = 0.0
    """Summed waits of the answered calls."""
    longest_wait_s: float = 0.0

    @property
    def adds_up(self) -> bool:
        """Whether every call offered is accounted for."""
        gone = self.answered + self.abandoned + self.overflowed + self.lost + self.left
        return self.offered == gone + self.waiting

    @property
    def service_level(self) -> float | None:
        """Answered in time / (offered - abandoned - still waiting), "abandons ignored"; None before the first call."""
        calls = self.offered - self.abandoned - self.waiting
        return self.answered_in_time / calls if calls else None

    @property
    def asa_s(self) -> float | None:
        """Average speed of answer: the mean wait of the answered calls; None before the first."""
        return self.wait_answered_s / self.answered if self.answered else None


@define(eq=False)
class Queue:
    """One queue and its counts. Only the engine changes it."""

    settings: QueueSettings
    figures: QueueFigures = field(factory=QueueFigures)

    @property
    def id(self) -> QueueId:
        """The queue's name."""
        return self.settings.id
