r"""Which columns explain a series, and by how much: regression with a spike and a slab.

.. math::
   r = X b + \epsilon, \quad \epsilon \sim N(0, \sigma^2), \qquad
   g_j \sim \text{Bernoulli}(\pi_j), \qquad
   b_g \mid \sigma^2, g \sim N\bigl(0, \sigma^2 \Omega_g^{-1}\bigr), \qquad b_{-g} = 0, \qquad
   \Omega = \frac{w}{N}\Bigl(\tfrac12 Z'Z + \tfrac12 \text{diag}\, Z'Z\Bigr)

:math:`g_j` says whether column :math:`j` is in; the slab :math:`\Omega` is worth :math:`w` periods
(:math:`w = 0.01`) of the :math:`N` rows :math:`Z` of the columns, those without a value among them. Each
:math:`g_j` is drawn given the others with :math:`b` and :math:`\sigma^2` both integrated out [1]_:

.. math::
   \log p(r \mid g) = \tfrac12\log|\Omega_g| - \tfrac12\log|V_g|
   - a \log B_g + \log F(B_g), \quad
   V_g = X_g'X_g + \Omega_g, \quad
   B_g = \tfrac12\bigl(\nu s^2 + r'r - r'X_g V_g^{-1} X_g'r\bigr), \quad a = \tfrac12(\nu + n)

with :math:`F` the share of the gamma that keeps :math:`\sigma` under its bound. One column that is in then
offers its place to one that is out, both drawn at random, and the offer is taken with the odds of the two
patterns: columns alike would else seldom change places. Then
:math:`1/\sigma^2 \sim \text{Gamma}(a, B_g)` and
:math:`b_g \sim N(V_g^{-1}X_g'r, \sigma^2 V_g^{-1})`. :math:`V_g` depends on the pattern of columns alone, so
its factor is kept by pattern.

References
----------
.. [1] George, E. I. and McCulloch, R. E. (1997). Approaches for Bayesian variable selection. *Statistica
   Sinica* 7, 339-373.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ucimpact.inference.structural_variance import VariancePrior

PRIOR_PERIODS = 0.01
SHRINKAGE = 0.5
KEPT = 4096
"""Patterns whose factors are kept; when there are more, all are let go and met again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pattern:
    """What a pattern needs: its columns, the inverse of the Cholesky factor of V, and a constant."""

    columns: np.ndarray
    inverse: np.ndarray
    log_constant: float


class SpikeAndSlab:
    """A regression that chooses among its columns.

    Parameters
    ----------
    x : array (n, p)
        Columns in the periods that have a value.
    chance : array (p,)
        Prior probability that each is in; 1 keeps it in.
    noise : VariancePrior
    rows : array (N, p), optional
        Columns in all periods, which say how large coefficients may be: ``x`` unless given.
    """

    def __init__(
        self, x: np.ndarray, chance: np.ndarray, noise: VariancePrior, rows: np.ndarray | None = None
    ) -> None:
        self.x, self.chance, self.noise = x, np.asarray(chance, dtype=float), noise
        self.products = x.T @ x
        whole = x if rows is None else rows
        spread = whole.T @ whole / len(whole)
        self.slab = PRIOR_PERIODS * ((1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(np.diag(spread)))
        self.open = [int(j) for j in np.flatnonzero(self.chance < 1)]
        self._kept: dict[int, Pattern] = {}

    def pattern(self, key: int) -> Pattern:
        """The pattern whose columns are the set bits of ``key``."""
        if (found := self._kept.get(key)) is not None:
            return found
        columns = np.array([j for j in range(self.x.shape[1]) if key >> j & 1], dtype=int)
        block = np.ix_(columns, columns)
        lower = np.linalg.cholesky(self.products[block] + self.slab[block])
        slab = np.linalg.cholesky(self.slab[block])
        inside = np.isin(np.arange(len(self.chance)), columns)
        odds = np.log(np.where(inside, self.chance, 1 - self.chance).clip(1e-300))
        made = Pattern(
            columns=columns,
            inverse=solve_triangular(lower, np.eye(len(columns)), lower=True),
            log_constant=float(np.log(np.diag(slab)).sum() - np.log(np.diag(lower)).sum() + odds.sum()),
        )
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = made
        return made

    def log_posterior(self, key: int, score: np.ndarray, total: float, n: int) -> float:
        """Log probability of a pattern, up to a constant, from ``X'r`` and ``r'r`` of n periods."""
        pattern = self.pattern(key)
        part = pattern.inverse @ score[pattern.columns]
        shape = (self.noise.weight + n) / 2
        rate = (self.noise.weight * self.noise.guess**2 + total - float(part @ part)) / 2
        return pattern.log_constant - shape * math.log(rate) + self.noise.log_within(shape, rate)

    def draw(self, rng: np.random.Generator, target: np.ndarray, key: int) -> tuple[int, np.ndarray, float]:
        """A new pattern, coefficients of shape (p,) and variance of the noise, given the pattern before.

        Parameters
        ----------
        target : array (n,)
            Values less their path.
        """
        score, total, n = self.x.T @ target, float(target @ target), len(target)
        if self.open:
            here = self.log_posterior(key, score, total, n)
            for j, u in zip(self.open, rng.uniform(size=len(self.open)).tolist(), strict=True):
                other = key ^ (1 << j)
                there = self.log_posterior(other, score, total, n)
                if u < 1 / (1 + math.exp(min(here - there, 700.0))):
                    key, here = other, there
            key = self._changed_places(rng, key, here, score, total, n)
        pattern = self.pattern(key)
        part = pattern.inverse @ score[pattern.columns]
        variance = self.noise.draw(rng, n, max(total - float(part @ part), 0.0))
        noise = rng.standard_normal(self.x.shape[1:]) * math.sqrt(variance)
        coef = np.zeros(self.x.shape[1])
        coef[pattern.columns] = pattern.inverse.T @ (part + noise[pattern.columns])
        return key, coef, variance

    def _changed_places(
        self, rng: np.random.Generator, key: int, here: float, score: np.ndarray, total: float, n: int
    ) -> int:
        """The pattern after one column that is in has offered its place to one that is out."""
        inside = [j for j in self.open if key >> j & 1]
        outside = [j for j in self.open if not key >> j & 1]
        first, second, u = rng.uniform(size=3).tolist()
        if not inside or not outside:
            return key
        leaving = inside[int(first * len(inside))]
        coming = outside[int(second * len(outside))]
        other = key ^ (1 << leaving) ^ (1 << coming)
        there = self.log_posterior(other, score, total, n)
        return other if u < math.exp(min(there - here, 0.0)) else key

    @property
    def all_in(self) -> int:
        """The pattern with every column."""
        return int((1 << self.x.shape[1]) - 1)
