"""With whom each pilot person may be paired, and how far away they are: what optimal matchings weigh.

Everybody near is looked up person by person along the line of :mod:`ucimpact.inference.searching`, so what is
held is what was asked for and never a table of all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ucimpact.errors import EstimationError
from ucimpact.inference.matched_sets import Calipers
from ucimpact.inference.searching import Allowed, Field

Array = np.ndarray
MOST_LOOKS = 1_000_000_000
"""Pairs of people looked at: ten seconds' worth."""

MOST_PAIRS = 30_000_000
"""Pairs weighed at once: 2 GB."""

WAY_OUT = (
    'Name kinds under exact, take a narrower caliper, or use matching = "nearest", which has no such limit'
)


@dataclass(frozen=True, eq=False)
class Near:
    """People with whom one pilot person may be paired.

    Attributes
    ----------
    places : array (n_near,) of int
        Along the line.
    far : array (n_near,)
        Distance to each.
    cut : bool
        Whether there are more, none of them nearer.
    """

    places: Array
    far: Array
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Everybody's neighbours, looked up when asked for.

    Attributes
    ----------
    field : Field
    allowed : Allowed
    on_line : bool
        Whether the score alone says who is near, so that who is nearer stands nearer on the line.
    """

    field: Field
    allowed: Allowed
    on_line: bool

    @classmethod
    def around(
        cls, field: Field, caliper: float | None, forbid: Sequence[Array], calipers: Calipers
    ) -> Neighbours:
        """The neighbours of people laid out; what would take too long is refused.

        Raises
        ------
        EstimationError
            Where more pairs than ``MOST_LOOKS`` would have to be looked at.
        """
        allowed = Allowed(field, caliper, forbid, calipers)
        near = cls(field, allowed, field.spread is None and not forbid and not calipers)
        if not near.on_line:
            windows = (allowed.window(person) for person in range(near.number))
            looks = sum(high - low for low, high in windows)
            if looks > MOST_LOOKS:
                raise EstimationError(
                    f"{near.number:,} pilot people have {looks:,} comparison people within reach in all, too "
                    f"many to weigh them all. {WAY_OUT}"
                )
        return near

    @property
    def number(self) -> int:
        """Pilot people."""
        return len(self.field.pilot)

    def all_of(self, person: int, start: int | None = None, stop: int | None = None) -> Near:
        """Everybody allowed, or those of a stretch of the line."""
        low, high = self.allowed.window(person) if start is None or stop is None else (start, stop)
        places = low + np.flatnonzero(self.allowed.within(person, low, high))
        far = self.allowed.far(person, places)
        return Near(places, far if self.field.spread is None else np.sqrt(far))

    def closest(self, person: int, length: int) -> Near:
        """The nearest so many."""
        low, high = self.allowed.window(person)
        start, stop = low, high
        if self.on_line:
            at = min(max(int(self.field.at[person]), low), high)
            start, stop = max(low, at - length), min(high, at + length)
        near = self.all_of(person, start, stop)
        if len(near.places) <= length:
            return Near(near.places, near.far, cut=(start, stop) != (low, high))
        keep = np.argpartition(near.far, length)[:length]
        return Near(near.places[keep], near.far[keep], cut=True)


def refuse_many(pairs: int) -> None:
    """Refuse more pairs than fit in memory.

    Raises
    ------
    EstimationError
        With the way out.
    """
    if pairs > MOST_PAIRS:
        raise EstimationError(f"{pairs:,} pairs are too many to be weighed at once. {WAY_OUT}")
