"""What stands beside a controlled effect: pilot and control alone, and the gap before the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.series import Series
from ucimpact.errors import EstimationError
from ucimpact.inference.timeseries import Reml
from ucimpact.methods import its_findings
from ucimpact.methods.controlled_choices import COUNTS, ControlChoices
from ucimpact.methods.controlled_forms import Told, apart, control_scale, logged
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_account import coefficients, lags, placebo_dates, season_account
from ucimpact.methods.series_fit import SeriesFit

LEAST_DF = 4
"""Periods before the start, less terms, under which the slope of the gap is not looked at."""

DOUBT = 0.10
WIDER = 1.1
CHANCE_SHARED = 2.0
"""Standard errors from which residuals of pilot and control are said to move together."""


def alone(method: ControlChoices, data: Series) -> tuple[dict[str, Any], dict[str, Any]]:
    """The average change of the pilot's series, and of the control's, each without the other."""
    pilot = SegmentedDesign.of(data, method)
    name = "the control"
    table = data.table.assign(**{name: np.where(pilot.missing, np.nan, method.control.path(data))})
    control = SegmentedDesign.of(replace(data, table=table), replace(method, outcome=name))
    found = []
    for design in (pilot, control):
        fitted = SeriesFit.of(design, lags=lags(data, design), level=method.level)
        average = design.contrasts()["average"]
        ranges = fitted.ranges(average)
        row = ranges.row("average", average)
        relative, _ = ranges.relative(average, design.expected_average())
        kept = ("estimate", "conf_low", "conf_high", "p_value")
        found.append(
            {key: row[key] for key in kept} | {"relative": relative["estimate"], "fresh": fitted.fresh}
        )
    return found[0], found[1]


def pre_trend(method: ControlChoices, data: Series) -> dict[str, Any]:
    """The slope of the gap before the start, from the periods before it alone.

    ``slope`` with its interval and p-value is per period, in the units of the outcome (of the log ratio for a
    ratio and for counts); ``slope_at_middle`` is what it adds from the last period before the start to the
    middle of the effect.
    """
    on_logs = method.form == "ratio" or method.family == COUNTS
    gap = replace(method, form="ratio" if on_logs else "difference", family="gaussian", trend="linear")
    design = logged(gap, data) if on_logs else apart(gap, data, control_scale(method, data))
    y, x, used = design.without_break()
    names = [name for name in design.names if name not in design.pilot]
    before = np.column_stack([design.columns[name] for name in names])[design.since < 0]
    kept = [name for name, column in zip(names, before.T, strict=True) if np.abs(column).sum() > 0]
    df = int(used.sum()) - len(kept)
    independent = np.linalg.matrix_rank(x) == x.shape[1]
    if df < LEAST_DF or not independent:
        noun = data.frequency.noun
        why = f"{int(used.sum())} {noun}s before the start are too few to see a slope of the gap."
        return {"p_value": None, "why": why}
    try:
        fit = Reml().of(y, x)
    except EstimationError as error:
        return {"p_value": None, "why": str(error)}
    contrast = np.eye(x.shape[1])[kept.index("slope before")]
    procedure = fit.procedure(contrast)
    low, high = procedure.limits(contrast, method.level)[0]
    slope, below = float(fit.estimates(contrast)[0]), float(procedure.below(contrast)[0])
    spread = float(fit.std_errors(contrast)[0])
    distance = float(design.since[design.after].mean()) + 1
    return {
        "slope": slope,
        "conf_low": float(low),
        "conf_high": float(high),
        "p_value": 2 * min(below, 1 - below),
        "statistic": slope / spread if spread > 0 else None,
        "distance": distance,
        "slope_at_middle": slope * distance,
        "low_at_middle": float(low) * distance,
        "high_at_middle": float(high) * distance,
        "scale": "log" if on_logs else "identity",
        "taken_out": method.trend != "none",
    }


def account(
    method: ControlChoices, data: Series, found: Told, single: dict[str, Any], control: dict[str, Any]
) -> dict[str, Any]:
    """The extras of a controlled estimate."""
    design = found.design
    here = design.used
    ours, theirs = single.pop("fresh")[here], control.pop("fresh")[here]
    spread = float(np.std(ours) * np.std(theirs))
    shared = float(np.corrcoef(ours, theirs)[0, 1]) if spread > 0 else 0.0
    extras: dict[str, Any] = {
        "noun": data.frequency.noun,
        "form": method.form,
        "family": method.family,
        "rho": found.fit.rho,
        "sigma": found.fit.sigma,
        "season": season_account(design),
        "before": int(design.before.sum()),
        "after": int(design.after.sum()),
        "n": int(here.sum()),
        "df": found.dfs,
        "route": found.routes,
        "coefficients": _named(found),
        "residuals": np.where(here, found.fresh, np.nan),
        "ljung_box": {
            "statistic": found.left_over.statistic,
            "lags": found.left_over.lags,
            "p_value": found.left_over.p_value,
        },
        "pre_trend": pre_trend(method, data),
        "single": single,
        "control": {**control, "columns": list(method.controls)},
        "shared_shocks": shared,
        "control_scale": control_scale(method, data),
    }
    if (line := _comparison(method, data)) is not None:
        extras["comparison"] = line
    if method.form != "regression":
        extras |= placebo_dates(data, design, found.fit, Reml(), method.level)
    return extras


def _comparison(method: ControlChoices, data: Series) -> list[dict[str, Any]] | None:
    """The control's own path with the events behind it; None where it is not made of counts."""
    values = np.stack([data.values(name) for name in method.controls])
    known = values[np.isfinite(values)]
    if (known < 0).any() or (known != np.round(known)).any():
        return None
    events, path = values.sum(axis=0), method.control.path(data)
    return [
        {
            "period": data.frequency.iso(int(ordinal)),
            "label": data.frequency.label(int(ordinal)),
            "mean": float(path[at]),
            "events": float(events[at]),
        }
        for at, ordinal in enumerate(data.ordinals)
    ]


def _named(found: Told) -> list[dict[str, Any]]:
    """Coefficients by name, also those of a stacked regression."""
    if len(found.names) == len(found.design.names):
        return coefficients(found.design, found.fit)
    errors = found.fit.std_errors(np.eye(len(found.fit.coef)))
    as_known = np.sqrt(np.diag(found.fit.cov))
    return [
        {
            "name": name,
            "estimate": found.fit.coef[at],
            "std_error": errors[at],
            "std_error_reml": as_known[at],
        }
        for at, name in enumerate(found.names)
    ]


def _taken_out(method: ControlChoices, scale: float) -> str:
    """What of a change that came to both is no effect, in words."""
    if scale != 1:
        return (
            f"The two lie at different levels, so the control was multiplied by {scale:.3g}: what came to "
            f"both in the same per cent is no effect"
        )
    on_logs = method.form == "ratio" or method.family == COUNTS
    return f"What came to both in the same {'per cent' if on_logs else 'number'} is no effect"


def care(
    method: ControlChoices,
    data: Series,
    found: Told,
    counterfactual: pd.DataFrame,
    extras: Mapping[str, Any],
) -> list[str]:
    """What the result itself says to be careful about."""
    noun, rows = data.frequency.noun, {row["term"]: row for row in found.rows}
    own = replace(found.design, y=np.where(found.design.used, data.values(method.outcome), np.nan))
    texts = its_findings.care(
        data,
        own,
        found.fit,
        left_over=found.left_over,
        routes={term: route for term, route in found.routes.items() if term in its_findings.IN_WORDS},
        dfs=found.dfs,
        counterfactual=counterfactual,
        relative=rows["relative"]["estimate"],
    )
    gap = extras["pre_trend"]
    if gap["p_value"] is not None and gap["p_value"] < DOUBT:
        slope = abs(gap["slope"])
        size = f"{100 * slope:.2g}%" if gap["scale"] == "log" else f"{slope:.3g}"
        way = "up" if gap["slope"] > 0 else "down"
        out = (
            "the answer leans on its going on"
            if gap["taken_out"]
            else 'it counts as effect: trend = "linear" would take it out'
        )
        texts.append(
            f"Pilot and control did not move in parallel before the start (the gap went {way} by {size} a "
            f"{noun}): {out}."
        )
    control, single = extras["control"], extras["single"]
    if control["conf_low"] > 0 or control["conf_high"] < 0:
        texts.append(
            f"The control changed at the start too ({'up' if control['estimate'] > 0 else 'down'} by "
            f"{abs(control['estimate']):.3g} a {noun}). "
            f"{_taken_out(method, extras['control_scale'])}; if the pilot reached the control, the effect is "
            f"understated."
        )
    width = rows["average"]["conf_high"] - rows["average"]["conf_low"]
    without = single["conf_high"] - single["conf_low"]
    shared = extras["shared_shocks"]
    if method.form == "regression" and shared > CHANCE_SHARED / np.sqrt(extras["n"]):
        texts.append(
            f"Pilot and control share shocks (correlation {shared:.2f}) and this regression takes them as "
            f'independent, so its range is too wide: form = "difference" uses what they share.'
        )
    elif without > 0 and width > WIDER * without:
        texts.append(
            f"Taking the control out made the range {width / without:.1f} times as wide as without it: the "
            f"two share few of their ups and downs. It still guards against what came to both at the start."
        )
    return texts
