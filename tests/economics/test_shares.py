"""Shares known within a range: the distribution's own definition, and what a certain share is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from ucimpact.economics.shares import concentration, draws_of
from ucimpact.study import Share


@pytest.mark.parametrize(
    ("mean", "low", "high"), [(0.4, 0.3, 0.5), (0.45, 0.3, 0.6), (0.75, 0.6, 0.9), (0.8, 0.5, 1.0), (0.02, 0.01, 0.05)]
)  # fmt: skip
def test_the_range_holds_95_in_100_and_the_mean_is_the_best_guess(mean, low, high):
    nu = concentration(mean, low, high)
    made = beta(mean * nu, (1 - mean) * nu)
    assert made.cdf(high) - made.cdf(low) == pytest.approx(0.95, abs=1e-6)
    drawn = draws_of(Share(share=mean, low=low, high=high), 20_000, (1, 1))
    assert drawn.mean() == pytest.approx(mean, abs=1e-4)
    assert ((drawn > low) & (drawn < high)).mean() == pytest.approx(0.95, abs=1e-3)


def test_a_range_of_everything_is_uniform():
    assert concentration(0.5, 0.0, 1.0) == 2.0
    drawn = draws_of(Share(low=0.0, high=1.0), 10_000, (1, 1))
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=1e-3)


def test_two_streams_are_unrelated_and_one_gives_the_same_again():
    share = Share(low=0.3, high=0.5)
    one, other = draws_of(share, 20_000, (1, 1)), draws_of(share, 20_000, (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    np.testing.assert_array_equal(one, draws_of(share, 20_000, (1, 1)))


def test_a_certain_share_is_itself():
    assert set(draws_of(Share(share=0.4), 10, (1, 1))) == {0.4}
    assert set(draws_of(Share(low=0.4, high=0.4), 10, (1, 1))) == {0.4}
