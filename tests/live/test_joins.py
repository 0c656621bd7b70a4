"""Answering, inviting, joining, intruding and clearing on a real FreeSWITCH, with SIP phones and what they hear."""

from __future__ import annotations

from typing import Any

import pytest

from cti import ToAgent, ToNumber, events
from cti.errors import InvalidConnection
from cti.model.states import AgentState

from .audio import read_stereo, tone_share
from .test_call_control import ANN_HZ, BOB_HZ, CALLER_HZ, Desk, desk

pytestmark = pytest.mark.live
__all__ = ["desk"]


def test_a_phone_that_obeys_notify_talk_answers_when_it_is_asked_to(desk: Desk, start_agents: Any, start_callers: Any):
    phone = start_agents(obeys=True)
    desk.centre.add_queue("quiet", requires="quiet")
    eve = desk.centre.add_agent("eve", phone.contact("eve"), skills={"quiet": 1})
    eve.log_on(ready=True)
    with pytest.raises(InvalidConnection, match="does not ring"):
        eve.answer()
    start_callers("5998", hold_s=2)
    desk.wait_for(events.Delivered, agent="eve")
    assert desk.state("eve") is AgentState.ALERTING
    eve.answer()
    desk.wait_for(events.Established, agent="eve")
    desk.until("eve is free", lambda: desk.state("eve") is AgentState.READY)
    assert phone.figures().failed == 0
    desk.ann.clear_call()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()


def test_a_number_is_invited_and_all_hear_each_other(desk: Desk):
    desk.ann.invite(ToNumber("9777"))
    assert len(desk.wait_for(events.Conferenced).connections) == 3
    desk.until("three are in it", lambda: desk.members() == 3)
    assert desk.hears(desk.caller, BOB_HZ)  # the number is at Bob's phone
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.invite(ToAgent("bob"))
    desk.until("four are in it", lambda: desk.members() == 4)
    desk.ann.clear_call()
    desk.is_over()


def test_an_agent_joins_a_conversation_and_leaves_it(desk: Desk):
    desk.bob.join("ann")
    assert desk.wait_for(events.Conferenced).cause.csta_name == "joinCall"
    desk.until("three are in it", lambda: desk.members() == 3)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.until("bob is free", lambda: desk.state("bob") is AgentState.READY)
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.clear_call()
    desk.is_over()


def test_an_agent_joins_silently(desk: Desk):
    desk.bob.not_ready()
    desk.bob.join("ann", silent=True)
    desk.until("bob listens", lambda: [e for e in desk.of(events.Supervised) if e.phase == "listening"])
    leg = next(iter(desk.centre._loop.engine.world.supervisions))
    heard = desk.shares(leg, (CALLER_HZ, ANN_HZ))
    assert min(heard.values()) > 0.15
    assert not desk.hears(desk.caller, BOB_HZ)
    desk.ann.hang_up()
    desk.until("bob's line is let go", lambda: not desk.centre._loop.engine.world.supervisions)
    desk.bob.ready()
    desk.is_over()


def test_those_who_talk_hear_a_tone_before_somebody_intrudes(desk: Desk):
    ann_leg = desk.wait_for(events.Established).connection
    path = desk.workdir / "warning.wav"
    desk.centre.switch.api("uuid_setvar", f"{ann_leg} RECORD_STEREO true")
    desk.bob.intrude("ann", warn_s=2)
    desk.until("bob has answered", lambda: desk.centre._loop.engine.world.timers.running("warn", desk.call))
    # From now on: what began before the tone does not hear it, since the sound goes from one to the next.
    desk.centre.switch.api("uuid_record", f"{ann_leg} start {path}")
    assert desk.wait_for(events.Conferenced).cause.csta_name == "intrude"
    desk.centre.switch.api("uuid_record", f"{ann_leg} stop {path}")
    desk.until("the file is there", lambda: path.exists() and path.stat().st_size > 16_000)
    _, heard = read_stereo(path)
    pieces = (heard[at : at + 1600] for at in range(0, len(heard) - 1600, 1600))
    assert any(tone_share(piece, 1400) > 0.1 for piece in pieces), "no warning"
    desk.until("three are in it", lambda: desk.members() == 3)
    assert desk.hears(desk.caller, BOB_HZ)
    desk.ann.clear_call()
    desk.is_over()


def test_a_phone_is_connected_hears_the_dial_tone_and_the_number_is_dialled(desk: Desk):
    desk.bob.make_connection()
    begun = desk.wait_for(events.ServiceInitiated)
    leg = begun.connection
    desk.until("bob's phone is answered", lambda: desk.centre._loop.engine.world.connections[leg].parked)
    assert desk.shares(leg, (440,))[440] > 0.1, "no dial tone"
    desk.bob.dial_digits("97", more=True)
    desk.bob.dial_digits("77")
    assert desk.wait_for(events.Originated).to == "9777"
    desk.wait_for(events.Established, interaction=begun.interaction)
    desk.bob.hang_up()
    desk.until("bob is free", lambda: desk.state("bob") is AgentState.READY)
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()


def test_two_agents_are_called_when_both_are_free(desk: Desk):
    desk.bob.call_back("ann")
    assert [each.to for each in desk.bob.call_backs()] == ["ann"]
    desk.ann.hang_up()
    begun = desk.wait_for(events.ServiceInitiated)
    assert begun.cause.csta_name == "callBack"
    desk.call = begun.interaction
    desk.until_pair("ann", "bob")
    ann_leg = desk.centre._loop.engine.world.agents["ann"].connection
    assert desk.hears(ann_leg, BOB_HZ)
    desk.bob.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.is_over()


def test_a_text_is_shown_on_the_phone_of_an_agent_who_talks(desk: Desk, start_agents: Any, start_callers: Any):
    phone = start_agents(obeys=True, reads=True)
    desk.centre.add_queue("quiet", requires="quiet")
    eve = desk.centre.add_agent("eve", phone.contact("eve"), skills={"quiet": 1})
    eve.log_on(ready=True)
    desk.centre.subscribe(desk.said.append, events.MessageReceived)
    start_callers("5998", hold_s=3)
    desk.wait_for(events.Delivered, agent="eve")
    eve.answer()
    desk.wait_for(events.Established, agent="eve")
    desk.bob.send_message("eve", "please hurry\nplease", phone=True)
    assert desk.wait_for(events.MessageReceived).on_phone
    desk.until("eve is free", lambda: desk.state("eve") is AgentState.READY)
    desk.until("the phone has read it", lambda: phone.figures().successful == 1)
    desk.ann.hang_up()
    desk.until("nobody is left", lambda: desk.centre.snapshot().calls == 0)
    desk.nothing_is_wrong()
