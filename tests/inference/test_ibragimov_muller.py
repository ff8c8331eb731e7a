"""Tables by hand, scipy, and unequal variances that do not make it refuse too often."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.inference.test_randomisation import contrasts
from ucimpact.errors import EstimationError
from ucimpact.inference.ibragimov_muller import IbragimovMuller, one_sample


def test_by_hand() -> None:
    """Pilot 4, 6 (mean 5, variance 2); others 1, 2, 3 (mean 2, variance 1): t = 3 / sqrt(2/2 + 1/3) on 1 df."""
    found = IbragimovMuller().infer(contrasts(np.array([4.0, 6, 1, 2, 3]), 2), 0.95)
    assert found.estimate[0] == pytest.approx(3)
    assert found.std_error[0] == pytest.approx(np.sqrt(4 / 3))
    assert found.df[0] == 1
    half = stats.t.ppf(0.975, 1) * np.sqrt(4 / 3)
    assert (found.low[0], found.high[0]) == pytest.approx((3 - half, 3 + half))


def test_the_statistic_is_that_of_welch() -> None:
    d = np.random.default_rng(1).normal(size=20)
    found = IbragimovMuller().infer(contrasts(d, 7), 0.95)
    welch = stats.ttest_ind(d[:7], d[7:], equal_var=False)
    assert found.statistic[0] == pytest.approx(welch.statistic)
    assert found.p_value[0] == pytest.approx(2 * stats.t.sf(abs(welch.statistic), 6))


def test_shares_weigh_the_means_and_the_deviations() -> None:
    d = np.array([1.0, 3.0, 0.0, 2.0, 4.0])
    shares = np.array([0.75, 0.25, -0.5, -0.25, -0.25])
    found = IbragimovMuller().infer(contrasts(d, 2, shares), 0.95)
    pilot = 2 * (0.75**2 * 0.5**2 + 0.25**2 * 1.5**2)  # about 1.5, times n/(n-1)
    others = 3 / 2 * (0.5**2 * 1.5**2 + 0.25**2 * 0.5**2 + 0.25**2 * 2.5**2)  # about 1.5
    assert found.std_error[0] == pytest.approx(np.sqrt(pilot + others))


def test_one_sample_is_the_ordinary_t() -> None:
    estimates = np.array([-1.0, -3.0, 0.5, -2.0])
    found, judge = one_sample(estimates, 0.95), stats.ttest_1samp(estimates, 0)
    assert found.p_value[0] == pytest.approx(judge.pvalue)
    assert (found.low[0], found.high[0]) == pytest.approx(tuple(judge.confidence_interval(0.95)))


def test_a_lone_place_has_no_spread() -> None:
    assert np.isnan(IbragimovMuller().infer(contrasts(np.arange(6.0) ** 2, 1), 0.95).p_value[0])
    with pytest.raises(EstimationError, match="2 places or more"):
        one_sample(np.array([1.0]), 0.95)


@pytest.mark.parametrize("sd", [0.2, 1.0, 5.0])
def test_unequal_variances_never_make_it_refuse_too_often(sd: float) -> None:
    """12/4, 4,000 draws; 5% would be known to 0.35."""
    d = np.random.default_rng(3).normal(size=(4000, 12)) * np.where(np.arange(12) < 4, sd, 1.0)
    assert (IbragimovMuller().infer(contrasts(d, 4), 0.95).p_value <= 0.05).mean() < 0.0605
