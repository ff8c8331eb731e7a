"""Whether the result of a series stands when its date, its form or its months are not as chosen.

Every answer is a :class:`~ucimpact.diagnostics.check.Check` with ``counted=False``. They are asked of the
declared method where it is quick, of the plain segmented regression on the same terms where it takes a second
a fit (ARIMA), and not of a structural series, whose trend and season are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ucimpact.data.calendar import IN_WORDS, SEASONS
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.errors import DataError, DesignError, EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference import unknown_break as breaks
from ucimpact.inference.left_out import moved_by_leaving_out
from ucimpact.methods.arima_its import ArimaITS
from ucimpact.methods.controlled_its import ControlledITS
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_choices import TRENDS, SeriesChoices
from ucimpact.methods.structural import StructuralTimeSeries

UNKNOWN_BREAK = "Would the series put a break there, not told the date?"
MULTIVERSE = "Does the result hang on how trend, season and phase-in are drawn?"
LEAVE_OUT = "Does the result hang on a few periods?"

FOUND = 0.05
AS_WELL = 1.10
"""Spread of what a way of drawing the series leaves over, against that of the main analysis, up to which it
counts as an account of the series that is about as good (a judgement)."""
TREND_WORDS = {"linear": "straight", "spline": "a curve before the start", "none": "none"}
SEASON_WORDS = {**IN_WORDS, "borrowed": "that of other series", "stated": "as the study states it"}
LISTED, TOGETHER = 6, 3
HALF = 0.5
CANNOT = (DataError, DesignError, EstimationError)

Told = Callable[[Estimate], Mapping[str, float | None]]
"""``est, lo, hi`` of an estimate in the units of the main result."""
Fit = Callable[[SeriesChoices, Series], Estimate]


def quick(method: SeriesChoices) -> SeriesChoices | None:
    """The method itself, or the plain regression on its terms; None where neither is the same question."""
    if isinstance(method, StructuralTimeSeries):
        return None
    if isinstance(method, ArimaITS):
        return InterruptedTimeSeries(**{f.name: getattr(method, f.name) for f in fields(SeriesChoices)})
    return method


# -- an unknown date ---------------------------------------------------------------------


def unknown_break(design: SegmentedDesign, data: Series, *, seed: int, logs: bool = False) -> Check | None:
    """The largest of all breaks of level and slope, with its own distribution.

    Holds if a break is found (5%) within a quarter of a year of the first period that counts after the
    start; doubtful if it is found elsewhere. Where none is found the series does not say, and it cannot
    tell. None for a series too short to ask.

    Parameters
    ----------
    design : SegmentedDesign
        Of the main analysis.
    data : Series
    seed : int
        Of the simulated series.
    logs : bool, default False
        Look at the logarithm of the outcome, for counts.
    """
    own = [design.names.index(name) for name in design.pilot]
    y = np.log(np.maximum(design.y, 0) + 0.5) if logs else design.y
    if logs and data.population is not None:
        y = y - np.log(data.exposure)
    found = breaks.unknown_break(
        y, np.delete(design.x, own, axis=1), design.x[:, own], design.used, seed=seed
    )
    if found is None:
        return None
    frequency = data.frequency
    first = int(np.flatnonzero(design.after)[0]) if design.after.any() else int((data.since < 0).sum())
    near = 3 if frequency.per_year is None else max(1, round(frequency.per_year / 4))
    away = found.best - first
    label, noun = frequency.label(int(data.ordinals[found.best])), frequency.noun
    chance = "fewer than 1" if found.p_value < 0.01 else f"{round(100 * found.p_value):d}"
    where = f"{abs(away)} {noun}{'' if abs(away) == 1 else 's'} {'before' if away < 0 else 'after'}"
    counted = f"first {noun} that counts after the start"
    head = f"Not told the date, the series puts its largest break at {label}, "
    answer: Answer
    if found.p_value >= FOUND:
        answer = "cannot tell"
        text = (
            f"Not told the date, the series puts its largest break at {label}, and chance gives one as large "
            f"in {chance} of 100 series without any."
        )
    elif abs(away) <= near:
        answer = "holds"
        text = f"{head}{where} the {counted}." if away else f"{head}the {counted}."
    else:
        answer = "doubtful"
        text = f"{head}{where} the {counted}. Something else may have happened there."
    order = sorted(np.argsort(-found.f)[:LISTED], key=lambda k: found.position[k])
    rows = [
        {"label": frequency.label(int(data.ordinals[found.position[k]])), "f": float(found.f[k])}
        for k in order
    ]
    return Check(
        name="unknown_break",
        question=UNKNOWN_BREAK,
        answer=answer,
        text=text,
        statistic=found.statistic,
        p_value=found.p_value,
        table=rows,
        counted=False,
    )


# -- other ways to draw the same series --------------------------------------------------


def trend_multiverse(
    method: SeriesChoices, data: Series, estimate: Estimate, *, told: Told, fit: Fit
) -> Check | None:
    """The result under every trend, season and phase-in that could have been chosen as well.

    Trends: straight, none, a curve; each with every season (none, and the waves that the periods before
    allow) and with every phase-in (as declared and none, or, where none is declared, two months). Judged are
    those that leave over no more than the main analysis by 10%. Doubtful if one of them lies outside the
    likely range; where that range includes no change and one has the other sign, it cannot tell.
    """
    chosen = quick(method)
    if chosen is None:
        return None
    try:
        spread = _spread(estimate if chosen is method else fit(chosen, data))
    except CANNOT:
        return None
    main = told(estimate)
    tried, rows = [], []
    for other, words in _variants(chosen, data):
        try:
            found = fit(other, data)
        except CANNOT:
            continue
        got = told(found)
        if got["est"] is None:
            continue
        well = spread is None or (_spread(found) or 0.0) <= AS_WELL * spread
        rows.append(
            {
                **words,
                "estimate": got["est"],
                "low": got["lo"],
                "high": got["hi"],
                "fits": "as well" if well else "worse",
            }
        )
        tried += [got["est"]] if well else []
    if len(rows) < 2 or main["est"] is None:
        return None
    return _judged_ways(main, tried, rows)


def _variants(method: SeriesChoices, data: Series) -> list[tuple[SeriesChoices, dict[str, Any]]]:
    """Each way to draw the series, with its words; the declared one is among them."""
    chosen = method.design(data).season
    own = replace(method, season_from=(), season_profile=())
    separable = chosen.separable if own == method else own.design(data).season.separable
    waves = [
        name for name in SEASONS.get(data.frequency.kind, ()) if name in ("none", "fourier-1", "fourier-2")
    ]
    if not separable:
        waves = [] if own == method else ["none"]
    seasons = list(dict.fromkeys([chosen.name, *waves]))
    longer = max(1, round((data.frequency.per_year or 6) / 6))
    phases = list(dict.fromkeys([method.phase_in, 0, *([] if method.phase_in else [longer])]))
    if method.shape == "pulse":
        phases = [method.phase_in]
    elif method.shape == "ramp":
        phases = [method.phase_in, method.phase_in + longer]
    drawn = [(season, method.phase_in) for season in seasons] + [(seasons[0], phase) for phase in phases[1:]]
    return [
        (
            # a season from elsewhere is named by its columns or numbers, and stands in place of any other
            replace(method, trend=trend, phase_in=phase)
            if season == chosen.name and own != method
            else replace(own, trend=trend, season=season, phase_in=phase),
            {"trend": TREND_WORDS[trend], "season": SEASON_WORDS[season], "phase_in": phase},
        )
        for trend in TRENDS
        for season, phase in drawn
    ]


def _spread(estimate: Estimate) -> float | None:
    """Standard deviation of what the fit leaves over, on its own scale; None where it tells none."""
    left = estimate.extras.get("residuals")
    if left is None:
        return None
    values = np.asarray([np.nan if v is None else v for v in left], dtype=float)
    values = values[np.isfinite(values)]
    return float(values.std()) if len(values) and values.std() > 0 else None


def _judged_ways(
    main: Mapping[str, float | None], tried: Sequence[float], rows: list[dict[str, Any]]
) -> Check:
    est, low, high = (main[name] for name in ("est", "lo", "hi"))
    assert est is not None
    number = f"Of {len(rows)} ways to draw trend, season and phase-in {len(tried)} fit about as well"
    turned = sum(value * est < 0 for value in tried)
    answer: Answer = "holds"
    if low is None or high is None:
        answer, text = (
            "cannot tell",
            f"{number}. Without a likely range there is nothing to hold them against.",
        )
    else:
        outside = sum(not low <= value <= high for value in tried)
        if outside:
            answer = "doubtful"
            turn = f", and {turned} the other sign" if turned else ""
            text = f"{number}; {outside} of these {_have(outside)} an answer outside the likely range{turn}."
        elif turned and low <= 0 <= high:
            answer = "cannot tell"
            text = f"{number}; {turned} of these {_have(turned)} the other sign, as the likely range allows."
        else:
            text = f"{number}, and all of these give an answer within the likely range."
    return Check(
        name="trend_multiverse", question=MULTIVERSE, answer=answer, text=text, table=rows, counted=False
    )


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


# -- without some periods ----------------------------------------------------------------


def leave_out_months(
    method: SeriesChoices, data: Series, estimate: Estimate, *, told: Told, fit: Fit
) -> Check | None:
    """The result without each period, and without each three in a row.

    For a plain segmented regression, or one of a difference, without fitting again; for other methods by
    fitting again without each three in a row, one stretch after another. Doubtful if the result leaves its
    likely range or, where that range leaves out no change, is halved or turned (J).
    """
    main, chosen = told(estimate), quick(method)
    if main["est"] is None or chosen is None:
        return None
    design = method.design(data)
    if _is_linear(method):
        rows = _without_fitting(design, data, estimate, float(main["est"]))
    elif chosen is method:
        rows = _fitted_again(chosen, design, data, told, fit)
    else:
        return None
    if not rows:
        return None
    est, low, high = float(main["est"]), main["lo"], main["hi"]
    for row in rows:
        row["change"] = row["estimate"] - est
    most = max(rows, key=lambda row: abs(row["change"]))
    answer: Answer = "holds"
    told_most = f"It moves most without {most['left_out']}."
    if low is None or high is None:
        answer, text = (
            "cannot tell",
            f"Without a likely range there is nothing to hold it against. {told_most}",
        )
    else:
        sure = not low <= 0 <= high
        away = [row for row in rows if not low <= row["estimate"] <= high]
        halved = [row for row in rows if sure and row["estimate"] * est < HALF * est**2]
        if away:
            answer = "doubtful"
            named = max(away, key=lambda row: abs(row["change"]))["left_out"]
            text = f"Yes: without {named} the answer leaves the likely range."
        elif halved:
            answer = "doubtful"
            named = max(halved, key=lambda row: abs(row["change"]))["left_out"]
            text = f"Yes: without {named} the answer is less than half as large."
        elif sure:
            text = f"No period, and no three in a row, halves the answer when left out. {told_most}"
        else:
            text = f"No period, and no three in a row, takes the answer out of its likely range. {told_most}"
    shown = sorted(rows, key=lambda row: -abs(row["change"]))[: 2 * LISTED]
    return Check(
        name="leave_out_months", question=LEAVE_OUT, answer=answer, text=text, table=shown, counted=False
    )


def _is_linear(method: SeriesChoices) -> bool:
    """Whether the average effect is a contrast of one regression with an AR(1) or independent errors."""
    if isinstance(method, ControlledITS):
        return method.form == "difference" and method.family == "gaussian"
    return type(method) is InterruptedTimeSeries


def _without_fitting(
    design: SegmentedDesign, data: Series, estimate: Estimate, est: float
) -> list[dict[str, Any]]:
    average = float(estimate.effect("average")["estimate"])
    if not average:
        return []
    rho = float(estimate.extras.get("rho") or 0.0)
    blocks = _blocks(design, 1, 1) + _blocks(design, TOGETHER, 1)
    moved = moved_by_leaving_out(design.y, design.x, design.contrasts()["average"], blocks, rho=rho)
    return [
        {"left_out": _named(data, block), "estimate": est * (average + float(by)) / average}
        for block, by in zip(blocks, moved, strict=True)
        if np.isfinite(by)
    ]


def _fitted_again(
    method: SeriesChoices, design: SegmentedDesign, data: Series, told: Told, fit: Fit
) -> list[dict[str, Any]]:
    rows = []
    for block in _blocks(design, TOGETHER, TOGETHER):
        gone = np.zeros(len(design.used), dtype=bool)
        gone[block] = True
        table = data.table.assign(**{method.outcome: np.where(gone, np.nan, data.values(method.outcome))})
        try:
            found = told(fit(method, replace(data, table=table)))
        except CANNOT:
            continue
        if found["est"] is not None:
            rows.append({"left_out": _named(data, block), "estimate": float(found["est"])})
    return rows


def _blocks(design: SegmentedDesign, size: int, step: int) -> list[list[int]]:
    """Rows that count, so many in a row, each stretch so many after the last."""
    at = np.flatnonzero(design.used)
    return [[int(row) for row in at[k : k + size]] for k in range(0, len(at) - size + 1, step)]


def _named(data: Series, block: Sequence[int]) -> str:
    first, last = (data.frequency.label(int(data.ordinals[row])) for row in (block[0], block[-1]))
    return first if len(block) == 1 else f"{first} to {last}"
