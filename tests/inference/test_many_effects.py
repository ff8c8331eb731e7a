"""Many effects together: p-values by hand, shrinkage against the pooling of few, a funnel by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.heterogeneity import heterogeneity
from ucimpact.inference.many_effects import any_false, between, false_discovery, funnel_spread, shrink


def test_adjusted_p_values_by_hand():
    p = np.array([0.04, 0.01, 0.03, 0.9])
    # in order .01 .03 .04 .9: times 4/1, 4/2, 4/3, 4/4 is .04 .06 .0533 .9, then the least from there on
    assert false_discovery(p) == pytest.approx([4 * 0.04 / 3, 0.04, 4 * 0.04 / 3, 0.9])
    # times 4, 3, 2, 1 is .04 .09 .08 .9, then the most so far
    assert any_false(p) == pytest.approx([0.09, 0.04, 0.09, 0.9])


def test_adjusted_p_values_are_those_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(2).beta(0.4, 2, size=500)
    p[:20] = p[20:40]
    assert false_discovery(p) == pytest.approx(multitest.multipletests(p, method="fdr_bh")[1])
    assert any_false(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


@pytest.mark.parametrize(("tau", "seed"), [(0.0, 1), (0.3, 2), (2.0, 3)])
def test_variance_between_is_that_of_the_pooling_of_few(tau: float, seed: int):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.1, 1.5, 40)
    y = rng.normal(1.0, tau, 40) + rng.normal(size=40) * errors
    expected = heterogeneity(y, errors**2, np.ones((40, 1)), "reml").tau2
    assert between(y, errors**2) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_shrinkage_of_equal_errors_by_hand():
    y = np.array([0.0, 2.0, 4.0, 10.0])
    found = shrink(y, np.full(4, 1.0))
    # equal errors: tau2 + 1 is the plain variance of y
    tau2 = np.var(y, ddof=1) - 1
    assert found.tau2 == pytest.approx(tau2)
    assert found.mean == pytest.approx(4.0)
    kept = tau2 / (tau2 + 1)
    assert found.effects == pytest.approx(4 + kept * (y - 4))
    assert found.std_errors[0] == pytest.approx(np.sqrt(kept + (1 - kept) ** 2 * (tau2 + 1) / 4))


def test_shrunken_effects_are_nearer_the_truth_and_their_limits_hold():
    rng = np.random.default_rng(5)
    truth, errors = rng.normal(-1, 0.5, 4000), rng.uniform(0.2, 2.0, 4000)
    y = truth + rng.normal(size=4000) * errors
    found = shrink(y, errors)
    assert np.mean((found.effects - truth) ** 2) < 0.3 * np.mean((y - truth) ** 2)
    assert np.mean(np.abs(found.effects - truth) < 1.96 * found.std_errors) == pytest.approx(0.95, abs=0.015)


def test_two_effects_show_no_difference_between_effects():
    with pytest.raises(EstimationError, match="three are the least"):
        shrink(np.array([1.0, 2.0]), np.ones(2))


def test_funnel_by_hand():
    y, errors = np.array([-3.0, -1.0, 0.0, 1.0, 3.0]), np.ones(5)
    plain = funnel_spread(y, errors, overdispersion="none")
    # the outer tenths lie at -2.2 and 2.2: (2 * 4.84 + 2) / 5
    assert plain.centre == pytest.approx(0) and plain.dispersion == pytest.approx(2.336)
    assert plain.allowed(errors) == pytest.approx(errors)
    added = funnel_spread(y, errors, overdispersion="additive")
    assert added.tau2 == pytest.approx((5 * 2.336 - 4) / (5 - 1))
    assert added.allowed(errors) == pytest.approx(np.sqrt(1 + added.tau2))
    times = funnel_spread(y, errors, overdispersion="multiplicative")
    assert times.allowed(errors) == pytest.approx(np.sqrt(2.336))


def test_a_funnel_of_chance_alone_is_hardly_widened():
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.5, 2, 5000)
    spread = funnel_spread(rng.normal(size=5000) * errors, errors, overdispersion="additive")
    assert spread.tau2 < 0.02


def test_no_such_overdispersion():
    with pytest.raises(ValueError, match='no overdispersion "more"'):
        funnel_spread(np.zeros(3), np.ones(3), overdispersion="more")
