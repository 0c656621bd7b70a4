"""Standing connections on a real FreeSWITCH: SIPp's phones stay on the line, and calls are put through to them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import subprocess

from cti import events
from cti.model.ids import AgentId
from cti.model.party import ToAgent
from cti.model.standing_states import StandingState
from cti.model.states import AgentState
from cti.switch.intent_command import PUT_THROUGH_TONE
from cti.switch.snapshot import listed

from .audio import read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch, centre_on, one_queue, watch

pytestmark = pytest.mark.live
__all__ = ["watch"]

CALLER_HZ, AGENT_HZ = 700, 1100


def on_the_line(watch: Watch, agents: Any, name: str = "ann", **settings: Any) -> str:
    """An agent comes on the line; the leg they stay on."""
    settings = {"wrap_up_s": 0, "standing": True, **settings}
    watch.centre.subscribe(watch.said.append, events.StandingConnectionChanged)
    if name == "ann":
        one_queue(watch, agents.contact("ann"), **settings)
    else:
        watch.centre.add_agent(name, agents.contact(name), skills={"sales": 1}, **settings).log_on(ready=True)
    return up(watch, name)


def up(watch: Watch, name: str = "ann") -> str:
    watch.until(f"{name} is on the line", lambda: watch.centre.agent(name).view.standing is StandingState.UP)
    return str(watch.centre._loop.engine.world.standing[AgentId(name)].leg)


def ready(watch: Watch, name: str = "ann") -> None:
    watch.until(f"{name} is ready", lambda: watch.state(name) is AgentState.READY)


def alone(watch: Watch, *legs: str) -> None:
    """Nothing lives on the switch but these, and they are parked."""
    watch.until(
        "the lines are all there is",
        lambda: set(listed(watch.centre.switch.api("show", "channels as json"))) == {*legs},
    )
    for leg in legs:
        watch.until("it is parked", lambda leg=leg: "CS_PARK" in state_of(watch, leg) or "park" in state_of(watch, leg))


def state_of(watch: Watch, leg: str) -> str:
    dump = watch.centre.switch.api("uuid_dump", leg)
    wanted = ("Channel-State:", "variable_current_application:")
    return " ".join(line for line in dump.splitlines() if line.startswith(wanted))


def hears(watch: Watch, leg: str, path: Path) -> tuple[list[int], list[int]]:
    """What comes from the phone of a leg, and what goes to it, for a second and a half."""
    api = watch.centre.switch.api
    api("uuid_setvar", f"{leg} RECORD_STEREO true")
    assert api("uuid_record", f"{leg} start {path}").startswith("+OK")
    gevent.sleep(1.5)
    api("uuid_record", f"{leg} stop {path}")
    gevent.sleep(0.3)
    return read_stereo(path)


def test_two_calls_in_a_row_without_another_ring(watch, start_agents, start_callers, tmp_path: Path):
    agents = start_agents(ring_s=0.1, tone=write_pcmu_tone(tmp_path / "agent.pcmu", AGENT_HZ))
    leg = on_the_line(watch, agents)
    gevent.sleep(1)
    for number in range(2):
        start_callers("5000", hold_s=3.5, tone=write_pcmu_tone(tmp_path / f"caller-{number}.pcmu", CALLER_HZ))
        told = watch.until("it is put through", lambda n=number: watch.of(events.Established)[n:])[0]
        assert (told.connection, told.agent) == (leg, "ann")
        assert told.waited_s < 1
        from_agent, to_agent = hears(watch, leg, tmp_path / f"talk-{number}.wav")
        middle = slice(len(to_agent) // 4, 3 * len(to_agent) // 4)
        assert tone_share(from_agent[middle], AGENT_HZ) > 0.8
        assert tone_share(to_agent[middle], CALLER_HZ) > 0.8
        watch.until("the caller has left", lambda n=number: len(watch.of(events.CallCleared)) == n + 1)
        ready(watch)
    alone(watch, leg)
    watch.until("one call to the phone", lambda: agents.figures().total == 1)
    watch.centre.agent("ann").log_off()
    watch.until("the line is cleared", lambda: agents.figures().successful == 1)
    watch.nothing_is_wrong()


def test_the_tone_says_that_a_call_comes(watch, start_agents, start_callers, tmp_path: Path):
    agents = start_agents(ring_s=0.1)
    leg = on_the_line(watch, agents)
    api = watch.centre.switch.api
    path = tmp_path / "tone.wav"
    api("uuid_setvar", f"{leg} RECORD_STEREO true")
    assert api("uuid_record", f"{leg} start {path}").startswith("+OK")
    start_callers("5000", hold_s=2.5, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ))
    watch.wait_for(events.CallCleared)
    api("uuid_record", f"{leg} stop {path}")
    gevent.sleep(0.3)
    from_agent, _ = read_stereo(path)  # the phone echoes what it hears; what goes to it is recorded without the tone
    hertz = int(PUT_THROUGH_TONE.rpartition(",")[2].rstrip(")"))
    window = 400
    shares = [tone_share(from_agent[at : at + window], hertz) for at in range(0, len(from_agent) - window, window)]
    heard = [share > 0.2 for share in shares]
    assert 2 <= sum(heard) <= 8, shares
    assert not any(heard[-20:]), "a short tone"
    watch.nothing_is_wrong()


def test_music_between_calls_is_heard_between_calls_alone(watch, start_agents, start_callers, tmp_path: Path):
    agents = start_agents(ring_s=0.1)
    leg = on_the_line(watch, agents, standing_music="tone_stream://%(1000,0,440);loops=-1")
    watch.until("it plays", lambda: "playback" in state_of(watch, leg))
    _, to_agent = hears(watch, leg, tmp_path / "music.wav")
    assert tone_share(to_agent[len(to_agent) // 4 :], 440) > 0.8
    start_callers("5000", hold_s=3.5, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ))
    watch.wait_for(events.Established)
    _, to_agent = hears(watch, leg, tmp_path / "talk.wav")
    assert tone_share(to_agent[len(to_agent) // 4 :], CALLER_HZ) > 0.8
    watch.wait_for(events.CallCleared)
    ready(watch)
    watch.until("it plays again", lambda: "playback" in state_of(watch, leg))
    watch.nothing_is_wrong()


def test_callers_who_leave_as_they_are_put_through(watch, start_agents, start_callers):
    """The line lives through it, or is brought up again; nobody sticks."""
    agents = start_agents(ring_s=0.1)
    on_the_line(watch, agents)
    for number, hold_s in enumerate([0.001, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08] * 3):
        start_callers("5000", hold_s=hold_s)
        watch.until("it is over", lambda n=number: len(watch.of(events.CallCleared)) == n + 1)
        ready(watch)
    lost = len(watch.of(events.StandingConnectionChanged, state="waiting"))
    print(f"lost={lost}")
    assert lost <= 3
    start_callers("5000", hold_s=1.0)
    watch.until("talked", lambda: watch.of(events.Established) and watch.state("ann") is AgentState.BUSY)
    ready(watch)
    alone(watch, up(watch))
    watch.nothing_is_wrong()


def test_the_agent_hangs_up(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1, talk_s=3.0)
    on_the_line(watch, agents)
    callers = start_callers("5000")
    watch.wait_for(events.Established)
    watch.wait_for(events.CallCleared)
    assert callers.wait(20).successful == 1
    watch.until("not ready", lambda: watch.centre.agent("ann").view.reason == "LINE_DOWN")
    assert watch.centre.agent("ann").view.standing is StandingState.DOWN
    gevent.sleep(1.5)
    assert len(watch.of(events.StandingConnectionChanged, state="ringing")) == 1, "whoever has left is left alone"
    watch.centre.agent("ann").ready()
    ready(watch)
    watch.nothing_is_wrong()


def test_a_line_that_breaks_is_rung_again(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    leg = on_the_line(watch, agents)
    watch.centre.switch.api("uuid_kill", f"{leg} MEDIA_TIMEOUT")
    watch.wait_for(events.StandingConnectionChanged, state="waiting")
    ready(watch)
    start_callers("5000", hold_s=1.0)
    assert watch.wait_for(events.Established).connection == up(watch) != leg
    watch.wait_for(events.CallCleared)
    ready(watch)
    watch.nothing_is_wrong()


def test_hold_consult_transfer_and_a_conference(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    ann = on_the_line(watch, agents)
    callers = start_callers("5000", calls=1)
    call = watch.wait_for(events.Established)
    control = watch.centre.agent("ann")
    control.hold()
    watch.wait_for(events.Held)
    control.retrieve()
    watch.wait_for(events.Retrieved)
    bob = on_the_line(watch, agents, "bob")
    ready(watch, "bob")
    control.consult(ToAgent(AgentId("bob")))
    watch.wait_for(events.Established, agent="bob")
    control.transfer()
    ready(watch)
    world = watch.centre._loop.engine.world
    talking = world.interactions[call.interaction]
    watch.until("bob talks with the caller", lambda: set(talking.pair or ()) == {talking.caller, bob})
    watch.centre.agent("bob").invite(ToAgent(AgentId("ann")))
    watch.wait_for(events.Conferenced)
    watch.centre.agent("ann").hang_up()
    ready(watch)
    watch.centre.agent("bob").hang_up()
    ready(watch, "bob")
    watch.centre.hang_up(call.interaction) if call.interaction in world.interactions else None
    assert callers.wait(20).successful == 1
    alone(watch, ann, bob)
    watch.until("two calls to phones", lambda: agents.figures().total == 2)
    watch.nothing_is_wrong()


def test_an_agent_dials_in(watch, start_agents, start_callers, tmp_path: Path):
    agents = start_agents(ring_s=0.1)
    watch.centre.on_call("5999")(lambda call: (call.answer(), call.stay_on_the_line("ann")))
    one_queue(watch, agents.contact("ann"), wrap_up_s=0, standing=True, standing_rings=False)
    phone = start_callers("5999", tone=write_pcmu_tone(tmp_path / "agent.pcmu", AGENT_HZ))
    leg = up(watch)
    ready(watch)
    for number in range(2):
        start_callers("5000", hold_s=3.5, tone=write_pcmu_tone(tmp_path / f"caller-{number}.pcmu", CALLER_HZ))
        assert watch.until("it is put through", lambda n=number: watch.of(events.Established)[n:])[0].connection == leg
        from_agent, to_agent = hears(watch, leg, tmp_path / f"talk-{number}.wav")
        middle = slice(len(to_agent) // 4, 3 * len(to_agent) // 4)
        assert tone_share(from_agent[middle], AGENT_HZ) > 0.8
        assert tone_share(to_agent[middle], CALLER_HZ) > 0.8
        watch.until("it is over", lambda n=number: len(watch.of(events.CallCleared, called_number="5000")) == n + 1)
        ready(watch)
    alone(watch, leg)
    assert agents.figures().total == 0
    watch.centre.agent("ann").log_off()
    assert phone.wait(20).successful == 1
    watch.nothing_is_wrong()


_PROCESS = """
import sys
import gevent
from cti import CallCenter, events
from cti.model.states import AgentState

address, password, ann, bob = sys.argv[1:]
centre = CallCenter(address, password)
centre.add_queue("sales")
for name, contact in (("ann", ann), ("bob", bob)):
    centre.add_agent(name, contact, standing=True, wrap_up_s=0).log_on(ready=True)
centre.on_call("5*")(lambda call: call.queue("sales"))
centre.start()
with gevent.Timeout(60):
    while sorted(centre.agent(name).view.state.value for name in ("ann", "bob")) != ["busy", "ready"]:
        gevent.sleep(0.02)
    gevent.sleep(0.5)
print("LEGS", *(centre._loop.engine.world.standing[name].leg for name in ("ann", "bob")), flush=True)
gevent.sleep(120)
"""


def test_our_process_is_killed_in_a_talk(switch: FreeSwitchProcess, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    contacts = {name: agents.contact(name) for name in ("ann", "bob")}
    before = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, switch.address, switch.password, *contacts.values()],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        gevent.sleep(2.0)
        callers = start_callers("5000", hold_s=12)
        with gevent.Timeout(60):
            while not (line := before.stdout.readline().decode()).startswith("LEGS"):
                assert line, "it ended by itself"
            legs = line.split()[1:]
    finally:
        before.send_signal(signal.SIGKILL)
        before.wait()
    with centre_on(switch) as watch:
        centre = watch.centre
        centre.add_queue("sales")
        for name, contact in contacts.items():
            centre.add_agent(name, contact, standing=True, wrap_up_s=0).log_on(ready=True)
        centre.on_call("5*")(lambda call: call.queue("sales"))
        centre.start()
        assert watch.of(events.Offered) == [], "nobody on the line is a caller"
        assert [up(watch, name) for name in contacts] == legs
        busy = next(name for name in contacts if watch.state(name) is AgentState.BUSY)
        free = next(name for name in contacts if name != busy)
        ready(watch, free)
        start_callers("5000", hold_s=1.0)
        watch.wait_for(events.Established, agent=free)
        assert callers.wait(30).successful == 1
        ready(watch, busy)
        ready(watch, free)
        start_callers("5000", hold_s=1.0, calls=2)
        watch.until("both talk", lambda: all(watch.state(name) is AgentState.BUSY for name in contacts))
        for name in contacts:
            ready(watch, name)
        assert agents.figures().total == 2, "nobody was rung again"
        alone(watch, *legs)
        watch.nothing_is_wrong()
