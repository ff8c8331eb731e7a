r"""The shapes that a change may have in a series: the pilot's own, and any other with a date.

With :math:`s` the periods since the start (0 in the first), :math:`d` periods left out and :math:`k` over
which the change grows,

.. math:: \text{level}_s = \min\!\Big(1, \frac{s+1}{k+1}\Big)\,1\{s \ge d\}, \qquad
   \text{slope}_s = \max(0,\, s - d - k)

so that a change that grows over three periods is a quarter, a half and three quarters of itself in them, and
whole in the fourth: the first in which it would also count had the three been left out. A slope is 0 where
the level is first whole. A pulse is 1 in one period, a temporary change is a level until its last period.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from ucimpact.data.periods import Frequency, one_period
from ucimpact.errors import DesignError

SHAPES = ("level", "slope", "level-slope", "pulse", "temporary", "ramp")
GROWING = ("level", "level-slope", "temporary", "ramp")
"""Shapes with a level that can grow in equal steps."""

LEVEL, SLOPE, PULSE = "level change", "slope change", "pulse"
"""The columns of the pilot's own change."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A change as columns over the periods since its start.

    Attributes
    ----------
    kind : str
        One of :data:`SHAPES`.
    left_out : int
        Periods from the start that do not count.
    grows : int
        Periods in which the level is only partly there.
    last : int, optional
        Periods since the start in the last period of a temporary change.
    """

    kind: str
    left_out: int = 0
    grows: int = 0
    last: int | None = None

    @property
    def first(self) -> int:
        """Periods since the start in the first that counts."""
        return self.left_out

    def runs(self, since: np.ndarray) -> np.ndarray:
        """In which periods the change is there, shape (n,); those left out are not among them."""
        runs = since >= self.left_out
        if self.kind == "pulse":
            return np.asarray(since == self.left_out)
        return np.asarray(runs & (since <= self.last)) if self.last is not None else np.asarray(runs)

    def columns(self, since: np.ndarray) -> dict[str, np.ndarray]:
        """The columns by name, each of shape (n,)."""
        runs = self.runs(since)
        if self.kind == "pulse":
            return {PULSE: runs.astype(float)}
        level = np.where(runs, np.minimum((since + 1) / (self.grows + 1), 1.0), 0.0)
        slope = np.where(runs, np.maximum(since - self.left_out - self.grows, 0), 0).astype(float)
        parts = {LEVEL: level, SLOPE: slope}
        kept = {"slope": (SLOPE,), "level-slope": (LEVEL, SLOPE)}.get(self.kind, (LEVEL,))
        return {name: parts[name] for name in kept}


@dataclass(frozen=True, kw_only=True)
class Change:
    """Another change in the same series, at a date that is known: taken out, and no effect of the pilot.

    Parameters
    ----------
    start : str, date or int
        Its first period: "2017-04", a date, or a number that fits the periods.
    name : str, default ""
        What it is, as reports call it; "change of April 2017" where it has no name.
    shape : str, default "level-slope"
        ``"level"``, ``"slope"``, ``"level-slope"``, ``"pulse"`` (one period only), ``"temporary"`` (a level
        until ``until``) or ``"ramp"`` (a level that grows in equal steps over ``ramp`` periods).
    until : str, date or int, optional
        The last period of a temporary change.
    ramp : int, default 0
        Periods in which the level is only partly there.
    """

    start: str | dt.date | int
    name: str = ""
    shape: str = "level-slope"
    until: str | dt.date | int | None = None
    ramp: int = 0

    def __post_init__(self) -> None:
        wrong = shape_problems(self.shape, grows=self.ramp, until=self.until, growing="ramp")
        if wrong:
            raise DesignError("Change: " + "; ".join(wrong), parts=wrong)
        for name in ("start", "until"):
            if isinstance(value := getattr(self, name), dt.date):
                object.__setattr__(self, name, value.isoformat())

    def called(self, frequency: Frequency) -> str:
        """Its name, or that of its first period."""
        return self.name or f"change of {frequency.label(self.ordinal(frequency))}"

    def ordinal(self, frequency: Frequency) -> int:
        """Its first period as a place on the line; ``ValueError`` where it does not fit."""
        return one_period(self.start, frequency)

    def columns(self, frequency: Frequency, ordinals: np.ndarray) -> dict[str, np.ndarray]:
        """Its columns by name, each of shape (n,)."""
        start = self.ordinal(frequency)
        last = None if self.until is None else one_period(self.until, frequency) - start
        shape = Shape(kind=self.shape, grows=self.ramp, last=last)
        name = self.called(frequency)
        return {f"{name}: {part}": column for part, column in shape.columns(ordinals - start).items()}


def shape_problems(shape: str, *, grows: int, until: object, growing: str) -> list[str]:
    """What is wrong with a shape and what it needs; ``growing`` names the field with the periods it grows."""
    if shape not in SHAPES:
        return [f'shape = "{shape}" is not known; choose one of: {", ".join(SHAPES)}']
    wrong = []
    if shape == "temporary" and until is None:
        wrong.append('shape = "temporary" needs until, its last period, as in until = "2024-09"')
    if shape != "temporary" and until is not None:
        wrong.append(f'until belongs to shape = "temporary", found shape = "{shape}"; take until out')
    if shape == "ramp" and grows < 1:
        wrong.append(f'shape = "ramp" needs {growing}, the number of periods over which it grows')
    if shape not in GROWING and grows:
        wrong.append(f'shape = "{shape}" has no level that could grow; take {growing} out')
    if grows < 0:
        wrong.append(f"{growing} = {grows} is below 0; give the number of periods")
    return wrong
