"""A table with each column that the study names read in its role, and what is wrong, cell by cell.

Nothing is raised here for a cell: its problem is kept with its row, because a row outside the study's
window is left out, whatever stands in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cells import read_numbers
from ucimpact.data.dates import days_in_numbers
from ucimpact.data.panel import HEADER_ROWS
from ucimpact.data.periods import Frequency, one_period, parse_periods
from ucimpact.data.privacy import is_nhs_number
from ucimpact.data.reading import Table
from ucimpact.errors import DataError, Problem
from ucimpact.study.declare import NUMBERS, Study
from ucimpact.study.lines import line_numbers, line_of
from ucimpact.study.source import absent_columns, columns_named

VALUE_LENGTH = 40
STARTS = ("not a start", "Write the first pilot period, or leave it empty for a unit that never starts")
ENDS = ("not an end", "Write the last pilot period, or leave it empty where the pilot goes on")


class Converted:
    """The columns of a table in their roles; read only.

    Attributes
    ----------
    frequency, ordinals : Frequency, array (n_rows,)
        The periods. Absent where they could not be read; then ``general`` is not empty.
    numbers : dict
        Numeric columns, ``nan`` for a cell that is empty or wrong.
    names : dict
        Columns of units, places and definitions. People are "person 1", "person 2" in the order of the file.
    unnamed : array (n_rows,)
        Rows without a unit.
    starts, ends : array (n_rows,)
        Ordinal of the first pilot period of each row's unit, ``nan`` for never; and of the last, ``nan``
        where the pilot goes on.
    general : list of Problem
        What is wrong with whole columns, or with cells whose period is not known.
    by_row : dict
        What is wrong with cells, by row.
    notes : list of str
        What was read otherwise than as it stands.
    """

    def __init__(self, study: Study, table: Table) -> None:
        self.study, self.table = study, table
        self.general: list[Problem] = []
        self.by_row: dict[int, list[Problem]] = {}
        self.notes = list(table.notes)
        self.numbers: dict[str, np.ndarray] = {}
        self.names: dict[str, np.ndarray] = {}
        absent = self._absent_columns()
        self._read_numbers(absent)
        if study.data.period not in absent:
            self._read_periods()
        if study.data.definition is not None and study.data.definition not in absent:
            self._read_named("definition", study.data.definition)
        if study.data.kind == "panel" and not self.general:
            self._read_names()
            self.starts = self._read_days(str(study.data.start), STARTS)
            if study.data.end is not None:
                self.ends = self._read_days(study.data.end, ENDS)

    frequency: Frequency
    ordinals: np.ndarray
    unnamed: np.ndarray
    starts: np.ndarray
    ends: np.ndarray | None = None

    # -- problems ------------------------------------------------------------------------

    def shown(self, value: object) -> str | None:
        """A value as a message may show it; None where rows are people, or for an NHS number."""
        if value is None or not self.study.data.show or is_nhs_number(value):
            return None
        text = as_name(value)
        return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}..."

    def problem(
        self,
        what: str,
        do: str,
        *,
        at: int | None = None,
        column: str | None = None,
        value: object = None,
    ) -> Problem:
        """A problem at a row of the table, with the row's line in the file."""
        row = None if at is None else int(self.table.rows[at])
        return Problem(what, do, file=self.table.file, row=row, column=column, value=self.shown(value))

    def placed(self, error: DataError, rows: np.ndarray) -> list[Problem]:
        """Problems of a Panel, a Series or a column of periods, with lines of the file for their rows."""
        return [
            replace(
                problem,
                file=self.table.file,
                row=None if problem.row is None else int(rows[problem.row - HEADER_ROWS]),
                value=self.shown(problem.value),
            )
            for problem in error.problems
        ]

    def _cell(self, at: int, what: str, do: str, column: str, *, show: bool = True) -> None:
        value = self.table.columns[column][at] if show else None
        self.by_row.setdefault(at, []).append(self.problem(what, do, at=at, column=column, value=value))

    # -- columns -------------------------------------------------------------------------

    def _absent_columns(self) -> set[str]:
        named = columns_named(self.study.data, self.study.outcomes, self.study.named(NUMBERS))
        absent = absent_columns(named, self.table, show=self.study.data.show)
        lines = line_numbers(self.study.text)
        for path, column, what, way_out in absent:
            line = f" (named in line {line_of(path, lines)} of the study file)" if self.study.text else ""
            self.general.append(self.problem(f"{what}{line}", way_out, column=column))
        return {column for _, column, _, _ in absent}

    def _read_numbers(self, absent: set[str]) -> None:
        data = self.study.data
        kinds: list[tuple[str | None, str]] = [(data.population, "population"), (data.weight, "weight")]
        kinds += [(outcome.column, outcome.kind) for outcome in self.study.outcomes]
        kinds += [(column, "covariate") for column in self.study.covariates]
        for column, kind in kinds:
            if column is None or column in absent or column in self.numbers:
                continue
            read = read_numbers(self.table.columns[column], kind)
            self.numbers[column] = read.values
            self.notes += [f"`{column}`: {note}" for note in read.notes]
            for found in read.problems:
                self._cell(found.at, found.what, found.do, column)

    def _read_periods(self) -> None:
        column = str(self.study.data.period)
        cells = self._dated(column)
        try:
            parsed = parse_periods(_typed(cells, column), form=self._form)
        except DataError as error:
            self.general += self.placed(error, self.table.rows)
            return
        self.frequency, self.ordinals = parsed.frequency, parsed.ordinals
        self.notes += [parsed.note] if parsed.note else []

    def _dated(self, column: str) -> Sequence[Any]:
        """The cells of a column of periods, with days that are written as numbers made dates."""
        cells = self.table.columns[column]
        found = None if self._form else days_in_numbers(cells)
        if found is None:
            return cells
        self.notes.append(f"`{column}`: {found[1]}")
        return found[0]

    @property
    def _form(self) -> str | None:
        return self.study.data.dates.format if self.study.data.dates else None

    def _read_names(self) -> None:
        for role, column in (("unit", self.study.data.unit), ("place", self.study.data.places)):
            if column is not None:
                self._read_named(role, column)
        unit = str(self.study.data.unit)
        self.unnamed = np.array([cell is None for cell in self.table.columns[unit]])
        if not self.study.data.show:
            codes = pd.factorize(self.names[unit])[0]
            self.names[unit] = np.array([f"person {code + 1}" for code in codes], dtype=object)

    def _read_named(self, role: str, column: str) -> None:
        cells = self.table.columns[column]
        self.names[column] = np.array([as_name(cell) for cell in cells], dtype=object)
        for at, cell in enumerate(cells):
            if cell is None:
                self._cell(at, f"no {role}", f"Name the {role} or take the row out", column)

    def _read_days(self, column: str, said: tuple[str, str]) -> np.ndarray:
        """The first, or last, pilot period of each row's unit; ``nan`` where the cell is empty."""
        cells = self.table.columns[column] if self.frequency.kind == "number" else self._dated(column)
        texts = {cell for cell in cells if isinstance(cell, str)}
        known = {text: self._start(text, self._form) for text in texts}
        if self._form and all(ordinal is None for ordinal in known.values()):
            known = {text: self._start(text, None) for text in texts}  # a form of its own
        if self._form is None and any(map(_either_way, texts)) and not any(map(_day_first, texts)):
            self.notes.append(f"`{column}` was read as day/month/year; no row shows which way round it is")
        starts = np.full(len(cells), np.nan)
        wrong = np.zeros(len(cells), dtype=bool)
        for at, cell in enumerate(cells):
            ordinal = known[cell] if isinstance(cell, str) else self._start(cell, None)
            if ordinal is None:
                wrong[at] = True
                what, way_out = said
                self._cell(at, f"{what} that fits {self.frequency.noun}s", way_out, column)
            else:
                starts[at] = ordinal
        units = self.names[str(self.study.data.unit)]
        for row in np.flatnonzero(wrong):  # so that the unit's other rows are not said to differ from it
            others = starts[(units == units[row]) & ~wrong]
            starts[row] = others[0] if others.size else np.nan
        return starts

    def _start(self, cell: Any, form: str | None) -> float | None:
        """The ordinal of a start, ``nan`` for never, None where it cannot be read."""
        if cell is None or (isinstance(cell, str) and cell.lower() == "never"):
            return np.nan
        if isinstance(cell, float) and np.isinf(cell):
            return np.nan
        if isinstance(cell, bool):
            return None
        try:
            ordinal = one_period(cell, self.frequency, form=form)
        except (ValueError, TypeError, OverflowError):
            return None
        if self.frequency.kind == "number" and ordinal == 0 and self.ordinals.min() > 0:
            return np.nan
        return float(ordinal)


def as_name(cell: object) -> str:
    """A cell as text: a workbook's 1001.0 is 1001."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _typed(cells: Sequence[Any], name: str) -> pd.Series:
    """A column with the type that all its cells share."""
    filled = [cell for cell in cells if cell is not None]
    if filled and all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in filled):
        return pd.Series([np.nan if cell is None else float(cell) for cell in cells], name=name)
    if not all(isinstance(cell, dt.date) for cell in filled):
        cells = [cell.isoformat()[:10] if isinstance(cell, dt.date) else cell for cell in cells]
    return pd.Series(list(cells), dtype=object, name=name)


def _either_way(text: str) -> bool:
    parts = text.split("/")
    return len(parts) == 3 and all(part.isdigit() for part in parts) and int(parts[0]) <= 12 >= int(parts[1])


def _day_first(text: str) -> bool:
    parts = text.split("/")
    return len(parts) == 3 and parts[0].isdigit() and 12 < int(parts[0]) <= 31
