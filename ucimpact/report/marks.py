"""Dates and stretches that are named above a chart, set so that no name touches another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

APART = 12.0
"""Least pixels between two names in one row."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A change at place ``first`` that stays, or, with ``last``, a stretch of places from first to last."""

    first: int
    last: int | None = None
    label: str

    @property
    def left(self) -> float:
        """Where the line, or the shade, begins: half a place ahead of the first."""
        return self.first - 0.5

    @property
    def right(self) -> float:
        """Where the shade ends; the line itself where there is none."""
        return self.left if self.last is None else self.last + 0.5


@dataclass(frozen=True)
class Spot:
    """Where a name stands: its middle in pixels, and its row counted from the plot upwards."""

    middle: float
    row: int


def spots(wanted: Sequence[tuple[float, float]], width: float) -> list[Spot]:
    """A place for each name, earlier ones first: over its point, else to the left or right of it, else above.

    Parameters
    ----------
    wanted : sequence of (float, float)
        Where each name belongs and how wide it is, in pixels.
    width : float
        Of the drawing; every name stays on it.
    """
    taken: list[tuple[int, float, float]] = []
    found = []
    for x, wide in wanted:
        half = wide / 2
        row, middle = next(
            (row, place)
            for row in range(len(wanted) + 1)
            for place in ((x, x - half, x + half) if row == 0 else (x,))
            for place in (min(max(place, half + 1), width - half - 1),)
            if abs(place - x) <= half + 1
            and all(
                r != row or place + half + APART <= lo or place - half - APART >= hi for r, lo, hi in taken
            )
        )
        taken.append((row, middle - half, middle + half))
        found.append(Spot(middle, row))
    return found
