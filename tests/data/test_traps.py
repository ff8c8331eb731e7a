"""Files as people send them: each is a trap with a name, read as it is meant or refused with its row.

A trap is made here, byte by byte, so that what it holds can be seen. The table that every one of them
means is two practices with their months, admissions and list sizes.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openpyxl
import pytest

from ucimpact.data.cells import read_numbers
from ucimpact.data.dates import read_dates
from ucimpact.data.reading import Table, read_table
from ucimpact.errors import DataError, UsageError

HEADER = ["practice", "month", "admissions", "list_size"]
ROWS = [
    ["Abbey", "01/04/2023", "12", "4000"],
    ["Abbey", "01/05/2023", "15", "4010"],
    ["Brook", "01/04/2023", "7", "2500"],
    ["Brook", "01/05/2023", "9", "2480"],
]
NUMBERS = [12, 15, 7, 9]


def lines(*above: str, rows: list[list[str]] = ROWS, sep: str = ",", below: tuple[str, ...] = ()) -> str:
    """A text file of the table, with lines above and below it."""
    return "\n".join([*above, sep.join(HEADER), *(sep.join(row) for row in rows), *below]) + "\n"


def sheet(
    rows: list[list[Any]], merge: tuple[str, ...] = (), also: Callable[[Any], None] | None = None
) -> bytes:
    """A workbook with one sheet of these rows; ``also`` may change it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merge:
        book.active.merge_cells(cells)
    if also:
        also(book)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def typed() -> list[list[Any]]:
    """The rows with a workbook's own types."""
    return [[name, dt.datetime.strptime(day, "%d/%m/%Y"), int(n), int(size)] for name, day, n, size in ROWS]


def hide(book: Any) -> None:
    book.create_sheet("lookups").append(["code", "meaning"])
    book["lookups"].sheet_state = "hidden"


def filtered(book: Any) -> None:
    book.active.row_dimensions[3].hidden = True


def far_cell(book: Any) -> None:
    book.active["XFD1048576"] = "x"


def with_xml(book: bytes, old: str, new: str) -> bytes:
    """A workbook with a change in the XML of its sheet."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as whole, zipfile.ZipFile(kept, "w") as made:
        for name in whole.namelist():
            text = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            made.writestr(name, text)
    return kept.getvalue()


def lying_zip() -> bytes:
    """A workbook that says its sheet is small, and unpacks to far more."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)
    packed = bytearray(kept.getvalue())
    size = (3_000_000).to_bytes(4, "little")
    while (at := packed.find(size)) >= 0:
        packed[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(packed)


def bomb() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(26):
            archive.writestr(f"xl/worksheets/sheet{part}.xml", b"0" * 10_000_000)
    return kept.getvalue()


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A file, and what becomes of it: the table, with these notes and rows left out, or a refusal."""

    name: str
    content: str | bytes
    suffix: str = "csv"
    lines: tuple[int, ...] = (2, 3, 4, 5)
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    refused: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    """Names that stand for the plain ones."""


MERGED = [
    ["practice", "month", "activity", None],
    [None, None, "admissions", "list_size"],
]
UNDER_ACTIVITY = {"admissions": "activity admissions", "list_size": "activity list_size"}

TRAPS = [
    # -- text ------------------------------------------------------------------------------
    Trap(name="plain", content=lines()),
    Trap(name="mark of UTF-8", content=b"\xef\xbb\xbf" + lines().encode()),
    Trap(name="UTF-16 as a spreadsheet saves it", content=lines(sep="\t").encode("utf-16"), notes=("tabs",)),
    Trap(
        name="UTF-16 without its mark", content=lines().encode("utf-16-le"), notes=("without the mark",)
    ),
    Trap(
        name="Windows-1252",
        content=lines(rows=[*ROWS, ["Zoë’s", "01/04/2023", "3", "9"]]).encode("cp1252"),
        lines=(2, 3, 4, 5, 6),
        notes=("Windows-1252",),
    ),
    Trap(name="semicolons", content=lines(sep=";"), notes=("semicolons",)),
    Trap(
        name="semicolons and decimal commas",
        content=lines(sep=";", rows=[[*row[:3], row[3] + ",5"] for row in ROWS]),
        notes=("semicolons",),
    ),
    Trap(name="tabs", content=lines(sep="\t"), notes=("tabs",)),
    Trap(name="a file of tabs by its name", content=lines(sep="\t"), suffix="tsv", notes=("tabs",)),
    Trap(name="sep= for a spreadsheet", content="sep=;\n" + lines(sep=";"), lines=(3, 4, 5, 6), notes=("semicolons",)),
    Trap(name="lines of Windows", content=lines().replace("\n", "\r\n")),
    Trap(name="lines of an old Macintosh", content=lines().replace("\n", "\r")),
    Trap(name="Ctrl-Z at the end", content=lines() + "\x1a"),
    Trap(name="spaces that do not break", content=lines().replace("Abbey", "\u00a0Abbey\u200b ")),
    Trap(name="bars", content=lines(sep="|"), notes=("bars",)),
    # -- where the table stands --------------------------------------------------------------
    Trap(
        name="one title",
        content=lines("Emergency admissions by practice"),
        lines=(3, 4, 5, 6),
        notes=("the header is row 2; the row of titles",),
    ),
    Trap(
        name="titles, a period and a gap",
        content=lines("Emergency admissions", "Period:,April 2023,to,May 2023", ""),
        lines=(5, 6, 7, 8),
        notes=("the header is row 4; the 2 rows of titles",),
    ),
    Trap(
        name="a title with a comma",
        content=lines("Admissions, by practice"),
        lines=(3, 4, 5, 6),
        notes=("the row of titles",),
    ),
    Trap(name="empty rows above", content=lines("", ",,,"), lines=(4, 5, 6, 7)),
    Trap(
        name="total under the table",
        content=lines(below=("Total,,43,12990",)),
        left_out=("total row (row 6)",),
    ),
    Trap(
        name="grand total after a gap",
        content=lines(below=(",,,", "GRAND TOTAL:,,43,12990")),
        left_out=("empty row", "total row (row 7)"),
    ),
    Trap(
        name="totals among the rows",
        content=lines(
            rows=[*ROWS[:2], ["Sub-total", "", "27", ""], *ROWS[2:], ["Sub-total", "", "16", ""]]
        ),
        lines=(2, 3, 5, 6),
        left_out=("total rows (rows 4, 7)",),
    ),
    Trap(
        name="England first",
        content=lines(rows=[["England", "01/04/2023", "90000", "60000000"], *ROWS]),
        lines=(3, 4, 5, 6),
        left_out=("total row (row 2)",),
    ),
    Trap(
        name="average in the last row",
        content=lines(below=("Average,,10.75,3247.5",)),
        left_out=("total row (row 6)",),
    ),
    Trap(
        name="notes under the table",
        content=lines(below=(",,,", "Source: hospital episodes", "Counts are provisional,,,")),
        left_out=("empty row", "notes under the table (rows 7, 8)"),
    ),
    Trap(
        name="header again on the next page",
        content=lines(rows=[*ROWS[:2], HEADER, *ROWS[2:]]),
        lines=(2, 3, 5, 6),
        left_out=("header that stands again (row 4)",),
    ),
    Trap(name="empty columns at the right", content=lines().replace("\n", ",,\n")),
    Trap(
        name="two names alike",
        content=lines().replace("list_size", "admissions"),
        columns={"admissions": "admissions (1)", "list_size": "admissions (2)"},
        notes=("1 name stands more than once",),
    ),
    Trap(
        name="a line break and two spaces in a name",
        content=lines().replace("list_size", '"list\n  size"'),
        lines=(3, 4, 5, 6),
        columns={"list_size": "list size"},
    ),
    # -- workbooks ---------------------------------------------------------------------------
    Trap(name="workbook", content=sheet([HEADER, *typed()]), suffix="xlsx"),
    Trap(
        name="header in two rows, merged",
        content=sheet([*MERGED, *typed()], merge=("A1:A2", "B1:B2", "C1:D1")),
        suffix="xlsx",
        lines=(3, 4, 5, 6),
        columns=UNDER_ACTIVITY,
        notes=("the header stands in rows 1 and 2",),
    ),
    Trap(
        name="groups above a whole header, under a title",
        content=sheet([["Report"], [None, None, "activity", None], HEADER, *typed()], merge=("C2:D2",)),
        suffix="xlsx",
        lines=(4, 5, 6, 7),
        columns=UNDER_ACTIVITY,
        notes=("the header is row 2; the row of titles", "rows 2 and 3"),
    ),
    Trap(
        name="a title merged over the table",
        content=sheet([["Report", None, None, None], HEADER, *typed()], merge=("A1:D1",)),
        suffix="xlsx",
        lines=(3, 4, 5, 6),
        notes=("the row of titles",),
    ),
    Trap(
        name="names merged down",
        content=sheet(
            [HEADER, *([None, *row[1:]] if at % 2 else row for at, row in enumerate(typed()))],
            merge=("A2:A3", "A4:A5"),
        ),
        suffix="xlsx",
        notes=("2 cells of merged ranges",),
    ),
    Trap(
        name="a hidden sheet",
        content=sheet([HEADER, *typed()], also=hide),
        suffix="xlsx",
        notes=("1 hidden sheet was not read",),
    ),
    Trap(
        name="rows that a filter hides",
        content=sheet([HEADER, *typed()], also=filtered),
        suffix="xlsx",
        notes=("1 row that the sheet hides",),
    ),
    Trap(
        name="days as the numbers of a spreadsheet",
        content=sheet(
            [HEADER, *([row[0], (row[1] - dt.datetime(1899, 12, 30)).days, *row[2:]] for row in typed())]
        ),
        suffix="xlsx",
    ),
    # -- refused -----------------------------------------------------------------------------
    Trap(name="nothing", content="", refused="the file is empty"),
    Trap(name="titles alone", content=f"Report\n\n{','.join(HEADER)}\n", refused="there are no rows"),
    Trap(name="zero bytes", content=lines().replace("12", "\x00"), refused="not a text file"),
    Trap(name="half of UTF-16", content=lines().encode("utf-16")[:-1], refused="not a text file"),
    Trap(name="a row cut short", content=lines(below=("Cliff,01/04",)), refused="row 6: the row has 2 cells"),
    Trap(
        name="a comma in a name",
        content=lines(below=("Dean, The,01/04/2023,4,3000",)),
        refused="row 6: the row has 5 cells",
    ),
    Trap(name="a quotation mark left open", content=lines().replace("Brook", '"Brook', 1), refused="row 4"),
    Trap(
        name="a cell of a million characters",
        content=lines().replace("Brook", "x" * 1_000_000, 1),
        refused="row 4: a cell of more than 131,072 characters",
    ),
    Trap(name="a zip that unpacks to gigabytes", content=bomb(), suffix="xlsx", refused="more than 250 MB"),
    Trap(name="a zip that lies", content=lying_zip(), suffix="xlsx", refused="not an .xlsx workbook"),
    Trap(
        name="a cell at the end of the sheet",
        content=sheet([HEADER, *typed()], also=far_cell),
        suffix="xlsx",
        refused="the sheet reaches to row 1,048,576 and column 16,384",
    ),
    Trap(
        name="a cell whose name is beyond any sheet",
        content=with_xml(sheet([HEADER, *typed()]), 'r="D5"', 'r="D62147483648"'),
        suffix="xlsx",
        refused="not an .xlsx workbook",
    ),
    Trap(
        name="a cell with two names",
        content=with_xml(sheet([HEADER, *typed()]), 'r="D5"', """x="r='D5'" r="XFD1048576" """),
        suffix="xlsx",
        refused="the sheet reaches to row 1,048,576",
    ),
    Trap(
        name="NHS numbers as floats",
        content=sheet([[*HEADER, "id"], *([*row, 9434765919.0] for row in typed())]),
        suffix="xlsx",
        refused="NHS numbers",
    ),
    Trap(
        name="NHS numbers as a spreadsheet writes floats",
        content=lines().replace("4000", "9434765919.0").replace("4010", "9434765870.00")
        .replace("2500", "943-476-5919").replace("2480", "'9434765919"),
        refused="NHS numbers",
    ),
]  # fmt: skip


def load(trap: Trap, folder: Any) -> Table:
    path = folder / f"file.{trap.suffix}"
    path.write_bytes(trap.content if isinstance(trap.content, bytes) else trap.content.encode())
    return read_table(path)


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if not trap.refused], ids=lambda trap: trap.name)
def test_a_file_is_read_as_it_is_meant(trap, tmp_path):
    table = load(trap, tmp_path)
    cells = {name: table.columns[trap.columns.get(name, name)] for name in HEADER}
    assert list(table.rows) == list(trap.lines)
    assert cells["practice"][:4] == ["Abbey", "Abbey", "Brook", "Brook"]
    assert list(read_numbers(cells["admissions"][:4], "count").values) == NUMBERS
    days = read_dates(cells["month"][:4])
    assert days.problems == ()
    assert list(days.days) == list(np.array(["2023-04-01", "2023-05-01"] * 2, dtype="datetime64[D]"))
    assert tuple(left["reason"] for left in table.left_out) == trap.left_out
    said = "\n".join(table.notes)
    assert all(note in said for note in trap.notes), said
    assert bool(trap.notes) == bool(table.notes), said


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap.refused], ids=lambda trap: trap.name)
def test_a_file_that_cannot_be_read_is_refused_with_its_row(trap, tmp_path):
    with pytest.raises(DataError) as caught:
        load(trap, tmp_path)
    assert trap.refused in str(caught.value)
    assert "Abbey" not in str(caught.value)
    assert "94347659" not in str(caught.value)


def test_there_are_thirty_and_all_are_different():
    assert len({trap.name for trap in TRAPS}) == len(TRAPS) >= 30


# -- what must not be taken for something else ------------------------------------------------


def read(folder: Any, content: str) -> Table:
    path = folder / "file.csv"
    path.write_text(content, encoding="utf-8")
    return read_table(path)


def test_countries_of_birth_and_nations_are_no_totals(tmp_path):
    people = "person,born,age\n1,England,70\n2,Wales,81\n3,England,66\n4,Scotland,90\n"
    assert len(read(tmp_path, people)) == 4
    nations = (
        "nation,month,n\nEngland,1,900\nWales,1,60\nScotland,1,90\nEngland,2,930\nWales,2,61\nScotland,2,91\n"
    )
    assert read(tmp_path, nations).left_out == ({"n": 2, "reason": "total rows (rows 2, 5)"},)


def test_people_are_not_taken_for_what_a_sheet_works_out(tmp_path):
    """Max and Sum are names, a hip is replaced in total, and most of a list may be born in England."""
    names = "name,fell,visits\nAda,0,3\nSum,1,2\nJoy,0,5\nMax,1,5\nMin,0,2\n"
    assert len(read(tmp_path, names)) == 5
    hips = "person,side,hip,age\n" + "".join(
        f"p{k},left,{'Total' if k % 3 else 'Part'},{60 + k}\n" for k in range(9)
    )
    assert len(read(tmp_path, hips.replace("Total", "total", 2))) == 9
    born = "person,born,age\n" + "".join(
        f"{k},{'England' if k % 4 else 'Wales'},{60 + k}\n" for k in range(40)
    )
    assert len(read(tmp_path, born)) == 40
    surgeries = (
        "practice,month,n\nAll Saints,1,90\nBrook,1,7\nCliff,1,8\nAll Saints,2,95\nBrook,2,6\nCliff,2,9\n"
    )
    assert len(read(tmp_path, surgeries)) == 6
    people = "person,age,visits,cost\na,70,1,5\nb,71,,\n,,,\nJ. Smith,,,\nA. Jones,80,2,4\n"
    assert len(read(tmp_path, people)) == 4


def test_a_column_that_holds_totals_alone_is_a_column(tmp_path):
    table = read(tmp_path, "measure,month,n\nTotal,1,9\nTotal,2,8\nTotal,3,7\n")
    assert len(table) == 3


def test_a_provider_whose_name_begins_with_total_is_a_provider(tmp_path):
    table = read(tmp_path, "provider,month,n\nTotal Care CIC,1,9\nOther,1,8\nAll Saints,1,7\n")
    assert len(table) == 3


def test_an_index_without_a_name_is_not_a_title(tmp_path):
    table = read(tmp_path, ",unit,town\n0,a,x\n1,b,y\n2,c,z\n")
    assert list(table.columns) == ["(column 1, without a name)", "unit", "town"]
    assert table.notes == ()


def test_rows_with_few_answers_are_not_titles_nor_notes(tmp_path):
    table = read(tmp_path, "person,fell,when,where,seen\na,,,,\nb,yes,1/4/2023,home,no\nc,,,,\nd,,,,\n")
    assert table.columns["person"] == ["a", "b", "c", "d"]


def test_all_practices_of_a_town_are_kept_where_they_are_no_greater(tmp_path):
    table = read(tmp_path, "who,n\nall,3\nmen,4\nwomen,5\n")
    assert len(table) == 3


def test_a_sheet_that_is_hidden_is_read_when_it_is_named(tmp_path):
    path = tmp_path / "file.xlsx"
    path.write_bytes(
        sheet([HEADER, *typed()], also=lambda book: (hide(book), book["lookups"].append([1, 2])))
    )
    assert read_table(path, sheet="lookups").columns == {"code": [1.0], "meaning": [2.0]}
    with pytest.raises(UsageError, match="no sheet"):
        read_table(path, sheet="nothing")


# -- real files -------------------------------------------------------------------------------


def test_real_monthly_figures_read_as_numbers(shared):
    """ "17,035" is a count, "77.70%" a score, and "-" a share of nothing."""
    table = read_table(shared / "data" / "raw_nhse_monthly_ae_december_2025.csv")
    assert (len(table), table.left_out, len(table.twice)) == (197, (), 3)
    attendances = read_numbers(table.columns["Total attendances"], "count")
    assert attendances.values[0] == 27586
    assert attendances.problems == ()
    within = read_numbers(table.columns["Percentage in 4 hours or less (type 2)"], "score")
    assert within.problems == ()
    assert np.isnan(within.values[0])
    assert np.nanmax(within.values) <= 100
    dashes = table.columns["Percentage in 4 hours or less (type 2)"].count("-")
    assert any(note.startswith(f"{dashes} values written as a sign") for note in within.notes)
    assert len(read_numbers(table.columns["Percentage in 4 hours or less (type 2)"], "count").problems) > 0


def test_real_dates_of_people_are_read_day_first(shared):
    table = read_table(shared / "data" / "stranded_patients_synthetic.csv")
    days = read_dates(table.columns["admit_date"])
    assert days.problems == days.notes == ()
    assert days.days[0] == np.datetime64("2020-12-29")
    assert len(table) == 768
