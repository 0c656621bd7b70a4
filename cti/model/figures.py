"""Counts of queues and agents. What is kept by interval is the difference of these, so that there is one definition."""

from __future__ import annotations

from attrs import define


@define
class QueueFigures:
    """A queue's counts since the start: offered = answered + abandoned + overflowed + lost + left + taken as callback +
    still waiting.

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
    taken_as_callback: int = 0
    """Callers who left the line, to be called back."""
    waiting: int = 0
    """Callers on the line."""
    wait_answered_s: float = 0.0
    """Summed waits of the answered calls."""
    longest_wait_s: float = 0.0
    handled: int = 0
    """Answered calls whose conversation and wrap-up are over."""
    handle_s: float = 0.0
    """Summed handling times of these: from the answer to the end of the wrap-up."""
    abandoned_in_time: int = 0
    """Of the abandoned, those within the time of the service level, without the very short ones."""
    hold_s: float = 0.0
    """Of ``handle_s``, how long callers were held."""
    after_call_s: float = 0.0
    """Of ``handle_s``, the work after the calls."""
    callbacks: int = 0
    """Callbacks asked for, by callers and by others: answered + failed + cancelled + expired + pending."""
    callbacks_answered: int = 0
    callbacks_failed: int = 0
    callbacks_cancelled: int = 0
    callbacks_expired: int = 0
    callbacks_pending: int = 0
    callbacks_in_line: int = 0
    """Of the pending ones those whose turn is to come, among the waiting calls."""

    @property
    def adds_up(self) -> bool:
        """Whether every call offered is accounted for."""
        gone = self.answered + self.abandoned + self.overflowed + self.lost + self.left + self.taken_as_callback
        return self.offered == gone + self.waiting

    @property
    def callbacks_add_up(self) -> bool:
        """Whether every callback is accounted for."""
        over = self.callbacks_answered + self.callbacks_failed + self.callbacks_cancelled + self.callbacks_expired
        return self.callbacks == over + self.callbacks_pending

    @property
    def in_line(self) -> int:
        """How many wait for an agent: callers on the line, and callbacks that keep a place."""
        return self.waiting + self.callbacks_in_line

    @property
    def service_level(self) -> float | None:
        """Answered in time / (offered - abandoned - taken as callback - still waiting), "abandons ignored"; None before
        the first call.
        """
        calls = self.offered - self.abandoned - self.taken_as_callback - self.waiting
        return self.answered_in_time / calls if calls else None

    @property
    def service_level_negative(self) -> float | None:
        """Answered in time / offered, "abandons negative"; those still waiting, taken as callback, and the very short
        abandons do not count.
        """
        calls = self.offered - self.waiting - self.short_abandoned - self.taken_as_callback
        return self.answered_in_time / calls if calls else None

    @property
    def service_level_positive(self) -> float | None:
        """(Answered in time + abandoned in time) / offered, "abandons positive"; the same do not count."""
        calls = self.offered - self.waiting - self.short_abandoned - self.taken_as_callback
        return (self.answered_in_time + self.abandoned_in_time) / calls if calls else None

    @property
    def abandon_rate(self) -> float | None:
        """Abandoned / (answered + abandoned), without the very short ones; None before the first."""
        abandoned = self.abandoned - self.short_abandoned
        return abandoned / (self.answered + abandoned) if self.answered + abandoned else None

    @property
    def talk_s(self) -> float:
        """Of ``handle_s``, the conversations."""
        return max(0.0, self.handle_s - self.hold_s - self.after_call_s)

    @property
    def aht_s(self) -> float | None:
        """Average handling time, talk and wrap-up; None before the first call has been handled."""
        return self.handle_s / self.handled if self.handled else None

    @property
    def asa_s(self) -> float | None:
        """Average speed of answer: the mean wait of the answered calls; None before the first."""
        return self.wait_answered_s / self.answered if self.answered else None


@define
class AgentFigures:
    """An agent's counts since they were added, over all their sessions: seconds in each state, and what became of offers.

    What has not ended yet is not in them; ``Agent.figures_now`` has it.
    """

    offers: int = 0
    """How often they were promised to a call."""
    answered: int = 0
    no_answers: int = 0
    rejected: int = 0
    ready_s: float = 0.0
    not_ready_s: float = 0.0
    offered_s: float = 0.0
    """Promised to a call, or ringing."""
    busy_s: float = 0.0
    """On calls, held ones too."""
    hold_s: float = 0.0
    """Of ``busy_s``, how long callers were held."""
    after_call_s: float = 0.0
    handled: int = 0
    """Answered calls of queues whose conversation and wrap-up are over."""
    handle_s: float = 0.0
    """Summed handling times of these: talk, hold and after-call work."""

    @property
    def logged_on_s(self) -> float:
        """How long they were logged on."""
        return self.ready_s + self.not_ready_s + self.offered_s + self.busy_s + self.after_call_s

    @property
    def occupancy(self) -> float | None:
        """(Talk + hold + after-call work) / (these + ready and being offered calls); None before any such time."""
        handling = self.busy_s + self.after_call_s
        total = handling + self.ready_s + self.offered_s
        return handling / total if total > 0 else None

    @property
    def aht_s(self) -> float | None:
        """Average handling time of the calls of queues; None before the first has been handled."""
        return self.handle_s / self.handled if self.handled else None
