"""The published optimum in any units, R's and statsmodels' numbers, missing months, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from tests.conftest import golden
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.inference.arima import Fitting
from ucimpact.inference.arima_likelihood import Differenced, Order, autocovariances, from_partial
from ucimpact.inference.arima_order import candidates, differences
from ucimpact.methods.arima_its import ArimaITS

QUETIAPINE = Order(p=2, d=1, seasonal_d=1, seasonal_q=1, s=12)


def monthly(y: Any, *, before: int, first: str = "2010-01", **columns: Any) -> Series:
    y = np.asarray(y, dtype=float)
    month = pd.period_range(first, periods=len(y), freq="M").astype(str)
    return Series(pd.DataFrame({"period": month, "y": y, **columns}), start=month[before])


def arima(seed: int, n: int, order: Order, coefficients: list[float]) -> np.ndarray:
    """A path of an order, its differences summed up from 0."""
    ar, ma = order.polynomials(np.array(coefficients))
    path = lfilter(ma, ar, np.random.default_rng(seed).normal(size=n + 200))[200:]
    for _ in range(order.d):
        path = np.cumsum(path)
    if order.seasonal_d:
        path = lfilter([1.0], np.r_[1.0, np.zeros(order.s - 1), -1.0], path)
    return np.asarray(path)


def breaks(n: int, before: int) -> np.ndarray:
    since = np.arange(n) - before
    return np.column_stack([np.ones(n), since, since >= 0, np.maximum(since, 0)]).astype(float)


def estimates(found: Any) -> dict[str, float]:
    return dict(zip(found.effects["term"], found.effects["estimate"], strict=True))


# -- the likelihood --------------------------------------------------------------------------------


def test_partial_autocorrelations_by_hand() -> None:
    """With partial autocorrelations a, b an AR(2) is a(1 - b), b."""
    np.testing.assert_allclose(from_partial(np.array([0.5, -0.4])), [0.5 * 1.4, -0.4])


def test_autocovariances_by_hand() -> None:
    """AR(1): phi^k / (1 - phi^2). MA(1): 1 + theta^2, then theta, then 0."""
    np.testing.assert_allclose(
        autocovariances(np.array([1, -0.6]), np.array([1.0]), 4)[0], 0.6 ** np.arange(4) / (1 - 0.36)
    )
    np.testing.assert_allclose(
        autocovariances(np.array([1.0]), np.array([1, 0.5]), 4)[0], [1.25, 0.5, 0, 0], atol=1e-15
    )


def dense(order: Order, coefficients: np.ndarray, n: int) -> np.ndarray:
    """Covariance of the differenced series from 4,000 terms of its moving average."""
    ar, ma = order.polynomials(coefficients)
    psi = lfilter(ma, ar, np.r_[1.0, np.zeros(3999)])
    gamma = np.array([psi[k:] @ psi[: len(psi) - k] for k in range(n)])
    return np.asarray(gamma[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))])


@pytest.mark.parametrize(
    ("order", "coefficients"),
    [
        (Order(p=1), [0.6]),
        (Order(p=1, q=1), [0.7, 0.4]),
        (Order(p=2, q=1), [1.1, -0.5, 0.3]),
        (Order(q=2), [0.4, -0.3]),
        (Order(p=1, q=1, seasonal_p=1, seasonal_q=1, s=4), [0.5, 0.2, 0.4, -0.6]),
        (Order(p=2, d=1, seasonal_d=1, seasonal_q=1, s=4), [-0.9, -0.6, -0.6]),
    ],
)
def test_the_band_gives_the_likelihood_of_the_whole_covariance(
    order: Order, coefficients: list[float]
) -> None:
    n, x = 40, breaks(40, 24)
    y = 1e4 + 300 * np.random.default_rng(2).normal(size=n)
    data = Differenced.of(y, x, np.ones(n, dtype=bool), order)
    point = data.at(np.array(coefficients), restricted=False)
    assert point is not None
    w, z = order.differenced(y), order.differenced(x)[:, data.kept]
    gamma = dense(order, np.array(coefficients), len(w))
    inverse = np.linalg.inv(gamma)
    beta = np.linalg.solve(z.T @ inverse @ z, z.T @ inverse @ w)
    variance = (w - z @ beta) @ inverse @ (w - z @ beta) / len(w)
    value = -0.5 * (len(w) * (np.log(2 * np.pi * variance) + 1) + np.linalg.slogdet(gamma)[1])
    assert point.value == pytest.approx(value, abs=1e-8)
    np.testing.assert_allclose(data.beta(point), beta, rtol=1e-7)
    np.testing.assert_allclose(data.shape(point), np.linalg.inv(z.T @ inverse @ z), rtol=1e-7)


def test_missing_months_with_a_difference_by_hand() -> None:
    """What is seen are sums of the changes between the months that are there."""
    order, n = Order(p=1, d=1), 30
    y, x = 50 + np.cumsum(np.random.default_rng(1).normal(size=n)), breaks(n, 18)
    used = np.ones(n, dtype=bool)
    used[[0, 7, 8, 20]] = False
    data = Differenced.of(np.where(used, y, np.nan), x, used, order)
    point = data.at(np.array([0.5]), restricted=False)
    assert point is not None
    sums = np.diff((np.arange(n)[used][:, None] > np.arange(n - 1)).astype(float), axis=0)
    gamma = sums @ dense(order, np.array([0.5]), n - 1) @ sums.T
    inverse = np.linalg.inv(gamma)
    w, z = np.diff(y[used]), np.diff(x[used], axis=0)[:, 1:]
    beta = np.linalg.solve(z.T @ inverse @ z, z.T @ inverse @ w)
    variance = (w - z @ beta) @ inverse @ (w - z @ beta) / len(w)
    value = -0.5 * (len(w) * (np.log(2 * np.pi * variance) + 1) + np.linalg.slogdet(gamma)[1])
    assert data.points == len(w)
    assert point.value == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(data.beta(point), beta, rtol=1e-9)


# -- other programs --------------------------------------------------------------------------------


def quetiapine(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    y = pd.read_csv(shared / "reference/data/quetiapine.csv")["dispensings"].to_numpy(dtype=float)
    after = np.arange(len(y)) - 36
    return y, np.column_stack([after >= 0, np.maximum(after + 1, 0)]).astype(float)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e6])
def test_the_published_optimum_is_found_in_any_units(shared: Path, scale: float) -> None:
    """statsmodels stops at -296.95 with a step of -1849 (standard error 3492) and says it converged."""
    y, x = quetiapine(shared)
    values = golden(shared / "reference/golden/quetiapine_arima.json")["arima"]
    fit = Fitting(scale * y, x, np.ones(len(y), dtype=bool)).fit(QUETIAPINE)
    errors = np.sqrt(np.diag(fit.cov))
    for at, name in enumerate(("step", "ramp")):
        assert fit.beta[at] / scale == pytest.approx(values["estimate"][name], rel=1e-4), name
        assert errors[at] / scale == pytest.approx(values["se"][name], rel=1e-4), name
    assert fit.log_likelihood + fit.points * np.log(scale) == pytest.approx(values["loglik"], abs=0.005)
    assert fit.log_likelihood > fit.nested
    assert not fit.at_bound and not fit.flat


def test_the_default_of_another_program_stops_short_of_it(shared: Path) -> None:
    """The reason for all the care: should this fail, that program has been mended."""
    sarimax = pytest.importorskip("statsmodels.tsa.statespace.sarimax").SARIMAX
    y, x = quetiapine(shared)
    model = sarimax(y, exog=x, order=(2, 1, 0), seasonal_order=(0, 1, 1, 12), simple_differencing=True)
    with np.errstate(all="ignore"), pytest.warns():
        theirs = model.fit(disp=0)
    ours = Fitting(y, x, np.ones(len(y), dtype=bool)).fit(QUETIAPINE)
    assert theirs.llf < ours.log_likelihood - 1


def test_sicily(shared: Path) -> None:
    """R counts 1 in the first month after the ban, and stops its search a little early."""
    d = pd.read_csv(shared / "reference/data/sicily.csv")
    series = monthly(d["aces"] / d["stdpop"] * 1e5, before=36, first="2002-01")
    values = golden(shared / "reference/golden/sicily_its.json")["arima_100"]
    method = ArimaITS(outcome="y", season="none", order=(1, 0, 0), interval="normal")
    found = method.fit(series)
    told = found.extras["maximum_likelihood"]
    ours = {row["name"]: (row["estimate"], row["std_error"]) for row in told["coefficients"]}
    ours["ar1"] = (told["arma"][0]["estimate"], told["arma"][0]["std_error"])
    for name, theirs in {"ar1": "ar1", "slope before": "time", "slope change": "since"}.items():
        wanted, error = values["estimate"][theirs], values["se"][theirs]
        assert ours[name][0] == pytest.approx(wanted, abs=1e-3 * error), name
        assert ours[name][1] == pytest.approx(error, rel=3e-4), name
    step = estimates(found)["level_change"] - estimates(found)["slope_change"]
    assert step == pytest.approx(values["estimate"]["smokban"], rel=1e-4)
    assert told["log_likelihood"] == pytest.approx(values["loglik"], abs=1e-5)
    assert told["log_likelihood"] >= values["loglik"]
    assert told["sigma2"] == pytest.approx(values["sigma2"], rel=1e-4)


@pytest.mark.parametrize(
    ("order", "coefficients", "missing"),
    [
        (Order(p=1), [0.5], ()),
        (Order(p=1, q=1), [0.6, 0.4], ()),
        (Order(q=1, seasonal_q=1, s=12), [0.4, 0.5], ()),
        (Order(p=1, seasonal_p=1, s=12), [0.4, 0.5], (5, 6, 40, 61)),
        (Order(p=1, q=1), [0.6, 0.4], (0, 5, 40)),
        (Order(q=1, d=1), [-0.4], (30,)),
        (Order(q=1, d=1, seasonal_d=1, seasonal_q=1, s=12), [-0.4, -0.5], ()),
    ],
)
def test_statsmodels_finds_the_same_where_it_is_right(
    order: Order, coefficients: list[float], missing: tuple[int, ...]
) -> None:
    sarimax = pytest.importorskip("statsmodels.tsa.statespace.sarimax").SARIMAX
    n, x = 84, breaks(84, 50)
    y = 20 + arima(6, n, order, coefficients)
    used = np.ones(n, dtype=bool)
    used[list(missing)] = False
    y = np.where(used, y, np.nan)
    fit = Fitting(y, x, used).fit(order)
    model = sarimax(
        y,
        exog=x[:, fit.kept],
        order=(order.p, order.d, order.q),
        seasonal_order=(order.seasonal_p, order.seasonal_d, order.seasonal_q, order.s if order.s > 1 else 0),
        simple_differencing=bool(order.lost) and not missing,
        concentrate_scale=True,
    )
    theirs = model.fit(disp=0, maxiter=500, cov_type="approx", method="bfgs")
    r = int(fit.kept.sum())
    assert fit.log_likelihood == pytest.approx(theirs.llf, abs=2e-4)
    assert fit.log_likelihood > theirs.llf - 1e-5 or order.d  # ours is the higher where they differ
    np.testing.assert_allclose(fit.beta[fit.kept], theirs.params[:r], atol=1e-3 * theirs.bse[:r].max())
    np.testing.assert_allclose(fit.coefficients, theirs.params[r:], atol=2e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov))[fit.kept], theirs.bse[:r], rtol=0.01)


# -- what must hold --------------------------------------------------------------------------------


def test_no_order_lies_below_one_it_holds() -> None:
    y, x, used = arima(11, 60, Order(p=1), [0.3]), breaks(60, 36), np.ones(60, dtype=bool)
    fitting = Fitting(y, x, used)
    for order in (Order(p=2, q=2), Order(p=1, q=1, seasonal_p=1, seasonal_q=1, s=12)):
        for less in fitting.nested(order):
            assert fitting.log_likelihood(order) >= fitting.log_likelihood(less) - 1e-9


def test_the_score_is_zero_at_the_optimum_and_the_information_is_its_slope() -> None:
    """The covariance against a plain numerical Hessian over all coefficients together."""
    order, n, x = Order(p=1, q=1), 80, breaks(80, 50)
    y, used = arima(4, n, order, [0.6, 0.4]), np.ones(80, dtype=bool)
    fit = Fitting(y, x, used).fit(order)

    def log_likelihood(at: np.ndarray) -> float:
        """With the regression's coefficients given: their residuals on no regressors at all."""
        rest = Differenced.of(y - x @ at[:4], np.zeros((n, 1)), used, order)
        point = rest.at(at[4:], restricted=False)
        assert point is not None
        return point.value

    centre, steps = np.r_[fit.beta, fit.coefficients], 1e-3 * np.r_[np.sqrt(np.diag(fit.cov)), 0.1, 0.1]
    k = len(centre)
    gradient, hessian = np.empty(k), np.empty((k, k))
    for a in range(k):
        e = steps[a] * np.eye(k)[a]
        gradient[a] = (log_likelihood(centre + e) - log_likelihood(centre - e)) / (2 * steps[a])
        for b in range(k):
            f = 10 * steps[b] * np.eye(k)[b]
            e10 = 10 * e
            corners = [log_likelihood(centre + i * e10 + j * f) for i in (1, -1) for j in (1, -1)]
            hessian[a, b] = (corners[0] - corners[1] - corners[2] + corners[3]) / (400 * steps[a] * steps[b])
    np.testing.assert_allclose(gradient * np.r_[np.sqrt(np.diag(fit.cov)), fit.std_errors_arma], 0, atol=1e-4)
    cov = np.linalg.inv(-hessian)
    np.testing.assert_allclose(np.sqrt(np.diag(cov)[:4]), np.sqrt(np.diag(fit.cov)), rtol=2e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(cov)[4:]), fit.std_errors_arma, rtol=2e-3)


def test_a_missing_month_holds_what_those_around_it_say() -> None:
    """A random walk between two months is halfway."""
    y = np.cumsum(np.random.default_rng(8).normal(size=40))
    used = np.ones(40, dtype=bool)
    used[20] = False
    fit = Fitting(np.where(used, y, np.nan), np.ones((40, 1)), used).fit(Order(d=1))
    assert fit.filled[20] == pytest.approx((y[19] + y[21]) / 2)
    assert not fit.kept[0]


def test_the_total_is_what_was_observed_less_what_would_have_been() -> None:
    y = 100 + arima(5, 60, Order(p=1, d=1), [0.3]) - np.where(np.arange(60) >= 36, 6.0, 0.0)
    found = ArimaITS(outcome="y", order=(1, 1, 0)).fit(monthly(y, before=36))
    frame = found.counterfactual
    gap = (frame["observed"] - frame["expected"]).to_numpy()
    assert gap[36:].sum() == pytest.approx(estimates(found)["cumulative"])
    np.testing.assert_allclose(gap[:36], 0, atol=1e-9)
    expected = y[36:].mean() - estimates(found)["average"]
    assert estimates(found)["relative"] == pytest.approx(estimates(found)["average"] / expected)
    rows = found.effects.set_index("term")
    assert (rows.loc["relative", "conf_low"] > 0) == (rows.loc["average", "conf_low"] > 0)
    assert found.extras["differenced_away"] == ["level before"]


def test_a_months_own_value_does_not_matter_where_it_is_not_known() -> None:
    y = 50 + arima(9, 60, Order(p=1), [0.5])
    y[[10, 45]] = np.nan
    found = ArimaITS(outcome="y", order=(1, 0, 0)).fit(monthly(y, before=36))
    assert found.counts["left_out"] == [{"n": 2, "reason": "no value of y"}]
    assert not any("wanders" in text for text in found.warnings)  # the order was given
    frame = found.counterfactual
    assert np.isfinite(frame["expected"]).all() and np.isnan(frame["observed"][10])
    assert found.extras["residuals"][10] is None
    assert len(found.extras["residuals"]) == 60


def test_the_averaged_range_is_that_of_a_brute_integral() -> None:
    """An AR(1) by 4,000 values of rho, with the prior flat on its arcsine."""
    from scipy.stats import t

    from ucimpact.inference.arima_averaged import averaged

    n, x, used = 48, breaks(48, 30), np.ones(48, dtype=bool)
    y = arima(3, n, Order(p=1), [0.4])
    data = Fitting(y, x, used).data(Order(p=1))
    found = averaged(data, 4).limits(np.eye(4)[[2]], 0.95)[0]
    rhos = np.sin((np.arange(4000) + 0.5) / 4000 * 2 * np.arcsin(0.995) - np.arcsin(0.995))
    points = [data.at(np.array([rho]), restricted=True) for rho in rhos]
    weight = np.exp([p.value - max(q.value for q in points[::50]) for p in points])
    weight /= weight.sum()
    centre = np.array([data.beta(p)[2] for p in points])
    spread = np.array([data.scale * np.sqrt(p.squares / (n - 4) * data.shape(p)[2, 2]) for p in points])
    for limit, chance in zip(found, (0.025, 0.975), strict=True):
        assert weight @ t(n - 4).cdf((limit - centre) / spread) == pytest.approx(chance, abs=5e-4)


def test_the_averaged_range_holds_the_truth_more_often_than_the_normal_one() -> None:
    held = {"averaged": 0, "normal": 0}
    for seed in range(60):
        y = arima(seed, 48, Order(p=1), [0.5])
        for interval in held:
            found = ArimaITS(outcome="y", order=(1, 0, 0), interval=interval).fit(monthly(y, before=29))
            row = found.headline
            held[interval] += bool(row["conf_low"] <= 0 <= row["conf_high"])
    assert held["averaged"] / 60 == pytest.approx(0.95, abs=0.085)  # three standard errors
    assert held["normal"] < held["averaged"] - 4


# -- the choice of an order ------------------------------------------------------------------------


def test_a_random_walk_is_differenced_and_noise_is_not() -> None:
    x, used = breaks(96, 60), np.ones(96, dtype=bool)
    chosen = {
        phi: [differences(arima(s, 96, Order(p=1), [phi]), x, used, 12, seed=1).d for s in range(40)]
        for phi in (0.0, 0.99999)
    }
    assert np.mean(chosen[0.0]) <= 0.15  # nominal 0.05
    assert np.mean(chosen[0.99999]) >= 0.7


def test_a_season_is_differenced_only_where_the_regression_does_not_hold_it() -> None:
    month = np.arange(72)
    season = np.random.default_rng(1).normal(0, 10, 12)[month % 12]
    y, used = season + np.random.default_rng(2).normal(size=72), np.ones(72, dtype=bool)
    x = breaks(72, 48)
    assert differences(y, x, used, 12, seed=1).seasonal_d == 1
    levels = np.column_stack([month % 12 == k for k in range(1, 12)]).astype(float)
    assert differences(y, np.column_stack([x, levels]), used, 12, seed=1).seasonal_d == 0
    assert differences(y[:30], x[:30], used[:30], 12, seed=1).seasonal_d == 0  # under three years


def test_the_grid_finds_the_order_of_a_long_series() -> None:
    y, x, used = arima(2, 300, Order(q=1), [0.7]), breaks(300, 180), np.ones(300, dtype=bool)
    found = candidates(Fitting(y, x, used), Order(), seasonal=False)
    assert found[0].order == Order(q=1)
    assert len(found) == 6
    assert [one.aicc for one in found] == sorted(one.aicc for one in found)


def test_orders_nearly_as_good_have_their_part_in_the_range() -> None:
    """The chance below 0 of the whole is the mean of the parts, by weight."""
    from ucimpact.inference.arima_averaged import averaged, over_orders

    y, x, used = arima(3, 48, Order(p=1), [0.4]), breaks(48, 30), np.ones(48, dtype=bool)
    fitting = Fitting(y, x, used, restricted=True)
    parts = [averaged(fitting.data(order), 4) for order in (Order(p=1), Order(q=1))]
    whole, contrast = over_orders(parts, np.array([3.0, 1.0])), np.eye(4)[[2]]
    chances = [part.below(contrast)[0] for part in parts]
    assert whole.below(contrast)[0] == pytest.approx(0.75 * chances[0] + 0.25 * chances[1])
    found = ArimaITS(outcome="y").fit(monthly(80 + y, before=30))
    assert found.extras["grid"][0]["averaged"]
    assert "orders nearly as good" in found.draws_from


def test_the_choice_is_told() -> None:
    y = 80 + arima(3, 60, Order(p=1), [0.4])
    found = ArimaITS(outcome="y").fit(monthly(y, before=36))
    assert found.extras["grid"][0]["order"] == found.extras["order"]
    assert found.extras["differences"]["given"] is False
    assert any("60 months often do not show that a level wanders" in text for text in found.warnings)
    assert found.extras["order"] in found.draws_from
    assert (
        found.extras["maximum_likelihood"]["log_likelihood"] >= found.extras["maximum_likelihood"]["nested"]
    )


# -- shapes, refusals ------------------------------------------------------------------------------


def test_a_step_alone_has_no_change_of_slope() -> None:
    y = 80 + arima(3, 60, Order(p=1), [0.4])
    found = ArimaITS(outcome="y", order=(1, 0, 0), shape="level").fit(monthly(y, before=36))
    assert list(found.effects["term"]) == ["average", "level_change", "cumulative", "relative"]
    assert estimates(found)["cumulative"] == pytest.approx(24 * estimates(found)["level_change"])


def test_a_pulse_is_one_month() -> None:
    y = 80 + arima(3, 60, Order(p=1), [0.4])
    y[36] += 25
    found = ArimaITS(outcome="y", order=(1, 0, 0), shape="pulse").fit(monthly(y, before=36))
    assert estimates(found)["average"] == pytest.approx(25, abs=4)
    np.testing.assert_allclose(found.counterfactual["expected"][37:], y[37:])


def test_too_many_differences_are_warned_about() -> None:
    y = 80 + np.random.default_rng(3).normal(size=60)
    found = ArimaITS(outcome="y", order=(0, 2, 1)).fit(monthly(y, before=36))
    assert any("differenced once too often" in text for text in found.warnings)


def test_a_pattern_left_over_is_warned_about() -> None:
    y = 80 + arima(3, 90, Order(p=2), [0.0, 0.8])
    found = ArimaITS(outcome="y", order=(0, 0, 0)).fit(monthly(y, before=60))
    assert found.extras["ljung_box"]["p_value"] < 0.01
    assert any("still has a pattern" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"order": "auto"}, 'order = "auto" is not known; give .* or "grid"'),
        ({"order": (1, 0)}, "order holds 2 numbers; give three"),
        ({"order": (1, 3, 0)}, "a number below 0 or above"),
        ({"seasonal": (0, 2, 0)}, "seasonal = .* above"),
        ({"interval": "t"}, 'interval = "t" is not known; choose one of: averaged, normal'),
    ],
)
def test_choices_are_checked(fields: dict[str, Any], match: str) -> None:
    with pytest.raises(DesignError, match=match):
        ArimaITS(outcome="y", **fields)


def test_a_window_too_short_for_the_differences_is_refused() -> None:
    y = 80 + arima(3, 24, Order(p=1), [0.4])
    with pytest.raises(DesignError, match="Choose"):
        ArimaITS(outcome="y", order=(1, 1, 1), seasonal=(1, 1, 1)).fit(monthly(y, before=14))


def test_numbered_periods_have_no_season() -> None:
    y = 80 + arima(3, 40, Order(p=1), [0.4])
    series = Series(pd.DataFrame({"period": np.arange(40), "y": y}), start=24)
    with pytest.raises(DesignError, match="Leave seasonal out"):
        ArimaITS(outcome="y", order=(1, 0, 0), seasonal=(0, 1, 1)).fit(series)
    assert ArimaITS(outcome="y", order=(1, 0, 0)).fit(series).effects["estimate"].notna().all()


def test_a_line_without_noise_is_refused() -> None:
    with pytest.raises(DesignError, match="nothing over to measure chance by"):
        ArimaITS(outcome="y", order=(1, 0, 0), season="none").fit(monthly(np.arange(40.0), before=24))
