"""Bands that hold together, and a test before the start that few places do not fool."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import Design
from ucimpact.inference.paths import enough_shapes, hotelling, polynomials, simultaneous_critical


def no_design() -> Design:
    raise AssertionError("not needed here")


def contrasts(values: np.ndarray, n1: int) -> Contrasts:
    """``values`` of shape (n_effects, n_places), the first ``n1`` places with the pilot."""
    pilot = np.arange(values.shape[1]) < n1
    share = np.broadcast_to(np.where(pilot, 1 / n1, -1 / (~pilot).sum()), values.shape)
    return Contrasts((values * share).sum(axis=1), values, share, pilot, no_design, 1.0)


def test_one_effect_has_its_ordinary_interval() -> None:
    factor = simultaneous_critical(np.eye(1), np.array([10.0]), 0.95, draws=50_000, seed=1)
    assert factor[0] == pytest.approx(stats.t.ppf(0.975, 10), rel=0.01)


def test_independent_effects_have_the_product_of_their_chances() -> None:
    factor = simultaneous_critical(np.eye(4), np.full(4, 1e9), 0.95, draws=50_000, seed=1)
    assert factor == pytest.approx(stats.norm.ppf((1 + 0.95**0.25) / 2), rel=0.01)


def test_effects_that_move_as_one_need_no_widening() -> None:
    factor = simultaneous_critical(np.ones((5, 5)), np.full(5, 20.0), 0.95, draws=50_000, seed=2)
    assert factor == pytest.approx(stats.t.ppf(0.975, 20), rel=0.01)


def test_polynomials_are_orthonormal_and_begin_with_a_rising_line() -> None:
    basis = polynomials(np.array([0.0, 1, 2, 4, 7]), 3)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(basis.sum(axis=1), 0, atol=1e-12)
    assert np.all(np.diff(basis[0]) > 0)


@pytest.mark.parametrize(
    ("places", "periods", "shapes"), [(30, 12, 3), (6, 12, 2), (5, 12, 1), (30, 2, 1), (4, 9, 0)]
)
def test_shapes_leave_degrees_of_freedom_over(places: int, periods: int, shapes: int) -> None:
    assert enough_shapes(places, periods) == shapes


def test_with_one_shape_the_test_is_the_square_of_the_pooled_t() -> None:
    values = np.random.default_rng(1).normal(size=(1, 14))
    test = hotelling(contrasts(values, 3), np.ones(14), pooled=True)
    t, p = stats.ttest_ind(values[0, :3], values[0, 3:])
    assert test is not None
    assert test.statistic == pytest.approx(t**2) and test.p_value == pytest.approx(p)


def test_unequal_covariances_with_one_shape_are_welch() -> None:
    values = np.random.default_rng(2).normal(size=(1, 20)) * np.where(np.arange(20) < 7, 3, 1)
    test = hotelling(contrasts(values, 7), np.ones(20), pooled=False)
    t, p = stats.ttest_ind(values[0, :7], values[0, 7:], equal_var=False)
    assert test is not None
    assert test.statistic == pytest.approx(t**2) and test.p_value == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize(
    ("places", "n1", "pooled"), [(12, 1, True), (30, 1, True), (30, 3, True), (24, 8, False)]
)
def test_paths_alike_are_found_different_as_often_as_the_level_says(
    places: int, n1: int, pooled: bool
) -> None:
    """Serial correlation makes no difference: a place is one draw of a whole path."""
    rng = np.random.default_rng(places + n1)
    p = []
    for _ in range(1500):
        paths = rng.standard_normal((places, 12)).cumsum(axis=1)
        test = hotelling(
            contrasts(polynomials(np.arange(12.0), 3) @ paths.T, n1), np.ones(places), pooled=pooled
        )
        assert test is not None
        p.append(test.p_value)
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.024)  # 1,500 draws: three sd


def test_a_known_spread_is_taken_out() -> None:
    """Pilot places more variable than the others are found different too often, unless that is allowed for."""
    rng = np.random.default_rng(6)
    spread = np.geomspace(20, 1, 20)
    p: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(1500):
        values = rng.standard_normal((2, 20)) * np.sqrt(spread)
        for known in (True, False):
            test = hotelling(contrasts(values, 2), spread if known else np.ones(20), pooled=True)
            assert test is not None
            p[known].append(test.p_value)
    assert np.mean(np.array(p[True]) < 0.1) == pytest.approx(0.1, abs=0.024)  # 1,500 draws: three sd
    assert np.mean(np.array(p[False]) < 0.1) > 0.2


def test_places_that_do_not_vary_cannot_be_tested() -> None:
    assert hotelling(contrasts(np.ones((2, 10)), 2), np.ones(10), pooled=True) is None
