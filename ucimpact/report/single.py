"""Drawings of a single result: a likely range on its axis, and a fall taken apart.

Both are one row of shapes in a sheet of pixels. The text of the page holds the numbers too; here they are
for the eye.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucimpact.report.canvas import DASHES, INK, SIZE, SMALL, Drawing, blank, measure
from ucimpact.report.intervals import Answer, answer_of
from ucimpact.report.scale import decimals_of_step, ticks_within
from ucimpact.words import Measure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place = Callable[[float], float]

MUTED, LINE = "#4d5963", "#d3d9df"
BLUE, TEAL_INK, PLUM, GHOST = "#12436D", "#1d7a72", "#801650", "#69757f"
BARS: dict[Answer, str] = {"fell": "#b9cbdb", "rose": "#dcbccd", "unsure": "#c3ccd4"}
SIDE = 14.0
"""Pixels left free at either end of an axis, for half a label."""
FEWEST, MOST_TICKS = 2, 7
"""Ticks on one side with 0, and on both."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A best estimate with its likely range, no change, and the smallest worthwhile change.

    Attributes
    ----------
    est, lo, hi : float
    worthwhile : float or None
        With its sign: negative where fewer is better.
    how : Measure
        Words for a difference.
    unit : str
        "per 100 people", after "fewer" and "more" on the wide drawing.
    """

    est: float
    lo: float
    hi: float
    worthwhile: float | None
    how: Measure
    unit: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A fall, and the part of it that would have happened anyway.

    Attributes
    ----------
    total, anyway : float
        Sizes from 0; ``anyway`` is at most ``total``.
    head : tuple of str
        What a simple comparison would claim; the rest of it goes below the first on the narrow drawing.
    anyway_text, rest_text : tuple of str
        Wide and narrow.
    range_text : str
        Below ``rest_text``; "" for none.
    linked : bool
        Whether the rest is linked to the service; else it is left open.
    """

    total: float
    anyway: float
    head: tuple[str, str]
    anyway_text: tuple[str, str]
    rest_text: tuple[str, str]
    range_text: str
    linked: bool


def interval(chart: Interval, width: int, *, narrow: bool) -> Drawing:
    """A bar on an axis that reaches as far on both sides; shape and colour say which side of no change."""
    height = 128
    drawing, axes = _sheet(width, height)
    values = [chart.est, chart.lo, chart.hi, chart.worthwhile or 0.0]
    reach = 1.04 * max(abs(v) for v in values) or 1.0
    marks = _marks(reach, 5 if narrow else MOST_TICKS)

    def place(value: float) -> float:
        return SIDE + (width - 2 * SIDE) * (value + reach) / (2 * reach)

    floor, top = 44.0, 106.0
    drawing.line((SIDE, floor), (width - SIDE, floor), colour=INK)
    _axis(drawing, chart, marks, place, floor)
    axes.plot([place(0.0)] * 2, [floor, top], color=INK, lw=2)
    _names_above(drawing, axes, chart, place, (floor, top))
    answer = answer_of(chart.lo, chart.hi)
    low, high, middle = place(chart.lo), place(chart.hi), 69.0
    axes.barh(middle, max(high - low, 2.0), left=low, height=16, color=BARS[answer], zorder=1)
    colour = {"fell": BLUE, "rose": PLUM, "unsure": GHOST}[answer]
    axes.plot(
        [place(chart.est)], [middle], linestyle="none", marker="D" if answer == "rose" else "o",
        markersize=15 if answer == "rose" else 18, markeredgewidth=4, markeredgecolor=colour,
        markerfacecolor="#fff" if answer == "unsure" else colour, zorder=3,
    )  # fmt: skip
    return drawing


def _sheet(width: int, height: int) -> tuple[Drawing, Axes]:
    """A drawing whose plot is the sheet itself, in pixels."""
    drawing = blank(width, height)
    axes = drawing.axes(0, 0, 0, 0)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return drawing, axes


def _marks(reach: float, most: int) -> list[float]:
    """Ticks that lie alike on both sides of 0: round numbers rather than many."""
    tried = [ticks_within(0.0, reach, count) for count in range(max(most // 2 + 1, FEWEST), FEWEST - 1, -1)]
    upper = min((marks for marks in tried if len(marks) > 1), key=decimals_of_step, default=[0.0, reach])
    return [-mark for mark in reversed(upper) if mark] + upper


def _axis(drawing: Drawing, chart: Interval, marks: Sequence[float], place: Place, floor: float) -> None:
    decimals = decimals_of_step(marks)
    for mark in marks:
        x = place(mark)
        drawing.line((x, floor), (x, floor - 5), colour=MUTED)
        text = f"{chart.how.before}{number(abs(mark), decimals)}{chart.how.after}" if mark else "0"
        half = measure(text, SMALL) / 2
        x = min(max(x, half + 1), drawing.width - half - 1)
        drawing.write(x, floor - 20, text, colour=MUTED, size=SMALL, align="center")
    unit = f" {chart.unit}" if chart.unit else ""
    sides = [f"{word}{unit}" for word in (chart.how.fewer, chart.how.more)]
    if sum(measure(text, SMALL) for text in sides) > drawing.width - 40:
        sides = [chart.how.fewer, chart.how.more]
    drawing.write(2, 4, sides[0], colour=MUTED, size=SMALL)
    drawing.write(drawing.width - 2, 4, sides[1], colour=MUTED, size=SMALL, align="right")


def _names_above(
    drawing: Drawing, axes: Axes, chart: Interval, place: Place, ends: tuple[float, float]
) -> None:
    """ "No difference" on one side of its line, the smallest worthwhile change on the other."""
    zero, row = place(0.0), ends[1] + 7
    if chart.worthwhile is None:
        drawing.write(zero, row, "no difference", colour=MUTED, size=SMALL, align="center")
        return
    x = place(chart.worthwhile)
    axes.plot([x, x], ends, color=TEAL_INK, lw=2, dashes=DASHES)
    size = f"{chart.how.before}{number(abs(chart.worthwhile), _decimals(chart.worthwhile))}{chart.how.after}"
    word = chart.how.word(chart.worthwhile)
    left = chart.worthwhile < 0
    room = (zero if left else drawing.width - zero) - 12
    texts = (f"worth having: {size} {word}", f"worthwhile: {size}", size)
    text = next((t for t in texts if measure(t, SMALL) <= room), texts[-1])
    wide = measure(text, SMALL)
    if left:
        end = min(max(x + wide / 3, wide + 1), zero - 8)
        drawing.write(end, row, text, colour=MUTED, size=SMALL, align="right")
        drawing.write(zero - 2, row, "no difference", colour=MUTED, size=SMALL)
    else:
        start = max(min(x - wide / 3, drawing.width - wide - 1), zero + 8)
        drawing.write(start, row, text, colour=MUTED, size=SMALL)
        drawing.write(zero + 2, row, "no difference", colour=MUTED, size=SMALL, align="right")


def _decimals(value: float) -> int:
    return 0 if float(value).is_integer() or abs(value) >= 100 else 1


def claim(chart: Claim, width: int, *, narrow: bool) -> Drawing:
    """One bar for the whole fall: grey happened anyway; the rest is blue, or open where nothing links it."""
    cut = 1 + (width - 2) * chart.anyway / chart.total
    inside, rest = chart.anyway_text[narrow], chart.rest_text[narrow]
    fits = measure(inside, SIZE) + 24 <= cut
    rows = 1 + bool(chart.range_text) + (not fits)
    height = (110 if narrow else 92) + 18 * rows
    drawing, axes = _sheet(width, height)
    top = height - 14.0
    drawing.write(1, top, chart.head[0], bold=True)
    if narrow:
        drawing.write(1, top - 18, chart.head[1])
    else:
        drawing.write(width - 1, top, chart.head[1], align="right")
    ceiling = top - (34 if narrow else 16)
    drawing.line((1, ceiling - 6), (1, ceiling), (width - 1, ceiling), (width - 1, ceiling - 6), colour=MUTED)
    middle = ceiling - 32
    axes.barh(middle, cut - 1, left=1, height=40, color=LINE)
    colour = BLUE if chart.linked else INK
    if chart.anyway < chart.total:
        start = min(cut + 2, width - 3)
        axes.barh(
            middle, width - 1 - start, left=start, height=40, color=BLUE if chart.linked else "#fff",
            edgecolor=BLUE if chart.linked else MUTED, linewidth=0 if chart.linked else 1.2,
        )  # fmt: skip
        stub = (start + width - 1) / 2
        drawing.line((stub, middle - 22), (stub, middle - 32), colour=colour, width=2)
    row = middle - 47
    drawing.write(width - 1, row, rest, bold=True, colour=colour, align="right")
    if chart.range_text:
        row -= 18
        drawing.write(width - 1, row, chart.range_text, colour=MUTED, size=SMALL, align="right")
    if fits:
        drawing.write(12, middle - 5, inside)
    else:
        drawing.write(1, row - 18, inside)
    return drawing
