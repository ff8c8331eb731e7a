r"""A regression with an effect for every unit and for every cohort in every period.

.. math:: y_{it} = \alpha_i + \lambda_{g_i t} + x_{it}'\beta + \varepsilon_{it}

Each cohort is a two-way regression of its own, so a system of one equation a period is solved for each
cohort and none for all of them together. The coefficient of "cohort g in period t", with a reference period
left out of each cohort and units that never start as the comparison, is a contrast of these levels,

.. math:: \delta_{gt} = (\lambda_{gt} - \lambda_{g r_g}) - (\lambda_{\infty t} - \lambda_{\infty r_g}),

and the two are the same regression written in two ways. With :math:`M_g^+` the pseudo-inverse of the
equations of cohort g (:mod:`~ucimpact.inference.two_way`) a unit adds :math:`(w_i \hat e_i)'M_g^+` to its
cohort's levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ucimpact.inference.two_way import CohortPanel, by_cohort, unit_scores

Array = np.ndarray
NOTHING = 1e-13
"""Beside the largest entry of its block, an entry this small is rounding."""


@dataclass(frozen=True)
class Levels:
    """Levels of every cohort in every period, up to a constant for each cohort.

    Attributes
    ----------
    panel : CohortPanel
    levels : array (n_cohorts, n_periods)
    residuals : array (n_units, n_periods)
    inverses : array (n_cohorts, n_periods, n_periods)
        :math:`M_g^+`.
    slopes : array (n_covariates,)
    x_levels : array (n_covariates, n_cohorts, n_periods)
        Levels of the covariates.
    x_within : array (n_covariates, n_units, n_periods)
        Covariates without units and cohorts' periods.
    x_inverse : array (n_covariates, n_covariates)
    """

    panel: CohortPanel
    levels: Array
    residuals: Array
    inverses: Array
    slopes: Array
    x_levels: Array
    x_within: Array
    x_inverse: Array

    def influence(self, contrasts: Array) -> Array:
        """What each unit adds to contrasts of the levels, shape (n_units, n_effects).

        Parameters
        ----------
        contrasts : array (n_effects, n_cohorts, n_periods)
            Rows of each cohort add up to 0.
        """
        weighted = self.panel.weights * self.residuals
        tables = np.einsum("gst,kgt->gsk", self.inverses, contrasts, optimize=True)
        out = by_cohort(self.panel, weighted, tables)
        if len(self.slopes):
            gaps = np.tensordot(self.x_levels, contrasts, axes=((1, 2), (1, 2)))
            out -= unit_scores(self.x_within, weighted) @ self.x_inverse @ gaps
        return out

    def linked(self, cohort: int) -> Array:
        """Which periods of a cohort can be compared: a code for each period, -1 where it was not seen."""
        return linked_periods(self.panel.blocks[cohort])

    @property
    def n_parameters(self) -> int:
        """Slopes and levels, those that a cohort's units hold already not counted again."""
        free = 0
        for g in range(self.panel.n_cohorts):
            codes = self.linked(g)
            free += int((codes >= 0).sum()) - len(np.unique(codes[codes >= 0]))
        return free + 1 + len(self.slopes)


def linked_periods(block: Array) -> Array:
    """Periods that some unit was seen in together, chained: a code for each, -1 where nothing was seen."""
    joined = np.abs(block) > NOTHING * max(float(np.abs(block).max(initial=0.0)), 1e-300)
    codes = connected_components(csr_array(joined), directed=False)[1]
    return np.where(joined.diagonal(), codes, -1)


def levels_of(panel: CohortPanel) -> Levels:
    """Fit the regression of the module.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a covariate says nothing beyond the effects; ask :func:`lost_covariates` first.
    """
    inverses = np.linalg.pinv(panel.blocks, rcond=1e-12, hermitian=True)
    levels, left = _without(panel, inverses, panel.outcome)
    x_levels, x_within = _without(panel, inverses, panel.x)
    weighted = panel.weights * x_within
    inverse = np.linalg.inv(np.tensordot(weighted, x_within, axes=((1, 2), (1, 2))))
    slopes = inverse @ np.tensordot(weighted, left, axes=2)
    return Levels(
        panel,
        levels - np.tensordot(slopes, x_levels, axes=1),
        left - np.tensordot(slopes, x_within, axes=1),
        inverses,
        slopes,
        x_levels,
        x_within,
        inverse,
    )


def within(panel: CohortPanel, values: Array) -> Array:
    """``values`` (..., n_units, n_periods) without units and cohorts' periods."""
    inverses = np.linalg.pinv(panel.blocks, rcond=1e-12, hermitian=True)
    return _without(panel, inverses, values)[1]


def _without(panel: CohortPanel, inverses: Array, values: Array) -> tuple[Array, Array]:
    """Levels of each cohort (..., n_cohorts, n_periods), and what is left of ``values``."""
    absorbed = panel.effects.absorb_units(values)
    sums = panel.sums(panel.weights * absorbed)
    levels = np.einsum("gst,...gt->...gs", inverses, sums)
    return levels, panel.effects.absorb_units(absorbed - levels[..., panel.cohort, :])
