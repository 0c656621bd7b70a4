"""Our process is killed, with calls in every phase on a real FreeSWITCH, and comes back from its journal."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from gevent import subprocess

from cti import CallCenter, events
from cti.engine.invariants import broken
from cti.errors import CtiError
from cti.model.states import AgentState, InteractionState, TalkState
from cti.switch.timing import Timing

from .test_line import Watch

pytestmark = pytest.mark.live

TALKING, HELD, WAITING, RINGING, IN_SCRIPT = 50, 10, 60, 30, 50
CALLS = TALKING + HELD + WAITING + RINGING + IN_SCRIPT

_PROCESS = """
import json, sys
import gevent
from cti.model import services
from tests.live.test_recovery import WANTED, Run, phases

run = Run(*sys.argv[1:])
centre = run.centre()
centre.start()
for name, contact in run.agents("talk", "ring"):
    centre.agent(name).log_on(ready=True)
world = centre._loop.engine.world
with gevent.Timeout(120):
    while phases(world)["established"] < run.talkers or phases(world)["delivered"] < run.ringing:
        gevent.sleep(0.02)
    for name in run.held:
        centre._loop.ask(services.HoldRequested(name))
    while phases(world) != WANTED:
        gevent.sleep(0.02)
    gevent.sleep(0.5)  # the last of it is written
print(json.dumps({
    "waiting": [c.id for c in sorted(world.interactions.values(), key=lambda c: c.age_key) if c.state.is_waiting],
    "calls": sorted(world.interactions),
    "legs": sorted(world.connections),
}), flush=True)
gevent.sleep(120)
"""


WANTED = {
    "established": TALKING + HELD,
    "queued": WAITING,
    "delivered": RINGING,
    "offered": IN_SCRIPT,
    "held": HELD,
}


class Run:
    """A centre with an agent for each phase that needs one; set up alike in the process that is killed and here."""

    talkers, ringing = TALKING + HELD, RINGING
    held = tuple(f"talk-{n}" for n in range(HELD))

    def __init__(self, address: str, password: str, journal: str, answering: str, silent: str) -> None:
        self._switch = (address, password)
        self._journal = journal
        self._contacts = {"talk": answering, "ring": silent, "wait": answering}
        self.restarted: list[str] = []

    def agents(self, *kinds: str) -> list[tuple[str, str]]:
        counts = {"talk": self.talkers, "ring": self.ringing, "wait": 1}
        return [
            (f"{kind}-{n}", self._contacts[kind].format(f"{kind}-{n}")) for kind in kinds for n in range(counts[kind])
        ]

    def centre(self) -> CallCenter:
        centre = CallCenter(*self._switch, journal=self._journal)
        for queue in ("talk", "wait", "ring"):
            centre.add_queue(queue, requires=queue, ring_timeout_s=600, music="tone_stream://%(1000,1000,440);loops=-1")
        for name, contact in self.agents("talk", "ring", "wait"):
            centre.add_agent(name, contact, skills={name.partition("-")[0]: 1})
        centre.on_call("5001")(lambda call: call.queue("talk"))
        centre.on_call("5002")(lambda call: call.queue("wait"))
        centre.on_call("5003")(lambda call: call.queue("ring"))
        centre.on_call("5004")(self._script)
        return centre

    def _script(self, call: Any) -> None:
        call.answer()
        if call.restarted:
            self.restarted.append(call.id)
            call.play("tone_stream://%(50,0,640)")  # it is heard, so what was playing before has ended
            call.attach(heard=True)
        with suppress(CtiError):  # our end of the link goes, and nobody needs to read of it
            call.play("silence_stream://-1")


def phases(world: Any) -> Counter[str]:
    """How many calls are where."""
    found = Counter(call.state.value for call in world.interactions.values())
    found["held"] = sum(call.talk is TalkState.HELD and call.pair is None for call in world.interactions.values())
    return found


@contextmanager
def back(run: Run) -> Iterator[tuple[Watch, float]]:
    """The centre again, and the seconds it took until it was live with what it knows.

    Of these, as the machine may be busy with other work, those of our own processor time and of the wait for FreeSWITCH's
    list of channels; FreeSWITCH answers while we wait.
    """
    began, worked = time.monotonic(), time.process_time()
    centre = run.centre()
    watch = Watch(centre)
    try:
        centre.start()
        assert time.monotonic() - began < 20
        yield watch, time.process_time() - worked + Timing().snapshot_lag_s
    finally:
        centre.stop()


def test_race_16_our_process_is_killed_with_calls_in_every_phase(
    switch, control, start_agents, start_callers, tmp_path: Path
):
    answering, silent = start_agents(ring_s=0.1), start_agents(answers=False)
    settings = [
        switch.address,
        switch.password,
        str(tmp_path / "journal"),
        answering.contact("{}"),
        silent.contact("{}"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, *settings],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "journal").exists():
            assert time.monotonic() < deadline, "the process has not begun"
            assert process.poll() is None, "the process has ended"
            time.sleep(0.05)
        callers = {
            number: start_callers(number, calls=calls, rate=15)
            for number, calls in (("5001", TALKING + HELD), ("5002", WAITING), ("5003", RINGING), ("5004", IN_SCRIPT))
        }
        line = next((text for raw in process.stdout if (text := raw.decode()).startswith("{")), "{}")
        before = json.loads(line)
        assert before, "the calls did not come into their phases"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
    run = Run(*settings)
    with back(run) as (watch, first_s):
        everything_is_as_it_was(watch, before)
        legs = {row["uuid"] for row in control.channels()}
        assert legs == set(before["legs"])
        watch.until("the scripts have begun again", lambda: len(heard(watch)) == IN_SCRIPT)
        assert sorted(run.restarted) == sorted(heard(watch))
        watch.centre._journal.close()  # killed again: nothing of what ending means is written
    with back(run) as (watch, second_s):
        everything_is_as_it_was(watch, before)
        assert min(first_s, second_s) < 2.0, (first_s, second_s)
        assert {row["uuid"] for row in control.channels()} == legs, "a leg is another"
        watch.centre.agent("wait-0").log_on(ready=True)
        answered: list[str] = []
        for _ in range(WAITING):
            told = watch.until("the next is answered", lambda: watch.of(events.Established)[len(answered) :])[0]
            answered.append(told.interaction)
            watch.centre.hang_up(told.interaction)
        assert answered == [call for call in before["waiting"] if call in answered], "out of their order"
        assert len(set(answered)) == WAITING
        assert watch.of(events.CallCleared, state="lost") == []
        for call in before["calls"]:
            watch.centre.hang_up(call)
        watch.until("everything is over", lambda: not watch.centre._loop.engine.world.interactions)
        watch.nothing_is_wrong()
    for number, made in callers.items():
        figures = made.wait(60)
        assert figures.failed == 0, f"{number}: {made.describe()}"


def heard(watch: Watch) -> list[str]:
    return [call.id for call in watch.centre._loop.engine.world.interactions.values() if "heard" in call.data]


def everything_is_as_it_was(watch: Watch, before: dict[str, list[str]]) -> None:
    world = watch.centre._loop.engine.world
    assert sorted(world.interactions) == before["calls"]
    assert sorted(world.connections) == before["legs"]
    assert phases(world) == WANTED
    waiting = [call for call in world.interactions.values() if call.state is InteractionState.QUEUED]
    order = [call.id for call in sorted(waiting, key=lambda call: call.age_key)]
    assert order == [call for call in before["waiting"] if call in order]
    states = Counter(agent.state for agent in world.agents.values())
    assert states == {AgentState.BUSY: TALKING + HELD, AgentState.ALERTING: RINGING, AgentState.NULL: 1}
    assert broken(world) == []
    assert len(world.interactions) == CALLS
