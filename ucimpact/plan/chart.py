"""The table of a plan as lines: the smallest change found, over months or over pilot places."""

from __future__ import annotations

import math

from ucimpact.plan.planned import Curve
from ucimpact.report.canvas import DASHES, INK, SMALL, Drawing, blank, measure, settings, svg
from ucimpact.report.chart_parts import BLUE, GHOST, LINE, MUTED, NARROW, ROW, TEAL, WIDE, spread
from ucimpact.report.scale import decimals_of_step, ticks
from ucimpact.words import number, per_cent


def drawn(curve: Curve) -> str:
    """The chart as two SVG elements, of which a page shows the one that fits."""
    described = description(curve)
    return "".join(
        svg(
            drawing(curve, width),
            ident=f"{curve.ident}-{css}",
            css=css,
            title=curve.title,
            description=described,
        )
        for width, css in ((WIDE, "wideonly"), (NARROW, "narrow"))
    )


def description(curve: Curve) -> str:
    """The first and last value of each line, in words."""
    told = []
    for name, values in curve.lines:
        known = [(at, v) for at, v in zip(curve.at, values, strict=True) if v is not None]
        if known:
            (first, high), (last, low) = known[0], known[-1]
            told.append(f"{name}: {per_cent(high)} at {first}, {per_cent(low)} at {last}.")
    if curve.worthwhile is not None:
        told.append(f"Worth having: {per_cent(curve.worthwhile)}.")
    return " ".join([f"{curve.axis}.", *told]) if told else f"{curve.axis}. No {curve.noun} is found."


def drawing(curve: Curve, width: int) -> Drawing:
    """Lines with their names at the right end; the study's own in blue, the change worth having dashed."""
    with settings():
        return _drawing(curve, narrow=width == NARROW, width=width)


def _drawing(curve: Curve, *, narrow: bool, width: int) -> Drawing:
    known = [v for _, values in curve.lines for v in values if v is not None]
    top = max([*known, curve.worthwhile or 0.0, 1.0])
    marks = ticks(0.0, top, 6)
    decimals = decimals_of_step(marks)
    texts = [f"{number(mark, decimals)}%" for mark in marks]
    sheet = blank(width, 290 if narrow else 340)
    names = [name for name, _ in curve.lines]
    right = max(measure(name, SMALL, bold=True) for name in names) + 24
    axes = sheet.axes(max(measure(text, SMALL) for text in texts) + 12, right, 14, 34 + ROW)
    axes.set_ylim(0, marks[-1])
    room = 0.04 * (curve.at[-1] - curve.at[0])
    axes.set_xlim(curve.at[0] - room, curve.at[-1] + room)
    x0, y0, x1, y1 = sheet.box

    def pixel(x: float, y: float) -> tuple[float, float]:
        at = axes.transData.transform((x, y))
        return float(at[0]), float(at[1])

    for k, (mark, text) in enumerate(zip(marks, texts, strict=True)):
        y = pixel(curve.at[0], mark)[1]
        sheet.line((x0, y), (x1, y), colour=INK if k == 0 else LINE)
        sheet.write(x0 - 8, y, text, colour=MUTED, size=SMALL, align="right", middle=True)
    reached = -math.inf
    for at in curve.at:
        x, half = pixel(at, 0)[0], measure(str(at), SMALL) / 2
        sheet.line((x, y0), (x, y0 - 5), colour=MUTED)
        if x - half > reached + 6:
            sheet.write(x, y0 - 22, str(at), colour=MUTED, size=SMALL, align="center")
            reached = x + half
    sheet.write((x0 + x1) / 2, y0 - 22 - ROW, curve.axis, colour=MUTED, size=SMALL, align="center")
    if curve.worthwhile is not None:
        axes.axhline(curve.worthwhile, color=TEAL, lw=2, dashes=DASHES)
        y = pixel(0, curve.worthwhile)[1]
        sheet.write(x0 + 4, y - 16, f"{per_cent(curve.worthwhile)} is worth having", colour=INK, size=SMALL)
    ends = []
    for k, (name, values) in enumerate(curve.lines):
        own = k == curve.own
        points = [(at, v) for at, v in zip(curve.at, values, strict=True) if v is not None]
        if not points:
            continue
        colour = BLUE if own else GHOST
        axes.plot(
            *zip(*points, strict=True), color=colour, lw=3 if own else 1.5, marker="o", ms=6 if own else 4
        )
        ends.append((name, colour, own, pixel(*points[-1])))
    middles = spread([end[3][1] for end in ends], [float(ROW)] * len(ends), y0 - 10, y1 + 14)
    for (name, colour, own, (x, y)), middle in zip(ends, middles, strict=True):
        sheet.line((x + 6, y), (x1 + 8, middle), colour=colour)
        sheet.write(x1 + 12, middle, name, colour=BLUE if own else INK, size=SMALL, bold=own, middle=True)
    return sheet
