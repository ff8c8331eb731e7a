"""The result that every method returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ucimpact.estimate import Estimate, effects_frame, joint_draws

ROWS = [
    {"term": "att", "estimate": -2.0, "conf_low": -3.0, "conf_high": -1.0},
    {"term": "cumulative", "estimate": -20.0, "conf_low": -30.0, "conf_high": -10.0},
    {"term": "event", "estimate": 1.0, "event_time": 3},
    {"term": "event", "estimate": 0.0, "event_time": -2},
]


def made(**fields: object) -> Estimate:
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame(ROWS), **fields)  # type: ignore[arg-type]


def test_the_first_effect_is_the_headline() -> None:
    assert made().headline["term"] == "att"


def test_the_path_runs_in_time() -> None:
    assert list(made().path()["event_time"]) == [-2, 3]


def test_ratios_give_no_numbers_avoided() -> None:
    assert made().avoided()["estimate"] == -20.0
    with pytest.raises(ValueError, match="per cent and no numbers avoided"):
        made(scale="log").avoided()


def test_an_unknown_effect_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="att, cumulative, event"):
        made().effect("level_change")


def test_the_summary_repeats_every_warning() -> None:
    text = made(warnings=("9 clusters",), draws_from="a t on 28 df").summary()
    assert "-2 (95% interval -3 to -1), a t on 28 df" in text and "Care: 9 clusters" in text


def test_an_effect_needs_a_term() -> None:
    with pytest.raises(ValueError, match="needs a term"):
        effects_frame([{"estimate": 1.0}])


def test_the_notebook_form_escapes_column_names() -> None:
    bad = Estimate(method="did", estimand="ATT", outcome="<script>", effects=effects_frame(ROWS[:1]))
    assert "<script>" not in bad._repr_html_()


def of(est: float, low: float, high: float, df: float = np.inf, **fields: Any) -> Estimate:
    row = {"term": "cumulative", "estimate": est, "conf_low": low, "conf_high": high, "df": df}
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame([row]), **fields)


@pytest.mark.parametrize(
    ("low", "high", "df"), [(-30.0, -10.0, 4.0), (-26.0, 40.0, 1.0), (-21.0, -5.0, np.inf)]
)
def test_draws_give_the_printed_limits_back(low: float, high: float, df: float) -> None:
    draws = joint_draws([of(-20.0, low, high, df)])[:, 0]
    assert np.quantile(draws, [0.025, 0.975], method="hazen") == pytest.approx([low, high], rel=1e-9)
    assert np.median(draws) == pytest.approx(-20.0, rel=1e-3)


def test_estimates_on_the_same_units_are_drawn_together() -> None:
    by_unit = np.array([[3.0], [-3.0], [1.0], [-1.0]])
    other = np.array([[1.0], [-1.0], [-3.0], [3.0]])  # at right angles to the first
    units = ("a", "b", "c", "d")
    first = of(-20.0, -30.0, -10.0, influence=by_unit, sampling_units=units)
    twice = of(-2.0, -3.0, -1.0, influence=by_unit / 10, sampling_units=units)
    apart = of(-2.0, -3.0, -1.0, influence=other, sampling_units=units)
    assert np.corrcoef(joint_draws([first, twice]).T)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert np.corrcoef(joint_draws([first, apart]).T)[0, 1] == pytest.approx(0.0, abs=0.03)


def test_estimates_on_different_units_give_the_widest_range_of_a_sum() -> None:
    first, second = of(-20.0, -30.0, -10.0), of(4.0, 1.0, 7.0)
    draws = joint_draws([first, second], signs=[-1, -1])
    low, high = np.quantile(-draws.sum(axis=1), [0.025, 0.975], method="hazen")
    assert (low, high) == pytest.approx((10 - 7, 30 - 1), rel=1e-6)
    against = joint_draws([first, second], signs=[-1, 1])
    low, high = np.quantile(-against[:, 0] + against[:, 1], [0.025, 0.975], method="hazen")
    assert (low, high) == pytest.approx((10 + 1, 30 + 7), rel=1e-6)


def test_an_effect_without_a_range_has_no_draws() -> None:
    with pytest.raises(ValueError, match="without a likely range"):
        joint_draws([of(-20.0, np.nan, np.nan)])
