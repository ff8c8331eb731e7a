"""From a study to its records: a Panel or a Series, every problem of every column listed at once.

A file is converted once; a window then takes its rows. A problem in a cell outside the window is no
problem, because its row is left out and counted. Rows that are people are named by number and their
values are never shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel
from ucimpact.data.periods import Frequency, as_periods, one_period, parse_day
from ucimpact.data.series import Series
from ucimpact.errors import DataError, DesignError, Problem, UsageError
from ucimpact.study.base import Window
from ucimpact.study.convert import Converted
from ucimpact.study.declare import Study, named_in
from ucimpact.study.far import far_values
from ucimpact.study.histories import TwoTables
from ucimpact.study.people import People
from ucimpact.study.source import of_events, read_source

COVID = (dt.date(2020, 3, 1), dt.date(2021, 6, 30))
"""First and last day of the months in which urgent care was unlike any other time."""
LONGEST = 40_000
"""Periods from first to last; more (a century of days) is a slip in some date."""
NAMED = 4
"""Periods named in one message; the rest are counted."""

COMPLETE = (
    'Add the rows, shorten the window, or say incomplete = "leave-out" (the whole unit) or "keep" in [data]'
)
COVID_DECLARED = {
    "panel": 'Say which under [data]: covid = "drop" (their rows are left out) or "none" (they stay)',
    "series": 'Say how under [data]: covid = "drop", "dummy", "segment" or "none"',
}
START_PILOT = "Give the units of the pilot their first pilot period there"
ADD_COMPARISON = (
    "Add units that never start, with an empty start; or add the pilot up to one row a period and say "
    'kind = "series" with the method "its"'
)
NEVER_EMPTY = {
    "adjust": "there is no number, and the method adjusts for it",
    "controls": "there is no number, and the method compares with it",
    "control_populations": "there is no number, and the control is told per person",
}
"""Options of a method on a series that name columns without which a row cannot count."""
EACH_ALONE = ("multi-site-its",)
"""Methods that hold each unit against its own past, so that all may start at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """The data of a study, and what became of every row.

    Attributes
    ----------
    data : Panel, Series, Cohort or Histories
        With the columns that the study names; an empty cell of an outcome is ``nan``.
    left_out : tuple of dict
        ``n, reason``: rows that were read and are not in ``data``.
    missing : dict
        Empty cells of each outcome and covariate among the rows of ``data``, where there are any.
    coercions : tuple of str
        What was read otherwise than as it stands.
    fingerprints : tuple of dict
        ``file, sha256, rows, columns`` of each file; rows and columns are None for one that a query read.
    rows_read : int
        Rows of the file, or of the query's result; empty rows are counted. Where there are two tables, of the
        table of people.
    far : tuple of str
        Values of places far beyond their column, in a sentence each; they are used as they stand.
    """

    study: Study
    data: Panel | Series | Cohort | Histories
    left_out: tuple[dict[str, Any], ...]
    missing: Mapping[str, int]
    coercions: tuple[str, ...]
    fingerprints: tuple[dict[str, Any], ...]
    rows_read: int
    converted: Converted | People | TwoTables = field(repr=False)
    far: tuple[str, ...] = ()

    def within(self, window: Window | Literal["all"] | None) -> Records:
        """The records of another window of the same file; ``"all"`` or None is the whole of it.

        Raises
        ------
        DataError, DesignError
            For what is wrong there.
        """
        window = None if window == "all" else window
        if isinstance(self.converted, People):
            return _people(self.converted, window)
        if isinstance(self.converted, TwoTables):
            return _histories(self.converted, window)
        return _Cut(self.converted, window, trim=True).records()


def read_records(study: Study) -> Records:
    """Read the study's data, within its window.

    Raises
    ------
    UsageError
        For a file that is not there, or SQL that is not one SELECT.
    DataError
        Listing every problem of every column with row, column, value and the way out.
    DesignError
        For data in which no method could answer: no pilot, no comparison, covid undeclared.
    """
    table = read_source(study.data, study.folder)
    if study.data.events is not None:
        events = read_source(of_events(study.data), study.folder)
        return _histories(TwoTables(study, table, events), study.data.window)
    if study.data.kind == "cohort":
        return _people(People(study, table), study.data.window)
    return _Cut(Converted(study, table), study.data.window).records()


def _people(people: People, window: Window | None) -> Records:
    """The records of a cohort."""
    cohort, left_out = people.cohort(window)
    measured = [outcome.column for outcome in people.study.outcomes] + list(people.study.covariates)
    empty = {name: int(np.isnan(cohort.values(name)).sum()) for name in measured}
    return Records(
        study=people.study,
        data=cohort,
        left_out=tuple(left_out),
        missing={name: n for name, n in empty.items() if n},
        coercions=tuple(people.notes),
        fingerprints=people.table.fingerprints,
        rows_read=len(people.table) + sum(row["n"] for row in people.table.left_out),
        converted=people,
    )


def _histories(tables: TwoTables, window: Window | None) -> Records:
    """The records of people with dated events."""
    found = tables.histories(window)
    people, events = tables.tables.values()
    empty = {name: int(np.isnan(found.values(name)).sum()) for name in tables.study.covariates}
    return Records(
        study=tables.study,
        data=found,
        left_out=people.left_out,
        missing={name: n for name, n in empty.items() if n},
        coercions=(*tables.notes, *found.notes),
        fingerprints=(*people.fingerprints, *events.fingerprints),
        rows_read=len(people) + sum(row["n"] for row in people.left_out),
        converted=tables,
    )


class _Cut:
    """The rows of one window, what is left out of them, and what is wrong with the rest."""

    def __init__(self, whole: Converted, window: Window | None, *, trim: bool = False) -> None:
        self.whole, self.study, self.file = whole, whole.study, whole.table.file
        if whole.general:
            cells = [problem for at in sorted(whole.by_row) for problem in whole.by_row[at]]
            raise DataError([*whole.general, *cells], source=self.file)
        self.frequency = whole.frequency
        self.first, self.last = self._ends(window)
        self.trim = trim and whole.study.data.kind == "panel"
        self.declared = not trim
        self.keep = (whole.ordinals >= self.first) & (whole.ordinals <= self.last)
        self.left_out = list(whole.table.left_out)
        self.problems: list[Problem] = []
        self.refusals: list[str] = []
        self.notes: list[str] = []

    def _ends(self, window: Window | None) -> tuple[float, float]:
        """First and last ordinal of a window, infinite where it is open."""
        ends = [-np.inf, np.inf]
        given = () if window is None else (("from", window.first), ("to", window.last))
        for side, (key, end) in enumerate(given):
            try:
                ends[side] = ends[side] if end is None else float(one_period(end, self.frequency))
            except (ValueError, TypeError):
                fits = f"does not fit the {self.frequency.noun}s of {self.file}"
                raise UsageError(f"window: {key} = {end} {fits}. Write it as the file does") from None
        return ends[0], ends[1]

    def records(self) -> Records:
        """Leave out, then ask all that can be wrong, then raise it together."""
        self._window()
        self._reach()
        self._covid()
        cells = [
            problem for at in np.flatnonzero(self.keep) for problem in self.whole.by_row.get(int(at), ())
        ]
        self.problems += cells
        if self.declared and self.study.data.kind == "series":
            self._filled({(problem.row, problem.column) for problem in cells})
        if self.trim:
            self._trim()
        self._few()
        self._complete()
        self._constant({problem.column for problem in cells})
        data = self._data()
        if self.problems or data is None:
            raise DataError(self.problems, source=self.file)
        if isinstance(data, Panel):
            self._contrast(data)
        if self.refusals:
            raise DesignError(_listed(self.refusals))
        measured = [outcome.column for outcome in self.study.outcomes] + list(self.study.covariates)
        empty = {name: int(np.isnan(self.whole.numbers[name][self.keep]).sum()) for name in measured}
        return Records(
            study=self.study,
            data=data,
            left_out=tuple(self.left_out),
            missing={name: n for name, n in empty.items() if n},
            coercions=(*self.whole.notes, *self.notes),
            fingerprints=self.whole.table.fingerprints,
            rows_read=len(self.whole.table) + sum(row["n"] for row in self.whole.table.left_out),
            converted=self.whole,
            far=far_values(self.whole, self.keep),
        )

    def _add(self, what: str, do: str, **where: Any) -> None:
        self.problems.append(self.whole.problem(what, do, **where))

    # -- what is left out ----------------------------------------------------------------

    def _leave_out(self, n: int, why: str) -> None:
        self.left_out.append({"n": n, "reason": f"row{'s' if n != 1 else ''} {why}"})

    def _window(self) -> None:
        outside = int((~self.keep).sum())
        if not outside:
            return
        label = self.frequency.label
        ends = [None if np.isinf(end) else label(int(end)) for end in (self.first, self.last)]
        named = (
            f"{ends[0]} to {ends[1]}" if all(ends) else f"from {ends[0]}" if ends[0] else f"up to {ends[1]}"
        )
        self._leave_out(outside, f"outside the window, {named}")
        if not self.keep.any():
            there = self.whole.ordinals
            reach = f"The file has {label(int(there.min()))} to {label(int(there.max()))}"
            self._add(f"no row lies in the window, {named}", f"{reach}: correct the window")
            raise DataError(self.problems, source=self.file)

    def _trim(self) -> None:
        """Another window than the study's leaves out the units that start outside it."""
        rows = np.flatnonzero(self.keep)
        gone, units = starts_outside(self.whole.ordinals[rows], self.whole.starts[rows], self._units(rows))
        if gone.any():
            self.keep = self.keep.copy()
            self.keep[rows[gone]] = False
            self._leave_out(int(gone.sum()), left_out_for_start(units))

    def _units(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.whole.names[str(self.study.data.unit)][rows])

    def _reach(self) -> None:
        rows = np.flatnonzero(self.keep)
        order = rows[np.argsort(self.whole.ordinals[rows], kind="stable")]
        first, last = order[0], order[-1]
        if self.whole.ordinals[last] - self.whole.ordinals[first] > LONGEST:
            middle = np.median(self.whole.ordinals[rows])
            far = max((first, last), key=lambda at: abs(self.whole.ordinals[at] - middle))
            column = str(self.study.data.period)
            value = self.whole.table.columns[column][far]
            what = f"more than {LONGEST:,} {self.frequency.noun}s from the rest"
            self._add(what, "Correct the slip", at=int(far), column=column, value=value)
            raise DataError(self.problems, source=self.file)

    def _covid(self) -> None:
        """Months of the pandemic are dropped or kept as declared; undeclared they are refused."""
        if self.frequency.kind == "number":
            return
        during = {o: self._in_covid(int(o)) for o in np.unique(self.whole.ordinals)}
        hit = self.keep & np.array([during[o] for o in self.whole.ordinals])
        if not hit.any():
            return
        kind, declared = self.study.data.kind, self.study.data.covid
        if declared is None:
            what = "the window holds months of the covid pandemic (March 2020 to June 2021)"
            self.refusals.append(f"{what}. {COVID_DECLARED[kind]}")
        elif kind == "panel" and declared == "drop":
            self.keep = self.keep & ~hit
            self._leave_out(int(hit.sum()), "in the covid months, March 2020 to June 2021")
            if not self.keep.any():
                self._add("no row is left without the covid months", "Choose another window")
                raise DataError(self.problems, source=self.file)

    def _in_covid(self, ordinal: int) -> bool:
        after = self.frequency.first_day(ordinal + 1)
        return self.frequency.first_day(ordinal) <= COVID[1] and after > COVID[0]

    # -- what is wrong -------------------------------------------------------------------

    def _required(self) -> np.ndarray:
        """The periods in which every unit needs a row; a week that the window cuts may be absent."""
        kept = self.whole.ordinals[self.keep]
        first = int(kept.min() if np.isinf(self.first) else self.first)
        last = int(kept.max() if np.isinf(self.last) else self.last)
        if self.frequency.kind == "week":
            first = first if np.isinf(self.first) else min(first + 1, int(kept.min()))
            last = last if np.isinf(self.last) else max(last - 1, int(kept.max()))
        asked = np.arange(first, last + 1)
        data = self.study.data
        if data.kind == "panel" and data.covid == "drop" and self.frequency.kind != "number":
            asked = asked[[not self._in_covid(int(o)) for o in asked]]
        return asked

    def _filled(self, told: set[tuple[int | None, str | None]]) -> None:
        """Empty cells that the declared method needs filled; ``told`` are cells said already."""
        table, outcome, method = self.whole.table, self.study.primary.column, self.study.method
        spoilt = np.array([(int(row), outcome) in told for row in table.rows])
        counts = self.keep & (np.isfinite(self.whole.numbers[outcome]) | spoilt)
        dropped = np.zeros(len(counts), dtype=bool)
        if (
            method.options.get("covid") or self.study.data.covid
        ) == "drop" and self.frequency.kind != "number":
            dropped = np.array([self._in_covid(int(o)) for o in self.whole.ordinals])
        for path, column in named_in(method, tuple(NEVER_EMPTY)):
            key = str(path[-1])
            needed = counts & ~dropped if key == "adjust" else counts
            for at in np.flatnonzero(needed & np.isnan(self.whole.numbers[column])):
                if (int(table.rows[at]), column) not in told:
                    way_out = f"Fill it in, or take `{column}` out of {key}"
                    self._add(NEVER_EMPTY[key], way_out, at=int(at), column=column)

    def _complete(self) -> None:
        """Periods without any row, and units without a row in every period."""
        data, kept, asked = self.study.data, self.whole.ordinals[self.keep], self._required()
        policy = data.incomplete or "refuse"
        absent = asked[~np.isin(asked, kept)]
        if data.kind == "series":
            absent = absent[(absent < kept.min()) | (absent > kept.max())]  # Series names gaps between
        if absent.size and policy == "keep" and data.kind == "panel":
            self.notes.append(f"no unit has a row for {self._named(absent)}")
        elif absent.size and policy != "keep":
            what = f"there is no row at all for {self._named(absent)}"
            self._add(what, "Add the rows or change the window", column=data.period)
            asked = asked[np.isin(asked, kept)]
        if data.kind == "series":
            return
        rows = np.flatnonzero(self.keep)
        if self.whole.unnamed[rows].any():
            self.keep = self.keep & ~self.whole.unnamed  # said already; whose row is missing is not known
            return
        codes, units = pd.factorize(self.whole.names[str(data.unit)][rows])
        there = np.zeros((len(units), len(asked)), dtype=bool)
        place = np.searchsorted(asked, kept)
        fits = np.isin(kept, asked)
        there[codes[fits], place[fits]] = True
        lacking = np.flatnonzero(~there.all(axis=1))
        if policy == "keep":
            self._note_gaps(np.array(units, dtype=object), there[:, there.any(axis=0)])
            return
        if policy == "leave-out" and lacking.size:
            self._leave_units_out(rows[np.isin(codes, lacking)], int(lacking.size))
            return
        for code in lacking:
            self._incomplete(str(units[code]), rows[codes == code], asked[~there[code]])

    def _note_gaps(self, units: np.ndarray, there: np.ndarray) -> None:
        """Which units miss periods that others have, those that miss most first, and how many rows."""
        missed = (~there).sum(axis=1)
        gaps = np.argsort(-missed, kind="stable")[: int((missed > 0).sum())]
        if not gaps.size:
            return
        told = [f"{units[at]} in {missed[at]}" for at in gaps[:NAMED]]
        noun = self.frequency.noun + ("s" if there.shape[1] > 1 else "")
        if not self.study.data.show:
            self.notes.append(f"some units lack rows in some {noun}. What is there is used")
            return
        told[0] = f"{units[gaps[0]]} has no rows in {missed[gaps[0]]} of {there.shape[1]} {noun}"
        rest = f", and {gaps.size - NAMED} more" if gaps.size > NAMED else ""
        total = int(missed.sum())
        head = (
            f"{gaps.size} of {len(units)} units {'lacks' if gaps.size == 1 else 'lack'} "
            f"{total:,} row{'s' if total > 1 else ''}"
        )
        self.notes.append(f"{head}: {', '.join(told)}{rest}. What is there is used")

    def _leave_units_out(self, rows: np.ndarray, units: int) -> None:
        each = f"a row for every {self.frequency.noun}"
        named = f"{units} unit{'s' if units > 1 else ''}"
        self._leave_out(len(rows), f"of {named} without {each} of the window")
        self.keep = self.keep.copy()
        self.keep[rows] = False
        if not self.keep.any():
            self._add(f"no unit has {each} of the window", COMPLETE)
            raise DataError(self.problems, source=self.file)

    def _incomplete(self, unit: str, rows: np.ndarray, absent: np.ndarray) -> None:
        own, label = self.whole.ordinals[rows], self.frequency.label
        if absent.min() > own.max():
            at, what = rows[np.argmax(own)], f"{unit} ends in {label(int(own.max()))}, inside the window"
        elif absent.max() < own.min():
            at, what = rows[np.argmin(own)], f"{unit} begins in {label(int(own.min()))}, inside the window"
        else:
            at, what = rows[0], f"{unit} has no row for {self._named(absent)}"
        self._add(what, COMPLETE, at=int(at), column=self.study.data.unit)

    def _named(self, ordinals: np.ndarray) -> str:
        named = [self.frequency.label(int(o)) for o in ordinals[:NAMED]]
        more = f" and {len(ordinals) - NAMED} more" if len(ordinals) > NAMED else ""
        return ", ".join(named) + more

    def _few(self) -> None:
        rows = np.flatnonzero(self.keep)
        periods = np.unique(self.whole.ordinals[rows])
        if len(rows) == 1:
            self._add("there is only one row", "Add the periods before and after the start", at=int(rows[0]))
            raise DataError(self.problems, source=self.file)
        if len(periods) == 1:
            what = f"every row is in one {self.frequency.noun}, {self.frequency.label(int(periods[0]))}"
            self._add(what, "Add the periods before and after the start", column=self.study.data.period)

    def _constant(self, spoilt: set[str | None]) -> None:
        """Outcomes in which nothing can change, those with other problems apart."""
        for outcome in self.study.outcomes:
            values = self.whole.numbers[outcome.column][self.keep]
            known = values[np.isfinite(values)]
            way_out = "Check that the right column is named"
            if outcome.column in spoilt:
                continue
            if not known.size:
                self._add("every cell is empty", way_out, column=outcome.column)
            elif known.size > 1 and np.ptp(known) == 0:
                self._add("every value is the same", way_out, column=outcome.column, value=float(known[0]))

    # -- the Panel or Series -------------------------------------------------------------

    def _data(self) -> Panel | Series | None:
        """The records as estimators read them, or None with the problems noted."""
        try:
            return self._panel() if self.study.data.kind == "panel" else self._series()
        except DataError as error:
            known = {(problem.row, problem.column) for problem in self.problems}
            found = self.whole.placed(error, self.whole.table.rows[self.keep])
            self.problems += [p for p in found if p.row is None or (p.row, p.column) not in known]
            return None

    def _panel(self) -> Panel:
        data, whole = self.study.data, self.whole
        columns: dict[str, Any] = {str(data.period): as_periods(self.frequency, whole.ordinals[self.keep])}
        columns |= {name: pd.Series(values[self.keep]) for name, values in whole.numbers.items()}
        columns |= {name: pd.Series(values[self.keep]) for name, values in whole.names.items()}
        columns[str(data.start)] = as_periods(self.frequency, whole.starts[self.keep])
        if whole.ends is not None:
            columns[str(data.end)] = as_periods(self.frequency, whole.ends[self.keep])
        return Panel(
            pd.DataFrame(columns),
            unit=str(data.unit),
            period=str(data.period),
            start=str(data.start),
            population=data.population,
            weight=data.weight,
            cluster=data.places,
            end=data.end,
        )

    def _series(self) -> Series:
        data, whole = self.study.data, self.whole
        columns: dict[str, Any] = {str(data.period): as_periods(self.frequency, whole.ordinals[self.keep])}
        columns |= {name: pd.Series(values[self.keep]) for name, values in whole.numbers.items()}
        columns |= {name: pd.Series(values[self.keep]) for name, values in whole.names.items()}
        series = Series(
            pd.DataFrame(columns),
            period=str(data.period),
            start=data.start,
            population=data.population,
            definition=data.definition,
        )
        self.notes += _start_inside(series)
        return series

    def _contrast(self, panel: Panel) -> None:
        """A pilot needs units that start and units that have not: never, or not yet."""
        column = f"in column `{self.study.data.start}`"
        if not panel.pilot_units.any():
            self.refusals.append(f"no unit has a start {column}, so there is no pilot. {START_PILOT}")
        elif panel.pilot_units.all() and len(panel.starts) == 1 and self.study.method.name not in EACH_ALONE:
            what = f"every unit has the same start {column}, so there is nothing to compare with"
            self.refusals.append(f"{what}. {ADD_COMPARISON}")


def _start_inside(series: Series) -> list[str]:
    """That a start on a day within a week, month or quarter was taken as the whole of it."""
    frequency = series.frequency
    if frequency.kind not in ("week", "month", "quarter"):
        return []
    try:
        day = series.start if isinstance(series.start, dt.date) else parse_day(str(series.start))
    except ValueError:
        return []  # a week or a quarter by its number
    day = day.date() if isinstance(day, dt.datetime) else day
    if day == frequency.first_day(series.start_ordinal):
        return []
    said = Frequency("day").label(day.toordinal())
    whole = frequency.label(series.start_ordinal)
    return [
        f"the start, {said}, lies inside a {frequency.noun}: all of it ({whole}) counts as with the pilot. "
        "phase_in = 1 would leave it out"
    ]


def starts_outside(ordinals: np.ndarray, starts: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, int]:
    """Rows of units whose pilot starts outside these periods, and how many units they are."""
    gone = (starts < ordinals.min()) | (starts > ordinals.max())
    return gone, len(set(units[gone].tolist()))


def left_out_for_start(units: int) -> str:
    """Why rows are left out of a window that the start of their unit does not lie in."""
    return f"of {units} unit{'s' if units > 1 else ''} that start outside the window"


def _listed(refusals: list[str]) -> str:
    if len(refusals) == 1:
        return refusals[0][0].upper() + refusals[0][1:]
    head = f"{len(refusals)} reasons why these data cannot answer the question"
    return "\n".join([head, *(f"  {text}" for text in refusals)])
