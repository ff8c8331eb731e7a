"""Fieller's interval by hand, against simulation, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.economics.ratios import fieller


def test_a_cost_without_error_is_divided_by_the_limits():
    """£285,200 over 65.72 admissions (8.68 to 122.76): £4,340 (£2,323 to £32,857)."""
    se = (122.76 - 8.68) / 2 / 1.959963984540054
    low, high = fieller(285_200, 65.72, var_denominator=se**2)
    assert (low, high) == pytest.approx((285_200 / 122.76, 285_200 / 8.68), rel=1e-9)
    assert (round(low, -1), round(high, -1)) == (2320, 32_860)


def test_by_hand_with_error_in_both():
    """a = 100, b = 10, var 25 and 1, cov 2, t = 2: 96 x^2 - 2 x 992 x + 9900 = 0."""
    low, high = fieller(100, 10, var_numerator=25, var_denominator=1, cov=2, critical=2)
    root = np.sqrt(992**2 - 96 * 9900)
    assert (low, high) == pytest.approx(((992 - root) / 96, (992 + root) / 96))


@pytest.mark.parametrize("denominator", [1.9, 0.0, -1.9])
def test_it_is_not_defined_where_the_denominator_could_be_nothing(denominator):
    assert fieller(100, denominator, var_denominator=1.0) is None


def test_it_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    cov = np.array([[400.0, 12.0], [12.0, 4.0]])
    draws = rng.multivariate_normal([200.0, 10.0], cov, 4_000)
    inside = []
    for a, b in draws:
        found = fieller(a, b, var_numerator=400.0, var_denominator=4.0, cov=12.0)
        inside.append(found is None or found[0] <= 20.0 <= found[1])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.011)  # 4,000 draws: three sd is 0.010


def test_a_variance_below_nothing_is_refused():
    with pytest.raises(ValueError, match="not below 0"):
        fieller(1, 2, var_denominator=-1)
