"""Everybody who had the service is found again: in a trial, or under the reason why not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.methods.test_sequential_trials import STAY, histories, method, opened, service
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.sequential_trials_outside import began_in_no_trial
from ucimpact.methods.sequential_trials_table import rows_of

# Day 0 is Sunday 1 January 2023, so weeks begin on day 1, 8, ..., 99, 106, ...


def reasons(people: list[dict], stays: list[tuple], **fields) -> dict[str, int]:
    told = histories(people, stays)
    plan = opened(**fields)
    rows = rows_of(told, plan)
    placed = np.isin(np.arange(told.n), rows.person[rows.treated])
    return {row["reason"]: row["n"] for row in began_in_no_trial(told, plan, placed)}


def test_reasons_of_the_calendar_by_hand():
    people = [
        {"id": "in a trial", "start": 101},
        {"id": "never"},
        {"id": "new", "start": 102, "since": 95},
        {"id": "dead by Sunday", "start": 101, "died": 104},
        {"id": "gone by Sunday", "start": 101, "left": 103},
        {"id": "in hospital", "start": 101},
        {"id": "admitted on Tuesday", "start": 103},
        {"id": "in the last half week", "start": 400},
    ]
    stays = [("in hospital", 100, 120), ("admitted on Tuesday", 100, 101)]
    assert reasons(people, stays, trigger=None, every="week") == {
        "outside the days that count": 1,
        "without 10 days of records before": 1,
        "died or left in that week, or the records ended": 2,
        "in hospital in that week": 2,
    }


def test_reasons_after_a_discharge_by_hand():
    people = [
        {"id": "in a trial", "start": 102},
        {"id": "never"},
        {"id": "late", "start": 110},
        {"id": "on the ward", "start": 98},
        {"id": "new", "start": 101, "since": 95},
        {"id": "died that day", "start": 101, "died": 101},
    ]
    stays = [(row["id"], 95, 100) for row in people]
    assert reasons(people, stays) == {
        "in hospital on that day": 1,
        "not within 5 days after a discharge": 1,
        "without 10 days of records before": 1,
        "nobody could be followed: they died or left, or the records ended": 1,
    }


@pytest.mark.parametrize("every", [None, "day", "week"])
def test_every_exclusion_stands_between_two_totals_that_it_explains(every):
    asked = method() if every is None else calendar(every)
    flow = asked.fit(service(), pictures=False).extras["flow"]
    kinds = [step["kind"] for step in flow]
    assert kinds[0] == "in" and kinds[-2:] == ["end", "end"]
    named = {step["text"]: at for at, step in enumerate(flow)}
    served = named["people who had the service"]
    began = named["people who began the service in one of the trials"]
    between = [step["n"] for step in flow[served + 1 : began]]
    assert flow[served]["n"] - sum(between) == flow[began]["n"] > 0
    if every is None:
        return
    people = named["people in a trial"]
    assert flow[0]["n"] - sum(step["n"] for step in flow[1:people]) == flow[people]["n"]
    all_rows, home = people + 1, named["people and trials in which the service could have begun"]
    assert flow[all_rows]["n"] - sum(step["n"] for step in flow[all_rows + 1 : home]) == flow[home]["n"]


def calendar(every: str) -> SequentialTrials:
    return SequentialTrials(
        outcome=STAY, every=every, lookback=60, horizon=30, covariates=("age",),
        measured=(Measured(event=STAY, days=(-60, 0)),),
    )  # fmt: skip
