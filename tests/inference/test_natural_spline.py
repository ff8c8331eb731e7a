"""The curve that goes straight on: by hand, and against scipy's natural interpolating spline."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from ucimpact.inference.natural_spline import natural_spline


def test_by_hand():
    """Knots 0, 1, 2: d1(x) = x^3 / 2 and d2 = (x - 1)^3 up to 2; in all, over 4."""
    x = np.array([-1.0, 0.5, 1.5, 2.0, 3.0])
    d1 = np.array([0, 0.125, 3.375, 8, 26]) / 2
    d2 = np.array([0, 0, 0.125, 1, 7])
    np.testing.assert_allclose(natural_spline(x, np.array([0.0, 1.0, 2.0]))[:, 0], (d1 - d2) / 4)


@pytest.mark.parametrize("seed", range(3))
def test_a_line_and_these_columns_hold_every_natural_spline(seed):
    rng = np.random.default_rng(seed)
    knots = np.sort(rng.uniform(-30, 10, 5))
    x = np.linspace(knots[0], knots[-1], 50)
    wanted = CubicSpline(knots, rng.normal(0, 5, 5), bc_type="natural")(x)
    design = np.column_stack([np.ones(50), x, natural_spline(x, knots)])
    coef = np.linalg.lstsq(design, wanted, rcond=None)[0]
    np.testing.assert_allclose(design @ coef, wanted, atol=1e-8)


def test_straight_beyond_both_ends():
    columns = natural_spline(np.arange(-20.0, 40.0), np.array([0.0, 6.0, 12.0, 20.0]))
    assert (columns[:21] == 0).all()
    np.testing.assert_allclose(np.diff(columns[40:], 2, axis=0), 0, atol=1e-12)
