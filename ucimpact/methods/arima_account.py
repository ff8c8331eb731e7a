"""What an interrupted time series with ARIMA errors tells of its fit: rows, coefficients, cautions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from ucimpact.data.series import Series
from ucimpact.inference.arima import ArimaFit
from ucimpact.inference.fitted_series import Procedure
from ucimpact.inference.residuals import LjungBox
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_findings import PATTERN


def row(term: str, contrast: np.ndarray, fit: ArimaFit, procedure: Procedure, level: float) -> dict[str, Any]:
    """An effect with its interval; averaged, ``std_error`` is the half-width over the normal quantile."""
    estimate = float(fit.estimates(contrast)[0])
    low, high = (float(v) for v in procedure.limits(np.atleast_2d(contrast), level)[0])
    below = float(procedure.below(np.atleast_2d(contrast))[0])
    error = (high - low) / 2 / float(ndtri((1 + level) / 2))
    return {
        "term": term,
        "estimate": estimate,
        "std_error": error,
        "statistic": estimate / error if error > 0 else np.nan,
        "p_value": 2 * min(below, 1 - below),
        "conf_low": low,
        "conf_high": high,
    }


def relative(average: dict[str, Any], observed: float) -> dict[str, Any]:
    """The average effect over what would have been; empty where that may not be above 0."""
    if observed < 0 or not observed - average["conf_high"] > 0:
        return {"term": "relative", "estimate": np.nan}
    ends = {
        name: average[name] / (observed - average[name]) for name in ("estimate", "conf_low", "conf_high")
    }
    expected = observed - average["estimate"]
    error = average["std_error"] * observed / expected**2
    return {
        **average,
        **ends,
        "term": "relative",
        "std_error": abs(error),
        "statistic": ends["estimate"] / abs(error) if error else np.nan,
    }


def covariance(std_errors: np.ndarray, directions: np.ndarray, fit: ArimaFit) -> np.ndarray:
    """Covariance of effects: each with its own standard error, correlated as in the fit."""
    joint = directions @ fit.cov @ directions.T
    spread = np.sqrt(np.diag(joint))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = joint / np.outer(spread, spread)
    return np.asarray(np.outer(std_errors, std_errors) * correlation)


def arma(fit: ArimaFit) -> list[dict[str, Any]]:
    """The coefficients of the polynomials."""
    return [
        {"name": name, "estimate": fit.coefficients[at], "std_error": fit.std_errors_arma[at]}
        for at, name in enumerate(fit.order.names)
    ]


def coefficients(design: SegmentedDesign, fit: ArimaFit) -> list[dict[str, Any]]:
    """The regression's own coefficients; without those that differencing takes out."""
    errors = np.sqrt(np.diag(fit.cov))
    return [
        {"name": name, "estimate": fit.beta[at], "std_error": errors[at]}
        for at, name in enumerate(design.names)
        if fit.kept[at]
    ]


def care(data: Series, fit: ArimaFit, left_over: LjungBox, relative: dict[str, Any]) -> list[str]:
    """What the result itself says to be careful about."""
    noun, order = data.frequency.noun, fit.order
    texts = []
    if left_over.p_value < PATTERN:
        texts.append(
            f"What the model leaves over still has a pattern from {noun} to {noun} (Ljung-Box, "
            f"{left_over.lags} lags). The range may be too narrow; another order may fit better."
        )
    moving = [name for name in fit.at_bound if "ma" in name]
    if moving:
        texts.append(
            f"A coefficient of ARIMA{order} sits at its bound ({', '.join(moving)}): the series may be "
            f"differenced once too often, or has a season that does not change."
        )
    if past := [name for name in fit.at_bound if "ma" not in name]:
        texts.append(
            f"A coefficient of ARIMA{order} sits at its bound ({', '.join(past)}): the level wanders, and "
            f"one difference more may fit better."
        )
    if fit.flat:
        texts.append(
            f"The likelihood of ARIMA{order} has no single peak in this series: a plainer order is safer."
        )
    if not np.isfinite(relative["estimate"]):
        texts.append("What is expected without the pilot cannot be told from 0, so no per cent is given.")
    return texts
