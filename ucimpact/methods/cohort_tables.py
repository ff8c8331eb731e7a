"""A staggered sample summed up by cohort and period, and what every regression on it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ucimpact.inference.two_way import CohortPanel
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.staggered_sample import Sample

Array = np.ndarray
SHOWN = 4
"""Periods or starts named in a sentence before the rest are counted."""


def panel_of(sample: Sample) -> CohortPanel:
    """The sample as grids; units that never start are the last cohort."""
    x = sample.covariates if sample.x else None
    return CohortPanel(sample.outcome, sample.weights, sample.cohort, len(sample.cohorts) + 1, x)


def since_of(sample: Sample) -> Array:
    """Periods since the start of each cohort, shape (n_cohorts, n_periods)."""
    return np.asarray(sample.ordinals[None, :] - sample.cohorts[:, None])


def sizes_of(sample: Sample) -> Array:
    """Units of each cohort, or their mean weights added up, shape (n_cohorts,)."""
    number = len(sample.cohorts) + 1
    if sample.unit_weights is not None:
        return np.bincount(sample.cohort, sample.unit_weights, number)[:-1]
    w = sample.weights
    mean = w.sum(axis=1) / np.maximum((w > 0).sum(axis=1), 1)
    return np.bincount(sample.cohort, mean, number)[:-1]


def with_never(table: Array) -> Array:
    """Tables of cohorts by periods with a last row of 0 for units that never start."""
    return np.concatenate([table, np.zeros_like(table[..., :1, :])], axis=-2)


def flat_outcome(sample: Sample) -> list[Finding]:
    """A refusal where the outcome never changes."""
    low, high = float(sample.y.min()), float(sample.y.max())
    if high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        return []
    text = f"`{sample.outcome_name}` is {sample.y[0]:g} throughout"
    return [Finding("refuse", text, "Choose an outcome that varies")]


def empty_covariates(names: Sequence[str], lost: Sequence[int], where: str = "") -> list[Finding]:
    """Refusals of covariates that effects and other covariates already hold."""
    return [
        Finding(
            "refuse",
            f"covariate `{names[k]}` does not change over time within units{where}, or is the same in all of "
            "them, or repeats another covariate",
            "Leave it out, or let it matter differently in each period: multiply it by a column for each",
        )
        for k in lost
    ]


def named_starts(sample: Sample, cohorts: Sequence[int]) -> str:
    """Starts in words: "March 2023 and May 2023"."""
    return _listed([sample.panel.frequency.label(int(sample.cohorts[g])) for g in cohorts])


def named_periods(sample: Sample, periods: Sequence[int]) -> str:
    """Periods in words."""
    return _listed([sample.panel.frequency.label(int(sample.ordinals[t])) for t in periods])


def _listed(names: list[str]) -> str:
    if len(names) > SHOWN:
        return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
