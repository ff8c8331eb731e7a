"""The hazard against scipy's own optimum, intercepts that are never columns, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from ucimpact.errors import EstimationError
from ucimpact.inference import trial_hazard


def drawn(seed: int, n: int = 1500, days: int = 5, groups: int = 7):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(70, 8, n), rng.poisson(1.0, n), rng.integers(0, 2, n)]).astype(float)
    day, group = rng.integers(0, days, n), rng.integers(0, groups, n)
    linear = -2 - 0.2 * day + 0.15 * group + 0.03 * (x[:, 0] - 70) + 0.4 * x[:, 1]
    return x, rng.random(n) < expit(linear), day, group


def by_columns(x, started, day, group):
    """The same model with a column for every day and group, by a general optimiser."""
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    parts = [standard, np.eye(day.max() + 1)[day]]
    if group is not None:
        parts.append(np.eye(group.max() + 1)[group][:, 1:])
    full = np.column_stack(parts)

    def loss(b):
        eta = full @ b
        return float((np.logaddexp(0, eta) - started * eta).sum()), full.T @ (expit(eta) - started)

    found = minimize(loss, np.zeros(full.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-8})
    return found.x[: x.shape[1]] / x.std(axis=0), expit(full @ found.x)


@pytest.mark.parametrize("days, groups", [(5, 7), (9, 3), (4, None)])
def test_it_is_the_maximum_with_a_column_for_every_intercept(days, groups):
    x, started, day, group = drawn(1, days=days, groups=groups or 2)
    group = None if groups is None else group
    found = trial_hazard.fit(x, started, day, group=group)
    coef, chance = by_columns(x, started, day, group)
    np.testing.assert_allclose(found.coef, coef, atol=2e-5)
    np.testing.assert_allclose(found.chance, chance, atol=2e-5)


def test_each_day_and_group_starts_as_often_as_it_should():
    x, started, day, group = drawn(2)
    found = trial_hazard.fit(x, started, day, group=group)
    for codes in (day, group):
        np.testing.assert_allclose(np.bincount(codes, found.chance), np.bincount(codes, started), atol=1e-8)
    np.testing.assert_allclose(x.T @ (started - found.chance), 0, atol=1e-6)


def test_a_sample_of_those_who_do_not_start_moves_only_the_intercepts():
    rng = np.random.default_rng(3)
    x, started, day, _ = drawn(3, n=60_000, days=3)
    kept = started | (rng.random(len(started)) < 0.2)
    whole = trial_hazard.fit(x, started, day)
    part = trial_hazard.fit(x[kept], started[kept], day[kept])
    spread = x.std(axis=0)
    np.testing.assert_allclose(part.coef * spread, whole.coef * spread, atol=0.03)
    np.testing.assert_allclose((part.linear - whole.linear[kept]).mean(), np.log(5), atol=0.05)


def test_what_says_nothing_more_is_left_out():
    x, started, day, group = drawn(4)
    more = np.column_stack([x, 2 * x[:, 0] - x[:, 1], day, group, np.ones(len(day))])
    found = trial_hazard.fit(more, started, day, group=group)
    assert found.left_out == (3, 4, 5, 6)
    plain = trial_hazard.fit(x, started, day, group=group)
    np.testing.assert_allclose(found.linear, plain.linear, atol=1e-9)


def test_columns_may_be_in_any_unit():
    x, started, day, group = drawn(5)
    one = trial_hazard.fit(x, started, day, group=group)
    other = trial_hazard.fit(1e6 + x * [1e3, 1e-3, 1.0], started, day, group=group)
    np.testing.assert_allclose(other.linear, one.linear, atol=1e-6)


def test_a_column_that_tells_starts_apart_is_named():
    x, started, day, _ = drawn(6)
    with pytest.raises(EstimationError, match="column 3 of the covariates"):
        trial_hazard.fit(np.column_stack([x, started + 0.0]), started, day)


def test_a_day_on_which_nobody_starts_has_no_intercept():
    x, started, day, _ = drawn(7)
    with pytest.raises(EstimationError, match="1 of 5 days"):
        trial_hazard.fit(x, started & (day != 2), day)
    with pytest.raises(EstimationError, match="missing"):
        trial_hazard.fit(np.where(x > 90, np.nan, x), started, day)
