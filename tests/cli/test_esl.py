"""`cti esl record` and `cti esl serve`: a session goes into a file and comes out of it as a switch."""

from __future__ import annotations

import errno
import io
import json
import os
import random
from pathlib import Path

import gevent
import pytest
from click.testing import CliRunner

from cti.cli.esl import esl
from cti.cli.masking import MASKED, Mask
from cti.cli.playback import Playback
from cti.cli.recording import Recorder, Row, create, load
from cti.errors import AuthenticationFailed, ConfigurationError, ConnectFailed
from cti.esl import Api, Decoder, Execute, Raw, Subscribe, event_bytes
from cti.model import facts
from cti.model.ids import SwitchId
from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.switch import FreeSwitch, Link, Timing

PASSWORD = "only we know it"
RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"


@pytest.fixture(autouse=True)
def _nobody_hangs():
    with gevent.Timeout(10):
        yield


@pytest.fixture
def server():
    server = SimServer(SimulatedSwitch(GeventScheduler(), seed=1, heartbeat_s=0.05, password=PASSWORD))
    server.start()
    yield server
    server.stop()


def record(server, file, *options, calls=1):
    """Run the command while calls come in; click's result."""
    host, port = server.address

    def call():
        while not server.switch.sessions or not server.switch.sessions[0].subscription.listening:
            gevent.sleep(0.005)
        for _ in range(calls):
            server.switch.incoming(calling_number="03012345678", calling_name="Ada Lovelace", called_number="5000")

    caller = gevent.spawn(call)
    try:
        return CliRunner().invoke(
            esl, ["record", str(file), "--switch", f"{host}:{port}", "--password", PASSWORD, *options]
        )
    finally:
        caller.kill()


def test_a_session_is_recorded_without_the_password(server, tmp_path):
    file = tmp_path / "session.jsonl"
    result = record(server, file, "--seconds", "0.3", "--events", "CHANNEL_PARK,HEARTBEAT")
    assert result.exit_code == 0, result.output
    about, rows = load(file)
    assert about["freeswitch"].startswith("FreeSWITCH Version")
    assert [row.frame for row in rows[:2]] == [b"Content-Type: auth/request\n\n", b"auth ***\n\n"]
    assert rows[5].frame == b"event json CHANNEL_PARK HEARTBEAT\n\n"
    events = [frame.event for row in rows if row.direction == "<" for frame in Decoder().feed(row.frame) if frame.event]
    assert {event.name for event in events} == {"CHANNEL_PARK", "HEARTBEAT"}
    assert [row.at_s for row in rows] == sorted(row.at_s for row in rows)
    assert PASSWORD not in file.read_text()
    assert "03012345678" in file.read_text()


def test_numbers_and_names_are_masked_on_request(server, tmp_path):
    file = tmp_path / "session.jsonl"
    result = record(server, file, "--seconds", "0.3", "--mask")
    assert result.exit_code == 0, result.output
    text = file.read_text()
    assert "CHANNEL_PARK" in text
    for personal in ("03012345678", "Ada Lovelace", PASSWORD):
        assert personal not in text


def test_it_ends_at_the_limit_with_whole_rows(server, tmp_path):
    file = tmp_path / "session.jsonl"
    result = record(server, file, "--max-bytes", "20000", calls=20)
    assert result.exit_code == 0, result.output
    assert "ended at the limit of 20000 bytes" in result.output
    assert 10_000 < file.stat().st_size <= 20_000
    assert load(file)[1]


def test_the_switch_goes_away(server, tmp_path):
    gevent.spawn_later(0.2, server.stop)
    result = record(server, tmp_path / "session.jsonl")
    assert result.exit_code == 1
    assert "closed the connection" in str(result.exception)
    assert load(tmp_path / "session.jsonl")[1]


def test_a_file_that_exists_is_left_alone(server, tmp_path):
    file = tmp_path / "precious"
    file.write_text("precious")
    result = record(server, file)
    assert isinstance(result.exception, ConfigurationError)
    assert "never overwrites" in str(result.exception)
    assert file.read_text() == "precious"


def test_a_file_that_cannot_be_made(server, tmp_path):
    result = record(server, tmp_path / "no" / "such" / "folder")
    assert isinstance(result.exception, ConfigurationError)
    assert "No such file or directory" in str(result.exception)


def test_nothing_is_made_when_the_switch_refuses_us(server, tmp_path):
    host, port = server.address
    file = tmp_path / "session.jsonl"
    result = CliRunner().invoke(esl, ["record", str(file), "--switch", f"{host}:{port}", "--password", "wrong"])
    assert isinstance(result.exception, AuthenticationFailed)
    server.stop()
    result = CliRunner().invoke(esl, ["record", str(file), "--switch", f"{host}:{port}"])
    assert isinstance(result.exception, ConnectFailed)
    assert not file.exists()


def test_an_event_that_does_not_exist_is_said_before_anything_is_done(server, tmp_path):
    result = record(server, tmp_path / "session.jsonl", "--events", "CHANNEL_PORK")
    assert "did you mean 'CHANNEL_PARK'?" in str(result.exception)
    assert not (tmp_path / "session.jsonl").exists()


class FullDisk(io.FileIO):
    """Takes 1,000 bytes, the last of them as half a write."""

    def write(self, data):
        room = 1000 - self.tell()
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data[:room])


def test_a_full_disk_leaves_whole_rows_and_says_how_many(tmp_path):
    file = tmp_path / "session.jsonl"
    with FullDisk(file, "xb") as out:
        recorder = Recorder(out, {})
        with pytest.raises(ConfigurationError, match=r"No space left on device; the first \d+ frames are in the file"):
            all(recorder.add(Row("<", 0.0, b"x" * 50)) for _ in range(1000))
        assert not recorder.add(Row("<", 0.0, b"x"))
    assert len(load(file)[1]) == recorder.rows > 5


def test_a_full_disk_ends_the_recording_with_a_message(server, tmp_path, monkeypatch):
    monkeypatch.setattr("cti.cli.esl.create", lambda path: FullDisk(path, "xb"))
    result = record(server, tmp_path / "session.jsonl")
    assert isinstance(result.exception, ConfigurationError)
    assert "No space left" in str(result.exception)


# -- the file ---------------------------------------------------------------------------------------------------------


def test_any_bytes_survive_the_file(tmp_path):
    rows = [Row("<", 0.5, bytes(range(256))), Row(">", 1.25, "ä\n\n".encode())]
    with create(tmp_path / "x") as out:
        recorder = Recorder(out, {"scenario": "x"})
        assert all(recorder.add(row) for row in rows)
    assert load(tmp_path / "x") == ({"scenario": "x"}, rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line"),
        ("nothing", "its first line"),
        ("[]\n", "its first line"),
        ("{}\n[1, 2]\n", "line 2"),
        ('{}\n["<", 0, "x"]\n["?", 0, "x"]\n', "line 3"),
        ('{}\n["<", "soon", "x"]\n', "line 2"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path, text, message):
    (tmp_path / "x").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path / "x")


def test_a_file_that_is_not_there(tmp_path):
    result = CliRunner().invoke(esl, ["serve", str(tmp_path / "none")])
    assert isinstance(result.exception, ConfigurationError)
    assert "No such file" in str(result.exception)


# -- masking ----------------------------------------------------------------------------------------------------------


def masked(mask, *pairs, body=None, fmt="json"):
    """What becomes of an event."""
    [frame] = Decoder().feed(event_bytes(pairs, body, fmt=fmt))
    [after] = Decoder().feed(mask.frame(frame))
    return after.event


@pytest.mark.parametrize("fmt", ["json", "plain"])
def test_secrets_are_always_masked(fmt):
    event = masked(
        Mask(),
        ("Event-Name", "BACKGROUND_JOB"),
        ("variable_sip_auth_password", "geheim"),
        ("Job-Command-Arg", "{sip_auth_password=geheim,x=1}user/1001 &park()"),
        ("Caller-Caller-ID-Number", "0301234"),
        body="password: geheim\n",
        fmt=fmt,
    )
    assert event["variable_sip_auth_password"] == MASKED
    assert event["Job-Command-Arg"] == "{sip_auth_password=***,x=1}user/1001 &park()"
    assert event.body == "password: ***\n"
    assert event["Content-Length"] == str(len("password: ***\n"))
    assert event["Caller-Caller-ID-Number"] == "0301234"


@pytest.mark.parametrize("fmt", ["json", "plain"])
def test_an_event_without_secrets_keeps_every_byte(fmt):
    raw = event_bytes([("Event-Name", "HEARTBEAT"), ("X", "ä%0A"), ("L", ["a", "b"])], "body", fmt=fmt)
    [frame] = Decoder().feed(raw)
    assert Mask(people=True).frame(frame) == raw


def test_people_become_other_people_the_same_everywhere():
    mask = Mask(people=True, chance=random.Random(2))
    uuid = "0301234a-0301-4301-8301-030123403012"
    event = masked(
        mask,
        ("Event-Name", "CHANNEL_CREATE"),
        ("Unique-ID", uuid),
        ("variable_other", f"{uuid} sip:0301234@10.0.0.1;x=5000"),
        ("Caller-Caller-ID-Number", "0301234"),
        ("Caller-Caller-ID-Name", "Ada Lovelace"),
        ("Caller-Destination-Number", "5000"),
        ("variable_sip_full_from", '"Ada Lovelace" <sip:0301234@10.0.0.1>'),
        ("variable_flag", "true"),
    )
    number, name, called = (
        event[f"Caller-{what}"] for what in ("Caller-ID-Number", "Caller-ID-Name", "Destination-Number")
    )
    assert len(number) == 7
    assert number.isdigit()
    assert number != "0301234"
    assert name != "Ada Lovelace"
    assert event["Unique-ID"] == uuid
    assert event["variable_other"] == f"{uuid} sip:{number}@10.0.0.1;x={called}"
    assert event["variable_sip_full_from"] == f'"{name}" <sip:{number}@10.0.0.1>'
    assert event["variable_flag"] == "true"
    again = masked(mask, ("Event-Name", "CHANNEL_DESTROY"), ("variable_x", "0301234"))
    assert again["variable_x"] == number


def test_every_recording_of_ours_can_be_masked_and_loses_its_people():
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        mask = Mask(people=True)
        after = b""
        for row in load(path)[1]:
            if row.direction == "<":
                for frame in Decoder().feed(row.frame):
                    out = mask.frame(frame)
                    assert len(Decoder().feed(out)) == 1
                    after += out if frame.event is not None else b""
        assert b"Ada" not in after, path.name
        assert b"0301234" not in after, path.name


# -- playing it back --------------------------------------------------------------------------------------------------


@pytest.fixture
def playing():
    """Start a playback of one of our recordings; the port."""
    servers = []

    def start(name, *, fast=True):
        playback = Playback(*load(RECORDINGS / f"{name}.jsonl"), fast=fast)
        servers.append(playback)
        return playback.start()

    yield start
    for server in servers:
        server.stop()


def test_a_link_hears_every_event_of_a_recording(playing):
    wanted = [
        frame.event.raw
        for row in load(RECORDINGS / "agent_hangs_up.jsonl")[1]
        if row.direction == "<"
        for frame in Decoder().feed(row.frame)
        if frame.event is not None
    ]
    heard = []
    link = Link("127.0.0.1", playing("agent_hangs_up"), "anything", on_event=lambda frame: heard.append(frame.event))
    link.connect()
    assert link.request(Subscribe().encode()).ok
    while len(heard) < len(wanted):
        gevent.sleep(0.005)
    assert [event.raw for event in heard] == wanted
    assert link.request(Raw("exit").encode()).reply_text == "+OK bye"
    while link.connected:
        gevent.sleep(0.005)
    assert "Disconnected, goodbye" in str(link.closed_by)


def test_only_what_was_subscribed_to_is_played_with_its_own_timing(playing):
    heard = []
    port = playing("agent_rejects", fast=False)
    link = Link("127.0.0.1", port, "anything", on_event=lambda frame: heard.append(frame.event.name))
    link.connect()
    link.request(Subscribe(["CHANNEL_PARK"]).encode())
    while not heard:
        gevent.sleep(0.005)
    assert heard == ["CHANNEL_PARK"]
    link.close()


def test_commands_are_answered_as_they_were(playing):
    link = Link("127.0.0.1", playing("commands"), "anything")
    link.connect()
    assert link.request(Raw("event json NOSUCH2").encode()).ok
    assert link.request(Raw("linger").encode()).reply_text == "-ERR not controlling a session"
    assert link.request(Raw("noop").encode()).reply_text == "-ERR command not found"
    assert link.request(Api("version").encode()).text.startswith("FreeSWITCH Version 1.11.1")
    assert link.request(Api("never_recorded x").encode()).error == "-ERR never_recorded Command not found!"
    assert not link.request(Execute("11111111-2222-3333-4444-555555555556", "park").encode()).ok
    link.close()


def test_the_whole_adapter_runs_on_a_recording(playing):
    told = []
    adapter = FreeSwitch(
        "127.0.0.1",
        playing("caller_abandons"),
        "anything",
        on_fact=told.append,
        switch=SwitchId("fs"),
        timing=Timing(snapshot_lag_s=0, canary_every_s=0.01),
    )
    adapter.start()
    while not told or not isinstance(told[-1], facts.ConnectionCleared):
        gevent.sleep(0.005)
    assert any(isinstance(fact, facts.Offered) for fact in told)
    while not adapter.lag_s:
        gevent.sleep(0.005)
    assert adapter.connected
    adapter.stop()


def test_serve_says_where_it_listens():
    result = CliRunner().invoke(
        esl, ["serve", str(RECORDINGS / "heartbeat.jsonl"), "--port", "0", "--fast", "--seconds", "0.05"]
    )
    assert result.exit_code == 0, result.output
    assert "1 events on 127.0.0.1:" in result.output


def test_a_port_that_is_taken(server):
    result = CliRunner().invoke(esl, ["serve", str(RECORDINGS / "heartbeat.jsonl"), "--port", str(server.address[1])])
    assert isinstance(result.exception, ConfigurationError)
    assert "in use" in str(result.exception)


def test_a_recording_with_broken_frames_is_refused():
    with pytest.raises(ConfigurationError, match="no event socket sends"):
        Playback({}, [Row("<", 0.0, b"what is this\n\n")])
    assert json.loads(Row("<", 0.0, b"x").line()) == ["<", 0.0, "x"]
