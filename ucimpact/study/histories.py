"""From a study to its people and their events: Histories, every problem of both tables listed at once.

A message names the table, rows and counts, never what stands in a cell, a name of a person or a date. The
days between which events are complete are declared and held against the events: an extract that stops
before it is said to would make everybody's follow-up quiet.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cells import CellProblem, is_empty, read_numbers, yes_no
from ucimpact.data.dates import TWO_DIGITS, read_dates
from ucimpact.data.histories import DEATH, ENOUGH, NAMED, OF_STAYS, Histories
from ucimpact.data.histories_checks import EVENTS, PEOPLE, many
from ucimpact.data.panel import HEADER_ROWS
from ucimpact.data.reading import Table
from ucimpact.errors import DataError, DesignError, Problem
from ucimpact.study.base import Window
from ucimpact.study.declare import Dates, Method, Sensitivity, Study
from ucimpact.study.lines import line_numbers, line_of
from ucimpact.study.people import as_kind, day_of, says_yes_or_no
from ucimpact.study.source import absent_columns, columns_of_events, columns_of_people

SILENT = 25.0
"""Events expected on days on which there is none: that many by chance are not none at all."""
A_FORTNIGHT = 14
"""Days in a row without an event, among others, that are no weekend and no holiday."""
DAYS_OF_PEOPLE = ("service_start", "died", "left", "registered")


class TwoTables:
    """The columns that a study names in both tables, each in its role, and what is wrong with them.

    Attributes
    ----------
    people, events : dict
        Numbers as floats with ``nan``, days as dates, kinds as text; people are numbered from 1 in the order
        of their table.
    kept : array of bool
        The rows of the file that ``events`` holds.
    problems : list of Problem
        Of columns and of cells.
    notes : list of str
        What was read otherwise than as it stands.
    """

    def __init__(self, study: Study, people: Table, events: Table) -> None:
        assert study.data.events is not None
        self.study, self.declared = study, study.data.events
        self.tables = {PEOPLE: people, EVENTS: events}
        self.called = _called(people, events, self.declared.sheet)
        self.people: dict[str, Any] = {}
        self.events: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.notes = [*people.notes, *(f"{self.called[EVENTS]}: {note}" for note in events.notes)]
        left_out = (f"{row['n']:,} {row['reason']} left out" for row in events.left_out)
        self.notes += [f"{self.called[EVENTS]}: {told}" for told in left_out]
        self.kept = np.ones(len(events), dtype=bool)
        self.absent = {PEOPLE: self._absent(PEOPLE), EVENTS: self._absent(EVENTS)}
        self._persons()
        self._people()
        self._events()

    @property
    def file(self) -> str:
        """The files, for messages."""
        return " and ".join(dict.fromkeys(table.file for table in self.tables.values()))

    def histories(self, window: Window | None) -> Histories:
        """The people and their events; clocks start on the days of the window.

        Raises
        ------
        DataError
            Listing every problem.
        DesignError
            Where nobody had the service.
        """
        data, told = self.study.data, {(p.file, p.row, p.column) for p in self.problems}
        if any(self.absent.values()):
            raise DataError(self.problems, source=self.file)
        try:
            found = Histories(
                pd.DataFrame(self.people),
                pd.DataFrame(self.events),
                person=str(data.person),
                service_start=str(data.service_start),
                date=self.declared.date,
                kind=self.declared.kind,
                end=self.declared.end,
                **{role: getattr(data, role) for role in ("died", "left", "registered", "cluster")},
                first=self.declared.first,
                last=self.declared.last,
                index_from=None if window is None or window.first is None else day_of(window.first),
                index_to=None if window is None or window.last is None else day_of(window.last),
            )
        except DataError as error:
            placed = [self._placed(problem) for problem in error.problems]
            new = [p for p in placed if p.row is None or (p.file, p.row, p.column) not in told]
            raise DataError([*self.problems, *new], source=self.file) from None
        problems = [*self.problems, *self._silent(found), *self._asked_for(found)]
        if problems:
            raise DataError(problems, source=self.file)
        if not np.isfinite(found.start).any():
            raise DesignError(
                f"nobody has a day in column `{data.service_start}`, so nobody had the service. Fill in the "
                "day of the first visit of those who had it"
            )
        return found

    # -- columns -------------------------------------------------------------------------

    def _absent(self, name: str) -> set[str]:
        study = self.study
        of_people = name == PEOPLE
        named = columns_of_people(study) if of_people else columns_of_events(study.data, values_named(study))
        absent = absent_columns(named, self.tables[name], show=False)
        lines = line_numbers(self.study.text)
        for path, column, what, way_out in absent:
            line = f" (named in line {line_of(path, lines)} of the study file)" if self.study.text else ""
            self._say(name, f"{what}{line}", way_out, column=column)
        return {column for _, column, _, _ in absent}

    def _persons(self) -> None:
        """People as numbers in the order of their table, so that nobody is named further on."""
        column = str(self.study.data.person)
        if column in self.absent[PEOPLE] | self.absent[EVENTS]:
            return
        people, events = (_each(as_kind, table.columns[column]) for table in self.tables.values())
        codes, _ = pd.factorize(np.concatenate([people, events]))
        numbers = np.where(codes < 0, np.nan, codes + 1.0)
        self.people[column], self.events[column] = numbers[: len(people)], numbers[len(people) :]

    def _people(self) -> None:
        data, table = self.study.data, self.tables[PEOPLE]
        for column in (getattr(data, role) for role in DAYS_OF_PEOPLE):
            if column is not None and column not in self.absent[PEOPLE]:
                self.people[column] = self._days(PEOPLE, column, data.dates)
        if data.registered is not None and data.registered in self.people:
            self._last_century(data.registered)
        for column in dict.fromkeys((*self.study.covariates, *self.study.kinds, data.cluster)):
            if column is None or column in self.absent[PEOPLE] or column in self.people:
                continue
            cells = table.columns[column]
            if column in self.study.covariates:
                read = yes_no(cells) if says_yes_or_no(cells) else read_numbers(cells, "covariate")
                self.notes += [f"`{column}`: {note}" for note in read.notes]
                self._cells(PEOPLE, column, read.problems)
                self.people[column] = read.values
            else:
                kinds = [None if is_empty(cell) else as_kind(cell) for cell in cells]
                self.people[column] = pd.Series(kinds, dtype=object)
        free = {outcome.column for outcome in self.study.outcomes} & set(self.people)
        for column in sorted(free):
            what = "an outcome counted from the events has the name of a column that the study uses"
            self._say(PEOPLE, what, "Give the outcome another name", column=column)

    def _events(self) -> None:
        declared, table = self.declared, self.tables[EVENTS]
        if self.absent[EVENTS]:
            return
        for column in (declared.date, declared.end):
            if column is not None:
                self.events[column] = self._days(EVENTS, column, declared.dates or self.study.data.dates)
        kinds = self._kinds(table.columns[declared.kind])
        self.events[declared.kind] = pd.Series(kinds, dtype=object)
        for column in values_named(self.study):
            self._amounts(column, np.array(kinds, dtype=object))
        self._twice()

    def _days(self, name: str, column: str, dates: Dates | None) -> pd.Series:
        cells, form = self.tables[name].columns[column], dates.format if dates else None
        codes, different = pd.factorize(np.array(cells, dtype=object))
        read = read_dates(list(different), form=form)
        if read.problems or any(note[0].isdigit() for note in read.notes):
            read = read_dates(cells, form=form)  # with the rows of problems, and notes that count them
        else:
            days = np.append(read.days, np.datetime64("NaT"))[codes]
            read = replace(read, days=days)
        self.notes += [f"`{column}`: {note}" for note in read.notes]
        self._cells(name, column, read.problems)
        return pd.Series(read.days)

    def _last_century(self, column: str) -> None:
        """Years of two digits in which people registered are of the last century if they are yet to come."""
        if not any(note.startswith(f"`{column}`: {TWO_DIGITS}") for note in self.notes):
            return
        days = self.people[column].to_numpy(dtype="datetime64[D]")
        ahead = days > np.datetime64(self.declared.last) + 366
        back = days.astype("datetime64[M]") - 1200
        self.people[column] = pd.Series(np.where(ahead, back.astype("datetime64[D]"), days))
        if ahead.any():
            number = many(int(ahead.sum()), "date")
            self.notes.append(
                f"`{column}`: {number} more than a year after the records read a century earlier"
            )

    def _kinds(self, cells: Sequence[Any]) -> list[str | None]:
        """Kinds in one spelling: as the study writes them, else as they are written most often."""
        plain = _each(lambda cell: " ".join(as_kind(cell).split()), cells).tolist()
        often = Counter(kind for kind in plain if kind is not None)
        spelt: dict[str, str] = {name.casefold(): name for name, _ in reversed(often.most_common())}
        spelt |= {name.casefold(): name for name in events_named(self.study)}
        joined = len(often) - len({kind.casefold() for kind in often})
        if joined:
            named = f"{joined} kind{'s' if joined > 1 else ''} of events"
            self.notes.append(
                f"`{self.declared.kind}`: {named} written in capitals and small letters are one"
            )
        return [None if kind is None else spelt[kind.casefold()] for kind in plain]

    def _amounts(self, column: str, kinds: np.ndarray) -> None:
        """A column of values, which matters in the events whose values are summed."""
        asked = [event for event, value in asked_of_events(self.study) if value == column]
        where = np.isin(kinds, asked)
        cells = self.tables[EVENTS].columns[column]
        read = read_numbers([cell if used else None for cell, used in zip(cells, where, strict=True)], "cost")
        self.notes += [f"`{column}`: {note}" for note in read.notes]
        self._cells(EVENTS, column, read.problems)
        self.events[column] = read.values
        wrong = {problem.at for problem in read.problems}
        for at in np.flatnonzero(np.isnan(read.values) & where):
            if int(at) not in wrong:
                do = "Fill it in, with 0 where there is none"
                self._say(EVENTS, "no number, and it is summed", do, at=int(at), column=column)

    def _twice(self) -> None:
        """Stays that stand twice, alike in every column of the file, are one stay."""
        table, end = self.tables[EVENTS], self.declared.end
        if end is None or self.problems:
            return
        stays = np.flatnonzero(~np.isnat(np.asarray(self.events[end], dtype="datetime64[D]")))
        of_stays = {name: [str(cells[at]) for at in stays] for name, cells in table.columns.items()}
        again = np.zeros(len(table), dtype=bool)
        again[stays] = pd.DataFrame(of_stays).duplicated().to_numpy()
        number = int(again.sum())
        if number:
            twice = f"stand twice in {self.called[EVENTS]}, alike in every column: counted once"
            self.notes.append(f"{many(number, 'stay')} {twice}")
            self.events = {name: pd.Series(cells)[~again].to_numpy() for name, cells in self.events.items()}
            self.kept = ~again

    # -- what is asked of the events -------------------------------------------------------

    def _asked_for(self, found: Histories) -> list[Problem]:
        """Kinds that the study names and no event has, and nights of what has no length."""
        kind, problems = self.declared.kind, []
        often = Counter(self.events[kind])
        safe = len(often) <= NAMED and min(often.values()) >= ENOUGH
        for name in events_named(self.study):
            if name == DEATH or name in found.kinds:
                continue
            near = difflib.get_close_matches(name, found.kinds, 1, 0.6) if safe else []
            listed = f"There are: {', '.join(found.kinds)}" if safe else "Write it as it stands there"
            way_out = f'Did you mean "{near[0]}"?' if near else listed
            problems.append(self._problem(EVENTS, f'no event is called "{name}"', way_out, column=kind))
        for name in dict.fromkeys(event for event, value in asked_of_events(self.study) if value in OF_STAYS):
            if name in found.kinds and not found.has_length(name):
                what = f'no event called "{name}" has an end, so its nights cannot be counted'
                way_out = 'Name the column of ends under [data.events]: end = "discharged"'
                problems.append(self._problem(EVENTS, what, way_out, column=self.declared.end))
        return problems

    def _silent(self, found: Histories) -> list[Problem]:
        """Days at either end of the records, or within, on which nothing happened where much was expected."""
        days = np.asarray(self.events[self.declared.date], dtype="datetime64[D]").astype(np.int64)
        inside = days[(days >= found.first_day) & (days <= found.last_day)]
        if not inside.size:
            what = "no event lies between the days from and to of [data.events]"
            return [self._problem(EVENTS, what, "Correct them", column=self.declared.date)]
        rate = len(inside) / (inside.max() - inside.min() + 1)
        problems = []
        for key, side, silent in (
            ("from", "first", int(inside.min()) - found.first_day),
            ("to", "last", found.last_day - int(inside.max())),
        ):
            if rate * silent > SILENT:
                expected = f"where about {rate * silent:,.0f} would be expected"
                what = f"no event in the {side} {silent:,} days, {expected}"
                do = f"Give {key} as the {side} day for which the events are complete"
                problems.append(self._problem(EVENTS, what, do, column=self.declared.date))
        order = np.argsort(days, kind="stable")
        for at in np.flatnonzero(np.diff(days[order]) > A_FORTNIGHT):
            silent = int(days[order[at + 1]] - days[order[at]]) - 1
            if rate * silent > SILENT and found.first_day <= days[order[at]] < found.last_day:
                what = f"no event on the {silent:,} days after this one, where about {rate * silent:,.0f} "
                do = "Bring the events of those days, or give from or to so that the records are whole"
                row = int(order[at])
                problems.append(
                    self._problem(EVENTS, what + "would be expected", do, at=row, column=self.declared.date)
                )
        return problems

    # -- problems ------------------------------------------------------------------------

    def _placed(self, problem: Problem) -> Problem:
        """A problem of the tables as they were read, by its row in the file."""
        name = problem.file or PEOPLE
        what = problem.what.removeprefix(f"in the table of {name}, ")
        if problem.row is None:
            return self._problem(name, what, problem.do, column=problem.column)
        at = problem.row - HEADER_ROWS
        if name == EVENTS:
            at = int(np.flatnonzero(self.kept)[at])
        return self._problem(name, what, problem.do, at=at, column=problem.column)

    def _cells(self, name: str, column: str, problems: tuple[CellProblem, ...]) -> None:
        for problem in problems:
            self._say(name, problem.what, problem.do, at=problem.at, column=column)

    def _say(
        self, name: str, what: str, do: str, *, at: int | None = None, column: str | None = None
    ) -> None:
        self.problems.append(self._problem(name, what, do, at=at, column=column))

    def _problem(
        self, name: str, what: str, do: str, *, at: int | None = None, column: str | None = None
    ) -> Problem:
        table = self.tables[name]
        row = None if at is None else int(table.rows[at])
        return Problem(f"in {self.called[name]}, {what}", do, file=table.file, row=row, column=column)


def _each(plain: Callable[[Any], str], cells: Sequence[Any]) -> np.ndarray:
    """Each cell as plain text, None where it is empty; what stands often is worked out once."""
    codes, different = pd.factorize(np.array(cells, dtype=object))
    texts = [None if is_empty(cell) else plain(cell) for cell in different]
    return np.array([*texts, None], dtype=object)[codes]


def _called(people: Table, events: Table, sheet: str | None) -> Mapping[str, str]:
    """What each table is called in a message."""
    if people.file != events.file:
        return {PEOPLE: people.file, EVENTS: events.file}
    return {PEOPLE: "the sheet of people", EVENTS: f'the sheet "{sheet}"'}


def asked_of_events(study: Study) -> list[tuple[str, str | None]]:
    """Each kind of event that a study counts, and the value it sums."""
    found: list[tuple[str, str | None]] = [
        (outcome.counted.event, outcome.counted.value)
        for outcome in study.outcomes
        if outcome.counted is not None
    ]
    methods: tuple[Method | Sensitivity, ...] = (study.method, *study.sensitivity)
    for method in methods:
        for entry in method.options.get("measured", ()):
            if isinstance(entry, Mapping) and isinstance(entry.get("event"), str):
                found.append((entry["event"], entry.get("value")))
            elif isinstance(getattr(entry, "event", None), str):
                found.append((entry.event, entry.value))
        if isinstance(method.options.get("trigger"), str):
            found.append((method.options["trigger"], None))
    return list(dict.fromkeys(found))


def events_named(study: Study) -> list[str]:
    """The kinds of events that a study names, each once."""
    return list(dict.fromkeys(event for event, _ in asked_of_events(study)))


def values_named(study: Study) -> list[str]:
    """The columns of events that a study sums, each once."""
    values = (value for _, value in asked_of_events(study) if value is not None and value not in OF_STAYS)
    return list(dict.fromkeys(values))
