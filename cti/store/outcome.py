"""What became of each call, told by the events of an engine: recorded or simulated, by the same rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from statistics import fmean, quantiles
from typing import Final

from attrs import define, field, frozen

from cti.model import events
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId

WAITING: Final = "waiting"
ANSWERED: Final = "answered"
ABANDONED: Final = "abandoned"
LEFT: Final = "left"
LOST: Final = "lost"


@define
class CallOutcome:
    """One call that was queued."""

    caller: ConnectionId
    queue: QueueId
    queued_at: float
    outcome: str = WAITING
    waited_s: float | None = None
    agent: AgentId | None = None
    overflows: int = 0
    in_time: bool = False
    established_at: float | None = None
    ended_at: float | None = None

    @property
    def talk_s(self) -> float | None:
        """From the answer to the end of the call; None if either is not known."""
        return None if self.established_at is None or self.ended_at is None else self.ended_at - self.established_at


class Outcomes:
    """Follows the events of one engine.

    Args:
        caller: the caller's leg of an interaction.
        service_level_s: of a queue.
    """

    def __init__(
        self, caller: Callable[[InteractionId], ConnectionId | None], service_level_s: Callable[[QueueId], float]
    ) -> None:
        self._caller = caller
        self._service_level_s = service_level_s
        self.calls: dict[InteractionId, CallOutcome] = {}

    def tell(self, event: events.Event) -> None:
        """Something happened."""
        if not isinstance(event, events.CallEvent):
            return
        call = self.calls.get(event.interaction)
        if isinstance(event, events.Queued):
            caller = self._caller(event.interaction)
            if call is None and event.queue is not None and caller is not None:
                self.calls[event.interaction] = CallOutcome(caller, event.queue, event.at)
            elif call is not None and event.queue is not None and call.outcome in (WAITING, LEFT):
                call.queue, call.outcome, call.waited_s = event.queue, WAITING, None
        elif call is None:
            return
        elif isinstance(event, events.Established) and call.outcome == WAITING:
            call.outcome, call.agent = ANSWERED, event.agent
            call.waited_s = event.at - call.queued_at
            call.in_time = event.queue is not None and call.waited_s <= self._service_level_s(event.queue)
            call.established_at = event.at
        elif isinstance(event, events.Diverted):
            call.overflows += event.cause is not Cause.REDIRECTED
            if call.outcome == WAITING and event.to_queue is None:
                call.outcome, call.waited_s = LEFT, event.at - call.queued_at
        elif isinstance(event, events.Abandoned):
            call.outcome, call.waited_s = ABANDONED, event.at - call.queued_at
        elif isinstance(event, events.ConnectionCleared) and call.outcome == ANSWERED:
            if call.ended_at is None and (event.side == "caller" or event.agent == call.agent):
                call.ended_at = event.at
        elif isinstance(event, events.CallCleared):
            self._cleared(event, call)

    def _cleared(self, event: events.CallCleared, call: CallOutcome) -> None:
        if call.outcome == WAITING:
            call.outcome = LOST if event.state == "lost" else LEFT
            call.waited_s = event.at - call.queued_at


@frozen
class Figures:
    """Of many calls. Waits are seconds; a percentile, a mean or a share is None where there is nothing to take it of."""

    offered: int
    answered: int
    abandoned: int
    left: int
    lost: int
    waiting: int
    overflows: int
    service_level: float | None
    """Answered in time / (offered - abandoned - waiting)."""
    mean_wait_s: float | None
    """Of the answered."""
    median_wait_s: float | None
    p90_wait_s: float | None
    longest_wait_s: float | None
    by_agent: Counter[str] = field(factory=Counter)


def figures(calls: Iterable[CallOutcome]) -> Figures:
    """Count and measure."""
    known = list(calls)
    waits = sorted(call.waited_s for call in known if call.outcome == ANSWERED and call.waited_s is not None)
    count = Counter(call.outcome for call in known)
    counted = len(known) - count[ABANDONED] - count[WAITING]
    tenths = quantiles(waits, n=10, method="inclusive") if len(waits) > 1 else waits * 9
    return Figures(
        offered=len(known),
        answered=count[ANSWERED],
        abandoned=count[ABANDONED],
        left=count[LEFT],
        lost=count[LOST],
        waiting=count[WAITING],
        overflows=sum(call.overflows for call in known),
        service_level=sum(call.in_time for call in known) / counted if counted else None,
        mean_wait_s=fmean(waits) if waits else None,
        median_wait_s=tenths[4] if waits else None,
        p90_wait_s=tenths[8] if waits else None,
        longest_wait_s=waits[-1] if waits else None,
        by_agent=Counter(str(call.agent) for call in known if call.outcome == ANSWERED),
    )
