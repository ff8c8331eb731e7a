"""A long table of many series as one grid: a row a series, a column a period.

Periods and names are read once for each different value and not once for each row: a table of 140,000
series by 60 months costs a few seconds and less than twice the memory of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.panel import AT_ONCE, CODES, HEADER_ROWS, coded, coded_periods, numbers
from ucimpact.data.periods import Frequency, as_periods, one_period
from ucimpact.data.series import Series
from ucimpact.errors import DataError, Problem

SPARSE = 64
"""A grid with more cells than this many times the rows is refused: its periods do not belong together."""

NEVER = ("", "never")


@dataclass(frozen=True, kw_only=True, eq=False)
class ManySeries:
    """N series over T periods.

    Attributes
    ----------
    keys : DataFrame (N rows)
        What tells the series apart, in the order in which they first stand in the table.
    frequency : Frequency
    first : int
        Ordinal of the first period of the grid.
    there : array of bool (N, T)
        Whether the table has a row for that series and period.
    starts : array (N,)
        Column of the grid in which the pilot starts; ``nan`` where there is none that fits.
    unfit : dict
        Why a series cannot be read, by its place.
    """

    keys: pd.DataFrame
    frequency: Frequency
    first: int
    there: np.ndarray
    starts: np.ndarray
    unfit: dict[int, str]
    _rows: np.ndarray
    """Place of each row of the table in the grid, counted row by row."""

    @classmethod
    def of(cls, table: pd.DataFrame, *, by: Sequence[str], period: str, start: Any) -> ManySeries:
        """Read the series of a table.

        Parameters
        ----------
        table : DataFrame
            One row a series and period, in any order; not changed.
        by : sequence of str
            Columns that tell the series apart.
        period : str
            Column of dates, months, weeks or numbers.
        start : object
            The first pilot period of all, or the name of a column that says it for each series.

        Raises
        ------
        DataError
            For columns that are absent, empty names, periods that cannot be read, or a start that is
            no date.
        """
        _columns(table, [*by, period])
        if not len(table):
            raise DataError(Problem("there are no rows", "A series needs periods before and after the start"))
        keys, series = _series(table, by)
        frequency, ordinals, at = coded_periods(table[period])
        first, width = int(ordinals[0]), int(ordinals[-1] - ordinals[0]) + 1
        if len(keys) * width > SPARSE * len(table) + 1_000_000:
            raise DataError(
                Problem(
                    f"{len(keys):,} series over {width:,} {frequency.noun}s have {len(table):,} rows in all",
                    "Correct the slip in the periods, or give the tables apart",
                    column=period,
                )
            )
        narrow = np.dtype(np.int32 if len(keys) * width < np.iinfo(np.int32).max else np.int64)
        rows: np.ndarray = series.astype(narrow)
        np.multiply(rows, width, out=rows)
        np.add(rows, (ordinals - first).astype(narrow)[at], out=rows)
        there = np.zeros(len(keys) * width, dtype=bool)
        there[rows] = True
        unfit = {}
        if int(there.sum()) < len(rows):
            counts = np.bincount(rows, minlength=len(there))
            for cell in np.flatnonzero(counts > 1)[::-1]:
                label = frequency.label(first + int(cell % width))
                unfit[int(cell // width)] = f"{label} stands {counts[cell]} times."
        own = isinstance(start, str) and start in table.columns
        starts = (
            _starts_of(table[start], series, len(keys), frequency, unfit)
            if own
            else np.full(len(keys), _start(start, frequency))
        )
        return cls(
            keys=keys,
            frequency=frequency,
            first=first,
            there=there.reshape(len(keys), width),
            starts=starts - first,
            unfit=unfit,
            _rows=rows,
        )

    def values(self, table: pd.DataFrame, column: str) -> np.ndarray:
        """A column of the table on the grid (N, T); ``nan`` where there is no row or no value."""
        _columns(table, [column])
        out = np.full(self.there.size, np.nan)
        out[self._rows] = numbers(table[column], column)
        return out.reshape(self.there.shape)

    def rows_of(self, place: int) -> np.ndarray:
        """Rows of the table that belong to a series, in order of their periods."""
        return self._sorted[self._bounds[place] : self._bounds[place + 1]]

    @cached_property
    def _periods(self) -> pd.Series:
        return as_periods(self.frequency, np.arange(self.there.shape[1]) + self.first)

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.argsort(self._rows, kind="stable")

    @cached_property
    def _bounds(self) -> np.ndarray:
        width = self.there.shape[1]
        return np.asarray(np.searchsorted(self._rows[self._sorted], np.arange(len(self.keys) + 1) * width))

    def series(
        self,
        window: slice,
        start: int,
        columns: dict[str, np.ndarray],
        *,
        period: str = "period",
        population: str | None = None,
    ) -> Series:
        """One series over a window of the grid, from arrays as long as the window."""
        periods = self._periods.iloc[window].reset_index(drop=True)
        table = pd.DataFrame({period: periods, **columns})
        begins = start + self.first
        day = begins if self.frequency.kind == "number" else self.frequency.first_day(begins)
        return Series(table, period=period, start=day, population=population)


def _columns(table: pd.DataFrame, wanted: Sequence[str]) -> None:
    have = list(map(str, table.columns))
    problems = [
        Problem("there is no such column", f"The columns are: {', '.join(have[:12])}", column=column)
        for column in wanted
        if have.count(column) != 1
    ]
    if problems:
        raise DataError(problems)


def _series(table: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """The different series, and the code of each row."""
    code = np.zeros(len(table), dtype=np.int64)
    problems = []
    for column in by:
        own, different = coded(table[column])
        problems += [
            Problem("no name", "Fill it in or take the row out", row=int(row) + HEADER_ROWS, column=column)
            for row in np.flatnonzero(own < 0)
        ]
        code *= len(different)
        code += own
    if problems:
        raise DataError(problems)
    codes, different = coded(pd.Series(code))
    first = np.empty(len(different), dtype=np.int64)
    for at in range(len(code) - 1, -1, -AT_ONCE):  # from the end, so that the first row is the last written
        rows = np.arange(at, max(at - AT_ONCE, -1), -1)
        first[codes[rows]] = rows
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=CODES)
    rank[order] = np.arange(len(order), dtype=CODES)
    keys = table[list(by)].iloc[first[order]].reset_index(drop=True)
    return keys, rank[codes]


def _start(value: Any, frequency: Frequency) -> float:
    try:
        return float(one_period(value, frequency))
    except (ValueError, TypeError):
        raise DataError(
            Problem(
                f"the start is neither a column nor a date that fits {frequency.noun}s",
                "Write start = 2022-04-01, or name the column that holds the start of each series",
                value=str(value),
            )
        ) from None


def _starts_of(
    column: pd.Series, series: np.ndarray, count: int, frequency: Frequency, unfit: dict[int, str]
) -> np.ndarray:
    """Start of each series as an ordinal; ``nan`` with its reason where there is none."""
    codes, different = coded(column)
    places = np.full(len(different) + 1, np.nan)
    why = ["It never starts."] * (len(different) + 1)
    for at, value in enumerate(different):
        if isinstance(value, str) and value.strip().lower() in NEVER:
            continue
        try:
            places[at] = float(one_period(value, frequency))
        except (ValueError, TypeError):
            why[at] = f"Its start is not a date that fits {frequency.noun}s."
    own = np.empty(count, dtype=CODES)
    own[series[::-1]] = codes[::-1]
    for place in np.unique(series[codes != own[series]]):
        unfit.setdefault(int(place), "Its start changes from row to row.")
    for place in np.flatnonzero(np.isnan(places[own])):
        unfit.setdefault(int(place), why[own[place]])
    return np.asarray(places[own])
