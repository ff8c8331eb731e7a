r"""Student t distributions averaged over what a short series cannot tell.

Given the autocorrelation :math:`\rho` (and the share :math:`c` of the variance that is
autocorrelated) the effects follow a t distribution. A short series leaves :math:`\rho` open, so the
interval is read from the average over a grid of values, each weighted by how well it fits:

.. math:: F(x) = \sum_k w_k\, T_{n-p}\!\left(\frac{x - m_k}{s_k}\right), \qquad \sum_k w_k = 1

With a flat prior on the coefficients and on :math:`\log\sigma`, the weight of a cell is
:math:`|V|^{-1/2}\, |X'V^{-1}X|^{-1/2}\, S^{-(n-p)/2}` times its prior, where :math:`S` is the
generalised sum of squares [1]_.

Here stands the average itself and the mixture over AR(1) plus white noise,
:math:`V = (1-c) I + c R(\rho)`; the one over :math:`\rho` alone belongs to
:class:`~ucimpact.inference.timeseries.Ar1Fit`.

References
----------
.. [1] Zellner, A. and Tiao, G. C. (1964). Bayesian analysis of the regression model with
   autocorrelated errors. *Journal of the American Statistical Association* 59(307), 763-778.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from ucimpact.inference.behind_noise import behind_noise

NOISE_RHOS = np.array([-0.3, 0.0, 0.3, 0.55, 0.75, 0.9, 0.975])
NOISE_SHARES = np.array([0.2, 0.5, 0.8, 1.0])
"""The grid on which AR(1) plus white noise is averaged: finer ones change the cover by under a point."""

NEWTON_STEPS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class TMixture:
    """Coefficients that are t distributed in each of several cells, and the weights of the cells.

    Attributes
    ----------
    weights : array (n_cells,)
        Adding up to 1.
    coef : array (n_cells, p)
    cov : array (n_cells, p, p)
        Squared scales, not variances: the t's own spread comes on top.
    df : int
    """

    weights: np.ndarray
    coef: np.ndarray
    cov: np.ndarray
    df: int

    def _cells(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and scale of each contrast in each cell, both of shape (n_cells, m)."""
        centre = self.coef @ contrasts.T
        square = ((contrasts @ self.cov) * contrasts).sum(axis=2)
        return centre, np.sqrt(np.maximum(square, 0.0))

    def below(self, contrasts: np.ndarray) -> np.ndarray:
        """Chance that each contrast is below 0, shape (m,)."""
        centre, scale = self._cells(np.atleast_2d(contrasts))
        return np.asarray(self.weights @ stdtr(self.df, -centre / scale))

    def limits(self, contrasts: np.ndarray, level: float) -> np.ndarray:
        """Equal-tailed limits of each contrast, shape (m, 2)."""
        centre, scale = self._cells(np.atleast_2d(contrasts))
        tail = (1 - level) / 2
        return np.column_stack([self._quantile(centre, scale, q) for q in (tail, 1 - tail)])

    def _quantile(self, centre: np.ndarray, scale: np.ndarray, q: float) -> np.ndarray:
        """Newton inside a bracket: a quantile of a mixture lies among those of its cells."""
        of_cells = centre + scale * stdtrit(self.df, q)
        low, high = of_cells.min(axis=0), of_cells.max(axis=0)
        x: np.ndarray = self.weights @ of_cells
        tiny = 1e-11 * (scale.max(axis=0) + (high - low)) + np.finfo(float).tiny
        half = (self.df + 1) / 2
        constant = np.exp(gammaln(half) - gammaln(self.df / 2)) / np.sqrt(self.df * np.pi)
        for _ in range(NEWTON_STEPS):
            z = (x - centre) / scale
            error = self.weights @ stdtr(self.df, z) - q
            density = self.weights @ (constant * (1 + z * z / self.df) ** -half / scale)
            low, high = np.where(error < 0, x, low), np.where(error > 0, x, high)
            new = x - error / density
            new = np.where((new < low) | (new > high), (low + high) / 2, new)
            done = np.abs(new - x) <= tiny
            x = new
            if done.all():
                break
        return x


def cell_widths(grid: np.ndarray, low: float, high: float) -> np.ndarray:
    """The stretch from ``low`` to ``high`` that lies nearest to each value of the grid."""
    middles = (grid[1:] + grid[:-1]) / 2
    return np.asarray(np.diff(np.concatenate([[low], middles, [high]])))


def normalised(log_weights: np.ndarray) -> np.ndarray:
    """Weights that add up to 1, from their logarithms."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True, kw_only=True)
class NoisePrior:
    r"""What is held likely before looking: :math:`(1+\rho)\,(1-\rho)^{b-1}\, c^k`.

    A smaller ``b`` gives more weight to what carries over for long, a larger ``k`` to its making up more
    of the variance.
    """

    b: float = 1.0
    k: float = 1.0

    def log_density(self, rho: float, share: float) -> float:
        """Logarithm of the density, but for a constant."""
        return float(np.log1p(rho) + (self.b - 1) * np.log1p(-rho) + self.k * np.log(share))


MEASURED = NoisePrior()
"""For a series of measurements."""

COUNTED = NoisePrior(b=0.7, k=2.0)
"""For counts, where chance variation hides what carries over."""


def ar1_plus_noise(y: np.ndarray, x: np.ndarray, prior: NoisePrior = MEASURED) -> TMixture:
    r"""Average over an AR(1) process seen through white noise.

    Each cell is one of :func:`~ucimpact.inference.behind_noise.behind_noise`.

    Parameters
    ----------
    y : array (n,)
    x : array (n, p)
        Full column rank.
    prior : NoisePrior
    """
    n, p = x.shape
    basis, to_basis = np.linalg.qr(x)
    from_basis = np.linalg.inv(to_basis)
    start = basis.T @ y
    both = np.column_stack([basis, y - basis @ start])
    log_weights, coefs, covs = [], [], []
    sizes = np.outer(cell_widths(NOISE_RHOS, -1, 1), cell_widths(NOISE_SHARES, 0, 1)).ravel()
    cells = behind_noise(both, NOISE_RHOS, NOISE_SHARES)
    for at, (products, log_size) in enumerate(cells):
        information, score = products[:p, :p], products[:p, p]
        inverse = np.linalg.inv(information)
        coef = inverse @ score
        squares = products[p, p] - score @ coef
        rho, share = NOISE_RHOS[at // len(NOISE_SHARES)], NOISE_SHARES[at % len(NOISE_SHARES)]
        log_weights.append(
            -0.5 * (log_size + np.linalg.slogdet(information)[1] + (n - p) * np.log(squares))
            + prior.log_density(rho, share)
            + np.log(sizes[at])
        )
        coefs.append(from_basis @ (start + coef))
        covs.append(squares / (n - p) * from_basis @ inverse @ from_basis.T)
    return TMixture(
        weights=normalised(np.array(log_weights)), coef=np.array(coefs), cov=np.array(covs), df=n - p
    )
