"""The evaluation that a plan for one series foresees: its design at each length, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import pandas as pd

from ucimpact.data.periods import Frequency, as_periods
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.inference.count_series_errors import Mixture, QuasiPoisson
from ucimpact.inference.series_power import Judge
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods import METHODS, build
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.design_finding import enforce
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_many_counts import ManyCounts
from ucimpact.methods.its_many_effects import NUMBERS
from ucimpact.methods.its_many_gaussian import ManyGaussian
from ucimpact.methods.series_account import lags
from ucimpact.methods.series_changes import LEVEL
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.study import Study
from ucimpact.study.records import COVID

Array = np.ndarray
PLANNED, COUNTED = "its", "count-its"
"""The methods that a plan can judge by, the first where the study's own is another."""

OF_THE_FILE = ("changes", "calendar", "nation", "adjust", "covid", "until")
"""Choices of a method that belong to dates or columns of the file."""

PLAIN_ERRORS = (Reml, Ols, Mixture, QuasiPoisson)
"""Errors that can be fitted to thousands of series at once."""

NUMBERED_START = 10_000

Plannable = InterruptedTimeSeries | CountITS


class Judged(Judge, Protocol):
    """The evaluation of one length, and the change that it is asked for."""

    @property
    def profile(self) -> Array:
        """The change in each period where it is whole in one, shape (n,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AsMeasured:
    """The limits that an interrupted time series of amounts or rates would give.

    Attributes
    ----------
    profile : array (n,)
        The change in each period where it is whole in one.
    """

    many: ManyGaussian
    profile: Array
    base: float
    mean_profile: float

    def limits(self, y: Array) -> Array:
        """Limits of the average effect of each series, shape (N, 2)."""
        return self.many.limits(y)

    def moved(self, share: float) -> float:
        """The average effect of a change of this share."""
        return share * self.base * self.mean_profile

    def share(self, moved: float) -> float:
        """The change with this average effect, as a share."""
        return moved / (self.base * self.mean_profile)


@dataclass(frozen=True, kw_only=True, eq=False)
class AsCounts:
    """The limits that one of counts would give, of the log ratio of what happened to what was expected."""

    many: ManyCounts
    profile: Array
    mean_profile: float

    def limits(self, y: Array) -> Array:
        """Limits of the log ratio of each series, shape (N, 2); without end where it is refused."""
        into = self.many.room(len(y))
        self.many.fit(y, None, into)
        low, high = (
            into.numbers[NUMBERS.index(name), into.terms.index("log_average")]
            for name in ("conf_low", "conf_high")
        )
        return np.column_stack(
            [np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)]
        )

    def moved(self, share: float) -> float:
        """The log ratio of a change of this share."""
        return float(np.log1p(share * self.mean_profile))

    def share(self, moved: float) -> float:
        """The change with this log ratio, as a share."""
        return float(np.expm1(moved)) / self.mean_profile


def planned_as(study: Study) -> str:
    """The method that a plan judges by: the study's own, or the plain one."""
    return COUNTED if study.method.name == COUNTED else PLANNED


def left_out_of(study: Study, name: str) -> list[str]:
    """Declared choices that a plan by this method cannot use."""
    known = {f.name for f in fields(METHODS[name])} - set(OF_THE_FILE)
    out = [key for key in study.method.options if key not in known]
    if name != study.method.name:
        return sorted({*out, *({"errors"} & set(study.method.options))})
    made = build(name, {k: v for k, v in study.method.options.items() if k in known}, outcome="y")
    return out if isinstance(made.errors, PLAIN_ERRORS) else [*out, "errors"]


def method_of(study: Study, name: str) -> Plannable:
    """A method with the study's own choices, as far as they are about the form of the analysis.

    Raises
    ------
    DesignError
        For a shape without a lasting change of level, which is what a plan looks for.
    """
    declared = study.method.options if issubclass(METHODS[study.method.name], SeriesChoices) else {}
    left_out = left_out_of(study, name)
    options = {key: value for key, value in declared.items() if key not in left_out}
    made = build(name, options, outcome="y")
    assert isinstance(made, InterruptedTimeSeries | CountITS)
    if made.shape not in ("level", "level-slope", "ramp"):
        raise DesignError(
            f'a plan looks for a lasting change of level, and shape = "{made.shape}" has none. '
            'Plan with shape = "level-slope"'
        )
    return made


def judged(
    method: Plannable, frequency: Frequency, start: int, *, before: int, after: int, base: float
) -> Judged:
    """The evaluation of a series with so many periods before the start and from it on.

    Parameters
    ----------
    start : int
        A start at the right time of year; the series is laid where there is no pandemic.

    Raises
    ------
    DesignError
        Where the method refuses a series of this length.
    """
    ordinals = clear_of_covid(frequency, start, before) + np.arange(-before, after)
    # Any values will do: what is asked of the design are its dates alone.
    table = pd.DataFrame(
        {"period": as_periods(frequency, ordinals), "y": 100.0 + np.arange(len(ordinals)) % 7}
    )
    series = Series(table, start=as_periods(frequency, ordinals[[before]]).iloc[0])
    enforce(method.check_design(series))
    design: SegmentedDesign = method.design(series)
    profile = np.asarray(design.columns[LEVEL])
    if isinstance(method, CountITS):
        counts = ManyCounts(
            CountDesign.of(series, method),
            np.ones(len(ordinals)),
            level=method.level,
            independent=isinstance(method.errors, QuasiPoisson),
        )
        return AsCounts(many=counts, profile=profile, mean_profile=float(profile[design.after].mean()))
    return AsMeasured(
        many=ManyGaussian(
            design,
            frequency,
            lags=lags(series, design),
            level=method.level,
            independent=isinstance(method.errors, Ols),
        ),
        profile=profile,
        base=base,
        mean_profile=float(profile[design.after].mean()),
    )


def clear_of_covid(frequency: Frequency, start: int, before: int) -> int:
    """A start at the same time of year, late enough for the pandemic to lie before the series."""
    if frequency.kind == "number":
        return NUMBERED_START
    year = round(frequency.per_year or 1)
    while frequency.first_day(start - before) <= COVID[1]:
        start += year
    return start
