"""The three ways of treating the pandemic months, on series where they agree and where they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.series import Series
from ucimpact.diagnostics.series_covid import covid_ways
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate
from ucimpact.methods.its import InterruptedTimeSeries

MONTHS = pd.period_range("2016-01", periods=96, freq="M")
INSIDE = np.asarray(
    (MONTHS.year * 12 + MONTHS.month >= 2020 * 12 + 3) & (MONTHS.year * 12 + MONTHS.month <= 2021 * 12 + 6)
)
START = 78


def series(values: np.ndarray, start: int = START) -> Series:
    return Series(pd.DataFrame({"period": MONTHS.astype(str), "y": values}), start=str(MONTHS[start]))


def told(estimate: Estimate) -> dict[str, float | None]:
    row = estimate.effect("average")
    return {"est": row["estimate"], "lo": row["conf_low"], "hi": row["conf_high"]}


def asked(method: InterruptedTimeSeries, data: Series):
    return covid_ways(method, data, method.fit(data), told=told, fit=lambda other, given: other.brief(given))


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=96)


def test_all_three_are_shown_and_the_declared_one_is_marked() -> None:
    data = series(100 - 20 * INSIDE - 5 * (np.arange(96) >= START) + noise(1))
    check = asked(InterruptedTimeSeries(outcome="y", covid="drop"), data)
    assert [row["covid"].split()[0] for row in check.table] == ["left", "with", "with"]
    assert [row["declared"] for row in check.table] == [True, False, False]
    assert all(row["low"] < -5 < row["high"] for row in check.table)
    assert (check.answer, check.counted) == ("holds", False)
    own = InterruptedTimeSeries(outcome="y", covid="segment").fit(data).effect("average")
    assert check.table[2]["estimate"] == pytest.approx(own["estimate"])


@pytest.mark.parametrize(
    ("main", "ways", "answer", "said"),
    [
        ((-5.0, -8.0, -2.0), (-4.0, -6.0, -3.0), "holds", "all of them give an answer within"),
        ((-5.0, -8.0, -2.0), (-4.0, -6.0, 1.0), "doubtful", "1 of them gives an answer outside the likely range, and 1"),
        ((-5.0, -8.0, -2.0), (-9.0, -9.5, -3.0), "doubtful", "2 of them give an answer outside the likely range."),
        ((-1.0, -4.0, 2.0), (-1.0, 1.0, -2.0), "cannot tell", "1 of them has the other sign, as the likely range allows"),
        ((-1.0, None, None), (-1.0, 1.0, -2.0), "cannot tell", "nothing to hold them against"),
    ],
)  # fmt: skip
def test_what_the_three_say_of_the_result(main, ways, answer, said) -> None:
    data = series(100 + noise(2))
    method = InterruptedTimeSeries(outcome="y", covid="drop", season="none")
    estimate = method.brief(data)
    values = dict(zip(("drop", "dummy", "segment"), ways, strict=True))
    said_of = {id(estimate): dict(zip(("est", "lo", "hi"), main, strict=True))}

    def fit(other: InterruptedTimeSeries, _: Series) -> Estimate:
        made = replace(estimate)
        said_of[id(made)] = {"est": values[str(other.covid)], "lo": None, "hi": None}
        kept.append(made)
        return made

    kept: list[Estimate] = []
    check = covid_ways(method, data, estimate, told=lambda made: said_of[id(made)], fit=fit)
    assert check.answer == answer
    assert said in check.text


def test_a_way_that_cannot_be_fitted_says_why() -> None:
    start = int(np.flatnonzero(INSIDE)[0])
    data = series(100 + noise(3), start=start)

    def fit(other: InterruptedTimeSeries, given: Series) -> Estimate:
        if other.covid == "segment":
            raise DesignError("these cannot be told apart")
        return other.brief(given)

    method = InterruptedTimeSeries(outcome="y", covid="drop", season="none")
    check = covid_ways(method, data, method.fit(data), told=told, fit=fit)
    assert check.table[2] == {
        "covid": "with a level and a line of their own", "declared": False, "why": "these cannot be told apart",
    }  # fmt: skip
    assert "2 of 3 can be fitted" in check.text


def test_a_series_without_those_months_is_not_asked() -> None:
    table = pd.DataFrame(
        {"period": pd.period_range("2022-01", periods=60, freq="M").astype(str), "y": noise(4)[:60]}
    )
    data, method = Series(table, start="2025-01"), InterruptedTimeSeries(outcome="y")
    assert (
        covid_ways(method, data, method.fit(data), told=told, fit=lambda other, given: other.fit(given))
        is None
    )
