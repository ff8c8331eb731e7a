"""Two groups followed over days or months: a line for each with its likely range, and thin lines beside.

The people supported are drawn in blue and solid, those beside them in grey and dashed; what stands beside
(everyone else, deaths) is thin. Drawn twice, like every chart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.report.canvas import DASHES, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BAND,
    BLUE,
    GHOST,
    MUTED,
    NARROW,
    ROW,
    End,
    Label,
    Numbers,
    gaps,
    grid,
    key_height,
    label_ends,
    margins,
    periods_below,
    plain,
    rows_under,
    texts_of,
)
from ucimpact.report.scale import ticks

BAND_PILOT = "#c6d6e4"


@dataclass(frozen=True, kw_only=True)
class Group:
    """One line.

    Attributes
    ----------
    values, low, high : sequences as long as the labels of the chart
        None where there is no value; ``low`` and ``high`` may be empty.
    pilot : bool
        Whether it is of the people supported.
    thin : bool
        Drawn beside the others.
    label : Label
    """

    values: Numbers
    low: Numbers = ()
    high: Numbers = ()
    pilot: bool = False
    thin: bool = False
    label: Label

    @property
    def colour(self) -> str:
        if self.pilot:
            return BLUE
        return GHOST if self.thin else MUTED

    @property
    def dashed(self) -> bool:
        return not self.pilot and not self.thin

    @property
    def width(self) -> float:
        return 1.6 if self.thin else 3.0 if self.pilot else 2.5


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Groups over the same days or months, on an axis from 0.

    Attributes
    ----------
    labels : sequence of str
        Numbers with what they count below them, in ``axis_label``.
    groups : sequence of Group
    days : bool
        Whether the numbers are of days, which are named at round steps.
    """

    labels: Sequence[str]
    groups: Sequence[Group]
    axis_label: str
    days: bool = False


def lines(chart: Lines, width: int) -> Drawing:
    """The drawing at a width."""
    narrow = width == NARROW
    values = [v for group in chart.groups for v in (*group.values, *group.low, *group.high) if v is not None]
    marks = ticks(0.0, max([*values, 1e-9]), 6)
    texts = texts_of(marks, plain)
    ends = _ends(chart.groups)
    under = ROW * rows_under(chart.axis_label, width)
    drawing = blank(width, under + (250 + key_height(ends) if narrow else 350))
    left = max(measure(text, SMALL) for text in texts) + 12
    right, above = margins(ends, narrow)
    axes = drawing.axes(left, right, above - ROW + 8, 34 + under)
    axes.set_ylim(marks[0], marks[-1] * 1.01)
    last = len(chart.labels) - 1
    axes.set_xlim(-0.02 * last, last + 0.02 * last)
    grid(drawing, axes, marks, texts)
    periods_below(drawing, axes, chart.labels, counts=chart.axis_label, days=chart.days)
    xs = range(len(chart.labels))
    for group in sorted(chart.groups, key=lambda group: group.pilot):
        if group.low and group.high:
            low, high = gaps(group.low), gaps(group.high)
            colour = BAND_PILOT if group.pilot else BAND
            axes.fill_between(xs, low, high, color=colour, alpha=0.65, lw=0)
    for group in sorted(chart.groups, key=lambda group: (not group.thin, group.pilot)):
        known = [v is not None for v in group.values]
        style: dict[str, Any] = {"dashes": DASHES} if group.dashed else {}
        axes.plot(xs, gaps(group.values), color=group.colour, lw=group.width, **style)
        if sum(known) == 1:
            place = known.index(True)
            axes.plot([place], [group.values[place] or 0.0], ls="none", marker="o", ms=5, color=group.colour)
    label_ends(drawing, axes, ends, narrow=narrow)
    return drawing


def _ends(groups: Sequence[Group]) -> list[End]:
    """Where each line ends, the highest first; a line without a value has no end."""
    found = []
    for group in groups:
        known = [(x, v) for x, v in enumerate(group.values) if v is not None]
        if known:
            place, value = known[-1]
            found.append(End(place, value, group.colour, group.width, group.label, dashed=group.dashed))
    return sorted(found, key=lambda end: (-end.value, math.copysign(1, end.width)))
