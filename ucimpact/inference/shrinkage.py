r"""Estimates in the light of one another, with the spread of the truths not known.

K estimates of benefit on one scale, plus is good:

.. math:: y \sim N(\theta, \Sigma), \qquad \theta_i \sim N(\mu, \tau^2), \qquad
   \mu \sim N(0, s_0^2), \qquad \tau \sim \text{half-normal}(s)

The best-looking of several owes part of its lead to luck. Given :math:`\tau` and :math:`\mu` each estimate is
drawn towards the average by as much as its own error makes it doubtful; here both are integrated out, because
with a handful of estimates a point estimate of :math:`\tau` is often 0 and its interval then far too narrow.
Half-normal priors of :math:`\tau` for few estimates: [1]_.

**Every tau at once.** With :math:`\Sigma = Q\,\mathrm{diag}(l)\,Q'`, :math:`u = Q'1`, :math:`w = Q'y` and
:math:`d_j = 1/(l_j + \tau^2)`,

.. math::
   A = \sum u^2 d + 1/s_0^2, \qquad \hat\mu = \sum u w d / A, \qquad
   q = \sum d\,(w - u\hat\mu)^2 + \hat\mu^2/s_0^2

   \log p(y \mid \tau) = \tfrac12 \sum \log d - \tfrac12 \log A - \tfrac12 q

   E(\theta \mid y, \tau) = Q\,[u\hat\mu + \tau^2 d\,(w - u\hat\mu)], \qquad
   \mathrm{var}(\theta \mid y, \tau) = Q\,\mathrm{diag}(\tau^2 d\, l)\,Q' + bb'/A, \quad b = Q\,(l d u)

A flat mean is :math:`1/s_0^2 = 0`, and :math:`\log p` the restricted likelihood. Tau runs over G values
:math:`\tau = a + (b - a)v^3`, v the middles of G cells of 0 to 1, between a and b outside which its posterior
is under :math:`e^{-20}` of its height; each has the weight :math:`3v^2\, p(\tau)\, p(y \mid \tau)`, made to
add up to 1. So the values lie where tau can be, whether the estimates leave the prior as it was or hold tau
far out in its tail, and at 65 of them a posterior mean is exact to 1e-8. The posterior of the effects is that
mixture of G normals; limits are its quantiles, by bisection.

**One that stands out.** A half-normal spread pulls a truly outstanding pilot in with the rest. In the
two-part prior each effect is, with a small chance :math:`\pi`, drawn from :math:`N(\mu, r^2)` with a wide
:math:`r` in place of :math:`N(\mu, \tau^2)`. All :math:`2^K` ways of who stands out are worked out: with
:math:`D` the prior variances of one way, :math:`P = (\Sigma + D)^{-1}`,

.. math:: E(\theta) = \hat\mu 1 + DP(y - \hat\mu 1), \qquad
   \mathrm{var}(\theta) = \Sigma P D + bb'/A, \quad b = \Sigma P 1, \quad A = 1'P1 + 1/s_0^2

References
----------
.. [1] Roever, C. et al. (2021). On weakly informative prior distributions for the heterogeneity parameter in
   Bayesian random-effects meta-analysis. *Research Synthesis Methods* 12(4), 448-474.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import checked, equal_correlation, inflate, proper, shared_arm, spectrum

Array = np.ndarray

HALVINGS = 45
"""Steps of the bisection for a quantile: the bracket ends 1e-13 of its width."""

MOST_WITH_OUTLIERS = 12
"""Pilots up to which all ways of who stands out are worked out (4,096 of them)."""

SLIGHT = 5e-4
"""Posterior mass of the ways of who stands out that may be left away."""

FIRST_LOOK = 9
"""Values of tau by which it is seen which ways have any weight."""

TRIED, LEAST, MOST = 60, 1e-4, 10.0
"""Values of tau by which it is seen where its posterior lies, from the least to the most times its scale."""

NEGLIGIBLE = 20.0
"""How far, in logarithms, a posterior has fallen where it is left away."""

FURTHEST = 5.0
"""Times its scale, as far as tau is followed at the least where some may stand out."""

AT_ONCE = 2_000_000
"""Cells of the matrices that are inverted in one go."""

__all__ = ["Prior", "Shrunk", "chances", "equal_correlation", "inflate", "shared_arm", "shrink"]


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
    vectors : array (K, K) or (C, K, K)
    spreads, lines : array (C, K)
        The covariance of one part is ``vectors diag(spreads) vectors' + line line'``.
    spread_edges : array (grid + 1,)
        Ends of the cells of tau.
    spread_weights : array (grid,)
        Posterior mass of tau in each.
    """

    prior: Prior
    tau: Array
    weights: Array
    means: Array
    vectors: Array
    spreads: Array
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
        if self.vectors.ndim == 2:
            own = self.spreads @ (self.vectors**2).T
        else:
            own = np.einsum("cij,cj->ci", self.vectors**2, self.spreads)
        return np.asarray(np.sqrt(own + self.lines**2))

    @cached_property
    def sd(self) -> Array:
        """Posterior standard deviations, shape (K,)."""
        return np.asarray(np.sqrt(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))

    @cached_property
    def covs(self) -> Array:
        """Covariances within each part, shape (C, K, K)."""
        turned = self.vectors.swapaxes(-1, -2)
        lines = self.lines[:, :, None] * self.lines[:, None]
        return np.asarray((self.vectors * self.spreads[:, None]) @ turned + lines)

    @cached_property
    def cov(self) -> Array:
        """Posterior covariance, shape (K, K)."""
        if self.vectors.ndim == 2:
            within = (self.vectors * (self.weights @ self.spreads)) @ self.vectors.T
            within = within + (self.weights[:, None] * self.lines).T @ self.lines
        else:
            within = np.einsum("c,cij->ij", self.weights, self.covs)
        away = self.means - self.mean
        return np.asarray(within + (self.weights[:, None] * away).T @ away)

    def chance_above(self, x: Array | float) -> Array:
        """Chance that each effect is above ``x``, one number or one an effect; shape (K,)."""
        return np.asarray(self.weights @ ndtr((self.means - np.asarray(x, dtype=float)) / self.sds))

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
        return float(1 - np.interp(x, self.spread_edges, self._spread_below))

    def spread_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Limits of tau with equal posterior mass outside on either side."""
        proper(level)
        return self.spread_quantile((1 - level) / 2), self.spread_quantile((1 + level) / 2)

    def spread_quantile(self, share: float) -> float:
        """The value of tau with ``share`` of its posterior below."""
        if not 0 < share < 1:
            raise ValueError(f"a share lies between 0 and 1; {share} does not")
        return float(np.interp(share, self._spread_below, self.spread_edges))

    @property
    def spread_mean(self) -> float:
        """Posterior mean of tau."""
        return float(self.weights @ self.tau)

    @cached_property
    def _spread_below(self) -> Array:
        """Posterior mass of tau below the ends of its cells."""
        below = np.concatenate([[0.0], np.cumsum(self.spread_weights)])
        return np.asarray(below / below[-1])

    def draws(self, n: int = 20_000, seed: int = 1) -> Array:
        """Likely accounts of the truth, shape (n, K): a part by its weight, then all effects together."""
        rng = np.random.default_rng(seed)
        part = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = rng.standard_normal((n, self.k)) * np.sqrt(self.spreads[part])
        if self.vectors.ndim == 2:
            turned = noise @ self.vectors.T
        else:
            turned = np.einsum("nij,nj->ni", self.vectors[part], noise)
        return np.asarray(self.means[part] + turned + self.lines[part] * rng.standard_normal((n, 1)))

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


def shrink(y: Array, cov: Array, prior: Prior | None = None) -> Shrunk:
    """Effects in the light of one another, see the top of this page.

    Parameters
    ----------
    y : array (K,)
        Estimates of benefit, all of one estimand and on one scale.
    cov : array (K, K)
        Their sampling covariance: :func:`equal_correlation` and :func:`shared_arm` make one.
    prior : Prior, optional
        ``Prior()`` if left out.

    Raises
    ------
    EstimationError
        For a covariance that no estimates can have, or a two-part prior for more than twelve.
    """
    prior = Prior() if prior is None else prior
    y, cov = checked(y, cov)
    if prior.outliers is not None:
        return _two_part(y, cov, prior, *prior.outliers)
    values, vectors = spectrum(cov)
    rotated = _Rotated(values, vectors.sum(axis=0), vectors.T @ y, prior.precision)
    tau, edges, mass = _laid(prior, *_reach(prior, rotated, y))
    d, weight, precision, average, rest = rotated.at(tau)
    kept = tau[:, None] ** 2 * d
    weights = _softmax(mass + rotated.log_likelihood(d, precision, average, rest))
    return Shrunk(
        prior=prior,
        tau=tau,
        weights=weights,
        means=(average[:, None] * rotated.u + kept * rest) @ vectors.T,
        vectors=vectors,
        spreads=kept * values,
        lines=(weight * values) @ vectors.T / np.sqrt(precision)[:, None],
        spread_edges=edges,
        spread_weights=weights,
    )


@dataclass(frozen=True)
class _Rotated:
    """Estimates along the eigenvectors of their covariance; ``precision`` is the prior one of the average."""

    values: Array
    u: Array
    w: Array
    precision: float

    def at(self, tau: Array) -> tuple[Array, Array, Array, Array, Array]:
        """d, u d, A, the average and what is left of w, at each tau: a row each."""
        d = 1 / (self.values + tau[:, None] ** 2)
        weight = self.u * d
        precision = weight @ self.u + self.precision
        average = weight @ self.w / precision
        return d, weight, precision, average, self.w - average[:, None] * self.u

    def log_likelihood(self, d: Array, precision: Array, average: Array, rest: Array) -> Array:
        misfit = (d * rest**2).sum(axis=1) + self.precision * average**2
        return np.asarray((np.log(d).sum(axis=1) - np.log(precision) - misfit) / 2)


def _reach(prior: Prior, rotated: _Rotated, y: Array) -> tuple[float, float]:
    """Between which values the posterior of tau lies."""
    tau = np.geomspace(LEAST * prior.spread, max(MOST * prior.spread, 2 * float(np.ptp(y))), TRIED)
    d, _, precision, average, rest = rotated.at(tau)
    height = prior.log_density(tau) + rotated.log_likelihood(d, precision, average, rest)
    high = np.flatnonzero(height > height.max() - NEGLIGIBLE)
    first, last = int(high[0]), int(high[-1])
    return (float(tau[first - 1]) if first > 0 else 0.0), float(tau[min(last + 1, TRIED - 1)])


def _laid(prior: Prior, low: float, high: float) -> tuple[Array, Array, Array]:
    """Values of tau, ends of their cells, and the logarithm of the prior mass in each, but for a constant."""
    ends = np.linspace(0.0, 1.0, prior.grid + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    tau = low + (high - low) * middle**3
    return tau, low + (high - low) * ends**3, prior.log_density(tau) + 2 * np.log(middle)


def _two_part(y: Array, cov: Array, prior: Prior, chance: float, sd: float) -> Shrunk:
    k = len(y)
    if k > MOST_WITH_OUTLIERS:
        raise EstimationError(
            f"who stands out is worked out for {MOST_WITH_OUTLIERS} effects at the most; there are {k}. "
            "Leave outliers away, or take a wider spread"
        )
    ways = (np.arange(2**k)[:, None] >> np.arange(k)) & 1 == 1
    values, vectors = spectrum(cov)
    rotated = _Rotated(values, vectors.sum(axis=0), vectors.T @ y, prior.precision)
    high = max(_reach(prior, rotated, y)[1], FURTHEST * prior.spread)
    few = _laid(replace(prior, grid=min(FIRST_LOOK, prior.grid)), 0.0, high)
    first = _parts(y, cov, prior, few, ways, chance, sd)[0]
    ways = ways[_heaviest(_softmax(first).reshape(len(ways), -1).sum(axis=1))]
    laid = _laid(prior, 0.0, high)
    score, tau, means, covs, lines = _parts(y, cov, prior, laid, ways, chance, sd)
    weights = _softmax(score)
    heavy = _heaviest(weights)
    values, vectors = np.linalg.eigh(covs[heavy])
    return Shrunk(
        prior=prior,
        tau=tau[heavy],
        weights=weights[heavy] / weights[heavy].sum(),
        means=means[heavy],
        vectors=vectors,
        spreads=np.maximum(values, 0.0),
        lines=lines[heavy],
        spread_edges=laid[1],
        spread_weights=weights.reshape(len(ways), -1).sum(axis=0),
    )


def _heaviest(weights: Array) -> Array:
    """Which of weights that add up to 1 it takes to leave no more than :data:`SLIGHT` away."""
    order = np.argsort(-weights, kind="stable")
    number = int(np.searchsorted(np.cumsum(weights[order]), 1 - SLIGHT)) + 1
    return np.sort(order[:number])


def _parts(
    y: Array,
    cov: Array,
    prior: Prior,
    laid: tuple[Array, Array, Array],
    ways: Array,
    chance: float,
    sd: float,
) -> tuple[Array, ...]:
    """What :func:`_ways` gives, worked out for some of the ways at a time."""
    at_once = max(1, AT_ONCE // (len(laid[0]) * len(y) ** 2))
    some = [
        _ways(y, cov, prior, laid[0], laid[2], ways[i : i + at_once], chance, sd)
        for i in range(0, len(ways), at_once)
    ]
    return tuple(np.concatenate(part) for part in zip(*some, strict=True))


def _ways(
    y: Array, cov: Array, prior: Prior, taus: Array, mass: Array, out: Array, chance: float, sd: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Log weight, tau, mean, covariance less its line, and line, of the ways ``out`` (n, K) at all tau."""
    tau, mass = np.tile(taus, len(out)), np.tile(mass, len(out))
    out = np.repeat(out, len(taus), axis=0)
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


def _softmax(score: Array) -> Array:
    weights = np.exp(score - score.max())
    return np.asarray(weights / weights.sum())
