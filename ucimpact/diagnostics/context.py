"""What only people can know: whether something else changed, and whether coding stayed the same.

Both are answered from what the study file declares, never from silence: a study that says nothing
gets "cannot tell", which is not a pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

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
    known: Sequence[Known] = (),
) -> Check:
    """Whether the log of events, or what the study says of the series itself, names a change near the start.

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
    known : sequence of Known
        Changes that the analysis takes out, and the pandemic: in doubt if under six months from a start.
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
    beside = [change for change in known if change.near(start, last_start or start, frequency)]
    rows = [{"date": e.date.isoformat(), "what": e.what, "same_outcome": e.same_outcome} for e in near]
    told = near if staggered else together or near
    named = "; ".join(f"{e.what}, {e.date.day} {e.date:%B %Y}" for e in told)
    lie = "; ".join(change.words(frequency) for change in beside)
    if together and not staggered:
        answer, text = (
            "fails",
            f"{named}. It acts on the same outcome from the same month, so the two cannot be told apart.",
        )
    elif near or beside:
        both = "; ".join(words for words in (named, lie) if words)
        it = "it" if len(told) + len(beside) == 1 else "each"
        answer, text = "doubtful", f"{both[:1].upper()}{both[1:]}. How much {it} did is not known."
    elif logged:
        answer, text = (
            "holds",
            f"The log of local events names no other change within {MONTHS_NEAR} months of "
            f"{'any start' if staggered else 'the start'}.",
        )
    else:
        answer, text = "cannot tell", "No log of other local changes was kept or supplied."
    return Check(name="other_change", question=OTHER_CHANGE, answer=answer, text=text, table=rows)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A change that the study itself names: in the analysis, or as months of the pandemic.

    Attributes
    ----------
    what : str
    first : int
        Its first period.
    last : int, optional
        Its last period, where it has an end.
    """

    what: str
    first: int
    last: int | None = None

    def near(self, start: int, last_start: int, frequency: Frequency) -> bool:
        """Whether it begins or ends under half a year from a start, or a start lies in it."""
        apart = MONTHS_NEAR if frequency.per_year is None else round(frequency.per_year * MONTHS_NEAR / 12)
        over = self.first if self.last is None else self.last + 1
        return self.first - apart < last_start and start < over + apart

    def words(self, frequency: Frequency) -> str:
        """What it is, and when."""
        if self.last is None:
            return f"{self.what}, {frequency.label(self.first)}"
        return f"{self.what}, {frequency.label(self.first)} to {frequency.label(self.last)}"


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
