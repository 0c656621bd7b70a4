"""Predictive calls on a real FreeSWITCH: an agent, or a message within two seconds (race 23)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cti import Destination, PredictiveSettings, errors, events
from cti.model import services
from cti.model.states import AgentState

from .test_call_control import ANN_HZ, Desk, desk

pytestmark = pytest.mark.live
__all__ = ["desk"]

MESSAGE_HZ = 700


def test_who_answers_gets_the_agent_and_who_finds_nobody_hears_the_message_within_two_seconds(desk: Desk):
    desk.ann.hang_up()
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    message = f"tone_stream://%(3000,0,{MESSAGE_HZ})"
    desk.centre.add_queue(
        "claims", requires="claims", music="", predictive=PredictiveSettings(message, abandon_cap=0.5)
    )
    call = desk.centre.make_predictive_call("claims", "9777", {"policy": "4711"})
    assert desk.wait_for(events.Queued, interaction=call).cause.csta_name == "makePredictiveCall"
    assert desk.wait_for(events.Delivered, interaction=call).data == {"policy": "4711"}
    assert desk.wait_for(events.Established, interaction=call).agent == "ann"
    desk.call = call
    desk.until_pair("ann", "caller")
    assert desk.hears(desk.centre._loop.engine.world.interactions[call].caller, ANN_HZ)

    alone = desk.centre.make_predictive_call("claims", "9778")  # 1 of 2 at worst
    with pytest.raises(errors.ResourceBusy):
        desk.centre.make_predictive_call("claims", "9779")
    answered = desk.wait_for(events.Queued, interaction=alone)
    told = desk.wait_for(events.PredictiveCallAbandoned, interaction=alone)
    assert 1.9 < told.at - answered.at < 2.5
    assert desk.centre.predictive_figures("claims").abandoned == 1  # before the call has ended
    leg = desk.centre._loop.engine.world.interactions[alone].caller
    desk.until("the message", lambda: desk.hears(leg, MESSAGE_HZ))
    began = time.monotonic()
    desk.wait_for(events.CallCleared, interaction=alone)
    assert time.monotonic() - began < 10
    assert not desk.of(events.Established, interaction=alone)
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.is_over()


def test_a_customer_who_is_busy(desk: Desk, start_agents: Any):
    nobody = start_agents(ring_s=0.05, rejects="486 Busy Here")
    desk.centre.add_queue("loans", requires="loans", predictive=PredictiveSettings("silence_stream://100", ring_s=2))
    desk.centre._loop.ask(services.DestinationsDefined((Destination("9*", nobody.contact("{number}")),)))
    call = desk.centre.make_predictive_call("loans", "9777")
    cleared = desk.wait_for(events.ConnectionCleared, interaction=call)
    assert cleared.cause.csta_name == "busy"
    desk.wait_for(events.CallCleared, interaction=call)
    assert desk.centre.predictive_figures("loans").answered == 0
    desk.ann.hang_up()
    desk.is_over()
