"""Whole runs: every call in one figure, the same run from the same seed, nothing left behind, whatever goes wrong."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest
from attrs import evolve

from cti.errors import ConfigurationError, UnknownStrategy
from cti.model.agent import AgentSettings
from cti.model.ids import QueueId
from cti.model.overflow import ToDestination, ToQueue
from cti.model.queue import QueueSettings
from cti.routing.skill_router import SkillRouter
from cti.simulation import PROFILES, Calls, FaultProfile, Simulation, SimulationSettings

from .centre import run, settings


def adds_up(report):
    return report.offered == (report.answered + report.abandoned + report.overflowed + report.lost + report.unaccounted)


def test_every_call_is_answered_where_nobody_hangs_up():
    report = run(calls=100)
    assert (report.offered, report.answered, report.abandoned, report.lost) == (100, 100, 0, 0)
    assert report.sound
    assert report.decisions >= 100
    assert report.waits.longest_s > 0
    assert 0.5 < report.occupancy < 1


def test_the_impatient_are_counted_as_abandoned_and_waited_as_long_as_they_did():
    ends = []
    report = run(calls=200, load=2.0, patience_s=30.0, on_end=ends.append)
    assert report.abandoned > 20
    assert adds_up(report)
    assert report.sound
    assert sorted(end.number for end in ends) == list(range(1, 201))
    by_fate = {fate: [end for end in ends if end.fate == fate] for fate in ("answered", "abandoned")}
    assert len(by_fate["abandoned"]) == report.abandoned
    assert report.waits.mean_s == pytest.approx(sum(end.waited_s for end in ends) / 200)
    assert report.abandoned_share == report.abandoned / 200
    in_time = sum(end.fate == "answered" and end.waited_s <= 20 for end in ends)
    assert report.service_level == in_time / (200 - report.abandoned)


@pytest.mark.parametrize("overflow", [{}, {"overflow": ToDestination("voicemail")}])
def test_calls_that_wait_too_long_overflow(overflow):
    report = run(calls=60, load=3.0, queue={"max_wait_s": 30.0, **overflow})
    assert report.overflowed > 10
    assert report.answered + report.overflowed == 60
    assert report.sound


def test_a_call_that_overflows_to_another_queue_is_answered_there():
    made = settings(calls=60, load=3.0, queue={"max_wait_s": 30.0, "overflow": ToQueue(QueueId("second"))})
    second = QueueSettings("second", music="")
    report = Simulation(evolve(made, queues=(second, *made.queues))).run()
    assert report.overflowed == 0
    assert report.answered == 60
    assert report.sound


def test_several_queues_each_with_its_callers_and_its_agents():
    ends = []
    made = SimulationSettings(
        agents=(
            AgentSettings("ann", "user/1", skills={"sales": 5}),
            AgentSettings("bob", "user/2", skills={"claims": 5}),
        ),
        queues=(
            QueueSettings("sales", requires="sales", music=""),
            QueueSettings("claims", requires="claims", music=""),
        ),
        calls=(
            Calls(queue="sales", count=20, rate_per_s=1 / 200, handle_s=100),
            Calls(queue="claims", count=40, rate_per_s=1 / 100, handle_s=50),
        ),
    )
    simulation = Simulation(made, on_end=ends.append)
    report = simulation.run()
    assert report.answered == 60
    assert [sum(end.queue == queue for end in ends) for queue in ("sales", "claims")] == [20, 40]
    answered = {agent.id: agent.calls_answered for agent in simulation.engine.world.agents.values()}
    assert answered == {"ann": 20, "bob": 40}


# -- the same again ---------------------------------------------------------------------------------------------------

_HASH_OF_A_RUN = """
from tests.simulation.centre import run
print(run(calls=60, load=1.2, patience_s=60.0, faults="heavy", seed=7).decisions_sha256)
"""


def test_a_seed_is_a_run_whatever_the_hash_seed_of_python():
    hashes = set()
    for hash_seed in ("1", "2"):
        made = subprocess.run(
            [sys.executable, "-c", _HASH_OF_A_RUN],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        )
        hashes.add(made.stdout.strip().splitlines()[-1])
    assert len(hashes) == 1
    assert run(calls=60, load=1.2, patience_s=60.0, faults="heavy", seed=7).decisions_sha256 in hashes
    assert run(calls=60, load=1.2, patience_s=60.0, faults="heavy", seed=8).decisions_sha256 not in hashes


def test_the_callers_are_the_same_whoever_serves_them():
    arrivals = []
    for agents in (4, 6):
        ends = []
        made = settings(agents=agents, calls=50, load=0.8 * 5 / agents)
        Simulation(made, on_end=ends.append).run()
        arrivals.append([end.arrived_at for end in sorted(ends, key=lambda end: end.number)])
    assert arrivals[0] == arrivals[1]


def test_another_router_decides_otherwise():
    usual = run(calls=60)
    top_down = run(calls=60, router=lambda _: SkillRouter("top-down"))
    assert top_down.answered == usual.answered
    assert top_down.decisions_sha256 != usual.decisions_sha256


# -- when things go wrong ---------------------------------------------------------------------------------------------

_ALL = FaultProfile(busy=0.1, rejects=0.1, no_answer=0.1, unplugged_every_s=600.0, receiver_down_s=400.0)


@pytest.mark.parametrize(
    ("profile", "strikes"),
    [
        (FaultProfile(events_late=0.05, late_s=3.0), "events late"),
        (FaultProfile(events_doubled=0.2), "events doubled"),
        (FaultProfile(events_swapped=0.2), "events swapped"),
        (FaultProfile(commands_refused=0.05), "commands refused"),
        (FaultProfile(jobs_lost=0.1), "jobs lost"),
        (FaultProfile(unanswered_every_s=1200.0), "commands never answered"),
        (FaultProfile(drops_every_s=300.0), "links dropped"),
        (FaultProfile(restarts_every_s=1200.0), "restarts"),
        (FaultProfile(events_lost=0.02, drops_every_s=300.0), "events lost"),
        (_ALL, "phones unplugged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_leaves_every_call_accounted_for_and_nobody_stuck(profile, strikes):
    report = run(calls=150, patience_s=120.0, profile=profile, check_every=20)
    assert report.faults[strikes] > 0
    assert report.sound, (report.violations_named, report.stuck, report.unaccounted)
    assert report.answered > 0
    assert adds_up(report)


@pytest.mark.parametrize("name", sorted(PROFILES))
@pytest.mark.parametrize("seed", [1, 2])
def test_the_profiles(name, seed):
    report = run(agents=10, calls=300, patience_s=120.0, faults=name, seed=seed)
    assert bool(report.faults) == (name != "none")
    assert report.sound, (report.violations_named, report.stuck, report.unaccounted)


def test_callers_are_lost_with_the_switch_and_with_nothing_else():
    restarted = run(calls=150, load=1.5, profile=FaultProfile(restarts_every_s=900.0))
    assert restarted.lost >= restarted.faults["restarts"] > 0
    assert run(calls=150, load=1.5, profile=FaultProfile(drops_every_s=300.0)).lost == 0


def test_what_is_left_at_the_end_is_named():
    """A centre that is cut off in the middle of a run never learns what became of its calls."""
    simulation = Simulation(settings(calls=30, patience_s=60.0))
    simulation.scheduler.call_later(500.0, simulation.client.stop)
    report = simulation.run()
    assert not report.sound
    assert report.unaccounted > 0
    assert report.unseen > 0
    assert adds_up(report)
    assert any("is busy" in what for what in report.stuck)
    assert any("is established" in what for what in report.stuck)


def test_a_long_queue_ends_all_the_same():
    report = run(agents=1, calls=120, load=20.0)
    assert report.answered == 120
    assert report.sound


def test_an_unknown_strategy_is_said_before_the_run():
    with pytest.raises(UnknownStrategy, match="longest-idle"):
        run(queue={"strategy": "longest-idel"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"agents": ()}, "needs agents"),
        ({"calls": ()}, "needs calls"),
        ({"queues": ()}, "not among the queues"),
        ({"answer_s": (3.0, 1.0)}, "answer_s"),
    ],
)
def test_settings_that_make_no_sense(change, said):
    with pytest.raises(ConfigurationError, match=said):
        evolve(settings(), **change)


@pytest.mark.parametrize("change", [{"rate_per_s": 0}, {"handle_s": 0}, {"patience_s": 0}, {"count": 0}, {"queue": ""}])
def test_calls_that_make_no_sense(change):
    with pytest.raises(ConfigurationError):
        Calls(**{"queue": "calls", "count": 1, "rate_per_s": 1.0, "handle_s": 1.0, **change})


# -- memory -----------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_calls():
    alive = {}

    def look(done):
        for mark in (300, 1300):
            if done >= mark and mark not in alive:
                gc.collect()
                alive[mark] = len(gc.get_objects())

    few_decisions = {"router": lambda chance: SkillRouter(chance=chance.random, decisions_kept=10)}
    run(agents=5, calls=1400, patience_s=60.0, load=0.8, progress=look, **few_decisions)
    assert alive[1300] - alive[300] < 900  # one object a call would be 1000; calls in progress make for a few dozen


@pytest.mark.long
@pytest.mark.parametrize("name", ["default", "heavy"])
def test_a_long_run_with_faults(name):
    report = run(agents=20, calls=50_000, patience_s=120.0, faults=name)
    assert report.sound, (report.violations_named, report.stuck, report.unaccounted)
