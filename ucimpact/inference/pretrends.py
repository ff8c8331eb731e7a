r"""What a test of the time before the start could have seen, and how large a gap it rules out.

A test that finds nothing is worth what it could have found [1]_. Let the drift be a straight line of slope
:math:`\gamma` from the reference period, so that the effects before the start are :math:`\hat\beta \sim
N(\gamma m, \Sigma)`, :math:`m_t = t - t_{ref}`.

**Tests one by one** (is any effect outside its own interval?). With :math:`Z \sim N(0, \Sigma)`, one draw
passes for the slopes

.. math:: \bigcap_t \Bigl\{\gamma : |Z_t + \gamma m_t| \le q \sigma_t\Bigr\}
          = \bigcap_t \Bigl[\frac{-q\sigma_t - Z_t}{m_t}, \frac{q\sigma_t - Z_t}{m_t}\Bigr],

an interval. Its two ends, for each of a fixed set of quasi-random draws, give the power at every slope at
once, and the slope for any power, without a multivariate normal probability being worked out again.

**Joint test.** A Wald (or F) statistic has noncentrality :math:`\gamma^2 m'\Sigma^{-1}m` (m and
:math:`\Sigma` those of what is tested), so the slope for a power is a square root.

**Bias.** The line adds :math:`\gamma` times the distance between the middle of the pilot and what it is
measured from. Among data sets that pass the tests it adds the mean over the draws that pass, which is
often more [1]_.

**Equivalence** turns the burden round [2]_: can gaps of some size be ruled out at 5%? The margin is the
smallest that can be. For the largest gap each effect must lie below the :math:`\alpha` quantile of
:math:`|N(\zeta, \sigma_t^2)|` (an intersection-union test); for the mean gap the same with one number.
For the root mean square, :math:`\hat\beta'\hat\beta \le` its :math:`\alpha` quantile when the gaps lie in
the direction in which the estimates vary most: where a given size of gap is the most easily overlooked.
(The self-normalised test of [2]_ for it needs estimates from growing parts of the sample.)

References
----------
.. [1] Roth, J. (2022). Pretest with caution: event-study estimates after testing for parallel trends.
   *American Economic Review: Insights* 4(3), 305-322.
.. [2] Dette, H. and Schumann, M. (2024). Testing for equivalence of pre-trends in difference-in-
   differences estimation. *Journal of Business & Economic Statistics* 42(4), 1289-1301.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, chndtr, fdtri, ncfdtr, ndtr, ndtri
from scipy.stats import qmc

from ucimpact.errors import EstimationError
from ucimpact.inference.honest_path import EventPath

Array = np.ndarray
DRAWS = 14
"""Quasi-random draws are two to this power."""
LARGE = 1e6
"""Degrees of freedom from which F is chi-square."""


@dataclass(frozen=True)
class OneByOne:
    """The pre-test that looks whether any effect before the start lies outside its own interval.

    Parameters
    ----------
    path : EventPath
    level : float, default 0.95
        Coverage of each interval.
    seed : int, default 1
    """

    path: EventPath
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.path.before.any():
            raise EstimationError("there is one period before the start, so there is no path to test")

    @cached_property
    def _draws(self) -> Array:
        """Normal draws with the covariance of the effects before the start, shape (n_draws, n_before)."""
        before = self.path.before
        values, vectors = np.linalg.eigh(self.path.cov[np.ix_(before, before)])
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        return np.asarray(_normals(int(before.sum()), self.seed) @ root[:, ::-1].T)

    @cached_property
    def _passing(self) -> tuple[Array, Array]:
        """The slopes at which each draw passes, from and to; from above to where none does."""
        before = self.path.before
        half = float(ndtri((1 + self.level) / 2)) * np.sqrt(np.diag(self.path.cov)[before])
        m = self.path.since[before]  # below 0
        return ((half - self._draws) / m).max(axis=1), ((-half - self._draws) / m).min(axis=1)

    def power(self, slope: float) -> float:
        """Chance that a line of this slope (per period) is seen."""
        low, high = self._passing
        return float(1 - ((low <= slope) & (slope <= high)).mean())

    def slope_for(self, power: float) -> float:
        """The slope, per period and above 0, that is seen with this chance.

        0 where the tests refuse as often as that by chance alone.
        """
        if self.power(0.0) >= power:
            return 0.0
        top = float(self._passing[1].max())
        return float(brentq(lambda slope: self.power(slope) - power, 0.0, top, xtol=1e-9 * top))

    def mean_gaps_if_passed(self, slope: float) -> Array:
        """Mean of the effects before the start among data sets with this slope that pass,
        (n_before,)."""
        low, high = self._passing
        passed = (low <= slope) & (slope <= high)
        if not passed.any():
            return np.full(self._draws.shape[1], np.nan)
        return np.asarray(self._draws[passed].mean(axis=0) + slope * self.path.since[self.path.before])

    def bias(self, slope: float, weights: Array) -> tuple[float, float]:
        """What the line adds to a target: in all data sets, and in those that pass.

        Parameters
        ----------
        weights : array (n_after,)
            Of the effects after the reference.
        """
        before, loading = self.path.before, self.path.loading(weights)
        plain = float(slope * (loading @ self.path.since))
        square = self.path.cov[np.ix_(before, before)]
        pull = np.linalg.lstsq(square, self.path.cov[before] @ loading, rcond=None)[0]
        moved = self.mean_gaps_if_passed(slope) - slope * self.path.since[before]
        return plain, plain + float(pull @ moved)


@dataclass(frozen=True)
class Joint:
    """The joint test that all effects before the start (or some combinations of them) are 0.

    Parameters
    ----------
    path : EventPath
    rows : array (q, n_before), optional
        Combinations tested; all effects without it.
    df_den : float, default infinite
        Denominator degrees of freedom; infinite for a chi-square.
    level : float, default 0.95
        One less the size of the test.
    """

    path: EventPath
    rows: Array | None = None
    df_den: float = np.inf
    level: float = 0.95

    @cached_property
    def _per_slope(self) -> tuple[float, int]:
        """Noncentrality at a slope of 1, and the rank of the test."""
        before = self.path.before
        if not before.any():
            raise EstimationError("there is one period before the start, so there is no path to test")
        rows = np.eye(int(before.sum())) if self.rows is None else self.rows
        mean = rows @ self.path.since[before]
        values, vectors = np.linalg.eigh(rows @ self.path.cov[np.ix_(before, before)] @ rows.T)
        real = values > 1e-10 * values.max()
        return float((((vectors.T @ mean) ** 2)[real] / values[real]).sum()), int(real.sum())

    def power(self, slope: float) -> float:
        """Chance that a line of this slope (per period) is seen."""
        each, q = self._per_slope
        return self._power(slope**2 * each, q)

    def _power(self, noncentrality: float, q: int) -> float:
        if self.df_den > LARGE:
            return float(1 - chndtr(chdtri(q, 1 - self.level), q, noncentrality))
        return float(1 - ncfdtr(q, self.df_den, noncentrality, float(fdtri(q, self.df_den, self.level))))

    def slope_for(self, power: float) -> float:
        """The slope, per period and above 0, that is seen with this chance."""
        each, q = self._per_slope
        high = 1.0
        while self._power(high, q) < power:
            high *= 2
        root = brentq(lambda nc: self._power(nc, q) - power, 0.0, high, xtol=1e-12)
        return float(np.sqrt(root / each))


@dataclass(frozen=True, kw_only=True)
class Margins:
    """The smallest gaps before the start that can be ruled out, in units of the effects."""

    largest: float
    mean: float
    root_mean_square: float
    tost: float
    """For the largest gap by two one-sided tests: the largest end of the 1 - 2 alpha intervals."""


def equivalence(path: EventPath, alpha: float = 0.05, seed: int = 1) -> Margins:
    """Margins at which the effects before the start are shown to be alike, at size ``alpha``."""
    before = path.before
    if not before.any():
        raise EstimationError("there is one period before the start, so there is no path to test")
    beta, cov = path.estimate[before], path.cov[np.ix_(before, before)]
    sd = np.sqrt(np.diag(cov))
    share = np.full(len(beta), 1 / len(beta))
    mean_sd = float(np.sqrt(share @ cov @ share))
    return Margins(
        largest=max(_folded_margin(b, s, alpha) for b, s in zip(np.abs(beta), sd, strict=True)),
        mean=_folded_margin(abs(float(share @ beta)), mean_sd, alpha),
        root_mean_square=_rms_margin(beta, cov, alpha, seed),
        tost=float((np.abs(beta) - ndtri(alpha) * sd).max()),
    )


def _folded_margin(size: float, sd: float, alpha: float) -> float:
    """The :math:`\\zeta` at which :math:`P(|N(\\zeta, sd^2)| \\le size) = \\alpha`, or 0 if none is."""
    if sd <= 0:
        return float(size)

    def excess(margin: float) -> float:
        return float(ndtr((size - margin) / sd) - ndtr((-size - margin) / sd) - alpha)

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, size + 10 * sd, xtol=1e-12 * (size + sd)))


def _rms_margin(beta: Array, cov: Array, alpha: float, seed: int) -> float:
    r"""With gaps :math:`r e` along the first eigenvector, :math:`|\epsilon + r e|^2 \le \hat\beta'\hat\beta`
    for r between the roots of a quadratic: the margin is where a share ``alpha`` of draws is inside."""
    values, vectors = np.linalg.eigh(cov)
    noise = _normals(len(beta), seed) @ (vectors * np.sqrt(np.clip(values, 0.0, None)))[:, ::-1].T
    along, size = noise @ vectors[:, -1], float(beta @ beta)
    root = along**2 - (noise**2).sum(axis=1) + size
    known = root >= 0
    half = np.sqrt(np.where(known, root, 0.0))
    low, high = np.where(known, -along - half, np.inf), np.where(known, -along + half, -np.inf)

    def excess(r: float) -> float:
        return float(((low <= r) & (r <= high)).mean() - alpha)

    top = float(np.sqrt(size) + 10 * np.sqrt(values[-1]))
    if excess(0.0) <= 0 and excess(np.sqrt(size)) <= 0:
        return 0.0
    start = 0.0 if excess(0.0) > 0 else float(np.sqrt(size))
    return float(brentq(excess, start, top, xtol=1e-9 * top) / np.sqrt(len(beta)))


@lru_cache(maxsize=8)
def _normals(width: int, seed: int) -> Array:
    """Quasi-random normal draws, shape (2 ** DRAWS, width)."""
    uniform = qmc.Sobol(width, scramble=True, seed=seed).random_base2(DRAWS)
    return np.asarray(ndtri(np.clip(uniform, 1e-12, 1 - 1e-12)))
