"""Many analyses of one question, sorted: a dot and a range for each, filled where the range leaves out 0.

Drawn twice, like every chart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import INK, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BLUE,
    GHOST,
    NARROW,
    PLUM,
    ROW,
    clamped,
    grid,
    pixel,
    rows_under,
    texts_of,
    written_below,
)
from ucimpact.report.scale import ticks_within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = 4.0
"""Ranges this many times as far from no change as any estimate run off the plot."""


@dataclass(frozen=True, kw_only=True)
class Dot:
    """An analysis: its estimate and range; ``main`` for the main analysis."""

    estimate: float
    low: float | None
    high: float | None
    main: bool = False


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Analyses in the order in which they are drawn, from the left.

    Attributes
    ----------
    worded : callable
        A tick with its decimals, in words.
    axis_label, main_label : str
        What stands below, and the name of the main analysis.
    """

    dots: Sequence[Dot]
    worded: Callable[[float, int], str]
    axis_label: str
    main_label: str


def spread(chart: Spread, width: int) -> Drawing:
    """The drawing at a width."""
    narrow = width == NARROW
    low, high = limits(chart)
    marks = ticks_within(low, high, 5)
    texts = texts_of(marks, chart.worded)
    under = ROW * rows_under(chart.axis_label, width)
    drawing = blank(width, (260 if narrow else 310) + under)
    left = max(measure(text, SMALL) for text in texts) + 12
    axes = drawing.axes(left, 14, 10 + ROW, 26 + under)
    axes.set_ylim(low, high)
    axes.set_xlim(-0.8, len(chart.dots) - 0.2)
    grid(drawing, axes, marks, texts, zero=True)
    axes.axhline(0, color=INK, lw=1)
    x0, y0, x1, y1 = drawing.box
    size = min(6.5, max(2.5, 0.7 * (x1 - x0) / len(chart.dots)))
    for at, dot in enumerate(chart.dots):
        if dot.main:
            x = pixel(axes, at, 0)[0]
            drawing.line((x, y0), (x, y1), colour=INK, dashed=True)
            clamped(drawing, x, y1 + 7, chart.main_label, colour=INK)
        _draw(axes, at, dot, (low, high), size)
    written_below(drawing, chart.axis_label)
    return drawing


def limits(chart: Spread) -> tuple[float, float]:
    """The ends of the axis: no change, every estimate, and the ranges as far as they say something."""
    far = REACH * max(max(abs(dot.estimate) for dot in chart.dots), 1e-12)
    ends = [v for dot in chart.dots for v in (dot.low, dot.high) if v is not None]
    values = [dot.estimate for dot in chart.dots] + [min(max(v, -far), far) for v in ends] + [0.0]
    room = 0.06 * (max(values) - min(values) or 1.0)
    return min(values) - room, max(values) + room


def runs_off(chart: Spread) -> int:
    """How many ranges run off the plot."""
    low, high = limits(chart)
    ranged = [(d.low, d.high) for d in chart.dots if d.low is not None and d.high is not None]
    return sum(a < low or b > high for a, b in ranged)


def _draw(axes: Axes, at: int, dot: Dot, ends: tuple[float, float], size: float) -> None:
    """A range as a line and its estimate: filled below no change, a diamond above it, else hollow."""
    if dot.high is not None and dot.high < 0:
        shape, face, edge = "o", BLUE, BLUE
    elif dot.low is not None and dot.low > 0:
        shape, face, edge = "D", PLUM, PLUM
    else:
        shape, face, edge = "o", "#fff", GHOST
    if dot.low is not None and dot.high is not None:
        low, high = max(dot.low, ends[0]), min(dot.high, ends[1])
        axes.plot([at, at], [low, high], color=edge, lw=1.4, solid_capstyle="butt")
    axes.plot([at], [dot.estimate], ls="none", marker=shape, ms=size, mfc=face, mec=edge, mew=1.6)
