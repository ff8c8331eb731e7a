"""What is done with the pandemic months, and whether the result of a series hangs on it.

No data can say whether March 2020 to June 2021 were like other months, so every way is shown beside the one
that was declared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ucimpact.data.calendar import covid_periods
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.diagnostics.series_stability import CANNOT, Fit, Told, quick
from ucimpact.estimate import Estimate
from ucimpact.methods.series_choices import SeriesChoices

COVID = "Does the result hang on what is done with the pandemic months?"
WAYS = {
    "drop": "left out",
    "dummy": "with a level of their own",
    "segment": "with a level and a line of their own",
}


def covid_ways(
    method: SeriesChoices, data: Series, estimate: Estimate, *, told: Told, fit: Fit
) -> Check | None:
    """The result with the pandemic months left out, with a level, and with a line of their own.

    Doubtful if one of them lies outside the likely range; where that range includes no change and one has the
    other sign, it cannot tell. None where no such month is in the series.
    """
    chosen = quick(method)
    if chosen is None or not covid_periods(data.frequency, data.ordinals).any():
        return None
    main, rows = told(estimate), []
    for way, words in WAYS.items():
        row: dict[str, Any] = {"covid": words, "declared": way == method.covid}
        try:
            got = told(fit(replace(chosen, covid=way), data))
        except CANNOT as refused:
            rows.append(row | {"why": str(refused)})
            continue
        rows.append(row | {"estimate": got["est"], "low": got["lo"], "high": got["hi"]})
    tried = [row["estimate"] for row in rows if row.get("estimate") is not None]
    if len(tried) < 2 or main["est"] is None:
        return None
    answer, text = _judged(main["est"], main["lo"], main["hi"], tried)
    return Check(name="covid_ways", question=COVID, answer=answer, text=text, table=rows, counted=False)


def _judged(est: float, low: float | None, high: float | None, tried: list[float]) -> tuple[Answer, str]:
    ways = f"Left out, with a level, or with a line of their own: {len(tried)} of {len(WAYS)} can be fitted"
    if low is None or high is None:
        return "cannot tell", f"{ways}. Without a likely range there is nothing to hold them against."
    outside = sum(not low <= value <= high for value in tried)
    turned = sum(value * est < 0 for value in tried)
    if outside:
        verb = "gives" if outside == 1 else "give"
        turn = f", and {turned} the other sign" if turned else ""
        return "doubtful", f"{ways}; {outside} of them {verb} an answer outside the likely range{turn}."
    if turned and low <= 0 <= high:
        verb = "has" if turned == 1 else "have"
        return "cannot tell", f"{ways}; {turned} of them {verb} the other sign, as the likely range allows."
    return "holds", f"{ways}, and all of them give an answer within the likely range."
