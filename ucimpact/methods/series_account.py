"""What methods of one series tell of their fit: lags of a check, season, coefficients, fake starts."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ucimpact.data.series import Series
from ucimpact.inference.fake_starts import ENOUGH_TO_RANK, fake_starts, rank
from ucimpact.inference.fitted_series import FittedSeries
from ucimpact.inference.timeseries import Errors, Ols, Reml
from ucimpact.methods.its_design import SegmentedDesign


def lags(data: Series, design: SegmentedDesign) -> int:
    """Lags of the residual check: a year of months, half of weeks; at most a quarter of the periods."""
    most = {"month": 12, "week": 26, "quarter": 8}.get(data.frequency.kind, 10)
    return max(min(most, int(design.used.sum()) // 4), 3)


def season_account(design: SegmentedDesign) -> dict[str, Any]:
    """The season as plain values; without ``separable`` where periods have no dates."""
    account: dict[str, Any] = {f.name: getattr(design.season, f.name) for f in fields(design.season)}
    if account["separable"] is None:
        del account["separable"]
    return account


def coefficients(design: SegmentedDesign, fit: FittedSeries) -> list[dict[str, Any]]:
    """The regression's own coefficients; ``std_error_reml`` takes rho as known, as other programs do."""
    errors, as_known = fit.std_errors(np.eye(len(fit.coef))), np.sqrt(np.diag(fit.cov))
    return [
        {
            "name": name,
            "estimate": fit.coef[at],
            "std_error": errors[at],
            "std_error_reml": as_known[at],
        }
        for at, name in enumerate(design.names)
    ]


def placebo_dates(
    data: Series, design: SegmentedDesign, fit: FittedSeries, errors: Errors, level: float
) -> dict[str, Any]:
    """Fake starts before the pilot, and the rank of the real average effect among them.

    Each effect is held against its own standard error, so that starts with few periods after them
    do not look large for that alone. Errors other than least squares are those of an AR(1) by REML here,
    whatever was asked for: the rank is of the series and its design.
    """
    if not isinstance(errors, (Reml, Ols)):
        errors = Reml()
        fit = errors.of(design.y, design.x)
    y, x, used = design.without_break()
    fakes = fake_starts(y, x, used, errors, level=level)
    first = int(data.ordinals[0])
    rows = [
        {
            "start": data.frequency.label(first + int(at)),
            "level_change": fakes.level_change[k],
            "conf_low": fakes.conf_low[k],
            "conf_high": fakes.conf_high[k],
            "average": fakes.average[k],
            "t": fakes.t[k],
        }
        for k, at in enumerate(fakes.position)
    ]
    contrast = design.contrasts()["average"]
    spread = float(np.sqrt(contrast @ fit.cov @ contrast))
    real = float(contrast @ fit.coef) / spread if spread > 0 else np.inf
    return {
        "placebo_dates": rows,
        "placebo_rank": {
            "p_value": rank(real, fakes.t),
            "t": real,
            "starts": len(rows),
            "enough": len(rows) >= ENOUGH_TO_RANK,
        },
    }
