"""The total that the pilot's periods really differed by, with the noise of those periods in its range.

``cumulative`` is the sum of the expected effects: what the pilot does on average. What was realised is the
sum of what was observed less what would have been observed, which is no expectation: the range of it holds
the noise of the periods that never were, :mod:`ucimpact.inference.forecast_total`. It comes from the periods
before the start alone, whatever shape the effect has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from ucimpact.inference.forecast_total import forecast_total
from ucimpact.inference.timeseries import AVERAGED, Errors, Ols, Statistics
from ucimpact.methods.its_design import SegmentedDesign

LEAST_DF = 3
"""Periods before the start less terms under which nothing is foretold."""

WITHOUT = np.array([0.0])
"""The only autocorrelation of errors taken as independent."""


def realised(design: SegmentedDesign, errors: Errors, level: float) -> dict[str, Any] | None:
    """The row ``cumulative_realised``; None where the periods before cannot foretell those after.

    That is so where something is in the later periods that was not there before (another change after the
    start), where the season comes from elsewhere, or where the periods before are hardly more than the terms.

    Parameters
    ----------
    design : SegmentedDesign
    errors : Errors
        ``Ols()`` takes errors as independent; any other averages over an AR(1).
    level : float
        Coverage of the interval.
    """
    y, x, _ = design.without_break()
    ahead = design.ahead()
    if (
        design.profile is not None
        or ahead is None
        or len(y) - x.shape[1] < LEAST_DF
        or np.linalg.matrix_rank(x) < x.shape[1]
    ):
        return None
    later, events = design.since >= 0, 1.0 if design.events_each is None else design.events_each
    weights = (design.after * events)[later]
    observed = float(weights @ design.y[later])
    exact = Statistics.of(y, x).is_exact
    known = exact or isinstance(errors, Ols)
    total = forecast_total(y, x, ahead, weights, rhos=WITHOUT if known else AVERAGED)
    effect = replace(total, coef=observed - total.coef)
    estimate = float(effect.weights @ effect.coef[:, 0])
    if exact:
        return _row(
            estimate, error=0.0, df=float(total.df), below=float(estimate < 0), low=estimate, high=estimate
        )
    one = np.ones((1, 1))
    low, high = map(float, effect.limits(one, level)[0])
    half = (high - low) / 2
    error = half / stdtrit(total.df, (1 + level) / 2) if known else half / ndtri((1 + level) / 2)
    df = float(total.df) if known else np.nan
    return _row(estimate, error=float(error), df=df, below=float(effect.below(one)[0]), low=low, high=high)


def _row(
    estimate: float, *, error: float, df: float, below: float, low: float, high: float
) -> dict[str, Any]:
    return {
        "term": "cumulative_realised",
        "estimate": estimate,
        "std_error": error,
        "statistic": estimate / error if error > 0 else np.nan,
        "df": df,
        "p_value": 2 * min(below, 1 - below),
        "conf_low": low,
        "conf_high": high,
    }
