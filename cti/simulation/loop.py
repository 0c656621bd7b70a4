"""Runs an engine in virtual time: what EngineLoop is in real time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cti.engine import Engine
from cti.model import facts, intents
from cti.model.events import Event
from cti.sim import Handle, Scheduler


class VirtualLoop:
    """Facts in, one after another; intents out to the switch, the scheduler and whoever listens.

    Args:
        engine: nobody else may touch it.
        scheduler: time, and every timer.
        on_event: called with every event.
        on_intent: called with every intent for the switch; carries it out.
        after: called after each fact, with what it made the engine want.
        on_error: called with a fact that the engine refused or failed on, and why.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        *,
        on_event: Callable[[Event], None],
        on_intent: Callable[[intents.SwitchIntent], None],
        after: Callable[[facts.Fact, Sequence[intents.Intent]], None],
        on_error: Callable[[facts.Fact, Exception], None],
    ) -> None:
        self.engine = engine
        self.facts = 0
        """How many facts were handled."""
        self._scheduler = scheduler
        self._on_event, self._on_intent, self._after, self._on_error = on_event, on_intent, after, on_error
        self._inbox: deque[facts.Fact] = deque()
        self._draining = False
        self.stopped = False
        self._timers: dict[tuple[str, str], Handle] = {}

    def submit(self, fact: facts.Fact) -> None:
        """Hand in a fact; it is handled at once, or right after the one that is being handled."""
        if self.stopped:
            return
        self._inbox.append(fact)
        if not self._draining:
            self._drain()

    def _drain(self) -> None:
        self._draining = True
        try:
            while self._inbox:
                self._handle(self._inbox.popleft())
        finally:
            self._draining = False

    def arm(self, due: Iterable[tuple[facts.TimerFired, float]]) -> None:
        """Start timers that ran before this loop did; see EngineLoop."""
        now = self._scheduler.now()
        for fact, at in list(due):
            self._start_timer(intents.StartTimer(fact.kind, fact.key, fact.generation, max(0.0, at - now)))

    def stop(self) -> None:
        """End it at once, as a kill does: no timer fires, no fact is handled any more."""
        self.stopped = True
        self._inbox.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def ask(self, fact: facts.Fact) -> None:
        """Hand in a request while nothing else is being handled.

        Raises:
            CtiError: the engine refuses it; nothing was changed.
        """
        wanted = self.engine.handle(fact, self._scheduler.now())
        self._draining = True  # what the switch says to the first intent is handled after the last
        try:
            self._carry_out(fact, wanted)
        finally:
            self._draining = False
        if self.engine.defect is not None:
            self._on_error(fact, self.engine.defect)
        self._drain()

    def _handle(self, fact: facts.Fact) -> None:
        try:
            wanted = self.engine.handle(fact, self._scheduler.now())
        except Exception as error:  # noqa: BLE001 - a refusal or a defect: said, and the run goes on
            self._on_error(fact, error)
            return
        if self.engine.defect is not None:
            self._on_error(fact, self.engine.defect)
        self._carry_out(fact, wanted)

    def _carry_out(self, fact: facts.Fact, wanted: list[intents.Intent]) -> None:
        self.facts += 1
        for intent in wanted:
            kind = type(intent)
            if kind is intents.Notify:
                self._on_event(intent.event)  # type: ignore[union-attr]
            elif kind is intents.StartTimer:
                self._start_timer(intent)
            elif kind is intents.CancelTimer:
                self._cancel_timer(intent)
            else:
                self._on_intent(intent)  # type: ignore[arg-type]
        self._after(fact, wanted)

    def _start_timer(self, intent: Any) -> None:
        self._cancel_timer(intent)
        fact = facts.TimerFired(intent.kind, intent.key, intent.generation)
        self._timers[intent.kind, intent.key] = self._scheduler.call_later(intent.after_s, self._fired, fact)

    def _fired(self, fact: facts.TimerFired) -> None:
        self._timers.pop((fact.kind, fact.key), None)
        self.submit(fact)

    def _cancel_timer(self, intent: Any) -> None:
        timer = self._timers.pop((intent.kind, intent.key), None)
        if timer is not None:
            timer.cancel()
