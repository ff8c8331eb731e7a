r"""The effect in every cohort and period: each cohort against units that have not started.

For the cohort that starts at :math:`g` and period :math:`t`, with :math:`\delta` periods of anticipation and
base period :math:`b` the last one before :math:`g - \delta`, the effect is that of two groups and two periods
(:mod:`ucimpact.inference.drdid`) on :math:`Y_t - Y_b`,

.. math:: ATT(g,t) = E[Y_t - Y_b \mid G = g] - E_X\bigl[E[Y_t - Y_b \mid X, C] \mid G = g\bigr],

against units C that never start, or (``not-yet-treated``) those that start after :math:`\max(t, b) + \delta`
[1]_. Before the start it is a placebo: with the *universal* base period the same b is used for all t; with
the *varying* one the change from the period before, for all t before :math:`g - \delta`.

Covariates and weights are those of the earlier of the two periods. Cells with the same cohort, comparison
units and covariates share one score and one factored regression, so that a balanced panel needs one of each a
cohort (and, against units not yet started, one a comparison group).

Nothing of one row a unit and one column a cell is held: a :class:`Block` keeps what its cells have in common,
and adds up the influence on any weighted sums of cells.

References
----------
.. [1] Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
   *Journal of Econometrics* 225(2), 200-230. Equations 2.1 to 2.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.drdid import Estimator, Indistinct, two_groups
from ucimpact.inference.drdid_sections import Influence, two_sections

Array = np.ndarray
Control = Literal["never-treated", "not-yet-treated"]
Base = Literal["universal", "varying"]
BLOCK_ROWS = 16_384
"""Rows of influence worked on at a time."""


@dataclass(frozen=True)
class Cell:
    """A cohort in a period, and the period it is held against; all as codes from 0."""

    cohort: int
    period: int
    base: int


@dataclass(frozen=True)
class Block:
    """Cells that share pilot and comparison units, covariates and weights.

    Attributes
    ----------
    cells : array (n_cells,)
        Their numbers.
    rows : array (n_rows,)
        Units that take part.
    own, left, right
        The influence is ``own * change + left @ right``: see :class:`~ucimpact.inference.drdid.Effects`.
    period, base : array (n_cells,)
        Columns of the outcome.
    """

    cells: Array
    rows: Array
    own: Array
    left: Array
    right: Array
    period: Array
    base: Array

    def add(self, outcome: Array, matrix: Array, out: Array) -> None:
        """Add the influence on weighted sums of cells, ``matrix`` (n_all_cells, n_sums), to ``out``."""
        weight = matrix[self.cells]
        used = weight.any(axis=0)
        if not used.any():
            return
        weight = weight[:, used]
        by_period = np.zeros((outcome.shape[1], weight.shape[1]))
        np.add.at(by_period, self.period, weight)
        np.add.at(by_period, self.base, -weight)
        right = self.right @ weight
        columns = np.flatnonzero(used)
        for start in range(0, len(self.rows), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            rows = self.rows[part]
            added = (outcome[rows] @ by_period) * self.own[part, None] + self.left[part] @ right
            out[np.ix_(rows, columns)] += added


@dataclass(frozen=True)
class Scattered:
    """One cell whose influence stands as it is: units seen at different times, or repeated cross-sections."""

    cell: int
    rows: Array
    influence: Array

    def add(self, outcome: Array, matrix: Array, out: Array) -> None:  # noqa: ARG002
        """As :meth:`Block.add`."""
        columns = np.flatnonzero(matrix[self.cell])
        for column in columns:
            out[self.rows, column] += self.influence * matrix[self.cell, column]


@dataclass(frozen=True, eq=False)
class GroupTime:
    """Every cell's effect, and what each unit adds to it.

    Attributes
    ----------
    cells : tuple of Cell
    estimate : array (n_cells,)
    blocks : tuple of Block or Scattered
    outcome : array (n_units, n_periods)
    missing : tuple of Cell
        Cells that nobody on one of the two sides was seen for.
    dropped : int
        Comparison units left out of some cell for a score of 0.995 or more.
    """

    cells: tuple[Cell, ...]
    estimate: Array
    blocks: tuple[Block | Scattered, ...]
    outcome: Array
    missing: tuple[Cell, ...]
    dropped: int

    @cached_property
    def cohort(self) -> Array:
        """Cohort of each cell."""
        return np.array([cell.cohort for cell in self.cells], dtype=np.intp)

    @cached_property
    def period(self) -> Array:
        """Period of each cell."""
        return np.array([cell.period for cell in self.cells], dtype=np.intp)

    @cached_property
    def base(self) -> Array:
        """Base period of each cell."""
        return np.array([cell.base for cell in self.cells], dtype=np.intp)

    def influence(self, matrix: Array) -> Array:
        """Influence of each unit on weighted sums of cells, shape (n_units, n_sums).

        Parameters
        ----------
        matrix : array (n_cells, n_sums)
            Weights of the cells.
        """
        out = np.zeros((len(self.outcome), matrix.shape[1]))
        for block in self.blocks:
            block.add(self.outcome, matrix, out)
        return out

    def cell_influence(self, which: Array) -> Array:
        """Influence of each unit on some of the cells, shape (n_units, n_which)."""
        pick = np.zeros((len(self.cells), len(which)))
        pick[which, np.arange(len(which))] = 1.0
        return self.influence(pick)


@dataclass(frozen=True, kw_only=True)
class Design:
    """Who starts when, and how cells are compared.

    Attributes
    ----------
    ordinals : array (n_periods,)
    cohorts : array (n_cohorts,)
        Ordinals of the starts, in order; each later than ``anticipation`` after the first period.
    cohort : array (n_units,)
        Cohort of each unit, ``n_cohorts`` for never.
    control : {"never-treated", "not-yet-treated"}
    base : {"universal", "varying"}
    anticipation : int
    """

    ordinals: Array
    cohorts: Array
    cohort: Array
    control: Control = "never-treated"
    base: Base = "universal"
    anticipation: int = 0

    def cells(self) -> Iterator[Cell]:
        """Cells by cohort and period; with the universal base the reference period itself is left out."""
        for g, start in enumerate(self.cohorts):
            last = int(np.flatnonzero(self.ordinals + self.anticipation < start)[-1])
            for t, ordinal in enumerate(self.ordinals):
                if self.base == "universal" or ordinal + self.anticipation >= start:
                    base = last
                else:
                    base = t - 1
                if base >= 0 and base != t:
                    yield Cell(g, t, base)

    def comparison(self, cell: Cell) -> Array:
        """Which cohorts the cell is held against, the last being never, shape (n_cohorts + 1,)."""
        allowed = np.zeros(len(self.cohorts) + 1, dtype=bool)
        allowed[-1] = True
        if self.control == "not-yet-treated":
            horizon = self.ordinals[max(cell.period, cell.base)] + self.anticipation
            allowed[:-1] = self.cohorts > horizon
            allowed[cell.cohort] = False
        return allowed


def on_panel(
    design: Design,
    outcome: Array,
    weights: Array | None = None,
    covariates: Array | None = None,
    seen: Array | None = None,
    estimator: Estimator = "dr",
) -> GroupTime:
    """Every cell of a panel; a unit counts in a cell where it was seen in both of its periods.

    Parameters
    ----------
    design : Design
    outcome : array (n_units, n_periods)
    weights : array (n_units,) or (n_units, n_periods), optional
    covariates : array (n_covariates, n_units) or (n_covariates, n_units, n_periods), optional
        Without a period where none changes over time.
    seen : bool array (n_units, n_periods), optional
        Everywhere, without it.

    Raises
    ------
    EstimationError
        Naming cohort and period where covariates cannot do their work.
    """
    order: list[Cell] = []
    missing: list[Cell] = []
    batches: dict[object, list[int]] = {}
    rows_of: dict[object, Array] = {}
    masks: dict[tuple[int, bytes], tuple[Array, int]] = {}
    moving = (weights is not None and weights.ndim == 2) or (covariates is not None and covariates.ndim == 3)
    for cell in design.cells():
        allowed = design.comparison(cell)
        key = (cell.cohort, allowed.tobytes())
        if key not in masks:
            take = allowed.copy()
            take[cell.cohort] = True
            masks[key] = np.flatnonzero(take[design.cohort]), len(masks)
        rows, number = masks[key]
        name: object = number
        if seen is not None:
            rows = rows[seen[rows, cell.period] & seen[rows, cell.base]]
            name = (number, rows.tobytes())
        pilot = design.cohort[rows] == cell.cohort
        if not pilot.any() or pilot.all():
            missing.append(cell)
            continue
        full = (name, min(cell.period, cell.base) if moving else 0)
        batches.setdefault(full, []).append(len(order))
        rows_of[full] = rows
        order.append(cell)
    estimate = np.zeros(len(order))
    blocks, dropped = [], 0
    for same, numbers in batches.items():
        rows, first = rows_of[same], order[numbers[0]]
        early = min(first.period, first.base)
        x = None if covariates is None else np.moveaxis(_at(covariates, rows, early), 0, -1)
        w = None if weights is None else _at(weights[None], rows, early)[0]
        treated = design.cohort[rows] == first.cohort
        period = np.array([order[k].period for k in numbers])
        base = np.array([order[k].base for k in numbers])
        combination = np.zeros((outcome.shape[1], len(numbers)))
        combination[period, np.arange(len(numbers))] = 1.0
        combination[base, np.arange(len(numbers))] = -1.0
        try:
            groups = two_groups(treated, x, w, estimator)
        except Indistinct as error:
            raise Impossible(error, first) from None
        found = groups.effects(outcome[rows], combination)
        estimate[numbers] = found.estimate
        blocks.append(Block(np.array(numbers), rows, found.own, found.left, found.right, period, base))
        dropped += groups.dropped
    return GroupTime(tuple(order), estimate, tuple(blocks), outcome, tuple(missing), dropped)


def on_sections(
    design: Design,
    unit: Array,
    period: Array,
    outcome: Array,
    weights: Array | None = None,
    covariates: Array | None = None,
    estimator: Estimator = "dr",
    influence: Influence = "derived",
) -> GroupTime:
    """Every cell from rows that need not be of the same people in each period; influence is summed by unit.

    Parameters
    ----------
    design : Design
    unit, period : array (n_rows,)
        Codes. In repeated cross-sections each row is a unit of its own.
    outcome, weights : array (n_rows,)
    covariates : array (n_rows, n_covariates), optional
    influence : {"derived", "drdid"}
        See :mod:`~ucimpact.inference.drdid_sections`.
    """
    cohort = design.cohort[unit]
    order: list[Cell] = []
    missing: list[Cell] = []
    estimates, blocks = [], []
    for cell in design.cells():
        take = design.comparison(cell)
        take[cell.cohort] = True
        rows = np.flatnonzero(take[cohort] & ((period == cell.period) | (period == cell.base)))
        treated, after = cohort[rows] == cell.cohort, period[rows] == cell.period
        if any(not (group & time).any() for group in (treated, ~treated) for time in (after, ~after)):
            missing.append(cell)
            continue
        x = None if covariates is None else covariates[rows]
        w = None if weights is None else weights[rows]
        try:
            estimate, part = two_sections(outcome[rows], treated, after, x, w, estimator, influence)
        except Indistinct as error:
            raise Impossible(error, cell) from None
        blocks.append(_gathered(len(order), unit[rows], part))
        order.append(cell)
        estimates.append(estimate)
    empty = np.zeros((len(design.cohort), 0))
    return GroupTime(tuple(order), np.array(estimates), tuple(blocks), empty, tuple(missing), 0)


class Impossible(EstimationError):
    """A cell that its covariates leave without an answer."""

    def __init__(self, why: Indistinct, cell: Cell) -> None:
        super().__init__(str(why))
        self.why, self.cell, self.column = str(why), cell, why.column


def _at(values: Array, rows: Array, period: int) -> Array:
    """Values (k, n_units[, n_periods]) of some units, in one period."""
    return np.asarray(values[:, rows] if values.ndim == 2 else values[:, rows, period])


def _gathered(cell: int, unit: Array, influence: Array) -> Scattered:
    """Rows of one unit added up."""
    units, at = np.unique(unit, return_inverse=True)
    return Scattered(cell, units, np.bincount(at.reshape(-1), influence, len(units)))
