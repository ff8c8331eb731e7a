"""The evaluation that a plan for one series foresees: its design at each length, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from ucimpact.data.periods import Frequency, as_periods
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.inference.timeseries import Ols
from ucimpact.methods import METHODS, build
from ucimpact.methods.design_finding import enforce
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_many_gaussian import ManyGaussian
from ucimpact.methods.series_account import lags
from ucimpact.methods.series_changes import LEVEL
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.study import Study
from ucimpact.study.records import COVID

Array = np.ndarray
AS_PLANNED = "its"
"""The method that a plan judges by."""

OF_THE_FILE = ("changes", "calendar", "nation", "adjust", "covid", "until")
"""Choices of a method that belong to dates or columns of the file."""

NUMBERED_START = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """The design of one length, and the limits that the evaluation would give.

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


def method_of(study: Study) -> SeriesChoices:
    """The study's own choices, as far as they are about the form of the analysis.

    Raises
    ------
    DesignError
        For a shape without a lasting change of level, which is what a plan looks for.
    """
    declared = study.method.options if issubclass(METHODS[study.method.name], SeriesChoices) else {}
    known = {f.name for f in fields(METHODS[AS_PLANNED])} - set(OF_THE_FILE)
    options = {name: value for name, value in declared.items() if name in known}
    made = build(AS_PLANNED, options, outcome="y")
    assert isinstance(made, SeriesChoices)
    if made.shape not in ("level", "level-slope", "ramp"):
        raise DesignError(
            f'a plan looks for a lasting change of level, and shape = "{made.shape}" has none. '
            'Plan with shape = "level-slope"'
        )
    return made


def judged(
    method: SeriesChoices, frequency: Frequency, start: int, *, before: int, after: int, base: float
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
    return Judged(
        many=ManyGaussian(
            design,
            frequency,
            lags=lags(series, design),
            level=method.level,
            independent=isinstance(getattr(method, "errors", None), Ols),
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
