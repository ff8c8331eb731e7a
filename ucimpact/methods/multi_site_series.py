"""Each pilot unit of a panel as a series of its own: its regression, fitted, and the effect it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ucimpact.data.calendar import Season, season_columns, season_for
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.inference.count_series import LEAST_MEAN, CountSeries
from ucimpact.inference.timeseries import Ar1Fit, Reml
from ucimpact.methods.count_did_path import event_label
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_ranges import Ranges
from ucimpact.methods.multi_site_choices import SiteChoices
from ucimpact.methods.series_fit import LogRatio

MANY = 1_000_000
"""As many periods before the start as any rule could ask for."""

SHARED = "season of all units"


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A pilot unit with its series and its regression.

    Attributes
    ----------
    name : str
    start : int
        Ordinal of its first pilot period.
    series : Series
    design : SegmentedDesign
    events, people : array (n,)
        What happened, and per how many: numerator and population over ``per`` for a rate; the outcome
        itself and 1 otherwise.
    """

    name: str
    start: int
    series: Series
    design: SegmentedDesign
    events: np.ndarray
    people: np.ndarray

    @property
    def told(self) -> np.ndarray:
        """Periods over which the effect is averaged, shape (n,)."""
        return self.design.after


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteEffect:
    """What a site alone shows, on the scale on which sites are pooled.

    Attributes
    ----------
    site : Site
    estimate, low, high : float
        The average effect, or the log ratio, with the site's own interval.
    std_error : float
        Kenward-Roger, with AR(1) errors by REML: what the site is weighed by.
    df : float
        ``nan`` where no single t gave the interval.
    rho : float
    route : str
    expected, spread : array (n,)
        What was expected without the pilot in each period, per unit of ``people``, and its standard error.
    fit : Ar1Fit
        The regression, of a working response for counts.
    towards : array (p,)
        The contrast of ``fit`` along which ``estimate`` moves.
    root : array (n,)
        What the residuals of ``fit`` are divided by for those on the scale on which sites are pooled.
    unit : float
        What the coefficients of ``fit`` are divided by for the same.
    """

    site: Site
    estimate: float
    low: float
    high: float
    std_error: float
    df: float
    rho: float
    route: str
    expected: np.ndarray
    spread: np.ndarray
    fit: Ar1Fit
    towards: np.ndarray
    root: np.ndarray
    unit: float

    @property
    def own_df(self) -> float:
        """Satterthwaite degrees of freedom of ``std_error``."""
        return float(self.fit.dfs(self.towards)[0])


def rows_of(panel: Panel) -> list[np.ndarray]:
    """The rows of each unit, in the order of the table."""
    order = np.argsort(panel.unit_codes, kind="stable")
    ends = np.cumsum(np.bincount(panel.unit_codes, minlength=len(panel.units)))
    return np.split(order, ends[:-1])


def site_of(
    panel: Panel, code: int, rows: np.ndarray, choices: SiteChoices, shared: np.ndarray | None
) -> Site:
    """A pilot unit as a site.

    Parameters
    ----------
    panel : Panel
    code : int
        Of the unit.
    rows : array
        Its rows.
    choices : SiteChoices
    shared : array (n_periods of the panel,), optional
        The season that all units have in common, in place of one of the site's own.

    Raises
    ------
    DataError
        Where its periods have gaps or its start does not lie inside them.
    """
    frequency, start = panel.frequency, int(panel.start_ordinals[code])
    first: Any = start if frequency.kind == "number" else frequency.first_day(start)
    table = panel.table.iloc[rows].reset_index(drop=True)
    series = Series(
        table,
        period=panel.period,
        start=first,
        population=panel.population,
        rates=MappingProxyType(dict(panel.rates)),
    )
    if shared is None:
        design = SegmentedDesign.of(series, choices)
    else:
        design = SegmentedDesign.of(series, replace(choices, season="none", shared_season=False))
        design = _with_season(design, shared[np.searchsorted(panel.ordinals, series.ordinals)])
    rate = series.rates.get(choices.outcome)
    if rate is None:
        events, people = series.values(choices.outcome), np.ones(len(series.ordinals))
    else:
        assert series.population is not None
        events, people = series.values(rate.numerator), series.values(series.population) / rate.per
    return Site(
        name=panel.units[code], start=start, series=series, design=design, events=events, people=people
    )


def _with_season(design: SegmentedDesign, column: np.ndarray) -> SegmentedDesign:
    why = "The season is that of all units together, as large in each as its own periods say."
    season = Season(name="shared", harmonics=0, why=why, separable=True)
    return replace(design, columns={**design.columns, SHARED: column}, season=season)


def shared_season(panel: Panel, choices: SiteChoices) -> np.ndarray:
    """The season that all units have in common, shape (n_periods,): mean 0, a share of each unit's level.

    Every unit, also one that never starts, over its own mean, on a level, a line and the pilot's change of
    its own and on waves (or calendar levels) that are the same for all.
    """
    frequency, ordinals = panel.frequency, panel.ordinals
    name = season_for(frequency, before=MANY, asked=choices.season).name
    waves = np.column_stack(list(season_columns(frequency, ordinals, name).values()))
    values, size = panel.values(choices.outcome), waves.shape[1]
    inner, moments = np.zeros((size, size)), np.zeros(size)
    for code, every in enumerate(rows_of(panel)):
        rows = every[np.isfinite(values[every])]
        mean = values[rows].mean() if len(rows) else 0.0
        if not mean:
            continue
        at, start = panel.period_codes[rows], panel.start_ordinals[code]
        time = ordinals[at].astype(float)
        own = [np.ones(len(rows)), time - time.mean()]
        if np.isfinite(start):
            begun = time >= start
            own += [begun.astype(float), np.where(begun, time - start, 0.0)]
        basis = np.linalg.qr(np.column_stack(own))[0]
        left = np.column_stack([waves[at], values[rows] / mean])
        left = left - basis @ (basis.T @ left)
        inner += left[:, :-1].T @ left[:, :-1]
        moments += left[:, :-1].T @ left[:, -1]
    season = waves @ np.linalg.lstsq(inner, moments, rcond=None)[0]
    return np.asarray(season - season.mean())


def effect_of(site: Site, *, scale: str, level: float) -> SiteEffect:
    """The average effect of a site, or the log of what was seen over what was expected.

    Whole numbers of 0 or more have a log-linear mean with the people at risk as offset; all else a mean that
    is a line.

    Raises
    ------
    EstimationError
        Where the counts give no finite ratio, or what was expected is not above 0.
    """
    if scale == "log" and is_counted(site.events):
        return _of_counts(site, level)
    return _of_means(site, scale, level)


def is_counted(events: np.ndarray) -> bool:
    """Whether these are whole numbers, none below 0."""
    known = events[np.isfinite(events)]
    return bool((known >= 0).all() and (known == np.round(known)).all())


def _of_counts(site: Site, level: float) -> SiteEffect:
    design, offset = site.design, np.log(site.people)
    y = np.where(design.used, site.events, 0.0)
    series = CountSeries(y=y, x=design.named, offset=offset, used=design.used)
    fit = Reml().of(*series.working)
    p, at = design.named.shape[1], design.after
    rows, without = design.expected + design.effect, design.expected
    log_means = offset[at][:, None] + np.column_stack([rows[at] @ fit.coef, without[at] @ fit.coef])
    ratio = LogRatio.of_log_means(log_means, rows[at], without[at])
    ranges = Ranges.of(fit, ratio.towards, used=int(design.used.sum()), level=level)
    row = ratio.row(ranges, fit.coef)
    log_expected = without[:, :p] @ fit.coef[:p]
    expected = np.exp(log_expected)
    root = np.sqrt(np.clip(series.poisson.mu, LEAST_MEAN, None))
    return _told(site, row, ranges, expected, expected * fit.std_errors(without), fit=fit, root=root)


def _of_means(site: Site, scale: str, level: float) -> SiteEffect:
    design = site.design
    fit = Reml().of(design.y, design.x)
    average, unit = design.contrasts()["average"], 1.0
    if scale == "identity":
        ranges = Ranges.of(fit, average, used=int(design.used.sum()), level=level)
        row: Mapping[str, Any] = ranges.row("average", average)
    else:
        ratio = LogRatio.of_means(average, design.expected_average(), fit.coef)
        ranges = Ranges.of(fit, ratio.towards, used=int(design.used.sum()), level=level)
        row = ratio.row(ranges, fit.coef)
        unit = float(design.expected_average() @ fit.coef)
    expected, spread = fit.estimates(design.expected), fit.std_errors(design.expected)
    root = np.full(len(design.y), unit)
    return _told(site, row, ranges, expected, spread, fit=fit, root=root, unit=unit)


def _told(
    site: Site,
    row: Mapping[str, Any],
    ranges: Ranges,
    expected: np.ndarray,
    spread: np.ndarray,
    *,
    fit: Ar1Fit,
    root: np.ndarray,
    unit: float = 1.0,
) -> SiteEffect:
    return SiteEffect(
        site=site,
        estimate=float(row["estimate"]),
        low=float(row.get("conf_low", np.nan)),
        high=float(row.get("conf_high", np.nan)),
        std_error=float(ranges.fit.std_errors(ranges.average)[0]),
        df=float(row.get("df", np.nan)),
        rho=float(getattr(ranges.fit, "rho", np.nan)),
        route=ranges.route("average", ranges.average),
        expected=expected,
        spread=spread,
        fit=fit,
        towards=ranges.average,
        root=root,
        unit=unit,
    )


def frame_of(found: list[SiteEffect], *, one_start: bool, noun: str, level: float) -> pd.DataFrame:
    """What was seen at the sites and what was expected, by time since each one's own start.

    Sites count by their people; the limits are of the mean that was expected, sites independent.
    """
    every = sorted({int(since) for one in found for since in one.site.design.since[one.site.design.used]})
    rows = []
    for since in every:
        here = [
            (one, int(np.flatnonzero(one.site.design.since == since)[0])) for one in found if _has(one, since)
        ]
        people = np.array([one.site.people[at] for one, at in here])
        events = np.array([one.site.events[at] for one, at in here])
        share = people / people.sum()
        expected = float(share @ [one.expected[at] for one, at in here])
        spread = float(np.sqrt((share**2) @ [one.spread[at] ** 2 for one, at in here]))
        half = float(ndtri((1 + level) / 2)) * spread
        first = here[0][0].site
        ordinal = first.start + since
        frequency = first.series.frequency
        rows.append(
            {
                "period": frequency.iso(ordinal) if one_start else "",
                "label": frequency.label(ordinal) if one_start else event_label(since, noun),
                "since": since,
                "observed": float(events.sum() / people.sum()),
                "expected": expected,
                "low": expected - half,
                "high": expected + half,
                "events": float(events.sum()),
                "units": float(len(here)),
            }
        )
    frame = pd.DataFrame(rows)
    counted = all(is_counted(one.site.events) for one in found)
    return frame if counted else frame.drop(columns="events")


def _has(one: SiteEffect, since: int) -> bool:
    design = one.site.design
    return bool((design.used & (design.since == since)).any())
