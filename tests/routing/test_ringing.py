"""Strategies that ring several phones for one call."""

from __future__ import annotations

import pytest

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.routing import LongestIdle, RingAll, Ringing, RingProgressively, SkillRouter

from .made import agent, call, queue, wait


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("longest-idle", Ringing()),
        ("ring-all", Ringing(20, most=20)),
        (RingAll(3), Ringing(3, most=3)),
        ("ring-progressively", Ringing(1, more_every_s=10.0, most=20)),
        (RingProgressively(5.0, most=4), Ringing(1, more_every_s=5.0, most=4)),
    ],
)
def test_how_many_phones(strategy, expected):
    router = SkillRouter()
    assert router.ringing(QueueId("q")) == Ringing()
    router.queue_defined(queue("q", strategy=strategy))
    assert router.ringing(QueueId("q")) == expected


@pytest.mark.parametrize(
    ("ringing", "after"),
    [
        (Ringing(), {0: 1, 100: 1}),
        (RingAll(3).ringing, {0: 3, 100: 3}),
        (RingProgressively(10.0, most=3).ringing, {0: 1, 9.9: 1, 10: 2, 9.9999999: 2, 20: 3, 90: 3}),
        (RingProgressively(0.0, most=3).ringing, {0: 3}),
    ],
)
def test_how_many_after_a_time(ringing, after):
    assert {seconds: ringing.allowed(seconds) for seconds in after} == after


@pytest.mark.parametrize("strategy", ["ring-all", "ring-progressively"])
def test_the_longest_idle_ring_first_while_the_call_still_waits(strategy):
    router = SkillRouter()
    router.queue_defined(queue("q", strategy=strategy))
    for one in (agent("ann", idle_since=2), agent("bob", idle_since=1), agent("dan", idle_since=3)):
        router.agent_available(one)
    first, second = call("1", "q"), call("2", "q", at=5)
    wait(router, first, second)
    found = []
    while (name := router.agent_for(first)) is not None:
        found.append(name)
        router.decided(first, router._ready[name].agent)
        router.agent_unavailable(name)
        wait(router, first)
    assert found == ["bob", "ann", "dan"]
    assert router.call_for(agent("eve")) == "1"
    router.call_gone(first.id)
    assert router.call_for(agent("eve")) == "2"


class Wrong(LongestIdle):
    """A strategy that does not say how many."""

    name = "wrong"
    ringing = 3


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RingAll(0), "at_once is 0; it must be a whole number from 1 up"),
        (lambda: RingProgressively(-1), "more_every_s is -1; it must be a number of seconds from 0 up"),
        (lambda: RingProgressively(5, most=0), "most is 0; it must be a whole number from 1 up"),
        (lambda: SkillRouter().queue_defined(queue("q", strategy=Wrong())), "ringing is 3; it must be a Ringing"),
    ],
)
def test_what_is_refused(make, says):
    with pytest.raises(ConfigurationError, match=says):
        make()
