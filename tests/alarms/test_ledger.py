"""Alarms over a restart: what was raised is raised, as old as it is, told to nobody twice, and cleared when it is over."""

from __future__ import annotations

import pytest

from cti.alarms import KINDS, AlarmBoard, AlarmLedger, AlarmSettings, Grade, kinds
from cti.alarms.judge import Judge, Observation
from cti.alarms.ledger import FILE
from tests.center.bench import bench

from .test_watch import Watched


class Run:
    """A run of a program: its clock, its board, and what is told."""

    def __init__(self, directory, wall):
        self.wall = wall
        self.monotonic = 5.0
        self.told = []
        self.board = AlarmBoard(self._tell, lambda: self.monotonic)
        self.ledger = AlarmLedger(directory, clock=lambda: self.wall)
        self.ledger.bring_back(self.board)

    def _tell(self, alarm):
        self.told.append((alarm.name, alarm.subject, alarm.state))
        self.ledger.take(alarm)

    def sound(self, name, subject="", **more):
        return self.board.sound(name, subject, grade=Grade.MAJOR, cause="seen", suggestion="look", **more)


def test_what_was_raised_is_raised_and_as_old_as_it_is(tmp_path):
    first = Run(tmp_path, 1000.0)
    first.sound(kinds.LINK_DOWN, "a:1")
    first.sound(kinds.LONGEST_WAIT, "claims", queue="claims")
    first.sound("crm.away")
    first.board.clear(kinds.LINK_DOWN, "a:1")
    second = Run(tmp_path, 1060.0)
    (raised,) = second.board.raised
    assert (raised.name, raised.queue, raised.cause, raised.grade) == (
        "queue.longest_wait",
        "claims",
        "seen",
        Grade.MAJOR,
    )
    assert second.board.now() - raised.at == 60
    assert second.told == []
    assert not second.sound(kinds.LONGEST_WAIT, "claims"), "it is raised already"
    second.board.clear(kinds.LONGEST_WAIT, "claims")
    assert second.told == [(kinds.LONGEST_WAIT, "claims", "cleared")]
    assert Run(tmp_path, 1100.0).board.raised == ()


def test_a_judge_that_knows_of_it_clears_it_when_it_is_over():
    judge = Judge({"x": KINDS[kinds.LONGEST_WAIT]})
    judge.know(Observation("x", "claims", bad=True))
    judge.know(Observation("of no kind", "claims", bad=True))
    assert judge.look([Observation("x", "claims", bad=True)], 0.0) == []
    assert judge.look([], 1.0) == []
    (verdict,) = judge.look([], 31.0)
    assert not verdict.raised


def test_a_damaged_file_is_set_aside(tmp_path):
    Run(tmp_path, 1.0).sound(kinds.LINK_DOWN)
    (tmp_path / FILE).write_bytes(b"\0" * 30_000)
    for beside in ("-wal", "-shm"):
        (tmp_path / f"{FILE}{beside}").unlink(missing_ok=True)
    run = Run(tmp_path, 2.0)
    assert run.sound(kinds.LINK_DOWN)
    assert len(Run(tmp_path, 3.0).board.raised) == 1
    assert list(tmp_path.glob(f"{FILE}.damaged-*"))


def test_a_watch_clears_what_was_brought_back_and_is_over(tmp_path, monkeypatch):
    settled = {name: kind.__class__(kind.grade, 0, 0, kind.suggestion) for name, kind in KINDS.items()}
    monkeypatch.setattr("cti.alarms.settings.KINDS", settled)
    before = Run(tmp_path, 1.0)
    before.sound(kinds.UNSTAFFED, "claims", queue="claims")
    before.sound(kinds.TRUNK, "BUSY")
    with bench() as line:
        line.centre.add_queue("claims", requires="claims")
        line.centre.start()
        AlarmLedger(tmp_path).bring_back(line.centre.alarms)
        watched = Watched(line)
        watched.until_told(kinds.TRUNK, "cleared")
        assert (kinds.UNSTAFFED, "claims") in watched.now()
        assert watched.history(kinds.UNSTAFFED) == [], "it is not told again"
        line.agent("ann", skills={"claims": 1})
        watched.until_told(kinds.UNSTAFFED, "cleared")
        watched.watch.stop()


def test_other_settings_while_it_watches(monkeypatch):
    settled = {name: kind.__class__(kind.grade, 0, 0, kind.suggestion) for name, kind in KINDS.items()}
    monkeypatch.setattr("cti.alarms.settings.KINDS", settled)
    with bench() as line:
        line.centre.add_queue("claims", requires="claims")
        line.centre.start()
        watched = Watched(line)
        watched.until_told(kinds.UNSTAFFED, "raised")
        watched.watch.use(AlarmSettings(every_s=0.01, off=[kinds.UNSTAFFED]))
        watched.until_told(kinds.UNSTAFFED, "cleared")
        watched.watch.use(AlarmSettings(every_s=0.01, grades={kinds.UNSTAFFED: "critical"}))
        line.until("it is raised again", lambda: watched.history(kinds.UNSTAFFED) == ["raised", "cleared", "raised"])
        assert watched.told[-1].grade is Grade.CRITICAL
        watched.watch.stop()


@pytest.mark.parametrize("count", [3])
def test_what_is_kept_is_bounded(tmp_path, monkeypatch, count):
    monkeypatch.setattr("cti.alarms.ledger.KEPT", count)
    run = Run(tmp_path, 1.0)
    for _ in range(20):
        run.sound(kinds.LINK_DOWN)
        run.board.clear(kinds.LINK_DOWN)
    left = run.ledger._file.work(lambda database: database.execute("SELECT count(*) FROM alarm").fetchone())
    assert left[0] <= count + 1
