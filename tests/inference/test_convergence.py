"""A chain whose worth in independent draws is known on paper, and one that has not settled."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.inference.convergence import Convergence, effective_size, split_r_hat


def chain(rho: float, m: int = 40_000, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal(m)
    for t in range(1, m):
        draws[t] = rho * draws[t - 1] + np.sqrt(1 - rho**2) * draws[t]
    return draws


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_an_autoregression_is_worth_what_it_is_on_paper(rho: float) -> None:
    draws = chain(rho)
    assert effective_size(draws) == pytest.approx(len(draws) * (1 - rho) / (1 + rho), rel=0.08)


def test_no_chain_is_worth_more_than_its_draws() -> None:
    assert effective_size(np.tile([1.0, -1.0], 200)) <= 400
    assert effective_size(np.ones(50)) == 50


def test_halves_worked_by_hand() -> None:
    """Means 1 and 4, variances 1 and 1, so between is 4.5 and within 1; m is 3."""
    draws = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    assert split_r_hat(draws) == pytest.approx(np.sqrt(2 / 3 + 4.5))


def test_a_chain_that_moved_is_told_from_one_that_settled() -> None:
    settled, moved = chain(0.3, 4000), chain(0.3, 4000) + np.linspace(0, 2, 4000)
    assert Convergence.of(settled).r_hat == pytest.approx(1, abs=0.01)
    assert Convergence.of(moved).r_hat > 1.1
    assert Convergence.of(np.ones(20)).r_hat == 1
