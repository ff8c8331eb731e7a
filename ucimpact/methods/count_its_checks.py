"""What stands beside a series of counts: what it leaves over, and starts that never happened."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.count_series import CountSeries
from ucimpact.inference.count_series_errors import CountFit, Mixture, WeightedReml
from ucimpact.inference.fake_starts import ENOUGH_TO_RANK, fake_starts, rank
from ucimpact.inference.residuals import LjungBox, innovations, ljung_box
from ucimpact.inference.timeseries import Ols, Reml
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.series_account import lags


def carried_over(design: CountDesign, errors: object) -> float:
    """The autocorrelation by which residuals are freed of what carries over; 0 where none is modelled."""
    return design.series.reml.rho if isinstance(errors, (Mixture, WeightedReml)) else 0.0


def left_over(design: CountDesign, fit: CountFit, rho: float) -> tuple[np.ndarray, LjungBox]:
    """What is new in each period on the scale of Pearson's residuals, and whether it has a pattern."""
    series, used = design.series, design.segments.used
    response, columns = series.working
    named = np.where(used[:, None], columns[:, : series.columns], 0.0)
    residuals = np.where(used, response, 0.0) - named @ fit.coef
    fresh = innovations(residuals, rho, used)
    test = ljung_box(
        fresh, innovations(named, rho, used), used, lags(design.data, design.segments), fitted=int(rho != 0)
    )
    return fresh, test


def placebo_dates(design: CountDesign, errors: object, level: float) -> dict[str, Any]:
    """Fake starts before the pilot, and the rank of the real average log ratio among them.

    Fitted on the working scale at the means of the periods before. Steps are told in the units of the
    effects, as shares of the mean before the start.
    """
    segments, data = design.segments, design.data
    rows = segments.since < 0
    how = Reml() if isinstance(errors, (Mixture, WeightedReml)) else Ols()
    _, x, used = segments.without_break()
    named = x[:, : x.shape[1] - int((~used).sum())]
    series = CountSeries(y=design.y[rows], x=named, offset=design.series.offset[rows], used=used)
    try:
        response, columns = series.working
    except EstimationError:
        return {"placebo_dates": [], "placebo_rank": {"p_value": None, "starts": 0, "enough": False}}
    fakes = fake_starts(response, columns, used, how, level=level, roots=np.sqrt(series.poisson.mu))
    mean = float((design.y * design.unit)[segments.before].mean())
    first = int(data.ordinals[0])
    told = [
        {
            "start": data.frequency.label(first + int(at)),
            "level_change": mean * float(np.expm1(fakes.level_change[k])),
            "conf_low": mean * float(np.expm1(fakes.conf_low[k])),
            "conf_high": mean * float(np.expm1(fakes.conf_high[k])),
            "average": mean * float(np.expm1(fakes.average[k])),
            "t": fakes.t[k],
        }
        for k, at in enumerate(fakes.position)
    ]
    fit, contrast = how.of(*design.series.working), segments.contrasts()["average"]
    real = float(contrast @ fit.coef) / float(np.sqrt(contrast @ fit.cov @ contrast))
    return {
        "placebo_dates": told,
        "placebo_rank": {
            "p_value": rank(real, fakes.t),
            "t": real,
            "starts": len(told),
            "enough": len(told) >= ENOUGH_TO_RANK,
        },
    }
