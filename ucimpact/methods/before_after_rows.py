"""The people of a before-and-after comparison: their two figures, and how far chance moves each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from ucimpact import words
from ucimpact.data.cohort import Cohort

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """Everybody with both figures, pilot or not.

    Attributes
    ----------
    before, after : array (n,)
        The figure before and the figure over the days at risk after.
    length : array (n,)
        Days at risk as a multiple of the days before; 1 where the figures are compared as they stand.
    codes : array (n,)
        Cluster, or person, of each row.
    scale : float
        The horizon as a multiple of the days before: what a figure before is worth per person over it.
    """

    before: Array
    after: Array
    length: Array
    codes: Array
    scale: float

    @classmethod
    def of(cls, cohort: Cohort, before: str, outcome: str, before_days: float | None, keep: Array) -> People:
        """The rows marked True. With ``before_days`` the horizon of the cohort is known."""
        n = len(cohort.table)
        scale, length = 1.0, np.ones(n)
        if before_days is not None and cohort.horizon is not None:
            scale = cohort.horizon / before_days
            length = np.full(n, scale) if cohort.days is None else cohort.days / before_days
        return cls(
            before=cohort.values(before)[keep],
            after=cohort.values(outcome)[keep],
            length=length[keep],
            codes=(cohort.persons if cohort.clusters is None else cohort.clusters)[keep],
            scale=scale,
        )

    @property
    def n(self) -> int:
        return len(self.before)

    @cached_property
    def units(self) -> int:
        """People, or clusters of them, who are taken as independent."""
        return int(np.unique(self.codes).size)

    @property
    def is_counted(self) -> bool:
        """Whether both figures are whole numbers of events."""
        both = np.concatenate([self.before, self.after])
        return bool((both >= 0).all() and (both == np.round(both)).all())

    @property
    def is_rare(self) -> bool:
        """Whether there are too few events on either side to say more than how many there were."""
        return self.is_counted and min(self.before.sum(), self.after.sum()) < words.FEWEST_EVENTS

    @property
    def person_time(self) -> float:
        """People, each counted by the part of the horizon for which they were followed."""
        return float(self.length.sum() / self.scale)

    @property
    def mean_before(self) -> float:
        """Per person, over as long as the horizon."""
        return float(self.scale * self.before.mean())

    @property
    def mean_after(self) -> float:
        """Per person over the horizon, by person-time."""
        return float(self.scale * self.after.sum() / self.length.sum())

    @property
    def dispersion(self) -> float | None:
        """Variance over mean of counts after, of those followed to the end; None for what is not counted."""
        whole = self.after[self.length >= self.scale * (1 - 1e-9)]
        if not self.is_counted or len(whole) < 2 or not whole.sum():
            return None
        return float(whole.var(ddof=1) / whole.mean())

    @cached_property
    def moves(self) -> tuple[Array, Array]:
        """Influence of each row on the mean before and on the mean after."""
        rate = self.after.sum() / self.length.sum()
        after = self.scale * (self.after - rate * self.length) / self.length.mean()
        return self.scale * (self.before - self.before.mean()), after

    @cached_property
    def change(self) -> Array:
        """Influence of each row on the change."""
        before, after = self.moves
        return np.asarray(after - before)

    def fall(self, level: float) -> tuple[float, float, float]:
        """The fall, positive for fewer, with limits given the figures before.

        What is left to chance is what happened afterwards to people with such figures: the influence on the
        mean after, less its straight line on the figure before.
        """
        before, after = self.moves
        spread = float((before**2).sum())
        left = after - (float((before * after).sum()) / spread if spread else 0.0) * before
        fall = self.mean_before - self.mean_after
        if self.is_rare or self.units < 3:
            return fall, np.nan, np.nan
        wide = (self.units - 1) / (self.units - 2)
        half = float(stdtrit(self.units - 2, 0.5 + level / 2) * np.sqrt(wide * self.variance(left)))
        return fall, fall - half, fall + half

    def by_unit(self, rows: Array) -> Array:
        """Sums of rows within units, shape (n_units, ...)."""
        _, place = np.unique(self.codes, return_inverse=True)
        sums = np.zeros((self.units, *rows.shape[1:]))
        np.add.at(sums, place, rows)
        return sums

    def variance(self, rows: Array) -> float:
        """Of a mean with this influence, with one unit spent on it: G/(G - 1)."""
        return float((self.by_unit(rows) ** 2).sum() / self.n**2 * self.units / (self.units - 1))

    def effects(self, level: float) -> tuple[list[dict[str, Any]], Array]:
        """The change per person, in all and relative, and the influence of each unit on the three."""
        att = self.mean_after - self.mean_before
        df = self.units - 1
        se = np.sqrt(self.variance(self.change))
        half = np.nan if self.is_rare else stdtrit(df, 0.5 + level / 2) * se
        statistic = att / se if se else np.nan
        kept = {"statistic": statistic, "df": df, "p_value": 2 * stdtr(df, -abs(statistic))}
        if self.is_rare:
            kept |= {"statistic": np.nan, "p_value": np.nan}
        row = {"estimate": att, "std_error": se, "conf_low": att - half, "conf_high": att + half}
        total = {name: value * self.person_time for name, value in row.items()}
        relative, pull = self._relative(level)
        rows = [
            {"term": "att", **row, **kept},
            {"term": "cumulative", **total, **kept},
            {"term": "relative", **relative, **kept},
        ]
        parts = np.stack([self.change, self.change * self.person_time, pull], axis=1)
        return rows, self.by_unit(parts) / self.n

    def _relative(self, level: float) -> tuple[dict[str, float], Array]:
        """The change over the mean before, with limits by the logarithm of the ratio."""
        none = {"conf_low": np.nan, "conf_high": np.nan}
        if self.mean_before == 0:
            return {"estimate": np.nan, **none}, np.full(self.n, np.nan)
        ratio = self.mean_after / self.mean_before
        before, after = self.moves
        pull = after / self.mean_before - ratio * before / self.mean_before
        if ratio <= 0 or self.is_rare:
            return {"estimate": ratio - 1, **none}, pull
        half = stdtrit(self.units - 1, 0.5 + level / 2) * np.sqrt(self.variance(pull)) / ratio
        limits = {"conf_low": np.expm1(np.log(ratio) - half), "conf_high": np.expm1(np.log(ratio) + half)}
        return {"estimate": ratio - 1, **limits}, pull
