"""Choices under uncertainty by hand, against R BCEA on the same draws, and against answers that are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ucimpact.economics import uncertainty as u
from ucimpact.words.decision import normal_loss

REFERENCE = Path(__file__).parents[1] / "reference"
CASES = {c["id"]: c["values"] for c in json.loads((REFERENCE / "sim_psa_bcea.json").read_text())["cases"]}
DRAWS = pd.read_csv(REFERENCE / "sim_psa.csv")
OPTIONS = {"all3": ["usual", "a", "b"], "a_vs_usual": ["usual", "a"]}
EFFECTS = np.array([[1.0, 2.0], [2.0, 2.0]])
COSTS = np.array([[0.0, 30.0], [0.0, 10.0]])


def draws(case):
    return tuple(DRAWS[[f"{kind}_{name}" for name in OPTIONS[case]]].to_numpy() for kind in "ec")


def told(values):
    return [list(row.values()) if isinstance(row, dict) else [row] for row in values]


@pytest.mark.parametrize("case", CASES)
def test_as_bcea_on_the_same_draws(case):
    wanted, (effects, costs) = CASES[case], draws(case)
    k = np.array(wanted["k"], float)
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(u.icer(effects, costs, 1), np.atleast_1d(wanted["icer"]), **close)
    for name, values in (("mean_delta_e", effects), ("mean_delta_c", costs)):
        means = wanted[name].values() if isinstance(wanted[name], dict) else wanted[name]
        np.testing.assert_allclose(u.differences(values, 1).mean(axis=0), list(means), **close)
    np.testing.assert_allclose(u.incremental_benefit(effects, costs, k, 1), told(wanted["eib"]), **close)
    np.testing.assert_allclose(u.acceptability(effects, costs, k, 1), told(wanted["ceac"]), **close)
    np.testing.assert_allclose(u.perfect_information(effects, costs, k), wanted["evpi"], **close)
    np.testing.assert_array_equal(u.best(effects, costs, k) + 1, wanted["best"])
    assert set(wanted) == {"icer", "k", "eib", "ceac", "evpi", "best", "mean_delta_e", "mean_delta_c"}


def test_two_draws_by_hand():
    """At 20 a unit: benefits 20 and 10, then 40 and 30. The second costs 20 more for 0.5 more: 40 a unit."""
    at = np.array([20.0, 60.0])
    np.testing.assert_array_equal(u.net_benefit(EFFECTS, COSTS, 20.0), [[20, 10], [40, 30]])
    assert u.icer(EFFECTS, COSTS, 1) == pytest.approx([40.0])
    assert u.incremental_benefit(EFFECTS, COSTS, at, 1)[:, 0].tolist() == [-10.0, 10.0]
    assert u.acceptability(EFFECTS, COSTS, at, 1)[:, 0].tolist() == [0.0, 0.5]
    assert u.best(EFFECTS, COSTS, at).tolist() == [0, 1]
    assert u.perfect_information(EFFECTS, COSTS, at).tolist() == [0.0, 5.0]


def test_what_knowing_is_worth_by_hand():
    """Two equally likely draws: (0, 10) and (0, -4). Chosen today: the second, worth 3. Known: (10 + 0)/2 = 5."""
    assert u.worth_of_knowing(np.array([[0.0, 10.0], [0.0, -4.0]])) == 2.0


def test_the_frontier_is_the_curve_of_the_option_chosen():
    effects, costs = draws("all3")
    k = np.arange(0.0, 60_000, 5_000)
    every = u.chances_best(effects, costs, k)
    np.testing.assert_allclose(every.sum(axis=1), 1)
    np.testing.assert_array_equal(u.frontier(effects, costs, k), [row[d] for row, d in zip(every, u.best(effects, costs, k), strict=True)])  # fmt: skip
    np.testing.assert_allclose(u.acceptability(*draws("a_vs_usual"), k, 1)[:, 0], u.chances_best(*draws("a_vs_usual"), k)[:, 1])  # fmt: skip


@pytest.mark.parametrize("mean", [-1.0, 0.0, 0.7])
def test_knowing_one_part_of_a_sum_is_worth_what_the_unit_normal_loss_says(mean):
    """Benefit m + 2x + y with unit normals: knowing x, s = 2; knowing both, s = root 5."""
    n = 40_000
    rng = np.random.default_rng(3)
    x = norm.ppf((rng.permutation(n) + 0.5) / n)
    y = norm.ppf((rng.permutation(n) + 0.5) / n)
    benefits = np.column_stack([np.zeros(n), mean + 2 * x + y])
    assert u.partial_information(benefits, x) == pytest.approx(2 * normal_loss(abs(mean) / 2), abs=0.01)
    both = u.partial_information(benefits, np.column_stack([x, y]))
    assert both == pytest.approx(np.sqrt(5) * normal_loss(abs(mean) / np.sqrt(5)), abs=0.01)
    assert both == pytest.approx(u.worth_of_knowing(benefits), rel=1e-6)
    exact = np.column_stack([np.zeros(n), mean + 2 * x])
    assert u.worth_of_knowing(exact) == pytest.approx(2 * normal_loss(abs(mean) / 2), abs=0.002)


def test_a_bent_benefit_of_two_inputs_is_found_by_the_regression():
    """x y + noise: known x and y, E max(0, xy) = E|x| E|y| / 2 = 1/pi; x alone says nothing."""
    n = 40_000
    rng = np.random.default_rng(7)
    x, y, noise = rng.standard_normal((3, n))
    benefits = np.column_stack([np.zeros(n), x * y + 3 * noise])
    assert u.partial_information(benefits, np.column_stack([x, y])) == pytest.approx(1 / np.pi, abs=0.03)
    assert u.partial_information(benefits, x) < 0.04


def test_a_square_is_found_by_the_spline_and_what_never_varies_is_worth_nothing():
    """x^2 - 1: E max(0, x^2 - 1) = 2 phi(1) for a unit normal."""
    n = 40_000
    x = norm.ppf((np.arange(n) + 0.5) / n)
    benefits = np.column_stack([np.zeros(n), x**2 - 1])
    assert u.partial_information(benefits, x) == pytest.approx(2 * norm.pdf(1), abs=0.01)
    assert u.partial_information(benefits, np.ones(n)) == 0.0


def test_too_many_inputs_at_once_are_refused():
    with pytest.raises(ValueError, match="up to 3 inputs"):
        u.partial_information(np.zeros((10, 2)), np.zeros((10, 4)))
