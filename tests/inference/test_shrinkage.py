"""Shrinking by hand, against matrices and integrals done without the eigen form, and what must hold always."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ucimpact.errors import EstimationError
from ucimpact.inference import standing_out
from ucimpact.inference.plug_in import plug_in
from ucimpact.inference.shrinkage import Prior, Shrunk, chances, equal_correlation, shared_arm, shrink

Y = np.array([0.31, 0.05, -0.12, 0.18])
SE = np.array([0.20, 0.08, 0.15, 0.11])
COVS = {
    "nothing shared": np.diag(SE**2),
    "equal correlation": equal_correlation(SE, 0.5),
    "one arm": shared_arm(SE, 0.005),
    "move as one": np.outer(SE, SE),
}
PRIORS = {"usual": Prior(), "flat": Prior(mean_sd=None), "tight": Prior(spread=0.02, mean_sd=0.05)}


def at_one_tau(
    y: np.ndarray, cov: np.ndarray, tau: float, mean_sd: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log likelihood, mean and covariance from the joint normal of effects and estimates, average and all."""
    k = len(y)
    prior = mean_sd**2 * np.ones((k, k)) + tau**2 * np.eye(k)
    gain = np.linalg.solve(prior + cov, prior).T
    likely = stats.multivariate_normal(np.zeros(k), prior + cov, allow_singular=True).logpdf(y)
    return float(likely), gain @ y, prior - gain @ prior


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
@pytest.mark.parametrize("cov", COVS.values(), ids=COVS)
def test_each_tau_is_what_direct_matrices_give(cov: np.ndarray, prior: Prior) -> None:
    found = shrink(Y, cov, prior)
    if prior.mean_sd is None:
        for tau, mean, part in zip(found.tau, found.means, found.covs, strict=True):
            inverse = np.linalg.inv(cov + tau**2 * np.eye(4))
            hat = inverse.sum(axis=0) / inverse.sum()
            pulled = tau**2 * inverse
            line = (np.eye(4) - pulled).sum(axis=1)
            assert mean == pytest.approx(hat @ Y + pulled @ (Y - hat @ Y), abs=1e-10)
            assert part == pytest.approx(
                tau**2 * np.eye(4) - tau**2 * pulled + np.outer(line, line) / inverse.sum(), abs=1e-10
            )
        return
    direct = [at_one_tau(Y, cov, tau, prior.mean_sd) for tau in found.tau]
    singular = np.linalg.matrix_rank(cov) == 1  # then the matrices are no longer exact
    held = found.weights > 1e-9 if singular else slice(None)
    close = 1e-6 if singular else 1e-10
    assert found.means[held] == pytest.approx(np.array([one[1] for one in direct])[held], abs=close)
    assert found.covs[held] == pytest.approx(np.array([one[2] for one in direct])[held], abs=close)
    width = np.cbrt(found.tau - found.spread_edges[0])
    height = np.array([one[0] for one in direct]) + stats.halfnorm(scale=prior.spread).logpdf(found.tau)
    weights = width**2 * np.exp(height - height.max())
    assert found.weights == pytest.approx(weights / weights.sum(), abs=close)


def test_the_mixture_is_its_parts_put_together() -> None:
    found = shrink(Y, COVS["one arm"])
    mean = sum(w * m for w, m in zip(found.weights, found.means, strict=True))
    second = sum(
        w * (c + np.outer(m, m)) for w, c, m in zip(found.weights, found.covs, found.means, strict=True)
    )
    assert found.mean == pytest.approx(mean, abs=1e-14)
    assert found.cov == pytest.approx(second - np.outer(mean, mean), abs=1e-14)
    assert found.sd == pytest.approx(np.sqrt(np.diag(found.cov)), abs=1e-14)
    assert found.sds == pytest.approx(np.sqrt(np.diagonal(found.covs, axis1=1, axis2=2)), abs=1e-14)


def brute_force(
    y: np.ndarray, cov: np.ndarray, prior: Prior, x: float, most: int = 99
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Means, standard deviations and chances above x of the effects, and the mean of tau, by a grid over the
    average, tau and who stands out: each a cell of equal width, weighed by prior density and likelihood."""
    assert prior.mean_sd is not None
    k = len(y)
    averages = np.linspace(-0.5, 0.5, 201)
    taus = (np.arange(200) + 0.5) * prior.spread * 5 / 200
    chance, wide = prior.outliers or (0.0, 1.0)
    total, first, second, above, tau_mean = 0.0, np.zeros(k), np.zeros(k), np.zeros(k), 0.0
    for out in product([False, True], repeat=k) if chance else [(False,) * k]:
        if sum(out) > most:
            continue
        ways = chance ** sum(out) * (1 - chance) ** (k - sum(out))
        for tau in taus:
            own = np.diag(np.where(out, wide**2, tau**2))
            whole = own + cov
            gain = np.linalg.solve(whole, own).T
            rest = y[:, None] - averages
            likely = np.exp(-0.5 * (rest * np.linalg.solve(whole, rest)).sum(axis=0)) / np.sqrt(
                np.linalg.det(whole)
            )
            weight = ways * likely * np.exp(-0.5 * (tau / prior.spread) ** 2)
            weight = weight * np.exp(-0.5 * (averages / prior.mean_sd) ** 2)
            mean, variance = averages + gain @ rest, np.diag(own - gain @ own)[:, None]
            total += weight.sum()
            first += mean @ weight
            second += (mean**2 + variance) @ weight
            above += stats.norm.cdf((mean - x) / np.sqrt(variance)) @ weight
            tau_mean += tau * weight.sum()
    mean = first / total
    return mean, np.sqrt(second / total - mean**2), above / total, tau_mean / total


@pytest.mark.parametrize("outliers", [None, (0.1, 0.3)])
def test_three_pilots_against_a_grid_over_average_tau_and_who_stands_out(
    outliers: tuple[float, float] | None,
) -> None:
    y, cov = np.array([0.45, 0.02, -0.05]), equal_correlation(np.array([0.12, 0.07, 0.10]), 0.3)
    prior = Prior(outliers=outliers)
    mean, sd, above, tau = brute_force(y, cov, prior, 0.1)
    found = shrink(y, cov, prior)
    assert found.mean == pytest.approx(mean, abs=5e-4)
    assert found.sd == pytest.approx(sd, abs=5e-4)
    assert found.chance_above(0.1) == pytest.approx(above, abs=3e-3)
    assert found.spread_mean == pytest.approx(tau, abs=5e-4)


def test_of_many_no_more_than_a_few_may_stand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """13 pilots have 1,093 ways for up to four, of 169 cells each; with 25, two would be too many."""
    assert [standing_out.most_out(k) for k in (1, 7, 12, 13, 24, 25, 60)] == [1, 7, 12, 4, 2, 1, 1]
    monkeypatch.setattr(standing_out, "ALL_WAYS", 2)
    monkeypatch.setattr(standing_out, "WAYS", 4 * 9)  # none or one of three
    y, cov = np.array([0.45, 0.02, -0.35]), equal_correlation(np.array([0.12, 0.07, 0.10]), 0.3)
    prior = Prior(outliers=(0.3, 0.3))
    mean, sd, above, tau = brute_force(y, cov, prior, 0.1, most=1)
    found = shrink(y, cov, prior)
    assert found.mean == pytest.approx(mean, abs=5e-4)
    assert found.sd == pytest.approx(sd, abs=5e-4)
    assert found.chance_above(0.1) == pytest.approx(above, abs=3e-3)
    assert found.spread_mean == pytest.approx(tau, abs=5e-4)
    monkeypatch.undo()
    assert np.abs(shrink(y, cov, prior).mean - mean).max() > 0.005  # two of three may


def test_the_grid_of_tau_is_fine_enough() -> None:
    """Whether the prior decides, or the estimates hold tau in its tail or at one value."""
    many = np.linspace(-0.9, 0.9, 200)
    cases = [
        (Y, COVS["one arm"], 0.1),
        (Y, COVS["one arm"], 5.0),
        (Y, COVS["move as one"], 0.02),
        (many, 0.01 * np.eye(200), 0.1),
        (np.array([0.1, 0.1001, 0.3]), np.diag([1e-6, 1e-6, 0.04]), 0.1),
    ]
    for y, cov, spread in cases:
        usual, fine = (shrink(y, cov, Prior(spread=spread, grid=grid)) for grid in (65, 1001))
        assert usual.mean == pytest.approx(fine.mean, abs=1e-8)
        assert usual.sd == pytest.approx(fine.sd, abs=1e-8)
        assert usual.spread_mean == pytest.approx(fine.spread_mean, abs=1e-8)
        assert usual.spread_interval() == pytest.approx(fine.spread_interval(), rel=1e-3, abs=1e-5)


def test_many_estimates_hold_tau_beyond_its_prior() -> None:
    """Two hundred effects spread evenly over -.9 to .9 have standard deviation .52; the noise takes .01 off."""
    found = shrink(np.linspace(-0.9, 0.9, 200), 0.01 * np.eye(200))
    low, high = found.spread_interval()
    assert 0.4 < low < found.spread_mean < high < 0.55
    assert found.chance_spread_above(0.4) > 0.99


def test_one_alone_with_a_flat_mean_is_as_measured_and_says_nothing_of_tau() -> None:
    found = shrink(np.array([0.2]), np.array([[0.01]]), Prior(mean_sd=None))
    assert found.mean == pytest.approx([0.2])
    assert found.sd == pytest.approx([0.1])
    assert np.ravel(found.interval()) == pytest.approx([0.2 - 0.195996, 0.2 + 0.195996], abs=1e-6)
    assert found.chance_spread_above(0.1) == pytest.approx(2 * stats.norm.sf(1), abs=1e-6)
    assert found.spread_interval() == pytest.approx(
        (0.1 * stats.norm.ppf(0.5125), 0.1 * stats.norm.ppf(0.9875)), rel=1e-4
    )
    assert found.best() == [1.0]


def test_one_alone_with_a_sceptical_mean_by_hand() -> None:
    """At one tau the prior of the effect has variance .01 + tau squared, and the estimate .01."""
    found = shrink(np.array([0.2]), np.array([[0.01]]))
    own = 0.01 + found.tau**2
    assert found.means[:, 0] == pytest.approx(0.2 * own / (own + 0.01))
    assert found.covs[:, 0, 0] == pytest.approx(own * 0.01 / (own + 0.01))


def test_two_alike_with_a_flat_mean_by_hand() -> None:
    """Each keeps tau2 / (tau2 + .01) of its distance from the middle, .2."""
    found = shrink(np.array([0.3, 0.1]), 0.01 * np.eye(2), Prior(mean_sd=None))
    kept = found.tau**2 / (found.tau**2 + 0.01)
    assert found.means == pytest.approx(np.column_stack([0.2 + 0.1 * kept, 0.2 - 0.1 * kept]))
    assert found.mean[0] > found.mean[1]
    likely = np.exp(-0.01 / (found.tau**2 + 0.01) - found.tau**2 / 0.02) / np.sqrt(found.tau**2 + 0.01)
    likely = likely * np.cbrt(found.tau) ** 2
    assert found.weights == pytest.approx(likely / likely.sum())


def test_estimates_that_err_as_one_keep_their_differences() -> None:
    found = shrink(np.array([0.3, 0.1, 0.0]), np.full((3, 3), 0.04))
    drawn = found.draws(500, seed=2)
    assert drawn[:, 0] - drawn[:, 1] == pytest.approx(np.full(500, 0.2), abs=1e-6)
    assert found.best() == pytest.approx([1, 0, 0])


def test_limits_leave_what_they_say_on_either_side() -> None:
    found = shrink(Y, COVS["equal correlation"])
    low, high = found.interval(0.9)
    assert found.chance_above(low) == pytest.approx(np.full(4, 0.95), abs=1e-10)
    assert found.chance_above(high) == pytest.approx(np.full(4, 0.05), abs=1e-10)
    assert found.quantile(0.05) == pytest.approx(low, abs=1e-12)
    low, high = found.spread_interval(0.9)
    assert found.chance_spread_above(low) == pytest.approx(0.95, abs=1e-10)
    assert found.chance_spread_above(high) == pytest.approx(0.05, abs=1e-10)
    assert found.chance_spread_above(-1.0) == found.chance_spread_above(0.0) == 1


def test_draws_are_of_the_posterior_and_of_their_seed() -> None:
    for prior in (Prior(), Prior(outliers=(0.1, 0.3))):
        found = shrink(Y, COVS["one arm"], prior)
        drawn = found.draws(100_000, seed=4)
        assert drawn.mean(axis=0) == pytest.approx(found.mean, abs=1.5e-3)  # five sd
        assert np.cov(drawn.T) == pytest.approx(found.cov, abs=3e-4)
        assert np.mean(drawn > 0.1, axis=0) == pytest.approx(found.chance_above(0.1), abs=7e-3)
        assert np.array_equal(drawn, found.draws(100_000, seed=4))
        assert not np.array_equal(drawn, found.draws(100_000, seed=5))


def test_chances_of_places() -> None:
    alike = shrink(np.full(4, 0.1), 0.01 * np.eye(4))
    assert alike.best(40_000) == pytest.approx(np.full(4, 0.25), abs=0.011)
    found = shrink(Y, COVS["nothing shared"])
    assert found.best().sum() == pytest.approx(1)
    assert found.top(2).sum() == pytest.approx(2)
    assert (found.top(2) > found.best()).all()
    assert found.top(4) == pytest.approx(np.ones(4))
    with pytest.raises(ValueError, match="1 to 4"):
        found.top(5)


def test_ties_are_dealt_at_random() -> None:
    draws = np.tile([0.2, 0.2, 0.2, 0.1], (30_000, 1))
    assert chances(draws, seed=1) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=0.011)
    assert chances(draws, 2, seed=1) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 0], abs=0.011)


def numbers(found: Shrunk) -> np.ndarray:
    return np.vstack([found.mean, found.sd, *found.interval()])


@pytest.mark.parametrize(
    "prior", [Prior(), Prior(mean_sd=None), Prior(outliers=(0.08, 0.25))], ids=["a", "b", "c"]
)
def test_order_scale_and_sign_do_what_they_should(prior: Prior) -> None:
    cov = COVS["equal correlation"]
    found, order = shrink(Y, cov, prior), np.array([2, 0, 3, 1])
    moved = shrink(Y[order], cov[np.ix_(order, order)], prior)
    assert numbers(moved) == pytest.approx(numbers(found)[:, order], abs=1e-9)
    larger = Prior(
        spread=3 * prior.spread,
        mean_sd=prior.mean_sd and 3 * prior.mean_sd,
        outliers=prior.outliers and (prior.outliers[0], 3 * prior.outliers[1]),
    )
    assert numbers(shrink(3 * Y, 9 * cov, larger)) == pytest.approx(3 * numbers(found), abs=1e-9)
    mirrored = shrink(-Y, cov, prior)
    assert mirrored.mean == pytest.approx(-found.mean, abs=1e-9)
    assert mirrored.interval()[0] == pytest.approx(-found.interval()[1], abs=1e-9)
    if prior.mean_sd is None:
        assert shrink(Y + 5, cov, prior).mean == pytest.approx(found.mean + 5, abs=1e-9)


def test_a_wider_prior_shrinks_less_and_a_larger_error_more() -> None:
    spreads = [shrink(Y, COVS["nothing shared"], Prior(spread=s)).mean[0] for s in (0.02, 0.1, 0.5, 20)]
    assert spreads == sorted(spreads)
    assert spreads[-1] < Y[0]  # four estimates never say that tau is large
    doubtful = np.diag(np.array([0.4, 0.08, 0.15, 0.11]) ** 2)
    assert shrink(Y, doubtful).mean[0] < shrink(Y, COVS["nothing shared"]).mean[0]


def test_one_that_stands_out_is_pulled_in_less_by_the_two_part_prior() -> None:
    y = np.array([0.45, 0.0, 0.02, -0.03, 0.01, 0.03, -0.02])
    cov = 0.006 * np.eye(7)
    half_normal, two_part = shrink(y, cov), shrink(y, cov, Prior(outliers=(0.07, 0.3)))
    assert half_normal.mean[0] + 0.03 < two_part.mean[0] < 0.45
    assert np.abs(two_part.mean[1:]).max() < 0.05
    assert two_part.spread_weights.sum() == pytest.approx(1)
    assert (
        two_part.spread_mean < half_normal.spread_mean
    )  # the one no longer speaks for the spread of the rest


def test_truths_from_the_prior_are_held_as_often_as_said_even_by_the_picked() -> None:
    rng = np.random.default_rng(7)
    held, plugged = [], []
    for _ in range(500):
        se = np.exp(rng.uniform(np.log(0.06), np.log(0.25), 7))
        truth = rng.normal(0, 0.1) + np.abs(rng.normal(0, 0.1)) * rng.standard_normal(7)
        cov = equal_correlation(se, 0.3)
        y = rng.multivariate_normal(truth, cov)
        best = int(np.argmax(y))
        low, high = shrink(y, cov).interval()
        held.append(low[best] <= truth[best] <= high[best])
        low, high = plug_in(y, cov).interval()
        plugged.append(low[best] <= truth[best] <= high[best])
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)  # three sd
    assert np.mean(plugged) < 0.9  # one guess of tau does not hold what it says


@pytest.mark.parametrize(
    "faulty",
    [
        {"spread": 0.0},
        {"spread": np.inf},
        {"mean_sd": 0.0},
        {"mean_sd": np.nan},
        {"outliers": (0.0, 0.3)},
        {"outliers": (0.1, 0.0)},
        {"grid": 1},
    ],
)
def test_a_prior_that_is_none_is_refused(faulty: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"above 0|two values"):
        Prior(**faulty)


def test_faults_in_a_prior_are_named_together() -> None:
    with pytest.raises(ValueError, match=r"spread.*mean_sd.*outliers.*grid"):
        Prior(spread=-1, mean_sd=-1, outliers=(2, 0), grid=0)


def test_refusals_say_the_way_out() -> None:
    with pytest.raises(EstimationError, match="Leave outliers away"):
        shrink(np.zeros(61), np.eye(61), Prior(outliers=(0.1, 0.3)))
    with pytest.raises(EstimationError, match="no number for pilot 2 in the row"):
        shrink(np.array([0.1, np.nan]), np.eye(2))
    found = shrink(Y, COVS["one arm"])
    for wrong in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            found.interval(wrong)
        with pytest.raises(ValueError, match="between 0 and 1"):
            found.quantile(wrong)
        with pytest.raises(ValueError, match="between 0 and 1"):
            found.spread_quantile(wrong)
