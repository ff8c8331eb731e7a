"""Ratios of kinds by hand, a test that rejects as often as it says, and columns that cannot be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ucimpact.data.cohort import Cohort
from ucimpact.inference import glm
from ucimpact.inference.uneven import worth
from ucimpact.methods.cohort_subgroups import subgroup_findings, subgroups
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.methods.matched_cohort_effects import Family, Model
from ucimpact.methods.matched_cohort_sample import Sample


def people(seed: int, men: float = 0.8, women: float = 0.8, pairs: int = 400) -> pd.DataFrame:
    """Pairs of the same sex and frailty, with a gamma spread of their own."""
    rng = np.random.default_rng(seed)
    sex = np.tile(np.where(rng.random(pairs) < 0.5, "man", "woman"), 2)
    had = np.arange(2 * pairs) < pairs
    days = np.where(rng.random(2 * pairs) < 0.1, rng.integers(10, 90, 2 * pairs), 90.0)
    ratio = np.where(had, np.where(sex == "man", men, women), 1.0)
    rate = np.tile(rng.gamma(2.0, 0.4, pairs), 2) * ratio * days / 90
    table = {"id": np.arange(2 * pairs), "had": had.astype(int), "days": days, "sex": sex}
    table |= {"pair": np.tile(np.arange(pairs), 2), "stays": rng.poisson(rate)}
    table["cost"] = table["stays"] * rng.gamma(2.0, 1400, 2 * pairs)
    return pd.DataFrame(table)


def compared(table: pd.DataFrame, by: str = "sex", family: Family = "poisson", outcome: str = "stays") -> Any:
    cohort = Cohort(table, person="id", pilot="had", follow_up="days", horizon=90)
    pairs = MatchedCohort(outcome=outcome, exact=("pair",)).pairs(cohort)
    y = cohort.values(outcome)
    sample = Sample.of(cohort, pairs, np.isfinite(y))
    return subgroups(Model(family=family, covariates=(), level=0.95), sample, y, [by])[0]


def test_each_kind_has_its_own_rate_ratio() -> None:
    table = people(1, men=0.5, women=1.2)
    found = compared(table)
    assert [row["group"] for row in found["rows"]] == ["man", "woman"] and found["scale"] == "ratio"
    for row in found["rows"]:
        mine = table[table["sex"] == row["group"]]
        sums = mine.groupby("had")[["stays", "days"]].sum()
        rates = sums["stays"] / sums["days"]
        assert row["estimate"] == pytest.approx(rates[1] / rates[0])
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
        assert row["events_pilot"] == sums["stays"][1] and row["n_pilot"] == (mine["had"] == 1).sum()
    assert found["p_interaction"] < 0.001


def test_costs_are_compared_by_differences_where_the_model_is_linear() -> None:
    table = people(2)
    found = compared(table, family="gaussian", outcome="cost")
    man = table[table["sex"] == "man"].groupby("had")["cost"].mean()
    assert found["scale"] == "difference"
    assert found["rows"][0]["estimate"] == pytest.approx(man[1] - man[0])


def test_the_test_rejects_as_often_as_it_says_and_finds_what_is_there() -> None:
    p_values = [compared(people(seed, pairs=150))["p_interaction"] for seed in range(200)]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.035)  # 200 draws: two sd is 0.031
    there = [compared(people(seed, 0.5, 1.1, pairs=300))["p_interaction"] for seed in range(30)]
    assert np.mean(np.array(there) < 0.05) > 0.7


def test_four_kinds_are_tested_together() -> None:
    rng = np.random.default_rng(3)
    p_values = []
    for seed in range(150):
        table = people(seed, pairs=240)
        table["band"] = np.tile(rng.integers(0, 4, 240), 2)
        found = compared(table, by="band")
        assert [row["group"] for row in found["rows"]] == ["0", "1", "2", "3"]
        p_values.append(found["p_interaction"])
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.04)


def test_the_test_is_that_of_hotelling_with_the_degrees_of_freedom_of_the_variance() -> None:
    table = people(8, pairs=60)
    table["band"] = np.tile(np.arange(60) % 3, 2)
    found = compared(table, by="band")
    band, had = table["band"].to_numpy(), table["had"].to_numpy(float)
    kinds = (band[:, None] == np.arange(3)).astype(float)
    x = np.column_stack([kinds, kinds * had[:, None]])
    fit = glm.poisson(table["stays"].to_numpy(float), x, np.log(table["days"].to_numpy(float)))
    apart = np.array([[-1, 1, 0], [-1, 0, 1.0]])
    cov = apart @ fit.cov("CR1", table["pair"].to_numpy())[3:, 3:] @ apart.T
    gap = apart @ fit.coef[3:]
    df = min(worth(fit.influence[:, 3:] @ one, table["pair"].to_numpy()) for one in apart) - 1
    assert found["df"] == pytest.approx(df) and df < 50
    statistic = gap @ np.linalg.solve(cov, gap) * df / ((df + 1) * 2)
    assert found["p_interaction"] == pytest.approx(stats.f.sf(statistic, 2, df))


def test_effects_that_are_taken_for_normal_have_a_chi_squared_test(monkeypatch: pytest.MonkeyPatch) -> None:
    table = people(9, men=0.6)
    t = compared(table)
    monkeypatch.setattr(Sample, "df", lambda *_: np.inf)
    normal = compared(table)
    men, women = normal["rows"]
    gap = np.log(women["estimate"] / men["estimate"])
    errors = [np.log(row["conf_high"] / row["estimate"]) / stats.norm.ppf(0.975) for row in (men, women)]
    z = gap / np.hypot(*errors)  # people of one sex only in a pair, so that the two do not go together
    assert normal["p_interaction"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.02)
    assert normal["p_interaction"] < t["p_interaction"] and normal["df"] is None


def test_a_kind_with_hardly_any_events_stays_out_of_the_test() -> None:
    table = people(4)
    table["place"] = np.where(table["pair"] < 3, "small", np.where(table["pair"] < 200, "east", "west"))
    found = compared(table, by="place")
    rows = {row["group"]: row for row in found["rows"]}
    assert rows["small"]["estimate"] is None and rows["small"]["why"] == "too few people"
    assert rows["east"]["estimate"] is not None and found["p_interaction"] is not None
    table["place"] = np.where(table["pair"] < 60, "quiet", "busy")
    table.loc[table["pair"] < 60, "stays"] = 0
    table.loc[table["pair"] < 4, "stays"] = 1  # 4 events on each side
    found = compared(table, by="place")
    assert {row["group"]: row["why"] for row in found["rows"]} == {"busy": None, "quiet": "too few events"}
    assert found["p_interaction"] is None


def test_people_of_no_known_kind_are_of_none() -> None:
    table = people(5)
    table.loc[table["pair"] < 20, "sex"] = None
    found = compared(table)
    assert len(found["rows"]) == 2
    assert sum(row["n_pilot"] for row in found["rows"]) == 380


def test_columns_that_tell_nobody_apart_are_refused() -> None:
    table = people(6).assign(same="x", many=np.arange(800) // 8)
    cohort = Cohort(table, person="id", pilot="had", follow_up="days", horizon=90)
    said = subgroup_findings(cohort, ["same", "many", "sex", "stays"], known_after=["stays"])
    assert [finding.level for finding in said] == ["refuse"] * 3
    assert "same for all" in said[0].text and "100 kinds" in said[1].text
    assert "not known at the index date" in said[2].text
