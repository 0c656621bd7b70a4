"""Recordings on the disk and in the index; supervision's policy; and both in FreeSWITCH's words."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
import wave
from pathlib import Path
from typing import Any

import gevent
import pytest

from cti import CallCenter, errors, events
from cti.esl import Event
from cti.model import facts, intents, services
from cti.model.connection import Side
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.recordings import DAY_S, RecordingIndex, RecordingRecord, Recordings
from cti.switch.event_fact import EventFacts
from cti.switch.intent_command import commands_for
from cti.switch.snapshot import channel_seen

FS = SwitchId("fs")
A, B = ConnectionId("a-leg"), ConnectionId("b-leg")
CALL = InteractionId("019a0000-0000-7000-8000-000000000000")


def ended(path: Path | str, *, at: float = 100.0, lasted_s: float = 2.0, n: int = 1) -> events.RecordingEnded:
    return events.RecordingEnded(
        interaction=CALL,
        at=at,
        path=str(path),
        n=n,
        agent=AgentId("ann"),
        queue=QueueId("claims"),
        started_at=at - lasted_s,
        length_s=lasted_s,
    )


def write(path: Path, seconds: float = 2.0) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as opened:
        opened.setparams((2, 2, 8000, 0, "NONE", "not compressed"))
        opened.writeframes(b"\1\2\3\4" * round(8000 * seconds))
    return path.read_bytes()


@pytest.fixture
def recordings(tmp_path):
    return Recordings(str(tmp_path / "kept"), index=tmp_path / "index.sqlite3")


def test_a_file_is_measured_summed_and_indexed(recordings, tmp_path):
    path = tmp_path / "kept" / "a.wav"
    content = write(path)
    checked = recordings.take(ended(path), now=100.0)
    assert checked == services.RecordingChecked(
        str(path), CALL, 2.0, len(content), hashlib.sha256(content).hexdigest(), ""
    )
    (record,) = recordings.index.of(CALL)
    assert (record.agent, record.queue, record.n, record.held, record.error) == ("ann", "claims", 1, False, "")
    assert (record.ended - record.started, record.sha256) == (pytest.approx(2.0), checked.sha256)
    assert abs(record.ended - time.time()) < 60


def test_the_directory_may_be_somewhere_else_from_here(tmp_path):
    recordings = Recordings("/switch/rec", reached_at=tmp_path / "mounted", index=tmp_path / "i")
    content = write(tmp_path / "mounted" / "d" / "a.wav")
    assert recordings.take(ended("/switch/rec/d/a.wav"), now=100.0).size == len(content)


def test_where_the_directory_cannot_be_reached_the_switchs_word_counts(tmp_path):
    recordings = Recordings("/switch/rec", reached_at=tmp_path / "nowhere", index=tmp_path / "i")
    checked = recordings.take(ended("/switch/rec/a.wav"), now=100.0)
    assert (checked.length_s, checked.size, checked.sha256, checked.error) == (2.0, 0, "", "")


def test_files_that_are_not_sound_say_why(recordings, tmp_path):
    (tmp_path / "kept").mkdir()
    assert "no such file" in recordings.take(ended(tmp_path / "kept" / "none.wav"), now=100.0).error
    (tmp_path / "kept" / "empty.wav").touch()
    assert recordings.take(ended(tmp_path / "kept" / "empty.wav"), now=100.0).error
    (tmp_path / "kept" / "text.wav").write_text("what is this?")
    assert "RIFF" in recordings.take(ended(tmp_path / "kept" / "text.wav"), now=100.0).error
    write(tmp_path / "kept" / "short.wav", 1.0)
    short = recordings.take(ended(tmp_path / "kept" / "short.wav", lasted_s=60.0), now=100.0)
    assert (short.error, short.length_s) == ("the file holds 1.0 s of 60.0 s", 1.0)
    outside = recordings.take(ended("/etc/passwd"), now=100.0)
    assert (outside.size, outside.sha256, bool(outside.error)) == (0, "", True)


def test_an_index_that_cannot_be_written_is_said(recordings, tmp_path):
    write(tmp_path / "kept" / "a.wav")
    with sqlite3.connect(tmp_path / "index.sqlite3") as database:
        database.execute("DROP TABLE recording")
    assert "not in the index" in recordings.take(ended(tmp_path / "kept" / "a.wav"), now=100.0).error


def test_an_index_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(errors.ConfigurationError, match="say index="):
        Recordings("/rec", index=tmp_path / "file" / "index.sqlite3")


def test_others_run_while_a_file_is_summed(recordings, tmp_path):
    write(tmp_path / "kept" / "long.wav", 120.0)
    ticks = []

    def tick() -> None:
        while True:
            ticks.append(1)
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    recordings.take(ended(tmp_path / "kept" / "long.wav"), now=100.0)
    ticking.kill()
    assert len(ticks) > 2


# -- retention --------------------------------------------------------------------------------------------------------


def kept(recordings: Recordings, tmp_path: Path, name: str, age_days: float, now: float = 1e9) -> Path:
    path = tmp_path / "kept" / name
    write(path, 0.1)
    at = now - age_days * DAY_S
    recordings.index.add(RecordingRecord(str(path), name, 1, "ann", "claims", at - 1, at, 1.0, 10, "ab"))
    return path


def test_what_is_old_is_deleted_and_only_when_that_was_meant(recordings, tmp_path):
    old, young = kept(recordings, tmp_path, "old", 31), kept(recordings, tmp_path, "young", 29)
    due = recordings.expire(30, clock=lambda: 1e9)
    assert ([r.interaction for r in due], old.exists()) == (["old"], True)
    assert [r.interaction for r in recordings.expire(30, dry_run=False, clock=lambda: 1e9)] == ["old"]
    assert (old.exists(), young.exists(), recordings.index.of("old")) == (False, True, [])
    assert recordings.expire(30, dry_run=False, clock=lambda: 1e9) == []


def test_what_is_held_is_not_deleted(recordings, tmp_path):
    path = kept(recordings, tmp_path, "old", 31)
    assert recordings.index.hold("old") == 1
    assert recordings.expire(30, dry_run=False, clock=lambda: 1e9) == []
    kept(recordings, tmp_path, "old", 31)  # found again: it is still held
    assert recordings.index.of("old")[0].held
    recordings.index.hold("old", held=False)
    assert len(recordings.expire(30, dry_run=False, clock=lambda: 1e9)) == 1
    assert not path.exists()


def test_a_file_that_cannot_be_deleted_stays_in_the_index(recordings, tmp_path):
    path = kept(recordings, tmp_path, "old", 31)
    path.unlink()
    path.mkdir()
    assert recordings.expire(30, dry_run=False, clock=lambda: 1e9) == []
    assert len(recordings.index.of("old")) == 1
    shutil.rmtree(path)
    assert len(recordings.expire(30, dry_run=False, clock=lambda: 1e9)) == 1  # gone already: nothing is in the way


def test_an_index_is_found_again(tmp_path):
    record = RecordingRecord("/rec/a.wav", "i", 1, "ann", "", 1.0, 2.0, 1.0, 0, "", "why")
    RecordingIndex(tmp_path / "i").add(record)
    assert RecordingIndex(tmp_path / "i").of("i") == [record]


# -- the centre -------------------------------------------------------------------------------------------------------


class Strict:
    """Lets Sue monitor, and nothing else."""

    def allows(self, who: str, what: str, whom: str) -> bool:
        return (who, what) == ("sue", "monitor")


@pytest.fixture
def centre():
    made = CallCenter(supervision_policy=Strict())
    for agent in ("sue", "ann"):
        made.add_agent(agent, f"user/{agent}").log_on()
    yield made
    made.stop()


def test_what_the_policy_forbids_is_not_done_and_all_is_accounted_for(centre):
    said: list[Any] = []
    centre.subscribe(said.append, events.Audited)
    sue = centre.supervisor("sue")
    with pytest.raises(errors.PrivilegeViolation, match="'sue' may not force log off 'ann'"):
        sue.force_log_off("ann")
    assert centre.agent("ann").view.state.value == "not ready"
    with pytest.raises(errors.InvalidConnection):  # allowed, and not possible: there is no link
        sue.monitor(agent="ann")
    with gevent.Timeout(5):
        while len(said) < 2:
            gevent.sleep(0.01)
    assert [(e.what, e.whom, e.outcome) for e in said] == [
        ("force log off", "ann", "refused"),
        ("monitor", "ann", "state.invalid_connection"),
    ]


def test_states_are_forced_with_the_reason_supervisor():
    centre = CallCenter()
    for agent in ("sue", "ann"):
        centre.add_agent(agent, f"user/{agent}").log_on(ready=agent == "ann")
    sue, ann = centre.supervisor("sue"), centre.agent("ann")
    sue.force_not_ready("ann")
    assert (ann.view.state.value, ann.view.reason) == ("not ready", "SUPERVISOR")
    sue.force_ready("ann")
    assert ann.view.state.value == "ready"
    sue.force_log_off("ann")
    assert ann.view.state.value == "null"
    with pytest.raises(errors.UnknownAgent):
        sue.force_ready("anne")
    centre.stop()


def test_what_is_asked_of_a_recording_by_a_wrong_word(centre):
    with pytest.raises(errors.ConfigurationError, match="'start', 'stop', 'pause', 'resume'"):
        centre.record("some", "begin")
    with pytest.raises(errors.InvalidConnection, match="has no call"):
        centre.agent("ann").start_recording()


# -- FreeSWITCH's words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "commands"),
    [
        (
            intents.Listen(FS, A, B, to_other=True, to_partner=False),
            [
                f"uuid_setvar_multi {A} eavesdrop_enable_dtmf=false;eavesdrop_whisper_aleg=false;eavesdrop_whisper_bleg=true",
                f"uuid_transfer {A} 'eavesdrop:{B},park' inline",
            ],
        ),
        (intents.StopListening(FS, A), [f"uuid_transfer {A} park inline"]),
        (
            intents.StartRecording(FS, A, "/rec/1.wav"),
            [
                f"uuid_setvar_multi {A} RECORD_STEREO=true;RECORD_STEREO_SWAP=true;RECORD_APPEND=true;RECORD_MIN_SEC=0;RECORD_HANGUP_ON_ERROR=false",
                f"uuid_record {A} start /rec/1.wav",
            ],
        ),
        (intents.StopRecording(FS, A, "/rec/1.wav"), [f"uuid_record {A} stop /rec/1.wav"]),
        (intents.PauseRecording(FS, A, "/rec/1.wav", pause=True), [f"uuid_record {A} mask /rec/1.wav"]),
        (intents.PauseRecording(FS, A, "/rec/1.wav", pause=False), [f"uuid_record {A} unmask /rec/1.wav"]),
        (intents.Announce(FS, A, "told.wav", "/rec/1.wav"), [f"uuid_displace {A} start told.wav 0 mux"]),
    ],
)
def test_commands(intent, commands):
    assert [c.command for c in commands_for(intent, "cti")] == commands


@pytest.mark.parametrize(
    ("name", "more", "fact"),
    [
        ("MEDIA_BUG_START", {"Media-Bug-Function": "eavesdrop"}, facts.Tapped(FS, A)),
        ("MEDIA_BUG_START", {"Media-Bug-Function": "session_record"}, None),
        ("MEDIA_BUG_STOP", {"Media-Bug-Function": "eavesdrop"}, None),
        ("MEDIA_BUG_STOP", {"Media-Bug-Function": "displace"}, facts.Announced(FS, A)),
        ("RECORD_START", {"Record-File-Path": "/rec/1.wav"}, facts.RecordingStarted(FS, A, "/rec/1.wav")),
        (
            "RECORD_STOP",
            {"Record-File-Path": "/rec/1.wav", "variable_record_ms": "2500"},
            facts.RecordingStopped(FS, A, "/rec/1.wav", 2.5),
        ),
        ("RECORD_STOP", {"Record-File-Path": "/rec/1.wav"}, facts.RecordingStopped(FS, A, "/rec/1.wav", None)),
    ],
)
def test_events(name, more, fact):
    headers = {"Event-Name": name, "Unique-ID": A, "variable_cti_node": "cti", **more}
    assert EventFacts(FS, "cti").fact(Event(headers.items())) == fact


def test_a_snapshot_shows_a_supervisors_leg_and_takes_it_for_no_caller():
    dump = {
        "Unique-ID": A,
        "Channel-State": "CS_EXECUTE",
        "Answer-State": "answered",
        "variable_cti_node": "cti",
        "variable_cti_other": "true",
        "variable_cti_supervisor": "sue",
        "variable_current_application": "eavesdrop",
    }
    seen = channel_seen(dump, "cti")
    assert seen is not None
    assert (seen.connection, seen.side, seen.established, seen.bridged_to) == (A, Side.OTHER, True, None)


# -- what ended while nobody looked -------------------------------------------------------------------------------------


def test_files_that_no_record_names_are_taken_in_and_expire_like_others(tmp_path):
    made = Recordings(
        str(tmp_path / "kept"), index=tmp_path / "index.sqlite3", name="{queue}/{interaction}/{n}-{agent}.wav"
    )
    content = write(tmp_path / "kept" / "claims" / CALL / "2-ann-b.wav", 3.0)
    write(tmp_path / "kept" / "none" / CALL / "11-outside.wav")
    write(tmp_path / "kept" / "somebody else's.wav")
    write(tmp_path / "kept" / "claims" / CALL / "x-ann.wav")
    (tmp_path / "kept" / "claims" / "broken").mkdir()
    (tmp_path / "kept" / "claims" / "broken" / "1-ann.wav").write_bytes(b"no wave")
    assert made.take_in() == [], "they may still be being recorded"
    later = time.time() + 7200
    found = made.take_in(clock=lambda: later)
    assert sorted((r.interaction, r.n, r.agent, r.queue, bool(r.error)) for r in found) == [
        (CALL, 2, "ann-b", "claims", False),
        (CALL, 11, "", "", False),
        ("broken", 1, "ann", "claims", True),
    ]
    (record,) = [r for r in made.index.of(CALL) if r.n == 2]
    assert (record.length_s, record.sha256) == (3.0, hashlib.sha256(content).hexdigest())
    assert record.ended - record.started == pytest.approx(3.0)
    assert made.take_in(clock=lambda: later) == [], "once"
    assert len(made.expire(1, dry_run=False, clock=lambda: later + 2 * DAY_S)) == 3
    assert not record_file(tmp_path, "2-ann-b.wav").exists()


def test_what_may_have_been_held_by_an_index_that_is_damaged_is_held(tmp_path):
    write(tmp_path / "kept" / "a.wav")
    made = Recordings(str(tmp_path / "kept"), index=tmp_path / "index.sqlite3", name="{interaction}/{n}-{agent}.wav")
    write(tmp_path / "kept" / CALL / "1-ann.wav")
    (tmp_path / "index.sqlite3.damaged-20260101T000000Z").write_bytes(b"?")
    (record,) = made.take_in(clock=lambda: time.time() + 7200)
    assert record.held
    assert made.index.of(CALL)[0].held
    assert made.expire(0.0, dry_run=False, clock=lambda: time.time() + 7200) == []


def record_file(tmp_path: Path, name: str) -> Path:
    return tmp_path / "kept" / "claims" / CALL / name


@pytest.mark.parametrize(
    ("value", "recorded", "recording"),
    [
        ("3", 3, ""),
        ("2%20paused", 2, "paused"),
        ("1%20stopped", 1, "stopped"),
        ("x", 0, ""),
        ("", 0, ""),
        ("9" * 99, 0, ""),
    ],
)
def test_how_far_a_recording_had_come_is_read_from_the_channel(value, recorded, recording):
    dump = {
        "variable_cti_node": "cti",
        "Channel-State": "CS_PARK",
        "Unique-ID": A,
        "variable_cti_recorded": value,
    }
    seen = channel_seen(dump, "cti")
    assert (seen.recorded, seen.recording) == (recorded, recording)
