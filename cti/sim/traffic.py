"""Callers in numbers: Poisson arrivals, patience, conversations, and what became of each, counted by the callers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from cti.sim.scheduler import Handle
    from cti.sim.switch import SimulatedSwitch


@define
class Counters:
    """What callers have seen. At any time ``offered`` = ``ended`` + ``lost`` + those still there; of those ended and
    lost, each was ``connected``, ``abandoned`` while waiting, ``turned_away`` by the switch, or lost unconnected.
    """

    offered: int = 0
    connected: int = 0
    abandoned: int = 0
    turned_away: int = 0
    ended: int = 0
    lost: int = 0


class Traffic:
    """A stream of callers to a switch; the same seed brings the same callers, whatever the centre does with them.

    Args:
        switch: where the calls come in.
        rate_per_s: mean calls a second.
        numbers: called numbers, drawn evenly.
        patience_s: mean time before a waiting caller hangs up (exponential), or None: for ever.
        impatient: the share of callers who hang up at all.
        handle_s: mean length of a conversation (exponential), or None: the agent's side ends it.
        caller_hangs_up: the chance that the caller, not the agent's side, ends the conversation.
        callers: how many different people call, one after another again and again; None: each call is somebody else's.
        seed: for the same callers again.
        limit: ends after so many calls; None goes on until :meth:`stop`.
    """

    def __init__(
        self,
        switch: SimulatedSwitch,
        rate_per_s: float,
        *,
        numbers: Sequence[str] = ("5000",),
        patience_s: float | None = None,
        impatient: float = 1.0,
        handle_s: float | None = None,
        caller_hangs_up: float = 1.0,
        callers: int | None = None,
        seed: int = 0,
        limit: int | None = None,
    ) -> None:
        self.counters = Counters()
        self._switch = switch
        self._rate_per_s = rate_per_s
        self._numbers = tuple(numbers)
        self._patience_s = patience_s
        self._impatient = impatient
        self._handle_s = handle_s
        self._caller_hangs_up = caller_hangs_up
        self._callers = callers
        self._random = random.Random(seed)
        self._limit = limit
        self._next: Handle | None = None
        self._number = 0

    def start(self) -> None:
        """Begins; the first call comes after the first drawn interval. Nothing when it is running."""
        if self._next is None:
            self._wait()

    def stop(self) -> None:
        """No more callers; those who are there stay."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self) -> None:
        self._next = None
        if self._limit is None or self._number < self._limit:
            interval_s = self._random.expovariate(self._rate_per_s)
            self._next = self._switch.scheduler.call_later(interval_s, self._arrive)

    def _arrive(self) -> None:
        self._number += 1
        chance = self._random
        # Everything about a caller is drawn at arrival, in this order, so that the centre's doings change nobody.
        called = chance.choice(self._numbers)
        patience = chance.expovariate(1 / self._patience_s) if self._patience_s else None
        if chance.random() >= self._impatient:
            patience = None
        talk = chance.expovariate(1 / self._handle_s) if self._handle_s else None
        if chance.random() >= self._caller_hangs_up:
            talk = None
        who = self._number if self._callers is None else self._number % self._callers
        self._wait()
        self._switch.incoming(
            calling_number=f"030{who:07d}",
            calling_name=f"Caller {who}",
            called_number=called,
            patience_s=patience,
            talk_s=talk,
            counters=self.counters,
        )
