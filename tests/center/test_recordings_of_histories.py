"""A call's history lists its recordings: those under way, those that are kept, and not those that were deleted."""

from __future__ import annotations

import sqlite3

import pytest
from attrs import evolve

from cti import events
from cti.api import ApiServer
from cti.client import Client
from cti.recordings import RecordingRecord, Recordings

from .bench import Bench, bench


@pytest.fixture
def recordings(tmp_path):
    return Recordings("/recordings", reached_at=tmp_path / "not-there", index=tmp_path / "index.sqlite3")


@pytest.fixture
def line(tmp_path, recordings):
    with bench(recordings=recordings, history=str(tmp_path / "history.db")) as made:
        made.centre.subscribe(made.said.append, events.InteractionEnded)
        made.centre.add_queue("claims")
        made.centre.on_call("5*")(lambda call: call.queue("claims"))
        made.centre.start()
        made.agent("ann")
        yield made


def recorded(line: Bench, recordings: Recordings, talk_s: float = 0.02) -> str:
    """A call that has been, and a recording of it that was indexed; its id."""
    before = len(line.of(events.InteractionEnded))
    line.switch.incoming(calling_number="138", called_number="5000", talk_s=talk_s)
    ended = line.until("its history", lambda: line.of(events.InteractionEnded)[before:])[0]
    line.centre._history.flush()
    began = ended.history.began
    file = f"/recordings/{ended.interaction}/1-ann.wav"
    recordings.index.add(
        RecordingRecord(file, ended.interaction, 1, "ann", "claims", began + 1, began + 3, 2.0, 640, "5ha", held=True)
    )
    return ended.interaction


def test_a_call_that_is_over_lists_them(line, recordings):
    call = recorded(line, recordings)
    for history in (line.centre.interaction(call), *line.centre.find_calls(number="138")):
        (one,) = history.recordings
        assert (one.n, one.agent, one.queue, one.held) == (1, "ann", "claims", True)
        assert one.path == f"/recordings/{call}/1-ann.wav"
        assert (one.started - history.began, one.ended - history.began) == pytest.approx((1, 3))
        assert (one.length_s, one.size, one.sha256, one.error) == (2.0, 640, "5ha", "")
    recordings.index.hold(call, held=False)
    recordings.index.forget([one.path])
    assert line.centre.interaction(call).recordings == ()
    assert line.of(events.InteractionEnded)[-1].history.recordings == ()


def test_somebody_outside_has_no_agent(line, recordings):
    call = recorded(line, recordings)
    recordings.index.add(RecordingRecord("/recordings/x.wav", call, 2, "", "", 1, 2, 1, 0, "", "no such file"))
    last = line.centre.interaction(call).recordings[1]
    assert (last.n, last.agent, last.queue, last.error) == (2, None, None, "no such file")


def test_each_history_has_its_own_however_many_are_found(line, recordings):
    calls = [recorded(line, recordings) for _ in range(3)]
    (record,) = recordings.index.of(calls[1])
    recordings.index.add(evolve(record, path="/recordings/second.wav", n=2))
    found = {history.interaction: history.recordings for history in line.centre.find_calls(number="138")}
    assert [[one.n for one in found[call]] for call in calls] == [[1], [1, 2], [1]]
    assert len({one.path for each in found.values() for one in each}) == 4
    many = recordings.listed([*(f"no-call-{n}" for n in range(2500)), *calls])
    assert many == found, "more than the database takes at once"


def test_an_index_that_cannot_be_read_costs_no_history(line, recordings, monkeypatch):
    call = recorded(line, recordings)

    def fails(_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(recordings.index, "of_each", fails)
    assert line.centre.interaction(call).recordings == ()
    assert line.centre.interaction(call).agents == ("ann",)


def test_the_client_is_told_of_them(line, recordings):
    call = recorded(line, recordings)
    server = ApiServer(line.centre, bind="tcp://127.0.0.1:*", publish=None)
    server.start()
    with Client(server.address) as client:
        assert client.history(call).recordings == line.centre.interaction(call).recordings != ()
        assert client.find_calls(number="138")[0].recordings == client.history(call).recordings
    server.stop()
