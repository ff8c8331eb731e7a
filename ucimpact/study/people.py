"""From a study to its people: a Cohort, every problem of every column listed at once.

One row is a person. A message names rows and counts, never what stands in a cell, a name of a person
or a date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cells import CellProblem, is_empty, read_numbers, yes_no
from ucimpact.data.cohort import Cohort
from ucimpact.data.dates import read_dates
from ucimpact.data.panel import HEADER_ROWS
from ucimpact.data.periods import parse_day
from ucimpact.data.reading import Table
from ucimpact.errors import DataError, Problem, UsageError
from ucimpact.study.base import Window
from ucimpact.study.declare import KINDS, NUMBERS, Study
from ucimpact.study.lines import line_numbers, line_of
from ucimpact.study.source import absent_columns, columns_named

ROLES = ("index_date", "service_start")
FILL = "Fill it in, or take the row out"


class People:
    """The columns that a study names, each in its role, and what is wrong with them.

    Attributes
    ----------
    columns : dict
        Numbers as floats with ``nan``, days as dates, kinds as text; people are "person 1", "person 2" in the
        order of the file.
    problems : list of Problem
        Of columns and of cells.
    notes : list of str
        What was read otherwise than as it stands.
    """

    def __init__(self, study: Study, table: Table) -> None:
        self.study, self.table = study, table
        self.columns: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.notes = list(table.notes)
        self.absent = self._absent()
        self._names()
        self._days()
        self._numbers()
        self._kinds()

    def cohort(self, window: Window | None) -> tuple[Cohort, list[dict[str, Any]]]:
        """The people whose clock starts inside the window, and who was left out of it.

        Raises
        ------
        DataError
            Listing every problem.
        """
        keep, left_out = self._within(window)
        if self.problems:
            raise DataError(self.problems, source=self.table.file)
        data = self.study.data
        table = pd.DataFrame(self.columns)[keep].reset_index(drop=True)
        try:
            cohort = Cohort(
                table,
                person=str(data.person),
                pilot=data.pilot,
                index_date=data.index_date,
                service_start=data.service_start,
                follow_up=data.follow_up,
                horizon=data.follow_up_days,
                before=tuple(o.before for o in self.study.outcomes if o.before is not None),
                cluster=data.cluster,
            )
        except DataError as error:
            rows = self.table.rows[keep]
            raise DataError(
                [self._placed(problem, rows) for problem in error.problems], source=self.table.file
            ) from None
        return cohort, left_out

    def _placed(self, problem: Problem, rows: np.ndarray) -> Problem:
        row = None if problem.row is None else int(rows[problem.row - HEADER_ROWS])
        return Problem(problem.what, problem.do, file=self.table.file, row=row, column=problem.column)

    def _within(self, window: Window | None) -> tuple[np.ndarray, list[dict[str, Any]]]:
        keep = np.ones(len(self.table), dtype=bool)
        column = self.study.data.index_date
        if window is None or column is None or column not in self.columns:
            return keep, list(self.table.left_out)
        days = self.columns[column].to_numpy(dtype="datetime64[D]")
        ends = [None if end is None else np.datetime64(day_of(end)) for end in (window.first, window.last)]
        if ends[0] is not None:
            keep &= ~(days < ends[0])
        if ends[1] is not None:
            keep &= ~(days > ends[1])
        outside = int((~keep).sum())
        if not keep.any():
            self._say("no row lies in the window", "Correct the window", column=column)
        left_out = list(self.table.left_out)
        if outside:
            left_out.append({"n": outside, "reason": "people whose index date lies outside the window"})
        return keep, left_out

    # -- columns -------------------------------------------------------------------------

    def _absent(self) -> set[str]:
        study = self.study
        named = columns_named(study.data, study.outcomes, study.named((*NUMBERS, *KINDS)))
        absent = absent_columns(named, self.table, show=False)
        lines = line_numbers(study.text)
        for path, column, what, way_out in absent:
            line = f" (named in line {line_of(path, lines)} of the study file)" if study.text else ""
            self._say(f"{what}{line}", way_out, column=column)
        return {column for _, column, _, _ in absent}

    def _names(self) -> None:
        data = self.study.data
        for role, column in (("person", data.person), ("group", data.cluster)):
            if column is None or column in self.absent:
                continue
            cells = self.table.columns[column]
            for at in (at for at, cell in enumerate(cells) if is_empty(cell)):
                self._say(f"no {role}", FILL, at=at, column=column)
            self.columns[column] = _numbered(cells, role)

    def _days(self) -> None:
        form = self.study.data.dates.format if self.study.data.dates else None
        for role in ROLES:
            column = getattr(self.study.data, role)
            if column is None or column in self.absent:
                continue
            read = read_dates(self.table.columns[column], form=form)
            self.notes += [f"`{column}`: {note}" for note in read.notes]
            self._cells(column, read.problems)
            self.columns[column] = pd.Series(read.days)
            if role == "index_date":
                wrong = {problem.at for problem in read.problems}
                for at in np.flatnonzero(np.isnat(read.days)):
                    if int(at) not in wrong:
                        self._say("no date", FILL, at=int(at), column=column)

    def _numbers(self) -> None:
        data = self.study.data
        kinds: list[tuple[str | None, str]] = [(data.pilot, "yes or no"), (data.follow_up, "duration")]
        kinds += [(data.chosen.column, "count")] if data.chosen else []
        for outcome in self.study.outcomes:
            kinds += [(outcome.column, outcome.kind), (outcome.before, outcome.kind)]
        kinds += [(column, "covariate") for column in (*self.study.covariates, *self._distances())]
        for column, kind in kinds:
            if column is None or column in self.absent or column in self.columns:
                continue
            cells = self.table.columns[column]
            reader: Callable[..., Any] = read_numbers
            if kind in ("yes or no", "binary") or (kind == "covariate" and says_yes_or_no(cells)):
                read = yes_no(cells)
            else:
                read = reader(cells, kind)
            self.columns[column] = read.values
            self.notes += [f"`{column}`: {note}" for note in read.notes]
            self._cells(column, read.problems)
            if kind == "yes or no":
                self._filled(column, read.values, read.problems)

    def _filled(self, column: str, values: np.ndarray, problems: tuple[CellProblem, ...]) -> None:
        wrong = {problem.at for problem in problems}
        for at in np.flatnonzero(np.isnan(values)):
            if int(at) not in wrong:
                self._say("not said whether this person had the service", FILL, at=int(at), column=column)

    def _kinds(self) -> None:
        for column in self.study.kinds:
            if column not in self.absent and column not in self.columns:
                cells = self.table.columns[column]
                self.columns[column] = pd.Series(
                    [None if is_empty(cell) else as_kind(cell) for cell in cells], dtype=object
                )

    def _distances(self) -> tuple[str, ...]:
        """Columns that a method measures distance by."""
        given = [self.study.method.options, *(entry.options for entry in self.study.sensitivity)]
        named = [str(options["distance"]) for options in given if "distance" in options]
        return tuple(name for name in named if name in self.table.columns)

    # -- problems ------------------------------------------------------------------------

    def _cells(self, column: str, problems: tuple[CellProblem, ...]) -> None:
        for problem in problems:
            self._say(problem.what, problem.do, at=problem.at, column=column)

    def _say(self, what: str, do: str, *, at: int | None = None, column: str | None = None) -> None:
        row = None if at is None else int(self.table.rows[at])
        self.problems.append(Problem(what, do, file=self.table.file, row=row, column=column))


def _numbered(cells: Any, role: str) -> pd.Series:
    """Names as numbers in the order of the file, so that nobody is named further on."""
    texts = [None if is_empty(cell) else as_kind(cell) for cell in cells]
    codes = pd.factorize(np.array(texts, dtype=object))[0]
    return pd.Series([None if code < 0 else f"{role} {code + 1}" for code in codes], dtype=object)


def as_kind(cell: Any) -> str:
    """A cell as one of its kinds: a workbook's 3.0 is 3, spaces around a word are nothing."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def says_yes_or_no(cells: Any) -> bool:
    """Whether a column holds words for yes and no, and nothing else."""
    filled = [cell for cell in cells if not is_empty(cell)]
    return any(isinstance(cell, str) for cell in filled) and not yes_no(filled).problems


def day_of(end: Any) -> dt.date:
    """An end of a window as a day."""
    if isinstance(end, dt.date):
        return end
    try:
        return parse_day(str(end))
    except ValueError:
        raise UsageError(f"window: {end} is no day. Write a date such as 2025-04-01") from None
