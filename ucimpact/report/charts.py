"""Lines and dots, drawn twice: 700 wide for a page, 340 wide for a phone and the first page in print.

Each drawing is built from plain values and finished strings; nothing is worked out here but where
things go. Labels stand beside their lines; on the narrow drawing, where there is no room, they stand
above the plot with a sample of the line. What charts are made of: :mod:`ucimpact.report.chart_parts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ucimpact.report.canvas import DASHES, INK, SIZE, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BAND,
    BAND_INNER,
    BLUE,
    GHOST,
    MANY,
    MUTED,
    NARROW,
    PLUM,
    ROW,
    TEAL,
    End,
    Label,
    Numbers,
    above_the_plot,
    clamped,
    gaps,
    grid,
    key_height,
    label_ends,
    margins,
    named_above,
    periods_below,
    pixel,
    plain,
    rows_above,
    rows_under,
    start_line,
    texts_of,
)
from ucimpact.report.marks import Mark
from ucimpact.report.scale import LEAVE_ZERO, ticks, ticks_within

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class ObservedExpected:
    """What happened to the pilot against what was expected, period by period.

    Attributes
    ----------
    labels : sequence of str
        Short name of each period, "Apr 2022".
    observed, expected, low, high, comparison : sequences as long as ``labels``
        None where there is no value; ``low`` and ``high`` only where the band is drawn.
    start : int or None
        Place of the first pilot period.
    start_label : str
    observed_label, expected_label, comparison_label : Label
        A second short row of ``expected_label`` names the band.
    marks : tuple of Mark
        Other changes, and stretches that do not count.
    """

    labels: Sequence[str]
    observed: Numbers
    expected: Numbers
    low: Numbers
    high: Numbers
    comparison: Numbers = ()
    start: int | None
    start_label: str
    observed_label: Label
    expected_label: Label
    comparison_label: Label | None = None
    axis_label: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Path:
    """Effects by time since the start, with the band for each and the band for all together.

    The line before ``start`` stands at ``divide``, or half a period ahead of it.
    """

    labels: Sequence[str]
    estimates: Numbers
    low: Numbers
    high: Numbers
    band_low: Numbers
    band_high: Numbers
    divide: float | None = None
    start: int
    before_label: str
    after_label: str
    worded: Callable[[float, int], str]
    worthwhile: float | None = None
    axis_label: str = ""


@dataclass(frozen=True, kw_only=True)
class Placebo:
    """The path of the pilot among the paths of the units without it."""

    labels: Sequence[str]
    pilot: Numbers
    others: Sequence[Numbers]
    start: int
    limit: float
    start_label: str
    pilot_label: Label
    others_label: Label
    worded: Callable[[float, int], str]
    axis_label: str = ""


@dataclass(frozen=True, kw_only=True)
class Power:
    """Chance of finding a change, by its true size."""

    sizes: Sequence[float]
    chances: Sequence[float]
    found_at: float
    found_label: tuple[str, ...]
    worthwhile: float | None
    worthwhile_label: tuple[str, str]
    axis_label: str


Chart = ObservedExpected | Path | Placebo | Power


# Drawings


def observed_expected(chart: ObservedExpected, width: int) -> Drawing:
    """Observed in blue, expected dashed with its band from the start, comparison in thin grey."""
    narrow = width == NARROW
    series = (chart.observed, chart.expected, chart.low, chart.high, chart.comparison)
    values = [v for numbers in series for v in numbers if v is not None]
    low, high = min([*values, math.inf]), max([*values, -math.inf])
    if all(v >= 0 for numbers in (chart.observed, chart.comparison) for v in numbers if v is not None):
        low = max(low, 0.0)  # what was never seen below 0 cannot be: a band that reaches there is cut off
    from_zero = low < 0 or low <= LEAVE_ZERO * high
    low = min(low, 0.0) if from_zero else low - 0.1 * (high - low or abs(high))
    marks = ticks(low, high, 6)
    texts = texts_of(marks, plain)
    ends = _ends(chart)
    note = "" if from_zero else f"The scale starts at {texts[0]}, not at 0."
    under = rows_under(chart.axis_label, width) + (1 if note else 0)
    left = max(measure(text, SMALL) for text in texts) + 12
    right, above = margins(ends, narrow)
    placed = above_the_plot(
        chart.marks,
        chart.start,
        chart.start_label,
        (left, width - right),
        (-0.4, len(chart.labels) - 0.6),
        width,
    )
    more = rows_above(placed)
    height = (272 if narrow else 372) + ROW * under + more + (key_height(ends) if narrow else 0)
    drawing = blank(width, height)
    axes = drawing.axes(left, right, above + more, 34 + ROW * under)
    room = (marks[-1] - marks[0]) * 0.02
    axes.set_ylim(marks[0], max(marks[-1], high + room))
    axes.set_xlim(-0.4, len(chart.labels) - 0.6)

    grid(drawing, axes, marks, texts)
    periods_below(drawing, axes, chart.labels, note=note, counts=chart.axis_label)
    named_above(drawing, axes, placed)
    xs = range(len(chart.labels))
    band = [
        (x, a, b)
        for x, a, b in zip(xs, chart.low, chart.high, strict=True)
        if a is not None and b is not None
    ]
    if band:
        axes.fill_between(
            [x for x, *_ in band], [a for _, a, _ in band], [b for *_, b in band], color=BAND, lw=0
        )
    if any(v is not None for v in chart.comparison):
        axes.plot(xs, gaps(chart.comparison), color=GHOST, lw=1.5)
    axes.plot(xs, gaps(chart.expected), color=MUTED, lw=2.5, dashes=DASHES)
    axes.plot(xs, gaps(chart.observed), color=BLUE, lw=3)
    label_ends(drawing, axes, ends, narrow=narrow)
    return drawing


def path(chart: Path, width: int) -> Drawing:
    """Dots by period on two bands; a filled dot or diamond is clear of zero by the wider band."""
    narrow = width == NARROW
    numbers = [*chart.estimates, *chart.band_low, *chart.band_high, *chart.low, *chart.high]
    values = [v for v in [*numbers, 0.0, chart.worthwhile] if v is not None]
    room = 0.06 * (max(values) - min(values) or 1.0)
    low, high = min(values) - room, max(values) + room
    marks = ticks_within(low, high, 5)
    texts = texts_of(marks, chart.worded)
    under = rows_under(chart.axis_label, width)
    drawing = blank(width, (300 if narrow else 340) + ROW * under)
    left = max(measure(text, SMALL) for text in texts) + 12
    axes = drawing.axes(left, 14, 10 + ROW, 34 + ROW * under)
    axes.set_ylim(low, high)
    axes.set_xlim(-0.6, len(chart.labels) - 0.4)
    grid(drawing, axes, marks, texts, zero=True)
    besides = None if chart.divide is None else chart.start
    periods_below(drawing, axes, chart.labels, besides=besides, counts=chart.axis_label)

    xs = range(len(chart.labels))
    inner = BAND_INNER if any(v is not None for v in chart.band_low) else BAND
    for lows, highs, colour in ((chart.band_low, chart.band_high, BAND), (chart.low, chart.high, inner)):
        for run in _runs(xs, lows, highs):
            places, floor, ceiling = zip(*run, strict=True)
            axes.fill_between(places, floor, ceiling, color=colour, lw=0)
    axes.axhline(0, color=INK, lw=1)
    if chart.worthwhile is not None:
        axes.axhline(chart.worthwhile, color=TEAL, lw=2, dashes=(4, 2.6))
    axes.plot(xs, gaps(chart.estimates), color=GHOST, lw=1)
    lows = [b if b is not None else a for a, b in zip(chart.low, chart.band_low, strict=True)]
    highs = [b if b is not None else a for a, b in zip(chart.high, chart.band_high, strict=True)]
    x0, _, x1, _ = drawing.box
    size = min(5.5 if narrow else 7, max(2.5, 0.8 * (x1 - x0) / len(chart.labels)))
    for x, value, lo, hi in zip(xs, chart.estimates, lows, highs, strict=True):
        if value is None:
            continue
        if hi is not None and hi < 0:
            shape, face, edge = "o", BLUE, BLUE
        elif lo is not None and lo > 0:
            shape, face, edge = "D", PLUM, PLUM
        else:
            shape, face, edge = "o", "#fff", GHOST
        axes.plot([x], [value], ls="none", marker=shape, ms=size, mfc=face, mec=edge, mew=2)
    at = chart.start - 0.5 if chart.divide is None else chart.divide
    _divide(drawing, axes, at, chart.before_label, chart.after_label)
    return drawing


def placebo(chart: Placebo, width: int) -> Drawing:
    """Every comparison path in grey, the pilot's in blue."""
    narrow = width == NARROW
    marks = ticks_within(-chart.limit, chart.limit, 5)
    texts = texts_of(marks, chart.worded)
    last = len(chart.labels) - 1
    end = chart.pilot[last] or 0.0
    typical = sorted(v for v in (other[last] for other in chart.others) if v is not None)
    far = typical[len(typical) // 8 if end > 0 else -1 - len(typical) // 8] if typical else 0.0
    ends = [End(last, end, BLUE, 3.0, chart.pilot_label), End(last, far, MANY, 1.5, chart.others_label)]
    under = ROW * rows_under(chart.axis_label, width)
    drawing = blank(width, under + (272 + key_height(ends) if narrow else 360))
    left = max(measure(text, SMALL) for text in texts) + 12
    axes = drawing.axes(left, *margins(ends, narrow), 34 + under)
    axes.set_ylim(-chart.limit, chart.limit)
    axes.set_xlim(-0.4, last + 0.4)
    grid(drawing, axes, marks, texts, zero=True)
    periods_below(drawing, axes, chart.labels, counts=chart.axis_label)
    start_line(drawing, axes, chart.start - 0.5, chart.start_label)
    joined = [v for other in chart.others for v in (*gaps(other), math.nan)]
    axes.plot([*range(last + 1), math.nan] * len(chart.others), joined, color=MANY, lw=0.8)
    axes.axhline(0, color=INK, lw=1)
    axes.plot(range(last + 1), gaps(chart.pilot), color=BLUE, lw=3)
    label_ends(drawing, axes, ends, narrow=narrow)
    return drawing


def power(chart: Power, width: int) -> Drawing:
    """The chance of finding a change rises with its size."""
    narrow = width == NARROW
    drawing = blank(width, 270 if narrow else 290)
    rows = chart.worthwhile_label if narrow else (" ".join(chart.worthwhile_label),)
    above = 10 + (ROW * len(rows) if chart.worthwhile is not None else 0)
    axes = drawing.axes(measure("100", SMALL) + 12, 16, above, 34 + ROW)
    axes.set_ylim(0, 100)
    axes.set_xlim(0, chart.sizes[-1])
    grid(drawing, axes, [0, 20, 40, 60, 80, 100], ["0", "20", "40", "60", "80", "100"])
    x0, y0, x1, y1 = drawing.box
    marks = ticks_within(0, chart.sizes[-1], 4 if narrow else 6)
    for mark, text in zip(marks, texts_of(marks, plain), strict=True):
        clamped(drawing, pixel(axes, mark, 0)[0], y0 - 20, text)
    drawing.write((x0 + x1) / 2, y0 - 20 - ROW, chart.axis_label, colour=MUTED, size=SMALL, align="center")
    axes.plot(chart.sizes, chart.chances, color=BLUE, lw=3)
    if chart.worthwhile is not None:
        at = pixel(axes, chart.worthwhile, 0)[0]
        drawing.line((at, y0), (at, y1 + 4), colour=TEAL, width=2, dashed=True)
        for k, row in enumerate(reversed(rows)):
            clamped(drawing, at, y1 + 8 + ROW * k, row, colour=INK, size=SMALL)
    x, y = pixel(axes, chart.found_at, 80)
    axes.plot([chart.found_at], [80], ls="none", marker="o", ms=9, mfc=BLUE, mec=BLUE)
    size = SMALL if narrow else SIZE
    wide = max(measure(line, size, bold=True) for line in chart.found_label)
    mark = -math.inf if chart.worthwhile is None else pixel(axes, chart.worthwhile, 0)[0]
    right_of, left_of = x + 12, mark - 10 - wide
    if x - 4 < mark < right_of + wide:
        right_of = mark + 10
    at, top = right_of, y - 22
    if right_of + wide > x1:  # further below the curve there is more room to its right
        at, top = x1 - wide, y - 60
        if at - 6 < mark < x1:
            curve = pixel(axes, 0, float(np.interp(left_of, *_curve(axes, chart))))[1]
            at, top = left_of, min(y - 60, curve - ROW - 6)
    for k, line in enumerate(chart.found_label):
        drawing.write(at, top - ROW * k, line, colour=BLUE, size=size, bold=True)
    return drawing


def _curve(axes: Axes, chart: Power) -> tuple[list[float], list[float]]:
    """The curve with its sizes in pixels and its chances as they are."""
    return [pixel(axes, size, 0)[0] for size in chart.sizes], list(chart.chances)


def _ends(chart: ObservedExpected) -> list[End]:
    """The end of each line, uppermost first."""
    told = [
        (chart.expected, MUTED, 2.5, chart.expected_label, True),
        (chart.observed, BLUE, 3.0, chart.observed_label, False),
    ]
    if chart.comparison_label is not None:
        told.append((chart.comparison, GHOST, 1.5, chart.comparison_label, False))
    found = []
    for numbers, colour, width, label, dashed in told:
        known = [(x, v) for x, v in enumerate(numbers) if v is not None]
        if known:
            found.append(End(*known[-1], colour, width, label, dashed))
    return sorted(found, key=lambda end: -end.value)


def _runs(xs: Sequence[int], lows: Numbers, highs: Numbers) -> list[list[tuple[float, float, float]]]:
    """Stretches of neighbours with a band; a lone period gets a width, so that it shows."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for x, lo, hi in zip(xs, lows, highs, strict=True):
        if lo is None or hi is None or lo == hi:
            runs.append([])
        else:
            runs[-1].append((float(x), lo, hi))
    kept = [run for run in runs if run]
    return [
        run if len(run) > 1 else [(run[0][0] - 0.2, *run[0][1:]), (run[0][0] + 0.2, *run[0][1:])]
        for run in kept
    ]


def _divide(drawing: Drawing, axes: Axes, place: float, before: str, after: str) -> None:
    """The start as a line, with what lies on either side of it."""
    _, y0, _, y1 = drawing.box
    x = pixel(axes, place, 0)[0]
    drawing.line((x, y0), (x, y1 + ROW), colour=MUTED)
    row = y1 + 8
    fits_left = measure(before, SMALL) + 10 <= x
    fits_right = measure(after, SMALL) + 10 <= drawing.width - x
    if fits_left:
        drawing.write(x - 8, row, before, colour=MUTED, size=SMALL, align="right")
    if fits_right:
        drawing.write(x + 8, row, after, colour=MUTED, size=SMALL)
