"""When an interrupted time series cannot answer, and when its answer needs care.

The lists follow Cochrane EPOC (three points either side), Bernal et al. (season, calendar) and the
coverage measured in ``docs/methods/its.md``. Before fitting: :func:`refusals` and :func:`cautions`
look at dates and at which values are there. After fitting: :func:`care` looks at the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ucimpact.data.calendar import SEASONS
from ucimpact.data.periods import Frequency
from ucimpact.data.series import Series
from ucimpact.inference.residuals import LjungBox
from ucimpact.inference.timeseries import LEAST_DF, Ar1Fit
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import LEAST_FOR_SLOPE, SegmentedDesign
from ucimpact.methods.series_changes import PULSE, SLOPE, Change

LEAST_EITHER_SIDE = 3
LEAST_RESIDUAL_DF = 8
MOST_MISSING = 0.1
NEAR = 3
"""Periods on either side of the start among which at most one may lack a value."""

SHORT = 36
LONG_ENOUGH_FOR_HIGH_RHO = 48
HIGH_RHO = 0.7
SMALL_MEAN = 20.0
PERIODS_PER_TERM = 5
PATTERN = 0.05
BEYOND = 0.5
"""How far outside the values before the start, as a share of their range, an expected value is far."""

IN_WORDS = {
    "average": "the average effect",
    "level_change": "the change at the start",
    "slope_change": "the change of slope",
    "cumulative": "the total effect",
}


def choice_refusals(
    series: Series, *, season: str, until: object = None, changes: Sequence[Change] = ()
) -> list[Finding]:
    """Choices that this frequency cannot carry: known before a design is built."""
    frequency = series.frequency
    if frequency.kind not in SEASONS:
        text = f"this series has one row a {frequency.noun}, with a weekly pattern that is not modelled"
        return [Finding("refuse", text, "Add the days up to weeks")]
    found = []
    choices = ("auto", *SEASONS[frequency.kind])
    if season not in choices:
        text = f'season = "{season}" does not fit a series of {frequency.noun}s'
        found.append(Finding("refuse", text, f"Choose one of: {', '.join(choices)}"))
    if until is not None:
        found += _end_refusals(series, until)
    return [*found, *_change_refusals(series, changes)]


def _end_refusals(series: Series, until: object) -> list[Finding]:
    """A temporary change that ends nowhere, before it starts, or after the series."""
    frequency = series.frequency
    try:
        last = series.ordinal(until)
    except (ValueError, TypeError):
        return [_unread("until", until, frequency)]
    if not series.start_ordinal <= last < series.ordinals[-1]:
        text = (
            f"until, {frequency.label(last)}, does not lie between the start, "
            f"{frequency.label(series.start_ordinal)}, and the last {frequency.noun}, "
            f"{frequency.label(int(series.ordinals[-1]))}, which has to come after it"
        )
        return [Finding("refuse", text, 'Correct it, or say shape = "level" if the pilot still runs')]
    return []


def _change_refusals(series: Series, changes: Sequence[Change]) -> list[Finding]:
    """Other changes that cannot be placed, have one name, or lie where nothing shows them."""
    frequency = series.frequency
    ends = tuple(int(series.ordinals[at]) for at in (0, -1))
    found, placed = [], []
    for change in changes:
        try:
            start = change.ordinal(frequency)
            last = None if change.until is None else series.ordinal(change.until)
        except (ValueError, TypeError):
            given = ", ".join(str(value) for value in (change.start, change.until) if value is not None)
            found.append(_unread("a change", given, frequency))
            continue
        name = change.called(frequency)
        placed.append(name)
        if not ends[0] < start <= ends[1]:
            window = " to ".join(map(frequency.label, ends))
            text = f"{name} ({frequency.label(start)}) does not fall within the series ({window})"
            found.append(Finding("refuse", text, "Take it out of changes, or correct its start"))
        elif last is not None and last < start:
            text = f"{name} ends in {frequency.label(last)}, before it starts"
            found.append(Finding("refuse", text, "Correct its start or its until"))
        elif start == series.start_ordinal:
            text = f"{name} falls in {frequency.label(start)}, with the pilot: the two cannot be told apart"
            way_out = "Bring a comparison series that has this change and not the pilot, or a later start"
            found.append(Finding("refuse", text, way_out))
    if twice := sorted({name for name in placed if placed.count(name) > 1}):
        text = f"more than one change is called {', '.join(twice)}"
        found.append(Finding("refuse", text, "Give each a name of its own"))
    return found


def _unread(what: str, value: object, frequency: Frequency) -> Finding:
    text = f"{what} is dated {value}, which is not a date that fits {frequency.noun}s"
    return Finding("refuse", text, "Write it as the start is written, such as 2022-04")


def refusals(series: Series, design: SegmentedDesign, *, outcome: str, covid: str | None) -> list[Finding]:
    """Why no effect can be given."""
    noun = series.frequency.noun
    before, after = int(design.before.sum()), int(design.after.sum())
    found = []
    if PULSE in design.pilot:
        found += _pulse(series, design)
    elif min(before, after) < LEAST_EITHER_SIDE:
        text = f"Three periods before and after are the least; there are {before} and {after}"
        found.append(Finding("refuse", text, f"Add {noun}s, or wait until there are more"))
    if (in_covid := int(design.covid.sum())) and covid is None:
        text = (
            f"{_count(in_covid, noun)} of March 2020 to June 2021 {'is' if in_covid == 1 else 'are'} inside "
            f"the series, and the study does not say what is done with {'it' if in_covid == 1 else 'them'}"
        )
        way_out = (
            'Say covid = "drop" (they do not count), "dummy" (a level of their own), "segment" (a level '
            'and a slope of their own) or "none" (like any other time), or choose a window without them'
        )
        found.append(Finding("refuse", text, way_out))
    found += _missing(series, design, outcome)
    values = design.y[design.used]
    if len(values) and np.ptp(values) == 0:
        text = f"every {noun} has the same value of {outcome}: there is nothing to measure chance by"
        found.append(Finding("refuse", text, "Check the column, or choose an outcome that varies"))
    if found:
        return found
    if tangled := design.tangled():
        text = f"these parts of the model cannot be told apart in these {noun}s: {', '.join(tangled)}"
        way_out = 'Take one of them out, or choose a plainer season, covid = "drop", or trend = "none"'
        return [Finding("refuse", text, way_out)]
    if design.residual_df < LEAST_RESIDUAL_DF:
        used, terms = int(design.used.sum()), len(design.columns)
        text = (
            f"{_count(used, noun)} less {terms} terms leave {design.residual_df} to measure chance by, "
            f"and {LEAST_RESIDUAL_DF} are the least"
        )
        found.append(Finding("refuse", text, f'Add {noun}s, or choose season = "none"'))
    return found


def _pulse(series: Series, design: SegmentedDesign) -> list[Finding]:
    """A pulse is seen in one period, against the others on either side."""
    noun, others = series.frequency.noun, int(design.used.sum()) - 1
    if not design.after.any():
        text = f"a pulse is seen in the first {noun} of the pilot alone, and that {noun} does not count"
        return [Finding("refuse", text, "Fill it in, or choose another shape")]
    if (before := int(design.before.sum())) < LEAST_EITHER_SIDE or others < 2 * LEAST_EITHER_SIDE:
        text = (
            f"Three periods before and six without the pulse are the least; there are {before} and {others}"
        )
        return [Finding("refuse", text, f"Add {noun}s")]
    return []


def _missing(series: Series, design: SegmentedDesign, outcome: str) -> list[Finding]:
    noun = series.frequency.noun
    lacking, way_out = design.missing, "Fill them in, or choose a window in which they are there"
    if (share := float(lacking.mean())) > MOST_MISSING:
        text = (
            f"{int(lacking.sum())} of {_count(len(lacking), noun)} ({share:.0%}) have no value of {outcome}; "
            f"one in ten is the most"
        )
        return [Finding("refuse", text, way_out)]
    near_before = (design.since < 0) & (design.since >= -NEAR)
    counted = design.since - design.first_after
    near_after = (counted >= 0) & (counted < NEAR)
    found = []
    for near, side in ((near_before, "before the start"), (near_after, "that count first after it")):
        if (here := int((lacking & near).sum())) > 1:
            text = f"{here} of the {NEAR} {noun}s {side} have no value of {outcome}, which hides the change"
            found.append(Finding("refuse", text, way_out))
    return found


def cautions(series: Series, design: SegmentedDesign, *, covid: str | None) -> list[Finding]:
    """What needs care whatever the result."""
    frequency, noun = series.frequency, series.frequency.noun
    after, used, terms = int(design.after.sum()), int(design.used.sum()), len(design.columns)
    year = frequency.per_year if frequency.kind != "financial-year" else None
    found = [*_season_cautions(series, design)]
    if year is not None and after < int(year):
        text = (
            f"{_count(after, noun)} after the start are under a year: some seasons of the effect are not seen"
        )
        found.append(Finding("warn", text))
    if used < SHORT:
        text = f"{_count(used, noun)} in all: under {SHORT} the range leans on the form of the model"
        found.append(Finding("warn", text))
    if SLOPE in design.pilot and not design.gives_slope:
        text = (
            f"{_count(after, noun)} after the start cannot show how the effect changes over time, "
            f"so no change of slope is given"
        )
        found.append(Finding("warn", text, f"Wait until there are {LEAST_FOR_SLOPE}"))
    if used < PERIODS_PER_TERM * terms:
        text = f"{terms} terms are fitted to {_count(used, noun)}, more than one for every {PERIODS_PER_TERM}"
        found.append(Finding("warn", text, 'A plainer season (season = "fourier-1") has fewer'))
    if year is not None and after > int(year) and "slope before" in design.columns:
        text = (
            f"the line from before the start is carried forward {_count(int(design.since[-1]) + 1, noun)}: "
            f"beyond a year the answer leans on its going straight on"
        )
        found.append(Finding("warn", text))
    if covid == "none" and design.covid.any():
        text = "March 2020 to June 2021 is inside the series and is treated like any other time"
        found.append(Finding("warn", text))
    return found


def small_counts(series: Series, design: SegmentedDesign, *, outcome: str) -> list[Finding]:
    """Counts too small for errors like the normal."""
    noun, mean = series.frequency.noun, _mean_count(series, design, outcome)
    if mean is None or mean >= SMALL_MEAN:
        return []
    text = (
        f"the mean count of {outcome} is {mean:.1f} a {noun}: under {SMALL_MEAN:.0f} the range may be "
        f"wrong, and may reach below 0"
    )
    return [Finding("warn", text, "Longer periods or a larger area have larger counts")]


def _season_cautions(series: Series, design: SegmentedDesign) -> list[Finding]:
    season = design.season
    if season.separable is None:
        text = "the periods are numbered and not dated: season can be neither seen nor taken out"
        return [Finding("warn", text, "Give dates")]
    if not season.separable:
        leaning = "" if season.name == "none" else ". The season in the model leans on that winter"
        text = f"{season.why.rstrip('.')}{leaning}"
        return [Finding("warn", text, "More years before, or a like area without the change, could")]
    if season.name == "none" and series.frequency.kind != "financial-year":
        return [
            Finding("warn", "no season is in the model: a season that falls at the start counts as effect")
        ]
    return []


def _mean_count(series: Series, design: SegmentedDesign, outcome: str) -> float | None:
    """Mean count behind the outcome; None where it is not known to be made of counts."""
    rate = series.rates.get(outcome)
    if rate is not None:
        counts = series.values(rate.numerator)[design.used]
    else:
        counts = design.y[design.used]
        if np.any(counts != np.round(counts)) or np.any(counts < 0):
            return None
    return float(np.nanmean(counts)) if len(counts) else None


def care(
    series: Series,
    design: SegmentedDesign,
    fit: Ar1Fit,
    *,
    left_over: LjungBox,
    routes: dict[str, str],
    dfs: dict[str, float],
    counterfactual: pd.DataFrame,
    relative: float,
) -> list[str]:
    """What the result itself says to be careful about."""
    noun, used = series.frequency.noun, int(design.used.sum())
    texts = []
    if fit.rho > HIGH_RHO and used < LONG_ENOUGH_FOR_HIGH_RHO:
        texts.append(
            f"What happens in one {noun} carries over strongly to the next (autocorrelation {fit.rho:.2f}), "
            f"and {used} {noun}s are few to measure that: the range may be somewhat too narrow."
        )
    if low := [term for term in routes if routes[term] == "rho-averaged"]:
        least = min(dfs[term] for term in low)
        texts.append(
            f"{used} {noun}s cannot settle how much carries over from one {noun} to the next, so the range "
            f"of {_listed(low)} averages over it (one value would leave {least:.1f} degrees of freedom, and "
            f"{LEAST_DF:.0f} are the least)."
        )
    wider = [term for term in routes if routes[term] == "ar1-plus-noise"]
    pattern = left_over.p_value < PATTERN
    if pattern:
        texts.append(
            f"What the model leaves over still has a pattern from {noun} to {noun} (Ljung-Box, "
            f"{left_over.lags} lags).{'' if wider else ' The range may be too narrow.'}"
        )
    if wider and pattern:
        texts.append(
            f"Because of that pattern the wider of two ranges is given for {_listed(wider)}: the one that "
            f"allows for measurement noise on top of what carries over."
        )
    elif wider:
        texts.append(
            f"Allowing for measurement noise on top of what carries over widens the range of "
            f"{_listed(wider)} by more than a quarter, so the wider range is given."
        )
    after, seen = counterfactual.loc[design.after, "expected"].to_numpy(), design.y[design.before]
    margin = BEYOND * np.ptp(seen)
    outside = int(((after < seen.min() - margin) | (after > seen.max() + margin)).sum())
    if seen.min() >= 0 and after.min() < 0:
        texts.append(
            f"What is expected without the pilot falls below 0 in {_count(int((after < 0).sum()), noun)}."
        )
    elif outside:
        texts.append(
            f"What is expected without the pilot lies far from all that was seen before the start in "
            f"{outside} of {_count(len(after), noun)}."
        )
    if not np.isfinite(relative):
        texts.append("What is expected without the pilot cannot be told from 0, so no per cent is given.")
    return texts


def _listed(terms: Iterable[str]) -> str:
    words = [IN_WORDS[term] for term in terms]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
