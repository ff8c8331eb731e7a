"""What happened in a series besides the pilot: other changes that were taken out, periods that do not count.

The chart marks both, the result and the method name them, and the chart for watching leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.report.marks import Mark
from ucimpact.report.scale import decimals_for
from ucimpact.words import capital, joint, number

SHADES = {"phase-in": "phase-in, not counted", "March 2020 to June 2021": "pandemic, not counted"}
"""What a shaded stretch is called on a chart, by why it does not count; a lone gap is not shaded."""

Rows = Sequence[Mapping[str, Any]]


def marks(data: Mapping[str, Any], rows: Rows, shorts: Sequence[str]) -> tuple[Mark, ...]:
    """Other changes as lines and stretches that do not count as shades, on the places of these rows."""
    places = _places(rows)
    told = []
    for stretch in data.get("not_counted") or ():
        name = SHADES.get(stretch["reason"])
        if name and stretch["first"] in places and stretch["last"] in places:
            told.append(Mark(first=places[stretch["first"]], last=places[stretch["last"]], label=name))
    for change in data.get("changes") or ():
        first, last = places.get(change["first"]), places.get(change["last"])
        if first is not None:
            label = f"{change['name']}, {shorts[first]}" if last is None else change["name"]
            told.append(Mark(first=first, last=last, label=label))
    return tuple(sorted(told, key=lambda mark: mark.first))


def changes_told(data: Mapping[str, Any], rows: Rows, per: str) -> list[str]:
    """A sentence for each other change: from when, and how it was taken out."""
    labels = {row["period"]: row["label"] for row in rows}
    said = []
    for change in data.get("changes") or ():
        when = f"from {change['label']}"
        if change["last"] == change["first"]:
            when = f"in {change['label']}"
        elif change["last"] is not None:
            when += f" to {labels.get(change['last'], change['last'])}"
        who = f"{capital(change['name'])}, {when}, is"
        if change["recounted"]:
            who = f"Figures {when} are counted in another way ({change['name']}): this is"
        said.append(f"{who} taken out as {_shape(change, per)} and is no part of the effect.")
    return said


def not_counted_told(data: Mapping[str, Any], rows: Rows, noun: str) -> str:
    """How many periods do not count, which and why; "" where all do."""
    stretches = data.get("not_counted") or ()
    if not stretches:
        return ""
    labels = {row["period"]: row["label"] for row in rows}
    gaps = sum(row["n"] for row in stretches if row["reason"] not in SHADES)
    parts = [
        _stretch(row, labels.get(row["first"], row["first"]), labels.get(row["last"], row["last"]))
        for row in stretches
        if row["reason"] in SHADES
    ]
    if gaps:
        parts.append(f"{number(gaps)} without a value")
    n = sum(row["n"] for row in stretches)
    do = "does" if n == 1 else "do"
    return f"Of {number(len(rows))} {noun}s {number(n)} {do} not count: {joint(parts)}."


def watched(data: Mapping[str, Any], rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Which periods can be set beside each other on one chart, and which of them may make its limits.

    A change that stays parts the series: what was before it cannot be set beside the start, nor can what
    comes after one that is later than the start. A change for a time takes its own periods out.

    Returns
    -------
    array of bool (n,)
        Periods that are like those just before the start in all that is declared.
    array of bool (n,)
        Those of them before the start.
    """
    places, at = _places(rows), np.arange(len(rows))
    since = np.array([row["since"] for row in rows])
    kept = np.array([bool(row.get("used", True)) for row in rows])
    for change in data.get("changes") or ():
        first, last = places.get(change["first"]), places.get(change["last"])
        if first is None:
            continue
        if last is not None:
            kept &= ~((at >= first) & (at <= last))
        elif since[first] < 0:
            kept &= at >= first
        else:
            kept &= at < first
    return kept, kept & (since < 0)


def _places(rows: Rows) -> dict[Any, int]:
    return {row["period"]: k for k, row in enumerate(rows)}


def _stretch(row: Mapping[str, Any], first: str, last: str) -> str:
    if row["reason"] == "phase-in":
        span = first if row["first"] == row["last"] else f"{first} to {last}"
        return f"the phase-in, {span} ({number(row['n'])})"
    return f"the pandemic, {row['reason']} ({number(row['n'])})"


def _shape(change: Mapping[str, Any], per: str) -> str:
    size = ""
    if change["share"] is not None:
        share = 100 * change["share"]
        size = f" of {number(share, decimals_for([share]))}%"
    elif change["step"] is not None:
        size = f" of {number(change['step'], decimals_for([change['step']]))} {per}".rstrip()
    return {
        "slope": "a change of slope",
        "level-slope": f"a step{size} and a change of slope",
        "ramp": f"a step{size} that grew over time",
    }.get(change["shape"], f"a step{size}")
