"""Choices that a series cannot carry, known from its dates and columns before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ucimpact.data.calendar import SEASONS, calendar_columns, covid_periods
from ucimpact.data.periods import Frequency
from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.series_changes import Change
from ucimpact.methods.series_season import season_refusals

if TYPE_CHECKING:
    from ucimpact.methods.series_choices import SegmentedChoices

NAMED = 6
"""Periods that a list of them names before it says how many more there are."""


def choice_refusals(series: Series, choices: SegmentedChoices) -> list[Finding]:
    """Choices that these periods and columns cannot carry: known before a design is built."""
    frequency = series.frequency
    if frequency.kind not in SEASONS and not choices.takes_days:
        text = f"this series has one row a {frequency.noun}, with a weekly pattern that is not modelled"
        way_out = 'Add the days up to weeks, or use the method "structural", which has a pattern of the week'
        return [Finding("refuse", text, way_out)]
    found = []
    seasons = ("auto", *SEASONS.get(frequency.kind, ("none",)))
    if choices.season not in seasons:
        text = f'season = "{choices.season}" does not fit a series of {frequency.noun}s'
        found.append(Finding("refuse", text, f"Choose one of: {', '.join(seasons)}"))
    if choices.until is not None:
        found += _end_refusals(series, choices.until)
    found += _change_refusals(series, choices.changes)
    found += _calendar_refusals(series, choices)
    found += season_refusals(series, choices)
    return found + _adjust_refusals(series, choices)


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


def _calendar_refusals(series: Series, choices: SegmentedChoices) -> list[Finding]:
    """Calendar columns that this frequency, or these years, do not have."""
    try:
        calendar_columns(series.frequency, series.ordinals, choices.calendar, choices.nation)
    except DesignError as error:
        return [Finding("refuse", str(error))]
    return []


def _adjust_refusals(series: Series, choices: SegmentedChoices) -> list[Finding]:
    """Columns to adjust for that are the outcome itself, or have no value in a period that counts."""
    dropped = covid_periods(series.frequency, series.ordinals) & (choices.covid == "drop")
    counts = np.isfinite(series.values(choices.outcome)) & ~dropped
    found = []
    for column in choices.adjust:
        if column == choices.outcome:
            text = f"adjust holds {column}, which is the outcome itself"
            found.append(Finding("refuse", text, "Take it out of adjust"))
            continue
        lacking = np.flatnonzero(counts & ~np.isfinite(series.values(column)))
        if len(lacking):
            named = named_periods(series, lacking)
            text = f"{column}, which is adjusted for, has no value in {named}"
            found.append(Finding("refuse", text, "Fill it in, or take it out of adjust"))
    return found


def named_periods(series: Series, at: np.ndarray) -> str:
    """The periods of these rows by name, the first six of them."""
    names = ", ".join(series.frequency.label(int(series.ordinals[row])) for row in at[:NAMED])
    return f"{names} and {len(at) - NAMED} more" if len(at) > NAMED else names
