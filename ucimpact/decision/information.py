r"""What a service is worth beyond its price when its effect is a ratio, and what more evidence is worth.

A person would have :math:`B` pounds of the outcome without the service and it costs :math:`c` pounds a
person. The benefit :math:`\theta` is minus the log of the rate ratio where fewer is better, and the log
itself where more is; with :math:`s = 1` and :math:`s = -1`, :math:`n` people a year leave

.. math:: NB(\theta) = n\,\{ s B (1 - e^{-s\theta}) - c \},
   \qquad NB > 0 \iff \theta > t^* = -s \log(1 - s c / B)

pounds, so that with :math:`\theta \sim N(m, v)` and :math:`d = (m - t^*)/\sqrt v`

.. math::
   P(NB > 0) &= \Phi(d), \qquad E\,NB = n\,\{ s B (1 - e^{-sm + v/2}) - c \} \\
   E\,NB^+ &= n\,[ (sB - c)\,\Phi(d) - s B e^{-sm + v/2}\,\Phi(d - s\sqrt v) ] \\
   EVPI &= E\,NB^+ - \max(0, E\,NB)

A new estimate with variance :math:`\sigma^2` moves the mean by :math:`\tilde v = v^2/(v + \sigma^2)`, and the
gain from deciding after it (EVSI) is that of :math:`E\,NB^+` with :math:`t^* + s(v - \tilde v)/2` and
:math:`\sqrt{\tilde v}`. What is believed of several pilots is a mixture of normals, one for each spread of
the true effects that the results allow. There the first three are averages over the mixture; a new estimate
also says something of the spread and of the other pilots, so its worth is an integral over what it could be,

.. math:: EVSI = \int \max_a \Big\{ \sum_g w_g\, p_g(y)\, E(NB_a \mid y, g) \Big\}\, dy - \max_a E\,NB_a

over the choices :math:`a`: the pilot or nothing, or every set that a budget allows. It is done on a grid of
``POINTS`` values. Where net benefit is itself normal, what is expected after the estimate lies on one line
for each choice, and the upper envelope of the lines gives the integral exactly [2]_.

The worth of evidence [1]_ counts chance error only. A comparison that is not sound stays so with more people.

References
----------
.. [1] Raiffa, H. and Schlaifer, R. (1961). *Applied Statistical Decision Theory*. Harvard University;
   chapters 4 and 5.
.. [2] Frazier, P., Powell, W. and Dayanik, S. (2009). The knowledge-gradient policy for correlated normal
   beliefs. *INFORMS Journal on Computing* 21(4), 599-613; section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.special import ndtr

Array = np.ndarray

POINTS = 201
REACH = 8.0
"""Grid of what a new estimate could be: so many points over so many standard deviations each way."""


class Belief(Protocol):
    """What is believed of the benefits of K pilots: G normals and their weights."""

    @property
    def weights(self) -> Array:
        """Shape (G,), adding up to 1."""

    @property
    def means(self) -> Array:
        """Shape (G, K)."""

    @property
    def covs(self) -> Array:
        """Shape (G, K, K)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A belief by its parts."""

    weights: Array
    means: Array
    covs: Array


def normal(mean: Array, cov: Array) -> Mixture:
    """One normal, of means (K,) and covariance (K, K), as a belief."""
    return Mixture(weights=np.ones(1), means=np.asarray(mean)[None], covs=np.asarray(cov)[None])


@dataclass(frozen=True, kw_only=True, eq=False)
class Stakes:
    """What K pilots have at stake in a year.

    Attributes
    ----------
    value : array (K,)
        Pounds of the outcome that a person has without the service: events expected times pounds an event.
    price : array (K,)
        Pounds a person that the service costs.
    people : array (K,)
        Served in a year.
    better : {"lower", "higher"}
        Which way the outcome should go.
    """

    value: Array
    price: Array
    people: Array
    better: Literal["lower", "higher"] = "lower"

    @property
    def sign(self) -> int:
        """1 where fewer is better."""
        return 1 if self.better == "lower" else -1

    @property
    def cost(self) -> Array:
        """Pounds a year, shape (K,)."""
        return np.asarray(self.people * self.price)

    def gain(self, theta: Array) -> Array:
        """Pounds of benefit a person at benefits (..., K) on the log scale."""
        return np.asarray(-self.sign * self.value * np.expm1(-self.sign * theta))

    def net(self, theta: Array) -> Array:
        """Pounds a year beyond the price, shape (..., K)."""
        return np.asarray(self.people * (self.gain(theta) - self.price))

    def switching(self) -> Array:
        """The benefit at which each just pays, shape (K,); infinite where no fall could."""
        with np.errstate(divide="ignore"):
            share = np.minimum(self.sign * self.price / self.value, 1.0)
            return np.asarray(-self.sign * np.log1p(-share))

    def averaged(self, mean: Array, variance: Array) -> Array:
        """Expected pounds a year where the benefits are normal, shape (..., K)."""
        return np.asarray(
            self.people * (self.sign * self.value * (1 - self._factor(mean, variance)) - self.price)
        )

    def above(self, mean: Array, variance: Array, threshold: Array, spread: Array) -> Array:
        """Expected pounds a year of what is funded where its mean, of this spread, passes a threshold."""
        with np.errstate(divide="ignore"):
            d = (mean - threshold) / spread
        full = (self.sign * self.value - self.price) * ndtr(d)
        left = self.sign * self.value * self._factor(mean, variance) * ndtr(d - self.sign * spread)
        return np.asarray(self.people * (full - left))

    def _factor(self, mean: Array, variance: Array) -> Array:
        """Expected ratio of the outcome to what it would have been."""
        return np.asarray(np.exp(-self.sign * mean + variance / 2))


# -- one pilot, funded or not ------------------------------------------------------------------


def chance(belief: Belief, stakes: Stakes) -> Array:
    """Chance that each is worth more than its price, shape (K,)."""
    spread = np.sqrt(_variances(belief))
    found = belief.weights @ ndtr((belief.means - stakes.switching()) / spread)
    return np.asarray(np.clip(found, 0.0, 1.0))  # weights add to 1 but for the last digit


def expected(belief: Belief, stakes: Stakes) -> Array:
    """Expected pounds a year beyond the price, shape (K,)."""
    return np.asarray(belief.weights @ stakes.averaged(belief.means, _variances(belief)))


def perfect(belief: Belief, stakes: Stakes) -> Array:
    """Pounds a year that knowing its effect would be worth, each decided alone (EVPI), shape (K,)."""
    variance = _variances(belief)
    known = belief.weights @ stakes.above(belief.means, variance, stakes.switching(), np.sqrt(variance))
    return np.asarray(np.maximum(known - np.maximum(0.0, expected(belief, stakes)), 0.0))


def sample(belief: Belief, stakes: Stakes, noise: Array) -> Array:
    """Pounds a year that one more estimate of each is worth, each decided alone (EVSI), shape (K,).

    Parameters
    ----------
    belief : Belief
    stakes : Stakes
    noise : array (K,)
        Variance of the new estimate on the log scale, from :func:`noise_of`.
    """
    variance = _variances(belief)
    if len(belief.weights) == 1:
        shrink = variance / (variance + noise)
        threshold = stakes.switching() + stakes.sign * variance * (1 - shrink) / 2
        after = stakes.above(belief.means, variance, threshold, np.sqrt(variance * shrink))[0]
    else:
        grid, step = _grid(belief.means, variance + noise)
        density = _density(belief.weights, belief.means, variance + noise, grid)
        share = variance / (variance + noise)
        moved = belief.means + share * (grid[:, None] - belief.means)
        nets = (density * stakes.averaged(moved, share * noise)).sum(axis=1)
        after = _integral(np.maximum(nets, 0.0), step)
    return np.asarray(np.maximum(after - np.maximum(0.0, expected(belief, stakes)), 0.0))


# -- several pilots, one choice among sets -----------------------------------------------------


def sample_within(belief: Belief, stakes: Stakes, noise: float, *, studied: int, sets: Array) -> float:
    """Pounds a year that one more estimate of one pilot is worth when one of several sets is funded.

    Parameters
    ----------
    belief : Belief
    stakes : Stakes
    noise : float
        Variance of the new estimate.
    studied : int
        The pilot that it is of.
    sets : array (S, K)
        Rows of scales, 0 for a pilot left out, such as :func:`ucimpact.decision.portfolio.affordable` gives.
    """
    variance = _variances(belief)
    own = variance[:, studied] + noise
    grid, step = _grid(belief.means[:, [studied]], own[:, None])
    density = _density(belief.weights, belief.means[:, [studied]], own[:, None], grid)
    slope = belief.covs[:, :, studied] / own[:, None]
    surprise = grid[:, :, None] - belief.means[:, studied, None]
    moved = belief.means + slope * surprise
    left = variance - slope * belief.covs[:, :, studied]
    nets = (density * stakes.averaged(moved, left)).sum(axis=1) @ sets.T
    after = float(_integral(nets.max(axis=1)[:, None], step)[0])
    return max(after - float((sets @ expected(belief, stakes)).max()), 0.0)


def perfect_of_draws(net: Array) -> float:
    """What knowing the truth is worth when one of several choices is taken, from draws (n, choices).

    The mean of the best in each draw less the best of the means. "None" is a column of its own.
    """
    return float(net.max(axis=1).mean() - net.mean(axis=0).max())


def sample_of_normal(mean: Array, cov: Array, noise: float, *, studied: int, sets: Array) -> float:
    """As :func:`sample_within` where the net benefits themselves are normal, in pounds."""
    slope = cov[:, studied] / np.sqrt(cov[studied, studied] + noise)
    return gain_of_lines(sets @ mean, sets @ slope)


def gain_of_lines(at_zero: Array, slope: Array) -> float:
    r"""Return :math:`E \max_i (a_i + b_i Z) - \max_i a_i` for a standard normal Z.

    With the lines of the upper envelope in order of slope, meeting at :math:`c_1 < c_2 < \dots`, it is
    :math:`\sum_i (b_{i+1} - b_i)\, \ell(|c_i|)` where :math:`\ell` is the unit normal loss.
    """
    kept: list[int] = []
    meet: list[float] = []
    for line in np.lexsort((at_zero, slope)):
        if kept and slope[line] == slope[kept[-1]]:
            kept.pop()
            meet = meet[: max(len(kept) - 1, 0)]
        while kept:
            crossing = (at_zero[kept[-1]] - at_zero[line]) / (slope[line] - slope[kept[-1]])
            if not meet or crossing > meet[-1]:
                break
            kept.pop()
            meet.pop()
        if kept:
            meet.append(float(crossing))
        kept.append(int(line))
    return float(np.diff(slope[kept]) @ unit_loss(np.abs(meet))) if meet else 0.0


def unit_loss(x: Array) -> Array:
    r""":math:`\phi(x) - x\,(1 - \Phi(x))`, the unit normal loss."""
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) - x * ndtr(-x))


# -- new estimates -----------------------------------------------------------------------------


def noise_of(std_error: Array, people: Array | float = 1.0, more: Array | float | None = None) -> Array:
    """Variance of an estimate from ``more`` people, where ``people`` gave this standard error.

    Without ``more``, of one as large again.
    """
    return np.asarray(std_error) ** 2 * (1.0 if more is None else np.asarray(people) / more)


def years_left(years: int, discount: float = 0.0, after: int = 1) -> float:
    """The years of a decision after the first so many, each counted at what it is worth today."""
    return float(((1 + discount) ** -np.arange(after, years)).sum())


def update(belief: Belief, studied: Array, estimates: Array, cov: Array) -> Mixture:
    """What is believed once new estimates are in.

    Parameters
    ----------
    belief : Belief
    studied : array (m,) of int
        The pilots studied again.
    estimates : array (m,)
        Their new estimates, with errors apart from those of the old.
    cov : array (m, m)
    """
    rows = np.asarray(studied)
    crossed = belief.covs[:, :, rows]
    predicted = crossed[:, rows] + cov
    slope = np.linalg.solve(predicted, crossed.transpose(0, 2, 1)).transpose(0, 2, 1)
    surprise = estimates - belief.means[:, rows]
    distance = (surprise * np.linalg.solve(predicted, surprise[:, :, None])[:, :, 0]).sum(axis=1)
    with np.errstate(divide="ignore"):
        log = np.log(belief.weights) - distance / 2 - np.linalg.slogdet(predicted)[1] / 2
    weights = np.exp(log - log.max())
    return Mixture(
        weights=weights / weights.sum(),
        means=belief.means + (slope @ surprise[:, :, None])[:, :, 0],
        covs=belief.covs - slope @ crossed.transpose(0, 2, 1),
    )


def _variances(belief: Belief) -> Array:
    return np.asarray(np.diagonal(belief.covs, axis1=1, axis2=2))


def _grid(means: Array, variance: Array) -> tuple[Array, Array]:
    """What a new estimate could be, shape (points, K), and the step of each column."""
    spread = REACH * np.sqrt(variance)
    low, high = (means - spread).min(axis=0), (means + spread).max(axis=0)
    return np.linspace(low, high, POINTS), (high - low) / (POINTS - 1)


def _density(weights: Array, means: Array, variance: Array, grid: Array) -> Array:
    """Weight times density of each normal at each point, shape (points, G, K)."""
    z = (grid[:, None] - means) ** 2 / variance
    return np.asarray(weights[:, None] * np.exp(-z / 2) / np.sqrt(2 * np.pi * variance))


def _integral(values: Array, step: Array) -> Array:
    """By the trapezoid rule; the ends of the grid are beyond all that counts."""
    return np.asarray(values.sum(axis=0) * step)
