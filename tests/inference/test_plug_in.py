"""One guess of tau: the guesses of meta-analysis, and the effects at them."""

from __future__ import annotations

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.heterogeneity import heterogeneity
from ucimpact.inference.joint import equal_correlation
from ucimpact.inference.many_effects import shrink
from ucimpact.inference.plug_in import plug_in

Y = np.array([0.45, 0.05, -0.32, 0.18, 0.02])
SE = np.array([0.10, 0.08, 0.15, 0.11, 0.2])


@pytest.mark.parametrize("how", ["REML", "DL", "PM"])
def test_without_anything_shared_it_is_the_tau_of_meta_analysis(how: str) -> None:
    found = plug_in(Y, np.diag(SE**2), how)
    assert found.tau**2 == pytest.approx(heterogeneity(Y, SE**2, np.ones((5, 1)), how.lower()).tau2, rel=1e-9)
    assert found.tau > 0.05
    assert plug_in(Y / 10, np.diag(SE**2), how).tau == 0


def test_the_effects_are_those_of_empirical_bayes() -> None:
    found, other = plug_in(Y, np.diag(SE**2)), shrink(Y, SE)
    assert found.mean == pytest.approx(other.effects, rel=1e-9)
    assert found.sd == pytest.approx(other.std_errors, rel=1e-9)
    low, high = found.interval(0.9)
    assert (high - low) / 2 == pytest.approx(1.644854 * found.sd, rel=1e-6)


@pytest.mark.parametrize("how", ["REML", "DL", "PM"])
def test_a_common_error_moves_all_and_says_nothing_of_their_spread(how: str) -> None:
    """With equal errors s and correlation r, tau is that of independent errors s sqrt(1 - r)."""
    found = plug_in(Y, equal_correlation(np.full(5, 0.1), 0.4), how)
    assert found.tau == pytest.approx(plug_in(Y, 0.006 * np.eye(5), how).tau, rel=1e-9)


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(EstimationError, match="two are the least"):
        plug_in(np.array([0.1]), np.array([[0.01]]))
    with pytest.raises(EstimationError, match="use shrink"):
        plug_in(Y, np.outer(SE, SE))
    with pytest.raises(ValueError, match="use one of"):
        plug_in(Y, np.diag(SE**2), "ML")
