"""How many people at each step of a count: columns from 0, such as days to the first visit.

A column without a number is hidden by the small-number rule and stands as a word; several steps told together
are a paler column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ucimpact.report.canvas import SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BLUE,
    NARROW,
    ROW,
    Numbers,
    clamped,
    grid,
    plain,
    rows_under,
    texts_of,
    written_below,
)
from ucimpact.report.scale import ticks
from ucimpact.words import number

PALE = "#8aa4bd"
HIDDEN = "few"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Numbers of people by step.

    Attributes
    ----------
    labels : sequence of str
    values : sequence of float or None
        None where the number is hidden.
    together : sequence of bool
        Which columns are of several steps.
    axis_label : str
    """

    labels: Sequence[str]
    values: Numbers
    together: Sequence[bool]
    axis_label: str


def columns(chart: Columns, width: int) -> Drawing:
    """The drawing at a width; numbers stand above the columns where there is room."""
    narrow = width == NARROW
    marks = ticks(0.0, max([*(v for v in chart.values if v is not None), 1.0]), 5)
    texts = texts_of(marks, plain)
    under = ROW * rows_under(chart.axis_label, width)
    drawing = blank(width, (210 if narrow else 250) + under)
    axes = drawing.axes(max(measure(text, SMALL) for text in texts) + 12, 8, ROW + 4, 34 + under)
    axes.set_ylim(0, marks[-1])
    axes.set_xlim(-0.6, len(chart.labels) - 0.4)
    grid(drawing, axes, marks, texts)
    x0, y0, x1, _ = drawing.box
    each = (x1 - x0) / (len(chart.labels) + 0.2)
    heads = [HIDDEN if v is None else number(v) for v in chart.values]
    roomy = max(measure(text, SMALL) for text in heads) + 6 <= each
    step = next(
        s
        for s in (1, 2, 3, 5, 7, 10, 30, 1000)
        if s * each >= max(measure(t, SMALL) for t in chart.labels) + 8
    )
    last = len(chart.labels) - 1
    for k, (label, value, head) in enumerate(zip(chart.labels, chart.values, heads, strict=True)):
        if value:
            axes.bar([k], [value], width=0.72, color=PALE if chart.together[k] else BLUE, lw=0)
        x, y = (float(v) for v in axes.transData.transform((k, value or 0.0)))
        if k == last or (k % step == 0 and k + step <= last):
            clamped(drawing, x, y0 - 20, label)
        if roomy:
            clamped(drawing, x, y + 5, head)
    written_below(drawing, chart.axis_label)
    return drawing
