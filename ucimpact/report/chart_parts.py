"""What charts are made of: their colours and widths, labels of lines, ticks, and names above the plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import INK, SIZE, SMALL, Drawing, measure
from ucimpact.report.marks import Mark, Spot, spots
from ucimpact.report.scale import decimals_of_step
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


@dataclass(frozen=True)
class End:
    """Where a line ends, how it is drawn, and its label."""

    place: int
    value: float
    colour: str
    width: float
    label: Label
    dashed: bool = False


def margins(ends: Sequence[End], narrow: bool) -> tuple[float, float]:
    """Room right of the plot and above it, for the labels."""
    if narrow:
        return 14, 12 + ROW + key_height(ends)
    return max(min(_width_of(end.label), WIDEST_LABEL) for end in ends) + 22, 12 + ROW


def key_height(ends: Sequence[End]) -> int:
    return ROW * sum(len(end.label.short) for end in ends) + 6


def gaps(numbers: Numbers) -> list[float]:
    return [math.nan if v is None else v for v in numbers]


def pixel(axes: Axes, x: float, y: float) -> tuple[float, float]:
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
        y = pixel(axes, 0, mark)[1]
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
        x = pixel(axes, place, 0)[0]
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
    x = pixel(axes, place, 0)[0]
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
        left, right = (min(max(pixel(axes, at, 0)[0], x0), x1) for at in (mark.left, mark.right))
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


def label_ends(drawing: Drawing, axes: Axes, ends: Sequence[End], *, narrow: bool) -> None:
    if narrow:
        _key_above(drawing, ends)
    else:
        _labels_beside(drawing, axes, ends)


def _labels_beside(drawing: Drawing, axes: Axes, ends: Sequence[End]) -> None:
    """Labels right of the lines, pushed apart where the lines end close together."""
    _, y0, x1, y1 = drawing.box
    heights = [ROW * (1 + len(end.label.rest)) + 4.0 for end in ends]
    wanted = [min(max(pixel(axes, end.place, end.value)[1], y0), y1) for end in ends]
    middles = spread(wanted, heights, y0 - 20, drawing.height)
    for end, middle, height in zip(ends, middles, heights, strict=True):
        x, y = pixel(axes, end.place, end.value)
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
