"""How often the intervals hold the truth, and how often nothing is called something: ``make calibrate``.

Four tables, each against a target. (a) Both examples made again with other seeds: does the interval that
the report leads with hold what was planted? (b) Difference-in-differences on Gaussian panels with AR(1)
noise of 0.5 and a lasting drift, no effect planted: how often is p below 0.05, and how often would an
effect of the stated size be found? The size is that which a pooled t would find half the time in lists of
equal size. (c) Interrupted time series with a level and a slope change planted. (d) The people of the soft
landing example made again: does the matched interval hold the effect on the people who were matched, how far
off is it in standard errors, and how much of the fall that before and after shows is put down to picking
people at a bad time? Beside it, clients of a charity for whom nothing changes.

Each draw has a seed of its own, so the tables do not depend on the number of processes.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate import MonthlySeries, PracticePanel, gaussian_panel, gaussian_series
from ucimpact.data.simulate_people import Befriending, SoftLanding, soft_landing_truth
from ucimpact.evaluation import prepare
from ucimpact.evaluation.people import FAMILIES
from ucimpact.methods import build
from ucimpact.methods.before_after import BeforeAfter
from ucimpact.methods.did import DifferenceInDifferences
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.study import Study, read_study

EXAMPLES = Path(__file__).parents[2] / "examples"
LEVEL, SLOPE = 2.0, 0.1
"""Planted in the lean series."""

DRIFT, AR, BEFORE, AFTER = 0.5, 0.5, 12, 12
DID_CELLS = [
    (units, pilots, sizes)
    for sizes in ("equal", "unequal")
    for units, pilots in ((40, 1), (40, 3), (40, 6), (40, 20), (12, 1), (12, 2), (12, 3))
]
ITS_CELLS = [(n, rho) for n in (24, 48, 96) for rho in (0.0, 0.3, 0.6)]
TARGETS = {"examples": 0.92, "did": 0.07, "its": (0.91, 0.98), "matched": (0.92, 0.985), "bias": 0.2}

Outcome = dict[str, Any]


# -- one draw of each kind: a seed in, what was found out -------------------------------------


def acute_visiting(study: Study, seed: int) -> Outcome:
    draw = PracticePanel().draw(seed)
    roles = study.data
    panel = Panel(
        draw.table,
        unit=roles.unit,
        period=roles.period,
        start=roles.start,
        population=roles.population,
        cluster=roles.places,
    )
    return _example(study, panel, draw.truth, "att")


def crisis_response(study: Study, seed: int) -> Outcome:
    draw = MonthlySeries().draw(seed)
    roles = study.data
    series = Series(draw.table, period=roles.period, start=roles.start, population=roles.population)
    return _example(study, series, draw.truth, "average")


def _example(study: Study, data: Panel | Series, truth: dict[str, dict[str, float]], first: str) -> Outcome:
    """Whether each interval holds the truth, by the steps that an evaluation takes."""
    outcome = next(o for o in study.outcomes if o.primary)
    prepared = prepare(data, outcome)
    method = build(study.method.name, study.method.options, outcome=prepared.column)
    estimate = method.fit(prepared.data)
    planted = truth[outcome.column]
    held = {term: _holds(estimate.effect(term), planted[term]) for term in (first, "cumulative", "relative")}
    return {"headline": held.pop(first), **held}


def soft_landing(study: Study, seed: int) -> Outcome:
    """Each planted effect and what was found of it, on the people who were matched."""
    draw = SoftLanding().draw(seed)
    cohort = _cohort(study, draw.table)
    without_days = replace(cohort, follow_up=None)
    found: Outcome = {}
    matched = None
    for outcome in study.outcomes:
        if outcome.column not in draw.potential:
            continue
        options = {"family": FAMILIES[outcome.kind], **study.method.options}
        method = build(study.method.name, options, outcome=outcome.column)
        if matched is None:
            sets = method.pairs(cohort).sets
            matched = np.isin(np.arange(len(draw.table)), sets["row"][sets["treated"].astype(bool)])
        effect = method.fit(cohort if outcome.kind == "count" else without_days).effect("att")
        truth = soft_landing_truth(draw.table, draw.potential, matched)[outcome.column]["att"]
        found[f"{outcome.column}: held"] = _holds(effect, truth)
        found[f"{outcome.column}: error"] = effect["estimate"] - truth
        found[f"{outcome.column}: std_error"] = effect["std_error"]
    return {**found, **_regression(study, cohort, draw.truth)}


def befriending(study: Study, seed: int) -> Outcome:
    """What is made of a fall that nobody caused."""
    draw = Befriending().draw(seed)
    return _regression(study, _cohort(study, draw.table), draw.truth)


def _cohort(study: Study, table: pd.DataFrame) -> Cohort:
    roles = study.data
    return Cohort(
        table,
        person=str(roles.person),
        pilot=roles.pilot,
        index_date=roles.index_date,
        service_start=roles.service_start,
        follow_up=roles.follow_up,
        horizon=roles.follow_up_days,
    )


def _regression(study: Study, cohort: Cohort, truth: dict[str, dict[str, float]]) -> Outcome:
    chosen, outcome = study.data.chosen, study.primary
    assert chosen is not None
    estimate = BeforeAfter(
        outcome=outcome.column,
        before=str(outcome.before),
        before_days=study.data.before_days,
        at_least=chosen.at_least,
        at_event=chosen.at_event,
    ).fit(cohort)
    planted, read = truth["before_after"], estimate.extras["regression"]
    return {
        "fall": -estimate.effect("att")["estimate"],
        "after": read["expected_after"],
        "after held": read["low"] <= planted["expected_after_without"] <= read["high"],
        "share": read["share"],
        "share planted": planted["share_of_fall_without_service"],
    }


def did_draw(units: int, pilots: int, sizes: str, effect: float, seed: int) -> Outcome:
    rng = np.random.default_rng([units, pilots, len(sizes), seed])
    table = gaussian_panel(rng, units=units, pilots=pilots, sizes=sizes, ar=AR, drift=DRIFT)
    found, power = (
        DifferenceInDifferences(outcome="y").fit(Panel(made, population="size"))
        for made in (table, table.assign(y=table["y"] + effect * _running(table)))
    )
    head = found.headline
    return {
        "false positive": _found(head["p_value"]),
        "power": _found(power.headline["p_value"]),
        "held": _holds(head, 0.0),
        "width": head["conf_high"] - head["conf_low"],
        "procedure": found.extras["rule"]["procedure"],
    }


def its_draw(n: int, rho: float, seed: int) -> Outcome:
    rng = np.random.default_rng([n, round(10 * rho), seed])
    before = round(0.6 * n)
    table = gaussian_series(rng, n=n, rho=rho, level_change=LEVEL, slope_change=SLOPE)
    series = Series(table, start=table["period"][before])
    estimate = InterruptedTimeSeries(outcome="y").fit(series)
    total = float(np.sum(LEVEL + SLOPE * np.arange(n - before)))
    truth = {"level_change": LEVEL, "slope_change": SLOPE, "cumulative": total}
    return {term: _holds(estimate.effect(term), value) for term, value in truth.items()}


def _holds(effect: dict[str, Any], truth: float) -> bool:
    return bool(effect["conf_low"] <= truth <= effect["conf_high"])


def _found(p_value: float) -> bool:
    """Whether p is below 0.05; a p-value that is not given is not below it."""
    return bool(p_value < 0.05)


def _running(table: pd.DataFrame) -> np.ndarray:
    return ((table["start"] > 0) & (table["period"] >= table["start"])).to_numpy(dtype=float)


def stated_effect(units: int, pilots: int) -> float:
    """The effect that a pooled t would find half the time, with lists of equal size."""
    month = np.arange(BEFORE + AFTER)
    weight = np.where(month < BEFORE, -1 / BEFORE, 1 / AFTER)
    noise = weight @ AR ** np.abs(month[:, None] - month) @ weight
    return 1.96 * math.sqrt((DRIFT**2 + noise) * (1 / pilots + 1 / (units - pilots)))


# -- many draws, in one or more processes ------------------------------------------------------


def run(one: Callable[[int], Outcome], draws: int, jobs: int) -> pd.DataFrame:
    """The outcomes of seeds 1 to ``draws``, one a row."""
    seeds = range(1, draws + 1)
    if jobs == 1:
        return pd.DataFrame([_quietly(one, seed) for seed in seeds])
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return pd.DataFrame(pool.map(partial(_quietly, one), seeds, chunksize=max(1, draws // (8 * jobs))))


def _quietly(one: Callable[[int], Outcome], seed: int) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return one(seed)


def examples_table(draws: int, jobs: int) -> pd.DataFrame:
    rows = []
    for name, one in (("acute_visiting", acute_visiting), ("crisis_response", crisis_response)):
        study = read_study(EXAMPLES / name / "study.toml")
        held = run(partial(one, study), draws, jobs).mean()
        row = {"example": name, **held}
        rows.append({**row, "ok": _mark(row["headline"] >= TARGETS["examples"])})
    return pd.DataFrame(rows)


def did_table(draws: int, jobs: int) -> pd.DataFrame:
    rows = []
    for units, pilots, sizes in DID_CELLS:
        effect = stated_effect(units, pilots)
        found = run(partial(did_draw, units, pilots, sizes, effect), draws, jobs)
        row = {
            "treated": f"{pilots} of {units}",
            "sizes": sizes,
            "false positives": found["false positive"].mean(),
            "held": found["held"].mean(),
            "effect": effect,
            "power": found["power"].mean(),
            "width": found["width"].median(),
            "procedure": found["procedure"].mode()[0],
        }
        rows.append({**row, "ok": _mark(row["false positives"] <= TARGETS["did"])})
    return pd.DataFrame(rows)


def its_table(draws: int, jobs: int) -> pd.DataFrame:
    rows = []
    low, high = TARGETS["its"]
    for n, rho in ITS_CELLS:
        held = run(partial(its_draw, n, rho), draws, jobs).mean()
        row = {"months": n, "rho": rho, **held}
        rows.append(
            {**row, "ok": _mark(all(low <= row[term] <= high for term in ("level_change", "cumulative")))}
        )
    return pd.DataFrame(rows)


def matched_table(draws: int, jobs: int) -> pd.DataFrame:
    study = read_study(EXAMPLES / "soft_landing" / "study.toml")
    found = run(partial(soft_landing, study), draws, jobs)
    low, high = TARGETS["matched"]
    rows = []
    for name in (column.removesuffix(": held") for column in found if column.endswith(": held")):
        error, std_error = found[f"{name}: error"], found[f"{name}: std_error"]
        row = {
            "outcome": name,
            "held": found[f"{name}: held"].mean(),
            "bias in SE": error.mean() / std_error.mean(),
            "SE over SD": std_error.mean() / error.std(),
        }
        good = low <= row["held"] <= high and abs(row["bias in SE"]) < TARGETS["bias"]
        rows.append({**row, "ok": _mark(good)})
    return pd.DataFrame(rows)


def before_after_table(draws: int, jobs: int) -> pd.DataFrame:
    rows = []
    for name, one in (("soft_landing", soft_landing), ("befriending", befriending)):
        found = run(partial(one, read_study(EXAMPLES / name / "study.toml")), draws, jobs)
        row = {
            "example": name,
            "fall": found["fall"].mean(),
            "share": found["share"].mean(),
            "share planted": found["share planted"].mean(),
            "expected after held": found["after held"].mean(),
        }
        near = abs(row["share"] - row["share planted"]) < 0.05
        rows.append({**row, "ok": _mark(near)})
    return pd.DataFrame(rows)


def _mark(good: bool) -> str:
    return "yes" if good else "NO"


TABLES = {
    "examples": (
        examples_table,
        200,
        "share of intervals that hold what was planted (target: headline 92% or more)",
    ),
    "did": (did_table, 1000, "difference-in-differences, AR(1) 0.5 (target: false positives 7% or fewer)"),
    "its": (
        its_table,
        1000,
        "interrupted time series, share that holds (target: level and cumulative 91% to 98%)",
    ),
    "matched": (
        matched_table,
        200,
        "matched cohort (target: 92% to 98.5% hold the effect on those matched, bias under a fifth of a SE)",
    ),
    "before-after": (
        before_after_table,
        100,
        "the fall that before and after shows, and the share put down to picking (target: within 0.05; people "
        "without soft landing at the same count before are in less need otherwise, so a little too much)",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=TABLES, action="append", help="one table; may be given again")
    parser.add_argument("--draws", type=int, help="draws a cell, in place of those of each table")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    asked = parser.parse_args()
    missed = False
    for name in asked.only or TABLES:
        table_of, usual, title = TABLES[name]
        draws, begun = asked.draws or usual, time.perf_counter()
        table = table_of(draws, asked.jobs)
        print(f"\n{name}: {title}; {draws:,} draws a cell, {time.perf_counter() - begun:,.0f} s")
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"), flush=True)
        missed |= bool((table["ok"] == "NO").any())
    print("\nA target is missed." if missed else "\nEvery target is met.")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
