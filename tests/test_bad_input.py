"""Forty and more inputs that are wrong, each met by one clear message, its code, and nothing written.

Codes: 2 the study file, 3 the data, 4 a design that cannot answer. A message names the file, the row
and the value where there is one, and the way out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.small_study import PANEL, SERIES, changed, panel_table, series_table, write
from ucimpact import cli

Table = Callable[[], "pd.DataFrame | str | bytes"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A study with one thing wrong, the code it leaves with, and what its message has to hold."""

    name: str
    code: int
    says: tuple[str, ...]
    edits: tuple[tuple[str, str], ...] = ()
    text: str = PANEL
    table: Table | None = None
    also: tuple[tuple[str, str], ...] = ()
    """Other files of the study's folder."""


def panel(column: str, row: int, value: object) -> Table:
    return lambda: changed(panel_table(), column, row, value)


def series(column: str, row: int, value: object) -> Table:
    return lambda: changed(series_table(), column, row, value)


def lines(table: pd.DataFrame) -> list[str]:
    return table.to_csv(index=False).splitlines()


def twice() -> pd.DataFrame:
    """The second row stands again at the end."""
    table = panel_table()
    return pd.concat([table, table.iloc[[1]]])


def spoilt() -> pd.DataFrame:
    """Four things wrong in four places."""
    table = changed(
        changed(changed(panel_table(), "admissions", 5, "many"), "list_size", 7, "none"),
        "joined",
        9,
        "2031-01",
    )
    return pd.concat([table, table.iloc[[1]]])


def dated(form: str, other: str | None = None) -> Table:
    """Weeks as dates of one form; with ``other``, some of them in another."""

    def table() -> pd.DataFrame:
        made = series_table()
        days = pd.date_range("2023-01-04", periods=len(made), freq="7D")
        made["month"] = [
            day.strftime(other if other is not None and at % 2 else form) for at, day in enumerate(days)
        ]
        return made

    return table


def nhs_numbers(count: int) -> list[str]:
    """Numbers with a right check digit, made here."""
    made, nine = [], 943_476_500
    while len(made) < count:
        nine += 17
        digits = str(nine)
        check = (11 - sum(int(d) * (10 - i) for i, d in enumerate(digits)) % 11) % 11
        if check < 10:
            made.append(f"{digits}{check}")
    return made


NUMBERS = nhs_numbers(144)
WINDOW = "window = { from = 2022-04-01, to = 2023-03-31 }\nunit ="
START = ("start = 2024-07-01", "start = 2023-07-05")

CASES = [
    # -- one row, one cell --
    Case(name="duplicate unit-period", code=3, table=twice,
         says=("practices.csv", "row 146", "Practice 01 stands 2 times in May 2022", "Keep one row")),
    Case(name="text in a number", code=3, table=panel("admissions", 7, "many"),
         says=("practices.csv", "row 7, column `admissions`", "text, where a number belongs (found 'many')", "Write a number")),
    Case(name="hidden number", code=3, table=panel("admissions", 7, "*"),
         says=("row 7, column `admissions`", "hidden (suppressed) number (found '*')", "Ask for the number")),
    Case(name="fewer than five", code=3, table=panel("admissions", 7, "<5"), says=("row 7", "(found '<5')", "add small places together")),
    Case(name="dash", code=3, table=panel("admissions", 7, "-"), says=("row 7", "(found '-')", "Write 0 if it is nought")),
    Case(name="not available", code=3, table=panel("admissions", 7, "n/a"), says=("row 7", "(found 'n/a')", "leave the cell empty")),
    Case(name="percentage", code=3, table=panel("admissions", 7, "77.70%"), says=("row 7", "a percentage", "without the % sign")),
    Case(name="pounds in a count", code=3, table=panel("admissions", 7, "£1,234.50"), says=("row 7", "'£1,234.50'", 'kind = "cost"')),
    Case(name="infinite value", code=3, table=panel("admissions", 9, "inf"), says=("row 9, column `admissions`", "an infinite number (found 'inf')", "Correct it")),
    Case(name="negative count", code=3, table=panel("admissions", 9, "-3"), says=("row 9, column `admissions`", "a number below 0 (found '-3')", "Correct it")),
    Case(name="count with a fraction", code=3, table=panel("admissions", 9, "2.5"), says=("row 9", "not a whole number (found '2.5')", 'kind = "score"')),
    Case(name="negative cost", code=3, edits=(('kind = "count"', 'kind = "cost"'),), table=panel("admissions", 9, "-3.20"),
         says=("row 9", "a cost below 0 (found '-3.20')", "Correct it")),
    Case(name="negative duration", code=3, edits=(('kind = "count"', 'kind = "duration"'),), table=panel("admissions", 9, "-1"),
         says=("row 9", "a duration below 0 (found '-1')", "Correct it")),
    Case(name="neither yes nor no", code=3, edits=(('kind = "count"', 'kind = "binary"'),),
         table=lambda: changed(panel_table().assign(admissions=["0", "1"] * 72), "admissions", 9, "2"),
         says=("row 9", "neither 0 nor 1 (found '2')", "Write 1 for yes and 0 for no")),
    Case(name="no population", code=3, table=panel("list_size", 4, ""), says=("row 4, column `list_size`", "the population is missing", "Fill it in")),
    Case(name="population of nought", code=3, table=panel("list_size", 4, "0"), says=("row 4", "not above 0 (found '0')", "Fill it in")),
    Case(name="no unit", code=3, table=panel("practice", 4, ""), says=("1 problem", "row 4, column `practice`", "no unit", "Name the unit")),
    Case(name="no unit twice in a month", code=3, table=lambda: changed(changed(panel_table(), "practice", 4, ""), "practice", 16, ""),
         says=("2 problems", "row 4", "row 16", "Name the unit")),
    Case(name="no period", code=3, table=panel("month", 4, ""), says=("row 4, column `month`", "no period", "Fill it in")),
    Case(name="covariate of text", code=3, edits=(("[method]", '[method]\ncovariates = ["imd"]'),), table=panel("imd", 5, "deprived"),
         says=("row 5, column `imd`", "(found 'deprived')", "Write a number")),
    Case(name="unit in two places", code=3, edits=(("unit =", 'places = "town"\nunit ='),), table=panel("town", 5, "Town 9"),
         says=("column `town`", "Practice 01 is in more than one place", "one place throughout")),
    Case(name="many problems at once", code=3, table=spoilt,
         says=("4 problems in practices.csv", "row 5", "row 7", "row 9", "row 146")),
    Case(name="hundreds of one kind", code=3, table=lambda: panel_table().assign(admissions="*"),
         says=("144 problems", "row 6", "and 139 more like these in column `admissions`")),
    # -- periods and starts --
    Case(name="gap in a series", code=3, text=SERIES, table=lambda: series_table().drop(index=[4, 5]),
         says=("months.csv", "column `month`", "the series has gaps: November 2021, December 2021", "Add a row for each")),
    Case(name="month twice in a series", code=3, text=SERIES, table=series("month", 8, "2021-12"),
         says=("row 8, column `month`", "December 2021 stands twice", "Keep one row")),
    Case(name="month without any row", code=3, table=lambda: panel_table().query("month != '2022-08'"),
         says=("no row at all for August 2022", "Add the rows or change the window")),
    Case(name="day and month the other way round in some rows", code=3, text=SERIES, edits=(START,), table=dated("%d/%m/%Y", "%m/%d/%Y"),
         says=("column `month`", "day/month and month/day dates are mixed", 'format = "%d/%m/%Y"')),
    Case(name="firsts of months written month first", code=3,
         table=lambda: panel_table().assign(month=lambda t: pd.to_datetime(t["month"]).dt.strftime("%m/%d/%Y")),
         says=("column `month`", "could be day first or month first (found '04/01/2022')", "Say which")),
    Case(name="every date month first", code=3, text=SERIES, edits=(START,), table=dated("%m/%d/%Y"),
         says=("column `month`", "these dates are month first (found '01/04/2023')", 'format = "%m/%d/%Y"')),
    Case(name="year 9999", code=3, text=SERIES, edits=(START,), table=lambda: changed(dated("%Y-%m-%d")(), "month", 5, "9999-12-31"),
         says=("row 5, column `month`", "between 1800 and 2199 (found '9999-12-31')", "Correct the slip")),
    Case(name="two forms of dates", code=3, table=panel("month", 6, "August of 2022"),
         says=("1 problem", "row 6, column `month`", "the rest are like 2022-04 (found 'August of 2022')", "Write every period in one form")),
    Case(name="a day that does not exist", code=3, text=SERIES, edits=(START,),
         table=lambda: changed(dated("%d/%m/%Y")(), "month", 4, "31/02/2023"), says=("row 4", "(found '31/02/2023')", "one form")),
    Case(name="a slip of a million", code=3, text=SERIES, edits=(("start = 2024-07-01", "start = 30"),),
         table=lambda: changed(series_table().assign(month=[str(n + 1) for n in range(48)]), "month", 9, "999999999"),
         says=("row 9, column `month`", "(found '999999999')", "Correct the slip")),
    Case(name="start outside the window", code=3, edits=(("unit =", WINDOW),), table=lambda: panel_table().replace({"joined": {"2022-10": "2023-06"}}),
         says=("row 2, column `joined`", "Practice 01 starts outside the data (April 2022 to March 2023) (found 'June 2023')", "Leave the unit out, or add the missing periods")),
    Case(name="start of a series outside its window", code=3, text=SERIES, edits=(("start = 2024-07-01", "start = 2031-07-01"),),
         says=("the start, July 2031, is outside the data (July 2021 to June 2025)", "Correct the start")),
    Case(name="start that changes", code=3, table=panel("joined", 5, "2022-11"),
         says=("row 5, column `joined`", "the start of Practice 01 changes from row to row (found '2022-11')", "A unit starts once")),
    Case(name="start that is no month", code=3, table=panel("joined", 2, "autumn"), says=("1 problem", "row 2, column `joined`", "(found 'autumn')", "leave it empty")),
    Case(name="empty window", code=3, edits=(("unit =", "window = { from = 2019-04-01, to = 2020-02-29 }\nunit ="),),
         says=("practices.csv", "no row lies in the window, April 2019 to February 2020", "The file has April 2022 to March 2023")),
    Case(name="window that begins before the file", code=3, edits=(("unit =", "window = { from = 2022-02-01 }\nunit ="),),
         says=("column `month`", "no row at all for February 2022, March 2022", "change the window")),
    Case(name="an area that ends inside the window", code=3, edits=(("unit =", WINDOW),), table=lambda: panel_table().drop(index=[142, 143]),
         says=("row 143, column `practice`", "Practice 12 ends in January 2023, inside the window", 'incomplete = "leave-out"')),
    Case(name="an area that begins inside the window", code=3, table=lambda: panel_table().drop(index=[132]),
         says=("Practice 12 begins in May 2022, inside the window", '"keep"')),
    Case(name="an area with a hole", code=3, table=lambda: panel_table().drop(index=[5]), says=("Practice 01 has no row for September 2022", '"keep"')),
    # -- the whole file --
    Case(name="empty file", code=3, table=lambda: b"", says=("practices.csv", "the file is empty", "Check that the export finished")),
    Case(name="header alone", code=3, table=lambda: lines(panel_table())[0] + "\n", says=("practices.csv", "no rows under the header", "Check")),
    Case(name="one row", code=3, table=lambda: panel_table().iloc[:1], says=("1 problem", "row 2", "there is only one row", "before and after the start")),
    Case(name="one row of a series", code=3, text=SERIES, edits=(("start = 2024-07-01", "start = 2021-07-01"),), table=lambda: series_table().iloc[:1],
         says=("row 2", "there is only one row", "before and after the start")),
    Case(name="one month", code=3, table=lambda: panel_table().query("month == '2022-10'"), says=("every row is in one month, October 2022", "Add the periods")),
    Case(name="constant outcome", code=3, table=lambda: panel_table().assign(admissions="7"),
         says=("column `admissions`", "every value is the same (found '7')", "Check that the right column is named")),
    Case(name="empty outcome", code=3, table=lambda: panel_table().assign(admissions=""), says=("column `admissions`", "every cell is empty", "Check")),
    Case(name="missing column", code=3, table=lambda: panel_table().rename(columns={"admissions": "admission"}),
         says=("column `admissions`: there is no such column in practices.csv (named in line 20 of the study file)", "Did you mean `admission`?")),
    Case(name="several missing columns", code=3, table=lambda: panel_table()[["practice", "month", "imd"]],
         says=("3 problems", "`joined`", "`list_size`", "`admissions`", "The columns are: practice, month, imd")),
    Case(name="no header", code=3, table=lambda: "\n".join(lines(panel_table())[1:]),
         says=("1 problem", "none of the 5 columns that the study names is in the header, row 1", "The header holds: Practice 01")),
    Case(name="no header in a list of people", code=3, edits=(("[data]", '[data]\nrows = "people"'),), table=lambda: "\n".join(lines(panel_table())[1:]),
         says=("1 problem", "none of the 5 columns", "Check that the names of the columns stand there")),
    Case(name="a share and a percentage", code=3, edits=(('kind = "count"', 'kind = "score"'),), table=lambda: changed(panel_table().assign(admissions=lambda t: t["admissions"] + "%"), "admissions", 7, "0.77"),
         says=("1 problem", "row 7, column `admissions`", "without a % sign in a column of percentages (found '0.77')", "the same way")),
    Case(name="pounds below nought", code=3, edits=(('kind = "count"', 'kind = "cost"'),), table=panel("admissions", 9, "(£250)"),
         says=("row 9", "a cost below 0 (found '(£250)')", "Correct it")),
    Case(name="header name twice", code=3, table=lambda: panel_table().assign(other="1").rename(columns={"other": "admissions"}),
         says=("column `admissions`: this name stands twice in the header", "Name the one that is meant, from the left: `admissions (1)`")),
    Case(name="row too long", code=3, table=lambda: "\n".join([*lines(panel_table())[:4], "a,b,c,d,e,f,g,h"]), says=("row 5", "8 cells", "header has 7", "quotation marks")),
    Case(name="quotation mark never closed", code=3, table=lambda: "\n".join([*lines(panel_table())[:4], '"Practice 1,2022-08']), says=("row 5", "never closed", "twice")),
    Case(name="a workbook called csv", code=3, table=lambda: b"PK\x03\x04\x14\x00\x00\x00", says=("practices.csv", "not a text file", "Save the sheet as CSV")),
    Case(name="NHS numbers as units", code=3, table=lambda: panel_table().assign(practice=NUMBERS),
         says=("column `practice`", "NHS numbers", "Take the column out")),
    Case(name="NHS numbers in a column that is not used", code=3, table=lambda: panel_table().assign(ref=[f"{n[:3]} {n[3:6]} {n[6:]}" for n in NUMBERS]),
         says=("column `ref`", "NHS numbers", "Take the column out")),
    Case(name="NHS numbers in nine of ten rows", code=3, table=lambda: panel_table().assign(ref=[*NUMBERS[:130], *["none"] * 14]),
         says=("column `ref`", "NHS numbers")),
    # -- designs --
    Case(name="pilot everywhere", code=4, table=lambda: panel_table().assign(joined="2022-10"),
         says=("very unit has the same start in column `joined`", "nothing to compare with", "Add units that never start")),
    Case(name="no pilot", code=4, table=lambda: panel_table().assign(joined=""),
         says=("o unit has a start in column `joined`", "Give the units of the pilot their first pilot period")),
    Case(name="months of the pandemic not declared", code=4,
         table=lambda: panel_table().assign(month=np.tile(pd.date_range("2020-10-01", periods=12, freq="MS").strftime("%Y-%m"), 12)).replace({"joined": {"2022-10": "2021-04"}}),
         says=("covid pandemic (March 2020 to June 2021)", 'covid = "drop"', '"none"')),
    Case(name="no pilot and the pandemic", code=4,
         table=lambda: panel_table().assign(month=np.tile(pd.date_range("2020-10-01", periods=12, freq="MS").strftime("%Y-%m"), 12), joined=""),
         says=("2 reasons", "so there is no pilot", "covid pandemic")),
    Case(name="starts at different times", code=4, table=lambda: panel_table().assign(joined=lambda t: t["joined"].mask(t["practice"] == "Practice 02", "2022-12")),
         says=("2 different times (October 2022, December 2022)", "one start at a time")),
    Case(name="logarithm of nought", code=4, edits=(("[method]", "[method]\nlog = true"),), table=panel("admissions", 9, "0"),
         says=("needs values above 0, and 1 of 144 values", "Leave log out")),
    Case(name="two months before the start", code=4, text=SERIES, edits=(("start = 2024-07-01", "start = 2021-09-01"),), says=("there are 2 and 46", "Add months")),
    # -- the study file --
    Case(name="unknown key", code=2, edits=(("[method]", "outcomes = 3\n\n[method]"),), says=("study.toml", "line 24, [[outcome]] number 1 `outcomes`", "There are: column")),
    Case(name="unknown table", code=2, edits=(("[method]", "[metod]"),), says=("line 24, `metod`", "Did you mean `method`?")),
    Case(name="unknown method", code=2, edits=(('name = "did"', 'name = "dod"'),), says=("line 25, [method] `name`", 'no method "dod"', "Did you mean `did`?")),
    Case(name="unknown field of a method", code=2, edits=(('name = "did"', 'name = "did"\nlogg = true'),), says=("line 26, [method] `logg`", "Did you mean `log`?")),
    Case(name="wrong type in a field of a method", code=2, edits=(('name = "did"', 'name = "did"\nlog = "yes"'),), says=("line 26, [method] `log`", "expects true or false, found 'yes'")),
    Case(name="level above 1", code=2, edits=(('name = "did"', 'name = "did"\nlevel = 95'),), says=("1 problem", "line 26, [method] `level`", "from 0.5 to below 1")),
    Case(name="another level in a report", code=2, edits=(('name = "did"', 'name = "did"\nlevel = 0.9'),), says=("line 26, [method] `level`", "level = 0.9", "Take the key out")),
    Case(name="method for other data", code=2, text=SERIES, edits=(('name = "its"', 'name = "did"'),), says=("[method] `name`", "works on a panel and the data are a series", " or its or ")),
    Case(name="wrong type", code=2, edits=(('title = "Visits in Eastvale"', "title = 2022"),), says=("line 4, [study] `title`", "expects text in quotation marks, found 2022")),
    Case(name="no title", code=2, edits=(('title = "Visits in Eastvale"\n', ""),), says=("line 3, [study] `title`", "is missing. Add title =")),
    Case(name="not TOML", code=2, edits=(('title = "Visits in Eastvale"', "title: Visits"),), says=("study.toml cannot be read as TOML", "line 4")),
    Case(name="a unit cost that is not known", code=2, edits=(('kind = "count"', 'kind = "count"\nvalue = { economic = "emergency-bed" }'),), says=("1 value cannot be priced", "no unit cost", "emergency-bed")),
    Case(name="people in a cohort", code=2, edits=(('kind = "panel"', 'kind = "cohort"'),), says=("[data] `person`", "is missing", "`unit`", "Take the key out")),
    Case(name="no such file", code=2, edits=(('source = "practices.csv"', 'source = "practises.csv"'),), says=("line 13, [data] `source`", 'no file "practises.csv"', "There is practices.csv")),
    Case(name="file of another folder", code=2, edits=(('source = "practices.csv"', 'source = "/etc/hosts.csv"'),), says=("[data] `source`", "lies outside the study's folder", "Add its folder")),
    Case(name="a worthwhile change for the worse", code=2, edits=(('kind = "count"', 'kind = "count"\nworthwhile = 0.05'),), says=("`worthwhile`", "Write a negative number")),
    Case(name="wrong keys and missing columns together", code=2, edits=(('population = "list_size"', 'population = "lists"'), ("[study]", "[study]\nsubjct = 1")),
         says=("2 problems in study.toml", "Did you mean `subject`?", "column `lists`: there is no such column in practices.csv")),
    Case(name="window that does not fit numbered periods", code=2, edits=(("unit =", WINDOW),),
         table=lambda: panel_table().assign(month=np.tile([str(n) for n in range(1, 13)], 12)).replace({"joined": {"2022-10": "7"}}),
         says=("window: from = 2022-04-01 does not fit", "Write it as the file does")),
    Case(name="two statements of SQL", code=2, edits=(('source = "practices.csv"', 'sql = "two.sql"'),), also=(("two.sql", "SELECT 1; SELECT 2"),),
         says=("two.sql must hold one SELECT; it holds SELECT and SELECT", "Write one SELECT")),
    Case(name="SQL that writes", code=2, edits=(('source = "practices.csv"', 'sql = "w.sql"'),), also=(("w.sql", "COPY (SELECT 1) TO 'out.csv'"),), says=("w.sql must hold one SELECT; it holds COPY",)),
    Case(name="SQL that reads another file", code=3, edits=(('source = "practices.csv"', 'sql = "p.sql"'),), also=(("p.sql", "SELECT * FROM read_text('/etc/passwd')"),),
         says=("p.sql", "may not read /etc/passwd", "add the folder there")),
]  # fmt: skip


def call(command: str, path: Path, *more: object):
    return CliRunner().invoke(cli.app, [command, str(path), *map(str, more)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_input_has_one_message_its_code_and_writes_nothing(case, tmp_path):
    table = case.table() if case.table else None
    path = write(tmp_path, *case.edits, text=case.text, table=table)
    for name, content in case.also:
        (tmp_path / name).write_text(content)
    before = sorted(tmp_path.rglob("*"))
    checked = call("check", path)
    ran = call("run", path, "--out", tmp_path / "out")
    message = checked.stderr
    for said in case.says:
        assert said in message, message
    assert checked.exit_code == case.code, message
    assert (ran.exit_code, ran.stderr) == (checked.exit_code, message)
    assert "Traceback" not in checked.output
    assert "Ready" not in checked.output
    assert ran.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert not any(number in message for number in NUMBERS)


def test_there_are_forty_and_all_are_different():
    assert len({case.name for case in CASES}) == len(CASES) >= 40


ODD = (
    "<script>alert(1)</script>",
    "=1+1",
    "LOS (days)",
    'a"b',
    "__import__('os').system('touch owned')",
    "été 数",
)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("role", ["admissions", "practice", "joined", "list_size", "month"])
def test_a_column_with_the_name_of_code_is_only_a_column(name, role, tmp_path):
    quoted = "'''" + name + "'''"
    path = write(tmp_path, (f'"{role}"', quoted), table=panel_table().rename(columns={role: name}))
    before = sorted(tmp_path.rglob("*"))
    done = call("check", path)
    assert done.exit_code == 0, done.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ODD[:3])
def test_such_a_column_goes_through_to_the_report_escaped(name, tmp_path):
    quoted = "'''" + name + "'''"
    table = panel_table().rename(columns={"admissions": name})
    done = call("run", write(tmp_path, ('"admissions"', quoted), table=table), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text()
    for made in (tmp_path / "out" / "tables").glob("*.csv"):
        assert not any(
            cell.strip('"').startswith("=") for cell in made.read_text().replace("\n", ",").split(",")
        )
