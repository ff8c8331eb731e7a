"""Places by hand, against all pairs held at once, and how often all are held together."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import equal_correlation
from ucimpact.inference.rank_sets import rank_sets

SE = np.array([0.10, 0.20, 0.06, 0.15, 0.25, 0.08])
Y = np.array([0.9, 0.31, 0.05, 0.27, -0.08, -0.6])


def test_three_by_hand() -> None:
    """The first is above both by 7 errors and more; .1 apart is nothing where errors of differences are 1.4."""
    found = rank_sets(np.array([0.1, 10.0, 0.0]), np.eye(3))
    assert found.low.tolist() == [2, 1, 2]
    assert found.high.tolist() == [3, 1, 3]
    assert found.could_be_first.tolist() == [False, True, False]
    assert found.above.tolist() == [[False] * 3, [True, False, True], [False] * 3]
    assert 1.96 < found.critical < 3.314 / np.sqrt(2)  # four of the six ordered pairs are left


def test_the_first_step_for_three_alike_is_the_range_of_three() -> None:
    """The 95% point of the range of three is 3.314, and a difference has sqrt 2 errors."""
    found = rank_sets(np.zeros(3), 4 * np.eye(3), draws=100_000)
    assert found.critical == pytest.approx(3.314 / np.sqrt(2), abs=0.015)
    assert found.low.tolist() == [1, 1, 1]
    assert found.high.tolist() == [3, 3, 3]


def test_stepdown_settles_what_the_first_step_leaves() -> None:
    """2.25 errors of a difference lie between the 2.16 of the four pairs that are left and the 2.34 of six."""
    y = np.array([20.0, 2.25 * np.sqrt(2), 0.0])
    assert rank_sets(y, np.eye(3), stepdown=False).high.tolist() == [1, 3, 3]
    assert rank_sets(y, np.eye(3)).high.tolist() == [1, 2, 3]


def all_pairs(
    y: np.ndarray, cov: np.ndarray, draws: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same from every ordered pair at once, each step anew from a list of those that are left."""
    k = len(y)
    left, above = list(permutations(range(k), 2)), set()
    while left:
        d = {(i, j): np.sqrt(cov[i, i] + cov[j, j] - 2 * cov[i, j]) for i, j in left}
        most = np.max([(draws[:, i] - draws[:, j]) / d[i, j] for i, j in left], axis=0)
        c = np.sort(most)[int(np.ceil(level * (len(most) - 1)))]
        new = {(i, j) for i, j in left if (y[i] - y[j]) / d[i, j] > c}
        if not new:
            break
        above |= new
        left = [pair for pair in left if pair not in new]
    low = [1 + sum((i, j) in above for i in range(k)) for j in range(k)]
    high = [k - sum((j, i) in above for i in range(k)) for j in range(k)]
    return np.array(low), np.array(high), np.array(c)


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_running_maximum_is_the_maximum_of_all_pairs(rho: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, cov = rng.normal(0, 0.4, 6), equal_correlation(SE, rho)
    values, vectors = np.linalg.eigh(cov)
    noise = np.random.default_rng(9).standard_normal((4000, 6)) @ (vectors * np.sqrt(values)).T
    low, high, critical = all_pairs(y, cov, noise, 0.95)
    found = rank_sets(y, cov, draws=4000, seed=9)
    assert found.low.tolist() == low.tolist()
    assert found.high.tolist() == high.tolist()
    assert found.critical == pytest.approx(float(critical), rel=1e-9)


def test_what_estimates_share_narrows_the_sets() -> None:
    shared, apart = rank_sets(Y, equal_correlation(SE, 0.8)), rank_sets(Y, np.diag(SE**2))
    assert (shared.high - shared.low).sum() < (apart.high - apart.low).sum()


def test_order_scale_place_and_sign_do_what_they_should() -> None:
    cov, order = equal_correlation(SE, 0.3), np.array([3, 0, 5, 1, 4, 2])
    found = rank_sets(Y, cov)
    moved = rank_sets(Y[order], cov[np.ix_(order, order)])
    assert moved.low.tolist() == found.low[order].tolist()
    assert moved.high.tolist() == found.high[order].tolist()
    scaled = rank_sets(5 * Y + 2, 25 * cov)
    assert scaled.low.tolist() == found.low.tolist()
    turned = rank_sets(-Y, cov)
    assert turned.low.tolist() == (7 - found.high).tolist()
    again = rank_sets(Y, cov)
    assert again.critical == found.critical


def test_a_higher_level_never_narrows_a_set() -> None:
    cov = np.diag(SE**2)
    wide, narrow = rank_sets(Y, cov, level=0.99), rank_sets(Y, cov, level=0.8)
    assert (wide.low <= narrow.low).all()
    assert (wide.high >= narrow.high).all()


def test_differences_without_error_are_settled_and_ties_never() -> None:
    found = rank_sets(np.array([0.3, 0.1, 0.1]), np.full((3, 3), 0.04))
    assert found.low.tolist() == [1, 2, 2]
    assert found.high.tolist() == [1, 3, 3]


def test_one_alone_is_first() -> None:
    found = rank_sets(np.array([0.1]), np.array([[0.01]]))
    assert (found.low.tolist(), found.high.tolist(), found.could_be_first.tolist()) == ([1], [1], [True])


def test_all_true_places_are_held_together_as_often_as_said() -> None:
    """Ties in truth are every place they span, the strictest scoring: the sets hold all or they fail."""
    rng = np.random.default_rng(5)
    cov, truth = equal_correlation(SE, 0.4), np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    first = 1 + (truth[:, None] > truth).sum(axis=0)
    last = 6 - (truth[:, None] < truth).sum(axis=0)
    held = []
    for y in rng.multivariate_normal(truth, cov, 600):
        found = rank_sets(y, cov, draws=2000)
        held.append((found.low <= first).all() and (found.high >= last).all())
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)  # three sd, and that of c


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(EstimationError, match="no number"):
        rank_sets(np.array([1.0, np.nan]), np.eye(2))
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_sets(Y, np.diag(SE**2), level=0)
    with pytest.raises(ValueError, match="ask for more"):
        rank_sets(Y, np.diag(SE**2), draws=10)
