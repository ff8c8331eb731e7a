"""Who is nearest and still free: comparison people along a line, and two ways of looking from a place on it.

The line is sorted by stratum, then by the score (or, for Mahalanobis distance without a caliper, by one of
the whitened coordinates), then by row. A pilot person stands at a place on it, and people further along are
further away in that one respect. :class:`Line` needs nothing else; :class:`Outward` looks at blocks of people
on both sides until the next can no longer be nearer, under the rules of :class:`Allowed`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ucimpact.inference.matched_sets import Calipers

Array = np.ndarray
FIRST_LOOK = 64
"""People looked at on each side to begin with; each further look is twice as wide."""

SLACK = 1e-9
"""Widens a window, relative to its numbers, so that rounding shuts nobody out before the exact test."""


class Search(Protocol):
    """What the order of turns needs of a search."""

    def peek(self, person: int) -> float | None:
        """How near the nearest free comparison person is, or None."""

    def take(self, person: int) -> int | None:
        """The row of the nearest free comparison person, now this person's own, or None."""


@dataclass(frozen=True, eq=False)
class Field:
    """Comparison people along the line, and where each pilot person stands.

    Attributes
    ----------
    pilot : array (n_pilot,)
        Rows, rising.
    rows : array (n_line,)
        Rows of the comparison people along the line.
    along : array (n_line,)
        Their number on the axis.
    stand : array (n_pilot,)
        The pilot people's number on the axis.
    at, low, high : array (n_pilot,)
        Place of each on the line, and the ends of his or her stratum.
    by_score : bool
        Whether the axis is the score, on which the caliper lies.
    spread, centre : array (n_line, q) and (n_pilot, q), or None
        Whitened covariates: straight distance between them is Mahalanobis distance.
    """

    pilot: Array
    rows: Array
    along: Array
    stand: Array
    at: Array
    low: Array
    high: Array
    by_score: bool
    spread: Array | None
    centre: Array | None

    @classmethod
    def lay(
        cls,
        distance: Array | None,
        treated: Array,
        strata: Array | None,
        covariates: Array | None,
        inverse_cov: Array | None,
        caliper: float | None,
    ) -> Field:
        pilot = np.flatnonzero(treated)
        line = np.flatnonzero(~treated)
        if strata is not None:
            strata = _codes(strata)
            wanted = np.zeros(int(strata.max(initial=0)) + 1, dtype=bool)
            wanted[strata[pilot]] = True
            line = line[wanted[strata[line]]]
        spread = centre = None
        if covariates is not None and inverse_cov is not None:
            root = _root(inverse_cov)
            centre, spread = _whitened(covariates[pilot], root), _whitened(covariates[line], root)
        by_score = spread is None or caliper is not None
        if spread is not None and centre is not None and not by_score:
            widest = int(spread.var(axis=0).argmax()) if len(line) else 0
            stand, along = centre[:, widest], spread[:, widest]
        else:
            assert distance is not None
            stand, along = (np.asarray(distance[rows], dtype=float) for rows in (pilot, line))

        order = np.argsort(along, kind="stable")
        along = along[order]
        at = _own_places(along, line[order], stand, pilot)
        low, high = np.zeros(len(pilot), dtype=np.int64), np.full(len(pilot), len(line))
        if strata is not None:
            # One key orders by stratum and then by place on the axis: a sort of whole numbers.
            step = len(line) + 1
            keys = strata[line[order]].astype(np.int64) * step + np.arange(len(line))
            keys.sort()
            own = strata[pilot].astype(np.int64) * step
            low, high = np.searchsorted(keys, own), np.searchsorted(keys, own + step)
            at = np.searchsorted(keys, own + at)
            places = keys % step
            order, along = order[places], along[places]
        return cls(
            pilot=pilot,
            rows=line[order],
            along=along,
            stand=stand,
            at=at,
            low=low,
            high=high,
            by_score=by_score,
            spread=None if spread is None else spread[order],
            centre=centre,
        )


class Line:
    """The nearest on the axis alone: two union-find structures over the places that are used up."""

    def __init__(self, field: Field, caliper: float | None, limit: int) -> None:
        self.rows, self.along = field.rows.data, field.along.data
        self.stand, self.at = field.stand.tolist(), field.at.tolist()
        self.low, self.high = field.low.tolist(), field.high.tolist()
        self.caliper = np.inf if caliper is None else caliper
        self.limit = limit
        self.uses: dict[int, int] = {}
        self.own: dict[int, set[int]] = {}
        self.right: dict[int, int] = {}
        self.left: dict[int, int] = {}

    def peek(self, person: int) -> float | None:
        found = self._nearest(person)
        return None if found is None else found[0]

    def take(self, person: int) -> int | None:
        found = self._nearest(person)
        if found is None:
            return None
        place = found[1]
        used = self.uses.get(place, 0) + 1
        if used >= self.limit:
            self.right[place], self.left[place] = place + 1, place - 1
        else:
            self.uses[place] = used
            self.own.setdefault(person, set()).add(place)
        return int(self.rows[place])

    def _nearest(self, person: int) -> tuple[float, int] | None:
        """Distance and place of the nearest free person within stratum and caliper."""
        stand, at, low = self.stand[person], self.at[person], self.low[person]
        own = self.own.get(person, ())
        right, left = _free(self.right, at, own, 1), _free(self.left, at - 1, own, -1)
        to_right = self.along[right] - stand if right < self.high[person] else np.inf
        to_left = stand - self.along[left] if left >= low else np.inf
        near = min(to_right, to_left)
        if not near <= self.caliper or near == np.inf:
            return None
        return (near, left) if to_left == near else (near, right)


def _free(links: dict[int, int], place: int, own: Sequence[int] | set[int], step: int) -> int:
    """The first place from ``place`` in one direction that is neither used up nor the person's own."""
    while True:
        end = place
        while (further := links.get(end)) is not None:
            end = further
        while place != end:
            links[place], place = end, links[place]
        if end not in own:
            return end
        place = end + step


class Allowed:
    """Whom the rules let a pilot person be paired with, and how far away they are.

    People are places along the line of the field; a stretch is all the places from ``start`` to ``stop``.
    """

    def __init__(
        self, field: Field, caliper: float | None, forbid: Sequence[Array], calipers: Calipers
    ) -> None:
        self.field = field
        self.caliper = caliper
        self.forbid = [(np.asarray(codes)[field.rows], np.asarray(codes)[field.pilot]) for codes in forbid]
        self.calipers = [
            (np.asarray(column, float)[field.rows], np.asarray(column, float)[field.pilot], width)
            for column, width in calipers
        ]

    def window(self, person: int) -> tuple[int, int]:
        """The ends of the stratum, or of the caliper within it."""
        field = self.field
        low, high = int(field.low[person]), int(field.high[person])
        if self.caliper is None or not field.by_score:
            return low, high
        stand = field.stand[person]
        reach = self.caliper + SLACK * (abs(stand) + self.caliper)
        along = field.along.data
        return bisect_left(along, stand - reach, low, high), bisect_right(along, stand + reach, low, high)

    def within(self, person: int, start: int, stop: int) -> Array:
        """Whether each person of a stretch is allowed, shape (stop - start,)."""
        field, part = self.field, slice(start, stop)
        allowed = np.ones(stop - start, dtype=bool)
        if self.caliper is not None:
            allowed &= np.abs(field.along[part] - field.stand[person]) <= self.caliper
        for codes, of_pilot in self.forbid:
            allowed &= codes[part] != of_pilot[person]
        for column, of_pilot, width in self.calipers:
            allowed &= np.abs(column[part] - of_pilot[person]) <= width
        return allowed

    def far(self, person: int, places: Array) -> Array:
        """Distance to each place; squared if it is Mahalanobis distance."""
        field = self.field
        if field.spread is None or field.centre is None:
            return np.asarray(np.abs(field.along[places] - field.stand[person]))
        gaps = field.spread[places] - field.centre[person]
        return np.asarray(np.einsum("ij,ij->i", gaps, gaps))


class Outward:
    """The nearest by any distance under any rules: blocks both sides until nobody further can be nearer."""

    def __init__(
        self,
        field: Field,
        caliper: float | None,
        limit: int,
        forbid: Sequence[Array],
        calipers: Calipers,
    ) -> None:
        self.field = field
        self.allowed = Allowed(field, caliper, forbid, calipers)
        self.limit = limit
        self.free = np.ones(len(field.rows), dtype=bool)
        self.uses = np.zeros(len(field.rows), dtype=np.int32)
        self.own: dict[int, list[int]] = {}
        self.bounded = field.spread is None or not field.by_score

    def peek(self, person: int) -> float | None:
        found = self._nearest(person)
        return None if found is None else found[0]

    def take(self, person: int) -> int | None:
        found = self._nearest(person)
        if found is None:
            return None
        place = found[-1]
        self.uses[place] += 1
        self.free[place] = self.uses[place] < self.limit
        self.own.setdefault(person, []).append(place)
        return int(self.field.rows[place])

    def _nearest(self, person: int) -> tuple[float, int, int] | None:
        """Distance (squared if Mahalanobis), turn among ties and place of the nearest allowed."""
        field = self.field
        stand, at = field.stand[person], int(field.at[person])
        low, high = self.allowed.window(person)
        at = min(max(at, low), high)
        left = right = at
        width = FIRST_LOOK if self.bounded else high - low
        best: tuple[float, int, int] | None = None
        while left > low or right < high:
            further_left, further_right = max(low, left - width), min(high, right + width)
            for start, stop in ((further_left, left), (right, further_right)):
                if start < stop and (found := self._among(person, start, stop)) is not None:
                    best = found if best is None else min(best, found)
            left, right, width = further_left, further_right, 2 * width
            if best is not None and self.bounded and self._beyond(stand, left, right, low, high) > best[0]:
                break
        return best

    def _beyond(self, stand: float, left: int, right: int, low: int, high: int) -> float:
        """The nearest that anybody not yet looked at can be."""
        along = self.field.along
        gap = min(
            stand - along[left - 1] if left > low else np.inf,
            along[right] - stand if right < high else np.inf,
        )
        gap = max(gap - SLACK * (abs(stand) + gap), 0.0) if np.isfinite(gap) else np.inf
        return float(gap if self.field.spread is None else gap**2)

    def _among(self, person: int, start: int, stop: int) -> tuple[float, int, int] | None:
        allowed = self.allowed.within(person, start, stop)
        allowed &= self.free[start:stop]
        for place in self.own.get(person, ()):
            if start <= place < stop:
                allowed[place - start] = False
        places = start + np.flatnonzero(allowed)
        if not len(places):
            return None
        far = self.allowed.far(person, places)
        nearest = far.min()
        tied = places[far == nearest]
        if self.field.spread is not None:
            turn = self.field.rows[tied]
        else:
            # On the line the nearest place below, then the nearest above.
            at = self.field.at[person]
            turn = np.where(tied < at, at - tied, len(self.free) + tied)
        first = int(turn.argmin())
        return float(nearest), int(turn[first]), int(tied[first])


def _own_places(along: Array, rows: Array, stand: Array, pilot: Array) -> Array:
    """Where on the line each pilot person would stand; among people of the same number by row."""
    at, end = np.searchsorted(along, stand), np.searchsorted(along, stand, side="right")
    for person in np.flatnonzero(at < end):
        at[person] += np.searchsorted(rows[at[person] : end[person]], pilot[person])
    return np.asarray(at)


def _root(inverse_cov: Array) -> Array:
    """A root of the inverse covariance, one column a direction in which people vary; one of 0 if in none."""
    scale = np.sqrt(np.maximum(np.diag(inverse_cov), 0.0))
    sure = np.where(scale > 0, scale, 1.0)
    values, directions = np.linalg.eigh((inverse_cov + inverse_cov.T) / 2 / np.outer(sure, sure))
    if not values.max(initial=0.0) > 0:
        return np.zeros((len(scale), 1))
    kept = values > 1e-10 * values.max()
    return np.asarray(scale[:, None] * directions[:, kept] * np.sqrt(values[kept]))


def _whitened(covariates: Array, root: Array) -> Array:
    """``covariates @ root`` column by column, so that people who are alike are a tie to the last bit."""
    out = np.zeros((len(covariates), root.shape[1]))
    for column, weights in zip(np.asarray(covariates, dtype=float).T, root, strict=True):
        out += np.outer(column, weights)
    return out


def _codes(strata: Array) -> Array:
    """Strata coded from 0, without a sort where they nearly are."""
    strata = np.asarray(strata)
    if strata.dtype.kind in "iu" and len(strata) and int(strata.max()) - int(strata.min()) <= 2 * len(strata):
        return np.asarray(strata - strata.min())
    return np.unique(strata, return_inverse=True)[1]
