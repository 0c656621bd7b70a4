"""Our own process is killed, again and again, and comes back from what it has written."""

from __future__ import annotations

import pytest
from attrs import evolve

from cti.simulation import PROFILES, FaultProfile, Simulation
from cti.store import RecordedEngine

from .centre import run, settings


def fine(report):
    return report.sound, (report.violations_named, report.stuck, report.unaccounted)


def test_nobody_is_lost_with_our_process():
    report = run(calls=80, load=1.2, profile=FaultProfile(kills_every_s=300.0), check_every=20)
    assert report.faults["kills"] > 5
    assert report.answered == 80
    assert report.sound, fine(report)


def test_another_engine_goes_on_with_the_same_calls():
    simulation = Simulation(settings(calls=60, load=1.5, profile=FaultProfile(kills_every_s=400.0, away_s=0.5)))
    first = simulation.engine
    assert simulation.run().sound
    assert isinstance(simulation.engine, RecordedEngine)
    assert simulation.engine is not first
    assert simulation.engine.taken_up.calls
    queue = simulation.engine.world.queues["calls"].figures
    assert (queue.offered, queue.answered, queue.adds_up) == (60, 60, True)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_while_everything_else_goes_wrong(seed):
    profile = evolve(PROFILES["heavy"], kills_every_s=120.0)
    report = run(agents=5, calls=80, patience_s=120.0, profile=profile, seed=seed, check_every=20)
    assert report.faults["kills"] > 10
    assert report.sound, fine(report)


def test_a_seed_is_a_run_with_kills_too():
    profile = evolve(PROFILES["default"], kills_every_s=300.0)
    hashes = {run(calls=60, patience_s=60.0, profile=profile, seed=7).decisions_sha256 for _ in range(2)}
    assert len(hashes) == 1


@pytest.mark.long
@pytest.mark.parametrize("name", ["default", "heavy"])
def test_eight_hours_killed_every_ten_minutes(name):
    profile = evolve(PROFILES[name], kills_every_s=600.0)
    report = run(agents=40, calls=5500, load=0.85, patience_s=120.0, profile=profile)
    assert report.virtual_s > 8 * 3600
    assert report.faults["kills"] >= 47
    assert report.sound, fine(report)
