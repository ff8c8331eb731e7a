"""Which designs are open for a panel, and the way out for those that are not."""

from __future__ import annotations

import pandas as pd
import pytest

from ucimpact.data.panel import Panel
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
