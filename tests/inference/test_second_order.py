"""The average over AR(2) errors against dense matrices, an integral, and errors of known order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import block_diag, toeplitz
from scipy.special import stdtr

from tests.ar1_series import segmented
from ucimpact.inference.mixture import normalised
from ucimpact.inference.second_order import (
    LEAST_FOR_NOISE,
    NOISE_RHOS,
    NOISE_SHARES,
    RHOS,
    SECONDS,
    log_priors,
    second_order,
)


def correlation(n: int, rho: float, second: float) -> np.ndarray:
    """Autocorrelation of an AR(2) from the Yule-Walker recursion, as a matrix."""
    acf = np.ones(n)
    acf[1] = rho
    for k in range(2, n):
        acf[k] = rho * (1 - second) * acf[k - 1] + second * acf[k - 2]
    return np.asarray(toeplitz(acf))


def by_dense_matrices(
    y: np.ndarray, x: np.ndarray, contrast: np.ndarray, lengths: list[int]
) -> tuple[float, float]:
    """Chance below 0 and posterior mean, with every matrix written out."""
    n, p = x.shape
    df = n - p - 1
    # the variance of a period is over that of what is new in it, but for the cells behind noise
    cells = [
        block_diag(*(correlation(k, rho, second) for k in lengths)) / ((1 - rho**2) * (1 - second**2))
        for rho in RHOS
        for second in SECONDS
    ]
    if n >= LEAST_FOR_NOISE:
        cells += [
            (1 - share) * np.eye(n) + share * block_diag(*(correlation(k, rho, 0.0) for k in lengths))
            for rho in NOISE_RHOS
            for share in NOISE_SHARES
        ]
    logs, chances, centres = [], [], []
    for v in cells:
        w = np.linalg.inv(v)
        information = x.T @ w @ x
        coef = np.linalg.solve(information, x.T @ w @ y)
        squares = (y - x @ coef) @ w @ (y - x @ coef)
        sizes = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
        logs.append(-0.5 * (sizes + df * np.log(squares)))
        scale = np.sqrt(squares / df * (contrast @ np.linalg.solve(information, contrast)))
        chances.append(stdtr(df, -contrast @ coef / scale))
        centres.append(contrast @ coef)
    weights = normalised(np.array(logs) + log_priors(n))
    return float(weights @ chances), float(weights @ centres)


@pytest.mark.parametrize("lengths", [[40], [23, 17], [96], [60, 40]])
def test_every_cell_is_that_of_the_dense_matrix(lengths: list[int]) -> None:
    n = sum(lengths)
    x, rng = segmented(n, 24), np.random.default_rng(5)
    y = 900 + x @ np.array([2.0, 0.1, -1.0, 0.05, 3.0, 1.0]) + rng.standard_normal(n)
    contrast = np.array([0, 0, 1.0, 7.5, 0, 0])
    found = second_order(y, x, lengths)
    chance, centre = by_dense_matrices(y, x, contrast, lengths)
    assert found.below(contrast)[0] == pytest.approx(chance, rel=1e-8)
    assert float(found.weights @ found.coef @ contrast) == pytest.approx(centre, rel=1e-8)
    if len(lengths) == 1:
        np.testing.assert_allclose(second_order(y, x).coef, found.coef, rtol=1e-12)


def test_the_prior_is_flat_in_rho_and_normal_in_the_second() -> None:
    prior = np.exp(log_priors(48)).reshape(len(RHOS), len(SECONDS))
    np.testing.assert_allclose(prior[:, 2].sum() / prior[5, 2], 1.7 / (0.625 - 0.475))
    np.testing.assert_allclose(prior[0, 4] / prior[0, 2], np.exp(-0.5 * (0.3 / 0.2) ** 2))


def test_behind_noise_has_a_25th_of_the_prior_of_a_long_series_and_none_of_a_short_one() -> None:
    assert np.exp(log_priors(95)).sum() == pytest.approx(1.0)
    assert len(log_priors(95)) == len(RHOS) * len(SECONDS)
    long = np.exp(log_priors(96))
    assert long.sum() == pytest.approx(1.0)
    assert long[len(RHOS) * len(SECONDS) :].sum() == pytest.approx(0.04)


def test_units_and_a_large_mean_change_nothing() -> None:
    x = segmented(48, 30)
    y = np.random.default_rng(1).standard_normal(48)
    contrast = np.array([0, 0, 1.0, 0, 0, 0])
    limits = second_order(y, x).limits(contrast, 0.95)
    scales = np.array([1, 1e6, 1e-3, 1e4, 1, 1])
    moved = second_order(1e4 * y + 1e9 * x[:, 0], x * scales).limits(contrast, 0.95)
    np.testing.assert_allclose(moved * 1e-3, 1e4 * limits, rtol=1e-6)


TRUTHS = {
    "AR(1), rho 0.6": correlation(60, 0.6, 0.0),
    "AR(2), rho 0.3": correlation(60, 0.3, 0.25),
    "AR(1) and 40% noise": 0.6 * correlation(60, 0.6, 0.0) + 0.4 * np.eye(60),
}


def test_a_long_series_sees_a_memory_that_fades_slowly_behind_noise() -> None:
    """1,000 series of 192 points: two standard errors are 1.4 points. The AR(2) cells alone cover 90%."""
    x, rng = segmented(192, 115), np.random.default_rng(9)
    v = 0.6 * correlation(192, 0.8, 0.0) + 0.4 * np.eye(192)
    errors = np.linalg.cholesky(v) @ rng.standard_normal((192, 1000))
    contrasts = np.array([[0, 0, 0, 1.0, 0, 0], [0, 0, 1.0, 38, 0, 0]])
    below = np.array([second_order(y, x).below(contrasts) for y in errors.T])
    cover = ((below > 0.025) & (below < 0.975)).mean(axis=0)
    assert cover.min() > 0.922
    assert cover.max() < 0.975


@pytest.mark.parametrize("truth", TRUTHS)
def test_it_covers_whatever_the_order_of_the_errors(truth: str) -> None:
    """2,000 series: two standard errors are 1.1 points; an AR(1) interval covers 87% of the AR(2)."""
    x, rng = segmented(60, 36), np.random.default_rng(8)
    errors = np.linalg.cholesky(TRUTHS[truth]) @ rng.standard_normal((60, 2000))
    contrasts = np.array([[0, 0, 1.0, 0, 0, 0], [0, 0, 0, 1.0, 0, 0], [0, 0, 1.0, 11.5, 0, 0]])
    below = np.array([second_order(y, x).below(contrasts) for y in errors.T])
    cover = ((below > 0.025) & (below < 0.975)).mean(axis=0)
    assert cover.min() > 0.92
    assert cover.max() < 0.99
