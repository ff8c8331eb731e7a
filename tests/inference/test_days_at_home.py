"""Nights and days by hand, and a service that cannot win by its people's deaths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ucimpact.errors import EstimationError
from ucimpact.inference.days_at_home import compare_days_at_home, nights
from ucimpact.inference.uneven import worth


def test_nights_by_hand() -> None:
    until = np.array([10.0, 4.0, 10.0])
    row = np.array([0, 0, 1, 2, 2, 2])
    admitted = np.array([-3, 8, 2, 1, 2, 5.0])
    discharged = np.array([2, np.inf, 9, 4, 3, 5.0])
    who, day = nights(row, admitted, discharged, until)
    # 0: night 1 of a stay begun before, then 8 to 10; 1: 2 to 4 (died); 2: 1, 2, 3, of which 2 twice
    assert list(zip(who.tolist(), day.tolist(), strict=True)) == [
        (0, 1), (0, 8), (0, 9), (0, 10), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3),
    ]  # fmt: skip
    assert nights(row[:0], admitted[:0], discharged[:0], until)[0].size == 0


def night_before(who: np.ndarray, day: np.ndarray, until: np.ndarray, died: np.ndarray) -> np.ndarray:
    """Nights that begin on an evening that their person lived to see."""
    return ~died[who] | (day < until[who])


def test_who_is_in_hospital_until_the_last_day_had_no_day_at_home() -> None:
    until, died = np.array([7.0, 7, 30, 30]), np.array([True, True, False, False])
    row, treated = np.array([0, 1, 2]), np.array([True, True, True, False])
    who, day = nights(row, np.array([-2.0, -2, 0]), np.array([7, np.inf, 31]), until)
    found = compare_days_at_home(until, died, who, day, treated, horizon=30.0)
    assert found.pilot == pytest.approx(0)
    assert found.comparison == pytest.approx(30)
    assert found.alive[0] == pytest.approx((6 + 6 + 30) / 3)


def test_with_everybody_watched_it_is_the_plain_mean() -> None:
    rng = np.random.default_rng(1)
    n = 300
    death = np.where(rng.random(n) < 0.3, rng.integers(1, 90, n), 999)
    until, died = np.minimum(death, 90).astype(float), death < 90
    row = np.repeat(np.arange(n), rng.poisson(0.8, n))
    admitted = rng.integers(-5, 85, len(row)).astype(float)
    who, day = nights(row, admitted, admitted + rng.integers(0, 12, len(row)), until)
    lived = night_before(who, day, until, died)
    own = until - died - np.bincount(who[lived], minlength=n)
    treated = np.arange(n) < 120
    found = compare_days_at_home(until, died, who, day, treated, horizon=90.0)
    assert found.pilot == pytest.approx(own[treated].mean())
    assert found.comparison == pytest.approx(own[~treated].mean())
    by_hand = own[treated].var() / 120 + own[~treated].var() / 180
    assert found.std_error == pytest.approx(np.sqrt(by_hand))
    half = stats.t.ppf(0.975, worth(found.influence, np.arange(n))) * found.std_error
    assert (found.high - found.estimate, found.estimate - found.low) == pytest.approx((half, half))
    assert found.alive[0] - found.nights[0] == pytest.approx(found.pilot)


def test_people_who_left_are_stood_in_for() -> None:
    rng = np.random.default_rng(2)
    gaps = []
    for _ in range(40):
        n = 800
        death = rng.exponential(200, n)
        admitted = rng.integers(0, 80, n).astype(float)
        stay = rng.integers(1, 15, n)
        whole = np.floor(np.minimum(death, 90)) + (death < 90)
        left = np.floor(rng.exponential(120, n)) + 1
        seen = np.minimum(whole, np.minimum(left, 90))
        died = (whole <= np.minimum(left, 90)) & (whole < 90)
        treated = np.arange(n) < 400
        every = nights(np.arange(n), admitted, admitted + stay, whole)
        truth = compare_days_at_home(whole, whole < 90, *every, treated, horizon=90.0)
        part = nights(np.arange(n), admitted, admitted + stay, seen)
        found = compare_days_at_home(seen, died, *part, treated, horizon=90.0)
        gaps.append(found.pilot - truth.pilot)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(40)
    assert (np.minimum(left, 90)[treated]).mean() < found.pilot - 5  # days seen alone would say far less


def test_deaths_do_not_look_like_days_at_home() -> None:
    until, died = np.repeat([20.0, 90.0], 50), np.repeat([True, False], 50)
    who, day = nights(np.arange(50, 100), np.ones(50), np.full(50, 4.0), until)  # the living are admitted
    found = compare_days_at_home(until, died, who, day, np.arange(100) < 50, horizon=90.0)
    assert found.nights == pytest.approx((0, 3))
    assert found.estimate == pytest.approx(19 - 87)


def test_one_group_alone_is_refused() -> None:
    nothing = np.array([], dtype=int)
    with pytest.raises(EstimationError, match="both sides"):
        compare_days_at_home(np.ones(3), np.zeros(3), nothing, nothing, np.ones(3, bool), horizon=1.0)
