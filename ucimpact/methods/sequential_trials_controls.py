"""Outcomes that the service cannot have changed, in the same trials, pooled by what the same people add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ucimpact.data.histories import DEATH
from ucimpact.errors import EstimationError
from ucimpact.inference import glm, placebo_periods, sensitivity
from ucimpact.inference.sandwich import sandwich
from ucimpact.methods.matched_cohort_controls import (
    ALIKE_TO_ALL,
    NEARLY_ALL,
    NUMBERS,
    RARE,
    NegativeControls,
)
from ucimpact.methods.matched_cohort_effects import compare
from ucimpact.methods.sequential_trials_asked import Asked
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_sample import TrialSample, sample_of
from ucimpact.study.declare import Counted

Array = np.ndarray


def negative_controls(
    method: Asked, emulation: Emulation, columns: Mapping[str, tuple[Counted, sensitivity.Reach]]
) -> NegativeControls:
    """Compare each control in the trials of ``method`` and pool them."""
    level = method.level
    rows, controls, influences = [], [], []
    for column, (counted, reach) in columns.items():
        row, influence = _control(method, emulation, column, counted, reach)
        rows.append(row)
        if influence is not None:
            events = row["events_pilot"] + row["events_comparison"]
            numbers = (row["log_ratio"], row["std_error"], row["z"])
            controls.append(sensitivity.Control(column, reach, *numbers, events))
            influences.append(influence)
    if not controls:
        return NegativeControls(tuple(rows), (), None, np.zeros((0, 0)), level)
    by_person = np.column_stack(influences)
    cov = _joint(method, emulation, by_person)
    pooled = sensitivity.pool(controls, cov)
    return NegativeControls(tuple(rows), tuple(controls), pooled, cov, level)


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
    row: dict[str, Any] = {"column": column, "label": column.replace("_", " "), "reach": reach}
    row |= dict.fromkeys(NUMBERS)
    row["why"] = _shows_nothing(method, emulation, counted, reach)
    if row["why"]:
        return row, None
    sample, y, _ = sample_of(emulation, counted, by=method.by, cluster_by=method.cluster_by)
    if sample.size < 2 or sample.treated.all():
        return {**row, "why": "its days lie outside the records for nearly everybody"}, None
    events = sample.events(y)
    row |= {"events_pilot": events[0], "events_comparison": events[1]}
    if sum(events) == 0:
        return {**row, "why": "it happened to nobody"}, None
    if np.isin(y, (0.0, 1.0)).all() and sample.share(y) > NEARLY_ALL:
        return {**row, "why": "nearly everybody had it, so it cannot show a difference"}, None
    offset = reach != "before"
    if sum(events) < RARE or min(events) == 0:
        log_ratio, error, z, influence = _scored(sample, y, offset=offset)
    else:
        try:
            found = compare(replace(method.model, family="poisson"), sample, y, offset=offset).contrast
        except EstimationError as wrong:
            return {**row, "why": f"it could not be compared: {wrong}"}, None
        influence, log_ratio = found.log_ratio_influence, found.log_ratio
        error = float(np.sqrt(sample.cov(influence[:, None], found.parameters)[0, 0]))
        if not error > ALIKE_TO_ALL:
            return {**row, "why": "it happened alike to everybody, so it cannot show a difference"}, None
        z = log_ratio / error
    half = float(stdtrit(sample.df(influence), (1 + method.level) / 2)) * error
    limits = (log_ratio, log_ratio - half, log_ratio + half)
    row |= {"log_ratio": log_ratio, "std_error": error, "z": z}
    row |= {name: float(np.exp(v)) for name, v in zip(("ratio", "low", "high"), limits, strict=True)}
    return row, sample.by_set(influence[:, None])[:, 0]


def _shows_nothing(
    method: Asked, emulation: Emulation, counted: Counted, reach: sensitivity.Reach
) -> str | None:
    """Why a control cannot show anything, by how it is counted."""
    histories = emulation.histories
    if counted.event not in {*histories.kinds, DEATH}:
        return f"there are no events of the kind {counted.event!r}"
    first = counted.days[0]
    if reach == "before":
        same = [what.days for what in method.measured if what.event == counted.event]
        return placebo_periods.problem(counted.days, same)
    if first < 0:
        return "its days begin before the trial day, so it is not from after"
    return None


def _scored(sample: TrialSample, y: Array, *, offset: bool) -> tuple[float, float, float, Array]:
    """Log ratio, standard error, test and influences of a rare outcome."""
    x = np.column_stack([np.ones(len(y)), sample.treated.astype(float)])
    score = glm.score_test(
        y,
        x,
        1,
        offset=np.log(sample.days) if offset else None,
        weights=sample.weight,
        clusters=sample.codes,
    )
    return score.log_ratio, score.std_error, score.z, score.influence
