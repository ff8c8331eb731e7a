"""Axes for people: round ticks, how many decimals a column needs, places in per cent of a width.

Nothing here knows of a chart or a page; rows of intervals, bars and drawings all take their axes
from these few functions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LEAVE_ZERO = 0.6
"""Where the smallest value is above this share of the largest, an axis from 0 would hide the lines."""


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` round numbers, the first at or below ``low`` and the last at or above ``high``."""
    if not high > low:
        high = low + (abs(low) or 1.0)
    power = 10.0 ** math.floor(math.log10((high - low) / max(most - 1, 1)))
    for step in (power * scale * s for scale in (1, 10, 100) for s in STEPS):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first + 1 <= most:
            return [round(n * step, 12) for n in range(first, last + 1)]
    raise ValueError(f"at least 3 ticks are needed to hold {low} to {high}; {most} were allowed")


def ticks_within(low: float, high: float, most: int) -> list[float]:
    """Round numbers on an axis from ``low`` to ``high``, at most ``most``."""
    return [tick for tick in ticks(low, high, most + 2) if low <= tick <= high]


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals of a column of numbers: one, none from 1,000 up, two where all are below 1."""
    largest = max((abs(v) for v in values if v is not None), default=0.0)
    if largest >= 1000:
        return 0
    return 1 if largest >= 1 else 2


def decimals_of_step(numbers: Sequence[float]) -> int:
    """Decimals that print these ticks exactly."""
    for decimals in range(6):
        if all(abs(round(n, decimals) - n) < 1e-9 for n in numbers):
            return decimals
    return 6


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A horizontal axis; ``place`` is where a value lies, in per cent of its width."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Place of a value, held inside the axis."""
        share = (value - self.low) / (self.high - self.low)
        return 100 * min(max(share, 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high


def css(per_cent: float) -> str:
    """A per cent for a style attribute."""
    return f"{per_cent:.1f}%"
