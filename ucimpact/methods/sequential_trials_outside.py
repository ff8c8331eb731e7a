"""Who had the service and began it in no trial, and the first reason why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.data.histories import Histories
from ucimpact.methods.sequential_trials_table import (
    FAR,
    Opening,
    intervals,
    last_possible,
    lengthy,
    observed_from,
    spells_of,
)

Array = np.ndarray


def began_in_no_trial(histories: Histories, opening: Opening, placed: Array) -> list[dict[str, Any]]:
    """Numbers of people by reason; every one of them stands under one reason.

    Parameters
    ----------
    placed : array (n_people,) of bool
        Who began the service in a trial.
    """
    who = np.flatnonzero(np.isfinite(histories.start) & ~placed)
    day = histories.start[who].astype(np.int64)
    asked = (
        _of_days(histories, opening, who, day) if opening.trigger else _of_calendar(histories, opening, who)
    )
    left, rows = np.ones(len(who), dtype=bool), []
    for reason, true in asked.items():
        if n := int((true & left).sum()):
            rows.append({"n": n, "reason": reason})
        left &= ~true
    if left.any():
        rows.append({"n": int(left.sum()), "reason": "not eligible on that day for another reason"})
    return rows


def _of_days(histories: Histories, opening: Opening, who: Array, day: Array) -> dict[str, Array]:
    """Reasons where a discharge opens the trials."""
    inside = np.zeros(len(who), dtype=bool)
    for kind in lengthy(histories, opening.trigger):
        inside |= histories.inside(kind, who, day)
    spells = spells_of(histories, opening.trigger)
    ends = np.sort(spells.person * FAR + spells.end)
    last = np.searchsorted(ends, who * FAR + day, side="right") - 1
    since = who * FAR + day - ends[np.maximum(last, 0)] if len(ends) else np.full(len(who), -1)
    close = (last >= 0) & (since >= 0) & (since <= opening.within)
    return {
        "outside the days that count": (day < histories.index_first) | (day > histories.index_last),
        "in hospital on that day": inside,
        f"not within {opening.within} days after a discharge": ~close,
        f"without {opening.lookback} days of records before": observed_from(histories, opening.lookback)[who]
        > day,
        "nobody could be followed: they died or left, or the records ended": last_possible(histories)[who]
        < day,
    }


def _of_calendar(histories: Histories, opening: Opening, who: Array) -> dict[str, Array]:
    """Reasons where every day, week or month is a trial."""
    starts, ends = intervals(histories, opening.every)
    day = histories.start[who].astype(np.int64)
    place = np.searchsorted(ends, day)
    whole = place < len(ends)
    if not whole.any():
        return {"outside the days that count": ~whole}
    place = np.minimum(place, len(ends) - 1)
    whole &= starts[place] <= day
    end = ends[place]
    known = end if opening.every == "day" else starts[place] - 1
    inside = np.zeros(len(who), dtype=bool)
    if opening.at_home:
        for kind in lengthy(histories):
            inside |= histories.inside(kind, who, end)
            inside |= histories.measure(kind, who, end, known - end, 0) > 0
    when = "on that day" if opening.every == "day" else f"in that {opening.every}"
    return {
        "outside the days that count": ~whole | (end < histories.index_first) | (end > histories.index_last),
        f"without {opening.lookback} days of records before": observed_from(histories, opening.lookback)[who]
        > known,
        f"died or left {when}, or the records ended": last_possible(histories)[who] < end,
        f"in hospital {when}": inside,
    }
