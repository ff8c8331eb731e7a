"""The same draws by a loop, coverage of skewed costs, and a variance that the draws do not hold."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.cost_bootstrap import redraw


def costs(rng: np.random.Generator, sets: int, effect: float = 0.0) -> tuple[np.ndarray, ...]:
    """Pairs of people who are alike in frailty, with costs of which half are 0 and some very large."""
    frail = np.tile(rng.gamma(1.0, 1.0, sets), 2)
    treated = np.arange(2 * sets) < sets
    y = (rng.random(2 * sets) < 0.5) * rng.lognormal(7.0, 1.2, 2 * sets) * (0.5 + frail)
    x = np.column_stack([np.ones(2 * sets), treated])
    return y + effect * treated, x, np.tile(np.arange(sets), 2)


def test_draws_are_those_of_weighted_least_squares_on_the_clusters_drawn() -> None:
    rng = np.random.default_rng(1)
    y, x, sets = costs(rng, 25)
    weights = rng.random(50) + 0.5
    x = np.column_stack([x, rng.normal(80, 7, 50)])
    found = redraw(y, x, 1, weights=weights, clusters=sets, draws=40, seed=9)
    assert found.estimate == pytest.approx(glm.gaussian(y, x, weights).coef[1])
    taken = np.random.default_rng(9).integers(0, 25, (40, 25))
    for draw in (0, 17, 39):
        rows = np.concatenate([np.flatnonzero(sets == one) for one in taken[draw]])
        by_hand = glm.gaussian(y[rows], x[rows], weights[rows]).coef[1]
        assert found.draws[draw] == pytest.approx(by_hand, rel=1e-8)


def test_the_error_is_that_of_pairs_and_the_p_value_that_of_the_limits() -> None:
    rng = np.random.default_rng(2)
    y, x, sets = costs(rng, 400, effect=-150.0)
    found = redraw(y, x, 1, clusters=sets, draws=4000)
    cr1 = np.sqrt(glm.gaussian(y, x).cov("CR1", sets)[1, 1])
    assert found.std_error == pytest.approx(cr1, rel=0.05)
    y[sets == 3] += 90_000 * x[sets == 3, 1]  # one very large cost: limits that lean
    found = redraw(y, x, 1, clusters=sets, draws=4000)
    touching = redraw(y, x, 1, clusters=sets, draws=4000, level=1 - found.p_value)
    assert min(abs(touching.low), abs(touching.high)) < 0.02 * found.std_error
    y[sets == 3] -= 90_000 * x[sets == 3, 1]
    alone = redraw(y, x, 1, draws=2000)
    assert alone.std_error > 1.05 * cr1  # what a pair shares falls out


def test_limits_of_skewed_costs_cover_and_reach_further_on_the_long_side() -> None:
    rng = np.random.default_rng(3)
    covered, longer, even = [], [], []
    for seed in range(300):
        n = 60
        y = np.concatenate([rng.lognormal(6, 1.2, n), rng.lognormal(6, 0.3, n)])
        x = np.column_stack([np.ones(2 * n), np.arange(2 * n) < n])
        truth = np.exp(6 + 0.72) - np.exp(6 + 0.045)
        found = redraw(y, x, 1, draws=600, seed=seed)
        covered.append(found.low <= truth <= found.high)
        fit = glm.gaussian(y, x)
        even.append(abs(fit.coef[1] - truth) < 1.98 * np.sqrt(fit.cov("HC1")[1, 1]))
        longer.append(found.high - found.estimate > found.estimate - found.low)
    assert np.mean(covered) > np.mean(even) + 0.01  # the mean of 60 such costs is low in most samples
    assert np.mean(covered) == pytest.approx(0.91, abs=0.04)
    assert np.mean(longer) > 0.95


def test_stretched_is_wider_about_its_estimate_and_less_sure() -> None:
    y, x, sets = costs(np.random.default_rng(4), 200, effect=-700.0)
    found = redraw(y, x, 1, clusters=sets, draws=800)
    wide = found.stretched(2.0)
    assert wide.high - wide.estimate == pytest.approx(2 * (found.high - found.estimate))
    assert wide.std_error == 2 * found.std_error and wide.p_value > found.p_value
    assert found.stretched(1.0) is found


def test_few_clusters_and_columns_that_repeat_are_refused() -> None:
    y, x, sets = costs(np.random.default_rng(5), 30)
    with pytest.raises(EstimationError, match="19 clusters are too few"):
        redraw(y, x, 1, clusters=np.arange(60) % 19)
    with pytest.raises(EstimationError, match="combination"):
        redraw(y, np.column_stack([x, 2 * x[:, 1]]), 1, clusters=sets)
    with pytest.raises(EstimationError, match="nobody of one group"):
        redraw(y, np.column_stack([np.ones(60), np.arange(60) < 1]), 1)
    rare = np.column_stack([x, np.arange(60) == 7])
    with pytest.raises(EstimationError, match="covariate that is the same for all"):
        redraw(y, rare, 1)


def test_nothing_to_tell_has_no_range() -> None:
    x = np.column_stack([np.ones(40), np.arange(40) < 10])
    found = redraw(np.full(40, 3.0), x, 1, draws=50)
    assert (found.estimate, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-9)
