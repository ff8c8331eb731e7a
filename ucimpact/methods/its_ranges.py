r"""Which procedure gives the interval of each effect of a series, and the rows they make.

Two rules decide, both from simulation (``docs/methods/its.md``). An effect has the t of its own
Satterthwaite degrees of freedom, or the average over :math:`\rho` where those are under 5. From 48
periods on, the same effect under AR(1) plus white noise stands beside it; the wider of the two is
reported where the residuals still have a pattern, or where the second is more than a quarter wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact.inference.mixture import TMixture, ar1_plus_noise
from ucimpact.inference.timeseries import Ar1Fit, Procedure

LEAST_FOR_NOISE = 48
TOO_WIDE = 1.25

ROUTES = {
    "kenward-roger": "REML AR(1), Kenward-Roger variance, t on {df:.1f} degrees of freedom (Satterthwaite)",
    "rho-averaged": "REML AR(1), t averaged over the autocorrelation",
    "ar1-plus-noise": "AR(1) plus white noise, t averaged over both, as the wider of two",
    "least-squares": "least squares with independent errors, t on {df:.0f} degrees of freedom",
}
"""How an interval came about, by its key."""

OF_THE_AVERAGE = ("average", "cumulative")
"""Effects that are the average on another scale: one decision serves them and the relative effect."""

DOUBLINGS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranges:
    """The intervals of a fitted series.

    Attributes
    ----------
    fit : Ar1Fit
    average : array (p,)
        The contrast of the average effect.
    noise : TMixture, optional
        The same regression with AR(1) plus white noise.
    pattern : bool
        Whether the residuals still have one.
    level : float
    """

    fit: Ar1Fit
    average: np.ndarray
    noise: TMixture | None
    pattern: bool
    level: float

    @classmethod
    def of(cls, fit: Ar1Fit, average: np.ndarray, *, used: int, pattern: bool, level: float) -> Ranges:
        """The intervals of a fit to ``used`` periods."""
        both = fit.var_rho > 0 and used >= LEAST_FOR_NOISE
        noise = ar1_plus_noise(fit.statistics.y, fit.statistics.x) if both else None
        return cls(fit=fit, average=average, noise=noise, pattern=pattern, level=level)

    def route(self, term: str, contrast: np.ndarray) -> str:
        """Key of the procedure of an effect, see :data:`ROUTES`."""
        return self._decided(term, contrast)[0]

    def procedure(self, term: str, contrast: np.ndarray) -> Procedure:
        """The procedure of an effect."""
        return self._decided(term, contrast)[1]

    def _decided(self, term: str, contrast: np.ndarray) -> tuple[str, Procedure]:
        return self._for_average if term in OF_THE_AVERAGE else self._choose(contrast)

    @cached_property
    def _for_average(self) -> tuple[str, Procedure]:
        return self._choose(self.average)

    def _choose(self, contrast: np.ndarray) -> tuple[str, Procedure]:
        if self.fit.var_rho == 0:
            return "least-squares", self.fit
        usual = self.fit.procedure(contrast)
        if self.noise is not None:
            width, width_with_noise = (
                float(np.ptp(procedure.limits(contrast, self.level))) for procedure in (usual, self.noise)
            )
            if width_with_noise > width * (1.0 if self.pattern else TOO_WIDE):
                return "ar1-plus-noise", self.noise
        return ("kenward-roger" if usual is self.fit else "rho-averaged"), usual

    def row(self, term: str, contrast: np.ndarray) -> dict[str, Any]:
        """An effect with its interval.

        Without a single t, ``df`` is empty and ``std_error`` is the half-width over the normal
        quantile.
        """
        procedure = self.procedure(term, contrast)
        (low, high), below = procedure.limits(contrast, self.level)[0], procedure.below(contrast)[0]
        if procedure is self.fit:
            error, df = float(self.fit.std_errors(contrast)[0]), float(self.fit.dfs(contrast)[0])
        else:
            error, df = self._like_normal(low, high), np.nan
        estimate = float(self.fit.estimates(contrast)[0])
        return _row(term, estimate, error, df, below, low, high)

    def relative(self, average: np.ndarray, expected: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
        """The average effect over what was expected, and the contrast along which it moves.

        The interval is found by inversion: the chance that ``average - theta * expected`` is below 0
        rises with ``theta`` where the expected mean is above 0 beyond doubt. Where it is not, there
        is no ratio: the row is empty.
        """
        _, procedure = self._for_average
        mean = float(self.fit.estimates(expected)[0])
        if not procedure.limits(expected, self.level)[0, 0] > 0:
            return {"term": "relative", "estimate": np.nan}, np.full_like(average, np.nan)
        estimate = float(self.fit.estimates(average)[0]) / mean
        towards = (average - estimate * expected) / mean
        error, df = float(self.fit.std_errors(towards)[0]), np.nan
        tail = (1 - self.level) / 2

        def below(theta: float) -> float:
            return float(procedure.below(average - theta * expected)[0])

        if error > 0:
            low, high = (_crossing(below, estimate, error, q) for q in (tail, 1 - tail))
        else:
            low = high = estimate
        if procedure is self.fit:
            df = float(self.fit.dfs(towards)[0])
        else:
            error = self._like_normal(low, high)
        return _row("relative", estimate, error, df, below(0.0), low, high), towards

    def beside(self, contrasts: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
        """The interval of each effect under AR(1) plus white noise; empty for under 48 periods."""
        if self.noise is None:
            return {}
        limits = self.noise.limits(np.vstack(list(contrasts.values())), self.level)
        return {
            term: {"conf_low": float(low), "conf_high": float(high)}
            for term, (low, high) in zip(contrasts, limits, strict=True)
        }

    def _like_normal(self, low: float, high: float) -> float:
        return float((high - low) / 2 / ndtri((1 + self.level) / 2))


def covariance(std_errors: np.ndarray, contrasts: np.ndarray, fit: Ar1Fit) -> np.ndarray:
    """Covariance of effects: each with its own standard error, correlated as in the fit."""
    joint = contrasts @ fit.kenward_roger @ contrasts.T
    spread = np.sqrt(np.diag(joint))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = joint / np.outer(spread, spread)
    return np.asarray(np.outer(std_errors, std_errors) * correlation)


def _row(
    term: str, estimate: float, error: float, df: float, below: float, low: float, high: float
) -> dict[str, Any]:
    return {
        "term": term,
        "estimate": estimate,
        "std_error": error,
        "statistic": estimate / error if error > 0 else np.nan,
        "df": df,
        "p_value": 2 * min(below, 1 - below),
        "conf_low": low,
        "conf_high": high,
    }


def _crossing(below: Any, centre: float, step: float, q: float) -> float:
    """Where a rising chance reaches ``q``, looked for outward from ``centre``; ``nan`` if nowhere."""
    from scipy.optimize import brentq  # 14 MB that few need

    away = -step if q < 0.5 else step
    far = centre
    for _ in range(DOUBLINGS):
        far += away
        if (below(far) - q) * away > 0:
            return float(brentq(lambda theta: below(theta) - q, far - away, far, xtol=1e-9 * step))
        away *= 2
    return float("nan")
