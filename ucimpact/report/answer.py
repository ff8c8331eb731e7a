"""The first screen: finding, observed against expected, how sure, what to do next, and what it was worth.

Squares are drawn where whole numbers tell the story (one square an event per base of people, and
expected less happened is the difference that the sentence names); two bars from 0 otherwise; and
nothing where no effect may be claimed. Where no event has a value, the block of the money says so, and what
could have been found stands below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ucimpact.report import trials
from ucimpact.report.figures import how_measured, may_claim
from ucimpact.report.money import Worth, worth
from ucimpact.report.phrases import emphasised
from ucimpact.report.scale import Axis, css
from ucimpact.words import LEVELS, bare, capital, measure, number, rounded
from ucimpact.words.brief import not_worked_out
from ucimpact.words.numbers import COUNTED, sits_on_a_limit

LONG_HEADLINE = 88
"""Letters beyond which the headline is set smaller, to keep the answer on the first screen."""
MOST_SQUARES = 200
WIDE_SQUARES, NARROW_SQUARES, SQUARE = 38, 19, 18


@dataclass(frozen=True, kw_only=True)
class Square:
    """One event: ``kind`` is "was" (happened), "not" (did not) or "more" (beyond what was expected)."""

    x: int
    y: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Squares in rows, the likely range as a bracket below the last row, and texts (x, anchor, text)."""

    css: str
    width: int
    height: int
    squares: tuple[Square, ...]
    bracket: str
    text_y: int
    texts: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of the pair; ``range_left`` is "" where there is no range."""

    label: str
    value: str
    kind: str
    width: str
    range_left: str = ""
    range_width: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Observed against expected on the first screen: squares where whole numbers tell it, else two bars."""

    caption: str
    name: str
    strips: tuple[Strip, ...] = ()
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do next; ``league`` is what a league of pilots made of this one, where it has stood in one."""

    verdict: str
    because: str
    next_steps: tuple[str, ...]
    would_change: tuple[str, ...]
    league: str = ""


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """Four levels, of which those reached are filled, and the reason for each step."""

    levels: tuple[tuple[str, bool, bool], ...]
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The first screen."""

    headline: str
    long: bool
    lead: tuple[tuple[str, bool], ...]
    extra: tuple[str, ...]
    question: tuple[str, str]
    picture: Picture | None
    decision: Decision
    certainty: Certainty
    worth: Worth
    found: str


def answer(document: Mapping[str, Any]) -> Answer:
    """Finding, how sure, what to do next, and what could have been found."""
    finding, told = document["finding"], document["finding"]["sentences"]
    decided, certainty = document["decision"], document["certainty"]
    reached = LEVELS.index(certainty["level"])
    block = worth(document) or _not_valued(decided)
    return Answer(
        headline=told["headline"],
        long=len(told["headline"]) > LONG_HEADLINE,
        lead=emphasised(told.get("lead") or "", found=may_claim(finding)),
        extra=tuple(told.get("extra") or ()),
        question=trials.question(document),
        picture=picture(finding),
        decision=Decision(
            verdict=decided["verdict"],
            because=decided.get("because") or "",
            next_steps=tuple(decided.get("next_steps") or ()),
            would_change=tuple(decided.get("would_change") or ()),
            league=document.get("league") or "",
        ),
        certainty=Certainty(
            levels=tuple((capital(name), k <= reached, k == reached) for k, name in enumerate(LEVELS)),
            steps=tuple((step["head"], step["text"]) for step in certainty["steps"]),
        ),
        worth=block,
        found="" if block.columns else told.get("found") or "",
    )


def _not_valued(decided: Mapping[str, Any]) -> Worth:
    """The block of the money where the study declares no value: what it cost, and what is missing."""
    cost = (decided.get("cost") or {}).get("text") or ""
    return Worth(spent="", each="", columns=(), notes=not_worked_out(decided, cost))


def picture(finding: Mapping[str, Any]) -> Picture | None:
    """Observed against expected, from the numbers of the finding."""
    if not may_claim(finding) or None in (finding.get("observed"), finding.get("expected")):
        return None
    return squares(finding) or bars(finding)


def squares(finding: Mapping[str, Any]) -> Picture | None:
    """One square an event, where a base was found and the whole numbers add up."""
    lo, hi = finding["lo"], finding["hi"]
    expected, happened = int(rounded(finding["expected"])), int(rounded(finding["observed"]))
    gap = int(rounded(abs(finding["est"])))
    fewer = finding["est"] < 0
    told = finding["base"] and finding["kind"] in COUNTED and lo * hi > 0 and gap > 0
    if not told or max(expected, happened) > MOST_SQUARES or expected - happened != (gap if fewer else -gap):
        return None
    how = measure(finding["kind"])
    if sits_on_a_limit(finding["est"], lo, hi, how, finding.get("w")):
        return None
    spans = bare(lo, hi, how, finding.get("w"))
    left = f"{happened} happened" if fewer else f"{expected} expected"
    right = (
        f"{gap} did not (likely range {spans})" if fewer else f"{gap} more happened (likely range {spans})"
    )
    of = f"Of {expected} {finding['outcome']} expected {finding['per']}, {happened} happened: "
    name = (
        of + (f"{gap} did not" if fewer else f"{gap} more than expected") + f"; the likely range is {spans}"
    )
    caption = f"The {expected} {finding['outcome']} expected {finding['per']}"
    span = (abs(lo), abs(hi)) if abs(lo) < abs(hi) else (abs(hi), abs(lo))
    strips = tuple(
        strip(happened, expected, span, most, css_class, left, right)
        for most, css_class in ((WIDE_SQUARES, "wideonly"), (NARROW_SQUARES, "narrow"))
    )
    return Picture(caption=caption, name=name, strips=strips)


def strip(
    happened: int, expected: int, span: tuple[float, float], most: int, css_class: str, left: str, right: str
) -> Strip:
    """Squares in rows of at most ``most``, and the bracket of the range on the last rows."""
    total = max(happened, expected)
    kinds = ["was"] * min(happened, expected)
    kinds += ["not"] * (expected - happened) if happened < expected else ["more"] * (happened - expected)
    cells = tuple(
        Square(x=1 + SQUARE * (k % most), y=1 + 24 * (k // most), kind=kind) for k, kind in enumerate(kinds)
    )
    floor = 24 * -(-total // most)
    reach = SQUARE * min(total, most) - 4
    short = reach < 330
    texts = ((1, "start", f"{left}; {right}"),) if short else ((1, "start", left), (reach, "end", right))
    return Strip(
        css=css_class,
        width=SQUARE * most,
        height=floor + 30,
        squares=cells,
        bracket=_bracket(happened, expected, span, most, floor - 2),
        text_y=floor + 22,
        texts=texts,
    )


def _bracket(happened: int, expected: int, span: tuple[float, float], most: int, y: int) -> str:
    """Path of the bracket below the last row, "" where the range begins on an earlier row."""
    total = max(happened, expected)
    first = SQUARE * most * ((total - 1) // most)
    if happened < expected:
        ends = (expected - span[1], expected - span[0])
    else:
        ends = (expected + span[0], expected + span[1])
    low, high = (SQUARE * end - first for end in ends)
    if low < 0 or high > SQUARE * min(most, total) + SQUARE:
        return ""
    return f"M{low:.0f} {y}v6H{high:.0f}v-6"


def bars(finding: Mapping[str, Any]) -> Picture:
    """Expected with its range, and observed, as two bars from 0."""
    how = how_measured(finding, [])
    low, high = finding["observed"] - finding["hi"], finding["observed"] - finding["lo"]
    axis = Axis(low=0.0, high=1.02 * max(high, finding["observed"], finding["expected"], 1e-12))
    decimals = 0 if max(finding["observed"], finding["expected"]) >= 1000 else 1

    def amount(value: float) -> str:
        return f"{how.before}{number(value, decimals)}{how.after}"

    return Picture(
        caption=f"{finding['label']} {finding['per']}, with the likely range of what was expected",
        name=f"{amount(finding['expected'])} expected and {amount(finding['observed'])} observed",
        bars=(
            Bar(
                label="Expected",
                value=amount(finding["expected"]),
                kind="e",
                width=css(axis.place(finding["expected"])),
                range_left=css(axis.place(low)),
                range_width=css(axis.place(high) - axis.place(low)),
            ),
            Bar(
                label="Observed",
                value=amount(finding["observed"]),
                kind="o",
                width=css(axis.place(finding["observed"])),
            ),
        ),
    )
