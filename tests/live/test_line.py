"""The whole line on a real FreeSWITCH: SIP callers, SIP agents, this library in between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest

from cti import CallCenter, errors, events
from cti.engine.invariants import broken
from cti.esl import channel_variables
from cti.model.states import AgentState, LinkState
from cti.switch.snapshot import listed

from .audio import read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess, find_freeswitch

pytestmark = pytest.mark.live


class Watch:
    """A centre under test and everything it said."""

    def __init__(self, centre: CallCenter) -> None:
        self.centre = centre
        self.said: list[Any] = []
        centre.subscribe(
            self.said.append, events.CallEvent, events.AgentEvent, events.SystemStatus, events.InvariantBroken
        )

    def of(self, kind: type[Any], **wanted: Any) -> list[Any]:
        return [e for e in self.said if isinstance(e, kind) and all(getattr(e, k) == v for k, v in wanted.items())]

    def until(self, what: str, true: Callable[[], Any], timeout_s: float = 20) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (value := true()):
            assert time.monotonic() < deadline, f"never: {what}; said: {[type(e).__name__ for e in self.said[-20:]]}"
            gevent.sleep(0.02)
        return value

    def wait_for(self, kind: type[Any], timeout_s: float = 20, **wanted: Any) -> Any:
        return self.until(f"{kind.__name__} {wanted}", lambda: self.of(kind, **wanted), timeout_s)[0]

    def state(self, agent: str) -> AgentState:
        return self.centre.agent(agent).view.state

    def nothing_is_wrong(self) -> None:
        assert self.of(events.InvariantBroken) == []
        assert broken(self.centre._loop.engine.world, grace_s=5) == []


@contextmanager
def centre_on(switch: FreeSwitchProcess) -> Iterator[Watch]:
    centre = CallCenter(switch.address, switch.password)
    watch = Watch(centre)
    try:
        yield watch
    finally:
        centre.stop()


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        yield made


def one_queue(watch: Watch, contact: str, **agent: Any) -> None:
    centre = watch.centre
    centre.add_queue("sales", requires={"sales": 1}, music="tone_stream://%(1000,1000,440);loops=-1")
    centre.add_agent("ann", contact, skills={"sales": 3}, **agent).log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("sales"))
    centre.start()


def test_a_hundred_calls_go_to_agents_who_have_the_skill(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    centre = watch.centre
    centre.add_queue("loans", requires={"loans": 3})
    centre.add_queue("cards", requires={"cards": 3})
    for number in range(20):
        skill = "loans" if number < 10 else "cards"
        name = f"{skill}-{number}"
        centre.add_agent(name, agents.contact(name), skills={skill: 5}).log_on(ready=True)
    centre.on_call("5001")(lambda call: call.queue("loans"))
    centre.on_call("5002")(lambda call: call.queue("cards"))
    centre.start()
    loans = start_callers("5001", calls=50, rate=5, hold_s=1.0)
    cards = start_callers("5002", calls=50, rate=5, hold_s=1.0)
    for callers in (loans, cards):
        figures = callers.wait(90)
        assert (figures.total, figures.successful) == (50, 50), callers.describe()
    watch.until("everything is over", lambda: len(watch.of(events.CallCleared)) == 100)
    established = watch.of(events.Established)
    reached = {e.interaction for e in established}
    lost = [e for e in watch.of(events.CallEvent) if e.interaction not in reached]
    assert len(established) == 100, lost
    assert Counter(e.interaction for e in established).most_common(1)[0][1] == 1, "a call with two agents"
    assert all(e.agent.startswith(f"{e.queue}-") for e in established), "an agent without the skill"
    view = centre.snapshot()
    assert {q.id: (q.figures.offered, q.figures.answered, q.figures.waiting) for q in view.queues} == {
        "loans": (50, 50, 0),
        "cards": (50, 50, 0),
    }
    watch.until("all are ready again", lambda: all(a.state is AgentState.READY for a in centre.snapshot().agents))
    watch.nothing_is_wrong()


def test_audio_goes_both_ways(watch, start_agents, start_callers, tmp_path: Path):
    caller_hz, agent_hz = 700, 1100
    agents = start_agents(ring_s=0.1, tone=write_pcmu_tone(tmp_path / "agent.pcmu", agent_hz))
    one_queue(watch, agents.contact("ann"))
    start_callers("5000", tone=write_pcmu_tone(tmp_path / "caller.pcmu", caller_hz))
    leg = watch.wait_for(events.Established).connection
    api = watch.centre.switch.api
    api("uuid_setvar", f"{leg} RECORD_STEREO true")
    gevent.sleep(0.3)
    assert api("uuid_record", f"{leg} start {tmp_path}/leg.wav").startswith("+OK")
    gevent.sleep(1.5)
    api("uuid_record", f"{leg} stop {tmp_path}/leg.wav")
    gevent.sleep(0.3)
    from_agent, to_agent = read_stereo(tmp_path / "leg.wav")
    middle = slice(len(from_agent) // 4, 3 * len(from_agent) // 4)
    assert tone_share(from_agent[middle], agent_hz) > 0.8
    assert tone_share(to_agent[middle], caller_hz) > 0.8


def test_race_01_the_caller_hangs_up_while_the_agent_rings(watch, start_agents, start_callers):
    agents = start_agents(answers=False)
    one_queue(watch, agents.contact("ann"))
    callers = start_callers("5000", hold_s=1.0)
    assert watch.wait_for(events.Delivered).agent == "ann"
    watch.wait_for(events.CallCleared, state="abandoned")
    watch.until("the agent is free", lambda: watch.state("ann") is AgentState.READY)
    watch.until("the phone was cancelled", lambda: agents.figures().successful == 1)
    assert callers.wait(20).successful == 1
    assert watch.of(events.AgentNotReady, reason="RNA") == [], "the caller went first: no fault of the agent"
    watch.nothing_is_wrong()


def test_race_02_the_caller_hangs_up_before_the_agents_channel_exists(watch, start_agents, start_callers):
    agents = start_agents(answers=False)
    one_queue(watch, agents.contact("ann"))
    # Cleared in the instant of the reservation: the originate is on its way and there is no channel to kill.
    watch.centre.subscribe(
        lambda e: watch.centre.hang_up(watch.of(events.Queued)[-1].interaction), events.AgentReserved
    )
    start_callers("5000")
    watch.wait_for(events.CallCleared)
    watch.until("the agent is free", lambda: watch.state("ann") is AgentState.READY)
    watch.until("no channel is left", lambda: not listed(watch.centre.switch.api("show", "channels as json")))
    watch.nothing_is_wrong()


def test_race_03_the_cancel_crosses_the_answer(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.15)
    one_queue(watch, agents.contact("ann"))
    # The phone answers 150 ms after it rings; the callers leave around then, now before, now after.
    for hold_s in (0.13, 0.15, 0.17, 0.19, 0.21):
        watch.said.clear()
        start_callers("5000", hold_s=hold_s)
        watch.wait_for(events.CallCleared)
        watch.until("the agent is free", lambda: watch.state("ann") is AgentState.READY)
    assert watch.of(events.AgentNotReady) == []
    watch.until("no channel is left", lambda: not listed(watch.centre.switch.api("show", "channels as json")))
    watch.nothing_is_wrong()


def test_race_04_the_agent_rejects_and_another_takes_the_call(watch, start_agents, start_callers):
    rejecting, answering = start_agents(rejects="486 Busy Here", ring_s=0.1), start_agents(ring_s=0.1)
    one_queue(watch, rejecting.contact("ann"))
    callers = start_callers("5000", hold_s=6)
    ended = watch.wait_for(events.OfferEnded)
    assert (ended.agent, ended.outcome, ended.switch_cause) == ("ann", "rejected", "USER_BUSY")
    watch.centre.add_agent("bob", answering.contact("bob"), skills={"sales": 1}).log_on(ready=True)
    established = watch.wait_for(events.Established)
    assert established.agent == "bob"
    assert established.waited_s > 0.1, "the wait counts from the first queueing"
    assert watch.centre.agent("ann").view.reason == "OFFHOOK"
    assert callers.wait(30).successful == 1
    watch.nothing_is_wrong()


def test_race_04_the_agent_answers_and_hangs_up_before_the_bridge(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1, talk_s=0)
    one_queue(watch, agents.contact("ann"), reject_delay_s=60)
    start_callers("5000", hold_s=4)
    ended = watch.wait_for(events.OfferEnded)
    assert ended.outcome == "rejected"
    assert watch.of(events.Queued)[-1].cause.csta_name == "remainsInQueue"
    watch.wait_for(events.CallCleared, state="abandoned")
    watch.nothing_is_wrong()


def test_race_04_the_agent_hangs_up_while_the_bridge_comes_up(watch, start_agents, start_callers):
    answering = start_agents(ring_s=0.1)
    centre = watch.centre
    centre.add_queue("sales", requires={"sales": 1})
    # The bridge takes 20 to 60 ms after the answer; these hang up before, in the midst of it, and about its end.
    for number, talk_s in enumerate((0.005, 0.01, 0.02, 0.03, 0.04)):
        fickle = start_agents(ring_s=0.1, talk_s=talk_s)
        centre.add_agent(f"fickle-{number}", fickle.contact("fickle"), skills={"sales": 1}, reject_delay_s=60)
    centre.add_agent("bob", answering.contact("bob"), skills={"sales": 1})
    centre.on_call("5000")(lambda call: call.queue("sales"))
    centre.start()
    kept = 0
    for number in range(5):
        watch.said.clear()
        centre.agent(f"fickle-{number}").log_on(ready=True)
        callers = start_callers("5000", hold_s=3)
        watch.until("the agent is gone", lambda: watch.of(events.ConnectionCleared, side="agent"))
        centre.agent(f"fickle-{number}").log_off()
        if watch.of(events.Established):
            continue  # the bridge was up: an ordinary end of the call
        centre.agent("bob").log_on(ready=True)
        watch.wait_for(events.Established, agent="bob")
        assert callers.wait(30).successful == 1
        kept += 1
        watch.until("bob is free", lambda: watch.state("bob") is AgentState.READY)
        centre.agent("bob").log_off()
    assert kept, "every bridge was up before its agent hung up: nothing was tested"
    watch.nothing_is_wrong()


def test_race_09_no_answer_makes_not_ready_and_the_caller_keeps_the_place(watch, start_agents, start_callers):
    silent, answering = start_agents(answers=False), start_agents(ring_s=0.1)
    centre = watch.centre
    centre.add_queue("sales", requires={"sales": 1}, ring_timeout_s=1.0)
    centre.add_agent("ann", silent.contact("ann"), skills={"sales": 3}, no_answers_allowed=1).log_on(ready=True)
    centre.on_call("5000")(lambda call: call.queue("sales"))
    centre.start()
    callers = start_callers("5000", hold_s=4)
    watch.wait_for(events.AgentNotReady, reason="RNA")
    assert watch.of(events.Queued)[-1].position == 1
    centre.add_agent("bob", answering.contact("bob"), skills={"sales": 1}).log_on(ready=True)
    assert watch.wait_for(events.Established).waited_s > 1.0
    assert callers.wait(30).successful == 1
    watch.nothing_is_wrong()


def test_race_09_an_unregistered_phone_is_not_counted_as_no_answer(watch, start_callers):
    one_queue(watch, "user/1013@cti.internal")
    start_callers("5000", hold_s=2)
    watch.wait_for(events.CallCleared, state="abandoned")
    assert not watch.of(events.OfferEnded), "a phone that cannot ring is offered nothing"
    assert watch.centre.agent("ann").view.reason == "PHONE_DOWN"
    watch.nothing_is_wrong()


def test_race_13_the_maximum_wait_and_the_answer(watch, start_agents, start_callers):
    agents = start_agents(ring_s=0.5)
    centre = watch.centre
    centre.add_queue("sales", requires={"sales": 1}, max_wait_s=0.5)
    centre.on_call("5000")(lambda call: call.queue("sales"))
    centre.add_agent("ann", agents.contact("ann"), skills={"sales": 3}).log_on(ready=True)
    centre.start()
    callers = start_callers("5000", calls=6, rate=0.7, hold_s=0.8)
    callers.wait(30)
    watch.until("everything is over", lambda: len(watch.of(events.CallCleared)) == 6)
    figures = centre.snapshot().queues[0].figures
    assert figures.answered + figures.overflowed + figures.abandoned == 6
    assert figures.answered >= 1
    watch.nothing_is_wrong()


def test_race_16_freeswitch_is_killed_with_calls_up_and_started_again(tmp_path, start_agents):
    binary = find_freeswitch()
    assert binary is not None
    switch = FreeSwitchProcess(tmp_path / "freeswitch", binary)
    agents = start_agents(ring_s=0.1)
    try:
        switch.start()
        with centre_on(switch) as watch:
            one_queue(watch, agents.contact("ann"))
            _call(switch, "5000")
            watch.wait_for(events.Established)
            _call(switch, "5001")
            watch.until("the second waits", lambda: watch.centre.snapshot().queues[0].figures.waiting == 1)
            switch.kill()
            watch.wait_for(events.SystemStatus, status="disabled")
            switch.start()
            watch.until(
                "live again", lambda: list(watch.centre.snapshot().links.values()) == [LinkState.LIVE], timeout_s=30
            )
            ended = watch.of(events.CallCleared)
            assert {e.cause.csta_name for e in ended} == {"switchingFunctionTerminated"}
            assert sorted(e.state for e in ended) == ["lost", "lost"]
            figures = watch.centre.snapshot().queues[0].figures
            assert (figures.offered, figures.answered, figures.lost, figures.adds_up) == (2, 1, 1, True)
            watch.until("the agent is free", lambda: watch.state("ann") is AgentState.READY)
            watch.said.clear()
            _call(switch, "5000")
            watch.wait_for(events.Established)
            watch.nothing_is_wrong()
    finally:
        switch.stop()


def test_race_16_our_process_goes_and_comes_back_with_a_call_up(switch, start_agents, start_callers):
    agents = start_agents(ring_s=0.1)
    with centre_on(switch) as first:
        one_queue(first, agents.contact("ann"))
        callers = start_callers("5000", hold_s=6)
        interaction = first.wait_for(events.Established).interaction
    with centre_on(switch) as second:
        one_queue(second, agents.contact("ann"))
        second.until("adopted", lambda: second.of(events.Established, interaction=interaction))
        assert second.state("ann") is AgentState.BUSY
        assert callers.wait(30).successful == 1, "the two who talked noticed nothing"
        second.wait_for(events.CallCleared)
        second.until("the agent is free", lambda: second.state("ann") is AgentState.READY)
        second.nothing_is_wrong()


def test_verbs_of_a_script(watch, start_callers):
    done = []

    @watch.centre.on_call("5000")
    def script(call):
        call.answer()
        call.play("tone_stream://%(200,0,640)")
        done.append("played")
        with pytest.raises(errors.CommandRejected, match="FILE NOT FOUND"):
            call.play("/nowhere/missing.wav")
        done.append("missing")
        with pytest.raises(errors.CallGone):
            call.play("silence_stream://-1")
        done.append("gone")

    watch.centre.start()
    start_callers("5000", hold_s=1)
    watch.until("the script ended", lambda: len(done) == 3)
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()


@pytest.mark.parametrize(
    "name", ["Bob%0AUnique-ID: FAKE", "O'Brien {x=1},[y=2]|z", "王小明", "}{user/1001", "${hangup}"]
)
def test_a_callers_name_changes_nothing_but_that_name(watch, start_agents, switch, name):
    agents = start_agents(ring_s=0.1)
    one_queue(watch, agents.contact("ann"))
    variables = channel_variables({"origination_caller_id_name": name, "origination_caller_id_number": "138"})
    with switch.connect() as control:
        target = f"sofia/agents/5000@127.0.0.1:{switch.callers_port}"
        control.command(f"bgapi originate {variables}{target} &playback(silence_stream://-1)")
        established = watch.wait_for(events.Established)
        assert (established.agent, established.calling_number) == ("ann", "138")
        # mod_sofia keeps of a display name what follows the last ":" or "/"; "${" is dialled as "$ {".
        kept = established.calling_name.replace(" ", "")
        assert kept
        assert name.replace(" ", "").endswith(kept)
    watch.nothing_is_wrong()


def _call(switch: FreeSwitchProcess, number: str) -> None:
    with switch.connect() as control:
        target = f"sofia/agents/{number}@127.0.0.1:{switch.callers_port}"
        control.command(f"bgapi originate {target} &playback(silence_stream://-1)")
