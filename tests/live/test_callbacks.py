"""Callbacks on a real FreeSWITCH: callers who leave and are called on SIP phones, in both orders, and a process that dies."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gevent import subprocess

from cti import CallbackPrompts, CallbackSettings, CallCenter, Destination, events
from cti.model import callback_events
from cti.model.states import AgentState

from .audio import write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_call_control import Desk
from .test_line import Watch
from .test_scripts import KeyCaller

pytestmark = pytest.mark.live

ANN_HZ, CUSTOMER_HZ, MUSIC_HZ = 900, 1300, 250
MUSIC = f"tone_stream://%(1000,0,{MUSIC_HZ});loops=-1"
BEEP = "tone_stream://%(50,0,640)"
PROMPTS = CallbackPrompts(number=BEEP, choose=BEEP, enter=BEEP, refused=BEEP, goodbye=BEEP)
ANSWERS, BUSY, SILENT = "0101", "0102", "0103"


class Office(Desk):
    """Ann is ready, or not; customers have phones that answer, are busy, or ring for ever."""

    def __init__(self, centre: CallCenter, workdir: Path, callers: Any) -> None:
        Watch.__init__(self, centre)
        self.workdir = workdir
        self.ann = centre.agent("ann")
        self._callers = callers

    def queue(self, **settings: Any) -> None:
        settings.setdefault("prompts", PROMPTS)
        self.centre.add_queue("claims", music=MUSIC, callback=CallbackSettings(**settings))

    def leaves(self, number: str) -> str:
        """A caller of this number asks to be called back, and is off the line; the callback's id."""
        self._callers("5000", hold_s=40, user=number)
        made = self.wait_for(callback_events.CallbackMade, number=number)
        self.wait_for(events.ConnectionCleared, interaction=made.interaction, side="caller")
        return str(made.interaction)

    def talk(self, back: str) -> None:
        """Ann and the customer talk, and hear each other."""
        self.call = back
        talk = self.wait_for(events.Established, interaction=back, timeout_s=30)
        customer = self.centre._loop.engine.world.interactions[back].caller
        assert self.hears(customer, ANN_HZ)
        assert self.hears(talk.connection, CUSTOMER_HZ)
        self.ann.hang_up()
        self.all_over()

    def all_over(self) -> None:
        self.until("no call is left", lambda: not self.centre._loop.engine.world.interactions)
        listed = lambda: json.loads(self.centre.switch.api("show", "channels as json")).get("rows")  # noqa: E731
        self.until("no channel is left", lambda: not listed())
        self.until("ann is ready", lambda: self.state("ann") is AgentState.READY)
        self.nothing_is_wrong()


@pytest.fixture
def office(switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path) -> Iterator[Office]:
    ann = start_agents(ring_s=0.05, talk_s=60, tone=write_pcmu_tone(tmp_path / "ann.pcmu", ANN_HZ))
    tone = write_pcmu_tone(tmp_path / "customer.pcmu", CUSTOMER_HZ)
    phones = {
        ANSWERS: start_agents(ring_s=0.5, talk_s=60, tone=tone),
        BUSY: start_agents(ring_s=0.2, rejects="486 Busy Here"),
        SILENT: start_agents(answers=False),
    }
    rules = [Destination(number, phone.contact("{number}")) for number, phone in phones.items()]
    centre = CallCenter(switch.address, switch.password, allowed_destinations=rules)
    centre.add_agent("ann", ann.contact("ann"))
    centre.on_call("5000")(lambda call: call.callback("claims", confirm=False))
    centre.on_call("5001")(lambda call: call.callback("claims"))
    made = Office(centre, tmp_path, start_callers)
    made.queue()
    try:
        centre.start()
        yield made
    finally:
        centre.stop()


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_the_customer_answers(office, first):
    office.queue(first=first, calling_number="4000")
    back = office.leaves(ANSWERS)
    assert office.centre.callbacks()[0].position == 1
    office.ann.log_on(ready=True)
    office.talk(back)
    called, ended = office.of(events.Originated)[0], office.of(callback_events.CallbackEnded)[0]
    assert (called.cause.csta_name, called.to, ended.state) == ("callBack", ANSWERS, "answered")


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_the_customer_is_busy_and_is_reached_elsewhere(office, first):
    office.queue(first=first, busy_pause_s=600.0)
    back = office.leaves(BUSY)
    office.ann.log_on(ready=True)
    tried = office.wait_for(callback_events.CallbackTried)
    assert (tried.outcome, tried.switch_cause, tried.tries) == ("busy", "USER_BUSY", 1)
    office.until("ann is ready", lambda: office.state("ann") is AgentState.READY)
    office.centre.reschedule_callback(back, at=0, number=ANSWERS)
    office.talk(back)


def test_nobody_answers_and_the_agent_waits_for_as_long_as_it_rings(office):
    """... for longer than FreeSWITCH leaves an answered leg alone that waits for a bridge (20 s)."""
    office.queue(first="agent", ring_s=23.0, pause_s=600.0)
    back = office.leaves(SILENT)
    office.ann.log_on(ready=True)
    tried = office.wait_for(callback_events.CallbackTried, timeout_s=40)
    assert tried.outcome == "no answer"
    assert [(e.outcome, e.cause.csta_name) for e in office.of(events.OfferEnded)] == [("cancelled", "callNotAnswered")]
    office.until("ann is ready", lambda: office.state("ann") is AgentState.READY)
    office.centre.cancel_callback(back)
    office.all_over()


def test_nobody_answers_and_the_agent_is_never_rung(office):
    office.queue(first="customer", ring_s=2.0, tries=1)
    office.leaves(SILENT)
    office.ann.log_on(ready=True)
    assert office.wait_for(callback_events.CallbackEnded).state == "failed"
    assert not office.of(events.Delivered, agent="ann")
    office.all_over()


def test_race_24_the_agent_goes_and_the_customer_hears_music_until_the_next(office):
    """Race 24."""
    office.queue(first="customer")
    back = office.leaves(ANSWERS)
    office.ann.log_on(ready=True)
    office.wait_for(events.Originated, interaction=back)
    office.ann.log_off()
    answered = office.wait_for(callback_events.CallbackAnswered)
    assert office.hears(answered.connection, MUSIC_HZ)
    office.ann.log_on(ready=True)
    office.talk(back)


def test_a_caller_agrees_with_real_keys(office, switch, tmp_path):
    caller = KeyCaller(
        [1.5, "2", 1.0, f"{ANSWERS}#", 1.5, "1"],
        tmp_path / "keys",
        switch_port=switch.callers_port,
        number="5001",
        info=True,
        user=BUSY,
    )
    with caller:
        made = office.wait_for(callback_events.CallbackMade)
        assert made.number == ANSWERS
        office.wait_for(events.ConnectionCleared, interaction=made.interaction, side="caller")
    office.ann.log_on(ready=True)
    office.talk(made.interaction)


_PROCESS = """
import json, sys
import gevent
from cti import events
from tests.live.test_callbacks import revived

centre = revived(*sys.argv[1:])
centre.start()
centre.agent("ann").log_on(ready=True)
calling = []
centre.subscribe(calling.append, events.Originated)
held = centre.request_callback("claims", "0101")
with gevent.Timeout(30):
    while not calling:
        gevent.sleep(0.02)
later = centre.request_callback("claims", "0102", at=4e9)
gevent.sleep(0.5)  # the last of it is written
print("ids", json.dumps([held, later]), flush=True)
gevent.sleep(60)
"""


def revived(*arguments: str) -> CallCenter:
    """A centre as it is set up in the process that is killed, and again here."""
    address, password, journal, first, ann, customer = arguments
    centre = CallCenter(address, password, journal=journal, allowed_destinations=[Destination("01*", customer)])
    centre.add_queue("claims", music=MUSIC, callback=CallbackSettings(first=first))
    centre.add_agent("ann", ann)
    return centre


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_our_process_is_killed_while_the_customers_phone_rings(switch, start_agents, tmp_path, first):
    ann = start_agents(ring_s=0.05, talk_s=60, tone=write_pcmu_tone(tmp_path / "ann.pcmu", ANN_HZ))
    tone = write_pcmu_tone(tmp_path / "customer.pcmu", CUSTOMER_HZ)
    customer = start_agents(ring_s=8.0, talk_s=60, tone=tone)
    arguments = [switch.address, switch.password, str(tmp_path / "journal"), first]
    arguments += [ann.contact("ann"), customer.contact("{number}")]
    process = subprocess.Popen([sys.executable, "-c", _PROCESS, *arguments], stdout=subprocess.PIPE)
    line = next(line for line in process.stdout if line.startswith(b"ids "))
    process.send_signal(signal.SIGKILL)
    process.wait()
    held, later = json.loads(line[4:])
    centre = revived(*arguments)
    watch = Office(centre, tmp_path, None)
    try:
        centre.start()
        assert [(each.id, each.state) for each in centre.callbacks()] == [(held, "calling"), (later, "scheduled")]
        centre.cancel_callback(later)
        watch.talk(held)
        assert not watch.of(callback_events.CallbackTried)
    finally:
        centre.stop()
