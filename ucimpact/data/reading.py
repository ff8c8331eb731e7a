"""A table from a CSV file, a workbook, a Parquet file or one SELECT: cells as they came.

Nothing is converted here. A CSV cell is text; cells of a workbook or a Parquet file keep their types.
Each row knows its line in the file, so that a problem can be mended where it stands. Text is read by
rule and never by guess: a byte-order mark says UTF-8 or UTF-16; without one the file is UTF-8 if every
byte fits, else Windows-1252, which is what spreadsheets in this country write.
"""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ucimpact import serialise
from ucimpact.data import query
from ucimpact.data.cells import is_empty
from ucimpact.data.privacy import refuse_nhs_numbers
from ucimpact.errors import DataError, Problem, UsageError

SUFFIXES = (".csv", ".xlsx", ".parquet")
UNPACKED_LIMIT = 250_000_000
"""Bytes; a workbook that unpacks to more is refused before it is opened (a small file can hold gigabytes)."""
PARTS_LIMIT = 2_000
UTF16 = (b"\xff\xfe", b"\xfe\xff")

CELL = re.compile(r"<c\b([^>]*[^/>])>(.*?)</c>", re.DOTALL)
PLACE = re.compile(r"([A-Z]+)([0-9]+)")
"""A cell of a sheet's XML, and its name: B7."""

Rows = list[tuple[int, Sequence[Any]]]
"""The line of each row, and its cells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Cells as they came.

    Attributes
    ----------
    file : str
        Name of the file, for messages.
    columns : dict
        Column name to its cells, one a row. The second of two equal names is called "name (2)".
    rows : array of int
        The line of each row in the file (for a query, its number in the result).
    twice : frozenset of str
        Names that stand more than once in the header.
    notes : tuple of str
        What was read otherwise than as it stands.
    left_out : tuple of dict
        Rows that hold nothing, counted.
    fingerprints : tuple of dict
        ``file, sha256, rows, columns`` of each file read.
    """

    file: str
    columns: dict[str, list[Any]]
    rows: np.ndarray
    twice: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    left_out: tuple[dict[str, Any], ...] = ()
    fingerprints: tuple[dict[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: Path, *, sheet: str | None = None) -> Table:
    """Read a file by its suffix: ``.csv``, ``.xlsx`` or ``.parquet``.

    Parameters
    ----------
    path : Path
    sheet : str, optional
        The sheet of a workbook; needed where it has more than one.

    Raises
    ------
    UsageError
        For another suffix, or a sheet that is not there.
    DataError
        For a file that is empty, is not what its suffix says, or holds NHS numbers.
    """
    readers: dict[str, Callable[[], tuple[Rows, list[str]]]] = {
        ".csv": lambda: _csv(path),
        ".xlsx": lambda: _xlsx(path, sheet),
        ".parquet": lambda: _parquet(path),
    }
    if path.suffix.lower() not in readers:
        raise UsageError(f"{path.name}: a table is read from a {', '.join(SUFFIXES)} file, or by sql")
    rows, notes = readers[path.suffix.lower()]()
    return _table(path.name, rows, notes, serialise.fingerprint(path.read_bytes()))


def read_query(
    path: Path, sql: str, *, folder: Path, folders: Sequence[Path] = (), show: bool = True
) -> Table:
    """Run the one SELECT of an SQL file, locked to ``folder`` and ``folders``.

    ``sql`` is the text of the file, with its placeholders filled in. ``show`` is False where rows are
    people.
    """
    header, found = query.select(sql, folder=folder, folders=folders, name=path.name, show=show)
    rows: Rows = list(enumerate([header, *found]))
    table = _table(path.name, rows, [], serialise.fingerprint(path.read_bytes()))
    read = tuple(
        {
            "file": named.name,
            "sha256": serialise.fingerprint(named.read_bytes()),
            "rows": None,
            "columns": None,
        }
        for named in query.files_named(sql, folder, folders)
    )
    return replace(table, fingerprints=(*table.fingerprints, *read))


def decoded(content: bytes) -> tuple[str, str]:
    """Text by the rule of this module, and a note where it was not UTF-8."""
    if content.startswith(UTF16):
        return content.decode("utf-16"), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return content.decode(
            "cp1252", errors="replace"
        ), "the file is not UTF-8 and was read as Windows-1252"


def _csv(path: Path) -> tuple[Rows, list[str]]:
    content = path.read_bytes()
    if b"\x00" in content and not content.startswith(UTF16):
        raise DataError(Problem("this is not a text file", "Save the sheet as CSV", file=path.name))
    text, note = decoded(content)
    if not text.strip():
        raise DataError(Problem("the file is empty", "Check that the export finished", file=path.name))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: Rows = []
    line = 1
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error:
        problem = Problem(
            "a quotation mark is opened and never closed, or stands inside a cell",
            'Write a quotation mark inside a cell twice (""), and put the cell in quotation marks',
            file=path.name,
            row=line,
        )
        raise DataError(problem) from None
    rows = _from_header(rows)
    _, header = rows[0]
    problems = [
        Problem(
            f"the row has {len(cells)} cells and the header has {len(header)}",
            "Put a cell that holds a comma in quotation marks, or mend the row",
            file=path.name,
            row=at,
        )
        for at, cells in rows[1:]
        if any(cells[len(header) :]) or (len(cells) < len(header) and any(cells))
    ]
    if problems:
        raise DataError(problems)
    return rows, [note] if note else []


def _xlsx(path: Path, sheet: str | None) -> tuple[Rows, list[str]]:
    import python_calamine

    not_one = Problem(
        "this is not an .xlsx workbook, or it is locked with a password",
        "Save it as .xlsx without a password, or as CSV",
        file=path.name,
    )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError):
        raise DataError(not_one) from None
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        what = f"the workbook unpacks to more than {UNPACKED_LIMIT // 1_000_000} MB"
        raise DataError(Problem(what, "Save the one sheet as CSV", file=path.name))
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = list(book.sheet_names)
        chosen = _sheet(names, sheet, path.name)
        cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except python_calamine.CalamineError:
        raise DataError(not_one) from None
    for row, column, text in _unread(path, chosen):
        if row < len(cells) and column < len(cells[row]) and cells[row][column] == "":
            cells[row][column] = text
    rows = _from_header(list(enumerate(cells, start=1)))
    if not rows:
        raise DataError(Problem("the sheet is empty", "Name the sheet that holds the table", file=path.name))
    return rows, []


def _unread(path: Path, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Cells that the reader gives as empty and that are not: errors, and formulas never worked out.

    Row and column from 0, and the text that stands for the cell: "#N/A" in a column of starts must not
    make a pilot place a comparison.
    """
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml").decode("utf-8")
        links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8")
        relations = re.findall(r"<Relationship\b[^>]*>", links)
        targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in relations}
        for tag in re.findall(r"<sheet\b[^>]*>", book):
            if html.unescape(_attribute(tag, "name")) == sheet:
                target = targets.get(_attribute(tag, "r:id"), "").lstrip("/")
                break
        else:
            return
        inside = target if target.startswith("xl/") else f"xl/{target}"
        if inside not in archive.namelist():
            return
        content = archive.read(inside).decode("utf-8")
    for attributes, body in CELL.findall(content):
        place = PLACE.fullmatch(_attribute(attributes, "r"))
        value = re.search(r"<v[^>]*>([^<]*)</v>", body)
        error = _attribute(attributes, "t") == "e"
        if place and (error or ("<f" in body and value is None)):
            column = sum((ord(c) - 64) * 26**k for k, c in enumerate(reversed(place[1])))
            yield int(place[2]) - 1, column - 1, value[1] if error and value else "#NOT-WORKED-OUT"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def _sheet(names: list[str], sheet: str | None, file: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    if sheet is None and len(names) == 1:
        return names[0]
    if sheet is None:
        raise UsageError(
            f'{file} has {len(names)} sheets ({listed}): say which, as in sheet = "{names[0]}" under [data]'
        )
    if sheet not in names:
        raise UsageError(f'{file} has no sheet "{sheet}"; it has {listed}')
    return sheet


def _parquet(path: Path) -> tuple[Rows, list[str]]:
    header, found = query.parquet(path)
    return list(enumerate([header, *found])), []


def _from_header(rows: Rows) -> Rows:
    """The rows from the first that holds anything, which is the header."""
    first = next((at for at, (_, cells) in enumerate(rows) if not all(map(is_empty, cells))), len(rows))
    return rows[first:]


def _table(file: str, rows: Rows, notes: list[str], sha256: str) -> Table:
    """The table of a header and rows; NHS numbers are refused here, whatever the file was."""
    (_, header), *rows = rows
    filled = [(at, cells) for at, cells in rows if not all(map(is_empty, cells))]
    empty = len(rows) - len(filled)
    if not filled:
        raise DataError(
            Problem("there are no rows under the header", "Check that the export finished", file=file)
        )
    names, twice = _names(header, [cells for _, cells in filled])
    columns = {
        name: [_bare(cells[at]) if at < len(cells) else None for _, cells in filled]
        for at, name in enumerate(names)
        if name is not None
    }
    refuse_nhs_numbers(columns, file=file)
    return Table(
        file=file,
        columns=columns,
        rows=np.array([at for at, _ in filled], dtype=np.int64),
        twice=twice,
        notes=tuple(notes),
        left_out=({"n": empty, "reason": "empty row" if empty == 1 else "empty rows"},) if empty else (),
        fingerprints=({"file": file, "sha256": sha256, "rows": len(filled), "columns": len(columns)},),
    )


def _bare(cell: Any) -> Any:
    """Text without the spaces around it; None where nothing stands in the cell."""
    if is_empty(cell):
        return None
    return cell.strip() if isinstance(cell, str) else cell


def _names(header: Sequence[Any], rows: list[Sequence[Any]]) -> tuple[list[str | None], frozenset[str]]:
    """A name for each column (None: it has no name and holds nothing), and the names that stand twice."""
    width = max(len(header), max((len(cells) for cells in rows), default=0))
    given = ["" if is_empty(cell) else str(cell).strip() for cell in header] + [""] * (width - len(header))
    taken = set(given)
    counts: dict[str, int] = {}
    names: list[str | None] = []
    for at, name in enumerate(given):
        if not name:
            holds = any(at < len(cells) and not is_empty(cells[at]) for cells in rows)
            names.append(f"(column {at + 1}, without a name)" if holds else None)
            continue
        counts[name] = counts.get(name, 0) + 1
        number = counts[name]
        new = name
        while number > 1 and (new := f"{name} ({number})") in taken:
            number += 1
        taken.add(new)
        names.append(new)
    return names, frozenset(name for name, n in counts.items() if n > 1)
