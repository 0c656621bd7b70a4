"""The whole hotline on the simulated switch: agents' phones, their screens, the survey; and hanging up in each phase."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import subprocess
from insurance.centre import build

from cti import events
from cti.model.cause import Cause
from cti.model.states import AgentState
from cti.sim import Behaviour, Caller, SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.ivr_application import press
from cti.sim.server import SimServer
from tests.center.bench import QUICK, Bench

from .conftest import ADA, ALWAYS, BOB, EVE, EXAMPLES, NEVER, STRANGER, WEI
from .test_scripts import kept

SHORT = Behaviour(ring_s=(0.001, 0.002), answer_s=(0.01, 0.02), talk_s=0.1)
"""An agent's phone that hangs up first."""
SILENT = Behaviour(ring_s=(0.001, 0.002), no_answer=1.0)


class Hotline(Bench):
    """The centre of the example, with what agents saw."""

    cards: list[str]

    def phone(self, *agents: str, behaviour: Behaviour = QUICK) -> None:
        """These agents' phones; the others are not ready."""
        for agent in ("1001", "1002", "1003"):
            if agent in agents:
                self.switch.phones.add(f"user/{agent}", behaviour)
            else:
                self.centre.agent(agent).not_ready("LUNCH")

    def call(self, number: str) -> Caller:
        return self.switch.incoming(calling_number=number, called_number="5000", talk_s=60)

    def hears(self, caller: Caller, name: str) -> None:
        """Wait until this recording, or a tone in its place, is what the caller hears."""
        self.until(f"the caller hears {name}", lambda: any(f"/{name}.wav" in one.data for one in playing(caller)))

    def dials(self, caller: Caller, *answers: tuple[str, str]) -> None:
        """Press keys as soon as a question is heard: ``("menu", "2")``."""
        for name, keys in answers:
            self.hears(caller, name)
            press(caller.channel, keys)


def playing(caller: Caller) -> list[Any]:
    return list(caller.channel.stack) if caller.channel is not None else []


@pytest.fixture(autouse=True)
def short_recordings(monkeypatch):
    """Nobody has to wait for three seconds each time."""
    monkeypatch.setattr("cti.sim.application._FILE_S", 0.4)


@pytest.fixture
def line(database) -> Iterator[Callable[..., Hotline]]:
    """``line(office=NEVER)``: the hotline, open for calls."""
    made: list[Hotline] = []
    ends: list[Callable[[], None]] = []

    def start(**more: Any) -> Hotline:
        switch = SimulatedSwitch(GeventScheduler(), seed=1)
        switch.writes_files = True
        server = SimServer(switch)
        server.start()
        host, port = server.address
        cards: list[str] = []
        messages = database.parent / "messages"
        messages.mkdir()
        more = {"callback_hours": "", "trunk": "user/{number}", **more}
        settings = {"office": ALWAYS, "sounds": "/sounds", "messages": str(messages), "show": cards.append, **more}
        centre, _, customers = build(f"{host}:{port}", database, **settings)
        hotline = Hotline(centre, switch, server)
        hotline.cards = cards
        ends.extend([customers.close, server.stop, centre.stop])
        made.append(hotline)
        centre.start()
        return hotline

    yield start
    for end in reversed(ends):
        end()


def test_the_agent_sees_who_calls_while_the_phone_rings(line):
    hotline = line()
    hotline.phone("1001")
    caller = hotline.call(ADA)
    hotline.dials(caller, ("menu", "2"))
    delivered = hotline.wait_for(events.Delivered)
    assert (delivered.queue, delivered.agent) == ("claims", "1001")
    assert (delivered.data["policy"], delivered.data["name"], delivered.data["vip"]) == ("100001", "Ada Byron", True)
    (card,) = hotline.cards
    assert "customer 1: Ada Byron *VIP*" in card
    assert "policy 100001 (home)" in card
    assert len({len(row) for row in card.splitlines()}) == 1
    hotline.wait_for(events.Established)
    caller.hang_up()
    hotline.all_is_over()


def test_a_stranger_is_shown_as_one(line):
    hotline = line()
    hotline.phone("1003")
    caller = hotline.call(STRANGER)
    hotline.dials(caller, ("language", "2"), *[("policy-number", "999999")] * 3)
    assert hotline.wait_for(events.Delivered).data == {"language": "zh", "identified": False}
    assert "not identified" in hotline.cards[0]
    assert "speaks zh" in hotline.cards[0]
    caller.hang_up()
    hotline.all_is_over()


def test_vips_go_first_and_complaints_before_both(line):
    hotline = line()
    hotline.phone()
    callers = {}
    for number, key in ((EVE, "2"), (ADA, "2"), (BOB, "3")):
        callers[number] = hotline.call(number)
        hotline.dials(callers[number], ("menu", key))
        if key == "3":
            hotline.dials(callers[number], ("complaint", "1"))
        hotline.wait_for(events.Queued, calling_number=number)
    # 1001 is Ada's adviser, too, but for all: one call after the other, as they are due.
    hotline.switch.phones.add("user/1001", QUICK)
    hotline.centre.agent("1001").ready()
    answered = []
    for _ in callers:
        talking = hotline.until("answered", lambda: hotline.of(events.Established)[len(answered) :])[0]
        answered.append(talking.calling_number)
        callers[talking.calling_number].hang_up()
        hotline.until("she is free", lambda: hotline.centre.agent("1001").view.state is not AgentState.BUSY)
        if hotline.centre.agent("1001").view.state is AgentState.WORKING_AFTER_CALL:
            hotline.centre.agent("1001").ready()
    assert answered == [BOB, ADA, EVE]
    hotline.all_is_over()


def test_the_adviser_has_the_call_though_another_has_been_idle_for_longer(line):
    hotline = line()
    hotline.phone("1001", "1002", "1003")
    caller = hotline.call(WEI)
    hotline.dials(caller, ("menu", "0"))
    assert hotline.wait_for(events.Established).agent == "1002"
    caller.hang_up()
    hotline.all_is_over()


def test_a_busy_adviser_is_waited_for_and_one_who_is_away_is_not(line):
    hotline = line()
    hotline.phone("1002", "1003")
    first = hotline.call(WEI)
    hotline.dials(first, ("menu", "0"))
    hotline.wait_for(events.Established, agent="1002")
    second = hotline.call(WEI)
    hotline.dials(second, ("menu", "0"))
    hotline.until("the second waits", lambda: len(hotline.of(events.Queued)) == 2)
    assert hotline.centre.agent("1003").view.state is AgentState.READY  # and is not offered it
    first.hang_up()
    hotline.until("their adviser has them", lambda: len(hotline.of(events.Established, agent="1002")) == 2)
    second.hang_up()
    hotline.until("both are over", lambda: len(hotline.of(events.CallCleared)) == 2)
    hotline.centre.agent("1002").not_ready("LUNCH")
    third = hotline.call(WEI)
    hotline.dials(third, ("menu", "0"))
    assert hotline.wait_for(events.Established, agent="1003").waited_s < 5
    third.hang_up()
    hotline.all_is_over()


def test_who_waits_is_told_so_in_their_language(line):
    hotline = line()
    hotline.phone()
    caller = hotline.call(WEI)
    hotline.dials(caller, ("menu", "2"))
    hotline.hears(caller, "zh/queue-greeting")
    caller.hang_up()
    hotline.all_is_over()


def test_after_the_call_there_is_a_survey(line, database):
    hotline = line()
    hotline.phone("1001", behaviour=SHORT)
    caller = hotline.call(ADA)
    hotline.dials(caller, ("menu", "0"), ("survey", "5"))
    cleared = hotline.wait_for(events.CallCleared)
    assert cleared.data["mark"] == 5
    assert kept(database, "select call, agent, mark from surveys") == [(cleared.interaction, "1001", 5)]
    assert hotline.centre.agent("1001").view.state is AgentState.READY
    hotline.all_is_over()


def test_closed(line):
    hotline = line(office=NEVER)
    caller = hotline.call(BOB)
    hotline.hears(caller, "closed")
    hotline.until("it is over", lambda: caller.ended)
    assert hotline.of(events.Queued) == []
    hotline.all_is_over()


def test_a_message_that_is_left_at_night_rings_at_an_agents_phone(line):
    hotline = line(office=NEVER)
    hotline.phone("1002")
    caller = hotline.call(WEI)
    hotline.dials(caller, ("closed", "1"))
    hotline.hears(caller, "leave-message")
    hotline.until("it is recorded", lambda: any(one.application == "record" for one in playing(caller)))
    gevent.sleep(2.2)  # what is shorter is no message
    caller.hang_up()
    delivered = hotline.wait_for(events.Delivered)
    assert (delivered.queue, delivered.agent, delivered.calling_number) == ("service", "1002", WEI)
    assert "a message, left in office" in hotline.cards[0]


def test_a_caller_who_waits_is_called_back_in_their_place_and_asked_by_the_survey(line):
    """Ada waits, gives up the line and not her place; the agent who is free next has her before Bob, who came later."""
    hotline = line()
    hotline.phone()
    ada = hotline.call(ADA)
    hotline.dials(ada, ("menu", "0"), ("queue-greeting", "1"), ("callback-choose", "1"))
    hotline.until("she is off the line", lambda: ada.ended)
    bob = hotline.call(BOB)
    hotline.dials(bob, ("menu", "0"))
    hotline.hears(bob, "queue-greeting")
    hotline.switch.phones.add(f"user/{ADA}", QUICK)
    hotline.switch.phones.add("user/1003", SHORT)
    hotline.centre.agent("1003").ready()
    talking = hotline.wait_for(events.Established)
    assert (talking.calling_number, talking.data["name"], talking.data["callback_number"]) == (ADA, "Ada Byron", ADA)
    assert hotline.wait_for(events.Diverted, to_script="survey").data["name"] == "Ada Byron"
    hotline.until("Bob has his turn", lambda: hotline.of(events.Established, calling_number=BOB))
    bob.hang_up()
    for call in list(hotline.centre._loop.engine.world.interactions):
        hotline.centre.hang_up(call)
    hotline.all_is_over()


def test_a_caller_who_waits_leaves_a_message_instead(line):
    hotline = line()
    hotline.phone()
    caller = hotline.call(ADA)
    hotline.dials(caller, ("menu", "2"), ("queue-greeting", "2"))
    hotline.hears(caller, "leave-message")
    assert hotline.of(events.Diverted)[0].cause is Cause.REDIRECTED
    caller.hang_up()
    hotline.all_is_over()


def test_a_database_that_is_locked_keeps_nobody_for_long(line, database):
    hotline = line(deadline_s=0.3)
    hotline.phone("1003")
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("begin exclusive")
    try:
        callers = [hotline.call(ADA) for _ in range(5)]
        answers = (("language", "1"), ("policy-number", "100001"))
        gevent.joinall([gevent.spawn(hotline.dials, each, *answers) for each in callers], raise_error=True)
        first = hotline.wait_for(events.Established)
        assert (first.queue, first.data["identified"]) == ("service", False)
        hotline.until("all of them wait for an agent", lambda: len(hotline.of(events.Queued)) == 5)
    finally:
        connection.close()
    for caller in callers:
        caller.hang_up()
    hotline.all_is_over()


WHERE = [
    "language",
    "policy-number",
    "menu",
    "pin",
    "your-policy",
    "complaint",
    "waiting",
    "ringing",
    "talking",
    "survey",
]


@pytest.mark.parametrize("where", WHERE)
def test_a_caller_hangs_up_in_each_phase(line, where):
    hotline = line()
    if where in ("waiting", "ringing"):
        hotline.phone(*(["1001"] if where == "ringing" else []), behaviour=SILENT)
    else:
        hotline.phone("1001", behaviour=SHORT if where == "survey" else QUICK)
    caller = hotline.call(STRANGER if where in ("language", "policy-number") else ADA)
    steps = {
        "policy-number": [("language", "1")],
        "pin": [("menu", "1")],
        "your-policy": [("menu", "1"), ("pin", "1815")],
        "complaint": [("menu", "3")],
        **{each: [("menu", "0")] for each in ("waiting", "ringing", "talking", "survey")},
    }
    hotline.dials(caller, *steps.get(where, []))
    if where == "waiting":
        hotline.wait_for(events.Queued)
    elif where == "ringing":
        hotline.wait_for(events.Delivered)
    elif where == "talking":
        hotline.wait_for(events.Established)
    elif where == "pin":
        hotline.until("the PIN is asked for", lambda: any(one.application == "read" for one in playing(caller)))
    else:
        hotline.hears(caller, where)
    caller.hang_up()
    cleared = hotline.wait_for(events.CallCleared)
    assert cleared.state == ("abandoned" if where in ("waiting", "ringing") else "cleared")
    hotline.until(
        "she is free", lambda: hotline.centre.agent("1001").view.state in (AgentState.READY, AgentState.NOT_READY)
    )
    hotline.all_is_over()


def test_it_runs_as_its_readme_says(tmp_path):
    switch = SimulatedSwitch(GeventScheduler(), seed=1)
    switch.phones.add("user/1001", SHORT)
    server = SimServer(switch)
    server.start()
    host, port = server.address
    process = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            "insurance",
            f"{host}:{port}",
            "--always-open",
            "--database",
            str(tmp_path / "c.db"),
            "--messages",
            str(tmp_path),
        ],
        cwd=EXAMPLES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        caller = switch.incoming(calling_number=ADA, called_number="5000", talk_s=60)
        with gevent.Timeout(40, AssertionError("the call never ended")):
            while caller.channel is None or not any("/menu.wav" in one.data for one in playing(caller)):
                gevent.sleep(0.01)
            press(caller.channel, "0")
            while not any("/survey.wav" in one.data for one in playing(caller)):
                gevent.sleep(0.01)
            press(caller.channel, "5")
            while not caller.ended:
                gevent.sleep(0.01)
    finally:
        process.terminate()
        said = process.communicate()[0].decode()
        server.stop()
    assert "customer 1: Ada Byron *VIP*" in said
    assert "Traceback" not in said
