"""Files as they arrive: cells as they came, each row with its line."""

import datetime as dt
import hashlib
import zipfile

import openpyxl
import pandas as pd
import pytest

from ucimpact.data import workbook as workbooks
from ucimpact.data.reading import read_query, read_table
from ucimpact.errors import DataError, UsageError


def csv_file(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def workbook(tmp_path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "file.xlsx"
    book.save(path)
    return path


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        read_table(path, **options)
    return str(caught.value)


# -- csv ---------------------------------------------------------------------------------


def test_cells_stay_text_and_rows_keep_their_lines(tmp_path):
    table = read_table(csv_file(tmp_path, 'unit, n \n a ,1\n"b\nc","17,035"\n,,\n\nd,=1+1\n'))
    assert table.columns == {"unit": ["a", "b\nc", "d"], "n": ["1", "17,035", "=1+1"]}
    assert list(table.rows) == [2, 3, 7]
    assert table.left_out == ({"n": 2, "reason": "empty rows"},)


@pytest.mark.parametrize(
    ("encoding", "noted"), [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)]
)
def test_text_is_read_by_rule(tmp_path, encoding, noted):
    table = read_table(csv_file(tmp_path, "unit,café £\nSt Zoë’s,1\n".encode(encoding)))
    assert table.columns == {"unit": ["St Zoë’s"], "café £": ["1"]}
    assert bool(table.notes) == noted


def test_a_fingerprint_is_of_the_bytes(tmp_path):
    path = csv_file(tmp_path, "a,b\n1,2\n")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert read_table(path).fingerprints == ({"file": "file.csv", "sha256": digest, "rows": 1, "columns": 2},)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"a,b\n", "no rows under the header"),
        (b"a,b\n,\n", "no rows under the header"),
        (b'a,b\n1,"2\n3,4\n', "never closed"),
        (b"a,b\n1,2,3\n", "row 2: the row has 3 cells and the header has 2"),
        (b"a,b,c\n1,2,3\n4,5\n", "row 3: the row has 2 cells and the header has 3"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
    ],
)
def test_a_broken_file_is_told_with_its_row(tmp_path, content, what):
    assert what in refused(csv_file(tmp_path, content))


def test_two_columns_of_one_name_are_kept_apart_and_named(tmp_path):
    table = read_table(csv_file(tmp_path, "n,n,n (2),n\n1,2,3,4\n"))
    assert list(table.columns) == ["n (1)", "n (3)", "n (2)", "n (4)"]
    assert [cells[0] for cells in table.columns.values()] == ["1", "2", "3", "4"]
    assert table.twice == {"n"}
    assert table.notes == (
        '1 name stands more than once in the header: such columns are numbered from the left, as in "name (2)"',
    )


def test_columns_without_a_name_are_dropped_if_they_hold_nothing(tmp_path):
    assert list(read_table(csv_file(tmp_path, "a,,\n1,,\n")).columns) == ["a"]
    assert list(read_table(csv_file(tmp_path, "a,,b\n1,5,2\n")).columns) == [
        "a",
        "(column 2, without a name)",
        "b",
    ]


def test_odd_names_are_only_names(tmp_path):
    header = '<script>alert(1)</script>,=1+1,LOS (days),"a""b",été\n'
    table = read_table(csv_file(tmp_path, header + "1,2,3,4,5\n"))
    assert list(table.columns) == ["<script>alert(1)</script>", "=1+1", "LOS (days)", 'a"b', "été"]


def test_real_monthly_figures_are_read_as_they_are_published(shared):
    table = read_table(shared / "data" / "raw_nhse_monthly_ae_december_2025.csv")
    assert table.columns["Type 1 Departments - Major A&E (1)"][0] == "17,035"
    assert "Type 1 Departments - Major A&E" in table.twice
    assert table.left_out == ()


# -- workbooks ---------------------------------------------------------------------------


def test_a_workbook_keeps_its_types_and_its_row_numbers(tmp_path):
    path = workbook(
        tmp_path, data=[["unit", "day", "n"], ["a", dt.date(2022, 4, 1), 5], [], ["b", None, 2.5]]
    )
    table = read_table(path)
    assert table.columns == {"unit": ["a", "b"], "day": [dt.date(2022, 4, 1), None], "n": [5.0, 2.5]}
    assert list(table.rows) == [2, 4]


def test_the_header_is_the_first_row_that_holds_anything(tmp_path):
    sheet = read_table(workbook(tmp_path, data=[[], [None, "unit", "n"], [None, "a", 5]]))
    assert (sheet.columns, list(sheet.rows)) == ({"unit": ["a"], "n": [5.0]}, [3])
    text = read_table(csv_file(tmp_path, "\n,,\nunit,n\na,5\n"))
    assert (text.columns, list(text.rows)) == ({"unit": ["a"], "n": ["5"]}, [4])


def test_a_sheet_has_to_be_named_where_there_are_more(tmp_path):
    path = workbook(tmp_path, notes=[["about"]], figures=[["n"], [1]])
    assert read_table(path, sheet="figures").columns == {"n": [1.0]}
    with pytest.raises(UsageError, match=r'2 sheets \("notes", "figures"\): say which'):
        read_table(path)
    with pytest.raises(UsageError, match='no sheet "figure"; it has "notes", "figures"'):
        read_table(path, sheet="figure")
    assert "there are no rows" in refused(path, sheet="notes")


def test_an_empty_sheet_is_refused(tmp_path):
    assert "the sheet is empty" in refused(workbook(tmp_path, data=[]))


def test_a_formula_is_never_worked_out(tmp_path):
    table = read_table(workbook(tmp_path, data=[["n", "m"], ["=1+1", 3]]))
    assert table.columns["n"] == ["#NOT-WORKED-OUT"]  # and so refused as a number, with its row


def test_what_is_no_workbook_is_refused(tmp_path):
    assert "not an .xlsx workbook" in refused(csv_file(tmp_path, "a,b\n1,2\n", "file.xlsx"))
    path = tmp_path / "zip.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "not an .xlsx workbook" in refused(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)
    monkeypatch.setattr(workbooks, "UNPACKED_LIMIT", 2_000_000)
    assert path.stat().st_size < 10_000
    assert "unpacks to more than 2 MB" in refused(path)


# -- parquet and queries -----------------------------------------------------------------


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "file.parquet"
    days = pd.to_datetime(["2022-04-01", "2022-05-01"]).date
    pd.DataFrame({"unit": ["a", None], "day": days, "n": [1, 2], "yes": [True, False]}).to_parquet(path)
    table = read_table(path)
    assert table.columns == {
        "unit": ["a", None],
        "day": [dt.date(2022, 4, 1), dt.date(2022, 5, 1)],
        "n": [1, 2],
        "yes": [True, False],
    }
    assert "not a Parquet file" in refused(csv_file(tmp_path, "a,b\n1,2\n", "text.parquet"))


def test_a_query_has_the_fingerprints_of_its_text_and_of_the_files_it_read(tmp_path):
    csv_file(tmp_path, "unit,n\na,1\na,2\n", "a.csv")
    path = csv_file(tmp_path, "SELECT unit, sum(n) AS n FROM 'a.csv' GROUP BY unit", "weekly.sql")
    table = read_query(path, path.read_text(), folder=tmp_path)
    assert table.columns == {"unit": ["a"], "n": [3]}
    assert [(f["file"], f["rows"], f["columns"]) for f in table.fingerprints] == [
        ("weekly.sql", 1, 2),
        ("a.csv", None, None),
    ]


def test_another_suffix_is_refused_with_those_that_are_read(tmp_path):
    with pytest.raises(UsageError, match=r"\.csv, \.tsv, \.xlsx, \.parquet"):
        read_table(csv_file(tmp_path, "a", "file.txt"))
    with pytest.raises(UsageError, match=r"file\.csv\.gz"):
        read_table(csv_file(tmp_path, "a", "file.csv.gz"))


# -- the gate ----------------------------------------------------------------------------


def test_nhs_numbers_are_refused_in_every_kind_of_file(tmp_path):
    numbers = ["9434765919", "9434765870", "943 476 5919"]
    frame = pd.DataFrame({"who": numbers, "n": [1, 2, 3]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.to_excel(tmp_path / "f.xlsx", index=False)
    frame.to_parquet(tmp_path / "f.parquet")
    sql = csv_file(
        tmp_path, "SELECT who || '' AS renamed FROM read_csv('f.csv', all_varchar = true)", "f.sql"
    )
    messages = [refused(tmp_path / f"f.{suffix}") for suffix in ("csv", "xlsx", "parquet")]
    with pytest.raises(DataError) as caught:
        read_query(sql, sql.read_text(), folder=tmp_path)
    for message in [*messages, str(caught.value)]:
        assert "NHS numbers" in message
        assert "9434765919" not in message


def test_an_error_in_a_workbook_is_not_an_empty_cell(tmp_path):
    """ "#N/A" in a column of starts must not make a pilot place a comparison, nor a sum be left out unseen."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["unit", "joined", "admissions"])
    book.active.append(["a", "#N/A", 4])
    book.active["B2"].data_type = "e"
    book.active.append(["b", None, "=1+1"])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.columns["joined"] == ["#N/A", None]
    assert table.columns["admissions"] == [4.0, "#NOT-WORKED-OUT"]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("<f>1+1</f><v/>", "#NOT-WORKED-OUT"),
        ("<f>1+1</f><v></v>", "#NOT-WORKED-OUT"),
        ("<f>1+1</f>", "#NOT-WORKED-OUT"),
        ("<f>1+1</f><v>2</v>", 2.0),
    ],
)
def test_a_formula_without_its_value_is_told_however_the_emptiness_is_written(tmp_path, cell, read):
    """Writers differ: with one library beside it openpyxl leaves `<v/>`, with another `<v></v>`."""
    path = workbook(tmp_path, data=[["n", "m"], ["=1+1", 3]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<f>1+1</f><v />" in parts[sheet]
    parts[sheet] = parts[sheet].replace(b"<f>1+1</f><v />", cell.encode())
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    assert read_table(path).columns["n"] == [read]
