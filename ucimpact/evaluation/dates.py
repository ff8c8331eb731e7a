"""The main analysis with the ends of its window moved, and what that says of the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Check
from ucimpact.evaluation.document import Analysis
from ucimpact.evaluation.prepared import of_places
from ucimpact.study import Records
from ucimpact.study.records import left_out_for_start, starts_outside

MOVES = (1, 2, 3)
"""Periods by which the window's start and end are moved in turn."""
QUESTION = "Does the result depend on the dates chosen?"


def moved(records: Records, move: int, *, end: bool) -> tuple[Records, str]:
    """The records without ``move`` periods at one end, and who was left out for it.

    A unit that starts in the periods taken away, or has the pilot from the first of those that stay, is left
    out whole: nothing was seen of it on one side of its start.
    """
    data = of_places(records)
    ordinals = data.ordinals[data.period_codes] if isinstance(data, Panel) else data.ordinals
    last, first = data.ordinals[-1] - move, data.ordinals[0] + move
    keep = ordinals <= last if end else ordinals >= first
    if not isinstance(data, Panel) or len(data.starts) < 2:
        return replace(records, data=data.where(keep)), ""
    starts = data.start_ordinals[data.unit_codes]
    gone, units = starts_outside(ordinals[keep], starts[keep], data.unit_codes[keep])
    gone |= starts[keep] == ordinals[keep].min()
    units = len(set(data.unit_codes[keep][gone].tolist()))
    rows = np.flatnonzero(keep)
    keep[rows[gone]] = False
    note = f"Without {int(gone.sum())} rows {left_out_for_start(units)}" if units else ""
    return replace(records, data=data.where(keep)), note


def nothing_left(data: Panel | Series, move: int) -> bool:
    """Whether no period with the pilot stays when ``move`` periods are taken off the end."""
    starts = data.starts if isinstance(data, Panel) else (data.start_ordinal,)
    return int(data.ordinals[-1]) - move < min(starts)


def dates_check(main: Analysis, dates: list[Analysis]) -> Check:
    """Whether moving the dates changes the answer: an estimate outside the range, or of other sign."""
    tried = [a for a in dates if a.est is not None]
    if main.est is None or main.lo is None or main.hi is None:
        text = "Without a likely range there is nothing to hold other dates against."
        return Check(name="dates", question=QUESTION, answer="cannot tell", text=text, counted=False)
    if not tried:
        text = "There are too few periods to move the dates."
        return Check(name="dates", question=QUESTION, answer="cannot tell", text=text, counted=False)
    away = [a for a in tried if depends_on_dates(main, a)]
    rows = [{"label": a.label, "estimate": a.est, "low": a.lo, "high": a.hi} for a in tried]
    if away:
        text = (
            f"{len(away)} of {len(tried)} shifts of up to three periods give an answer outside the range or "
            "of the other sign."
        )
        return Check(name="dates", question=QUESTION, answer="doubtful", text=text, table=rows, counted=False)
    text = (
        "Beginning or ending up to three periods away leaves every answer within the range "
        f"({len(tried)} tried)."
    )
    return Check(name="dates", question=QUESTION, answer="holds", text=text, table=rows, counted=False)


def depends_on_dates(main: Analysis, other: Analysis) -> bool:
    """An estimate with moved dates that lies outside the main range, or has the other sign."""
    assert main.lo is not None and main.hi is not None and main.est is not None
    if other.est is None:
        return False
    return not main.lo <= other.est <= main.hi or other.est * main.est < 0
