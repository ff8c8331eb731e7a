"""The chance that a value exceeds a price, for every price: one line or two, and today's price.

Drawn twice, like every chart. The chance falls as the price rises; the line of today's price meets it at the
chance that the page prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.report.canvas import DASHES, INK, SMALL, Drawing, blank, measure
from ucimpact.report.chart_parts import (
    BLUE,
    MUTED,
    NARROW,
    PLUM,
    ROW,
    TEAL,
    End,
    Label,
    clamped,
    grid,
    key_height,
    label_ends,
    margins,
    pixel,
)
from ucimpact.report.scale import ticks_within
from ucimpact.words.pounds import per_person

COLOURS = (BLUE, TEAL, PLUM, MUTED)
CHANCES = (0, 25, 50, 75, 100)


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Lines of chances over prices, at most four.

    Attributes
    ----------
    prices : sequence of float
        Pounds per person, from 0, at even steps.
    series : sequence of (Label, sequence of float)
        Chances in per cent.
    price : float
        Today's.
    price_label : str
    """

    prices: Sequence[float]
    series: Sequence[tuple[Label, Sequence[float]]]
    price: float
    price_label: str


def chances(chart: Chances, width: int) -> Drawing:
    """The drawing at a width."""
    narrow = width == NARROW
    ends = [
        End(len(values) - 1, values[-1], colour, 3.0 if k == 0 else 2.5, label, dashed=k > 0)
        for k, ((label, values), colour) in enumerate(zip(chart.series, COLOURS, strict=False))
    ]
    drawing = blank(width, 270 + (key_height(ends) if narrow else 30))
    right, above = margins(ends, narrow)
    axes = drawing.axes(measure("100%", SMALL) + 12, right, above + ROW, 34 + ROW)
    axes.set_ylim(0, 100)
    last = len(chart.prices) - 1
    each = chart.prices[-1] / last
    axes.set_xlim(0, last)
    grid(drawing, axes, CHANCES, [f"{chance}%" if chance else "0" for chance in CHANCES])
    _, y0, _, y1 = drawing.box
    for mark in ticks_within(0, chart.prices[-1], 3 if narrow else 6):
        clamped(drawing, pixel(axes, mark / each, 0)[0], y0 - 20, per_person(mark))
    clamped(drawing, (drawing.box[0] + drawing.box[2]) / 2, y0 - 20 - ROW, "price of one person")
    for k, (end, (_, values)) in enumerate(zip(ends, chart.series, strict=True)):
        style: dict[str, Any] = {"dashes": DASHES} if k else {}
        axes.plot(range(last + 1), values, color=end.colour, lw=end.width, **style)
    at = pixel(axes, chart.price / each, 0)[0]
    drawing.line((at, y0), (at, y1 + 4), colour=INK, width=1.5)
    clamped(drawing, at, y1 + 8, chart.price_label, colour=INK)
    label_ends(drawing, axes, ends, narrow=narrow)
    return drawing
