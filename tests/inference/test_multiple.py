"""Several questions at once: steps worked by hand, another implementation, and false findings kept to 5%."""

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ucimpact.inference.multiple import (
    benjamini_hochberg,
    bonferroni_stretch,
    chance_of,
    holm,
    null_sizes,
    romano_wolf,
    size_of,
    stretch,
)


def test_holm_and_benjamini_hochberg_by_hand():
    p = [0.04, 0.01, 0.03]
    assert holm(p) == pytest.approx([0.06, 0.03, 0.06])  # .01 x 3, .03 x 2, then no less than .06
    assert benjamini_hochberg(p) == pytest.approx(
        [0.04, 0.03, 0.04]
    )  # .04 x 3/3, .03 x 3/2 capped by .04, .01 x 3


@pytest.mark.parametrize("seed", range(12))
def test_another_implementation_agrees(seed):
    p = np.random.default_rng(seed).beta(0.4, 1.0, size=1 + seed).round(2)  # with ties
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_romano_wolf_by_hand():
    draws = np.array([[1.0, 5.0, 0.0], [2.0, 0.0, 1.0], [0.0, 3.0, 9.0], [1.0, 1.0, 1.0]])
    found = romano_wolf([4.0, 2.5, 0.5], draws)
    # largest of all three: 5, 2, 9, 1: two reach 4. Of the last two: 5, 1, 9, 1: two reach 2.5.
    # Of the last: 0, 1, 9, 1: three reach 0.5.
    assert found == pytest.approx([3 / 5, 3 / 5, 4 / 5])


def brute_force(statistics, draws):
    """Step down by name: drop the largest, look again at those that are left, never fall."""
    left, adjusted, least = list(range(len(statistics))), {}, 0.0
    while left:
        at = max(left, key=lambda k: statistics[k])
        reached = sum(max(row[k] for k in left) >= statistics[at] for row in draws)
        least = max(least, (1 + reached) / (1 + len(draws)))
        adjusted[at] = least
        left.remove(at)
    return [adjusted[k] for k in range(len(statistics))]


@pytest.mark.parametrize("seed", range(6))
def test_romano_wolf_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    statistics, draws = rng.exponential(size=5), rng.exponential(size=(60, 5))
    assert romano_wolf(statistics, draws) == pytest.approx(brute_force(statistics, draws))


def test_the_order_of_questions_changes_nothing():
    p = np.array([0.2, 0.001, 0.03, 0.04])
    draws = np.random.default_rng(3).exponential(size=(200, 4))
    for order in map(list, itertools.permutations(range(4))):
        assert holm(p[order]) == pytest.approx(holm(p)[order])
        assert benjamini_hochberg(p[order]) == pytest.approx(benjamini_hochberg(p)[order])
        assert romano_wolf(1 / p[order], draws[:, order]) == pytest.approx(romano_wolf(1 / p, draws)[order])


def test_questions_that_are_one_question_cost_nothing_and_unlike_ones_cost_what_holm_takes():
    same = null_sizes(np.ones((3, 3)), [8.0] * 3, 40_000, 1)
    assert stretch(same) == pytest.approx(1.0, abs=0.02)
    alone = chance_of(1.4, 8.0)
    assert romano_wolf([1.4] * 3, same) == pytest.approx([alone] * 3, abs=0.003)
    apart = null_sizes(np.eye(3), [np.inf] * 3, 40_000, 1)
    exact = 1 - (1 - chance_of(1.4, np.inf)) ** 3
    assert romano_wolf([1.4, 0.1, 0.0], apart)[0] == pytest.approx(exact, abs=0.002)
    sidak = stats.norm.ppf(1 - (1 - 0.95 ** (1 / 3)) / 2) / stats.norm.ppf(0.975)
    assert stretch(apart) == pytest.approx(sidak, abs=0.012)
    assert bonferroni_stretch([np.inf] * 3)[0] > sidak


def test_each_question_keeps_its_own_degrees_of_freedom():
    sizes = null_sizes(np.array([[1.0, -0.7], [-0.7, 1.0]]), [3.0, 40.0], 60_000, 2)
    assert (sizes > 1).mean(axis=0) == pytest.approx([0.05, 0.05], abs=0.003)
    wide = stats.t.ppf(1 - 0.05 / 4, [3.0, 40.0]) / stats.t.ppf(0.975, [3.0, 40.0])
    assert bonferroni_stretch([3.0, 40.0]) == pytest.approx(wide)


def test_a_chance_is_under_5_just_where_the_range_leaves_out_no_change():
    for low, high in ((-9.0, -0.01), (-9.0, 0.01), (0.02, 4.0), (-0.02, 4.0)):
        est = (low + high) / 2 - 0.5  # not in the middle
        assert (chance_of(size_of(est, low, high), 7.0) < 0.05) == (low > 0 or high < 0)
    assert size_of(0.0, -1.0, 1.0) == 0.0
    assert chance_of(size_of(-2.0, -4.0, 0.0), 7.0) == pytest.approx(0.05)


def test_a_false_finding_among_six_is_made_in_one_of_twenty():
    """Six unlike outcomes of the same forty places; nothing changed. One by one, a quarter would be wrong."""
    rng, m, n, runs = np.random.default_rng(4), 6, 40, 600
    corr = 0.3 + 0.7 * np.eye(m)
    root = np.linalg.cholesky(corr)
    any_alone = any_holm = any_joint = held = 0
    for run in range(runs):
        values = rng.standard_normal((n, m)) @ root.T
        mean, parts = values.mean(axis=0), (values - values.mean(axis=0)) / n
        half = stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
        sizes = np.abs(mean) / half
        p = [chance_of(size, n - 1.0) for size in sizes]
        joint = null_sizes(np.corrcoef(parts.T), [n - 1.0] * m, 1_000, run)
        any_alone += min(p) < 0.05
        any_holm += holm(p).min() < 0.05
        any_joint += romano_wolf(sizes, joint).min() < 0.05
        held += bool((np.abs(mean) <= stretch(joint) * half).all())
    assert any_alone / runs > 0.15
    assert any_holm / runs == pytest.approx(0.045, abs=0.027)  # 600 runs: three sd of 5% are 2.7 points
    assert any_joint / runs == pytest.approx(0.05, abs=0.027)
    assert held / runs == pytest.approx(0.95, abs=0.027)


@pytest.mark.parametrize("wrong", [[], [0.2, 1.2], [np.nan], [[0.1]]])
def test_what_is_no_chance_is_refused(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(wrong)


def test_draws_of_other_questions_are_refused():
    with pytest.raises(ValueError, match="as many columns"):
        romano_wolf([1.0, 2.0], np.ones((5, 3)))
