"""Columns of tables in which a row is a person or something that happened to one.

Problems are told by row and column; a value is never shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from ucimpact.data.panel import HEADER_ROWS, numbers
from ucimpact.errors import DataError, Problem

MISSING = -1
"""Code of an empty cell."""
WRITE_DATES = "Write dates as 2024-03-31"
MANY_ROWS = 100
"""One fault in more rows of a column than this is a fault of the column: it is told once, with its number."""


def at_rows(
    rows: Iterable[int], column: str, what: str, do: str, *, file: str | None = None
) -> list[Problem]:
    """One problem a row, without its value; one in all where the column as a whole is at fault."""
    rows = [int(row) for row in rows]
    if len(rows) > MANY_ROWS:
        what = f"{what} (here and in {len(rows) - 1:,} more rows)"
        rows = rows[:1]
    return [Problem(what, do, file=file, row=row + HEADER_ROWS, column=column) for row in rows]


def numbers_unseen(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers, shape (n_rows,); an empty cell is ``nan``.

    Raises
    ------
    DataError
        For a column that is absent, or cells that are text or infinite; no value is shown.
    """
    need(table, column)
    try:
        return numbers(table[column], column)
    except DataError as error:
        raise DataError([replace(problem, value=None) for problem in error.problems]) from None


def need(table: pd.DataFrame, column: str) -> None:
    """Refuse a column that the table does not have."""
    if column not in table.columns:
        have = ", ".join(map(str, list(table.columns)[:12]))
        raise DataError(Problem("there is no such column", f"The columns are: {have}", column=column))


def coded(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Cells of any kind as whole numbers from 0, shape (n_rows,), and the kinds; an empty cell is -1.

    Kinds are numbered in the order of their size or text, so that the order of rows changes nothing.
    """
    if cells.dtype == object or isinstance(cells.dtype, pd.StringDtype):
        cells = cells.mask(cells.astype(str).str.strip() == "")
    codes, kinds = pd.factorize(cells)
    rank = np.empty(len(kinds) + 1, dtype=np.int64)
    known = np.asarray(kinds if pd.api.types.is_numeric_dtype(cells) else kinds.astype(str))
    order = np.argsort(known, kind="stable")
    rank[order] = np.arange(len(kinds))
    rank[-1] = MISSING
    return rank[codes], known[order]


def day_numbers(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Dates as days since 1970 (numbers stay as they are), and which cells are no date.

    An empty cell is ``nan`` and no mistake.
    """
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        day = cells.to_numpy(dtype=float, na_value=np.nan)
        return day, np.isinf(day)
    if pd.api.types.is_datetime64_any_dtype(cells):
        stamps = cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
        return _since_1970(stamps.to_numpy(dtype="datetime64[D]")), np.zeros(len(cells), dtype=bool)
    day, bad = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    known: dict[object, float] = {}
    for row, cell in enumerate(cells.tolist()):
        if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell or str(cell).strip() == "":
            continue
        if cell not in known:
            known[cell] = _one_day(cell)
        day[row], bad[row] = known[cell], np.isnan(known[cell])
    return day, bad


def _one_day(cell: object) -> float:
    """Days since 1970 of a date or ISO text; ``nan`` where it is neither."""
    if isinstance(cell, str):
        try:
            cell = dt.date.fromisoformat(cell.strip()[:10])
        except ValueError:
            return np.nan
    if isinstance(cell, dt.date | np.datetime64):
        return float(_since_1970(np.array([cell], dtype="datetime64[D]"))[0])
    return np.nan


def _since_1970(dates: np.ndarray) -> np.ndarray:
    days = dates.astype("datetime64[D]").astype(np.int64).astype(float)
    days[np.isnat(dates)] = np.nan
    return days
