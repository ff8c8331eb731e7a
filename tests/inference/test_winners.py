"""The picked one by published numbers, by the formula done plainly, by simulation, and in dead heats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from ucimpact.errors import EstimationError
from ucimpact.inference.joint import equal_correlation, shared_arm
from ucimpact.inference.widest import widest
from ucimpact.inference.winners import Corrected, conditional, hybrid, hybrid_by_rule, projection

Y = np.array([0.12, 0.31, 0.05, 0.27, -0.08])
SE = np.array([0.10, 0.20, 0.06, 0.15, 0.25])
COV = equal_correlation(SE, 0.3)
WAYS = (hybrid, conditional, projection)


def numbers(found: Corrected) -> tuple[float, float, float]:
    return found.estimate, found.low, found.high


def test_five_in_a_row_as_published() -> None:
    """Of multiple-inference 1.2.0's example; its hybrid, .871 to 5.977, has a simulated c."""
    y, cov = np.arange(5.0), np.eye(5)
    assert numbers(conditional(y, cov)) == pytest.approx((3.68628, 0.06743, 5.93267), abs=1e-5)
    assert numbers(hybrid(y, cov)) == pytest.approx((3.6874, 0.8654, 5.9769), abs=5e-5)
    furthest = norm.ppf((1 + 0.95**0.2) / 2)
    assert numbers(projection(y, cov)) == pytest.approx((4, 4 - furthest, 4 + furthest))


def plainly(
    y: np.ndarray, cov: np.ndarray, sets: list[tuple[float, float]], k: int, beta: float = 0.005
) -> tuple[float, float, float]:
    """The hybrid by differences of cdfs and a root finder, the values that pick k being given."""
    s = np.sqrt(cov[k, k])
    c = widest(cov, 1 - beta) if beta else np.inf

    def share(mean: float) -> float:
        def mass(top: float) -> float:
            cut = [(max(a, mean - c * s), min(b, mean + c * s, top)) for a, b in sets]
            return sum(norm.cdf((b - mean) / s) - norm.cdf((a - mean) / s) for a, b in cut if b > a)

        return float(mass(y[k]) / mass(np.inf))

    tail = (0.05 - beta) / (1 - beta) / 2
    near = min(c, 6) * s * (1 - 1e-9)
    wanted = (0.5, 1 - tail, tail)
    return tuple(brentq(lambda m, p: share(m) - p, y[k] - near, y[k] + near, args=(p,)) for p in wanted)


def scanned(y: np.ndarray, cov: np.ndarray) -> tuple[float, float]:
    """Between which values the largest estimate stays the largest, by moving it and all that goes with it."""
    k = int(np.argmax(y))
    moves = np.linspace(-4, 4, 800_001)
    with_it = y[:, None] + np.outer(cov[:, k] / cov[k, k], moves)
    largest = moves[with_it.argmax(axis=0) == k] + y[k]
    return (-np.inf if largest.min() < y[k] - 3.9 else largest.min()), np.inf if largest.max() > y[
        k
    ] + 3.9 else largest.max()


PRECISE = np.array([0.02, 0.05, 0.20, 0.25])
CASES = {
    "correlated": (Y, COV),
    "one arm": (Y, shared_arm(SE, 0.003)),
    "precise among noisy": (np.array([0.20, 0.15, 0.02, -0.05]), equal_correlation(PRECISE, 0.8)),
    "opposite": (np.array([0.2, 0.1]), np.array([[0.04, -0.02], [-0.02, 0.04]])),
}


@pytest.mark.parametrize(("y", "cov"), CASES.values(), ids=CASES)
def test_the_formula_done_plainly_on_ends_found_by_moving_the_estimate(
    y: np.ndarray, cov: np.ndarray
) -> None:
    ends = scanned(y, cov)
    assert numbers(hybrid(y, cov)) == pytest.approx(plainly(y, cov, [ends], int(np.argmax(y))), abs=2e-4)


def test_a_precise_one_that_won_against_noisy_ones_that_move_with_it_is_corrected_upwards() -> None:
    y, cov = CASES["precise among noisy"]
    assert np.isfinite(scanned(y, cov)[1])
    assert hybrid(y, cov).estimate > y[0]


def test_without_rivals_all_are_the_plain_interval() -> None:
    for way in WAYS:
        found = way(np.array([0.3]), np.array([[0.01]]))
        assert numbers(found) == pytest.approx((0.3, 0.3 - 0.195996, 0.3 + 0.195996), abs=1e-6)
    far = hybrid(np.array([0.9, 0.0, 0.1]), 0.0025 * np.eye(3))
    assert far.estimate == pytest.approx(0.9, abs=1e-6)
    assert far.high - far.low == pytest.approx(2 * 1.95996 * 0.05, rel=0.02)  # a little wider: beta is spent


def test_a_dead_heat_goes_to_the_end_of_the_interval_of_all() -> None:
    y, cov = np.array([0.2, 0.2, 0.0]), 0.01 * np.eye(3)
    found = hybrid(y, cov)
    assert numbers(found) == pytest.approx([0.2 - 0.1 * widest(cov, 0.995)] * 3)
    assert (found.chosen, hybrid(y, cov, chosen=1).chosen) == (0, 1)
    assert numbers(conditional(y, cov)) == (-np.inf, -np.inf, -np.inf)


def test_a_lead_of_next_to_nothing_has_a_conditional_limit_far_away() -> None:
    """The overshoot of a normal far below is exponential: its median is log 2 over the distance."""
    lead = 2.0**-30  # exact in binary
    found = conditional(np.array([1.0, 1.0 - lead]), np.diag([1.0, 1e-12]))
    assert found.estimate == pytest.approx(-np.log(2) / lead, rel=1e-6)
    assert found.low == pytest.approx(np.log(0.025) / lead, rel=1e-6)
    assert found.high == pytest.approx(np.log(0.975) / lead, rel=1e-6)
    near = hybrid(np.array([1.0, 1.0 - lead]), np.eye(2))
    assert numbers(near) == pytest.approx([1 - widest(np.eye(2), 0.995)] * 3, abs=1e-6)


def test_a_precise_one_that_all_but_lost_to_noisy_ones_has_a_conditional_limit_far_above() -> None:
    """The second moves at twice the pace of the first: had that been larger by the gap, it had lost."""
    gap = 2.0**-30
    cov = np.array([[1.0, 2.0], [2.0, 4.0]])
    found = conditional(np.array([0.0, -gap]), cov)
    assert found.estimate == pytest.approx(np.log(2) / gap, rel=1e-6)
    assert found.high == pytest.approx(-np.log(0.025) / gap, rel=1e-6)


def test_estimates_that_move_as_one_are_no_rivals() -> None:
    plain = (0.31, 0.31 - 0.195996, 0.31 + 0.195996)
    assert numbers(hybrid(np.array([0.31, 0.3, 0.1]), np.full((3, 3), 0.01))) == pytest.approx(
        plain, abs=1e-6
    )


@pytest.mark.parametrize("way", WAYS)
def test_order_scale_and_place_do_what_they_should(way: Callable[..., Corrected]) -> None:
    found, order = way(Y, COV), np.array([4, 1, 0, 2, 3])
    assert numbers(way(Y[order], COV[np.ix_(order, order)])) == pytest.approx(numbers(found))
    assert numbers(way(10 * Y, 100 * COV)) == pytest.approx([10 * x for x in numbers(found)])
    assert numbers(way(Y + 3, COV)) == pytest.approx([x + 3 for x in numbers(found)])
    assert found.low <= found.estimate <= found.high


def test_a_larger_lead_is_corrected_less() -> None:
    found = [hybrid(np.array([0.2 + lead, 0.2, 0.1]), 0.01 * np.eye(3)) for lead in (0, 0.02, 0.1, 0.3, 0.8)]
    taken = [0.2 + lead - one.estimate for lead, one in zip((0, 0.02, 0.1, 0.3, 0.8), found, strict=True)]
    assert taken == sorted(taken, reverse=True)
    assert taken[-1] == pytest.approx(0, abs=1e-6)
    low = projection(np.array([0.22, 0.2, 0.1]), 0.01 * np.eye(3), level=0.995).low
    assert all(
        one.low >= low + lead - 0.02 - 1e-12
        for lead, one in zip((0, 0.02, 0.1, 0.3, 0.8), found, strict=True)
    )


def test_the_picked_one_is_held_as_often_as_said_and_half_the_time_below_its_number() -> None:
    rng = np.random.default_rng(11)
    cov = equal_correlation(np.array([0.05, 0.1, 0.2, 0.25]), 0.6)
    truth = np.array([0.1, 0.1, 0.0, 0.0])
    held, below, raw = [], [], []
    for y in rng.multivariate_normal(truth, cov, 600):
        found, k = hybrid(y, cov), int(np.argmax(y))
        held.append(found.low <= truth[k] <= found.high)
        below.append(truth[k] < found.estimate)
        raw.append(truth[k] < y[k])
    assert np.mean(held) == pytest.approx(0.95, abs=0.027)  # three sd
    assert np.mean(below) == pytest.approx(0.5, abs=0.062)
    assert np.mean(raw) > 0.65


def test_the_rule_of_the_largest_is_the_hybrid() -> None:
    for y, cov in CASES.values():
        found = hybrid_by_rule(y, cov, lambda x: int(np.argmax(x)))
        assert numbers(found) == pytest.approx(numbers(hybrid(y, cov)), abs=2e-5)


def test_a_rule_of_net_benefit_is_the_hybrid_of_net_benefits() -> None:
    price = np.array([0.02, 0.25, 0.01, 0.10, 0.05])
    found = hybrid_by_rule(Y, COV, lambda y: int(np.argmax(y - price)))
    wanted = hybrid(Y - price, COV)
    assert found.chosen == wanted.chosen == 3
    assert numbers(found) == pytest.approx([x + price[3] for x in numbers(wanted)], abs=2e-5)


def test_a_rule_that_picks_on_two_stretches_sums_both() -> None:
    y, cov = np.array([1.4, 0.0]), np.eye(2)
    found = hybrid_by_rule(y, cov, lambda x: 0 if abs(x[0]) > 1 else 1)
    c = widest(cov, 0.995)
    wanted = plainly(y, cov, [(1.4 - 2 * c, -1.0), (1.0, 1.4 + 2 * c)], 0)
    assert numbers(found) == pytest.approx(wanted, abs=1e-4)
    one = plainly(y, cov, [(1.0, 1.4 + 2 * c)], 0)
    assert found.low != pytest.approx(one[1], abs=0.01)


def test_a_rule_that_always_picks_the_same_needs_no_correction() -> None:
    found = hybrid_by_rule(Y, COV, lambda _: 2)
    assert numbers(found) == pytest.approx(plainly(Y, COV, [(-np.inf, np.inf)], 2), abs=1e-6)
    assert numbers(found) == pytest.approx((0.05, 0.05 - 0.1176, 0.05 + 0.1176), abs=0.003)
    assert found.chosen == 2


def test_rules_that_are_none_are_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(EstimationError, match="fix its seed"):
        for _ in range(20):
            hybrid_by_rule(Y, COV, lambda _: int(rng.integers(5)), cells=2)
    with pytest.raises(ValueError, match="picked place 5"):
        hybrid_by_rule(Y, COV, lambda _: 5)
    with pytest.raises(ValueError, match="even number"):
        hybrid_by_rule(Y, COV, lambda _: 0, cells=3)


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(ValueError, match="hybrid_by_rule"):
        hybrid(Y, COV, chosen=0)
    with pytest.raises(ValueError, match="hybrid_by_rule"):
        hybrid(Y, COV, chosen=5)
    with pytest.raises(ValueError, match=r"between 0 and 0\.05"):
        hybrid(Y, COV, beta=0.05)
    for way in WAYS:
        with pytest.raises(EstimationError, match="no number"):
            way(np.array([1.0, np.nan]), np.eye(2))
        with pytest.raises(ValueError, match="between 0 and 1"):
            way(Y, COV, level=1.0)
