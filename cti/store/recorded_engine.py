"""An engine that writes down what it is told and what it decides, before anything is done about it."""

from __future__ import annotations

import copy
import gc
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog
from attrs import evolve

from cti._version import __version__
from cti.engine import Engine
from cti.errors import CtiError
from cti.model import facts, intents
from cti.model.ids import IdSource
from cti.routing import Router
from cti.store.codec import Codec
from cti.store.digest import Digest
from cti.store.kept_object import class_path
from cti.store.past import Past
from cti.store.plain import plain
from cti.store.record import VERSION, FactRecord, Header, dump_fact, dump_header, dump_snapshot
from cti.store.recovery import Due, TakenUp, take_up
from cti.store.snapshot import take, uncovered
from cti.store.trouble import JournalFigures

DEFECT: Final = "defect"
"""In place of an error's code: the engine raised what it must not."""
_SAID_OF_EACH: Final = 10
"""After so many facts with values that cannot be kept, the log is told of every hundredth."""

_log = structlog.get_logger("cti.journal")


class Book(Protocol):
    """What is written to: a Journal, or what stands in for one where there is no disk."""

    clock: Callable[[], float]
    figures: JournalFigures

    def begin(self, opening: Callable[[int], list[bytes]]) -> None:
        """See Journal."""
        ...

    def add(self, payload: bytes, at: float) -> None:
        """See Journal."""
        ...

    def skip(self, at: float, why: str) -> None:
        """See Journal."""
        ...

    def set_aside(self) -> None:
        """See Journal."""
        ...


class RecordedEngine(Engine):
    """An engine whose every fact goes to a journal, with the time and a checksum of what the engine decided.

    A problem with the journal never stops a fact: see Journal.

    Args:
        ids: makes ids; it must draw from ``chance``, or a replay makes others.
        router: decides which call goes to which agent. One that holds more than it is told of by the engine should have
            ``state()``, which returns it as plain values, and ``restore(state, agents)``.
        journal: where to; it is begun here.
        chance: what ids and lots are drawn from.
        epoch: what ``ids`` adds to the clock to get Unix time.
        node: the centre's name.
        past: what the run before has left (``journal.past()``), to be taken up. If it cannot be, the engine is empty,
            and the journal's old segments are put aside.
        now: the engine's clock; needed with ``past``.
    """

    def __init__(
        self,
        ids: IdSource,
        router: Router,
        journal: Book,
        *,
        chance: random.Random | None = None,
        epoch: float = 0.0,
        node: str = "",
        past: Past | None = None,
        now: float = 0.0,
    ) -> None:
        spare = _another(router) if past is not None else None
        super().__init__(ids, router)
        self.taken_up = TakenUp()
        """What it has from the run before."""
        due = Due()
        if past is not None:
            try:
                self.taken_up, due = take_up(self, past, now, chance)
            except Exception:  # noqa: BLE001 - another version's record, a router that raises: calls are taken all the same
                _log.exception("the journal of the run before cannot be taken up; the centre begins empty")
                journal.set_aside()
                if chance is not None:
                    chance.seed()
                super().__init__(ids, spare or router)
        self._recorder = _Recorder(self, journal, chance, epoch, node, due)
        journal.begin(self._recorder.opening)

    @property
    def due(self) -> Due:
        """The timers that run, and when they fire by the engine's clock."""
        return self._recorder.due

    def handle(self, fact: facts.Fact, now: float) -> list[intents.Intent]:
        """As Engine.handle; the fact is in the journal (or waits to be written) before this returns.

        The first log-on of an agent whose session was taken up from the run before changes nothing.

        Raises:
            CtiError: as Engine.handle.
        """
        if isinstance(fact, facts.LogOnRequested) and self.taken_up.goes_on(fact, self.world):
            return []
        try:
            wanted = super().handle(fact, now)
        except CtiError as error:
            self._recorder.note(fact, (), error.code)
            raise
        except Exception:
            self._recorder.note(fact, (), DEFECT)
            raise
        self._recorder.note(fact, wanted, "")
        self.taken_up.follow(fact)
        return wanted


def _another(router: Router) -> Router | None:
    """A router as new as this one is now; None if it cannot be copied."""
    try:
        return copy.deepcopy(router)
    except Exception:  # noqa: BLE001 - a host's own router may hold anything
        return None


class _Recorder:
    def __init__(  # noqa: PLR0917 - its own class alone makes it
        self, engine: RecordedEngine, journal: Book, chance: random.Random | None, epoch: float, node: str, due: Due
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._chance = chance
        self._epoch = epoch
        self._node = node
        self._run = uuid.uuid4().hex
        self._codec = Codec()
        self._digest = Digest()
        self.due = due
        """When each running timer fires; the engine itself does not know."""
        missing = uncovered(engine)
        if missing:
            _log.error("snapshots leave out what replays need", missing=missing)

    def note(self, fact: facts.Fact, wanted: Sequence[intents.Intent], refused: str) -> None:
        """Write down one fact and what came of it; never raises."""
        at = self._engine.world.now
        try:
            offers = self._follow(fact, wanted, at)
            fields, not_kept = self._codec.dump_what_can_be(fact)
            digest = self._digest.of(wanted)
            record = FactRecord(at, type(fact).__name__, fields, digest, refused, offers, not_kept)
            try:
                payload = dump_fact(record)
            except (ValueError, TypeError, OverflowError):  # a number beyond 64 bits where a number belongs
                lost: list[str] = []
                record = evolve(record, fields=plain(fields, record.name, lost))
                not_kept += tuple(lost)
                payload = dump_fact(evolve(record, not_kept=not_kept))
            if not_kept:
                self._said(record.name, not_kept)
            self._journal.add(payload, at)
        except Exception as error:  # noqa: BLE001 - a defect, or a host's mapping that raises: the call must not notice
            _log.error("a fact could not be written to the journal", fact=type(fact).__name__, why=repr(error))
            self._journal.skip(at, f"a fact {type(fact).__name__} could not be written: {error!r}")

    def opening(self, number: int) -> list[bytes]:
        """What a segment begins with."""
        journal, world = self._journal, self._engine.world
        router = class_path(type(world.router))
        header = Header(
            VERSION, number, self._node, self._run, journal.clock(), world.now, self._epoch, router, __version__
        )
        collects = gc.isenabled()
        gc.disable()  # a hundred thousand new dicts and no cycle: looking for one would double the time
        try:
            return [dump_header(header), self._snapshot(world.now)]
        finally:
            if collects:
                gc.enable()

    def _snapshot(self, now: float) -> bytes:
        picture, lost = take(self._engine, self._codec, self._chance)
        picture["due"] = [[kind, key, generation, at] for (kind, key), (generation, at) in self.due.timers.items()]
        try:
            return dump_snapshot(now, picture)
        except (ValueError, TypeError, OverflowError):
            return dump_snapshot(now, plain(picture, "", list(lost)))

    def _follow(self, fact: facts.Fact, wanted: Sequence[intents.Intent], at: float) -> tuple[tuple[str, str], ...]:
        """Keep the timers' times; the offers among the intents."""
        self.due.follow(fact, wanted, at)
        return tuple(
            (each.interaction, each.agent)
            for each in wanted
            if isinstance(each, intents.OfferCall | intents.PutThrough)
        )

    def _said(self, name: str, not_kept: tuple[str, ...]) -> None:
        figures = self._journal.figures
        figures.not_kept += 1
        if figures.not_kept <= _SAID_OF_EACH or figures.not_kept % 100 == 0:
            _log.warning("the journal cannot keep a value", fact=name, keys=not_kept, facts_so_far=figures.not_kept)
