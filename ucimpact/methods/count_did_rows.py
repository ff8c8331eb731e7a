r"""Ratios of counts told as differences of rates: rows of effects, their averages, bands and shape before.

A set of cells in which Y events happened among P people (times periods), E expected, has the rate difference
:math:`d = per\,(Y - E)/P = per\,Y(1 - e^{-b})/P`. Where both are five or more its limits are those of b with
Y as it was seen; in a single month, where there may be none, they are :math:`d \pm q\,per\,E\sqrt r\,se(b)/P`
with r the ratio of the whole pilot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ucimpact.inference.count_effects import Expected, Found, Sets, found_in
from ucimpact.inference.count_places import Uncertainty, correlation
from ucimpact.inference.count_rule import Rule
from ucimpact.inference.two_groups import Inferred

Array = np.ndarray
ENOUGH_EVENTS = 5
BAND_DRAWS = 4_999


@dataclass(frozen=True, eq=False)
class Family:
    """Effects of sets of cells that belong together.

    Attributes
    ----------
    found : Found
    uncertainty : Uncertainty
        Of the log ratios.
    tau2 : array (K,)
    per, level, ratio : float
    held : bool
        Whether limits are those of the log ratio where there are events enough.
    seed : int
        Of the draws behind bands.
    """

    found: Found
    uncertainty: Uncertainty
    tau2: Array
    per: float
    level: float
    ratio: float
    held: bool
    seed: int = 1

    @cached_property
    def log(self) -> Inferred:
        """The log ratios."""
        b, sure = self.found.contributions.estimate, self.uncertainty
        known = np.isfinite(b)
        estimate = np.where(known, b, np.nan)
        error = np.where(known, sure.std_error, np.nan)
        half = np.where(known, sure.half(self.level), np.nan)
        p_value = np.where(known & np.isfinite(error), sure.p_value(estimate), np.nan)
        return Inferred(estimate, error, sure.df, p_value, estimate - half, estimate + half)

    @cached_property
    def unit(self) -> Array:
        """Rate difference of one event."""
        return np.asarray(self.per / self.found.people)

    @cached_property
    def scale(self) -> Array:
        """Rate difference of a log ratio of 1, for limits that are not those of the log ratio."""
        return np.asarray(self.unit * self.found.mean * np.sqrt(self.ratio))

    @cached_property
    def uses_ratio(self) -> Array:
        """Which effects have the limits of their log ratio."""
        enough = np.minimum(self.found.observed, self.found.expected) >= ENOUGH_EVENTS
        return np.asarray(enough & self.held)

    @cached_property
    def rate(self) -> Inferred:
        """The differences of rates."""
        found, sure = self.found, self.uncertainty
        estimate = self.unit * (found.observed - found.expected)
        scale = np.where(self.scale > 0, self.scale, np.nan)
        error = np.where(self.uses_ratio, self.unit * found.expected, scale) * sure.std_error
        half = scale * sure.half(self.level)
        held = self.unit * found.observed
        with np.errstate(invalid="ignore"):
            low = np.where(self.uses_ratio, held * -np.expm1(-self.log.low), estimate - half)
            high = np.where(self.uses_ratio, held * -np.expm1(-self.log.high), estimate + half)
            p_value = np.where(self.uses_ratio, self.log.p_value, sure.p_value(estimate / scale))
        p_value = np.where(np.isfinite(error), p_value, np.nan)
        return Inferred(estimate, error, sure.df, p_value, low, high)

    @cached_property
    def correlation(self) -> Array:
        """Of the effects' errors, shape (K, K)."""
        return correlation(self.found.contributions, self.uncertainty, self.tau2, self.found.starts)

    @cached_property
    def bands(self) -> Array:
        """Half widths of bands that hold together, of the log ratios, shape (K,).

        The pointwise ones times one factor, so that the largest of the errors over their own half width stays
        below it: normal errors of this correlation over a spread that they share, with the degrees of freedom
        of each.
        """
        sure = self.uncertainty
        pointwise = sure.half(self.level)
        usable = np.isfinite(sure.std_error) & np.isfinite(pointwise)
        out = np.full(len(usable), np.nan)
        if not usable.any():
            return out
        values, vectors = np.linalg.eigh(self.correlation[np.ix_(usable, usable)])
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        draws = _normals(BAND_DRAWS, len(root) + 1, self.seed)
        places = len(self.found.contributions.pilot)
        df = np.where(np.isfinite(sure.df[usable]), sure.df[usable], max(places - 2.0, 1.0))
        # Wilson and Hilferty's chi-squared over its degrees of freedom, one draw for all
        width = 2 / (9 * np.maximum(df, 1.0))
        spread = np.maximum(1 - width + draws[:, :1] * np.sqrt(width), 0.05) ** 1.5
        ratio = np.abs(draws[:, 1:] @ root.T) / spread / (pointwise / sure.std_error)[usable]
        out[usable] = max(1.0, float(np.quantile(ratio.max(axis=1), self.level))) * pointwise[usable]
        return out

    def combined(self, matrix: Array) -> tuple[Inferred, Array]:
        """Weighted sums of rate differences, a row of ``matrix`` (n_new, K) each, and their correlation."""
        use = np.abs(matrix).sum(axis=0) > 0
        matrix = matrix[:, use]
        error = self.rate.std_error[use]
        cov = self.correlation[np.ix_(use, use)] * np.outer(error, error)
        square = matrix @ cov @ matrix.T
        new = np.sqrt(np.maximum(np.diag(square), 0.0))
        estimate = matrix @ self.rate.estimate[use]
        sure = self._typical(use, new)
        half = sure.half(self.level)
        scale = np.where(new > 0, new, 1.0)
        with np.errstate(invalid="ignore"):
            p_value = np.where(np.isfinite(new) & (new > 0), sure.p_value(estimate), np.nan)
        found = Inferred(
            estimate, np.where(new > 0, new, np.nan), sure.df, p_value, estimate - half, estimate + half
        )
        return found, np.asarray(square / np.outer(scale, scale))

    def _typical(self, use: Array, error: Array) -> Uncertainty:
        """The shape of these effects' errors, at other standard errors."""
        sure = self.uncertainty.part(use)
        with np.errstate(invalid="ignore"):
            shape = (sure.sd / sure.std_error[:, None]).mean(axis=0)
        df = np.min(sure.df) if np.all(np.isfinite(sure.df)) else np.nan
        weights = np.tile(sure.weights.mean(axis=0), (len(error), 1))
        return Uncertainty(weights, error[:, None] * shape, error, np.full(len(error), df))


@lru_cache(maxsize=8)
def _normals(draws: int, width: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((draws, width))


def family_of(
    expected: Expected,
    sets: Sets,
    rule: Rule,
    *,
    per: float,
    level: float,
    ratio: float,
    held: bool,
    whole: bool = False,
    seed: int = 1,
) -> Family:
    """Effects of sets of cells with the pilot; ``whole`` where there is one, of all of them."""
    found = found_in(expected, sets, ratio)
    uncertainty, tau2 = rule.uncertainty(found.contributions, whole=whole)
    return Family(found, uncertainty, tau2, per, level, ratio, held, seed)


def numbers(found: Inferred, k: int) -> dict[str, float]:
    """One effect with the columns of an effects frame."""
    return {
        "estimate": float(found.estimate[k]),
        "std_error": float(found.std_error[k]),
        "statistic": float(found.statistic[k]),
        "df": float(found.df[k]),
        "p_value": float(found.p_value[k]),
        "conf_low": float(found.low[k]),
        "conf_high": float(found.high[k]),
    }
