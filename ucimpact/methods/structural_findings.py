"""When a structural time series cannot answer, and when its answer needs care.

What speaks against any design on one series is in :mod:`ucimpact.methods.series_findings`; here is what
control series and a sampler add to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.data.series import Series
from ucimpact.inference.convergence import Convergence
from ucimpact.inference.residuals import LjungBox, ljung_box
from ucimpact.inference.structural import Draws
from ucimpact.inference.timeseries import Reml
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_findings import counted
from ucimpact.methods.series_refusals import named_periods

LEAST_BEFORE = 12
TIMES_SEEN = 2
"""How often a pattern has to be seen before the start."""

MOVED = 0.01
"""Chance, shared among the control series, under which one is said to change at the start itself."""

MOST_R_HAT = 1.01
LEAST_EFFECTIVE = 400
BEYOND = 0.5
"""How far outside the values before the start, as a share of their range, a value is far."""

PATTERN = 0.05
"""Chance in the residual check below which what is left over has a pattern."""

CARRIES, LEAST_TO_CARRY = 0.5, 4
"""Share of all gaps from which one period is said to carry them, and periods below which that is no news."""

HELPS = 0.5
"""Chance of being in the model from which a control series is said to help."""


def refusals(
    series: Series,
    design: SegmentedDesign,
    *,
    outcome: str,
    controls: Sequence[str],
    fixed: Sequence[str],
    length: int,
) -> list[Finding]:
    """Why no effect can be given.

    Parameters
    ----------
    controls : sequence of str
        Columns of the table that the model chooses from.
    fixed : sequence of str
        Columns of the design that stay in.
    length : int
        Periods after which a pattern repeats; 1 without one.
    """
    noun, before = series.frequency.noun, int(design.before.sum())
    found = []
    if before < LEAST_BEFORE:
        text = f"there are {counted(before, noun)} before the start, and {LEAST_BEFORE} are the least"
        found.append(Finding("refuse", text, f"Add {noun}s before the start"))
    if before < TIMES_SEEN * length:
        text = f"a pattern of {length} {noun}s has to be seen twice before the start; there are {before}"
        found.append(Finding("refuse", text, "Choose season_length = 1, or add periods before the start"))
    rate = series.rates.get(outcome)
    made_of = {outcome, *((rate.numerator,) if rate else ())}
    here = design.since < 0
    for name in controls:
        values = series.values(name)
        lacking = np.flatnonzero(~np.isfinite(values))
        if name in made_of:
            text = (
                f"the control series {name} is the outcome itself: what the pilot changed, it changed there"
            )
            found.append(Finding("refuse", text, "Name a service or an area without the pilot"))
        elif len(lacking):
            text = f"the control series {name} has no value in {named_periods(series, lacking)}"
            found.append(Finding("refuse", text, "Fill it in, or take it out of controls"))
        elif np.ptp(values[here]) == 0:
            text = f"the control series {name} has the same value in every {noun} before the start"
            found.append(Finding("refuse", text, "It cannot show what it goes with: take it out of controls"))
    for name in fixed:
        if np.ptp(design.columns[name][here]) == 0 and np.ptp(design.columns[name]) > 0:
            text = f"{name} only varies after the start, so what it does without the pilot was never seen"
            found.append(Finding("refuse", text, "Take it out, or choose a window in which it was seen"))
    return found


def cautions(series: Series, design: SegmentedDesign, *, controls: Sequence[str]) -> list[Finding]:
    """What needs care whatever the result."""
    frequency, found = series.frequency, []
    if not controls:
        text = (
            "no control series is named: what is expected is the level before the start carried on, and all "
            "else that happened then counts as effect"
        )
        found.append(Finding("warn", text, "Name series that the pilot cannot have touched"))
    else:
        named = (
            f"that {controls[0]} was not" if len(controls) == 1 else f"that none of {_listed(controls)} was"
        )
        found.append(Finding("warn", f"the answer holds on condition {named} touched by the pilot"))
    if frequency.kind == "day":
        text = (
            "a season of the year is not in the model of days: where the control series do not share it, a "
            "season that falls at the start counts as effect"
        )
        found.append(Finding("warn", text))
    if len(controls) > (before := int(design.before.sum())) / 3:
        text = (
            f"there are {len(controls)} control series for {counted(before, frequency.noun)} before the start"
        )
        found.append(Finding("warn", text, "Name fewer: those with a reason to move with the outcome"))
    for name in controls:
        if _moves_at_the_start(series.values(name), design, MOVED / len(controls)):
            text = f"the control series {name} itself changes at the start"
            way_out = (
                "If the pilot touched it, take it out of controls: it would take away a part of the effect"
            )
            found.append(Finding("warn", text, way_out))
    return found


def _moves_at_the_start(values: np.ndarray, design: SegmentedDesign, chance: float) -> bool:
    """Whether a line with AR(1) errors has a step at the start."""
    n = len(values)
    x = np.column_stack([np.ones(n), design.since, design.since >= design.first_after]).astype(float)
    fit = Reml().of(values, x)
    if fit.residual_df <= 0 or fit.sigma <= 0:
        return False
    below = float(fit.below(np.array([0.0, 0.0, 1.0]))[0])
    return 2 * min(below, 1 - below) < chance


def care(
    series: Series,
    design: SegmentedDesign,
    draws: Draws,
    *,
    controls: Sequence[str],
    settled: Convergence,
    left_over: LjungBox,
    average: Mapping[str, Any],
    loose: Mapping[str, Any] | None,
    relative: bool,
) -> list[str]:
    """What the result itself says to be careful about."""
    noun, texts = series.frequency.noun, []
    if settled.r_hat > MOST_R_HAT or settled.effective < LEAST_EFFECTIVE:
        texts.append(
            f"The draws have not settled (split R-hat {settled.r_hat:.3f}, worth {settled.effective:.0f} "
            f"independent draws of {len(draws.expected)}): the ends of the range may move with the seed. Ask "
            f"for more draws."
        )
    if left_over.p_value < PATTERN:
        texts.append(
            f"What the model leaves over before the start still has a pattern from {noun} to {noun} "
            f"(Ljung-Box, {left_over.lags} lags): the level may wander more than was thought, and the range "
            f"be too narrow. Set level_sd = 0.05 or 0.1 beside it."
        )
    if loose is not None and _leaves_out_0(average) != _leaves_out_0(loose):
        low, high = (f"{loose[name]:.4g}".replace("-", "\u2212") for name in ("conf_low", "conf_high"))
        texts.append(
            f"Whether the range leaves out 0 hangs on how far the level is thought to wander: with "
            f"level_sd = {loose['level_sd']:g} it runs from {low} to {high}."
        )
    if text := _carried_by_one(series, design, draws):
        texts.append(text)
    if controls and draws.included[: len(controls)].max() < HELPS:
        texts.append(
            "No control series is more likely in the model than out of it: what is expected is in the main "
            "the level before the start carried on."
        )
    helping = [name for at, name in enumerate(controls) if draws.included[at] >= HELPS]
    for name in helping:
        if far := _far(series.values(name), design):
            texts.append(
                f"{name} lies far from all its values before the start in {far} of "
                f"{counted(int(design.after.sum()), noun)} after it: the answer leans on its going with "
                f"the outcome there too."
            )
    expected, seen = draws.expected.mean(axis=0), design.y[design.before]
    below = int((expected[design.after] < 0).sum())
    if seen.min() >= 0 and below:
        texts.append(f"What is expected without the pilot falls below 0 in {counted(below, noun)}.")
    elif far := _far(expected, design, seen):
        texts.append(
            f"What is expected without the pilot lies far from all that was seen before the start in "
            f"{far} of {counted(int(design.after.sum()), noun)}."
        )
    if not relative:
        texts.append("What is expected without the pilot cannot be told from 0, so no per cent is given.")
    return texts


def left_over(design: SegmentedDesign, expected: np.ndarray, columns: np.ndarray, lags: int) -> LjungBox:
    """Whether what is left over before the start has a pattern.

    Parameters
    ----------
    expected : array (n,)
        Posterior mean of each period.
    columns : array (n, k)
        What was fitted: the level and the columns in the model.
    lags : int
        At most; a fifth of the periods before the start where these are fewer.
    """
    here = design.since < 0
    used = design.before[here]
    fresh = np.where(used, design.y[here] - expected[here], 0.0)
    rows = np.where(used[:, None], columns[here], 0.0)
    return ljung_box(fresh, rows, used, max(min(lags, int(used.sum()) // 5), 3), fitted=0)


def _carried_by_one(series: Series, design: SegmentedDesign, draws: Draws) -> str | None:
    """Whether one period holds most of what the pilot's periods lie from what was expected."""
    gaps = np.abs(design.y - draws.expected.mean(axis=0)) * design.after
    at = int(gaps.argmax())
    if int(design.after.sum()) < LEAST_TO_CARRY or not gaps[at] > CARRIES * gaps.sum():
        return None
    label = series.frequency.label(int(series.ordinals[at]))
    return (
        f"{label} alone holds more than half of all that was not expected after the start. The range is of "
        f"what happened, not of what would happen again: check that figure, and see the answer without it."
    )


def _leaves_out_0(row: Mapping[str, Any]) -> bool:
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


def _far(values: np.ndarray, design: SegmentedDesign, before: np.ndarray | None = None) -> int:
    """Periods after the start in which values lie far outside those before it."""
    known = values[design.before] if before is None else before
    margin = BEYOND * np.ptp(known)
    after = values[design.after]
    return int(((after < known.min() - margin) | (after > known.max() + margin)).sum())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
