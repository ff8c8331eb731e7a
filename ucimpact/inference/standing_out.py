r"""Estimates in the light of one another, where one or another may stand out.

A half-normal spread pulls a truly outstanding pilot in with the rest. In the two-part prior each effect is,
with a small chance :math:`\pi`, drawn from :math:`N(\mu, \omega^2)` with a wide :math:`\omega` in place of
:math:`N(\mu, \tau^2)`. Each way of who stands out is worked out at each value of tau: with :math:`D` the
prior variances of one way and :math:`P = (\Sigma + D)^{-1}`,

.. math:: A = 1'P1 + 1/s_0^2, \qquad \hat\mu = 1'Py / A, \qquad
   E(\theta) = \hat\mu 1 + DP(y - \hat\mu 1), \qquad
   \mathrm{var}(\theta) = \Sigma P D + bb'/A, \quad b = \Sigma P 1

and a way in which r stand out has the prior weight :math:`\pi^r(1 - \pi)^{K - r}`. To twelve pilots all
:math:`2^K` ways are taken; above that the prior says that no more than :func:`most_out` stand out, four of
thirteen, and one of twenty-five or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.shrunk import OwnForms, Prior, Shrunk
from ucimpact.inference.spread_grid import Rotated, laid, reach, softmax

Array = np.ndarray

ALL_WAYS = 12
"""Pilots up to which all ways of who stands out are worked out (4,096 of them)."""

MOST = 60
"""Pilots up to which any are."""

WAYS = 200_000
"""Cells of the covariances of all ways at one tau, above :data:`ALL_WAYS` pilots."""

SLIGHT = 5e-4
"""Posterior mass of the ways of who stands out that may be left away."""

FIRST_LOOK, AT_MOST = 9, 25
"""Values of tau by which it is seen which ways have any weight, and by which those are worked out."""

FURTHEST = 5.0
"""Times its scale, as far as tau is followed at the least."""

AT_ONCE = 2_000_000
"""Cells of the matrices that are inverted in one go."""


def most_out(k: int) -> int:
    """How many of ``k`` may stand out at once."""
    if k <= ALL_WAYS:
        return k
    number = 1
    while sum(comb(k, r) for r in range(number + 2)) * k * k <= WAYS:
        number += 1
    return number


def two_part(y: Array, cov: Array, prior: Prior, outliers: tuple[float, float]) -> Shrunk:
    """Effects in the light of one another; ``outliers`` are those of ``prior``, ``y`` and ``cov`` checked."""
    k = len(y)
    if k > MOST:
        raise EstimationError(
            f"who stands out is worked out for {MOST} effects at the most; there are {k}. Leave outliers "
            "away, or take a wider spread"
        )
    ways = np.array(list(_of(k, most_out(k))))
    high = max(reach(prior, Rotated.of(y, cov, prior)[0], y)[1], FURTHEST * prior.spread)
    few = laid(replace(prior, grid=min(FIRST_LOOK, prior.grid)), 0.0, high)
    first = np.concatenate([part[0] for part in _parts(y, cov, prior, outliers, few, ways)])
    ways = ways[_heaviest(softmax(first).reshape(len(ways), -1).sum(axis=1))]
    taus = laid(replace(prior, grid=min(AT_MOST, prior.grid)), 0.0, high)
    found = zip(*_parts(y, cov, prior, outliers, taus, ways), strict=True)
    score, tau, means, covs, lines = (np.concatenate(parts) for parts in found)
    weights = softmax(score)
    heavy = _heaviest(weights)
    return Shrunk(
        prior=prior,
        tau=tau[heavy],
        weights=weights[heavy] / weights[heavy].sum(),
        means=means[heavy],
        within=OwnForms(covs[heavy]),
        lines=lines[heavy],
        spread_edges=taus[1],
        spread_weights=weights.reshape(len(ways), -1).sum(axis=0),
    )


def _of(k: int, most: int) -> Iterator[Array]:
    """Each way in which none to ``most`` of ``k`` stand out, a bool array (k,)."""
    for number in range(most + 1):
        for which in combinations(range(k), number):
            yield np.isin(np.arange(k), which)


def _heaviest(weights: Array) -> Array:
    """Which of weights that add up to 1 it takes to leave no more than :data:`SLIGHT` away."""
    order = np.argsort(-weights, kind="stable")
    number = int(np.searchsorted(np.cumsum(weights[order]), 1 - SLIGHT)) + 1
    return np.sort(order[:number])


def _parts(
    y: Array,
    cov: Array,
    prior: Prior,
    outliers: tuple[float, float],
    taus: tuple[Array, Array, Array],
    ways: Array,
) -> Iterator[tuple[Array, Array, Array, Array, Array]]:
    """What :func:`_some` gives, for as many ways at a time as memory is good for."""
    at_once = max(1, AT_ONCE // (len(taus[0]) * len(y) ** 2))
    for start in range(0, len(ways), at_once):
        yield _some(y, cov, prior, outliers, taus, ways[start : start + at_once])


def _some(
    y: Array,
    cov: Array,
    prior: Prior,
    outliers: tuple[float, float],
    taus: tuple[Array, Array, Array],
    out: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Log weight, tau, mean, covariance less its line, and line, of the ways ``out`` (n, K) at all tau."""
    chance, sd = outliers
    tau, mass = np.tile(taus[0], len(out)), np.tile(taus[2], len(out))
    out = np.repeat(out, len(taus[0]), axis=0)
    own = np.where(out, sd**2, tau[:, None] ** 2)
    total = cov + own[:, :, None] * np.eye(len(y))
    inverse = np.linalg.inv(total)
    ones = inverse.sum(axis=2)
    precision = ones.sum(axis=1) + prior.precision
    average = ones @ y / precision
    rest = y - average[:, None]
    pulled = np.einsum("cij,cj->ci", inverse, rest)
    score = -(np.linalg.slogdet(total)[1] + np.log(precision) + (rest * pulled).sum(axis=1)) / 2
    score = score + mass - prior.precision * average**2 / 2
    number = out.sum(axis=1)
    score = score + number * np.log(chance) + (len(y) - number) * np.log1p(-chance)
    within = cov @ inverse * own[:, None, :]
    within = (within + within.swapaxes(1, 2)) / 2
    return score, tau, average[:, None] + own * pulled, within, ones @ cov / np.sqrt(precision)[:, None]
