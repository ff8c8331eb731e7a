"""The fall that selection gives: by hand, and its range as often right as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.selection_alone import same_rule


def test_by_hand():
    # pilot 3 and 5 before, 1 and 1 after; the others, the second counting twice, 4 and 4, then 1 and 2.5
    found = same_rule(
        np.array([3, 5, 4, 4]),
        np.array([1, 1, 1, 2.5]),
        np.array([1, 1, 0, 0]),
        days_before=90,
        days_after=90,
        horizon=90,
        weights=np.array([1, 1, 1, 2]),
    )
    assert (found.pilot.before, found.pilot.after, found.pilot.fall) == pytest.approx((4, 1, 3))
    assert (found.comparison.before, found.comparison.after) == pytest.approx((4, 2))
    assert found.comparison.fall == pytest.approx(2)


def test_days_bring_both_to_one_horizon():
    # 4 in 360 days is 1 in 90; 2 in 60 days of life is 3 in 90
    found = same_rule(
        np.array([4.0, 4.0]), np.array([2.0, 0.0]), np.array([1, 0]),
        days_before=360, days_after=np.array([60.0, 90.0]), horizon=90,
    )  # fmt: skip
    assert (found.pilot.before, found.pilot.after) == pytest.approx((1, 3))
    assert found.share is None, "no fall, so no share of it"


def test_the_range_is_fieller_s():
    rng = np.random.default_rng(2)
    n = 400
    treated = np.arange(n) < 100
    before = rng.poisson(3.0, n).astype(float)
    after = rng.poisson(np.where(treated, 1.0, 1.8)).astype(float)
    found = same_rule(before, after, treated, days_before=1, days_after=1, horizon=1)
    apart = before - after
    means = [apart[side].mean() for side in (~treated, treated)]
    factor = n / (n - 1)
    v0, v1 = (
        factor * np.square(apart[s] - apart[s].mean()).sum() / s.sum() ** 2 for s in (~treated, treated)
    )
    assert found.share == pytest.approx(means[0] / means[1])
    t = 1.96593  # 399 degrees of freedom
    for limit in (found.share_low, found.share_high):
        assert limit is not None
        assert (means[0] - limit * means[1]) ** 2 == pytest.approx(t**2 * (v0 + limit**2 * v1), rel=1e-4)
    assert found.pilot.high - found.pilot.low == pytest.approx(2 * t * math.sqrt(v1), rel=1e-4)


def test_the_range_covers_the_share_as_often_as_it_says():
    """Rates that differ between people, all picked by two or more before; the service takes a fifth away."""
    rng, held = np.random.default_rng(3), []
    shape, mean = 0.8, 0.9
    rate = rng.gamma(shape, mean / shape, 2_000_000)
    before = rng.poisson(rate)
    pool = np.flatnonzero(before >= 2)
    b, a = before[pool].mean(), rate[pool].mean()
    truth = (b - a) / (b - 0.8 * a)
    for _ in range(300):
        people = rng.choice(pool, 500)
        treated = np.arange(500) < 150
        after = rng.poisson(rate[people] * np.where(treated, 0.8, 1.0))
        found = same_rule(before[people], after, treated, days_before=1, days_after=1, horizon=1)
        held.append(found.share is not None and found.share_low <= truth <= found.share_high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.026)


def test_people_with_several_rows_count_once():
    rng = np.random.default_rng(4)
    before, after = rng.poisson(3, 60).astype(float), rng.poisson(1, 60).astype(float)
    treated = np.arange(60) < 30
    once = same_rule(before, after, treated, days_before=1, days_after=1, horizon=1)
    twice = same_rule(
        *(np.tile(v, 2) for v in (before, after, treated)), days_before=1, days_after=1, horizon=1,
        clusters=np.tile(np.arange(60), 2),
    )  # fmt: skip
    assert twice.comparison.high - twice.comparison.low == pytest.approx(
        once.comparison.high - once.comparison.low, rel=0.01
    )


def test_people_of_both_groups_join_the_two_falls():
    """Each pilot person is also a comparison row, with much the same course: the share is then far surer."""
    rng = np.random.default_rng(5)
    before = rng.poisson(4.0, 80).astype(float)
    after = before - 2.0 + rng.normal(0, 0.3, 80)
    treated = np.arange(160) < 80
    courses = [np.r_[before, before], np.r_[after, after + 0.5]]
    spans = {"days_before": 1, "days_after": 1, "horizon": 1}
    joined = same_rule(*courses, treated, clusters=np.tile(np.arange(80), 2), **spans)
    falls = np.vstack([before - after - 0.5, before - after])
    cov = np.cov(falls) / 80  # of two means of the same 80 people
    top, bottom = falls.mean(axis=1)
    t = 1.99045  # 79 degrees of freedom
    for limit in (joined.share_low, joined.share_high):
        assert limit is not None
        apart = cov[0, 0] - 2 * limit * cov[0, 1] + limit**2 * cov[1, 1]
        assert (top - limit * bottom) ** 2 == pytest.approx(t**2 * apart, rel=0.02)
    alone = same_rule(*courses, treated, **spans)
    assert joined.share_high - joined.share_low < 0.5 * (alone.share_high - alone.share_low)


def test_rows_that_count_nothing_may_be_empty_and_others_may_not():
    values = np.array([2.0, 2.0, np.nan])
    group, weights = np.array([1, 0, 0]), np.array([1.0, 1.0, 0.0])
    same_rule(values, values, group, days_before=1, days_after=1, horizon=1, weights=weights)
    with pytest.raises(EstimationError, match="both counts"):
        same_rule(values, values, group, days_before=1, days_after=1, horizon=1)
    with pytest.raises(EstimationError, match="both groups"):
        same_rule(values[:1], values[:1], group[:1], days_before=1, days_after=1, horizon=1)
