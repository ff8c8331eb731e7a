"""The questions that an evaluation of places or of one series can be asked, the key checks first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact.data.calendar import covid_periods
from ucimpact.data.panel import Panel
from ucimpact.data.periods import one_period
from ucimpact.data.series import Series
from ucimpact.design import OF_COUNTS
from ucimpact.diagnostics import context as context_checks
from ucimpact.diagnostics import (
    missed_trends,
    panel_checks,
    robustness,
    series_checks,
    series_covid,
    series_stability,
    site_checks,
)
from ucimpact.diagnostics.check import Check
from ucimpact.diagnostics.honest_did import HonestDiD, HonestResult
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate
from ucimpact.evaluation.dates import dates_check
from ucimpact.evaluation.document import Analysis
from ucimpact.finding import Units
from ucimpact.finding.numbers import compared
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.study import Study

PLACEBO_STARTS, LEFT_OUT = 3, 12
"""Earlier starts, and places that weigh most, that are tried: each is an analysis of its own."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the checks are asked of: the main analysis, in its own units and in those of the headline.

    ``w`` is the smallest worthwhile effect in headline units; ``controls`` are outcomes that the pilot cannot
    have changed.
    """

    study: Study
    data: Panel | Series
    estimate: Estimate
    units: Units
    w: float | None
    main: Analysis
    dates: Sequence[Analysis]
    controls: Sequence[tuple[str, Estimate]] = ()

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


def checks_of_panel(
    asked: Asked, fit: Callable[[Panel], Estimate], others: Sequence[Estimate] = ()
) -> list[Check]:
    """Every question that a comparison of places allows.

    Parameters
    ----------
    asked : Asked
    fit : callable
        The main analysis, for a panel that is not the whole.
    others : sequence of Estimate
        Sensitivity analyses; a two-way one among them says what it compares.
    """
    data, estimate = asked.data, asked.estimate
    assert isinstance(data, Panel)
    if estimate.extras.get("compared") is False:
        return _checks_of_sites(asked, data, fit)
    includes, worthwhile = asked.includes_no_change, asked.worthwhile
    found = [
        panel_checks.pre_trend(estimate, worthwhile=worthwhile),
        *_declared(asked, data.starts),
        panel_checks.unmeasured(includes_no_change=includes, controlled=True, honest=honest_of(estimate))
        if asked.ranged
        else None,
        missed_trends.pre_trend_power(estimate, worthwhile=worthwhile),
        missed_trends.pre_trend_equivalence(estimate, worthwhile=worthwhile),
        robustness.scales(estimate),
        panel_checks.as_changeable(estimate),
        panel_checks.placebo_units(estimate, includes_no_change=includes),
        robustness.placebo_starts(fit, data, estimate, at_most=PLACEBO_STARTS),
        robustness.placebo_outcomes(asked.controls, estimate),
        robustness.leave_one_place_out(fit, data, estimate, at_most=LEFT_OUT),
        robustness.carried_by(estimate),
        *(robustness.comparisons_used(other) for other in (estimate, *others)),
        dates_check(asked.main, list(asked.dates)),
    ]
    return [check for check in found if check is not None]


def _checks_of_sites(asked: Asked, data: Panel, fit: Callable[[Panel], Estimate]) -> list[Check]:
    """Every question that sites allow which were each held against their own past."""
    estimate = asked.estimate
    per_year = data.frequency.per_year
    years = None if per_year is None else estimate.extras["before"] / int(per_year)
    sites = data.where(data.pilot_units[data.unit_codes])
    found = [
        series_checks.season(estimate, years_before=years),
        *_declared(asked, data.starts),
        _without_comparison(asked),
        site_checks.sites_differ(estimate),
        site_checks.small_sites(estimate),
        robustness.placebo_starts(fit, data, estimate, at_most=PLACEBO_STARTS),
        robustness.placebo_outcomes(asked.controls, estimate),
        robustness.leave_one_place_out(fit, sites, estimate, at_most=LEFT_OUT),
        robustness.carried_by(estimate),
        dates_check(asked.main, list(asked.dates)),
    ]
    return [check for check in found if check is not None]


def _without_comparison(asked: Asked) -> Check | None:
    """The drift that would explain the result: each site's own past cannot say."""
    if not asked.ranged:
        return None
    check = panel_checks.unmeasured(includes_no_change=asked.includes_no_change, controlled=False)
    if asked.includes_no_change:
        return check
    text = "With nothing but each site’s own past to compare it with, the data cannot answer."
    return replace(check, text=text)


def honest_of(estimate: Estimate) -> HonestResult | None:
    """How large a drift the result survives; None where no drift could be bounded."""
    try:
        return HonestDiD(target="headline", together="auto").of(estimate)
    except EstimationError:
        return None


def checks_of_series(
    asked: Asked,
    placebo_years: list[dict[str, Any]],
    method: SeriesChoices | None = None,
    fit: Callable[[SeriesChoices, Series], Estimate] | None = None,
) -> list[Check]:
    """Every question that one series allows.

    Parameters
    ----------
    asked : Asked
    placebo_years : list of dict
        The main analysis with window and break moved by whole years.
    method, fit : SeriesChoices, callable, optional
        The main method and how one like it is fitted, for a method that has a trend and a season to change.
    """
    data, estimate = asked.data, asked.estimate
    assert isinstance(data, Series)
    per_year = data.frequency.per_year
    years = None if per_year is None else data.counts()["before"] / int(per_year)
    includes = asked.includes_no_change
    controlled = bool(getattr(method, "controls", ()))
    found = [
        series_checks.pre_trend(estimate, worthwhile=asked.worthwhile),
        series_checks.season(estimate, years_before=years),
        *_declared(asked, (data.start_ordinal,)),
        _drift_of_one(asked, controlled=controlled),
        series_checks.residuals(estimate, None if method is None else _columns(method, data)),
        *([] if method is None or fit is None else _of_choices(asked, data, method, fit)),
        robustness.placebo_outcomes(asked.controls, estimate),
        series_checks.placebo_dates(estimate, includes_no_change=includes),
        series_checks.placebo_years(float(estimate.effect("relative")["estimate"]), placebo_years),
        dates_check(asked.main, list(asked.dates)),
    ]
    return [check for check in found if check is not None]


def _drift_of_one(asked: Asked, *, controlled: bool) -> Check | None:
    """The drift that would explain the result, in words for one series and those beside it."""
    if not asked.ranged:
        return None
    check = panel_checks.unmeasured(includes_no_change=asked.includes_no_change, controlled=controlled)
    if asked.includes_no_change or not controlled:
        return check
    text = (
        "How far this series would have had to drift away from those it is compared with to explain the "
        "result was not worked out."
    )
    return replace(check, text=text)


def _columns(method: SeriesChoices, data: Series) -> np.ndarray | None:
    """The columns of a regression with an AR(1) or independent errors, on the scale of its residuals."""
    if isinstance(method, InterruptedTimeSeries):
        return method.design(data).named
    if isinstance(method, CountITS):
        series = CountDesign.of(data, method).series
        return np.asarray(series.working[1][:, : series.columns])
    return None


def _of_choices(
    asked: Asked, data: Series, method: SeriesChoices, fit: Callable[[SeriesChoices, Series], Estimate]
) -> list[Check | None]:
    """What other choices of date, form and months would have said."""
    estimate, told = asked.estimate, asked.units.of
    plain, seed = series_stability.quick(method), asked.study.release.seed
    logs = estimate.method in OF_COUNTS
    return [
        None
        if plain is None
        else series_stability.unknown_break(plain.design(data), data, seed=seed, logs=logs),
        series_stability.trend_multiverse(method, data, estimate, told=told, fit=fit),
        series_covid.covid_ways(method, data, estimate, told=told, fit=fit),
        series_stability.leave_out_months(method, data, estimate, told=told, fit=fit),
    ]


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
            known=_known(asked),
        ),
        context_checks.same_coding(declared.coding),
    ]


def _known(asked: Asked) -> list[context_checks.Known]:
    """Changes that the analysis of what has only its own past takes out, and the months of the pandemic."""
    data, estimate = asked.data, asked.estimate
    if isinstance(data, Panel) and compared(estimate):
        return []
    frequency, found = data.frequency, []
    for change in estimate.spec.get("changes") or ():
        given, until = change["start"], change.get("until")
        first = one_period(given, frequency)
        found.append(
            context_checks.Known(
                what=change.get("name") or "another change of the series",
                first=first,
                last=None if until is None else one_period(until, frequency),
            )
        )
    inside = data.ordinals[covid_periods(frequency, data.ordinals)]
    if len(inside):
        first, last = int(inside[0]), int(inside[-1])
        found.append(context_checks.Known(what="the pandemic", first=first, last=last))
    return found
