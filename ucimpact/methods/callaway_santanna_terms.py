"""Cells by start and period as the terms of an estimator: averages, what units add, loadings, a test before.

Influence of many units on many effects is a large array and a cheap product: above a few million cells it is
worked out where it is asked for, some effects at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import chdtrc

from ucimpact.inference.aggregation import Aggregates, aggregate
from ucimpact.inference.group_time import Design, GroupTime
from ucimpact.inference.linear import sum_by
from ucimpact.inference.staggered import Terms
from ucimpact.methods.staggered_sample import Sample

Array = np.ndarray
HELD = 4_000_000
"""Units times effects up to which influence is held as an array."""
WORKED_ON = 16
SINGULAR = 1e-12


@dataclass(frozen=True, eq=False)
class Laid:
    """Cells, their averages, and the units' weights.

    Attributes
    ----------
    design : Design
    found : GroupTime
    averages : Aggregates
        Of the cells of ``found``; without the cells themselves.
    shares, effects : array (n_cohorts, n_averages)
        Share of each cohort in each average, and its own effect.
    weights : array (n_units,)
    """

    design: Design
    found: GroupTime
    averages: Aggregates
    shares: Array
    effects: Array
    weights: Array

    @property
    def since(self) -> Array:
        """Event time of each cell, in periods."""
        design, found = self.design, self.found
        return np.asarray(design.ordinals[found.period] - design.cohorts[found.cohort])


def lay(design: Design, found: GroupTime, weights: Array, balance: int | None, *, as_in_did: bool) -> Laid:
    """Average the cells.

    Parameters
    ----------
    design : Design
    found : GroupTime
    weights : array (n_units,)
    balance : int, optional
    as_in_did : bool
        See :func:`~ucimpact.inference.aggregation.aggregate`.
    """
    part = np.bincount(design.cohort, weights, len(design.cohorts) + 1)[:-1] / weights.sum()
    cohort, period = found.cohort, found.period
    pairs = (
        np.unique(np.stack([cohort, found.base]), axis=1) if design.base == "universal" else np.zeros((2, 0))
    )
    extra = pairs.shape[1]
    cohort = np.concatenate([cohort, pairs[0].astype(np.intp)])
    period = np.concatenate([period, pairs[1].astype(np.intp)])
    estimate = np.concatenate([found.estimate, np.zeros(extra)])
    averages = aggregate(
        cohort,
        period,
        estimate,
        ordinals=design.ordinals,
        cohorts=design.cohorts,
        part=part,
        reference=np.arange(len(cohort)) >= len(found.cells),
        balance=balance,
        as_in_did=as_in_did,
    )
    share, effect = averages.shares(cohort, estimate)
    kept = Aggregates(averages.rows, averages.weights[: len(found.cells)], averages.slope)
    return Laid(design, found, kept, share, effect, weights)


def terms_of(laid: Laid, *, linear: bool) -> Terms:
    """The averages, then the cells.

    Parameters
    ----------
    laid : Laid
    linear : bool
        Whether every cell is a difference of weighted mean outcomes of whole cohorts: no covariates, no gaps.
    """
    design, found, averages = laid.design, laid.found, laid.averages
    number = len(found.cells)
    rows: list[Mapping[str, Any]] = [
        {
            "term": "group_time",
            "group": int(design.cohorts[cell.cohort]),
            "period": int(design.ordinals[cell.period]),
            "event_time": int(since),
        }
        for cell, since in zip(found.cells, laid.since, strict=True)
    ]
    alone = np.zeros((len(design.cohorts), number))
    alone[found.cohort, np.arange(number)] = 1.0
    influence: Any = Influence(laid, with_shares=True)
    fixed: Any = Influence(laid, with_shares=False)
    if influence.shape[0] * influence.shape[1] <= HELD:
        fixed = np.asarray(fixed)
        influence = fixed + influence.shares_of(np.arange(fixed.shape[1]))
    cells = np.zeros((len(design.cohorts), len(design.ordinals)), dtype=bool)
    cells[found.cohort, found.period] = laid.since >= 0
    return Terms(
        rows=(*averages.rows, *rows),
        estimate=np.concatenate([averages.weights.T @ found.estimate, found.estimate]),
        influence=influence,
        cohort_share=np.concatenate([laid.shares, alone], axis=1),
        cohort_effect=np.concatenate([laid.effects, alone * found.estimate], axis=1),
        fixed=fixed,
        loadings=_loadings(laid) if linear else None,
        cells=cells,
    )


@dataclass(frozen=True, eq=False)
class Influence:
    """Influence of units on the averages and then the cells, worked out where it is asked for.

    It is indexed by effects (``influence[:, which]``), multiplied by a matrix, and turned into an array, and
    does nothing else that an array does.
    """

    laid: Laid
    with_shares: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Units and effects."""
        laid = self.laid
        return len(laid.weights), len(laid.averages.rows) + len(laid.found.cells)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, Any]) -> Array:
        rows, which = key
        chosen = np.arange(self.shape[1])[which]
        picked = np.zeros((self.shape[1], np.size(chosen)))
        picked[chosen, np.arange(np.size(chosen))] = 1.0
        return np.asarray((self @ picked)[rows])

    def __matmul__(self, matrix: Array) -> Array:
        laid, known = self.laid, len(self.laid.averages.rows)
        out = laid.found.influence(laid.averages.weights @ matrix[:known] + matrix[known:])
        if self.with_shares:
            out += self._by_cohort(laid.averages.slope @ matrix[:known])
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:, slice(None)].astype(float if dtype is None else dtype, copy=bool(copy))

    def shares_of(self, which: Array) -> Array:
        """What the cohorts' estimated shares add, shape (n_units, n_which)."""
        slope = np.zeros((len(self.laid.design.cohorts), self.shape[1]))
        slope[:, : len(self.laid.averages.rows)] = self.laid.averages.slope
        return self._by_cohort(slope[:, which])

    def _by_cohort(self, slope: Array) -> Array:
        laid = self.laid
        padded = np.concatenate([slope, np.zeros((1, slope.shape[1]))])
        out = padded[laid.design.cohort]
        out *= (laid.weights / laid.weights.sum())[:, None]
        return np.asarray(out)


def _loadings(laid: Laid) -> Array:
    """Every effect as a sum of cohorts' mean outcomes, shape (n_cohorts + 1, n_effects, n_periods)."""
    design, found = laid.design, laid.found
    totals = np.bincount(design.cohort, laid.weights, len(design.cohorts) + 1)
    cells = np.zeros((len(totals), len(found.cells), len(design.ordinals)))
    for k, cell in enumerate(found.cells):
        compared = np.where(design.comparison(cell), totals, 0.0)
        side = -compared / compared.sum()
        side[cell.cohort] += 1.0
        cells[:, k, cell.period] += side
        cells[:, k, cell.base] -= side
    averages = np.einsum("ck,gct->gkt", laid.averages.weights, cells, optimize=True)
    return np.concatenate([averages, cells], axis=1)


def wald_before(laid: Laid, places: Array, n_places: int) -> dict[str, Any]:
    """Are all cells before their start 0? A chi-square for many places, as in R's ``did``.

    Parameters
    ----------
    laid : Laid
    places : array (n_units,)
    n_places : int
    """
    which = np.flatnonzero(laid.since < 0)
    number = len(which)
    if not number:
        return {"why": "There is no period before a start but the one that effects are measured from."}
    known = {"df": number, "places": n_places}
    if number >= n_places:
        return {**known, "why": f"{n_places} places cannot tell {number} cells before the start apart."}
    scores = laid.found.cell_influence(which)
    if n_places < len(scores):
        scores = sum_by(scores.T, places).T
    cov = scores.T @ scores
    size = np.sqrt(np.diag(cov))
    scaled = cov / np.outer(size, size) if (size > 0).all() else cov
    values = np.linalg.eigvalsh(scaled)
    if values[0] <= SINGULAR * values[-1]:
        return {**known, "why": "The cells before the start move too much alike to test them together."}
    gaps = laid.found.estimate[which] / size
    statistic = float(gaps @ np.linalg.solve(scaled, gaps))
    return {**known, "statistic": statistic, "p_value": float(chdtrc(number, statistic))}


def without_units(sample: Sample, keep: Array, why: str) -> Sample:
    """A sample without some of its units, their rows counted under a reason ("12 units ...")."""
    rows = keep[sample.unit]
    period = sample.period[rows]
    used = np.bincount(period, minlength=len(sample.ordinals)) > 0
    names, places = np.unique(sample.places[keep], return_inverse=True)
    places = places.reshape(-1)
    start, ordinals = sample.start[keep], sample.ordinals[used]
    period = (np.cumsum(used) - 1)[period]
    unit = (np.cumsum(keep) - 1)[sample.unit[rows]]
    pilot = np.isfinite(start)
    lost = int((~keep).sum())
    left_out = {"n": int((~rows).sum()), "reason": f"rows of {lost} unit{'s' if lost > 1 else ''} {why}"}
    counts = sample.counts | {
        "rows": len(unit),
        "units": len(start),
        "pilot_units": int(pilot.sum()),
        "comparison_units": int((~pilot).sum()),
        "places": len(names),
        "pilot_places": len(np.unique(places[pilot])),
        "periods": len(ordinals),
        "before": int(start[pilot].max() - ordinals[0]),
        "after": int(ordinals[-1] - start[pilot].min() + 1),
        "pilot_periods": int((ordinals[period] >= start[unit]).sum()),
        "left_out": [*sample.counts["left_out"], left_out],
    }
    return replace(
        sample,
        unit=unit,
        period=period,
        y=sample.y[rows],
        w=sample.w[rows],
        x=tuple(column[rows] for column in sample.x),
        people=None if sample.people is None else sample.people[rows],
        start=start,
        ordinals=ordinals,
        places=places,
        place_names=tuple(sample.place_names[int(k)] for k in names),
        counts=counts,
    )
