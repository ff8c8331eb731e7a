"""After some were left out for their chance of the service, the truth of those who stay is covered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.methods.weighted_cohort import WeightedCohort


def open_to_all(seed: int, n: int = 1_500) -> tuple[Cohort, np.ndarray]:
    """Counts of known means with and without the service, of which the ratio is not the same for all."""
    draw = np.random.default_rng(seed)
    a, b, frail = draw.normal(size=n), draw.random(n) < 0.4, draw.gamma(2, 0.5, n)
    had = draw.random(n) < 1 / (1 + np.exp(1.1 - a - 0.6 * b))
    without = np.exp(0.2 + 0.4 * a + 0.3 * b)
    means = np.column_stack([without, without * np.exp(-0.3 + 0.25 * a)])
    y = draw.poisson(np.where(had, means[:, 1], without) * frail)
    table = pd.DataFrame({"id": range(n), "a": a, "b": b * 1, "had": had * 1, "y": y})
    return Cohort(table, person="id", pilot="had"), means


@pytest.mark.parametrize(("estimand", "trim"), [("ATT", "common"), ("ATE", 0.1), ("ATC", 0.1)])
def test_the_truth_of_those_who_stay_is_covered_after_trimming(estimand: Any, trim: Any) -> None:
    """Of 40 cohorts; the truth is that of the people of the estimand who were not left out."""
    method = WeightedCohort(outcome="y", covariates=("a", "b"), by="score", estimand=estimand, trim=trim)
    covered, errors, kept = [], [], []
    for seed in range(5000, 5040):
        cohort, means = open_to_all(seed)
        columns = method.pairs(cohort).columns
        aim = {"ATT": columns.treated, "ATC": ~columns.treated, "ATE": columns.treated >= 0}[estimand]
        without, with_service = means[columns.row][aim].mean(axis=0)
        row = method.fit(cohort).effect("rate_ratio")
        covered.append(row["conf_low"] <= with_service / without <= row["conf_high"])
        errors.append(np.log(row["estimate"] * without / with_service))
        kept.append(len(columns.row) / len(cohort.table))
    assert np.mean(covered) >= 0.85
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(40) + 0.01
    assert np.mean(kept) < (1 if trim == "common" else 0.95)
