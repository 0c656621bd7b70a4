"""Hold, consultation, transfer and conference on a real FreeSWITCH, with SIP phones and what they hear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from cti import CallCenter, Destination, ToAgent, ToNumber, ToQueue, errors, events
from cti.model.states import AgentState

from .audio import read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch

pytestmark = pytest.mark.live

CALLER_HZ, ANN_HZ, BOB_HZ = 500, 900, 1300


class Desk(Watch):
    """Ann talks with a caller; Bob is ready. Each plays a tone of their own."""

    def __init__(self, centre: CallCenter, workdir: Path) -> None:
        super().__init__(centre)
        self.workdir = workdir
        self.ann, self.bob = centre.agent("ann"), centre.agent("bob")
        self.call = ""
        self.caller = ""

    def begin(self) -> None:
        talk = self.wait_for(events.Established)
        self.call = talk.interaction
        self.caller = self.centre._loop.engine.world.interactions[talk.interaction].caller

    def pair(self) -> set[str]:
        call = self.centre._loop.engine.world.interactions[self.call]
        return {self.name(leg) for leg in call.pair or ()}

    def name(self, leg: str) -> str:
        known = self.centre._loop.engine.world.connections.get(leg)
        return "gone" if known is None else known.agent or known.side.value

    def until_pair(self, *names: str) -> None:
        self.until(f"{names} talk", lambda: self.pair() == set(names))

    def members(self) -> int:
        """How many are in the call's conference, by the switch's own word."""
        listed = self.centre.switch.api("conference", f"{self.call} list")
        return sum(";" in line for line in listed.splitlines())

    def hears(self, leg: str, hz: int) -> bool:
        """Whether this leg is sent a tone: the share of it in half a second."""
        path = self.workdir / f"{time.monotonic_ns()}.wav"
        api = self.centre.switch.api
        api("uuid_setvar", f"{leg} RECORD_STEREO true")
        gevent.sleep(0.2)
        assert api("uuid_record", f"{leg} start {path}").startswith("+OK")
        gevent.sleep(0.9)
        api("uuid_record", f"{leg} stop {path}")
        gevent.sleep(0.2)
        _, heard = read_stereo(path)
        middle = slice(len(heard) // 4, 3 * len(heard) // 4)
        return tone_share(heard[middle], hz) > 0.3

    def is_over(self) -> None:
        self.wait_for(events.CallCleared)
        self.until(
            "all legs are gone", lambda: not json.loads(self.centre.switch.api("show", "channels as json")).get("rows")
        )
        self.until("both are ready", lambda: {self.state("ann"), self.state("bob")} == {AgentState.READY})
        self.nothing_is_wrong()


@pytest.fixture
def desk(switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path) -> Iterator[Desk]:
    ann = start_agents(ring_s=0.05, talk_s=60, tone=write_pcmu_tone(tmp_path / "ann.pcmu", ANN_HZ))
    bob = start_agents(ring_s=0.05, talk_s=60, tone=write_pcmu_tone(tmp_path / "bob.pcmu", BOB_HZ))
    outside = Destination("9*", bob.contact("{number}"))
    centre = CallCenter(switch.address, switch.password, allowed_destinations=[outside])
    centre.add_queue("claims", requires="claims", music="tone_stream://%(1000,0,250);loops=-1")
    centre.add_queue("loans", requires="loans")
    centre.add_agent("ann", ann.contact("ann"), skills={"claims": 1}).log_on(ready=True)
    centre.add_agent("bob", bob.contact("bob"), skills={"loans": 1}).log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("claims", data={"policy": "4711"}))
    made = Desk(centre, tmp_path)
    try:
        centre.start()
        start_callers("5000", hold_s=40, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ))
        made.begin()
        yield made
    finally:
        centre.stop()


def test_hold_and_retrieve(desk):
    ann_leg = desk.wait_for(events.Established).connection
    desk.ann.hold()
    desk.until("they are apart", lambda: desk.pair() == set())
    assert desk.hears(desk.caller, 250), "no music"
    assert not desk.hears(ann_leg, CALLER_HZ)
    desk.ann.retrieve()
    desk.wait_for(events.Retrieved)
    desk.until_pair("ann", "caller")
    assert desk.hears(desk.caller, ANN_HZ)
    assert desk.hears(ann_leg, CALLER_HZ)
    desk.ann.hang_up()
    desk.is_over()


def test_a_consultation_and_a_transfer(desk):
    desk.ann.consult(ToAgent("bob"))
    popped = desk.wait_for(events.Delivered, agent="bob")
    assert (popped.cause.csta_name, popped.data) == ("consultation", {"policy": "4711"})
    desk.until_pair("ann", "bob")
    assert desk.hears(desk.caller, 250), "no music"
    desk.ann.alternate()
    desk.until_pair("ann", "caller")
    desk.ann.alternate()
    desk.until_pair("ann", "bob")
    desk.ann.transfer()
    assert desk.wait_for(events.Transferred).agent == "bob"
    desk.until_pair("bob", "caller")
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert desk.state("bob") is AgentState.BUSY
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.is_over()


def test_a_consultation_that_ends_comes_back_to_the_caller(desk):
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.reconnect()
    desk.until_pair("ann", "caller")
    desk.until("bob is free", lambda: desk.state("bob") is AgentState.READY)
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.bob.hang_up()
    desk.until("bob has left", lambda: desk.pair() == set())
    assert desk.state("ann") is AgentState.BUSY
    desk.ann.retrieve()
    desk.until_pair("ann", "caller")
    desk.ann.hang_up()
    desk.is_over()


def test_a_number_outside_is_consulted_and_takes_the_call(desk):
    with pytest.raises(errors.DestinationNotAllowed):
        desk.ann.consult(ToNumber("0900123"))
    desk.ann.consult(ToNumber("9123"))
    desk.until_pair("ann", "other")
    desk.ann.transfer()
    desk.until_pair("caller", "other")
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.centre.hang_up(desk.call)
    desk.is_over()


def test_a_conference_of_three(desk):
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.conference()
    assert len(desk.wait_for(events.Conferenced).connections) == 3
    desk.until("three are in it", lambda: desk.members() == 3)
    assert desk.hears(desk.caller, ANN_HZ)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.ann.hang_up()
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.is_over()


def test_a_caller_is_sent_on_to_another_queue_and_to_an_agent(desk):
    desk.ann.transfer_to(ToQueue("loans"))
    second = desk.until("bob has the call", lambda: desk.of(events.Established, agent="bob"))[0]
    assert (second.queue, second.data) == ("loans", {"policy": "4711"})
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    desk.until_pair("bob", "caller")
    desk.bob.transfer_to(ToAgent("ann"))
    desk.until("ann has it again", lambda: len(desk.of(events.Established, agent="ann")) == 2)
    desk.until_pair("ann", "caller")
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.hang_up()
    desk.is_over()


def test_an_agent_whose_phone_goes_while_the_caller_is_held(desk):
    desk.ann.hold()
    desk.until("they are apart", lambda: desk.pair() == set())
    desk.centre.switch.api("uuid_kill", desk.wait_for(events.Established).connection)
    desk.until("back in the queue, and ann has it again", lambda: len(desk.of(events.Established, agent="ann")) == 2)
    desk.until_pair("ann", "caller")
    desk.ann.hang_up()
    desk.is_over()
