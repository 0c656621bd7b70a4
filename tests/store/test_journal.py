"""Writing a journal: segments, batches, what is kept, and every way in which a disk lets us down."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys

import gevent
import pytest

from cti.errors import ConfigurationError, DataRefused
from cti.model import facts
from cti.model.ids import IdSource, InteractionId
from cti.routing import SkillRouter
from cti.store import Journal, RecordedEngine, Retention, Trouble, survey
from cti.store import journal as journal_module
from cti.store.record import FactRecord, Header, SnapshotRecord
from cti.store.segment import read_segment
from cti.store.segment_writer import SegmentWriter
from tests.store.recording import a_day

from .recording import files, record

TOLD = a_day(0).told


def an_engine(journal):
    chance = random.Random(1)
    return RecordedEngine(IdSource(chance.getrandbits), SkillRouter(), journal, chance=chance)


def until(condition, what="it"):
    with gevent.Timeout(20, AssertionError(f"{what} did not come about")):
        while not condition():
            gevent.sleep(0.005)


def written(directory):
    """The facts that are in the files now."""
    return sum(isinstance(r, FactRecord) for n in range(1, 100) for r in read_segment(directory, n).records())


def test_every_fact_is_in_it_in_order_with_its_time(tmp_path):
    figures = record(tmp_path, TOLD).figures
    records = list(read_segment(tmp_path, 1).records())
    assert isinstance(records[0], Header)
    assert isinstance(records[1], SnapshotRecord)
    assert [(r.name, r.at) for r in records[2:]] == [(type(fact).__name__, at) for fact, at in TOLD]
    assert (figures.facts, figures.lost, figures.troubles) == (len(TOLD), 0, 0)
    assert figures.bytes == sum(path.stat().st_size for path in files(tmp_path)) - 8


def test_segments_follow_one_another_and_each_begins_with_a_snapshot(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    paths = files(tmp_path)
    assert len(paths) > 3
    assert [path.name for path in paths[:2]] == ["000001.ctij", "000002.ctij"]
    for number in range(1, len(paths) + 1):
        first, second, *rest = read_segment(tmp_path, number).records()
        assert (first.number, type(second)) == (number, SnapshotRecord)
        assert all(isinstance(each, FactRecord) for each in rest)
    assert survey(tmp_path).facts.total() == len(TOLD)


def test_a_centre_started_again_goes_on_in_a_new_segment(tmp_path):
    record(tmp_path, TOLD[:50])
    record(tmp_path, TOLD[:50])
    first, second = (read_segment(tmp_path, number).header() for number in (1, 2))
    assert (first.number, second.number) == (1, 2)
    assert first.run != second.run
    assert survey(tmp_path).sound


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        (Retention(segments=2), 2),
        (Retention(bytes=1), 1),
        (Retention(age_s=0.0), 1),
        (Retention(age_s=3600.0), None),
        (Retention(), None),
    ],
)
def test_old_segments_go(tmp_path, retention, left):
    journal = record(
        tmp_path, TOLD, segment_bytes=10_000, retention=retention, clock=lambda: 4e9 if retention.age_s == 0 else 0.0
    )
    assert len(files(tmp_path)) == (left or journal.figures.segments) > 0
    assert journal.figures.segments > 3
    assert files(tmp_path)[-1].name == f"{journal.figures.segments:06}.ctij"


def test_a_batch_is_written_by_itself(tmp_path):
    journal = Journal(tmp_path)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    assert written(tmp_path) == 0
    until(lambda: written(tmp_path) == 1, "the batch")
    journal.close()


def test_always_is_at_once(tmp_path):
    journal = Journal(tmp_path, sync="always")
    engine = an_engine(journal)
    for at in range(3):
        engine.handle(facts.LinkConnecting("fs"), float(at))
        assert written(tmp_path) == at + 1
    journal.close()


def test_closing_writes_what_waits_and_ends_it(tmp_path):
    journal = Journal(tmp_path)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    journal.close()
    journal.close()
    assert written(tmp_path) == 1
    engine.handle(facts.LinkLost("fs"), 2.0)  # the engine goes on, as always
    assert (journal.figures.lost, written(tmp_path)) == (1, 1)


def test_only_one_may_write(tmp_path):
    journal = Journal(tmp_path)
    with pytest.raises(ConfigurationError, match="is being written already"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


@pytest.mark.parametrize(
    ("options", "says"),
    [({"segment_bytes": 0}, "segment_bytes is 0"), ({"sync": "never"}, "sync is 'never'")],
)
def test_wrong_settings_are_named(tmp_path, options, says):
    with pytest.raises(ConfigurationError, match=says):
        Journal(tmp_path, **options)


def test_wrong_retention_is_named():
    with pytest.raises(ConfigurationError, match="segments is 0"):
        Retention(segments=0)


def test_a_file_in_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file.*name a directory"):
        Journal(tmp_path / "file")


# -- crashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [b"\xc1J\x40\x00", b"\x00" * 4096, b"\xc1J\xff\x00\x00\x00abcdgarbage", b"x"])
def test_a_torn_tail_is_cut_off_and_said(tmp_path, tail):
    record(tmp_path, TOLD)
    path = files(tmp_path)[0]
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(tail)
    found = survey(tmp_path)
    assert not found.sound
    assert (found.segments[0].damages[0].offset, found.segments[0].damages[0].bytes) == (size, len(tail))
    journal = Journal(tmp_path)
    assert journal.repairs[0].startswith(f"000001.ctij: cut off {len(tail)} bytes at {size}")
    journal.close()
    assert path.stat().st_size == size
    assert survey(tmp_path).facts.total() == len(TOLD)


def test_a_killed_process_loses_no_more_than_a_batch(tmp_path):
    """A process that is killed at once after its journal was flushed has all of it on the disk."""
    code = f"""
import os, random, signal
from cti.model import facts
from cti.model.ids import IdSource
from cti.routing import SkillRouter
from cti.store import Journal, RecordedEngine
journal = Journal({str(tmp_path)!r}, sync="always")
chance = random.Random(1)
engine = RecordedEngine(IdSource(chance.getrandbits), SkillRouter(), journal, chance=chance)
for at in range(20):
    engine.handle(facts.LinkConnecting("fs"), float(at))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert written(tmp_path) == 20
    assert Journal(tmp_path).repairs == []


# -- a disk that fails ------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(monkeypatch):
    """A disk that can be filled: writes go half through and then fail."""

    class Disk:
        full = False

    real = SegmentWriter._append

    def append(self, data):
        if Disk.full:
            os.write(self._file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, data)

    monkeypatch.setattr(SegmentWriter, "_append", append)
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    return Disk


@pytest.mark.parametrize("sync", ["batch", "always"])
def test_a_full_disk_stops_nothing_is_told_once_and_leaves_a_marked_gap(tmp_path, disk, sync):
    told: list[Trouble] = []
    journal = Journal(tmp_path, sync=sync, on_trouble=told.append)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    journal.flush()
    disk.full = True
    for at in range(2, 12):
        engine.handle(facts.LinkAuthenticated("fs"), float(at))
        gevent.sleep(0)
    journal.flush()
    until(lambda: told, "the word of the trouble")
    gevent.sleep(0.1)  # it is tried again, and fails again, and nobody is told again
    assert [trouble.over for trouble in told] == [False]
    assert "No space left" in told[0].what
    assert engine.world.links["fs"].value == "snapshotting"
    disk.full = False
    until(lambda: len(told) == 2, "the end of the trouble")
    assert told[1].over
    engine.handle(facts.LinkLost("fs"), 20.0)
    journal.close()
    found = survey(tmp_path)
    assert [damage for segment in found.segments for damage in segment.damages] == []
    gaps = [gap for segment in found.segments for gap in segment.gaps]
    assert [(gap.facts, gap.since, gap.until) for gap in gaps] == [(10, 2.0, 11.0)]
    assert journal.figures.lost == told[1].lost == 10
    assert (journal.figures.troubles, found.facts) == (1, {"LinkConnecting": 1, "LinkLost": 1})


def test_a_centre_starts_on_a_full_disk(tmp_path, disk):
    disk.full = True
    told: list[Trouble] = []
    journal = Journal(tmp_path, on_trouble=told.append)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    assert len(told) == 1
    disk.full = False
    until(lambda: len(told) == 2, "the end of the trouble")
    journal.close()
    assert [gap.facts for gap in survey(tmp_path).segments[0].gaps] == [1]


def test_a_directory_that_is_taken_away_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    told: list[Trouble] = []
    journal = Journal(tmp_path / "there", segment_bytes=1, on_trouble=told.append)
    engine = an_engine(journal)
    journal.flush()
    for path in files(tmp_path / "there"):
        path.unlink()
    (tmp_path / "there").rmdir()
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    until(lambda: len(told) == 2, "the end of the trouble")
    engine.handle(facts.LinkLost("fs"), 2.0)
    journal.close()
    assert survey(tmp_path / "there").facts == {"LinkLost": 1}


def test_a_handler_of_troubles_that_raises_costs_nothing(tmp_path, disk):
    def handler(_):
        raise ValueError("mine")

    journal = Journal(tmp_path, sync="always", on_trouble=handler)
    engine = an_engine(journal)
    disk.full = True
    assert engine.handle(facts.LinkConnecting("fs"), 1.0)
    journal.close()
    assert journal.figures.troubles == 1


def test_a_disk_that_does_not_keep_up_leaves_a_gap(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "BACKLOG_BYTES", 2000)
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    journal = Journal(tmp_path)
    engine = an_engine(journal)
    for at in range(100):  # in one go: the writing greenlet has no chance
        engine.handle(facts.LinkLost("fs"), float(at))
    assert journal.figures.lost > 0
    until(lambda: len(files(tmp_path)) == 2, "a new segment")
    journal.close()
    assert sum(gap.facts for segment in survey(tmp_path).segments for gap in segment.gaps) == journal.figures.lost
    assert survey(tmp_path).facts.total() + journal.figures.lost == 100


# -- what cannot be kept ----------------------------------------------------------------------------------------------


def test_data_that_cannot_be_kept_is_said_and_the_call_goes_on(tmp_path):
    journal = Journal(tmp_path)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    engine.handle(facts.LinkAuthenticated("fs"), 1.0)
    engine.handle(facts.SnapshotTaken("fs", ()), 1.0)
    engine.handle(facts.Offered("fs", "caller", "1", "", "2", data={"socket": object(), "n": 1}), 2.0)
    (call,) = engine.world.interactions
    assert engine.world.interactions[call].data == {"n": 1}
    with pytest.raises(DataRefused, match="huge"):
        engine.handle(facts.DataAttached(InteractionId(call), {"huge": 1 << 80}), 3.0)
    journal.close()
    *_, offered, attached = read_segment(tmp_path, 1).records()
    assert (offered.not_kept, offered.fields["data"]) == (
        ("data.socket",),
        {"socket": "<not kept: builtins.object>", "n": 1},
    )
    assert attached.not_kept == ("data.huge",)
    assert (journal.figures.not_kept, journal.figures.lost) == (2, 0)


def test_a_fact_that_cannot_be_written_at_all_leaves_a_gap_and_the_call_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)

    class Hostile(dict):
        def items(self):
            raise RuntimeError("no")

    journal = Journal(tmp_path)
    engine = an_engine(journal)
    engine.handle(facts.LinkConnecting("fs"), 1.0)
    engine.handle(facts.Offered("fs", "caller", "1", "", "2", data=Hostile(a=1)), 2.0)
    assert len(engine.world.interactions) == 1
    until(lambda: len(files(tmp_path)) == 2, "a new segment")
    engine.handle(facts.LinkLost("fs"), 3.0)
    journal.close()
    found = survey(tmp_path)
    assert found.facts == {"LinkConnecting": 1, "LinkLost": 1}
    assert [gap.facts for segment in found.segments for gap in segment.gaps] == [1]
