"""A yes or no is the share of people and not a rate times the horizon, whichever way people are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.methods.cohort_yes_no import told_as_share
from ucimpact.methods.doubly_robust_cohort import DoublyRobustCohort
from ucimpact.methods.matched_cohort import MatchedCohort
from ucimpact.methods.weighted_cohort import WeightedCohort

WAYS: tuple[Any, ...] = (
    MatchedCohort,
    WeightedCohort,
    DoublyRobustCohort,
)


def people(left: float = 0.0) -> Cohort:
    """Half of the 400 supported die in the first days and a tenth of the others; some others leave."""
    draw = np.random.default_rng(1)
    n = 2_000
    had = np.arange(n) < 400
    died = draw.random(n) < np.where(had, 0.5, 0.1)
    gone = ~died & ~had & (draw.random(n) < left)
    days = np.where(died, draw.integers(1, 40, n), np.where(gone, 45, 90))
    table = pd.DataFrame({"id": range(n), "had": had * 1, "x": draw.normal(size=n), "days": days})
    table = table.assign(died=died * 1, stays=died * 2)
    return Cohort(table, person="id", pilot="had", follow_up="days", horizon=90)


@pytest.mark.parametrize("way", WAYS)
def test_deaths_are_the_share_of_people_and_never_more_than_people(way: Any) -> None:
    cohort = people()
    estimate = way(outcome="died", covariates=("x",)).fit(cohort)
    died = cohort.values("died")[cohort.is_pilot]
    one = 1 / len(died)  # nobody near enough for one of them is as much as this
    assert estimate.extras["observed"] == pytest.approx(died.mean(), abs=2 * one)
    expected = estimate.extras["expected"]
    assert expected == pytest.approx(cohort.values("died")[~cohort.is_pilot].mean(), abs=0.03)
    assert estimate.effect("rate_ratio")["estimate"] == pytest.approx(
        estimate.extras["observed"] / expected, rel=1e-6
    )
    assert "rate_difference" not in set(estimate.effects["term"])
    assert estimate.warnings == ()


@pytest.mark.parametrize("way", WAYS)
def test_a_count_stays_a_rate(way: Any) -> None:
    cohort = people()
    estimate = way(outcome="stays", covariates=("x",)).fit(cohort)
    pilot = cohort.is_pilot
    rate = cohort.values("stays")[pilot].sum() / cohort.values("days")[pilot].sum()
    assert estimate.extras["observed"] == pytest.approx(90 * rate, rel=0.02)
    assert "rate_difference" in set(estimate.effects["term"])


@pytest.mark.parametrize("way", WAYS)
def test_those_who_left_are_told_where_they_are_many(way: Any) -> None:
    few, many = (way(outcome="died", covariates=("x",)).fit(people(left)) for left in (0.02, 0.15))
    assert not any("yes or no" in text for text in few.warnings)
    told = [text for text in many.warnings if "yes or no" in text]
    cohort = people(0.15)
    alive = cohort.values("died") == 0
    short = int((alive & (cohort.values("days") < 90)).sum())
    assert len(told) == 1 and f"{short:,} of the {alive.sum():,}" in told[0]


def test_only_a_yes_or_no_of_counts_is_told_so() -> None:
    cohort = people()
    assert told_as_share(cohort, "died", "gaussian") == (cohort, ())
    assert told_as_share(cohort, "stays", "poisson") == (cohort, ())
    table = cohort.table.assign(died=cohort.table["died"].astype(float))
    table.loc[3, "died"] = np.nan
    some = Cohort(table, person="id", pilot="had", follow_up="days")
    shown, _ = told_as_share(some, "died", "negative-binomial")
    assert shown.days is None and shown.horizon == 90
