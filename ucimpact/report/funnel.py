"""A funnel plot: every pilot by its raw result and its standard error, with what luck alone would spread.

With the same true effect in all pilots, a result of standard error ``s`` lies within ``1.96 s`` of it 95
times in 100 [1]_. The lines of the funnel start at the average of the pilots weighted by ``1 / s^2`` and open
downwards; they take the standard errors as given and say nothing of why a pilot lies outside.

References
----------
.. [1] Sterne, J. A. C., & Egger, M. (2001). Funnel plots for detecting bias in meta-analysis: guidelines
   on choice of axis. *Journal of Clinical Epidemiology* 54(10), 1046-1055.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import DASHES, INK, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import BAND, BLUE, GHOST, LINE, MUTED, NARROW, clamped, cut, pixel
from ucimpact.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIMIT = 1.96
CHANGES = (-90, -75, -50, -30, -20, -10, -5, 0, 5, 10, 20, 30, 50, 100, 200, 400)
"""Changes in per cent that an axis of ratios may name."""
NAMED = 8
"""With more pilots than this only the one with the largest claim is named."""
NAME, NAME_NARROW = 150, 105
"""Pixels that a name may take; a longer one is cut."""
ROOM = 1.08
"""Names keep this much room, because the page may set them in a wider type."""
TOP, BELOW, SIDE = 30, 62, 14
EDGE = "#c3ccd4"


Box = tuple[float, float, float, float]
"""Left, foot, right and head, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A pilot: the logarithm of its ratio and its standard error; ``strong`` for the largest claim."""

    name: str
    log: float
    error: float
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Pilots about their average.

    Attributes
    ----------
    points : sequence of Point
    centre : float
        Where the funnel starts, a logarithm.
    fewer, more : str
        Words for a change to the left and to the right.
    centre_name : str
        Above the line of the average.
    """

    points: Sequence[Point]
    centre: float
    fewer: str
    more: str
    centre_name: str


def average(points: Sequence[Point]) -> float:
    """The mean weighted by the inverse of the variances."""
    weights = [point.error**-2 for point in points]
    return sum(w * point.log for w, point in zip(weights, points, strict=True)) / sum(weights)


def funnel(chart: Funnel, width: int) -> Drawing:
    """The drawing at a width; the most certain pilots stand at the top."""
    narrow = width == NARROW
    drawing = blank(width, 300 if narrow else 380)
    axes = drawing.axes(SIDE, SIDE, TOP, BELOW)
    floor = 1.12 * max(point.error for point in chart.points)
    low, high = _ends(chart, floor)
    axes.set_xlim(low, high)
    axes.set_ylim(floor, 0)
    reach = LIMIT * floor
    axes.fill(
        [chart.centre, chart.centre - reach, chart.centre + reach],
        [0, floor, floor],
        color=BAND,
        lw=0,
        zorder=0,
    )
    _grid(drawing, axes, chart, (low, high))
    for point in chart.points:
        colour = BLUE if point.strong else GHOST
        axes.plot(
            [point.log], [point.error], ls="none", marker="o", ms=9 if point.strong else 8, mew=2.2,
            mec=colour, mfc=colour if point.strong else "#fff", clip_on=False, zorder=3,
        )  # fmt: skip
    _names(drawing, axes, chart, narrow=narrow)
    return drawing


def _ends(chart: Funnel, floor: float) -> tuple[float, float]:
    """As wide as the results, no change, and most of the funnel."""
    held = [point.log for point in chart.points] + [
        0.0,
        chart.centre - LIMIT * floor,
        chart.centre + LIMIT * floor,
    ]
    room = 0.05 * (max(held) - min(held))
    return min(held) - room, max(held) + room


def _grid(drawing: Drawing, axes: Axes, chart: Funnel, ends: tuple[float, float]) -> None:
    x0, y0, x1, y1 = drawing.box
    taken: list[tuple[float, float]] = []
    inside = [c for c in CHANGES if ends[0] <= math.log1p(c / 100) <= ends[1]]
    for change in sorted(inside, key=lambda c: (abs(c) > 0, c % 50 != 0, c % 20 != 0, abs(c))):
        x = pixel(axes, math.log1p(change / 100), 0)[0]
        text = f"{abs(change)}% {chart.fewer if change < 0 else chart.more}" if change else "no change"
        half = measure(text, SMALL) / 2
        at = min(max(x, half + 1), drawing.width - half - 1)
        span = (at - half - 10, at + half + 10)
        if any(span[0] < end and start < span[1] for start, end in taken):
            continue
        taken.append(span)
        axes.axvline(
            math.log1p(change / 100), color=EDGE if change else INK, lw=1 if change else 1.6, zorder=1
        )
        drawing.write(at, y0 - 20, text, colour=MUTED, size=SMALL, align="center")
    drawing.line((x0, y0), (x1, y0), colour=LINE)
    drawing.write(x0, 8, "The lower a mark, the less certain the pilot", colour=MUTED, size=SMALL)
    top = pixel(axes, chart.centre, 0)
    axes.axvline(chart.centre, color=MUTED, lw=1.2, dashes=DASHES, zorder=2)
    clamped(drawing, top[0], y1 + 9, chart.centre_name)


def _names(drawing: Drawing, axes: Axes, chart: Funnel, *, narrow: bool) -> None:
    """A name beside each mark, where it touches neither marks nor names, nor a line if it can; else none."""
    _, y0, _, y1 = drawing.box
    marks = [(point, *pixel(axes, point.log, point.error)) for point in chart.points]
    lines = [(x - 2, y0, x + 2, y1) for x in (pixel(axes, v, 0)[0] for v in (0.0, chart.centre))]
    names: list[Box] = []
    for point, x, y in sorted(marks, key=lambda mark: not mark[0].strong):
        if not point.strong and len(chart.points) > NAMED:
            continue
        text = cut(point.name, NAME_NARROW if narrow else NAME, SMALL, bold=point.strong)
        wide = ROOM * measure(text, SMALL, bold=point.strong)
        others = [(u - 7, v - 7, u + 7, v + 7) for other, u, v in marks if other is not point] + names
        free = [
            box
            for box in _round(x, y, wide)
            if box[0] >= 1 and box[2] <= drawing.width - 1 and box[1] >= y0 and box[3] <= y1
            if not any(_touch(box, other) for other in others)
        ]
        if free:
            box = min(free, key=lambda box: any(_touch(box, line) for line in lines))
            drawing.write(box[0], box[1] + 4, text, size=SMALL, bold=point.strong)
            names.append(box)


def _round(x: float, y: float, wide: float) -> list[Box]:
    """Places for a name: right, left, above and below its mark, the best first."""
    corners = ((x + 11, y - 9), (x - 11 - wide, y - 9), (x - wide / 2, y + 8), (x - wide / 2, y - 27))
    return [(left, foot, left + wide, foot + 17) for left, foot in corners]


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def in_words(log: float, fewer: str, more: str) -> str:
    """A logarithm of a ratio as a change: "9% fewer"."""
    change = 100 * math.expm1(log)
    size = number(abs(change))
    return f"{size}% {fewer if change < 0 else more}" if size != "0" else "under 1%"
