r"""Averages of t distributions for many series of one design: the cells' matrices are shared by all.

The mixtures of :mod:`ucimpact.inference.mixture`; here the average over rho alone, that of
:attr:`ucimpact.inference.timeseries.Ar1Fit.averaged`. A cell's covariance, and the weights with which
it reads a contrast off a series, depend on the design alone, so that what is left for a series is
matrix products.

A quantile is found by Newton steps on the normal scale, where the average is close to a line, inside
the bracket that the cells' own quantiles give.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln, ndtri, stdtr, stdtrit

from ucimpact.inference.many_series import ManyStatistics
from ucimpact.inference.many_series_design import SharedDesign, precisions
from ucimpact.inference.timeseries import AVERAGED

FARTHEST, STEPS_EACH = 40.0, 64
"""The t distribution is tabled to 40 scales from its centre, at every 64th of a scale."""

NEWTON_STEPS = 60
NEAR = 1e-4
"""Newton step, as a share of the spread of a mixture, after which the quantile is known to its square."""

BLOCK = 512
"""Series worked on at a time, so that the cells of all stay near the processor."""

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

    def _parts(self, z: np.ndarray) -> tuple[np.ndarray, ...]:
        place = z * STEPS_EACH
        place += FARTHEST * STEPS_EACH
        np.clip(place, 0.0, 2 * FARTHEST * STEPS_EACH - 1e-6, out=place)
        cell = place.astype(np.intp)
        place -= cell
        return place, *(row.take(cell, mode="clip") for row in self._cubic)

    def below(self, z: np.ndarray) -> np.ndarray:
        """Chance of a value under ``z``."""
        u, a, b, c, d = self._parts(z)
        for part in (c, b, a):
            d *= u
            d += part
        return d

    def below_and_density(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chance of a value under ``z``, and the density there."""
        u, a, b, c, d = self._parts(z)
        d *= u
        below = d + c
        d *= 2
        d += below
        below *= u
        below += b
        d += c
        d *= u
        d += b
        below *= u
        below += a
        d *= STEPS_EACH
        return below, d


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
        out, tail = np.empty((2, len(which))), (1 - level) / 2
        for part in _blocks(len(which)):
            here = which[part]
            weights, centre = self.weights[:, here], self.centres[at][:, here]
            scale = np.sqrt(self.variances[:, here] * self.kernels[:, at, at][:, None])
            for row, q in zip(out, (tail, 1 - tail), strict=True):
                row[part] = quantiles(weights, centre, scale, self.df, q)
        return out

    def below(self, at: int, which: np.ndarray) -> np.ndarray:
        """Chance that a contrast is below 0 in some series, shape (k,)."""
        return self.ratio_below(at, at, which, np.zeros(len(which)))

    def ratio_below(self, top: int, bottom: int, which: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Chance that contrast ``top`` less ``theta`` times contrast ``bottom`` is below 0, shape (k,)."""
        out, kernel, t = np.empty(len(which)), self.kernels, t_distribution(self.df)
        own, cross, other = (
            kernel[:, i, j][:, None] for i, j in ((top, top), (top, bottom), (bottom, bottom))
        )
        for part in _blocks(len(which)):
            here, ratio = which[part], theta[part]
            square = np.maximum(own - 2 * ratio * cross + ratio**2 * other, 0.0)
            square *= self.variances[:, here]
            z = ratio * self.centres[bottom][:, here] - self.centres[top][:, here]
            z /= np.sqrt(square)
            out[part] = np.einsum("ki,ki->i", self.weights[:, here], t.below(z))
        return out


def _blocks(count: int) -> list[slice]:
    return [slice(at, at + BLOCK) for at in range(0, count, BLOCK)]


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
        inside = (new >= a) & (new <= b)
        new = np.where(inside, new, (a + b) / 2)
        x[open_] = new
        keep = (np.abs(new - now) > near[open_]) | ~(inside | (b - a <= near[open_] * NEAR))
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
