"""Group pickup, and digits sent in a call, on a real FreeSWITCH with SIP phones."""

from __future__ import annotations

from typing import Any

import pytest

from cti import Destination, ToNumber, ToScript, events
from cti.errors import InvalidConnection
from cti.model import services
from cti.model.states import AgentState

from .freeswitch_process import FreeSwitchProcess
from .test_call_control import Desk, desk

pytestmark = pytest.mark.live
__all__ = ["desk"]


def test_a_ringing_call_is_picked_up_by_whoever_serves_its_queue(desk: Desk, start_agents: Any, start_callers: Any):
    silent, phone = start_agents(ring_s=0.05, answers=False), start_agents(ring_s=0.05)
    desk.centre.add_queue("quiet", requires="quiet")
    eve = desk.centre.add_agent("eve", silent.contact("eve"), skills={"quiet": 1})
    eve.log_on(ready=True)
    start_callers("5998", hold_s=2)
    rings = desk.wait_for(events.Delivered, agent="eve")
    fay = desk.centre.add_agent("fay", phone.contact("fay"), skills={"quiet": 1})
    fay.log_on(ready=True)
    with pytest.raises(InvalidConnection, match="no call rings at a colleague of agent 'bob'"):
        desk.bob.pick_up()  # who serves another queue
    fay.pick_up()
    talk = desk.wait_for(events.Established, agent="fay")
    assert (talk.interaction, talk.cause.csta_name) == (rings.interaction, "callPickup")
    assert desk.wait_for(events.OfferEnded, agent="eve").outcome == "rescinded"
    desk.until("eve's phone was cancelled", lambda: silent.figures().successful == 1)
    assert desk.state("eve") is AgentState.READY
    desk.until("fay is free", lambda: desk.state("fay") is AgentState.READY)
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()


def test_of_a_groups_calls_the_one_that_rings_longest_is_picked_up(desk: Desk, start_agents: Any, start_callers: Any):
    """Eve and Hal are of a group of Fay's, and serve other queues than she."""
    silent, phone = start_agents(ring_s=0.05, answers=False), start_agents(ring_s=0.05)
    desk.centre.add_queue("quiet", requires="quiet")
    for name in ("eve", "hal"):
        agent = desk.centre.add_agent(name, silent.contact(name), skills={"quiet": 1}, pickup_groups=["north"])
        agent.log_on(ready=True)
    fay = desk.centre.add_agent("fay", phone.contact("fay"), pickup_groups=["south", "north"])
    fay.log_on(ready=True)
    start_callers("5998", hold_s=4)
    first = desk.wait_for(events.Delivered, agent="eve").interaction
    start_callers("5998", hold_s=40)
    second = desk.wait_for(events.Delivered, agent="hal").interaction
    with pytest.raises(InvalidConnection, match="not in pickup group 'east'"):
        fay.pick_up(group="east")
    with pytest.raises(InvalidConnection, match="no call rings"):
        fay.pick_up(group="south")
    fay.pick_up(group="north")
    assert desk.wait_for(events.Established, agent="fay").interaction == first
    assert desk.state("hal") is AgentState.ALERTING
    desk.until("fay is free", lambda: desk.state("fay") is AgentState.READY)
    fay.pick_up()
    desk.wait_for(events.Established, agent="fay", interaction=second)
    assert {desk.state("eve"), desk.state("hal")} == {AgentState.READY}
    fay.hang_up()
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()


def test_the_other_party_gets_the_digits_that_an_agent_sends(desk: Desk, switch: FreeSwitchProcess):
    """The number outside leads back to the same switch, which says what keys it has heard."""
    desk.ann.hang_up()
    desk.is_over()
    desk.said.clear()
    outside = Destination("98", f"sofia/callers/59{{number}}@127.0.0.1:{switch.callers_port}")
    desk.centre._loop.ask(services.DestinationsDefined((outside,)))
    heard: list[str] = []

    def menu(call: Any) -> None:
        call.answer()
        heard.append(call.collect("silence_stream://20000", max_digits=4, valid=r"[0-9*]+", first_digit_s=20).digits)

    desk.centre.script("menu")(menu)
    desk.centre.add_queue("quiet", requires="quiet", overflow_unstaffed=True, overflow=ToScript("menu"))
    desk.ann.make_call(ToNumber("98"))
    desk.wait_for(events.Established)
    desk.ann.send_digits("1")
    desk.ann.send_digits("2*3")
    desk.until("the keys were heard", lambda: heard)
    assert heard == ["12*3"]
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()
