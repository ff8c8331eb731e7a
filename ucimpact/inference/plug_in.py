r"""Estimates shrunk with one guess of the spread: what is usually done, to be compared with.

With the symbols of :mod:`ucimpact.inference.shrinkage` and a flat mean, tau squared is one number,

- ``"DL"``: :math:`(q(0) - (K - 1))/\mathrm{tr} P`, with
  :math:`\mathrm{tr} P = \sum 1/l - \sum(u^2/l^2)/\sum(u^2/l)`
- ``"PM"``: :math:`q(\tau) = K - 1`
- ``"REML"``: the top of :math:`\log p(y \mid \tau)`

each 0 where it would fall below, and the effects are those of that tau as if it were known. With a handful of
estimates it is 0 in a quarter to a half of all leagues, and then every effect has the same value and the
interval of the average: 95% intervals held the truth of the one that looked best 74% to 86% of the time where
effects differed. Nothing in a report comes from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import checked, proper, spectrum

Array = np.ndarray
WAYS = ("REML", "DL", "PM")
SCAN, HALVINGS = 60, 100
SINGULAR = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class PlugIn:
    """Effects at one tau: ``mean`` and ``sd`` (K,), ``cov`` (K, K)."""

    tau: float
    mean: Array
    cov: Array

    @property
    def sd(self) -> Array:
        """Standard deviations that take tau as known, shape (K,)."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.cov), 0.0)))

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Normal limits, shape (K,) each."""
        proper(level)
        half = ndtri((1 + level) / 2) * self.sd
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class _Rotated:
    """Estimates along the eigenvectors of their covariance, see :mod:`ucimpact.inference.shrinkage`."""

    values: Array
    u: Array
    w: Array

    def rest(self, tau2: float) -> tuple[Array, float, float, Array]:
        """d, A, the average, and what is left of w, at one tau squared."""
        d = 1 / (self.values + tau2)
        precision = float(d @ self.u**2)
        average = float(d @ (self.u * self.w)) / precision
        return d, precision, average, self.w - self.u * average

    def q(self, tau2: float) -> float:
        d, _, _, rest = self.rest(tau2)
        return float(d @ rest**2)

    def deviance(self, tau2: float) -> float:
        d, precision, _, rest = self.rest(tau2)
        return float(d @ rest**2 - np.log(d).sum() + np.log(precision))

    def falling(self, tau2: float) -> float:
        """Minus the slope of the deviance."""
        d, precision, _, rest = self.rest(tau2)
        return float(d**2 @ rest**2 - d.sum() + d**2 @ self.u**2 / precision)


def plug_in(y: Array, cov: Array, how: str = "REML") -> PlugIn:
    """Effects ``y`` (K,) at one guess of tau.

    Raises
    ------
    EstimationError
        For fewer than two estimates, or a singular covariance, where tau 0 has no meaning.
    """
    if how not in WAYS:
        raise ValueError(f'there is no "{how}"; use one of {WAYS}')
    y, cov = checked(y, cov)
    values, vectors = spectrum(cov)
    k = len(y)
    if k < 2:
        raise EstimationError("one estimate cannot show how far effects differ; two are the least")
    if values[0] <= SINGULAR * values[-1]:
        raise EstimationError(
            "estimates that move as one have no tau of 0: use shrink, which has no need of it"
        )
    rotated = _Rotated(values, vectors.sum(axis=0), vectors.T @ y)
    tau2 = _tau2(rotated, how, k)
    d, precision, average, rest = rotated.rest(tau2)
    line = vectors @ (values * d * rotated.u)
    return PlugIn(
        tau=float(np.sqrt(tau2)),
        mean=vectors @ (rotated.u * average + tau2 * d * rest),
        cov=(vectors * (tau2 * d * values)) @ vectors.T + np.outer(line, line) / precision,
    )


def _tau2(rotated: _Rotated, how: str, k: int) -> float:
    if how == "DL":
        inverse, share = 1 / rotated.values, rotated.u**2 / rotated.values
        trace = inverse.sum() - (share * inverse).sum() / share.sum()
        return max(0.0, float((rotated.q(0.0) - (k - 1)) / trace))
    most = float(np.ptp(rotated.w - rotated.u * rotated.rest(0.0)[2]) ** 2 + rotated.values.max()) * 10
    if how == "PM":
        return _root(lambda tau2: rotated.q(tau2) - (k - 1), 0.0, most)
    tried = np.concatenate([[0.0], np.geomspace(1e-4 * float(rotated.values.min()), most, SCAN)])
    top = int(np.argmin([rotated.deviance(tau2) for tau2 in tried]))
    return _root(rotated.falling, float(tried[max(top - 1, 0)]), float(tried[min(top + 1, SCAN)]))


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses 0; ``low`` where it starts below."""
    if falling(low) <= 0:
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
