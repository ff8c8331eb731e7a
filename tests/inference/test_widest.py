"""How far the furthest goes: closed forms, an adaptive integral, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ucimpact.inference.joint import equal_correlation, normals, shared_arm
from ucimpact.inference.widest import common_cause, widest

SE = np.array([0.05, 0.1, 0.2, 0.25, 0.1, 0.08, 0.3])


@pytest.mark.parametrize("k", [1, 2, 5, 500])
def test_without_anything_in_common_it_is_sidak(k: int) -> None:
    assert widest(np.eye(k), 0.95) == pytest.approx(norm.ppf((1 + 0.95 ** (1 / k)) / 2), abs=1e-12)


def test_the_published_value_for_five() -> None:
    assert widest(4 * np.eye(5), 0.995) == pytest.approx(3.28996, abs=1e-5)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9, 0.999, 1.0])
def test_equal_correlations_against_an_adaptive_integral(rho: float) -> None:
    c = widest(equal_correlation(SE, rho), 0.95)
    own = np.sqrt(1 - rho)
    if rho == 1:
        assert c == pytest.approx(norm.ppf(0.975), abs=1e-12)
        return

    def density(f: float) -> float:
        inside = norm.cdf((c - np.sqrt(rho) * f) / own) - norm.cdf((-c - np.sqrt(rho) * f) / own)
        return float(norm.pdf(f) * inside**7)

    assert 2 * quad(density, 0, 9, points=[c], limit=200)[0] == pytest.approx(0.95, abs=1e-8)


@pytest.mark.parametrize("arm", [0.001, 0.0024, 0.0025])
def test_a_shared_arm_against_simulation(arm: float) -> None:
    """At 0.0025 the first estimate errs by its arm alone."""
    cov = shared_arm(SE, arm)
    furthest = np.abs(normals(cov, 200_000, seed=3) / SE).max(axis=1)
    assert np.mean(furthest <= widest(cov, 0.95)) == pytest.approx(0.95, abs=0.002)  # four sd


def test_which_correlations_have_one_common_cause() -> None:
    a = np.array([0.9, -0.5, 0.3, 0.0])
    correlation = np.outer(a, a) + np.diag(1 - a**2)
    found = common_cause(correlation)
    assert found is not None
    assert np.outer(found, found) - np.diag(found**2) == pytest.approx(np.outer(a, a) - np.diag(a**2))
    pools = shared_arm(np.ones(4), 0.5, np.array([1, 1, 2, 2]))
    assert common_cause(pools) is None
    assert common_cause(equal_correlation(np.ones(3), -0.2)) is None
    one_pair = np.eye(3)
    one_pair[0, 2] = one_pair[2, 0] = -0.4
    pair = common_cause(one_pair)
    assert pair is not None
    assert pair[0] * pair[2] == pytest.approx(-0.4)
    assert pair[1] == 0


def test_two_pools_that_each_move_as_one_are_two_estimates() -> None:
    cov = np.kron(np.eye(2), np.ones((2, 2)))
    assert widest(cov, 0.95) == pytest.approx(widest(np.eye(2), 0.95), abs=0.02)


def test_opposite_estimates_are_one() -> None:
    assert widest(np.array([[1.0, -1.0], [-1.0, 1.0]]), 0.95) == pytest.approx(norm.ppf(0.975), abs=1e-9)
