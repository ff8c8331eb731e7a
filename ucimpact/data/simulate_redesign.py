r"""Made-up records of neighbourhoods to which community money moves, much or half as much, and works late.

Neighbourhood :math:`i`, month :math:`t`, money of dose :math:`d_i` (0, 1/2 or 1) moving from month
:math:`T_i`, :math:`n_{it}` residents aged 65 or over:

.. math::
   \log \lambda_{it} = \log r + a_i + g_i t + s_{m(t)} + c_t + u_{it}, \qquad
   y_{it} \sim \text{NB}\bigl(n_{it} \lambda_{it} (1 + \delta\, d_i\, b(t - T_i)), \; \phi\bigr), \qquad
   b(k) = \min\{1, \max(0, (k - L + 1)/R)\}

Posts are advertised, filled and learned: for :math:`L` months nothing happens, and over :math:`R` more
the effect grows in equal steps. Half the money has half the effect. Who gets how much, and when, is
dealt at random.

The truth is the difference between the expected numbers with and without the money over the
neighbourhoods and months since it began to move, with the draw's own levels, drifts and shocks held:
for all who had it, for each dose, and for the months after the first half year alone. It is exact for a
draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ucimpact.data.simulate import DAYS, PER, TOWNS, WINTER, Draw, ar1, counts, floats
from ucimpact.data.simulate_staggered import planted

QUARTERS = ("North", "South", "East", "West")
DOSES = {"none": 0.0, "half": 0.5, "full": 1.0}


@dataclass(frozen=True, kw_only=True)
class CommunityRedesign:
    """Neighbourhoods by month, to which the money of community services moves in waves and doses.

    Parameters
    ----------
    units, full, half : int, default 72, 18, 18
        Neighbourhoods, and how many of them get all of the money and half of it.
    months : int, default 54
        Months of records.
    waves : tuple of int, default (21, 24, 27)
        Months in which the money begins to move, counted from 0.
    first : str, default "2021-07"
        The first month.
    effect : float, default -0.12
        Relative change of emergency admissions with all of the money, once it is whole.
    lag, ramp : int, default 6, 12
        Months in which nothing happens, and months over which the effect then grows.
    rate : float, default 21.0
        Emergency admissions per 1,000 people a month.
    level, drift, shock, luck : float
        Standard deviations of the log rate: between neighbourhoods; of a lasting change in a year; of
        monthly shocks; of the months that all share.
    ar : float, default 0.5
        Autocorrelation of a neighbourhood's shocks.
    dispersion : float, default 1.3
        Variance of a count over its mean, given the rate.
    """

    units: int = 72
    full: int = 18
    half: int = 18
    months: int = 54
    waves: tuple[int, ...] = (21, 24, 27)
    first: str = "2021-07"
    effect: float = -0.12
    lag: int = 6
    ramp: int = 12
    rate: float = 21.0
    level: float = 0.12
    drift: float = 0.02
    shock: float = 0.04
    luck: float = 0.03
    ar: float = 0.5
    dispersion: float = 1.3

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_people, for_money, *for_outcomes = np.random.default_rng(seed).spawn(4)
        t = np.arange(self.months)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        people = np.clip(6_500 * np.exp(0.35 * for_people.standard_normal(self.units)), 2_500, 15_000)
        people = np.round(people[:, None] * np.exp(0.012 * t / 12)).astype(np.int64)
        dealt = for_money.permutation(self.units)
        dose, start = np.full(self.units, "none", dtype=object), np.full(self.units, np.inf)
        dose[dealt[: self.full]] = "full"
        dose[dealt[self.full : self.full + self.half]] = "half"
        for kind in ("full", "half"):
            start[dose == kind] = np.resize(np.asarray(self.waves, dtype=float), int((dose == kind).sum()))
        since = t - start[:, None]
        share = np.array([DOSES[kind] for kind in dose])
        built = share[:, None] * np.clip((since - self.lag + 1) / self.ramp, 0.0, 1.0)
        running = since >= 0

        columns: dict[str, np.ndarray] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, name, rate, effect in (
            (for_outcomes[0], "emergency_admissions", self.rate, self.effect),
            (for_outcomes[1], "ae_attendances", 2.0 * self.rate, self.effect / 3),
        ):
            without = rate / PER * np.exp(self._log_rate(rng, month))
            change = effect * built
            columns[name] = counts(rng, people * without * (1 + change), self.dispersion).reshape(-1)
            groups = {
                name: running,
                f"{name}, full": running & (dose == "full")[:, None],
                f"{name}, half": running & (dose == "half")[:, None],
                f"{name}, after half a year": since >= self.lag,
            }
            for told, cells in groups.items():
                starts = np.where(cells.any(axis=1), start, np.inf)
                truth[told] = planted(people[cells], without[cells], change[cells], starts)
        table = pd.DataFrame(
            {
                "neighbourhood": np.repeat(self._names(), self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), self.units),
                "money_from": np.repeat(_months(month, start), self.months),
                "shift": np.repeat(dose, self.months),
                "residents_65": people.reshape(-1),
                **columns,
            }
        )
        return Draw(table=table, truth={k: floats(v) for k, v in truth.items()})

    def _names(self) -> np.ndarray:
        names = [f"{town} {quarter}" for town in TOWNS for quarter in QUARTERS]
        return np.array(names[: self.units], dtype=object)

    def _log_rate(self, rng: np.random.Generator, month: pd.PeriodIndex) -> np.ndarray:
        """What moves the rate but the money, shape (units, months)."""
        years = np.arange(self.months) / 12
        level = self.level * rng.standard_normal(self.units)
        drift = self.drift * rng.standard_normal(self.units)
        common = WINTER[month.month - 1] + self.luck * ar1(rng, 1, self.months, 0.3)[0]
        shock = self.shock * ar1(rng, self.units, self.months, self.ar)
        days = np.log(np.asarray(month.days_in_month) / DAYS)
        log_rate: np.ndarray = level[:, None] + drift[:, None] * years + common + shock + days
        return log_rate


def _months(month: pd.PeriodIndex, start: np.ndarray) -> np.ndarray:
    """The month of each start; empty for never."""
    return np.array([str(month[int(at)]) if np.isfinite(at) else "" for at in start], dtype=object)
