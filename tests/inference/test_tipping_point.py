"""What would explain a ratio: worked by hand, put back in, and held against the E-value."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ucimpact.errors import EstimationError
from ucimpact.inference.sensitivity import e_value
from ucimpact.inference.tipping_point import (
    bias,
    difference_needed,
    share_needed,
    strength_needed,
    tipping,
)


def test_a_bias_by_hand():
    # 40% against 20% with a factor that doubles the outcome: 1.4 / 1.2
    assert bias(2.0, 0.4, 0.2) == pytest.approx(1.4 / 1.2)
    assert bias(1.0, 0.9, 0.1) == 1.0
    assert bias(3.0, 0.2, 0.2) == 1.0


def test_a_bias_is_what_counting_people_gives():
    """Ten thousand people a side, no effect, and a hidden factor: the ratio of the two means."""
    rng = np.random.default_rng(1)
    hidden = [rng.random(400_000) < share for share in (0.15, 0.35)]
    means = [rng.poisson(0.3 * np.where(h, 2.5, 1.0)).mean() for h in hidden]
    assert means[0] / means[1] == pytest.approx(float(bias(2.5, 0.15, 0.35)), rel=0.01)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 0.97, 1.1, 1.6])
def test_what_is_needed_gives_the_ratio_when_put_back(ratio):
    for p1, p0 in itertools.product((0.0, 0.1, 0.3, 0.8, 1.0), repeat=2):
        needed = strength_needed(ratio, p1, p0)
        if needed is not None:
            assert bias(needed, p1, p0) == pytest.approx(ratio)
    for g, p0 in itertools.product((0.3, 1.5, 3.0, 8.0), (0.05, 0.3, 0.9)):
        share = share_needed(ratio, g, p0)
        if share is not None:
            assert bias(g, share, p0) == pytest.approx(ratio)


def test_no_factor_is_strong_enough_where_shares_are_near():
    # 30% against 40%: the ratio of shares is 0.75, so no factor that raises the outcome makes 0.7
    assert strength_needed(0.7, 0.3, 0.4) is None
    assert strength_needed(0.8, 0.3, 0.4) == pytest.approx(1 + 0.2 / 0.02)
    assert strength_needed(0.8, 0.4, 0.4) is None, "alike in it, so it explains nothing"
    assert strength_needed(0.8, 0.4, 0.4) is None, "alike in it, so it explains nothing"
    assert share_needed(0.5, 1.2, 0.1) is None
    assert share_needed(0.9, 1.0, 0.1) is None


def test_the_e_value_is_the_least_strength_that_could_explain_a_ratio():
    """With the factor in every pilot person and the least share elsewhere that its link with the service bears."""
    ratio = 1.6
    worst = e_value(ratio).estimate
    # Ding and VanderWeele: with both links at E, the largest bias is E E / (E + E - 1)
    shares = np.linspace(0.001, 1, 1_000)
    largest = bias(worst, np.minimum(worst * shares, 1.0), shares).max()
    assert largest == pytest.approx(ratio, rel=2e-3)


def test_a_difference_by_hand():
    # £300 less with a gap of a fifth: the factor must be worth £1,500 less
    assert difference_needed(-300, 0.2) == pytest.approx(-1_500)
    assert difference_needed(-300, 0.0) is None


def test_the_table_has_the_line_of_the_estimate_and_of_the_limit():
    table = tipping(0.8, 0.7, 0.95, strengths=(2.0,), shares=(0.3,)).rows
    assert table == ({"strength": 2.0, "comparison": 0.3, **dict.fromkeys(("estimate", "limit"))} | {
        "estimate": pytest.approx(0.8 * 0.3 - 0.2), "limit": pytest.approx(0.95 * 0.3 - 0.05)
    },)  # fmt: skip
    assert all(row["limit"] is None for row in tipping(0.9, 0.7, 1.1).rows)
    assert all(row["limit"] is None for row in tipping(0.9).rows)


def test_shares_and_ratios_that_cannot_be_are_refused():
    for call in (
        lambda: bias(0.0, 0.1, 0.2),
        lambda: bias(2.0, 1.1, 0.2),
        lambda: strength_needed(-1.0, 0.1, 0.2),
        lambda: share_needed(np.nan, 2.0, 0.2),
    ):
        with pytest.raises(EstimationError):
            call()
