"""What a test before the start could have seen: against normal probabilities, simulation and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ucimpact.errors import EstimationError
from ucimpact.inference.honest_path import EventPath
from ucimpact.inference.pretrends import Joint, OneByOne, equivalence

Array = np.ndarray


def path(pre: int = 4, post: int = 3, ar: float = 0.5, sd: float = 0.4, estimate: float = 0.3) -> EventPath:
    """Effects measured from the last period before the start, noise that carries over."""
    t = np.arange(pre + 1 + post)
    spread = sd**2 * ar ** np.abs(t[:, None] - t)
    change = np.delete(np.eye(len(t)) - np.eye(len(t))[pre], pre, axis=0)
    times = np.delete(t - pre - 1.0, pre)
    return EventPath(estimate * np.cos(3 * times), change @ spread @ change.T, times, -1.0)


def inside(made: EventPath, slope: float, level: float = 0.95) -> float:
    """Chance that every effect lies inside its interval, by scipy's multivariate normal."""
    before = made.before
    cov = made.cov[np.ix_(before, before)]
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(np.diag(cov))
    mean = slope * made.since[before]
    return float(
        stats.multivariate_normal.cdf(
            half, mean, cov, lower_limit=-half, maxpts=400_000, abseps=1e-6, rng=np.random.default_rng(1)
        )
    )


@pytest.mark.parametrize("pre", [1, 2, 4, 8])
@pytest.mark.parametrize("slope", [0.0, 0.1, 0.3])
def test_power_is_the_normal_probability(pre: int, slope: float) -> None:
    made = path(pre)
    assert OneByOne(made).power(slope) == pytest.approx(1 - inside(made, slope), abs=2e-3)


def test_one_period_by_hand() -> None:
    made = path(1)
    sd = float(np.sqrt(made.cov[0, 0]))
    z = stats.norm.ppf(0.975)
    slope = OneByOne(made).slope_for(0.8)
    assert slope == pytest.approx(sd * (z + stats.norm.ppf(0.8)), rel=2e-3)  # the other side adds 1e-6
    assert Joint(made).slope_for(0.8) == pytest.approx(slope, rel=2e-3)


@pytest.mark.parametrize("power", [0.5, 0.8])
def test_the_slope_for_a_power_has_that_power(power: float) -> None:
    made = path(6)
    for test in (OneByOne(made), Joint(made), Joint(made, df_den=11.0)):
        assert test.power(test.slope_for(power)) == pytest.approx(power, abs=1e-3)
        assert test.power(-test.slope_for(power)) == pytest.approx(power, abs=2e-3)


def test_twenty_four_periods_have_an_answer() -> None:
    made = path(24, 12)
    test = OneByOne(made)
    slopes = test.slope_for(0.5), test.slope_for(0.8)
    bias = test.bias(slopes[1], np.full(12, 1 / 12))
    margins = equivalence(made)
    assert 1 - inside(made, slopes[0]) == pytest.approx(0.5, abs=0.005)
    assert np.isfinite([*bias, margins.largest, margins.root_mean_square]).all()


def test_the_joint_power_is_that_of_draws() -> None:
    made = path(4)
    before = made.before
    cov = made.cov[np.ix_(before, before)]
    draws = np.random.default_rng(3).multivariate_normal(0.2 * made.since[before], cov, 200_000)
    wald = np.einsum("ij,jk,ik->i", draws, np.linalg.inv(cov), draws)
    assert Joint(made).power(0.2) == pytest.approx(np.mean(wald > stats.chi2.ppf(0.95, 4)), abs=0.004)
    assert Joint(made).power(0.0) == pytest.approx(0.05, abs=1e-10)


def test_combinations_are_tested_as_given() -> None:
    """The slope alone: its noncentral F is a t squared."""
    made = path(4)
    row = np.array([[-0.4, -0.2, 0.0, 0.2]])
    mean, sd = float(row[0] @ made.since[:4]), float(np.sqrt(row[0] @ made.cov[:4, :4] @ row[0]))
    test = Joint(made, rows=row, df_den=12.0)
    t = stats.t.ppf(0.975, 12)
    there = stats.nct(12, 0.3 * mean / sd)
    assert test.power(0.3) == pytest.approx(1 - there.cdf(t) + there.cdf(-t), rel=1e-6)


def test_a_singular_covariance_has_the_rank_it_has() -> None:
    made = path(3)
    poor = EventPath(made.estimate, np.outer(made.since, made.since), made.times, -1.0)
    assert Joint(poor).power(0.0) == pytest.approx(0.05)
    one_number = 1 - stats.ncx2.cdf(stats.chi2.ppf(0.95, 1), 1, 1.0)
    assert Joint(poor).power(1.0) == pytest.approx(one_number)
    assert OneByOne(poor).power(1.0) == pytest.approx(one_number, abs=2e-3)


def test_bias_among_data_sets_that_pass() -> None:
    made, slope = path(3, 2), 0.25
    weights = np.array([0.5, 0.5])
    draws = np.random.default_rng(5).multivariate_normal(slope * made.since, made.cov, 400_000)
    half = stats.norm.ppf(0.975) * np.sqrt(np.diag(made.cov))
    passed = (np.abs(draws) <= half)[:, made.before].all(axis=1)
    plain, conditional = OneByOne(made).bias(slope, weights)
    assert plain == pytest.approx(0.25 * 1.5)
    assert conditional == pytest.approx((draws[passed] @ made.loading(weights)).mean(), abs=4e-3)


def test_margins_by_hand() -> None:
    made = path(1, estimate=0.2)
    size, sd = abs(float(made.estimate[0])), float(np.sqrt(made.cov[0, 0]))
    found = equivalence(made)
    assert found.tost == pytest.approx(size + stats.norm.ppf(0.95) * sd)
    for margin in (found.largest, found.mean, found.root_mean_square):  # one gap is all three
        folded = stats.norm.cdf((size - margin) / sd) - stats.norm.cdf((-size - margin) / sd)
        assert folded == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize("direction", range(6))
def test_gaps_as_large_as_the_margin_are_seldom_ruled_out(direction: int) -> None:
    """Whatever the direction of the gaps, at most 5% of data sets have a smaller margin than the truth."""
    made = path(4, sd=0.5)
    before = made.before
    cov = made.cov[np.ix_(before, before)]
    _, vectors = np.linalg.eigh(cov)
    way = vectors[:, direction] if direction < 4 else np.random.default_rng(direction).normal(size=4)
    gaps = 1.2 * way / np.linalg.norm(way)
    rng = np.random.default_rng(100 + direction)
    below = np.zeros(3)
    for _ in range(300):
        estimate = made.estimate.copy()
        estimate[before] = rng.multivariate_normal(gaps, cov)
        found = equivalence(EventPath(estimate, made.cov, made.times, -1.0))
        truth = np.abs(gaps).max(), abs(gaps.mean()), np.sqrt((gaps**2).mean())
        below += np.array([found.largest, found.mean, found.root_mean_square]) < truth
    assert (below / 300 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 300)).all()


def test_no_path_is_refused() -> None:
    alone = path(0)
    with pytest.raises(EstimationError, match="no path"):
        OneByOne(alone)
    with pytest.raises(EstimationError, match="no path"):
        Joint(alone).power(0.1)
    with pytest.raises(EstimationError, match="no path"):
        equivalence(alone)
