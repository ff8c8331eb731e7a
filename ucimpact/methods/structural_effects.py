r"""The effects of a structural time series, from draws of what would have been seen without the pilot.

With :math:`\tilde y_t^{(d)}` draw :math:`d` of what would have been seen, noise included, and
:math:`\hat y_t` the posterior mean of what was expected,

.. math:: \text{estimate} = \sum_t w_t (y_t - \hat y_t), \qquad
   \text{draws} = \sum_t w_t \bigl(y_t - \tilde y_t^{(d)}\bigr), \qquad
   p = 2 \min\Bigl(\frac{1 + \#\{\le 0\}}{D + 1}, \frac{1 + \#\{\ge 0\}}{D + 1}\Bigr)

Limits are quantiles of the draws. An observed total holds the luck of its own periods, so it is held against
totals that hold theirs. The relative effect of a draw is the observed total over the draw's, less 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.inference.structural import Draws


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects:
    """Effects of a series of n periods with D draws.

    Attributes
    ----------
    y : array (n,)
        What was seen.
    draws : Draws
    level : float
        Coverage of the limits.
    """

    y: np.ndarray
    draws: Draws
    level: float

    def drawn(self, weights: np.ndarray) -> np.ndarray:
        """Draws of an effect that is a weighted sum over periods, shape (D,); weights of shape (n,)."""
        at = weights != 0
        return np.asarray(weights[at] @ self.y[at] - self.draws.seen[:, at] @ weights[at])

    def row(self, term: str, weights: np.ndarray) -> dict[str, Any]:
        """An effect that is a weighted sum over periods."""
        at = weights != 0
        estimate = float(weights[at] @ (self.y[at] - self.draws.expected[:, at].mean(axis=0)))
        return self._told(term, estimate, self.drawn(weights))

    def relative_draws(self, weights: np.ndarray) -> np.ndarray:
        """Draws of the share by which the observed total lies above the draw's, shape (D,)."""
        at = weights != 0
        return np.asarray(weights[at] @ self.y[at] / (self.draws.seen[:, at] @ weights[at]) - 1)

    def relative(self, weights: np.ndarray) -> dict[str, Any]:
        """The average effect over what was expected; without a number where that may be 0 or below."""
        at = weights != 0
        totals = self.draws.seen[:, at] @ weights[at]
        if totals.min() <= 0:
            return {"term": "relative"}
        expected = float(weights[at] @ self.draws.expected[:, at].mean(axis=0))
        estimate = float(weights[at] @ self.y[at]) / expected - 1
        return self._told("relative", estimate, self.relative_draws(weights))

    def _told(self, term: str, estimate: float, draws: np.ndarray) -> dict[str, Any]:
        low, high = np.quantile(draws, [(1 - self.level) / 2, (1 + self.level) / 2])
        spread = float(draws.std(ddof=1))
        return {
            "term": term,
            "estimate": estimate,
            "std_error": spread,
            "statistic": estimate / spread if spread > 0 else np.nan,
            "p_value": min(1.0, 2 * tail_area(draws)),
            "conf_low": float(low),
            "conf_high": float(high),
        }


def tail_area(draws: np.ndarray) -> float:
    """Share of draws of an effect on the rarer side of 0, the observed value counted as one."""
    return float((1 + min((draws <= 0).sum(), (draws >= 0).sum())) / (len(draws) + 1))


def covariance(columns: Mapping[int, np.ndarray], size: int) -> np.ndarray:
    """Covariance of the effects whose draws there are, shape (size, size); ``nan`` for the others."""
    out = np.full((size, size), np.nan)
    at = list(columns)
    out[np.ix_(at, at)] = np.atleast_2d(np.cov(np.stack(list(columns.values()))))
    return out


def shares_of_mean(drawn: np.ndarray, expected: float, level: float) -> dict[str, float] | None:
    """Limits of the average effect over the mean expected, as some programs print the relative effect.

    They take what was expected as known, so they hold the truth less often than the row ``relative``.
    """
    if expected <= 0:
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) / expected
    return {"low": float(low), "high": float(high)}
