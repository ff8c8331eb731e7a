"""Outcomes that the service cannot have changed, among the same people, matched or weighed alike.

:func:`judged` compares one of them and :func:`pooled` puts them together, whoever the people are; a cohort is
asked column by column by :func:`controls_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.special import stdtrit

from ucimpact import serialise
from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError, EstimationError
from ucimpact.inference import glm, sensitivity
from ucimpact.inference.gcomputation import Contrast
from ucimpact.methods.cohort_sample import CohortSample
from ucimpact.methods.matched_cohort_effects import Model, compare

Array = np.ndarray
S = TypeVar("S", bound=CohortSample)

NUMBERS = ("ratio", "low", "high", "log_ratio", "std_error", "z", "events_pilot", "events_comparison")

NEARLY_ALL = 0.8
"""A yes or no that more than this share had says little, and its small error would drown the rest."""
ALIKE_TO_ALL = 1e-9
RARE = 40
"""Below so many events a control is judged by a score test: a Wald ratio of 15 to 35 deaths is beyond 2.58
standard errors in 2-4% of clean cohorts."""
RARE_SIDE = 20.0
"""The same where either side has no more than so many: of 2 events beside 41 the Wald ratio was beyond 1.96
standard errors in 14% of clean cohorts. Weighted events count as many as would say as much unweighted."""


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked(Generic[S]):
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
    sample_of: Callable[[Array], S]
    contrast: Callable[[S, Array, bool], Contrast]
    lines: int
    used: Collection[str | None]
    level: float

    @staticmethod
    def by_model(
        model: Model,
        cohort: Cohort,
        sample_of: Callable[[Array], CohortSample],
        lines: int,
        used: Collection[str | None],
    ) -> Asked[CohortSample]:
        """A comparison by an outcome model, as one of counts."""
        counts = replace(model, family="poisson")
        return Asked(
            cohort=cohort,
            sample_of=sample_of,
            contrast=lambda sample, y, offset: compare(counts, sample, y, offset=offset).contrast,
            lines=lines,
            used=used,
            level=model.level,
        )


def reaches(
    columns: Sequence[str], deaths: Sequence[str], before: Sequence[str]
) -> dict[str, sensitivity.Reach]:
    """How far each negative control is from the service."""
    return {c: "deaths" if c in deaths else "before" if c in before else "after" for c in columns}


def controls_of(asked: Asked[Any], columns: Mapping[str, sensitivity.Reach]) -> NegativeControls:
    """Compare each column, and pool them by their joint covariance."""
    whole = asked.sample_of(np.ones(len(asked.cohort.table), dtype=bool))
    found = [_control(asked, column, reach) for column, reach in columns.items()]
    return pooled(found, lambda influences: whole.cov(influences[whole.place], 2), asked.level)


def pooled(
    found: Iterable[tuple[dict[str, Any], Array | None]], cov_of: Callable[[Array], Array], level: float
) -> NegativeControls:
    """All controls together.

    Parameters
    ----------
    found : iterable of (dict, array or None)
        Each control's row, and what every unit of evidence adds to its log ratio.
    cov_of : callable
        Joint covariance of what has these influences, one column a control.
    level : float
    """
    rows, controls, influences = [], [], []
    for row, influence in found:
        rows.append(row)
        if influence is not None:
            events = row["events_pilot"] + row["events_comparison"]
            numbers = (row["log_ratio"], row["std_error"], row["z"])
            controls.append(sensitivity.Control(row["column"], row["reach"], *numbers, events))
            influences.append(influence)
    if not controls:
        return NegativeControls(tuple(rows), (), None, np.zeros((0, 0)), level)
    cov = cov_of(np.column_stack(influences))
    return NegativeControls(tuple(rows), tuple(controls), sensitivity.pool(controls, cov), cov, level)


def empty_row(column: str, reach: sensitivity.Reach) -> dict[str, Any]:
    """The row of a control of which nothing is known yet."""
    row: dict[str, Any] = {"column": column, "label": column.replace("_", " "), "reach": reach}
    return {**row, **dict.fromkeys(NUMBERS), "why": None}


def judged(
    row: dict[str, Any],
    sample: CohortSample,
    y: Array,
    contrast: Callable[[bool], Contrast],
    level: float,
) -> tuple[dict[str, Any], Array | None]:
    """A control's row with its numbers, and what each line of the sample adds to its log ratio.

    Parameters
    ----------
    row : dict
        By :func:`empty_row`.
    sample : CohortSample
    y : array
        By row of the sample's cohort.
    contrast : callable
        Mean counts with and without the service, told whether days at risk matter.
    level : float
    """
    events = sample.events(y)
    row = {**row, "events_pilot": events[0], "events_comparison": events[1]}
    if sum(events) == 0:
        return {**row, "why": "it happened to nobody"}, None
    if np.isin(y[np.isfinite(y)], (0.0, 1.0)).all() and sample.share(y) > NEARLY_ALL:
        return {**row, "why": "nearly everybody had it, so it cannot show a difference"}, None
    offset = row["reach"] != "before"
    if sum(events) < RARE or _rarer_side(sample, y) < RARE_SIDE:
        log_ratio, error, z, influence = _scored(sample, y, offset=offset)
    else:
        try:
            found = contrast(offset)
        except EstimationError as wrong:
            return {**row, "why": f"it could not be compared: {wrong}"}, None
        influence, log_ratio = found.log_ratio_influence, found.log_ratio
        error = float(np.sqrt(sample.cov(influence[:, None], found.parameters)[0, 0]))
        if not error > ALIKE_TO_ALL:
            return {**row, "why": "it happened alike to everybody, so it cannot show a difference"}, None
        z = log_ratio / error
    half = float(stdtrit(sample.df(influence), (1 + level) / 2)) * error
    limits = (log_ratio, log_ratio - half, log_ratio + half)
    row |= {"log_ratio": log_ratio, "std_error": error, "z": z}
    row |= {name: float(np.exp(v)) for name, v in zip(("ratio", "low", "high"), limits, strict=True)}
    return row, influence


def _control(asked: Asked[Any], column: str, reach: sensitivity.Reach) -> tuple[dict[str, Any], Array | None]:
    """One control's row, and what each line of the comparison adds to its log ratio."""
    row = empty_row(column, reach)
    if column in asked.used:
        return {**row, "why": "people were matched on it, so it shows nothing"}, None
    y = asked.cohort.values(column)
    known = np.isfinite(y)
    if (y[known] < 0).any():
        return {**row, "why": "it has amounts below 0"}, None
    try:
        sample = asked.sample_of(known)
    except (DesignError, EstimationError) as wrong:
        return {**row, "why": f"the people for whom it is known could not be compared: {wrong}"}, None
    if sample.size < 2:
        return {**row, "why": "it is empty for nearly everybody"}, None
    row, influence = judged(row, sample, y, lambda offset: asked.contrast(sample, y, offset), asked.level)
    if influence is None:
        return row, None
    full = np.zeros(asked.lines)
    full[sample.place] = influence
    return row, full


def _rarer_side(sample: CohortSample, y: Array) -> float:
    """Events of the side with fewer: as many as would say as much if all weighed the same."""
    counts = y[sample.row]
    sides = []
    for arm in (sample.treated, ~sample.treated):
        weight, had = sample.weight[arm], counts[arm]
        total = float(weight @ had)
        sides.append(total**2 / float(weight**2 @ had) if total > 0 else 0.0)
    return min(sides)


def _scored(sample: CohortSample, y: Array, *, offset: bool) -> tuple[float, float, float, Array]:
    r"""Log ratio, standard error, test and influences of a rare outcome.

    What the few events of those with the service vary by is taken from what was expected of them, as nothing
    can be learned from the events themselves:

    .. math:: \widehat{\operatorname{var}} U = \hat V - \sum_{\text{with}} u_i^2
              + \phi \sum_{\text{with}} w_i^2 \mu_i \ell_i^2 ,

    with :math:`\hat V` the variance between units of evidence, :math:`\ell_i` the part of the service that
    the intercept does not explain and :math:`\phi` how much more than Poisson counts those of all lines
    vary. The influences are stretched to it, so that controls pooled by them are no surer.
    """
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
    own, w, counts = sample.treated, sample.weight, y[sample.row]
    days = np.ones(len(w)) if exposure is None else np.exp(exposure)
    mu = days * float(w @ counts) / float(w @ days)
    left = own - float((w * mu)[own].sum()) / float(w @ mu)
    spread = float(w @ (counts - mu) ** 2) / float(w @ mu)
    information = float((w * mu) @ left**2)
    expected = spread * float((w**2 * mu * left**2)[own].sum()) / information**2
    seen = float((score.influence[own] ** 2).sum())
    error = float(np.sqrt(max(score.std_error**2 - seen + expected, expected)))
    return score.log_ratio, error, score.log_ratio / error, score.influence * (error / score.std_error)
