"""Periods before the service: which may be held out, and what taking the earlier ratio off leaves."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.placebo_periods import free_periods, less_the_earlier, problem, touches

MEASURED = [(-30, 0), (-90, -30), (-365, -90)]


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ((-730, -365), None),
        ((-730, -364), "matched on days -365 to -90"),
        ((-60, -20), "matched on days -30 to 0 and -90 to -30"),
        ((-30, 1), "beyond the trial day"),
        ((-10, -10), "empty"),
    ],
)
def test_a_period_that_was_matched_on_shows_nothing(period, said):
    found = problem(period, MEASURED)
    assert found is None if said is None else said in str(found)


def test_windows_that_only_meet_share_no_day():
    assert touches((-90, -30), [(-30, 0), (-365, -90)]) == []
    assert touches((-91, -30), MEASURED) == [(-90, -30), (-365, -90)]


def test_what_is_free_by_hand():
    # 30 days a period: days -60 to -30 are measured, and records reach back 150 days
    assert free_periods([(-60, -30)], length=30, back=150) == [
        (-30, 0),
        (-90, -60),
        (-120, -90),
        (-150, -120),
    ]
    # a window that ends inside a period moves the next one to where it begins
    assert free_periods([(-50, -10)], length=30, back=120) == [(-80, -50), (-110, -80)]
    assert free_periods(MEASURED, length=365, back=730) == [(-730, -365)]
    assert free_periods([(-365, 0)], length=400, back=730) == []


def test_free_periods_are_free():
    rng = np.random.default_rng(1)
    for _ in range(200):
        ends = np.sort(-rng.integers(0, 700, (3, 2)), axis=1).astype(float)
        measured = [(a, b) for a, b in ends.tolist() if a < b]
        found = free_periods(measured, length=50, back=700)
        assert all(problem(period, measured) is None for period in found)
        assert not any(touches(one, [two]) for k, one in enumerate(found) for two in found[:k])


def test_taking_the_earlier_ratio_off_by_hand():
    found = less_the_earlier(-0.2, -0.05, np.array([[0.04, 0.01], [0.01, 0.02]]))
    assert (found.log_ratio, found.std_error) == pytest.approx((-0.15, 0.2))
    with pytest.raises(EstimationError):
        less_the_earlier(0.0, 0.0, np.full((2, 2), np.nan))
