"""Bounds under hidden odds: judged by the R package rbounds, by every assignment of small sets, and by size."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference.rosenbaum import (
    MOST,
    discordant,
    hodges_lehmann,
    matched_sets,
    signed_rank,
    tolerated,
)


@pytest.fixture(scope="module")
def pairs(shared: Path) -> np.ndarray:
    table = pd.read_csv(shared / "reference" / "data" / "sim_matched_pairs.csv")
    return (table["treated"] - table["control"]).to_numpy()


def case(shared: Path, name: str) -> list[tuple[float, float, float]]:
    rows = golden(shared / "reference" / "golden" / "sensitivity.json")[name]["bounds"]
    return [(row["Gamma"], row["Lower bound"], row["Upper bound"]) for row in rows]


def test_signed_rank_bounds_are_those_of_rbounds(pairs, shared):
    # psens(x, y, Gamma=3, GammaInc=0.25), printed to four decimals
    for gamma, low, high in case(shared, "psens"):
        (found,) = signed_rank(pairs, [gamma])
        assert (found.low, found.high) == pytest.approx((low, high), abs=5.01e-5)


def test_hodges_lehmann_bounds_are_those_of_rbounds(pairs, shared):
    # hlsens(x, y, pr=0.1, Gamma=2, GammaInc=0.25) is of y less x, and its point is a root found to 1e-4
    values = golden(shared / "reference" / "golden" / "sensitivity.json")["hlsens"]
    (point,) = hodges_lehmann(-pairs, [1])
    assert point.low == pytest.approx(values["point"], abs=1e-4)
    for gamma, low, high in case(shared, "hlsens"):
        (found,) = hodges_lehmann(-pairs, [gamma], step=0.1)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1.2e-4)


def test_exact_bounds_of_a_yes_or_no_are_those_of_rbounds(shared):
    # binarysens(14, 32, Gamma=3, GammaInc=0.5), five decimals: the chance of more than 32, so of 33 or more
    for gamma, low, high in case(shared, "binarysens"):
        (found,) = discordant(33, 13, [gamma])
        assert (found.low, found.high) == pytest.approx((low, high), abs=5.01e-6)


def test_the_quantiles_of_the_averages_are_those_of_all_of_them_written_out():
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 10, 61):
        for differences in (rng.normal(size=n), rng.integers(-3, 4, n).astype(float)):
            i, j = np.triu_indices(n)
            walsh = np.sort((differences[i] + differences[j]) / 2)
            number = len(walsh)
            for gamma in (1.0, 1.3, 2.0, 7.0):
                (found,) = hodges_lehmann(differences, [gamma])
                for bound, share in ((found.low, 1 / (1 + gamma)), (found.high, gamma / (1 + gamma))):
                    place = number * share
                    below, above = (walsh < bound - 1e-9).sum(), (walsh <= bound + 1e-9).sum()
                    assert below <= place + 1e-9 and above >= place - 1e-9
            assert hodges_lehmann(differences, [1])[0].low == pytest.approx(np.median(walsh))


def test_a_hundred_thousand_pairs_take_no_square_of_memory():
    rng = np.random.default_rng(2)
    (found,) = hodges_lehmann(rng.normal(0.3, 1, 100_000), [1])
    assert found.low == pytest.approx(0.3, abs=0.02)


def test_a_yes_or_no_by_hand():
    # 3 pairs, all with the event on the pilot side: 1/8 at odds of 1; (1/3)^3 to (2/3)^3 at odds of 2
    one, two = discordant(3, 0, [1, 2])
    assert (one.low, one.high) == pytest.approx((1 / 8, 1 / 8))
    assert (two.low, two.high) == pytest.approx((1 / 27, 8 / 27))
    assert discordant(0, 3, [2])[0].low == 1.0


def every_assignment(tables: list[list[float]], gamma: float) -> tuple[float, float]:
    """Mean and variance of the sum of pilot scores at its worst over every hidden factor of 0 and 1."""
    mean = variance = 0.0
    for table in tables:
        worst = (-math.inf, 0.0)
        for hidden in itertools.product((0, 1), repeat=len(table)):
            odds = np.array([gamma**u for u in hidden])
            chance = odds / odds.sum()
            m = float(chance @ table)
            worst = max(worst, (round(m, 12), float(chance @ np.square(table)) - m**2))
        mean, variance = mean + worst[0], variance + worst[1]
    return mean, variance


@pytest.mark.parametrize("gamma", [1.0, 1.5, 4.0])
def test_sets_have_the_worst_of_every_hidden_factor(gamma):
    rng = np.random.default_rng(3)
    tables = [rng.poisson(1.5, size).astype(float).tolist() for size in (2, 3, 4, 4, 5, 2, 3)]
    scores = np.concatenate(tables)
    sets = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
    treated = np.concatenate([np.arange(len(t)) == k % len(t) for k, t in enumerate(tables)])
    seen = scores[treated].sum()
    mean, variance = every_assignment(tables, gamma)
    (found,) = matched_sets(scores, sets, treated, [gamma])
    assert found.high == pytest.approx(float(ndtr((mean - seen) / math.sqrt(variance))))
    least, spread = every_assignment([[-v for v in t] for t in tables], gamma)
    assert found.low == pytest.approx(float(ndtr((-least - seen) / math.sqrt(spread))))
    shuffled = rng.permutation(len(scores))
    again = matched_sets(scores[shuffled], sets[shuffled], treated[shuffled], [gamma])[0]
    assert (again.low, again.high) == pytest.approx((found.low, found.high))


def test_of_two_worst_factors_the_one_of_larger_variance_counts():
    # scores 3, 2, 0 and odds of 2: (6 + 2) / 4 and (6 + 4) / 5 are both 2, with variances 1.5 and 1.2
    scores, sets = np.tile([3.0, 2.0, 0.0], 5), np.repeat(np.arange(5), 3)
    treated = np.tile([True, False, False], 5)
    (found,) = matched_sets(scores, sets, treated, [2.0])
    assert found.high == pytest.approx(float(ndtr((5 * 2 - 15) / math.sqrt(5 * 1.5))))


def test_one_comparison_person_beside_several_is_the_mirror_image():
    scores = np.array([1.0, 4.0, 2.0, 0.0, 3.0])
    sets = np.array([0, 0, 0, 1, 1])
    one = np.array([True, False, False, True, False])
    several, single = matched_sets(-scores, sets, ~one, [1.5])[0], matched_sets(scores, sets, one, [1.5])[0]
    assert (several.low, several.high) == pytest.approx((single.low, single.high))


def test_sets_that_cannot_be_bounded_are_refused():
    four = np.arange(4.0)
    with pytest.raises(EstimationError, match="both sides"):
        matched_sets(four, np.zeros(4), np.array([1, 1, 0, 0]))
    with pytest.raises(EstimationError, match="both groups"):
        matched_sets(four, np.zeros(4), np.zeros(4))
    with pytest.raises(EstimationError, match="nobody differs"):
        matched_sets(np.ones(4), np.array([0, 0, 1, 1]), np.array([1, 0, 1, 0]))
    with pytest.raises(EstimationError, match="numbers"):
        matched_sets(np.array([np.nan, 1.0]), np.zeros(2), np.array([1, 0]))
    with pytest.raises(EstimationError, match="from 1"):
        signed_rank(four, [0.5])
    with pytest.raises(EstimationError, match="no pair differs"):
        signed_rank(np.zeros(3))


def test_bounds_open_as_hidden_odds_grow_and_close_at_one(pairs):
    found = signed_rank(-pairs, [1, 1.2, 2, 5])
    assert found[0].low == found[0].high
    assert all(a.low >= b.low and a.high <= b.high for a, b in itertools.pairwise(found))


def test_what_a_result_bears(pairs):
    least = tolerated(lambda g: signed_rank(-pairs, g))
    assert least is not None
    assert signed_rank(-pairs, [least])[0].high == pytest.approx(0.05, abs=1e-9)
    assert 1.2 < least < 1.25  # at 1.25 the p-value printed above is 0.0507
    assert tolerated(lambda g: signed_rank(pairs, g)) is None
    assert tolerated(lambda g: discordant(500, 2, g)) == math.inf
    assert discordant(500, 2, [MOST])[0].high < 0.05


def test_with_the_odds_allowed_for_a_true_null_is_rejected_no_more_often_than_agreed():
    """Pairs whose hidden factor doubles the odds and decides the outcome: naive tests fail, the bound holds."""
    rng, naive, bound = np.random.default_rng(4), [], []
    for _ in range(300):
        hidden = rng.normal(size=(150, 2))
        first = rng.random(150) < np.where(hidden[:, 0] > hidden[:, 1], 2 / 3, 1 / 3)
        outcome = hidden + rng.normal(size=hidden.shape) * 0.01
        apart = np.where(first, outcome[:, 0] - outcome[:, 1], outcome[:, 1] - outcome[:, 0])
        one, two = signed_rank(apart, [1, 2])
        naive.append(one.high <= 0.05)
        bound.append(two.high <= 0.05)
    assert np.mean(naive) > 0.9
    assert np.mean(bound) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)
