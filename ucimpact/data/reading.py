"""A table from a CSV file, a workbook, a Parquet file or one SELECT: cells as they came.

Nothing is converted here. A CSV cell is text; cells of a workbook or a Parquet file keep their types.
Each row knows its line in the file, so that a problem can be mended where it stands. How text is read is
in :mod:`ucimpact.data.encodings` and :mod:`ucimpact.data.delimited`, how a workbook is in
:mod:`ucimpact.data.workbook`, and where the table stands in it in :mod:`ucimpact.data.layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ucimpact import serialise
from ucimpact.data import query
from ucimpact.data.cells import is_empty
from ucimpact.data.delimited import read_delimited
from ucimpact.data.layout import Layout, Rows, lay_out, plain_name
from ucimpact.data.privacy import refuse_nhs_numbers
from ucimpact.data.workbook import read_workbook
from ucimpact.errors import DataError, Problem, UsageError

SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet")
INVISIBLE = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff")
"""Characters without width, which web pages and e-mails leave in cells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Cells as they came.

    Attributes
    ----------
    file : str
        Name of the file, for messages.
    columns : dict
        Column name to its cells, one a row. Columns of one name are called "name (1)", "name (2)".
    rows : array of int
        The line of each row in the file (for a query, its number in the result).
    header : tuple of int
        The line of the header, or its two lines.
    twice : frozenset of str
        Names that stand more than once in the header.
    notes : tuple of str
        What was read otherwise than as it stands.
    left_out : tuple of dict
        ``n, reason``: rows that hold nothing, totals, notes under the table.
    fingerprints : tuple of dict
        ``file, sha256, rows, columns`` of each file read.
    """

    file: str
    columns: dict[str, list[Any]]
    rows: np.ndarray
    header: tuple[int, ...] = (1,)
    twice: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    left_out: tuple[dict[str, Any], ...] = ()
    fingerprints: tuple[dict[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: Path, *, sheet: str | None = None) -> Table:
    """Read a file by its suffix: ``.csv``, ``.tsv``, ``.xlsx`` or ``.parquet``.

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
    readers: dict[str, Callable[[], tuple[Layout, list[str]]]] = {
        ".csv": lambda: _text(path),
        ".tsv": lambda: _text(path),
        ".xlsx": lambda: _sheet(path, sheet),
        ".parquet": lambda: (_as_is(*query.parquet(path)), []),
    }
    if path.suffix.lower() not in readers:
        raise UsageError(f"{path.name}: a table is read from a {', '.join(SUFFIXES)} file, or by sql")
    laid, notes = readers[path.suffix.lower()]()
    return _table(path.name, laid, notes, serialise.fingerprint(path.read_bytes()))


def read_query(
    path: Path, sql: str, *, folder: Path, folders: Sequence[Path] = (), show: bool = True
) -> Table:
    """Run the one SELECT of an SQL file, locked to ``folder`` and ``folders``.

    ``sql`` is the text of the file, with its placeholders filled in. ``show`` is False where rows are
    people.
    """
    header, found = query.select(sql, folder=folder, folders=folders, name=path.name, show=show)
    table = _table(path.name, _as_is(header, found), [], serialise.fingerprint(path.read_bytes()))
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


def _text(path: Path) -> tuple[Layout, list[str]]:
    rows, notes = read_delimited(path.read_bytes(), path.name)
    if all(is_empty(cell) for _, cells in rows for cell in cells):
        raise DataError(Problem("the file is empty", "Check that the export finished", file=path.name))
    laid = lay_out(rows)
    width = len(laid.header)
    problems = [
        Problem(
            f"the row has {len(cells)} cells and the header has {width}",
            "Put a cell that holds a comma in quotation marks, or mend the row",
            file=path.name,
            row=at,
        )
        for at, cells in laid.rows
        if len(cells) < width or any(cells[width:])
    ]
    if problems:
        raise DataError(problems)
    return laid, notes


def _sheet(path: Path, sheet: str | None) -> tuple[Layout, list[str]]:
    rows, spans, notes = read_workbook(path, sheet)
    if all(is_empty(cell) for _, cells in rows for cell in cells):
        raise DataError(Problem("the sheet is empty", "Name the sheet that holds the table", file=path.name))
    return lay_out(rows, spans), notes


def _as_is(header: Sequence[str], found: Sequence[Sequence[Any]]) -> Layout:
    """A table that needs no finding: its columns have names, and its rows are what they are."""
    rows: Rows = [(at, cells) for at, cells in enumerate(found, start=1) if not all(map(is_empty, cells))]
    empty = len(found) - len(rows)
    left_out = [{"n": empty, "reason": "empty row" if empty == 1 else "empty rows"}] if empty else []
    return Layout([plain_name(name) for name in header], (0,), rows, left_out=left_out)


def _table(file: str, laid: Layout, notes: list[str], sha256: str) -> Table:
    """The table of a header and rows; NHS numbers are refused here, whatever the file was."""
    if not laid.rows:
        raise DataError(
            Problem("there are no rows under the header", "Check that the export finished", file=file)
        )
    names, twice = _names(laid.header, [cells for _, cells in laid.rows])
    columns = {
        name: _each_bare([cells[at] if at < len(cells) else None for _, cells in laid.rows])
        for at, name in enumerate(names)
        if name is not None
    }
    refuse_nhs_numbers(columns, file=file)
    if twice:
        more = "names stand" if len(twice) > 1 else "name stands"
        note = f"{len(twice)} {more} more than once in the header: such columns are numbered from the left"
        laid.notes.append(f'{note}, as in "name (2)"')
    return Table(
        file=file,
        columns=columns,
        rows=np.array([at for at, _ in laid.rows], dtype=np.int64),
        header=laid.lines,
        twice=twice,
        notes=(*notes, *laid.notes),
        left_out=tuple(laid.left_out),
        fingerprints=({"file": file, "sha256": sha256, "rows": len(laid.rows), "columns": len(columns)},),
    )


def _each_bare(cells: list[Any]) -> list[Any]:
    """Each cell bare; of a column of text what stands often is worked out once, and held once."""
    if not all(type(cell) is str for cell in cells):
        return list(map(_bare, cells))
    bare = {cell: _bare(cell) for cell in set(cells)}
    return [bare[cell] for cell in cells]


def _bare(cell: Any) -> Any:
    """Text without the spaces around it; None where nothing stands in the cell."""
    if isinstance(cell, str):
        return (cell if cell.isascii() else cell.translate(INVISIBLE)).strip() or None
    return None if is_empty(cell) else cell


def _names(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[list[str | None], frozenset[str]]:
    """A name for each column (None: it has no name and holds nothing), and the names that stand twice."""
    width = max(len(header), max((len(cells) for cells in rows), default=0))
    given = [*header, *[""] * (width - len(header))]
    twice = {name for name in given if name and given.count(name) > 1}
    taken = set(given)
    counts: dict[str, int] = {}
    names: list[str | None] = []
    for at, name in enumerate(given):
        if not name:
            holds = any(at < len(cells) and not is_empty(cells[at]) for cells in rows)
            names.append(f"(column {at + 1}, without a name)" if holds else None)
            continue
        new = name
        if name in twice:
            counts[name] = counts.get(name, 0) + 1
            while (new := f"{name} ({counts[name]})") in taken:
                counts[name] += 1
            taken.add(new)
        names.append(new)
    return names, frozenset(twice)
