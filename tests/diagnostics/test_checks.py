"""A check answers in words, and silence is never a pass."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ucimpact.data.periods import Frequency
from ucimpact.diagnostics.check import Check
from ucimpact.diagnostics.context import Known, other_change, same_coding
from ucimpact.diagnostics.panel_checks import as_changeable, placebo_units, pre_trend, unmeasured
from ucimpact.diagnostics.series_checks import placebo_dates, placebo_years, residuals, season
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.study import Event

MONTH = Frequency("month")
START = MONTH.ordinal(dt.date(2022, 4, 1))


def estimate(extras: dict[str, Any], band: float = 1.0, effect: float = -4.0) -> Estimate:
    rows = [{"term": "att", "estimate": effect, "conf_low": effect - 1, "conf_high": effect + 1}]
    rows += [{"term": "level_change", "estimate": effect}]
    rows += [
        {
            "term": "event",
            "estimate": 0.1,
            "event_time": t,
            "conf_low_simultaneous": -band,
            "conf_high_simultaneous": band,
        }
        for t in (-4, -3, -2)
    ]
    return Estimate(method="did", estimand="ATT", outcome="y", effects=effects_frame(rows), extras=extras)


@pytest.mark.parametrize(
    ("p", "slope", "band", "worthwhile", "answer"),
    [
        (0.50, 0.0, 1.0, 2.0, "holds"),
        (0.50, 0.0, 3.0, 2.0, "cannot tell"),
        (0.50, 0.0, 1.0, None, "cannot tell"),
        (0.05, 0.0, 1.0, 2.0, "doubtful"),
        (0.005, 0.5, 1.0, 2.0, "doubtful"),
        (0.005, 3.0, 1.0, 2.0, "fails"),
    ],
)
def test_pre_trend_follows_the_table(
    p: float, slope: float, band: float, worthwhile: float | None, answer: str
) -> None:
    found = pre_trend(
        estimate({"pre_trend": {"p_value": p, "slope_at_middle": slope}}, band), worthwhile=worthwhile
    )
    assert found.answer == answer


def test_no_test_before_the_pilot_is_no_pass() -> None:
    assert pre_trend(estimate({}), worthwhile=2.0).answer == "cannot tell"


@pytest.mark.parametrize(
    ("events", "logged", "answer"),
    [
        ([], False, "cannot tell"),
        ([], True, "holds"),
        ([Event(date=dt.date(2022, 6, 1), what="A ward closed")], True, "doubtful"),
        ([Event(date=dt.date(2022, 4, 9), what="A hub opened", same_outcome=True)], True, "fails"),
        ([Event(date=dt.date(2021, 1, 1), what="Long before", same_outcome=True)], True, "holds"),
    ],
)
def test_another_change_near_the_start(events: list[Event], logged: bool, answer: str) -> None:
    assert other_change(events, logged=logged, frequency=MONTH, start=START).answer == answer


@pytest.mark.parametrize(
    ("away", "answer"), [(-6, "holds"), (-5, "doubtful"), (0, "doubtful"), (5, "doubtful"), (6, "holds")]
)
def test_a_change_that_the_analysis_takes_out_is_in_doubt_under_six_months_away(
    away: int, answer: str
) -> None:
    known = [Known(what="the new guidance", first=START + away)]
    told = other_change([], logged=True, frequency=MONTH, start=START, known=known)
    assert told.answer == answer
    if answer == "doubtful":
        label = MONTH.label(START + away)
        assert told.text == f"The new guidance, {label}. How much it did is not known."


def test_a_start_inside_a_change_that_lasts_is_in_doubt_whatever_its_length() -> None:
    known = [Known(what="the pandemic", first=START - 7, last=START + 8)]
    event = Event(date=dt.date(2022, 6, 1), what="A ward closed")
    told = other_change([event], logged=True, frequency=MONTH, start=START, known=known)
    assert told.answer == "doubtful"
    assert told.text.startswith("A ward closed, 1 June 2022; the pandemic, ")
    assert told.text.endswith("How much each did is not known.")


@pytest.mark.parametrize(
    ("coding", "answer"),
    [
        ("unchanged", "holds"),
        ("changed, both readings", "doubtful"),
        ("changed", "fails"),
        (None, "cannot tell"),
    ],
)
def test_coding_is_declared_or_unknown(coding: str | None, answer: str) -> None:
    assert same_coding(coding).answer == answer


def test_the_lone_place_is_ranked_among_the_others() -> None:
    many = placebo_units(estimate({"placebo": {"estimates": [0.1 * k for k in range(19)]}}))
    assert many is not None and many.answer == "holds" and many.p_value == pytest.approx(1 / 20)
    amid = placebo_units(estimate({"placebo": {"estimates": [5.0] * 3 + [0.1] * 16}}))
    assert amid is not None and amid.answer == "doubtful" and "3 of 19" in amid.text
    few = placebo_units(estimate({"placebo": {"estimates": [0.1] * 5}}))
    assert few is not None and few.answer == "cannot tell"


def test_a_variable_pilot_place_is_flagged() -> None:
    calm = as_changeable(estimate({"rule": {"flag_ratio": 1.2, "variance_flag": False}}))
    wild = as_changeable(estimate({"rule": {"flag_ratio": 2.6, "variance_flag": True}}))
    assert calm is not None and wild is not None
    assert (calm.answer, wild.answer) == ("holds", "doubtful")
    assert as_changeable(estimate({})) is None


@pytest.mark.parametrize(
    ("separable", "years", "answer"), [(False, 0.7, "fails"), (False, 1.5, "doubtful"), (True, 3.0, "holds")]
)
def test_a_season_seen_too_seldom_is_no_pass(separable: bool, years: float, answer: str) -> None:
    found = season(estimate({"season": {"separable": separable, "why": "So."}}), years_before=years)
    assert found is not None and found.answer == answer


def test_residual_pattern_and_placebo_dates() -> None:
    left = residuals(estimate({"ljung_box": {"statistic": 30.0, "p_value": 0.001}}))
    none = residuals(estimate({"ljung_box": {"statistic": 3.0, "p_value": 0.6}}))
    assert left is not None and none is not None and (left.answer, none.answer) == ("doubtful", "holds")


@pytest.mark.parametrize(
    ("p", "enough", "answer"),
    [(1 / 26, True, "holds"), (6 / 26, True, "doubtful"), (1 / 26, False, "cannot tell")],
)
def test_earlier_dates_are_a_guide(p: float, enough: bool, answer: str) -> None:
    rows = [{"start": str(k), "average": 0.1} for k in range(25)]
    found = placebo_dates(estimate({"placebo_dates": rows, "placebo_rank": {"p_value": p, "enough": enough}}))
    assert found is not None and found.answer == answer
    assert f"{round(p * 26) - 1} of 25" in found.text


def test_other_years_that_fall_as_far_fail_it() -> None:
    year = {"years": 1, "start": "1 December 2023", "percent": -0.03, "low": -0.1, "high": 0.1}
    assert placebo_years(-0.02, [year]).answer == "fails"  # type: ignore[union-attr]
    calm = placebo_years(-0.20, [year])
    assert calm is not None and calm.answer == "cannot tell" and "one year later" in calm.text
    assert placebo_years(-0.2, []) is None


def test_what_is_unrecorded_never_passes() -> None:
    for includes in (True, False):
        for controlled in (True, False):
            assert unmeasured(includes_no_change=includes, controlled=controlled).answer == "cannot tell"


def test_a_check_survives_plain_values() -> None:
    made = unmeasured(includes_no_change=True, controlled=True)
    assert Check.from_dict(made.to_dict()) == made
