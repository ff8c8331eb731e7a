"""Whose whole window was seen: what sums per person and shares of people are told of.

A number of events has days at risk, and who leaves half-way counts for half the days. A cost, a duration and
a yes or no have none: half a window of somebody who left, read as a whole one, would say that little
happened. They are told of rows whose window ends before the records do, of people who did not leave within
it. Death ends a window and does not cut it. Who leaves is left out whatever came before: to keep only those
who had the event before they left would raise the share.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ucimpact.data.histories import DEATH, Histories
from ucimpact.methods.design_finding import Finding

Array = np.ndarray

MANY_CUT = 0.05
"""Share cut short of those who start, or of the weight beside them, from which a reader is told."""
REASON = "not followed for the whole window"


class Counting(Protocol):
    """What is counted in a window of days: an outcome."""

    @property
    def event(self) -> str: ...
    @property
    def days(self) -> tuple[int, int]: ...
    @property
    def value(self) -> str | None: ...


def yes_or_no(counted: Counting) -> bool:
    """Whether an outcome is told as the share of people who had it: any event, or a death."""
    return bool(getattr(counted, "any", False)) or counted.event == DEATH


def seen_whole(histories: Histories, person: Array, day: Array, last: int) -> Array:
    """Whether the days up to ``last`` after ``day`` were seen, or ended by death, shape (rows,)."""
    left, died = histories.leave[person], histories.death[person]
    cut = (left < day + last) & ~(died <= left)  # nan compares false: never left, never died
    return np.asarray((day + last <= histories.last_day) & ~cut)


def left_out(
    person: Array, weight: Array, treated: Array, known: Array
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The people whose window was cut, and what a reader should know of them.

    Returns
    -------
    list of dict
        ``n`` people who start, or have no line with a whole window; ``pilot`` of them who start; ``reason``.
        Empty where none was cut.
    tuple of str
    """
    cut = ~known
    if not cut.any():
        return [], ()
    shares = [float(weight[arm & cut].sum() / weight[arm].sum()) for arm in (treated, ~treated)]
    pilot = int((treated & cut).sum())
    gone = np.union1d(person[treated & cut], np.setdiff1d(person[cut], person[known]))
    rows = [{"n": len(gone), "pilot": pilot, "reason": REASON}]
    if max(shares) <= MANY_CUT:
        return rows, ()
    text = (
        f"{pilot:,} of {int(treated.sum()):,} people who began the service ({shares[0]:.0%}), and "
        f"{shares[1]:.0%} of those beside them, left or reached the end of the records before their days "
        "were over, and are left out"
    )
    way_out = "Count fewer days, or end the days that count so long before the records end"
    return rows, (str(Finding("warn", text, way_out)),)
