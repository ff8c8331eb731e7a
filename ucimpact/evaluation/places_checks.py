"""The questions that an evaluation of places or of one series can be asked, the key checks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.diagnostics import context as context_checks
from ucimpact.diagnostics import panel_checks, series_checks
from ucimpact.diagnostics.check import Check
from ucimpact.estimate import Estimate
from ucimpact.evaluation.dates import dates_check
from ucimpact.evaluation.document import Analysis
from ucimpact.finding import Units
from ucimpact.study import Study


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the checks are asked of: the main analysis, in its own units and in those of the headline.

    ``w`` is the smallest worthwhile effect in headline units.
    """

    study: Study
    data: Panel | Series
    estimate: Estimate
    units: Units
    w: float | None
    main: Analysis
    dates: Sequence[Analysis]

    @property
    def ranged(self) -> bool:
        """Whether there is a likely range."""
        return self.main.lo is not None and self.main.hi is not None

    @property
    def includes_no_change(self) -> bool:
        """Whether the likely range holds 0."""
        low, high = self.main.lo, self.main.hi
        return low is not None and high is not None and low <= 0 <= high

    @property
    def worthwhile(self) -> float | None:
        """The smallest worthwhile effect in units of the headline effect."""
        if self.w is None:
            return None
        return float(np.log1p(self.w / 100)) if self.units.term == "relative" else self.w / self.units.factor


def checks_of_panel(asked: Asked) -> list[Check]:
    """Every question that a comparison of places allows."""
    data, estimate = asked.data, asked.estimate
    assert isinstance(data, Panel)
    found = [
        panel_checks.pre_trend(estimate, worthwhile=asked.worthwhile),
        *_declared(asked, data.starts),
        panel_checks.unmeasured(includes_no_change=asked.includes_no_change, controlled=True)
        if asked.ranged
        else None,
        panel_checks.as_changeable(estimate),
        panel_checks.placebo_units(estimate, includes_no_change=asked.includes_no_change),
        dates_check(asked.main, list(asked.dates)),
    ]
    return [check for check in found if check is not None]


def checks_of_series(asked: Asked, placebo_years: list[dict[str, Any]]) -> list[Check]:
    """Every question that one series allows."""
    data, estimate = asked.data, asked.estimate
    assert isinstance(data, Series)
    per_year = data.frequency.per_year
    years = None if per_year is None else data.counts()["before"] / int(per_year)
    includes = asked.includes_no_change
    found = [
        series_checks.season(estimate, years_before=years),
        *_declared(asked, (data.start_ordinal,)),
        panel_checks.unmeasured(includes_no_change=includes, controlled=False) if asked.ranged else None,
        series_checks.residuals(estimate),
        series_checks.placebo_dates(estimate, includes_no_change=includes),
        series_checks.placebo_years(float(estimate.effect("relative")["estimate"]), placebo_years),
        dates_check(asked.main, list(asked.dates)),
    ]
    return [check for check in found if check is not None]


def _declared(asked: Asked, starts: Sequence[int]) -> list[Check]:
    """What only people on the spot can know."""
    declared = asked.study.context
    return [
        context_checks.other_change(
            declared.events,
            logged=declared.events_logged,
            frequency=asked.data.frequency,
            start=starts[0],
            last_start=starts[-1],
        ),
        context_checks.same_coding(declared.coding),
    ]
