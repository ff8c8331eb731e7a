r"""A regression on a series, averaged over what its errors remember of the last two periods.

.. math:: u_t = \phi_1 u_{t-1} + \phi_2 u_{t-2} + \epsilon_t, \qquad
   \phi_1 = \rho (1 - \phi_2), \qquad |\rho| < 1, \quad |\phi_2| < 1

:math:`\rho` is the autocorrelation from one period to the next, :math:`\phi_2` what the period before
that adds: 0 for an AR(1). A few years of months cannot settle either, and an interval that takes
:math:`\phi_2` for 0 covers 86% instead of 95% where it is 0.25, in a long series as in a short one. So
the interval is read from the average over both.

**Likelihood.** With :math:`w = (1, -\phi_1, -\phi_2)`, the quadratic form of the precision matrix is
:math:`u'Mu = \sum_{ij} w_i w_j u'D_{ij}u`, where :math:`D_{ij}` adds up :math:`u_{t+i} u_{t+j}` for
:math:`t = 1, \ldots, n-i-j` [1]_, and

.. math:: \log|M| = \log(1 - \rho^2) + 2\log(1 - \phi_2^2)

so that six products of the design and the least-squares residual serve every cell of the grid. With
:math:`N = X'MX` and :math:`S` the generalised sum of squares, a prior flat in the coefficients and in the
standard deviation of :math:`\epsilon` gives the cell the weight

.. math:: |M|^{1/2}\, |N|^{-1/2}\, S^{-\nu/2} \times \text{prior}(\rho, \phi_2) \times \text{size of cell},
   \qquad \nu = n - p - 1

and, within the cell, :math:`c'\beta` is :math:`t_\nu` around the generalised least-squares estimate
with squared scale :math:`(S/\nu)\, c'N^{-1}c`. The prior is flat in :math:`\rho` and normal in
:math:`\phi_2`, with mean 0 and standard deviation 0.2.

**From 96 points on** an AR(1) seen through white noise stands beside them, with 4% of the prior:

.. math:: u = \sigma z, \qquad \mathrm{var}(z) = (1-c)\,I + c\,R(\rho)

on 5 x 2 cells, flat in :math:`c` and in :math:`\sigma`, with density :math:`(1-\rho^2)^{-1/2}` (which
flatness in the standard deviation of :math:`\epsilon` gives to the AR(2) cells as well). Its memory fades
more slowly than that of any AR(2) with the same neighbours, and so small a prior is enough where a long
series shows it: behind 40% noise with :math:`\rho = 0.8` the AR(2) cells alone cover 90% to 92% from 96
points on, both together 93% to 95%. Shorter series cannot tell it from little memory; with more of the prior,
or with shares under a half, series without any memory would be covered 98% to 99%.

Chosen among a dozen priors for its cover at 36 to 192 points, in errors that are AR(1), AR(2) and
AR(1) seen through noise; ``docs/methods/its.md`` has the table. Under 36 points it is too wide for a
slope (98% to 99%).

References
----------
.. [1] Box, G. E. P. and Jenkins, G. M. (1976). *Time Series Analysis: Forecasting and Control*,
   appendix A7.5. Holden-Day.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ucimpact.inference.behind_noise import behind_noise
from ucimpact.inference.mixture import TMixture, cell_widths, normalised

LEAST_POINTS = 36
"""Points from which this average covers as often as it says."""

RHOS = np.array([-0.5, -0.25, 0.0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.93, 0.96, 0.985])
SECONDS = np.array([-0.3, -0.15, 0.0, 0.15, 0.3, 0.45])
PRIOR_SD = 0.2
LOST = 1
"""Degrees of freedom that go with the spread of the errors: n - p - LOST are left."""

LEAST_FOR_NOISE = 96
"""Points from which an AR(1) behind noise stands beside."""

NOISE_RHOS = np.array([0.55, 0.75, 0.87, 0.94, 0.98])
NOISE_SHARES = np.array([0.5, 0.75])
NOISE_PRIOR = 0.04

FORGOTTEN = 1e-13
"""Cells of less weight than this are left out: together they cannot move a chance by 1e-11."""

PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _cells() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rho, second = (grid.ravel() for grid in np.meshgrid(RHOS, SECONDS, indexing="ij"))
    w = np.stack([np.ones_like(rho), -rho * (1 - second), -second], axis=1)
    powers = np.stack([w[:, i] * w[:, j] * (1 if i == j else 2) for i, j in PAIRS], axis=1)
    size = np.outer(cell_widths(RHOS, -0.7, 1), cell_widths(SECONDS, -0.4, 0.55)).ravel()
    prior = size * np.exp(-0.5 * (second / PRIOR_SD) ** 2)
    return powers, np.log(prior / prior.sum()), np.log1p(-(rho**2)) + 2 * np.log1p(-(second**2))


def _noise_prior() -> np.ndarray:
    rhos = cell_widths(NOISE_RHOS, 0.4, 1) / np.sqrt(1 - NOISE_RHOS**2)
    prior = np.outer(rhos, cell_widths(NOISE_SHARES, 0.375, 0.875)).ravel()
    return np.asarray(np.log(prior / prior.sum()))


POWERS, LOG_PRIOR, LOG_PRECISION = _cells()
"""Of each cell: how it weighs the six products, shape (k, 6); its prior; log|M| of one series."""

LOG_NOISE_PRIOR = _noise_prior()


def log_priors(points: int) -> np.ndarray:
    """The prior of each cell of a series of so many points: of AR(2) errors, then of those behind noise."""
    if points < LEAST_FOR_NOISE:
        return LOG_PRIOR
    return np.concatenate([LOG_PRIOR + np.log1p(-NOISE_PRIOR), LOG_NOISE_PRIOR + np.log(NOISE_PRIOR)])


def products(rows: np.ndarray) -> np.ndarray:
    """``rows' D_ij rows`` in the order of :data:`PAIRS`: from shape (n, p) to (6, p, p)."""
    n = len(rows)
    out = np.empty((len(PAIRS), rows.shape[1], rows.shape[1]))
    for at, (i, j) in enumerate(PAIRS):
        half = rows[i : n - j].T @ rows[j : n - i]
        out[at] = half if i == j else (half + half.T) / 2
    return out


def second_order(y: np.ndarray, x: np.ndarray, lengths: Sequence[int] | None = None) -> TMixture:
    """Coefficients averaged over what the errors remember.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        Full column rank.
    lengths : sequence of int, optional
        Points of each of several series that lie one after the other; one series where left out.
    """
    n, p = x.shape
    df = n - p - LOST
    basis, to_basis = np.linalg.qr(x)
    from_basis = np.linalg.inv(to_basis)
    start = basis.T @ y
    both = np.column_stack([basis, y - basis @ start])
    parts = [both] if lengths is None else np.split(both, np.cumsum(lengths)[:-1])
    weighed = np.tensordot(POWERS, sum(products(part) for part in parts), axes=1)
    log_precision = len(parts) * LOG_PRECISION
    if n >= LEAST_FOR_NOISE:
        seen = [list(behind_noise(part, NOISE_RHOS, NOISE_SHARES)) for part in parts]
        weighed = np.concatenate([weighed, sum(np.stack([cell[0] for cell in part]) for part in seen)])
        log_sizes = sum(np.array([cell[1] for cell in part]) for part in seen)
        log_precision = np.concatenate([log_precision, -log_sizes])
    information, score = weighed[:, :p, :p], weighed[:, :p, p]
    inverse = np.linalg.inv(information)
    coef = (inverse @ score[:, :, None])[:, :, 0]
    squares = weighed[:, p, p] - (score * coef).sum(axis=1)
    log_weights = log_priors(n) + 0.5 * (
        log_precision - np.linalg.slogdet(information)[1] - df * np.log(squares)
    )
    weights = normalised(log_weights)
    kept = weights > FORGOTTEN
    return TMixture(
        weights=normalised(log_weights[kept]),
        coef=(start + coef[kept]) @ from_basis.T,
        cov=(squares[kept] / df)[:, None, None] * (from_basis @ inverse[kept] @ from_basis.T),
        df=df,
    )
