"""Questions asked of a single series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ucimpact.diagnostics.check import Check
from ucimpact.estimate import Estimate

SEASON = "Can the time of year be told from the effect?"
RESIDUALS = "Is what the model leaves over free of pattern?"
PLACEBO_DATES = "Do dates on which nothing happened show changes as large?"
PLACEBO_YEARS = "Does the same break in other years show a change as large?"

PATTERN = 0.05
RANK = 0.10


def season(estimate: Estimate, *, years_before: float | None) -> Check | None:
    """Whether the periods before the start hold each time of year often enough to know it.

    With under a year before, a change of season and a change at the start are the same periods, and no
    model can part them: this is a key check, and where it fails no effect is claimed. Under two years
    each time of year was seen once at most, which is in doubt.
    """
    found = estimate.extras.get("season") or {}
    if years_before is None or "separable" not in found:
        return None
    text = str(found.get("why", ""))
    if not found["separable"]:
        answer = "fails" if years_before < 1 else "doubtful"
    elif found.get("name") == "none" and estimate.extras.get("noun") != "financial year":
        answer, text = "doubtful", f"{text} So a season at the start counts as effect."
    else:
        answer = "holds"
    return Check(name="season", question=SEASON, answer=answer, text=text)  # type: ignore[arg-type]


def residuals(estimate: Estimate) -> Check | None:
    """Ljung-Box test of the residuals after the autocorrelation that was modelled is taken out."""
    test = estimate.extras.get("ljung_box") or {}
    p = test.get("p_value")
    if p is None or not np.isfinite(p):
        return None
    holds = p >= PATTERN
    if holds:
        text = "After season, trend and carry-over from one period to the next, no pattern was found."
    else:
        text = "Some pattern is left after season, trend and carry-over, so the range may be too narrow."
    return Check(
        name="residuals",
        question=RESIDUALS,
        answer="holds" if holds else "doubtful",
        text=text,
        statistic=test.get("statistic"),
        p_value=float(p),
        counted=False,
    )


def placebo_dates(estimate: Estimate, *, includes_no_change: bool = False) -> Check | None:
    """Rank of the average effect among those at dates before the pilot, each against its own error.

    Neighbouring fake dates share their periods, so the rank is a guide and no test. Where the likely range
    includes no change other dates are expected to show as much, and nothing follows.
    """
    rank = estimate.extras.get("placebo_rank") or {}
    rows = estimate.extras.get("placebo_dates") or []
    p = rank.get("p_value")
    if not rows or p is None or not np.isfinite(p):
        return None
    larger = round(p * (len(rows) + 1)) - 1
    text = (
        f"{larger} of {len(rows)} earlier dates, on which nothing happened, show an average change at least "
        "as large for how surely it is known."
    )
    answer = "holds" if p <= RANK else "cannot tell" if includes_no_change else "doubtful"
    if not rank.get("enough"):
        answer, text = "cannot tell", f"{text} That is too few dates to judge by."
    return Check(
        name="placebo_dates",
        question=PLACEBO_DATES,
        answer=answer,  # type: ignore[arg-type]
        text=text,
        statistic=float(larger),
        p_value=float(p),
        table=list(rows),
        counted=False,
    )


def placebo_years(main_percent: float, years: Sequence[dict[str, Any]]) -> Check | None:
    """The same analysis with the window and the break moved by whole years.

    Parameters
    ----------
    main_percent : float
        Effect of the main analysis as a proportion of what was expected.
    years : rows of ``{"years": 1, "start": label, "percent": float, "low": ..., "high": ...}``
    """
    if not years:
        return None
    as_large = [row for row in years if abs(row["percent"]) >= abs(main_percent) * (1 - 1e-9)]
    told = "; ".join(
        f"{_moved(row['years'])} ({row['start']}): {abs(100 * row['percent']):.1f}% "
        f"{'fewer' if row['percent'] < 0 else 'more'}"
        for row in years
    )
    if as_large:
        answer, text = "fails", f"Yes. With the break moved: {told}."
    else:
        answer, text = "cannot tell", f"With the break moved: {told}. Too few years to judge by."
    return Check(
        name="placebo_years",
        question=PLACEBO_YEARS,
        answer=answer,  # type: ignore[arg-type]
        text=text,
        table=list(years),
        counted=False,
    )


def _moved(years: int) -> str:
    count = "one year" if abs(years) == 1 else f"{abs(years)} years"
    return f"{count} {'later' if years > 0 else 'earlier'}"
