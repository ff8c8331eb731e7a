"""Values of places and months that lie far beyond the rest of their column: named, and left as they are.

A slip of the keyboard (200,000 for 20) passes for a number, and one such cell can carry a whole result. A
value is named where it is more than :data:`TIMES` times the largest of three: what three quarters of the
months of its own place do not pass, what half of the column does not pass, and :data:`LEAST`. A count is
named too where it passes the people it is counted among, in a column where such counts are rare. Nothing is
left out: whether it is a slip, the file cannot say. Rows that are people are not looked at here, and their
values never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ucimpact.study.convert import Converted

TIMES = 10
"""Times the usual beyond which a value is named (a judgement)."""
LEAST = 5
"""Below this the usual is taken to be this: 60 after months of 1 is worth a look, 12 is not."""
RARE = 0.5
"""Share of the people below which three quarters of a column must lie for one above all of them to be odd."""
KINDS = ("count", "cost", "duration")
NAMED = 4
"""Values named in full; the rest are counted."""
USED = "Look at it in the file: it is used as it stands."


def far_values(whole: Converted, keep: np.ndarray) -> tuple[str, ...]:
    """Return a sentence for each value far beyond its column, the farthest first.

    Parameters
    ----------
    whole : Converted
    keep : array of bool (n_rows,)
        Rows that are analysed.
    """
    study, data = whole.study, whole.study.data
    if not data.show:
        return ()
    people = whole.numbers.get(data.population) if data.population else None
    found: dict[tuple[int, str], tuple[float, str]] = {}
    for outcome in study.outcomes:
        if outcome.kind in KINDS:
            values = whole.numbers[outcome.column]
            counted = people if outcome.kind == "count" else None
            for at, times, why in _far(values, keep, _units(whole), counted):
                found[at, outcome.column] = (times, why)
    if people is not None:
        for at, times, why in _far(people, keep, _units(whole), None):
            found[at, str(data.population)] = (times, why)
    ordered = sorted(found, key=lambda cell: -found[cell][0])
    told = [f"{_cell(whole, at, column)} is {found[at, column][1]}. {USED}" for at, column in ordered[:NAMED]]
    more = len(ordered) - NAMED
    if more > 0:
        told.append(f"{more:,} more value{'s lie' if more > 1 else ' lies'} as far out.")
    return tuple(told)


def _far(
    values: np.ndarray, keep: np.ndarray, units: np.ndarray, people: np.ndarray | None
) -> list[tuple[int, float, str]]:
    """Rows with how many times the usual each is, and why it is named."""
    rows = np.flatnonzero(keep & np.isfinite(values))
    if not rows.size:
        return []
    _, code = np.unique(units[rows], return_inverse=True)
    own = np.array([np.quantile(values[rows[code == k]], 0.75) for k in range(code.max() + 1)])
    usual = np.maximum(own[code], max(float(np.median(values[rows])), LEAST))
    times = values[rows] / usual
    above = np.zeros(len(rows), dtype=bool)
    if people is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            share = values[rows] / people[rows]
        known = np.isfinite(share)
        if known.any() and np.quantile(share[known], 0.75) < RARE:
            above = known & (share > 1)
    found = []
    for k in np.flatnonzero((times > TIMES) | above):
        why = [f"{times[k]:,.0f} times what is usual there"] if times[k] > TIMES else []
        if people is not None and above[k]:
            why.append(f"more than the {people[rows[k]]:,.0f} people it is counted among")
        found.append((int(rows[k]), float(times[k]), f"{values[rows[k]]:,.10g}, {' and '.join(why)}"))
    return found


def _units(whole: Converted) -> np.ndarray:
    unit = whole.study.data.unit
    return np.asarray(whole.names[unit] if unit else np.zeros(len(whole.ordinals)))


def _cell(whole: Converted, at: int, column: str) -> str:
    """ "`admissions` of North Street in March 2024 (row 961)"."""
    unit = whole.study.data.unit
    of = f" of {whole.names[unit][at]}" if unit else ""
    when = whole.frequency.label(int(whole.ordinals[at]))
    return f"`{column}`{of} in {when} (row {int(whole.table.rows[at])})"
