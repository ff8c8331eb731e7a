"""Outcomes that the service cannot have changed, on the same matched sets or with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ucimpact import serialise
from ucimpact.data.cohort import Cohort
from ucimpact.inference import glm, sensitivity
from ucimpact.inference.gcomputation import Contrast
from ucimpact.methods.cohort_sample import CohortSample
from ucimpact.methods.matched_cohort_effects import Model, compare
from ucimpact.methods.matched_cohort_pairs import Pairs
from ucimpact.methods.matched_cohort_sample import Sample

Array = np.ndarray

NUMBERS = ("ratio", "low", "high", "log_ratio", "std_error", "z", "events_pilot", "events_comparison")

NEARLY_ALL = 0.8
"""A yes or no that more than this share had says little, and its small error would drown the rest."""
ALIKE_TO_ALL = 1e-9
RARE = 40
"""Below so many events a control is judged by a score test: a Wald ratio of 15 to 35 deaths is beyond 2.58
standard errors in 2-4% of clean cohorts."""


@dataclass(frozen=True, eq=False)
class NegativeControls:
    """What outcomes beyond the service's reach show.

    Attributes
    ----------
    rows : tuple of dict
        One a column: ``column, label, reach, ratio, low, high, log_ratio, std_error, z, events_pilot,
        events_comparison, why``; ``why`` says why a control has no ratio.
    controls : tuple of Control
        Those that could be worked out.
    pooled : Pooled or None
    cov : array (n_controls, n_controls)
        Joint covariance of the log ratios.
    level : float
    """

    rows: tuple[dict[str, Any], ...]
    controls: tuple[sensitivity.Control, ...]
    pooled: sensitivity.Pooled | None
    cov: Array
    level: float = 0.95

    def verdict(self, effect: float) -> sensitivity.Verdict:
        """What they say of a comparison that found this log ratio."""
        return sensitivity.verdict(self.controls, self.pooled, effect)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"rows": serialise.plain(self.rows), "pooled": serialise.plain(self.pooled)}


def negative_controls(
    model: Model,
    cohort: Cohort,
    pairs: Pairs,
    columns: Mapping[str, sensitivity.Reach],
    used: Collection[str | None],
) -> NegativeControls:
    """Compare each column in the matched sets, and pool them by their joint covariance.

    Parameters
    ----------
    columns : mapping of str to {"deaths", "after", "before"}
    used : collection of str
        Columns that were matched on.
    """
    counts = replace(model, family="poisson")
    asked = Asked(
        cohort=cohort,
        sample_of=lambda known: Sample.of(cohort, pairs, known),
        contrast=lambda sample, y, offset: compare(counts, sample, y, offset=offset).contrast,
        lines=len(pairs.sets),
        used=used,
        level=model.level,
    )
    return controls_of(asked, columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """A comparison that can be asked of any column.

    Attributes
    ----------
    sample_of : callable
        The people of the comparison for whom a column is known, marked True by row of the cohort.
    contrast : callable
        Their mean counts with and without the service: of a sample, a column, and whether days at risk
        matter.
    lines : int
        Lines of the comparison when everything is known.
    used : collection of str
        Columns on which people were made alike.
    """

    cohort: Cohort
    sample_of: Callable[[Array], CohortSample]
    contrast: Callable[[CohortSample, Array, bool], Contrast]
    lines: int
    used: Collection[str | None]
    level: float


def controls_of(asked: Asked, columns: Mapping[str, sensitivity.Reach]) -> NegativeControls:
    """Compare each column, and pool them by their joint covariance."""
    whole = asked.sample_of(np.ones(len(asked.cohort.table), dtype=bool))
    rows, controls, influences = [], [], []
    for column, reach in columns.items():
        row, influence = _control(asked, column, reach)
        rows.append(row)
        if influence is not None:
            events = row["events_pilot"] + row["events_comparison"]
            numbers = (row["log_ratio"], row["std_error"], row["z"])
            controls.append(sensitivity.Control(column, reach, *numbers, events))
            influences.append(influence)
    if not controls:
        return NegativeControls(tuple(rows), (), None, np.zeros((0, 0)), asked.level)
    cov = whole.cov(np.column_stack(influences)[whole.place], 2)
    pooled = sensitivity.pool(controls, cov)
    return NegativeControls(tuple(rows), tuple(controls), pooled, cov, asked.level)


def _control(asked: Asked, column: str, reach: sensitivity.Reach) -> tuple[dict[str, Any], Array | None]:
    """One control's row, and what each line of the comparison adds to its log ratio."""
    row: dict[str, Any] = {"column": column, "label": column.replace("_", " "), "reach": reach}
    row |= dict.fromkeys(NUMBERS)
    row["why"] = None
    if column in asked.used:
        return {**row, "why": "people were matched on it, so it shows nothing"}, None
    y = asked.cohort.values(column)
    known = np.isfinite(y)
    if (y[known] < 0).any():
        return {**row, "why": "it has amounts below 0"}, None
    sample = asked.sample_of(known)
    if sample.size < 2:
        return {**row, "why": "it is empty for nearly everybody"}, None
    events = sample.events(y)
    row |= {"events_pilot": events[0], "events_comparison": events[1]}
    if sum(events) == 0:
        return {**row, "why": "it happened to nobody"}, None
    if np.isin(y[known], (0.0, 1.0)).all() and sample.share(y) > NEARLY_ALL:
        return {**row, "why": "nearly everybody had it, so it cannot show a difference"}, None
    offset = reach != "before"
    if sum(events) < RARE or min(events) == 0:
        log_ratio, error, z, influence = _scored(sample, y, offset=offset)
    else:
        contrast = asked.contrast(sample, y, offset)
        influence = contrast.log_ratio_influence
        log_ratio = contrast.log_ratio
        error = float(np.sqrt(sample.cov(influence[:, None], contrast.parameters)[0, 0]))
        if not error > ALIKE_TO_ALL:
            return {**row, "why": "it happened alike to everybody, so it cannot show a difference"}, None
        z = log_ratio / error
    half = float(stdtrit(sample.df(influence), (1 + asked.level) / 2)) * error
    limits = (log_ratio, log_ratio - half, log_ratio + half)
    row |= {"log_ratio": log_ratio, "std_error": error, "z": z}
    row |= {name: float(np.exp(v)) for name, v in zip(("ratio", "low", "high"), limits, strict=True)}
    full = np.zeros(asked.lines)
    full[sample.place] = influence
    return row, full


def _scored(sample: CohortSample, y: Array, *, offset: bool) -> tuple[float, float, float, Array]:
    """Log ratio, standard error, test and influences of a rare outcome."""
    x = np.column_stack([np.ones(len(sample.row)), sample.treated.astype(float)])
    exposure = np.log(sample.days) if offset and sample.days is not None else None
    score = glm.score_test(
        y[sample.row],
        x,
        1,
        offset=exposure,
        weights=sample.weight,
        clusters=sample.clusters,
    )
    return score.log_ratio, score.std_error, score.z, score.influence
