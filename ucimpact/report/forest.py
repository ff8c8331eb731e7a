"""Many estimates of one effect, one below the other, with their average: a forest plot.

A row for each site, sorted: its range as a line and its estimate as a mark whose area is its weight in the
average. Below them the average as a diamond as wide as its range, and the range in which the effect at
another such site would lie. Drawn twice, like every chart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import DASHES, INK, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import BLUE, GHOST, LINE, MUTED, NARROW, PLUM, ROW, cut, texts_of
from ucimpact.report.scale import ticks_within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP = {True: 22, False: 24}
"""Pixels of a row, on the narrow drawing and on the wide one."""

NAMES_WIDE, NAMES_NARROW = 190, 118
"""Pixels that names may take; longer ones are cut with an ellipsis."""

SMALLEST, LARGEST = 3.5, 11.0
"""Width of the mark of a site that weighs next to nothing, and of the one that weighs most."""

REACH = 4.0
"""Ranges this many times as far from no change as the average and its own range run off the plot."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A site: its name, estimate, range, weight from 0 to 1, and its numbers as text."""

    name: str
    estimate: float
    low: float
    high: float
    weight: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Sites with their average.

    Attributes
    ----------
    lines : sequence of Line
        In the order in which they are drawn, the first at the top.
    average : Line
        Drawn as a diamond.
    average_short, reach_short : str
        Their names on the narrow drawing.
    reach : (float, float) or None
        Where the effect at another such site would lie.
    reach_name, reach_text : str
    worded : callable
        A tick with its decimals, in words.
    axis_label : str
    """

    lines: Sequence[Line]
    average: Line
    reach: tuple[float, float] | None
    average_short: str
    reach_name: str
    reach_short: str
    reach_text: str
    worded: Callable[[float, int], str]
    axis_label: str


def forest(chart: Forest, width: int) -> Drawing:
    """The drawing at a width; numbers stand beside the rows where there is room."""
    narrow = width == NARROW
    step = STEP[narrow]
    below = 1 + (chart.reach is not None)
    rows = len(chart.lines) + below
    drawing = blank(width, round(step * (rows + 0.8)) + 34 + ROW)
    every = [*chart.lines, chart.average]
    last = (chart.average_short, chart.reach_short) if narrow else (chart.average.name, chart.reach_name)
    names = [line.name for line in chart.lines] + list(last[:below])
    left = (
        min(
            max(measure(name, SMALL, bold=name == last[0]) for name in names),
            NAMES_NARROW if narrow else NAMES_WIDE,
        )
        + 12
    )
    texts = [line.text for line in every] + [chart.reach_text]
    right = 10 if narrow else max(measure(text, SMALL) for text in texts) + 22
    axes = drawing.axes(left, right, 4, 34 + ROW)
    low, high = limits(chart)
    axes.set_xlim(low, high)
    axes.set_ylim(-rows + 0.3 - 0.5, 0.5)
    _grid(drawing, axes, chart, narrow=narrow)
    most = max(line.weight for line in chart.lines)
    for at, line in enumerate(chart.lines):
        _site(axes, line, -at, (low, high), most)
        _beside(drawing, axes, -at, line.name, "" if narrow else line.text, left)
    place = -len(chart.lines) - 0.3
    _divide(drawing, axes, -len(chart.lines) + 0.35)
    _diamond(axes, chart.average, place, (low, high))
    _beside(drawing, axes, place, last[0], "" if narrow else chart.average.text, left, bold=True)
    if chart.reach is not None:
        a, b = (min(max(v, low), high) for v in chart.reach)
        axes.plot([a, b], [place - 1] * 2, color=MUTED, lw=2.5, dashes=DASHES)
        _beside(drawing, axes, place - 1, last[1], "" if narrow else chart.reach_text, left)
    return drawing


def limits(chart: Forest) -> tuple[float, float]:
    """The ends of the axis: no change, the average, and the sites as far as they say something of it."""
    own = [chart.average.low, chart.average.high, *(chart.reach or ())]
    own += [line.estimate for line in chart.lines]
    most = REACH * max(abs(v) for v in [chart.average.low, chart.average.high, chart.average.estimate])
    most = max(most, max(abs(v) for v in own))
    values = [min(max(v, -most), most) for line in chart.lines for v in (line.low, line.high)] + own + [0.0]
    room = 0.04 * (max(values) - min(values) or 1.0)
    return min(values) - room, max(values) + room


def runs_off(chart: Forest) -> int:
    """How many sites have a range that runs off the plot."""
    low, high = limits(chart)
    return sum(line.low < low or line.high > high for line in chart.lines)


def _site(axes: Axes, line: Line, at: float, ends: tuple[float, float], most: float) -> None:
    low, high = max(line.low, ends[0]), min(line.high, ends[1])
    if line.high < 0:
        shape, face, edge = "o", BLUE, BLUE
    elif line.low > 0:
        shape, face, edge = "D", PLUM, PLUM
    else:
        shape, face, edge = "o", "#fff", GHOST
    axes.plot([low, high], [at, at], color=edge, lw=1.8, solid_capstyle="butt")
    for end, edge_of, mark in ((line.low, ends[0], "<"), (line.high, ends[1], ">")):
        if (end < edge_of) if mark == "<" else (end > edge_of):
            axes.plot([edge_of], [at], ls="none", marker=mark, ms=6, mfc=edge, mec=edge, clip_on=False)
    size = SMALLEST + (LARGEST - SMALLEST) * (line.weight / most) ** 0.5
    axes.plot([line.estimate], [at], ls="none", marker=shape, ms=size, mfc=face, mec=edge, mew=1.8)


def _diamond(axes: Axes, line: Line, at: float, ends: tuple[float, float]) -> None:
    low, high = max(line.low, ends[0]), min(line.high, ends[1])
    axes.fill([low, line.estimate, high, line.estimate], [at, at + 0.34, at, at - 0.34], color=INK, lw=0)


def _beside(
    drawing: Drawing, axes: Axes, at: float, name: str, text: str, left: float, *, bold: bool = False
) -> None:
    """The name left of a row and its numbers right of it."""
    y = float(axes.transData.transform((0, at))[1])
    told = cut(name, left - 10, SMALL, bold=bold)
    drawing.write(0, y, told, colour=INK, size=SMALL, bold=bold, middle=True)
    if text:
        drawing.write(drawing.width, y, text, colour=INK, size=SMALL, bold=bold, align="right", middle=True)


def _divide(drawing: Drawing, axes: Axes, at: float) -> None:
    """A thin line between the sites and their average."""
    y = float(axes.transData.transform((0, at))[1])
    drawing.line((0, y), (drawing.width, y), colour=LINE)


def _grid(drawing: Drawing, axes: Axes, chart: Forest, *, narrow: bool) -> None:
    x0, y0, x1, y1 = drawing.box
    low, high = axes.get_xlim()
    marks = ticks_within(low, high, 3 if narrow else 5)
    texts = texts_of(marks, chart.worded)
    for mark, text in zip(marks, texts, strict=True):
        x = float(axes.transData.transform((mark, 0))[0])
        drawing.line((x, y0), (x, y1), colour=INK if mark == 0 else LINE)
        half = measure(text, SMALL) / 2
        at = min(max(x, half + 1), drawing.width - half - 1)
        drawing.write(at, y0 - 20, text, colour=MUTED, size=SMALL, align="center")
    half = measure(chart.axis_label, SMALL) / 2
    middle = min(max((x0 + x1) / 2, half + 1), drawing.width - half - 1)
    drawing.write(middle, y0 - 20 - ROW, chart.axis_label, colour=MUTED, size=SMALL, align="center")
