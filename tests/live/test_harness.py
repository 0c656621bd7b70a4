"""The harness itself: FreeSWITCH boots from freeswitch-conf, SIPp calls arrive, and both behave as the other tests assume."""

from __future__ import annotations

import time
from pathlib import Path

import gevent
import pytest

from . import ports
from .audio import read_stereo, tone_share, write_pcmu_tone
from .event_socket import Event, EventSocket
from .freeswitch_process import FreeSwitchProcess, find_freeswitch
from .ports import free_ports
from .sipp import SippRegistration

pytestmark = pytest.mark.live


def _named(name: str, **headers: str):
    wanted = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda event: event["Event-Name"] == name and all(event.get(k) == v for k, v in wanted.items())


def _caller(control: EventSocket) -> Event:
    return control.wait_event(_named("CHANNEL_PARK", Call_Direction="inbound"), 10, "parked caller")


def _bridged(control: EventSocket, contact: str, leg: str) -> str:
    """Answer the next caller, ring the agent, bridge both; return the caller's uuid."""
    caller = _caller(control)["Unique-ID"]
    assert control.api(f"uuid_answer {caller}") == "+OK"
    control.command(f"bgapi originate {{origination_uuid={leg},cti_node=cti}}{contact} &park()")
    control.wait_event(_named("CHANNEL_PARK", Unique_ID=leg), 10, "answered agent")
    assert control.api(f"uuid_bridge {caller} {leg}").startswith("+OK")
    control.wait_event(_named("CHANNEL_BRIDGE", Unique_ID=caller), 10, "bridge")
    return caller


def test_a_call_to_a_centre_number_is_parked_unanswered_and_marked(switch, control, start_callers):
    control.subscribe("CHANNEL_PARK", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_ANSWER", "CHANNEL_PROGRESS_MEDIA")
    callers = start_callers("5000", patience_s=1.0, name="Ann Example", user="ann")
    parked = _caller(control)
    assert parked["variable_cti_node"] == "cti"
    assert parked["Caller-Destination-Number"] == "5000"
    assert parked["Caller-Caller-ID-Name"] == "Ann Example"
    assert parked["Answer-State"] == "ringing"
    gevent.sleep(0.3)  # `show channels` reads a database that lags
    (row,) = control.channels()
    assert (row["uuid"], row["application"], row["dest"]) == (parked["Unique-ID"], "park", "5000")
    ended = control.next_event(10)
    assert ended is not None
    assert (ended["Event-Name"], ended["Hangup-Cause"]) == ("CHANNEL_HANGUP_COMPLETE", "ORIGINATOR_CANCEL")
    assert callers.wait(10).successful == 1, callers.describe()


def test_a_port_whose_taker_has_not_bound_it_yet_is_not_given_to_another(monkeypatch):
    """Under load a SIPp takes a while to start; two with one port, and a caller never comes."""
    monkeypatch.setattr(ports, "_shuffled", list)  # always the same order
    given = [port for _ in range(5) for port in free_ports(2, block=8)]
    assert all(abs(one - other) >= 8 for at, one in enumerate(given) for other in given[:at])


def test_no_channel_is_ours_without_its_own_mark(switch, control, start_agents):
    agents = start_agents(ring_s=0.01)
    control.subscribe("CHANNEL_PARK")
    control.command(f"bgapi originate {{origination_uuid=not-ours}}{agents.contact('a1')} &park()")
    control.wait_event(_named("CHANNEL_PARK", Unique_ID="not-ours"), 10, "answered leg")
    assert control.api("uuid_getvar not-ours cti_node") == "_undef_"


def test_other_numbers_are_refused(control, start_callers):
    callers = start_callers("4711")
    figures = callers.wait(15)
    assert (figures.total, figures.failed) == (1, 1), callers.describe()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ({"rejects": "486 Busy Here", "ring_s": 0.1}, "USER_BUSY"),
        ({"rejects": "603 Decline", "ring_s": 0.1}, "CALL_REJECTED"),
        ({"talk_s": 0, "ring_s": 0.1}, "NORMAL_CLEARING"),
    ],
)
def test_a_phone_that_does_not_take_the_call(switch, control, start_agents, behaviour, cause):
    agents = start_agents(**behaviour)
    control.subscribe("CHANNEL_HANGUP_COMPLETE")
    control.command(f"bgapi originate {{origination_uuid=leg}}{agents.contact('a1')} &park()")
    ended = control.wait_event(_named("CHANNEL_HANGUP_COMPLETE", Unique_ID="leg"), 10, "end of the leg")
    assert ended["Hangup-Cause"] == cause


def test_a_phone_that_never_answers_is_cancelled(switch, control, start_agents):
    agents = start_agents(answers=False)
    control.subscribe("CHANNEL_PROGRESS", "CHANNEL_HANGUP_COMPLETE")
    control.command(f"bgapi originate {{origination_uuid=leg}}{agents.contact('a1')} &park()")
    control.wait_event(_named("CHANNEL_PROGRESS", Unique_ID="leg"), 10, "ringing phone")
    assert control.api("uuid_kill leg ORIGINATOR_CANCEL") == "+OK"
    control.wait_event(_named("CHANNEL_HANGUP_COMPLETE", Unique_ID="leg"), 10, "end of the leg")
    deadline = time.monotonic() + 10
    while agents.figures().successful == 0 and time.monotonic() < deadline:
        gevent.sleep(0.1)
    # SIPp has seen CANCEL, answered it and the INVITE, and got its ACK.
    assert agents.figures().successful == 1, agents.describe()


@pytest.mark.parametrize("password", ["agent-secret", "wrong"])
def test_a_registered_phone_rings_by_its_user(switch, control, start_agents, tmp_path: Path, password):
    rings = password == switch.agent_password
    agents, user = start_agents(ring_s=0.01), "1001" if rings else "1002"
    port, media_port = free_ports(2, block=8)
    with SippRegistration(
        tmp_path / "register",
        switch_port=switch.agents_port,
        user=user,
        domain=switch.domain,
        password=password,
        contact_port=agents.port,
        port=port,
        media_port=media_port,
    ) as registration:
        assert registration.wait(15).successful == rings, registration.describe()
    control.subscribe("BACKGROUND_JOB")
    control.command(f"bgapi originate {{origination_uuid=leg}}user/{user}@{switch.domain} &park()")
    job = control.wait_event(_named("BACKGROUND_JOB"), 10, "end of the job")
    assert job["_body"].strip() == ("+OK leg" if rings else "-ERR USER_NOT_REGISTERED")


def test_audio_goes_both_ways(switch, control, start_agents, start_callers, tmp_path: Path):
    caller_hz, agent_hz = 700, 1100
    agents = start_agents(ring_s=0.1, tone=write_pcmu_tone(tmp_path / "agent.pcmu", agent_hz))
    control.subscribe("CHANNEL_PARK", "CHANNEL_BRIDGE", "RECORD_STOP")
    start_callers("5000", tone=write_pcmu_tone(tmp_path / "caller.pcmu", caller_hz))
    caller = _bridged(control, agents.contact("a1"), "leg")
    legs = {caller: (caller_hz, agent_hz), "leg": (agent_hz, caller_hz)}
    for leg in legs:
        control.api(f"uuid_setvar {leg} RECORD_STEREO true")
        assert control.api(f"uuid_record {leg} start {tmp_path / leg}.wav").startswith("+OK")
    gevent.sleep(1.5)
    for leg in legs:
        control.api(f"uuid_record {leg} stop {tmp_path / leg}.wav")
        control.wait_event(_named("RECORD_STOP", Unique_ID=leg), 10, "end of the recording")
    # Left is what FreeSWITCH got from the phone, right is what it sent to the phone.
    for leg, (heard_from, sent_to) in legs.items():
        left, right = read_stereo(tmp_path / f"{leg}.wav")
        middle = slice(len(left) // 4, 3 * len(left) // 4)
        assert tone_share(left[middle], heard_from) > 0.8
        assert tone_share(left[middle], sent_to) < 0.05
        assert tone_share(right[middle], sent_to) > 0.8
        assert tone_share(right[middle], heard_from) < 0.05


def test_killed_and_started_again_on_the_same_ports(tmp_path: Path):
    binary = find_freeswitch()
    assert binary is not None
    switch = FreeSwitchProcess(tmp_path / "freeswitch", binary)
    try:
        switch.start()
        with switch.connect() as control:
            first = control.api("global_getvar core_uuid")
            switch.kill()
            with pytest.raises((ConnectionError, TimeoutError)):
                control.api("status")
        switch.start()
        with switch.connect() as control:
            assert control.api("global_getvar core_uuid") != first
            assert control.channels() == []
    finally:
        switch.stop()
