"""Queues: where calls wait, for whom, and for how long."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

from cti.model.ids import QueueId
from cti.model.validate import levels, name, seconds, whole


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


@frozen
class QueueSettings:
    """What is configured of a queue.

    Args:
        id: the queue's name, unique in the centre.
        requires: skill -> lowest level an agent must have to be offered its calls.
        priority: added to each call's own priority; the higher goes first.
        strategy: the name of the strategy that chooses among its ready agents.
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
    requires: Mapping[str, int] = field(factory=dict, validator=levels)
    priority: int = field(default=0, validator=whole)
    strategy: str = "longest-idle"
    max_wait_s: float | None = field(default=None, validator=seconds)
    overflow: Overflow = Disconnect()
    ring_timeout_s: float = field(default=20.0, validator=seconds)
    wrap_up_s: float = field(default=0.0, validator=seconds)
    music: str = "tone_stream://%(1000,4000,350,440);loops=-1"
    service_level_s: float = field(default=20.0, validator=seconds)
    short_abandon_s: float = field(default=5.0, validator=seconds)

    def accepts(self, skills: Mapping[str, int]) -> bool:
        """Whether an agent with these skills may be offered its calls."""
        return all(skills.get(skill, 0) >= level for skill, level in self.requires.items())

    def shortfalls(self, skills: Mapping[str, int]) -> list[str]:
        """What such an agent lacks, one phrase a skill; empty when they may be offered its calls."""
        return [
            f"{skill} {skills.get(skill, 0)} < {level}"
            for skill, level in self.requires.items()
            if skills.get(skill, 0) < level
        ]


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
