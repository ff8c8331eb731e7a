"""What an evaluation tells a league: the log ratio by hand, why it tells none, and what may leave the building."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from ucimpact.disclosure.comparable import comparable as released
from ucimpact.disclosure.counts import Log
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.evaluation.comparable import BELOW_NOTHING, NO_RATIO, OF_RATIOS, log_ratio, refusal

FOUND: dict[str, Any] = {"key_fail": False, "confounded": False, "refused": None, "claim": "B"}


def estimate(**relative: float) -> Estimate:
    row = {"term": "relative", "estimate": -0.2, "conf_low": -0.36, "conf_high": 0.0, "df": 8.0, **relative}
    rows = [{"term": "att", "estimate": -1.0}, row]
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame(rows))


def test_the_log_ratio_and_its_error_by_hand():
    found = log_ratio(estimate())
    half = (math.log(1.0) - math.log(0.64)) / 2
    assert found["log"] == pytest.approx(math.log(0.8))
    assert found["std_error"] == pytest.approx(half / t.ppf(0.975, 8))
    assert found["used_se"] == pytest.approx(half / 1.959963984540054)
    assert found["df"] == 8


@pytest.mark.parametrize("df", [math.nan, math.inf])
def test_without_degrees_of_freedom_both_errors_are_one(df):
    found = log_ratio(estimate(df=df))
    assert found["df"] is None
    assert found["std_error"] == pytest.approx(found["used_se"])


@pytest.mark.parametrize(
    ("changed", "found", "why"),
    [
        ({}, {}, None),
        ({"conf_low": -1.0}, {}, BELOW_NOTHING),
        ({"conf_low": -1.2}, {}, BELOW_NOTHING),
        ({"conf_high": math.nan}, {}, NO_RATIO),
        ({}, {"key_fail": True}, "its comparison does not pass its checks"),
        ({}, {"confounded": True}, "its comparison does not pass its checks"),
        ({}, {"refused": "there are 3 places", "claim": None}, "it has no likely range: there are 3 places"),
        ({}, {"design": "before-after"}, "before and after alone is no comparison"),
    ],
)
def test_why_an_evaluation_cannot_stand_beside_others(changed, found, why):
    assert refusal(estimate(**changed), {**FOUND, **found}) == why


def test_ratios_of_typical_values_and_no_ratio_at_all():
    assert refusal(replace(estimate(), scale="log"), FOUND) == OF_RATIOS
    bare = replace(estimate(), effects=effects_frame([{"term": "att", "estimate": 1.0}]))
    assert refusal(bare, FOUND) == NO_RATIO
    assert refusal(replace(estimate(), method="before-after"), FOUND) is not None


TOLD: dict[str, Any] = {
    "refused": None, "log": -0.123456, "low": -0.234567, "high": -0.012345, "std_error": 0.056789, "df": 12.0,
    "used_se": 0.057891, "expected_each": 0.381234, "analysed": 433.0, "others": [{"label": "x", "per_person": 12.3456}],
    "controls": {"influence": {"Ash": 0.1}, "units": ["Ash"], "pilot_units": {"Elm": None}, "arm_variance": 0.0123456, "files": [], "pool": None},
}  # fmt: skip


def test_of_people_numbers_go_out_to_three_figures_and_nobody_is_named():
    made = released(TOLD, Log(), of_people=True, unsaid=None, times=130 / 133, bare=True)
    assert made["log"] == -0.123 and made["used_se"] == 0.0579
    assert made["expected_each"] == pytest.approx(float(f"{0.381234 * 130 / 133:.3g}"))
    assert made["analysed"] == 435
    assert made["controls"] == {
        **TOLD["controls"], "influence": None, "units": None, "pilot_units": None, "arm_variance": 0.012,
    }  # fmt: skip


def test_a_hidden_count_takes_everything_with_it():
    made = released(TOLD, Log(), of_people=True, unsaid="too few", times=None, bare=True)
    assert made["refused"] == "too few"
    assert all(made[name] is None for name in ("log", "low", "high", "std_error", "used_se", "expected_each"))
    assert made["controls"]["arm_variance"] is None


def test_of_places_the_ratio_stands_and_their_parts_go_where_a_count_is_hidden():
    whole = released(TOLD, Log(), of_people=False, unsaid=None, times=None, bare=False)
    assert whole["log"] == TOLD["log"] and whole["controls"]["influence"] == {"Ash": 0.1}
    bare = released(TOLD, Log(), of_people=False, unsaid=None, times=None, bare=True)
    assert bare["controls"]["influence"] is None and bare["controls"]["units"] == ["Ash"]
    assert bare["controls"]["pilot_units"] == {"Elm": None}
    assert np.isfinite(bare["log"])
