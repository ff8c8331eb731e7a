"""What every entry of the register owes its users, whatever it estimates."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate
from ucimpact.methods import METHODS
from ucimpact.study import Counted

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


def panel_table(seed: int = 3, units: int = 14, periods: int = 16, pilots: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    month = pd.date_range("2022-04-01", periods=periods, freq="MS").strftime("%Y-%m")
    level = rng.normal(40, 6, units)[:, None] + rng.normal(0, 2, periods)[None, :]
    y = level + rng.normal(0, 2, (units, periods))
    return pd.DataFrame(
        {
            "unit": np.repeat([f"practice {u:02d}" for u in range(units)], periods),
            "period": np.tile(month, units),
            "start": np.repeat(["2022-12" if u < pilots else "" for u in range(units)], periods),
            "y": y.ravel(),
        }
    )


def series_table(seed: int = 4, periods: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 3, periods)
    for t in range(1, periods):
        noise[t] += 0.3 * noise[t - 1]
    month = pd.date_range("2014-04-01", periods=periods, freq="MS").strftime("%Y-%m")
    y = 200 + 8 * np.cos(2 * np.pi * np.arange(periods) / 12) + noise
    beside = 180 + 8 * np.cos(2 * np.pi * np.arange(periods) / 12) + 0.5 * noise + rng.normal(0, 2, periods)
    return pd.DataFrame({"period": month, "y": y, "z": beside})


def cohort_table(seed: int = 5, people: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, need = rng.normal(75, 8, people), rng.normal(0, 1, people)
    supported = rng.random(people) < 1 / (1 + np.exp(1.2 - 0.8 * need))
    y = 40 + 0.1 * age + 3 * need - 2 * supported + rng.normal(0, 3, people)
    before = 42 + 3 * need + rng.normal(0, 3, people)
    names = [f"person {k}" for k in range(people)]
    columns = {"id": names, "had": supported.astype(int), "age": age, "need": need, "before": before, "y": y}
    return pd.DataFrame(columns)


def people_table(seed: int = 6, people: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, need = rng.normal(75, 8, people), rng.normal(0, 1, people)
    ever = rng.random(people) < 1 / (1 + np.exp(0.8 - 0.7 * need))
    start = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 60, people), unit="D")
    names = [f"person {k}" for k in range(people)]
    return pd.DataFrame({"id": names, "start": start.where(ever), "age": age, "need": need})


def events_table() -> pd.DataFrame:
    """A measure of everybody every thirty days."""
    people, rng = people_table(), np.random.default_rng(7)
    days = pd.Timestamp("2024-01-05") + pd.to_timedelta(30 * np.arange(9), unit="D")
    person, day = np.repeat(np.arange(len(people)), len(days)), np.tile(days, len(people))
    had = day >= people["start"].to_numpy()[person]
    y = 40 + 0.1 * people["age"].to_numpy()[person] + 3 * people["need"].to_numpy()[person] - 2 * had
    y = y + rng.normal(0, 3, len(y))
    return pd.DataFrame({"id": people["id"].to_numpy()[person], "date": day, "kind": "measure", "y": y})


FIELDS: dict[str, dict[str, Any]] = {
    "controlled-its": {"controls": ("z",)},
    "doubly-robust-cohort": {"covariates": ("age", "need"), "family": "gaussian"},
    "matched-cohort": {"covariates": ("age", "need"), "family": "gaussian"},
    "sequential-trials": {
        "covariates": ("age", "need"),
        "family": "gaussian",
        "counted": Counted(event="measure", days=(0, 90), value="y"),
        "every": "week",
        "lookback": 0,
    },
    "weighted-cohort": {"covariates": ("age", "need"), "family": "gaussian"},
}
"""What a method cannot do without."""

COUNTS = ("count-did", "count-its")
"""Methods of counts: whole numbers, whose chance variation is known and does not scale with them."""
OF_SUMS = ("sequential-trials",)
"""Methods that add up what was measured in a window: a number added to each measure is added as often."""
OF_RATIOS = ("count-did", "count-its", "cost-did")
"""Methods with a log link: to add the same number everywhere is to change the ratios."""
MANY_PILOTS = ("cost-did",)
"""Methods that refuse a likely range with few pilot places."""
LOGS = ("log_average", "log_level_change", "log_slope_change")
RATIOS = ("relative", "rate_ratio", "event_log", *LOGS)
"""Effects that stay as they are when the outcome is scaled."""


def data_for(method: type, table: pd.DataFrame | None = None) -> Panel | Series | Cohort | Histories:
    table = table_for(method) if table is None else table
    if method.takes is Histories:
        return Histories(people_table(), table, person="id", service_start="start")
    if method.takes is Cohort:
        return Cohort(table, person="id", pilot="had", before=("before",))
    return Panel(table) if method.takes is Panel else Series(table, start="2017-10")


def table_for(method: type) -> pd.DataFrame:
    if key_of(method) in MANY_PILOTS:
        return panel_table(pilots=7)
    table = {Panel: panel_table, Series: series_table, Cohort: cohort_table, Histories: events_table}[
        method.takes
    ]()
    return table.assign(y=table["y"].round()) if key_of(method) in COUNTS else table


def fit(method: type, table: pd.DataFrame | None = None, **fields: Any) -> Estimate:
    return method(outcome="y", **{**FIELDS.get(key_of(method), {}), **fields}).fit(data_for(method, table))


def moved(table: pd.DataFrame, *, times: float = 1, plus: float = 0) -> pd.DataFrame:
    """The outcome scaled or shifted, after and before alike; what it is held against in the same units."""
    return table.assign(**{c: times * table[c] + plus for c in ("y", "before", "z") if c in table})


def key_of(method: type) -> str:
    return next(key for key, entry in METHODS.items() if entry is method)


@pytest.fixture(params=sorted(METHODS), scope="module")
def method(request: pytest.FixtureRequest) -> type:
    return METHODS[request.param]


@pytest.fixture(scope="module")
def estimate(method: type) -> Estimate:
    return fit(method)


def test_the_register_names_what_the_estimate_carries(method: type, estimate: Estimate) -> None:
    assert METHODS[estimate.method] is method


def test_a_method_is_a_frozen_description(method: type) -> None:
    made = method(outcome="y")
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.outcome = "z"
    assert made == method(outcome="y")


def test_fitting_leaves_the_table_as_it_was(method: type) -> None:
    table = table_for(method)
    before = table.copy(deep=True)
    fit(method, table)
    pd.testing.assert_frame_equal(table, before)


def test_row_order_is_irrelevant(method: type, estimate: Estimate) -> None:
    shuffled = table_for(method).sample(frac=1, random_state=5).reset_index(drop=True)
    again = fit(method, shuffled)
    np.testing.assert_allclose(again.effects[NUMBERS], estimate.effects[NUMBERS], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(key for key, entry in METHODS.items() if entry.takes is Panel))
def test_unit_names_are_irrelevant(name: str) -> None:
    table = table_for(METHODS[name])
    units = sorted(table["unit"].unique(), reverse=True)
    names = {unit: f"x{place:03d}" for place, unit in enumerate(units)}
    plain, renamed = fit(METHODS[name]), fit(METHODS[name], table.assign(unit=table["unit"].map(names)))
    np.testing.assert_allclose(renamed.effects[NUMBERS], plain.effects[NUMBERS], rtol=1e-7, atol=1e-9)


def test_scaling_the_outcome_scales_the_effect(method: type, estimate: Estimate) -> None:
    table = table_for(method)
    again = fit(method, moved(table, times=10))
    relative = estimate.effects["term"].isin(RATIOS).to_numpy()
    for column in NUMBERS[:1] if key_of(method) in COUNTS else NUMBERS:
        was, now = estimate.effects[column].to_numpy(), again.effects[column].to_numpy()
        np.testing.assert_allclose(now[~relative], 10 * was[~relative], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(now[relative], was[relative], rtol=1e-6, atol=1e-8)


def test_shifting_the_outcome_leaves_the_effect(method: type, estimate: Estimate) -> None:
    if key_of(method) in (*OF_RATIOS, *OF_SUMS):
        pytest.skip("a log link compares ratios, and a sum moves as often as it was measured")
    table = table_for(method)
    again = fit(method, moved(table, plus=1000))
    keep = (estimate.effects["term"] != "relative").to_numpy()
    for column in NUMBERS:
        was, now = estimate.effects[column].to_numpy(), again.effects[column].to_numpy()
        np.testing.assert_allclose(now[keep], was[keep], rtol=1e-6, atol=1e-6)


def test_the_estimate_survives_json(estimate: Estimate) -> None:
    text = json.dumps(estimate.to_dict(), allow_nan=False)
    again = Estimate.from_dict(json.loads(text))
    assert json.dumps(again.to_dict(), allow_nan=False) == text
    pd.testing.assert_frame_equal(again.effects[NUMBERS], estimate.effects[NUMBERS])


def test_the_same_spec_gives_the_same_numbers(method: type, estimate: Estimate) -> None:
    assert fit(method).to_dict() == estimate.to_dict()


def test_every_interval_holds_its_estimate(estimate: Estimate) -> None:
    rows = estimate.effects.dropna(subset=["conf_low", "conf_high"])
    assert len(rows)
    assert (rows["conf_low"] <= rows["estimate"]).all() and (rows["estimate"] <= rows["conf_high"]).all()


def test_the_spec_holds_every_choice(method: type, estimate: Estimate) -> None:
    assert set(estimate.spec) >= {f.name for f in dataclasses.fields(method)}


def test_an_unknown_outcome_is_named(method: type) -> None:
    from ucimpact.errors import DataError, DesignError

    fields, what = {"outcome": "nothing", **FIELDS.get(key_of(method), {})}, "no such column"
    if method.takes is Histories:
        fields["counted"], what = Counted(event="nothing", days=(0, 90)), "no events of the kind"
    with pytest.raises((DataError, DesignError), match=what):
        method(**fields).fit(data_for(method))


def test_data_of_another_kind_are_refused_with_what_to_give(method: type) -> None:
    made = method(outcome="y", **FIELDS.get(key_of(method), {}))
    other = Panel(panel_table()) if method.takes is Series else Series(series_table(), start="2017-10")
    for data in (table_for(method), other):
        for asked in (made.fit, made.check_design):
            with pytest.raises(UsageError, match=rf"give {method.takes.__name__}\b") as caught:
                asked(data)
            asks_for = "people, events" if method.takes is Histories else "table"
            assert f"{method.takes.__name__}({asks_for}, " in str(caught.value)
