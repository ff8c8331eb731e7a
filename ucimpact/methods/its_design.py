"""The regression of an interrupted time series: its columns, what counts, and the contrasts of interest.

A period that does not count (phase-in, COVID where dropped, no value) gets a column of its own. That
is the same as taking the row out and keeping the distance between its neighbours: the column takes
whatever the period holds, and an AR(1) keeps its spacing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ucimpact.data.calendar import Season, calendar_columns, covid_periods, season_columns, season_for
from ucimpact.data.periods import Frequency
from ucimpact.data.series import Series
from ucimpact.inference.natural_spline import natural_spline
from ucimpact.methods.series_changes import LEVEL, SLOPE, Shape
from ucimpact.methods.series_season import BORROWED, Profile, profile

if TYPE_CHECKING:
    from ucimpact.methods.series_choices import SegmentedChoices

LEAST_FOR_SLOPE = 6
"""Periods after the start below which no change of slope is given."""

LEAST_FOR_SPLINE = 24
"""Periods before the start below which a curve cannot be told from a line."""

BEND = "bend before "
MORE_BENDS = (48, 96)
"""Periods before the start from which a curve has a second and a third bend."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentedDesign:
    """A series as arrays; n periods, p columns.

    Attributes
    ----------
    y : array (n,)
        The outcome; a stand-in where it is missing.
    columns : dict of arrays (n,)
        The columns of the regression by name, without those of periods that do not count.
    used : array (n,)
        Periods that count.
    since : array (n,)
        Periods since the start, 0 in the first pilot period.
    shape : Shape
        What the pilot may do.
    pilot : tuple of str
        The columns of what it does.
    events_each : array (n,), optional
        Events for an effect of 1, where the outcome is a rate with a known population.
    covid : array (n,)
        Periods of March 2020 to June 2021.
    missing : array (n,)
        Periods without a value that would otherwise count.
    left_out : list of ``{"n", "reason"}``
    profile : Profile, optional
        A season from elsewhere, whose own uncertainty widens every range.
    """

    y: np.ndarray
    columns: dict[str, np.ndarray]
    used: np.ndarray
    since: np.ndarray
    shape: Shape
    pilot: tuple[str, ...]
    events_each: np.ndarray | None
    season: Season
    covid: np.ndarray
    missing: np.ndarray
    left_out: list[dict[str, Any]]
    profile: Profile | None = None

    @classmethod
    def of(cls, series: Series, choices: SegmentedChoices) -> SegmentedDesign:
        """The design of these choices on a series."""
        outcome, covid, shape = choices.outcome, choices.covid, choices.own_shape(series)
        read, since, frequency = series.values(outcome), series.since, series.frequency
        in_covid = covid_periods(frequency, series.ordinals)
        phasing = (since >= 0) & (since < shape.first)
        dropped = in_covid & ~phasing if covid == "drop" else np.zeros(len(since), dtype=bool)
        missing = np.isnan(read) & ~phasing & ~dropped
        used = ~(phasing | dropped | missing)
        elsewhere = profile(series, choices)
        before = int(((since < 0) & ~dropped).sum())
        chosen = elsewhere.season if elsewhere else season_for(frequency, before=before, asked=choices.season)

        columns = {"level before": np.ones(len(since))}
        if choices.trend != "none":
            columns["slope before"] = since.astype(float)
        if choices.trend == "spline":
            columns |= curve_columns(since, used & (since < 0))
        own = shape.columns(since)
        columns |= own
        if elsewhere:
            columns[BORROWED] = elsewhere.path
        else:
            columns |= season_columns(series.frequency, series.ordinals, chosen.name)
        if in_covid.any() and covid in ("dummy", "segment"):
            columns["COVID level"] = in_covid.astype(float)
        if in_covid.any() and covid == "segment":
            columns["COVID slope"] = np.where(in_covid, since - since[in_covid][0], 0).astype(float)
        columns |= calendar_columns(frequency, series.ordinals, choices.calendar, choices.nation)
        columns |= {adjusted(name): _filled(series.values(name)) for name in choices.adjust}
        for change in choices.changes:
            columns |= change.columns(frequency, series.ordinals)

        reasons = (
            (phasing, f"phase-in: the first {shape.first} {frequency.noun}s from the start"),
            (dropped, "March 2020 to June 2021"),
            (missing, f"no value of {outcome}"),
        )
        return cls(
            y=_filled(read),
            columns=columns,
            used=used,
            since=since,
            shape=shape,
            pilot=tuple(own),
            events_each=_events_each(series, outcome),
            season=chosen,
            profile=elsewhere,
            covid=in_covid,
            missing=missing,
            left_out=[{"n": int(which.sum()), "reason": why} for which, why in reasons if which.any()],
        )

    @property
    def names(self) -> list[str]:
        """The columns that a reader cares for, in the order of the regression."""
        return list(self.columns)

    @cached_property
    def named(self) -> np.ndarray:
        """The named columns side by side."""
        return np.column_stack(list(self.columns.values()))

    @cached_property
    def x(self) -> np.ndarray:
        """The named columns, then one for each period that does not count; shape (n, p)."""
        return np.column_stack([self.named, np.eye(len(self.since))[:, ~self.used]])

    @cached_property
    def before(self) -> np.ndarray:
        """Periods before the start that count, shape (n,)."""
        return np.asarray(self.used & (self.since < 0))

    @cached_property
    def after(self) -> np.ndarray:
        """Periods with the pilot that count: those over which effects are averaged and summed."""
        return np.asarray(self.used & self.shape.runs(self.since))

    @property
    def first_after(self) -> int:
        """Periods since the start in the first that counts."""
        return self.shape.first

    @property
    def residual_df(self) -> int:
        """Periods that count less named columns."""
        return int(self.used.sum()) - len(self.columns)

    @property
    def gives_slope(self) -> bool:
        """Whether a change of slope is in the model and there are periods enough after the start for it."""
        return SLOPE in self.pilot and int(self.after.sum()) >= LEAST_FOR_SLOPE

    @property
    def bends(self) -> int:
        """Bends of a curved path before the start."""
        return sum(name.startswith(BEND) for name in self.columns)

    def tangled(self) -> list[str]:
        """Columns that the others already say, over the periods that count; empty where all is well."""
        x = self.named[self.used]
        x = x / np.maximum(np.abs(x).max(axis=0), np.finfo(float).tiny)
        rank = np.linalg.matrix_rank(x)
        if rank == x.shape[1]:
            return []
        return [
            name
            for at, name in enumerate(self.columns)
            if np.linalg.matrix_rank(np.delete(x, at, axis=1)) == rank
        ]

    @cached_property
    def effect(self) -> np.ndarray:
        """What the pilot adds in each period, as contrasts of shape (n, p)."""
        rows = np.zeros_like(self.x)
        for name in self.pilot:
            rows[:, self.names.index(name)] = self.columns[name]
        return rows

    @cached_property
    def expected(self) -> np.ndarray:
        """The mean in each period without the pilot, as contrasts of shape (n, p)."""
        rows: np.ndarray = self.x - self.effect
        rows[:, len(self.columns) :] = 0.0
        return rows

    def expected_average(self) -> np.ndarray:
        """The expected mean over the periods of the average effect, as a contrast of shape (p,)."""
        return np.asarray(self.expected[self.after].mean(axis=0))

    def contrasts(self) -> dict[str, np.ndarray]:
        """The effects on the outcome's own scale, each a contrast of shape (p,)."""
        unit = np.eye(self.x.shape[1])
        effect = self.effect[self.after]
        events = 1.0 if self.events_each is None else self.events_each[self.after][:, None]
        found = {"average": effect.mean(axis=0)}
        if LEVEL in self.pilot:
            found["level_change"] = unit[self.names.index(LEVEL)]
        if self.gives_slope:
            found["slope_change"] = unit[self.names.index(SLOPE)]
        return found | {"cumulative": (effect * events).sum(axis=0)}

    def at_periods(self, frequency: Frequency) -> dict[int, np.ndarray]:
        """The effect half a year and a year after the start and in the last period, by time since the start.

        Where the effect is the same in every period, or its slope cannot be given, there is nothing to add.
        """
        if not self.after.any() or np.ptp(self.effect[self.after], axis=0).max() == 0:
            return {}
        if SLOPE in self.pilot and not self.gives_slope:
            return {}
        year = frequency.per_year or 0.0
        asked = [round(year / 2) - 1, round(year) - 1, int(self.since[self.after][-1])]
        rows = {int(since): row for since, row in zip(self.since, self.effect, strict=True)}
        runs = dict(zip(self.since.tolist(), self.shape.runs(self.since).tolist(), strict=True))
        return {since: rows[since] for since in dict.fromkeys(asked) if since >= 0 and runs.get(since)}

    def without_break(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Outcome, design and use of the periods before the start, with no change in it."""
        rows = self.since < 0
        x = self._without_pilot[rows]
        return self.y[rows], x[:, np.abs(x).sum(axis=0) > 0], self.used[rows]

    def ahead(self) -> np.ndarray | None:
        """The columns of :meth:`without_break` in the periods from the start on; shape (n_after, p).

        None where a period with the pilot has something in it that was not there before the start.
        """
        x = self._without_pilot
        seen = np.abs(x[self.since < 0]).sum(axis=0) > 0
        if np.any(x[self.after][:, ~seen]):
            return None
        return np.asarray(x[self.since >= 0][:, seen])

    def period_by_period(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The design with an effect of its own in each period of the pilot, and the contrast of their sum.

        None where such effects cannot be told from the rest of the model.
        """
        x = np.column_stack([self._without_pilot, np.eye(len(self.since))[:, self.after]])
        if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), np.finfo(float).tiny)) < x.shape[1]:
            return None
        events = np.ones(len(self.since)) if self.events_each is None else self.events_each
        return x, np.concatenate([np.zeros(self._without_pilot.shape[1]), events[self.after]])

    @cached_property
    def _without_pilot(self) -> np.ndarray:
        return np.delete(self.x, [self.names.index(name) for name in self.pilot], axis=1)


def adjusted(name: str) -> str:
    """What a column that is adjusted for is called among the columns of the regression."""
    return f"adjusted for: {name}"


def curve_columns(since: np.ndarray, counted: np.ndarray) -> dict[str, np.ndarray]:
    """Columns that bend the line before the start; their number follows from its length alone.

    One bend for under four years of months, two for under eight and three beyond (of weeks and quarters, by
    the number of periods): knots at even shares of the periods before the start that count, the first and
    the last of them included.
    """
    before = since[counted].astype(float)
    if len(before) < LEAST_FOR_SPLINE:
        return {}
    number = 1 + int(np.searchsorted(MORE_BENDS, len(before), side="right"))
    knots = np.quantile(before, np.linspace(0, 1, number + 2))
    curve = natural_spline(since.astype(float), knots)
    return {f"{BEND}{at + 1}": curve[:, at] for at in range(number)}


def _filled(values: np.ndarray) -> np.ndarray:
    """The mean in place of what is missing: periods that do not count have a column of their own."""
    known = np.isfinite(values)
    return np.where(known, values, values[known].mean() if known.any() else 0.0)


def _events_each(series: Series, outcome: str) -> np.ndarray | None:
    rate = series.rates.get(outcome)
    if rate is None or series.population is None:
        return None
    return np.asarray(series.exposure / rate.per)
