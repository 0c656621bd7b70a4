"""What is checked after each fact finds what the full check finds."""

from __future__ import annotations

import pytest

from cti.engine.invariants import broken, broken_near
from cti.model.ids import AgentId, InteractionId
from cti.model.states import AgentState, ReservationState
from cti.simulation import Simulation
from cti.simulation.watch import touched

from .centre import run, settings


@pytest.mark.parametrize("faults", ["none", "heavy"])
def test_both_forms_agree_after_every_fact_of_a_run(faults):
    """On the whole world: what is near everything is everything."""
    simulation = Simulation(settings(calls=40, load=1.2, patience_s=60.0, faults=faults, check_every=1))
    world = simulation.engine.world
    facts = 0

    def compare(fact, wanted, **grace):
        nonlocal facts
        facts += 1
        assert broken_near(world, list(world.agents), list(world.interactions), **grace) == broken(world, **grace) == []
        agents, calls = touched(world, fact, wanted)
        assert agents <= set(world.agents)
        assert all(isinstance(call, str) for call in calls)

    simulation.watch.after = compare
    simulation.run()
    assert facts > 200


def damaged(what):
    """A run whose model is damaged once, after a fact about somebody who is on a call; what each form says then."""
    simulation = Simulation(settings(calls=10, check_every=1))
    world = simulation.engine.world
    said = []

    def damage(fact, wanted, **_grace):
        agents, calls = touched(world, fact, wanted)
        victims = [agent for agent in agents if what(world, agent)] if not said else []
        if victims:
            said.append((broken_near(world, agents, calls), broken(world)))

    simulation.watch.after = damage
    simulation.run()
    return said[0]


def without_a_leg(world, agent_id):
    agent = world.agents[agent_id]
    if agent.state is AgentState.BUSY:
        agent.connection = None
    return agent.state is AgentState.BUSY


def with_a_promise_kept_too_long(world, agent_id):
    made = world.reservations.get(world.agents[agent_id].reservation)
    if made is not None:
        made.state = ReservationState.CANCELLED
    return made is not None


def with_an_hour_missing(world, agent_id):
    world.agents[agent_id].logged_on_since -= 3600
    return True


@pytest.mark.parametrize("what", [without_a_leg, with_a_promise_kept_too_long, with_an_hour_missing])
def test_damage_to_what_a_fact_was_about_is_seen_at_once(what):
    near, full = damaged(what)
    assert near
    assert set(near) <= set(full)


def test_what_is_broken_is_said_with_its_time_and_fact_and_not_after_each_fact():
    simulation = Simulation(settings(calls=30, check_every=5))
    world = simulation.engine.world
    simulation.scheduler.call_later(500.0, world.phones.clear)
    report = simulation.run()
    assert not report.sound
    assert report.violations >= 5
    first = report.violations_named[0]
    assert first.at >= 500.0
    assert first.fact
    assert "phone" in first.what
    assert report.violations < report.facts


def test_nothing_is_checked_where_that_is_asked_for():
    simulation = Simulation(settings(calls=10, check_every=0))
    simulation.scheduler.call_later(100.0, simulation.engine.world.phones.clear)
    assert simulation.run().violations == 0


def test_an_agent_nobody_knows_is_left_out():
    world = Simulation(settings()).engine.world
    assert broken_near(world, [AgentId("nobody")], [InteractionId("nothing")]) == []


def test_checking_changes_nothing():
    assert run(calls=40, check_every=0).decisions_sha256 == run(calls=40, check_every=1).decisions_sha256
