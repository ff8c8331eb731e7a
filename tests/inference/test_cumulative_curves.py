"""Curves by hand, R's Kaplan-Meier with its errors, and variances checked against the sampling they describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.cumulative_incidence import (
    TwoIncidences,
    compare_incidence,
    cumulative_incidence,
    days_free,
    first_of,
)
from ucimpact.inference.cumulative_mean import Curve, Summed, Watched
from ucimpact.inference.mean_cumulative_count import TwoMeanCounts, compare_mean_counts, mean_cumulative_count
from ucimpact.inference.sandwich import sandwich
from ucimpact.inference.uneven import worth


def test_kaplan_meier_is_that_of_r(reference: Path) -> None:
    # survfit(Surv(time_to_readmission, readmitted) ~ treated); print(rmean = 90)
    cohort = pd.read_csv(reference / "sim_cohort_softlanding.csv")
    case = golden(reference / "sim_cohort_glm.json")["km"]
    for arm in (0, 1):
        people = cohort[cohort["treated"] == arm]
        time = people["time_to_readmission"].to_numpy(float)
        event = people["readmitted"].to_numpy()
        places = [k for k, name in enumerate(case["strata"]) if name == f"treated={arm}"]
        days = np.array([case["time"][k] for k in places], float)
        found = cumulative_incidence(time, event, days=days)
        np.testing.assert_allclose(1 - found.share, [case["surv"][k] for k in places], rtol=1e-10)
        np.testing.assert_allclose(found.std_error, [case["se"][k] for k in places], rtol=1e-10)
        mean = days_free(time, event == 1, 90.0)
        assert mean.mean == pytest.approx(case["rmst90"][arm]["rmean"], rel=1e-10)
        assert mean.std_error == pytest.approx(case["rmst90"][arm]["se(rmean)"], rel=1e-10)
        assert found.events == case["rmst90"][arm]["events"]


def test_shares_and_errors_with_a_competing_death_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(12)
    time, cause = rng.integers(1, 40, 300).astype(float), rng.integers(0, 3, 300)
    judge = CumIncidenceRight(time, cause)
    found = cumulative_incidence(time, cause, days=judge.times)
    np.testing.assert_allclose(found.share, judge.cinc[0], rtol=1e-10)
    np.testing.assert_allclose(found.died, judge.cinc[1], rtol=1e-10)
    np.testing.assert_allclose(found.std_error, judge.cinc_se[0], rtol=1e-10)
    weights = rng.random(300) + 0.5
    judge = CumIncidenceRight(time, cause, freq_weights=weights)
    found = cumulative_incidence(time, cause, days=judge.times, weights=weights)
    np.testing.assert_allclose(found.share, judge.cinc[0], rtol=1e-10)


def test_the_mean_count_covers_where_the_frail_die_and_some_leave() -> None:
    rng = np.random.default_rng(13)

    def group(n: int, leave: float) -> tuple[np.ndarray, ...]:
        frail = rng.gamma(1.0, 1.0, n)
        death = np.floor(rng.exponential(1 / (0.004 + 0.01 * frail))) + 1
        until = np.minimum(np.minimum(death, np.floor(rng.exponential(leave, n)) + 1), 60)
        row = np.repeat(np.arange(n), rng.poisson(0.03 * frail * until))
        return until, death <= until, row, np.floor(rng.random(len(row)) * until[row]) + 1

    days = np.array([60.0])
    truth = mean_cumulative_count(*group(400_000, np.inf), days=days).mean[0]
    found = [mean_cumulative_count(*group(100, 80.0), days=days) for _ in range(500)]
    held = [one.low[0] <= truth <= one.high[0] for one in found]
    assert np.mean(held) == pytest.approx(0.94, abs=0.03)  # 500 draws: two sd is 0.02
    spread = np.std([one.mean[0] for one in found])
    assert np.mean([one.std_error[0] for one in found]) == pytest.approx(spread, rel=0.1)


def test_death_before_the_event_stays_in_the_denominator() -> None:
    # day 1: A of 5 readmitted; day 2: B dies; day 3: C leaves; day 4: D readmitted, E watched to day 5
    time, cause = np.array([1.0, 2, 3, 4, 5]), np.array([1, 2, 0, 1, 0])
    found = cumulative_incidence(time, cause, days=np.array([1.0, 2, 3, 4, 5]))
    by_day_four = 1 / 5 + (4 / 5) * (3 / 4) * (1 / 2)
    np.testing.assert_allclose(found.share, [0.2, 0.2, 0.2, by_day_four, by_day_four])
    np.testing.assert_allclose(found.died, [0, 0.2, 0.2, 0.2, 0.2])
    assert (found.n, found.events, found.deaths) == (5, 2, 1)
    one_less_km = 1 - (4 / 5) * (1 / 2)
    assert found.share[-1] < one_less_km - 0.05


def test_without_leaving_it_is_a_share_of_people_with_the_error_of_a_share() -> None:
    cause = np.repeat([1, 2, 0], [12, 8, 20])
    time = np.where(cause > 0, 1.0 + np.arange(40) % 7, 30.0)
    found = cumulative_incidence(time, cause, days=np.array([30.0]))
    assert found.share[0] == pytest.approx(12 / 40)
    assert found.died[0] == pytest.approx(8 / 40)
    assert found.std_error[0] == pytest.approx(np.sqrt(0.3 * 0.7 / 40))
    left = np.exp(1.959964 * found.std_error[0] / (0.7 * -np.log(0.7)))
    assert found.high[0] == pytest.approx(1 - 0.7**left)


def test_what_came_first_and_ties_go_to_the_event() -> None:
    nothing = np.nan
    event = np.array([3, 5, 5, nothing, 40, nothing, nothing])
    death = np.array([9, 5, 2, 7, nothing, nothing, 31.0])
    time, cause = first_of(event, death, np.array([30.0, 30, 30, 30, 30, 12, 30]))
    np.testing.assert_array_equal(time, [3, 5, 2, 7, 30, 12, 30])
    np.testing.assert_array_equal(cause, [1, 1, 2, 2, 0, 0, 0])


def drawn(seed: int, n: int = 60) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    until = np.minimum(rng.integers(1, 40, n), 30).astype(float)
    died = (rng.random(n) < 0.4) & (until < 30)
    row = np.repeat(np.arange(n), rng.poisson(1.2, n))
    day = np.floor(rng.random(len(row)) * until[row]) + 1
    return until, died, row, day


def test_the_mean_count_by_hand() -> None:
    # three people: A has events on days 1 and 3 and dies on day 4; B leaves on day 2; C has one on day 5
    until, died = np.array([4.0, 2, 5]), np.array([True, False, False])
    row, day = np.array([0, 0, 2]), np.array([1.0, 3, 5])
    found = mean_cumulative_count(until, died, row, day, days=np.array([1.0, 3, 5]))
    np.testing.assert_allclose(found.mean, [1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 1 / 2])
    np.testing.assert_allclose(found.alive, [1, 1, 1 / 2])
    pounds = mean_cumulative_count(until, died, row, day, days=np.array([5.0]), amount=np.array([10.0, 0, 4]))
    assert pounds.mean[0] == pytest.approx(10 / 3 + 4 / 2)


def test_first_events_only_make_a_cumulative_incidence() -> None:
    until, died, row, day = drawn(1)
    first = np.full(len(until), np.nan)
    np.fmin.at(first, row, day)
    death = np.where(died, until, np.nan)
    time, cause = first_of(first, death, until)
    days = np.array([5.0, 12.0, 30.0])
    share = cumulative_incidence(time, cause, days=days)
    mine = np.flatnonzero(cause == 1)
    mean = mean_cumulative_count(time, cause > 0, mine, time[mine], days=days)
    np.testing.assert_allclose(mean.mean, share.share)
    np.testing.assert_allclose(mean.std_error, share.std_error)


def test_influences_are_the_change_when_a_person_weighs_a_little_more() -> None:
    until, died, row, day = drawn(2)
    weight = np.random.default_rng(3).random(len(until)) + 0.5
    amount = np.random.default_rng(4).gamma(2.0, 1.0, len(row))
    for when in (8.0, 30.0):
        base = Curve(Watched(until, died, weight, row, day, amount))
        influence = base.influence(when)
        assert influence.sum() == pytest.approx(0, abs=1e-12)
        for person in (3, 20, 41, 55):
            step = 1e-6
            more = weight.copy()
            more[person] += step
            moved = Curve(Watched(until, died, more, row, day, amount)).at(np.array([when]))
            change = (moved - base.at(np.array([when])))[0] / step
            assert influence[person] / weight[person] == pytest.approx(change, rel=1e-3, abs=1e-6)


def test_influences_of_two_groups_are_the_change_when_a_person_weighs_a_little_more() -> None:
    until, died, row, day = drawn(11, 80)
    treated, days, step = np.arange(80) < 30, np.array([10.0, 30.0]), 1e-6
    first = np.full(80, np.nan)
    np.fmin.at(first, row, day)
    time, cause = first_of(first, np.where(died, until, np.nan), until)

    def both(weights: np.ndarray) -> tuple[TwoIncidences, TwoMeanCounts]:
        return (
            compare_incidence(time, cause, treated, days=days, weights=weights),
            compare_mean_counts(until, died, row, day, treated, days=days, weights=weights),
        )

    share, count = both(np.ones(80))
    for person in (2, 17, 40, 71):
        weights = np.ones(80)
        weights[person] += step
        new_share, new_count = both(weights)
        for influence, after, before in (
            (share.influence, new_share.estimate, share.estimate),
            (count.influence, new_count.estimate, count.estimate),
            (count.log_ratio_influence, new_count.log_ratio, count.log_ratio),
        ):
            assert influence[person] == pytest.approx((after - before) / step, rel=1e-3, abs=1e-6)


def test_a_weight_of_two_is_the_person_twice() -> None:
    until, died, row, day = drawn(5)
    n = len(until)
    weights = np.random.default_rng(6).integers(0, 3, n).astype(float)
    again = np.repeat(np.arange(n), weights.astype(int))
    copies = [(new, k) for new, old in enumerate(again) for k in np.flatnonzero(row == old)]
    new_row, place = np.array(copies).T
    days = np.array([10.0, 25.0])
    one = mean_cumulative_count(until, died, row, day, days=days, weights=weights, clusters=np.arange(n))
    other = mean_cumulative_count(until[again], died[again], new_row, day[place], days=days, clusters=again)
    np.testing.assert_allclose(one.mean, other.mean)
    number = len(np.unique(again))
    factor = np.sqrt(n / (n - 1) / (number / (number - 1)))  # a person of weight 0 is a cluster of nothing
    np.testing.assert_allclose(one.std_error, other.std_error * factor)


def test_the_interval_covers_the_share_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth = 0.25 / (0.25 + 0.1) * (1 - np.exp(-(0.25 + 0.1)))  # exponential hazards up to day 1
    covered = []
    for _ in range(600):
        event, death = rng.exponential(4, 80), rng.exponential(10, 80)
        time, cause = first_of(event, death, np.minimum(rng.exponential(2, 80), 1.5))
        try:
            found = cumulative_incidence(time, cause, days=np.array([1.0]))
        except EstimationError:
            continue
        covered.append(found.low[0] <= truth <= found.high[0])
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)  # 600 draws: two sd is 0.018


def test_the_difference_of_two_mean_counts_covers_with_sets_and_not_without() -> None:
    rng = np.random.default_rng(8)
    n, covered, naive = 60, [], []
    sets = np.tile(np.arange(n), 2)
    treated = np.arange(2 * n) < n
    for _ in range(400):
        frailty = np.tile(rng.gamma(1.0, 1.0, n), 2)
        until = np.full(2 * n, 30.0)
        row = np.repeat(np.arange(2 * n), rng.poisson(2.0 * frailty))
        day = rng.integers(1, 31, len(row)).astype(float)
        both = [
            compare_mean_counts(until, until < 0, row, day, treated, days=np.array([30.0]), clusters=ways)
            for ways in (sets, None)
        ]
        covered.append(both[0].low <= 0 <= both[0].high)
        naive.append(both[1].low <= 0 <= both[1].high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
    assert np.mean(naive) > 0.98  # what a pair shares falls out of the difference


def test_the_two_groups_share_people_and_rows_are_plain() -> None:
    until, died, row, day = drawn(9, 80)
    treated = np.arange(80) < 30
    first = np.full(80, np.nan)
    np.fmin.at(first, row, day)
    time, cause = first_of(first, np.where(died, until, np.nan), until)
    days = np.arange(1.0, 31.0)
    person = np.arange(80) % 40
    both = compare_incidence(time, cause, treated, days=days, clusters=person)
    alone = cumulative_incidence(time[treated], cause[treated], days=days)
    np.testing.assert_allclose(both.pilot.share, alone.share)
    by_person = np.bincount(person, both.influence)
    assert both.std_error == pytest.approx(np.sqrt((by_person**2).sum() * 40 / 39))
    half = stats.t.ppf(0.975, worth(both.influence, person)) * both.std_error
    assert both.high - both.estimate == pytest.approx(half)
    told = both.to_dict("emergency readmission")
    assert told["event"] == "emergency readmission" and told["horizon"] == 30
    assert told["rows"][6]["pilot_high"] == both.pilot.high[6]
    assert told["events_comparison"] == (cause[~treated] == 1).sum()
    assert told["deaths_pilot"] == (cause[treated] == 2).sum()
    assert told["difference"]["estimate"] == both.pilot.share[-1] - both.comparison.share[-1]
    counts = compare_mean_counts(until, died, row, day, treated, days=days)
    assert counts.to_dict("stays")["rows"][-1]["comparison"] == pytest.approx(
        100 * counts.comparison.mean[-1]
    )
    half = stats.t.ppf(0.975, worth(counts.influence, np.arange(80))) * counts.std_error
    assert counts.estimate - counts.low == pytest.approx(half)
    assert np.exp(counts.log_ratio) == pytest.approx(counts.pilot.mean[-1] / counts.comparison.mean[-1])


def test_two_ways_are_those_of_the_sandwich() -> None:
    rng = np.random.default_rng(10)
    influence = rng.normal(size=90)
    ways = rng.integers(0, 20, 90), rng.integers(0, 9, 90)
    assert Summed(ways).of(influence) == pytest.approx(sandwich(influence[:, None], ways, "CR1", 1)[0, 0])
    assert Summed(ways[0]).of(influence) == pytest.approx(
        sandwich(influence[:, None], ways[0], "CR1", 1)[0, 0]
    )


def test_a_share_of_nobody_or_all_has_no_error_and_a_day_that_nobody_reached_is_refused() -> None:
    days = np.array([5.0])
    none = cumulative_incidence(np.full(9, 5.0), np.zeros(9), days=days)
    assert (none.share[0], none.low[0], none.high[0]) == (0, 0, 0)
    everybody = cumulative_incidence(np.full(9, 3.0), np.ones(9), days=days)
    assert (everybody.share[0], everybody.low[0], everybody.high[0]) == (1, 1, 1)
    with pytest.raises(EstimationError, match="nobody was watched until day 9"):
        cumulative_incidence(np.full(9, 5.0), np.zeros(9), days=np.array([9.0]))
    with pytest.raises(EstimationError, match="must rise"):
        cumulative_incidence(np.full(9, 5.0), np.zeros(9), days=np.array([3.0, 3.0]))
    with pytest.raises(EstimationError, match="not watched"):
        mean_cumulative_count(np.array([3.0]), np.array([False]), np.array([0]), np.array([4.0]), days=days)
    with pytest.raises(EstimationError, match="nobody to follow"):
        compare_incidence(np.full(9, 5.0), np.zeros(9), np.ones(9, bool), days=days)
