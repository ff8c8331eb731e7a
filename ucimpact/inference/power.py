r"""What an evaluation could find: the chance of seeing an effect, and the people or places that it takes.

An effect is found where its likely range leaves out no change: where the estimate lies further from 0
than ``reach``, half of the range. With a true effect :math:`\tau`, standard error :math:`s` on
:math:`\nu` degrees of freedom and :math:`\delta = \tau/s`, the chance of that is, by the noncentral t
distribution :math:`F_{\nu,\delta}` [1]_,

.. math:: P(\tau) = 1 - F_{\nu,\delta}(reach/s) + F_{\nu,\delta}(-reach/s),
          \qquad reach = t_{\nu,\,0.975}\,s .

The smallest effect that can be found is the one found four times in five; on many degrees of freedom
it is :math:`(1.96 + 0.84)\,s`.

**People.** :math:`n` with the service and :math:`rn` without, means :math:`\mu_1 = \mu_0 + \tau` and
:math:`\mu_0` per person over the follow-up [1]_, with :math:`V(\mu) = \mu(1-\mu)` for yes or no,
:math:`\phi\mu` for counts with variance :math:`\phi` times their mean, :math:`\sigma^2` for the rest:

.. math:: s^2 = D\,\Bigl\{\frac{V(\mu_1)}{n} + \frac{V(\mu_0)}{rn}\Bigr\}, \qquad D = 1 + (m - 1)\,\rho ,

with design effect :math:`D` for clusters of :math:`m` people whose outcomes correlate by :math:`\rho`
[2]_; :math:`\nu` is then the number of clusters less 2, else of people less 2. Where D is given instead
(people who come again, or serve in several sets), :math:`\nu` is that of n/D people. This is the variance of
the difference per person that :class:`~ucimpact.methods.matched_cohort.MatchedCohort` reports. Matched
sets are taken as independent groups: matching on what predicts the outcome narrows the range a little,
people who are followed for less than the whole time widen it a little, and neither is counted.

**Places.** Each place gives one number, its mean after less its mean before, and the effect is the
difference of two means of such numbers [3]_. With :math:`b` events a place and month, :math:`T_0`
months before and :math:`T_1` after,

.. math:: s^2 = \Bigl(\frac1{n_1} + \frac1{n_0}\Bigr)\Bigl\{ (\sigma_c b)^2 +
          (\sigma_m b)^2\, w' R w + \phi b\Bigl(\frac1{T_0} + \frac1{T_1}\Bigr)\Bigr\} ,

where :math:`\sigma_c` is the spread of places' lasting changes as a share of :math:`b`, :math:`\sigma_m`
that of their monthly ups and downs with correlation :math:`R_{jk} = \rho^{|j-k|}`, :math:`w` is
:math:`-1/T_0` before and :math:`1/T_1` after, and the last term is counting noise, taken at the level
without the pilot. Degrees of freedom follow :mod:`ucimpact.inference.few_clusters`: :math:`n_1 + n_0 -
2` where one group has fewer than six, else Welch's for two groups alike.

References
----------
.. [1] Lachin, J. M. (1981). Introduction to sample size determination and power analysis for clinical
   trials. *Controlled Clinical Trials* 2(2), 93-113.
.. [2] Donner, A., Birkett, N. and Buck, C. (1981). Randomization by cluster: sample size requirements
   and analysis. *American Journal of Epidemiology* 114(6), 906-914.
.. [3] Burlig, F., Preonas, L. and Woerman, M. (2020). Panel data and experimental design. *Journal of
   Development Economics* 144, 102458.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import nctdtr, nctdtrinc, ndtr, ndtri, stdtrit

from ucimpact.inference.few_clusters import ENOUGH

FOUR_IN_FIVE = 0.8
"""The chance at which an effect counts as one that could have been found."""
LEVEL = 0.95
HALF_RANGE = float(ndtri((1 + LEVEL) / 2))
"""Standard errors in half of a 95% range on many degrees of freedom: 1.96."""
MOST = 100_000_000
"""More people, places or months than this are not looked for."""


@dataclass(frozen=True)
class Precision:
    """How closely an effect is measured.

    Attributes
    ----------
    se : float
        Standard error.
    reach : float
        Half of the likely range: an estimate further from 0 than this is found.
    df : float
        Degrees of freedom of ``se``; infinite where it is as good as known.
    """

    se: float
    reach: float
    df: float = math.inf

    @classmethod
    def by_t(cls, se: float, df: float) -> Precision:
        """With the 95% range of Student's t."""
        return cls(se, float(stdtrit(df, (1 + LEVEL) / 2)) * se, df)

    @classmethod
    def finding(cls, effect: float, se: float) -> Precision:
        """With which this effect is found four times in five, on many degrees of freedom."""
        return cls(se, effect - float(ndtri(FOUR_IN_FIVE)) * se)

    def chance(self, effect: float) -> float:
        """The chance that a true effect of this size is found, either way up."""
        bound, shift = self.reach / self.se, effect / self.se
        if math.isinf(self.df):
            return float(ndtr(shift - bound) + ndtr(-shift - bound))
        return float(1 - nctdtr(self.df, shift, bound) + nctdtr(self.df, shift, -bound))

    def findable(self) -> float:
        """The smallest effect that is found four times in five."""
        if math.isinf(self.df):
            return self.reach + float(ndtri(FOUR_IN_FIVE)) * self.se
        return float(nctdtrinc(self.df, 1 - FOUR_IN_FIVE, self.reach / self.se)) * self.se


Kind = Literal["binary", "count", "measured"]


@dataclass(frozen=True, kw_only=True)
class TwoGroups:
    """People with the service beside people without it.

    Attributes
    ----------
    kind : str
        ``"binary"`` (0 or 1), ``"count"``, or ``"measured"`` (cost, score, duration).
    mean : float
        Per person over the follow-up, without the service.
    dispersion : float
        Variance over mean of a count; 1 is Poisson.
    sd : float
        Standard deviation per person of what is measured.
    ratio : float
        People without the service for each with it.
    cluster_size, icc : float
        People of one cluster, such as a team, and the correlation of two of them.
    design_effect : float
        D, where it is known without clusters; 1 or more.
    """

    kind: Kind
    mean: float
    dispersion: float = 1.0
    sd: float = 1.0
    ratio: float = 1.0
    cluster_size: float = 1.0
    icc: float = 0.0
    design_effect: float = 1.0

    def variance(self, mean: float) -> float:
        """Of one person's outcome, where the mean is ``mean``."""
        if self.kind == "binary":
            return mean * (1 - mean)
        return self.dispersion * mean if self.kind == "count" else self.sd**2

    def at(self, people: float, effect: float) -> Precision | None:
        """The precision with ``people`` supported; None with too few to have any."""
        size = self.cluster_size if self.icc > 0 else 1.0
        df = people * (1 + self.ratio) / (size * self.design_effect) - 2
        if df < 1:
            return None
        after, without = self.variance(self.mean + effect), self.variance(self.mean)
        design = self.design_effect * (1 + (size - 1) * self.icc)
        return Precision.by_t(math.sqrt(design * (after + without / self.ratio) / people), df)

    def chance(self, people: float, effect: float) -> float:
        """The chance that a true effect per person (negative = fewer) is found."""
        precision = self.at(people, effect)
        return 0.0 if precision is None else precision.chance(effect)

    def findable(self, people: float, sign: int = -1) -> float | None:
        """Size of the smallest fall (``sign`` -1) or rise found four times in five; None: not even all."""
        from scipy.optimize import brentq  # 14 MB that few need

        def short(size: float) -> float:
            return self.chance(people, sign * size) - FOUR_IN_FIVE

        room = math.inf
        if self.kind != "measured" and sign < 0:
            room = self.mean
        elif self.kind == "binary":
            room = 1 - self.mean
        spread = math.sqrt(self.variance(self.mean) * (1 + 1 / self.ratio) / people)
        top = min(room, spread)
        while short(top) < 0:
            if top >= room or top > MOST * spread:
                return None
            top = min(room, 2 * top)
        return float(brentq(short, 0.0, top))

    def people_needed(self, effect: float) -> int | None:
        """The fewest people supported with whom this effect is found four times in five."""
        return fewest(lambda people: self.chance(people, effect))


@dataclass(frozen=True, kw_only=True)
class PlaceChanges:
    """Pilot places beside comparison places, before and after one start.

    Attributes
    ----------
    base : float
        Events a place and month without the pilot.
    pilot, comparison : int
        Places.
    before, after : int
        Months.
    dispersion : float
        Variance over mean of a month's count, from counting alone; 1 is Poisson.
    change_sd : float
        Standard deviation, over places, of a lasting change from before to after, as a share of ``base``.
    month_sd, autocorrelation : float
        Standard deviation of a place's monthly ups and downs as a share of ``base``, beyond counting,
        and the correlation of one month's with the next.
    """

    base: float
    pilot: int
    comparison: int
    before: int
    after: int
    dispersion: float = 1.0
    change_sd: float = 0.0
    month_sd: float = 0.0
    autocorrelation: float = 0.0

    @property
    def spread(self) -> float:
        """Variance, over places, of the mean after less the mean before."""
        monthly = self.month_sd**2 * change_of_means(self.before, self.after, self.autocorrelation)
        counting = self.dispersion * self.base * (1 / self.before + 1 / self.after)
        return float((self.change_sd**2 + monthly) * self.base**2 + counting)

    @property
    def df(self) -> float:
        """Degrees of freedom of the contrast."""
        n1, n0 = self.pilot, self.comparison
        if min(n1, n0) < ENOUGH:
            return float(n1 + n0 - 2)
        return (1 / n1 + 1 / n0) ** 2 / (1 / (n1**2 * (n1 - 1)) + 1 / (n0**2 * (n0 - 1)))

    @property
    def precision(self) -> Precision:
        """Of the effect, in events a place and month."""
        return Precision.by_t(math.sqrt(self.spread * (1 / self.pilot + 1 / self.comparison)), self.df)


def change_of_means(before: int, after: int, autocorrelation: float) -> float:
    """Variance of mean after less mean before, for monthly values of variance 1 that follow an AR(1)."""
    weight = np.r_[np.full(before, -1 / before), np.full(after, 1 / after)]
    months = np.arange(before + after)
    correlation = np.power(float(autocorrelation), np.abs(months[:, None] - months))
    return float(weight @ correlation @ weight)


def fewest(chance: Callable[[int], float], most: int = MOST) -> int | None:
    """The smallest number at which a chance that grows with it reaches four in five; None above ``most``."""
    high = 1
    while chance(high) < FOUR_IN_FIVE:
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= FOUR_IN_FIVE else (middle, high)
    return high
