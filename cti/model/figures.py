"""A queue's counts."""

from __future__ import annotations

from attrs import define


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
    handled: int = 0
    """Answered calls whose conversation and wrap-up are over."""
    handle_s: float = 0.0
    """Summed handling times of these: from the answer to the end of the wrap-up."""

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
    def aht_s(self) -> float | None:
        """Average handling time, talk and wrap-up; None before the first call has been handled."""
        return self.handle_s / self.handled if self.handled else None

    @property
    def asa_s(self) -> float | None:
        """Average speed of answer: the mean wait of the answered calls; None before the first."""
        return self.wait_answered_s / self.answered if self.answered else None
