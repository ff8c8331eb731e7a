"""Shares, costs and times of whole windows, a strategy whose first days nobody takes, and likely ranges."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from ucimpact.data.histories import Histories
from ucimpact.data.simulate_histories import ServiceHistories
from ucimpact.errors import DesignError
from ucimpact.inference.sandwich import sandwich
from ucimpact.inference.uneven import worth
from ucimpact.methods.cohort_controls import empty_row, judged, pooled
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
    cut = used[~np.array(whole)]
    assert gone["pilot"] == rows.treated[cut].sum() == rows.treated[used].sum() - own.sum()
    starts = {int(person) for person in rows.person[cut[rows.treated[cut]]]}
    nowhere = {int(person) for person in rows.person[cut]} - {int(person) for person in rows.person[kept]}
    assert gone["n"] == len(starts | nowhere)
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


def test_many_events_of_a_few_people_are_no_normal_interval(leaving):
    asked = method()
    sample, y, _ = asked.sample(asked.emulation(leaving))
    people, first = np.unique(sample.codes, return_index=True)
    one_each = np.zeros(len(y))
    one_each[first] = 1.0
    few = one_each.copy()
    few[first[:3]] = 50.0
    sure, unsure = replace(sample, sure=True), replace(sample, sure=False)
    assert len(people) > 100
    assert sure.df(one_each) == np.inf
    assert sure.df(few) == unsure.df(few) == worth(few, sample.codes) < 10


def test_a_few_people_who_make_the_likely_range_are_told():
    people, events = draw()
    since = events["Date"] - events["Person"].map(people.set_index("Person")["First visit"])
    after = events.index[events["Kind"].eq(STAY) & since.between("1D", "60D")]
    dear = events.assign(Cost=events["Cost"].where(~events.index.isin(after[:3]), 1e6))
    asked = method(counted=Counted(event=STAY, days=(0, 90), value="Cost"), family="gaussian")
    told = []
    for table in (events, dear):
        estimate = asked.fit(Histories(people, table, cluster="Practice", **ROLES), pictures=False)
        told.append([care for care in estimate.warnings if "of what the likely range" in care])
        assert (estimate.extras["df"] < 10) == bool(told[-1])
    assert not told[0]
    assert "The 5 that count most (person by person) make" in told[1][0]


# -- what cannot be asked --------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [{}, {"question": "never"}, {"question": "this-stay", "family": "gaussian"}]
)
def test_days_at_home_are_never_divided_by_days_alive(leaving, fields):
    asked = method(counted=Counted(event=STAY, days=(0, 90), value="days at home"), **fields)
    with pytest.raises(DesignError, match="ays at home") as refused:
        asked.fit(leaving, pictures=False)
    assert 'family = "gaussian" and question = "usual-care"' in str(refused.value)
    assert "poisson" not in str(refused.value)
    home = method(counted=asked.counted, family="gaussian").fit(leaving, pictures=False)
    assert 60 < home.extras["observed"] < 90


def test_what_was_matched_on_before_a_discharge_reaches_back_as_far_as_the_discharge_may_lie(leaving):
    asked = method(measured=(Measured(event=STAY, days=(-365, 0), at="trigger"),), within=14)
    columns = {
        "touches": (Counted(event=STAY, days=(-730, -378)), "before"),
        "apart": (Counted(event=STAY, days=(-730, -379)), "before"),
    }
    why = {row["column"]: row["why"] for row in asked.controls(leaving, columns).rows}
    assert "so it shows nothing" in why["touches"]
    assert why["apart"] is None


def test_the_length_of_a_stay_that_tells_who_starts_leaves_the_score_by_itself():
    rng = np.random.default_rng(3)
    n, zero = 240, pd.Timestamp("2023-01-01")
    out, own = rng.integers(100, 160, n), np.arange(n) < 30
    people = pd.DataFrame({"id": [f"p{k}" for k in range(n)], "age": rng.integers(60, 95, n)})
    people["start"] = [
        zero + pd.Timedelta(days=int(d) + 1) if s else pd.NaT for d, s in zip(out, own, strict=True)
    ]
    length = np.where(own, 30, 3)
    stays = pd.DataFrame({"id": people["id"], "kind": STAY})
    stays["date"] = [zero + pd.Timedelta(days=int(d - k)) for d, k in zip(out, length, strict=True)]
    stays["end"] = [zero + pd.Timedelta(days=int(d)) for d in out]
    again = stays[rng.random(n) < 0.6].copy()
    again["date"] = again["end"] + pd.to_timedelta(rng.integers(5, 40, len(again)), "D")
    again["end"] = again["date"]
    h = Histories(
        people,
        pd.concat([stays, again]),
        person="id",
        service_start="start",
        end="end",
        first=zero.date(),
        last=(zero + pd.Timedelta(days=300)).date(),
    )
    asked = method(
        covariates=("age",), measured=(), lookback=60, within=3, counted=Counted(event=STAY, days=(0, 40))
    )
    estimate = asked.fit(h, pictures=False)
    assert any("length of the stay tells some who begin" in care for care in estimate.warnings)
    hazard = asked.emulation(h).hazard
    assert hazard.coef[1] == 0 and hazard.coef[0] != 0
    assert [row["name"] for row in estimate.extras["balance"]][1] == "length of the stay"


# -- rare controls ---------------------------------------------------------------------------


def rare(rng: np.random.Generator):
    """44 who start beside 600, whose weights are uneven; about 3 events of each kind expected of the first."""
    weight = np.concatenate([np.ones(44), rng.gamma(1.0, 44 / 600, 600)])
    treated, codes = np.arange(644) < 44, np.arange(644)
    return SimpleNamespace(
        row=codes,
        treated=treated,
        weight=weight,
        days=np.full(644, 90.0),
        clusters=codes,
        size=44,
        events=lambda y: (float(y[:44].sum()), float(y[44:].sum())),
        share=lambda y: float(y.mean()),
        df=lambda _: np.inf,
        cov=lambda influence, parameters: sandwich(influence, codes, "CR1", parameters),
    )


def found(rng: np.random.Generator, ratio: float = 1.0):
    """Three rare controls of the same people, pooled."""
    sample = rare(rng)
    parts = []
    for name in "abc":
        y = rng.poisson(0.068 * np.where(sample.treated, ratio, 1.0)).astype(float)

        def never(offset: bool):
            raise AssertionError("so few events are no matter for a Wald ratio")

        parts.append(judged(empty_row(name, "after"), sample, y, never, 0.95))
    return pooled(parts, lambda by: sandwich(by, np.arange(len(by)), "CR0"), 0.95)


def test_rare_controls_flag_no_more_clean_cohorts_than_they_say():
    rng = np.random.default_rng(5)
    clean = [found(rng) for _ in range(400)]
    z = np.array([[control.z for control in one.controls] for one in clean])
    assert z.std() == pytest.approx(1.0, abs=0.1)
    flags = np.mean([abs(one.pooled.z) > 1.96 for one in clean])
    assert 0.02 < flags < 0.065
    hidden = [found(rng, 2.5) for _ in range(60)]
    assert np.mean([one.pooled.z > 1.96 for one in hidden]) > 0.7


def test_a_side_with_few_events_is_judged_by_scores_however_many_the_other_has():
    sample = rare(np.random.default_rng(1))
    y = np.zeros(644)
    y[:2], y[44:100] = 1.0, 1.0

    def never(offset: bool):
        raise AssertionError("2 events beside 56 are no matter for a Wald ratio")

    row, influence = judged(empty_row("deaths", "deaths"), sample, y, never, 0.95)
    assert row["z"] == pytest.approx(row["log_ratio"] / row["std_error"])
    error = np.sqrt(sandwich(influence[:, None], np.arange(644), "CR0")[0, 0])
    assert error == pytest.approx(row["std_error"], rel=1e-9)
