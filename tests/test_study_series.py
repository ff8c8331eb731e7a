"""A study of one series: the columns its methods name, its definition, its start, and what is wrong with them."""

import re

import numpy as np
import pandas as pd
import pytest

from tests.small_study import SERIES, changed, records, refused, series_table, write
from ucimpact.errors import DataError, UsageError
from ucimpact.methods.building import problems
from ucimpact.study import read_records, read_study


def test_columns_that_methods_of_a_series_name_are_read_and_missed_by_line(tmp_path):
    """In the method and in a sensitivity analysis alike."""
    table = series_table()
    table["elsewhere"] = np.arange(len(table)) % 7 + 40
    table["strike_days"] = 0
    more = 'name = "its"\nadjust = ["strike_days"]\n\n[[sensitivity]]\nname = "its"\nadjust = ["elsewhere"]'
    study = read_study(write(tmp_path, ('name = "its"', more), text=SERIES, table=table))
    assert {"elsewhere", "strike_days"} <= set(read_records(study).data.table.columns)
    study = read_study(
        write(tmp_path, ('name = "its"', more), text=SERIES, table=table.drop(columns="elsewhere"))
    )
    line = next(n for n, text in enumerate(study.text.split("\n"), 1) if "elsewhere" in text)
    with pytest.raises(DataError, match=rf"`elsewhere`: there is no such column .*named in line {line} of"):
        read_records(study)


def test_a_definition_is_a_column_of_a_series_and_not_of_a_panel(tmp_path):
    table = series_table()
    table["counted_as"] = np.where(np.arange(len(table)) < 20, "old", "new")
    named = ("start = 2024-07-01", 'start = 2024-07-01\ndefinition = "counted_as"')
    records = read_records(read_study(write(tmp_path, named, text=SERIES, table=table)))
    assert records.data.definition == "counted_as"
    assert list(records.data.table["counted_as"].unique()) == ["old", "new"]
    gone = changed(table, "counted_as", 5, "")
    with pytest.raises(DataError, match="no definition"):
        read_records(read_study(write(tmp_path, named, text=SERIES, table=gone)))
    assert any(
        '`definition`: is for kind = "series" only' in line
        for line in refused(tmp_path, ('unit = "practice"', 'unit = "practice"\ndefinition = "imd"'))
    )


def test_each_wrong_option_of_a_method_stands_at_its_own_line_beside_columns_that_are_not_there(tmp_path):
    """In one round: bad words, a bad entry of a table of changes, and columns of the outcome and the method."""
    options = """name = "its"
shape = "setp"
phase_in = 2
phase = "rampp"
level = "high"
adjust = ["flu"]

[[method.changes]]
start = 2024-01-01
name = "a new front door"
shape = "levle"
"""
    edits = (('name = "its"', options), ('column = "admissions"', 'column = "admisions"'))
    path = write(tmp_path, *edits, text=SERIES)
    with pytest.raises(UsageError) as caught:
        read_study(path, judge=problems)
    text, said = path.read_text().split("\n"), str(caught.value).splitlines()
    at = dict(enumerate(text, 1))
    told = [(at[int(re.match(r"  line (\d+),", line)[1])], line) for line in said[1:]]
    for written, key, what in (
        ('shape = "setp"', "[method] `shape`", 'shape = "setp" is not known'),
        ('phase = "rampp"', "[method] `phase`", 'phase = "rampp" is not known'),
        ('level = "high"', "[method] `level`", "expects a number, found 'high'"),
        ('adjust = ["flu"]', "[method] `adjust`", "column `flu`: there is no such column"),
        ('shape = "levle"', "[method] `changes.shape`", 'table 1: shape = "levle" is not known'),
        ('column = "admisions"', "[[outcome]] number 1 `column`", "column `admisions`: there is no such"),
    ):
        assert any(place == written and f"{key}: {what}" in line for place, line in told), (written, said)
    assert said[0].startswith("6 problems")


def test_an_empty_cell_that_a_method_of_a_series_needs_is_told_by_row_beside_other_cells(tmp_path):
    table = series_table()
    table["flu"] = np.arange(len(table)) % 5
    table["elsewhere"] = np.arange(len(table)) % 7 + 40
    table = table.astype(str)
    table = changed(changed(changed(table, "flu", 7, "many"), "flu", 9, ""), "elsewhere", 30, "")
    named = ('name = "its"', 'name = "controlled-its"\ncontrols = "elsewhere"\nadjust = ["flu"]')
    with pytest.raises(DataError) as caught:
        records(tmp_path, named, text=SERIES, table=table)
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [
        (7, "flu"),
        (9, "flu"),
        (30, "elsewhere"),
    ]
    assert "row 9, column `flu`: there is no number, and the method adjusts for it" in str(caught.value)
    unmeasured = changed(changed(changed(table, "flu", 7, "4"), "admissions", 9, ""), "elsewhere", 30, "41")
    assert records(tmp_path, named, text=SERIES, table=unmeasured).missing == {"admissions": 1, "flu": 1}
    outside = ("start = 2024-07-01", "start = 2024-07-01\nwindow = { from = 2022-04-01 }")
    kept = changed(table, "elsewhere", 30, "41")
    assert records(tmp_path, named, outside, text=SERIES, table=kept).data.counts()["rows"] == 39


def test_an_empty_cell_in_pandemic_months_that_are_dropped_needs_no_number_to_adjust_for(tmp_path):
    table = series_table(60)
    table["month"] = pd.date_range("2019-07-01", periods=60, freq="MS").strftime("%Y-%m")
    table["flu"] = "2"
    table = changed(table, "flu", 14, "")
    named = ('name = "its"', 'name = "its"\nadjust = ["flu"]')
    start = ("start = 2024-07-01", 'start = 2022-07-01\ncovid = "drop"')
    assert records(tmp_path, named, start, text=SERIES, table=table).missing == {"flu": 1}
    kept = ("start = 2024-07-01", 'start = 2022-07-01\ncovid = "dummy"')
    with pytest.raises(DataError, match="row 14, column `flu`"):
        records(tmp_path, named, kept, text=SERIES, table=table)


@pytest.mark.parametrize(
    ("start", "note"),
    [
        ("2023-06-15", "the start, 15 June 2023, lies inside a week: all of it (week from 12 June 2023)"),
        ("2023-06-12", None),
    ],
)
def test_a_start_inside_a_week_is_said_to_count_as_the_whole_of_it(tmp_path, start, note):
    table = series_table(100)
    table["month"] = pd.date_range("2022-01-03", periods=100, freq="7D").strftime("%Y-%m-%d")
    read = records(tmp_path, ("start = 2024-07-01", f"start = {start}"), text=SERIES, table=table)
    said = [text for text in read.coercions if "inside" in text]
    assert (said == []) if note is None else (len(said) == 1 and said[0].startswith(note))


def test_a_start_inside_a_month_is_said_and_a_month_as_the_start_is_not(tmp_path):
    inside = records(tmp_path, ("start = 2024-07-01", "start = 2024-07-16"), text=SERIES)
    assert any("16 July 2024, lies inside a month: all of it (July 2024)" in s for s in inside.coercions)
    whole = records(tmp_path, ("start = 2024-07-01", 'start = "2024-07"'), text=SERIES)
    assert not any("inside" in said for said in whole.coercions)
