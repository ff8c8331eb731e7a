r"""Stays as one bed sees them: rows of one person and kind that overlap or touch are one stay.

A hospital writes a row for each episode, ward or site, so that one stay of five nights with a transfer is two
rows. Counted as they stand they are two admissions, and what overlaps counts twice. Rows are sorted by the
key :math:`g s + (t - t_0)` of group :math:`g` (a person and kind) and first day :math:`t`, with a span
:math:`s` longer than the days covered; a row opens a stay where its key is beyond the furthest last day so
far, the running maximum of :math:`g s + (e - t_0)`. A row that begins on the day the last one ended does not.

The end of a stay that nobody wrote down cannot be beyond the day on which the next of its kind began. It is
ended there, and as that day was not seen it joins nothing: else one lost date would hide every later stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Stays:
    """Stays of one kind, or events without a length, by person and day, shape (m,) each.

    Attributes
    ----------
    person : array of int
        The row of the person in the table of people.
    day, end : array of int
        The first and the last day. ``end`` is the day itself where events of this kind have no length; of a
        stay that had not ended it is the day of death, or the day after the last.
    row : array of int
        The row in the table of events; of a stay of several rows the first.
    """

    person: Array
    day: Array
    end: Array
    row: Array


def join(group: Array, day: Array, end: Array, unseen: Array | None = None) -> tuple[Array, Array, Array]:
    """Stays of rows.

    Parameters
    ----------
    group : array of int, shape (m,)
        Rows of one group may be one stay.
    day, end : array of int, shape (m,)
        ``end`` is never before ``day``.
    unseen : array of bool, shape (m,), optional
        Rows whose end was not written down; ``end`` is then the last day it may have been.

    Returns
    -------
    opens : array of bool, shape (m,)
        Whether the row is the first of its stay.
    until : array of int, shape (m,)
        Of rows that open a stay its last day, of others their own.
    cut : array of bool, shape (m,)
        Rows without an end that were ended as the next began.
    """
    opens, until, cut = np.ones(len(day), dtype=bool), end.astype(np.int64), np.zeros(len(day), dtype=bool)
    if not len(day):
        return opens, until, cut
    base = int(day.min())
    span = int(end.max()) - base + 1
    start = group.astype(np.int64) * span
    keys = start + (day - base)
    order = np.argsort(keys if unseen is None else 2 * keys + ~unseen, kind="stable")
    keys, start = keys[order], start[order]
    known = until[order]
    if unseen is not None and unseen.any():
        known, cut = _ended(keys, start, order, until, unseen, base)
    reach = np.maximum.accumulate(start + (known - base))
    new = np.append(True, keys[1:] > reach[:-1])
    opens[order] = new
    first = np.flatnonzero(new)
    until[order[first]] = np.maximum.reduceat(until[order], first)
    return opens, until, cut


def _ended(
    keys: Array, start: Array, order: Array, until: Array, unseen: Array, base: int
) -> tuple[Array, Array]:
    """End what has no end as the next began (in ``until``); the ends that were seen, sorted, and which."""
    no_end = unseen[order]
    following = np.append(start[1:] == start[:-1], False)
    upper = np.append(keys[1:], 0) - start + base
    stops = no_end & following & (upper < until[order])
    until[order[stops]] = upper[stops]
    cut = np.zeros(len(order), dtype=bool)
    cut[order[stops]] = True
    return np.where(no_end, keys - start + base, until[order]), cut
