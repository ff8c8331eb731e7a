"""What must hold of two tables of people and events, read once and listed together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ucimpact.data.histories_stays import join
from ucimpact.data.people_columns import MISSING, WRITE_DATES, at_rows, coded, day_numbers
from ucimpact.errors import DataError, Problem

if TYPE_CHECKING:
    from ucimpact.data.histories import Histories

Array = np.ndarray

PEOPLE, EVENTS = "people", "events"
"""The table of a problem, in place of its file."""
FEW = 8
FILL = "Fill it in, or take the row out"


@dataclass(frozen=True, eq=False)
class Rows:
    """Events that count, shape (m,) each; ``end`` is the day itself where the kind has no length.

    Rows of one stay (``ucimpact.data.histories_stays``) stand as they were written; ``opens`` marks the first
    of each stay and every event without a length, and its ``end`` is the last day of the whole stay.
    """

    person: Array
    day: Array
    end: Array
    kind: Array
    row: Array
    opens: Array

    def where(self, keep: Array) -> Rows:
        """The events marked True."""
        return Rows(**{part.name: getattr(self, part.name)[keep] for part in fields(self)})


@dataclass(frozen=True, eq=False)
class Read:
    """Two tables as numbers."""

    start: Array
    death: Array
    leave: Array
    enter: Array
    first_day: int
    last_day: int
    index_first: int
    index_last: int
    kinds: tuple[str, ...]
    long: Array
    """Whether the events of each kind have a length."""
    rows: Rows
    notes: tuple[str, ...]


def read(h: Histories) -> Read:
    """The days, people and kinds of both tables.

    Raises
    ------
    DataError
        Listing every problem; the file of each is ``"people"`` or ``"events"``.
    """
    reader = _Reader(h)
    if reader.problems:
        raise DataError(reader.problems, source="the tables of people and events")
    return reader.read()


class _Reader:
    def __init__(self, h: Histories) -> None:
        self.h = h
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._columns()
        if self.problems:
            return
        self.start, self.death, self.leave, self.enter = (
            self._days_of_people(column) for column in (h.service_start, h.died, h.left, h.registered)
        )
        self._people()
        self._events()
        self._ends_of_records()
        self._orders()

    def _say(
        self, table: str, column: str | None, what: str, do: str, rows: Iterable[int] | None = None
    ) -> None:
        what = f"in the table of {table}, {what}"
        if rows is None:
            self.problems.append(Problem(what, do, file=table, column=column))
        else:
            self.problems += at_rows(rows, str(column), what, do, file=table)

    # -- roles ---------------------------------------------------------------------------

    def _columns(self) -> None:
        h = self.h
        roles: dict[str, tuple[pd.DataFrame, tuple[str, ...]]] = {
            PEOPLE: (h.people, ("person", "service_start", "died", "left", "registered", "cluster")),
            EVENTS: (h.events, ("person", "date", "kind", "end")),
        }
        for name, (table, keys) in roles.items():
            have = list(map(str, table.columns))
            for key in keys:
                column = getattr(h, key)
                if column is not None and have.count(column) != 1:
                    what = "there is no such column" if column not in have else "this name stands twice"
                    do = f"The columns are: {', '.join(have[:12])}"
                    self._say(name, column, f"{what} for `{key}`", do)
            if not len(table):
                self._say(name, None, "there are no rows", "Check that the export finished")

    # -- people --------------------------------------------------------------------------

    def _days_of_people(self, column: str | None) -> Array:
        if column is None:
            return np.full(len(self.h.people), np.nan)
        day, bad = day_numbers(self.h.people[column])
        self._say(PEOPLE, column, "not a date", WRITE_DATES, np.flatnonzero(bad))
        whole: Array = np.floor(day)
        return whole

    def _people(self) -> None:
        h = self.h
        codes, _ = coded(h.people[h.person])
        empty = codes == MISSING
        self._say(PEOPLE, h.person, "no person", "Give everybody a made-up number", np.flatnonzero(empty))
        again = pd.Series(codes).duplicated().to_numpy() & ~empty
        self._say(
            PEOPLE, h.person, "a person who stands above", "Keep one row a person", np.flatnonzero(again)
        )
        if h.cluster is not None:
            lacking = np.flatnonzero(coded(h.people[h.cluster])[0] == MISSING)
            self._say(PEOPLE, h.cluster, "no cluster", FILL, lacking)

    # -- events --------------------------------------------------------------------------

    def _events(self) -> None:
        h = self.h
        known, asked = _alike(h.people[h.person], h.events[h.person])
        index = pd.Index(known)
        first = np.flatnonzero(~index.duplicated())
        place = index[first].get_indexer(asked)
        self.event_person = first[place]
        empty = coded(h.events[h.person])[0] == MISSING
        strange = (place < 0) & ~empty
        if strange.all():
            do = "Both tables must tell people apart by the same numbers"
            self._say(EVENTS, h.person, "no event is of anybody in the table of people", do)
        else:
            do = "Add the person to the table of people, or take the event out"
            what = "an event of somebody who is not in the table of people"
            self._say(EVENTS, h.person, what, do, np.flatnonzero(strange))
        self._say(EVENTS, h.person, "no person", FILL, np.flatnonzero(empty))
        self.day, bad = day_numbers(h.events[h.date])
        self._say(EVENTS, h.date, "not a date", WRITE_DATES, np.flatnonzero(bad))
        self._say(EVENTS, h.date, "no date", FILL, np.flatnonzero(np.isnan(self.day) & ~bad))
        self.day = np.floor(self.day)
        self.kind, kinds = coded(h.events[h.kind])
        self._say(EVENTS, h.kind, "not said what kind it was", FILL, np.flatnonzero(self.kind == MISSING))
        self.kinds = tuple(map(str, kinds))
        self.end = np.full(len(self.day), np.nan)
        if h.end is not None:
            end, bad = day_numbers(h.events[h.end])
            self._say(EVENTS, h.end, "not a date", WRITE_DATES, np.flatnonzero(bad))
            self.end = np.floor(end)
            what = f"a stay that ends before it begins (column `{h.date}`)"
            self._say(EVENTS, h.end, what, "Correct the slip", np.flatnonzero(self.end < self.day))

    def _ends_of_records(self) -> None:
        """The first and the last day of the records, and of the days on which a clock may start."""
        known = self.day[np.isfinite(self.day)]
        reach = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        first, last = self._given("first", reach[0]), self._given("last", reach[1])
        opens, closes = self._given("index_from", first), self._given("index_to", last)
        self.ends = (first, last, max(opens, first), min(closes, last))
        if first > last:
            self.problems.append(Problem("the records end before they begin", "Correct `first` or `last`"))
        elif self.ends[2] > self.ends[3]:
            what = "no day on which a clock may start lies within the records"
            self.problems.append(Problem(what, "Correct `index_from` or `index_to`"))

    def _given(self, key: str, otherwise: float) -> float:
        given = getattr(self.h, key)
        if given is None:
            return otherwise
        day = float(day_numbers(pd.Series([given], dtype=object))[0][0])
        if np.isnan(day):
            self.problems.append(Problem(f"`{key}` is no date", WRITE_DATES))
        return day

    def _orders(self) -> None:
        """Days of people that cannot follow one another."""
        h = self.h
        orders = [
            (h.service_start, self.start > self.death, "the service begins after the death", h.died),
            (h.registered, self.enter > self.death, "registered after the death", h.died),
            (h.left, self.leave < self.enter, "left before being registered", h.registered),
        ]
        for column, wrong, what, other in orders:
            if column is not None and wrong.any():
                told = f"{what} (column `{other}`)"
                self._say(PEOPLE, column, told, "Correct the slip", np.flatnonzero(wrong))

    # -- what counts ---------------------------------------------------------------------

    def read(self) -> Read:
        first, last, opens, closes = (int(day) for day in self.ends)
        day, person = self.day.astype(np.int64), self.event_person
        long = np.bincount(self.kind, np.isfinite(self.end), len(self.kinds)) > 0
        late = {
            "after the death of the person": day > self.death[person],
            "after the person had left": day > self.leave[person],
            "after the last day of the records": day > last,
        }
        gone = np.zeros(len(day), dtype=bool)
        for why, which in late.items():
            self._note(which & ~gone, "event", f"{why}, left out")
            gone |= which
        stay = long[self.kind] & ~gone
        beyond = stay & (self.end > self.death[person])
        self._note(beyond, "stay", "with an end after the death of the person, ended there")
        is_open = stay & np.isnan(self.end)
        end = np.where(is_open, last + 1, np.where(np.isnan(self.end), self.day, self.end))
        end = np.maximum(np.fmin(end, self.death[person]), self.day).astype(np.int64)
        self._note(~gone & (day < first), "event", "before the first day of the records, kept")
        first_rows = self._joined(person, day, end, stay, is_open)
        self._note(self.start < first, "person", "with the service before the first day of the records")
        self._note(self.start > last, "person", "with the service after the last day of the records")
        self._note(self.enter > last, "person", "registered after the last day of the records")
        same = self.h.events.duplicated().to_numpy() & ~gone
        self._note(same & ~stay, "event", "alike in every column to one above, counted twice")
        self._note(same & stay, "stay", "alike in every column to one above, whose values are summed twice")
        rows = Rows(person, day, end, self.kind, np.arange(len(day)), first_rows)
        return Read(
            start=self.start,
            death=self.death,
            leave=self.leave,
            enter=self.enter,
            first_day=first,
            last_day=last,
            index_first=opens,
            index_last=closes,
            kinds=self.kinds,
            long=long,
            rows=rows.where(~gone),
            notes=tuple(self.notes),
        )

    def _joined(self, person: Array, day: Array, end: Array, stay: Array, is_open: Array) -> Array:
        """Which rows open a stay, or have no length; ``end`` becomes that of the whole stay."""
        rows = np.flatnonzero(stay)
        group = person[rows].astype(np.int64) * len(self.kinds) + self.kind[rows]
        first, until, cut = join(group, day[rows], end[rows], is_open[rows])
        opens, ended = np.ones(len(day), dtype=bool), np.zeros(len(day), dtype=bool)
        opens[rows], end[rows], ended[rows] = first, until, cut
        told = "without an end, taken to go on to the death or the last of the records"
        self._note(is_open & ~ended, "stay", told)
        self._note(ended, "stay", "without an end, taken to go on until the next of that kind began")
        told = (
            "that began before another of the same kind had ended or on the day it did, joined to it as one"
        )
        self._note(~opens, "stay", told)
        return opens

    def _note(self, which: Array, noun: str, told: str) -> None:
        number = int(which.sum())
        if number:
            self.notes.append(f"{many(number, noun)} {told}")


def many(number: int, noun: str) -> str:
    """So many of them; of a few it is only said that they are few, as a reader might know whose they are."""
    noun = "people" if noun == "person" else f"{noun}s"
    return f"{number:,} {noun}" if number >= FEW else f"fewer than {FEW} {noun}"


def _alike(known: pd.Series, asked: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Two columns of people as they can be held against one another: numbers, or else text."""
    if pd.api.types.is_numeric_dtype(known) and pd.api.types.is_numeric_dtype(asked):
        return known, asked
    if known.dtype == asked.dtype and not pd.api.types.is_object_dtype(known):
        return known, asked
    return known.map(_text), asked.map(_text)


def _text(cell: object) -> str:
    """A number of a workbook, 17.0, and the text "17" are one person."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
