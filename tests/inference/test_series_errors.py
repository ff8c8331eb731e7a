"""Every way the errors of a series may hang together: R's numbers, dense matrices, nested models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import toeplitz

from tests.ar1_series import ar1, segmented
from tests.conftest import golden
from ucimpact.errors import DesignError
from ucimpact.inference.arma import Arma, Ml
from ucimpact.inference.arma_errors import ArmaErrors, from_partial
from ucimpact.inference.newey_west import Hac, NeweyWest
from ucimpact.inference.prais_winsten import PraisWinsten
from ucimpact.inference.residuals import durbin_watson
from ucimpact.inference.timeseries import Ols, Reml

Arrays = tuple[np.ndarray, np.ndarray]


def sicily(shared: Path, *, season: bool = False) -> Arrays:
    """R counts 1 in the first month after the ban: so do these columns."""
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    columns = [np.ones(len(d)), d["time"], d["smokban"], np.maximum(d["time"] - 36, 0)]
    for k in (1, 2) if season else ():
        columns += [np.sin(2 * np.pi * k * d["month"] / 12), np.cos(2 * np.pi * k * d["month"] / 12)]
    return (d["aces"] / d["stdpop"] * 1e5).to_numpy(), np.column_stack(columns).astype(float)


def simulated(reference: Path) -> Arrays:
    d = pd.read_csv(reference / "sim_its_monthly.csv")
    wave = 2 * np.pi * d["period_in_year"] / 12
    columns = [np.ones(len(d)), d["time"], d["post"], d["time_since"]]
    columns += [np.sin(wave), np.cos(wave), np.sin(2 * wave), np.cos(2 * wave)]
    return d["rate"].to_numpy(), np.column_stack(columns).astype(float)


def assert_as_in_r(fit: Any, values: dict[str, Any], *, rel: float) -> None:
    assert fit.coef == pytest.approx(list(values["estimate"].values()), rel=rel)
    assert np.sqrt(np.diag(fit.cov)) == pytest.approx(list(values["se"].values()), rel=rel)


# -- R ---------------------------------------------------------------------------------------------

LEAST_SQUARES = {
    "ols": Ols(),
    "nw2": NeweyWest(lags=2, prewhite=False),
    "nw2_noadj": NeweyWest(lags=2, prewhite=False, adjust=False),
    "nw2_prewhite": NeweyWest(lags=2),
    "nw6": NeweyWest(lags=6, prewhite=False),
    "nw6_noadj": NeweyWest(lags=6, prewhite=False, adjust=False),
    "nw6_prewhite": NeweyWest(lags=6),
    "nw3": NeweyWest(lags=3, prewhite=False),
    "nw3_noadj": NeweyWest(lags=3, prewhite=False, adjust=False),
    "nw3_prewhite": NeweyWest(lags=3),
    "nw_auto": NeweyWest(adjust=False),  # sandwich's NeweyWest() does not adjust unless asked
    "hac_andrews": Hac(),  # vcovHAC() adjusts and does not prewhiten
    "prais": PraisWinsten(),
}


@pytest.mark.parametrize("case", [c for c in LEAST_SQUARES if not c.startswith("nw3")])
def test_sicily_as_in_r(shared: Path, case: str) -> None:
    """R sandwich 3.0.2, prais 1.1.4 and lm; closed forms, so to 1e-9."""
    values = golden(shared / "reference/golden/sicily_its.json")[case]
    assert_as_in_r(LEAST_SQUARES[case].of(*sicily(shared)), values, rel=1e-9)


@pytest.mark.parametrize("case", [c for c in LEAST_SQUARES if not c.startswith(("nw2", "nw6"))])
def test_simulated_months_as_in_r(reference: Path, case: str) -> None:
    values = golden(reference / "sim_its_monthly.json")[case]
    assert_as_in_r(LEAST_SQUARES[case].of(*simulated(reference)), values, rel=1e-9)


def test_sicily_with_a_season_by_least_squares(shared: Path) -> None:
    values = golden(shared / "reference/golden/sicily_its.json")["ols_fourier"]
    assert_as_in_r(Ols().of(*sicily(shared, season=True)), values, rel=1e-9)


def test_the_bandwidth_is_that_of_newey_and_west_in_r(shared: Path, reference: Path) -> None:
    """bwNeweyWest of prewhitened scores, the constant left out of their sum."""
    cases = (
        (sicily(shared), shared / "reference/golden/sicily_its.json"),
        (simulated(reference), reference / "sim_its_monthly.json"),
    )
    for arrays, path in cases:
        fit = NeweyWest().of(*arrays)
        assert fit.bandwidth == pytest.approx(golden(path)["nw_auto"]["bandwidth"], rel=1e-9)
        assert fit.lags == int(fit.bandwidth)


def test_prais_winsten_stands_still_where_r_does(shared: Path, reference: Path) -> None:
    """rho is the slope of each residual on the last; Durbin and Watson before and after the transform."""
    cases = (
        (sicily(shared), shared / "reference/golden/sicily_its.json"),
        (simulated(reference), reference / "sim_its_monthly.json"),
    )
    for arrays, path in cases:
        fit, values = PraisWinsten().of(*arrays), golden(path)["prais"]
        assert fit.rho == pytest.approx(values["rho"], rel=1e-9)
        assert fit.durbin_watson == pytest.approx(tuple(values["dw"]), rel=1e-9)


def test_durbin_watson_of_sicily(shared: Path) -> None:
    values = golden(shared / "reference/golden/sicily_its.json")["ols"]
    assert durbin_watson(Ols().of(*sicily(shared)).residuals) == pytest.approx(values["dw"], rel=1e-9)


LIKELIHOOD = {"gls_ar1_reml": Arma(1, 0), "gls_ar1_ml": Ml(), "gls_arma20": Arma(2, 0)}


@pytest.mark.parametrize("case", LIKELIHOOD)
def test_sicily_as_in_nlme(shared: Path, case: str) -> None:
    """R nlme 3.1.162 gls(corARMA). Its ML covariance divides by n - p and its sigma by n, as here."""
    fit = LIKELIHOOD[case].of(*sicily(shared))
    values = golden(shared / "reference/golden/sicily_its.json")[case]
    assert_as_in_r(fit, values, rel=1e-5)
    assert fit.errors.phi == pytest.approx(np.atleast_1d(values["phi"]), rel=1e-5)
    assert fit.sigma == pytest.approx(values["sigma"], rel=1e-6)
    assert fit.loglik == pytest.approx(values["loglik"], rel=1e-9)
    assert fit.account()["aic"] == pytest.approx(values["aic"], rel=1e-9)


def test_simulated_months_as_in_nlme(reference: Path) -> None:
    fit, values = Arma(1, 0).of(*simulated(reference)), golden(reference / "sim_its_monthly.json")["gls_ar1"]
    assert_as_in_r(fit, values, rel=1e-5)
    assert fit.loglik == pytest.approx(values["loglik"], rel=1e-9)
    assert fit.account()["aic"] == pytest.approx(values["aic"], rel=1e-9)


# -- ARMA errors -----------------------------------------------------------------------------------

ORDERS = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (2, 1), (1, 2), (0, 3), (3, 2)]


@pytest.mark.parametrize(("p", "q"), ORDERS)
def test_whitening_is_the_inverse_of_the_covariance(p: int, q: int) -> None:
    """The covariance is the sum of 4,000 psi weights."""
    rng, n = np.random.default_rng(p + 7 * q), 30
    errors = ArmaErrors.of_partial(rng.uniform(-0.8, 0.8, p + q), p)
    psi = np.zeros(4000)
    psi[0] = 1.0
    for k in range(1, 4000):
        psi[k] = (errors.theta[k - 1] if k <= q else 0.0) + sum(
            errors.phi[i] * psi[k - 1 - i] for i in range(min(p, k))
        )
    acf = np.array([psi[: 4000 - k] @ psi[k:] for k in range(n)])
    v, rows = toeplitz(acf), rng.standard_normal((n, 3))
    white, log_size = errors.whitened(rows)
    np.testing.assert_allclose(errors.autocovariances(n), acf, atol=1e-10)
    np.testing.assert_allclose(white.T @ white, rows.T @ np.linalg.solve(v, rows), atol=1e-9)
    assert log_size == pytest.approx(np.linalg.slogdet(v)[1], abs=1e-9)


def test_partial_autocorrelations_make_every_stationary_process() -> None:
    assert from_partial(np.array([0.6])) == pytest.approx([0.6])
    assert from_partial(np.array([0.6, 0.25])) == pytest.approx([0.6 * 0.75, 0.25])
    roots = np.roots(np.concatenate([[1.0], -from_partial(np.array([0.9, -0.8, 0.95]))]))
    assert np.abs(roots).max() < 1


@pytest.fixture(scope="module")
def series() -> Arrays:
    x = segmented(48, 29)
    noise = ar1(np.random.default_rng(3), 48, 0.5)
    return 300 + x @ np.array([2.0, 0.1, -1.0, 0.05, 3.0, 1.0]) + noise, x


def test_an_ar1_is_the_ar1_of_the_closed_form(series: Arrays) -> None:
    """Kenward-Roger variance and Satterthwaite's df, by differences and by formula."""
    general, closed = Arma(1, 0).of(*series), Reml().of(*series)
    assert general.rho == pytest.approx(closed.rho, abs=1e-6)
    np.testing.assert_allclose(general.adjusted_cov, closed.kenward_roger, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(general.dfs(np.eye(6)), closed.dfs(np.eye(6)), rtol=1e-4)
    np.testing.assert_allclose(general.limits(np.eye(6), 0.9), closed.limits(np.eye(6), 0.9), rtol=1e-4)


def test_a_larger_model_never_fits_worse(series: Arrays) -> None:
    y, x = series
    for method in ("reml", "ml"):
        low = {
            (p, q): Arma(p, q, method).of(y, x).solved.deviance
            for p, q in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)]
        }
        assert low[1, 0] < low[0, 0] and low[0, 1] < low[0, 0]
        assert low[1, 1] <= min(low[1, 0], low[0, 1]) + 1e-7
        assert low[2, 1] <= low[1, 1] + 1e-7


def test_two_optima_are_told_apart() -> None:
    """The lower of several minima, as far as a fine grid over both parameters can see."""
    rng = np.random.default_rng(12)
    x = segmented(40, 24)
    y = x @ rng.standard_normal(6) + rng.standard_normal(40)
    fit = Arma(1, 1).of(y, x)
    grid = np.tanh(np.linspace(-2.9, 2.9, 40))
    best = min(
        fit.regression.at(ArmaErrors.of_partial(np.array([a, b]), 1)).deviance for a in grid for b in grid
    )
    assert fit.solved.deviance <= best + 1e-9


def test_what_is_new_skips_periods_that_do_not_count(series: Arrays) -> None:
    """With every second value of an AR(1) unseen what carries over is rho squared."""
    fit = Arma(1, 0).of(*series)
    used = np.arange(48) % 2 == 0
    values = np.random.default_rng(1).standard_normal(48)
    fresh = fit.whitened(values, used)
    assert not fresh[~used].any()
    rho = fit.rho
    sd = np.sqrt(fit.errors.autocovariances(1)[0])
    wanted = (values[2::2] - rho**2 * values[:-2:2]) / (sd * np.sqrt(1 - rho**4))
    np.testing.assert_allclose(fresh[2::2], wanted)


def test_a_period_with_a_column_of_its_own_counts_for_nothing(series: Arrays) -> None:
    y, x = series
    dummied = np.column_stack([x, np.eye(48)[:, [20, 21]]])
    other = y.copy()
    other[20:22] = [-500.0, 900.0]
    for errors in (Arma(2, 0), PraisWinsten(), NeweyWest(), Hac()):
        first, second = errors.of(y, dummied), errors.of(other, dummied)
        np.testing.assert_allclose(first.cov[:6, :6], second.cov[:6, :6], rtol=1e-5)
        np.testing.assert_allclose(first.coef[:6], second.coef[:6], rtol=1e-5, atol=1e-6)


def test_prais_winsten_takes_rho_from_neighbours_that_both_count(series: Arrays) -> None:
    y, x = series
    fit = PraisWinsten().of(y, np.column_stack([x, np.eye(48)[:, [20, 21]]]))
    e = fit.residuals
    last = [t for t in range(47) if not {t, t + 1} & {20, 21}]
    assert fit.rho == pytest.approx(sum(e[t] * e[t + 1] for t in last) / sum(e[t] ** 2 for t in last))


def test_newey_west_leaves_such_a_period_out(series: Arrays) -> None:
    y, x = series
    dummied = NeweyWest(lags=3, prewhite=False).of(y, np.column_stack([x, np.eye(48)[:, [20]]]))
    kept = np.arange(48) != 20
    without = NeweyWest(lags=3, prewhite=False).of(y[kept], x[kept])
    np.testing.assert_allclose(dummied.cov[:6, :6], without.cov, rtol=1e-9)
    assert dummied.residual_df == without.residual_df


def test_a_straight_line_has_no_errors_to_fit() -> None:
    x = segmented(40, 24)
    y = x @ np.array([5.0, 1.0, -2.0, 0.5, 1.0, 0.0])
    for errors in (Arma(1, 1), Ml(), PraisWinsten(), NeweyWest(), Hac()):
        fit = errors.of(y, x)
        assert fit.coef == pytest.approx([5.0, 1.0, -2.0, 0.5, 1.0, 0.0], abs=1e-9)
        assert fit.std_errors(np.eye(6)).max() < 1e-6


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (lambda: Arma(4, 0), "p = 4 is not a whole number from 0 to 3"),
        (lambda: Arma(1, 0, "mle"), 'method = "mle" is not known'),
        (lambda: NeweyWest(lags=-1), "lags = -1 is below 0"),
    ],
)
def test_choices_that_do_not_exist_are_refused(choice: Any, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        choice()


def test_an_interval_of_two_orders_is_wider_where_there_are_two() -> None:
    x, rng, n = segmented(60, 36), np.random.default_rng(2), 60
    errors = ArmaErrors.of_partial(np.array([0.5, 0.4]), 2)
    factor = np.linalg.cholesky(toeplitz(errors.autocovariances(n)))
    contrast = np.array([0, 0, 1.0, 11.5, 0, 0])
    ratios = []
    for _ in range(7):
        y = factor @ rng.standard_normal(n)
        two, one = (np.ptp(choice.of(y, x).limits(contrast, 0.95)) for choice in (Arma(2, 0), Reml()))
        ratios.append(two / one)
    assert np.median(ratios) > 1.15
