"""The same traffic with another router: figures that can be checked by hand."""

from __future__ import annotations

import random

import pytest

from cti.model.ids import QueueId
from cti.model.overflow import ToDestination, ToQueue
from cti.routing import SkillRouter
from cti.store import Replay, compare
from cti.store.observed import observe
from cti.store.outcome import figures
from tests.engine.story import Story

from .recording import record


def story():
    return Story(getrandbits=random.Random(42).getrandbits, now=1000.0)


def top_down(chance):
    return SkillRouter("top-down", chance=chance)


def most_skilled(chance):
    return SkillRouter("most-skilled", chance=chance)


def plain(chance):
    return SkillRouter(chance=chance)


def a_morning(strategy="longest-idle"):
    """Zoe and Ann take a call each, of 60 s; a third caller hangs up after 20 s of waiting."""
    s = story()
    s.queue("sales", strategy=strategy, wrap_up_s=5, service_level_s=30)
    s.agent("zoe")
    s.advance(1)
    s.agent("ann")
    s.advance(9)
    first = s.waiting("sales")  # at 1010
    rung = next(name for name in ("zoe", "ann") if s.reservation(name))
    s.advance(4)
    leg = s.take(rung)
    s.advance(60)
    s.cleared(leg)
    s.cleared(s.caller_of(first))
    s.advance(10)
    s.agent("ann", logged_on=False)
    s.not_ready("ann")
    s.not_ready("zoe")
    third = s.waiting("sales")  # at 1084
    s.advance(20)
    s.hang_up(third)
    s.advance(10)
    s.not_ready("ann")
    return s


def test_what_does_not_depend_on_routing_is_observed(tmp_path):
    record(tmp_path, a_morning().told)
    (seen,) = observe(Replay(tmp_path))
    first, third = seen.outcomes
    assert (first.outcome, first.agent, first.waited_s, first.talk_s) == ("answered", "zoe", 4.0, 60.0)
    assert (third.outcome, third.waited_s) == ("abandoned", 20.0)
    assert seen.ring_s == {"zoe": 4.0}
    assert [call.gone_at for call in seen.calls.values()] == [None, 1104.0]
    assert (seen.since, seen.until) == (1000.0, 1114.0)


def test_the_same_router_simulated_makes_what_was_recorded(tmp_path):
    record(tmp_path, a_morning().told)
    found = compare(Replay(tmp_path), plain)
    assert found.recorded == found.before == found.after
    assert (found.agent_changed, found.outcome_changed, found.changed, found.longer) == (0, 0, (), 0)
    figures = found.recorded
    assert (figures.offered, figures.answered, figures.abandoned) == (2, 1, 1)
    assert (figures.mean_wait_s, figures.service_level, dict(figures.by_agent)) == (4.0, 1.0, {"zoe": 1})


def test_another_strategy_gives_the_call_to_another_agent(tmp_path):
    record(tmp_path, a_morning().told)
    found = compare(Replay(tmp_path), top_down)
    assert found.recorded == found.before
    assert dict(found.after.by_agent) == {"ann": 1}
    assert (found.agent_changed, found.outcome_changed) == (1, 0)
    (changed,) = found.changed
    assert (changed.before_agent, changed.after_agent, changed.at) == ("zoe", "ann", 1010.0)


def test_a_caller_who_hung_up_is_answered_where_somebody_is_free(tmp_path):
    """With the expert kept free, the second caller, who wants the expert, need not wait."""
    s = story()
    s.queue("easy", service_level_s=30)
    s.queue("hard", requires="deep >= 5", service_level_s=30)
    s.agent("expert", skills={"deep": 5})
    s.advance(1)
    s.agent("novice")
    s.advance(1)
    easy = s.waiting("easy")  # longest idle: the expert
    s.take("expert")
    s.advance(1)
    hard = s.waiting("hard")
    s.advance(15)
    s.hang_up(hard)
    s.advance(100)
    s.hang_up(easy)
    for leg in [leg.id for leg in s.world.connections.values()]:
        s.cleared(leg)
    s.advance(50)
    s.not_ready("novice")
    record(tmp_path, s.told)
    found = compare(Replay(tmp_path), lambda chance: SkillRouter("least-skilled", chance=chance))
    assert (found.before.answered, found.before.abandoned) == (1, 1)
    assert (found.after.answered, found.after.abandoned) == (2, 0)
    assert (found.agent_changed, found.outcome_changed) == (1, 1)
    worse = compare(Replay(tmp_path), most_skilled)
    assert worse.after == worse.before


def test_overflow_and_scripts_are_part_of_it(tmp_path):
    s = story()
    s.queue("second", service_level_s=30)
    s.queue("first", requires="x", max_wait_s=10, overflow=ToQueue(QueueId("second")))
    s.queue("third", requires="x", max_wait_s=10, overflow=ToDestination("voicemail"))
    s.agent("ann")
    s.waiting("first")
    s.advance(10)  # to the second, where Ann takes it
    leg = s.take("ann")
    away, gone = s.waiting("third"), s.waiting("third")
    s.advance(5)
    s.clear(gone)
    s.cleared(s.caller_of(gone))
    s.advance(20)
    assert away not in s.world.interactions
    s.cleared(leg)
    s.advance(1)
    s.ready("ann")
    record(tmp_path, s.told)
    found = compare(Replay(tmp_path), plain)
    assert found.recorded == found.before == found.after
    assert (found.after.answered, found.after.left, found.after.overflows) == (1, 2, 2)


def test_route_scripts_answer_what_they_answered(tmp_path):
    from cti.model import events, facts

    s = story()
    s.queue("other")
    s.queue("asks", requires="x", route_script="where")
    s.agent("ann")
    call = s.waiting("asks")
    (asked,) = s.events(events.RouteRequested)
    s.tell(facts.RouteSelected(call, asked.cross_ref, to=ToQueue(QueueId("other"))))
    leg = s.take("ann")
    s.advance(30)
    s.cleared(leg)
    s.advance(1)
    s.ready("ann")
    record(tmp_path, s.told)
    found = compare(Replay(tmp_path), plain)
    assert found.recorded.answered == found.after.answered == 1


def test_agents_who_did_not_answer_stay_away_for_as_long(tmp_path):
    s = story()
    s.queue("sales", ring_timeout_s=10)
    s.agent("ann")
    call = s.waiting("sales")
    s.delivered(s.offered_leg("ann"))
    s.advance(10)  # no answer: not ready
    s.advance(30)
    s.ready("ann")
    s.take("ann")
    s.advance(20)
    s.hang_up(call)
    s.advance(1)
    record(tmp_path, s.told)
    (seen,) = observe(Replay(tmp_path))
    assert [type(fact).__name__ for _, fact in seen.staff][-2:] == ["NotReadyRequested", "ReadyRequested"]


def test_a_journal_that_begins_in_the_middle_of_a_day(tmp_path):
    from .recording import files

    record(tmp_path, a_morning().told, segment_bytes=1500)
    for path in files(tmp_path)[:-4]:
        path.unlink()
    found = compare(Replay(tmp_path), top_down)
    assert found.replay.same
    assert found.recorded.offered == found.after.offered > 0


def test_figures_of_nothing():
    empty = figures([])
    assert (empty.offered, empty.service_level, empty.mean_wait_s, empty.p90_wait_s) == (0, None, None, None)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_simulation_is_the_same_each_time(tmp_path, seed):
    from tests.store.recording import a_day

    record(tmp_path, a_day(seed).told)
    one, other = (compare(Replay(tmp_path), most_skilled) for _ in range(2))
    assert one == other
    assert one.before.answered > one.recorded.answered  # here every offer is answered
