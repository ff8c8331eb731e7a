"""The log ratio of a series: its gradient, its interval, and the numbers that follow from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from ucimpact.inference.timeseries import Reml
from ucimpact.methods.its_ranges import Ranges
from ucimpact.methods.series_fit import LogRatio, as_counts, as_share


def numerical(value: Callable[[np.ndarray], float], coef: np.ndarray) -> np.ndarray:
    step = 1e-6 * np.eye(len(coef))
    return np.array([(value(coef + d) - value(coef - d)) / 2e-6 for d in step])


def rows(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a design with and without an effect in the last column."""
    rng = np.random.default_rng(seed)
    with_it = np.column_stack([np.ones(12), rng.normal(size=12), np.arange(12) / 6])
    without = with_it.copy()
    without[:, 2] = 0
    return with_it, without


def test_the_contrast_of_a_log_linear_model_is_the_gradient_of_its_ratio() -> None:
    with_it, without = rows()
    offset, coef = np.linspace(2, 3, 12), np.array([0.4, 0.2, -0.3])

    def theta(b: np.ndarray) -> float:
        means = [np.exp(offset + part @ b).sum() for part in (with_it, without)]
        return float(np.log(means[0] / means[1]))

    log_means = offset[:, None] + np.column_stack([with_it @ coef, without @ coef])
    found = LogRatio.of_log_means(log_means, with_it, without)
    assert found.theta == pytest.approx(theta(coef), rel=1e-12)
    assert found.towards == pytest.approx(numerical(theta, coef), rel=1e-6, abs=1e-9)


def test_the_contrast_of_a_linear_model_is_the_gradient_of_its_ratio() -> None:
    with_it, without = rows()
    average, expected = (with_it - without).mean(axis=0), without.mean(axis=0)
    coef = np.array([20.0, 1.0, -3.0])

    def theta(b: np.ndarray) -> float:
        return float(np.log((average + expected) @ b / (expected @ b)))

    found = LogRatio.of_means(average, expected, coef)
    assert found.theta == pytest.approx(theta(coef), rel=1e-12)
    assert found.towards == pytest.approx(numerical(theta, coef), rel=1e-6, abs=1e-9)
    nothing = LogRatio.of_means(average, expected, -coef)
    assert np.isnan(nothing.theta)
    assert np.isnan(as_share({"estimate": nothing.theta})["estimate"])


@pytest.mark.parametrize("points", [30, 60])
def test_the_interval_and_the_p_value_of_a_ratio_belong_together(points: int) -> None:
    """30 points have a t, 60 an average of several: the p-value of what is at the limit is 5%."""
    rng = np.random.default_rng(points)
    step = (np.arange(points) >= 0.6 * points).astype(float)
    x = np.column_stack([np.ones(points), step])
    fit = Reml().of(50 + 2 * step + rng.normal(size=points), x)
    average, expected = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    found = LogRatio.of_means(average, expected, fit.coef)
    ranges = Ranges.of(fit, found.towards, used=points, level=0.95)
    row = found.row(ranges, fit.coef)
    assert row["conf_low"] < row["estimate"] == found.theta < row["conf_high"]
    at_the_limit = LogRatio(theta=found.theta - row["conf_low"], towards=found.towards)
    assert at_the_limit.row(ranges, fit.coef)["p_value"] == pytest.approx(0.05, rel=1e-6)
    if points == 30:
        t = row["estimate"] / row["std_error"]
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), row["df"]), rel=1e-9)


def test_numbers_and_shares_keep_the_sign_of_the_ratio_and_its_limits() -> None:
    row = {"term": "x", "estimate": -0.2, "conf_low": -0.5, "conf_high": 0.1, "std_error": 0.15}
    told, share = as_counts(row, 80.0, "average"), as_share(row)
    assert told["estimate"] == pytest.approx(80 - 80 / np.exp(-0.2))  # seen less expected
    assert told["conf_low"] == pytest.approx(80 - 80 / np.exp(-0.5))
    assert told["conf_high"] == pytest.approx(80 - 80 / np.exp(0.1))
    assert [share[name] for name in ("conf_low", "estimate", "conf_high")] == pytest.approx(
        [np.exp(-0.5) - 1, np.exp(-0.2) - 1, np.exp(0.1) - 1]
    )
    near = [as_counts({**row, "estimate": row["estimate"] + d}, 80.0, "x")["estimate"] for d in (-1e-6, 1e-6)]
    assert told["std_error"] == pytest.approx((near[1] - near[0]) / 2e-6 * 0.15, rel=1e-6)
