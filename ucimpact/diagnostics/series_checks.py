"""Questions asked of a single series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.diagnostics.check import Answer, Check
from ucimpact.diagnostics.panel_checks import DOUBT, FAIL, PRE_TREND
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.cumby_huizinga import cumby_huizinga
from ucimpact.inference.residuals import innovations, ljung_box_as_printed

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
    elif found.get("name") in ("borrowed", "stated"):
        answer, text = "doubtful", f"{text} Whether it has that season cannot be seen."
    else:
        answer = "holds"
    return Check(name="season", question=SEASON, answer=answer, text=text)  # type: ignore[arg-type]


def pre_trend(estimate: Estimate, *, worthwhile: float | None) -> Check | None:
    """Whether the gap to the control had a slope before the start; None without a control.

    The slope of the gap, fitted to the periods before the start alone, is carried to the middle of the
    pilot. Holds if nothing is found (10%) *and* the interval of what it adds there lies inside a worthwhile
    effect; doubtful if a slope is found; fails if it is found at 1%, adds half of the result or more and
    is not taken out of the effect. An interval wider than a worthwhile effect cannot tell.

    Parameters
    ----------
    estimate : Estimate
        With ``extras["pre_trend"]``: slope, limits and p-value, and each at the middle of the pilot.
    worthwhile : float, optional
        Smallest worthwhile effect in units of the headline effect, positive.
    """
    found = estimate.extras.get("pre_trend")
    if not found:
        return None
    p = found.get("p_value")
    if p is None or not np.isfinite(p):
        text = str(found.get("why") or "There are too few periods before the start to compare.")
        return Check(name="pre_trend", question=PRE_TREND, answer="cannot tell", text=text)
    names = ("slope_at_middle", "low_at_middle", "high_at_middle")
    carried, low, high = (_in_numbers(float(found[name]), found, estimate) for name in names)
    noun = str(estimate.extras.get("noun", "period"))
    seen = (
        f"Before the start the gap between the two drifted by an amount that chance alone would give in "
        f"{_in_100(float(p))} of 100 comparisons."
    )
    answer: Answer = "cannot tell"
    if p < FAIL and abs(carried) >= 0.5 * abs(float(estimate.headline["estimate"])):
        answer = "doubtful" if found.get("taken_out") else "fails"
        text = f"{seen} Carried on into the pilot, that drift is half as large as the result or more."
    elif p < DOUBT:
        answer, text = "doubtful", f"{seen} That is a sign of different paths."
    elif worthwhile is None:
        text = f"{seen} No worthwhile effect was agreed, so a drift that matters cannot be ruled out."
    elif max(abs(low), abs(high)) <= worthwhile:
        answer, text = "holds", f"{seen} A drift that adds a worthwhile effect is ruled out."
    else:
        text = f"{seen} The {noun}s are too unsteady to rule out a drift that adds a worthwhile effect."
    if answer == "doubtful" and found.get("taken_out"):
        text += " It is taken out of the result, which so leans on its going on."
    row = {
        "slope": found["slope"],
        "slope_low": found["conf_low"],
        "slope_high": found["conf_high"],
        "slope_at_middle": carried,
        "low": min(low, high),
        "high": max(low, high),
    }
    return Check(
        name="pre_trend",
        question=PRE_TREND,
        answer=answer,
        text=text,
        statistic=found.get("statistic"),
        p_value=float(p),
        table=[row],
    )


def _in_numbers(carried: float, found: Mapping[str, Any], estimate: Estimate) -> float:
    """A drift of logs as a difference from what was expected, where the headline is one."""
    if found.get("scale") != "log" or estimate.scale == "log" or estimate.counterfactual is None:
        return carried
    rows = estimate.counterfactual
    return float(np.expm1(carried) * rows.loc[rows["since"] >= 0, "expected"].mean())


def residuals(estimate: Estimate, columns: np.ndarray | None = None) -> Check | None:
    """Two tests of the residuals after the autocorrelation that was modelled is taken out.

    Ljung and Box's of all lags together, and, where the columns are given and the errors are an AR(1) or
    independent, Cumby and Huizinga's of the first lag, the first three and all. Doubtful if either finds a
    pattern in all of them (5%); the table has each.

    Parameters
    ----------
    estimate : Estimate
        With ``extras["ljung_box"]``, ``"residuals"`` and, for the second, ``"rho"``.
    columns : array (n, p), optional
        The columns of the regression, on the scale of its residuals.
    """
    test = estimate.extras.get("ljung_box") or {}
    p = test.get("p_value")
    if p is None or not np.isfinite(p):
        return None
    lags = int(test.get("lags") or 0)
    rows = [{"test": "Ljung and Box", "lags": f"1 to {lags}", "p_value": float(p)}] if lags else []
    if lags and (fresh := _left(estimate)) is not None:
        printed = ljung_box_as_printed(np.nan_to_num(fresh), np.isfinite(fresh), lags)
        name = "Ljung and Box, as other programs print it"
        rows.append({"test": name, "lags": f"1 to {lags}", "p_value": printed.p_value})
    chosen = [] if columns is None else _at_lags(estimate, columns, lags)
    rows += chosen
    smallest = min([float(p), *(row["p_value"] for row in chosen if row["lags"] == f"1 to {lags}")])
    holds = smallest >= PATTERN
    if holds:
        text = "After season, trend and carry-over from one period to the next, no pattern was found."
    else:
        text = (
            "Some autocorrelation is left after season, trend and carry-over, so the range may be too narrow "
            f"({_in_100(smallest)} in 100 by chance)."
        )
    return Check(
        name="residuals",
        question=RESIDUALS,
        answer="holds" if holds else "doubtful",
        text=text,
        statistic=test.get("statistic"),
        p_value=float(p),
        table=rows,
        counted=False,
    )


def _at_lags(estimate: Estimate, columns: np.ndarray, lags: int) -> list[dict[str, Any]]:
    fresh, rho = _left(estimate), estimate.extras.get("rho")
    if fresh is None or rho is None or len(fresh) != len(columns):
        return []
    used = np.isfinite(fresh)
    left, rows = np.where(used, fresh, 0.0), []
    design = innovations(np.where(used[:, None], columns, 0.0), float(rho), used)
    for tested in dict.fromkeys((1, min(3, lags), lags)):
        try:
            found = cumby_huizinga(left, design, used, range(1, tested + 1), rho=float(rho) or None)
        except EstimationError:
            continue
        if not found.df:
            continue  # the fit left nothing of these lags to test
        among = "1" if tested == 1 else f"1 to {tested}"
        rows.append({"test": "Cumby and Huizinga", "lags": among, "p_value": found.p_value})
    return rows


def _left(estimate: Estimate) -> np.ndarray | None:
    """What is new in each period, ``nan`` where a period does not count."""
    told = estimate.extras.get("residuals")
    if told is None:
        return None
    return np.array([np.nan if value is None else value for value in told], dtype=float)


def _in_100(p: float) -> str:
    return "fewer than 1" if p < 0.01 else f"{round(100 * p):d}"


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
