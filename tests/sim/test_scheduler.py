"""Virtual time."""

from __future__ import annotations

from cti.sim import VirtualScheduler
from cti.sim.scheduler import VIRTUAL_EPOCH_S


def test_calls_happen_in_time_and_at_one_instant_in_the_order_they_were_asked_for():
    scheduler, seen = VirtualScheduler(), []
    for name, delay_s in (("c", 2.0), ("a", 1.0), ("b", 1.0), ("now", -5.0)):
        scheduler.call_later(delay_s, lambda name=name: seen.append((name, scheduler.now())))
    scheduler.run_until(1.0)
    assert seen == [("now", 0.0), ("a", 1.0), ("b", 1.0)]
    assert scheduler.run_next()
    assert seen[-1] == ("c", 2.0)
    assert not scheduler.run_next()


def test_a_cancelled_call_never_happens_and_a_call_may_ask_for_another():
    scheduler, seen = VirtualScheduler(), []
    scheduler.call_later(1.0, seen.append, "cancelled").cancel()
    scheduler.call_later(2.0, lambda: scheduler.call_later(0.0, seen.append, "next"))
    scheduler.run_for(3.0)
    assert seen == ["next"]
    assert scheduler.now() == 3.0
    assert scheduler.epoch_s == VIRTUAL_EPOCH_S
