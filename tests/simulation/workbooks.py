"""Spreadsheets as providers send them, always the same bytes for the same cells.

Title rows, names of columns with spaces behind them, a name over two columns at once, days as dd/mm/yy
text, money as "£1,234.50", "-" where nothing was written down, and a row of totals at the end.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

os.environ["OPENPYXL_LXML"] = "False"  # with lxml beside it, openpyxl would write other bytes

from openpyxl import Workbook  # the setting is read on import
from openpyxl.styles import Font

MADE = dt.datetime(2025, 3, 14, 9, 0, 0)
NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """How a tidy table is laid out.

    Attributes
    ----------
    name : str
        Of the sheet.
    titles : tuple of str
        Rows above the names of the columns; an empty row follows.
    over : dict
        A name over two columns, and their own names.
    yes_no, pounds : tuple of str
        Columns written as Yes and No, and as pounds.
    spaced : tuple of str
        Columns with a space behind their name.
    not_summed : tuple of str
        Columns of numbers without a total.
    """

    name: str
    titles: tuple[str, ...]
    over: dict[str, tuple[str, str]]
    yes_no: tuple[str, ...] = ()
    pounds: tuple[str, ...] = ()
    spaced: tuple[str, ...] = ()
    not_summed: tuple[str, ...] = ()


def workbook(table: pd.DataFrame, sheet: Sheet) -> bytes:
    """The bytes of an .xlsx file."""
    book = Workbook()
    page = book.active
    page.title = sheet.name
    for title in sheet.titles:
        page.append([title])
    page.append([])
    names = list(table.columns)
    inner = {name: over for over, pair in sheet.over.items() for name in pair}
    page.append(
        [inner.get(name) if sheet.over.get(inner.get(name, ""), [""])[0] == name else None for name in names]
    )
    above = page.max_row
    page.append([name + " " if name in sheet.spaced else name for name in names])
    for first, second in sheet.over.values():
        at = names.index(first) + 1
        page.merge_cells(start_row=above, end_row=above, start_column=at, end_column=names.index(second) + 1)
    for cell in (*page[above], *page[above + 1]):
        cell.font = Font(bold=True)
    columns = [_cells(name, table[name], sheet) for name in names]
    for row in zip(*columns, strict=True):
        page.append(row)
    page.append(_totals(table, sheet))
    book.properties.creator = "Information team"
    return _still(book)


def _cells(name: str, column: pd.Series, sheet: Sheet) -> list[Any]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if pd.isna(day) else f"{day:%d/%m/%y}" for day in column]
    if name in sheet.yes_no:
        return [("Yes" if value else "No") + (" " if at % 11 == 7 else "") for at, value in enumerate(column)]
    if name in sheet.pounds:
        return [f"£{value:,.2f}" for value in column]
    if pd.api.types.is_numeric_dtype(column):
        return [NOTHING if pd.isna(value) else int(value) for value in column]
    return [None if value is None else str(value) for value in column]


def _totals(table: pd.DataFrame, sheet: Sheet) -> Sequence[Any]:
    row: list[Any] = ["Total"]
    for name in table.columns[1:]:
        column = table[name]
        if name in sheet.pounds:
            row.append(f"£{column.sum():,.2f}")
        elif name in sheet.yes_no or name in sheet.not_summed or not pd.api.types.is_numeric_dtype(column):
            row.append(None)
        else:
            row.append(int(column.sum()))
    return row


def _still(book: Workbook) -> bytes:
    """The file of a workbook with the clock of the machine taken out."""
    made, still = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(still, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            body = source.read(name)
            if name == "docProps/core.xml":
                body = _without_times(body)
            target.writestr(zipfile.ZipInfo(name, MADE.timetuple()[:6]), body, zipfile.ZIP_DEFLATED)
    return still.getvalue()


def _without_times(core: bytes) -> bytes:
    text, stamp = core.decode(), f"{MADE:%Y-%m-%dT%H:%M:%SZ}"
    for tag in ("created", "modified"):
        head, rest = text.split(f"<dcterms:{tag}", 1)
        attributes, rest = rest.split(">", 1)
        _, tail = rest.split("<", 1)
        text = f"{head}<dcterms:{tag}{attributes}>{stamp}<{tail}"
    return text.encode()


def members(book: bytes) -> dict[str, bytes]:
    """The parts of a file, however hard they are packed."""
    with zipfile.ZipFile(io.BytesIO(book)) as source:
        return {name: source.read(name) for name in source.namelist()}
