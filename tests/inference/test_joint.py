"""What is asked of estimates and their covariance, and covariances worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import checked, equal_correlation, inflate, normals, shared_arm

SE = np.array([0.1, 0.2, 0.4])


def test_equal_correlation_and_a_shared_arm_by_hand() -> None:
    assert equal_correlation(SE, 0.5) == pytest.approx(
        np.array([[0.01, 0.01, 0.02], [0.01, 0.04, 0.04], [0.02, 0.04, 0.16]])
    )
    one = shared_arm(SE, 0.008)
    assert one == pytest.approx(np.array([[0.01, 0.008, 0.008], [0.008, 0.04, 0.008], [0.008, 0.008, 0.16]]))
    two = shared_arm(SE, np.array([0.004, 0.009, 0.05]), np.array(["county", "county", "town"]))
    assert two == pytest.approx(np.array([[0.01, 0.006, 0], [0.006, 0.04, 0], [0, 0, 0.16]]))


def test_an_arm_noisier_than_the_whole_is_refused_by_its_place() -> None:
    with pytest.raises(EstimationError, match="pilots 1, 2 in the row"):
        shared_arm(SE, 0.05)


@pytest.mark.parametrize("rho", [-0.51, 1.01, np.nan])
def test_a_correlation_that_three_cannot_have_is_refused(rho: float) -> None:
    with pytest.raises(ValueError, match=r"from -0\.5 to 1"):
        equal_correlation(SE, rho)
    assert checked(np.zeros(3), equal_correlation(SE, -0.5))[1].shape == (3, 3)


def test_few_degrees_of_freedom_widen_an_error_to_the_interval_of_the_t() -> None:
    """t(.975) is 2.30600 with 8 and 12.70620 with 1 degree of freedom; the normal has 1.95996."""
    found = inflate(np.array([1.0, 1.0, 0.3]), np.array([8, 1, np.inf]))
    assert found == pytest.approx([2.30600 / 1.95996, 12.70620 / 1.95996, 0.3], rel=1e-5)
    assert inflate(1.0, 8, level=0.9) == pytest.approx(1.85955 / 1.64485, rel=1e-5)


@pytest.mark.parametrize(("se", "df"), [(0.0, 5), (np.nan, 5), (1.0, 0), (1.0, np.nan), (np.inf, 5)])
def test_an_error_or_degrees_of_freedom_that_are_none_are_refused(se: float, df: float) -> None:
    with pytest.raises(EstimationError, match="above 0"):
        inflate(se, df)


def test_every_fault_is_named_at_once() -> None:
    cov = np.diag([0.01, 0.0, 0.04, -1.0])
    with pytest.raises(EstimationError) as refused:
        checked(np.array([0.1, np.nan, np.inf, 0.0]), cov)
    assert [part.split(":")[0] for part in refused.value.parts] == [
        "no number for pilots 2, 3 in the row",
        "a variance that is not above 0 for pilots 2, 4 in the row",
    ]


@pytest.mark.parametrize(
    ("cov", "said"),
    [
        (np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]), "least eigenvalue"),
        (np.array([[1, 0.5, 0], [0.4, 1, 0], [0, 0, 1]]), "not the same above and below"),
        (np.diag([1.0, 1.0, 1e-14]), "put all estimates on one scale"),
        (np.array([[1, np.nan, 0], [np.nan, 1, 0], [0, 0, 1]]), "cells without a number"),
        (np.ones(3), "numpy.diag"),
        (np.eye(2), "3 by 3"),
    ],
)
def test_a_covariance_that_no_estimates_have_is_refused(cov: np.ndarray, said: str) -> None:
    with pytest.raises(EstimationError, match=said):
        checked(np.zeros(3), cov)


@pytest.mark.parametrize("y", [np.zeros((2, 2)), np.zeros(0), np.float64(1)])
def test_estimates_are_a_row(y: np.ndarray) -> None:
    with pytest.raises(EstimationError, match="a row of numbers"):
        checked(y, np.eye(2))


def test_a_singular_covariance_is_one_and_its_draws_move_as_one() -> None:
    cov = np.outer(SE, SE)
    _, kept = checked(np.zeros(3), cov)
    drawn = normals(kept, 1000, seed=1)
    assert drawn / SE == pytest.approx(np.repeat(drawn[:, :1] / SE[0], 3, axis=1), abs=1e-6)
    assert drawn.std(axis=0) == pytest.approx(SE, rel=0.1)
