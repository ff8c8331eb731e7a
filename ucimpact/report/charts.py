"""Lines and dots, drawn twice: 700 wide for a page, 340 wide for a phone and the first page in print.

Each drawing is built from plain values and finished strings; nothing is worked out here but where
things go. Labels stand beside their lines; on the narrow drawing, where there is no room, they stand
above the plot with a sample of the line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ucimpact.report.canvas import DASHES, INK, SIZE, SMALL, Drawing, blank, measure
from ucimpact.report.marks import Mark, Spot, spots
from ucimpact.report.scale import LEAVE_ZERO, decimals_of_step, ticks, ticks_within
from ucimpact.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, NARROW = 700, 340
MUTED, LINE = "#4d5963", "#d3d9df"
BLUE, TEAL, PLUM, GHOST = "#12436D", "#28A197", "#801650", "#69757f"
BAND, BAND_INNER, MANY = "#dfe4e9", "#c3ccd4", "#c3ccd4"
SHADE = "#f3eee0"
"""Behind a stretch that does not count."""
ROW = 18
WIDEST_LABEL = 190
"""Pixels that a label beside the plot may take; a longer one is cut with an ellipsis."""

Numbers = Sequence[float | None]


@dataclass(frozen=True, kw_only=True)
class Label:
    """The name of a line: a bold head with lines below it; ``short`` is for the narrow drawing."""

    head: str
    rest: tuple[str, ...] = ()
    short: tuple[str, ...]


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
        clamped(drawing, _pixel(axes, mark, 0)[0], y0 - 20, text)
    drawing.write((x0 + x1) / 2, y0 - 20 - ROW, chart.axis_label, colour=MUTED, size=SMALL, align="center")
    axes.plot(chart.sizes, chart.chances, color=BLUE, lw=3)
    if chart.worthwhile is not None:
        at = _pixel(axes, chart.worthwhile, 0)[0]
        drawing.line((at, y0), (at, y1 + 4), colour=TEAL, width=2, dashed=True)
        for k, row in enumerate(reversed(rows)):
            clamped(drawing, at, y1 + 8 + ROW * k, row, colour=INK, size=SMALL)
    x, y = _pixel(axes, chart.found_at, 80)
    axes.plot([chart.found_at], [80], ls="none", marker="o", ms=9, mfc=BLUE, mec=BLUE)
    size = SMALL if narrow else SIZE
    wide = max(measure(line, size, bold=True) for line in chart.found_label)
    mark = -math.inf if chart.worthwhile is None else _pixel(axes, chart.worthwhile, 0)[0]
    right_of, left_of = x + 12, mark - 10 - wide
    if x - 4 < mark < right_of + wide:
        right_of = mark + 10
    at, top = right_of, y - 22
    if right_of + wide > x1:  # further below the curve there is more room to its right
        at, top = x1 - wide, y - 60
        if at - 6 < mark < x1:
            curve = _pixel(axes, 0, float(np.interp(left_of, *_curve(axes, chart))))[1]
            at, top = left_of, min(y - 60, curve - ROW - 6)
    for k, line in enumerate(chart.found_label):
        drawing.write(at, top - ROW * k, line, colour=BLUE, size=size, bold=True)
    return drawing


def _curve(axes: Axes, chart: Power) -> tuple[list[float], list[float]]:
    """The curve with its sizes in pixels and its chances as they are."""
    return [_pixel(axes, size, 0)[0] for size in chart.sizes], list(chart.chances)


# Parts


@dataclass(frozen=True)
class End:
    """Where a line ends, how it is drawn, and its label."""

    place: int
    value: float
    colour: str
    width: float
    label: Label
    dashed: bool = False


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


def margins(ends: Sequence[End], narrow: bool) -> tuple[float, float]:
    """Room right of the plot and above it, for the labels."""
    if narrow:
        return 14, 12 + ROW + key_height(ends)
    return max(min(_width_of(end.label), WIDEST_LABEL) for end in ends) + 22, 12 + ROW


def key_height(ends: Sequence[End]) -> int:
    return ROW * sum(len(end.label.short) for end in ends) + 6


def gaps(numbers: Numbers) -> list[float]:
    return [math.nan if v is None else v for v in numbers]


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


def _pixel(axes: Axes, x: float, y: float) -> tuple[float, float]:
    at = axes.transData.transform((x, y))
    return float(at[0]), float(at[1])


def _width_of(label: Label) -> float:
    return max([measure(label.head, SIZE, bold=True), *(measure(line, SMALL) for line in label.rest)])


def cut(text: str, most: float, size: int, *, bold: bool = False) -> str:
    """The text, or as much of it as fits, with an ellipsis."""
    if measure(text, size, bold=bold) <= most:
        return text
    while text and measure(text + "…", size, bold=bold) > most:
        text = text[:-1].rstrip()
    return text + "…"


def plain(value: float, decimals: int) -> str:
    return number(value, decimals) if value else "0"


def texts_of(marks: Sequence[float], worded: Callable[[float, int], str]) -> list[str]:
    """Every tick with as many decimals as tell them apart."""
    decimals = decimals_of_step(marks)
    return [worded(mark, decimals) for mark in marks]


def grid(
    drawing: Drawing, axes: Axes, marks: Sequence[float], texts: Sequence[str], *, zero: bool = False
) -> None:
    x0, _, x1, _ = drawing.box
    for k, (mark, text) in enumerate(zip(marks, texts, strict=True)):
        y = _pixel(axes, 0, mark)[1]
        drawing.line((x0, y), (x1, y), colour=INK if (mark == 0 if zero else k == 0) else LINE)
        drawing.write(x0 - 8, y, text, colour=MUTED, size=SMALL, align="right", middle=True)


BY_WEEK = (1, 2, 4, 8, 13, 26, 52, 104, 260)
ROOMY = 44
"""Pixels between the names of days."""
BY_DAY = (1, 2, 5, 10, 15, 30, 60, 90, 180, 365)
BY_MONTH = (1, 2, 3, 4, 6, 12, 24, 36, 48, 60, 120, 180, 240, 600)


def rows_under(text: str, width: int) -> int:
    """Lines that a text takes below an axis."""
    return len(_broken(text, width))


def _broken(text: str, width: int) -> list[str]:
    """A text in lines that fit the drawing."""
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}", SMALL) <= width - 8:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def periods_below(
    drawing: Drawing,
    axes: Axes,
    labels: Sequence[str],
    *,
    note: str = "",
    besides: int | None = None,
    counts: str = "",
    days: bool = False,
) -> None:
    """Names of periods at even steps, as many as fit with a fifth to spare; ``besides`` too if it fits.

    ``counts`` says below them what they count; numbers then stand at even steps from 0, and those of days at
    round ones.
    """
    x0, y0, x1, _ = drawing.box
    widest = max(1.2 * max(measure(label, SMALL) for label in labels) + 8, ROOMY if days else 0)
    steps = BY_DAY if days else BY_WEEK if labels[0][:1].isdigit() and not counts else BY_MONTH
    step = next((s for s in steps if s * (x1 - x0) / len(labels) >= widest), len(labels))
    first = labels.index("0") % step if counts and "0" in labels else 0
    places = [place for place in range(first, len(labels), step) if labels[place]]
    if besides is not None and (besides - places[-1]) * (x1 - x0) / len(labels) >= widest:
        places.append(besides)
    for place in places:
        x = _pixel(axes, place, 0)[0]
        drawing.line((x, y0), (x, y0 - 5), colour=MUTED)
        clamped(drawing, x, y0 - 22, labels[place])
    written_below(drawing, counts)
    if note:
        drawing.write(0, 6, note, colour=MUTED, size=SMALL)


def written_below(drawing: Drawing, text: str) -> None:
    """What an axis counts, below the names of its ticks, in as many lines as it takes."""
    x0, y0, x1, _ = drawing.box
    for k, line in enumerate(_broken(text, drawing.width)):
        clamped(drawing, (x0 + x1) / 2, y0 - 22 - ROW * (k + 1), line)


def clamped(
    drawing: Drawing, x: float, y: float, text: str, *, colour: str = MUTED, size: int = SMALL
) -> None:
    """Centred text that stays on the drawing."""
    half = measure(text, size) / 2
    x = min(max(x, half + 1), drawing.width - half - 1)
    drawing.write(x, y, text, colour=colour, size=size, align="center")


def start_line(drawing: Drawing, axes: Axes, place: float, label: str) -> None:
    _, y0, _, y1 = drawing.box
    x = _pixel(axes, place, 0)[0]
    drawing.line((x, y0), (x, y1 + 4), colour=MUTED)
    clamped(drawing, x, y1 + 9, label)


Named = tuple[Mark, str, Spot]
"""A mark, its name as it fits the drawing, and where the name stands."""


def above_the_plot(
    marks: Sequence[Mark],
    start: int | None,
    start_label: str,
    pixels: tuple[float, float],
    places: tuple[float, float],
    width: int,
) -> list[Named]:
    """The start first, then the other marks, each with a place for its name.

    ``pixels`` are the left and right edge of the plot, ``places`` what stands there.
    """
    known = [] if start is None else [Mark(first=start, label=start_label)]
    known += list(marks)
    each = (pixels[1] - pixels[0]) / (places[1] - places[0])
    texts = [cut(mark.label, 0.9 * width, SMALL) for mark in known]
    wanted = [
        (pixels[0] + each * ((mark.left + mark.right) / 2 - places[0]), 1.02 * measure(text, SMALL))
        for mark, text in zip(known, texts, strict=True)
    ]
    return list(zip(known, texts, spots(wanted, width), strict=True))


def rows_above(placed: Sequence[Named]) -> int:
    """Pixels that the names take above the row that every chart has."""
    return ROW * max((spot.row for _, _, spot in placed), default=0)


def named_above(drawing: Drawing, axes: Axes, placed: Sequence[Named]) -> None:
    """Shades and lines of the marks, with their names above the plot."""
    x0, y0, x1, y1 = drawing.box
    for mark, text, spot in placed:
        left, right = (min(max(_pixel(axes, at, 0)[0], x0), x1) for at in (mark.left, mark.right))
        if mark.last is not None:
            axes.axvspan(mark.left, mark.right, color=SHADE, lw=0, zorder=0)
            drawing.line((left, y1), (right, y1), colour=MUTED, width=2)
        top = y1 + 4 + (ROW * spot.row if _is_clear(placed, (left + right) / 2, spot.row) else 0)
        middle = (left + right) / 2
        drawing.line((middle, y0 if mark.last is None else y1), (middle, top), colour=MUTED)
        drawing.write(spot.middle, y1 + 9 + ROW * spot.row, text, colour=MUTED, size=SMALL, align="center")


def _is_clear(placed: Sequence[Named], x: float, row: int) -> bool:
    """Whether no name in a lower row stands where the line to this one would go."""
    return all(
        spot.row >= row or abs(spot.middle - x) > measure(text, SMALL) / 2 + 3 for _, text, spot in placed
    )


def _divide(drawing: Drawing, axes: Axes, place: float, before: str, after: str) -> None:
    """The start as a line, with what lies on either side of it."""
    _, y0, _, y1 = drawing.box
    x = _pixel(axes, place, 0)[0]
    drawing.line((x, y0), (x, y1 + ROW), colour=MUTED)
    row = y1 + 8
    fits_left = measure(before, SMALL) + 10 <= x
    fits_right = measure(after, SMALL) + 10 <= drawing.width - x
    if fits_left:
        drawing.write(x - 8, row, before, colour=MUTED, size=SMALL, align="right")
    if fits_right:
        drawing.write(x + 8, row, after, colour=MUTED, size=SMALL)


def label_ends(drawing: Drawing, axes: Axes, ends: Sequence[End], *, narrow: bool) -> None:
    if narrow:
        _key_above(drawing, ends)
    else:
        _labels_beside(drawing, axes, ends)


def _labels_beside(drawing: Drawing, axes: Axes, ends: Sequence[End]) -> None:
    """Labels right of the lines, pushed apart where the lines end close together."""
    _, y0, x1, y1 = drawing.box
    heights = [ROW * (1 + len(end.label.rest)) + 4.0 for end in ends]
    wanted = [min(max(_pixel(axes, end.place, end.value)[1], y0), y1) for end in ends]
    middles = spread(wanted, heights, y0 - 20, drawing.height)
    for end, middle, height in zip(ends, middles, heights, strict=True):
        x, y = _pixel(axes, end.place, end.value)
        head = middle + height / 2 - ROW + 3
        drawing.line((x + 4, min(max(y, y0), y1)), (x1 + 12, head + 5), colour=end.colour)
        colour = BLUE if end.colour == BLUE else INK
        text = cut(end.label.head, WIDEST_LABEL, SIZE, bold=True)
        drawing.write(x1 + 16, head, text, colour=colour, bold=True)
        for k, line in enumerate(end.label.rest):
            text = cut(line, WIDEST_LABEL, SMALL)
            drawing.write(x1 + 16, head - ROW * (k + 1), text, colour=MUTED, size=SMALL)


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Middles as near as may be to those wanted, with no two labels of these heights touching."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    placed = dict(enumerate(wanted))
    floor = low
    for k in order:
        placed[k] = max(placed[k], floor + heights[k] / 2)
        floor = placed[k] + heights[k] / 2
    ceiling = high
    for k in reversed(order):
        placed[k] = min(placed[k], ceiling - heights[k] / 2)
        ceiling = placed[k] - heights[k] / 2
    return [placed[k] for k in range(len(wanted))]


def _key_above(drawing: Drawing, ends: Sequence[End]) -> None:
    """A sample of each line with its label, above the plot; a second row stands for the band."""
    y = drawing.height - ROW + 4.0
    for end in ends:
        for k, text in enumerate(end.label.short):
            if k == 0:
                drawing.line((0, y + 5), (24, y + 5), colour=end.colour, width=end.width, dashed=end.dashed)
            else:
                drawing.line((0, y + 5), (24, y + 5), colour=BAND, width=12)
            kept = cut(text, drawing.width - 34, SMALL)
            drawing.write(32, y, kept, colour=BLUE if end.colour == BLUE else INK, size=SMALL)
            y -= ROW
