"""Where the posterior of the spread of true effects lies, and values of it laid there.

The formulas stand at the top of :mod:`ucimpact.inference.shrinkage`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ucimpact.inference.joint import spectrum
from ucimpact.inference.shrunk import Prior

Array = np.ndarray

TRIED, LEAST, MOST = 60, 1e-4, 10.0
"""Values of tau by which it is seen where its posterior lies, from the least to the most times its scale."""

NEGLIGIBLE = 20.0
"""How far, in logarithms, a posterior has fallen where it is left away."""


@dataclass(frozen=True)
class Rotated:
    """Estimates along the eigenvectors of their covariance; ``precision`` is the prior one of the average."""

    values: Array
    u: Array
    w: Array
    precision: float

    @classmethod
    def of(cls, y: Array, cov: Array, prior: Prior) -> tuple[Rotated, Array]:
        """The estimates turned, and the eigenvectors (K, K)."""
        values, vectors = spectrum(cov)
        return cls(values, vectors.sum(axis=0), vectors.T @ y, prior.precision), vectors

    def at(self, tau: Array) -> tuple[Array, Array, Array, Array, Array]:
        """d, u d, A, the average and what is left of w, at each tau: a row each."""
        d = 1 / (self.values + tau[:, None] ** 2)
        weight = self.u * d
        precision = weight @ self.u + self.precision
        average = weight @ self.w / precision
        return d, weight, precision, average, self.w - average[:, None] * self.u

    def log_likelihood(self, d: Array, precision: Array, average: Array, rest: Array) -> Array:
        """Of each tau, but for a constant, from what :meth:`at` gives."""
        misfit = (d * rest**2).sum(axis=1) + self.precision * average**2
        return np.asarray((np.log(d).sum(axis=1) - np.log(precision) - misfit) / 2)


def reach(prior: Prior, rotated: Rotated, y: Array) -> tuple[float, float]:
    """Between which values the posterior of tau lies."""
    tau = np.geomspace(LEAST * prior.spread, max(MOST * prior.spread, 2 * float(np.ptp(y))), TRIED)
    d, _, precision, average, rest = rotated.at(tau)
    height = prior.log_density(tau) + rotated.log_likelihood(d, precision, average, rest)
    high = np.flatnonzero(height > height.max() - NEGLIGIBLE)
    first, last = int(high[0]), int(high[-1])
    return (float(tau[first - 1]) if first > 0 else 0.0), float(tau[min(last + 1, TRIED - 1)])


def laid(prior: Prior, low: float, high: float) -> tuple[Array, Array, Array]:
    """Values of tau, ends of their cells, and the logarithm of the prior mass in each, but for a constant."""
    ends = np.linspace(0.0, 1.0, prior.grid + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    tau = low + (high - low) * middle**3
    return tau, low + (high - low) * ends**3, prior.log_density(tau) + 2 * np.log(middle)


def softmax(score: Array) -> Array:
    """Weights that add up to 1 from logarithms of weights."""
    weights = np.exp(score - score.max())
    return np.asarray(weights / weights.sum())
