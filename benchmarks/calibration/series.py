r"""Series with a level and a slope change planted, under errors of several laws.

Errors :math:`u_t` have variance 1:

- ``ar1``: :math:`u_t = \rho u_{t-1} + \epsilon_t`;
- ``ar2``: :math:`u_t = \phi_1 u_{t-1} + 0.25\, u_{t-2} + \epsilon_t` with :math:`\phi_1 = 0.75 \rho`, so that
  neighbours are correlated :math:`\rho`;
- ``noise``: an AR(1) with 40% of the variance measured anew each month.

Counts have a latent AR(1) log rate and variance ``dispersion`` times their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ucimpact.data.series import Series
from ucimpact.data.simulate import WINTER, ar1, counts

Law = Literal["ar1", "ar2", "noise"]
LEVEL, SLOPE = 2.0, 0.1
"""Planted in Gaussian months."""
LOG_LEVEL, LOG_SLOPE = -0.1, -0.05 / 12
"""Planted in counts."""
LATENT_SD = 0.1
NOISE = 0.4
SECOND = 0.25
SETTLING = 200
"""Periods before the first, after which an AR(2) has forgotten where it began."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A series with the truth of each effect, and the row in which the pilot starts."""

    series: Series
    truth: dict[str, float]
    before: int


@dataclass(frozen=True, kw_only=True)
class GaussianMonths:
    """Months about a rising line, three fifths of them before the pilot."""

    months: int
    rho: float
    law: Law = "ar1"

    def draw(self, seed: int) -> Drawn:
        """The series of a seed and what was planted."""
        code = ("ar1", "ar2", "noise").index(self.law)
        rng = np.random.default_rng([self.months, 100 + round(10 * self.rho), code, seed])
        t, before = np.arange(self.months), round(0.6 * self.months)
        effect = np.where(t >= before, LEVEL + SLOPE * (t - before), 0.0)
        month = pd.period_range("2000-01", periods=self.months, freq="M").astype(str)
        table = pd.DataFrame({"period": month, "y": 100 + 0.1 * t + effect + self._errors(rng)})
        truth = {
            "level_change": LEVEL,
            "slope_change": SLOPE,
            "average": float(effect[before:].mean()),
            "cumulative": float(effect.sum()),
        }
        return Drawn(series=Series(table, start=month[before]), truth=truth, before=before)

    def _errors(self, rng: np.random.Generator) -> np.ndarray:
        if self.law == "ar2":
            return _ar2(rng, self.months, 0.75 * self.rho, SECOND)
        carried = ar1(rng, 1, self.months, self.rho)[0]
        if self.law == "ar1":
            return carried
        return np.asarray(np.sqrt(1 - NOISE) * carried + np.sqrt(NOISE) * rng.standard_normal(self.months))


def _ar2(rng: np.random.Generator, n: int, first: float, second: float) -> np.ndarray:
    """A stationary AR(2) of variance 1, shape (n,)."""
    neighbour = first / (1 - second)
    sigma = np.sqrt(1 - first * neighbour - second * (first * neighbour + second))
    out = np.zeros(n + SETTLING)
    shocks = sigma * rng.standard_normal(n + SETTLING)
    for at in range(2, len(out)):
        out[at] = first * out[at - 1] + second * out[at - 2] + shocks[at]
    return out[SETTLING:]


@dataclass(frozen=True, kw_only=True)
class CountMonths:
    """Counts a month of some mean, with a winter, three fifths of them before the pilot."""

    months: int
    mean: float
    dispersion: float
    rho: float

    def draw(self, seed: int) -> Drawn:
        """The series of a seed and what was planted."""
        code = [self.months, round(self.mean), round(10 * self.dispersion), 100 + round(10 * self.rho), seed]
        rng = np.random.default_rng(code)
        t, before = np.arange(self.months), round(0.6 * self.months)
        since = t - before
        month = pd.period_range("2000-01", periods=self.months, freq="M")
        log_effect = np.where(since >= 0, LOG_LEVEL + LOG_SLOPE * since, 0.0)
        people = np.round(50_000 * np.exp(0.012 * t / 12))
        days = np.asarray(month.days_in_month) * 12 / 365.25
        season = WINTER[month.month - 1] if self.months >= 40 else 0.0
        # the line is planted so that the mean over the series is near the one asked for
        log_rate = np.log(self.mean / 50_000) + 0.01 * (t - self.months / 2) / 12 + season
        log_rate = log_rate + LATENT_SD * ar1(rng, 1, self.months, self.rho)[0]
        expected = people * days * np.exp(log_rate)
        table = pd.DataFrame(
            {
                "period": month.astype(str),
                "residents": people,
                "y": counts(rng, expected * np.exp(log_effect), self.dispersion),
            }
        )
        after = since >= 0
        # the ratio of sums: what the latent shocks do to both is left in their mean
        weights = (people * days * np.exp(np.log(self.mean) + season + 0.01 * t / 12))[after]
        theta = float(np.log(np.average(np.exp(log_effect[after]), weights=weights)))
        truth = {"log_level_change": LOG_LEVEL, "log_slope_change": LOG_SLOPE, "log_average": theta}
        series = Series(table, start=table["period"][before], population="residents")
        return Drawn(series=series, truth=truth, before=before)
