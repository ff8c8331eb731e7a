"""Weights by hand, R's effects through the method, what is refused by name, and coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import golden
from tests.soft_landing import COVARIATES, SIM, STAYS, check_truth, cohort_of, fits, people
from ucimpact.data.cohort import Cohort
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.methods.weighted_cohort import WeightedCohort

PLAIN = WeightedCohort(outcome=STAYS, covariates=COVARIATES)
CONTROLS = ("Died within 90 days", "Injuries 90 days after", "Contacts 180 days before")


# -- by hand -------------------------------------------------------------------------------


def by_hand() -> Cohort:
    """Of the old 2 of 3 have the service, of the young 1 of 4; each stands twice, since three are too few."""
    rows = [  # old, had, days, stays
        (1, 1, 50, 2), (1, 1, 60, 1), (1, 0, 60, 3),
        (0, 1, 30, 0), (0, 0, 60, 1), (0, 0, 60, 0), (0, 0, 30, 2),
    ]  # fmt: skip
    table = pd.DataFrame(2 * rows, columns=["old", "had", "days", "stays"])
    return Cohort(table.assign(id=range(14)), person="id", pilot="had", follow_up="days", horizon=60)


@pytest.mark.parametrize("by", ["entropy", "score"])
def test_rates_by_hand(by: Any) -> None:
    """To be 2 old and 1 young the old comparison person weighs 2, each young one 1/3."""
    estimate = WeightedCohort(outcome="stays", covariates=("old",), by=by).fit(by_hand())
    rate_with, rate_without = 3 / 140, (2 * 3 + 3 / 3) / (2 * 60 + 150 / 3)
    assert estimate.effect("att")["estimate"] == pytest.approx(60 * (rate_with - rate_without), rel=1e-9)
    assert estimate.effect("rate_ratio")["estimate"] == pytest.approx(rate_with / rate_without, rel=1e-9)
    assert estimate.effect("cumulative")["estimate"] == pytest.approx(2 * (3 - 140 * rate_without), rel=1e-9)
    assert estimate.extras["observed"] == pytest.approx(60 * rate_with, rel=1e-9)
    assert estimate.extras["expected"] == pytest.approx(60 * rate_without, rel=1e-9)
    assert estimate.extras["weights"]["ess"] == pytest.approx(2 * 9 / (4 + 3 / 9))


def test_everybody_by_hand() -> None:
    """Weights for all: 3 old and 4 young in each group, twice."""
    estimate = WeightedCohort(outcome="stays", covariates=("old",), by="score", estimand="ATE").fit(by_hand())
    rate_with = (1.5 * (2 + 1) + 4 * 0) / (1.5 * 110 + 4 * 30)
    rate_without = (3 * 3 + 4 / 3 * 3) / (3 * 60 + 4 / 3 * 150)
    assert estimate.estimand == "ATE"
    assert estimate.headline["term"] == "ate"
    assert estimate.headline["estimate"] == pytest.approx(60 * (rate_with - rate_without), rel=1e-7)
    assert "cumulative" not in set(estimate.effects["term"])
    assert estimate.cov is not None and estimate.cov.shape == (len(estimate.effects),) * 2


def test_a_column_of_words_by_hand() -> None:
    cohort = by_hand()
    table = cohort.table.assign(kind=np.where(cohort.table["old"] == 1, "old", "young"))
    words = Cohort(table, person="id", pilot="had", follow_up="days", horizon=60)
    plain = WeightedCohort(outcome="stays", covariates=("old",)).fit(cohort)
    assert WeightedCohort(outcome="stays", kinds=("kind",)).fit(words).headline["estimate"] == pytest.approx(
        plain.headline["estimate"], rel=1e-9
    )


# -- as R has it ---------------------------------------------------------------------------


def lalonde(shared: Path) -> Cohort:
    table = pd.read_csv(shared / "reference/data/lalonde.csv")
    return Cohort(table.assign(id=range(len(table))), person="id", pilot="treat")


R_NAMES = ("age", "educ", "married", "nodegree", "re74", "re75")


@pytest.mark.parametrize("estimand", ["ATT", "ATE", "ATC", "ATO"])
def test_the_effects_of_lalonde_are_those_of_r(shared: Path, estimand: Any) -> None:
    """R's error is HC0 for weights as known; ours is HC1, which is more by n/(n-2)."""
    cohort = lalonde(shared)
    case = golden(shared / "reference/golden/lalonde_weighting.json")[f"iptw_{estimand}"]
    method = WeightedCohort(
        outcome="re78",
        covariates=R_NAMES,
        kinds=("race",),
        by="score",
        estimand=estimand,
        family="gaussian",
        errors="known",
    )
    head = method.fit(cohort).headline
    n = len(cohort.table)
    assert head["estimate"] == pytest.approx(case["effect"], rel=1e-6)
    assert head["std_error"] * np.sqrt((n - 2) / n) == pytest.approx(case["se_hc0"], rel=1e-4)


def test_entropy_balancing_of_lalonde_is_exact(shared: Path) -> None:
    judge = golden(shared / "reference/golden/lalonde_weighting.json")
    method = WeightedCohort(
        outcome="re78", covariates=R_NAMES, kinds=("race",), family="gaussian", errors="known"
    )
    estimate = method.fit(lalonde(shared))
    assert estimate.headline["estimate"] == pytest.approx(judge["cbps_ATT"]["effect"], rel=1e-6)
    assert estimate.extras["max_smd"] < 1e-9
    assert estimate.extras["weights"]["ess"] == pytest.approx(judge["cbps_ATT"]["ess"]["0"], rel=1e-6)
    squares = WeightedCohort(
        outcome="re78", covariates=R_NAMES, kinds=("race",), family="gaussian", moments=2
    ).fit(lalonde(shared))
    assert squares.headline["estimate"] == pytest.approx(judge["ebal_ATT_moments2"]["effect"], rel=1e-4)
    ratios = [row["variance_ratio"] for row in squares.extras["balance"] if row["name"] in ("age", "re74")]
    assert ratios == pytest.approx([1, 1], abs=0.05)


@pytest.mark.parametrize(
    ("case", "outcome", "fields"),
    [
        ("iptw_ATT", "readmissions", {"by": "score"}),
        ("iptw_ATO", "readmissions", {"by": "score", "estimand": "ATO"}),
        ("ebal_readm", "readmissions", {}),
        ("ebal_cost", "cost", {}),
    ],
)
def test_the_effects_of_the_reference_cohort_are_those_of_r(
    reference: Path, case: str, outcome: str, fields: dict[str, Any]
) -> None:
    """Weighted by R's entropy balancing the means agree to 1e-5 only, so its effect to 2e-5."""
    table = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    judge = golden(reference / "sim_cohort_matching.json")[case]
    cohort = Cohort(table, person="id", pilot="treated")
    head = (
        WeightedCohort(outcome=outcome, covariates=SIM, family="gaussian", errors="known", **fields)
        .fit(cohort)
        .headline
    )
    assert head["estimate"] == pytest.approx(judge["effect"], rel=2e-5 if "ebal" in case else 1e-6)
    n = len(table)
    assert head["std_error"] * np.sqrt((n - 2) / n) == pytest.approx(judge["se_hc0"], rel=1e-4)


# -- what it tells -------------------------------------------------------------------------


def test_the_estimate_holds_what_a_matched_cohort_holds() -> None:
    cohort = people()
    method = WeightedCohort(
        outcome=STAYS, covariates=COVARIATES, kinds=("Sex", "Hospital"), subgroups=("Sex",)
    )
    estimate = method.fit(cohort)
    matched = MatchedCohort(outcome=STAYS, covariates=COVARIATES).fit(cohort)
    assert list(estimate.effects["term"]) == list(matched.effects["term"])
    assert set(estimate.counts) == set(matched.counts) - {"sets"}
    assert set(estimate.extras) >= (set(matched.extras) - {"audit", "sensitivity"}) | {
        "overlap",
        "weights",
        "flow",
    }
    assert estimate.extras["max_smd"] < 0.03  # use two years before is no covariate, and is not asked here
    assert {row["name"] for row in estimate.extras["balance"]} >= {*COVARIATES, "Sex: F"}
    assert estimate.extras["subgroups"][0]["by"] == "Sex"
    strong = {row["name"] for row in estimate.extras["balance"] if row["strong"]}
    assert "Admissions 91 to 365 days before" in strong
    assert estimate.influence is not None
    sums = (estimate.influence**2).sum(axis=0)
    n = len(cohort.table)
    assert np.diag(estimate.cov) == pytest.approx(sums * n / (n - 2), rel=1e-9)


def test_the_flow_adds_up() -> None:
    table = people().table.copy()
    table["Age"] = table["Age"].astype(float)
    table.loc[:19, "Age"] = np.nan
    table[STAYS] = table[STAYS].astype(float)
    table.loc[30:39, STAYS] = np.nan
    table["Team"] = "other"
    table.loc[table.index[table["Soft landing"] == 1][-4:], "Team"] = "alone"
    table.loc[table.index[table["Soft landing"] == 0][-6:], "Team"] = "without"
    table.loc[table.index[table["Soft landing"] == 0][-60:-40], "Team"] = "both"
    table.loc[table.index[table["Soft landing"] == 1][-60:-40], "Team"] = "both"
    cohort = cohort_of(table)
    method = WeightedCohort(outcome=STAYS, covariates=COVARIATES, kinds=("Team",), trim="common")
    estimate = method.fit(cohort)
    flow = estimate.extras["flow"]
    ends = sum(row["n"] for row in flow if row["kind"] == "end")
    outs = {row["text"]: row["n"] for row in flow if row["kind"] == "out"}
    assert flow[0]["n"] == len(table) == ends + sum(outs.values())
    assert outs["`Age` was empty, so nobody could be weighed by it"] == 20
    assert outs["nobody else was alike in `Team`"] == 4
    assert outs["nobody with the service was alike in `Team`"] == 6
    assert outs["the outcome was empty"] == 10
    assert (
        estimate.extras["lost"]["n"] == 4 + outs["their chance of having the service was beyond the bounds"]
    )
    unknown = [*range(20), *range(30, 40)]
    assert estimate.extras["lost"]["of"] == cohort.is_pilot.sum() - table.loc[unknown, "Soft landing"].sum()
    assert any("20 people were left out" in text for text in estimate.warnings)


def with_empty_outcomes(column: str) -> tuple[Cohort, Cohort]:
    """A third of the others unknown, the frail above all: as it is, and without their rows."""
    table = people(people=2_000).table.copy()
    frailty = table["Frailty score"] - table["Frailty score"].mean()
    chance = 1 / (1 + np.exp(1 - 2 * frailty / frailty.std()))
    unknown = (table["Soft landing"] == 0) & (np.random.default_rng(2).random(len(table)) < chance)
    table[column] = table[column].astype(float).mask(unknown)
    return cohort_of(table), cohort_of(table[~unknown].reset_index(drop=True))


@pytest.mark.parametrize("by", ["entropy", "score"])
def test_only_people_of_whom_the_outcome_is_known_are_weighed(by: Any) -> None:
    """Weighed with the others and then left by them, those who remain would no longer be alike."""
    cohort, without = with_empty_outcomes(STAYS)
    method = WeightedCohort(outcome=STAYS, covariates=COVARIATES, kinds=("Sex",), by=by)
    found, plain = method.fit(cohort), method.fit(without)
    gone = len(cohort.table) - len(without.table)
    assert found.headline["estimate"] == pytest.approx(plain.headline["estimate"], rel=1e-9)
    assert found.headline["std_error"] == pytest.approx(plain.headline["std_error"], rel=1e-9)
    assert found.extras["max_smd"] == pytest.approx(plain.extras["max_smd"], abs=1e-9)
    assert found.counts["left_out"] == [{"n": gone, "pilot": 0, "reason": "the outcome was empty"}]
    assert {"kind": "out", "n": gone, "text": "the outcome was empty"} in found.extras["flow"]


def test_only_people_of_whom_a_control_is_known_are_weighed() -> None:
    cohort, without = with_empty_outcomes(CONTROLS[2])
    found, plain = (PLAIN.controls(of, CONTROLS[2:], before=CONTROLS[2:]).rows[0] for of in (cohort, without))
    assert found["ratio"] == pytest.approx(plain["ratio"], rel=1e-9)
    assert found["std_error"] == pytest.approx(plain["std_error"], rel=1e-9)


def test_a_control_that_cannot_be_weighed_says_why() -> None:
    table = people(people=1_000).table.copy()
    old = table["Age"] > table.loc[table["Soft landing"] == 1, "Age"].quantile(0.2)
    table[CONTROLS[2]] = table[CONTROLS[2]].astype(float).mask((table["Soft landing"] == 0) & old)
    found = PLAIN.controls(cohort_of(table), [CONTROLS[1], CONTROLS[2]], before=CONTROLS[2:]).rows
    assert found[0]["ratio"] is not None
    assert "`Age`" in found[1]["why"]


def test_estimated_weights_narrow_the_range_of_a_score() -> None:
    cohort = people()
    plain, known = (
        WeightedCohort(outcome=STAYS, covariates=COVARIATES, by="score", errors=errors).fit(cohort).headline
        for errors in ("estimated", "known")
    )
    assert plain["estimate"] == known["estimate"]
    assert plain["std_error"] < 0.97 * known["std_error"]


def test_a_weight_that_is_cut_is_told() -> None:
    cohort = people()
    estimate = WeightedCohort(outcome=STAYS, covariates=COVARIATES, by="score", cap=0.9).fit(cohort)
    assert estimate.extras["weights"]["trimmed"] == pytest.approx(0.1 * (~cohort.is_pilot).sum(), abs=30)
    plain = WeightedCohort(outcome=STAYS, covariates=COVARIATES, by="score").fit(cohort)
    assert estimate.extras["max_smd"] > plain.extras["max_smd"]


def test_a_learner_may_give_the_score() -> None:
    from sklearn.linear_model import LogisticRegression

    cohort = people(people=1_500)
    given = WeightedCohort(
        outcome=STAYS, covariates=COVARIATES, by="score", score=LogisticRegression(C=np.inf, max_iter=5_000)
    ).fit(cohort)
    plain = WeightedCohort(outcome=STAYS, covariates=COVARIATES, by="score").fit(cohort)
    assert given.spec["score"] == "LogisticRegression"
    assert given.draws_from.endswith("for weights as known")
    assert given.headline["estimate"] == pytest.approx(plain.headline["estimate"], abs=0.03)


def test_negative_controls_have_the_same_weights() -> None:
    cohort = people()
    found = PLAIN.controls(cohort, [*CONTROLS, "Age"], deaths=CONTROLS[:1], before=CONTROLS[2:])
    assert [row["reach"] for row in found.rows] == ["deaths", "after", "before", "after"]
    assert [row["ratio"] is None for row in found.rows] == [False, False, False, True]
    assert found.pooled is not None and abs(found.pooled.z) < 1.96
    weights = PLAIN.pairs(cohort).weights.weights
    y = cohort.values(CONTROLS[2])
    ratio = y[cohort.is_pilot].mean() / np.average(y[~cohort.is_pilot], weights=weights[~cohort.is_pilot])
    assert found.rows[2]["ratio"] == pytest.approx(ratio, rel=1e-9)


def test_people_who_recur_are_one_unit() -> None:
    table = people(people=1_200).table
    twice = pd.concat([table, table], ignore_index=True)
    once, both = (PLAIN.fit(cohort_of(part)).headline for part in (table, twice))
    assert both["estimate"] == pytest.approx(once["estimate"], rel=1e-9)
    assert both["std_error"] == pytest.approx(once["std_error"], rel=1e-3)


def test_people_who_recur_in_places_are_units_of_both() -> None:
    table = people(people=1_200).table
    rng = np.random.default_rng(8)
    twice = pd.concat([table, table], ignore_index=True).assign(Team=rng.integers(0, 400, 2 * len(table)))
    once = PLAIN.fit(cohort_of(table)).headline
    cohort = Cohort(
        twice, person="Person", pilot="Soft landing", follow_up="Days followed", horizon=90, cluster="Team"
    )
    both = PLAIN.fit(cohort)
    assert both.extras["rule"]["reason"] == "person and Team"
    assert both.headline["std_error"] > 0.85 * once["std_error"]


# -- what it refuses -----------------------------------------------------------------------


def test_a_late_start_is_refused_as_a_matched_cohort_refuses_it() -> None:
    table = people().table.copy()
    started = table["Soft landing"] == 1
    table.loc[started, "First contact"] = pd.to_datetime(table.loc[started, "Discharge date"]) + pd.Timedelta(
        days=3
    )
    with pytest.raises(DesignError, match="immortal time"):
        PLAIN.fit(cohort_of(table))


def test_means_beyond_everybody_are_refused_by_the_name_of_the_covariate() -> None:
    table = people().table.copy()
    table["Risk"] = np.where(table["Soft landing"] == 1, 5.0, 1.0) + np.arange(len(table)) % 3
    with pytest.raises(EstimationError, match=r'the covariate `Risk`: .*beyond everybody.*by = "score"'):
        WeightedCohort(outcome=STAYS, covariates=(*COVARIATES, "Risk")).fit(cohort_of(table))
    with pytest.raises(EstimationError, match="the covariate `Risk`"):
        WeightedCohort(outcome=STAYS, covariates=(*COVARIATES, "Risk"), by="score").fit(cohort_of(table))


def test_a_mark_that_no_supported_person_has_is_told_with_a_way_out_that_works() -> None:
    table = people().table.copy()
    table["Hospice"] = ((np.arange(len(table)) % 9 == 0) & (table["Soft landing"] == 0)).astype(int)
    for by in ("entropy", "score"):
        with pytest.raises(EstimationError, match=r"the covariate `Hospice`.*name it under kinds"):
            WeightedCohort(outcome=STAYS, covariates=("Age", "Hospice"), by=by).fit(cohort_of(table))
    estimate = WeightedCohort(outcome=STAYS, covariates=("Age",), kinds=("Hospice",)).fit(cohort_of(table))
    assert (
        estimate.counts["matched_comparison"]
        == ((table["Soft landing"] == 0) & (table["Hospice"] == 0)).sum()
    )


def test_what_no_data_are_needed_to_refuse() -> None:
    with pytest.raises(UsageError, match='by = "score"'):
        WeightedCohort(outcome="y", covariates=("x",), estimand="ATO")
    with pytest.raises(UsageError, match=r"trim = 3.*cap = 2.*adjust") as caught:
        WeightedCohort(outcome="y", covariates=("x",), estimand="ATE", adjust=True, trim=3, cap=2)
    assert len(caught.value.parts) == 3
    with pytest.raises(UsageError, match="score = 'xgb'"):
        WeightedCohort(outcome="y", covariates=("x",), score="xgb")
    with pytest.raises(UsageError, match="it cannot be a covariate"):
        WeightedCohort(outcome="y", covariates=("y",))


def test_data_that_cannot_be_weighed_are_refused() -> None:
    cohort = people(people=600)
    with pytest.raises(DesignError, match="Nothing is named"):
        WeightedCohort(outcome=STAYS).fit(cohort)
    with pytest.raises(DesignError, match="holds words"):
        WeightedCohort(outcome=STAYS, covariates=("Hospital",)).fit(cohort)
    with pytest.raises(DesignError, match="only known when follow-up ended"):
        WeightedCohort(outcome=STAYS, covariates=("Days followed",)).fit(cohort)
    with pytest.raises(DataError, match="no such column"):
        WeightedCohort(outcome=STAYS, covariates=("Height",)).fit(cohort)
    apart = cohort.table.assign(Team=np.where(cohort.is_pilot, "a", "b"))
    with pytest.raises(DesignError, match=r"0 of .* can be weighed"):
        WeightedCohort(outcome=STAYS, covariates=("Age",), kinds=("Team",)).fit(cohort_of(apart))


def test_unlike_groups_are_told() -> None:
    table = people().table.copy()
    rng = np.random.default_rng(1)
    pilot = table["Soft landing"].to_numpy() == 1
    table["Risk"] = rng.normal(size=len(table)) * np.where(pilot, 0.4, 1.0) + 2.2 * pilot
    estimate = WeightedCohort(outcome=STAYS, covariates=(*COVARIATES, "Risk"), by="score", cap=0.9).fit(
        cohort_of(table)
    )
    assert any("nothing should be claimed" in text for text in estimate.warnings)


# -- the truth -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["entropy", "score"])
def test_the_truth_is_found_and_covered(by: Any) -> None:
    """40 cohorts: three standard errors of 95% are 10 points; 400 are told in the documentation."""
    method = WeightedCohort(outcome=STAYS, covariates=COVARIATES, kinds=("Sex", "Hospital"), by=by)
    check_truth(fits(method, range(3000, 3040), people=2_500))
