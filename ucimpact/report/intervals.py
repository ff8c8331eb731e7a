"""Rows of best estimates with their ranges: a table whose last cell is drawn with placed spans.

The text of a row holds its numbers; the drawing repeats them for the eye. Shape carries the meaning:
a filled dot lies clear of no change on the side of fewer, a diamond on the side of more, a hollow
ring cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ucimpact.report.scale import Axis, css, decimals_of_step, ticks_within
from ucimpact.words import Measure, number, spoken

Answer = Literal["fell", "rose", "unsure"]
NEAR_START, NEAR_END = 12.0, 84.0
LEFT_OF_TICK = {"first": 0.45, "": 0.5, "last": 0.8}
"""Share of a name that stands left of its tick, as the style sheet has it."""
NARROW_PLOT, LETTER = 260.0, 7.0
"""Pixels of the narrowest plot that a page makes, and of a letter beside it."""
REACH = 3.0
"""Ranges this many times as far from no change as the first row's run off the axis."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """An estimate to be shown as a row; None for a limit that cannot be had.

    One that is ``raw`` is no finding, and is drawn as an open square whatever its range.
    """

    label: str
    est: float
    lo: float | None
    hi: float | None
    detail: str = ""
    main: bool = False
    raw: bool = False

    @property
    def told(self) -> str:
        """The detail, unless it says what the label says."""
        return "" if self.detail.casefold() == self.label.casefold() else self.detail


@dataclass(frozen=True, kw_only=True)
class Row:
    """A finished row. ``dot``, ``bar_left`` and ``bar_width`` are css lengths, "" where not drawn."""

    label: str
    detail: str
    main: bool
    difference: str
    range: str
    answer: Answer
    dot: str
    bar_left: str
    bar_width: str
    raw: bool


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark of the axis; ``side`` keeps the first and last label on the page."""

    left: str
    text: str
    side: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows under a heading, "" for none."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A table of interval rows with its axis."""

    caption: str
    head: str
    difference_head: str
    groups: tuple[Group, ...]
    ticks: tuple[Tick, ...]
    zero: str
    worthwhile: str
    worthwhile_text: str
    fewer: str
    more: str
    shown: tuple[Answer, ...]
    off_axis: int
    unsure: str = "Could not tell: the range includes no change"
    raw: str = ""


def answer_of(lo: float | None, hi: float | None) -> Answer:
    """Which side of no change a range lies on."""
    if hi is not None and hi < 0:
        return "fell"
    return "rose" if lo is not None and lo > 0 else "unsure"


def rows(
    caption: str,
    head: str,
    groups: Sequence[tuple[str, Sequence[Result]]],
    how: Measure,
    *,
    worthwhile: float | None = None,
    worthwhile_text: str = "",
    likely_range: str = "95% interval",
    raw: str = "",
) -> Rows:
    """Results as rows on one axis that holds no change and, if given, the smallest worthwhile change.

    Parameters
    ----------
    caption, head : str
        Name of the table and of its first column.
    groups : sequence of (heading, results)
        The first result of all sets how far the axis may reach.
    how : Measure
        Words and decimals for a difference.
    worthwhile : float, optional
        With its sign: negative where fewer is better.
    raw : str
        What an open square stands for.
    """
    results = [result for _, members in groups for result in members]
    axis = _axis(results, worthwhile)
    drawn = tuple(
        Group(heading=heading, rows=tuple(row_of(r, axis, how, worthwhile) for r in members))
        for heading, members in groups
        if members
    )
    present = {row.answer for group in drawn for row in group.rows if not row.raw}
    order: tuple[Answer, ...] = ("fell", "rose", "unsure")
    return Rows(
        caption=caption,
        head=head,
        difference_head=f"Difference ({likely_range})",
        groups=drawn,
        ticks=ticks_of(axis, how),
        zero=css(axis.place(0.0)),
        worthwhile="" if worthwhile is None else css(axis.place(worthwhile)),
        worthwhile_text=worthwhile_text,
        fewer=how.fewer.capitalize(),
        more=how.more.capitalize(),
        shown=tuple(answer for answer in order if answer in present),
        unsure=_unsure([result for result in results if not result.raw]),
        raw=raw if any(result.raw for result in results) else "",
        off_axis=sum(not all(axis.holds(v) for v in _values(r)) for r in results),
    )


def _unsure(results: Sequence[Result]) -> str:
    """What an empty mark stands for: a range that includes no change, or that there is none."""
    unsure = [r for r in results if answer_of(r.lo, r.hi) == "unsure"]
    ranged = [r for r in unsure if r.lo is not None and r.hi is not None]
    if unsure and not ranged:
        return "No likely range"
    return "Could not tell: the range includes no change" + (
        "" if len(ranged) == len(unsure) else ", or there is none"
    )


def _values(result: Result) -> list[float]:
    return [v for v in (result.est, result.lo, result.hi) if v is not None]


def _axis(results: Sequence[Result], worthwhile: float | None) -> Axis:
    marks = [0.0] if worthwhile is None else [0.0, 1.15 * worthwhile]
    reach = REACH * max(abs(v) for v in (*_values(results[0]), *marks, 1e-12))
    held = [min(max(v, -reach), reach) for result in results for v in _values(result)] + marks
    low, high = min(held), max(held)
    room = 0.06 * (high - low or 1.0)
    return Axis(low=low - room, high=high + room)


def ticks_of(axis: Axis, how: Measure) -> tuple[Tick, ...]:
    """As many ticks, up to five, as have names that keep apart on a narrow plot."""
    made: tuple[Tick, ...] = ()
    for most in (5, 4, 3, 2):
        made = _named(axis, ticks_within(axis.low, axis.high, most), how)
        if _apart(made):
            break
    return made


def _named(axis: Axis, places: Sequence[float], how: Measure) -> tuple[Tick, ...]:
    decimals = decimals_of_step(places)
    ticks = []
    for k, place in enumerate(places):
        text = f"{how.before}{number(abs(place), decimals)}{how.after}"
        if not place:
            text = "0"
        elif decimals > 1:
            text = number(place, decimals)
        elif k in (0, len(places) - 1):
            text = f"{text} {how.word(place)}"
        at = axis.place(place)
        side = "first" if at < NEAR_START else "last" if at > NEAR_END else ""
        ticks.append(Tick(left=css(at), text=text, side=side))
    return tuple(ticks)


def _apart(ticks: Sequence[Tick]) -> bool:
    """Whether no two names would touch on a plot of ``NARROW_PLOT`` pixels."""
    ends = []
    for tick in ticks:
        width = LETTER * len(tick.text)
        start = float(tick.left[:-1]) / 100 * NARROW_PLOT - LEFT_OF_TICK[tick.side] * width
        ends.append((start, start + width))
    return all(second[0] - first[1] >= LETTER for first, second in pairwise(ends))


def row_of(result: Result, axis: Axis, how: Measure, worthwhile: float | None) -> Row:
    """A result in words, and where it lies on the axis."""
    w = None if worthwhile is None else abs(worthwhile)
    lo, hi = result.lo, result.hi
    if lo is None or hi is None:
        said = spoken(result.est, result.est, result.est, how, w)
        difference, likely, left, width = said.difference, "no likely range", "", ""
    else:
        said = spoken(result.est, lo, hi, how, w)
        difference, likely = said.difference, said.range
        left, width = css(axis.place(lo)), css(axis.place(hi) - axis.place(lo))
    return Row(
        label=result.label,
        detail=result.told,
        main=result.main,
        difference=difference,
        range=likely,
        answer="unsure" if result.raw else answer_of(lo, hi),
        raw=result.raw,
        dot=css(axis.place(result.est)) if axis.holds(result.est) else "",
        bar_left=left,
        bar_width=width,
    )
