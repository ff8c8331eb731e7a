"""Shares, costs and times of whole windows, a strategy whose first days nobody takes, and likely ranges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from ucimpact.data.histories import Histories
from ucimpact.data.simulate_histories import ServiceHistories
from ucimpact.methods.sequential_trials import Measured, SequentialTrials
from ucimpact.methods.sequential_trials_naive import naive
from ucimpact.methods.sequential_trials_whole import REASON
from ucimpact.study.declare import Counted

STAY = "emergency admission"
ROLES = {"person": "Person", "service_start": "First visit", "date": "Date", "kind": "Kind"}
ROLES |= {"end": "Discharged", "died": "Died", "left": "Left", "registered": "Registered"}


def draw(leaving: float = 0.0, deaths: float = 0.002):
    """Two tables; ``leaving``: share of people who leave on some day after the service began to run."""
    made = ServiceHistories(people=1500, days=420, deaths=deaths).draw(2)
    rng = np.random.default_rng(1)
    people = made.table.copy()
    away = pd.to_datetime("2022-04-01") + pd.to_timedelta(rng.integers(0, 500, len(people)), "D")
    gone = rng.random(len(people)) < leaving
    late = pd.to_datetime(people["First visit"]).fillna(pd.to_datetime(people["Died"]))
    gone &= ~(late >= away)
    people.loc[gone, "Left"] = away[gone]
    return people, made.events


def histories(leaving: float = 0.0) -> Histories:
    return Histories(*draw(leaving), cluster="Practice", **ROLES)


def method(**fields) -> SequentialTrials:
    plain = {
        "outcome": "Outcome",
        "counted": Counted(event=STAY, days=(0, 90)),
        "trigger": STAY,
        "covariates": ("Age",),
        "measured": (Measured(event=STAY, days=(-30, 0), at="trigger"),),
    }
    return SequentialTrials(**{**plain, **fields})


@pytest.fixture(scope="module")
def leaving() -> Histories:
    return histories(0.5)


DIED = Counted(event="death", days=(0, 90))
ANY = Counted(event=STAY, days=(0, 90), any=True)


@pytest.mark.parametrize("counted", [ANY, DIED])
@pytest.mark.parametrize("by", ["weights", "matching"])
def test_a_yes_or_no_is_the_share_of_people_seen_for_the_whole_window(leaving, counted, by):
    asked = method(counted=counted, by=by)
    estimate = asked.fit(leaving, pictures=False)
    emulation = asked.emulation(leaving)
    weight = emulation.weights(by)
    rows, used = emulation.rows, np.flatnonzero(weight > 0)
    whole = []
    for person, day in zip(rows.person[used], rows.day[used], strict=True):  # row by row, by the dates alone
        until, left, died = day + 90, leaving.leave[person], leaving.death[person]
        whole.append(until <= leaving.last_day and (not left < until or died <= left))
    kept = used[np.array(whole)]
    had = leaving.measure(counted.event, rows.person[kept], rows.day[kept], 0, 90) > 0
    own = rows.treated[kept]
    w = emulation.rescaled(kept, weight[kept])
    shares = [np.average(had[arm], weights=w[arm]) for arm in (own, ~own)]
    assert estimate.extras["observed"] == pytest.approx(had[own].mean(), rel=1e-12)
    assert estimate.effect("att")["estimate"] == pytest.approx(shares[0] - shares[1], rel=1e-6)
    assert estimate.effect("rate_ratio")["estimate"] == pytest.approx(shares[0] / shares[1], rel=1e-6)
    assert "rate_difference" not in set(estimate.effects["term"])
    assert estimate.counts["matched_pilot"] == own.sum()
    gone = next(row for row in estimate.counts["left_out"] if row["reason"] == REASON)
    assert (gone["n"], gone["pilot"]) == (len(used) - len(kept), (rows.treated[used]).sum() - own.sum())
    assert any("left or reached the end of the records" in care for care in estimate.warnings)


def test_few_who_were_cut_are_counted_and_not_warned_of():
    few = histories(0.01)
    estimate = method(counted=Counted(event=STAY, days=(0, 30), any=True)).fit(few, pictures=False)
    assert [row["n"] for row in estimate.counts["left_out"] if row["reason"] == REASON]
    assert not any("end of the records" in care for care in estimate.warnings)


def test_a_number_of_events_keeps_the_days_of_those_who_left(leaving):
    estimate = method().fit(leaving, pictures=False)
    emulation = method().emulation(leaving)
    assert estimate.counts["matched_pilot"] == emulation.rows.treated.sum()
    assert not [row for row in estimate.counts["left_out"] if row["reason"] == REASON]


def test_half_a_window_is_no_whole_cost(leaving):
    estimate = method(counted=Counted(event=STAY, days=(0, 90), value="Cost"), family="gaussian").fit(
        leaving, pictures=False
    )
    emulation = method().emulation(leaving)
    own = emulation.rows.where(emulation.rows.treated)
    left, until = leaving.leave[own.person], own.day + 90
    whole = (until <= leaving.last_day) & ~((left < until) & ~(leaving.death[own.person] <= left))
    assert 0.05 < np.mean(left < until) < 0.5
    cost = leaving.measure(STAY, own.person[whole], own.day[whole], 0, 90, value="Cost")
    assert estimate.extras["observed"] == pytest.approx(cost.mean(), rel=1e-9)


@pytest.mark.parametrize("question", ["this-stay", "strategy"])
def test_other_questions_tell_shares_too(leaving, question):
    asked = method(counted=ANY, question=question)
    sample, y, _ = asked.sample(asked.emulation(leaving))
    assert sample.days is None
    estimate = asked.fit(leaving, pictures=False)
    own = sample.treated
    shares = [np.average(y[arm], weights=sample.weight[arm]) for arm in (own, ~own)]
    assert 0 < shares[0] < 1 and 0 < shares[1] < 1
    term = "ate" if question == "strategy" else "att"
    assert estimate.effect(term)["estimate"] == pytest.approx(shares[0] - shares[1], rel=1e-6)
    usual = method(counted=ANY).fit(leaving, pictures=False).extras["expected"]
    assert shares[1] == pytest.approx(usual, rel=0.35)  # a share of people, as it is of usual care


def test_the_pictures_of_a_share_can_be_drawn(leaving):
    told = method(counted=ANY).fit(leaving).extras
    assert told["trials"]["naive"] and told["trials"]["alternatives"]
    assert told["trials"]["selection"]["pilot"]["after"] == pytest.approx(told["observed"], rel=1e-9)


# -- nobody on the first days ----------------------------------------------------------------


def test_a_strategy_begins_on_the_first_day_on_which_anybody_does():
    people, events = draw()
    whole = Histories(people, events, cluster="Practice", **ROLES)
    rows = method().emulation(whole).everybody
    early = rows.person[rows.treated & (rows.trial < 2)]
    people.loc[people.index[early], "First visit"] = pd.NaT
    later = Histories(people, events, cluster="Practice", **ROLES)
    asked = method(question="strategy")
    emulation = asked.emulation(later)
    assert emulation.rows.trial.min() == 2
    estimate = asked.fit(later, pictures=False)
    assert np.isfinite(estimate.effect("rate_ratio")["estimate"])
    at_home = np.unique(emulation.rows.unit[emulation.rows.trial == 2])
    lost = len(np.unique(emulation.everybody.unit)) - len(at_home)
    assert lost > 0
    assert any(f"at home on that day: {lost:,} of" in care for care in estimate.warnings)
    # The same people with day 2 taken for the day of discharge: nothing else tells one from the other.
    sample, y, _ = asked.sample(emulation)
    moved = replace(emulation.rows, trial=emulation.rows.trial - 2, closed=emulation.rows.closed + 2)
    every = replace(emulation.everybody, trial=emulation.everybody.trial - 2)
    shorter = replace(emulation.plan, opening=replace(emulation.plan.opening, within=12))
    again, its_y, _ = asked.sample(replace(emulation, rows=moved, everybody=every, plan=shorter, cache={}))
    np.testing.assert_allclose(its_y, y)
    np.testing.assert_allclose(again.days, sample.days)


# -- likely ranges ---------------------------------------------------------------------------


def test_naive_answers_have_the_level_that_is_asked_for(leaving):
    emulation = method().emulation(leaving)
    widths = {}
    for level in (0.8, 0.95):
        rows, _ = naive(emulation, method().counting, level)
        widths[level] = np.array([np.log(row["high"] / row["low"]) for row in rows])
    np.testing.assert_allclose(widths[0.8] / widths[0.95], ndtri(0.9) / ndtri(0.975))
    told = method(level=0.8).fit(leaving).extras["trials"]["naive"]
    assert np.log(told[0]["high"] / told[0]["low"]) == pytest.approx(widths[0.8][0])
