"""What is cause for an alarm, when it is raised and when it is over: without a centre."""

from __future__ import annotations

import pytest

from cti.alarms import KINDS, AlarmSettings, Grade, Kind, kinds
from cti.alarms.failures import SUBJECTS, Failures
from cti.alarms.judge import Judge, Observation
from cti.alarms.look import Look, QueueLook
from cti.alarms.rules import observations
from cti.errors import ConfigurationError

TEN = {"x": Kind(Grade.MINOR, 10, 20, "do something")}


def verdicts(judge, bad, now):
    return [v.raised for v in judge.look([Observation("x", "", bad)], now)]


def test_the_cause_must_hold_and_be_gone_for_long_enough():
    judge = Judge(TEN)
    assert verdicts(judge, True, 0) == []
    assert verdicts(judge, False, 5) == []
    assert verdicts(judge, True, 6) == []
    assert verdicts(judge, True, 15.9) == []
    assert verdicts(judge, True, 16) == [True]
    assert verdicts(judge, True, 100) == []
    assert verdicts(judge, False, 101) == []
    assert verdicts(judge, True, 110) == []
    assert verdicts(judge, False, 111) == []
    assert verdicts(judge, False, 130.9) == []
    assert verdicts(judge, False, 131) == [False]
    assert judge._cases == {}


def test_between_the_limits_what_holds_goes_on():
    judge = Judge({"x": Kind(Grade.MINOR, 0, 0, "")})
    assert verdicts(judge, None, 0) == []
    assert verdicts(judge, True, 1) == [True]
    assert verdicts(judge, None, 2) == []
    assert verdicts(judge, False, 3) == [False]
    assert verdicts(judge, None, 4) == []
    assert judge._cases == {}


def test_what_is_no_longer_told_is_good_and_each_subject_is_its_own():
    judge = Judge({"x": Kind(Grade.MINOR, 0, 5, "")})
    both = [Observation("x", name, True, f"cause {name}") for name in "ab"]
    assert [v.seen.subject for v in judge.look(both, 0)] == ["a", "b"]
    assert judge.look(both[1:], 1) == []
    (over,) = judge.look(both[1:], 6)
    assert (over.seen.subject, over.raised, over.seen.cause) == ("a", False, "cause a")
    assert judge.look([Observation("unknown", "", True)], 7) == []


def queue(**values):
    made = {"waiting": 0, "staffed": 5, "longest_wait_s": 0.0, "service_level": None, "target": None, "calls": 0}
    return QueueLook(**{"queue": "claims", **made, **values})


def bad(settings=None, failures=(), links=None, lag_s=0.0, **values):
    links = links or {"here": "live"}
    look = Look(0.0, links, dict.fromkeys(links, lag_s), (queue(**values),))
    seen = observations(look, failures, settings or AlarmSettings())
    return {one.name: one.bad for one in seen if one.bad is not False}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, {}),
        ({"links": {"here": "connecting"}}, {kinds.LINK_DOWN: True}),
        ({"lag_s": 0.51}, {kinds.LINK_LATE: True}),
        ({"lag_s": 0.3}, {kinds.LINK_LATE: None}),
        ({"lag_s": 0.2}, {}),
        ({"staffed": 0}, {kinds.UNSTAFFED: True}),
        ({"staffed": 0, "waiting": 1}, {kinds.UNSTAFFED: True, kinds.UNSERVED: True}),
        ({"longest_wait_s": 301}, {kinds.LONGEST_WAIT: True}),
        ({"longest_wait_s": 250}, {kinds.LONGEST_WAIT: None}),
        ({"longest_wait_s": 240}, {}),
        ({"service_level": 0.5, "calls": 100}, {}),
        ({"service_level": 0.5, "target": 0.8, "calls": 19}, {}),
        ({"service_level": 0.79, "target": 0.8, "calls": 20}, {kinds.SERVICE_LEVEL: True}),
        ({"service_level": 0.84, "target": 0.8, "calls": 20}, {kinds.SERVICE_LEVEL: None}),
        ({"service_level": 0.85, "target": 0.8, "calls": 20}, {}),
        ({"service_level": 1.0, "target": 1.0, "calls": 20}, {}),
        ({"service_level": 0.5, "calls": 20, "settings": AlarmSettings(service_level=0.6)}, {kinds.SERVICE_LEVEL: True}),
        ({"longest_wait_s": 1e6, "settings": AlarmSettings(longest_wait_s=None)}, {}),
    ],
)  # fmt: skip
def test_what_is_cause_for_an_alarm(seen, expected):
    assert bad(**seen) == expected


def test_failures_are_counted_over_a_while_by_cause():
    failures = Failures(100.0)
    for number in range(5):
        failures.note(kinds.OFFERS, "USER_NOT_REGISTERED", "alice", "agent alice", now=number)
        failures.note(kinds.TRUNK, "NO_ROUTE_DESTINATION", str(number), "call", now=number)
    settings = AlarmSettings()
    assert bad(failures=list(failures.now(5))) == {kinds.TRUNK: True}
    for agent in ("bob", "carol"):
        failures.note(kinds.OFFERS, "USER_NOT_REGISTERED", agent, f"agent {agent}", now=50)
    seen = {one.name: one for one in observations(Look(0.0, {}, {}, ()), failures.now(60), settings)}
    assert seen[kinds.OFFERS].bad
    assert seen[kinds.OFFERS].cause == "USER_NOT_REGISTERED: 3 agents in 300 s; last: agent carol"
    assert bad(failures=list(failures.now(106))) == {}
    assert list(failures.now(151)) == []
    assert failures._past == {}


def test_failures_stay_bounded():
    failures = Failures(100.0)
    for number in range(SUBJECTS * 2):
        failures.note(kinds.OFFERS, f"CAUSE {number}", "alice", "", now=0)
    assert len(list(failures.now(1))) == SUBJECTS + 1


@pytest.mark.parametrize(
    "settings",
    [
        {"off": ("link.up",)},
        {"grades": {"link.down": "awful"}},
        {"grades": {"nothing": "minor"}},
        {"service_level": 80},
        {"every_s": -1},
        {"agents_failing": 0},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings):
    with pytest.raises(ConfigurationError):
        AlarmSettings(**settings)


def test_kinds_are_switched_off_and_graded_anew():
    made = AlarmSettings(off=["queue.unstaffed"], grades={"link.down": "major"}).kinds
    assert made.keys() == KINDS.keys() - {"queue.unstaffed"}
    assert made["link.down"].grade is Grade.MAJOR
