"""Meta-analysis by hand, against R, and what must hold whatever the effects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.heterogeneity import Weighted
from ucimpact.inference.pooling import ESTIMATORS, Pooled, pool

Y = np.array([-0.4, 0.1, -0.9, -0.2, -0.6, 0.3])
V = np.array([0.02, 0.05, 0.09, 0.01, 0.12, 0.06])


@pytest.fixture(scope="module")
def bcg(shared: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log risk ratios of 13 vaccine trials, their variances, and how far north they were."""
    d = pd.read_csv(shared / "reference/data/dat_bcg.csv")
    vaccinated, control = d["tpos"] + d["tneg"], d["cpos"] + d["cneg"]
    y = np.log(d["tpos"] / vaccinated) - np.log(d["cpos"] / control)
    v = 1 / d["tpos"] - 1 / vaccinated + 1 / d["cpos"] - 1 / control
    return y.to_numpy(), v.to_numpy(), d["ablat"].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def judge(shared: Path) -> dict[str, Any]:
    return golden(shared / "reference/golden/bcg_meta.json")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_gives_the_numbers_of_r(bcg: Any, judge: Any, estimator: str) -> None:
    """metafor stops its search for PM at 1e-4: that root is held against its own equation below."""
    y, v, _ = bcg
    found = pool(y, v, estimator=estimator, adjust="normal")
    values = judge["z_fe" if estimator == "fixed" else f"z_{estimator}"]
    close = 1e-4 if estimator == "pm" else 1e-6
    assert found.estimate == pytest.approx(values["estimate"], rel=close)
    assert found.std_error == pytest.approx(values["se"], rel=close)
    assert found.limits()[0] == pytest.approx(values["ci"], rel=close)
    assert found.tau2 == pytest.approx(values["tau2"], rel=close)
    assert 100 * found.i2 == pytest.approx(values["I2"], rel=close)
    assert found.q == pytest.approx(values["QE"], rel=1e-10)


def test_hartung_knapp_as_r_has_it(bcg: Any, judge: Any) -> None:
    y, v, _ = bcg
    found, values = pool(y, v, adjust="knapp-hartung"), judge["reml_hksj"]
    assert found.std_error == pytest.approx(values["se"], rel=1e-6)
    assert found.limits()[0] == pytest.approx(values["ci"], rel=1e-6)
    assert found.p_values[0] == pytest.approx(values["p"], rel=1e-6)
    assert found.tau2_se == pytest.approx(values["se_tau2"], rel=1e-6)
    assert found.h2 == pytest.approx(values["H2"], rel=1e-6)
    assert found.q_p_value == pytest.approx(values["QEp"], rel=1e-5)
    assert found.prediction(df=found.k - 1) == pytest.approx(values["pi"], rel=1e-6)
    # metafor's uniroot stops at 1e-4 here; the equation itself is held below
    assert found.tau2_limits() == pytest.approx(values["tau2_ci"], rel=3e-4)
    moments = pool(y, v, estimator="dl", adjust="knapp-hartung")
    assert moments.std_error == pytest.approx(judge["dl_hksj"]["se"], rel=1e-10)
    assert moments.limits()[0] == pytest.approx(judge["dl_hksj"]["ci"], rel=1e-10)


def test_regression_small_sites_and_leaving_one_out_as_r_has_them(bcg: Any, judge: Any) -> None:
    y, v, north = bcg
    found = pool(y, v, adjust="normal")
    assert found.egger() == pytest.approx((judge["egger"]["z"], judge["egger"]["p"]), rel=1e-6)
    without = found.leave_one_out()
    assert [one.estimate for one in without] == pytest.approx(judge["loo"]["estimate"], rel=1e-6)
    assert [one.std_error for one in without] == pytest.approx(judge["loo"]["se"], rel=1e-6)
    # metafor's Fisher scoring stops at 1e-5 of tau2; here the score is 0 (next test)
    fit = pool(y, v, np.column_stack([np.ones_like(y), north]), adjust="knapp-hartung")
    values = judge["metareg"]
    assert fit.coef == pytest.approx(values["estimate"], rel=1e-4)
    assert fit.std_errors == pytest.approx(values["se"], rel=1e-4)
    assert 100 * (1 - fit.tau2 / found.tau2) == pytest.approx(values["R2"], rel=1e-4)


def test_each_root_solves_its_own_equation(bcg: Any) -> None:
    y, v, north = bcg
    for x in (np.ones((len(y), 1)), np.column_stack([np.ones_like(y), north])):
        at = {name: pool(y, v, x, estimator=name) for name in ("reml", "ml", "pm", "eb")}
        fit = {name: Weighted.at(y, 1 / (v + found.tau2), x) for name, found in at.items()}
        assert fit["reml"].pull == pytest.approx(np.trace(fit["reml"].projection), rel=1e-10)
        assert fit["ml"].pull == pytest.approx(fit["ml"].weights.sum(), rel=1e-10)
        assert fit["pm"].q == pytest.approx(len(y) - x.shape[1], rel=1e-10)
        assert at["pm"].tau2 == at["eb"].tau2
        low, high = at["reml"].tau2_limits(0.95)
        df = len(y) - x.shape[1]
        for limit, chance in ((low, 0.975), (high, 0.025)):
            assert Weighted.at(y, 1 / (v + limit), x).q == pytest.approx(stats.chi2.ppf(chance, df), rel=1e-9)


def test_equal_variances_give_the_plain_mean_and_its_t() -> None:
    y = np.array([1.0, 4.0, 2.0, 9.0])
    found = pool(y, np.full(4, 0.25))
    assert found.estimate == pytest.approx(y.mean())
    assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.25)
    low, high = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    assert found.limits()[0] == pytest.approx([low, high])
    half = stats.t.ppf(0.975, 2) * np.sqrt(found.tau2 + y.var(ddof=1) / 4)
    assert found.prediction() == pytest.approx((y.mean() - half, y.mean() + half))
    assert found.weights == pytest.approx(np.full(4, 0.25))


def width(found: Pooled) -> float:
    return float(np.ptp(found.limits()[0]))


def test_the_modified_form_is_never_narrower_than_either() -> None:
    alike = pool(np.full(5, -0.3) + 1e-3 * np.arange(5), V[:5])
    assert alike.tau2 == 0 and alike.scale == 1.0
    assert width(pool(alike.y, alike.v, adjust="knapp-hartung")) < 0.2 * width(
        pool(alike.y, alike.v, adjust="normal")
    )
    for y in (alike.y, Y[:5]):
        assert width(pool(y, V[:5])) > width(pool(y, V[:5], adjust="normal"))
        assert width(pool(y, V[:5])) >= width(pool(y, V[:5], adjust="knapp-hartung"))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_units_of_the_effect_carry_through(estimator: str) -> None:
    plain, scaled = pool(Y, V, estimator=estimator), pool(100 * Y, 1e4 * V, estimator=estimator)
    shifted = pool(Y + 7, V, estimator=estimator)
    assert scaled.tau2 == pytest.approx(1e4 * plain.tau2, rel=1e-9)
    assert scaled.tau2_se == pytest.approx(1e4 * plain.tau2_se, rel=1e-9)
    assert scaled.limits()[0] == pytest.approx(100 * plain.limits()[0], rel=1e-9)
    assert shifted.limits()[0] == pytest.approx(plain.limits()[0] + 7, rel=1e-9)
    assert scaled.i2 == pytest.approx(plain.i2, rel=1e-9)


@pytest.mark.parametrize("estimator", ["reml", "ml", "dl", "pm", "he", "sj"])
def test_the_spread_of_tau2_is_about_its_standard_error(estimator: str) -> None:
    """Many sites, where the formula and the scatter over samples have to agree."""
    rng, k, tau2 = np.random.default_rng(5), 80, 0.3
    v = rng.uniform(0.05, 0.5, k)
    found = [
        pool(rng.normal(0, np.sqrt(v + tau2)), v, estimator=estimator, adjust="normal") for _ in range(150)
    ]
    spread = np.std([one.tau2 for one in found], ddof=1)
    assert np.mean([one.tau2_se for one in found]) == pytest.approx(spread, rel=0.2)  # 150 samples: 6% sd


def test_the_interval_covers_with_six_unequal_sites() -> None:
    rng, v = np.random.default_rng(11), np.array([0.02, 0.03, 0.05, 0.1, 0.4, 0.8])
    for tau2 in (0.0, 0.1):
        found = [pool(rng.normal(0, np.sqrt(v + tau2)), v) for _ in range(300)]
        covered = np.mean([one.limits()[0, 0] <= 0 <= one.limits()[0, 1] for one in found])
        assert 0.92 <= covered <= 1.0  # 300 draws: sd .013


def test_two_sites_predict_nothing_and_bad_variances_are_refused() -> None:
    assert pool(Y[:2], V[:2]).prediction() == (-np.inf, np.inf)
    with pytest.raises(EstimationError, match="1 sites cannot carry 1 terms"):
        pool(Y[:1], V[:1])
    with pytest.raises(EstimationError, match="variance above 0"):
        pool(Y, np.where(V > 0.1, 0.0, V))
    with pytest.raises(EstimationError, match="too much alike in size"):
        pool(Y, np.full(6, 0.1)).egger()
    with pytest.raises(ValueError, match="no estimator"):
        pool(Y, V, estimator="gh")
    with pytest.raises(ValueError, match="no adjustment"):
        pool(Y, V, adjust="none")
