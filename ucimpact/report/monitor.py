"""Dots between the limits of a time before, drawn twice: for a page and for a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ucimpact.report.canvas import DASHES, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BLUE,
    GHOST,
    MANY,
    MUTED,
    NARROW,
    PLUM,
    ROW,
    End,
    Label,
    Numbers,
    above_the_plot,
    gaps,
    grid,
    key_height,
    label_ends,
    margins,
    named_above,
    periods_below,
    plain,
    rows_above,
    texts_of,
)
from ucimpact.report.marks import Mark
from ucimpact.report.scale import LEAVE_ZERO, ticks

OUT = "not counted"
SHAPES = {
    "better": ("o", BLUE, BLUE),
    "worse": ("D", PLUM, PLUM),
    "": ("o", "#fff", GHOST),
    OUT: ("o", MANY, MANY),
}


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """Each period as a dot between the limits of the time before the start.

    Attributes
    ----------
    labels : sequence of str
    values : sequence of float or None
    marks : sequence of str
        "better", "worse", "" or :data:`OUT` for each period.
    mean, high : float
    low : float, optional
        None where no value could reach it.
    start : int
        Place of the first pilot period.
    start_label : str
    mean_label, high_label, low_label : Label
    others : tuple of Mark
        Other changes, and stretches that do not count.
    """

    labels: Sequence[str]
    values: Numbers
    marks: Sequence[str]
    mean: float
    low: float | None
    high: float
    start: int
    start_label: str
    mean_label: Label
    high_label: Label
    low_label: Label
    others: tuple[Mark, ...] = ()


def monitor(chart: Monitor, width: int) -> Drawing:
    """Dots joined by a thin line; filled blue where marked as better, a plum diamond as worse."""
    narrow = width == NARROW
    known = [v for v in [*chart.values, chart.low, chart.high] if v is not None]
    low, high = min(known), max(known)
    from_zero = low < 0 or low <= LEAVE_ZERO * high
    low = min(low, 0.0) if from_zero else low - 0.1 * (high - low or abs(high))
    marks = ticks(low, high, 6)
    texts = texts_of(marks, plain)
    last = len(chart.labels) - 1
    ends = [
        End(last, chart.high, MUTED, 1.5, chart.high_label, dashed=True),
        End(last, chart.mean, MUTED, 1.5, chart.mean_label),
    ]
    if chart.low is not None:
        ends.append(End(last, chart.low, MUTED, 1.5, chart.low_label, dashed=True))
    note = "" if from_zero else f"The scale starts at {texts[0]}, not at 0."
    under = ROW if note else 0
    left = max(measure(text, SMALL) for text in texts) + 12
    right, above = margins(ends, narrow)
    placed = above_the_plot(
        chart.others, chart.start, chart.start_label, (left, width - right), (-0.6, last + 0.6), width
    )
    more = rows_above(placed)
    drawing = blank(width, under + more + (272 + key_height(ends) if narrow else 340))
    axes = drawing.axes(left, right, above + more, 34 + under)
    axes.set_ylim(marks[0], max(marks[-1], high + (marks[-1] - marks[0]) * 0.02))
    axes.set_xlim(-0.6, last + 0.6)
    grid(drawing, axes, marks, texts)
    periods_below(drawing, axes, chart.labels, note=note)
    named_above(drawing, axes, placed)
    for end in ends:
        line = axes.axhline(end.value, color=end.colour, lw=end.width)
        if end.dashed:
            line.set_dashes(DASHES)
    axes.plot(range(last + 1), gaps(chart.values), color=GHOST, lw=1)
    x0, _, x1, _ = drawing.box
    size = min(6.5, max(2.5, 0.8 * (x1 - x0) / len(chart.labels)))
    for x, (value, mark) in enumerate(zip(chart.values, chart.marks, strict=True)):
        if value is not None:
            shape, face, edge = SHAPES[mark]
            axes.plot([x], [value], ls="none", marker=shape, ms=size, mfc=face, mec=edge, mew=1.5)
    label_ends(drawing, axes, ends, narrow=narrow)
    return drawing
