"""Odds weights by hand, and censoring against a sum over every day."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference import trial_weights


def test_odds_by_hand():
    chance = np.array([0.5, 0.2, 0.5, 0.1, 0.9, 0.3])
    started = np.array([True, False, False, False, True, False])
    day = np.array([4, 4, 4, 7, 9, 9])
    weight = trial_weights.odds(chance, started, day)
    # Day 4: odds 0.25 and 1, so 1/5 and 4/5 of the one who starts; day 7 has nobody who starts.
    np.testing.assert_allclose(weight, [1, 0.2, 0.8, 0, 1, 1])


def test_comparison_rows_of_a_day_weigh_as_much_as_those_who_start():
    rng = np.random.default_rng(1)
    chance, day = rng.uniform(0.01, 0.4, 500), rng.integers(0, 6, 500)
    started = rng.random(500) < chance
    weight = trial_weights.odds(chance, started, day)
    np.testing.assert_allclose(
        np.bincount(day[~started], weight[~started]), np.bincount(day[started]), rtol=1e-12
    )


def test_a_day_without_comparison_rows_has_no_weight():
    weight = trial_weights.odds(np.array([0.5, 0.5]), np.array([True, True]), np.array([1, 1]))
    assert not weight.any()


def test_effective_sample_and_largest_share():
    assert trial_weights.effective(np.ones(7)) == pytest.approx(7)
    assert trial_weights.effective(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert trial_weights.largest_share(np.array([3.0, 1.0])) == 0.75


def day_by_day(unit, day, chance, ends, events):
    """Every day of follow-up with its own weight: the definition, slowly."""
    total, time, last = [], [], []
    for i in range(len(unit)):
        weight, sums, at_risk = 1.0, 0.0, 0.0
        for t in range(day[i] + 1, ends[i] + 1):
            before = (unit == unit[i]) & (day > day[i]) & (day < t)
            weight = 1 / np.prod(1 - chance[before])
            sums += weight * events[unit[i]].count(t)
            at_risk += weight
        total.append(sums)
        time.append(at_risk)
        last.append(weight)
    return total, time, last


def test_censoring_is_a_weight_on_every_day():
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(12), 8)
    day = np.concatenate([np.sort(rng.choice(40, 8, replace=False)) for _ in range(12)])
    chance = rng.uniform(0.02, 0.5, len(unit))
    ends = day + rng.integers(0, 60, len(unit))
    events = {u: rng.integers(0, 90, 15).tolist() for u in range(12)}

    def count(rows, after, up_to):
        return np.array(
            [sum(a < t <= b for t in events[unit[r]]) for r, a, b in zip(rows, after, up_to, strict=True)],
            dtype=float,
        )

    mixed = rng.permutation(len(unit))
    unit, day, chance, ends = unit[mixed], day[mixed], chance[mixed], ends[mixed]
    steps = trial_weights.Steps.of(unit, day, chance)
    found = steps.measured(ends, np.ones(len(unit), dtype=bool), count)
    for one, other in zip(found, day_by_day(unit, day, chance, ends, events), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_rows_that_are_not_asked_for_weigh_one():
    unit, day, chance = np.zeros(3, int), np.array([0, 5, 9]), np.array([0.1, 0.5, 0.5])
    steps = trial_weights.Steps.of(unit, day, chance)
    wanted = np.array([False, True, True])
    total, time, last = steps.measured(
        day + 20, wanted, lambda _, after, up_to: (up_to - after).astype(float)
    )
    np.testing.assert_allclose(time, [20, 4 + 2 * 16, 20])
    np.testing.assert_allclose(total, time)
    np.testing.assert_allclose(last, [1, 2, 1])


def test_weights_that_carry_no_answer():
    plain = np.ones(100)
    assert trial_weights.enough(plain * 3, plain) is None
    uneven = np.where(np.arange(100) < 4, 10.0, 0.1)
    assert "half" in trial_weights.enough(uneven, plain)
    one = np.where(np.arange(100) < 1, 8.0, 1.0)
    assert "7%" in trial_weights.enough(one, plain)
    with pytest.raises(EstimationError):
        trial_weights.enough(np.array([np.inf, 1.0]), np.ones(2))
