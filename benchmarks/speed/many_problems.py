"""Many series at once: every practice and measure, level and slope change, AR(1) errors, two harmonics."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.speed.board import Data, Problem, Runner

MONTHS, BEFORE = 60, 36
BY = ["practice", "measure"]


def long_table(number: int) -> Data:
    """Rates and counts of ``number`` series in one long table, a row a series and month, and populations."""
    rng = np.random.default_rng(1)
    rho = rng.uniform(-0.2, 0.8, number)
    errors = rng.standard_normal((number, MONTHS))
    for t in range(1, MONTHS):
        errors[:, t] = rho * errors[:, t - 1] + np.sqrt(1 - rho**2) * errors[:, t]
    people = rng.uniform(2000, 20000, number)[:, None] * (1 + 0.01 * rng.standard_normal((number, MONTHS)))
    series = np.arange(number, dtype=np.int32)
    months = np.datetime64("2021-07") + np.arange(MONTHS)
    return {
        "practice": np.repeat(series // 20, MONTHS),
        "measure": np.repeat((series % 20).astype(np.int8), MONTHS),
        "month": np.tile(months.astype("datetime64[s]"), number),
        "rate": (50 + 5 * errors).ravel(),
        "events": rng.poisson(people * 0.01 * np.exp(0.1 * errors)).ravel().astype(np.int32),
        "people": people.ravel(),
    }


def _fit(data: Data, method: Any, **more: Any) -> float:
    import pandas as pd

    from ucimpact import fit_many

    columns = [*BY, "month", method.outcome, *more.values()]
    table = pd.DataFrame({name: data[name] for name in columns}, copy=False)
    start = str(data["month"][BEFORE])[:7]
    found = fit_many(table, by=BY, period="month", start=start, method=method, **more)
    effects = found.of("level_change")
    return float(effects["estimate"].mean())


def our_rates(data: Data) -> float:
    """Every effect with the default range of one series, from the table to a table."""
    from ucimpact.methods import InterruptedTimeSeries

    return _fit(data, InterruptedTimeSeries(outcome="rate"))


def our_counts(data: Data) -> float:
    """The default of counts: averaged over AR(1) plus chance variation."""
    from ucimpact.methods import CountITS

    return _fit(data, CountITS(outcome="events"), population="people")


def our_quasi_poisson(data: Data) -> float:
    """Quasi-Poisson with an offset of each series' own."""
    from ucimpact.inference.count_series_errors import QuasiPoisson
    from ucimpact.methods import CountITS

    return _fit(data, CountITS(outcome="events", errors=QuasiPoisson()), population="people")


def _columns() -> np.ndarray:
    since = np.arange(MONTHS) - BEFORE
    after = since >= 0
    turn = 2 * np.pi * ((np.arange(MONTHS) + 6) % 12) / 12
    waves = [f(wave * turn) for wave in (1, 2) for f in (np.sin, np.cos)]
    return np.column_stack([after, np.ones(MONTHS), since, np.maximum(since, 0), *waves]).astype(float)


def statsmodels_rates(data: Data) -> float:
    """Feasible generalised least squares, a series at a time."""
    from statsmodels.regression.linear_model import GLSAR

    x, found = _columns(), []
    for y in data["rate"].reshape(-1, MONTHS):
        fit = GLSAR(y, x, rho=1).iterative_fit(maxiter=10)
        fit.conf_int()
        found.append(fit.params[0])
    return float(np.mean(found))


def statsmodels_quasi_poisson(data: Data) -> float:
    """A generalised linear model a series at a time; the change in events of the first month."""
    import statsmodels.api as sm

    x, found = _columns(), []
    counts, people = (data[name].reshape(-1, MONTHS) for name in ("events", "people"))
    days = np.array([31, 31, 30, 31, 30, 31, 31, 28, 31, 30, 31, 30], dtype=float)
    lengths = np.resize(days, MONTHS) * 12 / 365.25
    lengths[31] = 29 * 12 / 365.25  # February 2024
    for y, n in zip(counts, people, strict=True):
        fit = sm.GLM(y, x, family=sm.families.Poisson(), offset=np.log(n * lengths)).fit(scale="X2")
        fit.conf_int()
        found.append(-fit.mu[BEFORE] * np.expm1(-fit.params[0]))
    return float(np.mean(found))


def many_problem(
    name: str, title: str, number: int, runners: tuple[Runner, ...], *, seconds: float | None, agree_to: float
) -> Problem:
    """Ours are from the table to a table of every effect; peers are given each series as an array."""
    return Problem(
        name=f"{name}-{number // 1000}k",
        title=f"{title}, {number:,} series x {MONTHS} months",
        make=partial(long_table, number),
        small=partial(long_table, 100),
        runners=runners,
        agree_to=agree_to,
        targets=None if seconds is None else {"seconds": seconds},
    )


RATES = "Interrupted time series of many"
COUNTS = "Counts of many, averaged over AR(1) plus noise"
QUASI = "Quasi-Poisson of many"
PEER = "statsmodels"

PROBLEMS = (
    many_problem(
        "its-many",
        RATES,
        2_000,
        (
            Runner(who="ucimpact", run=our_rates),
            Runner(who=PEER, package=PEER, run=statsmodels_rates, most=1),
        ),
        seconds=None,
        agree_to=0.1,
    ),
    many_problem(
        "its-many", RATES, 140_000, (Runner(who="ucimpact", run=our_rates),), seconds=30, agree_to=np.inf
    ),
    many_problem(
        "quasi-poisson-many",
        QUASI,
        2_000,
        (
            Runner(who="ucimpact", run=our_quasi_poisson),
            Runner(who=PEER, package=PEER, run=statsmodels_quasi_poisson, most=1),
        ),
        seconds=None,
        agree_to=0.01,
    ),
    many_problem(
        "quasi-poisson-many",
        QUASI,
        140_000,
        (Runner(who="ucimpact", run=our_quasi_poisson),),
        seconds=5,
        agree_to=np.inf,
    ),
    many_problem(
        "counts-many",
        COUNTS,
        140_000,
        (Runner(who="ucimpact", run=our_counts),),
        seconds=150,
        agree_to=np.inf,
    ),
)
