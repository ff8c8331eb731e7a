"""The residual test rejects as often as it says, and finds what an AR(1) leaves over."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox

from tests.ar1_series import ar1, correlation, segmented
from ucimpact.inference.residuals import innovations, ljung_box, ljung_box_as_printed
from ucimpact.inference.timeseries import Reml


def test_a_long_series_has_ljung_and_boxs_statistic() -> None:
    y = ar1(np.random.default_rng(1), 3000, 0.05)
    centred, everywhere = y - y.mean(), np.ones(3000, dtype=bool)
    found = ljung_box(centred, np.ones((3000, 1)), everywhere, 10, fitted=0)
    judge = acorr_ljungbox(centred, lags=[10]).iloc[0]
    # Ours centres each autocorrelation on its mean of -1/n.
    assert found.statistic == pytest.approx(judge["lb_stat"], rel=0.03)
    assert found.p_value == pytest.approx(judge["lb_pvalue"], abs=0.02)


def test_innovations_are_the_residuals_turned_by_the_inverse_of_cholesky() -> None:
    y = np.random.default_rng(2).standard_normal(12)
    used = np.ones(12, dtype=bool)
    used[[3, 4, 9]] = False
    v = correlation(12, -0.6)[np.ix_(used, used)]
    whitened = np.linalg.solve(np.linalg.cholesky(v), y[used])
    found = innovations(y, -0.6, used)
    np.testing.assert_allclose(found[used], whitened * np.sqrt(1 - 0.36), rtol=1e-12)
    assert (found[~used] == 0).all()
    np.testing.assert_allclose(innovations(np.column_stack([y, y]), -0.6, used)[:, 1], found)


@pytest.mark.parametrize(("n", "gaps"), [(48, 0), (60, 8)])
def test_it_rejects_as_often_as_it_says(n: int, gaps: int) -> None:
    x = segmented(n, round(0.6 * n))
    used = np.ones(n, dtype=bool)
    used[10 : 10 + gaps] = False
    design = np.column_stack([x, np.eye(n)[:, ~used]])
    rejected = []
    for seed in range(500):
        fit = Reml().of(ar1(np.random.default_rng(seed), n, 0.3), design)
        fresh = innovations(fit.residuals, fit.rho, used)
        found = ljung_box(fresh, innovations(x, fit.rho, used), used, 9, fitted=1)
        rejected.append(found.p_value < 0.05)
    assert np.mean(rejected) == pytest.approx(0.055, abs=0.022)  # 500 draws: two sd is 0.020


def test_it_finds_a_second_order_that_an_ar1_leaves_over() -> None:
    n, x, everywhere = 96, segmented(96, 58), np.ones(96, dtype=bool)
    found = []
    for seed in range(60):
        draw = np.random.default_rng(seed).standard_normal(n + 50)
        for t in range(2, n + 50):
            draw[t] += 0.5 * draw[t - 2]
        fit = Reml().of(draw[50:], x)
        fresh = innovations(fit.residuals, fit.rho, everywhere)
        test = ljung_box(fresh, innovations(x, fit.rho, everywhere), everywhere, 12, fitted=1)
        found.append(test.p_value < 0.05)
    assert np.mean(found) > 0.6


def test_as_printed_it_is_the_test_of_statsmodels() -> None:

    fresh = np.random.default_rng(3).standard_normal(60).cumsum()
    found = ljung_box_as_printed(fresh, np.ones(60, dtype=bool), 12)
    judged = acorr_ljungbox(fresh - fresh.mean(), [12])
    assert found.statistic == pytest.approx(judged["lb_stat"].item(), rel=1e-10)
    assert found.p_value == pytest.approx(judged["lb_pvalue"].item(), rel=1e-8)
