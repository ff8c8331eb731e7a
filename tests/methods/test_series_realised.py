"""The total with the noise of the periods in it: by hand, what it holds, and how often it covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.methods.test_series_choices import BEFORE, monthly, noisy
from ucimpact.inference.arma import Arma, Ml
from ucimpact.inference.newey_west import Hac, NeweyWest
from ucimpact.inference.prais_winsten import PraisWinsten
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_changes import Change
from ucimpact.methods.series_realised import realised


def row(series: Any, **choices: Any) -> dict[str, Any]:
    return InterruptedTimeSeries(outcome="y", **choices).fit(series).effect("cumulative_realised")


def test_independent_errors_by_hand() -> None:
    """Twenty values before, no trend: the forecast of a sum of ten is 10 means, with variance 10 + 100 / 20."""
    y = noisy(30)
    found = row(monthly(y, before=20), errors=Ols(), trend="none", season="none")
    before, after = y[:20], y[20:]
    error = before.std(ddof=1) * np.sqrt(10 + 100 / 20)
    half = stats.t.ppf(0.975, 19) * error
    estimate = after.sum() - 10 * before.mean()
    assert found["estimate"] == pytest.approx(estimate)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((estimate - half, estimate + half))
    assert (found["std_error"], found["df"]) == pytest.approx((error, 19))
    assert found["p_value"] == pytest.approx(2 * stats.t.sf(abs(estimate / error), 19))


def test_what_comes_after_has_no_say_in_the_forecast() -> None:
    """Whatever happens from the start on, the width is that of the past."""
    y = noisy(40)
    first = row(monthly(y))
    y[BEFORE:] += np.random.default_rng(3).normal(50, 40, 15)
    second = row(monthly(y))
    assert second["std_error"] == pytest.approx(first["std_error"])
    assert second["estimate"] - first["estimate"] == pytest.approx((y - noisy(40)).sum())


def test_left_out_periods_and_gaps_count_for_nothing() -> None:
    y = noisy(40)
    holes = y.copy()
    holes[[4, 30]] = np.nan
    other = y.copy()
    other[25:28] = 1e4
    assert row(monthly(other), phase_in=3) == pytest.approx(row(monthly(y), phase_in=3), nan_ok=True)
    found = row(monthly(holes))
    assert found["conf_low"] < found["estimate"] < found["conf_high"]


def test_a_change_after_the_start_leaves_it_out() -> None:
    series = monthly(noisy(60))
    method = InterruptedTimeSeries(outcome="y", changes=(Change(start="2013-06", shape="level"),))
    assert "cumulative_realised" not in set(method.fit(series).effects["term"])
    assert realised(method.design(series), Reml(), 0.95) is None
    before = InterruptedTimeSeries(outcome="y", changes=(Change(start="2011-03", shape="level"),))
    assert realised(before.design(series), Reml(), 0.95) is not None


def test_the_row_is_the_best_forecast_of_the_whole_covariance_matrix() -> None:
    """Goldberger's formula with matrices, at the autocorrelation that was fitted."""
    design = InterruptedTimeSeries(outcome="y", season="none").design(monthly(noisy(40, seed=4)))
    x, contrast = design.period_by_period()
    fit = Reml().of(design.y, x)
    plain = np.column_stack([np.ones(40), design.since])
    gaps = np.abs(np.subtract.outer(design.since, design.since))
    sigma = fit.rho**gaps / (1 - fit.rho**2)
    b, a = design.since < 0, design.since >= 0
    inverse = np.linalg.inv(sigma[np.ix_(b, b)])
    information = np.linalg.inv(plain[b].T @ inverse @ plain[b])
    coef = information @ plain[b].T @ inverse @ design.y[b]
    left = design.y[b] - plain[b] @ coef
    carry = sigma[np.ix_(a, b)] @ inverse
    forecast = plain[a] @ coef + carry @ left
    toward = plain[a] - carry @ plain[b]
    spread = sigma[np.ix_(a, a)] - carry @ sigma[np.ix_(b, a)] + toward @ information @ toward.T
    scale = left @ inverse @ left / (b.sum() - 2)
    assert abs(fit.rho) > 0.05
    assert fit.estimates(contrast)[0] == pytest.approx((design.y[a] - forecast).sum(), rel=1e-8)
    assert contrast @ fit.cov @ contrast == pytest.approx(scale * spread.sum(), rel=1e-8)


def test_after_a_temporary_pilot_both_sides_foretell_what_would_have_been() -> None:
    """Twenty values before and ten after, no trend: five pilot months against the mean of thirty."""
    y = noisy(35)
    series = monthly(y, before=20)
    choices = {"errors": Ols(), "trend": "none", "season": "none"}
    found = row(series, shape="temporary", until=series.table["period"][24], **choices)
    others = np.delete(y, slice(20, 25))
    assert found["estimate"] == pytest.approx(y[20:25].sum() - 5 * others.mean())
    assert found["std_error"] == pytest.approx(others.std(ddof=1) * np.sqrt(5 + 25 / 30))


@pytest.mark.parametrize(("n", "rho"), [(24, 0.3), (48, 0.6)])
def test_the_range_holds_what_the_pilot_really_changed(n: int, rho: float) -> None:
    rng, held = np.random.default_rng(n), []
    before = round(0.6 * n)
    effect = np.where(np.arange(n) >= before, -2.0, 0.0)
    method = InterruptedTimeSeries(outcome="y", season="none")
    for _ in range(300):
        noise = rng.standard_normal(n + 30)
        for t in range(1, n + 30):
            noise[t] += rho * noise[t - 1]
        design = method.design(monthly(50 + effect + noise[30:], before=before))
        found = realised(design, Reml(), 0.95)
        assert found is not None
        held.append(found["conf_low"] <= effect.sum() <= found["conf_high"])
    assert np.mean(held) == pytest.approx(
        0.955, abs=0.035
    )  # 300 draws: two and a half sd, and the page's 97%


def test_the_row_stands_with_its_own_spread_and_no_covariance() -> None:
    found = InterruptedTimeSeries(outcome="y").fit(monthly(noisy(60)))
    at = list(found.effects["term"]).index("cumulative_realised")
    assert found.cov[at, at] == pytest.approx(found.effects["std_error"][at] ** 2)
    assert np.isnan(np.delete(found.cov[at], at)).all()


@pytest.mark.parametrize("errors", [Reml(), Ols(), Ml(), Arma(p=1, q=1), PraisWinsten(), NeweyWest(), Hac()])
def test_it_follows_the_errors_and_is_left_out_where_they_are_read_from_residuals(errors: Any) -> None:
    found = InterruptedTimeSeries(outcome="y", season="none", errors=errors).fit(monthly(noisy(40)))
    if isinstance(errors, NeweyWest | Hac):
        assert "cumulative_realised" not in set(found.effects["term"])
        return
    total, expected = found.effect("cumulative_realised"), found.effect("cumulative")
    assert total["conf_low"] < total["estimate"] < total["conf_high"]
    assert 0.3 < total["std_error"] / expected["std_error"] < 5
