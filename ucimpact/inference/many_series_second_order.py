r"""Averages over errors that remember two periods, for many series of one design.

The average of :mod:`ucimpact.inference.second_order`. The six products of the design with itself are
shared, and so is each cell's :math:`N^{-1}`; a series brings six products of its residuals with the
columns and six with themselves. Behind noise each cell has a dense :math:`V^{-1}` that all series share.
"""

from __future__ import annotations

import numpy as np

from ucimpact.inference.behind_noise import behind_noise
from ucimpact.inference.many_series import ManyStatistics
from ucimpact.inference.many_series_design import SharedDesign
from ucimpact.inference.many_series_mixture import ManyMixture, normalised
from ucimpact.inference.second_order import (
    LEAST_FOR_NOISE,
    LOG_PRECISION,
    LOST,
    NOISE_RHOS,
    NOISE_SHARES,
    PAIRS,
    POWERS,
    log_priors,
    products,
)


class SecondOrderCells:
    """The average over AR(2) errors, for all series of a design.

    Parameters
    ----------
    design : SharedDesign
    contrasts : array (m, p)
        Of the columns.
    """

    def __init__(self, design: SharedDesign, contrasts: np.ndarray) -> None:
        self.design, self._rows = design, design.in_basis(contrasts)
        points = len(design.basis)
        self._log_priors = log_priors(points)
        information = np.tensordot(POWERS, products(design.basis), axes=1)
        self._log_precision = LOG_PRECISION
        self._noise = np.empty((0, points, points))
        if points >= LEAST_FOR_NOISE:
            cells = list(behind_noise(np.eye(points), NOISE_RHOS, NOISE_SHARES))
            self._noise = np.stack([inverse for inverse, _ in cells])
            information = np.concatenate([information, design.basis.T @ self._noise @ design.basis])
            self._log_precision = np.concatenate([LOG_PRECISION, [-size for _, size in cells]])
        self._inverses = np.linalg.inv(information)
        self._log_sizes = np.linalg.slogdet(information)[1]
        self._readings = np.einsum("mp,kpq->kmq", self._rows, self._inverses)
        self._kernels = np.einsum("kmq,lq->kml", self._readings, self._rows)

    def of(self, statistics: ManyStatistics) -> ManyMixture:
        """The mixture of each series."""
        residuals, basis, df = statistics.residuals, self.design.basis, self.design.residual_df - LOST
        n, count = len(basis), len(residuals)
        scores = np.empty((len(PAIRS), basis.shape[1], count))
        squares = np.empty((len(PAIRS), count))
        for at, (i, j) in enumerate(PAIRS):
            early, late = slice(i, n - j), slice(j, n - i)
            half = np.zeros_like(basis)
            half[late] += basis[early] / 2
            half[early] += basis[late] / 2
            scores[at] = half.T @ residuals.T
            squares[at] = np.einsum("it,it->i", residuals[:, early], residuals[:, late])
        left = np.concatenate([POWERS @ squares, np.empty((len(self._noise), count))])
        centres = np.empty((len(self._rows), len(left), count))
        flat = scores.reshape(len(PAIRS), -1)
        for at in range(len(left)):
            if at < len(POWERS):
                score = (POWERS[at] @ flat).reshape(-1, count)
            else:
                turned = self._noise[at - len(POWERS)] @ residuals.T
                score = basis.T @ turned
                left[at] = np.einsum("ti,it->i", turned, residuals)
            left[at] -= np.einsum("pi,pi->i", score, self._inverses[at] @ score)
            centres[:, at] = self._readings[at] @ score
        centres += (self._rows @ statistics.least_squares)[:, None, :]
        sizes = (self._log_precision - self._log_sizes)[:, None]
        return ManyMixture(
            weights=normalised(self._log_priors[:, None] + 0.5 * (sizes - df * np.log(left))),
            variances=left / df,
            centres=centres,
            kernels=self._kernels,
            df=df,
        )
