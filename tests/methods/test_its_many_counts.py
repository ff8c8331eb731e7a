"""Many series of counts at once have the numbers of each by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.methods.test_its_many import NOT_AT_ONCE, NUMBERS, errors
from ucimpact import Series, fit_many
from ucimpact.errors import DesignError
from ucimpact.inference.count_series_errors import QuasiPoisson, WeightedReml
from ucimpact.methods import CountITS


def a_table(count: int, months: int, seed: int) -> pd.DataFrame:
    """Practices of all sizes by month, with lists that change, some empty cells and two starts."""
    rng = np.random.default_rng(seed)
    people = np.geomspace(60, 40_000, count)[:, None] * (1 + 0.02 * rng.normal(size=(count, months)))
    rate = 0.02 * np.exp(0.12 * errors(count, months, rng))
    values = rng.poisson(people * rate).astype(float)
    values[rng.uniform(size=values.shape) < 0.003] = np.nan
    dates = pd.period_range("2014-01", periods=months, freq="M").astype(str).to_numpy()
    begins = dates[round(0.6 * months) + np.arange(count) % 2]
    table = pd.DataFrame(
        {
            "practice": np.repeat(np.arange(count), months),
            "month": np.tile(dates, count),
            "admissions": values.ravel(),
            "list": people.round().ravel(),
            "begins": np.repeat(begins, months),
        }
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


@pytest.mark.parametrize(
    ("count", "months", "population", "choices"),
    [
        (60, 60, "list", {}),
        (20, 30, None, {"days": False, "shape": "level"}),
        (30, 48, "list", {"errors": QuasiPoisson(), "season": "fourier-1", "level": 0.9}),
        (4, 48, "list", {"errors": WeightedReml()}),
        (20, 48, "list", {"shape": "ramp", "phase_in": 3}),
    ],
)
def test_each_series_has_its_own_numbers(
    count: int, months: int, population: str | None, choices: dict[str, object]
) -> None:
    method = CountITS(outcome="admissions", **choices)
    table = a_table(count, months, seed=months)
    found = fit_many(
        table, by="practice", period="month", start="begins", population=population, method=method
    )
    one_by_one, small = isinstance(method.errors, WeightedReml), 0
    for name, rows in found.effects.groupby("practice"):
        part = table[table["practice"] == name]
        alone = method.fit(Series(part, period="month", start=part["begins"].iloc[0], population=population))
        effects = alone.effects
        if not one_by_one:
            effects = effects[~effects["term"].isin(NOT_AT_ONCE)]
        assert list(rows["term"]) == list(effects["term"])
        spread = effects["std_error"].to_numpy()[:, None]
        got, want = rows[list(NUMBERS)].to_numpy(), effects[list(NUMBERS)].to_numpy(dtype=float)
        assert np.array_equal(np.isnan(got), np.isnan(want))
        with np.errstate(invalid="ignore"):
            assert np.nanmax(np.abs(got - want) / spread) < 1e-6
        if "event_time" in effects:
            assert np.array_equal(rows["event_time"], effects["event_time"], equal_nan=True)
        assert rows["route"].iloc[0] == alone.extras["route"]["average"]
        small += bool(any("is held to" in text for text in alone.warnings))
    for name in found.refused["practice"]:
        part = table[table["practice"] == name]
        with pytest.raises(DesignError):
            method.fit(Series(part, period="month", start=part["begins"].iloc[0], population=population))
    assert found.counts["fitted"] > 0.8 * count
    assert one_by_one or small > 0  # practices with few events with the pilot are among them


def test_counts_without_an_answer_say_why() -> None:
    table = a_table(6, 48, seed=5).sort_values(["practice", "month"], ignore_index=True)
    table["admissions"] = table["admissions"].fillna(3)
    mine = [table.index[table["practice"] == at] for at in range(6)]
    table.loc[mine[1][33:], "admissions"] = 0
    table.loc[mine[2][3], "admissions"] = 2.5
    table.loc[mine[3][7], "list"] = 0
    table.loc[mine[4][:28], "admissions"] = 0
    table.loc[mine[4][10], "admissions"] = 1
    found = fit_many(
        table,
        by="practice",
        period="month",
        start="2016-10",
        population="list",
        method=CountITS(outcome="admissions"),
    )
    reasons = dict(zip(found.refused["practice"], found.refused["reason"], strict=True))
    assert "no admissions at all" in reasons[1].lower()
    assert "no counts" in reasons[2]
    assert "population is missing or not above 0" in reasons[3]
    assert "No ratio can be fitted" in reasons[4]
    assert 5 not in reasons
