"""Published limits, each rule at its edge, and what a gap does."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference.xmr import RULES, xmr

QUIET = np.tile([10.0, 12.0], 10)  # mean 11, moving range 2, limits 5.68 and 16.32


def chart(values, baseline: int = 20):
    values = np.asarray(values, dtype=float)
    return xmr(values, np.arange(len(values)) < baseline)


def after(*values: float):
    return chart([*QUIET, *values])


def marked(found, rule: str) -> list[int]:
    return np.flatnonzero(found.marks[rule]).tolist()


def test_limits_that_the_makers_of_the_r_package_print() -> None:
    """NHSRplotthedots 0.2.2, vignette of deviations: upper 4.6, mean 1.94, lower -0.72."""
    found = chart([1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1], baseline=18)
    assert (round(found.high, 2), round(found.mean, 2), round(found.low, 2)) == (4.60, 1.94, -0.72)
    assert (found.moving_range, found.baseline) == (1.0, 18)
    assert marked(found, "outside") == [4]


def test_limits_are_locked_at_the_start() -> None:
    found = after(*[1000.0] * 8)
    assert (found.mean, found.low, found.high) == (11.0, pytest.approx(5.68), pytest.approx(16.32))


def test_a_point_beyond_a_limit_and_one_just_inside() -> None:
    assert marked(after(16.31, 16.33, 5.67), "outside") == [21, 22]


def test_seven_on_one_side_are_a_shift_and_six_are_not() -> None:
    assert marked(after(*[10.5] * 6, 11.5), "shift") == []
    assert marked(after(11.5, *[10.5] * 7, 11.5), "shift") == list(range(21, 28))
    assert marked(after(11.5, 10.5, 10.5, 10.5, 11.0, 10.5, 10.5, 10.5, 10.5), "shift") == []  # on the mean


def test_seven_that_rise_one_after_another_are_a_trend_and_six_are_not() -> None:
    rising = [9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0]
    assert marked(after(*rising[1:], 9), "trend") == []
    assert marked(after(*rising, 9), "trend") == list(range(20, 27))
    assert marked(after(*rising[::-1], 12), "trend") == list(range(20, 27))


def test_a_trend_alone_gives_its_direction_and_otherwise_the_side_of_the_mean_does() -> None:
    rising = after(9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0, 9.0)
    assert rising.direction[20:28].tolist() == [1] * 7 + [0]
    low = after(5.0)
    assert low.direction[20] == -1


def test_two_of_three_near_the_same_limit() -> None:
    near, far = 11 + 2 * 5.32 / 3 + 0.01, 11 - 2 * 5.32 / 3 - 0.01
    assert marked(after(near, 11, near), "near") == [20, 22]
    assert marked(after(near, near), "near") == [20, 21]
    assert marked(after(near, 11, 11, near), "near") == []
    assert marked(after(near, far), "near") == []


def test_a_month_without_a_value_ends_a_run_and_is_no_point() -> None:
    found = after(*[10.5] * 4, np.nan, *[10.5] * 3)
    assert marked(found, "shift") == []
    assert found.direction[24] == 0


def test_a_gap_in_the_baseline_makes_no_range() -> None:
    values = QUIET.copy()
    values[5] = np.nan
    found = chart(values)
    assert (found.moving_range, found.baseline) == (2.0, 19)


def test_twelve_points_make_limits_and_eleven_do_not() -> None:
    assert chart(QUIET, baseline=12).baseline == 12
    assert chart(QUIET, baseline=11) is None


def test_turned_upside_down_the_same_points_are_marked() -> None:
    values = 100 + 10 * np.random.default_rng(2).normal(size=80)
    values[50:] += 12
    one, other = chart(values, 40), chart(-values, 40)
    assert set(one.marks) == set(RULES)
    for rule in RULES:
        np.testing.assert_array_equal(one.marks[rule], other.marks[rule])
    assert (one.direction[50:] == 1).sum() > 5
    np.testing.assert_array_equal(one.direction, -other.direction)
    assert one.low == pytest.approx(-other.high)
