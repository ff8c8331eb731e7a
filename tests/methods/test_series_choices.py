"""Every shape of a change worked by hand, other changes taken out, and what cannot be told apart refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.series import Series
from ucimpact.errors import DesignError
from ucimpact.methods.controlled_its import ControlledITS
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_changes import SHAPES, Change, Shape

N, BEFORE = 40, 25
SINCE = np.arange(N) - BEFORE
PATH = 100 + 0.4 * SINCE + 3 * np.cos(2 * np.pi * SINCE / 12)


def monthly(y: Any, *, before: int = BEFORE, first: str = "2010-01", **columns: Any) -> Series:
    period = np.asarray(pd.period_range(first, periods=len(y), freq="M").astype(str), dtype=object)
    return Series(
        pd.DataFrame({"period": period, "y": np.asarray(y, float), **columns}), start=period[before]
    )


def noisy(n: int = 60, seed: int = 9) -> np.ndarray:
    return 100 + np.random.default_rng(seed).normal(0, 5, n)


def fit(y: Any, *, before: int = BEFORE, columns: Any = None, **choices: Any) -> Any:
    return InterruptedTimeSeries(outcome="y", **choices).fit(monthly(y, before=before, **(columns or {})))


def found(estimate: Any) -> dict[str, float]:
    """The effects by term, those at a period by its number."""
    rows = estimate.effects.to_dict("records")
    return {row["term"]: row["estimate"] for row in rows if row["term"] != "effect_at"}


def coefficient(estimate: Any, name: str) -> float:
    return next(row["estimate"] for row in estimate.extras["coefficients"] if row["name"] == name)


# -- shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "columns"),
    [
        (Shape(kind="level"), {"level change": [0, 0, 1, 1, 1, 1, 1]}),
        (Shape(kind="slope"), {"slope change": [0, 0, 0, 1, 2, 3, 4]}),
        (Shape(kind="level", left_out=2), {"level change": [0, 0, 0, 0, 1, 1, 1]}),
        (
            Shape(kind="level-slope", left_out=1),
            {"level change": [0, 0, 0, 1, 1, 1, 1], "slope change": [0, 0, 0, 0, 1, 2, 3]},
        ),
        (Shape(kind="pulse"), {"pulse": [0, 0, 1, 0, 0, 0, 0]}),
        (Shape(kind="temporary", last=2), {"level change": [0, 0, 1, 1, 1, 0, 0]}),
        (Shape(kind="ramp", grows=3), {"level change": [0, 0, 0.25, 0.5, 0.75, 1, 1]}),
        (
            Shape(kind="level-slope", grows=1),
            {"level change": [0, 0, 0.5, 1, 1, 1, 1], "slope change": [0, 0, 0, 0, 1, 2, 3]},
        ),
    ],
)
def test_columns_of_each_shape(shape: Shape, columns: dict[str, list[float]]) -> None:
    made = shape.columns(np.arange(-2, 5))
    assert {name: column.tolist() for name, column in made.items()} == columns


def test_a_single_name_and_a_table_stand_for_the_tuple_and_the_change() -> None:
    change = Change(start="2011-02", name="new codes", shape="level")
    table = {"start": "2011-02", "name": "new codes", "shape": "level"}
    written = InterruptedTimeSeries(outcome="y", adjust=("flu",), calendar=("easter",), changes=(change,))
    for given in (table, change, [table], (table,)):
        assert InterruptedTimeSeries(outcome="y", adjust="flu", calendar="easter", changes=given) == written
    controlled = ControlledITS(outcome="y", controls="neigh", control_populations=["people"])
    assert (controlled.controls, controlled.control_populations) == (("neigh",), ("people",))


EFFECTS = {
    "level": np.where(SINCE >= 0, -5.0, 0),
    "slope": np.where(SINCE >= 0, -0.5 * SINCE, 0),
    "level-slope": np.where(SINCE >= 0, -5 - 0.5 * SINCE, 0),
    "pulse": np.where(SINCE == 0, 30.0, 0),
    "temporary": np.where((SINCE >= 0) & (SINCE < 8), -7.0, 0),
    "ramp": np.select([SINCE < 0, SINCE < 3], [0, -8 * (SINCE + 1) / 4], -8.0),
}
FIELDS: dict[str, dict[str, Any]] = {"temporary": {"until": "2012-09"}, "ramp": {"phase_in": 3}}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_series_without_noise_gives_each_shape_back(shape: str) -> None:
    effect = EFFECTS[shape]
    running = {"pulse": SINCE == 0, "temporary": (SINCE >= 0) & (SINCE < 8)}.get(shape, SINCE >= 0)
    estimate = fit(PATH + effect, shape=shape, **FIELDS.get(shape, {}))
    got = found(estimate)
    assert got["average"] == pytest.approx(effect[running].mean())
    assert got["cumulative"] == pytest.approx(effect[running].sum())
    assert got["relative"] == pytest.approx(effect[running].mean() / PATH[running].mean())
    level = {"level": -5, "level-slope": -5, "temporary": -7, "ramp": -8}
    slope = {"slope": -0.5, "level-slope": -0.5}
    assert got.get("level_change") == (pytest.approx(level[shape]) if shape in level else None)
    assert got.get("slope_change") == (pytest.approx(slope[shape]) if shape in slope else None)
    np.testing.assert_allclose(estimate.counterfactual["expected"], PATH)
    assert estimate.extras["after"] == running.sum()
    np.testing.assert_array_equal(estimate.counterfactual["running"], running)


def test_a_phase_in_can_grow_instead_of_being_left_out() -> None:
    y = PATH + np.select([SINCE < 0, SINCE < 3], [0, -8 * (SINCE + 1) / 4], -8 - 0.5 * (SINCE - 3))
    grown = fit(y, phase_in=3, phase="ramp")
    left_out = fit(y, phase_in=3)
    for estimate in (grown, left_out):
        assert found(estimate)["level_change"] == pytest.approx(-8)
        assert found(estimate)["slope_change"] == pytest.approx(-0.5)
    assert found(grown)["cumulative"] == pytest.approx((y - PATH).sum())
    assert found(left_out)["cumulative"] == pytest.approx((y - PATH)[SINCE >= 3].sum())
    assert (grown.extras["after"], left_out.extras["after"]) == (15, 12)
    assert grown.counts["left_out"] == []


def test_a_phase_in_that_leaves_nothing_is_named() -> None:
    data = monthly(noisy(), before=42)
    told, *_ = InterruptedTimeSeries(outcome="y", phase_in=20).check_design(data)
    assert str(told) == (
        "Three periods before and after are the least; there are 42 and 0, as phase_in = 20 leaves out 18 "
        "months from the start on. Choose a shorter phase_in, or wait until there are more months."
    )


def test_one_month_after_the_start_is_told_as_one() -> None:
    data = monthly(noisy(), before=42)
    told = InterruptedTimeSeries(outcome="y", shape="pulse").check_design(data)
    assert any(finding.text.startswith("1 month after the start is under a year") for finding in told)


def test_a_pulse_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(200):
        noise = rng.normal(0, 1, N + 20)
        for t in range(1, N + 20):
            noise[t] += 0.5 * noise[t - 1]
        row = fit(PATH + EFFECTS["pulse"] + noise[20:], shape="pulse").headline
        held.append(row["conf_low"] <= 30 <= row["conf_high"])
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)  # 200 draws: two and a half sd


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"shape": "step"}, "choose one of: level, slope, level-slope, pulse, temporary, ramp"),
        ({"shape": "temporary"}, 'needs until, its last period, as in until = "2024-09"'),
        ({"until": "2012-01"}, 'until belongs to shape = "temporary", found shape = "level-slope"'),
        ({"shape": "ramp"}, "needs phase_in, the number of periods over which it grows"),
        ({"shape": "slope", "phase_in": 2, "phase": "ramp"}, "has no level that could grow"),
        ({"shape": "pulse", "phase_in": 2}, "phase_in has no place in it"),
        ({"phase": "grow"}, "choose one of: exclude, ramp"),
        ({"changes": ("2017-04",)}, r"give Change\(start=...\)"),
        ({"changes": "2017-04"}, r"changes holds '2017-04'; give Change\(start=...\)"),
        ({"changes": {"strat": "2017-04"}}, r"changes holds {'strat': '2017-04'}; give Change\(start=...\)"),
        ({"changes": [{"start": "2017-04", "shape": "setp"}]}, 'Change: shape = "setp" is not known'),
        ({"season_profile": "cold"}, "season_profile holds a number that is not above 0"),
        ({"calendar": ("workdays",)}, "choose from: days, working-days"),
        ({"calendar": ("easter", "easter")}, "calendar holds easter more than once"),
        ({"nation": "france"}, "choose one of: england, wales, scotland, northern-ireland"),
    ],
)
def test_choices_that_do_not_hang_together_are_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        InterruptedTimeSeries(outcome="y", **choices)


# -- other changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("at", [12, 33])
def test_another_change_is_taken_out_before_and_after_the_start(shape: str, at: int) -> None:
    own = {"temporary": {"until": "2011-04" if at == 12 else "2013-01"}, "ramp": {"ramp": 3}}.get(shape, {})
    since = np.arange(N) - at
    other = (
        20
        * Shape(kind=shape, grows=own.get("ramp", 0), last={"temporary": 3}.get(shape)).columns(since)[
            "level change"
            if shape not in ("slope", "pulse")
            else {"slope": "slope change"}.get(shape, "pulse")
        ]
    )
    if shape == "level-slope":
        other = other + 2.0 * np.maximum(since, 0)
    change = Change(start="2011-01" if at == 12 else "2012-10", name="new clinic", shape=shape, **own)
    estimate = fit(PATH + EFFECTS["level-slope"] + other, changes=(change,), season="fourier-1")
    assert found(estimate)["level_change"] == pytest.approx(-5)
    assert found(estimate)["slope_change"] == pytest.approx(-0.5)
    np.testing.assert_allclose(estimate.counterfactual["expected"], PATH + other)
    if shape in ("level", "level-slope"):
        assert coefficient(estimate, "new clinic: level change") == pytest.approx(20)


def refusal(series: Series, **choices: Any) -> str:
    with pytest.raises(DesignError) as error:
        InterruptedTimeSeries(outcome="y", **choices).fit(series)
    return str(error.value)


def test_a_change_with_the_pilot_cannot_be_told_apart() -> None:
    text = refusal(monthly(noisy()), changes=(Change(start="2012-02", name="new codes"),))
    assert text.startswith("New codes falls in February 2012, with the pilot: the two cannot be told apart. ")
    assert "Bring a comparison series that has this change and not the pilot" in text


def test_changes_that_cannot_be_told_apart_are_named() -> None:
    pair = (Change(start="2011-01", name="one"), Change(start="2011-02", name="two", shape="level"))
    text = refusal(monthly(noisy()), changes=(*pair, Change(start="2011-01", name="three", shape="pulse")))
    assert "one: level change" in text and "two: level change" in text and "three: pulse" in text
    assert "Take one of them out" in text


def test_changes_outside_the_series_unreadable_or_named_alike_are_refused_together() -> None:
    changes = (
        Change(start="2017-04", name="late"),
        Change(start="2010-01"),
        Change(start="soon"),
        Change(start="2011-06", shape="temporary", until="2011-03", name="short"),
        Change(start="2013-06", name="twice", shape="level"),
        Change(start="2013-09", name="twice", shape="level"),
    )
    text = refusal(monthly(noisy()), changes=changes)
    assert "Late (April 2017) does not fall within the series (January 2010 to December 2014)" in text
    assert "Change of January 2010 (January 2010) does not fall within" in text
    assert "A change is dated soon, which is not a date that fits months" in text
    assert "Short ends in March 2011, before it starts" in text
    assert "More than one change is called twice" in text


def test_the_end_of_a_temporary_pilot_lies_within_the_series() -> None:
    for until in ("2011-12", "2014-12"):
        text = refusal(monthly(noisy()), shape="temporary", until=until)
        assert "does not lie between the start, February 2012, and the last month, December 2014" in text
    assert "until is dated later" in refusal(monthly(noisy()), shape="temporary", until="later").lower()
    fit(noisy(), shape="temporary", until="2014-11")


def warned(estimate: Any, text: str) -> bool:
    return any(text in warning for warning in estimate.warnings)


def test_two_changes_under_half_a_year_apart_are_told() -> None:
    near = fit(noisy(), changes=(Change(start="2012-07", name="new codes", shape="level"),))
    assert warned(near, "The start of the pilot and new codes are 5 months apart: under 6 it is hard to say")
    far = fit(noisy(), changes=(Change(start="2012-08", name="new codes", shape="level"),))
    assert not warned(far, "apart")
    two = (
        Change(start="2010-10", name="one", shape="level"),
        Change(start="2010-12", name="two", shape="level"),
    )
    assert warned(fit(noisy(), changes=two), "One and two are 2 months apart")


def test_a_pilot_close_to_the_pandemic_months_is_told() -> None:
    def dropped(before: int, covid: str = "drop") -> Any:
        series = monthly(noisy(72), before=before, first="2018-01")  # those months are the 26th to the 41st
        return InterruptedTimeSeries(outcome="y", covid=covid).fit(series)

    text = "The end of March 2020 to June 2021 and the start of the pilot are 5 months apart"
    assert warned(dropped(47), text)
    assert not warned(dropped(48), "apart") and not warned(dropped(47, "none"), "apart")
    assert warned(
        dropped(21), "The start of the pilot and the beginning of March 2020 to June 2021 are 5 months"
    )


def test_a_slope_alone_needs_six_months() -> None:
    text = refusal(monthly(noisy(35), before=30), shape="slope")
    assert "A change of slope needs 6 months after the start; there are 5. Wait until there are, or" in text
    fit(noisy(36), before=30, shape="slope")


def test_a_pulse_needs_its_month_and_others() -> None:
    y = noisy(40)
    y[25] = np.nan
    assert "that month does not count" in refusal(monthly(y), shape="pulse")
    assert "there are 2 and 19" in refusal(monthly(noisy(20), before=2), shape="pulse")
    fit(noisy(26), shape="pulse")


# -- calendar, columns, trend ----------------------------------------------------------------------


def test_working_days_and_columns_are_taken_out() -> None:
    strikes = np.zeros(N)
    strikes[[7, 20, 30, 33]] = [3, 1, 4, 2]
    series = monthly(PATH)
    days = np.array([np.busday_count(p, p + 1) for p in np.array(series.table["period"], dtype="M8[M]")])
    assert days.min() < days.max()
    from ucimpact.data.calendar import calendar_columns

    working = calendar_columns(series.frequency, series.ordinals, ("working-days",))["working-days"]
    y = PATH + EFFECTS["level"] + 6.0 * working - 4.0 * strikes
    choices = {"calendar": ("working-days",), "adjust": ("strikes",), "columns": {"strikes": strikes}}
    estimate = fit(y, **choices)
    assert coefficient(estimate, "working-days") == pytest.approx(6)
    assert coefficient(estimate, "adjusted for: strikes") == pytest.approx(-4)
    assert found(estimate)["average"] == pytest.approx(-5)
    assert not warned(estimate, "itself changes")


def test_what_the_calendar_does_not_have_is_refused() -> None:
    series = Series(pd.DataFrame({"period": np.arange(1, 61), "y": noisy()}), start=31)
    assert 'Calendar = "easter": a series of periods has no dates' in refusal(series, calendar=("easter",))


def test_a_column_with_gaps_or_the_outcome_itself_is_refused() -> None:
    flu = np.arange(60.0) % 5
    flu[[3, 50]] = np.nan
    text = refusal(monthly(noisy(), flu=flu), adjust=("flu", "y"))
    assert "Flu, which is adjusted for, has no value in April 2010, March 2014" in text
    assert "adjust holds y, which is the outcome itself" in text.lower()
    y = noisy()
    y[[3, 50]] = np.nan
    fit(y, columns={"flu": flu}, adjust=("flu",))


def test_a_column_that_the_pilot_may_have_moved_is_told() -> None:
    visits = np.random.default_rng(2).normal(20, 1, 60) + np.where(np.arange(60) >= BEFORE, 6, 0)
    estimate = fit(noisy(), columns={"visits": visits}, adjust=("visits",))
    assert warned(
        estimate, "Visits, which is adjusted for, itself changes at the start. If the pilot moved it"
    )
    still = fit(
        noisy(), columns={"visits": visits - np.where(np.arange(60) >= BEFORE, 6, 0)}, adjust=("visits",)
    )
    assert not warned(still, "itself changes")


def test_a_column_that_says_what_the_pilot_says_is_named() -> None:
    text = refusal(monthly(noisy(), staff=(np.arange(60) >= BEFORE).astype(float)), adjust=("staff",))
    assert "cannot be told apart in these months" in text and "adjusted for: staff" in text


def test_a_curve_before_the_start_goes_straight_on() -> None:
    estimate = fit(noisy(), before=36, trend="spline")
    expected = estimate.counterfactual["expected"].to_numpy()
    design = InterruptedTimeSeries(outcome="y", trend="spline", season="none").design(
        monthly(noisy(), before=36)
    )
    assert design.bends == 1
    bend = design.columns["bend before 1"]
    np.testing.assert_allclose(np.diff(bend[35:], 2), 0, atol=1e-9)  # from the last month before the start
    assert np.abs(np.diff(bend[:36], 2)).max() > 1e-4
    assert np.isfinite(expected).all()
    assert warned(
        estimate, "The path before the start is a curve with 1 bend, which goes on as straight as it ends"
    )
    assert (
        InterruptedTimeSeries(outcome="y", trend="spline").design(monthly(noisy(120), before=96)).bends == 3
    )
    short = fit(noisy(), before=23, trend="spline")
    assert warned(short, "23 months before the start are too few for a curve")


def test_a_planted_curve_is_found() -> None:
    """The curve is a natural spline's own, so a series without noise gives the level back."""
    design = InterruptedTimeSeries(outcome="y", trend="spline", season="none").design(
        monthly(noisy(), before=40)
    )
    since = design.since
    y = 50 + 0.3 * since - 80 * design.columns["bend before 1"] + np.where(since >= 0, -6.0, 0.0)
    estimate = fit(y, before=40, trend="spline", season="none", shape="level")
    assert found(estimate)["average"] == pytest.approx(-6)
    assert abs(found(fit(y, before=40, season="none", shape="level"))["average"] + 6) > 0.5


def test_more_waves_than_years_are_told() -> None:
    estimate = fit(noisy(22), before=14, season="fourier-2")
    assert warned(estimate, "2 waves of the year are fitted to 22 months; one for each year is the most")
    assert not warned(fit(noisy(24), before=16, season="fourier-2"), "one for each year")


def rated(events: np.ndarray, residents: np.ndarray) -> Series:
    plain = monthly(noisy(), events=events, residents=residents)
    series = Series(plain.table, start="2012-02", population="residents")
    return series.with_rate("events", per=1000, name="rate")


def test_a_number_of_events_below_0_is_refused() -> None:
    events = 500 + noisy()
    events[[7, 40]] = -1
    with pytest.raises(DesignError, match="Events, a number of events, is below 0 in August 2010, May 2013"):
        InterruptedTimeSeries(outcome="rate").fit(rated(events, np.full(60, 4e4)))


def test_a_population_that_jumps_is_told() -> None:
    residents = np.where(np.arange(60) < 20, 4e4, 5e4)
    estimate = InterruptedTimeSeries(outcome="rate").fit(rated(500 + noisy(), residents))
    assert warned(
        estimate, "changes by more than 20% at once in September 2011: who is counted may have changed"
    )
    slow = InterruptedTimeSeries(outcome="rate").fit(rated(500 + noisy(), np.linspace(4e4, 6e4, 60)))
    assert not warned(slow, "who is counted may have changed")
