"""Figures by interval over the API: of what the key covers, and in agreement with the live ones."""

from __future__ import annotations

import pytest

from cti.client import Client, RequestRefused
from cti.statistics import FigureBook, Statistics

from .wire import cti_keys, served, until


@pytest.fixture
def counted(tmp_path):
    keys = tmp_path / "keys"
    for name, role, *more in (
        ("root", "administrator"),
        ("sue", "supervisor", "--queue", "claims", "--agent", "alice"),
        ("bob", "agent", "--agent", "bob"),
    ):
        cti_keys("new", name, "--role", role, *more, "--directory", str(keys))
    with served(keys=keys) as one:
        one.centre.add_queue("sales", requires="sales")
        kept = one.centre.statistics = Statistics(FigureBook(tmp_path / "state"))
        kept.start(one.centre)
        for name in ("alice", "bob"):
            one.bench.agent(name, skills={"claims": 5 if name == "alice" else 0})
        yield one
        kept.stop()


def test_a_call_is_in_the_interval_and_the_day_as_it_is_live(counted):
    root = counted.wire("root")
    caller = counted.call()
    until(lambda: counted.centre.agent("alice").view.state.value == "busy", "alice talks")
    caller.hang_up()
    until(lambda: counted.centre.queue_view("claims").figures.handled, "it is over")
    (interval,) = root.ask("queue.intervals", queue="claims")["intervals"]
    live = root.ask("queue.get", queue="claims")
    assert interval["begins_at"] % 1800 == 0
    assert interval["length_s"] == 1800
    for name in ("offered", "answered", "answered_in_time", "handled", "waiting"):
        assert interval["figures"][name] == live["figures"][name], name
    assert (interval["service_level"], interval["abandon_rate"]) == (live["service_level"], 0) == (1, 0)
    assert interval["asa_s"] == pytest.approx(live["asa_s"])
    (agent,) = root.ask("agent.intervals", agent="alice")["intervals"]
    assert (agent["figures"]["offers"], agent["figures"]["answered"]) == (1, 1)
    assert 0 < agent["occupancy"] <= 1
    assert agent["logged_on_s"] > 0
    day = root.ask("day")
    assert {each["queue"]: each["figures"]["offered"] for each in day["queues"]}["claims"] == 1
    assert {each["agent"] for each in day["agents"]} == {"alice", "bob"}
    assert root.ask("day", day="2020-02-29") == {"begins_at": 1582934400.0, "queues": [], "agents": []}


def test_the_client_reads_them(tmp_path):
    with served() as one:
        kept = one.centre.statistics = Statistics(FigureBook(tmp_path))
        kept.start(one.centre)
        one.bench.agent("alice", skills={"claims": 5})
        one.call()
        with Client(one.server.address) as client:
            until(lambda: client.agent("alice").view.state == "busy", "alice talks")
            (queue,), (agent,) = client.queue_intervals("claims"), client.agent_intervals("alice")
            assert (queue.queue, queue.figures["answered"], agent.figures["answered"]) == ("claims", 1, 1)
            assert [each.figures["answered"] for each in client.day().queues] == [1]
            with pytest.raises(RequestRefused) as refused:
                client.day("x")
            assert refused.value.code == "operation.invalid_parameter"
        kept.stop()


def test_a_key_sees_what_it_covers(counted):
    sue, bob = counted.wire("sue"), counted.wire("bob")
    counted.call()
    until(lambda: counted.centre.queue_view("claims").figures.offered, "a call came")
    day = sue.ask("day")
    assert ([each["queue"] for each in day["queues"]], [each["agent"] for each in day["agents"]]) == (
        ["claims"],
        ["alice"],
    )
    assert sue.refused("queue.intervals", queue="sales")["code"] == "security.not_permitted"
    assert bob.refused("agent.intervals", agent="alice")["code"] == "security.not_permitted"
    assert bob.ask("agent.intervals", agent="bob")["intervals"]
    day = bob.ask("day")
    assert (day["queues"], [each["agent"] for each in day["agents"]]) == ([], ["bob"])


def test_when_and_whom(counted):
    root = counted.wire("root")
    assert root.ask("queue.intervals", queue="sales", since="2020-01-01", until="2020-02-01")["intervals"] == []
    error = root.refused("queue.intervals", queue="sales", since="yesterday")
    assert (error["code"], error["field"]) == ("operation.invalid_parameter", "params.since")
    assert root.refused("agent.intervals", agent="alice", until="x")["field"] == "params.until"
    assert root.refused("day", day="0")["field"] == "params.day"
    assert root.refused("queue.intervals", queue="salse")["code"] == "operation.unknown_queue"
    assert root.refused("agent.intervals", agent="nobody")["code"] == "operation.unknown_agent"


def test_where_none_are_kept(open_centre, wire):
    for method, params in (
        ("day", {}),
        ("queue.intervals", {"queue": "claims"}),
        ("agent.intervals", {"agent": "alice"}),
    ):
        assert wire.refused(method, **params)["code"] == "operation.no_statistics"
