"""Means by hand, robust to either model being wrong, any learner, and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.soft_landing import COVARIATES, STAYS, check_truth, cohort_of, fits, people
from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError, UsageError
from ucimpact.inference import crossfit
from ucimpact.methods.doubly_robust_cohort import DoublyRobustCohort
from ucimpact.methods.weighted_cohort import WeightedCohort

Array = np.ndarray
PLAIN = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES)


# -- the formula ---------------------------------------------------------------------------


def test_means_by_hand() -> None:
    """Foreseen 2 and 4 for the pilot people; the others missed by +1 (odds 1) and -1 (odds 3)."""
    y = np.array([5.0, 7.0, 3.0, 1.0])
    treated = np.array([True, True, False, False])
    score = np.array([0.5, 0.75, 0.5, 0.75])
    told = crossfit.means(y, treated, score, np.zeros(4), np.array([2.0, 4.0, 2.0, 2.0]), "ATT")
    assert told.with_service == 6.0
    assert told.without == pytest.approx(3.0 + (1 * 1 - 3 * 1) / 4)
    assert told.without_influence == pytest.approx([-0.5, 0.5, 1.5 / 4, -0.5 * 3 / 4])
    assert told.with_influence == pytest.approx([-0.5, 0.5, 0, 0])


def test_a_rate_is_the_ratio_of_two_means() -> None:
    events = crossfit.Means(6.0, 3.0, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    days = crossfit.Means(60.0, 50.0, np.array([2.0, 0.0]), np.array([0.0, 5.0]))
    rates = events.over(days)
    assert (rates.with_service, rates.without) == (0.1, 0.06)
    assert rates.with_influence == pytest.approx([(1 - 0.1 * 2) / 60, 0])
    assert rates.without_influence == pytest.approx([0, (1 - 0.06 * 5) / 50])


@pytest.mark.parametrize("target", ["ATT", "ATE", "ATC"])
@pytest.mark.parametrize("right", ["score", "mean", "neither"])
def test_either_model_may_be_wrong(target: Any, right: str) -> None:
    """With both wrong the same data are out by many standard errors, so the test can fail."""
    rng = np.random.default_rng(1)
    n = 40_000
    x = rng.normal(size=n)
    score = 1 / (1 + np.exp(1 - x))
    treated = rng.random(n) < score
    without, effect = 2 + x + 0.5 * x**2, 1 + x
    y = without + effect * treated + rng.normal(size=n)
    means = (without + effect, without) if right == "mean" else (np.zeros(n), np.zeros(n))
    told = crossfit.means(y, treated, score if right == "score" else np.full(n, 0.3), *means, target)
    true = effect[{"ATT": treated, "ATC": ~treated, "ATE": np.ones(n, dtype=bool)}[target]].mean()
    error = np.sqrt(((told.with_influence - told.without_influence) ** 2).sum())
    out = abs(told.with_service - told.without - true)
    assert out > 10 * error if right == "neither" else out < 4 * error


class Remembers:
    """Knows the outcome of everybody it has seen, and says -1 of all others."""

    def get_params(self, **_: Any) -> dict[str, Any]:
        return {}

    def fit(self, x: Array, y: Array) -> Remembers:
        self.seen = {float(row[0]): float(value) for row, value in zip(x, y, strict=True)}
        return self

    def predict(self, x: Array) -> Array:
        return np.array([self.seen.get(float(row[0]), -1.0) for row in x])


def test_nobody_is_foreseen_by_a_model_that_has_seen_them() -> None:
    x, y = np.arange(60.0)[:, None], np.arange(60.0) + 1
    told = crossfit.foreseen(Remembers(), "gaussian", x, y, np.ones(60), np.arange(60) % 4)
    assert np.isin(told, (1.0, 2.0)).all()  # the least outcome of the other parts


def test_nobody_decides_by_what_a_model_foresees_for_them() -> None:
    """Log-linear means of somebody far out end at the largest outcome seen."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 1))
    y = rng.poisson(np.exp(x[:, 0])).astype(float)
    x[0] = 12.0
    told = crossfit.foreseen(
        "log-linear", "poisson", x, y, (np.arange(400) > 0).astype(float), np.arange(400) % 4
    )
    assert told[0] == y[(np.arange(400) % 4 != 0)].max()


# -- the method ----------------------------------------------------------------------------


def test_it_agrees_with_weights_where_both_hold() -> None:
    cohort = people()
    plain, weighted = PLAIN.fit(cohort), WeightedCohort(outcome=STAYS, covariates=COVARIATES).fit(cohort)
    assert list(plain.effects["term"]) == list(weighted.effects["term"])
    assert set(plain.extras) >= set(weighted.extras)
    gap = plain.headline["estimate"] - weighted.headline["estimate"]
    assert abs(gap) < weighted.headline["std_error"]
    assert plain.headline["std_error"] == pytest.approx(weighted.headline["std_error"], rel=0.15)
    assert plain.extras["learners"] == {"score": "logistic", "model": "linear"}
    assert plain.extras["observed"] == pytest.approx(weighted.extras["observed"], rel=1e-9)


def test_the_answer_is_the_mean_over_the_dealings() -> None:
    cohort = people(people=1_200)
    once = [
        DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, repeats=1, seed=seed).fit(cohort).headline
        for seed in (5, 6)
    ]
    twice = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, repeats=2, seed=5).fit(cohort).headline
    assert twice["estimate"] == pytest.approx(np.mean([head["estimate"] for head in once]), rel=1e-9)
    assert once[0]["estimate"] != once[1]["estimate"]


def test_influences_give_the_error() -> None:
    estimate = PLAIN.fit(people(people=1_500))
    assert estimate.influence is not None and estimate.cov is not None
    n = len(estimate.influence)
    found = (estimate.influence**2).sum(axis=0) * n / (n - 2)
    assert np.diag(estimate.cov) == pytest.approx(found, rel=1e-9)


def test_the_order_of_rows_says_nothing_and_the_seed_little() -> None:
    cohort = people(people=1_500)
    shuffled = cohort_of(cohort.table.sample(frac=1, random_state=3))
    first = PLAIN.fit(cohort).headline
    assert PLAIN.fit(shuffled).headline["estimate"] == pytest.approx(first["estimate"], rel=1e-9)
    other = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, seed=7).fit(cohort).headline
    assert 0 < abs(other["estimate"] - first["estimate"]) < 0.5 * first["std_error"]


def test_only_people_of_whom_the_outcome_is_known_are_learned_from() -> None:
    table = people(people=1_500).table.copy()
    frail = table["Frailty score"] > table["Frailty score"].median()
    unknown = (table["Soft landing"] == 0) & frail & (np.arange(len(table)) % 3 > 0)
    table[STAYS] = table[STAYS].astype(float).mask(unknown)
    found, plain = (PLAIN.fit(cohort_of(of)) for of in (table, table[~unknown].reset_index(drop=True)))
    assert found.headline["estimate"] == pytest.approx(plain.headline["estimate"], rel=1e-9)
    assert found.extras["max_smd"] == pytest.approx(plain.extras["max_smd"], abs=1e-9)
    assert found.counts["left_out"][0]["n"] == unknown.sum()
    column = "Contacts 180 days before"
    table[column] = table[column].astype(float).mask(unknown)
    one, other = (
        PLAIN.controls(cohort_of(of), [column], before=[column]).rows[0]["ratio"]
        for of in (table, table[~unknown].reset_index(drop=True))
    )
    assert one == pytest.approx(other, rel=1e-9)


def test_units_of_a_covariate_say_nothing() -> None:
    cohort = people(people=1_500)
    table = cohort.table.assign(Age=cohort.table["Age"] * 10.0)
    found, first = PLAIN.fit(cohort_of(table)).headline, PLAIN.fit(cohort).headline
    assert found["estimate"] == pytest.approx(first["estimate"], rel=1e-6)


@pytest.mark.parametrize("estimand", ["ATE", "ATC"])
def test_other_people_than_the_supported(estimand: Any) -> None:
    cohort = people()
    told = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, estimand=estimand).fit(cohort)
    weighted = WeightedCohort(outcome=STAYS, covariates=COVARIATES, estimand=estimand).fit(cohort)
    assert told.headline["term"] == estimand.lower()
    gap = told.headline["estimate"] - weighted.headline["estimate"]
    assert abs(gap) < weighted.headline["std_error"]


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_learners_by_word_and_as_objects(family: Any) -> None:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LogisticRegression

    cohort = people(people=1_200)
    fields: dict[str, Any] = {"outcome": STAYS, "covariates": COVARIATES, "family": family, "repeats": 1}
    plain = DoublyRobustCohort(**fields).fit(cohort).headline
    given = DoublyRobustCohort(
        **fields,
        score=LogisticRegression(C=np.inf, max_iter=5_000),
        model=RandomForestRegressor(n_estimators=20, min_samples_leaf=20),
        folds=3,
    ).fit(cohort)
    named = DoublyRobustCohort(**fields, model="gradient-boosting", folds=2).fit(cohort)
    assert given.extras["learners"] == {"score": "LogisticRegression", "model": "RandomForestRegressor"}
    for other in (given, named):
        assert abs(other.headline["estimate"] - plain["estimate"]) < 2 * plain["std_error"]
    assert given.to_dict()["spec"]["model"] == "RandomForestRegressor"


def test_few_people_for_a_learner_that_bends_are_told() -> None:
    fields: dict[str, Any] = {"outcome": STAYS, "covariates": COVARIATES, "repeats": 1, "folds": 2}
    for given, size, told in (
        ({}, 900, False),
        ({"model": "gradient-boosting"}, 900, True),
        ({"score": "gradient-boosting"}, 900, True),
        ({"model": "gradient-boosting"}, 1_100, False),
    ):
        found = DoublyRobustCohort(**fields, **given).fit(people(people=size))
        assert any("few for learners" in text for text in found.warnings) == told


def test_a_bend_that_straight_lines_miss_a_learner_finds() -> None:
    """Both ends of a scale have the service and the outcome: a straight line sees nothing of it."""
    rng = np.random.default_rng(5)
    n = 4_000
    x = rng.normal(size=n)
    ends = np.abs(x) > 1
    pilot = rng.random(n) < np.where(ends, 0.6, 0.15)
    table = pd.DataFrame({"id": range(n), "x": x, "had": pilot, "y": 2.0 * ends + pilot + rng.normal(size=n)})
    table["had"] = table["had"].astype(int)
    cohort = Cohort(table, person="id", pilot="had")
    fields: dict[str, Any] = {"outcome": "y", "covariates": ("x",), "family": "gaussian", "repeats": 1}
    straight = DoublyRobustCohort(**fields).fit(cohort).headline
    bent = (
        DoublyRobustCohort(**fields, score="gradient-boosting", model="gradient-boosting")
        .fit(cohort)
        .headline
    )
    assert straight["conf_low"] > 1.5
    assert bent["conf_low"] < 1 < bent["conf_high"] and bent["std_error"] < 0.06


def test_negative_controls() -> None:
    cohort = people()
    columns = ["Died within 90 days", "Injuries 90 days after", "Contacts 180 days before"]
    found = PLAIN.controls(cohort, columns, deaths=columns[:1], before=columns[2:])
    assert found.pooled is not None and abs(found.pooled.z) < 1.96
    assert all(row["ratio"] is not None for row in found.rows)


def test_a_chance_near_1_is_held_and_told() -> None:
    cohort = people(people=2_000)
    held = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, bound=0.4).fit(cohort)
    assert held.extras["weights"]["trimmed"] > 1_000
    assert PLAIN.fit(cohort).extras["weights"]["trimmed"] < 100


def test_refusals() -> None:
    with pytest.raises(UsageError, match=r"estimand = 'ATO'.*folds = 1.*repeats = 0.*bound = 0") as caught:
        DoublyRobustCohort(
            outcome="y",
            covariates=("x",),
            estimand="ATO",
            folds=1,
            repeats=0,
            bound=0,
        )
    assert len(caught.value.parts) == 4
    with pytest.raises(UsageError, match="model = 'logistic'"):
        DoublyRobustCohort(outcome="y", covariates=("x",), model="logistic")
    table = people().table.copy()
    started = table["Soft landing"] == 1
    later = pd.to_datetime(table.loc[started, "Discharge date"]) + pd.Timedelta(days=2)
    table.loc[started, "First contact"] = later
    with pytest.raises(DesignError, match="immortal time"):
        PLAIN.fit(cohort_of(table))


def test_the_truth_is_found_and_covered() -> None:
    """40 cohorts: three standard errors of 95% are 10 points; 400 are told in the documentation."""
    method = DoublyRobustCohort(outcome=STAYS, covariates=COVARIATES, repeats=1)
    check_truth(fits(method, range(4000, 4040), people=2_500))
