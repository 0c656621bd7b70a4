"""Everybody asks for everything at random, whatever goes wrong: nobody is stuck, nothing is lost, nobody is overtaken."""

from __future__ import annotations

import pytest
from attrs import evolve
from click.testing import CliRunner

from cti.cli.sim import sim
from cti.engine.invariants import broken
from cti.model import events, facts
from cti.model.ids import ConnectionId
from cti.sim import SimulatedSwitch, VirtualScheduler
from cti.sim.application import begin
from cti.simulation import PROFILES, FaultProfile, Simulation
from cti.simulation.rounds import LASTS_S, Rounds
from tests.engine.story import FS, Story

from .centre import errands

FAULTS = {
    "none": PROFILES["none"],
    "phones": FaultProfile(
        busy=0.1, rejects=0.1, no_answer=0.1, receiver_down_s=60.0, unplugged_every_s=100.0, unplugged_s=20.0
    ),
    "events": FaultProfile(
        events_lost=0.01,
        events_late=0.02,
        events_doubled=0.02,
        events_swapped=0.02,
        commands_refused=0.02,
        jobs_lost=0.01,
    ),
    "drops": FaultProfile(drops_every_s=60.0, away_s=3.0),
    "lost": FaultProfile(drops_every_s=200.0, away_s=90.0),
    "restarts": FaultProfile(restarts_every_s=120.0, away_s=3.0),
    "kills": FaultProfile(kills_every_s=60.0, away_s=2.0),
    "forgets": FaultProfile(kills_every_s=60.0, away_s=2.0, journal=False),
    "heavy": evolve(PROFILES["heavy"], kills_every_s=100.0),
}


def fine(report):
    return report.sound, (report.violations_named, report.stuck, report.unaccounted)


@pytest.mark.parametrize("switches", [("one",), ("one", "two")], ids=["alone", "two"])
@pytest.mark.parametrize("faults", FAULTS)
def test_nobody_is_stuck_whatever_is_asked_for(faults, switches):
    simulation = Simulation(errands(profile=FAULTS[faults], switches=switches, seed=len(faults)))
    report = simulation.run()
    assert report.sound, fine(report)
    assert sum(simulation.errands.asked.values()) > 100


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("faults", FAULTS)
def test_many_days(faults, seed):
    for switches in (("one",), ("one", "two")):
        report = Simulation(errands(profile=FAULTS[faults], switches=switches, seed=seed, calls=100)).run()
        assert report.sound, fine(report)


def test_every_service_is_asked_for_and_does_something():
    told, asked = set(), set()
    for seed in (1, 2):
        simulation = Simulation(errands(every_s=1.0, calls=80, seed=seed))
        simulation._rounds.event = lambda event: told.add(type(event).__name__)
        assert simulation.run().sound
        asked |= simulation.errands.asked.keys()
    assert len(asked) > 45
    assert {
        "Held",
        "Transferred",
        "Conferenced",
        "Supervised",
        "CallbackEnded",
        "PredictiveCallAbandoned",
        "MessageDelivered",
        "SystemStatus",
    } <= told


def test_a_seed_is_a_run_with_errands_too():
    hashes = {Simulation(errands(profile=FAULTS["heavy"], seed=5)).run().decisions_sha256 for _ in range(2)}
    assert len(hashes) == 1


def test_the_command_lets_errands_be_run():
    flags = ("--calls", "20", "--agents", "4", "--arrival-rate", "120", "--errands", "5")
    result = CliRunner().invoke(sim, flags, catch_exceptions=False)
    assert result.exit_code == 0, result.output


# -- what the rounds find ---------------------------------------------------------------------------------------------


class Looking(Story):
    """A story beside a switch of its own; what the rounds find."""

    def __init__(self):
        super().__init__()
        self.scheduler = VirtualScheduler()
        self.switch = SimulatedSwitch(self.scheduler, heartbeat_s=0.0)
        self.found = []
        self.rounds = Rounds(lambda: self.world, {FS: self.switch}, lambda: self.now, self.found.append)

    def look(self):
        self.rounds.look()
        self.now += LASTS_S + 1
        self.rounds.look()
        return self.found


def test_a_channel_that_is_nobodys_is_found():
    story = Looking()
    caller = story.switch.incoming(called_number="5000")
    story.scheduler.run_for(1.0)
    caller.channel.answer()
    (found,) = story.look()
    assert caller.channel.uuid in found
    assert "is nobody's" in found
    story.look()
    assert len(story.found) == 1, "it is said once"


def test_legs_that_are_not_there_and_a_conversation_without_sound_are_found():
    story = Looking()
    story.queue("sales")
    story.agent("ann")
    call = story.talking("ann", "sales")
    assert broken(story.world) == []
    found = "\n".join(story.look())
    assert f"leg {story.caller_of(call)} of call {call} is not on the switch" in found
    assert "nobody hears anybody" in found


@pytest.mark.parametrize("plays", [True, False])
def test_who_waits_in_silence_is_found(plays):
    story = Looking()
    story.queue("sales", music="tone_stream://x")
    caller = story.switch.incoming(called_number="5000", patience_s=None)
    story.scheduler.run_until(1.0)
    story.tell(facts.Offered(FS, ConnectionId(caller.channel.uuid), "1", "", "5000", True, {}))
    (call,) = story.world.interactions
    story.enqueue(call, "sales")
    if plays:
        begin(caller.channel, "playback", "tone_stream://x")
    assert [each for each in story.look() if "silence" in each] == (
        [] if plays else [f"the caller of call {call} waits in silence"]
    )


def test_who_is_overtaken_is_found():
    story = Looking()
    story.queue("sales")
    first, second = story.waiting("sales"), story.waiting("sales")
    story.agent("ann")
    (offer,) = [i for i in story.intents if type(i).__name__ == "OfferCall"]
    assert offer.interaction == first
    story.rounds.offered(offer)
    assert not story.found
    story.interaction(second).queued_at = -1.0
    story.rounds.offered(offer)
    assert story.found == [f"call {first} overtakes {second} in queue sales"]


def test_what_is_told_after_the_end_is_found():
    story = Looking()
    call = story.call()
    story.hang_up(call)
    for event in story.events(events.CallEvent):
        story.rounds.event(event)
    assert not story.found
    story.rounds.event(story.events(events.Offered)[0])
    assert story.found == [f"Offered of call {call} after its end"]
