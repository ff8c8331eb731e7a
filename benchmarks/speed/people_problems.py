"""Weighing two million people until they are alike, and matching fifteen trial days of as many discharges.

Entropy balancing is asked for means alike to a millionth of a standard deviation. Trial days are matched one
after another, 1:1 within practice x age band x sex and a caliper of 0.2 standard deviations of the hazard's
logit, which is fitted on those who start and ten others for each on the same day; nobody in Python does the
same.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.speed.board import Data, Problem, Runner
from benchmarks.speed.matching import AGE_BANDS, CALIPER, COVARIATES, LARGE, PRACTICES, SMALL, people

DAYS = 15
OTHERS = 10
"""Comparison rows for each start in the fit of the hazard."""


def our_weights(data: Data) -> float:
    """Largest difference of means that is left, in standard deviations of those with the service."""
    from ucimpact.inference import entropy_balancing

    x, treated = data["x"], data["treated"]
    pilot = x[treated].astype(float)
    spread = pilot.std(axis=0, ddof=1)
    found = entropy_balancing.balance(x[~treated], pilot.mean(axis=0), spread)
    return left_unlike(x, treated, found.weights)


def left_unlike(x: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> float:
    """The same, from the weights alone."""
    pilot, others = x[treated].astype(float), x[~treated]
    means = weights @ others / weights.sum()
    return float(np.abs((pilot.mean(axis=0) - means) / pilot.std(axis=0, ddof=1)).max())


def ebal(data: Data) -> float:
    """On standardised columns: its tolerance is in the columns' own units."""
    from ebal import ebal_bin

    x = (data["x"] - data["x"].mean(axis=0)) / data["x"].std(axis=0)
    treated = data["treated"]
    found = ebal_bin(print_level=-1).ebalance(treated.astype(int), x.astype(float), treated.astype(float))
    return left_unlike(x, treated, np.asarray(found["w"], dtype=float).ravel()[~treated])


def weighing_problem(pilot: int, comparison: int) -> Problem:
    """Entropy balancing of so many."""
    return Problem(
        name=f"weighing-{(pilot + comparison) // 1000}k",
        title=f"Entropy balancing, {pilot:,} of {pilot + comparison:,} people, {COVARIATES} covariates",
        make=partial(people, pilot, comparison),
        small=partial(people, 500, 20_000),
        runners=(
            Runner(who="ucimpact", run=our_weights),
            Runner(who="ebal", run=ebal, package="ebal", most=1),
        ),
        agree_to=1e-6,
        targets={"seconds": 10.0} if (pilot, comparison) == LARGE else None,
    )


def discharges(number: int) -> Data:
    """Discharges with covariates, a count that changes by the day, and when time ends or a visit comes."""
    rng = np.random.default_rng(1)
    x = np.empty((number, COVARIATES), dtype=np.float32)
    for column in range(COVARIATES):
        x[:, column] = rng.standard_normal(number, dtype=np.float32)
    leaning = x @ rng.normal(0, 0.2, COVARIATES).astype(np.float32)
    contacts = rng.integers(0, 4, (number, DAYS)).astype(np.int8)
    ends = np.minimum(rng.geometric(1 / 80, number), 99).astype(np.int16)
    begins = np.full(number, -1, dtype=np.int16)
    for day in range(DAYS):
        chance = 1 / (1 + np.exp(6.2 + 0.05 * day - leaning - 0.15 * contacts[:, day]))
        begins[(rng.random(number) < chance) & (begins < 0) & (ends > day)] = day
    strata = rng.integers(0, PRACTICES * AGE_BANDS * 2, number).astype(np.int32)
    return {"x": x, "contacts": contacts, "ends": ends, "begins": begins, "strata": strata}


def our_trials(data: Data) -> float:
    """The number of sets of all days."""
    from ucimpact.inference import propensity, trial_matching

    x, contacts = data["x"], data["contacts"]
    who = trial_matching.TrialDays(data["begins"], data["ends"])
    rng = np.random.default_rng(1)
    rows, days, shift = [], [], np.zeros(DAYS)
    for day in range(DAYS):
        there = who.eligible(day)
        starts = who.starts(day, there)
        others = there[~starts]
        drawn = rng.choice(others, min(OTHERS * int(starts.sum()), len(others)), replace=False)
        shift[day] = np.log(len(drawn) / len(others))
        rows += [there[starts], drawn]
        days.append(np.full(int(starts.sum()) + len(drawn), day))
    chosen, day_of = np.concatenate(rows), np.concatenate(days)
    columns = np.column_stack([x[chosen], contacts[chosen, day_of]])
    fitted = propensity.fit(columns, data["begins"][chosen] == day_of, groups=day_of)
    assert fitted.effects is not None
    level = fitted.coef[0] + fitted.effects + shift
    static, slope = (x @ fitted.coef[1:-1].astype(np.float32)), fitted.coef[-1]

    def score(day: int, asked: np.ndarray) -> np.ndarray:
        return np.asarray(static[asked] + slope * contacts[asked, day] + level[day])

    caliper = CALIPER * trial_matching.spread_of_score(range(DAYS), who, score)
    found = trial_matching.match_days(
        range(DAYS), who, score, strata=data["strata"], caliper=caliper, ratio=1
    )
    return float(len(found.day))


def trials_problem(number: int) -> Problem:
    """Trial days of so many discharges."""
    return Problem(
        name=f"trial-days-{number // 1000}k",
        title=f"{DAYS} trial days of {number:,} discharges, {COVARIATES + 1} covariates",
        make=partial(discharges, number),
        small=partial(discharges, 20_000),
        runners=(Runner(who="ucimpact", run=our_trials),),
        targets={"seconds": 15.0} if number == sum(LARGE) else None,
    )


PROBLEMS = (
    weighing_problem(*SMALL),
    weighing_problem(*LARGE),
    trials_problem(sum(SMALL)),
    trials_problem(sum(LARGE)),
)
