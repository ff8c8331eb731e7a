r"""Made-up series whose truth is known: a service beside a neighbour, a changed definition, many sites.

**Crisis response.** An area and its neighbour, per 1,000 residents :math:`n_t` a month:

.. math::
   \mu_t = (b_0 + b_1 t)\, e^{w_{y(t)} s_{m(t)} + v_t} + e_t + \delta_t, \qquad
   y_t \sim \text{NB}(n_t \mu_t / 1000, \; \phi)

with winters that are not all alike (:math:`w_y`, the same for both), the pandemic months :math:`v_t`,
AR(1) shocks :math:`e_t` of which a share is common to both, and the effect :math:`\delta_t` of the pilot
area alone: it grows in equal steps while the team is built up and is a level and a slope from then on.

**Delayed transfers.** Delayed days of one hospital system, counted under a narrower definition from one month
on, and a service that starts later:

.. math::
   \log \lambda_t = a + b t + s_{m(t)} + u_t + d\,1\{t \ge T_d\} + \delta\,1\{t \ge T\}, \qquad
   y_t \sim \text{NB}(n_t \lambda_t, \; \phi)

**Common measures over sites.** The same law for each of several measures :math:`k` at each site :math:`i`,
with a level, trend, season and AR(1) of its own, and an effect
:math:`\delta_{ik} \sim N(\delta_k, \tau^2)` from the site's own start.

The truth of the first is the difference between the expected rates with and without the service over the
months that are analysed; of the second the ratio and the expected number; of the third the mean
:math:`\delta_k` over sites like these, on the log scale and as a share.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ucimpact.data.simulate import DAYS, PER, WINTER, Draw, ar1, counts, floats

PANDEMIC_MONTHS = 16
"""March 2020 to June 2021."""

SITES = (
    "Ashcombe", "Birchover", "Cleverstoke", "Dovemarsh", "Eskerby", "Foxholt",
    "Greyfen", "Hollinside", "Ivelham", "Jarrowden", "Kelderwick", "Lintonmere",
)  # fmt: skip
"""Invented places."""


@dataclass(frozen=True, kw_only=True)
class CrisisResponse:
    """One area by month beside its neighbour, through the pandemic, with a service that is built up.

    Parameters
    ----------
    months, before : int, default 108, 84
        Months of records, and how many of them before the service.
    first : str, default "2017-07"
        The first month.
    building : int, default 3
        Months in which the team is built up and the effect grows.
    level_change, slope_change : float, default -2.2, -0.03
        The effect on the rate per 1,000 had the team been whole in the first month, and what each further
        month adds.
    ar, shared : float, default 0.4, 0.5
        Autocorrelation of the shocks, and the share of their variance that the neighbour has too.
    residents, neighbours : int, default 140,000, 190,000
        People in the two areas in the first month; they grow by 1.2% a year.
    rate, trend : float, default 21.0, 0.02
        Admissions per 1,000 people a month at the start, and what each month adds.
    winters : float, default 0.2
        Standard deviation of a winter's strength: no two are alike.
    pandemic : float, default -0.4
        Log ratio in the worst month; it fades over the sixteen.
    shock : float, default 0.4
        Standard deviation of the shocks, per 1,000.
    dispersion : float, default 1.5
        Variance of a count over its mean, given the rate.
    """

    months: int = 108
    before: int = 84
    first: str = "2017-07"
    building: int = 3
    level_change: float = -2.2
    slope_change: float = -0.03
    ar: float = 0.4
    shared: float = 0.5
    residents: int = 140_000
    neighbours: int = 190_000
    rate: float = 21.0
    trend: float = 0.02
    winters: float = 0.2
    pandemic: float = -0.4
    shock: float = 0.4
    dispersion: float = 1.5

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_winters, for_shocks, for_counts = np.random.default_rng(seed).spawn(3)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        t = np.arange(self.months)
        winter = np.asarray(month.year + (month.month >= 7)) - month[0].year
        strength = 1 + self.winters * for_winters.standard_normal(winter.max() + 1)[winter]
        season = strength * WINTER[month.month - 1] + self.pandemic * pandemic_months(month)
        common, own, theirs = ar1(for_shocks, 3, self.months, self.ar)
        share, rest = np.sqrt(self.shared), np.sqrt(1 - self.shared)
        since = t - self.before
        built = np.clip((since + 1) / (self.building + 1), 0, 1)
        effect = built * np.where(since >= 0, self.level_change + self.slope_change * since, 0.0)
        days = np.asarray(month.days_in_month) / DAYS

        columns: dict[str, np.ndarray] = {"month": np.asarray(month.astype(str), dtype=object)}
        without = np.zeros(self.months)
        exposure = np.zeros(self.months)
        for name, people, level, noise, change in (
            ("", self.residents, self.rate, own, effect),
            ("neighbour_", self.neighbours, 0.94 * self.rate, theirs, np.zeros(self.months)),
        ):
            mean = (level + self.trend * t) * np.exp(season) + self.shock * (share * common + rest * noise)
            there = np.round(people * np.exp(0.012 * t / 12)).astype(np.int64)
            columns[f"{name}residents"] = there
            columns[f"{name}emergency_admissions"] = counts(
                for_counts, there * days * (mean + change) / PER, self.dispersion
            )
            if not name:
                without, exposure = mean, there * days
        after = since >= self.building
        truth = {
            "average": effect[after].mean(),
            "level_change": effect[after][0],
            "slope_change": self.slope_change,
            "cumulative": (effect[after] * exposure[after]).sum() / PER,
            "relative": effect[after].mean() / without[after].mean(),
        }
        return Draw(table=pd.DataFrame(columns), truth={"emergency_admissions": floats(truth)})


def pandemic_months(month: pd.PeriodIndex) -> np.ndarray:
    """How hard the pandemic lay on each month: 1 in the second, fading to a quarter; 0 outside."""
    k = np.asarray((month.year - 2020) * 12 + month.month - 3)
    inside = (k >= 0) & (k < PANDEMIC_MONTHS)
    weight = np.where(k == 0, 0.5, 0.25 + 0.75 * np.exp(-(k - 1) / 4.0))
    return np.where(inside, weight, 0.0)


@dataclass(frozen=True, kw_only=True)
class DelayedTransfers:
    """Delayed days of one hospital system, with a definition that changes before the service starts.

    Parameters
    ----------
    months, changed, before : int, default 83, 48, 66
        Months of records; how many of them under the first definition; how many before the service.
    first : str, default "2013-04"
        The first month.
    definition : float, default -0.25
        Log ratio of the narrower definition to the first.
    effect : float, default -0.16
        Log ratio of the service.
    residents : int, default 118,000
        People aged 65 or over in the first month; they grow by 1.5% a year.
    rate, trend : float, default 16.0, 0.003
        Delayed days per 1,000 people a month at the start, and the log ratio that each month adds.
    season : float, default 0.8
        Multiple of :data:`~ucimpact.data.simulate.WINTER`.
    ar, shock : float, default 0.4, 0.06
        Autocorrelation and standard deviation of the log rate's shocks.
    dispersion : float, default 6.0
        Variance of a count over its mean, given the rate: days come by the stay.
    """

    months: int = 83
    changed: int = 48
    before: int = 66
    first: str = "2013-04"
    definition: float = -0.25
    effect: float = -0.16
    residents: int = 118_000
    rate: float = 16.0
    trend: float = 0.003
    season: float = 0.8
    ar: float = 0.4
    shock: float = 0.06
    dispersion: float = 6.0

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_shocks, for_counts = np.random.default_rng(seed).spawn(2)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        t = np.arange(self.months)
        after = t >= self.before
        log_rate = np.log(self.rate / PER) + self.trend * t + self.season * WINTER[month.month - 1]
        log_rate = log_rate + self.shock * ar1(for_shocks, 1, self.months, self.ar)[0]
        log_rate = log_rate + self.definition * (t >= self.changed)
        residents = np.round(self.residents * np.exp(0.015 * t / 12)).astype(np.int64)
        without = residents * np.asarray(month.days_in_month) / DAYS * np.exp(log_rate)
        days = counts(for_counts, without * np.exp(self.effect * after), self.dispersion)
        avoided = without[after].sum() * np.expm1(self.effect)
        truth = {
            "log_average": self.effect,
            "relative": np.expm1(self.effect),
            "cumulative": avoided,
            "average": avoided / after.sum(),
        }
        table = pd.DataFrame(
            {
                "month": np.asarray(month.astype(str), dtype=object),
                "residents": residents,
                "counted_as": np.where(t < self.changed, "2013 guidance", "2017 guidance"),
                "delayed_days": days,
            }
        )
        return Draw(table=table, truth={"delayed_days": floats(truth)})


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure that all sites share: its rate per 1,000 a month and the mean log ratio planted in it."""

    rate: float
    effect: float = 0.0
    dispersion: float = 1.5


MEASURES = {
    "emergency_admissions": Measure(rate=21.0, effect=-0.06),
    "ae_attendances": Measure(rate=38.0),
    "ambulance_conveyances": Measure(rate=15.0, effect=-0.05),
    "readmissions": Measure(rate=3.4),
    "emergency_bed_days": Measure(rate=160.0, effect=-0.08, dispersion=12.0),
    "delayed_days": Measure(rate=14.0, dispersion=6.0),
    "care_home_admissions": Measure(rate=1.6),
    "injuries_from_falls": Measure(rate=2.2),
}


@dataclass(frozen=True, kw_only=True)
class VanguardSites:
    """Sites by month that start a new model of care one after another, with measures they share.

    Parameters
    ----------
    months, first : int, str, default 60, "2012-04"
    starts : tuple of int, default (36, 39, 42)
        Months before the service, dealt to the sites in turn.
    between : float, default 0.03
        Standard deviation of the log ratio over sites.
    measures : dict
        By column: rate, planted mean log ratio, dispersion.
    ar, shock : float, default 0.3, 0.03
        Autocorrelation and standard deviation of the log rate's shocks.
    """

    months: int = 60
    first: str = "2012-04"
    starts: tuple[int, ...] = (36, 39, 42)
    between: float = 0.03
    measures: dict[str, Measure] = field(default_factory=lambda: dict(MEASURES))
    ar: float = 0.3
    shock: float = 0.03

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_sites, *for_measures = np.random.default_rng(seed).spawn(1 + len(self.measures))
        sites, t = len(SITES), np.arange(self.months)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        before = np.array(self.starts)[np.arange(sites) % len(self.starts)]
        people = np.clip(45_000 * np.exp(0.5 * for_sites.standard_normal(sites)), 18_000, 110_000)
        people = np.round(people[:, None] * np.exp(0.013 * t / 12)).astype(np.int64)
        exposure = people * np.asarray(month.days_in_month) / DAYS
        table = pd.DataFrame(
            {
                "site": np.repeat(np.array(SITES, dtype=object), self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), sites),
                "joined": np.repeat(np.asarray(month[before].astype(str), dtype=object), self.months),
                "residents": people.reshape(-1),
            }
        )
        truth = {}
        for rng, (name, measure) in zip(for_measures, self.measures.items(), strict=True):
            level = np.log(measure.rate / PER) + 0.15 * rng.standard_normal(sites)
            trend = (0.02 + 0.015 * rng.standard_normal(sites)) / 12
            winter = np.clip(1 + 0.3 * rng.standard_normal(sites), 0.2, None)
            log_rate = level[:, None] + trend[:, None] * t + winter[:, None] * WINTER[month.month - 1]
            log_rate = log_rate + self.shock * ar1(rng, sites, self.months, self.ar)
            effect = measure.effect + self.between * rng.standard_normal(sites)
            with_it = t >= before[:, None]
            expected = exposure * np.exp(log_rate) * with_it
            added = float((expected * np.expm1(effect)[:, None]).sum())
            log_rate = log_rate + effect[:, None] * with_it
            table[name] = counts(rng, exposure * np.exp(log_rate), measure.dispersion).reshape(-1)
            truth[name] = floats(
                {
                    "cumulative": added,
                    "relative": added / expected.sum(),
                    "site_average": np.expm1(measure.effect),
                    "log_site_average": measure.effect,
                }
            )
        return Draw(table=table, truth=truth)
