r"""Two-way fixed effects regressions whose regressors depend on cohort and period alone.

.. math:: y_{it} = \alpha_i + \gamma_t + \sum_p \theta_p B_p(g_i, t) + x_{it}'\beta + \varepsilon_{it}

:math:`B_p` is a table of cohorts by periods: "the pilot runs", "two periods after the start", "cohort g in
period t". The normal equations need no more of the panel than, for each cohort, the Gram matrix of its
period dummies once unit effects are out, and their products with the outcome,

.. math:: M_g = \operatorname{diag}\Bigl(\sum_i w_{it}\Bigr) - \sum_{i \in g} \frac{w_i w_i'}{w_{i\cdot}},
          \qquad m_{gt} = \sum_{i \in g} w_{it}\tilde y_{it},

so that :math:`B'MB` replaces a matrix of one row an observation. Gaps and weights enter through :math:`M_g`
and the answer is exact. With :math:`b_p = B_p - \pi_p` (the regressor less its period effects) unit i adds

.. math:: s_{ip} = \sum_t w_{it}\hat e_{it}\, b_p(g_i, t)

to the score of :math:`\theta_p`, because its weighted residuals add up to 0: one product of each cohort's
residuals with a table. Covariates are taken out first (Frisch, Waugh and Lovell).

Where the units of a cohort are seen in the same periods, with weights that do not change within a unit, and
there are no covariates, each coefficient is a weighted sum of the mean outcomes of cohorts in periods. The
weights are its loadings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.linear import COLLINEAR, TwoWay

Array = np.ndarray
GONE = 1e-10
"""A column with less than this part of its squares left, once effects and other columns are out, has gone."""


@dataclass(frozen=True)
class CohortPanel:
    """A panel as grids, and the cohort of each unit.

    Attributes
    ----------
    outcome : array (n_units, n_periods)
        Finite throughout; what stands where the weight is 0 does not matter.
    weights : array (n_units, n_periods)
        0 where nothing was seen.
    cohort : array (n_units,)
        Codes from 0 to ``n_cohorts`` - 1, units that never start among them.
    n_cohorts : int
    covariates : array (n_covariates, n_units, n_periods), optional
    """

    outcome: Array
    weights: Array
    cohort: Array
    n_cohorts: int
    covariates: Array | None = None

    @cached_property
    def x(self) -> Array:
        """Covariates, with none as an empty stack."""
        return np.empty((0, *self.outcome.shape)) if self.covariates is None else self.covariates

    @cached_property
    def effects(self) -> TwoWay:
        """Unit and period effects."""
        return TwoWay(self.weights)

    @cached_property
    def members(self) -> tuple[Array, ...]:
        """Units of each cohort."""
        return tuple(np.flatnonzero(self.cohort == g) for g in range(self.n_cohorts))

    @cached_property
    def is_plain(self) -> bool:
        """Whether every unit is seen throughout, with one weight each."""
        w = self.weights
        return bool(np.all(w > 0) and np.all(np.ptp(w, axis=1) <= 1e-12 * w[:, 0]))

    @cached_property
    def is_alike(self) -> bool:
        """Whether units of a cohort are seen in the same periods, with one weight each."""
        if self.is_plain:
            return True
        w = self.weights
        seen = w > 0
        number = self.sums(seen.astype(float))
        size = np.bincount(self.cohort, minlength=self.n_cohorts)[:, None]
        if not np.all((number == 0) | (number == size)):
            return False
        largest = w.max(axis=1, keepdims=True)
        return bool(np.all(~seen | (largest - w <= 1e-12 * largest)))

    @cached_property
    def mass(self) -> Array:
        """Weight of each cohort in each period, shape (n_cohorts, n_periods)."""
        return self.sums(self.weights)

    @cached_property
    def blocks(self) -> Array:
        """:math:`M_g`, shape (n_cohorts, n_periods, n_periods)."""
        periods = self.outcome.shape[1]
        if self.is_plain:
            return np.asarray(self.mass[:, :1, None] * (np.eye(periods) - 1 / periods))
        total = self.weights.sum(axis=1, keepdims=True)
        share = self.weights / np.where(total > 0, total, 1.0)
        out = np.zeros((self.n_cohorts, periods, periods))
        for g, units in enumerate(self.members):
            out[g] = np.diag(self.mass[g]) - self.weights[units].T @ share[units]
        return out

    @cached_property
    def _belongs(self) -> Array:
        return np.asarray((self.cohort == np.arange(self.n_cohorts)[:, None]).astype(float))

    def sums(self, values: Array) -> Array:
        """Sums of ``values`` (..., n_units, n_periods) over the units of each cohort."""
        return np.asarray(self._belongs @ values)

    @cached_property
    def y_within(self) -> Array:
        """The outcome without effects."""
        return self.effects.absorb(self.outcome)

    @cached_property
    def x_within(self) -> Array:
        """Covariates without effects."""
        return self.effects.absorb(self.x)

    def of_units(self, table: Array) -> Array:
        """A table of cohorts by periods as a grid of units by periods."""
        return np.asarray(table[self.cohort])

    @property
    def n_rows(self) -> int:
        """Cells that were seen."""
        return int((self.weights > 0).sum())

    @property
    def n_periods_seen(self) -> int:
        """Periods with any cell."""
        return int((self.weights > 0).any(axis=0).sum())


@dataclass(frozen=True)
class TableFit:
    """A fitted regression on tables.

    Attributes
    ----------
    panel : CohortPanel
    coef : array (n_columns,)
        Of the tables.
    slopes : array (n_covariates,)
    residuals : array (n_units, n_periods)
        0 where the weight is 0.
    basis : array (n_columns, n_cohorts, n_periods)
        The tables less their period effects.
    inverse : array (n_columns + n_covariates, n_columns + n_covariates)
    """

    panel: CohortPanel
    coef: Array
    slopes: Array
    residuals: Array
    basis: Array
    inverse: Array

    @property
    def n_parameters(self) -> int:
        """Coefficients and period effects: those not nested in units."""
        return len(self.inverse) + self.panel.n_periods_seen

    def influence(self, directions: Array) -> Array:
        """What each unit adds to combinations of the coefficients, shape (n_units, n_effects).

        Parameters
        ----------
        directions : array (n_columns, n_effects)
        """
        panel, number = self.panel, len(self.coef)
        through = self.inverse[:, :number] @ directions
        tables = np.einsum("pgt,pk->gtk", self.basis, through[:number])
        weighted = panel.weights * self.residuals
        out = by_cohort(panel, weighted, tables)
        if len(self.slopes):
            out += unit_scores(panel.x_within, weighted) @ through[number:]
        return out

    def loadings(self, directions: Array) -> Array | None:
        """How the mean outcome of each cohort in each period enters, (n_cohorts, n_effects, n_periods).

        None where units are not alike in what was seen of them, or there are covariates.
        """
        if not self.panel.is_alike or len(self.slopes):
            return None
        mass = self.panel.mass[:, None, :]
        total = mass.sum(axis=-1, keepdims=True)
        tables = np.einsum("pgt,pk->gkt", self.basis, self.inverse @ directions)
        mean = (mass * tables).sum(axis=-1, keepdims=True) / np.where(total > 0, total, 1.0)
        return np.asarray(mass * (tables - mean))


def regress(panel: CohortPanel, columns: Array) -> TableFit:
    """Regress on tables, unit and period effects and covariates.

    Parameters
    ----------
    panel : CohortPanel
    columns : array (n_columns, n_cohorts, n_periods)

    Raises
    ------
    EstimationError
        Where a column is a combination of the effects and the columns before it.
    """
    joint, basis = _equations(panel, columns)
    lost = _lost(joint, _sizes(panel, columns))
    if lost:
        raise EstimationError(
            f"regressor {lost[0]} is a combination of unit effects, period effects and the other regressors"
        )
    scale = 1 / np.sqrt(np.diag(joint))
    inverse = np.linalg.inv(joint * scale[:, None] * scale) * scale[:, None] * scale
    inverse = (inverse + inverse.T) / 2
    weighted = panel.weights * panel.y_within
    right = np.tensordot(columns, panel.sums(weighted), axes=2)
    right = np.append(right, (panel.x_within * weighted).sum(axis=(1, 2)))
    found = inverse @ right
    coef, slopes = found[: len(columns)], found[len(columns) :]
    fitted = panel.effects.absorb_units(panel.of_units(np.tensordot(coef, basis, axes=1)))
    residuals = panel.y_within - fitted - np.tensordot(slopes, panel.x_within, axes=1)
    return TableFit(panel, coef, slopes, residuals, basis, inverse)


def lost_columns(panel: CohortPanel, columns: Array) -> list[int]:
    """Which columns, and after them which covariates, say nothing beyond those before them."""
    return _lost(_equations(panel, columns)[0], _sizes(panel, columns))


def telling_columns(panel: CohortPanel, columns: Array) -> list[int]:
    """Which columns can be told from the effects, the covariates and the columns before them.

    Where columns and covariates say the same, the last column gives way.
    """
    keep = list(range(len(columns)))
    while keep and (lost := lost_columns(panel, columns[keep])):
        gone = {k for k in lost if k < len(keep)} or {len(keep) - 1}
        keep = [column for k, column in enumerate(keep) if k not in gone]
    return keep


def _equations(panel: CohortPanel, columns: Array) -> tuple[Array, Array]:
    """Gram matrix of tables and covariates, all effects out, and the tables less their period effects."""
    number = len(columns)
    through = np.einsum("gst,pgt->pgs", panel.blocks, columns, optimize=True)
    periods = np.linalg.pinv(panel.blocks.sum(axis=0), rcond=1e-12, hermitian=True)
    effects = through.sum(axis=1) @ periods
    basis = columns - effects[:, None, :]
    joint = np.empty((number + len(panel.x),) * 2)
    joint[:number, :number] = np.tensordot(through, basis, axes=((1, 2), (1, 2)))
    weighted = panel.weights * panel.x_within
    across = np.tensordot(columns, panel.sums(weighted), axes=((1, 2), (1, 2))) if len(panel.x) else 0.0
    joint[:number, number:] = across
    joint[number:, :number] = np.transpose(across)
    joint[number:, number:] = np.tensordot(weighted, panel.x_within, axes=((1, 2), (1, 2)))
    return (joint + joint.T) / 2, basis


def _sizes(panel: CohortPanel, columns: Array) -> Array:
    """What is left of squares is held against this: of tables before effects are out, of covariates after.

    A covariate that effects take out whole is held against what it was: its level may dwarf its changes.
    """
    tables = np.tensordot(columns**2, panel.mass, axes=2)
    before = (panel.weights * panel.x**2).sum(axis=(1, 2))
    after = (panel.weights * panel.x_within**2).sum(axis=(1, 2))
    return np.append(tables, np.where(after > COLLINEAR**2 * before, after, before))


def _lost(joint: Array, sizes: Array) -> list[int]:
    scale = np.sqrt(np.where(sizes > 0, sizes, 1.0))
    left = joint / np.outer(scale, scale)
    try:
        if np.linalg.cholesky(left).diagonal().min(initial=1.0) ** 2 > GONE:
            return []
    except np.linalg.LinAlgError:
        pass
    lost = []
    for k in range(len(left)):  # one column at a time, in their order
        if left[k, k] <= GONE:
            lost.append(k)
        else:
            row = left[k] / np.sqrt(left[k, k])
            left = left - np.outer(row, row)
    return lost


def by_cohort(panel: CohortPanel, values: Array, tables: Array) -> Array:
    """``values[i] @ tables[g_i]`` for each unit: (n_units, n_periods) with (n_cohorts, n_periods, k)."""
    out = np.zeros((len(values), tables.shape[-1]))
    for g, units in enumerate(panel.members):
        if len(units):
            out[units] = values[units] @ tables[g]
    return out


def unit_scores(x: Array, weighted: Array) -> Array:
    """Sum over periods of each unit's covariates times ``weighted``, shape (n_units, n_covariates)."""
    return np.asarray(np.einsum("knt,nt->nk", x, weighted))


def cr1_factor(places: int, rows: int, parameters: int) -> float:
    """What CR1 multiplies the sum of squared scores of places by: G/(G-1) x (n-1)/(n-K)."""
    if places < 2 or rows <= parameters:
        return float("nan")
    return places / (places - 1) * (rows - 1) / (rows - parameters)
