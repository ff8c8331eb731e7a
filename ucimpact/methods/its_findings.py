"""When the answer of an interrupted time series with errors like the normal needs care.

Before fitting: :func:`small_counts`. After: :func:`care` looks at the result. What any method on a series
refuses is in :mod:`ucimpact.methods.series_findings`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ucimpact.data.series import Series
from ucimpact.inference.fitted_series import FittedSeries
from ucimpact.inference.residuals import LjungBox
from ucimpact.inference.timeseries import LEAST_DF
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.series_findings import counted

LONG_ENOUGH_FOR_HIGH_RHO = 48
HIGH_RHO = 0.7
WANDERING = 0.8
SMALL_MEAN = 20.0
PATTERN = 0.05
BEYOND = 0.5
"""How far outside the values before the start, as a share of their range, an expected value is far."""

IN_WORDS = {
    "average": "the average effect",
    "level_change": "the change at the start",
    "slope_change": "the change of slope",
    "cumulative": "the total effect",
}


def small_counts(series: Series, design: SegmentedDesign, *, outcome: str) -> list[Finding]:
    """Counts too small for errors like the normal."""
    noun, mean = series.frequency.noun, _mean_count(series, design, outcome)
    if mean is None or mean >= SMALL_MEAN:
        return []
    text = (
        f"the mean count of {outcome} is {mean:.1f} a {noun}: under {SMALL_MEAN:.0f} the range may be "
        f"wrong, and may reach below 0"
    )
    return [Finding("warn", text, 'Use the method "count-its", or longer periods or a larger area')]


def _mean_count(series: Series, design: SegmentedDesign, outcome: str) -> float | None:
    """Mean count behind the outcome; None where it is not known to be made of counts."""
    rate = series.rates.get(outcome)
    if rate is not None:
        counts = series.values(rate.numerator)[design.used]
    else:
        counts = design.y[design.used]
        if np.any(counts != np.round(counts)) or np.any(counts < 0):
            return None
    return float(np.nanmean(counts)) if len(counts) else None


def care(
    series: Series,
    design: SegmentedDesign,
    fit: FittedSeries,
    *,
    left_over: LjungBox,
    routes: dict[str, str],
    dfs: dict[str, float],
    counterfactual: pd.DataFrame,
    relative: float,
) -> list[str]:
    """What the result itself says to be careful about."""
    noun, used = series.frequency.noun, int(design.used.sum())
    texts = []
    if fit.rho > HIGH_RHO and used < LONG_ENOUGH_FOR_HIGH_RHO:
        texts.append(
            f"What happens in one {noun} carries over strongly to the next (autocorrelation {fit.rho:.2f}), "
            f"and {used} {noun}s are few to measure that: the range may be somewhat too narrow."
        )
    if fit.rho > WANDERING:
        texts.append(
            f"Almost all of what happens in one {noun} carries over to the next (autocorrelation "
            f"{fit.rho:.2f}): the series may wander of its own accord, and a line through its past is then "
            f"no guide. Set arima-its or structural beside this analysis."
        )
    if low := [term for term in routes if routes[term] == "rho-averaged"]:
        least = min(dfs[term] for term in low)
        texts.append(
            f"{used} {noun}s cannot settle how much carries over from one {noun} to the next, so the range "
            f"of {_listed(low)} averages over it (one value would leave {least:.1f} degrees of freedom, and "
            f"{LEAST_DF:.0f} are the least)."
        )
    few = [term for term in routes if routes[term].startswith("arma") and dfs[term] < LEAST_DF]
    if few:
        least = min(dfs[term] for term in few)
        texts.append(
            f"{used} {noun}s leave {least:.1f} degrees of freedom to the range of {_listed(few)} once the "
            f"errors are fitted, so it is wide. The default averages over what cannot be told instead."
        )
    if left_over.p_value < PATTERN:
        texts.append(
            f"What the model leaves over still has a pattern from {noun} to {noun} (Ljung-Box, "
            f"{left_over.lags} lags). The range may be too narrow."
        )
    after, seen = counterfactual.loc[design.after, "expected"].to_numpy(), design.y[design.before]
    margin = BEYOND * np.ptp(seen)
    outside = int(((after < seen.min() - margin) | (after > seen.max() + margin)).sum())
    if seen.min() >= 0 and after.min() < 0:
        texts.append(
            f"What is expected without the pilot falls below 0 in {counted(int((after < 0).sum()), noun)}."
        )
    elif outside:
        texts.append(
            f"What is expected without the pilot lies far from all that was seen before the start in "
            f"{outside} of {counted(len(after), noun)}."
        )
    if not np.isfinite(relative):
        texts.append("What is expected without the pilot cannot be told from 0, so no per cent is given.")
    return texts


def _listed(terms: Iterable[str]) -> str:
    words = [IN_WORDS[term] for term in terms]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
