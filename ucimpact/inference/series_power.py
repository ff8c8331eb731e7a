r"""What one series before and after a date could find: the chance of seeing a change, by simulation.

In period t of n, with the change growing as :math:`p_t` (0 before the start, 1 where it is whole),

.. math:: \log\lambda_t = \log b - \tfrac12 s^2 + z_t, \qquad z_t = \rho z_{t-1} + \epsilon_t, \qquad
   E(y^0_t) = \lambda_t, \quad \mathrm{var}(y^0_t \mid \lambda_t) = \phi\lambda_t

:math:`b` events are expected a period, :math:`s^2 = \log(1 + v^2)` gives ups and downs of a share v beyond
counting, and :math:`y^0` is Poisson, or negative binomial for :math:`\phi > 1`. A fall takes each event away
with the chance :math:`-\delta p_t`; a rise adds Poisson events of mean :math:`\delta p_t` times the rate, so
draws with different changes share their chance variation. What is no count is
:math:`b(1 + v z_t)(1 + \delta p_t)` with z of variance 1. This is the series that short records look like
[1]_: counting noise on top of a rate that drifts from one period to the next.

Every draw is judged by the procedure of the finished evaluation, which gives limits of the effect. A change
is **found** where they leave out no change, on its own side. Where the limits of draws with a change
:math:`\delta_0` are known, those of a nearby change follow by a shift, so the smallest change found four
times in five takes a few rounds: the shift that leaves four draws in five beyond 0, then draws with that
change, until it stays.

References
----------
.. [1] Hawley, S. et al. (2019). Sample size and power considerations for ordinary least squares interrupted
   time series analysis: a simulation study. *Clinical Epidemiology* 11, 197-205.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.signal import lfilter
from scipy.special import chdtri

from ucimpact.inference.timeseries import Reml

Array = np.ndarray

ROUNDS = 6
SETTLED = 0.002
"""Change of a share below which the smallest change found has settled, or a third of its own error."""

ALL_BUT = 0.97
"""A fall larger than this share is not looked for: nothing would be left."""

LARGEST_RISE = 4.0
SEEN = 0.25
"""Share of the variance that has to lie beyond counting before its autocorrelation can be told."""

MOST_RHO = 0.95


class Judge(Protocol):
    """The procedure of an evaluation, on many series at once."""

    def limits(self, y: Array) -> Array:
        """Limits of the effect of each series of ``y`` (N, n), shape (N, 2)."""

    def moved(self, share: float) -> float:
        """What the effect is, on the scale of the limits, where the change is this share."""

    def share(self, moved: float) -> float:
        """The share that makes the effect this: the inverse of :meth:`moved`."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """How a series varies without the pilot.

    Attributes
    ----------
    base : float
        Expected in a period.
    sd : float
        Ups and downs beyond counting, as a share of ``base``.
    rho : float
        Correlation of one period's ups and downs with the next.
    dispersion : float
        Variance of counting over its mean, without a change; 1 or more.
    counted : bool
        Whether the outcome is a count.
    """

    base: float
    sd: float
    rho: float
    dispersion: float = 1.0
    counted: bool = True

    def draw(self, effect: Array, draws: int, rng: np.random.Generator) -> Array:
        """Series of shape (draws, n), where ``effect`` (n,) is the change of each period as a share."""
        fresh = rng.standard_normal((draws, len(effect)))
        fresh[:, 1:] *= np.sqrt(1 - self.rho**2)
        path = lfilter([1.0], [1.0, -self.rho], fresh, axis=1)
        if not self.counted:
            return np.asarray(self.base * (1 + self.sd * path) * (1 + effect))
        spread = np.sqrt(np.log1p(self.sd**2))
        rate = self.base * np.exp(spread * path - spread**2 / 2)
        if self.dispersion > 1:
            rate = rng.gamma(rate / (self.dispersion - 1), self.dispersion - 1)
        counts = rng.poisson(rate)
        more = rng.poisson(rate * np.maximum(effect, 0.0))
        return np.asarray(rng.binomial(counts, 1 + np.minimum(effect, 0.0)) + more, dtype=float)


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesPower:
    """What a series of one length could find.

    Attributes
    ----------
    law : Law
    profile : array (n,)
        The change of each period where it is whole in one: 0 before the start.
    judge : Judge
    sign : int
        -1 for a fall, 1 for a rise.
    draws, seed : int
    """

    law: Law
    profile: Array
    judge: Judge
    sign: int
    draws: int
    seed: int

    def limits(self, share: float) -> Array:
        """Limits of every draw with a change of this share (above 0, in the direction of ``sign``)."""
        rng = np.random.default_rng(self.seed)
        return self.judge.limits(self.law.draw(self.sign * share * self.profile, self.draws, rng))

    @cached_property
    def without(self) -> Array:
        """Limits of every draw without a change."""
        return self.limits(0.0)

    @property
    def false_positives(self) -> float:
        """How often a change is found where there is none, on either side."""
        return float(((self.without[:, 0] > 0) | (self.without[:, 1] < 0)).mean())

    def half_width(self) -> float:
        """Half of the middle range, as a share."""
        widths = self.without[:, 1] - self.without[:, 0]
        half = float(np.median(widths)) / 2
        return abs(self.judge.share(self.sign * half)) if np.isfinite(half) else np.inf

    def chance(self, share: float) -> float:
        """How often a change of this share is found."""
        return float((self._short_of_it(self.limits(share)) < 0).mean())

    def _short_of_it(self, limits: Array) -> Array:
        """How far each draw is from being found: the limit on the side of no change; below 0 if found."""
        return limits[:, 1] if self.sign < 0 else -limits[:, 0]

    def smallest(self, chance: float, *, start: float = 0.0) -> tuple[float, float]:
        """The smallest change that is found with this chance, and its Monte Carlo standard error.

        Infinite where a fall of (almost) all, or a rise to five times as many, is not found so often.
        """
        most = ALL_BUT if self.sign < 0 else LARGEST_RISE
        share, error = min(start, most), np.inf
        for turn in range(ROUNDS):
            short = self._short_of_it(self.without if share == 0 else self.limits(share))
            spread = np.sqrt(chance * (1 - chance) / self.draws)
            low, middle, high = (
                self._further(share, float(np.quantile(short, min(max(q, 0.0), 1.0), method="higher")))
                for q in (chance - spread, chance, chance + spread)
            )
            if middle >= most and share >= most:
                return np.inf, np.inf
            new = min(max(middle, 0.0), most)
            error = abs(high - low) / 2
            if abs(new - share) < max(SETTLED, error / 3) and turn:
                return new, error
            share = new
        return share, error

    def _further(self, share: float, by: float) -> float:
        """The share at which an effect lies further from 0 than at ``share``, by so much."""
        moved = self.judge.moved(self.sign * share) + self.sign * by
        return self.sign * self.judge.share(moved)


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What a past series says of its own variation.

    Attributes
    ----------
    base, sd, rho : float
        See :class:`Law`; ``rho`` is ``nan`` where too little lies beyond counting to tell.
    sd_high : float
        What ``sd`` may be (the variance about the regression at the upper end of a 90% range).
    rho_low, rho_high : float
        Between which it may lie (two standard errors).
    periods : int
    """

    base: float
    sd: float
    sd_high: float
    rho: float
    rho_low: float
    rho_high: float
    periods: int


def learnt(y: Array, x: Array, *, dispersion: float, counted: bool) -> Learnt:
    r"""The law of a past series without a change: moments of what a regression leaves over.

    With the variance V about the regression and the mean m, counting is :math:`\phi m` and the rest
    :math:`V - \phi m`; the autocorrelation of the series is that of the rest, thinned by its share.

    Parameters
    ----------
    y : array (n,)
        Values of the last stretch without a gap.
    x : array (n, p)
        Level, trend, season.
    dispersion : float
        :math:`\phi`.
    counted : bool
    """
    fit = Reml().of(y, x)
    mean = float(y.mean())
    counting = dispersion * mean if counted else 0.0
    beyond = max(fit.sigma**2 - counting, 0.0)
    df = fit.residual_df
    most = max(fit.sigma**2 * df / float(chdtri(df, 0.95)) - counting, 0.0)
    share = beyond / fit.sigma**2 if fit.sigma > 0 else 0.0
    rho = low = high = np.nan
    if share >= SEEN:
        spread = 2 * np.sqrt(fit.var_rho)
        rho, low, high = (
            float(np.clip(value / share, 0.0, MOST_RHO))
            for value in (fit.rho, fit.rho - spread, fit.rho + spread)
        )
    return Learnt(
        base=mean,
        sd=float(np.sqrt(beyond)) / mean,
        sd_high=float(np.sqrt(most)) / mean,
        rho=rho,
        rho_low=low,
        rho_high=high,
        periods=len(y),
    )
