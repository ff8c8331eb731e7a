"""Numbers from R, a table on paper, and variances checked against the sampling they describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference import glm, negative_binomial, two_part
from ucimpact.inference.gcomputation import Contrast, gcomputation
from ucimpact.inference.sandwich import sandwich

COVARIATES = ["age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions"]
NAMES = ["(Intercept)", "treated", *COVARIATES]


@pytest.fixture(scope="module")
def cohort(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "sim_cohort_softlanding.csv")


@pytest.fixture(scope="module")
def judge(reference: Path) -> dict[str, dict[str, dict[str, float]]]:
    return golden(reference / "sim_cohort_glm.json")


def columns(cohort: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(cohort)), cohort[["treated", *COVARIATES]].to_numpy(float)])


def readmissions(cohort: pd.DataFrame) -> glm.Fit:
    return glm.poisson(
        cohort["readmissions"].to_numpy(float),
        columns(cohort),
        np.log(cohort["followup_days"].to_numpy(float)),
    )


def agrees(fit: glm.Fit, cov: np.ndarray, case: dict[str, dict[str, float]]) -> None:
    np.testing.assert_allclose(fit.coef, [case["estimate"][k] for k in NAMES], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), [case["se"][k] for k in NAMES], rtol=1e-4)
    assert fit.deviance == pytest.approx(case["deviance"], rel=1e-8)


def test_poisson_with_an_offset_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    # glm(readmissions ~ treated + ..., poisson, offset = log(followup_days))
    fit = readmissions(cohort)
    agrees(fit, fit.cov("model"), judge["poisson"])


def test_hc1_is_that_of_sandwich(cohort: pd.DataFrame, judge: dict) -> None:
    fit = readmissions(cohort)  # vcovHC(type = "HC1")
    agrees(fit, fit.cov("HC1"), judge["poisson_hc1"])


def test_cr1_is_vcovcl_hc1_of_sandwich(cohort: pd.DataFrame, judge: dict) -> None:
    fit = readmissions(cohort)  # vcovCL(cluster = site, type = "HC1")
    agrees(fit, fit.cov("CR1", cohort["site"].to_numpy()), judge["poisson_cl"])


def test_a_poisson_model_of_costs_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    fit = glm.poisson(cohort["cost"].to_numpy(float), columns(cohort))
    agrees(fit, fit.cov("HC1"), judge["ppml_cost_hc1"])
    assert fit.dispersion == pytest.approx(judge["ppml_cost_hc1"]["dispersion"], rel=1e-6)


def test_gamma_of_the_costs_above_nothing_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    above = cohort[cohort["cost"] > 0]
    fit = glm.gamma(above["cost"].to_numpy(float), columns(above))
    agrees(fit, fit.cov("model"), judge["gamma_positive"])
    assert fit.dispersion == pytest.approx(judge["gamma_positive"]["dispersion"], rel=1e-6)


def test_logit_of_any_cost_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    fit = glm.logit((cohort["cost"].to_numpy() > 0).astype(float), columns(cohort))
    agrees(fit, fit.cov("model"), judge["logit_any"])


def test_the_negative_binomial_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    # MASS::glm.nb(readmissions ~ treated + ... + offset(log(followup_days))); vcovHC(type = "HC0")
    y, days = cohort["readmissions"].to_numpy(float), cohort["followup_days"].to_numpy(float)
    fit, found = negative_binomial.fit(y, columns(cohort), np.log(days))
    agrees(fit, fit.cov("model"), judge["negbin"])
    agrees(fit, fit.cov("HC0"), judge["negbin_hc0"])
    assert found.theta == pytest.approx(judge["negbin"]["theta"], rel=1e-8)
    assert found.theta_std_error == pytest.approx(judge["negbin"]["se_theta"], rel=1e-6)
    assert found.log_likelihood == pytest.approx(judge["negbin"]["loglik"], rel=1e-10)


def test_g_computation_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    fit = readmissions(cohort)
    treated = cohort["treated"].to_numpy() == 1
    att = gcomputation(fit, 1, treated)
    everybody = gcomputation(fit, 1, np.ones(len(cohort), bool))
    assert att.difference == pytest.approx(judge["gcomp_poisson"]["att"], rel=1e-6)
    assert everybody.difference == pytest.approx(judge["gcomp_poisson"]["ate"], rel=1e-6)
    assert np.exp(everybody.log_ratio) == pytest.approx(judge["gcomp_poisson"]["rate_ratio_ate"], rel=1e-6)


def test_the_two_part_model_is_that_of_r(cohort: pd.DataFrame, judge: dict) -> None:
    fit = two_part.two_part(cohort["cost"].to_numpy(float), columns(cohort))
    treated = cohort["treated"].to_numpy() == 1
    att = two_part.gcomputation(fit, 1, treated)
    everybody = two_part.gcomputation(fit, 1, np.ones(len(cohort), bool))
    case = judge["two_part"]
    assert att.difference == pytest.approx(case["att"], rel=1e-6)
    assert everybody.difference == pytest.approx(case["ate"], rel=1e-6)
    assert att.with_service == pytest.approx(case["mean1_treated"], rel=1e-6)
    assert att.without == pytest.approx(case["mean0_treated"], rel=1e-6)


def test_a_rate_ratio_by_hand() -> None:
    # 8 admissions in 400 days against 30 in 900: 0.02 and 0.0333 a day, ratio 0.6
    events, days = np.array([3.0, 5.0, 10.0, 20.0]), np.array([100.0, 300.0, 400.0, 500.0])
    x = np.array([[1, 1], [1, 1], [1, 0], [1, 0]], float)
    fit = glm.poisson(events, x, np.log(days))
    assert np.exp(fit.coef) == pytest.approx([30 / 900, 0.6])
    # the variance of the log of a sum of counts: the squared surpluses over the square of the sum
    surplus = events - days * np.array([0.02, 0.02, 1 / 30, 1 / 30])
    by_hand = (surplus[:2] ** 2).sum() / 8**2 + (surplus[2:] ** 2).sum() / 30**2
    assert fit.cov("HC0")[1, 1] == pytest.approx(by_hand)
    assert fit.cov("HC1")[1, 1] == pytest.approx(by_hand * 4 / 2)
    # over a whole year, the difference for the two pilot people
    att = gcomputation(fit, 1, np.array([True, True, False, False]), offset=np.full(4, np.log(365.0)))
    assert att.difference == pytest.approx(365 * (0.02 - 1 / 30))
    assert np.exp(att.log_ratio) == pytest.approx(0.6)


def fitted(family: str, y: np.ndarray, x: np.ndarray, weights: np.ndarray | None = None) -> glm.Fit:
    if family == "negative-binomial":
        return negative_binomial.fit(y, x, weights=weights)[0]
    return glm.fit(family, y, x, weights=weights)


def test_a_weight_of_two_is_the_row_twice() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(60), rng.random(60) < 0.4, rng.normal(size=60)])
    weights = rng.integers(0, 3, 60).astype(float)
    again = np.repeat(np.arange(60), weights.astype(int))
    for family, y in [
        ("poisson", rng.poisson(2.0, 60).astype(float)),
        ("gamma", rng.gamma(2.0, 1.0, 60)),
        ("gaussian", rng.normal(size=60)),
        ("logit", (rng.random(60) < 0.5).astype(float)),
        ("negative-binomial", rng.negative_binomial(1, 0.3, 60).astype(float)),
    ]:
        one, other = fitted(family, y, x, weights), fitted(family, y[again], x[again])
        np.testing.assert_allclose(one.coef, other.coef, rtol=1e-8)
        clustered = other.cov("CR0", again)  # the copies of a row are no new people
        np.testing.assert_allclose(one.cov("CR0", np.arange(60)), clustered, rtol=1e-8)


def test_gaussian_is_least_squares_at_any_scale() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(50), rng.random(50) < 0.5, rng.normal(1e5, 1e3, 50)])
    y = 1e6 + x @ [0, 3e4, 2.0] + rng.normal(0, 1e4, 50)
    fit = glm.gaussian(y, x)
    np.testing.assert_allclose(fit.coef, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-6)
    assert gcomputation(fit, 1, x[:, 1] == 1).difference == pytest.approx(fit.coef[1])


@pytest.mark.parametrize("family", ["poisson", "gamma", "gaussian", "logit"])
def test_years_and_day_numbers_cost_no_digits(family: glm.Family) -> None:
    rng = np.random.default_rng(10)
    n = 150
    small = np.column_stack([np.ones(n), rng.random(n) < 0.4, rng.normal(size=(n, 2))])
    mean = np.exp(small @ [0.2, -0.3, 0.2, -0.1])
    y = {
        "poisson": rng.poisson(mean),
        "gamma": rng.gamma(0.7, mean),
        "gaussian": rng.normal(mean),
        "logit": rng.random(n) < 0.5,
    }[family].astype(float)
    large = small * [1, 1, 0.01, 100] + [0, 0, 2024, 45_000]
    one, other = glm.fit(family, y, small), glm.fit(family, y, large)
    np.testing.assert_allclose(other.mu, one.mu, rtol=1e-8)
    np.testing.assert_allclose(other.coef[1:] * [1, 0.01, 100], one.coef[1:], rtol=1e-6)
    np.testing.assert_allclose(other.cov("HC1")[1, 1], one.cov("HC1")[1, 1], rtol=1e-6)
    by = [gcomputation(fit, 1, small[:, 1] == 1).difference_influence for fit in (one, other)]
    np.testing.assert_allclose(by[0], by[1], rtol=1e-5, atol=1e-9)


def test_scaling_a_cost_moves_only_the_intercept() -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(200), rng.random(200) < 0.5])
    y = rng.gamma(0.5, 900.0, 200) * (rng.random(200) < 0.6)
    one, other = glm.poisson(y, x), glm.poisson(y / 1e6, x)
    assert one.coef[1] == pytest.approx(other.coef[1], rel=1e-9)
    assert one.coef[0] == pytest.approx(other.coef[0] + np.log(1e6), rel=1e-9)
    np.testing.assert_allclose(one.cov("HC0"), other.cov("HC0"), rtol=1e-7)


def test_clusters_of_one_row_are_hc1_but_for_the_factor_of_the_clusters() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(40), rng.random(40) < 0.5])
    fit = glm.poisson(rng.poisson(3.0, 40).astype(float), x)
    rows = np.arange(40)
    np.testing.assert_allclose(fit.cov("CR0", rows), fit.cov("HC0"))
    np.testing.assert_allclose(fit.cov("CR1", rows), fit.cov("HC1") * (40 / 39) * (39 / 38) / (40 / 38))


def test_a_row_of_weight_0_changes_nothing_and_is_foreseen() -> None:
    rng = np.random.default_rng(11)
    x = np.column_stack([np.ones(50), rng.random(50) < 0.5, rng.normal(size=50)])
    y = rng.poisson(2.0, 50).astype(float)
    weights = np.where(np.arange(50) < 40, 1.0, 0.0)
    y[45], whole = np.nan, glm.poisson(y[:40], x[:40])
    fit = glm.poisson(y, x, weights=weights)
    np.testing.assert_allclose(fit.coef, whole.coef)
    np.testing.assert_allclose(fit.cov("HC1"), whole.cov("HC1"))
    np.testing.assert_allclose(fit.mu[40:], np.exp(x[40:] @ whole.coef))
    assert (fit.influence[40:] == 0).all()


def test_two_ways_add_and_take_off_what_both_share() -> None:
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(80), rng.random(80) < 0.5])
    fit = glm.poisson(rng.poisson(3.0, 80).astype(float), x)
    sets, persons = rng.integers(0, 20, 80), rng.integers(0, 50, 80)
    both = sets * 50 + persons
    expected = fit.cov("CR0", sets) + fit.cov("CR0", persons) - fit.cov("CR0", both)
    np.testing.assert_allclose(fit.cov("CR0", (sets, persons)), expected)
    np.testing.assert_allclose(fit.cov("CR1", (sets, sets)), fit.cov("CR1", sets))
    # nested ways are the wider one alone
    np.testing.assert_allclose(fit.cov("CR0", (sets, np.arange(80))), fit.cov("CR0", sets))


def test_a_two_way_variance_is_never_negative() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        influence = rng.normal(size=(12, 2))
        cov = sandwich(influence, (rng.integers(0, 4, 12), rng.integers(0, 4, 12)), "CR1", 2)
        assert np.linalg.eigvalsh(cov)[0] >= -1e-10


def test_a_negative_binomial_is_robust_to_counts_that_are_none() -> None:
    rng = np.random.default_rng(12)
    n, ratios, errors = 400, [], []
    x = np.column_stack([np.ones(n), np.arange(n) < 150])
    for _ in range(300):  # many never, some often: no negative binomial
        rate = np.where(rng.random(n) < 0.6, 0.05, 4.0) * np.exp(-0.2 * x[:, 1])
        fit, _ = negative_binomial.fit(rng.poisson(rate).astype(float), x)
        ratios.append(gcomputation(fit, 1, x[:, 1] == 1).log_ratio)
        errors.append(np.sqrt(fit.cov("HC1")[1, 1]))
    assert np.mean(errors) == pytest.approx(np.std(ratios), rel=0.1)
    assert np.mean(ratios) == pytest.approx(-0.2, abs=3 * np.std(ratios) / np.sqrt(300))


def test_counts_no_more_spread_than_poisson_have_no_theta() -> None:
    x = np.column_stack([np.ones(40), np.arange(40) < 20])
    with pytest.raises(EstimationError, match="no more than Poisson"):
        negative_binomial.fit(1.0 + np.arange(40) % 2, x)


@pytest.mark.parametrize("kind", ["poisson", "gaussian", "two_part"])
def test_influences_are_the_change_when_a_row_weighs_a_little_more(kind: str) -> None:
    rng = np.random.default_rng(7)
    n = 120
    x = np.column_stack([np.ones(n), rng.random(n) < 0.4, rng.normal(size=n)])
    if kind == "two_part":
        x = x[:, :2]  # the gamma part has the expected information, exact in a model of two groups
    y = rng.gamma(1.0, 2.0, n) * (rng.random(n) < 0.7)
    target = x[:, 1] == 1

    def contrast(weights: np.ndarray) -> Contrast:
        if kind == "two_part":
            return two_part.gcomputation(two_part.two_part(y, x, weights), 1, target, weights=np.ones(n))
        return gcomputation(glm.fit(kind, y, x, None, weights), 1, target, weights=np.ones(n))

    base, step = contrast(np.ones(n)), 1e-5
    for row in (3, 50, 90):
        weights = np.ones(n)
        weights[row] += step
        moved = contrast(weights)
        change = (moved.difference - base.difference) / step
        assert base.difference_influence[row] == pytest.approx(change, rel=1e-3, abs=2e-6)
        change = (moved.log_ratio - base.log_ratio) / step
        assert base.log_ratio_influence[row] == pytest.approx(change, rel=1e-3, abs=2e-6)


def test_the_clustered_interval_covers_the_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    draws, covered, naive = 400, 0, 0
    clusters = np.repeat(np.arange(50), 6)
    x = np.column_stack([np.ones(300), clusters < 20])
    for _ in range(draws):
        frailty = rng.gamma(1.0, 1.0, 50)[clusters]
        y = rng.poisson(0.5 * frailty * np.exp(-0.3 * x[:, 1])).astype(float)
        fit = glm.poisson(y, x)
        error = abs(fit.coef[1] + 0.3)
        covered += error < 2.01 * np.sqrt(fit.cov("CR1", clusters)[1, 1])
        naive += error < 1.96 * np.sqrt(fit.cov("model")[1, 1])
    assert covered / draws == pytest.approx(0.94, abs=0.03)  # 400 draws: two sd is 0.022
    assert naive / draws < 0.85


def test_a_score_test_by_hand() -> None:
    # 20 people, 10 with the service; 1 death against 4. Null: 0.25 each.
    x = np.column_stack([np.ones(20), np.arange(20) < 10])
    deaths = np.zeros(20)
    deaths[[0, 12, 13, 14, 15]] = 1
    found = glm.score_test(deaths, x, 1)
    # surplus of the service: 1 - 2.5 = -1.5; each row (d - 0.25)(s - 0.5)
    squares = ((deaths - 0.25) ** 2 * 0.25).sum()
    assert found.z == pytest.approx(-1.5 / np.sqrt(squares))
    assert found.log_ratio == pytest.approx(-1.5 / (0.25 * 20 * 0.25))


def test_a_score_test_stands_where_one_side_has_no_event() -> None:
    x = np.column_stack([np.ones(400), np.arange(400) < 100])
    deaths = np.zeros(400)
    deaths[[150, 200, 250]] = 1
    found = glm.score_test(deaths, x, 1)
    assert np.isfinite(found.z) and abs(found.z) < 1.96
    with pytest.raises(EstimationError, match=r"column 1 .* none had the outcome"):
        glm.poisson(deaths, x)


def test_the_score_test_of_few_deaths_is_beyond_its_limit_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    x = np.column_stack([np.ones(900), np.arange(900) < 300])
    z = [glm.score_test((rng.random(900) < 0.02).astype(float), x, 1).z for _ in range(1000)]
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.014)
    assert np.mean(np.abs(z) > 2.58) < 0.02


def test_a_group_with_no_event_is_refused() -> None:
    x = np.column_stack([np.ones(30), np.arange(30) < 10])
    y = np.where(x[:, 1] == 1, 0.0, 1.0 + np.arange(30) % 2)
    with pytest.raises(EstimationError, match="column 1"):
        glm.poisson(y, x)
    with pytest.raises(EstimationError, match=r"column 1 .*none or all"):
        glm.logit((x[:, 1] + (np.arange(30) == 20) > 0).astype(float), x)


def test_a_column_that_repeats_another_is_named() -> None:
    x = np.column_stack([np.ones(30), np.arange(30) < 10, np.arange(30.0), 2 * np.arange(30.0) + 1])
    with pytest.raises(EstimationError, match=r"column 3 .* combination"):
        glm.poisson(np.ones(30), x)


def test_outcomes_that_a_family_cannot_have_are_refused() -> None:
    x = np.column_stack([np.ones(9), np.arange(9) < 4])
    with pytest.raises(EstimationError, match="above 0"):
        glm.gamma(np.arange(9.0), x)
    with pytest.raises(EstimationError, match="at least 0"):
        glm.poisson(np.arange(9.0) - 1, x)
    with pytest.raises(EstimationError, match="never happened"):
        glm.poisson(np.zeros(9), x)
    with pytest.raises(EstimationError, match="everybody"):
        glm.logit(np.ones(9), x)
    with pytest.raises(EstimationError, match="2 clusters"):
        glm.poisson(np.ones(9) + x[:, 1], x).cov("CR1", np.zeros(9))


def test_a_negative_binomial_settles_on_uneven_weights_and_few_who_had_it() -> None:
    rng = np.random.default_rng(13)
    fitted = 0
    for draw in range(150):
        n = int(rng.integers(40, 300))
        x = np.column_stack([np.ones(n), rng.random(n) < 0.3, rng.normal(8000, 0.1, n), rng.normal(size=n)])
        days, weights = np.exp(rng.uniform(0, 6, n)), rng.choice([0.01, 1.0, 50.0], n)
        y = rng.poisson(10 ** rng.uniform(-1, 2) * rng.gamma(0.05, 20.0, n)).astype(float)
        try:
            fit, found = negative_binomial.fit(y, x, np.log(days), weights)
        except EstimationError as error:
            assert "settle" not in str(error), draw
            continue
        fitted += 1
        score = (weights * (y - fit.mu) / (1 + fit.mu / found.theta))[:, None] * (x - x.mean(axis=0))
        assert np.abs(score.sum(axis=0)).max() < 1e-6 * np.abs(score).sum()
    assert fitted > 100
