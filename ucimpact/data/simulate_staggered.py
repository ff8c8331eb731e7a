r"""Made-up records of practices that join a service one wave after another, with the truth planted in them.

Practice :math:`i`, month :math:`t`, joining at :math:`T_i` (never: infinite), :math:`n_{it}` people on the
list, events counted among them:

.. math::
   \log \lambda_{it} = \log r + a_i + g_i t + s_{m(t)} + c_t + u_{it}, \qquad
   y_{it} \sim \text{NB}\bigl(n_{it} \lambda_{it} (1 + \delta_{t - T_i}), \; \phi\bigr), \qquad
   \delta_k = \delta \min\{1, (k + 1)/K\} \text{ for } k \ge 0

with a lasting level :math:`a_i` and a lasting drift :math:`g_i` of each practice, a winter :math:`s` and
month-to-month luck :math:`c_t` that all share, AR(1) shocks :math:`u_{it}` of its own, and counts whose
variance is :math:`\phi` times their mean. The service takes :math:`K` months to reach its full effect. Lists
of 2,000 to 20,000 people grow, shrink, and a few jump when a neighbour closes. Each admission has a price
with a long tail, and the pounds of a month are their sum.

The truth is what a report states, with the draw's own levels, drifts and shocks held: the difference between
the expected numbers with and without the service, in the practices and months in which it ran. Counting
noise is the only thing averaged over, so the truth of a draw is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.simulate import (
    DAYS,
    PER,
    WINTER,
    Draw,
    _practice_names,
    ar1,
    counts,
    floats,
)

SMALLEST, LARGEST = 2_000, 20_000
PRICE, PRICE_SHAPE = 2_400.0, 0.8
"""Mean pounds of an admission, and the shape of its gamma: a few cost ten times that."""
JUMPS = 0.08
"""Share of the lists that take in a closing neighbour's patients in some month."""
TYPICAL = 7_500.0
"""People on a list."""
PER_TOWN = 3


@dataclass(frozen=True, kw_only=True)
class StaggeredPractices:
    """Practices by month that join a service in waves; some never join.

    Parameters
    ----------
    units, pilots : int, default 60, 28
        Practices, and how many of them join.
    months : int, default 36
        Months of records.
    waves : tuple of int, default (15, 18, 21, 25, 28)
        Months in which practices join, counted from 0; as many in each as can be.
    first : str, default "2021-07"
        The first month.
    effect : float, default -0.12
        Relative change of emergency admissions once the service has settled in; a third of it in A&E.
    settling : int, default 3
        Months until the effect is whole.
    ar : float, default 0.5
        Autocorrelation of a practice's shocks from month to month.
    rate : float, default 8.5
        Emergency admissions per 1,000 people a month.
    level, drift, shock, luck : float
        Standard deviations of the log rate: between practices; of a practice's lasting change in a year; of
        its monthly shocks; of the months that all share.
    season : float, default 1.0
        Multiple of :data:`ucimpact.data.simulate.WINTER`.
    dispersion : float, default 1.2
        Variance of a count over its mean, given the rate.
    """

    units: int = 60
    pilots: int = 28
    months: int = 36
    waves: tuple[int, ...] = (15, 18, 21, 25, 28)
    first: str = "2021-07"
    effect: float = -0.12
    settling: int = 3
    ar: float = 0.5
    rate: float = 8.5
    level: float = 0.12
    drift: float = 0.015
    shock: float = 0.04
    luck: float = 0.03
    season: float = 1.0
    dispersion: float = 1.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "waves", tuple(self.waves))
        if not 0 < self.pilots < self.units:
            raise ValueError("needs practices that join and practices that never do")
        if not self.waves or min(self.waves) < 1 or max(self.waves) >= self.months:
            raise ValueError("every wave needs a month before it, and must lie in the records")
        if self.settling < 1:
            raise ValueError("settling is at least 1: the effect is whole at once")

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_lists, for_starts, *for_outcomes, for_prices = np.random.default_rng(seed).spawn(5)
        lists = self._lists(for_lists)
        start = self._starts(for_starts)
        since = np.arange(self.months) - start[:, None]
        running = since >= 0
        settled = np.clip((since + 1) / self.settling, 0.0, 1.0)
        month = pd.period_range(self.first, periods=self.months, freq="M")

        columns: dict[str, np.ndarray] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, name, rate, effect in (
            (for_outcomes[0], "emergency_admissions", self.rate, self.effect),
            (for_outcomes[1], "ae_attendances", 3.4 * self.rate, self.effect / 3),
        ):
            without = rate / PER * np.exp(self._log_rate(rng, month))
            change = effect * settled
            columns[name] = counts(rng, lists * without * (1 + change), self.dispersion)
            truth[name] = planted(lists[running], without[running], change[running], start)
        columns["admission_cost"] = _pounds(for_prices, columns["emergency_admissions"])
        admissions = truth["emergency_admissions"]
        truth["admission_cost"] = {
            **{name: PRICE * admissions[name] for name in ("att", "att_unit", "cumulative")},
            "relative": admissions["relative"],
            "log_att": admissions["log_att"],
        }
        joined = np.array([str(month[int(s)]) if np.isfinite(s) else "" for s in start], dtype=object)
        table = pd.DataFrame(
            {
                "practice": np.repeat(self._names(), self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), self.units),
                "joined": np.repeat(joined, self.months),
                "list_size": lists.reshape(-1),
                **{name: values.reshape(-1) for name, values in columns.items()},
            }
        )
        return Draw(table=table, truth={k: floats(v) for k, v in truth.items()})

    def _names(self) -> np.ndarray:
        towns = -(-self.units // PER_TOWN)
        names: np.ndarray = _practice_names(np.repeat(np.arange(towns), PER_TOWN), PER_TOWN)[: self.units]
        return names

    def _starts(self, rng: np.random.Generator) -> np.ndarray:
        """The month in which each practice joins, infinite for never, shape (units,)."""
        start = np.full(self.units, np.inf)
        chosen = rng.permutation(self.units)[: self.pilots]
        start[chosen] = np.resize(np.asarray(self.waves, dtype=float), self.pilots)
        return start

    def _lists(self, rng: np.random.Generator) -> np.ndarray:
        """People on each list each month, shape (units, months)."""
        base = np.clip(TYPICAL * np.exp(0.55 * rng.standard_normal(self.units)), SMALLEST, LARGEST)
        growth = 0.02 * rng.standard_normal(self.units)[:, None] * np.arange(self.months) / 12
        taking = rng.random(self.units) < JUMPS
        when = rng.integers(self.months // 4, self.months, self.units)
        jump = np.where(taking, rng.uniform(0.1, 0.3, self.units), 0.0)
        jumped = jump[:, None] * (np.arange(self.months) >= when[:, None])
        people = np.clip(base[:, None] * np.exp(growth + jumped), SMALLEST, LARGEST)
        return np.asarray(np.round(people).astype(np.int64))

    def _log_rate(self, rng: np.random.Generator, month: pd.PeriodIndex) -> np.ndarray:
        """What moves the rate but the service, shape (units, months)."""
        years = np.arange(self.months) / 12
        level = self.level * rng.standard_normal(self.units)
        drift = self.drift * rng.standard_normal(self.units)
        common = self.season * WINTER[month.month - 1] + self.luck * ar1(rng, 1, self.months, 0.3)[0]
        shock = self.shock * ar1(rng, self.units, self.months, self.ar)
        days = np.log(np.asarray(month.days_in_month) / DAYS)
        log_rate: np.ndarray = level[:, None] + drift[:, None] * years + common + shock + days
        return log_rate


def staggered_practices(seed: int, **design: Any) -> pd.DataFrame:
    """Practices by month, of the design of :class:`StaggeredPractices`."""
    return StaggeredPractices(**design).draw(seed).table


def planted(
    people: np.ndarray, without: np.ndarray, change: np.ndarray, start: np.ndarray
) -> dict[str, float]:
    """What the service did, from practices and months in which it ran.

    ``att`` is per 1,000 people a month, ``att_unit`` a practice and month, ``cumulative`` in events.
    """
    expected = float((people * without).sum())
    events = float((people * without * change).sum())
    return {
        "att": PER * events / float(people.sum()),
        "att_unit": events / len(people),
        "relative": events / expected,
        "cumulative": events,
        "log_att": float(np.log1p(events / expected)),
        "pilot_periods": float(len(people)),
        "pilot_units": float(np.isfinite(start).sum()),
    }


def _pounds(rng: np.random.Generator, admissions: np.ndarray) -> np.ndarray:
    """Pounds of that many admissions, each of a price with a long tail: the sum of gammas is a gamma."""
    drawn = rng.gamma(np.maximum(PRICE_SHAPE * admissions, 1e-12), PRICE / PRICE_SHAPE)
    pounds: np.ndarray = np.where(admissions > 0, np.round(drawn), 0.0).astype(np.int64)
    return pounds
