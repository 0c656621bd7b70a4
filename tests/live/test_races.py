"""Races that need a FreeSWITCH to be true, as far as no other file has them: which one has which, see tests/engine/test_races."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cti import ToAgent, ToQueue, ToScript, events
from cti.esl import Raw
from cti.model.states import AgentState
from cti.switch.canary import SUBCLASS

from .freeswitch_process import FreeSwitchProcess
from .test_call_control import ANN_HZ, BOB_HZ, CALLER_HZ, Desk, desk

pytestmark = pytest.mark.live
__all__ = ["desk"]

FLOOD = Path(__file__).with_name("flood.py")


def test_race_10_a_transfer_that_fails_gives_the_held_caller_back_and_a_blind_one_frees_the_agent_at_once(
    desk: Desk, start_agents: Any
):
    nobody = start_agents(ring_s=0.05, rejects="486 Busy Here")
    desk.centre.add_agent("eve", nobody.contact("eve"), skills={"quiet": 1}).log_on(ready=True)
    desk.ann.consult(ToAgent("eve"))
    desk.wait_for(events.OfferEnded, agent="eve")
    desk.until("the caller is held", lambda: desk.pair() == set())
    assert desk.hears(desk.caller, 250), "no music"
    desk.ann.retrieve()
    desk.until_pair("ann", "caller")
    assert desk.hears(desk.caller, ANN_HZ)
    desk.ann.transfer_to(ToQueue("loans"))
    queued = desk.wait_for(events.Queued, queue="loans")
    desk.until("ann is free", lambda: desk.state("ann") is AgentState.READY)
    assert queued.data == {"policy": "4711"}  # race 11: the data are kept
    desk.until_pair("bob", "caller")
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.is_over()


def test_race_15_a_hang_up_event_never_comes(desk: Desk):
    link = desk.centre.switch._socket._events
    assert link is not None
    assert link.request(Raw("nixevent CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE").encode()).ok
    desk.ann.hang_up()
    cleared = desk.wait_for(events.CallCleared, timeout_s=40)
    assert cleared.interaction == desk.call
    desk.is_over()


def test_race_22_the_supervisor_stays_with_the_agent_or_goes_with_the_call(desk: Desk, start_agents: Any):
    phone = start_agents(ring_s=0.05)
    for name in ("sue", "tom"):
        desk.centre.add_agent(name, phone.contact(name)).log_on()
    sue, tom = desk.centre.supervisor("sue"), desk.centre.supervisor("tom")
    sue.monitor(agent="ann")
    tom.monitor(call=desk.call)
    supervisions = desk.centre._loop.engine.world.supervisions

    def heard(who: str) -> tuple[str, str]:
        known = next(each for each in supervisions.values() if each.supervisor == who)
        return known.phase.value, desk.name(known.target) if known.target else ""

    def leg(who: str) -> str:
        return next(each.leg for each in supervisions.values() if each.supervisor == who)

    desk.until("both listen", lambda: (heard("sue")[0], heard("tom")[0]) == ("listening", "listening"))
    desk.ann.consult(ToAgent("bob"))
    desk.until_pair("ann", "bob")
    desk.ann.transfer()
    desk.until_pair("bob", "caller")
    desk.until("sue waits for ann's next call", lambda: heard("sue") == ("waiting", ""))
    desk.until("tom hears the call", lambda: heard("tom") == ("listening", "caller"))
    desk.until("he hears Bob", lambda: min(desk.shares(leg("tom"), (BOB_HZ, CALLER_HZ)).values()) > 0.15)
    assert not desk.hears(leg("sue"), BOB_HZ)
    desk.bob.hang_up()
    desk.wait_for(events.CallCleared)
    desk.until("tom's line is let go with the call", lambda: len(supervisions) == 1)
    sue.end()
    desk.until("sue's too", lambda: not supervisions)
    desk.nothing_is_wrong()


def test_race_25_freeswitch_drops_what_we_are_too_slow_to_read(desk: Desk, switch: FreeSwitchProcess):
    caller = desk.caller
    port, password = switch.address.rpartition(":")[2], switch.password
    # Nothing is read meanwhile: the whole process waits. FreeSWITCH keeps 100,000 events for a listener, and lets go of one
    # that has missed 500 (mod_event_socket.c).
    flood = [sys.executable, str(FLOOD), port, password, "125000", SUBCLASS, f"uuid_kill {caller}"]
    subprocess.run(flood, check=True, timeout=300)
    desk.until("it is noticed", lambda: desk.of(events.SystemStatus, status="messagesLost"), 60)
    desk.until("the call that ended unheard is over", lambda: desk.of(events.CallCleared, interaction=desk.call), 60)
    desk.until("the link is live", lambda: desk.of(events.SystemStatus)[-1].status == "normal", 60)
    desk.is_over()


def test_a_call_goes_on_in_a_script_and_comes_back_with_its_data(desk: Desk):
    """Single Step Transfer to an IVR script."""

    @desk.centre.script("survey")
    def survey(call: Any) -> None:
        call.attach(asked=True)
        call.play("tone_stream://%(300,0,1000)")
        call.queue("loans")

    desk.ann.transfer_to(ToScript("survey"))
    assert desk.wait_for(events.Diverted).to_script == "survey"
    talk = desk.wait_for(events.Established, agent="bob")
    assert (talk.interaction, talk.data) == (desk.call, {"policy": "4711", "asked": True})
    desk.until_pair("bob", "caller")
    assert desk.hears(desk.caller, BOB_HZ)
    desk.bob.hang_up()
    desk.is_over()
