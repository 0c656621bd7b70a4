"""The simulated centre against queueing theory: no ring time, no wrap-up, all agents alike."""

from __future__ import annotations

import math

import pytest

from cti.errors import ConfigurationError
from cti.simulation.erlang import erlang_a, erlang_b, erlang_c

from .centre import run

HANDLE_S = 600.0
"""Long conversations, so that the tenth of a second that the switch takes for a call weighs nothing."""
WITHIN_S = 60.0
AT_ONCE = (0.0, 0.0)


def test_known_values():
    # 10 erlangs: blocking with 10 and 15 lines, from the tables of Erlang B; 20 agents with 15 from those of Erlang C.
    assert erlang_b(10, 10) == pytest.approx(0.2146, abs=5e-5)
    assert erlang_b(15, 10) == pytest.approx(0.0365, abs=5e-5)
    assert erlang_c(20, 15 / 180, 180, 20).delayed == pytest.approx(0.1604, abs=5e-5)
    # M/M/1: the delayed are the load, the mean wait is load / (1 - load) conversations.
    single = erlang_c(1, 0.8 / 100, 100, 50)
    assert single.delayed == pytest.approx(0.8)
    assert single.mean_wait_s == pytest.approx(400)
    assert single.in_time == pytest.approx(1 - 0.8 * math.exp(-0.1))


def test_endless_patience_makes_erlang_a_erlang_c():
    a, c = erlang_a(10, 8 / 180, 180, 1e9, 20), erlang_c(10, 8 / 180, 180, 20)
    assert a.delayed == pytest.approx(c.delayed, rel=1e-4)
    assert a.mean_wait_s == pytest.approx(c.mean_wait_s, rel=1e-4)
    assert a.in_time == pytest.approx(c.in_time, rel=1e-4)
    assert a.abandoned < 1e-6


def test_patience_as_long_as_a_conversation_makes_the_callers_poisson():
    # Then each caller leaves at the same rate, waiting or not: M/M/infinity.
    load, agents = 12.0, 10
    beyond = 1 - math.fsum(math.exp(-load) * load**n / math.factorial(n) for n in range(agents))
    assert erlang_a(agents, load / 180, 180, 180, 20).delayed == pytest.approx(beyond)


def test_all_who_are_answered_are_so_within_for_ever():
    assert erlang_a(10, 12 / 180, 180, 60, 900).in_time == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("agents", "rate"), [(0, 1.0), (-1, 1.0), (5, -1.0)])
def test_what_makes_no_sense_is_refused(agents, rate):
    with pytest.raises(ConfigurationError):
        erlang_c(agents, rate, 180, 20)
    with pytest.raises(ConfigurationError):
        erlang_a(agents, rate, 180, 60, 20)


def test_a_load_that_cannot_be_carried_is_said():
    with pytest.raises(ConfigurationError, match="cannot carry 10 erlangs"):
        erlang_c(10, 10 / 180, 180, 20)


def agree(report, theory):
    """Each figure within the run's own 99 % confidence interval."""
    wrong = {
        name: (estimate, value)
        for name, estimate, value in (
            ("delayed", report.delayed, theory.delayed),
            ("mean wait", report.mean_wait, theory.mean_wait_s),
            ("in time", report.in_time, theory.in_time),
            ("abandoned", report.abandons, theory.abandoned),
        )
        if not estimate.agrees_with(value)
    }
    assert not wrong
    assert report.sound


def simulated(agents, load, calls, patience_s=None):
    return run(
        agents=agents,
        load=load,
        calls=calls,
        handle_s=HANDLE_S,
        patience_s=patience_s,
        answer_s=AT_ONCE,
        queue={"service_level_s": WITHIN_S},
        check_every=1000,
    )


C_SHORT = [(5, 0.7, 2000), (20, 0.8, 2000)]
A_SHORT = [(5, 0.9, 1000), (20, 1.1, 1000)]
C_LONG = [(5, 0.7), (5, 0.8), (5, 0.9), (10, 0.7), (10, 0.8), (10, 0.9), (20, 0.7), (20, 0.8), (20, 0.9)]
A_LONG = [(5, 0.9), (5, 1.2), (10, 0.9), (20, 0.9), (20, 1.2)]


def theory_c(agents, load):
    return erlang_c(agents, load * agents / HANDLE_S, HANDLE_S, WITHIN_S)


def theory_a(agents, load):
    return erlang_a(agents, load * agents / HANDLE_S, HANDLE_S, HANDLE_S / 2, WITHIN_S)


@pytest.mark.parametrize(("agents", "load", "calls"), C_SHORT)
def test_waits_without_a_limit_are_erlang_c(agents, load, calls):
    agree(simulated(agents, load, calls), theory_c(agents, load))


@pytest.mark.parametrize(("agents", "load", "calls"), A_SHORT)
def test_waits_with_patience_are_erlang_a(agents, load, calls):
    agree(simulated(agents, load, calls, HANDLE_S / 2), theory_a(agents, load))


@pytest.mark.long
@pytest.mark.parametrize(("agents", "load"), C_LONG)
def test_waits_without_a_limit_are_erlang_c_in_long_runs(agents, load):
    agree(simulated(agents, load, 30_000), theory_c(agents, load))


@pytest.mark.long
@pytest.mark.parametrize(("agents", "load"), A_LONG)
def test_waits_with_patience_are_erlang_a_in_long_runs(agents, load):
    agree(simulated(agents, load, 20_000, HANDLE_S / 2), theory_a(agents, load))
