r"""Least squares with an effect for every unit and for every period, missing cells and weights allowed.

.. math:: y_{it} = \alpha_i + \gamma_t + x_{it}'\beta + \varepsilon_{it}

By the Frisch-Waugh-Lovell theorem :math:`\hat\beta` is the regression of :math:`\tilde y` on
:math:`\tilde x`, where a tilde means that both effects have been taken out. With weights
:math:`w_{it}` (0 where a cell is missing) the period effects of any column :math:`v` solve

.. math:: \Bigl(\operatorname{diag}(w_{\cdot t}) - W'\operatorname{diag}(1/w_{i\cdot})W\Bigr)\gamma
          = \sum_i w_{it}(v_{it} - \bar v_i),

a system of one equation a period, so nothing as large as a table of dummies is ever made and the
answer is exact, not the end of an iteration.

Values are held as a grid: arrays of shape (..., n_units, n_periods).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ucimpact.errors import EstimationError

Array = np.ndarray
COLLINEAR = 1e-9
"""A column this small beside what it was, once effects and other columns are out, has gone."""


def grid(values: Array, units: Array, periods: Array, shape: tuple[int, int]) -> Array:
    """Rows as a grid of shape (n_units, n_periods); 0 in a cell without a row.

    ``values`` has shape (n_rows,); ``units`` and ``periods`` are codes from 0, each pair at most once.
    """
    out = np.zeros(shape)
    out[units, periods] = values
    return out


def sum_by(values: Array, codes: Array) -> Array:
    """Sums of ``values`` (..., n) over the groups of ``codes`` (n,), coded from 0 without gaps."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    return np.asarray(np.add.reduceat(values[..., order], starts, axis=-1))


@dataclass(frozen=True)
class TwoWay:
    """Unit and period effects, ready to be taken out of any number of columns.

    Attributes
    ----------
    weights : array (n_units, n_periods)
        Weight of each cell; 0 where there is none.
    """

    weights: Array

    @cached_property
    def _unit_totals(self) -> Array:
        totals: Array = self.weights.sum(axis=-1, keepdims=True)
        return np.where(totals > 0, totals, 1.0)

    @cached_property
    def _solver(self) -> Array:
        """Pseudo-inverse of the equations of the period effects, shape (n_periods, n_periods).

        They are known up to a constant (or one a component, where the panel falls apart), which the
        unit effects take up: the residual is the same whichever is chosen.
        """
        w = self.weights
        normal = np.diag(w.sum(axis=0)) - w.T @ (w / self._unit_totals)
        return np.asarray(np.linalg.pinv(normal, rcond=1e-12, hermitian=True))

    def _less_unit_means(self, values: Array) -> Array:
        means = (self.weights * values).sum(axis=-1, keepdims=True) / self._unit_totals
        return np.asarray(values - means)

    def period_effects(self, values: Array) -> Array:
        """Effect of each period, shape (..., n_periods), up to one constant."""
        rest = (self.weights * self._less_unit_means(values)).sum(axis=-2)
        return np.asarray(rest @ self._solver)

    def absorb(self, values: Array) -> Array:
        """What is left of ``values`` when both effects are out; 0 where the weight is 0.

        Parameters
        ----------
        values : array (..., n_units, n_periods)
        """
        rest = self._less_unit_means(values - self.period_effects(values)[..., None, :])
        return np.where(self.weights > 0, rest, 0.0)

    def absorb_units(self, values: Array) -> Array:
        """What is left of ``values`` when unit effects alone are out; 0 where the weight is 0."""
        return np.where(self.weights > 0, self._less_unit_means(values), 0.0)


@dataclass(frozen=True)
class Fit:
    """A weighted least-squares fit after both effects are out.

    Attributes
    ----------
    coef : array (n_columns,)
    residuals : array (n_units, n_periods)
        0 in a cell without weight.
    within : array (n_columns, n_units, n_periods)
        The regressors without the effects.
    inverse : array (n_columns, n_columns)
        :math:`(\\tilde x'W\\tilde x)^{-1}`.
    weights : array (n_units, n_periods)
    """

    coef: Array
    residuals: Array
    within: Array
    inverse: Array
    weights: Array

    @property
    def loadings(self) -> Array:
        """How each cell enters each coefficient, shape (n_columns, n_units, n_periods).

        ``coef[k] = (loadings[k] * y).sum()`` for the outcome itself or with any effects taken out.
        """
        return np.asarray(np.tensordot(self.inverse, self.within, axes=1) * self.weights)

    def loadings_alone(self, number: int) -> Array:
        """Loadings that the first ``number`` regressors would have without the rest."""
        if number == len(self.coef):
            return self.loadings
        flat = self.within[:number].reshape(number, -1)
        inverse = np.linalg.inv((flat * self.weights.reshape(-1)) @ flat.T)
        return np.asarray(np.tensordot(inverse, self.within[:number], axes=1) * self.weights)


def least_squares(outcome: Array, regressors: Array, effects: TwoWay) -> Fit:
    """Regress ``outcome`` (n_units, n_periods) on ``regressors`` (n_columns, n_units, n_periods).

    Raises
    ------
    EstimationError
        Where a regressor is a combination of the effects and the other regressors.
    """
    weights = effects.weights
    within = effects.absorb(regressors)
    if lost := collinear(regressors, within, weights):
        raise EstimationError(
            f"regressor {lost[0]} is a combination of unit effects, period effects and the other regressors"
        )
    flat = within.reshape(len(within), -1)
    weighted = flat * weights.reshape(-1)
    inverse = np.linalg.inv(weighted @ flat.T)
    coef = inverse @ (weighted @ np.where(weights > 0, outcome, 0.0).reshape(-1))
    residuals = effects.absorb(outcome) - np.tensordot(coef, within, axes=1)
    return Fit(coef, np.where(weights > 0, residuals, 0.0), within, (inverse + inverse.T) / 2, weights)


def collinear(regressors: Array, within: Array, weights: Array) -> list[int]:
    """Which regressors say nothing beyond the effects and the regressors before them."""
    root = np.sqrt(weights).reshape(-1)
    before = np.linalg.norm(regressors.reshape(len(regressors), -1) * root, axis=1)
    columns = (within.reshape(len(within), -1) * root).T
    left = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    if len(left) < len(before):
        left = np.append(left, np.zeros(len(before) - len(left)))
    return [int(k) for k in np.flatnonzero(left <= COLLINEAR * np.where(before > 0, before, 1.0))]
