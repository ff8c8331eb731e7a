r"""How strongly each covariate predicts the outcome among people who had no service.

A difference between the groups matters as far as the covariate foretells the outcome: to first order a
standardised difference :math:`d_k` moves a ratio by :math:`e^{\beta_k d_k}`, with :math:`\beta_k` the log
ratio of the outcome for one standard deviation of covariate :math:`k`. So the balance gate asks more of
strong predictors than of others [1]_.

:math:`\beta` is that of one log-linear model of all covariates among the comparison people (a linear one,
in standard deviations of the outcome, where the outcome can be below 0). A covariate that nearly repeats
others (variance inflation above 4, such as admissions in 90 and in 30 days) is judged by what it says
alone: between the two of them the model could deal its strength out in any way.

A covariate is called *strong* when a standard deviation of it goes with a tenth more or less of the
outcome (:math:`|\beta_k| \ge 0.1`) and that is not noise (beyond 1.96 robust standard errors): left
unlike by 0.1 standard deviations it moves the result by 1% or more.

References
----------
.. [1] Stuart, E. A., Lee, B. K. and Leacy, F. P. (2013). Prognostic score-based balance measures can be a
   useful diagnostic for propensity score methods in comparative effectiveness research. *Journal of Clinical
   Epidemiology* 66(8), S84-S90.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.linear import collinear
from ucimpact.inference.sandwich import Clusters

Array = np.ndarray

STRONG = 0.10
SURE = 1.96
REPEATS = 4.0
MOST = 100_000
"""Rows above which every k-th is enough: strength is asked to a digit or two."""
ROWS_A_COLUMN = 10


@dataclass(frozen=True, eq=False)
class Prognosis:
    """Strength of each covariate.

    Attributes
    ----------
    beta : array (p,)
        Log ratio of the outcome for one standard deviation; 0 where it could not be worked out.
    z : array (p,)
    strong : array of bool (p,)
    """

    beta: Array
    z: Array
    strong: Array

    @property
    def strength(self) -> Array:
        """Without its sign, shape (p,)."""
        return np.asarray(np.abs(self.beta))


def prognosis(
    y: Array,
    x: Array,
    *,
    weights: Array | None = None,
    exposure: Array | None = None,
    clusters: Array | None = None,
) -> Prognosis:
    """Strength of each column of ``x`` among comparison people.

    Parameters
    ----------
    y : array (n,)
        Their outcome; rows where it is not a number take no part.
    x : array (n, p)
        Their covariates, without an intercept.
    weights : array (n,), optional
    exposure : array (n,), optional
        Days at risk.
    clusters : array (n,), optional
    """
    y = np.asarray(y, dtype=float)
    keep = np.isfinite(y) & (weights is None or np.asarray(weights) > 0)
    use = np.flatnonzero(keep)
    use = use[:: max(1, -(-len(use) // MOST))]
    columns = np.asarray(x[use], dtype=float)
    people = _People(y[use], _part(weights, use), _part(exposure, use), _part(clusters, use))
    p = columns.shape[1]
    beta, z = np.zeros(p), np.zeros(p)
    if not len(use):
        return Prognosis(beta, z, np.zeros(p, dtype=bool))
    spread = columns.std(axis=0)
    some = np.flatnonzero(spread > 1e-12 * np.abs(columns).max(axis=0, initial=1e-300))
    scaled = (columns[:, some] - columns[:, some].mean(axis=0)) / spread[some]
    lost = _lost(scaled)
    alone = lost | (_inflation(scaled, lost) > REPEATS)
    together = np.flatnonzero(~lost)
    if len(use) >= ROWS_A_COLUMN * (len(together) + 1) and len(together):
        found = people.fit(scaled[:, together])
    else:
        found = None
    if found is None:
        alone = np.ones(len(some), dtype=bool)
    else:
        beta[some[together]], z[some[together]] = found
    for k in np.flatnonzero(alone):
        one = people.fit(scaled[:, [k]])
        beta[some[k]], z[some[k]] = (0.0, 0.0) if one is None else (one[0][0], one[1][0])
    return Prognosis(beta, z, (np.abs(beta) >= STRONG) & (np.abs(z) > SURE))


def with_strength(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], found: Prognosis
) -> list[dict[str, Any]]:
    """Rows of a balance table with ``strength`` and ``strong``, by their ``name``; 0 and False for others."""
    place = {name: k for k, name in enumerate(names)}
    return [
        {
            **row,
            "strength": float(found.strength[place[row["name"]]]) if row["name"] in place else 0.0,
            "strong": bool(found.strong[place[row["name"]]]) if row["name"] in place else False,
        }
        for row in rows
    ]


@dataclass(frozen=True, eq=False)
class _People:
    y: Array
    weights: Array | None
    exposure: Array | None
    clusters: Clusters | None

    def fit(self, columns: Array) -> tuple[Array, Array] | None:
        """Coefficients of standardised columns and their z; None where the model has no solution."""
        x = np.column_stack([np.ones(len(columns)), columns])
        try:
            if (self.y < 0).any():
                spread = float(self.y.std())
                fit, scale = glm.gaussian(self.y, x, self.weights), spread if spread > 0 else 1.0
            else:
                offset = None if self.exposure is None else np.log(self.exposure)
                fit, scale = glm.poisson(self.y, x, offset, self.weights), 1.0
            cov = fit.cov("HC0") if self.clusters is None else fit.cov("CR0", self.clusters)
        except EstimationError:
            return None
        error = np.sqrt(np.diag(cov))[1:]
        z = np.divide(fit.coef[1:], error, out=np.zeros(len(error)), where=error > 0)
        return fit.coef[1:] / scale, z


def _part(values: Array | None, use: Array) -> Array | None:
    return None if values is None else np.asarray(values)[use]


def _lost(scaled: Array) -> Array:
    """Columns that are a combination of those before them."""
    rows = np.vstack([np.ones(len(scaled)), scaled.T])
    lost = np.zeros(scaled.shape[1], dtype=bool)
    for k in collinear(rows, rows, np.ones(len(scaled))):
        lost[k - 1] = True
    return lost


def _inflation(scaled: Array, lost: Array) -> Array:
    """Variance inflation of each column beside the others that stay; 1 for the rest."""
    inflation = np.ones(scaled.shape[1])
    stay = np.flatnonzero(~lost)
    if len(stay) > 1:
        inflation[stay] = np.diag(np.linalg.inv(np.corrcoef(scaled[:, stay], rowvar=False)))
    return inflation
