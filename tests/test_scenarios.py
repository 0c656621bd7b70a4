"""The recorded scenarios in ``data/scenarios``: each can be read, tells its story, and holds nothing of the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti.cli.recording import load
from cti.esl import Decoder

FOLDER = Path(__file__).parent / "data" / "scenarios"
# The events that make a scenario what it is, in order; a word after the colon is in the event as a header's value.
STORIES = {
    "inbound_call": "CHANNEL_CREATE:inbound CHANNEL_PARK CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE:send_bye CHANNEL_DESTROY",
    "bridge": "CHANNEL_PARK CHANNEL_CREATE:outbound CHANNEL_ANSWER:outbound CHANNEL_BRIDGE CHANNEL_UNBRIDGE",
    "hold": "CHANNEL_BRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_UNBRIDGE",
    "blind_transfer": "CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_CREATE:outbound CHANNEL_BRIDGE CHANNEL_UNBRIDGE",
    "attended_transfer": "CHANNEL_BRIDGE CHANNEL_EXECUTE:att_xfer CHANNEL_CREATE:outbound CHANNEL_BRIDGE CHANNEL_HANGUP CHANNEL_BRIDGE",
    "conference": "CUSTOM:conference-create CUSTOM:add-member CUSTOM:add-member CUSTOM:add-member CUSTOM:del-member CUSTOM:conference-destroy",
    "park_and_pickup": "CUSTOM:hold CHANNEL_ANSWER:outbound CUSTOM:bridge CUSTOM:exit CHANNEL_BRIDGE",
    "dtmf": "CHANNEL_BRIDGE DTMF:1 DTMF:# CHANNEL_UNBRIDGE DTMF:2 DTMF:3",
    "playback": "PLAYBACK_START PLAYBACK_STOP:done PLAYBACK_START PLAYBACK_STOP:break",
    "record": "CHANNEL_BRIDGE RECORD_START RECORD_STOP CHANNEL_UNBRIDGE",
    "fax_tone": "CHANNEL_EXECUTE:tone_detect DETECTED_TONE:fax CHANNEL_DESTROY",
    "failed_user_busy": "CHANNEL_CREATE:outbound CHANNEL_HANGUP:USER_BUSY BACKGROUND_JOB:originate",
    "failed_call_rejected": "CHANNEL_CREATE:outbound CHANNEL_HANGUP:CALL_REJECTED BACKGROUND_JOB:originate",
    "failed_no_answer": "CHANNEL_CREATE:outbound CHANNEL_PROGRESS CHANNEL_HANGUP:NO_ANSWER BACKGROUND_JOB:originate",
    "failed_unallocated_number": "CHANNEL_CREATE:outbound CHANNEL_HANGUP:UNALLOCATED_NUMBER BACKGROUND_JOB:originate",
    # No channel comes to be.
    "failed_user_not_registered": "BACKGROUND_JOB:originate",
    "failed_normal_temporary_failure": "CHANNEL_CREATE:outbound CHANNEL_HANGUP:NORMAL_TEMPORARY_FAILURE BACKGROUND_JOB:originate",
    "hangup_before_answer": "CHANNEL_PARK CHANNEL_HANGUP:ORIGINATOR_CANCEL CHANNEL_DESTROY",
    "hangup_while_ringing": "CHANNEL_PROGRESS:outbound CHANNEL_HANGUP:inbound CHANNEL_HANGUP:outbound",
    "hangup_after_answer": "CHANNEL_ANSWER:inbound CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE:recv_bye",
    "hangup_bridged_caller": "CHANNEL_BRIDGE CHANNEL_HANGUP:inbound CHANNEL_HANGUP:outbound CHANNEL_UNBRIDGE",
    "hangup_bridged_agent": "CHANNEL_BRIDGE CHANNEL_HANGUP:outbound CHANNEL_UNBRIDGE CHANNEL_HANGUP:inbound",
    "reload": "RELOADXML MODULE_UNLOAD:mod_expr MODULE_LOAD:mod_expr",
    "restart_lost": "CHANNEL_BRIDGE",
    "restart_back": "CHANNEL_CREATE:inbound CHANNEL_PARK CHANNEL_DESTROY",
}
_OURS = {"127.0.0.1", "192.0.2.2"}


def switch_bytes(name: str) -> bytes:
    return b"".join(row.frame for row in load(FOLDER / f"{name}.jsonl")[1] if row.direction == "<")


def events(name: str) -> list[dict[str, object]]:
    decoder = Decoder()
    frames = decoder.feed(switch_bytes(name))
    decoder.close()
    return [{**dict(f.event.raw), "_body": f.event.body} for f in frames if f.event is not None]


def is_told(step: str, event: dict[str, object]) -> bool:
    kind, _, word = step.partition(":")
    return event["Event-Name"] == kind and (not word or word in event.values())


def test_each_scenario_has_its_file_and_its_story():
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(STORIES)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5_000_000


@pytest.mark.parametrize("name", STORIES)
def test_the_first_line_names_the_version_and_the_scenario(name):
    about, rows = load(FOLDER / f"{name}.jsonl")

    assert about["freeswitch"].startswith("FreeSWITCH Version 1.11.1")
    assert about["scenario"] == name
    assert about["what"].endswith(".")
    assert [row.at_s for row in rows] == sorted(row.at_s for row in rows)


@pytest.mark.parametrize("name", STORIES)
def test_it_reads_the_same_in_pieces_of_any_size(name):
    stream = switch_bytes(name)

    def read(size: int) -> list[tuple[object, object]]:
        decoder = Decoder()
        frames = [f for at in range(0, len(stream), size) for f in decoder.feed(stream[at : at + size])]
        decoder.close()
        return [(frame.headers.raw, frame.body) for frame in frames]

    assert read(1) == read(1000) == read(len(stream))


@pytest.mark.parametrize(("name", "story"), STORIES.items())
def test_the_events_that_make_the_scenario_come_in_order(name, story):
    left = story.split()
    for event in events(name):
        if left and is_told(left[0], event):
            del left[0]

    assert not left


@pytest.mark.parametrize("name", [name for name in STORIES if name.startswith("failed_")])
def test_a_failed_originate_tells_its_cause(name):
    [job] = [event for event in events(name) if event["Event-Name"] == "BACKGROUND_JOB"]

    assert job["_body"].strip() == "-ERR " + name.removeprefix("failed_").upper()


def test_the_consulted_agent_gets_the_caller():
    first, consultation, last = (e for e in events("attended_transfer") if e["Event-Name"] == "CHANNEL_BRIDGE")

    def legs(event: dict[str, object]) -> set[object]:
        return {event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]}

    assert legs(last) == legs(first) ^ legs(consultation)


def test_a_restarted_switch_is_another_core():
    [before], [after] = ({event["Core-UUID"] for event in events(name)} for name in ("restart_lost", "restart_back"))

    assert before != after


@pytest.mark.parametrize("name", STORIES)
def test_nothing_of_the_machine_and_no_secret_is_in_it(name):
    text = (FOLDER / f"{name}.jsonl").read_text()

    assert not re.search(r"ClueCon|agent-secret|0301234", text)
    assert not re.search(r"/(?:home|root|tmp|opt|work)/", text)
    assert set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) <= _OURS
    hosts = {event["FreeSWITCH-Hostname"] for event in events(name)}
    assert hosts == {"vm"}
    sent = [row.frame for row in load(FOLDER / f"{name}.jsonl")[1] if row.direction == ">"]
    assert sent[0] == b"auth ***\n\n"
