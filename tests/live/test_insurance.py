"""The insurer's hotline of the examples on a real FreeSWITCH: callers press real keys, agents' phones ring."""

from __future__ import annotations

import os
import re
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cti import events
from cti.model.callback_events import CallbackAnswered
from cti.model.states import AgentState
from cti.plan import Calendar

from .audio import write_pcmu_tone
from .conftest import StartAgents
from .event_socket import EventSocket
from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .test_line import Watch
from .test_scripts import KeyCaller

sys.path.append(str(Path(__file__).parents[2] / "examples"))

from insurance.centre import build
from insurance.make_database import make_database
from insurance.prompts import Prompts

pytestmark = pytest.mark.live

ALWAYS = Calendar("always", hours="mon-sun 00:00-24:00", time_zone="UTC")
NEVER = Calendar("never", hours="mon 00:00-00:01", time_zone="UTC", closed=["2026-01-01..2028-09-01"])
ADA, BOB = "02079460001", "02079460003"


def silence(file: Path, ms: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x10\x20" * (8 * ms))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recordings, and those of the ten digits: short tones."""
    folder = tmp_path_factory.mktemp("sounds")
    for prompt in Prompts(str(folder)):
        for file in prompt.values():
            silence(Path(file), 300)
    for digit in range(10):
        silence(folder / "digits" / f"{digit}.wav", 100)
    return folder


@pytest.fixture(scope="module")
def switch_with_sounds(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Iterator[FreeSwitchProcess]:
    def overlay(configuration: Path) -> None:
        path = configuration / "vars.xml"
        path.write_text(re.sub(r'data="sounds_(en|zh)=[^"]*"', rf'data="sounds_\1={sounds}"', path.read_text()))

    binary = find_freeswitch()
    assert binary is not None, "collected in spite of the skip"
    process = FreeSwitchProcess(tmp_path_factory.mktemp("insurance"), binary, overlay=overlay)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def switch(switch_with_sounds: FreeSwitchProcess) -> Iterator[FreeSwitchProcess]:
    yield switch_with_sounds
    with switch_with_sounds.connect() as control:
        control.api("hupall NORMAL_CLEARING")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "customers.db"
    make_database(file)
    return file


@pytest.fixture
def hotline(
    switch: FreeSwitchProcess, sounds: Path, database: Path, tmp_path: Path, start_agents: StartAgents
) -> Iterator[Callable[..., Watch]]:
    """``hotline(talk_s=2)``: the example, its agents' phones hang up after so long."""
    with ExitStack() as stack:

        def start(*, talk_s: float | None = None, office: Calendar = ALWAYS) -> Watch:
            phones = start_agents(ring_s=0.2, talk_s=talk_s)
            centre, prompts, customers = build(
                switch.address,
                database,
                password=switch.password,
                sounds=str(sounds),
                messages=str(tmp_path),
                office=office,
                contact=phones.contact,
                trunk=phones.contact("{number}"),
                callback_hours="",
                show=print,
            )
            stack.callback(customers.close)
            stack.callback(centre.stop)
            watch = Watch(centre)
            centre.start()
            assert len(list(prompts)) > 20
            return watch

        yield start


@pytest.fixture
def call_in(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Callable[..., KeyCaller]]:
    """``call_in(ADA, [0.5, "12#"])`` calls, waits half a second and presses three keys."""
    with ExitStack() as stack:

        def start(number: str, steps: list[float | str], *, info: bool = False, **caller: Any) -> KeyCaller:
            info = info or os.geteuid() != 0  # RFC 2833 needs a raw socket of SIPp
            folder = tmp_path / f"caller-{len(list(tmp_path.iterdir()))}"
            made = KeyCaller(
                steps, folder, switch_port=switch.callers_port, number="5000", info=info, user=number, **caller
            )
            return stack.enter_context(made)

        yield start


@pytest.fixture
def heard(switch: FreeSwitchProcess) -> Iterator[EventSocket]:
    """What is played, as the switch tells somebody else."""
    with switch.connect() as control:
        control.subscribe("PLAYBACK_START", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE")
        yield control


def hears(heard: EventSocket, name: str, timeout_s: float = 30) -> None:
    heard.wait_event(
        lambda e: e["Event-Name"] == "PLAYBACK_START" and e.get("Playback-File-Path", "").endswith(f"/{name}.wav"),
        timeout_s,
        f"the caller hears {name}",
    )


@pytest.mark.parametrize("info", [False, True], ids=["rfc2833", "info"])
def test_a_vip_hears_the_status_and_reaches_their_adviser(hotline, call_in, heard, info):
    """Menu 1, the PIN, the status; then 2, a claim: on the adviser's screen while the phone rings; and the survey."""
    watch = hotline(talk_s=3.0)
    # Whatever the machine's load, keys come in order: those before a question answer it, but for the PIN's.
    call_in(ADA, [1.5, "1", 2.5, "1815", 8.0, "2", 9.0, *["5", 1.5] * 4], info=info)
    hears(heard, "pin") if not info else None
    hears(heard, "policy-active")
    delivered = watch.wait_for(events.Delivered, timeout_s=40)
    assert (delivered.queue, delivered.agent) == ("claims", "1001")
    assert (delivered.data["policy"], delivered.data["vip"]) == ("100001", True)
    assert "1815" not in str(delivered)
    watch.wait_for(events.Established)
    assert watch.wait_for(events.Diverted, timeout_s=30).to_script == "survey"
    cleared = watch.wait_for(events.CallCleared, timeout_s=40)
    assert cleared.data["mark"] == 5
    watch.nothing_is_wrong()


def test_a_stranger_is_wrong_three_times_and_talks_with_somebody(hotline, call_in, heard):
    watch = hotline()
    call_in("02079460099", [1.5, "2", 2.0, "999999", 1.5, "999998", 1.5, "999997", 60.0])
    hears(heard, "zh/welcome")
    established = watch.wait_for(events.Established, timeout_s=40)
    assert established.data == {"language": "zh", "identified": False}
    watch.centre.hang_up(established.interaction)
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()


def test_closed(hotline, call_in, heard):
    watch = hotline(office=NEVER)
    call_in(BOB, [60.0])
    hears(heard, "closed")
    watch.wait_for(events.CallCleared)
    assert watch.of(events.Queued) == []


def test_a_complaint_that_is_left_as_a_message_rings_at_an_agents_phone(hotline, call_in, heard, tmp_path):
    watch = hotline(talk_s=8.0)
    tone = write_pcmu_tone(tmp_path / "caller.pcmu", 700, level=0.3)
    call_in(BOB, [1.5, "3", 2.0, "2", 6.0, "#", 60.0], info=True, tone=tone)
    hears(heard, "complaint-message")
    delivered = watch.wait_for(events.Delivered, timeout_s=40)
    assert (delivered.queue, delivered.calling_number) == ("complaints", BOB)
    (record,) = watch.centre.messages("complaints")
    assert record.length_s > 2
    watch.wait_for(events.Established)
    watch.nothing_is_wrong()


def test_a_callback_from_the_menu(hotline, call_in, heard):
    """The agent's phone rings, then the customer's; the customer is on the agent's screen."""
    watch = hotline()
    call_in(ADA, [1.5, "4", 2.0, "1", 60.0], info=True)
    hears(heard, "callback-goodbye")
    answered = watch.wait_for(CallbackAnswered, timeout_s=60)
    assert answered.number == ADA
    established = watch.wait_for(events.Established)
    assert established.data["policy"] == "100001"
    watch.centre.agent(established.agent).hang_up()
    assert watch.wait_for(events.Diverted, to_script="survey").data["name"] == "Ada Byron"
    watch.centre.hang_up(established.interaction)
    watch.wait_for(events.CallCleared)
    watch.nothing_is_wrong()


def test_callers_hang_up_in_each_phase_and_nobody_is_stuck(hotline, call_in):
    watch = hotline()
    callers = [call_in(ADA, [1.5, "0"], hold_s=hold_s) for hold_s in (0.2, 1.0, 2.0, 3.5, 5.0, 8.0)]
    try:
        watch.until("all have come", lambda: len(watch.of(events.Offered)) >= 6, 60)
    except AssertionError:
        print(len(watch.of(events.Offered)), "have come;", *(caller.describe() for caller in callers), sep="\n")
        raise
    left = watch.centre._loop.engine.world.interactions
    watch.until(f"all are over: {left}", lambda: not left, 60)
    watch.until(
        "all are ready",
        lambda: {watch.state(agent) for agent in ("1001", "1002", "1003")} == {AgentState.READY},
    )
    watch.nothing_is_wrong()
