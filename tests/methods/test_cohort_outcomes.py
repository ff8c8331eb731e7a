"""Families of the outcome on matched people: negative binomial counts, bootstrap costs, practices beside sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.methods.test_cohort_subgroups import people
from ucimpact.data.cohort import Cohort
from ucimpact.errors import EstimationError
from ucimpact.inference import glm, negative_binomial
from ucimpact.inference.cost_bootstrap import redraw
from ucimpact.inference.gcomputation import gcomputation
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.methods.matched_cohort_effects import COUNTS, Compared, Effects, Family, Model, compare
from ucimpact.methods.matched_cohort_sample import Sample


def sample_of(table: pd.DataFrame, outcome: str, **roles: Any) -> tuple[Sample, np.ndarray]:
    cohort = Cohort(table, person="id", pilot="had", follow_up="days", horizon=90, **roles)
    y = cohort.values(outcome)
    pairs = MatchedCohort(outcome=outcome, exact=("pair",)).pairs(cohort)
    return Sample.of(cohort, pairs, np.isfinite(y)), y


def worked_out(
    table: pd.DataFrame, outcome: str, family: Family, covariates: tuple[str, ...] = (), **roles: Any
) -> tuple[Effects, Compared]:
    sample, y = sample_of(table, outcome, **roles)
    model = Model(family=family, covariates=covariates, level=0.95)
    compared = compare(model, sample, y, offset=family in COUNTS)
    return Effects(model, sample, compared.contrast, y), compared


def row(effects: Effects, term: str) -> dict[str, Any]:
    return next(row for row in effects.rows if row["term"] == term)


def test_a_negative_binomial_gives_rates_over_the_days_at_risk() -> None:
    table = people(1)
    found, compared = worked_out(table, "stays", "negative-binomial")
    x = np.column_stack([np.ones(800), table["had"]])
    days = table["days"].to_numpy(float)
    fit, _ = negative_binomial.fit(table["stays"].to_numpy(float), x, np.log(days))
    assert row(found, "rate_ratio")["estimate"] == pytest.approx(np.exp(fit.coef[1]), rel=1e-9)
    error = np.sqrt(fit.cov("CR1", table["pair"].to_numpy())[1, 1])
    assert row(found, "rate_ratio")["std_error"] == pytest.approx(np.exp(fit.coef[1]) * error, rel=1e-6)
    own = gcomputation(fit, 1, x[:, 1] == 1).difference
    assert found.att == pytest.approx(own * 90 * 400 / days[:400].sum(), rel=1e-9)
    assert "rate_difference" in [row["term"] for row in found.rows] and compared.warnings == ()


def test_counts_that_vary_too_little_have_a_poisson_model_and_the_estimate_says_so() -> None:
    table = people(2).assign(stays=lambda t: 1 + t["id"] % 2 - t["had"] * (t["id"] % 7 == 0), days=90.0)
    found, compared = worked_out(table, "stays", "negative-binomial")
    plain, _ = worked_out(table, "stays", "poisson")
    assert found.att == pytest.approx(plain.att)
    assert "no more than Poisson" in compared.warnings[0]


def test_the_bootstrap_has_the_difference_of_means_with_limits_that_lean() -> None:
    table = people(3).assign(cost=lambda t: t["cost"] * np.exp((t["id"] % 97 == 0) * 2.5))
    found, _ = worked_out(table, "cost", "bootstrap")
    linear, _ = worked_out(table, "cost", "gaussian")
    att, plain = row(found, "att"), row(linear, "att")
    assert att["estimate"] == pytest.approx(plain["estimate"])
    assert att["std_error"] == pytest.approx(plain["std_error"])
    assert att["conf_low"] != plain["conf_low"]
    assert att["conf_high"] - att["conf_low"] == pytest.approx(
        plain["conf_high"] - plain["conf_low"], rel=0.2
    )
    total = row(found, "cumulative")
    assert total["conf_low"] == pytest.approx(400 * att["conf_low"])
    assert found.draws_from.startswith("2,000 bootstrap draws by matched set")
    assert linear.draws_from.startswith("CR1 variance by matched set")


def test_the_bootstrap_adjusts_for_covariates_as_the_linear_model_does() -> None:
    table = people(4).assign(age=np.random.default_rng(5).normal(80, 7, 800))
    found, compared = worked_out(table, "cost", "bootstrap", ("age",))
    linear, _ = worked_out(table, "cost", "gaussian", ("age",))
    assert compared.adjusted == ("age",)
    assert found.att == pytest.approx(linear.att)


def by_practice(seed: int, practices: int = 30, pairs: int = 300) -> pd.DataFrame:
    """Pairs across practices that each have a rate of their own; a practice has the service or has not."""
    rng = np.random.default_rng(seed)
    own = rng.gamma(8.0, 1 / 8, practices)
    pilot, others = (rng.integers(0, practices // 2, pairs) + k * (practices // 2) for k in (0, 1))
    practice = np.concatenate([pilot, others])
    frail = np.tile(rng.gamma(2.0, 0.5, pairs), 2)
    table = {"id": np.arange(2 * pairs), "had": (np.arange(2 * pairs) < pairs).astype(int), "days": 90.0}
    table |= {"pair": np.tile(np.arange(pairs), 2), "practice": practice}
    table["stays"] = rng.poisson(frail * own[practice])
    return pd.DataFrame(table)


def test_practices_beside_sets_cover_where_whole_practices_have_the_service() -> None:
    covered, sets_alone = [], []
    for seed in range(200):
        table = by_practice(seed)
        both = row(worked_out(table, "stays", "poisson", cluster="practice")[0], "rate_ratio")
        alone = row(worked_out(table, "stays", "poisson")[0], "rate_ratio")
        covered.append(both["conf_low"] <= 1 <= both["conf_high"])
        sets_alone.append(alone["conf_low"] <= 1 <= alone["conf_high"])
    assert np.mean(covered) == pytest.approx(0.94, abs=0.04)  # 200 draws: two sd is 0.031
    assert np.mean(sets_alone) < 0.85


def test_the_bootstrap_draws_practices_as_wide_as_the_variance_of_both_ways() -> None:
    table = by_practice(3)
    found, _ = worked_out(table, "stays", "bootstrap", cluster="practice")
    y, x = table["stays"].to_numpy(float), np.column_stack([np.ones(600), table["had"]])
    fit, practice, pair = glm.gaussian(y, x), table["practice"].to_numpy(), table["pair"].to_numpy()
    one, both = (fit.cov("CR1", ways)[1, 1] for ways in (practice, (pair, practice)))
    assert one > 1.2 * fit.cov("CR1", pair)[1, 1] and abs(both / one - 1) > 0.02
    att, drawn = row(found, "att"), redraw(y, x, 1, clusters=practice)
    times = np.sqrt(both / one)
    assert att["conf_low"] == pytest.approx(att["estimate"] + times * (drawn.low - drawn.estimate))
    assert att["conf_high"] == pytest.approx(att["estimate"] + times * (drawn.high - drawn.estimate))


def test_a_model_that_the_bootstrap_cannot_stand_for_is_refused() -> None:
    with pytest.raises(EstimationError, match="too few to be drawn again"):
        worked_out(people(6, pairs=12), "cost", "bootstrap")


def test_weights_of_pilot_people_count_in_what_was_observed() -> None:
    sample, y = sample_of(people(7), "stays")
    weight = np.where(sample.treated, 0.5 + (sample.row % 3), sample.weight)
    sample = Sample(sample.cohort, sample.pairs, sample.place, sample.set, sample.row, sample.treated, weight)
    model = Model(family="poisson", covariates=(), level=0.95)
    found = Effects(model, sample, compare(model, sample, y, offset=True).contrast, y)
    pilot, days = sample.treated, sample.days
    assert days is not None
    rate = (weight * y[sample.row])[pilot].sum() / (weight * days)[pilot].sum()
    assert found.observed == pytest.approx(90 * rate)
    fit = glm.poisson(y[sample.row], np.column_stack([np.ones(len(pilot)), pilot]), np.log(days), weight)
    assert found.att == pytest.approx(90 * rate * (1 - np.exp(-fit.coef[1])))


@pytest.mark.parametrize("family", ["negative-binomial", "bootstrap"])
def test_a_matched_cohort_carries_family_subgroups_and_strength_through(family: Family) -> None:
    table = people(8, pairs=150).assign(age=lambda t: 80 + t["stays"].rank(method="first") / 100)
    outcome = "cost" if family == "bootstrap" else "stays"
    cohort = Cohort(table, person="id", pilot="had", follow_up="days", horizon=90)
    method = MatchedCohort(
        outcome=outcome,
        exact=("sex",),
        covariates=("age",),
        family=family,
        subgroups=("sex",),
        adjust=False,
    )
    made = method.fit(cohort)
    frame = method.pairs(cohort).sets
    matched = table.iloc[frame["row"]]
    sums = matched.groupby(frame["treated"].to_numpy())[[outcome, "days"]].sum()
    if family == "bootstrap":
        gap = (sums[outcome][True] - sums[outcome][False]) / frame["treated"].sum()
        assert made.headline["estimate"] == pytest.approx(gap)
        assert "bootstrap draws" in made.draws_from
    else:
        assert made.extras["person_time"] == sums["days"][True]
        plain = replace(method, family="poisson").fit(cohort).effect("rate_ratio")["estimate"]
        assert made.effect("rate_ratio")["estimate"] == pytest.approx(plain, rel=0.05)
        assert made.effect("rate_ratio")["estimate"] != plain
    kinds = made.extras["subgroups"][0]
    assert [row["group"] for row in kinds["rows"]] == ["man", "woman"] and kinds["p_interaction"] is not None
    age = next(row for row in made.extras["balance"] if row["name"] == "age")
    assert age["strong"] and age["strength"] > 0.1
