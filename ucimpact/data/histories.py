"""People and what happened to them, with dates: two tables, from which anything may be counted on any day.

A :class:`Histories` names the roles of the columns of a table of people (one row a person, with the day on
which the service first began for those who had it) and of a table of events (one row an event: an
admission, a contact, a visit to A&E). Both are checked once and every problem is listed together in one
:class:`~ucimpact.errors.DataError`; rows are people, so a problem is told by its table, row and column and
never by a value.

Days are whole numbers since 1 January 1970. A window ``(first, last]`` of a day is half-open and counted
from the end of that day: ``(0, 90)`` are the ninety days after it, ``(-30, 0)`` the thirty days up to and
with it. So two windows that meet share no event, and nothing of the day itself is in the follow-up.

Rows of one person and one kind of stay that overlap, or of which one begins on the day the other ended, are
one stay: in numbers, in nights, and in who is in one. Kinds without a length keep every event, and a column
of events is summed over the rows, each on its own day.
"""

from __future__ import annotations

import copy
import datetime as dt
import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ucimpact.data.dated import Dated, Nights
from ucimpact.data.histories_checks import EVENTS, Rows, read
from ucimpact.data.histories_stays import Stays, join
from ucimpact.data.panel import HEADER_ROWS
from ucimpact.data.people_columns import at_rows, coded, need, numbers_unseen
from ucimpact.errors import DataError, Problem, UsageError

Array = np.ndarray
T = TypeVar("T")

DEATH = "death"
"""The event that the day of death is."""
BED_DAYS = "bed days"
"""The value that the nights of stays are."""
DAYS_AT_HOME = "days at home"
"""The value that evenings alive and in no stay are."""
OF_STAYS = (BED_DAYS, DAYS_AT_HOME)
NAMED = 12
"""Kinds of events named in a message, where each has so many events (``ENOUGH``) that none is a person's."""
ENOUGH = 10


@dataclass(frozen=True, eq=False)
class Histories:
    """Two tables: people, and dated events of theirs.

    Parameters
    ----------
    people : DataFrame
        One row a person, in any order. It is copied, never changed.
    events : DataFrame
        One row an event, in any order.
    person : str
        Column that tells people apart, in both tables.
    service_start : str
        Column of people: the day on which the service first began; empty for those who never had it.
    date, kind : str, default "date", "kind"
        Columns of events: the day (of a stay, its first) and the kind in words.
    end : str, optional
        Column of events: the last day of a stay. In a kind of which any event has an end, an empty cell is a
        stay that goes on; other kinds have no length.
    died, left, registered : str, optional
        Columns of people: the day of death, the last day and the first day on which their events would be
        seen. Empty: not, and since before the first day.
    cluster : str, optional
        Column of people: the level at which they are alike, such as a practice.
    first, last : date, optional
        The days between which events are complete; by default the earliest and the latest day of an event.
    index_from, index_to : date, optional
        The days on which a clock may start, where they are fewer than those of the records.

    Raises
    ------
    DataError
        Listing every problem: columns absent, people twice, events of nobody known, dates that cannot be
        read, ends before the day, a service that begins after death, and the like.
    """

    people: pd.DataFrame
    events: pd.DataFrame
    person: str = field(kw_only=True)
    service_start: str = field(kw_only=True)
    date: str = field(default="date", kw_only=True)
    kind: str = field(default="kind", kw_only=True)
    end: str | None = field(default=None, kw_only=True)
    died: str | None = field(default=None, kw_only=True)
    left: str | None = field(default=None, kw_only=True)
    registered: str | None = field(default=None, kw_only=True)
    cluster: str | None = field(default=None, kw_only=True)
    first: dt.date | None = field(default=None, kw_only=True)
    last: dt.date | None = field(default=None, kw_only=True)
    index_from: dt.date | None = field(default=None, kw_only=True)
    index_to: dt.date | None = field(default=None, kw_only=True)

    n: int = field(init=False, repr=False)
    """People."""
    start: Array = field(init=False, repr=False)
    """The day on which the service first began, shape (n,); ``nan`` for never."""
    death: Array = field(init=False, repr=False)
    """The day of death, shape (n,); ``nan`` for none."""
    leave: Array = field(init=False, repr=False)
    """The last day on which events would be seen, shape (n,); ``nan`` for no such day."""
    enter: Array = field(init=False, repr=False)
    """The first day on which events would be seen, shape (n,); ``nan`` for no such day."""
    first_day: int = field(init=False, repr=False)
    last_day: int = field(init=False, repr=False)
    index_first: int = field(init=False, repr=False)
    """The first day on which a clock may start, never before the first day of the records."""
    index_last: int = field(init=False, repr=False)
    kinds: tuple[str, ...] = field(init=False, repr=False)
    """The kinds of events, in the order of their text."""
    notes: tuple[str, ...] = field(init=False, repr=False)
    """What was left out or read with care, with its number."""
    _rows: Rows = field(init=False, repr=False)
    _long: Array = field(init=False, repr=False)
    _found: dict[Any, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._set(people=self.people.reset_index(drop=True), events=self.events.reset_index(drop=True))
        found = read(self)
        days = ("start", "death", "leave", "enter", "first_day", "last_day", "index_first", "index_last")
        self._set(**{name: getattr(found, name) for name in (*days, "kinds", "notes")})
        self._set(n=len(self.people), _rows=found.rows, _long=found.long, _found={})

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # -- columns of people ---------------------------------------------------------------

    def values(self, column: str) -> Array:
        """A column of people as numbers, shape (n,); an empty cell is ``nan``.

        Raises
        ------
        DataError
            For a column that is absent, or cells that are text or infinite; no value is shown.
        """
        return numbers_unseen(self.people, column)

    def codes(self, column: str) -> Array:
        """A column of people of any kind as whole numbers from 0, shape (n,); an empty cell is -1.

        Kinds are numbered in the order of their size or text, so that the order of rows changes nothing.
        """
        need(self.people, column)
        return coded(self.people[column])[0]

    @cached_property
    def clusters(self) -> Array | None:
        """The cluster of each person, coded from 0, shape (n,); None without the column."""
        return None if self.cluster is None else self.codes(self.cluster)

    # -- events --------------------------------------------------------------------------

    def stays(self, kind: str) -> Stays:
        """The stays of one kind (or its events, which have no length), sorted by person and day.

        Raises
        ------
        DataError
            Where no event is of this kind.
        """
        return self._once(("stays", kind), lambda: self._stays(kind))

    def measure(
        self,
        event: str,
        person: Array,
        day: Array,
        first: float | Array,
        last: float | Array,
        *,
        value: str | None = None,
    ) -> Array:
        """What happened to people in a window of a day, one figure a row.

        Two binary searches a row. What lies after death, after leaving or the last day is never counted.

        Parameters
        ----------
        event : str
            A kind of events, or ``"death"``.
        person : array of int, shape (rows,)
            Rows of the table of people.
        day : array of int, shape (rows,)
        first, last : int
            Events on days after ``day + first`` up to and with ``day + last`` count.
        value : str, optional
            A column of events, summed in place of their number over the rows, each on its own day;
            ``"bed days"`` are the nights of the stays that lie in the window, whenever they began, and
            ``"days at home"`` the evenings on which the person was alive and in no stay of any kind that has
            a length: ``nan`` for who left, or reached the last day, alive within the window.

        Raises
        ------
        DataError
            Where no event is of this kind, or there is no number in the column of values.
        UsageError
            For a window that ends before it begins, or a value of deaths.
        """
        day = np.asarray(day, dtype=np.int64)
        after, up_to = (day + np.asarray(side, dtype=np.int64) for side in (first, last))
        if np.any(up_to < after):
            raise UsageError(f"the window of {event} ends before it begins. Write it as (0, 90) or (-30, 0)")
        person = np.broadcast_to(np.asarray(person, dtype=np.int64), up_to.shape)
        if event == DEATH:
            if value is not None:
                raise UsageError("a death has no value to sum: leave `value` out")
            seen = self._seen[person]
            died: Array = (seen > after) & (seen <= up_to)
            return died.astype(float)
        if value == BED_DAYS:
            return self._nights(event).number(person, after, up_to)
        if value == DAYS_AT_HOME:
            return self._at_home(event, person, after, up_to)
        if value is None:
            return self._dated(event).number(person, after, up_to)
        own = self._of(event)
        dated = self._dated(event)
        if not own.opens.all():
            dated = self._once(("rows", event), lambda: Dated(own.person, own.day))
        running = self._once(("sum", event, value), lambda: dated.running(self._amounts(event, value)))
        summed: Array = running[dated.up_to(person, up_to)] - running[dated.up_to(person, after)]
        return summed.astype(float)

    def first_after(self, event: str, person: Array, day: Array) -> Array:
        """The first day of an event after a day, shape (rows,); ``nan`` where there is none."""
        if event == DEATH:
            seen = self._seen[person]
            return np.where(seen > day, seen, np.nan)
        return self._dated(event).first_after(person, day)

    def inside(self, kind: str, person: Array, day: Array) -> Array:
        """Whether people are in a stay of this kind at the end of a day, shape (rows,).

        On the last day of a stay nobody is in it any more; from the first to the night before they are.
        """
        held: Array = self._nights(kind).inside(person, np.asarray(day, dtype=np.int64)) > 0
        return held

    def has_length(self, kind: str) -> bool:
        """Whether events of this kind have a length: any of them had an end."""
        self._of(kind)
        return bool(self._long[self.kinds.index(kind)])

    def at_risk(self, person: Array, day: Array, horizon: float) -> Array:
        """Days from a day to the first of: the horizon, death, leaving, the last day; shape (rows,)."""
        ends = np.fmin(np.fmin(self.death, self.leave), self.last_day)[person]
        return np.asarray(np.clip(np.minimum(ends - np.asarray(day), horizon), 0, None))

    def counts(self) -> dict[str, int]:
        """People, events that count, and people who had the service."""
        return {
            "people": self.n,
            "events": len(self._rows.day),
            "served": int(np.isfinite(self.start).sum()),
        }

    def indexed(self, index_from: dt.date | None, index_to: dt.date | None) -> Histories:
        """The same people and events, with other days on which a clock may start."""
        return replace(self, index_from=index_from, index_to=index_to)

    def where(self, keep: Array) -> Histories:
        """The people marked True and their events, with the same first and last day."""
        keep = np.asarray(keep, dtype=bool)
        own = keep[self._rows.person]
        listed = np.zeros(len(self.events), dtype=bool)
        listed[self._rows.row[own]] = True
        rows = self._rows.where(own)
        place, line = np.cumsum(keep) - 1, np.cumsum(listed) - 1
        some = copy.copy(self)
        for worked_out in ("clusters", "_seen", "_away"):
            vars(some).pop(worked_out, None)
        some._set(
            people=self.people.loc[keep].reset_index(drop=True),
            events=self.events.loc[listed].reset_index(drop=True),
            n=int(keep.sum()),
            _rows=replace(rows, person=place[rows.person], row=line[rows.row]),
            _found={},
            **{name: getattr(self, name)[keep] for name in ("start", "death", "leave", "enter")},
        )
        return some

    # -- within --------------------------------------------------------------------------

    def _once(self, key: tuple[str, ...], work: Callable[[], T]) -> T:
        if key not in self._found:
            self._found[key] = work()
        found: T = self._found[key]
        return found

    @cached_property
    def _seen(self) -> Array:
        """The day of each death that is seen: not after leaving, nor after the last day."""
        return np.where(self.death <= np.fmin(self.leave, self.last_day), self.death, np.nan)

    def _of(self, kind: str) -> Rows:
        """The events of one kind, row by row."""
        if kind not in self.kinds:
            raise DataError(Problem(f'no event is called "{kind}"', self._way_out(kind), column=self.kind))
        code = self.kinds.index(kind)
        return self._once(("of", kind), lambda: self._rows.where(self._rows.kind == code))

    def _joined(self, kind: str) -> Rows:
        """The stays of one kind, each once; of a kind without a length every event."""
        own = self._of(kind)
        return self._once(("joined", kind), lambda: own.where(own.opens))

    def _way_out(self, kind: str) -> str:
        """The kinds there are, where none can be somebody's."""
        often = np.bincount(self._rows.kind, minlength=len(self.kinds))
        if len(self.kinds) > NAMED or often.min() < ENOUGH:
            return "Write it as it stands there"
        near = difflib.get_close_matches(kind, self.kinds, 1, 0.6)
        return f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(self.kinds)}"

    def _stays(self, kind: str) -> Stays:
        own = self._joined(kind)
        order = np.lexsort((own.row, own.end, own.day, own.person))
        return Stays(own.person[order], own.day[order], own.end[order], own.row[order])

    def _dated(self, kind: str) -> Dated:
        own = self._joined(kind)
        return self._once(("dated", kind), lambda: Dated(own.person, own.day))

    def _need_length(self, kind: str) -> None:
        if not self.has_length(kind):
            what = f'no event called "{kind}" has an end, so it has no nights'
            raise DataError(Problem(what, "Name the column of ends, or ask for the number", column=self.end))

    def _nights(self, kind: str) -> Nights:
        self._need_length(kind)
        return self._once(("nights", kind), lambda: self._nights_of(self._joined(kind)))

    def _nights_of(self, stays: Rows) -> Nights:
        """The nights that are seen: not after leaving, nor after the last day."""
        seen = np.fmin(stays.end, np.fmin(self.leave[stays.person], self.last_day) + 1)
        return Nights(stays.person, stays.day, seen.astype(np.int64))

    @cached_property
    def _away(self) -> Nights:
        """The nights in a stay of any kind, each once."""
        stays = self._rows.where(self._rows.opens & self._long[self._rows.kind])
        opens, until, _ = join(stays.person, stays.day, stays.end)
        return self._nights_of(replace(stays, end=until).where(opens))

    def _at_home(self, kind: str, person: Array, after: Array, up_to: Array) -> Array:
        """Evenings alive and in no stay; ``nan`` where the window was not seen to its end."""
        self._need_length(kind)
        death = self._seen[person]
        alive = np.clip(np.fmin(death - 1, up_to) - after, 0, None)
        whole = (death <= up_to) | (np.fmin(self.leave, self.last_day)[person] >= up_to)
        return np.where(whole, alive - self._away.number(person, after, up_to), np.nan)

    def _amounts(self, kind: str, column: str) -> Array:
        """The values of a column of events for one kind; an empty cell is a problem."""
        own = self._of(kind)
        need(self.events, column)
        table = self.events.loc[own.row, [column]]
        rows = own.row
        try:
            amounts = numbers_unseen(table, column)
        except DataError as error:
            told = [p for p in error.problems if p.row]
            raise DataError(
                [replace(p, row=int(rows[int(p.row or 0) - HEADER_ROWS]) + HEADER_ROWS) for p in told]
            ) from None
        lacking = rows[np.isnan(amounts)]
        if lacking.size:
            do = f'Fill it in (0 where there is none), or sum another column of events called "{kind}"'
            raise DataError(at_rows(lacking, column, "there is no number to sum", do, file=EVENTS))
        return amounts
