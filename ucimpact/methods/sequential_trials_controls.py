"""Outcomes that the service cannot have changed, in the same trials, pooled by what the same people add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.data.histories import DAYS_AT_HOME, DEATH
from ucimpact.inference import placebo_periods, sensitivity
from ucimpact.inference.sandwich import sandwich
from ucimpact.methods.cohort_controls import NegativeControls, empty_row, judged, pooled
from ucimpact.methods.matched_cohort_effects import compare
from ucimpact.methods.sequential_trials_asked import Asked
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_sample import sample_of
from ucimpact.methods.sequential_trials_table import Measured
from ucimpact.study.declare import Counted

Array = np.ndarray


def negative_controls(
    method: Asked, emulation: Emulation, columns: Mapping[str, tuple[Counted, sensitivity.Reach]]
) -> NegativeControls:
    """Compare each control in the trials of ``method`` and pool them."""
    found = [
        _control(method, emulation, column, counted, reach) for column, (counted, reach) in columns.items()
    ]
    return pooled(found, lambda by_person: _joint(method, emulation, by_person), method.level)


def _joint(method: Asked, emulation: Emulation, by_person: Array) -> Array:
    """Joint covariance of what has these influences of every person in the trials."""
    people, clusters = np.unique(emulation.rows.person), emulation.histories.clusters
    by_cluster = method.cluster_by == "cluster" and clusters is not None
    codes = clusters[people] if by_cluster and clusters is not None else np.arange(len(people))
    used = (by_person != 0).any(axis=1)
    return sandwich(by_person[used], codes[used], "CR1")


def _control(
    method: Asked, emulation: Emulation, column: str, counted: Counted, reach: sensitivity.Reach
) -> tuple[dict[str, Any], Array | None]:
    """One control's row, and what each person adds to its log ratio."""
    row = empty_row(column, reach)
    row["why"] = _shows_nothing(method, emulation, counted, reach)
    if row["why"]:
        return row, None
    sample, y, _ = sample_of(emulation, counted, by=method.by, cluster_by=method.cluster_by)
    if sample.size < 2 or sample.treated.all():
        return {**row, "why": "its days lie outside the records for nearly everybody"}, None
    counts = replace(method.model, family="poisson")
    row, influence = judged(
        row, sample, y, lambda offset: compare(counts, sample, y, offset=offset).contrast, method.level
    )
    return row, None if influence is None else sample.by_set(influence[:, None])[:, 0]


def _as_of_the_trial(method: Asked, what: Measured) -> tuple[int, int]:
    """Days that were matched on, from the trial day: a discharge lies up to ``within`` days before it."""
    first, last = what.days
    earlier = method.within if what.at == "trigger" and method.trigger is not None else 0
    return first - earlier, last


def _shows_nothing(
    method: Asked, emulation: Emulation, counted: Counted, reach: sensitivity.Reach
) -> str | None:
    """Why a control cannot show anything, by how it is counted."""
    histories = emulation.histories
    if counted.event not in {*histories.kinds, DEATH}:
        return f"there are no events of the kind {counted.event!r}"
    first = counted.days[0]
    if reach == "before":
        same = [_as_of_the_trial(method, what) for what in method.measured if what.event == counted.event]
        return placebo_periods.problem(counted.days, same)
    if counted.value == DAYS_AT_HOME:
        return "days at home fall with every death, so they are not asked over days at risk"
    if first < 0:
        return "its days begin before the trial day, so it is not from after"
    return None
