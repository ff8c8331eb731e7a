"""The three ways of holding a series against a control, each fitted and told in the pilot's own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact.data.calendar import calendar_columns, season_columns
from ucimpact.data.series import Series
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.residuals import LjungBox, innovations, ljung_box
from ucimpact.inference.stacked_counts import stacked_counts
from ucimpact.inference.stacked_series import stacked_reml
from ucimpact.inference.timeseries import Ar1Fit, Reml
from ucimpact.methods.controlled_choices import COUNTS, ControlChoices
from ucimpact.methods.controlled_stack import Stack
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_ranges import ROUTES, Ranges
from ucimpact.methods.series_account import lags
from ucimpact.methods.series_fit import LogRatio, SeriesFit, as_counts, as_share
from ucimpact.methods.series_realised import realised


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What a form found.

    Attributes
    ----------
    rows : list of dict
        Effects, the average first.
    expected, low, high : array (n,)
        What the pilot's series would have been, in its own units, with limits of that mean.
    design : SegmentedDesign
        Of the series that was fitted: adjusted by the control, or the pilot's own in a regression.
    fit : Ar1Fit
    fresh : array (n,)
        What is new in each period of the fitted series.
    left_over : LjungBox
    names : list of str
        Of the first coefficients.
    routes, dfs : dict
        By effect: how its interval came about, and degrees of freedom.
    """

    rows: list[dict[str, Any]]
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    design: SegmentedDesign
    fit: Ar1Fit
    fresh: np.ndarray
    left_over: LjungBox
    names: list[str]
    routes: dict[str, str]
    dfs: dict[str, float]

    @property
    def draws_from(self) -> str:
        """The procedure behind the average effect, in words."""
        first = next(iter(self.routes))
        return ROUTES[self.routes[first]].format(df=self.dfs[first])


def told(method: ControlChoices, data: Series) -> Told:
    """The effects of a method's form on a series."""
    if method.form == "difference":
        return _difference(method, data)
    if method.form == "ratio":
        return _ratio(method, data)
    return _counts(method, data) if method.family == COUNTS else _regression(method, data)


def adjusted(method: ControlChoices, data: Series) -> SegmentedDesign:
    """The design of the series that a form fits."""
    if method.form == "regression" or not method.controls:
        return SegmentedDesign.of(data, method)
    if method.form == "ratio":
        return logged(method, data)
    return apart(method, data, control_scale(method, data))


def control_scale(method: ControlChoices, data: Series) -> float:
    """What the control is multiplied by before it is taken from the pilot's series; 1 for the other forms."""
    if method.form != "difference":
        return 1.0
    return method.control.scale(data, SegmentedDesign.of(data, method).before)


def apart(method: ControlChoices, data: Series, scale: float) -> SegmentedDesign:
    """The design of the pilot's series less ``scale`` times the control.

    The mean of what was taken away over the periods of the effect is put back, so that the expected mean is
    in the pilot's units.
    """
    control = scale * method.control.path(data)
    design = _derived(method, data, data.values(method.outcome) - control)
    return replace(design, y=design.y + _mean(control, design))


def logged(method: ControlChoices, data: Series) -> SegmentedDesign:
    """The design of the log ratio of pilot to control; ``nan`` where either is not above 0."""
    pilot, control = data.values(method.outcome), method.control.path(data)
    positive = (pilot > 0) & (control > 0)
    ratio = np.where(positive, pilot / np.where(positive, control, 1.0), np.nan)
    return _derived(method, data, np.log(ratio))


def _derived(method: ControlChoices, data: Series, values: np.ndarray) -> SegmentedDesign:
    """The design of another series with the choices, and the people, of the outcome."""
    name = f"{method.outcome} and its control"
    rates = {name: data.rates[method.outcome]} if method.outcome in data.rates else {}
    series = replace(data, table=data.table.assign(**{name: values}), rates={**data.rates, **rates})
    return SegmentedDesign.of(series, replace(method, outcome=name))


def _mean(control: np.ndarray, design: SegmentedDesign) -> float:
    return float(control[design.after].mean()) if design.after.any() else 0.0


def _difference(method: ControlChoices, data: Series) -> Told:
    scale = control_scale(method, data)
    design, control = apart(method, data, scale), scale * method.control.path(data)
    fitted = SeriesFit.of(design, lags=lags(data, design), level=method.level)
    contrasts = design.contrasts()
    ranges = fitted.ranges(contrasts["average"])
    rows = [ranges.row(term, contrast) for term, contrast in contrasts.items()]
    relative, _ = ranges.relative(contrasts["average"], design.expected_average())
    later = [
        ranges.row("effect_at", contrast) | {"event_time": since}
        for since, contrast in design.at_periods(data.frequency).items()
    ]
    total = realised(design, Reml(), method.level)
    beside = control - _mean(control, design)
    limits = ranges.procedure("average", ranges.average).limits(design.expected, method.level)
    return Told(
        rows=[*rows, relative, *later, *([total] if total else [])],
        expected=fitted.fit.estimates(design.expected) + beside,
        low=limits[:, 0] + beside,
        high=limits[:, 1] + beside,
        design=design,
        fit=fitted.fit,
        fresh=fitted.fresh,
        left_over=fitted.left_over,
        names=design.names,
        **_procedures(ranges, fitted.fit, contrasts),
    )


def _ratio(method: ControlChoices, data: Series) -> Told:
    design, control = adjusted(method, data), method.control.path(data)
    fitted = SeriesFit.of(design, lags=lags(data, design), level=method.level)
    coef, at = fitted.fit.coef, design.after
    with_it, without = design.expected + design.effect, design.expected
    log_means = np.log(control[at])[:, None] + np.column_stack([with_it[at] @ coef, without[at] @ coef])
    ratio = LogRatio.of_log_means(log_means, with_it[at], without[at])
    ranges = fitted.ranges(ratio.towards)
    limits = ranges.procedure("average", ratio.towards).limits(design.expected, method.level)
    return Told(
        rows=_log_rows(data, method.outcome, design, ratio, ranges, _log_contrasts(design)),
        expected=np.exp(without @ coef) * control,
        low=np.exp(limits[:, 0]) * control,
        high=np.exp(limits[:, 1]) * control,
        design=design,
        fit=fitted.fit,
        fresh=fitted.fresh,
        left_over=fitted.left_over,
        names=design.names,
        **_procedures(ranges, fitted.fit, {"average": ratio.towards, **_log_contrasts(design)}),
    )


def _stack(method: ControlChoices, data: Series) -> Stack:
    design = SegmentedDesign.of(data, method)
    season = season_columns(data.frequency, data.ordinals, design.season.name)
    calendar = calendar_columns(data.frequency, data.ordinals, method.calendar, method.nation)
    common = {*season, *calendar, "COVID level", "COVID slope"}
    return Stack(design=design, shared=tuple(name for name in design.names if name in common))


def _regression(method: ControlChoices, data: Series) -> Told:
    stack, control = _stack(method, data), method.control.path(data)
    design = stack.design
    y = np.concatenate([np.where(design.used, control, 0.0), np.where(design.used, design.y, 0.0)])
    fit = stacked_reml(y, stack.x, stack.lengths)
    contrasts = {term: stack.contrast(row) for term, row in design.contrasts().items()}
    fresh, left_over = _left_over(stack, fit, fit.residuals, stack.named, lags(data, design))
    ranges = _ranges(fit, contrasts["average"], stack, method.level)
    rows = [ranges.row(term, contrast) for term, contrast in contrasts.items()]
    relative, _ = ranges.relative(contrasts["average"], stack.expected[design.after].mean(axis=0))
    later = [
        ranges.row("effect_at", stack.contrast(contrast)) | {"event_time": since}
        for since, contrast in design.at_periods(data.frequency).items()
    ]
    limits = ranges.procedure("average", ranges.average).limits(stack.expected, method.level)
    return Told(
        rows=[*rows, relative, *later],
        expected=fit.estimates(stack.expected),
        low=limits[:, 0],
        high=limits[:, 1],
        design=design,
        fit=fit,
        fresh=fresh,
        left_over=left_over,
        names=stack.names,
        **_procedures(ranges, fit, contrasts),
    )


def _counts(method: ControlChoices, data: Series) -> Told:
    stack = _stack(method, data)
    design, exposure = stack.design, _exposure(method, data)
    series = count_series(method, data, stack, exposure)
    fit = stacked_counts(series, stack.lengths)
    p, at = len(stack.names), design.after
    coef = fit.coef[:p]
    without = stack.expected[:, :p]
    with_it = stack.pilot
    offset = np.log(exposure[-len(at) :])
    log_means = offset[at][:, None] + np.column_stack([with_it[at] @ coef, without[at] @ coef])
    ratio = LogRatio.of_log_means(log_means, _wide(with_it[at], fit), _wide(without[at], fit))
    log_contrasts = {term: stack.contrast(row) for term, row in _log_contrasts(design).items()}
    root = np.sqrt(np.exp(np.log(exposure) + stack.named @ coef))
    fresh, left_over = _left_over(stack, fit, fit.residuals, root[:, None] * stack.named, lags(data, design))
    ranges = _ranges(fit, ratio.towards, stack, method.level)
    limits = ranges.procedure("average", ratio.towards).limits(stack.expected, method.level)
    rate = data.rates.get(method.outcome)
    unit = np.exp(offset) if rate is None else np.full(len(at), rate.per)
    return Told(
        rows=_log_rows(data, method.outcome, design, ratio, ranges, log_contrasts),
        expected=np.exp(without @ coef) * unit,
        low=np.exp(limits[:, 0]) * unit,
        high=np.exp(limits[:, 1]) * unit,
        design=design,
        fit=fit,
        fresh=fresh,
        left_over=left_over,
        names=stack.names,
        **_procedures(ranges, fit, {"average": ratio.towards, **log_contrasts}),
    )


def count_series(method: ControlChoices, data: Series, stack: Stack, exposure: np.ndarray) -> CountSeries:
    """The control's counts, then the pilot's, with the people at risk as offset."""
    rate = data.rates.get(method.outcome)
    pilot = data.values(rate.numerator if rate is not None else method.outcome)
    control = np.stack([data.values(name) for name in method.controls]).sum(axis=0)
    y = np.concatenate([control, pilot])
    return CountSeries(
        y=np.where(stack.used, y, 0.0), x=stack.named, offset=np.log(exposure), used=stack.used
    )


def _exposure(method: ControlChoices, data: Series) -> np.ndarray:
    """People times the length of each period, the control first; the length alone where they are unknown."""
    lengths = np.array([data.frequency.length(int(o)) for o in data.ordinals])
    pilot = lengths if data.population is None else data.exposure
    control = lengths.copy()
    if method.control_populations:
        control = control * np.stack([data.values(name) for name in method.control_populations]).sum(axis=0)
    return np.concatenate([control, pilot])


def _wide(rows: np.ndarray, fit: Ar1Fit) -> np.ndarray:
    """Rows with noughts for the periods that do not count."""
    return np.pad(rows, ((0, 0), (0, len(fit.coef) - rows.shape[1])))


def _left_over(
    stack: Stack, fit: Ar1Fit, residuals: np.ndarray, named: np.ndarray, most: int
) -> tuple[np.ndarray, LjungBox]:
    """What is new in the pilot's periods, and the residual check over both series.

    Between the two lie as many empty periods as the check has lags, so that none of it crosses over.
    """
    n = len(stack.design.since)
    gap = np.zeros((most, 1 + named.shape[1]))
    both = np.column_stack([residuals, named])
    long = np.vstack([both[:n], gap, both[n:]])
    used = np.concatenate([stack.design.used, np.zeros(most, dtype=bool), stack.design.used])
    fresh = np.zeros_like(long)
    for part in (slice(0, n), slice(n + most, None)):
        fresh[part] = innovations(long[part], fit.rho, used[part])
    found = ljung_box(fresh[:, 0], fresh[:, 1:], used, most, fitted=int(fit.var_rho > 0))
    return fresh[n + most :, 0], found


def _ranges(fit: Ar1Fit, average: np.ndarray, stack: Stack, level: float) -> Ranges:
    """The intervals of a stacked regression."""
    used = int(stack.used.sum())
    return Ranges.of(fit, average, used=used, level=level, lengths=stack.lengths)


def _log_contrasts(design: SegmentedDesign) -> dict[str, np.ndarray]:
    """The changes of the log, by the names that effects of logs have."""
    contrasts = design.contrasts()
    kept = ("level_change", "slope_change")
    return {f"log_{term}": contrasts[term] for term in kept if term in contrasts}


def _log_rows(
    data: Series,
    outcome: str,
    design: SegmentedDesign,
    ratio: LogRatio,
    ranges: Ranges,
    contrasts: Mapping[str, np.ndarray],
) -> list[dict[str, Any]]:
    """Effects of a ratio: in numbers, from what was seen; as a share; and the logs themselves."""
    log_row = ratio.row(ranges, ranges.fit.coef)
    seen = data.values(outcome)[design.after]
    events = 1.0 if design.events_each is None else design.events_each[design.after]
    return [
        as_counts(log_row, float(seen.mean()), "average"),
        as_counts(log_row, float((seen * events).sum()), "cumulative"),
        as_share(log_row),
        log_row,
        *(ranges.row(term, contrast) for term, contrast in contrasts.items()),
    ]


def _procedures(ranges: Ranges, fit: Ar1Fit, contrasts: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {
        "routes": {term: ranges.route(term, contrast) for term, contrast in contrasts.items()},
        "dfs": {term: float(fit.dfs(contrast)[0]) for term, contrast in contrasts.items()},
    }
