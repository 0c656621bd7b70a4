"""Timers by kind and key. Each start has a generation number, so that a timer fired late changes nothing (race 12)."""

from __future__ import annotations

from collections.abc import Callable

from cti.model.facts import TimerFired
from cti.model.intents import CancelTimer, Intent, StartTimer


class Timers:
    """Which timers count. The shell keeps the time; this only says what to start and whether a firing still means it.

    Args:
        emit: takes the intents.
    """

    def __init__(self, emit: Callable[[Intent], None]) -> None:
        self._emit = emit
        self._generation = 0
        self._running: dict[tuple[str, str], int] = {}

    def start(self, kind: str, key: str, after_s: float) -> None:
        """Start a timer; one of the same kind and key that still runs no longer counts."""
        self._generation += 1
        self._running[kind, key] = self._generation
        self._emit(StartTimer(kind, key, self._generation, after_s))

    def cancel(self, kind: str, key: str) -> None:
        """The timer no longer counts; harmless when none runs."""
        if self._running.pop((kind, key), None) is not None:
            self._emit(CancelTimer(kind, key))

    def counts(self, fact: TimerFired) -> bool:
        """Whether this firing is of the timer that runs; if so, it runs no longer."""
        if self._running.get((fact.kind, fact.key)) != fact.generation:
            return False
        del self._running[fact.kind, fact.key]
        return True

    def running(self, kind: str, key: str) -> bool:
        """Whether such a timer runs."""
        return (kind, key) in self._running
