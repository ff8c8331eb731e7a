"""One trial day at a time: who may be compared with whom is decided on the day and never by the future."""

import itertools

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.trial_matching import NEVER, TrialDays, match_days, spread_of_score


def draw(seed, n=300, days=8):
    rng = np.random.default_rng(seed)
    begins = np.where(rng.random(n) < 0.3, rng.integers(0, days, n), NEVER)
    ends = rng.integers(1, 2 * days, n)
    ends = np.where(begins == NEVER, ends, np.maximum(ends, begins + 1))
    level, slope = rng.normal(size=n).round(1), rng.normal(size=n).round(1)
    return TrialDays(begins, ends), lambda day, rows: level[rows] + 0.1 * day * slope[rows], rng


def by_hand(days, who, score, caliper, ratio, strata):
    """Greedy in words: each day the largest score first, everybody a first before anybody a second; of those
    equally near the one below, and nearest by row."""
    found = []
    for day in days:
        rows = [
            i for i in range(len(who.ends)) if who.ends[i] > day and who.begins[i] in (NEVER, *range(day, 99))
        ]
        near = dict(zip(rows, score(day, np.array(rows, dtype=int)), strict=True)) if rows else {}
        waiting = sorted((i for i in rows if who.begins[i] == day), key=lambda i: (-near[i], i))
        free = {i for i in rows if who.begins[i] != day}
        got = {i: [] for i in waiting}
        for _ in range(ratio):
            served = []
            for i in waiting:
                open_to = [
                    (abs(near[j] - near[i]), *((0, -j) if (near[j], j) < (near[i], i) else (1, j)), j)
                    for j in free
                    if strata[j] == strata[i] and abs(near[j] - near[i]) <= caliper
                ]
                if open_to:
                    free.discard(min(open_to)[-1])
                    got[i].append(min(open_to)[-1])
                    served.append(i)
            waiting = served
        found += [(day, i, tuple(controls)) for i, controls in sorted(got.items()) if controls]
    return found


@pytest.mark.parametrize(("seed", "ratio"), list(itertools.product(range(25), [1, 3])))
def test_the_sets_of_each_day_are_those_of_the_rule_in_words(seed, ratio):
    who, score, rng = draw(seed, n=90)
    strata = rng.integers(0, 3, 90)
    ours = match_days(range(8), who, score, strata=strata, caliper=0.5, ratio=ratio)
    theirs = by_hand(range(8), who, score, 0.5, ratio, strata)
    told = [
        (int(day), int(i), tuple(int(j) for j in controls if j >= 0))
        for day, i, controls in zip(ours.day, ours.sets.treated, ours.sets.controls, strict=True)
    ]
    assert told == theirs


def test_those_who_start_later_stay_among_the_comparison_people():
    begins = np.array([0, 3, NEVER])
    who = TrialDays(begins, np.array([9, 9, 9]))
    near = np.array([0.0, 0.1, 5.0])
    found = match_days(range(4), who, lambda _day, rows: near[rows], ratio=1)
    assert found.sets.treated.tolist() == [0, 1]
    assert found.sets.controls.ravel().tolist() == [1, 2]


def test_nobody_serves_on_or_after_the_day_of_an_event():
    who = TrialDays(np.array([2, NEVER, NEVER]), np.array([9, 2, 3]))
    found = match_days(range(5), who, lambda _day, rows: np.zeros(len(rows)), ratio=2)
    assert found.sets.controls.tolist() == [[2, -1]]


def test_reuse_within_a_day_is_capped_and_across_days_is_free():
    begins = np.array([0, 0, 1, NEVER])
    who = TrialDays(begins, np.full(4, 9))
    alone = match_days(range(2), who, lambda _day, rows: np.where(rows == 2, 99.0, 0.0), ratio=1, caliper=1.0)
    assert alone.sets.treated.tolist() == [0]
    assert alone.sets.unmatched.tolist() == [1, 2]
    assert alone.unmatched_day.tolist() == [0, 1]
    twice = match_days(
        range(2),
        who,
        lambda _day, rows: np.where(rows == 2, 99.0, 0.0),
        ratio=1,
        caliper=1.0,
        reuse_within_day=2,
    )
    assert twice.sets.treated.tolist() == [0, 1]
    assert twice.audit["most_used"] == 2


def test_a_person_is_never_beside_himself():
    who = TrialDays(np.array([0, NEVER, NEVER]), np.full(3, 9))
    found = match_days([0], who, lambda _day, rows: np.zeros(len(rows)), forbid=np.array([7, 7, 8]), ratio=2)
    assert found.sets.controls.tolist() == [[2, -1]]


def test_the_spread_of_the_score_is_over_all_eligible_days():
    who, score, _ = draw(3)
    every = np.concatenate([score(day, who.eligible(day)) for day in range(8)])
    assert spread_of_score(range(8), who, score) == pytest.approx(every.std(ddof=1), rel=1e-12)


def test_rows_enter_on_their_first_day():
    who = TrialDays(np.array([1, NEVER]), np.full(2, 9), first=np.array([0, 2]))
    found = match_days(range(4), who, lambda _day, rows: np.zeros(len(rows)), ratio=1)
    assert found.sets.unmatched.tolist() == [0]
    assert found.eligible == {0: 1, 1: 1, 2: 1, 3: 1}


def test_a_fault_in_the_dates_is_caught(monkeypatch):
    who = TrialDays(np.array([0, NEVER]), np.array([9, 9]))
    monkeypatch.setattr(TrialDays, "eligible", lambda _who, _day: np.arange(2))
    late = TrialDays(np.array([0, NEVER]), np.array([9, 0]))
    with pytest.raises(EstimationError, match="whose time had ended"):
        match_days([0], late, lambda _day, rows: np.zeros(len(rows)), ratio=1)
    assert len(match_days([0], who, lambda _day, rows: np.zeros(len(rows)), ratio=1).sets.treated) == 1
