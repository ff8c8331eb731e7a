"""Taking effects out must be the same as putting a dummy in for each of them."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.linear import TwoWay, collinear, grid, least_squares, sum_by

UNITS, PERIODS = 7, 9


def ragged(seed: int, gaps: float = 0.25, weighted: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights of a panel with gaps."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.3, 3.0, (UNITS, PERIODS)) if weighted else np.ones((UNITS, PERIODS))
    weights[rng.random((UNITS, PERIODS)) < gaps] = 0.0
    return rng.normal(20, 5, (UNITS, PERIODS)), weights


def dummies(weights: np.ndarray) -> np.ndarray:
    """A column for each unit and each period but the first, one row a cell with weight."""
    i, t = np.nonzero(weights)
    return np.column_stack([i[:, None] == np.arange(UNITS), t[:, None] == np.arange(1, PERIODS)]).astype(
        float
    )


def by_dummies(y: np.ndarray, x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of x (last columns) and residuals of weighted least squares with every dummy."""
    there = weights > 0
    columns = np.column_stack([dummies(weights), *(v[there] for v in x)])
    root = np.sqrt(weights[there])
    coef = np.linalg.lstsq(columns * root[:, None], y[there] * root, rcond=None)[0]
    return coef[len(coef) - len(x) :], y[there] - columns @ coef


@pytest.mark.parametrize("weighted", [False, True])
def test_absorbing_leaves_the_residual_of_a_regression_on_all_dummies(weighted: bool) -> None:
    y, weights = ragged(1, weighted=weighted)
    _, residuals = by_dummies(y, np.zeros((0, UNITS, PERIODS)), weights)
    left = TwoWay(weights).absorb(y)
    np.testing.assert_allclose(left[weights > 0], residuals, atol=1e-10)
    assert np.all(left[weights == 0] == 0)


def test_on_a_balanced_panel_absorbing_is_double_demeaning() -> None:
    y, weights = ragged(2, gaps=0.0, weighted=False)
    expected = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
    np.testing.assert_allclose(TwoWay(weights).absorb(y), expected, atol=1e-12)


def test_a_panel_in_two_pieces_has_effects_of_its_own_in_each() -> None:
    y, weights = ragged(3, gaps=0.0)
    weights[:3, 5:] = 0.0
    weights[3:, :5] = 0.0
    left = TwoWay(weights).absorb(y)
    whole = TwoWay(weights[:3, :5]).absorb(y[:3, :5])
    np.testing.assert_allclose(left[:3, :5], whole, atol=1e-10)


def test_coefficients_and_residuals_equal_those_with_dummies() -> None:
    y, weights = ragged(4)
    x = np.random.default_rng(5).normal(size=(2, UNITS, PERIODS))
    coef, residuals = by_dummies(y, x, weights)
    fit = least_squares(y, x, TwoWay(weights))
    np.testing.assert_allclose(fit.coef, coef, rtol=1e-10)
    np.testing.assert_allclose(fit.residuals[weights > 0], residuals, atol=1e-10)


def test_loadings_give_the_coefficients_from_the_raw_outcome() -> None:
    y, weights = ragged(6)
    x = np.random.default_rng(7).normal(size=(2, UNITS, PERIODS))
    fit = least_squares(y, x, TwoWay(weights))
    np.testing.assert_allclose((fit.loadings * y).sum(axis=(1, 2)), fit.coef, rtol=1e-9)
    alone = least_squares(y, x[:1], TwoWay(weights))
    np.testing.assert_allclose(fit.loadings_alone(1), alone.loadings, atol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "which"),
    [
        (lambda x: np.broadcast_to(np.arange(UNITS)[:, None], x.shape), 1),  # constant within units
        (lambda x: np.broadcast_to(np.arange(PERIODS)[None, :], x.shape), 1),  # the same in all units
        (lambda x: 3 * x + 2, 1),  # repeats the one before it
    ],
)
def test_a_regressor_that_the_effects_already_hold_is_named(spoil, which: int) -> None:  # type: ignore[no-untyped-def]
    y, weights = ragged(8)
    x = np.random.default_rng(9).normal(size=(UNITS, PERIODS))
    columns = np.array([x, spoil(x)], dtype=float)
    effects = TwoWay(weights)
    assert collinear(columns, effects.absorb(columns), weights) == [which]
    with pytest.raises(EstimationError, match=f"regressor {which}"):
        least_squares(y, columns, effects)


def test_nothing_is_collinear_among_unrelated_columns_of_very_different_size() -> None:
    _, weights = ragged(10)
    x = np.random.default_rng(11).normal(size=(2, UNITS, PERIODS)) * np.array([1e-6, 1e6])[:, None, None]
    assert collinear(x, TwoWay(weights).absorb(x), weights) == []


def test_rows_land_in_their_cells_and_the_rest_is_0() -> None:
    placed = grid(np.array([5.0, 7.0]), np.array([1, 0]), np.array([2, 0]), (2, 3))
    np.testing.assert_array_equal(placed, [[7, 0, 0], [0, 0, 5]])


def test_sums_by_group_do_not_depend_on_the_order_of_rows() -> None:
    np.testing.assert_array_equal(sum_by(np.array([[1.0, 2, 3, 4]]), np.array([1, 0, 1, 0])), [[6, 4]])
