r"""How sure a ratio of counts is when few places have the pilot: what Poisson noise is known to be.

A log ratio :math:`b` is, to first order, a sum of one number a place, :math:`\psi_i = \sum_t a_{it}(y_{it} -
\mu_{it})`. Counting alone gives it the variance :math:`V_i = \sum_t a_{it}^2\mu_{it}`, which is known. What
is not known is how far places drift apart by themselves: with :math:`h_i = \tfrac12\sum_t |a_{it}|\mu_{it}`,
the part of a place in the effect, and a drift of standard deviation :math:`\tau` in its log rate,

.. math:: \mathrm{var}(b \mid \tau) = \sum_i (h_i^2 \tau^2 + V_i) .

**Few pilot places.** They show no spread of their own, so :math:`\tau` comes from all places: each
comparison place is compared with itself over the periods of each start (after over before, with its
counting variance), and the restricted likelihood of these, averaged over starts by their share in the
effect, is joined with that of the pilot places' own deviations. :math:`\tau` is integrated out and not
plugged in, under a half-normal prior of scale 0.3: the interval and the p-value are those of the mixture
:math:`\sum_k \pi_k N(b, \mathrm{var}(b \mid \tau_k))`. With one start and one unit a place this is the
binomial random-effects model: given its total, a place's later count is binomial, its log odds the log ratio
plus a drift (Williams 1982, *Applied Statistics* 31(2)).

**Six places or more in each group.** Their own spread is used, :math:`v = \sum_i \psi_i^2 / c_i`, where
:math:`c_i` makes each square right on average if the variances above hold (a CR2 of one number a place), and
Satterthwaite degrees of freedom are worked out under the same variances. It stays right if they do not, and
if effects differ.

The estimate is the same whatever the procedure. Measured, at a nominal 5%: see ``docs/methods/count_did.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ucimpact.inference.mixture import cell_widths

Array = np.ndarray
PRIOR_SCALE = 0.3
"""Of the half-normal prior on the drift between places, on the log scale."""
GRID = np.concatenate([[0.0], np.exp(np.linspace(np.log(0.003), np.log(1.5), 40))])
FEWEST_EVENTS = 5
FULL = 80
"""Up to so many places the degrees of freedom are worked out in full; beyond, as for equal shares."""
STEPS = 60
LEAST = 1e-12
"""Of a variance, so that a place with hardly an event expected does not decide by itself."""


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """What each place adds to each effect; K effects, N places.

    Attributes
    ----------
    estimate : array (K,)
        Log ratios.
    added : array (K, N)
        :math:`\\psi`.
    size : array (K, N)
        :math:`h`.
    noise : array (K, N)
        :math:`V`.
    own : bool array (K, N)
        Places whose pilot periods are in the effect.
    pilot : bool array (N,)
    row : int array (P,)
        Effect of each pattern of periods (one for each effect and start).
    share : array (P,)
        Part of that start in the effect, adding up to 1.
    drift, drift_noise : array (P, n_comparison)
        Log ratio of each comparison place over that pattern, less what was expected, and its counting
        variance (``inf`` where it says nothing).
    """

    estimate: Array
    added: Array
    size: Array
    noise: Array
    own: Array
    pilot: Array
    row: Array
    share: Array
    drift: Array
    drift_noise: Array

    def only(self, which: Array) -> Contributions:
        """Some of the effects."""
        which = np.asarray(which)
        new = np.full(len(self.estimate), -1)
        new[which] = np.arange(len(which))
        kept = new[self.row] >= 0
        return replace(
            self,
            estimate=self.estimate[which],
            added=self.added[which],
            size=self.size[which],
            noise=self.noise[which],
            own=self.own[which],
            row=new[self.row[kept]],
            share=self.share[kept],
            drift=self.drift[kept],
            drift_noise=self.drift_noise[kept],
        )

    @cached_property
    def number_own(self) -> Array:
        """Pilot places that say something about each effect, shape (K,)."""
        return np.asarray((self.own & (self.size > 0)).sum(axis=1))

    @cached_property
    def deviation(self) -> tuple[Array, Array]:
        """Log ratio of each place less the effect, and its counting variance (``inf``: silent)."""
        heard = self.size > 0
        over = np.where(heard, self.size, 1.0)
        return np.where(heard, self.added / over, 0.0), np.where(heard, self.noise / over**2, np.inf)


@dataclass(frozen=True)
class Uncertainty:
    """The distribution of each effect's error.

    Attributes
    ----------
    weights, sd : array (K, J)
        Of the mixture of normals.
    std_error : array (K,)
    df : array (K,)
        Of Student's t where the places' own spread is used; ``nan`` where the mixture is.
    """

    weights: Array
    sd: Array
    std_error: Array
    df: Array

    @property
    def own_spread(self) -> Array:
        """Whether each effect goes by the places' own spread."""
        return np.asarray(np.isfinite(self.df))

    def p_value(self, estimate: Array) -> Array:
        """Two-sided, of no effect."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mixed = (self.weights * 2 * ndtr(-np.abs(estimate)[:, None] / self.sd)).sum(axis=1)
            own = 2 * stdtr(self.df, -np.abs(estimate) / self.std_error)
        return np.asarray(np.where(self.own_spread, own, mixed))

    def half(self, level: float | Array) -> Array:
        """Half width of each interval, shape (K,)."""
        tail = np.broadcast_to((1 - np.asarray(level, dtype=float)) / 2, self.df.shape)
        own = -stdtrit(self.df, tail) * self.std_error
        z = -ndtri(tail)
        low, high = z * self.sd.min(axis=1), z * self.sd.max(axis=1)
        x = z * self.std_error
        for _ in range(STEPS):
            with np.errstate(invalid="ignore", divide="ignore"):
                u = x[:, None] / self.sd
                error = (self.weights * ndtr(-u)).sum(axis=1) - tail
                slope = (self.weights * np.exp(-(u**2) / 2) / self.sd).sum(axis=1) / np.sqrt(2 * np.pi)
                low, high = np.where(error > 0, x, low), np.where(error < 0, x, high)
                new = x + error / slope
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            done = np.abs(new - x) <= 1e-12 * np.abs(new)
            x = new
            if done[np.isfinite(x)].all():
                break
        return np.asarray(np.where(self.own_spread, own, x))

    def part(self, which: Array | slice) -> Uncertainty:
        """Of some of the effects."""
        return Uncertainty(self.weights[which], self.sd[which], self.std_error[which], self.df[which])


@lru_cache(maxsize=4)
def _log_prior(scale: float) -> Array:
    return np.asarray(np.log(cell_widths(GRID, 0.0, float(GRID[-1]))) - GRID**2 / (2 * scale**2))


def posterior(contributions: Contributions, scale: float = PRIOR_SCALE) -> Array:
    """Weights of the values of :data:`GRID` as the drift, for each effect, shape (K, J)."""
    number = len(contributions.estimate)
    of_patterns = _restricted(contributions.drift, contributions.drift_noise)
    total = np.zeros((number, len(GRID)))
    np.add.at(total, contributions.row, contributions.share[:, None] * of_patterns)
    value, noise = contributions.deviation
    mine = np.where(contributions.own, noise, np.inf)
    total += _restricted(value[:, contributions.pilot], mine[:, contributions.pilot])
    total += _log_prior(scale)
    weights = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _restricted(value: Array, noise: Array) -> Array:
    """Restricted log likelihood of a common mean and each drift of the grid, shape (rows, J)."""
    heard = np.isfinite(noise)
    told = heard.astype(float)
    value, noise = np.where(heard, value, 0.0), np.where(heard, noise, 1.0)
    square = value * value
    out = np.empty((len(value), len(GRID)))
    for j, tau2 in enumerate(GRID**2):  # one at a time: the arrays stay small enough for the cache
        variance = np.maximum(noise + tau2, LEAST)
        u = told / variance
        total, first, second, logs = (
            np.einsum("pn,pn->p", a, b)
            for a, b in ((u, told), (u, value), (u, square), (np.log(variance), told))
        )
        safe = np.where(total > 0, total, 1.0)
        out[:, j] = -0.5 * (logs + second - first * first / safe + np.log(safe))
    return out


def borrowed(contributions: Contributions, spread: Array, weights: Array) -> Uncertainty:
    """Error of each effect with the drift of all places, ``weights`` (K, J) of the grid.

    ``spread`` (N,) multiplies the variance of a place.
    """
    size = (contributions.size**2 * spread).sum(axis=1)
    noise = (contributions.noise * spread).sum(axis=1)
    variance = size[:, None] * GRID**2 + noise[:, None]
    mean = (weights * variance).sum(axis=1)
    sound = mean > 0
    sd = np.sqrt(np.where(sound[:, None], variance, np.nan))
    sd = np.where(sd > 0, sd, np.nan)
    error = np.sqrt(np.where(sound, mean, np.nan))
    return Uncertainty(weights, sd, error, np.full(len(error), np.nan))


def own_spread(contributions: Contributions, weights: Array) -> tuple[Array, Array]:
    """Standard error and degrees of freedom from the places' own deviations, shape (K,) each."""
    tau2 = weights @ GRID**2
    variance, numerator, below = (np.zeros(len(tau2)) for _ in range(3))
    for group in (True, False):
        member = (contributions.own == group) & (contributions.size > 0)
        h = np.where(member, contributions.size, 0.0)
        sigma2 = np.where(member, h**2 * tau2[:, None] + contributions.noise, 0.0)
        total = h.sum(axis=1, keepdims=True)
        s = h / np.where(total > 0, total, 1.0)
        psi = np.where(member, contributions.added, 0.0)
        psi = psi - s * psi.sum(axis=1, keepdims=True)
        all_variance = sigma2.sum(axis=1, keepdims=True)
        # psi = (I - s 1') x for independent x of variance sigma2
        expected = sigma2 * (1 - 2 * s) + s**2 * all_variance
        c = np.where(member, expected, 1.0) / np.where(member, np.where(sigma2 > 0, sigma2, 1.0), 1.0)
        sound = member & (c > 1e-6)
        weight = np.where(sound, 1.0 / np.where(sound, c, 1.0), 0.0)
        variance += (weight * psi**2).sum(axis=1)
        numerator += np.where(sound, sigma2, 0.0).sum(axis=1)
        below += _squared_trace(weight, s, sigma2, all_variance[:, 0], member)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = numerator**2 / below
    return np.sqrt(variance), df


def _squared_trace(weight: Array, s: Array, sigma2: Array, total: Array, member: Array) -> Array:
    """tr(A Omega A Omega) for A = diag(weight) and Omega the covariance of (I - s 1')x."""
    number = member.sum(axis=1)
    if weight.shape[1] > FULL:
        full = np.where(weight > 0, sigma2, 0.0)
        return np.asarray((full**2).sum(axis=1) * number / np.maximum(number - 1, 1))
    out = np.empty(len(s))
    for k in range(len(s)):
        there = member[k]
        a, p, v = weight[k, there], s[k, there], sigma2[k, there]
        omega = np.diag(v) - np.outer(p, v) - np.outer(v, p) + np.outer(p, p) * total[k]
        scaled = a[:, None] * omega
        out[k] = (scaled * scaled.T).sum()
    return out


def correlation(contributions: Contributions, uncertainty: Uncertainty, tau2: Array, starts: Array) -> Array:
    """Correlation of the effects' errors, shape (K, K).

    Where the pilot places' own deviations are no guide, theirs is that of the comparison places over the
    same patterns of periods. ``starts`` (P,) codes the start of each pattern.
    """
    rest = np.where(contributions.own, 0.0, contributions.added)
    joined = contributions.added @ contributions.added.T
    few = ~uncertainty.own_spread
    if few.any():
        sd = np.sqrt(
            np.where(contributions.own, contributions.size**2 * tau2[:, None] + contributions.noise, 0.0)
        )
        part = np.zeros_like(joined)
        for start in np.unique(starts):
            at = np.flatnonzero(starts == start)
            noise = contributions.drift_noise[at]
            heard = np.isfinite(noise)
            z = np.where(heard, contributions.drift[at], 0.0) / np.sqrt(
                np.where(heard, noise, 1.0) + tau2[contributions.row[at], None]
            )
            number = np.maximum(heard.sum(axis=1, keepdims=True), 1)
            z = np.where(heard, z - z.sum(axis=1, keepdims=True) / number, 0.0)
            length = np.sqrt((z**2).sum(axis=1, keepdims=True))
            z = z / np.where(length > 0, length, 1.0)
            k = contributions.row[at]
            here = np.sqrt(contributions.share[at])[:, None] * sd[k].mean(axis=1, keepdims=True) * z
            part[np.ix_(k, k)] += here @ here.T
        own_part = np.diag((sd**2).sum(axis=1))
        size = np.sqrt(np.diag(part))
        scale = np.where(size > 0, np.sqrt(np.diag(own_part)) / np.where(size > 0, size, 1.0), 0.0)
        borrowed_part = part * np.outer(scale, scale) + rest @ rest.T
        both = few[:, None] | few[None, :]
        joined = np.where(both, borrowed_part, joined)
    length = np.sqrt(np.diag(joined))
    safe = np.where(length > 0, length, 1.0)
    out = np.clip(joined / np.outer(safe, safe), -1.0, 1.0)
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)


def breakdown(contributions: Contributions, uncertainty: Uncertainty, tau2: float, level: float) -> float:
    """How many times as changeable the pilot places may be before the interval reaches no effect."""
    variance = contributions.size[0] ** 2 * tau2 + contributions.noise[0]
    own = contributions.own[0]
    q = uncertainty.half(level)[0] / uncertainty.std_error[0]
    room = (contributions.estimate[0] / q) ** 2 - variance[~own].sum()
    mine = variance[own].sum()
    return float(np.sqrt(max(room, 0.0) / mine)) if mine > 0 else float("nan")


def disagreement(contributions: Contributions, tau2: float) -> dict[str, Any]:
    """Whether the pilot places' own effects differ by more than drift and counting explain."""
    value, noise = (part[0][contributions.own[0]] for part in contributions.deviation)
    heard = np.isfinite(noise)
    if heard.sum() < 2:
        return {}
    u = 1.0 / (noise[heard] + tau2)
    mean = (u * value[heard]).sum() / u.sum()
    return {"q": float((u * (value[heard] - mean) ** 2).sum()), "q_df": int(heard.sum()) - 1}
