"""What only people can know: whether something else changed, and whether coding stayed the same.

Both are answered from what the study file declares, never from silence: a study that says nothing
gets "cannot tell", which is not a pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ucimpact.data.periods import Frequency
from ucimpact.diagnostics.check import Check
from ucimpact.study import Event

MONTHS_NEAR = 6
"""A change within six months of the start counts as near it (a judgement)."""

OTHER_CHANGE = "Did anything else change at the same time?"
SAME_CODING = "Was the outcome counted in the same way throughout?"


def other_change(
    events: Sequence[Event],
    *,
    logged: bool,
    frequency: Frequency,
    start: int,
    last_start: int | None = None,
) -> Check:
    """Whether the log of events names another change near the start.

    Where the pilot started at several times, something that came in the month of one of them is in doubt and
    no more: it is not what the other starts have in common.

    Parameters
    ----------
    events : sequence of Event
    logged : bool
        True if somebody looked and listed all they found, so that an empty list means none.
    frequency, start : Frequency, int
        The line of periods and the first pilot period.
    last_start : int, optional
        First pilot period of the last to start, where they did not start together.
    """
    staggered = last_start is not None and last_start > start
    if frequency.kind == "number":
        near = list(events)
        together = [event for event in near if event.same_outcome]
    else:
        first = frequency.first_day(start)
        final = frequency.first_day(start if last_start is None else last_start)
        last = frequency.first_day(start + 1)
        near = [
            e
            for e in events
            if _months(first) - MONTHS_NEAR <= _months(e.date) <= _months(final) + MONTHS_NEAR
            or first <= e.date < last
        ]
        together = [
            e
            for e in near
            if e.same_outcome and (frequency.ordinal(e.date) == start or _months(e.date) == _months(first))
        ]
    rows = [{"date": e.date.isoformat(), "what": e.what, "same_outcome": e.same_outcome} for e in near]
    told = near if staggered else together or near
    named = "; ".join(f"{e.what}, {e.date.day} {e.date:%B %Y}" for e in told)
    if together and not staggered:
        answer, text = (
            "fails",
            f"{named}. It acts on the same outcome from the same month, so the two cannot be told apart.",
        )
    elif near:
        answer, text = "doubtful", f"{named}. How much it did is not known."
    elif logged:
        answer, text = (
            "holds",
            f"The log of local events names no other change within {MONTHS_NEAR} months of "
            f"{'any start' if staggered else 'the start'}.",
        )
    else:
        answer, text = "cannot tell", "No log of other local changes was kept or supplied."
    return Check(name="other_change", question=OTHER_CHANGE, answer=answer, text=text, table=rows)  # type: ignore[arg-type]


def _months(day: dt.date) -> int:
    return day.year * 12 + day.month


def same_coding(coding: str | None) -> Check:
    """Whether codes and completeness stayed the same, as the study declares it.

    ``coding`` is "unchanged", "changed, both readings", "changed" or None (not declared).
    """
    answers = {
        "unchanged": ("holds", "Codes and completeness are declared unchanged over the period."),
        "changed, both readings": ("doubtful", "Coding changed; results are given under both readings."),
        "changed": ("fails", "Coding changed, and only one reading is available."),
        None: ("cannot tell", "Nobody has declared whether coding or completeness changed."),
    }
    answer, text = answers[coding]
    return Check(name="same_coding", question=SAME_CODING, answer=answer, text=text)  # type: ignore[arg-type]
