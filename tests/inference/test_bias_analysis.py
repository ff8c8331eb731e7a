"""A stated bias taken off: exact cases, the two kinds of error added, and statements that cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.bias_analysis import Belief, Stated, with_belief, with_controls

Z = 1.959964


def known(share: float) -> Stated:
    return Stated(share, share, "share")


def test_a_range_is_what_somebody_is_sure_of():
    rng = np.random.default_rng(1)
    z = rng.standard_normal(200_000)
    for stated in (Stated(0.1, 0.4, "share"), Stated(1.2, 5.0, "ratio")):
        drawn = stated.at(z)
        assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([stated.low, stated.high], rel=0.02)
    assert Stated(1.2, 5.0, "ratio").at(np.zeros(1)) == pytest.approx(math.sqrt(6))


def test_a_bias_that_is_known_shifts_the_whole_range_and_no_more():
    # 40% against 20%, doubling: 1.4 / 1.2. A ratio of 0.8 becomes 0.8 x 1.2 / 1.4
    belief = Belief("frailty", known(0.4), known(0.2), Stated(2.0, 2.0, "ratio"))
    found = with_belief(math.log(0.8), 0.05, belief, draws=200_000)
    shift = 1.2 / 1.4
    assert found.ratio == pytest.approx(0.8 * shift, rel=2e-3)
    assert found.low == pytest.approx(0.8 * shift * math.exp(-Z * 0.05), rel=2e-3)
    assert found.high == pytest.approx(0.8 * shift * math.exp(Z * 0.05), rel=2e-3)
    assert (found.bias, found.bias_low, found.bias_high) == pytest.approx((1.4 / 1.2,) * 3)
    assert found.beyond > 0.999


def test_few_degrees_of_freedom_widen_it_as_t_does():
    belief = Belief("none", known(0.2), known(0.2), Stated(2.0, 2.0, "ratio"))
    found = with_belief(0.0, 0.1, belief, df=5, draws=400_000)
    assert math.log(found.high) == pytest.approx(2.5706 * 0.1, rel=0.02)


def test_two_kinds_of_error_add_as_variances_do():
    """Few who have it: the log bias is near the share times (g - 1), and its spread that of the share."""
    found = with_controls(-0.3, 0.1, (0.02, 0.03), Stated(4.0, 4.0, "ratio"), draws=400_000)
    assert math.log(found.ratio) == pytest.approx(-0.3 - 0.08, abs=2e-3)
    assert math.log(found.high / found.low) == pytest.approx(2 * Z * math.hypot(0.1, 0.12), rel=0.01)
    assert math.log(found.bias) == pytest.approx(0.08, abs=2e-3)


def test_what_is_left_on_the_side_of_the_result():
    # left ~ N(-0.1, 0.1): a draw in about six lies beyond no change
    found = with_controls(-0.1, 0.1, (0.0, 0.0), Stated(4.0, 4.0, "ratio"), draws=400_000)
    assert found.beyond == pytest.approx(0.8413, abs=0.003)
    assert with_controls(0.1, 0.1, (0.0, 0.0), Stated(4.0, 4.0, "ratio")).beyond == pytest.approx(
        0.8413, abs=0.01
    )


def test_factors_that_act_apart_add_their_logs():
    one = Belief("a", known(0.4), known(0.2), Stated(2.0, 2.0, "ratio"))
    both = with_belief(0.0, 0.01, (one, one), draws=1_000)
    assert both.bias == pytest.approx((1.4 / 1.2) ** 2)
    assert both.name == "a and a"


def test_shares_that_move_together_leave_less_bias():
    shares = Stated(0.05, 0.5, "share")
    spread = []
    for correlation in (0.0, 0.9, 1.0):
        belief = Belief("x", shares, shares, Stated(3.0, 3.0, "ratio"), correlation)
        found = with_belief(0.0, 1e-9, belief)
        spread.append(math.log(found.bias_high / found.bias_low))
    assert spread[0] > 2 * spread[1] > spread[2]
    assert spread[2] == pytest.approx(0.0, abs=1e-9)


def test_the_same_seed_gives_the_same_range():
    belief = Belief("x", Stated(0.1, 0.4, "share"), known(0.2), Stated(1.5, 3.0, "ratio"))
    assert with_belief(-0.2, 0.1, belief, seed=3) == with_belief(-0.2, 0.1, belief, seed=3)
    assert with_belief(-0.2, 0.1, belief, seed=3) != with_belief(-0.2, 0.1, belief, seed=4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Stated(0.4, 0.1, "share"),
        lambda: Stated(0.1, 1.2, "share"),
        lambda: Stated(0.0, 0.5, "share"),
        lambda: Stated(0.0, 2.0, "ratio"),
        lambda: Stated(1.0, math.inf, "ratio"),
        lambda: Belief("x", known(0.1), known(0.1), known(0.1)),
        lambda: Belief("x", known(0.1), known(0.1), Stated(1, 2, "ratio"), 2.0),
        lambda: with_belief(0.1, 0.1, ()),
        lambda: with_controls(0.1, 0.1, (0.0, 0.1), known(0.5)),
    ],
)
def test_what_cannot_be_stated_is_refused(make):
    with pytest.raises(EstimationError):
        make()
