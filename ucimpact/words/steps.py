"""The steps that certainty takes, each a function of plain facts with a sentence of its own.

A step's head ("One step down:") is printed bold and its text after it. A function returns None where
its facts give nothing to say; a step that costs nothing is printed only where its absence would be asked
about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.words.claims import bad_change, good_change
from ucimpact.words.numbers import joint, likely, limit, measure, number

BREAKDOWN = 2.0
"""One or two pilot places do if the finding bears them being so many times as changeable (a judgement)."""
VARIANCE_FLAG = 2.0
FEWEST_OTHERS = 10
WIDE = 2.0
"""A range off no change whose half-width passes this many worthwhile effects was found by luck."""
OTHER_SIGN = 0.5
"""A sensitivity analysis of the other sign counts from this share of the worthwhile effect (a judgement)."""
ANALYSED, LINKED = 0.5, 0.8
"""Shares of the eligible below which what was measured is not what was asked (a judgement)."""
ALLOCATION_COST = {"random": 0, "comparison": 2, "series": 2, "before-after": 3}

PHRASES = {
    "A": "{chosen} were not chosen by lot",
    "A0": "{chosen} were chosen by lot",
    "A3": "there is nothing to compare with",
    "K": "a check is in doubt or fails",
    "K-doubtful": "checks are in doubt",
    "K-fails": "a check fails",
    "F": "few places had the pilot",
    "F-others": "few places stand beside the pilot",
    "F-flag": "the pilot places were more changeable than the others",
    "S": "the series is short",
    "P1": "the range is wide",
    "P2": "the range is very wide",
    "P-none": "no likely range can be given",
    "N": "other analyses point the other way",
    "W": "the result depends on the dates chosen",
    "W-plan": "the plan was changed after the data were seen",
    "D": "what was measured is not quite what was asked",
    "cap-one-place": "only one place had the pilot",
    "cap-controls": "what should not change leaves room for a bias as large as the effect",
    "cap-not-locked": "the plan was not locked before the outcome data",
}
"""The noun phrase of each step in the certainty line."""

HEADS = {
    0: "No step down:",
    1: "One step down:",
    2: "Two steps down:",
    3: "Three steps down:",
    -1: "One step back:",
}

Interval = tuple[float, float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the scale. ``head`` is printed bold, ``text`` after it; ``cost`` is -1 for a step back."""

    code: str
    cost: int
    head: str
    text: str
    phrase: str = ""

    @property
    def sentence(self) -> str:
        """Head and text together."""
        return f"{self.head} {self.text}"


def make_step(code: str, cost: int, text: str, phrase: str = "", head: str = "") -> Step:
    """A step whose head follows from its cost, and whose phrase goes by its code, unless said."""
    return Step(code=code, cost=cost, head=head or HEADS[cost], text=text, phrase=phrase or code)


# -- one function a step: facts in, a step out, or None where there is nothing to say ------


def allocation_step(
    allocation: str = "comparison", *, chosen: str = "people", supported: str = "supported"
) -> Step:
    """A: how it was settled who had the pilot."""
    if allocation not in ALLOCATION_COST:
        raise ValueError(f"allocation is one of {', '.join(ALLOCATION_COST)}; this is {allocation!r}")
    cost = ALLOCATION_COST[allocation]
    if cost == 0:
        return make_step("A", 0, "chosen by lot.", "A0")
    if cost == 3:
        return make_step("A", 3, "there is nothing to compare with.", "A3")
    text = f"{chosen} were not chosen by lot. Those {supported} may have been different in ways records miss."
    return make_step("A", 2, text)


def checks_step(failed: Sequence[str] = (), doubtful: Sequence[str] = ()) -> Step | None:
    """K: the questions of key checks that fail or are in doubt."""
    said = [f"“{question}” fails" for question in failed]
    said += [f"“{question}” is in doubt" for question in doubtful]
    if failed or len(doubtful) > 1:
        return make_step("K", 1, f"{'. '.join(said)}.", "K-fails" if failed else "K-doubtful")
    if doubtful:
        return make_step("K", 0, f"{said[0]}.", head="No step down, but none back:")
    return None


def places_step(
    *,
    n1: int,
    n0: int,
    rho: float | None = None,
    variance_flag: bool | float = False,
    place: str = "place",
) -> Step | None:
    """F: few places, or pilot places unlike the others.

    ``rho`` is the breakdown ratio, None where the range includes no change; ``variance_flag`` the
    ratio of month-to-month variances before the pilot, or whether it passes the limit.
    """
    flagged = variance_flag if isinstance(variance_flag, bool) else variance_flag > VARIANCE_FLAG
    fragile = n1 <= 2 and (rho is None or rho < BREAKDOWN)
    if not (fragile or flagged or n0 < FEWEST_OTHERS):
        return None
    return _places(n1, n0, rho, place, fragile=fragile, flagged=flagged)


def _places(n1: int, n0: int, rho: float | None, place: str, *, fragile: bool, flagged: bool) -> Step:
    pilot = f"pilot {place}{'s' if n1 != 1 else ''}"
    was, it, is_ = ("was", "it", "is") if n1 == 1 else ("were", "they", "are")
    if flagged and not fragile:
        phrase, text = "F-flag", f"The {pilot} {was} more changeable than the others before the start."
    elif rho is not None and rho > 0 and n1 <= 5:
        phrase = "F" if fragile else "F-others"
        times = f"less than {number(rho, 1)} times as changeable"
        text = f"The finding stands only if the {pilot} {is_} by nature {times}."
    elif fragile:
        phrase, text = (
            "F",
            f"The range takes for granted that {it} {is_} by nature as changeable as the others.",
        )
    else:
        phrase, text = "F-others", "With so few others, their own ups and downs are hard to know."
    return make_step("F", 1, f"{n1:,} {pilot} and {n0:,} others. {text}", phrase)


def series_step(
    *, before: int, after: int, df: float | None = None, per_year: float = 12, periods: str = "months"
) -> Step | None:
    """S: under two years before the start or one after it, or five degrees of freedom."""
    monthly = per_year == 12
    if before >= 2 * per_year and after >= per_year:
        if not monthly or df is None or df >= 5:
            return None
        text = f"{before} {periods} before and {after} after say little, each is so like the one before it."
        return make_step("S", 1, text)
    text = f"{before} {periods} before and {after} after are too few to know season from change."
    if before >= 2 * per_year:  # the season is known, and what the pilot did in a part of it is not
        one = periods.removesuffix("s") if after == 1 else periods
        text = f"only {after} {one} after the start, so not every season of the effect was seen."
    return make_step("S", 1, text)


def imprecision_step(
    code: str | None,
    lo: float | None = None,
    hi: float | None = None,
    w: float | None = None,
    *,
    better: str = "lower",
    kind: str = "count",
    percent: bool = False,
) -> Step | None:
    """P: the range against what the headline claims; ``code`` None where there is no range."""
    if code is None or lo is None or hi is None:
        return make_step("P", 2, "no likely range can be given.", "P-none")
    if code in ("W+", "b", "N", "h", "W-"):
        return None
    if code in ("B", "H") and (w is None or (hi - lo) / 2 <= WIDE * w):
        return _leaves_out_no_change("fall" if hi <= 0 else "rise")
    if code == "X" and w is not None:
        return _very_wide(better)
    return _wide(lo, hi, w, better=better, kind=kind, percent=percent)


def _leaves_out_no_change(noun: str) -> Step:
    text = f"the range leaves out no change, though it cannot tell a small {noun} from a large one."
    return make_step("P", 0, text)


def _very_wide(better: str) -> Step:
    text = f"the range holds a worthwhile {good_change(better)} and a {bad_change(better)} that matters."
    return make_step("P", 2, text, "P2")


def _wide(lo: float, hi: float, w: float | None, *, better: str, kind: str, percent: bool) -> Step:
    how = measure(kind, percent=percent)
    ends = [limit(lo, how, w), limit(hi, how, w)]
    if lo < 0 < hi:  # as the range itself prints them
        ends = likely(lo, hi, how, w).split(" to ")
    best, worst = ends if better == "lower" else reversed(ends)
    return make_step("P", 1, f"the range runs from {best} to {worst}.", "P1")


def analyses_step(
    est: float,
    others: Sequence[Interval],
    w: float | None = None,
    *,
    lo: float | None = None,
    hi: float | None = None,
) -> Step | None:
    """N: declared sensitivity analyses of the other sign, or whose range leaves out the main estimate.

    With no ``w`` agreed, the size that matters is taken as half of the main estimate's own. ``lo`` and ``hi``
    are the limits of the main estimate: where they leave out no change, an analysis that includes it does
    not agree, it is too wide to say.
    """
    m = len(others)
    if not m:
        return None
    matters = OTHER_SIGN * (w if w is not None else abs(est))
    away = [o for o in others if (o[0] * est < 0 and abs(o[0]) >= matters) or _leaves_out(o, est)]
    if away:
        return _away(len(away), m)
    if any(o[0] * est < 0 for o in others):
        return make_step("N", 0, f"no other analysis ({m}) differs from ours by enough to matter.")
    if lo is not None and hi is not None and (lo > 0 or hi < 0):
        return _same_way(m, sum(_includes_no_change(o) for o in others))
    return _same_way(m)


def _leaves_out(other: Interval, est: float) -> bool:
    _, lo, hi = other
    return lo is not None and hi is not None and not lo <= est <= hi


def _includes_no_change(other: Interval) -> bool:
    _, lo, hi = other
    return lo is not None and hi is not None and lo <= 0 <= hi


def _away(k: int, m: int) -> Step:
    if m == 1:
        return make_step("N", 1, "the other analysis points the other way or leaves out our result.")
    points, leaves = ("points", "leaves") if k == 1 else ("point", "leave")
    return make_step("N", 1, f"{k} of {m} analyses {points} the other way or {leaves} out our result.")


def _same_way(m: int, wide: int = 0) -> Step:
    if wide:
        one = "the other is" if wide == 1 else f"the other {wide} are"
        agrees = "agrees" if m - wide == 1 else "agree"
        said = f"{m - wide} of {m} analyses {agrees}; {one} too wide to say."
        if wide == m:
            said = f"{m} analyses point the same way, and all are too wide to say more."
            said = "the other analysis points the same way, and is too wide to say more." if m == 1 else said
        return make_step("N", 0, said)
    return make_step(
        "N", 0, f"{m} analyses point the same way." if m > 1 else "the other analysis points the same way."
    )


def dates_step(
    est: float, lo: float | None, hi: float | None, moved: Sequence[float], *, plan_changed: bool = False
) -> Step | None:
    """W: the dates moved by 1, 2 and 3 periods, and the plan kept."""
    outside = lo is not None and hi is not None and any(not lo <= e <= hi or e * est < 0 for e in moved)
    said = ["the result depends on the dates chosen"] if outside else []
    said += ["the plan was changed after the data were seen"] if plan_changed else []
    return make_step("W", 1, f"{', and '.join(said)}.", "W" if outside else "W-plan") if said else None


def directness_step(
    *,
    proxy: str | None = None,
    analysed: float | None = None,
    linked: float | None = None,
    follow_up_short: bool = False,
) -> Step | None:
    """D: whether what was measured is what was asked.

    ``proxy`` is the outcome's phrase where it was declared to stand in for another; ``analysed`` and
    ``linked`` are shares of those eligible.
    """
    said = [proxy] if proxy else []
    if analysed is not None and analysed < ANALYSED:
        said.append(f"{number(100 * analysed)}% of those eligible")
    if linked is not None and linked < LINKED:
        said.append(f"{number(100 * linked)}% with linked records")
    if follow_up_short:
        said.append("a follow-up shorter than the question")
    return (
        make_step("D", 1, f"what was measured ({joint(said)}) is not quite what was asked.") if said else None
    )


# -- the sentence of one step, from its facts alone --------------------------------------


def step(code: str, **facts: Any) -> str:
    """The sentence of a step: ``step("F", n1=1, n0=20, rho=1.6)``.

    Codes are A, K, F, S, P0, P1, P2, N, N0, W, D, R1, R2, R3; the facts are the keywords of the
    function that makes the step.
    """
    builders: dict[str, Callable[..., Step | None]] = {
        "A": allocation_step,
        "K": checks_step,
        "F": _few_places,
        "S": series_step,
        "P0": lambda better="lower": _leaves_out_no_change(good_change(better)),
        "P1": lambda lo, hi, w=None, better="lower", kind="count", percent=False: _wide(
            lo, hi, w, better=better, kind=kind, percent=percent
        ),
        "P2": lambda better="lower": _very_wide(better),
        "N": lambda k, m: _away(k, m),
        "N0": _same_way,
        "W": lambda plan=False: dates_step(-1.0, -1.0, -1.0, [] if plan else [1.0], plan_changed=plan),
        "D": directness_step,
        **{route: (lambda route=route: make_step("back", -1, BACK[route])) for route in BACK},
    }
    if code not in builders:
        raise ValueError(f"a step is one of {', '.join(builders)}; this is {code!r}")
    made = builders[code](**facts)
    if made is None:
        raise ValueError(f"these facts take no step {code}")
    return made.sentence


def _few_places(*, n1: int, n0: int, rho: float | None = None, place: str = "place") -> Step:
    return _places(n1, n0, rho, place, fragile=n1 <= 2, flagged=False)


BACK = {
    "R1": "every check holds, including those for what records miss.",
    "R2": "two independent designs agree.",
    "R3": "the effect is large, and no other analysis shrinks it below what is worthwhile.",
}
