"""Moments against brute force, two other programs' tests where they agree, size and power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import acorr_breusch_godfrey

from ucimpact.errors import EstimationError
from ucimpact.inference.cumby_huizinga import CumbyHuizinga, cumby_huizinga
from ucimpact.inference.residuals import innovations, ljung_box
from ucimpact.inference.timeseries import Reml


def broken_line(n: int) -> np.ndarray:
    t, start = np.arange(n), int(0.6 * n)
    turn = 2 * np.pi * t / 12
    return np.column_stack(
        [np.ones(n), t - start, t >= start, np.maximum(t - start, 0), np.sin(turn), np.cos(turn)]
    ).astype(float)


def left_over(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    basis = np.linalg.qr(x)[0]
    return y - basis @ (basis.T @ y)


def test_one_lag_is_the_square_of_its_distance_from_its_mean_over_many_draws() -> None:
    n, x, rng = 30, broken_line(30), np.random.default_rng(1)
    draws = left_over(rng.normal(size=(n, 60_000)), x)
    r = (draws[2:] * draws[:-2]).sum(axis=0) / (draws**2).sum(axis=0)
    w = draws[:, 0]
    found = cumby_huizinga(w, x, np.ones(n, dtype=bool), [2])
    assert found.statistic == pytest.approx((r[0] - r.mean()) ** 2 / r.var(), rel=0.03)
    assert (found.df, found.lags, found.after) == (1, (2,), 0)


def test_in_a_long_series_it_is_the_score_test_of_breusch_and_godfrey() -> None:
    rng = np.random.default_rng(3)
    n = 1000
    x = np.column_stack([np.ones(n), np.arange(n) / n])
    y = x @ [2.0, 1.0] + lfilter([1.0], [1.0, 0.0, 0.0, -0.08], rng.normal(size=n))
    found = cumby_huizinga(left_over(y, x), x, np.ones(n, dtype=bool), [1, 2, 3, 4])
    statistic, p_value = acorr_breusch_godfrey(OLS(y, x).fit(), nlags=4, result_object=False)[:2]
    assert 0.001 < p_value < 0.5
    assert found.statistic == pytest.approx(statistic, rel=0.08)  # means of r are -p/n, not 0
    assert found.p_value == pytest.approx(p_value, rel=0.25)


def test_many_lags_of_one_innovation_agree_with_ljung_and_box() -> None:
    rng = np.random.default_rng(4)
    n = 400
    x, used = broken_line(n), np.ones(n, dtype=bool)
    y = lfilter([1.0], [1.0, -0.6], rng.normal(size=n))
    fit = Reml().of(y, x)
    w, z = innovations(fit.residuals, fit.rho, used), innovations(x, fit.rho, used)
    found = cumby_huizinga(w, z, used, range(1, 21), rho=fit.rho)
    assert found.p_value == pytest.approx(ljung_box(w, z, used, 20, fitted=1).p_value, abs=0.06)
    assert found.df in (19, 20)


def rejected(errors, fit_rho: bool, lags, after: int = 0, n: int = 60, draws: int = 120) -> float:
    x, used, count = broken_line(n), np.ones(n, dtype=bool), 0
    for seed in range(draws):
        y = errors(np.random.default_rng(seed).normal(size=n + 40))[40:]
        if fit_rho:
            fit = Reml().of(y, x)
            w, z = innovations(fit.residuals, fit.rho, used), innovations(x, fit.rho, used)
            found = cumby_huizinga(w, z, used, lags, rho=fit.rho)
        else:
            found = cumby_huizinga(left_over(y, x), x, used, lags, after=after)
        count += found.p_value < 0.05
    return count / draws


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_after_an_ar1_was_fitted_five_in_a_hundred_are_found(rho) -> None:
    found = rejected(lambda e: lfilter([1.0], [1.0, -rho], e), True, (1, 2, 3))
    assert found <= 0.11  # 120 draws: three sd is 0.06


def test_a_moving_average_that_is_allowed_is_no_fault_and_one_that_is_not_is() -> None:
    def average(e: np.ndarray) -> np.ndarray:
        return lfilter([1.0, 0.7], [1.0], e)

    assert rejected(average, False, (2, 3, 4), after=1) <= 0.11
    assert rejected(average, False, (1, 2, 3)) > 0.6


def test_a_second_order_that_was_not_fitted_is_found() -> None:
    assert rejected(lambda e: lfilter([1.0], [1.0, -0.3, -0.4], e), True, (1, 2, 3), n=96) > 0.6


def test_at_no_autocorrelation_the_lag_that_was_fitted_drops_out() -> None:
    rng = np.random.default_rng(8)
    x, used = broken_line(60), np.ones(60, dtype=bool)
    w = left_over(rng.normal(size=60), x)
    assert cumby_huizinga(w, x, used, (1, 2, 3), rho=0.0).df == 2
    assert cumby_huizinga(w, x, used, (1, 2, 3)).df == 3


def test_periods_that_do_not_count_change_nothing() -> None:
    rng = np.random.default_rng(9)
    x, used = broken_line(60), np.ones(60, dtype=bool)
    used[[7, 30]] = False
    w = left_over(rng.normal(size=60) * used, x * used[:, None])
    found = cumby_huizinga(w, x * used[:, None], used, (1, 2, 3))
    assert 0 <= found.p_value <= 1
    assert found.p_value == cumby_huizinga(5 * w, x * used[:, None], used, (1, 2, 3)).p_value


@pytest.mark.parametrize(
    ("lags", "options"), [((1, 2), {"after": 1}), ((), {}), ((2, 3), {"after": 1, "rho": 0.2}), ((60,), {})]
)
def test_lags_that_mean_nothing_are_refused(lags, options) -> None:
    x = broken_line(60)
    w = left_over(np.random.default_rng(0).normal(size=60), x)
    with pytest.raises(EstimationError):
        cumby_huizinga(w, x, np.ones(60, dtype=bool), lags, **options)


def test_nothing_left_over_is_no_pattern() -> None:
    zeros = np.zeros(60)
    found = cumby_huizinga(zeros, broken_line(60), np.ones(60, dtype=bool), (1, 2))
    assert found == CumbyHuizinga(lags=(1, 2), statistic=0.0, df=2, p_value=1.0, after=0)
