"""A mixture of t distributions against numerical integration, and its weights against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.ar1_series import ar1, correlation, segmented
from ucimpact.inference.mixture import (
    NOISE_RHOS,
    NOISE_SHARES,
    TMixture,
    ar1_plus_noise,
    cell_widths,
    normalised,
)
from ucimpact.inference.timeseries import AVERAGED, Reml


def one_coefficient(weights: list[float], centres: list[float], scales: list[float], df: int) -> TMixture:
    return TMixture(
        weights=np.array(weights),
        coef=np.array(centres)[:, None],
        cov=np.array(scales)[:, None, None] ** 2,
        df=df,
    )


def test_one_cell_is_a_t_interval() -> None:
    mixture = one_coefficient([1.0], [3.0], [2.0], 7)
    low, high = mixture.limits(np.eye(1), 0.9)[0]
    assert (low, high) == pytest.approx(stats.t(7, 3, 2).interval(0.9))
    assert mixture.below(np.eye(1))[0] == pytest.approx(stats.t(7, 3, 2).cdf(0))


def test_limits_leave_out_as_much_as_they_say() -> None:
    weights, centres, scales = [0.7, 0.25, 0.05], [0.0, 4.0, -30.0], [1.0, 0.2, 9.0]
    mixture = one_coefficient(weights, centres, scales, 5)
    cells = [stats.t(5, m, s) for m, s in zip(centres, scales, strict=True)]
    for level in (0.5, 0.95, 0.999):
        low, high = mixture.limits(np.eye(1), level)[0]
        below = sum(w * cell.cdf(low) for w, cell in zip(weights, cells, strict=True))
        above = sum(w * cell.sf(high) for w, cell in zip(weights, cells, strict=True))
        assert (below, above) == pytest.approx(((1 - level) / 2, (1 - level) / 2), rel=1e-6)


def test_limits_turn_with_the_sign_and_stretch_with_the_scale() -> None:
    mixture = one_coefficient([0.6, 0.4], [1.0, 5.0], [1.0, 3.0], 9)
    low, high = mixture.limits(np.eye(1), 0.95)[0]
    assert mixture.limits(-2 * np.eye(1), 0.95)[0] == pytest.approx((-2 * high, -2 * low))


def test_the_weights_over_rho_are_those_of_the_integrated_likelihood() -> None:
    n, x = 30, segmented(30, 18)[:, :4]
    y = ar1(np.random.default_rng(2), n, 0.4)
    logs = []
    for rho in AVERAGED:
        w = np.linalg.inv(correlation(n, rho))
        information = x.T @ w @ x
        rest = y - x @ np.linalg.solve(information, x.T @ w @ y)
        size = -np.linalg.slogdet(w)[1] + np.linalg.slogdet(information)[1]
        # On even steps of arcsin(rho) the prior (1 - rho^2)^(-1/2) times the step is a constant.
        logs.append(-0.5 * (size + (n - 4) * np.log(rest @ w @ rest)))
    averaged = Reml().of(y, x).averaged
    np.testing.assert_allclose(averaged.weights, normalised(np.array(logs)), rtol=1e-7, atol=1e-14)
    assert averaged.weights.sum() == pytest.approx(1)


def test_averaging_over_rho_changes_little_where_the_series_is_long() -> None:
    x = segmented(1500, 900)
    fit = Reml().of(ar1(np.random.default_rng(4), 1500, 0.4), x)
    contrasts = np.eye(6)[2:4]
    np.testing.assert_allclose(
        fit.averaged.limits(contrasts, 0.95), fit.limits(contrasts, 0.95), atol=0.03 * fit.sigma
    )


def test_ar1_plus_noise_is_what_dense_matrices_give() -> None:
    n, x = 50, segmented(50, 30)
    y = 200 + ar1(np.random.default_rng(6), n, 0.5) + np.random.default_rng(7).standard_normal(n)
    mixture = ar1_plus_noise(y, x)
    logs, cell = [], 0
    for rho, d_rho in zip(NOISE_RHOS, cell_widths(NOISE_RHOS, -1, 1), strict=True):
        for share, d_share in zip(NOISE_SHARES, cell_widths(NOISE_SHARES, 0, 1), strict=True):
            v = (1 - share) * np.eye(n) + share * correlation(n, rho)
            w = np.linalg.inv(v)
            cov = np.linalg.inv(x.T @ w @ x)
            coef = cov @ x.T @ w @ y
            squares = (y - x @ coef) @ w @ (y - x @ coef)
            np.testing.assert_allclose(mixture.coef[cell], coef, rtol=1e-7)
            np.testing.assert_allclose(mixture.cov[cell], squares / (n - 6) * cov, rtol=1e-6, atol=1e-12)
            size = np.linalg.slogdet(v)[1] - np.linalg.slogdet(cov)[1]
            prior = (1 + rho) * share * d_rho * d_share
            logs.append(-0.5 * (size + (n - 6) * np.log(squares)) + np.log(prior))
            cell += 1
    np.testing.assert_allclose(mixture.weights, normalised(np.array(logs)), rtol=1e-6, atol=1e-12)


def test_cells_share_out_the_whole_range() -> None:
    assert cell_widths(np.array([0.2, 0.5, 0.8, 1.0]), 0, 1) == pytest.approx([0.35, 0.3, 0.25, 0.1])
    assert cell_widths(NOISE_RHOS, -1, 1).sum() == pytest.approx(2)
