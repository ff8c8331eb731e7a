"""Degrees of freedom by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference.uneven import fewest, worth


def test_an_uneven_variance_is_worth_few_degrees_of_freedom() -> None:
    even, heavy = np.array([1.0, -1.0] * 50), np.array([10.0] + [1.0] * 99)
    rows = np.arange(100)
    assert worth(even, rows) == 99
    assert worth(heavy, rows) == pytest.approx(2 * 199**2 / (10_099 - 199**2 / 100))
    assert worth(np.array([5.0, 5.0, 1.0]), np.array([0, 0, 1])) == 1


def test_of_two_ways_the_fewer_count() -> None:
    influence = np.array([1.0, -1.0] * 50)
    rows, pairs = np.arange(100), np.arange(100) // 10 * 2 + np.arange(100) % 2
    assert fewest(influence, None) == 99
    assert fewest(influence, pairs) == 19
    assert fewest(influence, (rows, pairs)) == 19
