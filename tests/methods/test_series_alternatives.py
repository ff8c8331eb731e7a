"""Every way of treating COVID and of carrying the past on is shown beside the one that was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.series import Series
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_alternatives import depends_on_covid, depends_on_trend

COVID = slice(26, 42)  # March 2020 is month 26 from January 2018


def series(y: np.ndarray, *, before: int = 50, first: str = "2018-01") -> Series:
    period = np.asarray(pd.period_range(first, periods=len(y), freq="M").astype(str), dtype=object)
    return Series(pd.DataFrame({"period": period, "y": y}), start=period[before])


def fallen() -> np.ndarray:
    y = 100 + np.random.default_rng(5).normal(0, 2, 72)
    y[COVID] -= 30
    y[50:] -= 5
    return y


def fit(data: Series, covid: str) -> Any:
    return InterruptedTimeSeries(outcome="y", covid=covid).fit(data)


def test_each_row_is_the_analysis_with_that_choice() -> None:
    data = series(fallen())
    rows = fit(data, "dummy").extras["covid_choices"]
    assert [(row["covid"], row["chosen"]) for row in rows] == [
        ("drop", False), ("dummy", True), ("segment", False),
    ]  # fmt: skip
    for row in rows:
        head = fit(data, row["covid"]).headline
        for name in ("estimate", "conf_low", "conf_high"):
            assert row[name] == pytest.approx(head[name])


def test_an_answer_that_hangs_on_the_choice_is_told() -> None:
    rows = [
        {"covid": "drop", "estimate": -2.0},
        {"covid": "dummy", "estimate": 1.23456},
        {"covid": "segment"},
    ]
    (told,) = depends_on_covid(rows, {"conf_low": -4.0, "conf_high": -1.0})
    assert told.startswith(
        "With March 2020 to June 2021 given a level of its own the average effect comes out"
    )
    assert "above the range" in told and "1.2" not in told
    assert depends_on_covid(rows, {"conf_low": -4.0, "conf_high": 2.0}) == []
    assert depends_on_covid(rows, {"conf_low": np.nan, "conf_high": np.nan}) == []
    data = series(fallen())
    for covid in ("drop", "dummy", "segment", "none"):
        found = fit(data, covid)
        said = [text for text in found.warnings if "hangs on what is done with" in text]
        assert said == depends_on_covid(found.extras["covid_choices"], found.headline)


def test_a_way_that_cannot_be_fitted_says_why() -> None:
    """The pilot starts as COVID begins: a level and a slope of its own are the pilot's."""
    y = 100 + np.random.default_rng(5).normal(0, 2, 60)
    rows = fit(series(y, before=42, first="2018-01"), "drop").extras["covid_choices"]
    assert all("estimate" in row for row in rows)
    rows = fit(series(y, before=30, first="2019-12"), "drop").extras["covid_choices"]
    assert {row["covid"]: "refused" in row for row in rows}["drop"] is False
    short = series(y[:42], before=26, first="2018-01")
    rows = InterruptedTimeSeries(outcome="y", covid="none", season="none").fit(short).extras["covid_choices"]
    refused = {row["covid"]: row.get("refused", "") for row in rows}
    assert "cannot be told apart" in refused["segment"]
    assert "Three periods before and after are the least" in refused["drop"]


def test_a_series_without_those_months_has_no_such_table() -> None:
    y = 100 + np.random.default_rng(5).normal(0, 2, 60)
    assert "covid_choices" not in fit(series(y, before=36, first="2010-01"), "drop").extras


def test_each_path_from_before_is_the_analysis_with_it() -> None:
    data = series(100 + np.random.default_rng(5).normal(0, 2, 60), before=36, first="2010-01")
    rows = InterruptedTimeSeries(outcome="y").fit(data).extras["trend_choices"]
    assert [(row["trend"], row["chosen"]) for row in rows] == [
        ("linear", True), ("spline", False), ("none", False),
    ]  # fmt: skip
    for row in rows:
        head = InterruptedTimeSeries(outcome="y", trend=row["trend"]).fit(data).headline
        assert (row["estimate"], row["conf_low"]) == pytest.approx((head["estimate"], head["conf_low"]))
    short = series(100 + np.random.default_rng(5).normal(0, 2, 40), before=23, first="2010-01")
    rows = InterruptedTimeSeries(outcome="y").fit(short).extras["trend_choices"]
    assert [row["trend"] for row in rows] == ["linear", "none"]


def test_an_answer_that_turns_round_with_the_path_is_told() -> None:
    """Falling for years: a level path makes a rise of what a straight one makes a small fall."""
    t = np.arange(60)
    y = 100 - 0.5 * t + np.where(t >= 36, 4.0, 0.0) + np.random.default_rng(5).normal(0, 0.5, 60)
    found = InterruptedTimeSeries(outcome="y", season="none").fit(series(y, before=36, first="2010-01"))
    assert any(text.startswith("On a level path from before the start") for text in found.warnings)
    rows = [{"trend": "spline", "estimate": -1.0}, {"trend": "none"}]
    assert depends_on_trend(rows, {"estimate": 2.0, "conf_low": -1.0, "conf_high": 5.0}) == []
    assert len(depends_on_trend(rows, {"estimate": 2.0, "conf_low": 1.0, "conf_high": 5.0})) == 1
    assert depends_on_trend(rows, {"estimate": -2.0, "conf_low": -4.0, "conf_high": -1.0}) == []
