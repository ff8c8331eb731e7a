r"""Who could begin the service on which day: the rows of sequential trials, before any outcome is looked at.

With a trigger (a kind of stay) every discharge opens a trial on each of the days :math:`d = 0..D` after it.
The person is in it who at the end of that day is alive, registered, has records of the look-back, has not
been in hospital again since the discharge, and has not begun the service on an earlier day. Stays that touch
or overlap are one stay. Without a trigger every person is in the trial of every day, week or month in which
anybody begins.

Time zero is the end of the trial day (of the week, of the month) for both arms, and what is known is what
happened up to it; in trials of weeks and months, up to the day before the interval. Whoever was admitted
within the interval is in neither arm: the service may have begun because of it, or might have been prevented
by it.

Rows are made without a table of all people by all days: the eligible days of a person are an interval.
Where there would be more than :data:`MANY` comparison rows, so many are drawn at one rate (``rate``), which
moves the intercept of every day alike and cancels from the weights.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ucimpact.data.histories import Histories
from ucimpact.errors import UsageError

Array = np.ndarray
Every = Literal["day", "week", "month"]

MANY = 1_000_000
"""Comparison rows kept at most."""
FAR = 10**7
"""A day that never comes."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What had happened to a person by the trial day: a covariate.

    Parameters
    ----------
    event : str
        A kind of events.
    days : (int, int)
        After the first and up to the second day, from the end of the trial day: (-30, 0) are the thirty days
        up to it.
    value : str, optional
        A column of events to sum, or ``"bed days"``; without it events are counted.
    at : {"trial", "trigger"}, default "trial"
        Days are counted from the trial day, or from the discharge that opened the trials: then the stay
        itself is among what is counted.
    log : bool, default True
        As the logarithm of one more than it.
    """

    event: str
    days: tuple[int, int]
    value: str | None = None
    at: Literal["trial", "trigger"] = "trial"
    log: bool = True

    def __post_init__(self) -> None:
        days = tuple(int(day) for day in self.days)
        object.__setattr__(self, "days", days)
        if len(days) != 2 or not days[0] < days[1] <= 0:
            raise UsageError(f"days = {list(days)}: give a window up to the trial day, such as [-30, 0]")

    @property
    def name(self) -> str:
        """As a covariate, such as ``emergency admission, last 30 days``."""
        what = f"{self.event} ({self.value})" if self.value else self.event
        first, last = self.days
        days = f"last {-first} days" if last == 0 else f"{1 - last} to {-first} days before"
        return f"{what}, {days}{' (at discharge)' if self.at == 'trigger' else ''}"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What opens a trial; the fields of ``SequentialTrials`` that say who is in one."""

    trigger: str | None
    within: int
    every: Every
    lookback: int
    at_home: bool
    horizon: int
    seed: int


@dataclass(frozen=True, eq=False)
class Rows:
    """One row a person (or discharge) and trial.

    Attributes
    ----------
    unit : array (n,) of int
        Discharge, or person without a trigger.
    person : array (n,) of int
        Row of the table of people.
    trial : array (n,) of int
        Days since discharge, or the number of the interval.
    day : array (n,) of int
        Time zero.
    known : array (n,) of int
        The day up to whose end covariates are measured.
    treated : array (n,) of bool
    opened, closed : array (n_units,) of int or None
        First and last day of the stay that opened the trial.
    units : int
    rate : float
        Share of the comparison rows that are kept.
    eligible : int
        Rows there would be without sampling.
    flow : list of dict
    """

    unit: Array
    person: Array
    trial: Array
    day: Array
    known: Array
    treated: Array
    opened: Array | None
    closed: Array | None
    units: int
    rate: float
    eligible: int
    flow: list[dict[str, Any]]

    def where(self, keep: Array) -> Rows:
        """Those marked True."""
        parts = ("unit", "person", "trial", "day", "known", "treated")
        return replace(self, **{name: getattr(self, name)[keep] for name in parts})

    @property
    def delay(self) -> Array:
        """Days from discharge to the service of those who start, or intervals."""
        return np.asarray(self.trial[self.treated])


def rows_of(histories: Histories, opening: Opening) -> Rows:
    """Every eligible person and trial."""
    return _triggered(histories, opening) if opening.trigger else _calendar(histories, opening)


# -- stays -----------------------------------------------------------------------------------


def lengthy(histories: Histories, trigger: str | None = None) -> list[str]:
    """Kinds of events that are stays."""
    found = []
    for kind in histories.kinds:
        stays = histories.stays(kind)
        if kind == trigger or bool((stays.end > stays.day).any()):
            found.append(kind)
    return found


@dataclass(frozen=True, eq=False)
class Spells:
    """Time in hospital: stays that touch are one. Sorted by person and day; shape (m,) each."""

    person: Array
    day: Array
    end: Array
    is_trigger: Array
    next: Array
    """First day of the next of the same person; ``FAR`` where there is none."""


def spells_of(histories: Histories, trigger: str | None) -> Spells:
    """Stays of every kind joined."""
    parts = [(histories.stays(kind), kind == trigger) for kind in lengthy(histories, trigger)]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Spells(none, none, none, none.astype(bool), none)
    person = np.concatenate([stays.person for stays, _ in parts]).astype(np.int64)
    day = np.concatenate([stays.day for stays, _ in parts]).astype(np.int64)
    end = np.concatenate([stays.end for stays, _ in parts]).astype(np.int64)
    own = np.concatenate([np.full(len(stays.day), is_it) for stays, is_it in parts])
    order = np.lexsort((end, day, person))
    person, day, end, own = person[order], day[order], end[order], own[order]
    reach = np.maximum.accumulate(person * FAR + end)
    new = np.ones(len(person), dtype=bool)
    new[1:] = (person[1:] != person[:-1]) | (person[1:] * FAR + day[1:] > reach[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(person)) - 1
    who, began = person[first], day[first]
    following = np.full(len(first), FAR)
    same = who[1:] == who[:-1]
    following[:-1][same] = began[1:][same]
    ended = reach[last] - who * FAR
    return Spells(who, began, ended, np.maximum.reduceat(own, first) if len(first) else own, following)


# -- trials from a discharge -----------------------------------------------------------------


def _triggered(histories: Histories, opening: Opening) -> Rows:
    spells = spells_of(histories, opening.trigger)
    keep = spells.is_trigger & (spells.end <= histories.last_day)
    died = histories.death[spells.person] <= spells.end
    flow: list[dict[str, Any]] = [_step("in", int(keep.sum()), f"discharges from {opening.trigger}")]
    person, opened, closed, until = (
        part[keep] for part in (spells.person, spells.day, spells.end, spells.next)
    )
    died = died[keep]
    start = _start(histories)[person]
    offered = offered_days(histories)
    latest = np.minimum(last_possible(histories)[person], offered[1])
    begin = np.maximum(observed_from(histories, opening.lookback)[person], offered[0])
    outside = (closed < histories.index_first) | (closed > histories.index_last)
    outside |= (closed + opening.within < offered[0]) | (closed > offered[1])
    reasons = {
        "outside the days that count, or before or after anybody began the service": outside,
        "died in hospital or on the day of discharge": died,
        "left the area, or the records ended, by the day of discharge": latest < closed,
        "had the service before they left hospital": start < closed,
        f"without {opening.lookback} days of records before": begin
        > np.minimum(np.minimum(closed + opening.within, until - 1), np.minimum(start, latest)),
    }
    gone = np.zeros(len(person), dtype=bool)
    for text, out in reasons.items():
        flow.append(_step("out", int((out & ~gone).sum()), text))
        gone |= out
    person, opened, closed, until, start, latest, begin = (
        part[~gone] for part in (person, opened, closed, until, start, latest, begin)
    )
    low = np.maximum(begin - closed, 0)
    high = np.minimum(np.minimum(until - 1, latest), np.minimum(start, closed + opening.within)) - closed
    flow.append(_step("in", int((high >= low).sum()), "discharges in the trials"))
    unit, trial, rate, total = _expanded(low, high, start - closed, opening.seed)
    day = closed[unit] + trial
    return Rows(
        unit,
        person[unit],
        trial,
        day,
        day,
        start[unit] == day,
        opened,
        closed,
        len(person),
        rate,
        total,
        flow,
    )


def _expanded(low: Array, high: Array, begins: Array, seed: int) -> tuple[Array, Array, float, int]:
    """Unit and trial of every row, the rate at which comparison rows were kept, and how many there were.

    Parameters
    ----------
    low, high : array (n_units,)
        First and last trial of each unit.
    begins : array (n_units,)
        Trial in which the service begins.
    """
    size = np.maximum(high - low + 1, 0)
    total = int(size.sum())
    ends = np.cumsum(size)
    if total <= MANY:
        flat, rate = np.arange(total), 1.0
    else:
        rate = MANY / total
        rng = np.random.default_rng(seed)
        drawn = [
            at + np.flatnonzero(rng.random(min(MANY, total - at)) < rate) for at in range(0, total, MANY)
        ]
        starting = np.flatnonzero((begins >= low) & (begins <= high))
        own = ends[starting] - size[starting] + (begins - low)[starting]
        flat = np.union1d(np.concatenate(drawn), own)
    unit = np.searchsorted(ends, flat, side="right")
    trial = flat - (ends - size)[unit] + low[unit]
    return unit, trial, rate, total


# -- trials of the calendar ------------------------------------------------------------------


def intervals(histories: Histories, every: Every) -> tuple[Array, Array]:
    """First and last day of every whole day, week (Monday to Sunday) or month of the records."""
    first, last = histories.first_day, histories.last_day
    if every == "day":
        days = np.arange(first, last + 1)
        return days, days
    if every == "week":
        starts = np.arange(first + (4 - first) % 7, last + 1, 7)  # day 4 was Monday 5 January 1970
        return starts, starts + 6
    epoch = dt.date(1970, 1, 1)
    month = (epoch + dt.timedelta(days=int(first))).replace(day=1)
    begun: list[int] = []
    while (day := (month - epoch).days) <= last + 1:
        begun.append(day)
        month = (month + dt.timedelta(days=32)).replace(day=1)
    edge = np.array(begun)
    return edge[:-1], edge[1:] - 1


def _calendar(histories: Histories, opening: Opening) -> Rows:
    starts, ends = intervals(histories, opening.every)
    start = _start(histories)
    known = ends if opening.every == "day" else starts - 1
    place = np.searchsorted(ends, start)
    served = (start < FAR) & (place < len(ends))
    served &= np.where(served, starts[np.minimum(place, len(ends) - 1)] <= start, False)
    used = np.unique(place[served])
    flow: list[dict[str, Any]] = [_step("in", histories.n, "people")]
    latest, begin = last_possible(histories), observed_from(histories, opening.lookback)
    used = used[(ends[used] >= histories.index_first) & (ends[used] <= histories.index_last)]
    low = np.searchsorted(known[used], begin)
    if not len(used):
        none = np.zeros(0, dtype=np.int64)
        return Rows(none, none, none, none, none, none.astype(bool), None, None, histories.n, 1.0, 0, flow)
    at = np.searchsorted(used, place)
    at -= used[np.minimum(at, len(used) - 1)] != place  # who starts on another day is in the trials before it
    own = np.where(served, at, FAR)
    high = np.minimum(np.searchsorted(ends[used], latest, side="right") - 1, own)
    early = start < (starts[0] if len(starts) else FAR)
    flow.append(_step("out", int(early.sum()), "had the service before the first trial"))
    never = (high < low) & ~early
    flow.append(
        _step("out", int(never.sum()), f"never eligible, with {opening.lookback} days of records before")
    )
    flow.append(_step("in", int((high >= low)[~early].sum()), "people in a trial"))
    person, trial, rate, total = _expanded(low, np.where(early, -1, high), own, opening.seed)
    trial = used[trial]
    flow.append(
        _step("in", total, f"people and trials, one for every {opening.every} on which anybody began")
    )
    begins, end, up_to = served[person] & (place[person] == trial), ends[trial], known[trial]
    # fmt: off
    rows = Rows(
        person, person, trial, end, up_to, begins, None, None, histories.n, rate, total, flow,
    )
    # fmt: on
    flow += drawn(rows)
    if not opening.at_home:
        return rows
    kept = rows.where(_at_home(histories, rows))
    lost = len(rows.day) - len(kept.day)
    flow.append(_step("out", lost, "people and trials in hospital at its end, or admitted within it"))
    flow.append(_step("in", len(kept.day), "people and trials in which the service could have begun"))
    return kept


def drawn(rows: Rows) -> list[dict[str, Any]]:
    """That comparison rows are a sample, where they are."""
    if rows.rate >= 1:
        return []
    text = f"comparison rows drawn from them, one in {1 / rows.rate:,.1f}, and all who begin"
    return [_step("in", len(rows.day), text)]


def _at_home(histories: Histories, rows: Rows) -> Array:
    """Whether people were out of hospital at time zero and not admitted since covariates were known."""
    home = np.ones(len(rows.day), dtype=bool)
    for kind in lengthy(histories):
        home &= ~histories.inside(kind, rows.person, rows.day)
        if (rows.known < rows.day).any():
            home &= histories.measure(kind, rows.person, rows.day, rows.known - rows.day, 0) == 0
    return home


# -- dates -------------------------------------------------------------------------------


def offered_days(histories: Histories) -> tuple[int, int]:
    """The first and the last day on which anybody began the service: before and after, nobody could have."""
    return int(np.nanmin(histories.start)), int(np.nanmax(histories.start))


def _start(histories: Histories) -> Array:
    """Day of the first service of each person; ``FAR`` for never."""
    return np.where(np.isfinite(histories.start), histories.start, FAR).astype(np.int64)


def last_possible(histories: Histories) -> Array:
    """Last day at whose end there is any follow-up left."""
    end = np.fmin(np.fmin(histories.death, histories.leave), histories.last_day)
    return np.asarray(end.astype(np.int64) - 1)


def observed_from(histories: Histories, lookback: int) -> Array:
    """First day at whose end the look-back has been seen."""
    since = np.fmax(histories.enter, histories.first_day)
    return np.asarray((since + lookback - 1).astype(np.int64))


def _step(kind: str, n: int, text: str) -> dict[str, Any]:
    return {"kind": kind, "n": n, "text": text}
