"""The expected wait's properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import ConfigurationError
from cti.routing.expected_wait import agents_worth, expected_wait_s

names = st.sampled_from("abcd")
staff = st.lists(st.tuples(st.frozensets(names, min_size=1), st.integers(0, 50)), max_size=6)
loads = st.dictionaries(names, st.floats(0, 1e5))


def test_an_example():
    # Ten agents serve sales alone, six serve both; loans has twice the work of sales.
    both = [({"sales"}, 10), ({"sales", "loans"}, 6)]
    load = {"sales": 600.0, "loans": 1200.0}
    assert agents_worth("sales", both, load) == pytest.approx(12)
    assert agents_worth("loans", both, load) == pytest.approx(4)
    assert expected_wait_s(3, 200.0, 12.0) == pytest.approx(50)


@settings(deadline=None)
@given(staff, loads)
def test_no_agent_is_counted_twice_and_none_is_lost(agents, load):
    total = sum(agents_worth(queue, agents, load) for queue in "abcd")
    assert math.isclose(total, sum(count for _, count in agents), abs_tol=1e-6)


@settings(deadline=None)
@given(staff, loads, names)
def test_never_more_than_serve_the_queue(agents, load, queue):
    assert -1e-9 <= agents_worth(queue, agents, load) <= sum(n for served, n in agents if queue in served) + 1e-9


@settings(deadline=None)
@given(staff, loads, names, st.floats(0, 1e5))
def test_more_work_elsewhere_leaves_fewer_for_this_queue(agents, load, other, more):
    load = {"a": 100.0, **{name: value for name, value in load.items() if name != "a"}}
    heavier = {**load, other: load.get(other, 0.0) + more}
    before, after = agents_worth("a", agents, load), agents_worth("a", agents, heavier)
    assert after >= before - 1e-6 if other == "a" else after <= before + 1e-6


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(1, 3600), st.floats(0.1, 500))
def test_grows_with_the_place_and_the_handling_time_and_shrinks_with_agents(position, aht_s, agents):
    wait = expected_wait_s(position, aht_s, agents)
    assert wait > 0
    assert expected_wait_s(position + 1, aht_s, agents) > wait
    assert expected_wait_s(position, aht_s * 2, agents) == pytest.approx(2 * wait)
    assert expected_wait_s(position, aht_s, agents * 2) == pytest.approx(wait / 2)


@pytest.mark.parametrize(("aht_s", "agents"), [(None, 5.0), (0.0, 5.0), (100.0, 0.0)])
def test_unknown(aht_s, agents):
    assert expected_wait_s(3, aht_s, agents) is None
    assert expected_wait_s(0, aht_s, agents) == 0.0


def test_bad_figures():
    for position, aht_s, agents in ((-1, 1.0, 1.0), (1, -1.0, 1.0), (1, 1.0, -1.0)):
        with pytest.raises(ConfigurationError, match="none of them is below 0"):
            expected_wait_s(position, aht_s, agents)
    with pytest.raises(ConfigurationError, match="no load is below 0"):
        agents_worth("a", [({"a"}, 1)], {"a": -1.0})
    with pytest.raises(ConfigurationError, match="staff has -1 agents"):
        agents_worth("a", [({"a"}, -1)], {})
