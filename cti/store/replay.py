"""Drives an engine from a journal, and says whether it decides again what it decided then."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from cti.engine import Engine
from cti.errors import ConfigurationError, CtiError
from cti.model import facts, intents
from cti.model.ids import IdSource
from cti.routing import Router, SkillRouter
from cti.routing.strategy import Strategy
from cti.store.codec import Codec
from cti.store.digest import Digest
from cti.store.errors import NotUnderstood
from cti.store.frame import Damage
from cti.store.kept_object import class_path
from cti.store.plain import packer, unpack
from cti.store.record import FactRecord, Gap, Header, SnapshotRecord
from cti.store.recorded_engine import DEFECT
from cti.store.segment import Segment, read_header, read_segment, segments
from cti.store.snapshot import restore, take

MakeRouter = Callable[[Callable[[], float]], Router]
"""Makes a router, given a source of chance (from 0 to below 1) that it may use."""
_NOT_COMPARED: Final = ("now", "due")
"""Of a snapshot: looking at the centre moves its clock; the timers' times are the recorder's."""


@frozen
class Difference:
    """Where a replay decided otherwise."""

    segment: int
    at: float
    wall: float
    fact: str
    what: str


@frozen
class Step:
    """One fact replayed: what the engine wants now, and whether that is what it wanted then."""

    segment: int
    at: float
    wall: float
    fact: facts.Fact
    wanted: Sequence[intents.Intent]
    refused: str
    same: bool


@define
class ReplayReport:
    """What came of a replay."""

    segments: int = 0
    facts: int = 0
    """Facts replayed and compared."""
    offers: int = 0
    refused: int = 0
    """Requests that the engine refused, then and now."""
    differing: int = 0
    first_difference: Difference | None = None
    snapshots_compared: int = 0
    passed_over: int = 0
    """Facts that could not be replayed: after damage or a gap, until the next snapshot."""
    since: float | None = None
    """Unix time of the first fact compared."""
    until: float | None = None
    notes: Counter[str] = field(factory=Counter)
    """What else is to be known, and how often."""

    @property
    def same(self) -> bool:
        """Whether everything that was compared is the same."""
        return not self.differing and self.first_difference is None


def skill_router(chance: Callable[[], float]) -> Router:
    """The router that comes with the library, as a centre makes it."""
    return SkillRouter(chance=chance)


class Replay:
    """Replays a journal. It reads one segment at a time into memory, and changes no file.

    Args:
        directory: the journal's.
        router: makes a router as the recorded one was; needed only if that was not a SkillRouter.
        strategies: strategies that were given as objects, by class (``package.module:Class``).
        since: Unix time; facts before it are replayed and not counted.
        until: Unix time; the replay ends there.

    Raises:
        ConfigurationError: the directory has no segments.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        router: MakeRouter | None = None,
        strategies: Mapping[str, Strategy] | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> None:
        self._directory = Path(directory)
        self._numbers = segments(self._directory)
        self._router = router
        self._codec = Codec(strategies)
        self._digest = Digest()
        self._since = since
        self._until = until
        self._header: Header | None = None
        self._goes_on = False
        self._chance = random.Random()
        self.engine: Engine | None = None
        """The one being driven; None where there is none, before a snapshot and after damage."""
        self.on_restored: Callable[[Engine], object] = lambda _: None
        """Told of each engine made from a snapshot, before its first fact."""
        self.report = ReplayReport()

    def run(self) -> ReplayReport:
        """Replay all of it.

        Raises:
            ConfigurationError: the recorded router is not a SkillRouter, and none was given.
        """
        for _ in self.steps():
            pass
        return self.report

    def steps(self) -> Iterator[Step]:
        """Replay one fact after another; ``report`` grows meanwhile.

        Raises:
            ConfigurationError: as ``run``.
        """
        for number in self._from(self._numbers):
            segment = read_segment(self._directory, number)
            self.report.segments += 1
            for record in segment.records():
                if isinstance(record, Damage):
                    self._damaged(segment, record)
                elif isinstance(record, Header):
                    self._begin(record)
                elif isinstance(record, SnapshotRecord):
                    self._snapshot(segment, record)
                elif isinstance(record, Gap):
                    self._gap(segment, record)
                else:
                    wall = self.unix(record.at)
                    if self._until is not None and wall > self._until:
                        return
                    step = self._fact(segment, record, wall)
                    if step is not None:
                        yield step

    def _from(self, numbers: list[int]) -> list[int]:
        """Without the segments that end before ``since``."""
        if self._since is None:
            return numbers
        begun = [0]
        for at, number in enumerate(numbers):
            header = read_header(self._directory, number)
            if header is not None and header.unix(header.at) <= self._since:
                begun.append(at)
        return numbers[begun[-1] :]

    # -- what the records say -------------------------------------------------------------------------------------

    def _note(self, what: str) -> None:
        self.report.notes[what] += 1

    def _damaged(self, segment: Segment, damage: Damage) -> None:
        what = "torn tail" if damage.tail else "damaged"
        self._note(f"{segment.path.name}: {what}: {damage.bytes} bytes at {damage.offset}: {damage.what}")
        self.engine = None
        if damage.offset == 0:
            self._header = None

    def _begin(self, header: Header) -> None:
        before, self._header = self._header, header
        if before is not None and before.run != header.run:
            self._note(f"segment {header.number}: the centre was started again")
            self.engine = None
        elif before is not None and header.number != before.number + 1:
            self._note(f"segments between {before.number} and {header.number} are missing")
            self.engine = None

    def _gap(self, segment: Segment, gap: Gap) -> None:
        self._note(f"{segment.path.name}: a gap before it: {gap.facts} facts were not written: {gap.why}")
        self.engine = None

    def _snapshot(self, segment: Segment, record: SnapshotRecord) -> None:
        header = self._header
        if header is None:
            self._note(f"{segment.path.name}: no header; it cannot be replayed")
            return
        if self.engine is not None and self._is_as(segment, record):
            return
        self._chance = random.Random()
        engine = Engine(IdSource(self._chance.getrandbits, header.epoch), self._make_router(header))
        try:
            for note in restore(engine, record.picture, self._codec, self._chance):
                self._note(note)
        except Exception as error:  # noqa: BLE001 - a router under test may raise anything
            self._note(f"{segment.path.name}: its snapshot cannot be restored: {error!r}")
            self.engine = None
        else:
            self.engine = engine
            self.on_restored(engine)

    def _make_router(self, header: Header) -> Router:
        if self._router is not None:
            return self._router(self._chance.random)
        if header.router != class_path(SkillRouter):
            raise ConfigurationError(
                f"this journal was written with the router {header.router}; name it, to replay it: --router {header.router}"
            )
        return skill_router(self._chance.random)

    def _is_as(self, segment: Segment, record: SnapshotRecord) -> bool:
        """Whether the engine has come to what the snapshot says."""
        assert self.engine is not None
        picture, _ = take(self.engine, self._codec, self._chance)
        mine: Any = unpack(packer(str).pack(picture))
        differing = [
            name
            for name in sorted({*mine, *record.picture} - {*_NOT_COMPARED})
            if mine.get(name) != record.picture.get(name)
        ]
        self.report.snapshots_compared += 1
        if differing:
            what = f"the state is another at the beginning of the segment: {', '.join(differing)}"
            self._differs(Difference(segment.number, record.at, self.unix(record.at), "", what))
        return not differing

    def _fact(self, segment: Segment, record: FactRecord, wall: float) -> Step | None:
        engine, report = self.engine, self.report
        counts = self._since is None or wall >= self._since
        if engine is None:
            report.passed_over += counts
            return None
        for path in record.not_kept:
            self._note(f"{record.name}: {path} could not be kept when it was recorded")
        try:
            fact, notes = self._codec.load_fact(record.name, record.fields)
        except NotUnderstood as error:
            self._note(f"{error}; passed over until the next snapshot")
            self.engine = None
            report.passed_over += counts
            return None
        for note in notes:
            self._note(note)
        wanted: Sequence[intents.Intent] = ()
        refused = ""
        try:
            wanted = engine.handle(fact, record.at)
        except CtiError as error:
            refused = error.code
        except Exception as error:  # noqa: BLE001 - a defect, of the engine or of a router under test: it is told, and the rest goes on
            refused = DEFECT
            self._note(f"the engine failed on a fact {record.name}: {error!r}")
        if engine.defect is not None:
            self._note(f"the engine failed on a fact {record.name}: {engine.defect!r}")
        offers = tuple(
            (i.interaction, i.agent) for i in wanted if isinstance(i, intents.OfferCall | intents.PutThrough)
        )
        same = (refused, offers, self._digest.of(wanted)) == (record.refused, record.offers, record.digest)
        if counts:
            report.since = wall if report.since is None else report.since
            report.until = wall
            report.facts += 1
            report.offers += len(offers)
            report.refused += bool(refused)
            if not same:
                report.differing += 1
                what = _difference(record, refused, offers)
                self._differs(Difference(segment.number, record.at, wall, f"{record.name} {record.fields}", what))
        return Step(segment.number, record.at, wall, fact, wanted, refused, same)

    def _differs(self, difference: Difference) -> None:
        if self.report.first_difference is None:
            self.report.first_difference = difference

    def unix(self, at: float) -> float:
        """The Unix time that belongs to the engine's ``at``, in the segment being replayed."""
        return self._header.unix(at) if self._header is not None else at


def _difference(record: FactRecord, refused: str, offers: tuple[tuple[str, str], ...]) -> str:
    if refused != record.refused:
        return f"then it was {_answer(record.refused)}, now it is {_answer(refused)}"
    if offers != record.offers:
        return f"then {_offered(record.offers)}, now {_offered(offers)}"
    return "the same offers, and something else that was wanted or told is another"


def _answer(refused: str) -> str:
    return f"refused ({refused})" if refused else "accepted"


def _offered(offers: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"call {call} was offered to {agent}" for call, agent in offers) or "nothing was offered"
