r"""Averages of t distributions for many series of one design: the cells' matrices are shared by all.

The same two mixtures as in :mod:`ucimpact.inference.mixture` and
:attr:`ucimpact.inference.timeseries.Ar1Fit.averaged`. A cell's covariance, and the weights with which
it reads a contrast off a series, depend on the design alone, so that what is left for a series is
matrix products. For AR(1) plus white noise, with :math:`K` an orthonormal basis of what the design
does not reach and :math:`K'RK = U\Lambda U'`, the generalised sum of squares of every share
:math:`c` at one :math:`\rho` is

.. math:: S = \sum_j \frac{z_j^2}{(1-c) + c\lambda_j}, \qquad z = U'K'y

and :math:`\log|V| + \log|X'V^{-1}X|` is :math:`\sum_j \log\{(1-c) + c\lambda_j\}` plus a constant.

A quantile is found by Newton steps on the normal scale, where the average is close to a line, inside
the bracket that the cells' own quantiles give.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import toeplitz
from scipy.special import gammaln, ndtri, stdtr, stdtrit

from ucimpact.inference.many_series import ManyStatistics, SharedDesign, precisions
from ucimpact.inference.mixture import NOISE_RHOS, NOISE_SHARES, cell_widths
from ucimpact.inference.timeseries import AVERAGED

FARTHEST, STEPS_EACH = 40.0, 64
"""The t distribution is tabled to 40 scales from its centre, at every 64th of a scale."""

NEWTON_STEPS = 60
NEAR = 1e-10
"""Share of the spread of a mixture at which a quantile is found."""

DOUBLINGS = 60
CLOSER = 60
TINY_CHANCE = 1e-290


class TDistribution:
    """The t distribution on one number of degrees of freedom, by cubic interpolation to 1e-10."""

    def __init__(self, df: int) -> None:
        self.df = df
        z = np.arange(-FARTHEST * STEPS_EACH, FARTHEST * STEPS_EACH + 1) / STEPS_EACH
        half = (df + 1) / 2
        constant = np.exp(gammaln(half) - gammaln(df / 2)) / np.sqrt(df * np.pi)
        value, slope = stdtr(df, z), constant * (1 + z * z / df) ** -half / STEPS_EACH
        rise = np.diff(value)
        self._cubic = np.ascontiguousarray(
            np.stack(
                [
                    value[:-1],
                    slope[:-1],
                    3 * rise - 2 * slope[:-1] - slope[1:],
                    slope[:-1] + slope[1:] - 2 * rise,
                ]
            )
        )

    def _placed(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = (np.clip(z, -FARTHEST, FARTHEST) + FARTHEST) * STEPS_EACH
        cell = np.minimum(place.astype(np.int32), np.int32(self._cubic.shape[1] - 1))
        place -= cell
        return place, cell

    def below(self, z: np.ndarray) -> np.ndarray:
        """Chance of a value under ``z``."""
        u, cell = self._placed(z)
        a, b, c, d = (row.take(cell) for row in self._cubic)
        return np.asarray(((d * u + c) * u + b) * u + a)

    def below_and_density(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chance of a value under ``z``, and the density there."""
        u, cell = self._placed(z)
        a, b, c, d = (row.take(cell) for row in self._cubic)
        below = ((d * u + c) * u + b) * u + a
        return below, ((3 * d * u + 2 * c) * u + b) * STEPS_EACH


@lru_cache(maxsize=64)
def t_distribution(df: int) -> TDistribution:
    """The table for a number of degrees of freedom."""
    return TDistribution(df)


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyMixture:
    """Averages of t distributions of N series: K cells, m contrasts.

    Attributes
    ----------
    weights : array (K, N)
        Adding up to 1 in each series.
    variances : array (K, N)
        ``S / (n - p)`` of each cell.
    centres : array (m, K, N)
    kernels : array (K, m, m)
        Covariance of the contrasts in each cell, over its variance.
    df : int
    """

    weights: np.ndarray
    variances: np.ndarray
    centres: np.ndarray
    kernels: np.ndarray
    df: int

    def limits(self, at: int, which: np.ndarray, level: float) -> np.ndarray:
        """Equal-tailed limits of one contrast in some series, shape (2, k)."""
        weights, centre = self.weights[:, which], self.centres[at][:, which]
        scale = np.sqrt(self.variances[:, which] * self.kernels[:, at, at][:, None])
        tail = (1 - level) / 2
        return np.stack([quantiles(weights, centre, scale, self.df, q) for q in (tail, 1 - tail)])

    def below(self, at: int, which: np.ndarray) -> np.ndarray:
        """Chance that a contrast is below 0 in some series, shape (k,)."""
        return self.ratio_below(at, at, which, np.zeros(len(which)))

    def ratio_below(self, top: int, bottom: int, which: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Chance that contrast ``top`` less ``theta`` times contrast ``bottom`` is below 0, shape (k,)."""
        kernel = self.kernels
        square = kernel[:, top, top][:, None] - 2 * theta * kernel[:, top, bottom][:, None]
        square = square + theta**2 * kernel[:, bottom, bottom][:, None]
        scale = np.sqrt(self.variances[:, which] * np.maximum(square, 0.0))
        centre = self.centres[top][:, which] - theta * self.centres[bottom][:, which]
        cells = t_distribution(self.df).below(-centre / scale)
        return np.asarray(np.einsum("ki,ki->i", self.weights[:, which], cells))


def quantiles(weights: np.ndarray, centre: np.ndarray, scale: np.ndarray, df: int, q: float) -> np.ndarray:
    """The ``q`` quantile of each mixture; ``weights``, ``centre`` and ``scale`` of shape (K, N)."""
    t = t_distribution(df)
    far = float(stdtrit(df, q))
    ends = centre + far * scale
    heavy = weights > 1e-14
    low = np.where(heavy, ends, np.inf).min(axis=0)
    high = np.where(heavy, ends, -np.inf).max(axis=0)
    mean = np.einsum("ki,ki->i", weights, centre)
    spread = np.sqrt(np.einsum("ki,ki->i", weights, scale**2 + (centre - mean) ** 2))
    x = np.clip(mean + far * spread, low, high)
    goal = float(ndtri(q))
    near = NEAR * spread
    open_ = np.arange(len(x))
    for _ in range(NEWTON_STEPS):
        cell, density = t.below_and_density((x[open_] - centre) / scale)
        below = np.clip(np.einsum("ki,ki->i", weights, cell), TINY_CHANCE, 1 - 1e-16)
        slope = np.einsum("ki,ki->i", weights, density / scale)
        now = x[open_]
        a = low[open_] = np.where(below < q, now, low[open_])
        b = high[open_] = np.where(below > q, now, high[open_])
        z = ndtri(below)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new = now - (z - goal) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) / slope
        new = np.where((new >= a) & (new <= b), new, (a + b) / 2)
        x[open_] = new
        keep = np.abs(new - now) > near[open_]
        open_ = open_[keep]
        if not len(open_):
            break
        weights, centre, scale = (part[:, keep] for part in (weights, centre, scale))
    return np.asarray(x)


def normalised(log_weights: np.ndarray) -> np.ndarray:
    """Weights (K, N) that add up to 1 in each series, from their logarithms."""
    weights = np.exp(log_weights - log_weights.max(axis=0))
    return np.asarray(weights / weights.sum(axis=0))


class RhoCells:
    """The average over rho alone, for all series of a design.

    Parameters
    ----------
    design : SharedDesign
    contrasts : array (m, p)
        Of the columns.
    """

    def __init__(self, design: SharedDesign, contrasts: np.ndarray) -> None:
        self.design, self.rows = design, design.in_basis(contrasts)
        inverses, self._log_sizes = precisions(design, AVERAGED)
        self._inverses = inverses
        self._readings = np.einsum("mp,kpq->mkq", self.rows, inverses)
        self.kernels = np.einsum("mkq,lq->kml", self._readings, self.rows)

    def of(self, statistics: ManyStatistics) -> ManyMixture:
        """The mixture of each series."""
        last = -self.design.ends.T @ statistics.ends
        rhos, q, df = AVERAGED, statistics.squares, self.design.residual_df
        count = q.shape[1]
        squares = np.empty((len(rhos), count))
        centres = np.empty((len(self.rows), len(rhos), count))
        for at, rho in enumerate(rhos):
            vector = rho * (rho * last - statistics.beside)
            quadratic = np.einsum("pi,pi->i", vector, self._inverses[at] @ vector)
            squares[at] = q[0] - rho * q[1] + rho**2 * q[2] - quadratic
            centres[:, at] = self._readings[:, at] @ vector
        centres += (self.rows @ statistics.least_squares)[:, None, :]
        sizes = (self._log_sizes - np.log1p(-(rhos**2)))[:, None]
        return ManyMixture(
            weights=normalised(-0.5 * (df * np.log(squares) + sizes)),
            variances=squares / df,
            centres=centres,
            kernels=self.kernels,
            df=df,
        )


class NoiseCells:
    """The average over AR(1) plus white noise, for all series of a design."""

    def __init__(self, design: SharedDesign, contrasts: np.ndarray) -> None:
        n, p = design.basis.shape
        self.design, self.rows = design, design.in_basis(contrasts)
        beyond = np.linalg.qr(np.column_stack([design.basis, np.eye(n)]))[0][:, p:n]
        self._turns, self._over, log_priors, readings, kernels = [], [], [], [], []
        widths = [cell_widths(NOISE_RHOS, -1, 1), cell_widths(NOISE_SHARES, 0, 1)]
        for rho, d_rho in zip(NOISE_RHOS, widths[0], strict=True):
            correlation = toeplitz(rho ** np.arange(n))
            roots, turn = np.linalg.eigh(beyond.T @ correlation @ beyond)
            self._turns.append(beyond @ turn)
            diagonals = (1 - NOISE_SHARES) + np.outer(roots, NOISE_SHARES)
            self._over.append(1 / diagonals)
            sizes = np.log(diagonals).sum(axis=0)
            log_priors.append(-0.5 * sizes + np.log((1 + rho) * d_rho * NOISE_SHARES * widths[1]))
            for share in NOISE_SHARES:
                covariance = (1 - share) * np.eye(n) + share * correlation
                weighted = np.linalg.solve(covariance, design.basis)
                inverse = np.linalg.inv(design.basis.T @ weighted)
                readings.append(self.rows @ inverse @ weighted.T)
                kernels.append(self.rows @ inverse @ self.rows.T)
        self._log_priors = np.concatenate(log_priors)
        self._readings = np.array(readings)
        self.kernels = np.array(kernels)

    def of(self, statistics: ManyStatistics) -> ManyMixture:
        """The mixture of each series."""
        residuals, df = statistics.residuals, self.design.residual_df
        squares = np.concatenate(
            [
                (np.square(residuals @ turn) @ over).T
                for turn, over in zip(self._turns, self._over, strict=True)
            ]
        )
        cells, m, n = self._readings.shape
        centres = (self._readings.reshape(-1, n) @ residuals.T).reshape(cells, m, -1).transpose(1, 0, 2)
        centres = centres + (self.rows @ statistics.least_squares)[:, None, :]
        return ManyMixture(
            weights=normalised(self._log_priors[:, None] - 0.5 * df * np.log(squares)),
            variances=squares / df,
            centres=centres,
            kernels=self.kernels,
            df=df,
        )
