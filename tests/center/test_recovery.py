"""Our process is killed and comes back: from its journal, or from what the switch's channels say alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from attrs import evolve

from cti import CallCenter, events
from cti.engine.invariants import broken
from cti.model.states import AgentState, InteractionState, ReservationState, TalkState
from cti.sim import Behaviour, Caller, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.store import Journal, Replay

from .bench import QUICK, Bench

SILENT = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)
SLOW = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.8, 0.8))


@pytest.fixture
def server() -> Iterator[SimServer]:
    served = SimServer(SimulatedSwitch(GeventScheduler(), seed=1))
    served.start()
    yield served
    served.stop()


def kill(centre: CallCenter) -> None:
    """What is written by now is all that is left; the rest of the process hears and says nothing more."""
    if centre._journal is not None:
        centre._journal.close()
    centre.stop()


@contextmanager
def a_centre(server: SimServer, journal: object = None) -> Iterator[Bench]:
    host, port = server.address
    made = Bench(CallCenter(f"{host}:{port}", journal=journal), server.switch, server)
    try:
        yield made
    finally:
        kill(made.centre)


def queues(b: Bench, **settings: object) -> None:
    b.centre.add_queue("sales", **{"ring_timeout_s": 20.0, **settings})
    b.centre.on_call("5*")(lambda call: call.queue("sales", priority=int(call.called_number[-1])))


def an_agent(b: Bench, name: str, behaviour: Behaviour = QUICK, *, ready: bool = True, **settings: object) -> None:
    b.switch.phones.add(f"user/{name}", behaviour)
    b.centre.add_agent(name, f"user/{name}", **settings).log_on(ready=ready)


def world(b: Bench):
    return b.centre._loop.engine.world


def callers_waiting(b: Bench) -> list[str]:
    waiting = [call for call in world(b).interactions.values() if call.state.is_waiting]
    return [call.calling_number for call in sorted(waiting, key=lambda call: call.age_key)]


def call_in(b: Bench, number: int, *, called: str = "5000", talk_s: float = 60.0) -> Caller:
    caller = b.switch.incoming(called_number=called, calling_number=f"030{number}", talk_s=talk_s)
    b.until(f"caller {number} waits", lambda: f"030{number}" in callers_waiting(b))
    return caller


@pytest.mark.parametrize("with_journal", [True, False])
def test_waiting_callers_keep_their_places(server, tmp_path, with_journal):
    journal = tmp_path if with_journal else None
    with a_centre(server, journal) as b:
        queues(b)
        b.centre.start()
        for number, called in enumerate(("5000", "5000", "5001", "5000")):
            call_in(b, number, called=called)
        before = callers_waiting(b)
        ids = set(world(b).interactions)
        queued = {call.calling_number: call.queued_at for call in world(b).interactions.values()}
        if not with_journal:
            b.until("the tags are written", lambda: all("cti_queued_at" in str(c.variables) for c in channels(b)))
    assert before == ["0302", "0300", "0301", "0303"]
    with a_centre(server, journal) as b:
        queues(b)
        b.centre.start()
        assert callers_waiting(b) == before
        assert set(world(b).interactions) == ids
        assert b.of(events.Offered) == [], "no script had them anew"
        ages = {call.calling_number: call.queued_at for call in world(b).interactions.values()}
        assert all(ages[number] == pytest.approx(queued[number], abs=0.5) for number in ages)
        assert world(b).queues["sales"].figures.waiting == 4
        an_agent(b, "ann", wrap_up_s=0)
        answered = []
        for _ in before:
            established = b.until("answered", lambda: b.of(events.Established)[len(answered) :])[0]
            answered.append(established.calling_number)
            b.centre.hang_up(established.interaction)
        assert answered == before
        b.all_is_over()


def channels(b: Bench):
    return list(b.switch.channels.values())


def test_talkers_stay_together_and_agents_keep_their_sessions(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
        an_agent(b, "ann")
        talking = b.wait_for(events.Established)
        an_agent(b, "bob", ready=False)
        b.centre.agent("bob").not_ready("LUNCH")
        an_agent(b, "eve")
        since = {name: world(b).agents[name].state_since for name in ("bob", "eve")}
        legs = {channel.uuid for channel in channels(b)}
    with a_centre(server, tmp_path) as b:
        queues(b)
        for name in ("ann", "bob", "eve"):
            an_agent(b, name)
        b.centre.start()
        views = {name: b.centre.agent(name).view for name in ("ann", "bob", "eve")}
        assert [views[name].state for name in views] == [AgentState.BUSY, AgentState.NOT_READY, AgentState.READY]
        assert views["bob"].reason == "LUNCH"
        assert all(world(b).agents[name].state_since == pytest.approx(since[name]) for name in since)
        assert {channel.uuid for channel in channels(b)} == legs
        call = world(b).interactions[talking.interaction]
        assert (call.state, call.talk, call.agent) == (InteractionState.ESTABLISHED, TalkState.TALKING, "ann")
        assert world(b).queues["sales"].figures.answered == 1
        assert broken(world(b)) == []
        b.centre.hang_up(call.id)
        b.until("ann is ready", lambda: b.centre.agent("ann").view.state is AgentState.READY)
        b.all_is_over()
    assert Replay(tmp_path).run().same


def test_what_the_switch_shows_wins(server, tmp_path):
    """A caller was answered, and the journal does not know: it was written until before that."""
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
        b.centre._journal.close()
        an_agent(b, "ann")
        talking = b.wait_for(events.Established)
    with a_centre(server, tmp_path) as b:
        queues(b)
        an_agent(b, "ann")
        b.centre.start()
        (told,) = b.until("told", lambda: b.of(events.Established))
        assert (told.interaction, told.connection, told.agent) == (talking.interaction, talking.connection, "ann")
        assert b.centre.agent("ann").view.state is AgentState.BUSY
        assert broken(world(b)) == []
        assert world(b).queues["sales"].figures.answered == 1
        assert len(channels(b)) == 2
        b.centre.hang_up(told.interaction)
        b.all_is_over()


def test_a_caller_who_hung_up_meanwhile_is_gone(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        caller = call_in(b, 0)
        call_in(b, 1)
    caller.hang_up()
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        assert callers_waiting(b) == ["0301"]
        assert b.wait_for(events.CallCleared).state == "lost"
        assert broken(world(b)) == []


def test_an_offer_goes_on_ringing_and_is_answered(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
        an_agent(b, "ann", SLOW)
        leg = b.wait_for(events.Delivered).connection
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.add_agent("ann", "user/ann")
        b.centre.start()
        assert b.wait_for(events.Established).connection == leg
        assert broken(world(b)) == []


def test_an_offer_that_was_answered_while_we_were_away_is_connected(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
        an_agent(b, "ann", evolve(SLOW, answer_s=(0.2, 0.2)))
        leg = b.wait_for(events.Delivered).connection
    gevent.sleep(0.4)  # the phone is answered, and nobody is there to connect it
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.add_agent("ann", "user/ann")
        b.centre.start()
        assert b.wait_for(events.Established).connection == leg


def test_an_offer_that_has_rung_for_too_long_ends_and_the_caller_is_offered_again(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b, ring_timeout_s=0.3)
        b.centre.start()
        call_in(b, 0)
        an_agent(b, "ann", SILENT, no_answers_allowed=1)
        b.wait_for(events.Delivered)
    gevent.sleep(0.4)
    with a_centre(server, tmp_path) as b:
        queues(b, ring_timeout_s=0.3)
        b.centre.add_agent("ann", "user/ann", no_answers_allowed=1)
        b.centre.start()
        ended = b.wait_for(events.OfferEnded)
        assert ended.outcome == ReservationState.TIMED_OUT.value
        assert callers_waiting(b) == ["0300"]
        an_agent(b, "bob")
        assert b.wait_for(events.Established).agent == "bob"


def test_timers_run_for_what_is_left_of_them(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b, max_wait_s=0.5)
        b.centre.start()
        call_in(b, 0)
    gevent.sleep(0.6)
    with a_centre(server, tmp_path) as b:
        queues(b, max_wait_s=3600.0)
        b.centre.start()
        b.wait_for(events.CallCleared)
        assert b.centre.snapshot().queues[0].figures.overflowed == 1
        b.all_is_over()


def test_a_script_begins_from_the_top_and_is_told(server, tmp_path):
    heard = []

    def script(call):
        heard.append((call.restarted, dict(call.data)))
        call.attach(policy="12")
        call.play("silence_stream://-1" if not call.restarted else "tone_stream://%(50,0,640)")
        call.queue("sales")
        heard.append("back")

    with a_centre(server, tmp_path) as b:
        b.centre.add_queue("sales")
        b.centre.on_call("5*")(script)
        b.centre.start()
        b.switch.incoming(called_number="5000", calling_number="0300", talk_s=60.0)
        b.until("data", lambda: any(call.data for call in world(b).interactions.values()))
        b.until("it plays", lambda: any("playback" in str(c.variables) for c in channels(b)))
        before = set(world(b).interactions)
    with a_centre(server, tmp_path) as b:
        b.centre.add_queue("sales")
        b.centre.on_call("5*")(script)
        b.centre.start()
        b.until("it waits", lambda: callers_waiting(b) == ["0300"])
        assert set(world(b).interactions) == before
        an_agent(b, "ann")
        b.wait_for(events.Established)
        b.until("the script goes on", lambda: heard[-1] == "back")
    assert heard == [(False, {}), (True, {"policy": "12"}), "back"]


def test_settings_of_the_program_win_and_who_is_not_defined_is_forgotten(server, tmp_path):
    with a_centre(server, tmp_path) as b:
        queues(b, priority=1)
        b.centre.start()
        call_in(b, 0)
        an_agent(b, "ann")
        b.wait_for(events.Established)
        an_agent(b, "bob")
    with a_centre(server, tmp_path) as b:
        b.centre.add_queue("sales", priority=7)
        b.centre.start()
        assert world(b).queues["sales"].settings.priority == 7
        assert world(b).queues["sales"].figures.answered == 1
        assert list(world(b).agents) == ["ann"], "she is on a call; bob is not"
        assert broken(world(b)) == []


@pytest.mark.parametrize("spoil", [lambda data: b"nothing of ours", lambda data: data[:40] + b"\0" * (len(data) - 40)])
def test_a_journal_that_cannot_be_read_is_put_aside(server, tmp_path, spoil):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
    (segment,) = tmp_path.glob("*.ctij")
    segment.write_bytes(spoil(segment.read_bytes()))
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        assert callers_waiting(b) == ["0300"], "the tags tell that much"
    (aside,) = tmp_path.glob("aside-*")
    assert [path.name for path in aside.iterdir()] == [segment.name]
    assert Replay(tmp_path).run().same


def test_the_clock_goes_on_after_a_reboot(server, tmp_path, monkeypatch):
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        call_in(b, 0)
        then = b.centre._loop.now()
    monotonic = gevent.get_hub().loop.now()
    assert then > 0
    monkeypatch.setattr(
        "cti.center.time.monotonic", lambda: gevent.get_hub().loop.now() - monotonic
    )  # begins at 0 again
    with a_centre(server, tmp_path) as b:
        queues(b)
        b.centre.start()
        now = b.centre._loop.now()
        assert then <= now < then + 30
        (call,) = world(b).interactions.values()
        assert call.waited_s(now) < 30


def test_a_switch_that_is_at_another_address_now(tmp_path):
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    for run in range(2):
        server = SimServer(switch)
        server.start()
        with a_centre(server, Journal(tmp_path)) as b:
            queues(b)
            b.centre.start()
            if not run:
                call_in(b, 0)
                b.until("tags", lambda b=b: all("cti_queued_at" in str(c.variables) for c in channels(b)))
            assert callers_waiting(b) == ["0300"]
            assert broken(world(b)) == []
            assert world(b).is_live(b.centre.switch.id)
        server.stop()
