r"""Day by day: who is admitted, who is visited, and the same days lived again without the visit.

A course is a number of rows, each of which starts on a day of some person's illness and goes on for as many
days as it is told. The whole records are a course with a row a person from their first day; the truth is a
course with many rows a person from the day of the first visit. On each day :math:`t`, in this order:
those at home since before :math:`t` may be admitted, and those at home and not admitted may be visited. The
visit counts from the next day.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Question = Literal["usual-care", "this-stay", "never"]
Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER = 10**6
LOOK_BACK = 365
STAY_SHAPE = 0.75
"""Of the Weibull nights of a stay: many of 0 to 2, a few of 40."""
PRICE, PRICE_A_NIGHT, PRICE_SPREAD = 560.0, 330.0, 0.35
"""Pounds a stay and a night of it, and the standard deviation of the log of its price."""
MEAN_SHAPE = 1.1906
"""Mean of a Weibull with that shape and scale 1."""
WINDOWS = (30, 90, 365)


@dataclass(frozen=True, kw_only=True, eq=False)
class Illness:
    """What no service changes: (days, people) arrays, and by person."""

    lasting: Array
    acute: NDArray[np.float32]
    admission: NDArray[np.float32]
    contact: NDArray[np.bool_]
    nurse: NDArray[np.bool_]
    death: Ints
    left: Ints
    registered: Ints

    @property
    def days(self) -> int:
        """Days of records."""
        return int(self.acute.shape[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Visits:
    """Who is visited first, and what a visit does.

    Attributes
    ----------
    by_day : array
        Log odds on each day since the last discharge; one number where that does not matter.
    fixed : array (n_people,)
        What of a person adds to them for good.
    month, contacts, hidden : float
        What the admissions of the last 30 days, contacts of the last 7 and what no record shows add.
    first, last : int
        Days on which the service starts with anybody.
    since_discharge : bool
        Whether a visit must follow a discharge.
    ratio : float
        Of the rate of admissions.
    """

    by_day: Array
    fixed: Array
    month: float
    contacts: float
    hidden: float
    first: int
    last: int
    since_discharge: bool
    ratio: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Stays:
    """Emergency stays: row, day, last day and pounds of each."""

    row: Ints
    day: Ints
    end: Ints
    cost: Array


@dataclass(kw_only=True, eq=False)
class Course:
    """Rows that live day by day.

    Attributes
    ----------
    person, day : array (n_rows,)
        Whose illness, and the day it starts on.
    home, visited : array (n_rows,)
        Day of the last discharge (or of the one to come), and of the first visit.
    barred : array (n_rows,)
        Last day on which the row cannot be visited.
    admitted : array (LOOK_BACK + days, n_rows)
        Admissions by day, the last year before the start among them.
    windows, at_home : array (3, n_rows)
        Admissions in the last 30, 31 to 90 and 91 to 365 days: up to today, and up to the last discharge.
    """

    illness: Illness
    visits: Visits
    stay: float
    person: Ints
    day: Ints
    home: Ints
    visited: Ints
    barred: Ints
    admitted: NDArray[np.int8]
    windows: Ints
    at_home: Ints
    found: list[tuple[Ints, Ints, Ints, Array]] = field(default_factory=list)

    @classmethod
    def of_all(cls, illness: Illness, visits: Visits, stay: float) -> Course:
        """A row a person, from the first day of the records."""
        n = len(illness.lasting)
        return cls(
            illness=illness,
            visits=visits,
            stay=stay,
            person=np.arange(n),
            day=np.zeros(n, dtype=np.int64),
            home=np.full(n, -NEVER),
            visited=np.full(n, NEVER),
            barred=np.full(n, -NEVER),
            admitted=np.zeros((LOOK_BACK + illness.days, n), dtype=np.int8),
            windows=np.zeros((3, n), dtype=np.int64),
            at_home=np.zeros((3, n), dtype=np.int64),
        )

    def run(self, rng: np.random.Generator, days: int) -> None:
        """Live so many days; the same random numbers are drawn whatever happens."""
        n, ill, end = len(self.person), self.illness, np.minimum(self.illness.death, self.illness.left)
        end = end[self.person]
        for step in range(days):
            now = self.day + step
            luck = rng.random((4, n))
            inside = (now < end) & (now < ill.days)
            at = np.minimum(now, ill.days - 1)
            rate = ill.admission[at, self.person] * np.where(self.visited < now, self.visits.ratio, 1.0)
            who = np.flatnonzero(inside & (self.home < now) & (luck[0] < rate))
            if len(who):
                self._admit(who, now[who], step, luck[:, who], ill.death[self.person[who]])
            self._pass(step)
            out = np.flatnonzero(self.home == now)
            self.at_home[:, out] = self.windows[:, out]
            can = inside & (self.home <= now) & (self.visited == NEVER) & (self.barred < now)
            can &= (now >= self.visits.first) & (now <= self.visits.last)
            if self.visits.since_discharge:
                can &= now - self.home < len(self.visits.by_day)
            can[who] = False
            asked = np.flatnonzero(can)
            if len(asked):
                chance = 1 / (1 + np.exp(-self._log_odds(asked, now[asked])))
                chosen = asked[luck[3, asked] < chance]
                self.visited[chosen] = now[chosen]

    def _admit(self, who: Ints, now: Ints, step: int, luck: Array, death: Ints) -> None:
        nights = self.stay / MEAN_SHAPE * (-np.log(luck[1])) ** (1 / STAY_SHAPE)
        nights = np.minimum(nights, 120).astype(np.int64)
        z = np.sqrt(-2 * np.log(luck[2])) * np.cos(2 * np.pi * luck[3])
        cost = (PRICE + PRICE_A_NIGHT * nights) * np.exp(PRICE_SPREAD * z)
        end = np.minimum(now + nights, death)
        self.home[who] = end
        self.admitted[LOOK_BACK + step, who] = 1
        self.barred[who] = np.where(self.barred[who] < NEVER, -NEVER, self.barred[who])
        self.found.append((who, now, end, cost))

    def _pass(self, step: int) -> None:
        """Another day: what is 30, 90 and 365 days old moves on."""
        today = LOOK_BACK + step
        edges = [self.admitted[today], *(self.admitted[today - old] for old in WINDOWS if today >= old)]
        for window, (new, old) in enumerate(pairwise(edges)):
            self.windows[window] += new
            self.windows[window] -= old

    def _log_odds(self, who: Ints, now: Ints) -> Array:
        """Of a first visit today, by what is recorded up to today (and what is hidden)."""
        visits, ill, person = self.visits, self.illness, self.person[who]
        if visits.since_discharge:
            odds, counted = visits.by_day[now - self.home[who]], self.at_home[:, who]
        else:
            odds, counted = visits.by_day[0], self.windows[:, who]
        month, quarter, year = np.log1p(counted)
        contacts = np.zeros(len(who))
        for back in range(7):
            contacts += ill.contact[np.maximum(now - back, 0), person]
        recorded = visits.month * month + 0.35 * quarter + 0.25 * year + visits.contacts * np.log1p(contacts)
        hidden = visits.hidden * (ill.lasting[person] + 0.5 * ill.acute[now, person])
        return np.asarray(odds + visits.fixed[person] + recorded + hidden)

    def stays(self) -> Stays:
        """All stays so far, by row and day."""
        if not self.found:
            none = np.zeros(0, dtype=np.int64)
            return Stays(row=none, day=none, end=none, cost=none.astype(float))
        row, day, end, cost = (np.concatenate(parts) for parts in zip(*self.found, strict=True))
        order = np.lexsort((day, row))
        return Stays(row=row[order], day=day[order], end=end[order], cost=cost[order])

    def was_discharged(self, first: int, last: int) -> NDArray[np.bool_]:
        """Rows with a discharge, alive, on one of the days."""
        stays, had = self.stays(), np.zeros(len(self.person), dtype=bool)
        out = (stays.end >= first) & (stays.end < last)
        out &= stays.end < self.illness.death[self.person[stays.row]]
        had[stays.row[out]] = True
        return had

    def in_hospital(self, rows: Ints, days: Ints) -> NDArray[np.bool_]:
        """Whether each row is in a stay on the day, its last day included."""
        stays = self.stays()
        at = np.searchsorted(stays.row * NEVER + stays.day, rows * NEVER + days, side="right") - 1
        if not len(stays.row):
            return np.zeros(len(rows), dtype=bool)
        held = np.maximum(at, 0)
        return np.asarray((at >= 0) & (stays.row[held] == rows) & (stays.end[held] >= days))

    def again(self, people: Ints, copies: int, question: Question | None, horizon: int) -> Course:
        """Rows from the evening of each person's first visit: with it (None), or without it."""
        day, stays = self.visited[people], self.stays()
        at = np.searchsorted(stays.row * NEVER + stays.day, people * NEVER + day) - 1
        had = (at >= 0) & (stays.row[np.maximum(at, 0)] == people)
        home = np.where(had, stays.end[np.maximum(at, 0)], -NEVER)
        past = self.admitted[LOOK_BACK + day[None, :] + np.arange(1 - LOOK_BACK, 1)[:, None], people[None, :]]
        admitted = np.concatenate([past, np.zeros((horizon, len(people)), dtype=np.int8)])
        since = np.minimum(day - home, LOOK_BACK)
        until = np.full(len(people), NEVER if question == "never" else -NEVER)
        if question == "this-stay":
            until = home + len(self.visits.by_day) - 1
        start = replace(
            self,
            person=people,
            day=day + 1,
            home=home,
            visited=day if question is None else np.full(len(people), NEVER),
            barred=until,
            admitted=admitted,
            windows=_windows(past, np.zeros(len(people), dtype=np.int64)),
            at_home=_windows(past, since),
        )
        rows = np.repeat(np.arange(len(people)), copies)
        taken = {name: getattr(start, name)[rows] for name in ("person", "day", "home", "visited", "barred")}
        wide = {name: getattr(start, name)[:, rows] for name in ("admitted", "windows", "at_home")}
        return replace(start, **taken, **wide, found=[])


def _windows(past: NDArray[np.int8], since: Ints) -> Ints:
    """Admissions of the last 30, 31 to 90 and 91 to 365 days, as of ``since`` days before the last row."""
    age = np.arange(len(past))[::-1, None] - since[None, :]
    parts = [(past * ((age >= low) & (age < high))).sum(axis=0) for low, high in pairwise((0, *WINDOWS))]
    return np.asarray(parts, dtype=np.int64)
