"""Charts of a pilot that units joined one after another: time is counted from each unit's own start.

Far from the start few units are left to look at, and a line that jumps because others are looked at misleads.
A chart therefore shows the times at which at least half of the pilot units were seen; the table behind it
holds all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ucimpact.words import MINUS, plural_of

SEEN = 0.5
"""Share of the pilot units that must have been seen at a time for it to be drawn."""

Row = Mapping[str, Any]


def by_own_start(rows: Sequence[Row]) -> bool:
    """Whether rows of observed and expected are told by time since each unit's own start."""
    return bool(rows) and not any(row.get("period") for row in rows)


def seen_by_half(rows: Sequence[Row]) -> list[Row]:
    """The rows at which at least half of the pilot units were seen; all of them where that is not known."""
    units = [row.get("units") for row in rows]
    known = [n for n in units if n is not None]
    if not known:
        return list(rows)
    least = SEEN * max(known)
    kept = [row for row, n in zip(rows, units, strict=True) if n is not None and n >= least]
    both = any(row["since"] >= 0 for row in kept) and any(row["since"] < 0 for row in kept)
    return kept if both else list(rows)


FROM_THE_WHOLE_PAST = ("imputation",)
"""Methods that measure the effect from all that was seen before, and gaps before the start from its end."""


def from_the_start(rows: Sequence[Row], method: str) -> list[Row]:
    """The rows with what was expected, from the start on where the time before it would not join up with it.

    The gaps before the start have a chart of their own.
    """
    if method not in FROM_THE_WHOLE_PAST:
        return list(rows)
    none = dict.fromkeys(("expected", "low", "high"))
    return [row if row["since"] >= 0 else {**row, **none} for row in rows]


def short(since: float) -> str:
    """A time since the start as a tick says it."""
    at = int(since)
    return f"{MINUS}{-at}" if at < 0 else str(at)


def axis(noun: str, unit: str) -> str:
    """What the ticks count."""
    return f"{noun}s since each {unit}’s own start (0 is its first {noun} with the pilot)"


def start_label(unit: str) -> str:
    """What the line at the start says."""
    return f"each {unit} starts"


def told_of(rows: Sequence[Row], every: Sequence[Row], unit: str) -> str:
    """What of the times is drawn, for the line below the chart."""
    if len(rows) == len(every):
        return ""
    return (
        f"Drawn where at least half of the pilot {plural_of(unit)} were seen; the table holds every time, "
        f"{every[0]['label']} to {every[-1]['label']}."
    )
