r"""AR(1) plus white noise averaged over, for many series of counts of one design.

The average of :func:`ucimpact.inference.mixture.ar1_plus_noise` on the working regression of
:mod:`ucimpact.inference.count_series`. Each series has weighted columns of its own, but all share the
covariance :math:`V = (1-c)I + cR(\rho)` of a cell. With :math:`R = U\Lambda U'` over the periods that
count,

.. math:: \tilde X'V^{-1}\tilde X = \sum_k \frac{z_k z_k'}{(1-c) + c\lambda_k}, \qquad
   (z_1, \ldots, z_n)' = U'\tilde X

so that one product with :math:`U` serves every series and every share c. A period that does not count
is left out, with the distance between its neighbours kept: the same as a column of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.inference.many_counts import ManyPoisson
from ucimpact.inference.many_series_mixture import quantiles, t_distribution
from ucimpact.inference.many_small import backward, cholesky, forward
from ucimpact.inference.mixture import NOISE_RHOS, NOISE_SHARES, NoisePrior, cell_widths


class CountCells:
    """The cells of the average, for all series of a design.

    Parameters
    ----------
    used : array of bool (periods,)
    prior : NoisePrior
    """

    def __init__(self, used: np.ndarray, prior: NoisePrior) -> None:
        at = np.flatnonzero(used)
        apart = np.abs(at[:, None] - at)
        widths = (cell_widths(NOISE_RHOS, -1, 1), cell_widths(NOISE_SHARES, 0, 1))
        self._turns, self._over, priors = [], [], []
        for rho, d_rho in zip(NOISE_RHOS, widths[0], strict=True):
            roots, turn = np.linalg.eigh(float(rho) ** apart)
            diagonals = (1 - NOISE_SHARES) + np.outer(roots, NOISE_SHARES)
            self._turns.append(np.ascontiguousarray(turn.T))
            self._over.append(np.ascontiguousarray(1 / diagonals.T))
            density = np.array([prior.log_density(float(rho), float(share)) for share in NOISE_SHARES])
            priors.append(density + np.log(d_rho * widths[1]) - 0.5 * np.log(diagonals).sum(axis=0))
        self._log_priors = np.concatenate(priors)

    def of(self, fit: ManyPoisson) -> CountMixture:
        """The mixture of each of a block of series (500 or so)."""
        n, p = fit.basis.shape
        count, shares = fit.mu.shape[1], len(NOISE_SHARES)
        both = np.empty((n, p + 1, count))
        np.multiply(np.sqrt(fit.mu)[:, None, :], fit.basis[:, :, None], out=both[:, :p])
        both[:, p] = fit.pearson
        grams = np.empty((p + 1, p + 1, len(self._turns), shares, count))
        for at, (turn, over) in enumerate(zip(self._turns, self._over, strict=True)):
            z = (turn @ both.reshape(n, -1)).reshape(n, p + 1, count)
            for i in range(p + 1):
                products = z[:, i:] * z[:, i : i + 1]
                weighed = (over @ products.reshape(n, -1)).reshape(shares, p + 1 - i, count)
                grams[i:, i, at] = weighed.transpose(1, 0, 2)
        grams = grams.reshape(p + 1, p + 1, -1, count)
        factors = cholesky(grams)
        squares = factors[p, p] ** 2
        log_sizes = 2 * np.log(np.array([factors[i, i] for i in range(p)])).sum(axis=0)
        logs = self._log_priors[:, None] - 0.5 * (log_sizes + (n - p) * np.log(squares))
        weights = np.exp(logs - logs.max(axis=0))
        return CountMixture(
            start=fit.coef,
            weights=weights / weights.sum(axis=0),
            variances=squares / (n - p),
            factors=factors[:p, :p],
            halves=factors[p, :p],
            df=n - p,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CountMixture:
    """Coefficients of N series that are t distributed in each of K cells.

    Attributes
    ----------
    start : array (p, N)
        What the cells' coefficients are added to.
    weights, variances : array (K, N)
    factors : array (p, p, K, N)
        Cholesky factors of each cell's precision.
    halves : array (p, K, N)
    df : int
    """

    start: np.ndarray
    weights: np.ndarray
    variances: np.ndarray
    factors: np.ndarray
    halves: np.ndarray
    df: int

    def mean(self) -> np.ndarray:
        """Coefficients of the average, shape (p, N)."""
        cells = backward(self.factors, self.halves)
        return np.asarray(self.start + np.einsum("ki,pki->pi", self.weights, cells))

    def cells(self, contrast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and scale (K, N) of a contrast of the basis, (p,) or each series' own (p, N)."""
        own = contrast[:, None] if contrast.ndim == 1 else contrast
        half = forward(self.factors, own[:, None, :])
        centre = (own * self.start).sum(axis=0) + np.einsum("pki,pki->ki", half, self.halves)
        return centre, np.sqrt(self.variances * np.einsum("pki,pki->ki", half, half))

    def limits(self, centre: np.ndarray, scale: np.ndarray, level: float) -> np.ndarray:
        """Equal-tailed limits of a contrast from its cells, shape (2, N)."""
        tail = (1 - level) / 2
        return np.stack([quantiles(self.weights, centre, scale, self.df, q) for q in (tail, 1 - tail)])

    def below(self, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Chance that a contrast is below 0, shape (N,)."""
        return np.asarray(np.einsum("ki,ki->i", self.weights, t_distribution(self.df).below(-centre / scale)))
