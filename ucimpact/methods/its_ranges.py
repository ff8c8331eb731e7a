r"""Which procedure gives the interval of each effect of a series, and the rows they make.

One rule, from simulation (``docs/methods/its.md``). With REML errors:

- 36 periods or more: the average over what the errors remember of the last two periods,
  :func:`~ucimpact.inference.second_order.second_order`, and from 96 on over what carries over behind
  noise too. So few cannot tell errors of one order from errors of two, and an interval that takes them
  for AR(1) covers 86% where they are not.
- fewer: a t on the effect's own Satterthwaite degrees of freedom, or the average over :math:`\rho` where
  those are under 5. The average effect decides for the total and for the relative effect.

What the residuals look like plays no part in it. Errors of another kind, asked for by name, bring their
own t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact.inference.fitted_series import FittedSeries, Procedure
from ucimpact.inference.mixture import TMixture
from ucimpact.inference.second_order import LEAST_POINTS, second_order
from ucimpact.inference.timeseries import Ar1Fit

ROUTES = {
    "second-order": "AR(2) errors, t averaged over what the last two periods carry over",
    "kenward-roger": "REML AR(1), Kenward-Roger variance, t on {df:.1f} degrees of freedom (Satterthwaite)",
    "rho-averaged": "REML AR(1), t averaged over the autocorrelation",
    "least-squares": "least squares with independent errors, t on {df:.0f} degrees of freedom",
    "arma-reml": "REML ARMA, Kenward-Roger variance, t on {df:.1f} degrees of freedom (Satterthwaite)",
    "arma-ml": "maximum likelihood, Kenward-Roger variance, t on {df:.1f} degrees of freedom (Satterthwaite)",
    "prais-winsten": "Prais-Winsten, t on {df:.0f} degrees of freedom",
    "newey-west": "least squares, Newey-West covariance, t on {df:.0f} degrees of freedom",
    "hac": "least squares, Andrews' covariance, t on {df:.0f} degrees of freedom",
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
    fit : FittedSeries
    average : array (p,)
        The contrast of the average effect.
    second : TMixture, optional
        The same regression averaged over AR(2) errors.
    level : float
    """

    fit: FittedSeries
    average: np.ndarray
    second: TMixture | None
    level: float

    @classmethod
    def of(
        cls,
        fit: FittedSeries,
        average: np.ndarray,
        *,
        used: int,
        level: float,
        lengths: Sequence[int] | None = None,
    ) -> Ranges:
        """The intervals of a fit to ``used`` periods, of several series where ``lengths`` has theirs."""
        second = None
        if isinstance(fit, Ar1Fit) and fit.var_rho > 0 and used >= LEAST_POINTS:
            second = second_order(fit.statistics.y, fit.statistics.x, lengths)
        return cls(fit=fit, average=average, second=second, level=level)

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
        if self.second is not None:
            return "second-order", self.second
        return self.of_the_fit(contrast)

    def of_the_fit(self, contrast: np.ndarray) -> tuple[str, Procedure]:
        """The interval of the fit itself, whatever else its errors may be."""
        if not isinstance(self.fit, Ar1Fit):
            return self.fit.route, self.fit
        if self.fit.var_rho == 0:
            return "least-squares", self.fit
        usual = self.fit.procedure(contrast)
        return ("kenward-roger" if usual is self.fit else "rho-averaged"), usual

    def row(self, term: str, contrast: np.ndarray) -> dict[str, Any]:
        """An effect with its interval, see :meth:`rows`."""
        return self.rows([(term, contrast)])[0]

    def rows(self, effects: Sequence[tuple[str, np.ndarray]]) -> list[dict[str, Any]]:
        """Effects with their intervals; those of one procedure are worked out together.

        Without a single t, ``df`` is empty and ``std_error`` is the half-width over the normal
        quantile.
        """
        procedures = [self.procedure(term, contrast) for term, contrast in effects]
        contrasts = np.array([contrast for _, contrast in effects])
        estimates, errors, dfs = (
            of(contrasts) for of in (self.fit.estimates, self.fit.std_errors, self.fit.dfs)
        )
        limits, below = np.empty((len(effects), 2)), np.empty(len(effects))
        for procedure in {id(each): each for each in procedures}.values():
            own = [at for at, each in enumerate(procedures) if each is procedure]
            limits[own] = procedure.limits(contrasts[own], self.level)
            below[own] = procedure.below(contrasts[own])
            if procedure is not self.fit:
                errors[own], dfs[own] = self._like_normal(*limits[own].T), np.nan
        return [
            _row(term, *map(float, (estimates[at], errors[at], dfs[at], below[at], *limits[at])))
            for at, (term, _) in enumerate(effects)
        ]

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
            error = float(self._like_normal(low, high))
        return _row("relative", estimate, error, df, below(0.0), low, high), towards

    def beside(self, contrasts: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
        """The interval of each effect if the errors were AR(1); empty where that is the one given."""
        if self.second is None:
            return {}
        found = {}
        for term, contrast in contrasts.items():
            leader = self.average if term in OF_THE_AVERAGE else contrast
            low, high = self.of_the_fit(leader)[1].limits(contrast, self.level)[0]
            found[term] = {"conf_low": float(low), "conf_high": float(high)}
        return found

    def _like_normal(self, low: Any, high: Any) -> Any:
        return (high - low) / 2 / ndtri((1 + self.level) / 2)


def covariance(std_errors: np.ndarray, contrasts: np.ndarray, fit: FittedSeries) -> np.ndarray:
    """Covariance of effects: each with its own standard error, correlated as in the fit.

    An effect whose contrast is ``nan`` did not come from the fit: nothing is said of it and the others.
    """
    joint = contrasts @ fit.adjusted_cov @ contrasts.T
    spread = np.sqrt(np.diag(joint))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = joint / np.outer(spread, spread)
    np.fill_diagonal(correlation, 1.0)
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
