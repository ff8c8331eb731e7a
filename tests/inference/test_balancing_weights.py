"""Weights of R for every target, and the error of estimated weights against the bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from ucimpact.inference import balance, balancing_weights, glm
from ucimpact.inference.balancing_weights import Target, by_entropy, by_logit, effective_size, within

Array = np.ndarray
SIM = ["age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost"]
NAMES = ["age", "educ", "race_black", "race_hispan", "race_white", "married", "nodegree", "re74", "re75"]
FULL = [0, 1, 3, 4, 5, 6, 7, 8]
"""The columns of a model with an intercept: all but one of the three kinds of race."""


def lalonde(shared: Path) -> tuple[Array, Array, Array, dict[str, Any]]:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    race = [table["race"] == kind for kind in ("black", "hispan", "white")]
    columns = [table["age"], table["educ"], *race, table["married"], table["nodegree"]]
    x = np.column_stack([*columns, table["re74"], table["re75"]]).astype(float)
    judge = golden(shared / "reference/golden/lalonde_weighting.json")
    return x, table["treat"].to_numpy() == 1, table["re78"].to_numpy(), judge


def cohort(reference: Path) -> tuple[Array, Array, pd.DataFrame, dict[str, Any]]:
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    judge = golden(reference / "sim_cohort_matching.json")
    return table[SIM].to_numpy(float), table["treated"].to_numpy() == 1, table, judge


def difference(y: Array, treated: Array, weights: Array) -> glm.Fit:
    return glm.gaussian(y, np.column_stack([np.ones(len(y)), treated]), weights)


def agree(
    found: balancing_weights.Weights, y: Array, case: dict[str, Any], scale: Array | float = 1.0
) -> None:
    """Weights to 1e-6, effect to 1e-6, HC0 error with weights as known to 1e-4."""
    weights, treated = found.weights * scale, found.treated
    assert weights[:20] == pytest.approx(case["weights_head"], rel=1e-6)
    for arm in (0, 1):
        here = weights[treated == arm]
        assert effective_size(here) == pytest.approx(case["ess"][str(arm)], rel=1e-6)
        assert here.mean() == pytest.approx(case["mean_weight"][str(arm)], rel=1e-6)
        assert here.max() == pytest.approx(case["max_weight"][str(arm)], rel=1e-6)
    fit = difference(y, treated, weights)
    assert fit.coef[1] == pytest.approx(case["effect"], rel=1e-6)
    assert np.sqrt(fit.cov("HC0")[1, 1]) == pytest.approx(case["se_hc0"], rel=1e-4)


@pytest.mark.parametrize("target", ["ATT", "ATE", "ATC", "ATO"])
def test_weights_of_lalonde_by_the_score(shared: Path, target: Target) -> None:
    x, treated, y, judge = lalonde(shared)
    case = judge[f"iptw_{target}"]
    found = by_logit(x[:, FULL], treated, target)
    agree(found, y, case)
    rows = balance.table(x, NAMES, treated, found.weights, pooled=target != "ATT")
    told = {row["variable"]: row["diff_adj"] for row in case["balance"]}
    assert [row["smd"] for row in rows] == pytest.approx([told[name] for name in NAMES], abs=1e-6)


def test_stabilised_weights_are_the_same_weights(shared: Path) -> None:
    x, treated, y, judge = lalonde(shared)
    shares = np.where(treated, treated.mean(), 1 - treated.mean())
    agree(by_logit(x[:, FULL], treated, "ATE"), y, judge["overlap_ate_stabilised"], shares)


@pytest.mark.parametrize(("case", "target"), [("iptw_ATT", "ATT"), ("iptw_ATO", "ATO")])
def test_weights_of_the_cohort_by_the_score(reference: Path, case: str, target: Target) -> None:
    x, treated, table, judge = cohort(reference)
    found = by_logit(x, treated, target)
    agree(found, table["readmissions"].to_numpy(), judge[case])
    rows = balance.table(x, SIM, treated, found.weights, pooled=target != "ATT")
    told = {row["variable"]: row["diff_adj"] for row in judge[case]["balance"]}
    assert [row["smd"] for row in rows] == pytest.approx([told[name] for name in SIM], abs=1e-6)


@pytest.mark.parametrize("target", ["ATT", "ATE"])
def test_entropy_balancing_of_lalonde(shared: Path, target: Target) -> None:
    """WeightIt stops when the means agree to 1e-5; the moments here are exact."""
    x, treated, y, judge = lalonde(shared)
    found, case = by_entropy(x, treated, target), judge[f"ebal_{target}"]
    rows = balance.table(x, NAMES, treated, found.weights)
    if target == "ATT":
        assert max(abs(float(row["smd"] or 0)) for row in rows) < 1e-9
    aim = x[treated].mean(axis=0) if target == "ATT" else x.mean(axis=0)
    for arm in (treated, ~treated):
        assert np.average(x[arm], axis=0, weights=found.weights[arm]) == pytest.approx(aim, rel=1e-9)
    fit = difference(y, treated, found.weights)
    assert found.weights[:20] == pytest.approx(case["weights_head"], rel=2e-4)
    assert fit.coef[1] == pytest.approx(case["effect"], rel=1e-4)
    assert np.sqrt(fit.cov("HC0")[1, 1]) == pytest.approx(case["se_hc0"], rel=1e-4)


def test_the_equivalent_of_cbps(shared: Path) -> None:
    """Just-identified CBPS for the ATT has the weights of entropy balancing but for one factor."""
    x, treated, y, judge = lalonde(shared)
    case = judge["cbps_ATT"]
    found = by_entropy(x, treated)
    fit = difference(y, treated, found.weights)
    assert fit.coef[1] == pytest.approx(case["effect"], rel=1e-6)
    assert np.sqrt(fit.cov("HC0")[1, 1]) == pytest.approx(case["se_hc0"], rel=1e-4)
    assert effective_size(found.weights[~treated]) == pytest.approx(case["ess"]["0"], rel=1e-6)


@pytest.mark.parametrize(("case", "column"), [("ebal_readm", "readmissions"), ("ebal_cost", "cost")])
def test_entropy_balancing_of_the_cohort(reference: Path, case: str, column: str) -> None:
    x, treated, table, judge = cohort(reference)
    found = by_entropy(x, treated)
    fit = difference(table[column].to_numpy(), treated, found.weights)
    assert fit.coef[1] == pytest.approx(judge[case]["effect"], rel=2e-5)
    assert np.sqrt(fit.cov("HC0")[1, 1]) == pytest.approx(judge[case]["se_hc0"], rel=1e-4)


# -- weights are estimated -----------------------------------------------------------------


def draw(seed: int, n: int = 700) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < 1 / (1 + np.exp(0.7 - 0.8 * x[:, 0]))
    return x, treated, 2.0 * x[:, 0] + x[:, 1] + treated + rng.normal(size=n)


def weighted(x: Array, treated: Array, target: Target, by: str) -> balancing_weights.Weights:
    return by_entropy(x, treated, target) if by == "entropy" else by_logit(x, treated, target)


@pytest.mark.parametrize(
    ("target", "by"),
    [("ATT", "logit"), ("ATC", "logit"), ("ATE", "logit"), ("ATO", "logit"), ("ATT", "entropy"),
     ("ATC", "entropy"), ("ATE", "entropy")],
)  # fmt: skip
def test_the_error_is_that_of_the_bootstrap(target: Target, by: str) -> None:
    """200 resamples know an error to 5%; with weights as known it is 20-110% too wide in these data."""
    x, treated, y = draw(1)

    def effect(rows: Array) -> float:
        found = weighted(x[rows], treated[rows], target, by)
        return float(difference(y[rows], treated[rows], found.weights).coef[1])

    rng = np.random.default_rng(2)
    again = np.std([effect(rng.integers(0, len(y), len(y))) for _ in range(200)])
    found = weighted(x, treated, target, by)
    for weights in (found, found.even()):
        influence = difference(y, treated, weights.weights).influence
        total = influence + weights.carried(influence)
        assert np.sqrt((total[:, 1] ** 2).sum()) == pytest.approx(again, rel=0.15)
    assert np.sqrt((influence[:, 1] ** 2).sum()) > 1.2 * again


def test_what_hangs_on_the_sum_of_the_weights_alone_is_not_moved() -> None:
    """The sum of a group's weights is held, so an estimate that is a multiple of it has nothing to carry."""
    x, treated, _ = draw(6)
    for target in ("ATT", "ATE", "ATO"):
        found = by_logit(x, treated, target).even()
        for arm in (treated, ~treated):
            assert np.abs(found.carried((found.weights * arm)[:, None])).max() < 1e-9


def test_even_groups_add_up_to_the_people_of_the_target() -> None:
    x, treated, _ = draw(3)
    n, pilot = len(x), int(treated.sum())
    for target, total in (("ATT", pilot), ("ATC", n - pilot), ("ATE", n), ("ATO", n)):
        even = by_logit(x, treated, target).even()
        assert [even.weights[treated].sum(), even.weights[~treated].sum()] == pytest.approx([total, total])


def test_large_weights_are_cut_and_counted() -> None:
    x, treated, _ = draw(4)
    plain = by_logit(x, treated, "ATT")
    cut = plain.cut(0.95)
    limit = np.quantile(plain.weights[~treated], 0.95)
    assert cut.weights[~treated].max() == pytest.approx(limit)
    assert cut.capped == (plain.weights[~treated] > limit).sum() > 10
    assert (cut.weights[treated] == 1).all()
    assert (cut.equations[0].pull[plain.weights > limit] * ~treated[plain.weights > limit] == 0).all()


def test_who_is_left_out() -> None:
    score = np.array([0.05, 0.5, 0.97, 0.02, 0.4, 0.93])
    treated = np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    assert within(score, treated, "ATT", 0.05).tolist() == [True, True, False, True, True, True]
    assert within(score, treated, "ATE", 0.05).tolist() == [True, True, False, False, True, True]
    assert within(score, treated, "ATT", "common").tolist() == [True, True, False, True, True, True]
    assert within(score, treated, "ATE", "common").tolist() == [True, True, False, False, True, True]
    assert within(score, treated, "ATC", "common").tolist() == [True, True, True, False, True, True]


def test_overlap_weights_know_no_entropy() -> None:
    x, treated, _ = draw(5)
    with pytest.raises(ValueError, match="ATO"):
        by_entropy(x, treated, "ATO")
