r"""Made-up records of areas, one of which opens a clinical hub: a front door by telephone, day and night.

Area :math:`i`, month :math:`t`, the hub opening in month :math:`T` in area 1 alone, :math:`n_{it}`
residents, events of kind :math:`k` counted among them:

.. math::
   \log \lambda_{itk} = \log r_k + a_{ik} + g_{ik} t + s_{m(t)} + c_{tk} + u_{itk}, \qquad
   y_{itk} \sim \text{NB}\bigl(n_{it} \lambda_{itk} (1 + \delta_k\, b_t\, 1\{i = 1\}), \; \phi\bigr), \qquad
   b_t = \min\{1, \max(0, (t - T + 1)/K)\}

with a lasting level :math:`a` and a lasting drift :math:`g` of each area, a winter :math:`s` and
month-to-month luck :math:`c` that all areas share, AR(1) shocks :math:`u` of its own, and counts whose
variance is :math:`\phi` times their mean. A hub moves contacts from one door to another: fewer come to
A&E and by ambulance, more by telephone, and what becomes of those who are ill stays as it is.

What one area does by itself cannot be told from what its hub does but by how far the other areas
wander: with one treated area that is all the uncertainty there is, and the drift makes most of it.

The truth is the difference between the expected numbers with and without the hub in its own area and
months, with the draw's own levels, drifts and shocks held. Counting noise is the only thing averaged
over, so the truth of a draw is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ucimpact.data.simulate import DAYS, PER, WINTER, Draw, ar1, counts, floats
from ucimpact.data.simulate_staggered import planted

AREAS = (
    "Larkhythe", "Ashmarsh", "Birchenholt", "Coldwick", "Dunnamere", "Eldersley", "Fallowden", "Greyhollow",
    "Harrowmere", "Ivymarsh", "Kelderby", "Longmarrow", "Mapleholt", "Norrowick", "Ottermere",
)  # fmt: skip
"""Invented areas; the first opens the hub."""


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """One kind of contact: its rate per 1,000 residents a month, and the relative change planted in it."""

    rate: float
    effect: float = 0.0
    dispersion: float = 3.0


KINDS = {
    "ae_attendances": Contacts(rate=29.0, effect=-0.08),
    "ambulance_conveyances": Contacts(rate=6.5, effect=-0.06),
    "calls_to_111": Contacts(rate=24.0, effect=0.10, dispersion=5.0),
    "emergency_admissions": Contacts(rate=8.5),
}


@dataclass(frozen=True, kw_only=True)
class ClinicalHub:
    """Areas by month, the first of which opens a hub.

    Parameters
    ----------
    months, before : int, default 48, 30
        Months of records, and how many of them before the hub.
    first : str, default "2022-01"
        The first month.
    building : int, default 3
        Months until the hub has its full effect.
    kinds : dict
        By column: rate, planted relative change, dispersion.
    level, drift, shock, luck : float
        Standard deviations of the log rate: between areas; of an area's lasting change in a year; of its
        monthly shocks; of the months that all share.
    ar : float, default 0.5
        Autocorrelation of an area's shocks from month to month.
    """

    months: int = 48
    before: int = 30
    first: str = "2022-01"
    building: int = 3
    kinds: dict[str, Contacts] = field(default_factory=lambda: dict(KINDS))
    level: float = 0.12
    drift: float = 0.012
    shock: float = 0.025
    luck: float = 0.03
    ar: float = 0.5

    def draw(self, seed: int) -> Draw:
        """The data set of a seed: the same seed, the same bytes."""
        for_people, *for_kinds = np.random.default_rng(seed).spawn(1 + len(self.kinds))
        areas, t = len(AREAS), np.arange(self.months)
        month = pd.period_range(self.first, periods=self.months, freq="M")
        people = np.clip(380_000 * np.exp(0.4 * for_people.standard_normal(areas)), 150_000, 900_000)
        people = np.round(people[:, None] * np.exp(0.008 * t / 12)).astype(np.int64)
        running = np.zeros((areas, self.months), dtype=bool)
        running[0] = t >= self.before
        built = np.clip((t - self.before + 1) / self.building, 0.0, 1.0)

        columns: dict[str, np.ndarray] = {}
        truth: dict[str, dict[str, float]] = {}
        for rng, (name, kind) in zip(for_kinds, self.kinds.items(), strict=True):
            without = kind.rate / PER * np.exp(self._log_rate(rng, month))
            change = kind.effect * built * running
            columns[name] = counts(rng, people * without * (1 + change), kind.dispersion).reshape(-1)
            truth[name] = planted(
                people[running], without[running], change[running], np.where(running.any(axis=1), 0, np.inf)
            )
        table = pd.DataFrame(
            {
                "area": np.repeat(np.array(AREAS, dtype=object), self.months),
                "month": np.tile(np.asarray(month.astype(str), dtype=object), areas),
                "hub_open": np.repeat(
                    np.where(running.any(axis=1), str(month[self.before]), "").astype(object), self.months
                ),
                "residents": people.reshape(-1),
                **columns,
            }
        )
        return Draw(table=table, truth={k: floats(v) for k, v in truth.items()})

    def _log_rate(self, rng: np.random.Generator, month: pd.PeriodIndex) -> np.ndarray:
        """What moves the rate but the hub, shape (areas, months)."""
        years = np.arange(self.months) / 12
        level = self.level * rng.standard_normal(len(AREAS))
        drift = self.drift * rng.standard_normal(len(AREAS))
        common = WINTER[month.month - 1] + self.luck * ar1(rng, 1, self.months, 0.3)[0]
        shock = self.shock * ar1(rng, len(AREAS), self.months, self.ar)
        days = np.log(np.asarray(month.days_in_month) / DAYS)
        log_rate: np.ndarray = level[:, None] + drift[:, None] * years + common + shock + days
        return log_rate
