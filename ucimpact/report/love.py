"""How unlike two groups were on each measure before and after they were made comparable: a love plot.

A row for each measure: a ring where the groups stood before, a filled mark where they stand after, and a line
between them. What lies in the shaded strip is called alike; a mark beyond it is a diamond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import INK, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BAND,
    BLUE,
    GHOST,
    LINE,
    MANY,
    MUTED,
    NARROW,
    PLUM,
    ROW,
    cut,
    plain,
    rows_under,
    texts_of,
    written_below,
)
from ucimpact.report.scale import ticks_within

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP = {True: 22, False: 24}
NAMES_WIDE, NAMES_NARROW = 340, 150
REACH = 2.5
"""An axis no longer than this many times the limit of what is nearly alike; what lies beyond is cut."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure with the sizes of its differences; None where one is not known."""

    name: str
    before: float | None
    after: float | None
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Love:
    """Measures in the order in which they are drawn.

    Attributes
    ----------
    rows : sequence of Measured
    alike, nearly : float
        Sizes up to which two groups are called alike, and nearly alike.
    axis_label : str
    """

    rows: Sequence[Measured]
    alike: float
    nearly: float
    axis_label: str

    @property
    def end(self) -> float:
        """Where the axis ends."""
        sizes = [v for row in self.rows for v in (row.before, row.after) if v is not None]
        return min(max([*sizes, self.nearly]) * 1.06, REACH * self.nearly)


def love(chart: Love, width: int) -> Drawing:
    """The drawing at a width; a name takes two lines where it must, three on the narrow one."""
    narrow = width == NARROW
    step, low = STEP[narrow], 34 + ROW * rows_under(chart.axis_label, width)
    most = NAMES_NARROW if narrow else NAMES_WIDE
    names = [_in_lines(row.name, most, 3 if narrow else 2, bold=row.strong) for row in chart.rows]
    heights = [step + (len(name) - 1) * (ROW - 3) for name in names]
    drawing = blank(width, sum(heights) + low + ROW + 10)
    widest = max(
        measure(line, SMALL, bold=row.strong)
        for row, name in zip(chart.rows, names, strict=True)
        for line in name
    )
    axes = drawing.axes(widest + 14, 14, ROW + 8, low)
    axes.set_xlim(0, chart.end)
    axes.set_ylim(-sum(heights), 0)
    _, y0, _, y1 = drawing.box

    def pixel(value: float, row: float) -> tuple[float, float]:
        at = axes.transData.transform((value, row))
        return float(at[0]), float(at[1])

    axes.axvspan(0, chart.alike, color=BAND, lw=0, zorder=0)
    marks = ticks_within(0, chart.end, 4 if narrow else 6)
    for mark, text in zip(marks, texts_of(marks, plain), strict=True):
        x = pixel(mark, 0)[0]
        drawing.line((x, y0), (x, y1), colour=INK if mark == 0 else LINE)
        drawing.write(x, y0 - 20, text, colour=MUTED, size=SMALL, align="center")
    written_below(drawing, chart.axis_label)
    drawing.write(pixel(0, 0)[0] + 2, y1 + 7, "alike", colour=MUTED, size=SMALL)
    if chart.nearly < chart.end and not narrow:
        x = pixel(chart.nearly, 0)[0]
        axes.axvline(chart.nearly, color=GHOST, lw=1, dashes=(2, 2))
        at = min(x + 4, drawing.width - measure("unlike", SMALL) - 1)
        drawing.write(at, y1 + 7, "unlike", colour=MUTED, size=SMALL)
    top = 0.0
    for row, name, height in zip(chart.rows, names, heights, strict=True):
        at = top - height / 2
        top -= height
        y = pixel(0, at)[1] + (len(name) - 1) * (ROW - 3) / 2
        for k, line in enumerate(name):
            drawing.write(0, y - k * (ROW - 3), line, size=SMALL, bold=row.strong, middle=True)
        known = [min(v, chart.end) for v in (row.before, row.after) if v is not None]
        if len(known) == 2:
            axes.plot(known, [at, at], color=MANY, lw=1.5)
        for value, after in ((row.before, False), (row.after, True)):
            if value is not None:
                _point(axes, value, at, chart, after=after)
    return drawing


def _in_lines(name: str, most: float, lines: int, *, bold: bool) -> list[str]:
    """The name in so many lines at most, of which the last may be cut."""
    made: list[str] = []
    rest = name.split()
    while rest:
        line = rest.pop(0)
        last = len(made) == lines - 1
        while rest and (last or measure(f"{line} {rest[0]}", SMALL, bold=bold) <= most):
            line = f"{line} {rest.pop(0)}"
        made.append(cut(line, most, SMALL, bold=bold))
    return made or [""]


def _point(axes: Axes, value: float, at: float, chart: Love, *, after: bool) -> None:
    """A ring before; after, a filled dot where alike and a diamond where not. Beyond the axis, an arrow."""
    if not after:
        shape, face, edge = "o", "#fff", GHOST
    elif value <= chart.alike:
        shape, face, edge = "o", BLUE, BLUE
    else:
        shape, face, edge = "D", PLUM, PLUM
    if value > chart.end:
        shape = ">"
    axes.plot(
        [min(value, chart.end)], [at], ls="none", marker=shape, ms=7 if shape == "D" else 7.5, mfc=face,
        mec=edge, mew=1.8, clip_on=False, zorder=4 if after else 3,
    )  # fmt: skip
