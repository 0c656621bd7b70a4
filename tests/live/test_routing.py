"""Several phones at once, personal routing, mailboxes, scripts and route scripts on a real FreeSWITCH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti import Personal, RouteSelect, ToQueue, ToScript, ToVoicemail, events
from cti.model.states import AgentState

from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch, centre_on

pytestmark = pytest.mark.live


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        yield made


def test_ring_all_the_first_to_answer_has_the_call_and_the_other_phones_stop(watch, start_agents, start_callers):
    quick, patient = start_agents(ring_s=0.5, talk_s=30), start_agents(answers=False)
    centre = watch.centre
    centre.add_queue("claims", strategy="ring-all")
    centre.add_agent("ann", patient.contact("ann")).log_on(ready=True)
    centre.add_agent("bob", quick.contact("bob")).log_on(ready=True)
    centre.add_agent("cem", patient.contact("cem")).log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("claims"))
    centre.start()
    callers = start_callers("5000", hold_s=4.0)
    assert watch.wait_for(events.Established).agent == "bob"
    watch.until("all three rang", lambda: {e.agent for e in watch.of(events.Delivered)} == {"ann", "bob", "cem"})
    rescinded = {e.agent for e in watch.of(events.OfferEnded, outcome="rescinded")}
    assert rescinded == {"ann", "cem"}
    watch.until("they are ready", lambda: {watch.state(n) for n in ("ann", "cem")} == {AgentState.READY})
    watch.until("both phones were cancelled", lambda: patient.figures().successful == 2)
    assert callers.wait(20).successful == 1
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()


def test_race_05_two_agents_answer_at_the_same_time(watch, start_agents, start_callers):
    """Calls to ten phones that all answer at once: each call is bridged once, and every agent is ready again."""
    agents = start_agents(ring_s=0.05, talk_s=30)
    centre = watch.centre
    centre.add_queue("claims", strategy="ring-all")
    names = [f"agent-{number}" for number in range(10)]
    for name in names:
        centre.add_agent(name, agents.contact(name)).log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("claims"))
    centre.start()
    callers = start_callers("5000", calls=10, rate=1, hold_s=6.0)
    figures = callers.wait(60)
    assert (figures.total, figures.successful) == (10, 10), callers.describe()
    watch.until("everything is over", lambda: len(watch.of(events.CallCleared)) == 10)
    established = [e.interaction for e in watch.of(events.Established)]
    assert len(set(established)) == len(established)
    story = [
        f"{e.at:.3f} {type(e).__name__} {e.interaction[-6:]} {e.agent} {e.cause.csta_name}"
        for e in watch.of(events.CallEvent)
    ]
    assert len(established) == 10, "\n".join(story)
    watch.until("all are ready", lambda: {watch.state(name) for name in names} == {AgentState.READY})
    assert len(watch.of(events.OfferEnded, outcome="rescinded")) > 10, "phones did not ring together"
    watch.nothing_is_wrong()


def test_a_call_waits_for_its_own_agent_and_then_for_anybody(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1, talk_s=30)
    centre = watch.centre
    centre.add_queue("claims")
    centre.add_agent("ann", agents.contact("ann")).log_on()
    centre.add_agent("bob", agents.contact("bob")).log_on(ready=True)
    wish = Personal("ann", by_presence={"away": 1.0})
    centre.on_call("5*")(lambda call: call.queue("claims", personal=wish))
    centre.start()
    centre.agent("ann").ready()
    start_callers("5000", hold_s=3.0)
    assert watch.wait_for(events.Established).agent == "ann"
    watch.wait_for(events.CallCleared)
    centre.agent("ann").not_ready("AWAY")
    start_callers("5000", hold_s=4.0)
    second = watch.until("the second call", lambda: watch.of(events.Established)[1:])[0]
    assert second.agent == "bob"
    assert second.waited_s >= 1.0
    watch.until("both are over", lambda: len(watch.of(events.CallCleared)) == 2)
    watch.nothing_is_wrong()


def test_a_call_overflows_to_a_mailbox_of_the_switch(watch, control, start_callers):
    control.subscribe("CHANNEL_EXECUTE")
    centre = watch.centre
    centre.add_queue("claims", overflow_unstaffed=True, overflow=ToVoicemail("1001"))
    centre.on_call("5*")(lambda call: call.queue("claims"))
    centre.start()
    start_callers("5000", hold_s=3.0)
    assert watch.wait_for(events.Diverted).destination == "voicemail:1001"
    begun = control.wait_event(lambda e: e.get("Application") == "voicemail", 20, "the mailbox has the caller")
    assert begun["Application-Data"].endswith("cti.internal 1001")
    watch.nothing_is_wrong()


def test_a_script_gets_an_overflowed_call_at_once_and_the_music_stops(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1, talk_s=30)
    centre = watch.centre
    centre.add_queue("claims", max_wait_s=1.0, overflow=ToScript("offer"))
    centre.add_queue("rest", route_script="by the book")
    centre.add_queue("last")
    centre.on_call("5*")(lambda call: call.queue("claims"))
    played = []

    @centre.script("offer")
    def offer(call):
        call.play("tone_stream://%(200,0,640)")
        played.append(call.position)
        call.queue("rest")

    centre.route_script("by the book")(lambda request: RouteSelect(ToQueue("last"), data={"seen": True}))
    centre.start()
    start_callers("5000", hold_s=2.0)
    watch.wait_for(events.Queued, queue="last")
    assert played == [0]
    centre.add_agent("ann", agents.contact("ann")).log_on(ready=True)
    established = watch.wait_for(events.Established)
    assert (established.queue, established.data) == ("last", {"seen": True})
    assert established.waited_s > 1.2  # the age is that of the first queue
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()
