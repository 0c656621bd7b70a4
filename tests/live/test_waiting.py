"""Waiting on a real FreeSWITCH: music, announcements, keys by RFC 2833 and SIP INFO, agents who answer in the middle."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cti import CallCenter, events
from cti.model.ids import QueueId
from cti.model.overflow import Disconnect, ToQueue, ToScript
from cti.model.treatment import WaitingTreatment

from .event_socket import EventSocket
from .freeswitch_process import FreeSwitchProcess
from .test_line import Watch, centre_on
from .test_scripts import KeyCaller

pytestmark = pytest.mark.live

MUSIC = "tone_stream://%(1000,1000,440);loops=-1"
OTHER = "tone_stream://%(500,500,550);loops=-1"
HELLO = "tone_stream://%(9000,0,660)"
SHORT = "tone_stream://%(60,0,{})"
WHISPER = "tone_stream://%(400,0,880)"
NOWHERE = "/nowhere/missing.wav"
CALLS = 30


@pytest.fixture
def watch(switch: FreeSwitchProcess) -> Iterator[Watch]:
    with centre_on(switch) as made:
        yield made


@pytest.fixture
def heard(switch: FreeSwitchProcess) -> Iterator[EventSocket]:
    """What the switch tells somebody else."""
    with switch.connect() as control:
        control.subscribe(
            *("CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_HANGUP", "PLAYBACK_START", "PLAYBACK_STOP", "DTMF")
        )
        yield control


@pytest.fixture
def call_in(switch: FreeSwitchProcess, tmp_path: Path) -> Iterator[Callable[..., KeyCaller]]:
    """``call_in([0.5, "12"])`` calls, waits half a second and presses two keys."""
    with ExitStack() as stack:

        def start(steps: list[float | str], *, number: str = "5000", info: bool = False, **caller: Any) -> KeyCaller:
            if not info and os.geteuid() != 0:
                pytest.skip("SIPp sends RFC 2833 through a raw socket: run as root, or with CAP_NET_RAW")
            folder = tmp_path / f"caller-{len(list(tmp_path.iterdir()))}"
            made = KeyCaller(steps, folder, switch_port=switch.callers_port, number=number, info=info, **caller)
            return stack.enter_context(made)

        yield start


def started(watch: Watch, treatment: WaitingTreatment | None, **settings: Any) -> None:
    watch.centre.add_queue("claims", music=MUSIC, waiting=treatment, **settings)
    watch.centre.on_call("5*")(lambda call: call.queue("claims"))
    watch.centre.start()


def begins(heard: EventSocket, sound: str, timeout_s: float = 10) -> Any:
    return heard.wait_event(
        lambda e: e["Event-Name"] == "PLAYBACK_START" and e.get("Playback-File-Path") == sound, timeout_s, sound
    )


@pytest.mark.parametrize("info", [False, True], ids=["rfc2833", "info"])
def test_keys_take_the_caller_elsewhere_while_announcements_play(watch, call_in, heard, info):
    other = WaitingTreatment(greeting=SHORT.format(500), music=OTHER, offers={"1": ToScript("callback")})
    watch.centre.add_queue("other", waiting=other)
    watch.centre.script("callback")(lambda call: call.play(SHORT.format(700)))
    started(watch, WaitingTreatment(greeting=HELLO, offers={"3": ToQueue(QueueId("other")), "9": Disconnect()}))
    call_in([1.5, "*53", 1.5, "1"], info=info)
    begins(heard, HELLO)
    key = heard.wait_event(lambda e: e["Event-Name"] == "DTMF" and e["DTMF-Digit"] == "3", 10, "the key")
    greeted = begins(heard, SHORT.format(500))
    assert int(greeted["Event-Date-Timestamp"]) - int(key["Event-Date-Timestamp"]) < 1_000_000
    begins(heard, OTHER)
    begins(heard, SHORT.format(700))  # the script's
    watch.wait_for(events.CallCleared)
    assert [(e.to_queue, e.to_script) for e in watch.of(events.Diverted)] == [("other", ""), (None, "callback")]
    watch.nothing_is_wrong()


def test_music_goes_on_between_announcements_and_missing_files_harm_nobody(watch, call_in, heard):
    treatment = WaitingTreatment(
        greeting=(NOWHERE, SHORT.format(500)), messages=SHORT.format(600), message_every_s=1, music=(NOWHERE, OTHER)
    )
    started(watch, treatment)
    assert watch.centre._waitings[watch.centre.switch.id].missing() == [
        f"queue 'claims': the switch has not {NOWHERE!r}; callers hear the music on, and a tone in place of music"
    ]
    call_in([4.5, "*"], info=True)
    for sound in (SHORT.format(500), OTHER, SHORT.format(600), OTHER, SHORT.format(600), OTHER):
        begins(heard, sound)
    watch.nothing_is_wrong()


def test_a_star_does_not_end_plain_music(watch, call_in, heard):
    started(watch, None)
    call_in([1.0, "*", 1.0], info=True, hold_s=1.0)
    begins(heard, MUSIC)
    heard.wait_event(lambda e: e["Event-Name"] == "DTMF", 10, "the key")
    ended = heard.wait_event(lambda e: e["Event-Name"] in ("PLAYBACK_STOP", "CHANNEL_HANGUP"), 20, "the end")
    assert ended["Event-Name"] == "CHANNEL_HANGUP"


@pytest.mark.parametrize("bridge_at", ["park", "answer"])
@pytest.mark.parametrize("treatment", [None, WaitingTreatment(greeting=SHORT.format(500))], ids=["plain", "attended"])
def test_music_goes_on_after_an_agent_who_answered_and_went(
    switch, call_in, heard, start_agents, *, treatment, bridge_at
):
    agents = start_agents(ring_s=0.1, talk_s=0)
    watch = Watch(CallCenter(switch.address, switch.password, bridge_at=bridge_at))
    try:
        started(watch, treatment)
        call_in([30.0], info=True)
        begins(heard, MUSIC)
        watch.centre.add_agent("bob", agents.contact("bob")).log_on(ready=True)
        watch.wait_for(events.OfferEnded)
        watch.centre.agent("bob").log_off()
        # It has played on, where the agent was gone before the bridge; else it begins again.
        playing, until = True, time.monotonic() + 2
        while (left := until - time.monotonic()) > 0:
            event = heard.next_event(left)
            if event is not None and event.get("Playback-File-Path") == MUSIC:
                playing = event["Event-Name"] == "PLAYBACK_START"
        assert playing
        watch.nothing_is_wrong()
    finally:
        watch.centre.stop()


def test_a_script_that_gets_a_caller_back_from_a_bridge_is_heard(watch, call_in, heard, start_agents):
    agents = start_agents(ring_s=1.0, talk_s=0)
    sorry = SHORT.format(500)
    watch.centre.script("sorry")(lambda call: call.play(sorry))
    started(watch, None, max_wait_s=0.5, overflow=ToScript("sorry"))
    watch.centre.add_agent("bob", agents.contact("bob")).log_on(ready=True)
    call_in([30.0], info=True)
    watch.wait_for(events.OfferEnded)
    begins(heard, sorry)
    # It is the last thing that happens to the call: it must have been heard to its end.
    ended = heard.wait_event(
        lambda e: e["Event-Name"] == "PLAYBACK_STOP" and e["Playback-File-Path"] == sorry, 10, "the end"
    )
    assert ended["Playback-Status"] == "done"
    watch.wait_for(events.CallCleared)


def test_an_agent_hears_the_whisper_and_then_the_caller(watch, call_in, heard, start_agents):
    agents = start_agents(ring_s=0.1)
    started(watch, WaitingTreatment(whisper=WHISPER))
    watch.centre.add_agent("ann", agents.contact("ann")).log_on(ready=True)
    call_in([30.0], info=True)
    told = begins(heard, WHISPER)
    bridged = heard.wait_event(lambda e: e["Event-Name"] == "CHANNEL_BRIDGE", 10, "the bridge")
    leg = watch.wait_for(events.Established).connection
    assert told["Unique-ID"] == leg
    assert leg in (bridged["Bridge-A-Unique-ID"], bridged["Bridge-B-Unique-ID"])
    took_s = (int(bridged["Event-Date-Timestamp"]) - int(told["Event-Date-Timestamp"])) / 1e6
    assert 0.35 < took_s < 2.0
    watch.nothing_is_wrong()


def test_an_endless_whisper_is_cut_at_its_time(watch, call_in, heard, start_agents):
    agents = start_agents(ring_s=0.1)
    started(watch, WaitingTreatment(whisper=MUSIC, whisper_s=1.0))
    watch.centre.add_agent("ann", agents.contact("ann")).log_on(ready=True)
    call_in([30.0], info=True)
    watch.wait_for(events.Established)
    watch.nothing_is_wrong()


def test_race_14_announcements_do_not_delay_an_answer(watch, start_agents, start_callers, heard):
    """From the agent's answer to the bridge, with a new announcement every 60 ms and with music alone."""
    agents = start_agents(ring_s=0.3)
    centre = watch.centre
    centre.add_queue("plain", music=MUSIC)
    busy = WaitingTreatment(greeting=tuple(SHORT.format(300 + n) for n in range(400)))
    centre.add_queue("talking", waiting=busy)
    centre.on_call("5001")(lambda call: call.queue("plain"))
    centre.on_call("5002")(lambda call: call.queue("talking"))
    for number in range(6):
        centre.add_agent(f"a{number}", agents.contact(f"a{number}")).log_on(ready=True)
    centre.start()
    took: dict[str, list[float]] = {}
    for number in ("5001", "5002", "5001", "5002"):
        callers = start_callers(number, calls=CALLS // 2, rate=2, hold_s=1.2)
        took.setdefault(number, []).extend(bridges(heard, CALLS // 2))
        figures = callers.wait(60)
        assert figures.successful == CALLS // 2, callers.describe()
    plain, talking = took["5001"], took["5002"]
    print(f"answer_to_bridge_ms plain={plain} talking={talking}")
    assert len(watch.of(events.Established)) == 2 * CALLS
    # Each parked leg looks once in a frame of 20 ms; two frames' tolerance is for a busy machine.
    assert statistics.median(talking) <= statistics.median(plain) + 40
    watch.nothing_is_wrong()


def bridges(heard: EventSocket, count: int) -> list[float]:
    """Milliseconds from the answer of each agent's leg to its bridge; nothing is played to a caller after that."""
    answered: dict[str, int] = {}
    talking: set[str] = set()
    found: list[float] = []
    deadline = time.monotonic() + 60
    while len(found) < count:
        event = heard.next_event(max(0.0, deadline - time.monotonic()))
        assert event is not None, f"{len(found)} bridges of {count}"
        name, at = event["Event-Name"], int(event["Event-Date-Timestamp"])
        if name == "CHANNEL_ANSWER" and event["Call-Direction"] == "outbound":
            answered[event["Unique-ID"]] = at
        elif name == "PLAYBACK_START":
            assert event["Unique-ID"] not in talking, "an announcement in a conversation"
        elif name == "CHANNEL_BRIDGE":
            ends = {event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]}
            (leg,) = ends & answered.keys()
            found.append((at - answered[leg]) / 1000)
            talking |= ends
    return found
