"""A study file says what is wrong with it, all at once; its records are the rows that were asked for."""

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.small_study import (
    PANEL,
    SERIES,
    changed,
    edited,
    panel_table,
    records,
    refused,
    series_table,
    write,
)
from ucimpact.errors import DataError, DesignError, UsageError
from ucimpact.methods.building import problems
from ucimpact.study import Method, Sensitivity, Study, Window, Worthwhile, read_records, read_study
from ucimpact.study.lines import line_numbers, line_of
from ucimpact.study.toml import ARRAYS, NESTED, TABLES, keys_of

MORE = """
[cost]
fixed = 120000
price_year = "2024/25"

[decision]
mainstream_if = { chance_worth_its_cost = 0.8, min_certainty = "low" }

[context]
coding = "unchanged"
events_logged = true

[[context.event]]
date = 2022-11-01
what = "A new front door"

[release]
profile = "none"
seed = 7
"""


# -- what is declared --------------------------------------------------------------------


def test_a_study_holds_what_its_file_declares(tmp_path):
    study = read_study(write(tmp_path, ("[method]\n", MORE + "\n[method]\n")))
    assert study.title == "Visits in Eastvale"
    assert (study.subject, study.plural, study.people) == ("the pilot", False, "people")
    assert study.primary.label == "Emergency admissions"  # the only outcome is the primary one
    assert study.method.name == "did"
    assert study.context.events[0].date == dt.date(2022, 11, 1)
    assert (study.release.profile, study.release.seed) == ("none", 7)
    assert study.unused == ()  # cost and decision are worked out


def test_the_file_may_be_named_by_its_folder_and_begin_with_a_mark(tmp_path):
    path = write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_study(tmp_path).hash == read_study(path).hash


@pytest.mark.parametrize(
    ("written", "agreed"),
    [
        ("-0.05", Worthwhile(change=-0.05)),
        ("{ per = -4, base = 100 }", Worthwhile(change=-4, form="per", base=100)),
        ("{ absolute = -50.0 }", Worthwhile(change=-50, form="absolute")),
    ],
)
def test_the_smallest_change_worth_having_has_three_forms(tmp_path, written, agreed):
    study = read_study(write(tmp_path, ('kind = "count"', f'kind = "count"\nworthwhile = {written}')))
    assert study.primary.worthwhile == agreed


def test_the_hash_is_of_what_is_declared_and_not_of_its_layout(tmp_path):
    base = read_study(write(tmp_path)).hash
    comment = read_study(write(tmp_path, ("schema = 1", "# why\n\nschema = 1"))).hash
    written_out = read_study(write(tmp_path, ('kind = "count"', 'kind = "count"\nbetter = "lower"'))).hash
    other = read_study(write(tmp_path, ('kind = "count"', 'kind = "count"\nworthwhile = -0.05'))).hash
    assert base == comment == written_out != other


def test_a_study_written_in_python_has_records_and_the_same_hash(tmp_path):
    read = read_study(write(tmp_path))
    values = {name: getattr(read, name) for name in Study.__dataclass_fields__ if name != "text"}
    made = Study(**values)
    assert made.hash == read.hash
    assert read_records(made).data.counts() == read_records(read).data.counts()


def test_every_method_named_is_asked_about(tmp_path):
    asked = []

    def judge(name, options, kind):
        asked.append((name, dict(options), kind))
        return [("log", "is odd")] if "log" in options else []

    extra = '\n[[sensitivity]]\nname = "did"\nlog = true\nnote = "again"\nwindow = "all"\n'
    path = write(tmp_path)
    path.write_text(path.read_text() + extra)
    with pytest.raises(UsageError) as caught:
        read_study(path, judge=judge)
    assert asked == [("did", {}, "panel"), ("did", {"log": True}, "panel")]
    assert "line 29, [[sensitivity]] number 1 `log`: is odd" in str(caught.value)


# -- what is wrong with a file -----------------------------------------------------------


def test_everything_wrong_is_listed_with_its_line_in_order(tmp_path):
    lines = refused(
        tmp_path,
        ('by = "Eastvale evaluation team"\n', ""),
        ('kind = "panel"', 'kind = "pannel"'),
        ('unit = "practice"', 'unt = "practice"'),
        ('label = "Emergency admissions"', "label = 3"),
        ('name = "did"', 'name = "did"\n[relase]\nseed = 1'),
    )
    assert lines == [
        "5 problems in study.toml",
        "  line 3, [study] `by`: is missing. "
        'Add by = "Eastvale integrated care team", who is answerable for this report',
        '  line 11, [data] `kind`: expects one of "panel", "series", "cohort", found "pannel". Did you mean `panel`?',
        "  line 13, [data] `unt`: there is no such key. Did you mean `unit`?",
        "  line 20, [[outcome]] number 1 `label`: expects text in quotation marks, found 3",
        "  line 25, `relase`: there is no such table or key. Did you mean `release`?",
    ]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("schema = 1\n", ""), "line 1, the file: `schema` is missing"),
        (("schema = 1", "schema = 2"), "line 1, `schema`: this version reads schema 1, found 2"),
        (("[method]", "[methods]"), "the table [method] is missing"),
        (("[[outcome]]", "[outcome]"), "write [[outcome]] with two brackets"),
        (('kind = "panel"', 'kind = "cohort"'), "`follow_up_days`: is missing. Say for how many days"),
        (('kind = "panel"', 'kind = "cohort"'), '`unit`: is for kind = "panel" or "series"'),
        (('unit = "practice"', 'unit = "practice"\nfollow_up = "days"'), '`follow_up`: is for kind = "cohort" only'),
        (('kind = "panel"\n', ""), '`kind`: is missing. Add kind = "panel"'),
        (('title = "Visits in Eastvale"', 'title = ""'), "`title`: expects text that is not empty"),
        (('unit = "practice"\n', ""), '`unit`: is missing. Add unit = "practice"'),
        (('start = "joined"', "start = 2022-10-01"), "`start`: names a column in a panel, found 2022-10-01"),
        (('start = "joined"', "start = true"), "`start`: expects a date such as 2022-04-01 or a whole number or text"),
        (('source = "practices.csv"\n', ""), "[data]: names no file. Add source"),
        (('unit = "practice"', 'unit = "practice"\nsql = "practices.csv"'), "`source`: stands beside sql"),
        (('unit = "practice"', 'unit = "practice"\nsheet = "a"'), "`sheet`: only an .xlsx file has sheets"),
        (('unit = "practice"', 'unit = "practice"\ncovid = "dummy"'), '`covid`: "dummy" is for a series'),
        (('unit = "practice"', 'unit = "practice"\ncovid = "dorp"'), "Did you mean `drop`?"),
        (('unit = "practice"', 'unit = "practice"\nfolders = ["../nowhere"]'), 'there is no folder "../nowhere"'),
        (('source = "practices.csv"', 'source = "\\u0000.csv"'), "`source`: this cannot be the name of a file"),
        (('source = "practices.csv"', f'source = "{"x" * 300}.csv"'), "`source`: this cannot be the name of a file"),
        (('unit = "practice"', 'unit = "practice"\nfolders = "data"'), 'expects a list such as ["a", "b"]'),
        (('unit = "practice"', 'unit = "practice"\nwindow = { form = 2022-01-01 }'), "`window.form`: there is no such key. Did you mean `from`?"),
        (('unit = "practice"', 'unit = "practice"\nwindow = {}'), "`window`: is empty"),
        (('unit = "practice"', 'unit = "practice"\nwindow = { from = "soon" }'), '`window.from`: expects a date such as 2022-04-01, found "soon"'),
        (('unit = "practice"', 'unit = "practice"\nwindow = { from = 2023-01-01, to = 2022-01-01 }'), "`window`: ends (2022-01-01) before it begins (2023-01-01)"),
        (('unit = "practice"', 'unit = "practice"\nwindow = { from = 1, to = 2022-01-01 }'), "one end is a date and the other a number"),
        (('kind = "count"', 'kind = "count"\nworthwhile = 0.05'), "Write a negative number: -0.05 is 5% fewer"),
        (('kind = "count"', 'kind = "count"\nbetter = "higher"\nworthwhile = -0.05'), "Write a number above 0"),
        (('kind = "count"', 'kind = "count"\nworthwhile = -5'), "cannot be a fall of 100% or more"),
        (('kind = "count"', 'kind = "count"\nworthwhile = { per = -4 }'), "write -0.05 (5% fewer), { per = -4, base = 100 }"),
        (('kind = "count"', 'kind = "count"\nworthwhile = { per = -4, base = 0 }'), "needs a base above 0"),
        (('kind = "count"', 'kind = "score"\nworthwhile = { per = -4, base = 100 }'), "needs a count in a panel with a population"),
        (('kind = "count"', 'kind = "count"\nworthwhile = nan'), "expects a finite number"),
        (('kind = "count"', 'kind = "cuont"'), "Did you mean `count`?"),
        (('kind = "count"', 'kind = "count"\nprimary = 1'), "`primary`: expects true or false, found 1"),
        (('column = "admissions"', 'column = "month"'), "`month` is the period in [data]"),
        (('name = "did"', 'name = "did"\n[release]\nprofile = "hes"'), '`profile`: expects one of "hes2018", "none", found "hes"'),
        (('name = "did"', 'name = "did"\n[release]\nseed = -1'), "`seed`: expects a number greater than or equal to 0, found -1"),
        (('name = "did"', 'name = "did"\n[cost]\nprice_year = "2024"'), '`price_year`: expects text such as "2024/25", found "2024"'),
        (('name = "did"', 'name = "did"\n[[context.event]]\ndate = "2022-01"'), "`event.date`: expects a date such as 2022-04-01"),
        (('name = "did"', 'name = "did"\n[context]\nevents = []'), "`events`: there is no such key. Did you mean `event`?"),
        (('title = "Visits in Eastvale"', "title = Visits"), "study.toml cannot be read as TOML"),
        (('title = "Visits in Eastvale"', 'title = "a"\ntitle = "b"'), "each key once"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_way_out(tmp_path, edit, said):
    lines = refused(tmp_path, edit)
    assert any(said in line for line in lines), "\n".join(lines)


def test_keys_of_a_panel_are_refused_for_a_series(tmp_path):
    edit = ('period = "month"', 'period = "month"\nunit = "a"\nweight = "b"\nincomplete = "keep"')
    lines = refused(tmp_path, edit, text=SERIES)
    assert [line.split("`")[1] for line in lines[1:]] == ["unit", "weight", "incomplete"]


def test_a_lot_needs_places_to_draw_from(tmp_path):
    lines = refused(tmp_path, ("[method]", '[context]\nallocation = "lot"\n\n[method]'), text=SERIES)
    assert any("one series has no place beside it" in line for line in lines)


@pytest.mark.parametrize(("marks", "said"), [("", "none is marked"), ("primary = true", "2 are marked")])
def test_one_outcome_of_several_is_the_primary_one(tmp_path, marks, said):
    second = f'[[outcome]]\ncolumn = "imd"\nlabel = "I"\nkind = "score"\n{marks}\n\n[method]'
    lines = refused(tmp_path, ('kind = "count"', f'kind = "count"\n{marks}'), ("[method]", second))
    assert any(said in line for line in lines)


def test_an_outcome_stands_once(tmp_path):
    second = '[[outcome]]\ncolumn = "admissions"\nlabel = "I"\nkind = "count"\nprimary = true\n\n[method]'
    assert "number 2 `column`: `admissions` is an outcome twice" in refused(tmp_path, ("[method]", second))[1]


def test_the_line_of_a_key_is_found_after_a_broken_entry_and_a_long_value(tmp_path):
    long = 'folders = [\n  ".",  # here\n  "."\n]\nunit'
    second = '[[outcome]]\ncolumn = "imd"\nlabel = "I"\nkind = "score"\nprimary = 3\n\n[method]'
    lines = refused(
        tmp_path, ('kind = "count"', 'kind = "cuont"'), ("\nunit", f"\n{long}"), ("[method]", second)
    )
    file = (tmp_path / "study.toml").read_text().splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "line {}, [[outcome]] number 1 `kind`".format(file.index('kind = "cuont"') + 1),
        "line {}, [[outcome]] number 2 `primary`".format(file.index("primary = 3") + 1),
    ]


def test_lines_are_found_in_every_layout():
    text = 'a = """  # [\n[b]\nc = 1\n"""\n[d.e]\n"f g" = [\n 1, # ]\n]\nh.i = 2 # ["""\n[[k]]\n[[k]]\n[k.l]\nm = \'"\'\nn = 1'
    lines = line_numbers(text)
    assert lines[("a",)] == 1
    assert ("b",) not in lines
    assert lines[("d", "e", "f g")] == 6
    assert lines[("d", "e", "h", "i")] == 9
    assert lines[("k", 1)] == 11
    assert lines[("k", 1, "l", "m")] == 13
    assert lines[("k", 1, "l", "n")] == 14
    assert line_of(("k", 1, "l", "n", "o"), lines) == 14


def test_absent_columns_are_listed_beside_what_is_wrong_in_the_file(tmp_path):
    lines = refused(tmp_path, ('unit = "practice"', 'unit = "practise"'), ("[study]", "[study]\nsubjct = 1"))
    assert len(lines) == 3
    assert (
        "line 15, [data] `unit`: column `practise`: there is no such column in practices.csv. Did you mean `practice`?"
        in lines[2]
    )


def test_a_file_that_is_not_there_is_named_with_those_that_are(tmp_path):
    (line,) = refused(tmp_path, ('source = "practices.csv"', 'source = "practice.csv"'))[1:]
    assert 'there is no file "practice.csv"' in line
    assert "There is practices.csv" in line
    with pytest.raises(UsageError, match="there is no study file"):
        read_study(tmp_path / "other.toml")


def test_a_study_reads_its_own_folder_and_those_it_names(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "data").mkdir()
    panel_table().to_csv(tmp_path / "data" / "practices.csv", index=False)
    there = ('source = "practices.csv"', 'source = "../data/practices.csv"')
    (line,) = refused(tmp_path / "study", there)[1:]
    assert "lies outside the study's folder" in line
    path = write(tmp_path / "study", there, ("unit =", 'folders = ["../data"]\nunit ='))
    assert read_records(read_study(path)).rows_read == 144


def test_shared_data_are_found_or_their_absence_is_told(tmp_path, monkeypatch):
    panel_table().to_csv(tmp_path / "practices.csv", index=False)
    (tmp_path / "study").mkdir()
    edits = [('source = "practices.csv"', 'source = "{shared}/practices.csv"\nfolders = ["{shared}"]')]
    monkeypatch.setenv("UCIMPACT_SHARED", str(tmp_path))
    assert read_records(read_study(write(tmp_path / "study", *edits))).rows_read == 144
    monkeypatch.setenv("UCIMPACT_SHARED", str(tmp_path / "nowhere"))
    lines = refused(tmp_path / "study", *edits)
    assert all("UCIMPACT_SHARED names" in line for line in lines[1:])


# -- records -----------------------------------------------------------------------------


def test_records_are_the_rows_of_the_file_in_their_roles(tmp_path):
    read = records(
        tmp_path, ("[method]", '[method]\ncovariates = ["imd"]'), ("unit =", 'places = "town"\nunit =')
    )
    assert read.data.counts() == {
        "rows": 144, "units": 12, "pilot_units": 3, "comparison_units": 9, "places": 6, "pilot_places": 2, "periods": 12,
    }  # fmt: skip
    assert read.data.labels()[6] == "October 2022"
    assert read.data.values("imd").dtype == float
    assert (read.rows_read, read.left_out, read.coercions, read.missing) == (144, (), (), {})
    assert read.fingerprints[0]["file"] == "practices.csv"


def test_only_columns_that_the_study_names_are_taken(tmp_path):
    assert set(records(tmp_path).data.table.columns) == {
        "practice",
        "month",
        "joined",
        "list_size",
        "admissions",
    }


def test_rows_outside_the_window_are_left_out_and_counted_whatever_stands_in_them(tmp_path):
    table = changed(panel_table(), "admissions", 2, "*")
    window = ("unit =", "window = { from = 2022-05-01, to = 2023-02-28 }\nunit =")
    read = records(tmp_path, window, table=table)
    assert len(read.data.ordinals) == 10
    assert read.left_out == ({"n": 24, "reason": "rows outside the window, May 2022 to February 2023"},)
    with pytest.raises(DataError, match="hidden"):
        read.within("all")
    assert len(read.within(Window(first="2022-06", last=None)).data.ordinals) == 10


def test_a_problem_keeps_its_line_when_rows_are_left_out(tmp_path):
    table = pd.concat([panel_table(), panel_table().iloc[[2]]])
    window = ("unit =", "window = { from = 2022-05-01 }\nunit =")
    with pytest.raises(DataError) as caught:
        records(tmp_path, window, table=changed(table, "joined", 20, "2022-11"))
    assert [problem.row for problem in caught.value.problems] == [20, 146]


def test_a_window_may_be_open_and_its_month_counts_whole(tmp_path):
    read = records(tmp_path, ("unit =", "window = { to = 2023-02-01 }\nunit ="))
    assert read.data.labels()[-1] == "February 2023"
    assert read.left_out[0]["reason"] == "rows outside the window, up to February 2023"


def test_the_whole_file_is_one_of_the_windows(tmp_path):
    read = records(tmp_path, ("unit =", "window = { from = 2022-05-01 }\nunit ="))
    assert read.within("all").data.counts()["rows"] == 144
    assert read.within("all").left_out == ()


def test_numbers_with_commas_are_read_and_it_is_said(tmp_path):
    read = records(tmp_path, table=changed(panel_table(), "admissions", 2, "1,017"))
    assert read.data.values("admissions")[0] == 1017
    assert read.coercions == (
        "`admissions`: 1 value with thousands commas, such as 1,000, read without them",
    )


def test_empty_cells_of_an_outcome_stay_missing_and_are_counted(tmp_path):
    read = records(tmp_path, table=changed(panel_table(), "admissions", 5, ""))
    assert np.flatnonzero(np.isnan(read.data.values("admissions"))).tolist() == [3]
    assert read.missing == {"admissions": 1}


def test_units_that_lack_a_period_are_refused_left_out_or_kept_as_declared(tmp_path):
    table = panel_table().drop(index=[11, 10])  # the first practice ends in January 2023
    with pytest.raises(DataError) as caught:
        records(tmp_path, table=table)
    (problem,) = caught.value.problems
    assert (problem.what, problem.row) == ("Practice 01 ends in January 2023, inside the window", 11)
    assert 'incomplete = "leave-out"' in problem.do
    left_out = records(tmp_path, ("unit =", 'incomplete = "leave-out"\nunit ='), table=table)
    assert left_out.data.counts()["units"] == 11
    assert left_out.left_out == (
        {"n": 10, "reason": "rows of 1 unit without a row for every month of the window"},
    )
    kept = records(tmp_path, ("unit =", 'incomplete = "keep"\nunit ='), table=table)
    assert kept.data.counts()["rows"] == 142
    assert kept.coercions == (
        "1 of 12 units lacks 2 rows: Practice 01 has no rows in 2 of 12 months. What is there is used",
    )
    shorter = records(tmp_path, ("unit =", "window = { to = 2023-01-31 }\nunit ="), table=table)
    assert shorter.data.is_balanced


def test_units_with_gaps_that_are_kept_are_named_those_with_most_first(tmp_path):
    table = panel_table()
    table = table.drop(index=[*range(12, 14), *range(24, 27), *(12 * k for k in range(3, 7))])
    table = table[table["month"] != "2023-01"]
    kept = records(tmp_path, ("unit =", 'incomplete = "keep"\nunit ='), table=table)
    assert kept.coercions == (
        "no unit has a row for January 2023",
        "6 of 12 units lack 9 rows: Practice 03 has no rows in 3 of 11 months, Practice 02 in 2, "
        "Practice 04 in 1, Practice 05 in 1, and 2 more. What is there is used",
    )
    whole = records(tmp_path, ("unit =", 'incomplete = "keep"\nunit ='))
    assert whole.coercions == ()


def test_months_of_the_pandemic_have_to_be_declared_and_are_dropped_if_so(tmp_path):
    table = panel_table(months=30)
    table["month"] = np.tile(pd.date_range("2020-01-01", periods=30, freq="MS").strftime("%Y-%m"), 12)
    table["joined"] = table["joined"].replace("2022-10", "2021-12")
    with pytest.raises(DesignError, match=r'covid = "drop".*or "none"'):
        records(tmp_path, table=table)
    dropped = records(tmp_path, ("unit =", 'covid = "drop"\nunit ='), table=table)
    assert dropped.left_out == (
        {"n": 12 * 16, "reason": "rows in the covid months, March 2020 to June 2021"},
    )
    assert dropped.data.labels()[1:3] == ["February 2020", "July 2021"]
    assert records(tmp_path, ("unit =", 'covid = "none"\nunit ='), table=table).left_out == ()


def test_a_series_keeps_its_pandemic_months_for_its_method(tmp_path):
    table = series_table()
    table["month"] = pd.date_range("2019-07-01", periods=48, freq="MS").strftime("%Y-%m")
    start = ("start = 2024-07-01", "start = 2022-07-01")
    with pytest.raises(DesignError, match='"dummy", "segment"'):
        records(tmp_path, start, text=SERIES, table=table)
    kept = records(tmp_path, start, ("period =", 'covid = "dummy"\nperiod ='), text=SERIES, table=table)
    assert kept.data.counts()["rows"] == 48


def test_weeks_that_the_window_cuts_may_be_absent(tmp_path):
    table = series_table()
    table["month"] = pd.date_range("2023-01-05", periods=48, freq="7D").strftime("%d/%m/%Y")
    edits = [
        ("start = 2024-07-01", "start = 2023-07-06"),
        ("period =", "window = { from = 2023-01-01, to = 2023-11-30 }\nperiod ="),
    ]
    read = records(tmp_path, *edits, text=SERIES, table=table)
    assert read.data.frequency.kind == "week"
    assert read.data.counts()["rows"] == 48
    with pytest.raises(DataError, match="no row at all for week from 22 December 2022"):
        records(
            tmp_path,
            edits[0],
            (edits[1][0], edits[1][1].replace("2023-01-01", "2022-12-20")),
            text=SERIES,
            table=table,
        )


def test_dates_are_read_as_the_study_says_and_starts_in_their_own_form(tmp_path):
    table = panel_table()
    table["month"] = pd.to_datetime(table["month"]).dt.strftime("%m/%d/%Y")
    form = ("[[outcome]]", '[data.dates]\nformat = "%m/%d/%Y"\n\n[[outcome]]')
    assert records(tmp_path, form, table=table).data.labels()[-1] == "March 2023"
    table["joined"] = table["joined"].replace("2022-10", "10/01/2022")
    read = records(tmp_path, form, table=table)
    assert read.data.frequency.label(read.data.starts[0]) == "October 2022"


def test_starts_that_could_be_either_way_round_are_said_to_be_read_day_first(tmp_path):
    table = panel_table()
    table["joined"] = table["joined"].replace("2022-10", "01/10/2022")
    assert "`joined` was read as day/month/year" in records(tmp_path, table=table).coercions[0]
    table["joined"] = table["joined"].replace("01/10/2022", "15/10/2022")
    assert records(tmp_path, table=table).coercions == ()


def test_a_workbook_a_parquet_file_and_a_query_give_the_same_records(tmp_path):
    expected = records(tmp_path)
    table = panel_table().astype({"list_size": float, "admissions": int})
    table["month"] = pd.to_datetime(table["month"]).dt.date
    table["joined"] = [pd.Timestamp(j).date() if j else None for j in table["joined"]]
    table.to_excel(tmp_path / "f.xlsx", index=False, sheet_name="figures")
    table.to_parquet(tmp_path / "f.parquet")
    (tmp_path / "f.sql").write_text(
        "SELECT * REPLACE (CAST(admissions AS BIGINT) AS admissions) FROM 'practices.csv'"
    )
    for named in ('source = "f.xlsx"\nsheet = "figures"', 'source = "f.parquet"', 'sql = "f.sql"'):
        read = records(tmp_path, ('source = "practices.csv"', named))
        assert read.data.counts() == expected.data.counts()
        assert read.data.starts == expected.data.starts
        np.testing.assert_array_equal(
            np.sort(read.data.values("admissions")), np.sort(expected.data.values("admissions"))
        )


def test_columns_with_the_names_of_code_are_only_columns(tmp_path):
    names = {
        "admissions": "<script>alert(1)</script>",
        "practice": "=1+1",
        "list_size": "LOS (days)",
        "joined": 'a"b é',
    }
    table = panel_table().rename(columns=names)
    edits = [(f'"{old}"', "'" + new + "'") for old, new in names.items()]
    read = records(tmp_path, *edits, table=table)
    assert np.isfinite(read.data.values("<script>alert(1)</script>")).all()
    assert (read.data.unit, read.data.population, read.data.start) == ("=1+1", "LOS (days)", 'a"b é')


def test_people_are_numbered_and_their_values_never_shown(tmp_path):
    table = panel_table().replace({"practice": {"Practice 01": "Ada Byron"}})
    people = ("unit =", 'rows = "people"\nunit =')
    read = records(tmp_path, people, table=table)
    assert read.data.units[0] == "person 1"
    for column, value in (
        ("admissions", "many"),
        ("joined", "2031-01"),
        ("month", "wrongish"),
        ("list_size", "-777"),
    ):
        with pytest.raises(DataError) as caught:
            records(tmp_path, people, table=changed(table, column, 3, value))
        assert "Ada" not in str(caught.value)
        assert value not in str(caught.value)
    with pytest.raises(DataError) as caught:
        records(tmp_path, people, table=table.assign(joined="2031-05"))
    assert "2031" not in str(caught.value)


def test_small_numbers_of_people_cannot_be_released(tmp_path):
    (line,) = refused(
        tmp_path, ("unit =", 'rows = "people"\nunit ='), ("[method]", '[release]\nprofile = "none"\n[method]')
    )[1:]
    assert "small numbers of people are always hidden" in line


def test_an_nhs_number_that_slipped_in_is_not_repeated(tmp_path):
    with pytest.raises(DataError) as caught:
        records(tmp_path, table=changed(panel_table(), "joined", 3, "9434765919"))
    assert "9434765919" not in str(caught.value)


def test_a_study_can_be_edited_only_by_writing_it_again(tmp_path):
    study = read_study(write(tmp_path))
    with pytest.raises(AttributeError):
        study.title = "Other"


def test_the_helper_refuses_an_edit_that_changes_nothing():
    with pytest.raises(AssertionError):
        edited(PANEL, ("not there", ""))


# -- the page about study files ----------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "study.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_a_study(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    names = {"admissions": "emergency_admissions"}
    panel_table(months=24).rename(columns=names).to_csv(tmp_path / "practices.csv", index=False)
    (tmp_path / "study.toml").write_text(example)
    assert read_records(read_study(tmp_path, judge=problems)).data.counts()["periods"] == 24


@pytest.mark.parametrize(
    "table", [*TABLES.values(), *ARRAYS.values(), *NESTED.values()], ids=lambda t: t.__name__
)
def test_the_page_names_every_key(table):
    own = {"options"} if table in (Method, Sensitivity) else set()
    assert {key for key in keys_of(table) if not re.search(rf"\b{key}\b", PAGE)} <= own


@pytest.mark.parametrize("written", ["%Y%m", "%Y%m%d", "serial"])
def test_months_that_are_written_as_numbers_are_months(tmp_path, written):
    """45017 in a workbook without its date format, and 202304 in an export, are April 2023."""
    table = panel_table()
    for column in ("month", "joined"):
        day = pd.to_datetime(table[column].replace("", None), format="%Y-%m")
        table[column] = (
            (day - pd.Timestamp("1899-12-30")).dt.days.map(lambda n: "" if pd.isna(n) else f"{n:.0f}")
            if written == "serial"
            else day.dt.strftime(written).fillna("")
        )
    records = read_records(read_study(write(tmp_path, table=table)))
    plain = read_records(read_study(write(tmp_path)))
    assert records.data.frequency == plain.data.frequency
    assert records.data.starts == plain.data.starts
    assert len([note for note in records.coercions if "number" in note]) == 2
