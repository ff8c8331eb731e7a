"""When a design on one series cannot answer, and when its answer needs care whatever comes out.

The lists follow Cochrane EPOC (three points either side), Bernal et al. (season, calendar) and the
coverage measured in ``docs/methods/its.md``. They look at dates and at which values are there; what a
result itself says to be careful about belongs to the method.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ucimpact.data.calendar import covid_periods
from ucimpact.data.series import Series
from ucimpact.inference.timeseries import Ar1Fit, Reml
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import LEAST_FOR_SLOPE, LEAST_FOR_SPLINE, SegmentedDesign, adjusted
from ucimpact.methods.series_changes import PULSE, SLOPE
from ucimpact.methods.series_definitions import definition_refusals
from ucimpact.methods.series_refusals import named_periods

if TYPE_CHECKING:
    from ucimpact.methods.series_choices import SegmentedChoices

LEAST_EITHER_SIDE = 3
LEAST_RESIDUAL_DF = 8
MOST_MISSING = 0.1
NEAR = 3
"""Periods on either side of the start among which at most one may lack a value."""

SHORT = 36
PERIODS_PER_TERM = 5
JUMP = 1.2
"""Ratio of the populations of two periods in a row over which who is counted may have changed."""

MOVED = 0.01
"""Chance under which a column adjusted for is said to change at the start itself."""


def refusals(series: Series, design: SegmentedDesign, choices: SegmentedChoices) -> list[Finding]:
    """Why no effect can be given."""
    noun, outcome = series.frequency.noun, choices.outcome
    before, after = int(design.before.sum()), int(design.after.sum())
    found = []
    if PULSE in design.pilot:
        found += _pulse(series, design)
    elif min(before, after) < LEAST_EITHER_SIDE:
        text = f"Three periods before and after are the least; there are {before} and {after}"
        way_out = f"Add {noun}s, or wait until there are more"
        phasing = int(((design.since >= 0) & (design.since < design.shape.left_out)).sum())
        if after < LEAST_EITHER_SIDE and phasing:
            text += (
                f", as phase_in = {choices.phase_in} leaves out {counted(phasing, noun)} from the start on"
            )
            way_out = f"Choose a shorter phase_in, or wait until there are more {noun}s"
        found.append(Finding("refuse", text, way_out))
    if design.pilot == (SLOPE,) and (few := int(design.after.sum())) < LEAST_FOR_SLOPE:
        text = f"a change of slope needs {LEAST_FOR_SLOPE} {noun}s after the start; there are {few}"
        found.append(Finding("refuse", text, 'Wait until there are, or choose shape = "level"'))
    if (in_covid := int(design.covid.sum())) and choices.covid is None:
        text = (
            f"{counted(in_covid, noun)} of March 2020 to June 2021 {'is' if in_covid == 1 else 'are'} inside "
            f"the series, and the study does not say what is done with {'it' if in_covid == 1 else 'them'}"
        )
        way_out = (
            'Say covid = "drop" (they do not count), "dummy" (a level of their own), "segment" (a level '
            'and a slope of their own) or "none" (like any other time), or choose a window without them'
        )
        found.append(Finding("refuse", text, way_out))
    found += _missing(series, design, outcome)
    found += definition_refusals(series, design, choices)
    found += _negative_counts(series, design, outcome)
    seen = (design.y[design.used], series.values(outcome)[design.used])  # less its control, and as it stands
    if design.used.any() and any(np.ptp(values) == 0 for values in seen):
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
            f"{counted(used, noun)} less {terms} terms leave {design.residual_df} to measure chance by, "
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
            f"{int(lacking.sum())} of {counted(len(lacking), noun)} ({share:.0%}) have no value of "
            f"{outcome}; one in ten is the most"
        )
        return [Finding("refuse", text, way_out)]
    near_before = (design.since < 0) & (design.since >= -NEAR)
    from_first = design.since - design.first_after
    near_after = (from_first >= 0) & (from_first < NEAR)
    found = []
    for near, side in ((near_before, "before the start"), (near_after, "that count first after it")):
        if (here := int((lacking & near).sum())) > 1:
            text = f"{here} of the {NEAR} {noun}s {side} have no value of {outcome}, which hides the change"
            found.append(Finding("refuse", text, way_out))
    return found


def _negative_counts(series: Series, design: SegmentedDesign, outcome: str) -> list[Finding]:
    """A rate whose number of events is below 0 somewhere."""
    rate = series.rates.get(outcome)
    if rate is None:
        return []
    below = np.flatnonzero(design.used & (series.values(rate.numerator) < 0))
    if not len(below):
        return []
    text = f"{rate.numerator}, a number of events, is below 0 in {named_periods(series, below)}"
    return [Finding("refuse", text, "Correct the column")]


def _population_jumps(series: Series, outcome: str) -> list[Finding]:
    """A population that changes from one period to the next by more than people move."""
    if series.population is None or outcome not in series.rates:
        return []
    people = series.values(series.population)
    ratio = np.abs(np.log(people[1:] / people[:-1]))
    at = np.flatnonzero(ratio > np.log(JUMP)) + 1
    if not len(at):
        return []
    text = (
        f"{series.population}, on which the rate stands, changes by more than {JUMP - 1:.0%} at once in "
        f"{named_periods(series, at)}: who is counted may have changed, and the rate with it"
    )
    way_out = "Name that month in [[method.changes]], or count the same people throughout"
    return [Finding("warn", text, way_out.replace("month", series.frequency.noun))]


def cautions(series: Series, design: SegmentedDesign, choices: SegmentedChoices) -> list[Finding]:
    """What needs care whatever the result."""
    frequency, noun = series.frequency, series.frequency.noun
    after, used, terms = int(design.after.sum()), int(design.used.sum()), len(design.columns)
    year = frequency.per_year if frequency.kind != "financial-year" else None
    found = [*_season_cautions(series, design)]
    if year is not None and after < int(year):
        text = (
            f"{counted(after, noun)} after the start {'is' if after == 1 else 'are'} under a year: some "
            f"seasons of the effect are not seen"
        )
        found.append(Finding("warn", text))
    if used < SHORT:
        text = f"{counted(used, noun)} in all: under {SHORT} the range leans on the form of the model"
        found.append(Finding("warn", text))
    if SLOPE in design.pilot and not design.gives_slope:
        text = (
            f"{counted(after, noun)} after the start cannot show how the effect changes over time, "
            f"so no change of slope is given"
        )
        found.append(Finding("warn", text, f"Wait until there are {LEAST_FOR_SLOPE}"))
    if used < PERIODS_PER_TERM * terms:
        text = (
            f"{terms} terms are fitted to {counted(used, noun)}, more than one for every {PERIODS_PER_TERM}"
        )
        found.append(Finding("warn", text, 'A plainer season (season = "fourier-1") has fewer'))
    if year is not None and after > int(year) and "slope before" in design.columns:
        text = (
            f"the line from before the start is carried forward {counted(int(design.since[-1]) + 1, noun)}: "
            f"beyond a year the answer leans on its going straight on"
        )
        found.append(Finding("warn", text))
    if design.season.harmonics > 1 and year is not None and used < design.season.harmonics * int(year):
        waves = design.season.harmonics
        text = f"{waves} waves of the year are fitted to {counted(used, noun)}; one for each year is the most"
        found.append(Finding("warn", text, 'Choose season = "fourier-1"'))
    if design.bends:
        text = (
            f"the path before the start is a curve with {counted(design.bends, 'bend')}, which goes on as "
            f"straight as it ends: the answer leans on the last {noun}s before the start"
        )
        found.append(Finding("warn", text, 'Set it beside trend = "linear"; it is no better by itself'))
    elif choices.trend == "spline":
        text = (
            f"{counted(int(design.before.sum()), noun)} before the start are too few for a curve "
            f"({LEAST_FOR_SPLINE} are the least): the path is a line"
        )
        found.append(Finding("warn", text))
    if choices.covid == "none" and design.covid.any():
        text = "March 2020 to June 2021 is inside the series and is treated like any other time"
        found.append(Finding("warn", text))
    return (
        found
        + _population_jumps(series, choices.outcome)
        + _close_changes(series, choices)
        + _moved_with_the_pilot(design, choices)
    )


def _close_changes(series: Series, choices: SegmentedChoices) -> list[Finding]:
    """Two changes less than half a year apart: the pilot's, others, and where COVID is set apart its ends."""
    frequency = series.frequency
    apart = 6 if frequency.per_year is None else int(frequency.per_year / 2)
    dated = [(series.start_ordinal, "the start of the pilot")]
    dated += [(change.ordinal(frequency), change.called(frequency)) for change in choices.changes]
    dated += _covid_ends(series) if choices.covid in ("drop", "dummy", "segment") else []
    found = []
    for (early, one), (late, other) in pairwise(sorted(dated)):
        if late - early < apart:
            text = (
                f"{one} and {other} are {counted(late - early, frequency.noun)} apart: under {apart} it is "
                f"hard to say which of the two moved the series"
            )
            found.append(Finding("warn", text, "Compare the analysis without the other change"))
    return found


def _covid_ends(series: Series) -> list[tuple[int, str]]:
    """Where March 2020 to June 2021 begins and where it is over, as far as the series holds both sides."""
    inside = np.flatnonzero(covid_periods(series.frequency, series.ordinals))
    found = []
    if len(inside) and inside[0] > 0:
        found.append((int(series.ordinals[inside[0]]), "the beginning of March 2020 to June 2021"))
    if len(inside) and inside[-1] < len(series.ordinals) - 1:
        found.append((int(series.ordinals[inside[-1]]) + 1, "the end of March 2020 to June 2021"))
    return found


def _moved_with_the_pilot(design: SegmentedDesign, choices: SegmentedChoices) -> list[Finding]:
    """Columns adjusted for that themselves change at the start: what the pilot may have moved.

    Each is regressed on everything else in the model, as the outcome is; adjusting for what the pilot
    moved takes away a part of its effect.
    """
    found: list[Finding] = []
    if design.residual_df < 1 or design.tangled():
        return found
    for name in choices.adjust:
        at = design.names.index(adjusted(name))
        fit = Reml().of(design.x[:, at], np.delete(design.x, at, axis=1))
        if fit.sigma > 0 and _chance(fit, np.delete(design.contrasts()["average"], at)) < MOVED:
            text = f"{name}, which is adjusted for, itself changes at the start"
            way_out = "If the pilot moved it, take it out of adjust: it takes away a part of the effect"
            found.append(Finding("warn", text, way_out))
    return found


def _chance(fit: Ar1Fit, contrast: np.ndarray) -> float:
    below = float(fit.below(contrast)[0])
    return 2 * min(below, 1 - below)


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


def counted(number: int, noun: str) -> str:
    """A number of periods in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
