"""Many conferences made at once, and callers sent on at once, on a busy machine: nobody is let go in between."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import subprocess

from cti import CallCenter, ToAgent, ToQueue, events
from cti.model.states import AgentState, TalkState

from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch

pytestmark = pytest.mark.live

CALLS = int(os.environ.get("CTI_CONFERENCES", "6"))


@contextlib.contextmanager
def a_busy_machine() -> Iterator[None]:
    """Two processes that compute all the time, so that FreeSWITCH's threads have to wait for their turns."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.fixture
def watch(switch: FreeSwitchProcess, start_agents: Any, start_callers: Any) -> Iterator[Watch]:
    phones = start_agents(ring_s=0.05, talk_s=120)
    centre = CallCenter(switch.address, switch.password)
    centre.add_queue("claims", requires="claims")
    centre.add_queue("loans", requires="loans")
    for n in range(CALLS):
        centre.add_agent(f"ann-{n}", phones.contact(f"ann-{n}"), skills={"claims": 1}).log_on(ready=True)
        centre.add_agent(f"bob-{n}", phones.contact(f"bob-{n}"), skills={"loans": 1}).log_on(ready=True)
    centre.add_agent("sue", phones.contact("sue")).log_on()
    centre.on_call("5*")(lambda call: call.queue("claims"))
    made = Watch(centre)
    try:
        centre.start()
        start_callers("5000", calls=CALLS, rate=20, hold_s=90)
        made.until("all talk", lambda: len(made.of(events.Established)) == CALLS, 40)
        yield made
    finally:
        centre.stop()


def members(watch: Watch, call: str) -> int:
    listed = watch.centre.switch.api("conference", f"{call} list")
    return sum(";" in line for line in listed.splitlines())


def test_many_conferences_at_once_with_a_supervisor_whispering(watch):
    talks = watch.of(events.Established)
    watch.centre.supervisor("sue").whisper(agent=talks[0].agent)
    watch.until("sue listens", lambda: any(e.phase == "listening" for e in watch.of(events.Supervised)))
    with a_busy_machine():
        for n, talk in enumerate(talks):
            agent, other = watch.centre.agent(talk.agent), ToAgent(f"bob-{n}")
            agent.consult(other) if n % 2 else agent.invite(other)
        world = watch.centre._loop.engine.world
        consulting = {talk.interaction: talk.agent for n, talk in enumerate(talks) if n % 2}
        watch.until(
            "all who are consulted are there",
            lambda: all(world.interactions[call].talk is TalkState.CONSULTING for call in consulting),
            60,
        )
        for agent in consulting.values():
            watch.centre.agent(agent).conference()
        calls = [talk.interaction for talk in talks]
        watch.until("three are in each", lambda: [members(watch, call) for call in calls] == [3] * CALLS, 60)
        gevent.sleep(1)  # whoever is let go now was let go in between
        assert [members(watch, call) for call in calls] == [3] * CALLS
        assert watch.of(events.ConnectionCleared) == []
    watch.nothing_is_wrong()


def test_many_callers_are_sent_on_at_once_and_none_is_lost(watch):
    talks = watch.of(events.Established)
    with a_busy_machine():
        for talk in talks:
            watch.centre.agent(talk.agent).transfer_to(ToQueue("loans"))
        watch.until("all talk again", lambda: len(watch.of(events.Established)) == 2 * CALLS, 60)
        assert watch.of(events.ConnectionCleared, side="caller") == []
    busy = [name for name in watch.centre.agent_ids() if watch.state(name) is AgentState.BUSY]
    assert sorted(busy) == sorted(f"bob-{n}" for n in range(CALLS))
    watch.nothing_is_wrong()
