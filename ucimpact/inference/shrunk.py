"""What is believed of several effects before and after they were estimated: a mixture of normals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import ndtr, ndtri

from ucimpact.inference.joint import proper

Array = np.ndarray

FINE = 2001
"""Values of tau at which its distribution is read."""

HALVINGS = 45
"""Steps of the bisection for a quantile: the bracket ends 1e-13 of its width."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is held of the effects before they are seen.

    Attributes
    ----------
    spread : float
        Scale of the half-normal of tau, in the units of the estimates: at 0.10 on the log scale, true effects
        differ from their average by more than a fifth only now and then.
    mean_sd : float or None
        Standard deviation of the average effect around 0; ``None`` for a flat prior.
    outliers : (float, float) or None
        The chance that a pilot stands out, and the standard deviation of those that do.
    grid : int
        Values of tau.
    """

    spread: float = 0.10
    mean_sd: float | None = 0.10
    outliers: tuple[float, float] | None = None
    grid: int = 65

    def __post_init__(self) -> None:
        faults = []
        if not 0 < self.spread < np.inf:
            faults.append(f"the spread has to be a number above 0; {self.spread} is not")
        if self.mean_sd is not None and not 0 < self.mean_sd < np.inf:
            faults.append(
                f"mean_sd has to be a number above 0, or None for a flat mean; {self.mean_sd} is not"
            )
        if self.outliers is not None and not (0 < self.outliers[0] < 1 and 0 < self.outliers[1] < np.inf):
            faults.append(
                f"outliers are a chance between 0 and 1 and a spread above 0; {self.outliers} are not"
            )
        if self.grid < 2:
            faults.append(f"the grid of tau needs two values or more; {self.grid} are too few")
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def precision(self) -> float:
        """Of the average effect: 0 where it is flat."""
        return 0.0 if self.mean_sd is None else self.mean_sd**-2.0

    def log_density(self, tau: Array) -> Array:
        """Of tau, but for a constant."""
        return np.asarray(-((tau / self.spread) ** 2) / 2)


@dataclass(frozen=True)
class OneForm:
    """Covariances ``vectors diag(spreads_c) vectors'`` of C parts: vectors (K, K), spreads (C, K)."""

    vectors: Array
    spreads: Array

    def variances(self) -> Array:
        """Shape (C, K)."""
        return np.asarray(self.spreads @ (self.vectors**2).T)

    def each(self) -> Array:
        """Shape (C, K, K)."""
        return np.asarray((self.vectors * self.spreads[:, None]) @ self.vectors.T)

    def average(self, weights: Array) -> Array:
        """Shape (K, K)."""
        return np.asarray((self.vectors * (weights @ self.spreads)) @ self.vectors.T)

    def noise(self, part: Array, normals: Array) -> Array:
        """Draws (n, K) of the parts (n,) from standard normals (n, K)."""
        return np.asarray((normals * np.sqrt(self.spreads[part])) @ self.vectors.T)


@dataclass(frozen=True)
class OwnForms:
    """Covariances (C, K, K) of C parts with nothing in common."""

    covs: Array

    def variances(self) -> Array:
        """Shape (C, K)."""
        return np.diagonal(self.covs, axis1=1, axis2=2)

    def each(self) -> Array:
        """Shape (C, K, K)."""
        return self.covs

    def average(self, weights: Array) -> Array:
        """Shape (K, K)."""
        return np.tensordot(weights, self.covs, axes=1)

    def noise(self, part: Array, normals: Array) -> Array:
        """Draws (n, K) of the parts (n,) from standard normals (n, K)."""
        drawn, at = np.unique(part, return_inverse=True)
        values, vectors = np.linalg.eigh(self.covs[drawn])
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]
        out = np.empty_like(normals)
        order = np.argsort(at, kind="stable")
        ends = np.cumsum(np.bincount(at, minlength=len(drawn)))
        for root, rows in zip(roots, np.split(order, ends[:-1]), strict=True):
            out[rows] = normals[rows] @ root.T
        return out


@dataclass(frozen=True, kw_only=True, eq=False)
class Shrunk:
    """The effects in the light of one another: a mixture of C normals.

    C is the grid of tau or, with a two-part prior, the ways of who stands out at each tau that have weight.

    Attributes
    ----------
    prior : Prior
    tau : array (C,)
    weights : array (C,)
        Adding up to 1.
    means : array (C, K)
    within : OneForm or OwnForms
    lines : array (C, K)
        The covariance of one part is that of ``within`` and ``line line'``, which the average adds.
    spread_edges : array (n + 1,)
        Ends of the cells of tau, as :func:`ucimpact.inference.spread_grid.laid` lays them.
    spread_weights : array (n,)
        Posterior mass of tau in each.
    """

    prior: Prior
    tau: Array
    weights: Array
    means: Array
    within: OneForm | OwnForms
    lines: Array
    spread_edges: Array
    spread_weights: Array

    @property
    def k(self) -> int:
        """How many effects there are."""
        return int(self.means.shape[1])

    @cached_property
    def mean(self) -> Array:
        """Posterior means, shape (K,)."""
        return np.asarray(self.weights @ self.means)

    @cached_property
    def sds(self) -> Array:
        """Standard deviations within each part, shape (C, K)."""
        return np.asarray(np.sqrt(self.within.variances() + self.lines**2))

    @cached_property
    def sd(self) -> Array:
        """Posterior standard deviations, shape (K,)."""
        return np.asarray(np.sqrt(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))

    @cached_property
    def covs(self) -> Array:
        """Covariances within each part, shape (C, K, K)."""
        return np.asarray(self.within.each() + self.lines[:, :, None] * self.lines[:, None])

    @cached_property
    def cov(self) -> Array:
        """Posterior covariance, shape (K, K)."""
        away = self.means - self.mean
        both = (self.weights[:, None] * away).T @ away + (self.weights[:, None] * self.lines).T @ self.lines
        return np.asarray(self.within.average(self.weights) + both)

    def chance_above(self, x: Array | float) -> Array:
        """Chance that each effect is above ``x``, one number or one an effect; shape (K,)."""
        found = self.weights @ ndtr((self.means - np.asarray(x, dtype=float)) / self.sds)
        return np.asarray(np.clip(found, 0.0, 1.0))  # weights add to 1 but for the last digit

    def quantile(self, share: float) -> Array:
        """The value of each effect with ``share`` of its posterior below, shape (K,)."""
        return np.asarray(self._quantiles(np.array([share]))[0])

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Limits with equal posterior mass outside on either side, shape (K,) each."""
        proper(level)
        low, high = self._quantiles(np.array([(1 - level) / 2, (1 + level) / 2]))
        return low, high

    def _quantiles(self, shares: Array) -> Array:
        """Of each effect at each share, shape (n_shares, K)."""
        if not ((shares > 0) & (shares < 1)).all():
            raise ValueError(f"a share lies between 0 and 1; {shares} does not")
        means, sds = self.means[:, None], self.sds[:, None]
        parts = means + ndtri(shares)[:, None] * sds  # the mixture's lies between the least and the largest
        low, high, shape = parts.min(axis=0), parts.max(axis=0), parts.shape
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            chance = self.weights @ ndtr((middle - means) / sds).reshape(shape[0], -1)
            below = chance.reshape(shape[1:]) < shares[:, None]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def chance_spread_above(self, x: float) -> float:
        """Chance that tau, the spread of the true effects, is above ``x``."""
        return float(1 - np.interp(x, *self._spread_curve))

    def spread_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Limits of tau with equal posterior mass outside on either side."""
        proper(level)
        return self.spread_quantile((1 - level) / 2), self.spread_quantile((1 + level) / 2)

    def spread_quantile(self, share: float) -> float:
        """The value of tau with ``share`` of its posterior below."""
        if not 0 < share < 1:
            raise ValueError(f"a share lies between 0 and 1; {share} does not")
        tau, below = self._spread_curve
        return float(np.interp(share, below, tau))

    @property
    def spread_mean(self) -> float:
        """Posterior mean of tau."""
        return float(self.weights @ self.tau)

    @cached_property
    def _spread_curve(self) -> tuple[Array, Array]:
        """Values of tau and its posterior mass below each, by a smooth density through its cells."""
        low, high = self.spread_edges[[0, -1]]
        number = len(self.spread_weights)
        v = np.linspace(0, 1, FINE)
        density = CubicSpline((np.arange(number) + 0.5) / number, self.spread_weights)(v)
        density = np.maximum(density, 0.0)
        below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        return low + (high - low) * v**3, below / below[-1]

    def draws(self, n: int = 20_000, seed: int = 1) -> Array:
        """Likely accounts of the truth, shape (n, K): a part by its weight, then all effects together."""
        rng = np.random.default_rng(seed)
        part = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = self.within.noise(part, rng.standard_normal((n, self.k)))
        return np.asarray(self.means[part] + noise + self.lines[part] * rng.standard_normal((n, 1)))

    def best(self, n: int = 20_000, seed: int = 1) -> Array:
        """Chance that each effect is the largest, shape (K,)."""
        return self.top(1, n, seed)

    def top(self, m: int, n: int = 20_000, seed: int = 1) -> Array:
        """Chance that each effect is among the ``m`` largest, shape (K,)."""
        return chances(self.draws(n, seed), m, seed)


def chances(draws: Array, m: int = 1, seed: int = 1) -> Array:
    """Share of draws (n, K) in which each column is among the ``m`` largest; ties are dealt at random."""
    k = draws.shape[1]
    if not 1 <= m <= k:
        raise ValueError(f"of {k} effects the largest 1 to {k} can be asked for; {m} cannot")
    least = np.partition(draws, k - m, axis=1)[:, k - m, None]
    among = draws >= least
    tied = np.flatnonzero(among.sum(axis=1) > m)
    if len(tied):
        ties = np.random.default_rng(seed).random((len(tied), k))
        order = np.lexsort((ties, -draws[tied]), axis=1)
        among[tied[:, None], order[:, m:]] = False
    return np.asarray(among.mean(axis=0))
