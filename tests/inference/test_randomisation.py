"""The closed form against brute force, and exactness where places are alike."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.covariance import Design
from ucimpact.inference.randomisation import (
    Permutation,
    closed_form,
    permutation_of_t,
    reassigned,
    reassignments,
    smallest_p,
    standardised_permutation,
)
from ucimpact.inference.two_groups import Inferred

ALL = Permutation(most=100_000, seed=1)


def no_design() -> Design:
    raise AssertionError("a permutation needs no regression")


def contrasts(values: np.ndarray, n1: int, shares: np.ndarray | None = None) -> Contrasts:
    values = np.atleast_2d(values)
    pilot = np.arange(values.shape[1]) < n1
    if shares is None:
        shares = np.where(pilot, 1 / n1, -1 / (values.shape[1] - n1))
    shares = np.broadcast_to(shares, values.shape)
    return Contrasts((values * shares).sum(axis=1), values, shares, pilot, no_design)


def p_at(values: np.ndarray, n1: int, effect: float) -> float:
    """Share of all reassignments at least as far out, the effect taken off, by plain counting."""
    d = values - effect * (np.arange(len(values)) < n1)

    def contrast(seats: tuple[int, ...]) -> float:
        taken = np.isin(np.arange(len(d)), seats)
        return float(d[taken].mean() - d[~taken].mean())

    every = [contrast(seats) for seats in itertools.combinations(range(len(d)), n1)]
    own = abs(contrast(tuple(range(n1))))
    return float(np.mean([abs(b) >= own * (1 - 1e-9) for b in every]))


@pytest.mark.parametrize(("places", "n1"), [(9, 3), (10, 2), (8, 4), (9, 6)])
def test_the_p_value_is_the_count_of_all_reassignments(places: int, n1: int) -> None:
    d = np.random.default_rng(places).normal(size=places)
    assert ALL.infer(contrasts(d, n1), 0.9).p_value[0] == pytest.approx(p_at(d, n1, 0.0))


@pytest.mark.parametrize(("places", "n1"), [(9, 3), (10, 2), (8, 4), (9, 6)])
def test_the_interval_holds_just_the_effects_that_brute_force_does_not_refuse(places: int, n1: int) -> None:
    d = np.random.default_rng(places + 50).normal(size=places)
    found = ALL.infer(contrasts(d, n1), 0.9)
    low, high = found.low[0], found.high[0]
    step = 1e-6 * (high - low)
    for inside, outside in ((low + step, low - step), (high - step, high + step)):
        assert p_at(d, n1, inside) > 0.1
        assert p_at(d, n1, outside) <= 0.1 + 1e-12


def test_an_interval_that_too_few_reassignments_could_give_is_the_whole_line() -> None:
    found = ALL.infer(contrasts(np.arange(6.0), 1), 0.95)
    assert found.low[0] == -np.inf and found.high[0] == np.inf


def test_every_place_takes_the_seats_of_the_few_equally_often() -> None:
    drawn = reassignments(9, 3, 1000, 1)
    assert drawn.complete and drawn.number == math.comb(9, 3)
    np.testing.assert_array_equal(np.bincount(drawn.seats.ravel()), math.comb(8, 2))


def test_drawn_reassignments_seat_no_place_twice_and_begin_with_the_data() -> None:
    drawn = reassignments(40, 5, 999, 3)
    assert not drawn.complete and drawn.number == 1000
    assert np.all(np.diff(np.sort(drawn.seats, axis=0), axis=0) > 0)
    np.testing.assert_array_equal(drawn.seats[:, 0], np.arange(5))
    assert np.bincount(drawn.seats[:, 1:].ravel(), minlength=40).min() > 60  # 125 each on average
    np.testing.assert_array_equal(drawn.seats, reassignments(40, 5, 999, 3).seats)
    assert not np.array_equal(drawn.seats, reassignments(40, 5, 999, 4).seats)


def test_swapping_seats_puts_the_drawn_places_in_the_seats_of_the_few() -> None:
    drawn = reassignments(8, 3, 1000, 1)
    leaving, coming = drawn.swaps
    for r in range(drawn.number):
        seated = np.arange(8)
        for out, into in zip(leaving[:, r], coming[:, r], strict=True):
            seated[[out, into]] = seated[[into, out]]
        assert set(seated[:3]) == set(drawn.seats[:, r])


def test_unequal_shares_are_kept_by_their_seats() -> None:
    rng = np.random.default_rng(8)
    d = rng.normal(size=8)
    shares = np.array([0.7, 0.3, -0.1, -0.3, -0.2, -0.1, -0.2, -0.1])
    made = contrasts(d, 2, shares)
    b_r, k_r = next(reassigned(made, 1000, 1))
    order = np.lexsort((d, np.arange(8) >= 2))
    for r, seats in enumerate(reassignments(8, 2, 1000, 1).seats.T):
        seated = np.arange(8)
        moves = zip([j for j in range(2) if j not in seats], sorted(s for s in seats if s >= 2), strict=True)
        for out, into in moves:
            seated[[out, into]] = seated[[into, out]]
        assert b_r[r] == pytest.approx((shares[order] * d[order][seated]).sum())
        assert k_r[r] == pytest.approx((shares[order] * (order[seated] < 2)).sum())


def test_names_of_places_change_nothing_even_where_reassignments_are_drawn() -> None:
    rng = np.random.default_rng(4)
    d, few = rng.normal(size=(2, 30)), Permutation(most=499, seed=1)
    order = np.concatenate([rng.permutation(5), 5 + rng.permutation(25)])
    one, two = few.infer(contrasts(d, 5), 0.95), few.infer(contrasts(d[:, order], 5), 0.95)
    np.testing.assert_allclose(one.p_value, two.p_value)
    np.testing.assert_allclose(one.low, two.low)


def test_a_reassignment_equal_to_the_data_counts_in_spite_of_rounding() -> None:
    d = np.array([0.1 + 0.2, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert ALL.infer(contrasts(d, 1), 0.9).p_value[0] == pytest.approx(2 / 9)


def test_the_smallest_p_is_reached_and_not_passed() -> None:
    assert smallest_p(2, 10) == 1 / 66
    assert smallest_p(4, 4) == 2 / 70
    assert smallest_p(300, 5700) == 0.0
    d = np.array([50.0, 49.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert ALL.infer(contrasts(d, 2), 0.9).p_value[0] == pytest.approx(1 / 66)
    full_swap = np.array([9.0, 8, 7, 6, 1, 2, 3, 4])
    assert ALL.infer(contrasts(full_swap, 4), 0.9).p_value[0] == pytest.approx(2 / 70)


def test_shifting_the_effect_shifts_the_interval_and_an_interval_holds_its_estimate() -> None:
    d = np.random.default_rng(3).normal(size=11)
    plain: Inferred = ALL.infer(contrasts(d, 3), 0.95)
    moved = ALL.infer(contrasts(d + 5 * (np.arange(11) < 3), 3), 0.95)
    assert moved.low[0] == pytest.approx(plain.low[0] + 5)
    assert moved.high[0] == pytest.approx(plain.high[0] + 5)
    assert plain.low[0] < plain.estimate[0] < plain.high[0]


def test_false_positives_are_exact_for_places_alike() -> None:
    values = np.random.default_rng(12).standard_t(4, size=(2000, 12))  # heavy tails: it makes no difference
    p = ALL.infer(contrasts(values, 3), 0.95).p_value
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.0146)  # 2,000 draws: three sd


def test_the_interval_covers_as_often_as_it_says() -> None:
    values = np.random.default_rng(13).standard_normal((2000, 12))
    found = ALL.infer(contrasts(values, 2), 0.9)
    covered = np.mean((found.low <= 0) & (found.high >= 0))
    assert covered == pytest.approx(0.9, abs=0.025)  # three sd 0.020, and p moves in steps of 1/66


def t_of(d: np.ndarray, taken: np.ndarray) -> float:
    one, two = d[taken], d[~taken]
    return float((one.mean() - two.mean()) / np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)))


def test_the_permutation_of_t_is_the_count_of_larger_ts() -> None:
    d = np.random.default_rng(5).normal(size=9)
    every = [abs(t_of(d, np.isin(np.arange(9), seats))) for seats in itertools.combinations(range(9), 3)]
    p = np.mean(np.array(every) >= every[0] * (1 - 1e-9))
    assert permutation_of_t(contrasts(d, 3), 1000, 1) == pytest.approx(p)


def test_standardised_deviations_give_the_small_places_their_spread_back() -> None:
    """A lone pilot place four times as changeable as the others reaches far out for that alone."""
    rng = np.random.default_rng(6)
    sd = np.where(np.arange(20) < 1, 4.0, 1.0)
    values = rng.standard_normal((400, 20)) * sd
    plain = ALL.infer(contrasts(values, 1), 0.95).p_value
    scaled = np.array([standardised_permutation(contrasts(row, 1), sd, 1000, 1) for row in values])
    assert np.mean(plain <= 0.1) > 0.4
    assert np.mean(scaled <= 0.1) < 0.15  # 400 draws: 0.1 and three sd


def test_the_ends_come_from_sorted_limits() -> None:
    b_r, k_r = np.array([2.0, 1.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])
    # limits: whole line; 1 to 3; 1 to 3; 2 to 2. One of four may be left out at 25%.
    assert closed_form(b_r, k_r, 0.75) == (1.0, 3.0)
    assert closed_form(b_r, k_r, 0.25) == (2.0, 2.0)
