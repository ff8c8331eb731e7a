"""statsmodels fits the null, brute force sums the scores, and the size is measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import statsmodels.api as sm

from ucimpact.errors import UsageError
from ucimpact.inference.score_bootstrap import NullScores, ScoreBootstrap, poisson_null


def counts(seed: int, units: int = 8, treated: int = 3, periods: int = 6) -> tuple[np.ndarray, ...]:
    """Outcome, pilot, period dummies, unit and log exposure of a small panel of counts."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), periods)
    period = np.tile(np.arange(periods), units)
    pilot = ((unit < treated) & (period >= periods // 2)).astype(float)
    offset = np.log(rng.uniform(500, 4000, units))[unit]
    drift = rng.normal(0, 0.1, (units, periods)).cumsum(axis=1).ravel() + rng.normal(0, 0.2, units)[unit]
    y = rng.poisson(np.exp(offset - 5 + drift)).astype(float)
    return y, pilot, np.eye(periods)[period][:, 1:], unit, offset


def test_unit_effects_taken_out_give_the_scores_of_a_fit_with_dummies() -> None:
    y, pilot, periods, unit, offset = counts(1)
    place = unit // 2
    within = poisson_null(y, pilot, periods, place, 0.2, offset=offset, nested=unit)
    z = np.column_stack([np.eye(8)[unit], periods])
    fit = sm.GLM(y, z, family=sm.families.Poisson(), offset=offset + 0.2 * pilot).fit(tol=1e-14)
    x, mu = np.column_stack([z, pilot]), fit.mu
    information = np.linalg.inv((x * mu[:, None]).T @ x)
    whole = np.array([information[-1] @ (x[place == g].T @ (y - mu)[place == g]) for g in range(4)])
    bread = np.linalg.inv(within.grams.sum(axis=0))
    np.testing.assert_allclose(within.scores @ bread[-1], whole, rtol=1e-7)
    assert np.abs(within.scores[:, :-1].sum(axis=0)).max() < 1e-6  # the others are at their best


def test_dummies_among_the_columns_give_the_draws_that_unit_effects_give() -> None:
    y, pilot, periods, unit, offset = counts(2)
    one = poisson_null(y, pilot, periods, unit, 0.1, offset=offset, nested=unit)
    z = np.column_stack([np.eye(8)[unit], periods])
    two = poisson_null(y, pilot, z, unit, 0.1, offset=offset)
    three = poisson_null(y, pilot, z, unit, 0.1, offset=offset, weights=np.full(len(y), 3.0))
    for other in (two, three):
        assert ScoreBootstrap().p_value(one) == ScoreBootstrap().p_value(other)


def test_by_brute_force_for_two_groups_of_one_number_a_place() -> None:
    """Counts after of a total, log odds imposed: scores are y - pn less the group's part of their sum."""
    rng = np.random.default_rng(3)
    n, w = rng.integers(200, 900, 7).astype(float), (np.arange(7) < 3).astype(float)
    y = rng.binomial(n.astype(int), 0.45).astype(float)
    p = y.sum() / n.sum()
    scores = (y - p * n)[:, None] * np.column_stack([np.ones(7), w])
    info = p * n
    grams = info[:, None, None] * np.array([np.outer(row, row) for row in np.column_stack([np.ones(7), w])])
    share = (info * w).sum() / info.sum()
    t = []
    for v in itertools.product([1, -1], repeat=7):
        signed = np.array(v) * (y - p * n)
        refitted = signed - info / info.sum() * signed.sum()  # the intercept follows the draw
        t.append(((w - share) * signed).sum() / np.sqrt((((w - share) * refitted) ** 2).sum()))
    null = NullScores(scores, grams, np.array([0.0, 1.0]))
    expected = np.mean(np.abs(t) >= abs(t[0]) * (1 - 1e-9))
    assert ScoreBootstrap().p_value(null) == expected
    assert ScoreBootstrap().p_value(null, ties=False) == pytest.approx(expected - 2 / 128)


@pytest.mark.parametrize("weights", ["rademacher", "webb"])
def test_the_p_value_crosses_its_level_at_the_ends_of_the_interval(weights: str) -> None:
    y, pilot, periods, unit, offset = counts(4, units=14, treated=6)

    def null(value: float) -> NullScores:
        return poisson_null(y, pilot, periods, unit, value, offset=offset, nested=unit)

    test = ScoreBootstrap(weights=weights, draws=999)  # type: ignore[arg-type]
    z = np.column_stack([np.eye(14)[unit], periods, pilot])
    fit = sm.GLM(y, z, family=sm.families.Poisson(), offset=offset).fit()
    low, high = test.interval(null, fit.params[-1], fit.bse[-1], 0.9)
    assert low < fit.params[-1] < high
    for inside, outside in ((low + 1e-5, low - 1e-5), (high - 1e-5, high + 1e-5)):
        assert test.p_value(null(inside)) > 0.1 >= test.p_value(null(outside))


@pytest.mark.parametrize(("units", "treated", "tolerance"), [(12, 6, 0.035), (40, 15, 0.035)])
def test_few_and_many_places_hold_their_false_positives(units: int, treated: int, tolerance: float) -> None:
    """300 panels without an effect: 5% with a standard error of 1.3 points."""
    test = ScoreBootstrap(draws=399)
    refused = 0
    for seed in range(300):
        y, pilot, periods, unit, offset = counts(seed + 100, units, treated)
        null = poisson_null(y, pilot, periods, unit, 0.0, offset=offset, nested=unit)
        refused += test.p_value(null) <= 0.05
    assert refused / 300 == pytest.approx(0.05, abs=tolerance)


def test_units_without_events_add_nothing() -> None:
    y, pilot, periods, unit, offset = counts(5)
    y = np.where(unit == 7, 0.0, y)
    null = poisson_null(y, pilot, periods, unit, 0.0, offset=offset, nested=unit)
    assert np.all(null.scores[7] == 0) and np.all(null.grams[7] == 0)
    assert 0 < ScoreBootstrap().p_value(null) <= 1


def test_choices_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="draws = 10: 99 is the least"):
        ScoreBootstrap(draws=10)
    with pytest.raises(UsageError, match="give one of rademacher"):
        ScoreBootstrap(weights="normal")  # type: ignore[arg-type]
