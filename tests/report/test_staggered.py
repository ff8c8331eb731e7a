"""A pilot that units joined one after another, on the page: time from each one's own start, tables, words."""

from __future__ import annotations

import re

import documents
import pytest

from ucimpact.report import figures, staggered, staggered_tables
from ucimpact.report.render import render
from ucimpact.report.view import view


@pytest.fixture(scope="module")
def document() -> documents.Document:
    return documents.waves()


def section(document: documents.Document, ident: str):
    return next(part for part in view(document).sections if part.ident == ident)


def test_time_is_counted_from_each_start_and_drawn_where_half_were_seen(document):
    chart = figures.observed_expected(document).chart
    rows = figures.primary(document)["counterfactual"]
    kept = [row for row in rows if row["units"] >= 14]
    assert [staggered.short(row["since"]) for row in kept] == list(chart.labels)
    assert chart.labels[0] == "−21" and chart.labels[chart.start] == "0"
    assert chart.axis_label == "months since each practice’s own start (0 is its first month with the pilot)"
    assert chart.start_label == "each practice starts"
    assert all(value is None for value in chart.low[: chart.start])


def test_the_table_behind_a_chart_holds_every_time_and_who_was_seen(document):
    drawn = figures.observed_expected(document)
    rows = figures.primary(document)["counterfactual"]
    assert len(drawn.table.rows) == len(rows) == 49
    assert drawn.table.head[-1] == "Practices"
    assert drawn.table.rows[0][0] == "28 months before" and drawn.table.rows[0][-1] == "5"
    assert "holds every time, 28 months before to 20 months on" in drawn.source
    gaps = figures.path(document)
    assert len(gaps.table.rows) == 49 and len(gaps.chart.labels) == len(drawn.chart.labels)
    assert gaps.table.rows[27][0] == "1 month before"
    assert gaps.table.rows[27][2].startswith("none: the others are measured against it")


def test_the_paths_of_an_imputation_are_not_joined_up_where_they_do_not_join(document):
    document = {**document, "estimates": [dict(entry) for entry in document["estimates"]]}
    document["estimates"][0]["method"] = "imputation"
    chart = figures.observed_expected(document).chart
    assert all(value is None for value in chart.expected[: chart.start])
    assert all(value is not None for value in chart.expected[chart.start :])


def test_a_chart_of_few_times_shows_them_all():
    rows = [{"since": k, "units": n, "label": ""} for k, n in ((-1, 2), (0, 10), (1, 10))]
    assert staggered.seen_by_half(rows) == rows  # without the month before there would be no start
    assert staggered.seen_by_half([{"since": 0, "label": ""}]) == [{"since": 0, "label": ""}]


def test_the_starts_stand_in_the_text_and_among_who_was_included(document):
    assert (
        "28 practices started between October 2022 and November 2023" in section(document, "effect").text[0]
    )
    facts = dict(section(document, "who").facts)
    assert facts["The starts"] == (
        "October 2022: 6; January 2023: 6; April 2023: 6; August 2023: 5; November 2023: 5."
    )
    named = dict(section(document, "who").note.facts)
    assert named["Pilot practices"] == "28" and named["Practices that never started"] == "32"
    assert "Places" not in named


def test_effects_by_start_by_calendar_and_on_both_scales_have_tables(document):
    tables = {table.caption: table for table in section(document, "appendix").tables}
    starts = staggered_tables.by_start(document)
    assert tables[starts.caption] == starts
    assert [row[0] for row in starts.rows][:2] == ["October 2022", "January 2023"]
    assert [row[1] for row in starts.rows] == ["6", "6", "6", "5", "5"]
    calendar = staggered_tables.by_calendar(document)
    assert calendar.rows[0][0] == "Oct 2022" and len(calendar.rows) == 21
    assert [row[0] for row in staggered_tables.scales(document).rows] == [
        "Rates, by the same per cent",
        "Rates, by the same number",
    ]
    everywhere = " ".join(cell for table in tables.values() for row in table.rows for cell in row)
    assert not re.search(r"[a-z]_[a-z]", everywhere)


def test_the_weights_of_a_two_way_comparison_have_a_table_where_there_are_any(document):
    assert staggered_tables.compared(document) is None
    kinds = [
        {"kind": "pilot against never", "weight": 0.8, "estimate": -1.0, "comparisons": 5},
        {"kind": "later against earlier", "weight": 0.2, "estimate": -0.4, "comparisons": 10},
    ]
    told = {**document, "estimates": [dict(entry) for entry in document["estimates"]]}
    told["estimates"][0]["extras"] = {**told["estimates"][0]["extras"], "bacon": {"by_kind": kinds}}
    rows = staggered_tables.compared(told).rows
    assert rows[1][:2] == ("Later starters against units that had the pilot", "20%")


def test_no_check_shows_the_names_of_its_keys(document):
    shown = [row for row in section(document, "trust").checks if row.table is not None]
    assert len(shown) >= 6
    for row in shown:
        for head in row.table.head:
            assert "_" not in head and not re.search(r"\b(conf|df|p value)\b", head), head


def test_the_page_says_how_much_drift_the_finding_survives(document):
    page = render(document)
    assert "The finding survives a violation up to 0." in page
    assert "on average 15 months a practice" in page
    assert "nan" not in re.sub(r"data:[^\"]*", "", page).lower().split()


def test_one_start_is_told_by_the_calendar_whatever_the_path_is_told_by():
    document = documents.practices()
    entry = figures.primary(document)
    whole = figures.path(document).chart.labels
    for row in entry["effects"]:
        row["period"] = None
    assert figures.path(document).chart.labels == whole
    entry["counterfactual"] = entry["counterfactual"][-2:]
    assert figures.path(document).chart.labels[0].startswith("−")
