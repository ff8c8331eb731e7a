"""Series made so that the answer is known: a break elsewhere, a trend that makes the result, a month that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.series import Series
from ucimpact.diagnostics.series_checks import pre_trend, residuals
from ucimpact.diagnostics.series_stability import (
    leave_out_months,
    quick,
    trend_multiverse,
    unknown_break,
)
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods import METHODS
from ucimpact.methods.its import InterruptedTimeSeries

ITS = InterruptedTimeSeries(outcome="y", season="none")
START = 40


def series(values: np.ndarray, **columns: np.ndarray) -> Series:
    months = pd.date_range("2014-01-01", periods=len(values), freq="MS")
    table = pd.DataFrame({"period": months.strftime("%Y-%m"), "y": values, **columns})
    return Series(table, start=months[START].strftime("%Y-%m-01"))


def noise(n: int = 60, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


T = np.arange(60)


def told(estimate: Estimate) -> dict[str, float | None]:
    row = estimate.effect("average")
    return {"est": row["estimate"], "lo": row["conf_low"], "hi": row["conf_high"]}


def fit(method, data: Series) -> Estimate:
    return method.fit(data)


# -- an unknown date


def test_a_break_at_the_start_is_found_there_by_itself() -> None:
    data = series(100 - 6 * (T >= START) + noise())
    check = unknown_break(ITS.design(data), data, seed=1)
    assert (check.answer, check.counted) == ("holds", False)
    assert check.text.startswith("Not told the date, the series puts its largest break at ")
    assert check.p_value < 0.01
    assert max(check.table, key=lambda row: row["f"])["f"] == check.statistic


def test_a_break_a_year_before_the_start_is_a_doubt_that_names_its_date() -> None:
    data = series(100 - 6 * (T >= 22) + noise())
    check = unknown_break(ITS.design(data), data, seed=1)
    assert check.answer == "doubtful"
    assert "at November 2015, 18 months before the first month that counts after the start." in check.text


def test_no_break_is_no_pass() -> None:
    check = unknown_break(ITS.design(series(100 + noise())), series(100 + noise()), seed=1)
    assert check.answer == "cannot tell"
    assert "of 100 series without any" in check.text


def test_the_same_seed_gives_the_same_answer_and_logs_see_a_ratio() -> None:
    counts = np.round(np.exp(5 + 0.01 * T - 0.4 * (T >= START) + 0.05 * noise()))
    data = series(counts)
    one = unknown_break(ITS.design(data), data, seed=3, logs=True)
    assert one == unknown_break(ITS.design(data), data, seed=3, logs=True)
    assert one.answer == "holds"
    assert one.statistic != unknown_break(ITS.design(data), data, seed=3).statistic


# -- trend, season, phase-in


def test_every_way_to_draw_it_is_in_the_table_and_agrees_where_nothing_hangs_on_it() -> None:
    data = series(100 - 6 * (T >= START) + noise())
    check = trend_multiverse(ITS, data, ITS.fit(data), told=told, fit=fit)
    assert {row["trend"] for row in check.table} == {"straight", "none", "a curve before the start"}
    assert {row["season"] for row in check.table} == {
        "no season", "one yearly wave", "a yearly and a half-yearly wave"
    }  # fmt: skip
    assert {row["phase_in"] for row in check.table} == {0, 2}
    assert len(check.table) == 12  # three trends with three seasons and one other phase-in
    own = next(r for r in check.table if r["trend"] == "straight" and r["season"] == "no season")
    assert own["estimate"] == ITS.fit(data).headline["estimate"]
    assert check.answer == "holds"


def test_a_result_that_only_the_straight_line_makes_is_in_doubt() -> None:
    rises_and_levels_off = 0.02 * np.minimum(np.maximum(T - 12, 0), 28) ** 2
    data = series(100 + rises_and_levels_off + 0.3 * noise())
    estimate = ITS.fit(data)
    check = trend_multiverse(ITS, data, estimate, told=told, fit=fit)
    assert check.answer == "doubtful"
    assert "outside the likely range" in check.text


def test_other_signs_are_no_doubt_where_the_range_includes_no_change() -> None:
    data = series(100 + 3 * noise(seed=5))
    estimate = ITS.fit(data)
    low, high = told(estimate)["lo"], told(estimate)["hi"]
    assert low < 0 < high
    check = trend_multiverse(ITS, data, estimate, told=told, fit=fit)
    assert check.answer in ("holds", "cannot tell")


def test_a_way_that_fits_worse_is_shown_and_not_judged() -> None:
    wave = 10 * np.sin(2 * np.pi * T / 12)
    data = series(100 + wave - 6 * (T >= START) + noise())
    method = replace(ITS, season="fourier-1")
    check = trend_multiverse(method, data, method.fit(data), told=told, fit=fit)
    unseasonal = [row["fits"] for row in check.table if row["season"] == "no season"]
    assert set(unseasonal) == {"worse"}
    assert f"{sum(row['fits'] == 'as well' for row in check.table)} fit about as well" in check.text


# -- months left out


def test_months_that_make_the_result_are_named() -> None:
    values = 100 + noise(46)
    values[-3:] -= 4
    data, method = series(values), replace(ITS, shape="level")
    check = leave_out_months(method, data, method.fit(data), told=told, fit=fit)
    assert check.answer == "doubtful"
    assert check.text == "Yes: without May 2017 to July 2017 the answer leaves the likely range."
    assert check.table[0]["left_out"] == "May 2017 to July 2017"


def test_the_month_that_moves_most_stands_first() -> None:
    values = 100 - 6 * (T >= START) + 0.3 * noise()
    values[41] -= 5
    data = series(values)
    check = leave_out_months(ITS, data, ITS.fit(data), told=told, fit=fit)
    assert check.answer == "holds"
    assert "June 2017" in check.table[0]["left_out"]
    changes = [abs(row["change"]) for row in check.table]
    assert changes == sorted(changes, reverse=True)


def test_without_fitting_agrees_with_fitting_again_where_nothing_carries_over() -> None:
    data = series(100 - 6 * (T >= START) + noise())
    estimate = ITS.fit(data)
    check = leave_out_months(ITS, data, estimate, told=told, fit=fit)
    gone = data.table["y"].to_numpy().copy()
    row = next(r for r in check.table if " to " not in r["left_out"])
    gone[data.labels().index(row["left_out"])] = np.nan
    again = ITS.fit(series(gone)).headline["estimate"]
    assert row["estimate"] == pytest.approx(again, abs=0.15)
    assert row["change"] == pytest.approx(row["estimate"] - estimate.headline["estimate"])
    assert check.answer == "holds"


def test_another_method_is_fitted_again_without_each_three() -> None:
    class Other(InterruptedTimeSeries):
        pass

    data = series(100 - 6 * (T >= START) + noise())
    method = Other(outcome="y", season="none")
    calls = []

    def counted(choices, part: Series) -> Estimate:
        calls.append(int(np.isnan(part.values("y")).sum()))
        return choices.fit(part)

    check = leave_out_months(method, data, method.fit(data), told=told, fit=counted)
    assert calls == [3] * 20
    assert check.answer == "holds"


def test_structural_series_have_no_trend_to_change_and_arima_is_asked_as_a_plain_regression() -> None:
    assert quick(METHODS["structural"](outcome="y")) is None
    plain = quick(METHODS["arima-its"](outcome="y", season="none", phase_in=2))
    assert type(plain) is InterruptedTimeSeries
    assert (plain.season, plain.phase_in) == ("none", 2)


# -- residuals and the gap to a control


def test_autocorrelation_that_is_left_is_found_and_told_by_lag() -> None:
    errors = noise(120, 4)
    for t in range(4, 120):
        errors[t] += 0.7 * errors[t - 4]
    months = pd.date_range("2010-01-01", periods=120, freq="MS").strftime("%Y-%m")
    data = Series(pd.DataFrame({"period": months, "y": 100 + errors}), start="2016-01")
    check = residuals(ITS.fit(data), ITS.design(data).named)
    assert check.answer == "doubtful"
    assert "Some autocorrelation is left" in check.text
    assert [(row["test"], row["lags"]) for row in check.table] == [
        ("Ljung and Box", "1 to 12"),
        ("Ljung and Box, as other programs print it", "1 to 12"),
        ("Cumby and Huizinga", "1 to 3"),
        ("Cumby and Huizinga", "1 to 12"),
    ]
    assert check.table[3]["p_value"] < 0.01


def test_without_a_design_only_the_methods_own_test_is_told() -> None:
    data = series(100 + noise())
    check = residuals(ITS.fit(data))
    assert {row["test"].split(",")[0] for row in check.table} == {"Ljung and Box"}
    assert check.answer == "holds"


def controlled(**found: object) -> Estimate:
    gap = {"slope": 0.1, "conf_low": -0.1, "conf_high": 0.2, "p_value": 0.4, "statistic": 1.0,
           "slope_at_middle": 1.0, "low_at_middle": -1.0, "high_at_middle": 2.0,
           "scale": "identity", "taken_out": True}  # fmt: skip
    rows = [{"term": "average", "estimate": -4.0, "conf_low": -6.0, "conf_high": -2.0}]
    frame = pd.DataFrame({"since": [-1, 0, 1], "expected": [90.0, 100.0, 110.0]})
    return Estimate(
        method="controlled-its", estimand="average", outcome="y", effects=effects_frame(rows),
        counterfactual=frame, extras={"pre_trend": gap | found},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "worthwhile", "answer"),
    [
        ({}, 2.0, "holds"),
        ({}, 1.9, "cannot tell"),
        ({}, None, "cannot tell"),
        ({"p_value": 0.05}, 2.0, "doubtful"),
        ({"p_value": 0.005}, 2.0, "doubtful"),
        ({"p_value": 0.005, "slope_at_middle": -3.0}, 2.0, "doubtful"),
        ({"p_value": 0.005, "slope_at_middle": -3.0, "taken_out": False}, 2.0, "fails"),
        ({"p_value": None, "why": "Too few months."}, 2.0, "cannot tell"),
        (
            {"scale": "log", "slope_at_middle": 0.0, "low_at_middle": -0.01, "high_at_middle": 0.01},
            1.1,
            "holds",
        ),
        ({"scale": "log", "low_at_middle": -0.01, "high_at_middle": 0.01}, 1.0, "cannot tell"),
    ],
)
def test_the_gap_before_the_start_follows_the_table(found, worthwhile, answer) -> None:
    check = pre_trend(controlled(**found), worthwhile=worthwhile)
    assert (check.name, check.answer, check.counted) == ("pre_trend", answer, True)
    if answer == "doubtful":
        assert "leans on its going on" in check.text


def test_a_series_alone_has_no_gap() -> None:
    assert pre_trend(replace(controlled(), extras={}), worthwhile=1.0) is None


def test_a_difference_to_a_control_needs_no_fitting_again_either() -> None:
    control = 90 + noise(seed=9)
    data = series(100 - 6 * (T >= START) + noise(), c=control)
    method = METHODS["controlled-its"](outcome="y", controls=("c",), season="none")
    estimate = method.fit(data)

    def never(choices, part: Series) -> Estimate:
        raise AssertionError("fitted again")

    check = leave_out_months(method, data, estimate, told=told, fit=never)
    row = check.table[0]
    first, *last = (data.labels().index(label) for label in row["left_out"].split(" to "))
    gone = data.table["y"].to_numpy().copy()
    gone[first : (last or [first])[0] + 1] = np.nan
    again = method.fit(series(gone, c=control)).headline["estimate"]
    assert row["estimate"] == pytest.approx(again, abs=0.2)
    assert abs(row["change"]) > 0.2
