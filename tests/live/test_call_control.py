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
        return self.shares(leg, (hz,))[hz] > 0.3

    def shares(self, leg: str, tones: tuple[int, ...]) -> dict[int, float]:
        """How much of what this leg is sent in half a second is of each tone."""
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
        return {hz: tone_share(heard[middle], hz) for hz in tones}

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
    centre.on_call("5999")(lambda call: call.queue("loans"))
    centre.on_call("5998")(lambda call: call.queue("quiet"))
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


def test_an_agent_calls_another_agent_and_a_number_outside(desk):
    desk.ann.hang_up()
    desk.is_over()
    desk.said.clear()
    desk.ann.make_call(ToAgent("bob"))
    talk = desk.wait_for(events.Established, agent="bob")
    desk.call = talk.interaction
    desk.until_pair("ann", "bob")
    assert desk.hears(talk.connection, ANN_HZ)
    desk.bob.hang_up()
    desk.is_over()
    desk.said.clear()
    desk.ann.make_call(ToNumber("9123"), calling_number="4000")
    talk = desk.wait_for(events.Established)
    desk.call, desk.caller = talk.interaction, talk.connection
    names = [type(e).__name__ for e in desk.said if isinstance(e, events.CallEvent)]
    assert names == ["ServiceInitiated", "Originated", "Delivered", "Established"]
    desk.until_pair("ann", "other")
    desk.ann.hold()
    desk.until("they are apart", lambda: desk.pair() == set())
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.transfer()
    desk.until_pair("bob", "other")
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    desk.bob.hang_up()
    desk.is_over()


def test_an_agent_whose_call_is_not_answered_hears_that_it_rings_and_may_give_up(desk, start_agents):
    desk.ann.hang_up()
    desk.is_over()
    desk.said.clear()
    silent = start_agents(ring_s=0.05, answers=False)
    desk.centre.add_agent("eve", silent.contact("eve")).log_on(ready=True)
    desk.ann.make_call(ToAgent("eve"))
    desk.wait_for(events.Delivered, agent="eve")
    own = desk.wait_for(events.ServiceInitiated).connection
    desk.until(
        "the ring-back tone", lambda: desk.centre.switch.api("uuid_getvar", f"{own} current_application") == "playback"
    )
    desk.ann.hang_up()
    desk.until("eve is free", lambda: desk.state("eve") is AgentState.READY)
    desk.is_over()


def test_a_call_is_parked_and_taken_up_by_another_agent(desk):
    place = desk.ann.park()
    assert desk.wait_for(events.Diverted).to_place == place
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert desk.hears(desk.caller, 250), "no music"
    desk.bob.unpark(place)
    desk.until_pair("bob", "caller")
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.park("88", recall_s=0.5)
    desk.until("it comes back to bob", lambda: len(desk.of(events.Established, agent="bob")) == 2)
    assert desk.of(events.Queued)[-1].cause.csta_name == "recall"
    desk.until_pair("bob", "caller")
    desk.bob.hang_up()
    desk.is_over()


def test_one_more_agent_is_invited_and_all_hear_each_other(desk):
    desk.ann.invite(ToAgent("bob"))
    assert len(desk.wait_for(events.Conferenced).connections) == 3
    desk.until("three are in it", lambda: desk.members() == 3)
    assert desk.hears(desk.caller, BOB_HZ)
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.hang_up()
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.is_over()


def test_a_consultation_waits_until_the_other_agent_is_free(desk, start_callers):
    start_callers("5999", hold_s=2)
    desk.until("bob has a call", lambda: desk.state("bob") is AgentState.BUSY)
    desk.ann.consult(ToAgent("bob"), wait_s=30)
    assert desk.wait_for(events.Originated).cause.csta_name == "campOn"
    desk.until_pair("ann", "bob")
    desk.ann.reconnect()
    desk.until_pair("ann", "caller")
    desk.ann.hang_up()
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    desk.nothing_is_wrong()


def test_a_ringing_call_is_picked_up_by_another_agent_and_one_is_deflected(desk, start_agents, start_callers):
    silent = start_agents(ring_s=0.05, answers=False)
    desk.centre.add_queue("quiet", requires="quiet")
    desk.centre.add_agent("eve", silent.contact("eve"), skills={"quiet": 1}).log_on(ready=True)
    start_callers("5998", hold_s=3)
    desk.wait_for(events.Delivered, agent="eve")
    desk.bob.pick_up("eve")
    desk.wait_for(events.Established, agent="bob")
    assert desk.of(events.Established, agent="bob")[0].cause.csta_name == "callPickup"
    desk.until("bob is free", lambda: desk.state("bob") is AgentState.READY)
    start_callers("5998", hold_s=3)
    desk.until("it rings at eve again", lambda: len(desk.of(events.Delivered, agent="eve")) == 2)
    desk.centre.agent("eve").deflect(ToQueue("loans"))
    desk.until("bob has it", lambda: len(desk.of(events.Established, agent="bob")) == 2)
    assert desk.state("eve") is AgentState.READY
    desk.until("bob is free", lambda: desk.state("bob") is AgentState.READY)
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()


def test_a_call_may_be_held_more_often_than_freeswitch_allows_transfers(desk):
    for _ in range(72):
        desk.ann.hold()
        desk.until("they are apart", lambda: desk.pair() == set())
        desk.ann.retrieve()
        desk.until_pair("ann", "caller")
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.hang_up()
    desk.is_over()
