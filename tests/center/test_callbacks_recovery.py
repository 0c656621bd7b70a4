"""Our process is killed while callbacks are in every phase, and comes back from its journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cti import CallbackSettings, CallCenter, Destination, events
from cti.engine.invariants import broken
from cti.model import callback_events
from cti.model.states import AgentState
from cti.sim import Behaviour, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.store import Journal, Replay

from .bench import QUICK, Bench
from .test_recovery import kill

SLOW = Behaviour(ring_s=(0.001, 0.002), answer_s=(1.5, 1.6))
SILENT = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)
BUSY = Behaviour(ring_s=(0.001, 0.002), reject_s=(0.01, 0.02), busy=1.0)
MUSIC = "tone_stream://%(1000,0,300);loops=-1"


def contact(number: str) -> str:
    return f"sofia/agents/{number}@127.0.0.1:5990"


@pytest.fixture
def server() -> Iterator[SimServer]:
    served = SimServer(SimulatedSwitch(GeventScheduler(), seed=1))
    served.start()
    yield served
    served.stop()


@contextmanager
def a_centre(server: SimServer, journal: Path, first: str = "agent", *, ready: bool = True) -> Iterator[Bench]:
    host, port = server.address
    rules = [Destination("0*", contact("{number}"))]
    centre = CallCenter(f"{host}:{port}", journal=Journal(journal), allowed_destinations=rules)
    made = Bench(centre, server.switch, server)
    centre.add_queue("claims", music=MUSIC, callback=CallbackSettings(first=first, busy_pause_s=600.0))
    server.switch.phones.add("user/ann", QUICK)
    ann = centre.add_agent("ann", "user/ann")
    try:
        centre.start()
        if ready:
            ann.log_on(ready=True)
        yield made
    finally:
        kill(centre)


def talks(b: Bench, back: str) -> None:
    assert b.wait_for(events.Established, interaction=back).agent == "ann"
    b.until("they talk", lambda: any(leg.bridge and leg.bridge.joined for leg in b.switch.channels.values()))
    assert broken(b.centre._loop.engine.world) == []
    b.centre.agent("ann").hang_up()
    b.all_is_over()
    b.until("no channel is left", lambda: not b.switch.channels)
    b.until("ann is ready", lambda: b.centre.agent("ann").view.state is AgentState.READY)


def test_those_that_wait_or_are_to_come_are_there_again(server, tmp_path):
    server.switch.phones.add(contact("01"), QUICK)
    server.switch.phones.add(contact("02"), BUSY)
    with a_centre(server, tmp_path) as b:
        b.centre.request_callback("claims", "02")
        b.wait_for(callback_events.CallbackTried)
        b.centre.agent("ann").not_ready()
        b.centre.request_callback("claims", "03", at=4e9, agent="ann", data={"policy": "12"})
        first = b.centre.request_callback("claims", "01")
        before = [(each.number, each.state, each.position, len(each.tries)) for each in b.centre.callbacks()]
    with a_centre(server, tmp_path, ready=False) as b:
        after = [(each.number, each.state, each.position, len(each.tries)) for each in b.centre.callbacks()]
        assert after == before == [("01", "waiting", 1, 0), ("02", "scheduled", 0, 1), ("03", "scheduled", 0, 0)]
        assert b.centre.callbacks()[2].agent == "ann"
        b.centre.agent("ann").ready()
        assert b.wait_for(events.Established).interaction == first
        b.centre.agent("ann").hang_up()
        for each in b.centre.callbacks():
            b.centre.cancel_callback(each.id)
        b.all_is_over()
    assert Replay(tmp_path).run().same


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_the_customers_phone_rings_as_we_die_and_they_answer_when_we_are_back(server, tmp_path, first):
    server.switch.phones.add(contact("01"), SLOW)
    with a_centre(server, tmp_path, first) as b:
        back = b.centre.request_callback("claims", "01")
        b.wait_for(events.Originated, interaction=back)
        b.until("it rings", lambda: b.switch.channels.get(b.centre._loop.engine.world.interactions[back].caller))
    with a_centre(server, tmp_path, first) as b:
        assert [each.state for each in b.centre.callbacks()] == ["calling"]
        talks(b, back)
        assert not b.of(callback_events.CallbackTried)


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_they_answer_while_we_are_away(server, tmp_path, first):
    server.switch.phones.add(contact("01"), Behaviour(ring_s=(0.001, 0.002), answer_s=(0.3, 0.31)))
    with a_centre(server, tmp_path, first) as b:
        back = b.centre.request_callback("claims", "01")
        b.wait_for(events.Originated, interaction=back)
        leg = b.centre._loop.engine.world.interactions[back].caller
        b.until("it rings", lambda: leg in b.switch.channels)
    b.until("they have answered", lambda: b.switch.channels[leg].answered)
    with a_centre(server, tmp_path, first) as b:
        talks(b, back)
        assert not b.of(callback_events.CallbackTried)


def test_they_hang_up_while_we_are_away(server, tmp_path):
    phone = server.switch.phones.add(contact("01"), SILENT)
    with a_centre(server, tmp_path) as b:
        back = b.centre.request_callback("claims", "01")
        b.wait_for(events.Originated, interaction=back)
        leg = b.centre._loop.engine.world.interactions[back].caller
        b.until("it rings", lambda: leg in b.switch.channels)
    phone.reject(b.switch.channels[leg])
    b.until("gone", lambda: leg not in b.switch.channels)
    with a_centre(server, tmp_path) as b:
        # Nobody saw why: it does not count as a try, and the agent who waited for them is free.
        b.until("ann is ready", lambda: b.centre.agent("ann").view.state is AgentState.READY)
        (each,) = b.centre.callbacks()
        assert (each.id, each.state, [one.outcome for one in each.tries]) == (back, "scheduled", ["lost"])
        assert broken(b.centre._loop.engine.world) == []


def test_a_customer_who_has_answered_and_waits_still_waits_and_hears_music(server, tmp_path):
    server.switch.phones.add(contact("01"), Behaviour(ring_s=(0.001, 0.002), answer_s=(0.2, 0.21)))
    with a_centre(server, tmp_path, "customer") as b:
        back = b.centre.request_callback("claims", "01")
        b.wait_for(events.Originated, interaction=back)
        b.centre.agent("ann").log_off()
        leg = b.wait_for(callback_events.CallbackAnswered).connection
        b.until("music", lambda: [one for one in b.switch.channels[leg].stack if one.application == "playback"])
    with a_centre(server, tmp_path, "customer", ready=False) as b:
        assert [each.state for each in b.centre.callbacks()] == ["holding"]
        b.centre.agent("ann").log_on(ready=True)
        talks(b, back)


def test_a_caller_who_is_saying_goodbye_is_let_go_and_keeps_the_place(server, tmp_path):
    with a_centre(server, tmp_path, ready=False) as b:
        b.centre.on_call("5000")(lambda call: call.queue("claims"))
        caller = b.switch.incoming(calling_number="01", called_number="5000")
        queued = b.wait_for(events.Queued)
        from cti.model import callback_requests

        b.centre._loop.ask(callback_requests.CallbackRequested("claims", "01", queued.interaction))
        assert not caller.ended
    with a_centre(server, tmp_path, ready=False) as b:
        b.centre.on_call("5000")(lambda call: call.queue("claims"))
        assert [each.state for each in b.centre.callbacks()] == ["waiting"]
        assert len(b.centre._loop.engine.world.interactions) == 1  # they are no new call
        b.until("they are gone", lambda: caller.ended and not b.centre._loop.engine.world.connections)
        assert [each.state for each in b.centre.callbacks()] == ["waiting"]
