"""Phones as they are, on a simulated switch over its own bytes."""

from __future__ import annotations

import pytest
from attrs import evolve

from cti import events
from cti.model.states import AgentState, DeviceState

from .bench import QUICK, Bench


def phone(line: Bench, name: str = "1001", *, registered: bool = True):
    return line.switch.phones.add(f"user/{name}", QUICK, registered=registered)


def state(line: Bench, agent: str = "ann"):
    view = line.centre.agent(agent).view
    return view.state, view.reason


def a_queue(line: Bench) -> None:
    line.centre.add_queue("sales")
    line.centre.on_call("5*")(lambda call: call.queue("sales"))


def test_whose_phone_leaves_is_not_ready_and_back_when_it_is(line):
    a_queue(line)
    ann = phone(line)
    line.centre.add_agent("ann", "user/1001").log_on(ready=True)
    line.centre.start()
    line.until("the phone is known", lambda: line.centre.agent("ann").view.device is DeviceState.IN_SERVICE)
    assert state(line) == (AgentState.READY, "")
    for leave in (ann.unregister, ann.expire):
        leave()
        line.until("out of service", lambda: state(line) == (AgentState.NOT_READY, "PHONE_DOWN"))
        caller = line.switch.incoming(talk_s=0.05)
        line.until("it waits", lambda: line.centre.snapshot().queues[0].waiting)
        assert ann.offered == 0, "nobody's phone rings"
        caller.hang_up()
        ann.register()
        line.until("back", lambda: state(line) == (AgentState.READY, ""))
    line.switch.incoming(talk_s=0.05)
    line.wait_for(events.Established, agent="ann")
    line.all_is_over()


def test_agents_log_on_before_they_register(line):
    a_queue(line)
    ann = phone(line, registered=False)
    line.centre.start()
    line.centre.add_agent("ann", "user/1001@cti.internal").log_on(ready=True)
    line.until("no phone", lambda: state(line) == (AgentState.NOT_READY, "PHONE_DOWN"))
    line.switch.incoming(talk_s=0.05)
    ann.register()
    line.wait_for(events.Established, agent="ann")
    assert ann.offered == 1
    line.all_is_over()


def test_who_was_logged_on_before_the_link_is_known_when_calls_are_routed(line):
    a_queue(line)
    phone(line, registered=False)
    phone(line, "1002")
    line.centre.add_agent("ann", "user/1001").log_on(ready=True)
    line.centre.add_agent("bob", "user/1002").log_on(ready=True)
    line.switch.incoming(talk_s=0.05)
    line.centre.start()
    line.wait_for(events.Established, agent="bob")
    assert state(line) == (AgentState.NOT_READY, "PHONE_DOWN")
    assert line.of(events.OfferEnded) == []
    line.all_is_over()


def test_after_a_lost_link_and_after_a_restart_the_phones_are_looked_at_again(line):
    a_queue(line)
    ann = phone(line)
    line.centre.add_agent("ann", "user/1001").log_on(ready=True)
    line.centre.start()
    line.until("the phone is known", lambda: line.centre.agent("ann").view.device is DeviceState.IN_SERVICE)
    line.switch.drop_links()
    ann.unregister()  # nobody hears of it
    line.until("found out", lambda: state(line) == (AgentState.NOT_READY, "PHONE_DOWN"))
    line.switch.restart()
    ann.register()
    line.until("found out", lambda: state(line) == (AgentState.READY, ""))
    line.all_is_over()


def test_an_offer_that_meets_no_registration_leads_there_too(line):
    a_queue(line)
    ann = phone(line)
    line.centre.add_agent("ann", "user/1001", phone_down_delay_s=0.2).log_on(ready=True)
    line.centre.start()
    line.until("the phone is known", lambda: line.centre.agent("ann").view.device is DeviceState.IN_SERVICE)
    ann.registered = False  # and no event of it
    line.switch.incoming(talk_s=0.05)
    line.until("out of service", lambda: line.centre.agent("ann").view.device is DeviceState.OUT_OF_SERVICE)
    assert state(line) == (AgentState.NOT_READY, "PHONE_DOWN")
    assert line.of(events.AgentNotReady, reason="RNA") == []
    ann.registered = True  # again no event: it is looked for
    line.wait_for(events.Established, agent="ann")
    line.all_is_over()


def test_calls_past_the_centre_are_seen_and_nothing_is_offered_meanwhile(line):
    a_queue(line)
    ann = phone(line)
    said = []
    line.centre.subscribe(said.append, events.OwnCall)
    line.centre.add_agent("ann", "user/1001").log_on(ready=True)
    line.centre.start()
    own = ann.call("5999")  # a script of the centre's own, or the dialplan's: her phone is in use
    line.until("in use", lambda: state(line) == (AgentState.NOT_READY, "NON_ACD_CALL"))
    own.hang_up()
    line.until("free", lambda: state(line) == (AgentState.READY, ""))
    leg = line.centre.switch.bgapi("originate", "{origination_caller_id_number=0305678}user/1001 &park()")
    line.until("she talks", lambda: [e for e in said if e.incoming and e.phase == "talking"])
    assert state(line) == (AgentState.NOT_READY, "NON_ACD_CALL")
    line.switch.drop_links()
    line.until("the link is gone", lambda: not line.centre.switch.connected)
    line.until("the link is back", lambda: line.centre.switch.connected)
    assert state(line) == (AgentState.NOT_READY, "NON_ACD_CALL")
    line.until("live", lambda: line.of(events.SystemStatus, status="normal")[1:])
    line.centre.switch.api("uuid_kill", leg.split()[1])
    line.until("free", lambda: state(line) == (AgentState.READY, ""))
    line.until("all is told", lambda: said[-1].phase == "ended" and said[-1].incoming)
    assert [(e.incoming, e.number, e.phase) for e in said if e.incoming] == [
        (True, "0305678", "ringing"),
        (True, "0305678", "talking"),
        (True, "0305678", "ended"),
    ]
    line.all_is_over()


def test_whoever_logs_on_in_the_middle_of_a_call_is_not_ready_until_its_end(line):
    a_queue(line)
    ann = phone(line)
    line.centre.start()
    own = ann.call("5999")
    line.centre.add_agent("ann", "user/1001")
    line.centre.agent("ann").log_on(ready=True)
    line.until("in use", lambda: state(line) == (AgentState.NOT_READY, "NON_ACD_CALL"))
    own.hang_up()
    line.until("free", lambda: state(line) == (AgentState.READY, ""))


@pytest.mark.parametrize("together", [True, False])
def test_a_mobile_takes_the_call_that_nobody_takes_at_the_desk(line, together):
    a_queue(line)
    desk = line.switch.phones.add("user/1001", evolve(QUICK, no_answer=1.0))
    mobile = line.switch.phones.add("sofia/gateway/mobile/138", evolve(QUICK, confirms_s=0.1))
    after_s = 0.0 if together else 0.2
    settings = {"mobile": "sofia/gateway/mobile/138", "mobile_after_s": after_s}
    line.centre.add_agent("ann", "user/1001", **settings).log_on(ready=True)
    line.centre.start()
    line.switch.incoming(talk_s=0.1)
    line.wait_for(events.Established, agent="ann")
    assert (desk.offered, desk.cancelled, mobile.answers) == (1, 1, 1)
    line.wait_for(events.CallCleared, state="cleared")
    line.all_is_over()


def test_a_mailbox_at_the_mobile_does_not_take_the_call(line):
    line.centre.add_queue("sales", ring_timeout_s=1)
    line.centre.on_call("5*")(lambda call: call.queue("sales"))
    line.switch.phones.add("user/1001", evolve(QUICK, no_answer=1.0))
    mobile = line.switch.phones.add("sofia/gateway/mobile/138", evolve(QUICK, confirms_s=None))
    line.centre.add_agent("ann", "user/1001", mobile="sofia/gateway/mobile/138").log_on(ready=True)
    line.centre.start()
    caller = line.switch.incoming()
    line.wait_for(events.AgentNotReady, reason="RNA")
    assert mobile.answers == 1
    assert line.of(events.Established) == []
    assert line.centre.snapshot().queues[0].figures.waiting == 1
    caller.hang_up()
    line.all_is_over()
