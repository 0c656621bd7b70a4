"""An engine that is killed, and one that takes up what was written by then."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from cti.engine.invariants import broken
from cti.errors import InvalidAgentState, UnknownAgent
from cti.model import facts, intents
from cti.model.ids import AgentId, IdSource, SwitchId
from cti.model.states import AgentState, LinkState
from cti.model.switch import SwitchSettings
from cti.routing import RingAll, SkillRouter
from cti.store import Codec, Journal, JournalError, RecordedEngine, Replay, survey
from cti.store.past import read_past
from cti.store.recovery import Due
from cti.store.snapshot import take
from tests.engine.story import Story
from tests.store.recording import SEED, a_day, an_engine, files, record, tell

AFTER_S = 5.0


def again(directory, *, now=None, router=None, chance=None):
    """A process that begins where the one before was killed; and its journal."""
    journal = Journal(directory)
    past = journal.past()
    assert past is not None
    chance = chance or random.Random(7)
    engine = RecordedEngine(
        IdSource(chance.getrandbits, 100.0),
        router or SkillRouter(chance=chance.random),
        journal,
        chance=chance,
        past=past,
        now=past.at + AFTER_S if now is None else now,
    )
    return engine, journal, past


def known(engine):
    """What it knows of agents, calls and queues."""
    picture, _ = take(engine, Codec())
    return {
        name: picture[f"World.{name}"] for name in ("agents", "queues", "interactions", "connections", "reservations")
    }


@pytest.mark.parametrize("snapshot_bytes", [1_000, 20_000, 10_000_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_knows_what_was_known(tmp_path, seed, snapshot_bytes):
    day = a_day(seed)
    told = day.told[: 200 + 40 * seed]
    record(tmp_path, told, snapshot_bytes=snapshot_bytes)
    original = RecordedEngine(IdSource(random.Random(SEED).getrandbits), SkillRouter(), Journal(tmp_path / "other"))
    tell(original, told)
    engine, journal, past = again(tmp_path)
    assert known(engine) == known(original)
    assert engine.world.links == dict.fromkeys(engine.world.links, LinkState.DOWN)
    assert {(f.kind, f.key, f.generation) for f, _ in engine.due} == {
        (f.kind, f.key, f.generation) for f, _ in original.due
    }
    assert [at for _, at in engine.due] == pytest.approx([at for _, at in original.due])
    assert all(first[1] <= second[1] for first, second in pairwise(engine.due))
    assert engine.world.now == past.at + AFTER_S
    assert broken(engine.world, grace_s=3600) == []
    journal.close()


def test_what_rings_several_phones_rings_as_many_again(tmp_path):
    s = Story(getrandbits=random.Random(SEED).getrandbits)
    s.queue("sales", strategy=RingAll(most=2))
    for name in ("ann", "bob", "dan"):
        s.agent(name)
    calls = [s.waiting("sales") for _ in range(2)]
    record(tmp_path, s.told)
    engine, journal, _ = again(tmp_path)
    assert list(engine.world.interactions) == calls
    assert engine.taken_up.notes == []
    journal.close()


def test_snapshots_within_a_segment_are_replayed_over(tmp_path):
    record(tmp_path, a_day(3).told, snapshot_bytes=10_000)
    assert len(files(tmp_path)) == 1
    report = Replay(tmp_path).run()
    assert report.same, report.first_difference
    assert report.snapshots_compared > 2
    assert report.facts == survey(tmp_path).facts.total()


def test_what_was_not_written_is_not_drawn_again(tmp_path):
    """The leg that was made in the last moment has its id; the next one needs another."""
    day = a_day(4)
    record(tmp_path, day.told)
    chance = random.Random(SEED)
    tell(an_engine(chance), day.told)
    engine, journal, _ = again(tmp_path)
    lost, fresh = IdSource(chance.getrandbits).connection(), engine.world.ids.connection()
    assert lost != fresh
    assert engine.world.next_token() > 1000
    journal.close()


def test_the_first_log_on_of_one_who_is_there_changes_nothing(tmp_path):
    day = a_day(5)
    record(tmp_path, day.told)
    engine, journal, past = again(tmp_path)
    there = next(agent for agent in engine.world.agents.values() if agent.state is not AgentState.NULL)
    state, since = there.state, there.state_since
    assert engine.handle(facts.LogOnRequested(there.id, ready=True), past.at + AFTER_S) == []
    assert (there.state, there.state_since) == (state, since)
    journal.close()


def test_after_a_night_nobody_is_logged_on(tmp_path):
    record(tmp_path, a_day(5).told)
    engine, journal, _ = again(tmp_path, now=read_past(tmp_path).at + 13 * 3600)
    for agent in engine.world.agents.values():
        assert agent.state is AgentState.NULL or agent.pending is not None
    assert engine.taken_up.sessions == set()
    journal.close()


def test_a_torn_tail_costs_only_itself(tmp_path):
    record(tmp_path, a_day(1).told)
    (segment,) = files(tmp_path)
    whole = read_past(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-7])
    torn = read_past(tmp_path)
    assert torn.facts == whole.facts[:-1]
    ended_at = segment.stat().st_mtime_ns
    _, journal, past = again(tmp_path)
    assert past.facts == torn.facts
    assert segment.stat().st_mtime_ns == ended_at, "when the run before ended is not lost by the repair"
    journal.close()


def test_damage_in_the_midst_ends_what_is_told_again_and_is_said(tmp_path):
    record(tmp_path, a_day(1).told)
    (segment,) = files(tmp_path)
    data = bytearray(segment.read_bytes())
    data[-2_000] ^= 0xFF
    segment.write_bytes(data)
    past = read_past(tmp_path)
    assert past.facts
    assert len(past.notes) == 1
    engine, journal, _ = again(tmp_path)
    assert past.notes[0] in engine.taken_up.notes
    journal.close()


def test_the_segment_before_is_taken_if_the_last_is_of_no_use(tmp_path):
    record(tmp_path, a_day(1).told, segment_bytes=20_000)
    *_, before, last = files(tmp_path)
    last.write_bytes(b"")
    past = read_past(tmp_path)
    assert past.header.number == int(before.stem)
    assert any(last.name in note for note in past.notes)


def test_none_of_use_is_an_error_and_none_at_all_is_not(tmp_path):
    assert read_past(tmp_path) is None
    (tmp_path / "000001.ctij").write_bytes(b"what is this")
    with pytest.raises(JournalError, match="no segment has a snapshot"):
        read_past(tmp_path)
    journal = Journal(tmp_path)
    assert journal.past() is None
    assert files(tmp_path) == []
    assert [path.read_bytes() for path in tmp_path.glob("aside-*/*")] == [b"what is this"]
    journal.close()


class Stubborn(SkillRouter):
    """A router that does not want to go on."""

    def restore(self, state, agents):
        raise RuntimeError("no")


def test_a_snapshot_that_cannot_be_restored_leaves_an_empty_engine(tmp_path):
    record(tmp_path, a_day(1).told)
    router = Stubborn()
    engine, journal, _ = again(tmp_path, router=router)
    assert not engine.world.agents
    assert not engine.taken_up.calls
    assert engine.world.router is not router
    assert len(list(tmp_path.glob("aside-*/*.ctij"))) == 1
    tell(engine, a_day(2).told)
    journal.close()
    assert survey(tmp_path).sound


def test_the_clock_goes_on_by_when_the_journal_was_written(tmp_path):
    record(tmp_path, a_day(1).told)
    past = read_past(tmp_path)
    assert past.clock_at(past.ended_at + 2.0) == pytest.approx(past.at + 2.0)
    assert past.clock_at(past.ended_at - 1000.0) == past.at, "it never runs backwards"


def test_who_and_what_is_defined_again_is_no_longer_strange(tmp_path):
    record(tmp_path, a_day(1).told)
    engine, journal, past = again(tmp_path)
    assert engine.taken_up.agents == set(engine.world.agents)
    engine.handle(facts.AgentDefined(engine.world.agents[AgentId("ann")].settings), past.at + AFTER_S)
    assert "ann" not in engine.taken_up.agents
    assert engine.taken_up.queues == set(engine.world.queues)
    first, *others = sorted(engine.taken_up.queues)
    engine.handle(facts.QueueDefined(engine.world.queues[first].settings), past.at + AFTER_S)
    assert sorted(engine.taken_up.queues) == others
    journal.close()


def test_a_session_goes_on_once(tmp_path):
    shift = Story()
    for name in ("ann", "bob", "dan"):
        shift.agent(name)
    record(tmp_path, shift.told)
    engine, journal, past = again(tmp_path)
    now, state = past.at + AFTER_S, lambda name: engine.world.agents[name].state
    ann, bob, dan = (facts.LogOnRequested(AgentId(name)) for name in ("ann", "bob", "dan"))
    assert engine.handle(ann, now) == []
    with pytest.raises(InvalidAgentState, match="logged on already"):
        engine.handle(ann, now)
    # Who has logged off or was removed after the restart, and before they said that they are there, is not.
    engine.handle(facts.LogOffRequested(bob.agent, ""), now)
    assert state("bob") is AgentState.NULL
    engine.handle(bob, now)
    assert state("bob") is AgentState.NOT_READY
    engine.handle(facts.AgentRemoved(dan.agent), now)
    with pytest.raises(UnknownAgent):
        engine.handle(dan, now)
    journal.close()


def test_of_switches_those_with_calls_are_known_until_the_program_says_which_there_are(tmp_path):
    centre = Story()
    centre.queue("sales")
    for name in ("north", "south"):
        centre.tell(facts.SwitchDefined(SwitchSettings(SwitchId(name))))
        centre.link_up(switch=SwitchId(name))
    centre.call(switch=SwitchId("south"))
    centre.agent("ann")
    centre.agent("bob", logged_on=False)
    record(tmp_path, centre.told)
    engine, journal, past = again(tmp_path)
    assert engine.world.switches == {}
    assert engine.world.links == {"south": LinkState.DOWN}
    assert engine.taken_up.sessions == {"ann"}
    assert engine.taken_up.figures["agents"] == engine.taken_up.figures["calls"] == 1
    assert engine.taken_up.figures["facts_after_the_snapshot"] == len(past.facts) > 0
    journal.close()


def test_the_timers_that_run_are_known_whatever_fires_late():
    due = Due()
    due.follow(
        facts.LinkLost("fs"), [intents.StartTimer("wait", "c1", 1, 5.0), intents.StartTimer("wrap", "a1", 2, 3.0)], 10.0
    )
    assert list(due) == [(facts.TimerFired("wrap", "a1", 2), 13.0), (facts.TimerFired("wait", "c1", 1), 15.0)]
    due.follow(facts.TimerFired("wait", "gone", 7), [], 11.0)
    due.follow(facts.TimerFired("wait", "c1", 0), [], 11.0)  # of before it was started anew
    assert len(list(due)) == 2
    due.follow(
        facts.TimerFired("wait", "c1", 1), [intents.CancelTimer("wrap", "a1"), intents.CancelTimer("x", "y")], 15.0
    )
    assert list(due) == []
