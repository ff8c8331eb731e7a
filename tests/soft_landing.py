"""Made-up people of a support service after discharge, for the methods that compare people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cohort import Cohort
from ucimpact.data.simulate_people import SoftLanding
from ucimpact.estimate import Estimate

COVARIATES = (
    "Age", "Frailty score", "Long-term conditions", "Lives alone", "Deprivation fifth",
    "Admissions 90 days before", "Admissions 91 to 365 days before",
)  # fmt: skip
STAYS = "Admissions 90 days after"
SIM = ("age", "female", "imd_quintile", "ltc", "frailty", "lives_alone", "prior_admissions", "prior_cost")
"""Covariates of ``sim_cohort_softlanding.csv``, whose matchings and weights by R are in the reference."""


def cohort_of(table: pd.DataFrame) -> Cohort:
    return Cohort(
        table,
        person="Person",
        pilot="Soft landing",
        index_date="Discharge date",
        service_start="First contact",
        follow_up="Days followed",
        horizon=90,
    )


def people(seed: int = 1, **fields: Any) -> Cohort:
    return cohort_of(SoftLanding(**fields).draw(seed=seed).table)


def fits(method: Any, seeds: range, **fields: Any) -> list[tuple[float, Estimate]]:
    """The true ratio on the pilot people and the estimate of each cohort."""
    found = []
    for seed in seeds:
        draw = SoftLanding(**fields).draw(seed=seed)
        pilot = draw.table["Soft landing"].to_numpy() == 1
        expected = draw.potential[STAYS][pilot].sum(axis=0)
        found.append((expected[1] / expected[0], method.fit(cohort_of(draw.table))))
    return found


def check_truth(found: list[tuple[float, Estimate]]) -> None:
    """The truth is met on average and lies in the likely ranges, within three errors of 40 cohorts."""
    rows = [(truth, estimate.effect("rate_ratio")) for truth, estimate in found]
    covered = [row["conf_low"] <= truth <= row["conf_high"] for truth, row in rows]
    errors = np.array([np.log(row["estimate"] / truth) for truth, row in rows])
    assert np.mean(covered) >= 0.85
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors)) + 0.01
