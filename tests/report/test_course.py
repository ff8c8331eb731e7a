"""Other changes in a series and periods that do not count: recorded, marked, told, and left out of limits."""

from __future__ import annotations

from typing import Any

import documents
import numpy as np
import pandas as pd
import pytest
from test_monitoring import watched

from ucimpact.data.series import Series
from ucimpact.evaluation.record import changes_of, not_counted
from ucimpact.methods.count_its import CountITS
from ucimpact.methods.its import InterruptedTimeSeries
from ucimpact.methods.series_changes import Change
from ucimpact.report import course
from ucimpact.report.chart_parts import NARROW, WIDE
from ucimpact.report.marks import spots
from ucimpact.report.monitor import OUT
from ucimpact.report.monitoring import section
from ucimpact.report.render import drawing, render
from ucimpact.report.view import view

RECOUNT = {
    "first": "2021-01", "last": None, "label": "January 2021", "name": "the new guidance", "shape": "level",
    "recounted": True, "step": None, "share": -0.167,
}  # fmt: skip
PANDEMIC = {"first": "2020-03", "last": "2020-05", "n": 3, "reason": "March 2020 to June 2021"}
PHASE_IN = {"first": "2022-01", "last": "2022-02", "n": 2, "reason": "phase-in"}


def recorded_series() -> Series:
    rng = np.random.default_rng(3)
    months = pd.period_range("2017-01", periods=84, freq="M")
    way = np.where(months < pd.Period("2018-07"), "old", "new")
    people = np.full(84, 50_000.0)
    counts = rng.poisson(np.where(way == "old", 900, 720))
    table = pd.DataFrame({"month": months.astype(str), "n": counts, "people": people, "way": way})
    series = Series(table, period="month", start="2022-06", population="people", definition="way")
    return series.with_rate("n", per=1000, name="rate")


CHANGE = Change(start="2018-07", name="the new count", shape="level")


def test_the_record_says_what_changed_and_by_how_much() -> None:
    series = recorded_series()
    counts = CountITS(outcome="n", changes=(CHANGE,), covid="drop", phase_in=2).fit(series)
    [row] = changes_of(series, counts)
    assert (row["first"], row["last"], row["label"]) == ("2018-07", None, "July 2018")
    assert row["recounted"] and row["step"] is None
    assert row["share"] == pytest.approx(-0.2, abs=0.03)
    line = InterruptedTimeSeries(outcome="rate", changes=(CHANGE,), covid="drop", phase_in=2).fit(series)
    [row] = changes_of(series, line)
    assert row["share"] is None and row["step"] == pytest.approx(-3.6, abs=0.7)


def test_the_record_says_which_months_do_not_count_and_why() -> None:
    series = recorded_series()
    fit = InterruptedTimeSeries(outcome="rate", changes=(CHANGE,), covid="drop", phase_in=2).fit(series)
    assert not_counted(series, fit) == [
        {"first": "2020-03", "last": "2021-06", "n": 16, "reason": "March 2020 to June 2021"},
        {"first": "2022-06", "last": "2022-07", "n": 2, "reason": "phase-in"},
    ]


def test_a_level_of_their_own_is_a_change_of_the_pandemic_months() -> None:
    series = recorded_series()
    fit = InterruptedTimeSeries(outcome="rate", changes=(CHANGE,), covid="dummy").fit(series)
    assert not_counted(series, fit) == []
    row = changes_of(series, fit)[-1]
    assert (row["first"], row["last"]) == ("2020-03", "2021-06") and row["step"] is not None


def document(**data: Any) -> dict[str, Any]:
    made = watched([5.0, 11.0, 11.0, 12.0], before=24)
    made["data"] |= data
    return made


def test_the_result_and_the_method_name_a_change_and_the_months_that_do_not_count() -> None:
    said = "Figures from January 2021 are counted in another way (the new guidance): this is taken out as a step of −16.7%"
    away = "Of 28 months 5 do not count: the pandemic, March 2020 to June 2021 (3) and the phase-in, month 25 to month 26 (2)."
    made = document(changes=[RECOUNT], not_counted=[PANDEMIC, PHASE_IN])
    shown = {part.ident: part for part in view(made).sections}
    assert said in " ".join(shown["effect"].text) and away in " ".join(shown["effect"].text)
    facts = dict(shown["how"].facts)
    assert said in facts["Another change in the series"] and facts["Periods that do not count"] == away
    plain = {part.ident: part for part in view(document()).sections}
    assert "not count" not in " ".join(plain["effect"].text)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"recounted": False}, "The new guidance, from January 2021, is taken out as a step of −16.7% and"),
        (
            {"share": None, "step": -2.5, "shape": "level-slope"},
            "a step of −2.5 a month and a change of slope",
        ),
        ({"share": None, "shape": "slope"}, "as a change of slope and"),
        ({"recounted": False, "last": "2021-03"}, "from January 2021 to month 15, is"),
        ({"recounted": False, "last": "2021-01"}, "The new guidance, in January 2021, is"),
    ],
)
def test_each_shape_of_change_has_words(change: dict[str, Any], told: str) -> None:
    made = document(changes=[RECOUNT | change])
    rows = made["estimates"][0]["counterfactual"]
    assert told in " ".join(course.changes_told(made["data"], rows, "a month"))


@pytest.mark.parametrize("width", (WIDE, NARROW))
def test_the_main_chart_and_the_chart_for_watching_mark_them(width: int) -> None:
    made = document(changes=[RECOUNT], not_counted=[PANDEMIC])
    for part in view(made).sections:
        if part.ident in ("effect", "monitor"):
            texts = [label.get_text() for label in drawing(part.figure.chart, width).labels]
            assert {"the new guidance, Jan 2021", "pandemic, not counted"} <= set(texts)
    assert "#f3eee0" in render(made)


def test_limits_are_of_the_months_under_one_count() -> None:
    made = document(changes=[RECOUNT])
    for row in made["estimates"][0]["counterfactual"][:12]:
        row["observed"] *= 10
    told = section(made)
    assert told is not None and told.figure is not None and told.note is not None
    assert told.figure.chart.mean == pytest.approx(11.0)
    assert set(told.figure.chart.marks[:12]) == {OUT} and OUT not in told.figure.chart.marks[12:]
    assert ("g", "Not counted") in told.figure.key
    grey = dict(told.note.paragraphs)["Grey"]
    assert grey.startswith("Months before January 2021 (counted in another way: the new guidance)")


def test_too_few_months_under_one_count_make_no_limits() -> None:
    assert section(document(changes=[RECOUNT | {"first": "2021-02"}])) is None


def test_months_that_do_not_count_are_no_special_cause() -> None:
    made = document(not_counted=[PANDEMIC])
    rows = made["estimates"][0]["counterfactual"]
    for row in rows[2:5]:
        row |= {"observed": 1.0, "used": False}
    told = section(made)
    assert told is not None and told.figure is not None and told.figure.table is not None
    assert told.figure.chart.marks[2:5] == [OUT] * 3
    assert [row[2] for row in told.figure.table.rows[2:5]] == ["not counted"] * 3


def test_a_change_after_the_start_ends_what_can_be_watched() -> None:
    told = section(document(changes=[RECOUNT | {"first": "2022-03"}]))
    assert told is not None and told.figure is not None
    assert told.figure.chart.marks[-2:] == [OUT] * 2
    assert "month 26" in told.bold


def test_names_above_a_plot_do_not_touch() -> None:
    wanted = [(300.0, 120.0), (330.0, 120.0), (340.0, 120.0), (600.0, 200.0)]
    placed = spots(wanted, 700)
    spans = [
        (spot.row, spot.middle - w / 2, spot.middle + w / 2)
        for spot, (_, w) in zip(placed, wanted, strict=True)
    ]
    for k, (row, low, high) in enumerate(spans):
        assert low >= 0 and high <= 700
        assert all(r != row or high < a or low > b for r, a, b in spans[:k])
    assert placed[0].middle == 300.0 and placed[0].row == 0


def test_a_document_without_the_keys_is_read_as_before() -> None:
    made = documents.winter()
    assert "changes" not in made["data"]
    assert course.marks(made["data"], made["estimates"][0]["counterfactual"], ()) == ()
    assert course.not_counted_told(made["data"], made["estimates"][0]["counterfactual"], "month") == ""
