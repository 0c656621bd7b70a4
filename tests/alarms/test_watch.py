"""Alarms of a centre on a simulated switch: raised once, cleared once, told to subscribers."""

from __future__ import annotations

from types import SimpleNamespace

import gevent.event
import pytest

from cti import events
from cti.alarms import KINDS, Alarm, AlarmSettings, AlarmWatch, Grade, kinds
from cti.store.trouble import Trouble
from tests.center.bench import QUICK, bench


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """No hold-off: the judge's own tests are about that."""
    settled = {name: kind.__class__(kind.grade, 0, 0, kind.suggestion) for name, kind in KINDS.items()}
    monkeypatch.setattr("cti.alarms.settings.KINDS", settled)


class Watched:
    def __init__(self, line, **settings):
        self.line = line
        self.told = []
        line.centre.subscribe(self.told.append, Alarm)
        self.watch = AlarmWatch(AlarmSettings(every_s=0.01, **settings))
        self.watch.start(line.centre)

    def now(self):
        return {(one.name, one.subject) for one in self.line.centre.alarms.raised}

    def until_told(self, name, state, subject=None):
        def found():
            return [
                one for one in self.told if (one.name, one.state) == (name, state) and subject in {None, one.subject}
            ]

        return self.line.until(f"{name} {state}", found)[0]

    def history(self, name):
        return [one.state for one in self.told if one.name == name]


@pytest.fixture
def line():
    with bench() as made:
        made.centre.add_queue("claims", requires="claims")
        made.centre.on_call("5*")(lambda call: call.queue("claims"))
        made.centre.start()
        yield made


@pytest.fixture
def watched(line):
    made = Watched(line)
    yield made
    made.watch.stop()


def test_a_queue_without_agents_with_and_without_callers(line, watched):
    nobody = watched.until_told(kinds.UNSTAFFED, "raised")
    assert (nobody.subject, nobody.queue, nobody.grade) == ("claims", "claims", Grade.MINOR)
    caller = line.switch.incoming(called_number="5000")
    waiting = watched.until_told(kinds.UNSERVED, "raised")
    assert waiting.cause == "1 calls wait in claims for nobody"
    line.agent("ann", skills={"claims": 1})
    over = watched.until_told(kinds.UNSERVED, "cleared")
    assert over.at >= waiting.at
    assert over.lasted_s == pytest.approx(over.at - waiting.at)
    watched.until_told(kinds.UNSTAFFED, "cleared")
    assert watched.history(kinds.UNSTAFFED) == ["raised", "cleared"]
    assert watched.now() == set()
    caller.hang_up()


def test_a_lost_link_is_raised_and_comes_back(line):
    watched = Watched(line, off=(kinds.UNSTAFFED,))
    line.server.stop()
    down = watched.until_told(kinds.LINK_DOWN, "raised")
    assert (down.grade, down.queue) == (Grade.CRITICAL, None)
    line.server.start()
    watched.until_told(kinds.LINK_DOWN, "cleared")
    assert watched.history(kinds.LINK_DOWN) == ["raised", "cleared"]
    watched.watch.stop()


def test_a_trunk_that_is_down_is_raised_and_comes_back(line):
    carrier = line.switch.gateways.add("carrier")
    watched = Watched(line, off=(kinds.UNSTAFFED,))
    carrier.fail(403, "Forbidden")
    down = watched.until_told(kinds.TRUNK_DOWN, "raised")
    switch = line.centre.switch.id
    assert (down.subject, down.grade, down.queue) == (f"{switch}/carrier", Grade.MAJOR, None)
    assert down.cause == f"gateway carrier of {switch} is out of service: registration FAILED 403 Forbidden"
    assert "carrier" in down.suggestion
    line.server.stop()
    watched.until_told(kinds.LINK_DOWN, "raised")
    line.server.start()  # what nobody can see meanwhile is neither better nor worse
    watched.until_told(kinds.LINK_DOWN, "cleared")
    assert watched.history(kinds.TRUNK_DOWN) == ["raised"]
    carrier.recover()
    watched.until_told(kinds.TRUNK_DOWN, "cleared")
    carrier.renew()
    assert watched.history(kinds.TRUNK_DOWN) == ["raised", "cleared"]
    watched.watch.stop()


def test_phones_of_several_agents_that_fail_for_one_cause(line):
    watched = Watched(line, agents_failing=2)
    for name in ("ann", "bob"):
        line.agent(name, skills={"claims": 1})
        line.switch.phones.add(f"user/{name}", QUICK, registered=False)
    caller = line.switch.incoming(called_number="5000")
    raised = watched.until_told(kinds.OFFERS, "raised")
    assert raised.subject == "USER_NOT_REGISTERED"
    assert raised.cause.startswith(f"{raised.subject}: 2 agents in 300 s; last: agent ")
    caller.hang_up()
    line.all_is_over()
    watched.watch._failures._window_s = 0.0  # it was long ago
    watched.until_told(kinds.OFFERS, "cleared")
    watched.watch.stop()


def test_trouble_of_the_disk_before_and_after_the_start(line):
    watch = AlarmWatch(AlarmSettings(every_s=60, off=(kinds.UNSTAFFED,)))
    tell = watch.trouble(kinds.JOURNAL)
    tell(Trouble("disk full", 3))
    watch.start(line.centre)
    line.until("raised", lambda: line.centre.alarms.raised)
    (alarm,) = line.centre.alarms.raised
    assert (alarm.name, alarm.cause) == (kinds.JOURNAL, "disk full; 3 lost so far")
    tell(Trouble("fine", 3, over=True))
    line.until("cleared", lambda: not line.centre.alarms.raised)
    watch.stop()


def test_a_part_that_has_ended_and_a_broken_invariant_and_a_failed_recording(line):
    watched = Watched(line, off=(kinds.UNSTAFFED,))
    failed = gevent.event.AsyncResult()
    watched.watch.part("api", failed)
    watched.watch.part("web", gevent.event.AsyncResult())
    failed.set_exception(RuntimeError("boom"))
    line.centre._loop.tell(events.InvariantBroken(at=line.centre.alarms.now(), what="two reservations"))
    line.centre._loop.tell(
        events.RecordingFailed(
            interaction="c", at=line.centre.alarms.now(), path="/a.wav", n=1, agent=None, queue=None, why="no room"
        )
    )
    assert "boom" in watched.until_told(kinds.PART, "raised", "api").cause
    assert "two reservations" in watched.until_told(kinds.INVARIANT, "raised").cause
    assert "no room, /a.wav" in watched.until_told(kinds.RECORDING, "raised").cause
    watched.watch._failures._window_s = 0.0  # it was long ago
    watched.until_told(kinds.INVARIANT, "cleared")
    watched.until_told(kinds.RECORDING, "cleared")
    assert watched.now() == {(kinds.PART, "api")}
    watched.watch.stop()


def test_calls_outside_that_fail_for_a_cause_of_the_trunk():
    told = []
    board = SimpleNamespace(
        raised=(), sound=lambda name, subject, **more: told.append((name, subject)), clear=lambda *_: None
    )
    look = SimpleNamespace(at=10.0, links={}, lag_s={}, queues=(), trunks=())
    subscribed = []
    centre = SimpleNamespace(
        alarms=board,
        look=lambda: look,
        subscribe=lambda handler, *_: subscribed.append(handler),
        unsubscribe=lambda _: None,
    )
    watch = AlarmWatch(AlarmSettings(every_s=60, trunk_failures=2))
    watch.start(centre)
    cleared = {"interaction": "c", "at": 9.0, "cause": None, "switch": "s", "calling_number": "", "calling_name": ""}
    cleared |= {"called_number": "", "queue": None, "agent": None, "by": ""}
    for side, cause in (
        ("other", "NORMAL_CLEARING"),
        ("other", "USER_BUSY"),
        ("agent", "GATEWAY_DOWN"),
        ("other", "GATEWAY_DOWN"),
    ):
        subscribed[0](events.ConnectionCleared(connection=side, side=side, switch_cause=cause, **cleared))
    watch.look()
    assert told == []
    subscribed[0](events.ConnectionCleared(connection="2", side="caller", switch_cause="GATEWAY_DOWN", **cleared))
    watch.look()
    assert told == [(kinds.TRUNK, "GATEWAY_DOWN")]
    watch.stop()


def test_a_look_that_fails_does_not_end_the_watch(line, monkeypatch):
    looks = []

    def broken():
        looks.append(1)
        raise RuntimeError("a defect")

    look = line.centre.look
    monkeypatch.setattr(line.centre, "look", broken)
    watched = Watched(line)
    line.until("it looks again", lambda: len(looks) > 2)
    monkeypatch.setattr(line.centre, "look", look)
    watched.until_told(kinds.UNSTAFFED, "raised")
    watched.watch.stop()


def test_the_board_raises_and_clears_once_and_stays_bounded(line, monkeypatch):
    monkeypatch.setattr("cti.alarms.board.MOST", 2)
    board = line.centre.alarms
    assert board.sound("mine", "a", grade=Grade.INFO, cause="x")
    assert not board.sound("mine", "a", grade=Grade.CRITICAL, cause="y")
    assert board.sound("mine", "b", grade=Grade.MINOR, cause="x")
    assert not board.sound("mine", "c", grade=Grade.MINOR, cause="x")
    assert board.clear("mine", "a")
    assert not board.clear("mine", "a")
    assert [one.subject for one in board.raised] == ["b"]
