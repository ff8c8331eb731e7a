"""Whether a series was counted in one way throughout, or the model knows where it was not.

Figures before and after a new definition are not one series. The break can be taken out where it stands
alone; where it falls with the pilot no analysis of this series can tell the two apart.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ucimpact.data.series import Series
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_refusals import named_periods

if TYPE_CHECKING:
    from ucimpact.methods.series_choices import SegmentedChoices

NEAR = 3
"""Periods from a change of definition within which a declared change was probably meant for it (J)."""

LASTING = ("level", "level-slope", "ramp")
"""Shapes of a change that can stand for another way of counting."""


def definition_refusals(series: Series, design: SegmentedDesign, choices: SegmentedChoices) -> list[Finding]:
    """Where the definition changes between two periods that count and no change of the model stands."""
    if series.definition is None:
        return []
    given = series.table[series.definition]
    used = np.flatnonzero(design.used)
    if len(unknown := used[given.isna().to_numpy()[used]]):
        text = f"the column {series.definition} says nothing of {named_periods(series, unknown)}"
        return [Finding("refuse", text, "Say under which definition each period was counted")]
    names = given.astype(str).str.strip().to_numpy(dtype=object)
    found = []
    for last_old, first_new in pairwise(used):
        if names[last_old] != names[first_new]:
            found += _at(series, choices, int(last_old), int(first_new))
    return found


def _at(series: Series, choices: SegmentedChoices, last_old: int, first_new: int) -> list[Finding]:
    """What is wrong at one change of definition, between two periods that count."""
    frequency, outcome = series.frequency, choices.outcome
    after, until = int(series.ordinals[last_old]), int(series.ordinals[first_new])
    when, iso = frequency.label(until), frequency.iso(until)
    if after < series.start_ordinal <= until:
        text = (
            f"the definition of {outcome} changed in {when}, with the start of the pilot: what the pilot did "
            f"cannot be told apart from the other way of counting"
        )
        way_out = (
            "Count both sides under one definition, or compare with a series that has the new definition and "
            "not the pilot"
        )
        return [Finding("refuse", text, way_out)]
    here = [change for change in choices.changes if after < change.ordinal(frequency) <= until]
    if any(change.shape in LASTING for change in here):
        return []
    text = f"the definition of {outcome} changed in {when}: figures before and after are not one series"
    if here:
        text += f', and a change of shape = "{here[0].shape}" does not stand for that'
    away = [(change.ordinal(frequency) - until, change) for change in choices.changes if not here]
    beside = [(by, change) for by, change in away if abs(by) <= NEAR and change.shape in LASTING]
    if beside:
        by, change = min(beside, key=lambda pair: abs(pair[0]))
        late = f"{abs(by)} {frequency.noun}{'' if abs(by) == 1 else 's'} {'later' if by > 0 else 'earlier'}"
        called = f"{change.name}, which is declared for" if change.name else "the change that is declared for"
        text += f", and {called} {frequency.label(until + by)}, {late}, does not stand for that"
        return [Finding("refuse", text, f'Correct its start to "{iso}", or say what else it is')]
    way_out = (
        f'Say [[method.changes]] with start = "{iso}" and shape = "level" (or "level-slope"), or choose a '
        f"window within one definition"
    )
    return [Finding("refuse", text, way_out)]
