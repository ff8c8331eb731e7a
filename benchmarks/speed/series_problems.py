"""Interrupted time series: level and slope change with AR(1) errors and two harmonics."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.speed.board import Data, Problem, Runner


def months(number: int) -> Data:
    """A rate a month, the index of the first pilot month, and the columns of our design."""
    from ucimpact.data.simulate import MonthlySeries

    before = round(0.6 * number)
    table = MonthlySeries(months=number, before=before).draw(1).table
    return {
        "month": table["month"].to_numpy(dtype="U7"),
        "residents": table["residents"].to_numpy(),
        "events": table["emergency_admissions"].to_numpy(),
        "before": np.array(before),
    }


def _series(data: Data) -> Any:
    import pandas as pd

    from ucimpact import Series

    table = pd.DataFrame({name: data[name] for name in ("month", "residents", "events")})
    start = str(data["month"][int(data["before"])])
    series = Series(table, period="month", start=start, population="residents")
    return series.with_rate("events", per=1000.0, name="rate")


def our_its(data: Data) -> float:
    """Restricted maximum likelihood with small-sample ranges, counterfactual, placebos and checks."""
    from ucimpact.methods import InterruptedTimeSeries

    fit = InterruptedTimeSeries(outcome="rate").fit(_series(data))
    return float(fit.effect("level_change")["estimate"])


def statsmodels_its(data: Data) -> float:
    """Maximum likelihood of the same columns."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    from ucimpact.methods import InterruptedTimeSeries

    series = _series(data)
    columns = InterruptedTimeSeries(outcome="rate").design(series).columns
    names = list(columns)
    exog = np.column_stack([columns[name] for name in names])
    fit = SARIMAX(series.values("rate"), exog=exog, order=(1, 0, 0)).fit(disp=0, maxiter=200)
    return float(fit.params[names.index("level change")])


def its_problem(number: int) -> Problem:
    """Ours is restricted, theirs plain maximum likelihood, so the answers are near and not the same."""
    return Problem(
        name=f"its-{number}",
        title=f"Interrupted time series, {number} months",
        make=partial(months, number),
        small=partial(months, 36),
        runners=(
            Runner(who="ucimpact", run=our_its),
            Runner(who="statsmodels", package="statsmodels", run=statsmodels_its),
        ),
        agree_to=0.3,
    )


PROBLEMS = (its_problem(60), its_problem(120))
