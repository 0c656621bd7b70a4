"""What the ``uuid_...`` commands do to channels."""

from __future__ import annotations

import json

import pytest

from cti.sim import Behaviour

from .client import Client


@pytest.fixture
def waiting(switch, client):
    """An answered caller, parked."""
    caller = switch.incoming(calling_number="030", calling_name="Ada")
    client.run(0.1)
    client.api(f"uuid_answer {caller.channel.uuid}")
    client.run(0.1)
    return caller


@pytest.fixture
def leg(switch, client) -> str:
    """An agent's answered leg, parked."""
    switch.phones.add("user/1@x", Behaviour(answer_s=(0.1, 0.1)))
    client.command("bgapi originate {origination_uuid=leg,hangup_after_bridge=true}user/1@x &park()")
    client.run(1)
    assert client.events("CHANNEL_PARK", "leg")
    return "leg"


@pytest.fixture
def bridged(client, waiting, leg) -> tuple[str, str]:
    a = waiting.channel.uuid
    assert client.api(f"uuid_bridge {a} {leg}") == f"+OK {leg}\n"
    client.run(0.2)
    (event,) = client.events("CHANNEL_BRIDGE")
    assert (event["Unique-ID"], event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]) == (a, a, leg)
    client.heard.events.clear()
    return a, leg


def causes(client: Client) -> dict[str, str]:
    return {e["Unique-ID"]: e["Hangup-Cause"] for e in client.events("CHANNEL_HANGUP")}


def play(client: Client, uuid: str, sound: str, event_uuid: str = "p") -> None:
    text = f"sendmsg {uuid}\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: {event_uuid}\n"
    assert client.command(f"{text}content-type: text/plain\ncontent-length: {len(sound)}\n\n{sound}") == "+OK"


def test_variables_are_set_read_and_taken_away(switch, client, waiting):
    uuid = waiting.channel.uuid
    assert client.api(f"uuid_setvar {uuid} a 'x y'") == "+OK\n"
    assert client.api(f"uuid_getvar {uuid} A") == "x y"
    assert client.api(f"uuid_setvar {uuid} a") == "+OK\n"
    assert client.api(f"uuid_getvar {uuid} a") == "_undef_"
    assert client.api(f"uuid_setvar_multi {uuid} b=1;c=two words;d=") == "+OK\n"
    assert [client.api(f"uuid_getvar {uuid} {name}") for name in "bcd"] == ["1", "two words", "_undef_"]
    switch.globals["site"] = "north"
    assert client.api(f"uuid_getvar {uuid} site") == "north"
    assert json.loads(client.api(f"uuid_dump {uuid} json"))["variable_b"] == "1"


def test_a_sound_plays_for_its_length_and_is_known_by_our_uuid(client, waiting):
    client.command("event json CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE")
    play(client, waiting.channel.uuid, "tone_stream://%(400,100,440)", "mine")
    client.run(0.4)
    assert client.events("PLAYBACK_STOP") == []
    client.run(0.3)
    (stop,) = client.events("PLAYBACK_STOP")
    (done,) = client.events("CHANNEL_EXECUTE_COMPLETE")
    assert (stop["Playback-Status"], stop["variable_playback_ms"]) == ("done", "500")
    assert (done["Application-UUID"], done["Application-Response"]) == ("mine", "FILE PLAYED")


def test_a_break_stops_the_sound_and_the_caller_stays_parked(client, waiting):
    uuid = waiting.channel.uuid
    play(client, uuid, "tone_stream://%(400,0,440);loops=-1")
    client.run(5)
    assert client.api(f"uuid_break {uuid} all") == "+OK\n"
    client.run(0.1)
    (stop,) = client.events("PLAYBACK_STOP")
    assert stop["Playback-Status"] == "break"
    assert [running.application for running in waiting.channel.stack] == ["park"]
    assert len(client.events("CHANNEL_PARK", uuid)) == 1


def test_a_broken_sound_and_the_next_one_in_one_breath(client, waiting):
    uuid = waiting.channel.uuid
    play(client, uuid, "tone_stream://%(400,0,440);loops=-1", "first")
    client.run(0.5)
    client.api(f"uuid_break {uuid} all")
    play(client, uuid, "tone_stream://%(300,0,440)", "second")
    client.run(1)
    paths = [(e["Event-Name"], e["Playback-File-Path"]) for e in client.heard.events if "Playback-File-Path" in e]
    assert len(paths) == 4
    assert {path for _, path in paths} == {"tone_stream://%(400,0,440);loops=-1", "tone_stream://%(300,0,440)"}
    assert [running.application for running in waiting.channel.stack] == ["park"]


def test_a_broadcast_takes_its_time_to_start(client, waiting):
    started = client.scheduler.now()
    assert client.api(f"uuid_broadcast {waiting.channel.uuid} tone_stream://%(100,0,440) aleg") == "+OK Message sent\n"
    while not client.events("PLAYBACK_START"):
        client.run(0.001)
    assert 0.18 <= client.scheduler.now() - started < 0.21


def test_an_unknown_application_hangs_the_channel_up(client, waiting):
    assert client.command(f"sendmsg {waiting.channel.uuid}\ncall-command: execute\nexecute-app-name: nosuch") == "+OK"
    client.run(0.1)
    assert list(causes(client).values()) == ["DESTINATION_OUT_OF_ORDER"]


def test_sendmsg_hangs_up_with_a_cause(client, waiting):
    client.command(f"sendmsg {waiting.channel.uuid}\ncall-command: hangup\nhangup-cause: USER_BUSY")
    client.run(0.1)
    assert causes(client) == {waiting.channel.uuid: "USER_BUSY"}


def test_a_kill_with_a_cause_by_name_or_number(switch, client):
    one, two = (switch.incoming().channel.uuid for _ in range(2))
    client.run(0.1)
    client.api(f"uuid_kill {one} no_answer")
    client.api(f"uuid_kill {two} 17")
    client.run(0.1)
    assert causes(client) == {one: "NO_ANSWER", two: "USER_BUSY"}
    assert client.api(f"uuid_kill {one}") == "-ERR No such channel!\n"


@pytest.mark.parametrize("order", ["{a} {b}", "{b} {a}"])
def test_an_unanswered_caller_who_is_bridged_costs_both_legs(switch, client, leg, order):
    a = switch.incoming().channel.uuid
    client.run(0.1)
    assert client.api("uuid_bridge " + order.format(a=a, b=leg)).startswith("+OK")
    client.run(0.2)
    assert causes(client) == {a: "DESTINATION_OUT_OF_ORDER", leg: "ORIGINATOR_CANCEL"}
    assert client.events("CHANNEL_BRIDGE") == []


def test_two_unanswered_legs_are_not_bridged(switch, client):
    one, two = (switch.incoming().channel.uuid for _ in range(2))
    assert client.api(f"uuid_bridge {one} {two}") == "-ERR Invalid uuid\n"


def test_a_bridge_takes_two_or_three_frames(client, waiting, leg):
    started = client.scheduler.now()
    client.api(f"uuid_bridge {waiting.channel.uuid} {leg}")
    while not client.events("CHANNEL_BRIDGE"):
        client.run(0.001)
    assert 0.02 <= client.scheduler.now() - started <= 0.062
    assert waiting.connected


def test_the_agent_hangs_up_and_the_caller_follows(switch, client, bridged):
    a, b = bridged
    switch.channels[b].far.hang_up(switch.channels[b])
    client.run(0.1)
    assert client.names() == [
        "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_UNBRIDGE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY", "CHANNEL_DESTROY",
    ]  # fmt: skip
    assert causes(client) == {b: "NORMAL_CLEARING", a: "NORMAL_CLEARING"}
    assert switch.channels == {}


def test_the_caller_hangs_up_and_the_agent_follows(switch, client, bridged, waiting):
    waiting.hang_up()
    client.run(0.1)
    assert list(causes(client).values()) == ["NORMAL_CLEARING", "NORMAL_CLEARING"]
    assert len(client.events("CHANNEL_UNBRIDGE")) == 1
    assert switch.channels == {}
    assert not waiting.abandoned


def test_both_hang_up_in_the_same_moment(switch, client, bridged, waiting):
    a, b = bridged
    switch.channels[b].far.hang_up(switch.channels[b])
    waiting.hang_up()
    client.run(0.1)
    assert len(client.events("CHANNEL_UNBRIDGE")) == 1
    assert [len(client.events("CHANNEL_DESTROY", uuid)) for uuid in (a, b)] == [1, 1]
    assert switch.channels == {}


def test_the_other_leg_is_killed_while_the_first_is_on_its_way_out(switch, client, bridged):
    a, b = bridged
    client.write(f"api uuid_kill {a}\n\napi uuid_kill {b}\n\n".encode())
    client.run(0.2)
    assert [len(client.events("CHANNEL_DESTROY", uuid)) for uuid in (a, b)] == [1, 1]
    assert switch.channels == {}


def test_without_hangup_after_bridge_the_caller_runs_out_of_dialplan(switch, client, bridged):
    a, b = bridged
    client.api(f"uuid_setvar {a} hangup_after_bridge false")
    client.api(f"uuid_kill {b}")
    client.run(0.1)
    assert client.events("CHANNEL_HANGUP", a)[0]["Channel-State"] == "CS_EXECUTE"
    assert switch.channels == {}


def test_park_after_bridge_keeps_the_caller(switch, client, bridged):
    a, b = bridged
    client.api(f"uuid_setvar {a} park_after_bridge true")
    client.api(f"uuid_kill {b}")
    client.run(0.1)
    (parked,) = client.events("CHANNEL_PARK")
    assert (parked["Unique-ID"], parked["Channel-State"]) == (a, "CS_PARK")
    assert list(switch.channels) == [a]


def test_a_leg_bridged_anew_leaves_its_old_partner(switch, client, bridged):
    a, b = bridged
    switch.phones.add("user/2@x", Behaviour(answer_s=(0.1, 0.1)))
    client.command("bgapi originate {origination_uuid=leg2}user/2@x &park()")
    client.run(1)
    assert client.api(f"uuid_bridge {a} leg2") == "+OK leg2\n"
    client.run(0.2)
    assert causes(client) == {b: "NORMAL_CLEARING"}
    assert client.events("CHANNEL_BRIDGE")[-1]["Bridge-B-Unique-ID"] == "leg2"
    assert set(switch.channels) == {a, "leg2"}


def test_a_transfer_takes_the_caller_back_to_the_dialplan(switch, client, bridged):
    a, b = bridged
    assert client.api(f"uuid_transfer {a} 5001 XML callers") == "+OK\n"
    client.run(0.1)
    (parked,) = client.events("CHANNEL_PARK")
    assert (parked["Unique-ID"], parked["Caller-Destination-Number"]) == (a, "5001")
    assert parked["Answer-State"] == "answered"
    assert causes(client) == {b: "NORMAL_CLEARING"}


def test_the_other_leg_or_both_are_transferred(switch, client, bridged):
    a, b = bridged
    client.api(f"uuid_transfer {a} -both park inline")
    client.run(0.1)
    assert {e["Unique-ID"] for e in client.events("CHANNEL_PARK")} == {a, b}
    assert causes(client) == {}
    client.api(f"uuid_bridge {a} {b}")
    client.run(0.1)
    client.heard.events.clear()
    client.api(f"uuid_transfer {a} -bleg park inline")
    client.run(0.1)
    assert [e["Unique-ID"] for e in client.events("CHANNEL_PARK")] == [b]
    assert causes(client) == {a: "NORMAL_CLEARING"}


def test_a_transfer_to_a_number_nobody_has_is_refused(client, waiting):
    client.api(f"uuid_transfer {waiting.channel.uuid} 9999")
    client.run(0.1)
    assert causes(client) == {waiting.channel.uuid: "UNALLOCATED_NUMBER"}


def test_hold_and_back(client, bridged):
    _, b = bridged
    client.command("event json CHANNEL_HOLD CHANNEL_UNHOLD")
    assert client.api(f"uuid_hold off {b}") == "-ERR Operation failed\n"
    assert client.api(f"uuid_hold {b}") == "+OK Success\n"
    client.run(1)
    assert client.events("CHANNEL_HOLD")[0]["Channel-Call-State"] == "HELD"
    assert client.events("PLAYBACK_START")[0]["Playback-File-Path"].startswith("tone_stream://")
    client.api(f"uuid_hold toggle {b}")
    client.run(1)
    assert len(client.events("CHANNEL_UNHOLD")) == len(client.events("PLAYBACK_STOP")) == 1


def test_park_deflect_and_scheduled_hang_up(switch, client, waiting, leg):
    uuid = waiting.channel.uuid
    assert client.api(f"uuid_park {uuid}") == "+OK\n"
    client.run(0.1)
    assert client.events("CHANNEL_PARK")[-1]["Channel-State"] == "CS_PARK"
    assert client.api(f"sched_hangup +2 {uuid} NO_USER_RESPONSE") == "+OK\n"
    client.api(f"uuid_deflect {leg} sip:other@example.org")
    client.run(1)
    assert causes(client) == {leg: "BLIND_TRANSFER"}
    client.run(2)
    assert causes(client)[uuid] == "NO_USER_RESPONSE"


def test_hupall_takes_those_whose_variables_match(switch, client, waiting, leg):
    answer = client.api("hupall NORMAL_CLEARING cti_node cti")
    assert answer == "+OK hangup all channels matching [cti_node]=[cti] with cause: NORMAL_CLEARING\n"
    client.run(0.1)
    assert list(switch.channels) == [leg]
    client.api("hupall")
    client.run(0.1)
    assert causes(client)[leg] == "MANAGER_REQUEST"


def test_show_channels_and_calls(client, bridged):
    a, b = bridged
    rows = json.loads(client.api("show channels as json"))["rows"]
    assert [(row["uuid"], row["state"]) for row in rows] == [(a, "CS_SOFT_EXECUTE"), (b, "CS_EXCHANGE_MEDIA")]
    (call,) = json.loads(client.api("show calls as json"))["rows"]
    assert (call["uuid"], call["b_uuid"], call["call_uuid"]) == (a, b, a)
    assert client.api("show channels count") == "\n2 total.\n"
    assert client.api(f"show channels like {b}").count("\n") == 4
    assert client.api("show nonsense").startswith("-USAGE: codec|")


def test_a_channel_that_has_been_transferred_seventy_times_is_hung_up_unless_more_are_allowed(switch, client):
    limited, free = (switch.incoming().channel for _ in range(2))
    client.api(f"uuid_setvar {free.uuid} max_session_transfers 1000000")
    for _ in range(75):
        for channel in (limited, free):
            client.api(f"uuid_transfer {channel.uuid} park inline")
        switch.scheduler.run_for(0.05)
    assert limited.hangup_cause == "EXCHANGE_ROUTING_ERROR"
    assert free.up
