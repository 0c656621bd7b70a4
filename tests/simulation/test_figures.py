"""The counting of waits, and the method of batch means."""

from __future__ import annotations

import random
import statistics

import pytest

from cti.simulation.batch_means import BATCHES, T_99, BatchMeans
from cti.simulation.waits import LONGEST_S, RESOLUTION_S, Waits


def test_percentiles_are_those_of_the_sorted_waits_to_the_resolution():
    chance = random.Random(1)
    made = [chance.expovariate(1 / 30) for _ in range(5000)]
    waits = Waits()
    for wait in made:
        waits.add(wait)
    made.sort()
    for share in (0.5, 0.9, 0.95, 0.99, 1.0):
        exact = made[max(0, round(share * len(made)) - 1)]
        assert exact <= waits.percentile_s(share) <= exact + RESOLUTION_S + 1e-9
    assert waits.mean_s == pytest.approx(statistics.fmean(made))
    assert waits.longest_s == made[-1]


def test_no_waits_have_no_mean():
    waits = Waits()
    assert waits.mean_s is None
    assert waits.percentile_s(0.5) is None


def test_the_longest_waits_are_not_lost():
    waits = Waits()
    for wait in (0.0, 10 * LONGEST_S, 20 * LONGEST_S):
        waits.add(wait)
    assert waits.count == 3
    assert waits.percentile_s(0.99) == waits.longest_s == 20 * LONGEST_S
    assert waits.mean_s == 10 * LONGEST_S


def test_the_first_batch_is_left_out_and_the_others_weigh_the_same():
    batches = BatchMeans(40)
    for number in range(1, 41):
        batches.add(number, 1000.0 if number <= 2 else float((number - 1) // 2))
    means = [float(n) for n in range(1, BATCHES)]
    assert batches.mean == pytest.approx(statistics.fmean(means))
    expected = T_99 * statistics.stdev(means) / len(means) ** 0.5
    assert batches.half_width == pytest.approx(expected)


def test_a_run_too_short_has_no_interval():
    batches = BatchMeans(5)
    for number in range(1, 6):
        batches.add(number, 1.0)
    assert batches.mean is None
    assert batches.half_width is None


def test_the_interval_holds_the_mean_99_times_in_100():
    chance = random.Random(3)
    held = 0
    for _ in range(300):
        batches = BatchMeans(400)
        for number in range(1, 401):
            batches.add(number, chance.expovariate(1.0))
        held += abs(batches.mean - 1.0) <= batches.half_width
    assert held >= 290
