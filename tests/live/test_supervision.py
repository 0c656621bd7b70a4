"""Supervision on a real FreeSWITCH: who hears whom, by tones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cti import CallCenter, ToAgent, ToQueue, events
from cti.model.states import AgentState

from .audio import write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_call_control import ANN_HZ, BOB_HZ, CALLER_HZ, Desk

pytestmark = pytest.mark.live

SUE_HZ = 1700


class Floor(Desk):
    """As a Desk, and Sue supervises; ``heard`` says whom each of them is sent."""

    def __init__(self, centre: CallCenter, workdir: Path) -> None:
        super().__init__(centre, workdir)
        self.sue = centre.supervisor("sue")
        centre.subscribe(self.said.append, events.Audited)

    def leg(self, name: str) -> str:
        if name == "sue" and not self.centre._loop.engine.world.agents["sue"].connection:
            return next(iter(self.centre._loop.engine.world.supervisions))
        return self.caller if name == "caller" else self.centre._loop.engine.world.agents[name].connection

    def hears_whom(self, name: str) -> set[str]:
        """Whom this one hears, of those who are not themselves."""
        tones = {"caller": CALLER_HZ, "ann": ANN_HZ, "bob": BOB_HZ, "sue": SUE_HZ}
        found = self.shares(self.leg(name), tuple(tones.values()))
        return {each for each, hz in tones.items() if found[hz] > 0.15 and each != name}

    def until_hears(self, name: str, *whom: str) -> None:
        last: set[str] = set()
        for _ in range(5):  # the first moments may still be of what was before
            last = self.hears_whom(name)
            if last == set(whom):
                return
        raise AssertionError(f"{name} hears {last}, not {whom}")

    def until_listening(self, mode: str) -> None:
        def is_so() -> bool:
            last = self.of(events.Supervised)
            return bool(last) and (last[-1].mode, last[-1].phase) == (mode, "listening")

        self.until(f"sue listens, {mode}", is_so)

    def until_phase(self, phase: str) -> None:
        self.until(
            f"sue is {phase}", lambda: self.of(events.Supervised)[-1:] and self.of(events.Supervised)[-1].phase == phase
        )


@pytest.fixture
def floor(switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path) -> Iterator[Floor]:
    phones = {
        name: start_agents(ring_s=0.05, talk_s=90, tone=write_pcmu_tone(tmp_path / f"{name}.pcmu", hz, level=0.2))
        for name, hz in (("ann", ANN_HZ), ("bob", BOB_HZ), ("sue", SUE_HZ))
    }
    centre = CallCenter(switch.address, switch.password)
    centre.add_queue("claims", requires="claims", music="tone_stream://%(1000,0,250);loops=-1")
    centre.add_queue("loans", requires="loans")
    centre.add_agent("ann", phones["ann"].contact("ann"), skills={"claims": 1}).log_on(ready=True)
    centre.add_agent("bob", phones["bob"].contact("bob"), skills={"loans": 1}).log_on(ready=True)
    centre.add_agent("sue", phones["sue"].contact("sue")).log_on()
    centre.on_call("5*")(lambda call: call.queue("claims"))
    made = Floor(centre, tmp_path)
    try:
        centre.start()
        start_callers("5000", hold_s=60, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.2))
        made.begin()
        yield made
    finally:
        centre.stop()


def test_monitor_whisper_and_barge_by_one_call(floor):
    floor.sue.monitor(agent="ann")
    floor.until_listening("monitor")
    leg = floor.leg("sue")
    floor.until_hears("sue", "ann", "caller")
    floor.until_hears("ann", "caller")
    floor.until_hears("caller", "ann")
    floor.sue.whisper()
    floor.until_listening("whisper")
    floor.until_hears("ann", "caller", "sue")
    floor.until_hears("caller", "ann")
    floor.sue.barge()
    floor.until_listening("barge")
    floor.until_hears("ann", "caller", "sue")
    floor.until_hears("caller", "ann", "sue")
    floor.sue.monitor()
    floor.until_listening("monitor")
    floor.until_hears("caller", "ann")
    assert floor.leg("sue") == leg
    floor.sue.end()
    floor.until_phase("ended")
    assert [(e.who, e.what, e.whom, e.outcome) for e in floor.of(events.Audited)] == [
        ("sue", "monitor", "ann", "done"),
        ("sue", "whisper", "ann", "done"),
        ("sue", "barge", "ann", "done"),
        ("sue", "monitor", "ann", "done"),
        ("sue", "end", "ann", "done"),
    ]
    floor.ann.hang_up()
    floor.is_over()


def test_an_agent_is_followed_through_a_consultation_and_to_the_next_call(floor, start_callers, tmp_path):
    floor.sue.whisper(agent="ann")
    floor.until_listening("whisper")
    floor.ann.consult(ToAgent("bob"))
    floor.until_pair("ann", "bob")
    floor.until_hears("sue", "ann", "bob")
    floor.until_hears("ann", "bob", "sue")
    floor.until_hears("bob", "ann")
    floor.ann.conference()
    floor.until("three are in it", lambda: floor.members() == 3)
    floor.until_hears("sue", "ann", "bob", "caller")
    floor.until_hears("bob", "ann", "caller")
    floor.ann.hang_up()
    floor.until_phase("waiting")
    floor.until_hears("sue")
    floor.until("ann is ready", lambda: floor.state("ann") is AgentState.READY)
    start_callers("5000", hold_s=40, tone=write_pcmu_tone(tmp_path / "second.pcmu", CALLER_HZ, level=0.2))
    floor.until("ann has the next", lambda: len(floor.of(events.Established, agent="ann")) == 2)
    floor.until_listening("whisper")
    floor.until_hears("sue", "ann", "caller")
    floor.until_hears("ann", "caller", "sue")
    floor.sue.end()
    floor.until_phase("ended")
    floor.nothing_is_wrong()


def test_a_call_is_followed_from_agent_to_agent(floor):
    floor.sue.whisper(call=floor.call)
    floor.until_listening("whisper")
    floor.until_hears("sue", "ann", "caller")
    floor.until_hears("ann", "caller", "sue")
    floor.until_hears("caller", "ann")
    floor.ann.transfer_to(ToQueue("loans"))
    floor.until_pair("bob", "caller")
    floor.until_hears("sue", "bob", "caller")
    floor.until_hears("bob", "caller", "sue")
    floor.until_hears("caller", "bob")
    floor.bob.hang_up()
    floor.until_phase("ended")
    floor.until("sue's leg is gone", lambda: not floor.centre._loop.engine.world.supervisions)
    floor.is_over()


def test_taking_a_call_over(floor):
    floor.sue.monitor(agent="ann")
    floor.until_listening("monitor")
    floor.sue.take_over()
    floor.until_pair("sue", "caller")
    assert floor.wait_for(events.Transferred).from_agent == "ann"
    floor.until("ann is free", lambda: floor.state("ann") is AgentState.READY)
    assert floor.state("sue") is AgentState.BUSY
    floor.until_hears("caller", "sue")
    floor.until_hears("sue", "caller")
    floor.centre.agent("sue").hold()
    floor.until("they are apart", lambda: floor.pair() == set())
    floor.centre.agent("sue").retrieve()
    floor.until_pair("sue", "caller")
    floor.centre.agent("sue").hang_up()
    floor.is_over()
    assert floor.state("sue") is AgentState.NOT_READY


def test_a_waiting_call_is_pulled_and_one_is_pushed(floor):
    floor.bob.not_ready()
    floor.sue.push(floor.call, ToQueue("loans"))  # where nobody is ready
    floor.until("it waits", lambda: floor.of(events.Queued, queue="loans"))
    floor.sue.pull(floor.call)
    floor.until_pair("sue", "caller")
    floor.until_hears("caller", "sue")
    assert floor.of(events.Established, agent="sue")[0].queue == "loans"
    floor.bob.ready()
    floor.sue.push(floor.call, ToAgent("bob"))
    floor.until_pair("bob", "caller")
    floor.until_hears("caller", "bob")
    floor.bob.hang_up()
    floor.is_over()
    floor.until("sue is not ready", lambda: floor.state("sue") is AgentState.NOT_READY)
