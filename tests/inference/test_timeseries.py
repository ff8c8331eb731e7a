"""REML AR(1) against R's nlme, against dense matrices, and against numerical derivatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar

from tests.ar1_series import ar1, correlation, segmented
from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.timeseries import LEAST_DF, Ar1Fit, Ols, Reml, Statistics

Arrays = tuple[np.ndarray, np.ndarray]

# R writes sigma^2 (X'R^-1X)^-1 with rho taken as known: our `cov`. Its rho stops at about 3e-8.
GOLDEN = {"rtol": 1e-5}


@pytest.fixture(scope="module")
def series() -> Arrays:
    x = segmented(40, 24)
    y = 300 + x @ np.array([2.0, 0.1, -1.0, 0.05, 3.0, 1.0]) + ar1(np.random.default_rng(3), 40, 0.5)
    return y, x


def dense_deviance(y: np.ndarray, x: np.ndarray, r: np.ndarray) -> float:
    """Restricted deviance of a correlation matrix, sigma profiled out; constants in rho left out."""
    w = np.linalg.inv(r)
    information = x.T @ w @ x
    rest = y - x @ np.linalg.solve(information, x.T @ w @ y)
    return (
        (len(y) - x.shape[1]) * np.log(rest @ w @ rest)
        + np.linalg.slogdet(r)[1]
        + np.linalg.slogdet(information)[1]
    )


# -- R ---------------------------------------------------------------------------------------------


def simulated(reference: Path) -> Arrays:
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    wave = 2 * np.pi * d["period_in_year"] / 12
    x = [np.ones(len(d)), d["time"], d["post"], d["time_since"]]
    x += [np.sin(wave), np.cos(wave), np.sin(2 * wave), np.cos(2 * wave)]
    return d["rate"].to_numpy(), np.column_stack(x).astype(float)


def sicily(shared: Path) -> Arrays:
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    since = np.maximum(d["time"] - 36, 0)  # 1 in the first month after the ban, as in R
    x = np.column_stack([np.ones(len(d)), d["time"], d["smokban"], since]).astype(float)
    return (d["aces"] / d["stdpop"] * 1e5).to_numpy(), x


def assert_as_in_r(fit: Ar1Fit, values: dict) -> None:
    np.testing.assert_allclose(fit.coef, list(values["estimate"].values()), **GOLDEN)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), list(values["se"].values()), **GOLDEN)


def test_ols_is_that_of_r(reference: Path) -> None:
    assert_as_in_r(Ols().of(*simulated(reference)), golden(reference / "sim_its_monthly.json")["ols"])


def test_reml_is_that_of_nlme_gls(reference: Path) -> None:
    values = golden(reference / "sim_its_monthly.json")["gls_ar1"]
    fit = Reml().of(*simulated(reference))
    assert_as_in_r(fit, values)
    assert (fit.rho, fit.sigma) == pytest.approx((values["phi"], values["sigma"]), rel=1e-5)


def test_sicily_is_that_of_nlme_gls(shared: Path) -> None:
    values = golden(shared / "reference/golden/sicily_its.json")
    fit = Reml().of(*sicily(shared))
    assert_as_in_r(fit, values["gls_ar1_reml"])
    assert (fit.rho, fit.sigma) == pytest.approx((0.283828301137406, 14.6005603302258), rel=1e-6)
    assert_as_in_r(Ols().of(*sicily(shared)), values["ols"])


def test_sicily_has_the_recorded_degrees_of_freedom_and_kenward_roger_factors(shared: Path) -> None:
    y, x = sicily(shared)
    after = x[:, 2] == 1
    # Level in the first month after, change of slope, mean over the months after.
    contrasts = np.array([[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 1, x[after, 3].mean()]])
    fit = Reml().of(y, x)
    assert fit.dfs(contrasts) == pytest.approx([16.8, 11.9, 13.15], abs=0.05)
    as_known = np.sqrt(np.diag(contrasts @ fit.cov @ contrasts.T))
    # Recorded from a table of kappa, interpolated: the first is 1.0315 there and 1.0314 exactly.
    assert fit.std_errors(contrasts) / as_known == pytest.approx([1.0315, 1.0069, 1.0174], abs=1.5e-4)


# -- dense matrices --------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.35, 0.9])
def test_the_statistics_give_what_dense_matrices_give(series: Arrays, rho: float) -> None:
    y, x = series
    r = correlation(len(y), rho)
    w = np.linalg.inv(r)
    dense_cov = np.linalg.inv(x.T @ w @ x)
    dense = dense_cov @ x.T @ w @ y
    rest = y - x @ dense
    statistics = Statistics.of(y, x)
    deviance, coef, inverse, squares = (part[0] for part in statistics.at(np.array([rho])))
    turn = statistics.from_basis
    np.testing.assert_allclose(turn @ (statistics.least_squares + coef), dense, rtol=1e-9)
    df = len(y) - x.shape[1]
    np.testing.assert_allclose(
        squares / df * turn @ inverse @ turn.T, rest @ w @ rest / df * dense_cov, rtol=1e-8
    )
    at_zero = statistics.at(np.array([0.0]))[0][0]
    assert deviance - at_zero == pytest.approx(
        dense_deviance(y, x, r) - dense_deviance(y, x, np.eye(len(y))), abs=1e-8
    )


@pytest.mark.parametrize("rho", [-0.5, 0.1, 0.7])
def test_the_derivatives_of_the_deviance_are_those_found_numerically(series: Arrays, rho: float) -> None:
    statistics, h = Statistics.of(*series), 1e-4
    low, here, high = statistics.at(np.array([rho - h, rho, rho + h]))[0]
    slopes = statistics.slopes(rho)
    assert slopes.first == pytest.approx((high - low) / (2 * h), rel=1e-5)
    assert slopes.second == pytest.approx((high - 2 * here + low) / h**2, rel=1e-4)


def test_rho_has_the_least_deviance(series: Arrays) -> None:
    y, x = series
    best = minimize_scalar(
        lambda rho: dense_deviance(y, x, correlation(len(y), rho)),
        bounds=(-0.95, 0.95),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert Reml().of(y, x).rho == pytest.approx(best.x, abs=1e-6)


def test_kenward_roger_adds_what_dense_matrices_add(series: Arrays) -> None:
    y, x = series
    fit = Reml().of(y, x)
    lag = np.abs(np.subtract.outer(np.arange(len(y)), np.arange(len(y))))
    r = fit.rho**lag
    dr = np.where(lag > 0, lag * fit.rho ** np.maximum(lag - 1, 0), 0.0)
    w = np.linalg.inv(r)
    phi = np.linalg.inv(x.T @ w @ x)
    p, q = -x.T @ w @ dr @ w @ x, x.T @ w @ dr @ w @ dr @ w @ x
    added = phi @ (q - p @ phi @ p) @ phi
    sigma2 = fit.sigma**2
    np.testing.assert_allclose(
        fit.kenward_roger, sigma2 * (phi + 2 * fit.var_rho * added), rtol=1e-7, atol=1e-12
    )


def test_degrees_of_freedom_fall_as_the_variance_moves_with_rho(series: Arrays) -> None:
    y, x = series
    fit, h = Reml().of(y, x), 1e-5
    contrast = np.eye(6)[2]

    def log_variance(rho: float) -> float:
        w = np.linalg.inv(correlation(len(y), rho))
        cov = np.linalg.inv(x.T @ w @ x)
        rest = y - x @ cov @ x.T @ w @ y
        return float(np.log(rest @ w @ rest * contrast @ cov @ contrast))

    slope = (log_variance(fit.rho + h) - log_variance(fit.rho - h)) / (2 * h)
    curvature = fit.statistics.slopes(fit.rho).second
    assert fit.dfs(contrast)[0] == pytest.approx(34 / (1 + 34 * slope**2 / curvature), rel=1e-5)
    assert fit.dfs(contrast)[0] < 34


def test_a_column_for_a_row_is_the_same_as_taking_the_row_out(series: Arrays) -> None:
    """Estimate, variance, rho, df and Kenward-Roger variance; neighbours of a gap stay two apart."""
    y, x = series
    out = np.array([5, 6, 7, 20, 33])
    kept = np.setdiff1d(np.arange(len(y)), out)
    with_columns = Reml().of(y, np.column_stack([x, np.eye(len(y))[:, out]]))
    y_kept, x_kept = y[kept], x[kept]

    def part(rho: float) -> np.ndarray:
        return correlation(len(y), rho)[np.ix_(kept, kept)]

    best = minimize_scalar(
        lambda rho: dense_deviance(y_kept, x_kept, part(rho)),
        bounds=(-0.95, 0.95),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert with_columns.rho == pytest.approx(best.x, abs=1e-6)
    w = np.linalg.inv(part(with_columns.rho))
    phi = np.linalg.inv(x_kept.T @ w @ x_kept)
    coef = phi @ x_kept.T @ w @ y_kept
    rest = y_kept - x_kept @ coef
    sigma2 = rest @ w @ rest / (len(kept) - 6)
    np.testing.assert_allclose(with_columns.coef[:6], coef, rtol=1e-8)
    np.testing.assert_allclose(with_columns.cov[:6, :6], sigma2 * phi, rtol=1e-7)
    h = 1e-6
    dr = (part(with_columns.rho + h) - part(with_columns.rho - h)) / (2 * h)
    p, q = -x_kept.T @ w @ dr @ w @ x_kept, x_kept.T @ w @ dr @ w @ dr @ w @ x_kept
    added = phi @ (q - p @ phi @ p) @ phi
    np.testing.assert_allclose(
        with_columns.kenward_roger[:6, :6], sigma2 * (phi + 2 * with_columns.var_rho * added), rtol=1e-6
    )


# -- what must hold --------------------------------------------------------------------------------


def test_a_line_or_a_season_added_to_the_outcome_moves_only_its_own_coefficient(series: Arrays) -> None:
    y, x = series
    move = np.array([1e4, -3.0, 0.0, 0.0, 20.0, 0.0])
    before, after = Reml().of(y, x), Reml().of(y + x @ move, x)
    np.testing.assert_allclose(after.coef, before.coef + move, atol=1e-7)
    np.testing.assert_allclose(after.kenward_roger, before.kenward_roger, rtol=1e-6, atol=1e-10)


def test_the_units_of_outcome_and_columns_do_not_matter(series: Arrays) -> None:
    y, x = series
    units = np.array([1, 1e-3, 1, 1e-3, 7, 1])
    plain, scaled = Reml().of(y, x), Reml().of(1e6 * y, x * units)
    np.testing.assert_allclose(scaled.coef, 1e6 * plain.coef / units, rtol=1e-7)
    np.testing.assert_allclose(scaled.dfs(np.eye(6)), plain.dfs(np.eye(6)), rtol=1e-6)


def test_a_series_without_noise_is_told_exactly() -> None:
    x = segmented(30, 18)
    coef = np.array([50.0, 0.2, -4.0, 0.1, 2.0, -1.0])
    fit = Reml().of(x @ coef, x)
    np.testing.assert_allclose(fit.coef, coef, atol=1e-10)
    assert fit.std_errors(np.eye(6)).max() < 1e-9


def test_independent_errors_are_those_of_statsmodels(series: Arrays) -> None:
    y, x = series
    fit, judge = Ols().of(y, x), sm.OLS(y, x).fit()
    np.testing.assert_allclose(fit.coef, judge.params, rtol=1e-9)
    np.testing.assert_allclose(fit.std_errors(np.eye(6)), judge.bse, rtol=1e-9)
    np.testing.assert_allclose(fit.limits(np.eye(6), 0.95), judge.conf_int(), rtol=1e-8)
    np.testing.assert_allclose(
        2 * np.minimum(fit.below(np.eye(6)), 1 - fit.below(np.eye(6))), judge.pvalues, rtol=1e-7, atol=1e-14
    )


def test_a_rho_on_its_bound_is_not_believed() -> None:
    x = segmented(24, 14)[:, :4]
    y = np.cumsum(np.random.default_rng(8).standard_normal(24)) * 5 + np.arange(24) ** 2.0
    fit = Reml().of(y, x)
    assert fit.at_bound and fit.var_rho == 0.35
    assert (fit.dfs(np.eye(4)) == 2).all()
    assert fit.procedure(np.eye(4)[2]) is fit.averaged


def test_a_contrast_with_few_degrees_of_freedom_is_averaged_over_rho() -> None:
    routes = set()
    for seed in range(12):
        x = segmented(24, 14)[:, :4]
        fit = Reml().of(ar1(np.random.default_rng(seed), 24, 0.6), x)
        for contrast in np.eye(4)[2:]:
            chosen = fit.procedure(contrast)
            assert (chosen is fit) == (fit.dfs(contrast)[0] >= LEAST_DF)
            routes.add(chosen is fit)
    assert routes == {True, False}


def test_more_terms_than_points_are_refused() -> None:
    with pytest.raises(EstimationError, match="6 points cannot carry 6 terms"):
        Reml().of(np.arange(6.0), np.eye(6))
