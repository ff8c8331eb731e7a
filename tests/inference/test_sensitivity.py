"""E-values judged by the R package EValue, and the rule of the negative controls clause by clause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import golden
from ucimpact.errors import EstimationError
from ucimpact.inference import glm
from ucimpact.inference.sandwich import sandwich
from ucimpact.inference.sensitivity import (
    Control,
    Pooled,
    Ratio,
    Verdict,
    bias_not_excluded,
    e_value,
    in_pool,
    pool,
    pooled_controls,
    ratio_of_difference,
    ratio_of_hazards,
    ratio_of_odds,
    verdict,
)

CASES = {
    "rr": (Ratio(0.80, 0.71, 0.91), 1.0),
    "rr_protective_null_cross": (Ratio(0.90, 0.77, 1.05), 1.0),
    "or_rare": (ratio_of_odds(Ratio(1.45, 1.05, 2.01), rare=True), 1.0),
    "or_common": (ratio_of_odds(Ratio(1.45, 1.05, 2.01), rare=False), 1.0),
    "hr": (ratio_of_hazards(Ratio(0.56, 0.46, 0.69), rare=False), 1.0),
    "md": (ratio_of_difference(-0.42, 0.14), 1.0),
    "ols": (ratio_of_difference(0.293, 0.122, sd=1.1), 1.0),
    "rr_nonnull": (Ratio(0.7, 0.6, 0.85), 0.9),
}


@pytest.mark.parametrize("name", CASES)
def test_e_values_are_those_of_the_r_package(name: str, shared: Path) -> None:
    ratio, null = CASES[name]
    risk, strength = golden(shared / "reference" / "golden" / "sensitivity.json")[name]
    assert [ratio.point, ratio.lo, ratio.hi] == pytest.approx([risk["point"], risk["lower"], risk["upper"]])
    found = e_value(ratio.point, ratio.lo, ratio.hi, null=null)
    limit = strength["upper"] if strength["lower"] is None else strength["lower"]
    assert (found.estimate, found.limit) == pytest.approx((strength["point"], limit))


def test_an_e_value_by_hand() -> None:
    # a halving: 2 + sqrt(2 x 1); a range that reaches 0.8: 1.25 + sqrt(1.25 x 0.25)
    found = e_value(0.5, 0.3, 0.8)
    assert found.estimate == pytest.approx(2 + np.sqrt(2))
    assert found.limit == pytest.approx(1.25 + np.sqrt(0.3125))
    assert e_value(2.0).estimate == pytest.approx(found.estimate)
    assert e_value(2.0).limit is None
    assert e_value(1.0, 0.9, 1.1).estimate == 1.0


def test_a_ratio_of_nothing_has_no_e_value() -> None:
    with pytest.raises(EstimationError, match="above 0"):
        e_value(0.0, 0.0, 0.5)


def test_pooling_by_hand() -> None:
    # weights 1/0.01 and 1/0.04: 0.8 and 0.2
    apart = pooled_controls(np.array([0.1, -0.4]), np.diag([0.01, 0.04]))
    assert apart.log_ratio == pytest.approx(0.0)
    assert apart.std_error == pytest.approx(np.sqrt(0.64 * 0.01 + 0.04 * 0.04))
    # what two controls share does not average out
    joint = pooled_controls(np.array([0.1, -0.4]), np.array([[0.01, 0.01], [0.01, 0.04]]))
    assert joint.std_error == pytest.approx(np.sqrt(0.008 + 2 * 0.8 * 0.2 * 0.01))


def test_a_control_without_a_variance_is_not_pooled() -> None:
    with pytest.raises(EstimationError, match="Leave it out"):
        pooled_controls(np.array([0.1, np.nan]), np.diag([0.01, 0.04]))


def test_controls_of_the_same_frail_people_keep_their_level_only_with_the_joint_covariance() -> None:
    rng = np.random.default_rng(1)
    n = 400
    x = np.column_stack([np.ones(n), np.arange(n) < 150])
    joint, apart = [], []
    for _ in range(300):
        frailty = rng.gamma(0.5, 2.0, n)
        fits = [glm.poisson(rng.poisson(rate * frailty).astype(float), x) for rate in (0.5, 0.8, 1.5, 3.0)]
        ratios = np.array([fit.coef[1] for fit in fits])
        cov = sandwich(np.column_stack([fit.influence[:, 1] for fit in fits]), None, "HC0")
        joint.append(pooled_controls(ratios, cov).z)
        apart.append(pooled_controls(ratios, np.diag(np.diag(cov))).z)
    assert np.mean(np.abs(joint) > 1.96) == pytest.approx(0.055, abs=0.027)  # 300 draws: two sd is 0.025
    assert np.mean(np.abs(apart) > 1.96) > 0.12


def control(reach: str = "after", z: float = 0.0, events: float = 200) -> Control:
    return Control(reach, reach, z * 0.1, 0.1, z, events)  # type: ignore[arg-type]


def pooled(z: float) -> Pooled:
    return Pooled(z * 0.02, 0.02, z, np.full(3, 1 / 3))


THREE = [control("deaths"), control("after"), control("before")]


@pytest.mark.parametrize(
    ("controls", "z", "effect", "state", "because"),
    [
        (THREE, 2.6, -0.2, "fails", "pooled"),
        (THREE, -2.6, -0.2, "fails", "pooled"),
        (THREE, 2.5, -0.2, "doubtful", "pooled"),
        (THREE, -1.7, -0.2, "doubtful", "pooled"),
        (THREE, 1.6, -0.2, "holds", "none apart"),
        ([control("deaths", -2.0), *THREE[1:]], 0.5, -0.2, "doubtful", "deaths"),
        ([control("deaths", 2.0), *THREE[1:]], 0.5, -0.2, "holds", "none apart"),
        ([control("deaths", 2.0), *THREE[1:]], 0.5, 0.2, "doubtful", "deaths"),
        ([control("deaths", 3.5)], 3.5, 0.2, "doubtful", "pooled"),
        (THREE[:2], 0.5, -0.2, "cannot tell", "few controls"),
        (THREE[:2], 3.0, -0.2, "fails", "pooled"),
        ([control("deaths", 0, 9), control(), control()], 0.5, -0.2, "cannot tell", "few deaths"),
        ([control("deaths", 0, 10), control(), control()], 0.5, -0.2, "holds", "none apart"),
        ([control(), control(), control("before")], 0.5, -0.2, "holds", "none apart"),
    ],
)
def test_the_rule(controls: list[Control], z: float, effect: float, state: str, because: str) -> None:
    found = verdict(controls, pooled(z), effect)
    assert (found.state, found.because) == (state, because)
    assert found.not_excluded == pytest.approx(4 * (abs(z) * 0.02 + 1.64 * 0.02))


def test_no_controls_tell_nothing() -> None:
    assert verdict([], None, -0.2).state == "cannot tell"
    assert verdict([], None, -0.2).not_excluded is None


def deaths(events: float, log_ratio: float = 0.0, z: float = 0.0) -> Control:
    return Control(f"deaths_{events:g}", "deaths", log_ratio, 0.2, z, events)


def test_deaths_over_two_windows_are_pooled_once_and_both_may_cast_doubt() -> None:
    month, quarter = deaths(20, 0.4, 2.0), deaths(45, 0.1, 0.5)
    made = [month, quarter, control("before")]
    cov = np.diag([0.04, 0.04, 0.01])
    found = pool(made, cov)
    assert found is not None
    assert in_pool(made).tolist() == [False, True, True]
    assert found.weights == pytest.approx([0.0, 0.2, 0.8])
    assert found.log_ratio == pytest.approx(0.2 * 0.1)
    # they count as one towards the three, and the shorter window still casts doubt
    assert verdict(made, found, -0.2).state == "cannot tell"
    three = [*made, control("after")]
    calm = pool(three, np.diag([0.04, 0.04, 0.01, 0.01]))
    assert verdict(three, calm, -0.2).state == "holds"
    assert verdict(three, calm, 0.2) == Verdict("doubtful", "deaths", verdict(three, calm, -0.2).not_excluded)
    assert pool([], np.zeros((0, 0))) is None


def test_the_size_that_is_not_excluded_by_hand() -> None:
    # 4 x (0.01 + 1.64 x 0.02), and in proportion for a reader who holds another multiple
    found = pooled(0.5)
    assert bias_not_excluded(found) == pytest.approx(4 * (0.01 + 0.0328))
    assert bias_not_excluded(found, 2.0) == pytest.approx(2 * (0.01 + 0.0328))
    assert verdict(THREE, found, -0.2, times=2.0).not_excluded == pytest.approx(0.0856)
    for z in (-3.0, -2.0, 0.0, 2.0, 3.0):  # whatever the answer
        assert verdict(THREE, pooled(z), -0.2).not_excluded == pytest.approx(4 * 0.02 * (abs(z) + 1.64))
    with pytest.raises(EstimationError, match="above 0"):
        bias_not_excluded(found, 0.0)
