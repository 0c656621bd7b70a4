"""Cuts what the engine counts into intervals: looks every few seconds, and at the end of each interval."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import gevent
import gevent.lock
import structlog
from attrs import frozen

from cti.model.figures import AgentFigures, QueueFigures
from cti.statistics.book import Entry, FigureBook, Key, Row
from cti.statistics.interval import (
    AGENT,
    QUEUE,
    AgentInterval,
    Counted,
    QueueInterval,
    added,
    begin_of,
    counted,
    figures_of,
    midnight,
    since,
)
from cti.statistics.turns import in_turns
from cti.store.trouble import Trouble

EVERY_S: Final = 30.0
"""How often what was counted is written down. Without a journal a crash loses no more than this, with one nothing."""
FORGET_EVERY_S: Final = 3600.0

_log = structlog.get_logger("cti.statistics")


class Counting(Protocol):
    """What is counted; ``cti.CallCenter`` is one."""

    def queue_figures(self) -> dict[str, QueueFigures]:
        """What each queue has counted since it was added."""
        ...

    def agent_figures(self, *, closed: bool = False) -> Iterator[tuple[str, AgentFigures]]:
        """What each agent has; with ``closed`` without what goes on still. Lets others have a turn now and then."""
        ...


@frozen
class Day:
    """The figures of a day.

    Args:
        begins_at: midnight, Unix seconds.
        queues: of each queue.
        agents: of each agent who was logged on.
    """

    begins_at: float
    queues: tuple[QueueInterval, ...]
    agents: tuple[AgentInterval, ...]


class Statistics:
    """Figures by interval: those of the engine itself, as differences. What is live and what is kept agree therefore.

    Args:
        book: where they are kept.
        interval_s: how long an interval is: 900 or 1800 seconds.
        keep_s: how long intervals are kept.
        zone: where a day begins at midnight.
        clock: Unix seconds.
        on_trouble: told when writing fails and when it succeeds again; must not block.
    """

    def __init__(
        self,
        book: FigureBook,
        *,
        interval_s: float = 1800.0,
        keep_s: float = 400 * 86_400.0,
        zone: ZoneInfo | None = None,
        clock: Callable[[], float] = time.time,
        on_trouble: Callable[[Trouble], object] = lambda _: None,
    ) -> None:
        self.zone = zone or ZoneInfo("UTC")
        self.interval_s = interval_s
        self._book = book
        self._keep_s = keep_s
        self._clock = clock
        self._on_trouble = on_trouble
        self._baseline: dict[Key, Counted] = {}
        self._intervals: dict[float, dict[Key, Counted]] = {}
        """What was counted in the intervals that are not written in full yet, by their beginnings."""
        self._changed: set[Key] = set()
        self._gone: set[Key] = set()
        self._looked_at = 0.0
        self._in_trouble = False
        self._turn = gevent.lock.RLock()
        self._centre: Counting | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None

    # -- in -------------------------------------------------------------------------------------------------------

    def start(self, centre: Counting) -> None:
        """Count from now on, with what the journal has brought back. Before the centre is started. Blocks for the disk.

        Calls that the run before counted and did not write down count in the interval in which it last did.
        """
        self._centre = centre
        left = self._book.left()
        now = self._clock()
        if left.at is not None:
            begin = begin_of(left.at, self.interval_s)
            for row in self._book.rows(min(begin, begin_of(now, self.interval_s)), now + self.interval_s):
                self._intervals.setdefault(row.begins_at, {})[row.kind, row.name] = row.figures
            self._baseline = {key: dict(figures) for key, figures in left.baseline.items()}
            self._looked_at = min(left.at, now)
            self._look(closed=True)
        # What an agent did while nobody looked is nobody's time; nor is what was counted before there was a file.
        self._baseline = {(QUEUE, name): counted(QUEUE, figures) for name, figures in centre.queue_figures().items()}
        self._baseline |= {(AGENT, name): counted(AGENT, figures) for name, figures in centre.agent_figures()}
        self._changed |= self._baseline.keys()
        self._looked_at = self._clock()
        self.write()
        self._greenlet = gevent.spawn(self._run)

    def use(self, *, keep_s: float, zone: ZoneInfo) -> None:
        """From now on intervals are kept for so long, and a day begins at midnight there.

        What is older than that is deleted within the hour.
        """
        self._keep_s = keep_s
        self.zone = zone

    def stop(self) -> None:
        """Write what is left, and count no more. Blocks this greenlet. Harmless when it is not counting."""
        if self._greenlet is None:
            return
        self._greenlet.kill()
        self._greenlet = None
        self.write()

    def _run(self) -> None:
        forget_at = 0.0
        while True:
            now = self._clock()
            to_end_s = begin_of(now, self.interval_s) + self.interval_s - now
            gevent.sleep(max(0.01, min(EVERY_S, to_end_s)))
            self.write()
            if time.monotonic() >= forget_at:
                forget_at = time.monotonic() + FORGET_EVERY_S
                self._forget()

    def write(self) -> None:
        """Look, and write what was counted. Blocks this greenlet; what the disk does not take is tried again later."""
        with self._turn:
            self._look()
            now = self._looked_at
            intervals = {begin: dict(all_of) for begin, all_of in self._intervals.items()}
            changed, gone = frozenset(self._changed), frozenset(self._gone)
            try:
                self._book.write(Entry(now, self.interval_s, intervals, dict(self._baseline), changed, gone))
            except Exception as error:  # noqa: BLE001 - whatever the disk does, calls go on
                self._trouble(error)
                return
            self._changed -= changed
            self._gone -= gone
            current = begin_of(now, self.interval_s)
            self._intervals = {begin: all_of for begin, all_of in self._intervals.items() if begin >= current}
            if self._in_trouble:
                self._in_trouble = False
                _log.info("figures are written again", file=str(self._book.path))
                self._on_trouble(Trouble("figures are written again", 0, over=True))

    def _look(self, *, closed: bool = False) -> None:
        """Add what has been counted since the last look to the interval in which that was."""
        assert self._centre is not None
        with self._turn:
            began = begin_of(self._looked_at, self.interval_s)
            seen = {(QUEUE, name): counted(QUEUE, figures) for name, figures in self._centre.queue_figures().items()}
            for name, agent in self._centre.agent_figures(closed=closed):
                seen[AGENT, name] = counted(AGENT, agent)
            now = self._clock()
            into = self._intervals.setdefault(began, {})
            for key, figures in in_turns(seen.items()):
                before = self._baseline.get(key)
                if figures == before:
                    continue
                into[key] = added(into.get(key, {}), since(before or {}, figures))
                self._baseline[key] = figures
                self._changed.add(key)
                self._gone.discard(key)
            for key in self._baseline.keys() - seen.keys():
                del self._baseline[key]
                self._gone.add(key)
            self._looked_at = now

    def _forget(self) -> None:
        try:
            self._book.forget(self._clock() - self._keep_s)
        except Exception as error:  # noqa: BLE001 - the same
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            _log.error("figures cannot be written; they are kept in memory", file=str(self._book.path), why=str(error))
            self._on_trouble(Trouble(f"{self._book.path}: {error}", 0))

    # -- out ------------------------------------------------------------------------------------------------------

    def queue(self, name: str, begin: float, end: float, most: int) -> list[QueueInterval]:
        """The intervals of a queue that begin within a time, Unix seconds, at most so many, the oldest first.

        Up to now. Blocks this greenlet for the disk.
        """
        rows = self._rows((QUEUE, name), begin, end, most)
        return [QueueInterval(name, row.begins_at, row.length_s, figures_of(QueueFigures, row.figures)) for row in rows]

    def agent(self, name: str, begin: float, end: float, most: int) -> list[AgentInterval]:
        """The same of an agent."""
        rows = self._rows((AGENT, name), begin, end, most)
        return [AgentInterval(name, row.begins_at, row.length_s, figures_of(AgentFigures, row.figures)) for row in rows]

    def midnight(self) -> float:
        """When today began, Unix seconds."""
        return midnight(self._clock(), self.zone)

    def day(self, at: float | None = None) -> Day:
        """The figures of the day that an instant is in, Unix seconds; of today if it is left out. Up to now.

        Blocks this greenlet for the disk.
        """
        at = self._clock() if at is None else at
        begin, end = midnight(at, self.zone), midnight(at, self.zone, days=1)
        total: dict[Key, Counted] = {}
        for row in in_turns(self._rows(None, begin, end, -1)):
            key = (row.kind, row.name)
            total[key] = added(total.get(key, {}), row.figures)
        return Day(
            begin,
            tuple(
                QueueInterval(name, begin, end - begin, figures_of(QueueFigures, figures))
                for (kind, name), figures in in_turns(sorted(total.items()))
                if kind == QUEUE
            ),
            tuple(
                AgentInterval(name, begin, end - begin, figures_of(AgentFigures, figures))
                for (kind, name), figures in in_turns(sorted(total.items()))
                if kind == AGENT
            ),
        )

    def _rows(self, key: Key | None, begin: float, end: float, most: int) -> list[Row]:
        """Those of the file, but where what is in memory is newer."""
        with self._turn:
            self._look()
            newer = {
                (of, began): Row(*of, began, self.interval_s, figures)
                for began, all_of in self._intervals.items()
                for of, figures in in_turns(all_of.items())
                if begin <= began < end and (key is None or of == key)
            }
            found = {((row.kind, row.name), row.begins_at): row for row in self._book.rows(begin, end, key, most)}
        return sorted({**found, **newer}.values(), key=lambda row: row.begins_at)[: None if most < 0 else most]
