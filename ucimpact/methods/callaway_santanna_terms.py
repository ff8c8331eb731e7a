"""Cells by start and period as the terms of an estimator: averages, what units add, loadings, a test before.

Influence of many units on many effects is a large array and a cheap product: above a few million cells it is
worked out where it is asked for, some effects at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import chdtrc

from ucimpact.inference.aggregation import Aggregates, aggregate
from ucimpact.inference.group_time import Block, Design, GroupTime, Scattered
from ucimpact.inference.influence_parts import InParts, Part, Parts
from ucimpact.inference.staggered import Terms
from ucimpact.methods.staggered_sample import Sample

Array = np.ndarray
HELD = 300_000
"""Units times effects up to which influence is held as an array."""
AT_ONCE = 4_096
"""Units worked on at a time."""
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
    # a base is 0 by definition: it says nothing of a time at which other starts have an effect
    averages = aggregate(
        found.cohort,
        found.period,
        found.estimate,
        ordinals=design.ordinals,
        cohorts=design.cohorts,
        part=part,
        balance=balance,
        as_in_did=as_in_did,
    )
    share, effect = averages.shares(found.cohort, found.estimate)
    return Laid(design, found, averages, share, effect, weights)


def terms_of(laid: Laid, estimated: InParts, held: InParts, *, linear: bool) -> Terms:
    """The averages, then the cells.

    Parameters
    ----------
    laid : Laid
    estimated, held : InParts
        Influence with the shares of cohorts estimated, and taken as they are.
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
    influence: Any = estimated
    fixed: Any = held
    if influence.shape[0] * influence.shape[1] <= HELD:
        influence, fixed = np.asarray(influence), np.asarray(fixed)
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


def influence_of(laid: Laid, *, with_shares: bool) -> InParts:
    """Influence of units on the averages and then the cells.

    Parameters
    ----------
    laid : Laid
    with_shares : bool
        Whether the shares of cohorts are estimated.
    """
    shape = len(laid.weights), len(laid.averages.rows) + len(laid.found.cells)
    return InParts(Parts(lambda whole: _parts(laid, with_shares, whole)), shape)


def _parts(laid: Laid, with_shares: bool, whole: bool) -> Iterator[Part]:
    """Parts of a cohort each, those that never start last; large cohorts in several unless ``whole``."""
    design, averages = laid.design, laid.averages
    number = len(laid.found.cells)
    of_cells = np.concatenate([averages.weights, np.eye(number)], axis=1)
    slope = np.zeros((len(design.cohorts) + 1, of_cells.shape[1]))
    slope[:-1, : len(averages.rows)] = averages.slope
    share = laid.weights / laid.weights.sum()
    for c in range(len(slope)):
        every = np.flatnonzero(design.cohort == c)
        size = max(len(every), 1) if whole else AT_ONCE
        for first in range(0, len(every), size):
            units = every[first : first + size]
            numbers, matrices = _pieces(laid, c, units, of_cells)
            if with_shares:
                numbers.append(share[units, None])
                matrices.append(slope[c][None, :])
            if numbers:
                yield Part(units, np.concatenate(numbers, axis=1), np.concatenate(matrices))


def _pieces(laid: Laid, c: int, units: Array, of_cells: Array) -> tuple[list[Array], list[Array]]:
    """What units of a cohort hold for each block of cells, and what that adds to the effects."""
    found, design = laid.found, laid.design
    numbers: list[Array] = []
    matrices: list[Array] = []
    place = np.full(len(design.cohort), -1)
    place[units] = np.arange(len(units))
    levels: dict[bytes, tuple[Array, Array]] = {}
    for block in found.blocks:
        if not isinstance(block, Block):
            continue
        cell = found.cells[block.cells[0]]
        if cell.cohort != c and not design.comparison(cell)[c]:
            continue
        low, high = np.searchsorted(block.rows, [units[0], units[-1] + 1])
        mine = low + np.flatnonzero(design.cohort[block.rows[low:high]] == c)
        if not len(mine):
            continue
        rows, used = block.rows[mine], np.union1d(block.period, block.base)
        key = used.tobytes() + (b"" if len(mine) == len(units) else rows.tobytes())
        if key not in levels:
            levels[key] = _centred(found.outcome[rows][:, used])
        level, middle = levels[key]
        weights = of_cells[block.cells]
        by_period = np.zeros((len(used), weights.shape[1]))
        np.add.at(by_period, np.searchsorted(used, block.period), weights)
        np.add.at(by_period, np.searchsorted(used, block.base), -weights)
        end = len(used)
        piece = np.empty((len(mine), end + 1 + block.left.shape[1]))
        np.multiply(level, block.own[mine, None], out=piece[:, :end])
        piece[:, end] = block.own[mine]
        piece[:, end + 1 :] = block.left[mine]
        if len(mine) < len(units):
            spread = np.zeros((len(units), piece.shape[1]))
            spread[place[rows]] = piece
            piece = spread
        numbers.append(piece)
        matrices.append(np.concatenate([by_period, (middle @ by_period)[None, :], block.right @ weights]))
    alone = [block for block in found.blocks if isinstance(block, Scattered)]
    wide = sum(piece.shape[1] for piece in numbers)
    if alone or wide > 2 * len(found.cells):
        every = np.zeros((len(units), len(found.cells)))
        for piece, matrix in zip(numbers, matrices, strict=True):
            every += piece @ matrix[:, -len(found.cells) :]
        for one in alone:
            at = place[one.rows]
            every[at[at >= 0], one.cell] += one.influence[at >= 0]
        return [every], [of_cells]
    return numbers, matrices


def _centred(level: Array) -> tuple[Array, Array]:
    """Outcomes less means of units and periods, which cost digits and cancel; and the periods' means."""
    level = level - level.mean(axis=1, keepdims=True)
    middle = level.mean(axis=0)
    level -= middle
    return level, middle


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


def wald_before(laid: Laid, influence: InParts, places: Array, n_places: int) -> dict[str, Any]:
    """Are all cells before their start 0? A chi-square for many places, as in R's ``did``.

    Parameters
    ----------
    laid : Laid
    influence : InParts
        Of the averages and cells; whether shares are estimated does not matter to cells.
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
    at = which + len(laid.averages.rows)
    cov = influence[:, at].by_place(places).second_moments()
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
