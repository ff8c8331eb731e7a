"""R's numbers, formulas done the long way, and a forecast that knows what carries over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError, UsageError
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.count_series_errors import (
    HacPoisson,
    Mixture,
    NegativeBinomial,
    QuasiPoisson,
    WeightedReml,
)
from ucimpact.inference.mixture import NOISE_RHOS, NOISE_SHARES, TMixture, cell_widths

SICILY = "reference/golden/sicily_its.json"


def sicily(shared: Path, *terms: str) -> CountSeries:
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    angle = 2 * np.pi * d["month"].to_numpy() / 12
    waves = {"s1": np.sin(angle), "c1": np.cos(angle), "s2": np.sin(2 * angle), "c2": np.cos(2 * angle)}
    since = np.maximum(d["time"] - 36, 0) * d["smokban"]
    known = {
        "(Intercept)": np.ones(len(d)),
        "since": since,
        "smokban:time": d["smokban"] * d["time"],
        **waves,
    }
    columns = [np.asarray(known[t] if t in known else d[t], dtype=float) for t in terms]
    return CountSeries(
        y=d["aces"].to_numpy(dtype=float),
        x=np.column_stack(columns),
        offset=np.log(d["stdpop"].to_numpy()),
        used=np.ones(len(d), dtype=bool),
    )


@pytest.mark.parametrize(
    ("case", "errors"),
    [
        ("qp_level", QuasiPoisson()),
        ("qp_fourier", QuasiPoisson()),
        ("qp_fourier_slope", QuasiPoisson()),
        ("qp_level_slope", QuasiPoisson()),
        ("poisson_hc0", HacPoisson(lags=0, adjust=False)),
        ("qp_fourier_nw", HacPoisson(lags=3)),
        ("nb_fourier", NegativeBinomial()),
    ],
)
def test_coefficients_and_standard_errors_are_those_of_r(shared: Path, case: str, errors: Any) -> None:
    """``NeweyWest`` of sandwich multiplies by n / (n - p) by default and ``vcovHC`` does not."""
    values = golden(shared / SICILY)[case]
    series = sicily(shared, *values["estimate"])
    fit = errors.of(series)
    tolerance = 1e-6 if case != "nb_fourier" else 1e-5
    np.testing.assert_allclose(fit.coef, list(values["estimate"].values()), rtol=tolerance)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), list(values["se"].values()), rtol=tolerance)
    assert series.residual_df == values["df_residual"]
    if case.startswith("qp"):
        assert series.dispersion == pytest.approx(values["dispersion"], rel=1e-7)
        assert series.poisson.deviance == pytest.approx(values["deviance"], rel=1e-7)


def test_poisson_standard_errors_are_those_of_r(shared: Path) -> None:
    values = golden(shared / SICILY)["poisson_fourier"]
    series = sicily(shared, *values["estimate"])
    errors = np.sqrt(np.diag(series.poisson.bread))
    np.testing.assert_allclose(errors, list(values["se"].values()), rtol=1e-6)
    assert series.poisson.deviance == pytest.approx(values["deviance"], rel=1e-7)


def test_the_negative_binomial_is_that_of_r(shared: Path) -> None:
    values = golden(shared / SICILY)["nb_fourier"]
    found = NegativeBinomial().of(sicily(shared, *values["estimate"])).negative_binomial
    assert found is not None
    assert found.theta == pytest.approx(values["theta"], rel=1e-6)
    assert found.theta_std_error == pytest.approx(values["se_theta"], rel=1e-6)
    assert found.log_likelihood == pytest.approx(values["loglik"], rel=1e-9)
    assert found.deviance == pytest.approx(values["deviance"], rel=1e-6)


# -- the long way ----------------------------------------------------------------------------------


def drawn(seed: int = 1, n: int = 30, mean: float = 40.0, rho: float = 0.6) -> CountSeries:
    rng = np.random.default_rng(seed)
    wander = rng.standard_normal(n)
    for t in range(1, n):
        wander[t] = rho * wander[t - 1] + np.sqrt(1 - rho**2) * wander[t]
    t = np.arange(n) - 18
    y = rng.poisson(mean * np.exp(0.2 * wander - 0.2 * (t >= 0)))
    x = np.column_stack([np.ones(n), t / 10, t >= 0])
    return CountSeries(y=y.astype(float), x=x, offset=np.zeros(n), used=np.ones(n, dtype=bool))


def dense(series: CountSeries, rho: float, share: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, their squared scales and the log weight of a cell, by n by n matrices."""
    fit, n = series.poisson, len(series.y)
    root = np.sqrt(fit.mu)
    x = root[:, None] * series.x
    y = (series.y - fit.mu) / root + x @ fit.coef
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    v = (1 - share) * np.eye(n) + share * (rho**apart if rho else np.eye(n))
    weight = np.linalg.inv(v)
    information = x.T @ weight @ x
    coef = np.linalg.solve(information, x.T @ weight @ y)
    left = (y - x @ coef) @ weight @ (y - x @ coef)
    df = n - x.shape[1]
    log_weight = -0.5 * (
        np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + df * np.log(left)
    ) + np.log((1 + rho) * (1 - rho) ** -0.3 * share**2)
    return coef, left / df * np.linalg.inv(information), log_weight


def test_the_default_is_the_average_that_dense_matrices_give() -> None:
    series = drawn()
    found = Mixture().of(series)
    cells = [(rho, share) for rho in NOISE_RHOS for share in NOISE_SHARES]
    parts = [dense(series, rho, share) for rho, share in cells]
    widths = np.outer(cell_widths(NOISE_RHOS, -1, 1), cell_widths(NOISE_SHARES, 0, 1)).ravel()
    weights = np.exp([part[2] for part in parts]) * widths
    weights /= weights.sum()
    assert isinstance(found.spread, TMixture)
    np.testing.assert_allclose(found.spread.weights, weights, rtol=1e-8)
    np.testing.assert_allclose(found.coef, weights @ np.array([part[0] for part in parts]), rtol=1e-9)
    np.testing.assert_allclose(found.spread.cov, [part[1] for part in parts], rtol=1e-8)


def test_the_limits_hold_as_much_of_the_average_as_they_say() -> None:
    found = Mixture().of(drawn())
    contrast = np.array([0.0, 0.0, 1.0])
    row = found.row(contrast, 0.9)
    for limit, chance in ((row["conf_low"], 0.05), (row["conf_high"], 0.95)):
        # The chance of an effect below 0 once it is moved by the limit is that of one below the limit.
        p = found.row(contrast, 0.9, shift=-limit)["p_value"]
        assert p == pytest.approx(2 * min(chance, 1 - chance), rel=1e-6)
    assert row["estimate"] == pytest.approx(found.coef[2])
    assert np.isnan(row["df"])


def test_a_period_that_does_not_count_is_left_out_and_keeps_its_neighbours_apart() -> None:
    whole = drawn()
    used = whole.used.copy()
    used[[7, 8, 20]] = False
    y = np.where(used, whole.y, 0.0)
    part = CountSeries(y=y, x=whole.x, offset=whole.offset, used=used)
    short = CountSeries(y=whole.y[used], x=whole.x[used], offset=whole.offset[used], used=used[used])
    np.testing.assert_allclose(part.poisson.coef, short.poisson.coef, rtol=1e-10)
    np.testing.assert_allclose(QuasiPoisson().of(part).coef, short.poisson.coef, atol=1e-7)
    for errors in (QuasiPoisson(), HacPoisson(lags=0)):
        np.testing.assert_allclose(errors.of(part).cov, errors.of(short).cov, rtol=1e-7)
    # An AR(1) sees that the neighbours of a gap are further apart than neighbours.
    fit = part.poisson
    root = np.sqrt(fit.mu[used])
    rho = part.reml.rho
    at = np.flatnonzero(used)
    v = rho ** np.abs(np.subtract.outer(at, at))
    x = root[:, None] * part.x[used]
    response = (part.y[used] - fit.mu[used]) / root + x @ fit.coef
    by_hand = np.linalg.solve(x.T @ np.linalg.solve(v, x), x.T @ np.linalg.solve(v, response))
    np.testing.assert_allclose(WeightedReml().of(part).coef, by_hand, rtol=1e-7)


def test_newey_west_is_the_sum_over_pairs() -> None:
    series, lags = drawn(), 4
    fit = series.poisson
    scores = (series.y - fit.mu)[:, None] * series.x
    meat = np.zeros((3, 3))
    for s in range(30):
        for t in range(30):
            meat += max(0.0, 1 - abs(s - t) / (lags + 1)) * np.outer(scores[s], scores[t])
    bread = np.linalg.inv((series.x * fit.mu[:, None]).T @ series.x)
    np.testing.assert_allclose(
        HacPoisson(lags=lags, adjust=False).of(series).cov, bread @ meat @ bread, rtol=1e-8
    )
    assert HacPoisson().of(series).row(np.eye(3)[2], 0.95)["df"] == 27


def test_weighted_reml_says_when_it_averages() -> None:
    routes = {WeightedReml().of(drawn(seed, n=24, rho=0.9)).decided(np.eye(3)[1])[0] for seed in range(30)}
    assert routes == {"kenward-roger", "rho-averaged"}


# -- forecasts -------------------------------------------------------------------------------------


def test_a_forecast_is_the_line_plus_what_carries_over() -> None:
    series = drawn(n=40)
    used = np.arange(40) < 30
    before = CountSeries(y=np.where(used, series.y, 0.0), x=series.x[:, :2], offset=series.offset, used=used)
    total, contrast = before.foretold(~used)
    fit = before.reml
    mu, root = before.poisson.mu, np.sqrt(before.poisson.mu)
    residual = (before.y[29] - mu[29]) / root[29] - root[29] * (
        before.x[29] @ (fit.coef[:2] - before.poisson.coef)
    )
    carried = fit.rho ** np.arange(1, 11) * residual
    later = mu[30:] + mu[30:] * (before.x[30:] @ (fit.coef[:2] - before.poisson.coef)) + root[30:] * carried
    assert total * (1 + contrast @ fit.coef) == pytest.approx(later.sum(), rel=1e-8)


def test_independent_periods_are_foretold_with_their_own_noise() -> None:
    series = drawn(n=40)
    used = np.arange(40) < 30
    before = CountSeries(y=np.where(used, series.y, 0.0), x=series.x[:, :2], offset=series.offset, used=used)
    total, contrast = before.foretold(~used)
    row = QuasiPoisson().of(before).row(contrast, 0.95)
    mu, fit = before.poisson.mu, before.poisson
    towards = mu[30:] @ before.x[30:] / total
    variance = before.dispersion * (towards @ fit.bread @ towards + mu[30:].sum() / total**2)
    assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-8)
    assert row["estimate"] == pytest.approx(0, abs=1e-8)


# -- refusals --------------------------------------------------------------------------------------


def test_a_fitted_mean_next_to_nothing_is_refused() -> None:
    y = np.r_[np.full(20, 50.0) + np.arange(20) % 2, np.zeros(9), 1.0]
    x = np.column_stack([np.ones(30), np.arange(30) >= 20, np.maximum(np.arange(30) - 20, 0)])
    series = CountSeries(y=y, x=x, offset=np.zeros(30), used=np.ones(30, dtype=bool))
    with pytest.raises(EstimationError):
        Mixture().of(series)


def test_counts_that_the_model_gives_back_are_refused() -> None:
    x = np.column_stack([np.ones(12), np.arange(12) >= 6])
    y = np.where(np.arange(12) >= 6, 10.0, 20.0)
    series = CountSeries(y=y, x=x, offset=np.zeros(12), used=np.ones(12, dtype=bool))
    with pytest.raises(EstimationError, match="leaves nothing over"):
        Mixture().of(series)


def test_counts_less_variable_than_poisson_have_no_theta() -> None:
    series = drawn()
    even = CountSeries(y=np.round(series.poisson.mu), x=series.x, offset=series.offset, used=series.used)
    with pytest.raises(EstimationError, match="no more than Poisson"):
        NegativeBinomial().of(even)


def test_lags_below_0_are_refused() -> None:
    with pytest.raises(UsageError, match="lags = -1"):
        HacPoisson(lags=-1)
