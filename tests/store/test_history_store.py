"""Histories in SQL: written in the background, found again as they were, and what happens when they cannot be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from attrs import evolve

from cti import CallCenter
from cti.errors import ConfigurationError, UnknownInteraction
from cti.model import events
from cti.model.history import MOST_SEGMENTS, InteractionHistory
from cti.sim import SimulatedSwitch
from cti.sim.gevent_scheduler import GeventScheduler
from cti.sim.server import SimServer
from cti.store import HistoryStore
from cti.store import history_store as module
from tests.center.bench import QUICK, Bench
from tests.engine.story import Story


def histories() -> list[InteractionHistory]:
    """Three calls: of Ann, of Ann and then Bob by the queue of loans, and one that nobody has taken."""
    s = Story(now=1000.0)
    s.queue("sales", wrap_up_s=5)
    s.queue("loans", requires="loans")
    s.agent("ann")
    s.agent("bob", skills={"loans": 1})
    for queue in ("sales", "loans"):
        call = s.waiting(queue, policy="4711", visits=3, raw=b"\x00", when=[1, {"a": None}])
        agent = "bob" if queue == "loans" else s.ringing(call)[0]
        s.take(agent)
        s.advance(10)
        s.ends(agent)
        s.advance(100)
    s.log_off("ann")
    s.log_off("bob")
    s.hang_up(s.waiting("sales"))
    return [event.history for event in s.events(events.InteractionEnded)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    made = HistoryStore(str(tmp_path / "history.db"))
    yield made
    made.close()


def test_what_is_written_is_found_as_it_was(store):
    told = histories()
    for history in told:
        store.take(history)
    assert store.flush()
    for history in told:
        assert store.get(history.interaction) == history
    assert store.find() == told[::-1], "the latest first"
    assert store.get("nothing") is None


def test_by_number_agent_queue_and_time(store):
    first, second, third = told = histories()
    for history in told:
        store.take(history)
    store.flush()
    assert store.find(number=second.calling_number) == [second]
    assert store.find(number="5000") == told[::-1], "the number that was called"
    assert store.find(agent="bob") == [each for each in (second, first) if "bob" in each.agents]
    assert store.find(queue="loans") == [second]
    assert store.find(since=second.began) == [third, second]
    assert store.find(until=second.began) == [first]
    assert store.find(number=second.calling_number, agent="nobody") == []
    assert store.find(limit=1) == [third]
    assert store.find(limit=0) == [third], "at least one"
    assert store.find(number="' OR 1=1 --") == []


def test_written_again_it_is_there_once(store):
    history = histories()[0]
    store.take(history)
    store.flush()
    store.take(evolve(history, state="cleared twice"))
    store.flush()
    (found,) = store.find()
    assert found == evolve(history, state="cleared twice")


def test_a_long_one_too(store):
    (first, *_) = histories()
    long = evolve(first, segments=first.segments * MOST_SEGMENTS)
    store.take(long)
    store.flush()
    assert store.get(long.interaction) == long


def test_a_database_that_cannot_be_written_is_tried_again(store, monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    writes, broken = store._add, [True]

    def add(batch):
        if broken[0]:
            raise sqlite3.OperationalError("the disk is full")
        writes(batch)

    monkeypatch.setattr(store, "_add", add)
    first, second, third = histories()
    store.take(first)
    assert not store.flush(0.05)
    store.take(second)
    broken[0] = False
    store.take(third)
    assert store.flush()
    assert store.find() == [third, second, first]


def test_the_oldest_are_dropped_when_too_many_wait(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    told = histories()
    for history in told:  # in one go: the writing greenlet has no chance
        store.take(history)
    store.flush()
    assert store.dropped == 1
    assert store.find() == told[:0:-1]


def test_what_is_too_old_is_deleted(tmp_path, monkeypatch):
    told = histories()
    monkeypatch.setattr(module.time, "time", lambda: told[-1].ended + 30 * module.DAY_S)
    made = HistoryStore(f"sqlite:///{tmp_path / 'h.db'}", keep_days=30 - 60 / module.DAY_S)
    for history in told:
        made.take(history)
        made.flush()
    assert made.find() == told[:0:-1], "once an hour"
    made._expired_at = 0.0
    made.take(told[-1])
    made.flush()
    assert made.find() == []
    made.close()


@pytest.mark.parametrize(
    ("url", "said"), [("nonsense://x", "cannot be opened"), ("/nowhere/at/all/h.db", "cannot be opened")]
)
def test_a_database_that_cannot_be_opened_is_said_at_once(url, said):
    with pytest.raises(ConfigurationError, match=said):
        HistoryStore(url)
    with pytest.raises(ConfigurationError, match="keep_days"):
        HistoryStore("x.db", keep_days=0)


# -- in a centre --------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[SimServer]:
    served = SimServer(SimulatedSwitch(GeventScheduler(), seed=1))
    served.start()
    yield served
    served.stop()


def a_centre(server: SimServer, tmp_path: Path) -> Bench:
    host, port = server.address
    centre = CallCenter(f"{host}:{port}", history=tmp_path / "h.db", journal=tmp_path / "journal")
    made = Bench(centre, server.switch, server)
    centre.add_queue("sales")
    server.switch.phones.add("user/ann", QUICK)
    centre.add_agent("ann", "user/ann").log_on(ready=True)
    centre.on_call("5*")(lambda call: call.queue("sales", data={"policy": "4711"}))
    return made


def ended(made: Bench) -> InteractionHistory:
    found: list[InteractionHistory] = []
    made.centre.subscribe(lambda event: found.append(event.history), events.InteractionEnded)
    made.switch.incoming(calling_number="13800000008", called_number="5000", talk_s=0.05)
    with gevent.Timeout(10):
        while not found:
            made.centre.agent("ann")
            gevent.sleep(0.005)
    return found[0]


def test_a_centre_keeps_its_calls_and_finds_them(server, tmp_path):
    made = a_centre(server, tmp_path)
    made.centre.start()
    history = ended(made)
    made.centre._history.flush()
    assert made.centre.find_calls(number="13800000008") == [history]
    assert made.centre.interaction(history.interaction) == history
    assert history.data == {"policy": "4711"}
    assert history.ended_by in ("caller", "agent")
    with pytest.raises(UnknownInteraction):
        made.centre.interaction("nothing")
    made.centre.stop()


def test_what_was_not_written_before_the_end_is_written_afterwards(server, tmp_path, monkeypatch):
    made = a_centre(server, tmp_path)
    monkeypatch.setattr(made.centre._history, "take", lambda _: None)  # killed before it could
    made.centre.start()
    history = ended(made)
    made.centre._journal.close()
    made.centre.stop()
    again = a_centre(server, tmp_path)
    assert again.centre.find_calls() == []
    again.centre.start()
    again.centre._history.flush()
    (found,) = again.centre.find_calls()
    assert (found.interaction, found.agents, found.ended_by) == (history.interaction, ("ann",), history.ended_by)
    again.centre.stop()
