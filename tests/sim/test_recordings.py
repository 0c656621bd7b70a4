"""The simulated switch held against sessions recorded from FreeSWITCH 1.11.1 (see tests/record.py)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache

import pytest

from .recording import FOLDER, Recording, Replay, subject

NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))

# Equal in every event, whenever the recording has one of them or the simulation does.
EQUAL = (
    *("Event-Calling-File", "Event-Calling-Function", "Event-Calling-Line-Number"),
    *("Channel-State", "Channel-State-Number", "Channel-Call-State", "Channel-Name", "Channel-HIT-Dialplan"),
    *("Channel-Call-UUID", "Channel-Presence-ID", "Channel-Read-Codec-Name", "Unique-ID", "Answer-State"),
    *("Call-Direction", "Presence-Call-Direction", "Hangup-Cause", "Direction"),
    *("Original-Channel-Call-State", "Channel-Call-State-Number"),
    *("Application", "Application-Data", "Application-Response"),
    *("Bridge-A-Unique-ID", "Bridge-B-Unique-ID", "Bridged-To", "Sent-Callee-ID-Name", "Sent-Callee-ID-Number"),
    *("Playback-File-Path", "Playback-File-Type", "Playback-Status"),
    *("Other-Type", "Other-Leg-Unique-ID", "Other-Leg-Direction", "Other-Leg-Logical-Direction"),
    *("Other-Leg-Caller-ID-Name", "Other-Leg-Caller-ID-Number", "Other-Leg-Callee-ID-Name", "Other-Leg-ANI"),
    *("Other-Leg-Destination-Number", "Other-Leg-Channel-Name", "Other-Leg-Source", "Other-Leg-Context"),
    *("Caller-Direction", "Caller-Logical-Direction", "Caller-Username", "Caller-Dialplan", "Caller-Context"),
    *("Caller-Caller-ID-Name", "Caller-Caller-ID-Number", "Caller-Callee-ID-Name", "Caller-Callee-ID-Number"),
    *("Caller-Orig-Caller-ID-Name", "Caller-ANI", "Caller-Destination-Number", "Caller-Unique-ID", "Caller-Source"),
    *("Caller-Channel-Name", "Caller-Profile-Index", "Caller-Network-Addr", "Caller-Screen-Bit"),
    *("variable_cti_node", "variable_cti_agent", "variable_cti_interaction", "variable_hangup_after_bridge"),
    *("variable_origination_uuid", "variable_origination_caller_id_name", "variable_originate_timeout"),
    *("variable_direction", "variable_uuid", "variable_is_outbound", "variable_call_uuid", "variable_presence_id"),
    *("variable_dialed_user", "variable_dialed_domain", "variable_originate_endpoint", "variable_channel_name"),
    *("variable_current_application", "variable_current_application_data", "variable_last_app", "variable_last_arg"),
    *("variable_bridge_uuid", "variable_bridge_channel", "variable_signal_bond", "variable_bridge_to"),
    *("variable_last_bridge_to", "variable_last_bridge_hangup_cause", "variable_last_bridge_role"),
    *("variable_hangup_cause", "variable_hangup_cause_q850", "variable_sip_hangup_disposition"),
    *("variable_proto_specific_hangup_cause", "variable_sip_term_status", "variable_endpoint_disposition"),
    *("Event-Subclass", "profile-name", "from-user", "from-host", "user", "host", "contact", "status", "username"),
    *("realm", "rpid", "to-user", "to-host", "user-agent"),
    *("Job-UUID", "Job-Command", "Job-Command-Arg", "Content-Length", "_body"),
)
# When FreeSWITCH reverses a bridge because the caller has no sound, it mixes up who is called what. A member of a
# conference is heard decoded, and the event of its hang-up says so.
NOT_EQUAL = {
    "conferenced": re.compile(r"Channel-Read-Codec-Name"),
    "bridge_unanswered": re.compile(r"(Caller|Other-Leg)-(Caller-ID|Callee-ID|Logical)|Sent-Callee"),
}
# What every event of a channel must have.
MUST = (
    *("Event-Name", "Core-UUID", "FreeSWITCH-Hostname", "FreeSWITCH-Switchname", "FreeSWITCH-IPv4"),
    *("FreeSWITCH-IPv6", "Event-Date-Local", "Event-Date-GMT", "Event-Date-Timestamp", "Event-Calling-File"),
    *("Event-Calling-Function", "Event-Calling-Line-Number", "Event-Sequence"),
)
MUST_OF_CHANNEL = (
    *("Channel-State", "Channel-Call-State", "Channel-State-Number", "Channel-Name", "Unique-ID", "Call-Direction"),
    *("Presence-Call-Direction", "Channel-HIT-Dialplan", "Channel-Call-UUID", "Answer-State"),
    *("Caller-Direction", "Caller-Caller-ID-Name", "Caller-Caller-ID-Number", "Caller-Destination-Number"),
    *("Caller-Unique-ID", "Caller-Source", "Caller-Context", "Caller-Channel-Name", "Caller-Profile-Index"),
    *("Caller-Profile-Created-Time", "Caller-Channel-Created-Time", "Caller-Channel-Answered-Time"),
    *("Caller-Channel-Hangup-Time", "Caller-Channel-Bridged-Time", "Caller-Privacy-Hide-Number"),
)
# Answers that differ from run to run; compared by their shape instead.
VOLATILE = ("create_uuid", "status", "uptime", "sofia status", "sofia_contact */1001", "sendevent")
VERSION = "FreeSWITCH Version 1.11.1-release"
TIMES = (
    "expires",
    "token",
    "network_port",
    "created",
    "created_epoch",
    "call_created_epoch",
    "b_created",
    "b_created_epoch",
)


@cache
def recording(name: str) -> Recording:
    return Recording.load(name)


@cache
def replay(name: str) -> Replay:
    return Replay(recording(name)).run()


def by_channel(events: list[dict]) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for event in events:
        if event["Event-Name"] != "HEARTBEAT":
            found[subject(event)].append(event)
    return found


@cache
def recorded_header_names() -> dict[tuple[str, str], set[str]]:
    found = defaultdict(set)
    for name in NAMES:
        for event in recording(name).heard.events:
            found[event["Event-Name"], event.get("Call-Direction", "")] |= event.keys()
    return found


def test_the_recordings_say_where_they_come_from():
    assert len(NAMES) >= 15
    for name in NAMES:
        assert recording(name).about["freeswitch"].startswith(VERSION)
    assert all(recording(name).about["scenario"] == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_channel_has_the_recorded_events_in_the_recorded_order(name):
    recorded, simulated = by_channel(recording(name).heard.events), by_channel(replay(name).heard.events)
    names = replay(name).names
    assert {uuid: [e["Event-Name"] for e in events] for uuid, events in simulated.items()} == {
        names.get(uuid, uuid): [e["Event-Name"] for e in events] for uuid, events in recorded.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_headers_that_matter_have_the_recorded_values(name):
    recorded, simulated = by_channel(recording(name).heard.events), by_channel(replay(name).heard.events)
    names, translated = replay(name).names, replay(name).translated
    but = NOT_EQUAL.get(name)
    differences = []
    for uuid, events in recorded.items():
        for theirs, ours in zip(events, simulated[names.get(uuid, uuid)], strict=True):
            for header in EQUAL:
                value = theirs.get(header)
                value = translated(value) if isinstance(value, str) else value
                if value != ours.get(header) and not (but and but.match(header)):
                    differences.append((ours["Event-Name"], header, value, ours.get(header)))
    assert differences == []


@pytest.mark.parametrize("name", NAMES)
def test_no_event_has_a_header_that_was_never_recorded_and_none_lacks_one_it_must_have(name):
    known = recorded_header_names()
    for event in replay(name).heard.events:
        kind = event["Event-Name"], event.get("Call-Direction", "")
        assert event.keys() - known[kind] == set(), kind
        must = MUST + MUST_OF_CHANNEL if "Unique-ID" in event else MUST
        assert set(must) - event.keys() == set(), kind


def test_an_execution_is_known_by_the_uuid_the_client_chose():
    wanted = re.search(r"Event-UUID: (\S+)", "".join(frame for _, _, frame in recording("inbound_playback").lines))[1]
    for heard in (recording("inbound_playback").heard, replay("inbound_playback").heard):
        ours = [e["Event-Name"] for e in heard.events if e.get("Application-UUID") == wanted]
        assert ours == ["CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"]


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_answered_as_recorded(name):
    commands = [frame.split("\n")[0] for way, _, frame in recording(name).lines if way == ">"]
    translated = replay(name).translated
    theirs = [translated(reply) for reply in recording(name).heard.replies]
    ours = replay(name).heard.replies
    assert len(theirs) == len(ours) == len(commands)
    for command, expected, answer in zip(commands, theirs, ours, strict=True):
        text = command.removeprefix("api ")
        if "uuid_dump" in text and not expected.startswith("-"):
            assert_same_shape(expected, answer)
        elif text.startswith("show ") and "json" in text:
            assert_same_table(expected, answer)
        elif text.startswith("show ") and "," in expected:
            assert expected.split("\n")[0] == answer.split("\n")[0]
            assert expected.split("\n")[2:] == answer.split("\n")[2:]
        elif text == "version":
            assert answer.startswith(VERSION)
            assert expected.startswith(VERSION)
        elif text.startswith(VOLATILE):
            assert shape(answer) == shape(expected)
        else:
            assert answer == expected, command


def shape(text: str) -> str:
    """The text without what a number, a plural or an identifier makes of it."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "uuid", text)
    return re.sub(r"\d+(\.\d+)?( [a-z]+?)?s?\b", r"0\2", text)


def assert_same_table(expected: str, answer: str) -> None:
    theirs, ours = json.loads(expected), json.loads(answer)
    assert ours["row_count"] == theirs["row_count"]
    for their_row, our_row in zip(theirs.get("rows", ()), ours.get("rows", ()), strict=True):
        assert list(our_row) == list(their_row)
        differing = {name for name in our_row if our_row[name] != their_row[name]}
        assert differing <= set(TIMES)


def assert_same_shape(expected: str, answer: str) -> None:
    if expected.startswith("{"):
        theirs, ours = json.loads(expected), json.loads(answer)
        assert ours.keys() <= theirs.keys()
        for name in ("Channel-State", "Channel-Call-State", "Answer-State", "Unique-ID", "variable_cti_node"):
            assert ours.get(name) == theirs.get(name)
    else:
        names = {line.partition(": ")[0] for line in expected.split("\n")}
        assert {line.partition(": ")[0] for line in answer.split("\n")} <= names
        assert answer.endswith("\n\n") == expected.endswith("\n\n")


def test_a_heartbeat_has_the_recorded_headers():
    from cti.sim import SimulatedSwitch, VirtualScheduler

    from .client import Client

    scheduler = VirtualScheduler()
    client = Client(SimulatedSwitch(scheduler), events="HEARTBEAT")
    scheduler.run_until(40.5)
    (recorded,) = [e for e in recording("heartbeat").heard.events if e["Event-Name"] == "HEARTBEAT"]
    assert [list(event) for event in client.heard.events] == [list(recorded)] * 2
    first, second = client.heard.events
    assert int(second["Event-Date-Timestamp"]) - int(first["Event-Date-Timestamp"]) == 20_000_000
    assert first["Uptime-msec"] == "20000"
    assert first["Up-Time"] == "0 years, 0 days, 0 hours, 0 minutes, 20 seconds, 0 milliseconds, 0 microseconds"
