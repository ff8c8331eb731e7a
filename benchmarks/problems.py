"""Named problems, ours and a peer side by side, in CPU time: ``make bench``. Matching stands in matching.py.

A ratio under 1 means that ours took less. The peers give a coefficient and its standard error; ours also
gives the path, the pre-trend test, the counterfactual, placebos and residual checks, all in the time shown.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matching import table as matching_table

from ucimpact import Panel, Series
from ucimpact.data.simulate import MonthlySeries, gaussian_panel
from ucimpact.inference.covariance import CR1
from ucimpact.methods import DifferenceInDifferences, InterruptedTimeSeries

SECONDS_EACH = 3.0
Run = Callable[[], float]


@dataclass(frozen=True)
class Problem:
    """Two ways to one number, which must agree before they are timed."""

    name: str
    peer: str
    ours: Run
    theirs: Run
    agree_to: float


def panel_problem(units: int, months: int) -> Problem:
    """Two-way effects, clustered by unit, against linearmodels."""
    from linearmodels.panel import PanelOLS

    table = gaussian_panel(
        np.random.default_rng(1),
        units=units,
        pilots=units // 4,
        months=months,
        before=months // 2,
        effect=-1.0,
    )
    running = ((table["start"] > 0) & (table["period"] >= table["start"])).astype(float)
    indexed = table.assign(running=running).set_index(["unit", "period"])
    panel = Panel(table)

    def ours() -> float:
        return float(DifferenceInDifferences(outcome="y", cov=CR1()).fit(panel).headline["estimate"])

    def theirs() -> float:
        model = PanelOLS(indexed["y"], indexed[["running"]], entity_effects=True, time_effects=True)
        return float(model.fit(cov_type="clustered", cluster_entity=True).params["running"])

    return Problem(f"did, {units} units x {months} months", "linearmodels PanelOLS", ours, theirs, 1e-8)


def series_problem(months: int) -> Problem:
    """Level and slope change with AR(1) errors and two harmonics, against statsmodels."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    draw = MonthlySeries(months=months, before=round(0.6 * months)).draw(1)
    series = Series(
        draw.table, period="month", start=draw.table["month"][round(0.6 * months)], population="residents"
    ).with_rate("emergency_admissions", per=1000.0, name="rate")
    method = InterruptedTimeSeries(outcome="rate")
    design = method.design(series)
    y, x = series.values("rate"), pd.DataFrame(design.columns)

    def ours() -> float:
        return float(method.fit(series).effect("level_change")["estimate"])

    def theirs() -> float:
        fit = SARIMAX(y, exog=x.to_numpy(), order=(1, 0, 0)).fit(disp=0, maxiter=200)
        return float(fit.params[list(x.columns).index("level change")])

    return Problem(f"its, {months} months", "statsmodels SARIMAX, maximum likelihood", ours, theirs, 0.3)


def cpu(run: Run) -> float:
    """Median CPU seconds of one call, over calls that fill a few seconds."""
    times: list[float] = []
    while sum(times) < SECONDS_EACH or len(times) < 3:
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return float(np.median(times))


def main() -> None:
    warnings.simplefilter("ignore")
    rows = []
    for problem in (panel_problem(40, 24), panel_problem(2_000, 60), series_problem(60), series_problem(120)):
        gap = abs(problem.ours() - problem.theirs())
        assert gap < problem.agree_to, f"{problem.name}: the two answers differ by {gap:.3g}"
        ours, theirs = cpu(problem.ours), cpu(problem.theirs)
        rows.append(
            {
                "problem": problem.name,
                "peer": problem.peer,
                "ours (ms)": 1000 * ours,
                "theirs (ms)": 1000 * theirs,
                "ratio": ours / theirs,
            }
        )
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    print(
        "\n1:1 within practice x age band x sex and a caliper of 0.2 SD; 12 covariates, score and audit too"
    )
    print(pd.DataFrame(matching_table()).to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
