"""Keeps account of every call of a run, from its arrival to the one figure it ends up in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, Literal

from attrs import define, frozen

from cti.engine.world import World
from cti.model import events, intents
from cti.model.cause import Cause
from cti.model.ids import InteractionId, QueueId
from cti.sim import Caller
from cti.simulation.batch_means import BatchMeans
from cti.simulation.report import PERCENTILES, Estimate, WaitFigures
from cti.simulation.settings import Calls
from cti.simulation.waits import Waits

_SWEEP_EVERY: Final = 200
"""Calls between two looks at those still open."""
_GRACE_S: Final = 30.0
"""How long after a caller's end news of the call may still come: more than the latest event."""
_AT_ONCE_S: Final = 0.05
"""An offer so soon after the arrival found an agent free; nothing waits in between but the switch."""

Fate = Literal["answered", "abandoned", "overflowed", "lost"]


@frozen
class CallEnd:
    """What became of a call, for whoever wants to know of each."""

    number: int
    """In order of arrival, from 1."""
    queue: str
    arrived_at: float
    fate: Fate
    waited_s: float
    """From its arrival to the answer, or to the end of its waiting."""


@define(eq=False)
class OpenCall:
    """A call that is not accounted for yet."""

    number: int
    calls: Calls
    arrived_at: float
    caller: Caller | None = None
    living: int = 0
    """Interactions of it that have not been cleared; a call found anew after a failure has another one."""
    seen: bool = False
    delayed: bool = True
    fate: Fate | None = None
    waited_s: float = 0.0
    over_since: float | None = None


class Ledger:
    """Every call in exactly one figure.

    Args:
        world: the engine's.
        total: how many calls there will be.
        now: virtual seconds.
        on_end: told of each call.
    """

    def __init__(
        self,
        world: World,
        total: int,
        now: Callable[[], float],
        on_end: Callable[[CallEnd], object] | None,
    ) -> None:
        self._world = world
        self._now = now
        self._on_end = on_end
        self._open: dict[str, OpenCall] = {}
        self._of: dict[InteractionId, OpenCall] = {}
        self._hash = hashlib.sha256()
        self._waits, self._answered_waits = Waits(), Waits()
        self._mean_wait, self._delayed, self._in_time, self._abandons = (BatchMeans(total) for _ in range(4))
        self.offered = self.unseen = self.decisions = self.in_time = 0
        self.fates: dict[Fate, int] = dict.fromkeys(("answered", "abandoned", "overflowed", "lost"), 0)
        self._table: dict[type, Callable[[Any], None]] = {
            events.Offered: self._offered,
            events.Established: self._established,
            events.Abandoned: self._abandoned,
            events.Diverted: self._diverted,
            events.CallCleared: self._call_cleared,
        }

    # -- what happens ---------------------------------------------------------------------------------------------

    def arrives(self, calls: Calls) -> tuple[str, OpenCall]:
        """A call is about to come in; returns the number to call from, and the call."""
        self.offered += 1
        calling_number = f"030{self.offered:07d}"
        call = self._open[calling_number] = OpenCall(self.offered, calls, self._now())
        if self.offered % _SWEEP_EVERY == 0:
            self.sweep()
        return calling_number, call

    def event(self, event: events.Event) -> None:
        """Take note of what the centre tells."""
        handle = self._table.get(type(event))
        if handle is not None:
            handle(event)

    def wanted(self, intent: intents.SwitchIntent) -> None:
        """Take note of what the centre wants of the switch: its decisions."""
        if isinstance(intent, intents.OfferCall | intents.PutThrough):
            call = self._of.get(intent.interaction)
            number = call.number if call is not None else 0
            self.decisions += 1
            self._hash.update(f"{self._now():.6f} {number} {intent.agent} {intent.queue}\n".encode())
            if call is not None and self._now() - call.arrived_at <= _AT_ONCE_S:
                call.delayed = False
        elif isinstance(intent, intents.ClearConnection) and intent.cause is Cause.QUEUE_TIME_OVERFLOW:
            leg = self._world.connections.get(intent.connection)
            call = self._of.get(leg.interaction) if leg is not None else None
            if call is not None:
                self._settle(call, "overflowed")

    def forgotten(self, world: World) -> None:
        """Our process was killed, and what it knows now is another's world: of what is not in it no word will come."""
        self._world = world
        for interaction in [each for each in self._of if each not in world.interactions]:
            self._of.pop(interaction).living -= 1

    def call_of(self, interaction: InteractionId) -> OpenCall | None:
        """Which call an interaction is of; None if that call is over."""
        return self._of.get(interaction)

    def _offered(self, event: events.Offered) -> None:
        call = self._open.get(event.calling_number)
        if call is not None:
            call.living += 1
            call.seen = True
            self._of[event.interaction] = call

    def _established(self, event: events.Established) -> None:
        call = self._call(event)
        if call is not None and call.fate != "answered":
            self._settle(call, "answered")

    def _abandoned(self, event: events.Abandoned) -> None:
        call = self._call(event)
        if call is not None:
            self._settle(call, "abandoned")

    def _diverted(self, event: events.Diverted) -> None:
        call = self._call(event)
        if call is not None and event.to_queue is None:
            self._settle(call, "overflowed")

    def _call_cleared(self, event: events.CallCleared) -> None:
        call = self._of.pop(event.interaction, None)
        if call is not None:
            call.living -= 1
            if call.fate is None or event.state == "lost":
                self._settle(call, "lost")

    def _call(self, event: events.CallEvent) -> OpenCall | None:
        call = self._of.get(event.interaction)
        if call is None:  # adopted from a snapshot: no Offered was told
            call = self._open.get(event.calling_number)
            if call is not None:
                call.living += 1
                call.seen = True
                self._of[event.interaction] = call
        return call

    def _settle(self, call: OpenCall, fate: Fate) -> None:
        if call.fate != "answered":
            call.fate, call.waited_s = fate, self._now() - call.arrived_at

    # -- accounts -------------------------------------------------------------------------------------------------

    def sweep(self, *, final: bool = False) -> None:
        """Close the calls that are over, on the switch and in the engine.

        Args:
            final: no more news comes.
        """
        now = self._now()
        for calling_number, call in list(self._open.items()):
            if call.living or call.caller is None or not call.caller.ended:
                continue
            if call.over_since is None:
                call.over_since = now
            if final or now - call.over_since >= _GRACE_S:
                del self._open[calling_number]
                self._close(call)

    def _close(self, call: OpenCall) -> None:
        assert call.caller is not None
        if not call.seen:
            self.unseen += 1
        if call.fate is None:
            call.waited_s = 0.0
        fate = call.fate or ("abandoned" if call.caller.abandoned else "lost")
        self.fates[fate] += 1
        number, waited_s = call.number, call.waited_s
        if fate != "lost":
            self._waits.add(waited_s)
            self._mean_wait.add(number, waited_s)
        self._delayed.add(number, call.delayed)
        self._abandons.add(number, fate == "abandoned")
        if fate == "answered":
            self._answered_waits.add(waited_s)
        if fate != "abandoned":
            in_time = (
                fate == "answered"
                and waited_s <= self._world.queues[QueueId(call.calls.queue)].settings.service_level_s
            )
            self.in_time += in_time
            self._in_time.add(number, in_time)
        if self._on_end is not None:
            self._on_end(CallEnd(number, call.calls.queue, call.arrived_at, fate, waited_s))

    @property
    def open_calls(self) -> tuple[OpenCall, ...]:
        """The calls not accounted for yet."""
        return tuple(self._open.values())

    @property
    def decisions_sha256(self) -> str:
        """The hash of all decisions until now."""
        return self._hash.hexdigest()

    def figures(self) -> dict[str, Any]:
        """The report's fields that this knows."""
        fates = self.fates
        handled = fates["answered"] + fates["abandoned"]
        wanted = self.offered - fates["abandoned"]
        return {
            "offered": self.offered,
            "answered": fates["answered"],
            "abandoned": fates["abandoned"],
            "overflowed": fates["overflowed"],
            "lost": fates["lost"],
            "unseen": self.unseen,
            "unaccounted": self.offered - sum(fates.values()),
            "waits": _wait_figures(self._waits),
            "waits_answered": _wait_figures(self._answered_waits),
            "service_level": self.in_time / wanted if wanted else None,
            "abandoned_share": fates["abandoned"] / handled if handled else None,
            "mean_wait": _estimate(self._mean_wait),
            "delayed": _estimate(self._delayed),
            "in_time": _estimate(self._in_time),
            "abandons": _estimate(self._abandons),
            "decisions": self.decisions,
            "decisions_sha256": self.decisions_sha256,
        }


def _estimate(batches: BatchMeans) -> Estimate:
    return Estimate(batches.mean, batches.half_width)


def _wait_figures(waits: Waits) -> WaitFigures:
    percentiles = {share: waits.percentile_s(share / 100) for share in PERCENTILES}
    return WaitFigures(waits.mean_s, waits.longest_s, percentiles)
