"""Which designs are open for a panel, and the way out for those that are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.data.simulate_counts import count_series
from ucimpact.data.simulate_staggered import StaggeredPractices
from ucimpact.design import OpenDesign, open_designs
from ucimpact.evaluation import prepare
from ucimpact.study import Outcome

COUNT = Outcome(column="emergency_admissions", label="Emergency admissions", kind="count", primary=True)


def designs(**design: object) -> dict[str, OpenDesign]:
    table: pd.DataFrame = StaggeredPractices(**{"months": 24, "waves": (10, 13), **design}).draw(1).table  # type: ignore[arg-type]
    panel = Panel(table, unit="practice", period="month", start="joined", population="list_size")
    rated, counted = prepare(panel, COUNT), prepare(panel, COUNT, method="count-did")
    assert isinstance(rated.data, Panel) and isinstance(counted.data, Panel)
    found = open_designs(rated.data, rated.column, counted=(counted.data, counted.column))
    return {made.method: made for made in found}


def told(design: OpenDesign) -> str:
    return " ".join(str(finding) for finding in design.findings)


def test_starts_that_differ_open_the_methods_for_them_and_say_why_not_the_others() -> None:
    found = designs(units=30, pilots=12)
    for name in ("count-did", "callaway-santanna", "imputation", "sun-abraham", "event-study"):
        assert found[name].is_open, name
    assert not found["did"].is_open and "starts at 2 different times" in told(found["did"])
    assert "callaway-santanna" in told(found["did"])
    assert not found["its"].is_open
    assert "a method for staggered starts" in told(found["its"])
    assert "had the pilot" in told(found["event-study"]) or "already have it" in told(found["event-study"])


def test_a_method_of_counts_is_asked_about_counts() -> None:
    found = designs(units=30, pilots=12)["count-did"]
    assert found.is_open and "not counts" not in told(found)


def test_a_method_of_counts_on_one_series_is_asked_about_the_pilots_total() -> None:
    found = designs(units=30, pilots=12, waves=(12,))
    assert found["count-its"].is_open and found["its"].is_open
    assert "on the total of the pilot units" in found["count-its"].note
    assert "on the mean of the pilot units" in found["its"].note


def test_a_series_of_counts_is_asked_about_the_count_and_not_its_rate() -> None:
    table, _ = count_series(np.random.default_rng(1), n=60)
    series = Series(table.assign(people=1000.0), start="2013-01", population="people")
    outcome = Outcome(column="y", label="Admissions", kind="count", primary=True)
    rated, counted = prepare(series, outcome), prepare(series, outcome, method="count-its")
    found = open_designs(rated.data, rated.column, counted=(counted.data, counted.column))
    assert next(made for made in found if made.method == "count-its").is_open
    alone = next(made for made in open_designs(rated.data, rated.column) if made.method == "count-its")
    assert not alone.is_open and "Give the count itself, y" in told(alone)


@pytest.mark.parametrize(
    ("design", "text"),
    [
        ({"units": 12, "pilots": 9}, "3 comparison units give an estimate and no likely range"),
        ({"units": 30, "pilots": 1}, "One pilot unit is held against how 29 others move"),
        ({"units": 30, "pilots": 4}, "4 pilot units are too few to show a spread of their own"),
    ],
)
def test_few_places_are_told_what_they_can_give(design: dict[str, int], text: str) -> None:
    found = designs(**design)
    for name in ("imputation", "count-did"):
        assert text in told(found[name]), name
    assert text not in told(found["matched-cohort"])


def test_enough_places_are_told_nothing_of_few() -> None:
    assert "too few" not in told(designs(units=30, pilots=12)["imputation"])
