"""Panels: group-time effects, event studies, two-way effects and randomisation.

Data: units of which a half never start and the others start in one of four periods, a covariate that
decides both who starts and the trend, unit and period effects, and effects that grow.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.speed.board import Data, Problem, Runner

SMALL = 300
STARTS = 4


def staggered(units: int, periods: int, seed: int = 1) -> Data:
    """A balanced panel, long: ``unit, period, start`` (0: never), ``x, y``."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(units)
    starts = np.linspace(periods // 4 + 1, 3 * periods // 4 + 1, STARTS).astype(int)
    start = np.where(rng.random(units) < 1 / (1 + np.exp(-0.5 * x)), rng.choice(starts, units), 0)
    period = np.arange(1, periods + 1)
    since = np.where(start[:, None] > 0, period - start[:, None], -1)
    y = 10 + rng.standard_normal(units)[:, None] + 0.1 * period + 0.05 * x[:, None] * period
    y = y + np.where(since >= 0, 1 + 0.1 * since, 0.0) + rng.standard_normal((units, periods))
    return {
        "unit": np.repeat(np.arange(units), periods),
        "period": np.tile(period, units),
        "start": np.repeat(start, periods),
        "x": np.repeat(x, periods),
        "y": y.reshape(-1),
    }


def together(units: int, periods: int, seed: int = 1) -> Data:
    """The same with one start, at the middle."""
    data = dict(staggered(units, periods, seed))
    middle = periods // 2 + 1
    data["start"] = np.where(data["start"] > 0, middle, 0)
    return data


def _table(data: Data) -> pd.DataFrame:
    """Without a second copy of the columns, which a user would not hold either."""
    return pd.DataFrame(dict(data), copy=False)


# -- group-time effects, doubly robust ---------------------------------------------------------


def our_cs(data: Data, draws: int = 0) -> float:
    """Group-time effects, all four kinds of average, bands and pre-trend."""
    from ucimpact import Panel
    from ucimpact.inference.staggered import Analytic, Multiplier
    from ucimpact.methods import CallawaySantAnna

    cov: Any = Multiplier(draws=draws) if draws else Analytic()
    method = CallawaySantAnna(outcome="y", covariates=("x",), control_group="never-treated", cov=cov)
    return float(method.fit(Panel(_table(data))).headline["estimate"])


def diff_diff_cs(data: Data, draws: int = 0) -> float:
    """Group-time effects, the overall and the event-time average."""
    from diff_diff import CallawaySantAnna

    method = CallawaySantAnna(estimation_method="dr", n_bootstrap=draws, seed=1)
    found = method.fit(
        _table(data), outcome="y", unit="unit", time="period", first_treat="start", covariates=["x"]
    )
    found.aggregate("event_study")
    return float(found.overall_att)


def csdid_cs(data: Data, draws: int = 0) -> float:
    """Group-time effects, the overall and the event-time average."""
    from csdid.att_gt import ATTgt

    names = {"yname": "y", "tname": "period", "idname": "unit", "gname": "start", "xformla": "y ~ x"}
    more = {"biters": draws} if draws else {}
    fit = ATTgt(data=_table(data), control_group="nevertreated", **names, **more)
    fit = fit.fit("dr", bstrap=bool(draws))
    overall = fit.aggte("simple", bstrap=bool(draws)).atte["overall_att"]
    fit.aggte("dynamic", bstrap=bool(draws))
    return float(overall)


def cs_problem(units: int, draws: int, targets: dict[str, Any], most: int) -> Problem:
    """Doubly robust, one covariate, 20 periods."""
    how = f", {draws} multiplier draws" if draws else ""
    return Problem(
        name=f"cs-{units // 1000}k" + (f"-{draws}" if draws else ""),
        title=f"Callaway-Sant'Anna, doubly robust, {units:,} units x 20 periods{how}",
        make=partial(staggered, units, 20),
        small=partial(staggered, SMALL, 20),
        runners=(
            Runner(who="ucimpact", run=partial(our_cs, draws=draws)),
            Runner(who="diff-diff", package="diff_diff", run=partial(diff_diff_cs, draws=draws)),
            Runner(who="csdid", package="csdid", run=partial(csdid_cs, draws=draws), most=most),
        ),
        agree_to=1e-3,
        targets=targets,
    )


# -- two-way event study -----------------------------------------------------------------------


def our_event_study(data: Data) -> float:
    """The path of a two-way regression, its average, errors by unit, and what the average is made of."""
    from ucimpact import Panel
    from ucimpact.inference.staggered import Analytic
    from ucimpact.methods import EventStudy

    fit = EventStudy(outcome="y", cov=Analytic()).fit(Panel(_table(data)))
    rows = fit.effects
    return float(rows.loc[(rows["term"] == "event") & (rows["event_time"] == 0), "estimate"].iloc[0])


def pyfixest_event_study(data: Data) -> float:
    """The same path: never-treated in the reference, CRV1 by unit."""
    import pyfixest

    table = _table(data)
    table["since"] = np.where(table["start"] > 0, table["period"] - table["start"], -1)
    fit = pyfixest.feols("y ~ i(since, ref=-1) | unit + period", table, vcov={"CRV1": "unit"})
    path = fit.coef()
    return float(path[next(name for name in path.index if re.search(r"[:.\[]0(\.0)?\]?$", name))])


def event_study_problem(units: int, make: Any, name: str, how: str) -> Problem:
    """Two-way effects and a coefficient for each period from the start."""
    return Problem(
        name=name,
        title=f"Two-way event study, {units:,} units x 20 periods, {how}",
        make=partial(make, units, 20),
        small=partial(make, SMALL, 20),
        runners=(
            Runner(who="ucimpact", run=our_event_study),
            Runner(who="pyfixest", package="pyfixest", run=pyfixest_event_study),
        ),
        agree_to=1e-6,
        targets={"cpu": ("pyfixest", 1.0)},
    )


# -- two-way effects, one start ----------------------------------------------------------------


def our_did(data: Data) -> float:
    """Two-way effects with the path, the pre-trend test and the counterfactual."""
    from ucimpact import Panel
    from ucimpact.inference.covariance import CR1
    from ucimpact.methods import DifferenceInDifferences

    fit = DifferenceInDifferences(outcome="y", cov=CR1()).fit(Panel(_table(data)))
    return float(fit.headline["estimate"])


def _running(data: Data) -> pd.DataFrame:
    table = _table(data)
    return table.assign(running=((table["start"] > 0) & (table["period"] >= table["start"])).astype(float))


def linearmodels_did(data: Data) -> float:
    """Two-way effects, errors by unit."""
    from linearmodels.panel import PanelOLS

    table = _running(data).set_index(["unit", "period"])
    model = PanelOLS(table["y"], table[["running"]], entity_effects=True, time_effects=True)
    return float(model.fit(cov_type="clustered", cluster_entity=True).params["running"])


def pyfixest_did(data: Data) -> float:
    """Two-way effects, CRV1 by unit."""
    import pyfixest

    fit = pyfixest.feols("y ~ running | unit + period", _running(data), vcov={"CRV1": "unit"})
    return float(fit.coef()["running"])


def did_problem(units: int, periods: int) -> Problem:
    """One coefficient, clustered by unit; ours gives the path and the tests with it."""
    return Problem(
        name=f"did-{units}",
        title=f"Difference-in-differences, {units:,} units x {periods} periods, errors by unit",
        make=partial(together, units, periods),
        small=partial(together, 40, periods),
        runners=(
            Runner(who="ucimpact", run=our_did),
            Runner(who="linearmodels", package="linearmodels", run=linearmodels_did),
            Runner(who="pyfixest", package="pyfixest", run=pyfixest_did),
        ),
        agree_to=1e-8,
    )


# -- randomisation -----------------------------------------------------------------------------


def waves(units: int = 60, periods: int = 36) -> Data:
    """Five pilots of 60, each with a start of its own: where starts are dealt anew for the p-value."""
    data = dict(staggered(units, periods))
    own = np.zeros(units, dtype=int)
    own[:5] = [12, 15, 18, 21, 24]
    data["start"] = np.repeat(own, periods)
    return data


def our_randomisation(data: Data) -> float:
    """The whole estimate, with 1,000 dealings of the starts of a studentised statistic in it."""
    from ucimpact import Panel
    from ucimpact.inference.few_clusters import Auto
    from ucimpact.methods import CallawaySantAnna

    fit = CallawaySantAnna(outcome="y", cov=Auto(permutations=1_000)).fit(Panel(_table(data)))
    dealt = fit.extras["rule"]["permutations"]
    assert dealt == 1_000, dealt
    return float(fit.headline["p_value"])


RANDOMISATION = Problem(
    name="randomisation",
    title="1,000 randomisation draws, staggered starts, 60 units x 36 periods",
    make=waves,
    small=partial(waves, 20, 36),
    runners=(Runner(who="ucimpact", run=our_randomisation),),
    targets={"seconds": 5.0},
)

PROBLEMS = (
    cs_problem(10_000, 0, {"cpu": ("diff-diff", 0.6)}, most=3),
    cs_problem(10_000, 999, {"cpu": ("diff-diff", 0.5)}, most=1),
    cs_problem(100_000, 0, {"cpu": ("diff-diff", 0.6), "peak": ("diff-diff", 0.5)}, most=1),
    event_study_problem(10_000, staggered, "event-study", "four starts"),
    event_study_problem(10_000, together, "event-study-one", "one start"),
    RANDOMISATION,
    did_problem(40, 24),
    did_problem(2_000, 60),
)
