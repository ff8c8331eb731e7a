"""Worth of evidence by hand, against simulation, and where an exact form and an integral must agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from ucimpact.decision.information import (
    Mixture,
    Stakes,
    chance,
    expected,
    gain_of_lines,
    noise_of,
    normal,
    perfect,
    perfect_of_draws,
    sample,
    sample_of_normal,
    sample_within,
    unit_loss,
    update,
    years_left,
)
from ucimpact.inference.shrinkage import shrink

ONE = Stakes(value=np.array([1200.0]), price=np.array([95.0]), people=np.array([900.0]))
MORE_IS_BETTER = Stakes(value=ONE.value, price=ONE.price, people=ONE.people, better="higher")
M, V, NOISE = 0.06, 0.07**2, 0.12**2
THREE = Stakes(
    value=np.full(3, 1200.0), price=np.array([60.0, 95.0, 130.0]), people=np.array([1500.0, 900.0, 500.0])
)
SETS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]], dtype=float)
DRAWS = 400_000


def belief(mean: float = M, variance: float = V) -> Mixture:
    return normal(np.array([mean]), np.array([[variance]]))


def of_three() -> Mixture:
    """Two spreads, correlated: what shrinkage gives, by hand."""
    near, far = 0.03**2 * (np.eye(3) + 1.0), 0.10**2 * (np.eye(3) + 0.2)
    return Mixture(
        weights=np.array([0.4, 0.6]),
        means=np.array([[0.06, 0.06, 0.07], [0.05, 0.08, 0.14]]),
        covs=np.array([near, far]),
    )


def truths(held: Mixture, n: int = DRAWS) -> np.ndarray:
    rng = np.random.default_rng(5)
    part = rng.random(n) < held.weights[0]
    luck = rng.standard_normal((n, held.means.shape[1]))
    first, second = (m + luck @ np.linalg.cholesky(c).T for m, c in zip(held.means, held.covs, strict=True))
    return np.where(part[:, None], first, second)


# -- one pilot ---------------------------------------------------------------------------------


def test_where_it_just_pays_nothing_is_left():
    assert ONE.switching() == pytest.approx(-math.log(1 - 95 / 1200))
    assert MORE_IS_BETTER.switching() == pytest.approx(math.log(1 + 95 / 1200))
    for stakes in (ONE, MORE_IS_BETTER):
        assert stakes.net(stakes.switching()) == pytest.approx(0.0, abs=1e-9)
        assert stakes.net(stakes.switching() + 0.01)[0] > 0
    dear = Stakes(value=np.array([100.0]), price=np.array([101.0]), people=np.array([10.0]))
    assert dear.switching() == math.inf
    assert chance(belief(), dear) == 0
    assert perfect(belief(), dear) == 0
    assert sample(belief(), dear, np.array([NOISE])) == 0


def test_chance_and_expectation_by_hand():
    t = -math.log(1 - 95 / 1200)
    assert chance(belief(), ONE)[0] == pytest.approx(norm.cdf((M - t) / 0.07))
    assert expected(belief(), ONE)[0] == pytest.approx(900 * (1200 * (1 - math.exp(-M + V / 2)) - 95))
    assert expected(belief(), MORE_IS_BETTER)[0] == pytest.approx(
        900 * (1200 * (math.exp(M + V / 2) - 1) - 95)
    )


def test_a_sure_thing_is_worth_no_evidence():
    sure = belief(0.4, 0.01**2)
    assert chance(sure, ONE)[0] == pytest.approx(1.0)
    assert perfect(sure, ONE)[0] == pytest.approx(0.0, abs=1e-6)
    assert sample(sure, ONE, np.array([NOISE]))[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("stakes", [ONE, MORE_IS_BETTER], ids=["fewer", "more"])
@pytest.mark.parametrize("mean", [0.02, 0.06, 0.12])
def test_what_knowing_and_what_a_second_year_is_worth_agree_with_simulation(stakes, mean):
    rng = np.random.default_rng(11)
    theta = mean + math.sqrt(V) * rng.standard_normal(DRAWS)
    net = stakes.net(theta[:, None])[:, 0]
    held = belief(mean)
    error = 5 * net.std() / math.sqrt(DRAWS)
    assert perfect(held, stakes)[0] == pytest.approx(
        np.maximum(net, 0).mean() - max(0, net.mean()), abs=error
    )
    seen = theta + math.sqrt(NOISE) * rng.standard_normal(DRAWS)
    moved = mean + V / (V + NOISE) * (seen - mean)
    after = stakes.averaged(moved, np.full(1, V * NOISE / (V + NOISE)))
    told = np.maximum(after, 0).mean() - max(0.0, after.mean())
    assert sample(held, stakes, np.array([NOISE]))[0] == pytest.approx(told, abs=error)
    assert 0 < sample(held, stakes, np.array([NOISE]))[0] < perfect(held, stakes)[0]


def test_a_new_estimate_without_error_is_worth_what_knowing_is():
    assert sample(belief(), ONE, np.array([1e-10])) == pytest.approx(perfect(belief(), ONE), rel=1e-4)
    assert sample(of_three(), THREE, np.full(3, 1e-7)) == pytest.approx(perfect(of_three(), THREE), rel=1e-3)


def test_the_integral_over_spreads_is_the_exact_form_where_there_is_one_spread():
    twice = Mixture(weights=np.array([0.3, 0.7]), means=np.full((2, 1), M), covs=np.full((2, 1, 1), V))
    assert sample(twice, ONE, np.array([NOISE])) == pytest.approx(
        sample(belief(), ONE, np.array([NOISE])), rel=1e-3
    )


# -- several pilots ----------------------------------------------------------------------------


def test_over_spreads_a_second_year_of_each_agrees_with_simulation():
    held, theta = of_three(), truths(of_three())
    rng, studied = np.random.default_rng(8), 2
    seen = theta[:, studied] + 0.12 * rng.standard_normal(DRAWS)
    after = np.array([_after(held, studied, y) for y in np.quantile(seen, np.linspace(0.0005, 0.9995, 1000))])
    told = np.maximum(after[:, studied], 0).mean() - max(0.0, expected(held, THREE)[studied])
    assert sample(held, THREE, np.full(3, NOISE))[studied] == pytest.approx(told, rel=0.02)
    best = (after @ SETS.T).max(axis=1).mean() - (SETS @ expected(held, THREE)).max()
    found = sample_within(held, THREE, NOISE, studied=studied, sets=SETS)
    assert found == pytest.approx(best, rel=0.02)


def _after(held: Mixture, studied: int, y: float) -> np.ndarray:
    """Expected net benefits after an estimate, by Bayes' rule with matrices."""
    return expected(update(held, np.array([studied]), np.array([y]), np.array([[NOISE]])), THREE)


def test_what_is_learnt_of_all_from_one_averages_to_what_was_believed():
    held = of_three()
    ys, own = np.linspace(-1.2, 1.5, 2001), held.covs[:, 1, 1] + NOISE
    density = (held.weights * norm.pdf(ys[:, None], held.means[:, 1], np.sqrt(own))).sum(axis=1)
    after = np.array([expected(update(held, [1], np.array([y]), np.array([[NOISE]])), THREE) for y in ys])
    assert (density @ after) * (ys[1] - ys[0]) == pytest.approx(expected(held, THREE), rel=1e-6)


def test_new_estimates_of_two_move_belief_as_the_precisions_say():
    held = normal(np.array([0.05, 0.08, 0.14]), 0.1**2 * (np.eye(3) + 0.2))
    pick = np.eye(3)[[0, 2]]
    noise = np.array([[0.01, 0.002], [0.002, 0.02]])
    seen = np.array([0.2, -0.1])
    found = update(held, [0, 2], seen, noise)
    precision = np.linalg.inv(held.covs[0]) + pick.T @ np.linalg.inv(noise) @ pick
    mean = np.linalg.inv(held.covs[0]) @ held.means[0] + pick.T @ np.linalg.inv(noise) @ seen
    assert found.covs[0] == pytest.approx(np.linalg.inv(precision))
    assert found.means[0] == pytest.approx(np.linalg.solve(precision, mean))


def test_a_surprise_speaks_for_the_wider_spread():
    found = update(of_three(), [2], np.array([0.6]), np.array([[0.05**2]]))
    assert found.weights[1] > 0.99
    assert found.weights.sum() == pytest.approx(1.0)


def test_shrunken_results_are_taken_as_they_come_and_their_draws_agree():
    y, cov = np.array([0.12, 0.02, 0.3]), np.diag([0.06, 0.1, 0.2]) ** 2
    held = shrink(y, cov)
    net = THREE.net(held.draws(DRAWS, seed=3))
    assert chance(held, THREE) == pytest.approx((net > 0).mean(axis=0), abs=0.004)
    assert expected(held, THREE) == pytest.approx(net.mean(axis=0), abs=500)
    alone = [perfect_of_draws(np.column_stack([np.zeros(DRAWS), column])) for column in net.T]
    assert perfect(held, THREE) == pytest.approx(alone, rel=0.02)


# -- lines -------------------------------------------------------------------------------------


def test_fund_or_not_is_the_unit_loss():
    mean, sd, noise = 300.0, 1000.0, 1500.0
    moved = sd**2 / math.sqrt(sd**2 + noise**2)
    by_hand = moved * (norm.pdf(mean / moved) - mean / moved * norm.sf(mean / moved))
    found = sample_of_normal(
        np.array([mean]), np.array([[sd**2]]), noise**2, studied=0, sets=np.array([[0.0], [1.0]])
    )
    assert found == pytest.approx(by_hand)
    assert unit_loss(np.array([0.0]))[0] == pytest.approx(1 / math.sqrt(2 * math.pi))


def test_two_pilots_of_which_one_is_funded():
    cov = np.array([[4.0, 1.0], [1.0, 9.0]])
    difference = math.sqrt(4 + 9 - 2)
    found = gain_of_lines(np.array([1.0, 3.0]), np.array([0.0, difference]))
    assert found == pytest.approx(
        difference * (norm.pdf(2 / difference) - 2 / difference * norm.sf(2 / difference))
    )
    moved = (cov[0, 1] - cov[1, 1]) / math.sqrt(9 + 5)
    one = sample_of_normal(np.array([1.0, 3.0]), cov, 5.0, studied=1, sets=np.eye(2))
    assert one == pytest.approx(abs(moved) * unit_loss(np.array([2 / abs(moved)]))[0])


def test_the_envelope_of_many_lines_agrees_with_simulation():
    rng = np.random.default_rng(2)
    z = rng.standard_normal(DRAWS)
    for _ in range(6):
        at_zero, slope = rng.standard_normal(12), rng.standard_normal(12).round(1)
        lines = at_zero + np.outer(z[:50_000], slope)
        best = lines.max(axis=1)
        told, error = best.mean() - at_zero.max(), 5 * best.std() / math.sqrt(50_000)
        assert gain_of_lines(at_zero, slope) == pytest.approx(told, abs=error)


def test_lines_that_never_lead_are_worth_nothing():
    assert gain_of_lines(np.array([5.0, 1.0]), np.array([1.0, 1.0])) == 0
    assert gain_of_lines(np.array([5.0]), np.array([3.0])) == 0
    two = gain_of_lines(np.array([0.0, 0.0]), np.array([-1.0, 1.0]))
    assert gain_of_lines(np.array([0.0, -9.0, 0.0]), np.array([-1.0, 0.0, 1.0])) == pytest.approx(two)


def test_knowing_by_draws_by_hand():
    assert perfect_of_draws(np.array([[0.0, 4.0], [0.0, -2.0]])) == (4 + 0) / 2 - 1


# -- new estimates -----------------------------------------------------------------------------


def test_a_second_estimate_is_as_noisy_as_its_size():
    assert noise_of(np.array([0.1]))[0] == pytest.approx(0.01)
    assert noise_of(np.array([0.1]), people=500, more=2000)[0] == pytest.approx(0.0025)


def test_years_after_the_first_are_discounted():
    assert years_left(5) == 4
    assert years_left(2) == 1
    assert years_left(1) == 0
    assert years_left(3, 0.035) == pytest.approx(1 / 1.035 + 1 / 1.035**2)
    assert years_left(3, 0.035, after=0) == pytest.approx(1 + 1 / 1.035 + 1 / 1.035**2)
