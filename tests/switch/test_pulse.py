"""The small parts that keep watch, by a clock of the test's own."""

from __future__ import annotations

import random

import gevent
import pytest
from gevent import event

from cti.errors import FellBehind
from cti.esl import Decoder, Event, event_bytes
from cti.switch.backlog import Backlog
from cti.switch.backoff import BackOff
from cti.switch.canary import SUBCLASS, Canary
from cti.switch.heartbeat import Heartbeat
from cti.switch.pending import Pending


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def returning(command: bytes) -> Event:
    """The event that FreeSWITCH makes of a canary's command."""
    lines = command.decode().strip().split("\n")[1:]
    return Event([("Event-Name", "CUSTOM"), *(tuple(line.split(": ", 1)) for line in lines)])


def test_a_canary_measures_its_round_trip():
    clock = Clock()
    canary = Canary(clock)
    assert canary.lag_s == 0
    sent = canary.command()
    assert sent.startswith(b"sendevent CUSTOM\n")
    assert SUBCLASS.encode() in sent
    clock.now += 0.25
    assert canary.age_s == 0.25
    assert canary.came(returning(sent))
    assert canary.age_s == 0
    assert canary.lag_s == 0.25


def test_the_longest_of_ten_and_the_one_under_way_count():
    clock = Clock()
    canary = Canary(clock)
    for delay_s in (9.0, *[0.5] * 10):
        sent = canary.command()
        clock.now += delay_s
        canary.came(returning(sent))
    assert canary.lag_s == 0.5
    canary.command()
    clock.now += 2
    assert canary.lag_s == 2


def test_anybody_elses_canary_and_one_twice_mean_nothing():
    clock = Clock()
    ours, theirs = Canary(clock), Canary(clock)
    sent, other = ours.command(), theirs.command()
    assert not ours.came(returning(other))
    assert ours.came(returning(sent))
    assert not ours.came(returning(sent))
    assert not ours.came(Event([("Event-Name", "CUSTOM")]))


def test_a_canary_that_was_lost_is_forgotten_when_a_later_one_comes():
    clock = Clock()
    canary = Canary(clock)
    canary.command()
    clock.now += 5
    later = canary.command()
    clock.now += 0.1
    assert canary.came(returning(later))
    assert canary.age_s == 0


def heartbeat(sessions="3"):
    return Event([("Event-Name", "HEARTBEAT"), ("Session-Count", sessions)])


def test_missed_heartbeats_are_counted_once_their_interval_is_known():
    clock = Clock()
    beats = Heartbeat(clock)
    clock.now += 9999
    assert not beats.missed(3)
    beats.came(heartbeat())
    clock.now += 20
    assert not beats.missed(3)
    beats.came(heartbeat("7"))
    assert beats.sessions == 7
    clock.now += 79
    assert not beats.missed(3)
    clock.now += 2
    assert beats.missed(3)
    beats.came(heartbeat("none"))
    assert beats.sessions is None
    assert not beats.missed(3)


def test_the_back_off_doubles_to_its_limit_with_jitter():
    back_off = BackOff(0.2, 10.0, random.Random(4))
    waits = [back_off.wait_s() for _ in range(12)]
    for attempt, wait_s in enumerate(waits):
        whole = min(0.2 * 2**attempt, 10.0)
        assert whole / 2 <= wait_s <= whole
    assert len({round(wait / min(0.2 * 2**n, 10.0), 6) for n, wait in enumerate(waits)}) == 12


def test_a_link_that_breaks_at_once_does_not_start_with_the_shortest_wait():
    back_off = BackOff(1.0, 8.0, random.Random(1))
    for _ in range(5):
        back_off.wait_s()
        back_off.was_up(1.0)
    assert back_off.wait_s() >= 4.0
    back_off.was_up(8.0)
    assert back_off.wait_s() <= 1.0


def test_a_deadline_begins_anew_when_the_turn_comes():
    clock = Clock()
    pending = Pending(clock)
    answers = []
    pending.add("slow", 60, answers.append)
    pending.add("quick", 5, answers.append)
    clock.now += 50
    assert pending.reply("first")
    assert pending.oldest.deadline == clock.now + 5
    assert pending.reply("second")
    assert not pending.reply("third")
    assert answers == ["first", "second"]


def frames(count, body_bytes=10):
    stream = event_bytes([("Event-Name", "CUSTOM")], "x" * body_bytes) * count
    return Decoder().feed(stream)


def test_a_backlog_hands_on_in_order_though_the_handler_blocks():
    seen, done = [], event.Event()

    def slow(frame):
        gevent.sleep(0)
        seen.append(frame)
        if len(seen) == 50:
            done.set()

    backlog = Backlog(slow)
    sent = frames(50)
    for frame in sent:
        backlog.put(frame)
    assert done.wait(5)
    assert [id(frame) for frame in seen] == [id(frame) for frame in sent]
    assert len(backlog) == 0
    backlog.stop()


@pytest.mark.parametrize("limits", [{"max_events": 5}, {"max_bytes": 5 * 66}])
def test_a_full_backlog_says_so_and_keeps_what_it_has(limits):
    seen = []
    backlog = Backlog(seen.append, **limits)
    several = frames(6)
    assert len(several[0].body) == 66 or "max_events" in limits, len(several[0].body)
    for frame in several[:5]:
        backlog.put(frame)
    with pytest.raises(FellBehind, match="5 events"):
        backlog.put(several[5])
    gevent.sleep(0)
    assert len(seen) == 5
    backlog.put(several[5])
    backlog.stop()
    assert len(backlog) == 0


def test_a_single_event_larger_than_the_limit_is_let_through():
    backlog = Backlog(lambda _: None, max_bytes=10)
    backlog.put(frames(1, body_bytes=100)[0])
    assert len(backlog) == 1
    backlog.stop()


def test_a_handler_that_fails_is_called_again():
    seen = []

    def fail(frame):
        seen.append(frame)
        raise ZeroDivisionError

    backlog = Backlog(fail)
    for frame in frames(2):
        backlog.put(frame)
    gevent.sleep(0)
    assert len(seen) == 2
    backlog.stop()
