"""Odd people, asked of every way of comparing them: too few, all alike, one who carries the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DataError, DesignError, EstimationError
from ucimpact.methods import DoublyRobustCohort, MatchedCohort, WeightedCohort

WAYS = (MatchedCohort, WeightedCohort, DoublyRobustCohort)


def people(seed: int = 1, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"p{k:03d}" for k in rng.permutation(n)],
            "had": (rng.random(n) < 0.3).astype(int),
            "age": rng.normal(75, 8, n),
            "cost": rng.gamma(0.5, 3000.0, n),
        }
    )


def fit(way: Any, table: pd.DataFrame) -> Any:
    cohort = Cohort(table, person="id", pilot="had")
    return way(outcome="cost", covariates=("age",), family="gaussian").fit(cohort)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("amount", [0.0, 250.0])
def test_an_outcome_that_all_have_alike_gives_no_range_of_nothing(way: Any, amount: float) -> None:
    with pytest.raises(DesignError, match="differ in nothing"):
        fit(way, people().assign(cost=amount))


@pytest.mark.parametrize("way", WAYS)
def test_one_cost_of_200_000_is_told_to_make_the_range(way: Any) -> None:
    table = people()
    told = "The 5 that count most"
    assert not [care for care in fit(way, table).warnings if told in care]
    table.loc[table.index[table["had"] == 1][3], "cost"] = 200_000.0
    estimate = fit(way, table)
    head = estimate.headline
    assert head["conf_low"] < 0 < head["conf_high"]
    assert any(told in care and "may be too narrow" in care for care in estimate.warnings)


@pytest.mark.parametrize("way", [WeightedCohort, DoublyRobustCohort])
def test_two_people_alike_by_chance_are_no_sure_result(way: Any) -> None:
    table = people()
    had = table.index[table["had"] == 1]
    table.loc[had[2:], "had"] = 0
    table.loc[had[:2], "cost"] = 5.0
    with pytest.raises((DesignError, EstimationError), match=r"at least 5 of each|cannot be dealt"):
        fit(way, table)


def test_a_column_that_is_wrong_throughout_is_one_problem() -> None:
    table = people().assign(had=lambda t: np.where(t["had"] == 1, "Yes", "No"))
    with pytest.raises(DataError) as caught:
        Cohort(table, person="id", pilot="had")
    assert len(caught.value.problems) == 1
    assert "not 1 or 0 (here and in 399 more rows)" in str(caught.value)
    few = people().assign(had=lambda t: t["had"].astype(float).where(np.arange(len(t)) > 2))
    with pytest.raises(DataError) as caught:
        Cohort(few, person="id", pilot="had")
    assert [problem.row for problem in caught.value.problems] == [2, 3, 4]


def test_two_sets_that_agree_by_chance_are_no_sure_result() -> None:
    rows = [("a", 1, 5.0), ("a", 0, 2.0), ("b", 1, 9.0), ("b", 0, 6.0)]
    table = pd.DataFrame(rows, columns=["kind", "had", "cost"]).assign(id=range(4))
    method = MatchedCohort(outcome="cost", exact=("kind",), family="gaussian")
    with pytest.raises(DesignError, match="the sets they stand in, differ in nothing"):
        method.fit(Cohort(table, person="id", pilot="had"))
