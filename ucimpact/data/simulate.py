r"""Made-up service data whose truth is known, as unkind as NHS data.

Two services. An acute visiting service that some of many practices join on one day, practice
:math:`i`, month :math:`t`, outcome counted among the :math:`n_{it}` people on the list:

.. math::
   \log \lambda_{it} = \log r + a_i + g_i t + s_{m(t)} + c_t + u_{it}, \qquad
   y_{it} \sim \text{NB}\bigl(n_{it} \lambda_{it} (1 + \delta D_{it}), \; \phi\bigr)

with a lasting level :math:`a_i` and a lasting drift :math:`g_i` of each practice, part of both shared
by its town, a winter :math:`s` and month-to-month luck :math:`c_t` that all share, AR(1) shocks
:math:`u_{it}` of its own, and counts whose variance is :math:`\phi` times their mean. List sizes
differ fivefold. And a crisis response in one area, per 1,000 residents :math:`n_t` a month:

.. math::
   \mu_t = b_0 + b_1 t + w_{y(t)} s_{m(t)} + e_t + (\ell + k (t - T)) D_t, \qquad
   y_t \sim \text{NB}(n_t \mu_t / 1000, \; \phi)

with AR(1) shocks :math:`e_t` and winters that are not all alike (:math:`w_y`). Months count for
their days, as those of the practices do.

The truth is the estimand that a report states, with the draw's own levels, drifts and shocks held:
the difference between the expected rates with and without the pilot. Counting noise is the only
thing averaged over, so the truth of a draw is exact.

The lean generators below them, :func:`gaussian_panel` and :func:`gaussian_series`, give the one
difficulty that a calibration turns: autocorrelation, unequal sizes, a lasting drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Sizes = Literal["equal", "unequal"]

PER = 1000.0
"""Rates are per 1,000 people a month."""

TOWNS = (
    "Alderquill", "Brackenstow", "Candlewick", "Dunnelbeck", "Elmsworthy", "Fernlowe",
    "Gallowmere", "Hazelthwick", "Inglemarsh", "Juniperley", "Kestrelford", "Larkhythe",
    "Merriwold", "Nettlecray", "Oakenstead", "Pennithorpe", "Quillham", "Rushenby",
    "Saltwhistle", "Thornebeck", "Umbermoor", "Vinterbourne", "Wrenhollow", "Yaffleton",
)  # fmt: skip
"""Invented places."""

DAYS = 365.25 / 12
"""Days in a mean month: a short February has fewer events."""

HOUSES = ("Surgery", "Medical Centre", "Health Centre", "Practice")

WINTER = np.array([0.085, 0.055, 0.035, 0.0, -0.015, -0.03, -0.04, -0.055, -0.04, -0.01, 0.025, 0.075])
"""Log ratio of each calendar month, January first, to the year's mean: a sharp winter, a long summer."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One made-up data set and the truth planted in it, by outcome and term."""

    table: pd.DataFrame
    truth: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class PracticePanel:
    """Practices by month; some join the service on one day, town by town.

    Parameters
    ----------
    units, pilots, per_town : int, default 40, 12, 2
        Practices, how many of them join, and practices in a town. A town joins whole.
    months, before : int, default 24, 12
        Months of records, and how many of them before the pilot.
    first : str, default "2022-04"
        The first month.
    effect : float, default -0.12
        Relative change of emergency admissions in practices that joined; half of it in A&E.
    ar : float, default 0.5
        Autocorrelation of a practice's shocks from month to month.
    sizes : {"unequal", "equal"}, default "unequal"
        Lists of 900 to 4,500 people, or all of 2,200.
    rate : float, default 20.0
        Emergency admissions per 1,000 people a month.
    level, drift, shock, luck : float
        Standard deviations of the log rate: between practices; of a practice's lasting change in a
        year; of its monthly shocks; of the months that all share.
    season : float, default 1.0
        Multiple of :data:`WINTER`.
    dispersion : float, default 1.3
        Variance of a count over its mean, given the rate.
    """

    units: int = 40
    pilots: int = 12
    per_town: int = 2
    months: int = 24
    before: int = 12
    first: str = "2022-04"
    effect: float = -0.12
    ar: float = 0.5
    sizes: Sizes = "unequal"
    rate: float = 20.0
    level: float = 0.12
    drift: float = 0.03
    shock: float = 0.05
    luck: float = 0.03
    season: float = 1.0
    dispersion: float = 1.3

    def __post_init__(self) -> None:
        if self.units % self.per_town or self.pilots % self.per_town:
            raise ValueError(f"towns of {self.per_town} practices join whole: change units or pilots")
        if not 0 < self.pilots < self.units or not 0 < self.before < self.months:
            raise ValueError("needs pilot and comparison practices, and months before and after")

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_lists, for_places, *for_outcomes = np.random.default_rng(seed).spawn(4)
        lists = self._lists(for_lists)
        towns = self.units // self.per_town
        town = np.repeat(np.arange(towns), self.per_town)
        joins = np.isin(town, for_places.permutation(towns)[: self.pilots // self.per_town])
        running = joins[:, None] & (np.arange(self.months) >= self.before)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        start = month[self.before]

        columns: dict[str, np.ndarray] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, name, rate, effect in (
            (for_outcomes[0], "emergency_admissions", self.rate, self.effect),
            (for_outcomes[1], "ae_attendances", 2.1 * self.rate, self.effect / 2),
        ):
            without = rate / PER * np.exp(self._log_rate(rng, town, month))
            count = counts(rng, lists * without * np.where(running, 1 + effect, 1.0), self.dispersion)
            columns[name] = count.reshape(-1)
            change = PER * without[running] * effect
            people = lists[running]
            att = np.average(change, weights=people)
            expected = PER * np.average(without[running], weights=people)
            truth[name] = {
                "att": att,
                "relative": att / expected,
                "cumulative": float((people * change).sum()) / PER,
                "log_att": float(np.log1p(effect)),
            }
        table = pd.DataFrame(
            {
                "practice": np.repeat(_practice_names(town, self.per_town), self.months),
                "town": np.repeat(_town_names(towns)[town], self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), self.units),
                "joined": np.repeat(np.where(joins, str(start), ""), self.months),
                "list_size": lists.reshape(-1),
                **columns,
            }
        )
        return Draw(table=table, truth={k: floats(v) for k, v in truth.items()})

    def _lists(self, rng: np.random.Generator) -> np.ndarray:
        """People on each list each month, shape (units, months): slow growth, leavers and joiners."""
        drawn = np.clip(2200 * np.exp(0.45 * rng.standard_normal(self.units)), 900, 4500)
        base = drawn if self.sizes == "unequal" else np.full(self.units, 2200.0)
        growth = 0.015 * rng.standard_normal(self.units)[:, None] * np.arange(self.months) / 12
        people: np.ndarray = np.round(base[:, None] * np.exp(growth)).astype(np.int64)
        return people

    def _log_rate(self, rng: np.random.Generator, town: np.ndarray, month: pd.PeriodIndex) -> np.ndarray:
        """What moves the rate but the pilot, shape (units, months)."""
        years = np.arange(self.months) / 12
        level = self.level * _shared(rng, town, 0.3)
        drift = self.drift * _shared(rng, town, 0.2)
        common = self.season * WINTER[month.month - 1] + self.luck * ar1(rng, 1, self.months, 0.3)[0]
        shock = self.shock * ar1(rng, self.units, self.months, self.ar)
        days = np.log(np.asarray(month.days_in_month) / DAYS)
        log_rate: np.ndarray = level[:, None] + drift[:, None] * years + common + shock + days
        return log_rate


@dataclass(frozen=True, kw_only=True)
class MonthlySeries:
    """One area by month, with a winter, a trend and a service that starts on one day.

    Parameters
    ----------
    months, before : int, default 60, 36
        Months of records, and how many of them before the service.
    first : str, default "2021-07"
        The first month.
    level_change, slope_change : float, default -2.2, -0.03
        The effect on the rate per 1,000 in the first month, and what each further month adds.
    ar : float, default 0.4
        Autocorrelation of the shocks from month to month.
    residents : int, default 140,000
        People in the area in the first month; they grow by 1.2% a year.
    rate, trend : float, default 21.0, 0.02
        Admissions per 1,000 people a month at the start, and what each month adds.
    season : float, default 1.0
        Multiple of :data:`WINTER`.
    winters : float, default 0.2
        Standard deviation of a winter's strength: no two are alike.
    shock : float, default 0.4
        Standard deviation of the shocks, per 1,000.
    dispersion : float, default 1.5
        Variance of a count over its mean, given the rate.
    """

    months: int = 60
    before: int = 36
    first: str = "2021-07"
    level_change: float = -2.2
    slope_change: float = -0.03
    ar: float = 0.4
    residents: int = 140_000
    rate: float = 21.0
    trend: float = 0.02
    season: float = 1.0
    winters: float = 0.2
    shock: float = 0.4
    dispersion: float = 1.5

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_winters, for_shocks, for_counts = np.random.default_rng(seed).spawn(3)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        t = np.arange(self.months)
        winter = np.asarray(month.year + (month.month >= 7)) - month[0].year
        strength = 1 + self.winters * for_winters.standard_normal(winter.max() + 1)[winter]
        without = self.rate * np.exp(self.season * strength * WINTER[month.month - 1]) + self.trend * t
        without = without + self.shock * ar1(for_shocks, 1, self.months, self.ar)[0]
        since = t - self.before
        effect = np.where(since >= 0, self.level_change + self.slope_change * since, 0.0)
        residents = np.round(self.residents * np.exp(0.012 * t / 12)).astype(np.int64)
        exposure = residents * np.asarray(month.days_in_month) * 12 / 365.25
        count = counts(for_counts, exposure * (without + effect) / PER, self.dispersion)

        after = since >= 0
        truth = {
            "average": effect[after].mean(),
            "level_change": self.level_change,
            "slope_change": self.slope_change,
            "cumulative": (effect[after] * exposure[after]).sum() / PER,
            "relative": effect[after].mean() / without[after].mean(),
        }
        table = pd.DataFrame(
            {
                "month": np.asarray(month.astype(str), dtype=object),
                "residents": residents,
                "emergency_admissions": count,
            }
        )
        return Draw(table=table, truth={"emergency_admissions": floats(truth)})


def practice_panel(seed: int, **design: Any) -> pd.DataFrame:
    """Practices by month, of the design of :class:`PracticePanel`."""
    return PracticePanel(**design).draw(seed).table


def monthly_series(seed: int, **design: Any) -> pd.DataFrame:
    """One area by month, of the design of :class:`MonthlySeries`."""
    return MonthlySeries(**design).draw(seed).table


# -- lean generators for calibration ---------------------------------------------------------


def gaussian_panel(
    rng: np.random.Generator,
    *,
    units: int,
    pilots: int,
    months: int = 24,
    before: int = 12,
    ar: float = 0.5,
    sizes: Sizes = "equal",
    drift: float = 0.5,
    effect: float = 0.0,
) -> pd.DataFrame:
    r"""Units by period with Gaussian AR(1) noise, the first ``pilots`` of a random order treated.

    The change of unit i from before to after has variance :math:`A + B / n_i`: a lasting drift
    (:math:`A`, of standard deviation ``drift``) beside AR(1) noise of standard deviation
    :math:`\sqrt{n / n_i}` around a median size n. Equal sizes: the second is the same for all.

    Returns
    -------
    DataFrame
        ``unit, period, start, size, y``; ``start`` is 0 for a unit that never starts.
    """
    size = np.full(units, 1500.0)
    if sizes == "unequal":
        size = np.round(np.clip(1500 * np.exp(0.6 * rng.standard_normal(units)), 300, 6000))
    noise = np.sqrt(1500.0 / size)[:, None] * ar1(rng, units, months, ar)
    after = np.arange(months) >= before
    treated = np.isin(np.arange(units), rng.permutation(units)[:pilots])
    y = 20 + 2 * rng.standard_normal(units)[:, None] + rng.standard_normal(months) + noise
    y += (drift * rng.standard_normal(units) + effect * treated)[:, None] * after
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), months),
            "period": np.tile(np.arange(1, months + 1), units),
            "start": np.repeat(np.where(treated, before + 1, 0), months),
            "size": np.repeat(size, months),
            "y": y.reshape(-1),
        }
    )


def gaussian_series(
    rng: np.random.Generator,
    *,
    n: int,
    rho: float,
    before: int | None = None,
    level_change: float = 0.0,
    slope_change: float = 0.0,
) -> pd.DataFrame:
    """Months from January 2010 with AR(1) noise of standard deviation 1 about a rising line.

    Returns
    -------
    DataFrame
        ``period, y``; the pilot starts in row ``before``, which is three fifths of ``n`` unless given.
    """
    before = round(0.6 * n) if before is None else before
    t = np.arange(n)
    effect = np.where(t >= before, level_change + slope_change * (t - before), 0.0)
    month = pd.period_range("2010-01", periods=n, freq="M").astype(str)
    return pd.DataFrame({"period": month, "y": 100 + 0.1 * t + effect + ar1(rng, 1, n, rho)[0]})


# -- parts ---------------------------------------------------------------------------------------


def ar1(rng: np.random.Generator, rows: int, length: int, rho: float) -> np.ndarray:
    """Stationary AR(1) paths of variance 1, shape (rows, length)."""
    out = rng.standard_normal((rows, length))
    out[:, 1:] *= np.sqrt(1 - rho**2)
    for t in range(1, length):
        out[:, t] += rho * out[:, t - 1]
    return out


def _shared(rng: np.random.Generator, group: np.ndarray, share: float) -> np.ndarray:
    """Standard normals of which ``share`` of the variance is common to a group."""
    common = rng.standard_normal(group.max() + 1)[group]
    own = rng.standard_normal(len(group))
    mixed: np.ndarray = np.sqrt(share) * common + np.sqrt(1 - share) * own
    return mixed


def counts(rng: np.random.Generator, mean: np.ndarray, dispersion: float) -> np.ndarray:
    """Counts whose variance is ``dispersion`` times their mean."""
    if dispersion > 1:
        mean = rng.gamma(mean / (dispersion - 1), dispersion - 1)
    drawn: np.ndarray = rng.poisson(mean)
    return drawn


def _town_names(towns: int) -> np.ndarray:
    names = [
        TOWNS[i % len(TOWNS)] + (f" {i // len(TOWNS) + 1}" if i >= len(TOWNS) else "") for i in range(towns)
    ]
    return np.array(names, dtype=object)


def _practice_names(town: np.ndarray, per_town: int) -> np.ndarray:
    places = _town_names(int(town.max()) + 1)[town]
    within = np.tile(np.arange(per_town), len(town) // per_town)
    houses = [
        HOUSES[k % len(HOUSES)] + (f" {k // len(HOUSES) + 1}" if k >= len(HOUSES) else "") for k in within
    ]
    return np.array([f"{place} {house}" for place, house in zip(places, houses, strict=True)], dtype=object)


def floats(values: dict[str, Any]) -> dict[str, float]:
    """The values as plain numbers."""
    return {name: float(value) for name, value in values.items()}
