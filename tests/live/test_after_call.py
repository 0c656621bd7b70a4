"""After the call on a real FreeSWITCH: the agent's phone hangs up, and the caller answers a survey by keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cti import ToScript, events
from cti.model.states import AgentState

from .conftest import StartAgents
from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch, centre_on
from .test_scripts import KeyCaller

pytestmark = pytest.mark.live

PROMPT = "tone_stream://%(200,0,440)"


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        yield made


@pytest.fixture
def call_in(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Callable[[list[float | str]], KeyCaller]]:
    """``call_in([0.5, "12#"])`` calls, waits half a second and presses three keys."""
    with ExitStack() as stack:

        def start(steps: list[float | str], *, number: str = "5000") -> KeyCaller:
            folder = tmp_path / f"caller-{len(list(tmp_path.iterdir()))}"
            info = os.geteuid() != 0  # RFC 2833 needs a raw socket of SIPp
            made = KeyCaller(steps, folder, switch_port=switch.callers_port, number=number, info=info)
            return stack.enter_context(made)

        yield start


def survey_on(watch: Watch, start_agents: StartAgents, talk_s: float | None) -> list[Any]:
    """One queue with a survey, one agent whose phone hangs up after so long; what callers answered."""
    marks: list[Any] = []
    agents = start_agents(ring_s=0.1, talk_s=talk_s)
    centre = watch.centre
    centre.add_queue("claims", after_call=ToScript("survey"))
    centre.add_agent("ann", agents.contact("ann")).log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("claims"))

    @centre.script("survey")
    def survey(call: Any) -> None:
        marks.append(call.agent)
        marks.append(call.collect(PROMPT, max_digits=1, valid="[1-5]", first_digit_s=20.0).digits)
        call.play(PROMPT)

    centre.start()
    return marks


def test_the_agents_phone_hangs_up_and_the_caller_answers(watch, start_agents, call_in):
    marks = survey_on(watch, start_agents, talk_s=1.5)
    call_in([6.0, *["4", 1.0] * 8])  # after the conversation: SIPp's phone, as an agent's, takes no keys
    watch.wait_for(events.Established)
    assert watch.wait_for(events.Diverted).to_script == "survey"
    assert watch.state("ann") is AgentState.READY
    watch.wait_for(events.CallCleared)
    assert marks == ["ann", "4"]
    watch.nothing_is_wrong()


def test_the_agent_hangs_up_by_their_screen(watch, start_agents, call_in):
    marks = survey_on(watch, start_agents, talk_s=None)
    call_in([2.0, *["3", 1.0] * 8])
    watch.wait_for(events.Established)
    watch.centre.agent("ann").hang_up()
    watch.wait_for(events.CallCleared)
    assert marks == ["ann", "3"]
    watch.nothing_is_wrong()


def test_the_caller_hangs_up_first(watch, start_agents, start_callers):
    marks = survey_on(watch, start_agents, talk_s=None)
    callers = start_callers("5000", calls=3, rate=1, hold_s=1.5)
    assert callers.wait(60).successful == 3
    watch.until("all are over", lambda: len(watch.of(events.CallCleared)) == 3)
    assert marks == []
    watch.until("she is ready", lambda: watch.state("ann") is AgentState.READY)
    watch.nothing_is_wrong()


def test_an_agent_who_hung_up_after_hold_and_retrieve(watch, start_agents, call_in):
    """What a hold changes of the legs is changed back, and the caller still goes on."""
    marks = survey_on(watch, start_agents, talk_s=None)
    call_in([2.0, *["5", 1.0] * 10])
    watch.wait_for(events.Established)
    ann = watch.centre.agent("ann")
    ann.hold()
    watch.wait_for(events.Held)
    ann.retrieve()
    watch.wait_for(events.Retrieved)
    ann.hang_up()
    watch.wait_for(events.CallCleared)
    assert marks == ["ann", "5"]
    watch.nothing_is_wrong()


def test_an_agent_who_asks_to_hang_up_while_the_caller_is_held_gives_the_call_back(watch, start_agents, start_callers):
    marks = survey_on(watch, start_agents, talk_s=None)
    start_callers("5000", hold_s=12.0)
    watch.wait_for(events.Established)
    ann = watch.centre.agent("ann")
    ann.hold()
    watch.wait_for(events.Held)
    ann.hang_up()
    watch.until("she has it again", lambda: len(watch.of(events.Established)) == 2)
    watch.wait_for(events.CallCleared)
    assert marks == []
    watch.nothing_is_wrong()
