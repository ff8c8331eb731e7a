r"""What happened to people on days, asked for any window of any person by two binary searches.

Events are sorted by the key :math:`p s + (t - t_0)`, person :math:`p` and day :math:`t`, with a span
:math:`s` longer than the days covered. With the running sum :math:`A` of what each event counts, the
events of a person after day :math:`a` up to day :math:`b` are

.. math:: N(a, b] = A\{p s + (b - t_0)\} - A\{p s + (a - t_0)\}

Nights of stays need no expansion into nights. The nights on or before day :math:`x` of stays from
:math:`s_j` to :math:`e_j` are :math:`\sum_j (x + 1 - s_j)^+ - (x + 1 - e_j)^+`, a sum over those begun
less a sum over those ended, each a count and a running sum of days.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Dated:
    """Days on which something happened to people.

    Parameters
    ----------
    person : array of int, shape (m,)
        Codes from 0, in any order.
    day : array of int, shape (m,)
    """

    person: Array
    day: Array

    order: Array = field(init=False, repr=False)
    """The rows by person and day; rows of one day stay in the order given."""
    keys: Array = field(init=False, repr=False)
    base: int = field(init=False, repr=False)
    span: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        day = np.asarray(self.day, dtype=np.int64)
        base = int(day.min()) - 1 if day.size else 0
        span = (int(day.max()) - base + 1) if day.size else 1
        keys = np.asarray(self.person, dtype=np.int64) * span + (day - base)
        order = np.argsort(keys, kind="stable")
        for name, value in (("order", order), ("keys", keys[order]), ("base", base), ("span", span)):
            object.__setattr__(self, name, value)

    def up_to(self, person: Array, day: Array) -> Array:
        """How many rows stand before the end of this day of this person, shape of ``day``.

        Rows of persons with a lower code count too, so that the difference of two days of a person is what
        happened between them.
        """
        at = np.clip(np.asarray(day, dtype=np.int64) - self.base, 0, self.span - 1)
        place = np.asarray(person, dtype=np.int64) * self.span + at
        rows: Array = np.searchsorted(self.keys, place, side="right")
        return rows

    def running(self, amounts: Array) -> Array:
        """The running sum of amounts, one a row as given, in the sorted order and from nought."""
        return np.concatenate([[0], np.cumsum(np.asarray(amounts)[self.order])])

    def number(self, person: Array, after: Array, up_to: Array) -> Array:
        """How many of these days of a person lie in ``(after, up_to]``."""
        found: Array = self.up_to(person, up_to) - self.up_to(person, after)
        return found.astype(float)

    def first_after(self, person: Array, day: Array) -> Array:
        """The first such day after this one, shape of ``day``; ``nan`` where there is none."""
        person = np.asarray(person, dtype=np.int64)
        at = self.up_to(person, day)
        if not self.keys.size:
            return np.full(np.shape(at), np.nan)
        key = self.keys[np.minimum(at, self.keys.size - 1)]
        own = (at < self.keys.size) & (key // self.span == person)
        return np.where(own, key % self.span + self.base, np.nan)


class Since:
    """Days from each of a person's days to another, summed."""

    def __init__(self, person: Array, day: Array) -> None:
        self.dated = Dated(person, day)
        self.running = self.dated.running(np.asarray(day, dtype=np.int64))

    def ever(self, person: Array, day: Array) -> Array:
        """How many days of a person lie on or before ``day``."""
        nothing = np.full(np.shape(day), self.dated.base)
        found: Array = self.dated.up_to(person, day) - self.dated.up_to(person, nothing)
        return found

    def days(self, person: Array, day: Array) -> Array:
        """The sum of ``day + 1 - t`` over a person's days ``t`` on or before ``day``."""
        nothing = np.full(np.shape(day), self.dated.base)
        at, before = self.dated.up_to(person, day), self.dated.up_to(person, nothing)
        later = np.asarray(day, dtype=np.int64) + 1
        summed: Array = (at - before) * later - (self.running[at] - self.running[before])
        return summed


@dataclass(frozen=True, eq=False)
class Nights:
    """Nights of stays, from the first day to the night before the last.

    Parameters
    ----------
    person, day, end : array of int, shape (m,)
        ``end`` is never before ``day``; a stay that ends on its first day has no night.
    """

    person: Array
    day: Array
    end: Array

    begun: Since = field(init=False, repr=False)
    ended: Since = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "begun", Since(self.person, self.day))
        object.__setattr__(self, "ended", Since(self.person, self.end))

    def number(self, person: Array, after: Array, up_to: Array) -> Array:
        """How many nights of a person lie in ``(after, up_to]``; a night belongs to the day it begins on."""
        last, first = (self.begun.days(person, x) - self.ended.days(person, x) for x in (up_to, after))
        nights: Array = last - first
        return nights.astype(float)

    def inside(self, person: Array, day: Array) -> Array:
        """How many stays of a person hold the night that begins on this day, shape of ``day``."""
        held: Array = self.begun.ever(person, day) - self.ended.ever(person, day)
        return held
