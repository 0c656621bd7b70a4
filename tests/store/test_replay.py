"""Replaying: the same decisions, or the first that is another; and going on where something is missing."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from cti.errors import ConfigurationError, CtiError
from cti.model import facts
from cti.model.ids import IdSource, QueueId
from cti.model.queue import QueueSettings
from cti.routing import SkillRouter
from cti.store import Journal, RecordedEngine, Replay
from cti.store.frame import MAGIC, frame
from cti.store.plain import packer, unpack
from cti.store.segment import read_segment
from tests.engine.story import Story
from tests.store.recording import a_day

from .recording import files, record
from .test_snapshot import DAYS, Counting

TOLD = a_day(3).told


@pytest.mark.parametrize("day", sorted(DAYS))
def test_a_recorded_day_is_the_same_again(tmp_path, day):
    journal = record(tmp_path, DAYS[day], segment_bytes=20_000)
    report = Replay(tmp_path).run()
    assert report.same, report.first_difference
    assert report.facts == len(DAYS[day])
    assert report.snapshots_compared == journal.figures.segments - 1 > 1
    assert report.offers > 10
    assert (report.passed_over, dict(report.notes)) == (0, {})


def test_refusals_are_part_of_it(tmp_path):
    record(tmp_path, [*TOLD, (facts.ReadyRequested("nobody"), 5000.0)])
    report = Replay(tmp_path).run()
    assert (report.refused, report.same) == (1, True)


def test_a_replay_may_begin_at_any_segment(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    paths = files(tmp_path)
    for path in paths[:2]:
        path.unlink()
    report = Replay(tmp_path).run()
    assert report.same
    assert 0 < report.facts < len(TOLD)
    assert report.segments == len(paths) - 2


def test_from_and_to_choose_the_facts(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    begin, end = TOLD[len(TOLD) // 2][1], TOLD[-20][1]
    report = Replay(tmp_path, since=begin, until=end).run()
    assert report.facts == sum(begin <= at <= end for _, at in TOLD)
    assert (report.since, report.until) == (begin, end)
    assert report.segments < len(files(tmp_path))
    assert report.same


def two_agents():
    """Zoe has been idle for longer, Ann is first by name; one call comes."""
    s = Story(getrandbits=random.Random(42).getrandbits, now=100.0)
    s.queue("sales")
    s.agent("zoe")
    s.advance(5)
    s.agent("ann")
    s.advance(5)
    call = s.waiting("sales")
    return s.told, call


def test_another_decision_is_named_with_its_time_and_fact(tmp_path):
    told, call = two_agents()
    record(tmp_path, told)
    report = Replay(tmp_path, router=lambda chance: SkillRouter("top-down", chance=chance)).run()
    assert (report.same, report.differing) == (False, 1)
    first = report.first_difference
    assert (first.segment, first.at, first.fact.split()[0]) == (1, 110.0, "QueueRequested")
    assert first.what == f"then call {call} was offered to zoe, now call {call} was offered to ann"


def test_a_changed_record_is_found_at_its_place(tmp_path):
    """One fact of many is another than the one that was handled: the next digest tells."""
    record(tmp_path, TOLD)
    path = files(tmp_path)[0]
    payloads = [packer().pack(_changed(raw)) for raw in _raw(tmp_path)]
    path.write_bytes(MAGIC + b"".join(map(frame, payloads)))
    first = Replay(tmp_path).run().first_difference
    assert first.fact.startswith("Offered")
    assert "something else" in first.what


def _raw(directory):
    from cti.store.frame import scan

    return [unpack(each.payload) for each in scan(files(directory)[0].read_bytes())]


def _changed(raw):
    if raw[0] == 2 and raw[2] == "Offered":
        raw[3]["calling_name"] += "!"
    return raw


def test_after_damage_it_goes_on_at_the_next_snapshot(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    path = files(tmp_path)[1]
    data = bytearray(path.read_bytes())
    data[-300] ^= 1
    path.write_bytes(bytes(data))
    report = Replay(tmp_path).run()
    assert report.same
    assert 0 < report.passed_over < 10
    assert report.facts + report.passed_over == len(TOLD) - 1
    assert any("000002.ctij: damaged" in note for note in report.notes)


def test_a_missing_segment_is_said_and_passed_over(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    files(tmp_path)[1].unlink()
    report = Replay(tmp_path).run()
    assert report.same
    assert "segments between 1 and 3 are missing" in report.notes


def test_two_runs_of_a_centre_are_two_stretches(tmp_path):
    record(tmp_path, TOLD[:100])
    record(tmp_path, a_day(4).told[:100])
    report = Replay(tmp_path).run()
    assert (report.facts, report.same) == (200, True)
    assert "segment 2: the centre was started again" in report.notes


def test_a_fact_of_a_newer_version_is_named_and_passed_over(tmp_path):
    record(tmp_path, TOLD, segment_bytes=10_000)
    path = files(tmp_path)[0]
    newer = packer().pack([2, TOLD[5][1], "PhoneFloated", {}, 0, "", [], []])
    path.write_bytes(path.read_bytes() + frame(newer))
    report = Replay(tmp_path).run()
    assert (report.same, report.facts, report.passed_over) == (True, len(TOLD), 1)
    assert any("PhoneFloated" in note for note in report.notes)


def test_data_that_was_not_kept_is_named(tmp_path):
    data = {"socket": object(), "tuple": (1, 2), "key": {(1, 2): 3}}
    told = [(f, at) for f, at in TOLD[:30]]
    told += [(facts.Offered("fs", "one", "1", "", "2", data=data), TOLD[30][1])]
    told += TOLD[30:200]
    record(tmp_path, told, segment_bytes=10_000)
    report = Replay(tmp_path).run()
    assert report.differing <= 1, "none but that call's own fact, which attached nothing of it"
    assert report.notes["Offered: data.socket could not be kept when it was recorded"] == 1


class ByShoeSize:
    def key(self, agent, queue):
        return agent.id[::-1]


def test_a_strategy_given_as_an_object_is_said_and_may_be_given_again(tmp_path):
    told = [*TOLD[:3], (facts.QueueDefined(QueueSettings(QueueId("sales"), strategy=ByShoeSize())), 0.0), *TOLD[5:]]
    record(tmp_path, told)
    report = Replay(tmp_path).run()
    assert not report.same
    assert any("ByShoeSize was given as an object" in note for note in report.notes)
    report = Replay(tmp_path, strategies={f"{ByShoeSize.__module__}:ByShoeSize": ByShoeSize()}).run()
    assert (report.same, dict(report.notes)) == (True, {})


def test_a_router_of_its_own_has_to_be_named(tmp_path):
    record(tmp_path, TOLD, router=Counting(), segment_bytes=10_000)
    with pytest.raises(ConfigurationError, match="test_snapshot:Counting; name it"):
        Replay(tmp_path).run()
    assert Replay(tmp_path, router=lambda _: Counting()).run().same


def test_a_router_that_cannot_be_restored_is_said(tmp_path):
    class Refuses(Counting):
        def restore(self, state, agents):
            raise ZeroDivisionError

    record(tmp_path, TOLD, router=Counting())
    report = Replay(tmp_path, router=lambda _: Refuses()).run()
    assert (report.facts, report.passed_over) == (0, len(TOLD))
    assert "000001.ctij: its snapshot cannot be restored: ZeroDivisionError()" in report.notes


def test_a_router_that_raises_is_a_difference_and_no_traceback(tmp_path):
    class Broken(SkillRouter):
        def agent_for(self, call):
            raise ZeroDivisionError

    record(tmp_path, TOLD)
    report = Replay(tmp_path, router=lambda _: Broken()).run()
    assert not report.same
    assert any("the engine failed on a fact QueueRequested: ZeroDivisionError" in note for note in report.notes)


def test_looking_at_the_centre_changes_no_replay(tmp_path):
    """A view moves the engine's clock, as CallCenter.snapshot does."""
    journal = Journal(tmp_path, segment_bytes=5_000)
    chance = random.Random(42)
    engine = RecordedEngine(IdSource(chance.getrandbits), SkillRouter(), journal, chance=chance)
    for fact, at in TOLD[:200]:
        with suppress(CtiError):
            engine.handle(fact, at)
        engine.world.now = engine.world.router.now = at + 0.0001
    journal.close()
    report = Replay(tmp_path).run()
    assert (report.same, report.facts) == (True, 200)


def test_the_timers_that_run_are_in_a_snapshot_with_their_times(tmp_path):
    """What a centre that is started again after a crash needs, beside the engine's own state."""
    record(tmp_path, TOLD, segment_bytes=10_000)
    _, snapshot, *_ = read_segment(tmp_path, 3).records()
    running = {(kind, key): generation for kind, key, generation in snapshot.picture["Timers._running"]}
    due = {(kind, key): (generation, at) for kind, key, generation, at in snapshot.picture["due"]}
    assert running == {timer: generation for timer, (generation, _) in due.items()}
    assert running
    assert all(at > snapshot.at for _, at in due.values())


def test_a_directory_without_a_journal_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="no segments"):
        Replay(tmp_path)
    with pytest.raises(ConfigurationError, match=r"nowhere.*name a journal's directory"):
        Replay(tmp_path / "nowhere")
