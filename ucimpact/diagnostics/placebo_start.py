"""The same comparison with every start put back, when nothing can have been changed.

A ratio away from no change is then selection. It asks less than it seems to: a crisis that led to the service
had mostly not begun by then, and those with the service are known to have lived until it. So not finding
anything is no pass for what the crisis hides, and the check takes no step in the certainty of a finding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from ucimpact.data.histories import Histories
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.errors import DataError, DesignError, EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.placebo_periods import put_back
from ucimpact.words.numbers import number
from ucimpact.words.sentences import percent

QUESTION = "Does the comparison find nothing before the service began?"
DAYS = 270
"""How far starts are put back: between six and twelve months, as evaluations in the NHS do."""
_EPOCH = pd.Timestamp("1970-01-01")


def earlier(histories: Histories, days: int, *, horizon: int, lookback: int) -> Histories:
    """The histories with every start, and the days on which a clock may start, put back.

    People whose records do not reach back far enough leave.

    Raises
    ------
    EstimationError
        Where follow-up would run into the time of the service.
    """
    moved = put_back(
        histories.start,
        days,
        horizon=horizon,
        lookback=lookback,
        enter=histories.enter,
        first_day=histories.first_day,
    )
    people = histories.people.copy()
    people[histories.service_start] = _EPOCH + pd.to_timedelta(pd.Series(moved.start), unit="D")
    back = dt.timedelta(days=days)
    window = {
        name: day - back
        for name in ("index_from", "index_to")
        if (day := getattr(histories, name)) is not None
    }
    return replace(histories, people=people, **window).where(moved.keep)


def placebo_start(
    fit: Callable[[Histories], Estimate],
    histories: Histories,
    estimate: Estimate,
    *,
    days: int = DAYS,
    horizon: int,
    lookback: int,
) -> Check:
    """Run the comparison with every start put back.

    Doubtful where its range leaves out no change; it cannot tell where a difference as large as the result
    could have been missed, and of trials that a stay opens, since there was no such stay so long before.

    Parameters
    ----------
    fit : callable
        Of the method that gave ``estimate``.
    days, horizon, lookback : int
        By how much starts move, and the days followed and looked back on.
    """
    if (estimate.extras.get("trials") or {}).get("trigger"):
        text = "Trials that a stay opens have no stay so long before. Hold a period out of the matching."
        return _check("cannot tell", text)
    try:
        found = fit(earlier(histories, days, horizon=horizon, lookback=lookback))
        ratio = _ratio(found)
    except (DataError, DesignError, EstimationError) as error:
        return _check("cannot tell", f"It could not be run: {str(error).rstrip('.')}.")
    if ratio is None:
        return _check("cannot tell", "The comparison gives no ratio, so it cannot be held against no change.")
    point, low, high = ratio
    result = _ratio(estimate)
    text = (
        f"With every start put back by {number(days)} days, when nothing can have been changed, the "
        f"comparison gives {percent(point, low, high)}."
    )
    answer: Answer = "holds"
    if low > 1 or high < 1:
        answer = "doubtful"
        text += " So the two groups differed before there was a service."
    elif result is None or np.log(high / low) / 2 >= abs(np.log(result[0])):
        answer = "cannot tell"
        text += " A difference as large as the result could have been missed."
    else:
        text += " That is no further from no change than chance would take it."
    return _check(answer, text, float(np.log(point)))


def _check(answer: Answer, text: str, statistic: float | None = None) -> Check:
    return Check(
        name="placebo_start", question=QUESTION, answer=answer, text=text, statistic=statistic, counted=False
    )


def _ratio(estimate: Estimate) -> tuple[float, float, float] | None:
    if "relative" not in set(estimate.effects["term"]):
        return None
    row = estimate.effect("relative")
    point, low, high = (1 + float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    return (point, low, high) if np.isfinite([point, low, high]).all() and low > 0 else None
