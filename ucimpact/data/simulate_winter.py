r"""Made-up records of areas in several winters, some of which are given money for one winter's discharges.

Area :math:`i`, month :math:`t`, :math:`n_{it}` residents aged 65 or over, the money in the last months
alone:

.. math::
   \log \lambda_{it} = \log r + a_i + g_i t + w_{y(t)} v_{i y(t)} s_{m(t)} + c_t + u_{it}, \qquad
   y_{it} \sim \text{NB}\bigl(n_{it} \lambda_{it} (1 + \delta D_{it}), \; \phi\bigr)

No two winters are alike: :math:`w_y` is the strength of a winter for all areas, :math:`v_{iy}` what an
area makes of it. So three months of one area against its own past mistake a mild winter for an effect,
and a comparison with other areas in the same winter does not. Levels :math:`a`, lasting drifts
:math:`g`, months that all share :math:`c`, AR(1) shocks :math:`u`, and a variance :math:`\phi` times
the mean, as days come by the stay.

The areas with money are like the others here; in truth it often goes where delays were worst, and then
part of a fall is what a bad year gives back by itself.

The truth is the difference between the expected numbers with and without the money in the areas and
months that had it, and in the first of them alone, with the draw's own levels, drifts, winters and
shocks held: exact for a draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ucimpact.data.simulate import DAYS, PER, TOWNS, WINTER, Draw, ar1, counts, floats
from ucimpact.data.simulate_staggered import planted

WINTER_MONTHS = (12, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is counted: its rate per 1,000 a month, how winters move it, and the relative change planted."""

    rate: float
    effect: float = 0.0
    dispersion: float = 1.5
    season: float = 1.0


MEASURES = {
    "delayed_days": Measure(rate=15.0, effect=-0.12, dispersion=8.0, season=2.5),
    "emergency_readmissions": Measure(rate=3.6),
    "care_home_admissions": Measure(rate=1.7, effect=0.06, season=0.5),
}


@dataclass(frozen=True, kw_only=True)
class WinterFund:
    """Areas by month over five winters, some with the money of the last.

    Parameters
    ----------
    areas, funded : int, default 30, 6
        Areas, and how many of them get the money.
    months : int, default 56
        Months of records, the last three of which are those of the money.
    first : str, default "2021-07"
        The first month.
    measures : dict
        By column: rate, planted change, dispersion, times :data:`~ucimpact.data.simulate.WINTER`.
    winters, own : float, default 0.3, 0.15
        Standard deviations of a winter's strength for all areas, and of what an area makes of it.
    level, drift, shock, luck : float
        Standard deviations of the log rate: between areas; of an area's lasting change in a year; of its
        monthly shocks; of the months that all share.
    ar : float, default 0.4
        Autocorrelation of an area's shocks.
    """

    areas: int = 30
    funded: int = 6
    months: int = 56
    first: str = "2021-07"
    measures: dict[str, Measure] = field(default_factory=lambda: dict(MEASURES))
    winters: float = 0.3
    own: float = 0.15
    level: float = 0.15
    drift: float = 0.02
    shock: float = 0.05
    luck: float = 0.02
    ar: float = 0.4

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_people, for_winters, *for_measures = np.random.default_rng(seed).spawn(2 + len(self.measures))
        t = np.arange(self.months)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        names = np.array([f"{town}shire" for town in TOWNS] + [f"{town} Vale" for town in TOWNS])
        people = np.clip(70_000 * np.exp(0.4 * for_people.standard_normal(self.areas)), 25_000, 180_000)
        people = np.round(people[:, None] * np.exp(0.015 * t / 12)).astype(np.int64)
        given = np.arange(self.areas) < self.funded  # areas come in no order but their names
        running = given[:, None] & (t >= self.months - len(WINTER_MONTHS))
        season = self._seasons(for_winters, month)

        columns: dict[str, np.ndarray] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, (name, measure) in zip(for_measures, self.measures.items(), strict=True):
            without = measure.rate / PER * np.exp(measure.season * season + self._log_rate(rng, month))
            change = measure.effect * running
            drawn = counts(rng, people * without * (1 + change), measure.dispersion)
            columns[name] = drawn.reshape(-1)
            first = running & (np.arange(self.areas) == 0)[:, None]
            for told, cells in ((name, running), (f"{name}, {names[0]}", first)):
                starts = np.where(cells.any(axis=1), 0, np.inf)
                truth[told] = planted(people[cells], without[cells], change[cells], starts)
        table = pd.DataFrame(
            {
                "area": np.repeat(names[: self.areas].astype(object), self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), self.areas),
                "money_from": np.repeat(
                    np.where(given, str(month[-len(WINTER_MONTHS)]), "").astype(object), self.months
                ),
                "residents_65": people.reshape(-1),
                **columns,
            }
        )
        return Draw(table=table, truth={k: floats(v) for k, v in truth.items()})

    def _seasons(self, rng: np.random.Generator, month: pd.PeriodIndex) -> np.ndarray:
        """The log ratio of each area's months to its year, shape (areas, months)."""
        winter = np.asarray(month.year + (month.month >= 7)) - month[0].year
        many = winter.max() + 1
        strength = 1 + self.winters * rng.standard_normal(many)
        made = strength + self.own * rng.standard_normal((self.areas, many))
        season: np.ndarray = made[:, winter] * WINTER[month.month - 1]
        return season

    def _log_rate(self, rng: np.random.Generator, month: pd.PeriodIndex) -> np.ndarray:
        """What moves the rate but the season and the money, shape (areas, months)."""
        years = np.arange(self.months) / 12
        level = self.level * rng.standard_normal(self.areas)
        drift = self.drift * rng.standard_normal(self.areas)
        common = self.luck * ar1(rng, 1, self.months, 0.3)[0]
        shock = self.shock * ar1(rng, self.areas, self.months, self.ar)
        days = np.log(np.asarray(month.days_in_month) / DAYS)
        log_rate: np.ndarray = level[:, None] + drift[:, None] * years + common + shock + days
        return log_rate
