"""One series: level and slope change with AR(1) errors and two harmonics; a structural time series."""

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


DRAWS, BURN = 1000, 100


def beside(number: int) -> Data:
    """A series with ten others beside it, three of them true, and the index of the first pilot month."""
    from ucimpact.data.simulate_controls import SeriesWithControls

    made = SeriesWithControls(n=number, explained=0.9)
    table = made.draw(1)
    columns = {name: table[name].to_numpy() for name in table.columns if name != "period"}
    return {"month": table["period"].to_numpy(dtype="U7"), "before": np.array(made.start), **columns}


def _columns(data: Data) -> list[str]:
    return [name for name in data if name.startswith("x")]


def our_structural(data: Data) -> float:
    """Spike and slab over ten series and a level that wanders, with every effect and path.

    The prior of the level is stated, so no second fit with a looser one is made beside it.
    """
    import pandas as pd

    from ucimpact import Series
    from ucimpact.methods import StructuralTimeSeries

    controls = tuple(_columns(data))
    table = pd.DataFrame({"period": data["month"], "y": data["y"], **{name: data[name] for name in controls}})
    series = Series(table, start=str(data["month"][int(data["before"])]))
    method = StructuralTimeSeries(
        outcome="y",
        controls=controls,
        level_sd=0.01,
        season="none",
        covid="none",
        draws=DRAWS,
        burn=BURN,
    )
    return float(method.fit(series).effect("average")["estimate"])


def bsts_structural(data: Data) -> float:
    """The same number of draws of the same model, with the package's own choice among the series."""
    import pandas as pd
    from causal_impact import CausalImpact

    table = pd.DataFrame({name: data[name] for name in ("y", *_columns(data))})
    before, last = int(data["before"]), len(table) - 1
    options = {"niter": DRAWS, "nwarmup": BURN, "nchains": 1, "seed": 1}
    found = CausalImpact(table, [0, before - 1], [before, last], model_args=options)
    return float(np.mean(found.inferences["point_effect"].to_numpy()[-(len(table) - before) :]))


def structural_problem(number: int) -> Problem:
    """The two choose among the series each in its own way, so the answers are near and not the same."""
    return Problem(
        name=f"structural-{number}",
        title=f"Structural time series, 1,000 draws, {number} months, 10 controls",
        make=partial(beside, number),
        small=partial(beside, 60),
        runners=(
            Runner(who="ucimpact", run=our_structural),
            Runner(who="bsts-causalimpact", package="causal_impact", run=bsts_structural),
        ),
        agree_to=0.5,
        targets={"seconds": 1.0},
    )


PROBLEMS = (its_problem(60), its_problem(120), structural_problem(120), structural_problem(300))
