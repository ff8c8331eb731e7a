"""How sure: one scale that starts at high, with a reason for every step.

Steps A to D are added up, at most one is earned back, the floor is very low, and the lowest cap that
applies holds. Two steps are taken where people or places were not chosen by lot, so a tidy comparison
is low and the best moderate: GRADE starts every design at high and lets the risk of bias bring
non-random ones down [1]_. Imprecision is judged against what the headline claims [2]_: "reduces"
claims a direction, so a range that leaves out no change takes no step for holding small effects.

References
----------
.. [1] GRADE guidelines 18 (2019): how ROBINS-I and other tools to assess risk of bias in nonrandomized
   studies should be used to rate the certainty of a body of evidence. *Journal of Clinical
   Epidemiology* 111, 105-114.
.. [2] Core GRADE 2 (2025): choosing the target of certainty rating and assessing imprecision. *BMJ*
   389, e081904.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.words.claims import bad_change, benefit, good_change
from ucimpact.words.numbers import joint, limit, measure, number
from ucimpact.words.sentences import LEVELS, rank

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
R1_PILOT, R1_OTHERS, R1_PLACES = 6, 10, 2
R3_BENEFIT, R3_E_VALUE = 2.0, 2.0
BIAS_ROOM = 4.0

ALLOCATION_COST = {"random": 0, "comparison": 2, "series": 2, "before-after": 3}
QUESTIONS = {
    "pre_trend": "Did pilot and comparison move alike before the pilot?",
    "season": "Can the time of year be told from the effect?",
    "balance": "Were the two groups alike at the start?",
    "clock": "Did both clocks start at the same moment?",
    "negative_controls": "Did outcomes that the pilot cannot change stay the same?",
    "other_change": "Did anything else change at the same time?",
    "same_coding": "Was the outcome counted in the same way throughout?",
    "unmeasured": "Could something unrecorded explain the result?",
}
"""The key checks, and the question that stands for each unless the check brings its own."""

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


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """The level, its steps in order, and the line that sums them up."""

    level: str
    steps: tuple[Step, ...]
    line: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        steps = [{"code": s.code, "cost": s.cost, "head": s.head, "text": s.text} for s in self.steps]
        return {"level": self.level, "steps": steps, "line": self.line}


def _step(code: str, cost: int, text: str, phrase: str = "", head: str = "") -> Step:
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
        return _step("A", 0, "chosen by lot.", "A0")
    if cost == 3:
        return _step("A", 3, "there is nothing to compare with.", "A3")
    text = f"{chosen} were not chosen by lot. Those {supported} may have been different in ways records miss."
    return _step("A", 2, text)


def checks_step(failed: Sequence[str] = (), doubtful: Sequence[str] = ()) -> Step | None:
    """K: the questions of key checks that fail or are in doubt."""
    said = [f"“{question}” fails" for question in failed]
    said += [f"“{question}” is in doubt" for question in doubtful]
    if failed or len(doubtful) > 1:
        return _step("K", 1, f"{'. '.join(said)}.", "K-fails" if failed else "K-doubtful")
    if doubtful:
        return _step("K", 0, f"{said[0]}.", head="No step down, but none back:")
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
    count = f"{n1:,} {pilot} and {n0:,} others."
    was, its, is_ = ("was", "it", "is") if n1 == 1 else ("were", "they", "are")
    if flagged and not fragile:
        return _step(
            "F", 1, f"{count} The {pilot} {was} more changeable than the others before the start.", "F-flag"
        )
    if rho is not None and rho > 0 and n1 <= 5:
        times = f"less than {number(rho, 1)} times as changeable."
        text = f"{count} The finding stands only if the {pilot} {is_} by nature {times}"
        return _step("F", 1, text, "F" if fragile else "F-others")
    if fragile:
        return _step(
            "F",
            1,
            f"{count} The range takes for granted that {its} {is_} by nature as changeable as the others.",
        )
    return _step("F", 1, f"{count} With so few others, their own ups and downs are hard to know.", "F-others")


def series_step(
    *, before: int, after: int, df: float | None = None, per_year: float = 12, periods: str = "months"
) -> Step | None:
    """S: under two years before the start or one after it, or five degrees of freedom."""
    monthly = per_year == 12
    if before >= 2 * per_year and after >= per_year:
        if not monthly or df is None or df >= 5:
            return None
        text = f"{before} {periods} before and {after} after say little, each is so like the one before it."
        return _step("S", 1, text)
    text = f"{before} {periods} before and {after} after are too few to know season from change."
    return _step("S", 1, text)


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
        return _step("P", 2, "no likely range can be given.", "P-none")
    if code in ("W+", "b", "N", "h", "W-"):
        return None
    if code in ("B", "H") and (w is None or (hi - lo) / 2 <= WIDE * w):
        return _leaves_out_no_change("fall" if hi <= 0 else "rise")
    if code == "X" and w is not None:
        return _very_wide(better)
    return _wide(lo, hi, w, better=better, kind=kind, percent=percent)


def _leaves_out_no_change(noun: str) -> Step:
    text = f"the range leaves out no change, though it cannot tell a small {noun} from a large one."
    return _step("P", 0, text)


def _very_wide(better: str) -> Step:
    text = f"the range holds a worthwhile {good_change(better)} and a {bad_change(better)} that matters."
    return _step("P", 2, text, "P2")


def _wide(lo: float, hi: float, w: float | None, *, better: str, kind: str, percent: bool) -> Step:
    how = measure(kind, percent=percent)
    best, worst = (lo, hi) if better == "lower" else (hi, lo)
    return _step("P", 1, f"the range runs from {limit(best, how, w)} to {limit(worst, how, w)}.", "P1")


def analyses_step(est: float, others: Sequence[Interval], w: float | None = None) -> Step | None:
    """N: declared sensitivity analyses of the other sign, or whose range leaves out the main estimate.

    With no ``w`` agreed, the size that matters is taken as half of the main estimate's own.
    """
    m = len(others)
    if not m:
        return None
    matters = OTHER_SIGN * (w if w is not None else abs(est))
    away = [o for o in others if (o[0] * est < 0 and abs(o[0]) >= matters) or _leaves_out(o, est)]
    if away:
        return _away(len(away), m)
    if any(o[0] * est < 0 for o in others):
        return _step("N", 0, f"no other analysis ({m}) differs from ours by enough to matter.")
    return _same_way(m)


def _leaves_out(other: Interval, est: float) -> bool:
    _, lo, hi = other
    return lo is not None and hi is not None and not lo <= est <= hi


def _away(k: int, m: int) -> Step:
    if m == 1:
        return _step("N", 1, "the other analysis points the other way or leaves out our result.")
    points, leaves = ("points", "leaves") if k == 1 else ("point", "leave")
    return _step("N", 1, f"{k} of {m} analyses {points} the other way or {leaves} out our result.")


def _same_way(m: int) -> Step:
    return _step(
        "N", 0, f"{m} analyses point the same way." if m > 1 else "the other analysis points the same way."
    )


def dates_step(
    est: float, lo: float | None, hi: float | None, moved: Sequence[float], *, plan_changed: bool = False
) -> Step | None:
    """W: the dates moved by 1, 2 and 3 periods, and the plan kept."""
    outside = lo is not None and hi is not None and any(not lo <= e <= hi or e * est < 0 for e in moved)
    said = ["the result depends on the dates chosen"] if outside else []
    said += ["the plan was changed after the data were seen"] if plan_changed else []
    return _step("W", 1, f"{', and '.join(said)}.", "W" if outside else "W-plan") if said else None


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
    return _step("D", 1, f"what was measured ({joint(said)}) is not quite what was asked.") if said else None


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
        **{route: (lambda route=route: _step("back", -1, BACK[route])) for route in BACK},
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


def certainty_line(level: str, steps: Sequence[str], chosen: str = "people") -> str:
    """ "Certainty is low: people were not chosen by lot." from the codes of :data:`PHRASES`."""
    rank(level)
    phrases = [PHRASES[code].format(chosen=chosen) for code in dict.fromkeys(steps)]
    if not phrases:
        return f"Certainty is {level}."
    if len(phrases) > 1:
        phrases[-1] = f"and {phrases[-1]}"
    return f"Certainty is {level}: {', '.join(phrases)}."


# -- the grade ---------------------------------------------------------------------------


def grade(
    *,
    allocation: str,
    claim: str | None,
    est: float | None = None,
    lo: float | None = None,
    hi: float | None = None,
    w: float | None = None,
    better: str = "lower",
    kind: str = "count",
    percent: bool = False,
    outcome: str = "the outcome",
    chosen: str = "people",
    supported: str = "supported",
    place: str = "place",
    checks: Mapping[str, str] | None = None,
    questions: Mapping[str, str] | None = None,
    place_level: bool = False,
    n1: int | None = None,
    n0: int | None = None,
    breakdown: float | None = None,
    variance_flag: bool | float = False,
    places: int | None = None,
    one_place: bool = False,
    before: int | None = None,
    after: int | None = None,
    df: float | None = None,
    per_year: float = 12,
    periods: str = "months",
    sensitivity: Sequence[Sequence[Any]] = (),
    dates: Sequence[Sequence[Any]] = (),
    plan_changed: bool = False,
    proxy: bool = False,
    analysed: float | None = None,
    linked: float | None = None,
    follow_up_short: bool = False,
    locked: bool = False,
    designs: Sequence[Sequence[Any]] = (),
    e_value: float | None = None,
    controls: tuple[float, float, float] | None = None,
) -> Certainty:
    """The level of certainty, with the reason for every step.

    Parameters
    ----------
    allocation : {"random", "comparison", "series", "before-after"}
        How it was settled who had the pilot, and what stands beside it.
    claim : str or None
        Code of the headline's claim; None where there is no likely range.
    est, lo, hi, w : float
        The headline effect, its limits and the smallest worthwhile effect, in the same units; per cent
        where ``percent``.
    outcome, chosen, supported, place, periods : str
        Words: "emergency admissions"; "people were not chosen by lot"; "Those supported may ..."; "1 pilot
        place"; "months".
    checks : mapping of str to str
        Answers ("holds", "doubtful", "fails", "cannot tell") of the checks that count. Only the keys of
        :data:`QUESTIONS` are read; ``questions`` brings their wording.
    place_level, n1, n0, breakdown, variance_flag
        Whether places were compared, how many units had the pilot and how many did not, the breakdown
        ratio (None where the range includes no change), and the flag of unlike variance.
    places, one_place : int, bool
        Places over which the pilot's units spread; whether one place, or one decision to start, had it.
    before, after, df, per_year, periods
        For a series: its lengths, degrees of freedom and frequency.
    sensitivity, dates : sequences of (est, lo, hi, ...)
        Declared analyses, and the main one with its dates moved, in the headline's units. An entry
        whose estimate is None was refused and is not counted.
    plan_changed, locked : bool
        Outcome, window or method changed after the data were seen; protocol locked before.
    proxy, analysed, linked, follow_up_short
        Directness: a stand-in outcome, shares of those eligible, a follow-up shorter than asked.
    designs : sequence of (est, lo, hi, ...)
        Effects by designs with different comparison sources, the first the main one (route R2).
    e_value : float, optional
        E-value of the limit nearest no change (route R3).
    controls : (float, float, float), optional
        Pooled log ratio of negative controls, its standard error, and the log ratio claimed.
    """
    answers = {name: answer for name, answer in (checks or {}).items() if name in QUESTIONS}
    wording = {**QUESTIONS, **(questions or {})}
    counted = {name: answer for name, answer in answers.items() if name != "unmeasured"}
    failed = [wording[name] for name, answer in counted.items() if answer == "fails"]
    doubtful = [wording[name] for name, answer in counted.items() if answer == "doubtful"]
    others = [_interval(row) for row in sensitivity if row[0] is not None]
    moved = [float(row[0]) for row in dates if row[0] is not None]

    steps: list[Step | None] = [
        allocation_step(allocation, chosen=chosen, supported=supported),
        checks_step(failed, doubtful),
        places_step(n1=n1, n0=n0, rho=breakdown, variance_flag=variance_flag, place=place)
        if place_level and n1 is not None and n0 is not None
        else None,
        series_step(before=before, after=after, df=df, per_year=per_year, periods=periods)
        if before is not None and after is not None
        else None,
        imprecision_step(claim, lo, hi, w, better=better, kind=kind, percent=percent),
        analyses_step(est, others, w) if est is not None else None,
        dates_step(est if est is not None else 0.0, lo, hi, moved, plan_changed=plan_changed),
        directness_step(
            proxy=outcome if proxy else None,
            analysed=analysed,
            linked=linked,
            follow_up_short=follow_up_short,
        ),
    ]
    taken = [made for made in steps if made is not None]
    cost = sum(made.cost for made in taken)

    not_sure = [(wording[name], answer) for name, answer in answers.items() if answer != "holds"]
    eligible = cost == ALLOCATION_COST[allocation] == 2
    route = None
    if eligible and not not_sure and est is not None and lo is not None and hi is not None:
        route = _route(
            benefit(est, lo, hi, better), w, better, others, designs, answers,
            locked=locked, n1=n1, n0=n0, places=places, e_value=e_value,
        )  # fmt: skip
    if route:
        taken.append(_step("back", -1, BACK[route]))

    level = max(0, 3 - cost + (1 if route else 0))
    caps = _caps(allocation, failed=bool(failed), one_place=one_place, controls=controls, locked=locked)
    lowest = min(caps, key=lambda cap: cap[0], default=None)
    if lowest is not None and lowest[0] < level:
        level = lowest[0]
        taken.append(lowest[1])
    elif eligible and not route and not doubtful:
        taken += _none_back(not_sure, one_place=one_place and allocation != "random", locked=locked)

    named = [made.phrase for made in taken if made.cost > 0 or made.phrase.startswith("cap-")]
    if not named and allocation == "random":
        named = ["A0"]
    return Certainty(
        level=LEVELS[level], steps=tuple(taken), line=certainty_line(LEVELS[level], named, chosen)
    )


def _interval(row: Sequence[Any]) -> Interval:
    lo, hi = (None if value is None else float(value) for value in row[1:3])
    return float(row[0]), lo, hi


def _route(
    gain: tuple[float, float, float],
    w: float | None,
    better: str,
    others: Sequence[Interval],
    designs: Sequence[Sequence[Any]],
    answers: Mapping[str, str],
    *,
    locked: bool,
    n1: int | None,
    n0: int | None,
    places: int | None,
    e_value: float | None,
) -> str | None:
    """The first route by which a step is earned back, if any."""
    holds = answers.get("unmeasured") == "holds"
    units = (n1 or 0) >= R1_PILOT and (n0 or 0) >= R1_OTHERS and (places or 0) >= R1_PLACES
    if holds and locked and units:
        return "R1"
    pairs = [_interval(design) for design in designs]
    if any(_agree(pairs[0], other, better) for other in pairs[1:]):
        return "R2"
    large = w is not None and gain[1] >= R3_BENEFIT * w and (e_value or 0) >= R3_E_VALUE
    if holds and large and others and all(_benefit(other[0], better) >= (w or 0) for other in others):
        return "R3"
    return None


def _agree(one: Interval, other: Interval, better: str) -> bool:
    """Both benefits off no change, and each estimate inside the other's interval."""
    (a, alo, ahi), (b, blo, bhi) = one, other
    if alo is None or ahi is None or blo is None or bhi is None:
        return False
    both = benefit(a, alo, ahi, better)[1] > 0 and benefit(b, blo, bhi, better)[1] > 0
    return both and alo <= b <= ahi and blo <= a <= bhi


def _benefit(est: float, better: str) -> float:
    return benefit(est, est, est, better)[0]


def _caps(
    allocation: str,
    *,
    failed: bool,
    one_place: bool,
    controls: tuple[float, float, float] | None,
    locked: bool,
) -> list[tuple[int, Step]]:
    """What the level cannot pass, whatever the steps; only the lowest is used."""
    caps = []
    if failed:
        caps.append(_cap(0, "a check on the comparison fails.", "K-fails"))
    if one_place and allocation != "random":
        text = "one place, or one decision to start, cannot tell the pilot from what else happened there."
        caps.append(_cap(1, text, "cap-one-place"))
    if controls is not None:
        pooled, se, log_ratio = controls
        if BIAS_ROOM * (abs(pooled) + 1.64 * se) >= abs(log_ratio):
            text = "outcomes that the pilot cannot change leave room for a bias as large as the effect."
            caps.append(_cap(1, text, "cap-controls"))
    if not locked:
        caps.append(_cap(2, "the plan was not locked before the outcome data were seen.", "cap-not-locked"))
    return caps


def _cap(level: int, text: str, phrase: str) -> tuple[int, Step]:
    return level, _step("cap", 0, text, phrase, head=f"At most {LEVELS[level]}:")


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")


def _none_back(not_sure: Sequence[tuple[str, str]], *, one_place: bool, locked: bool) -> list[Step]:
    """Why nothing is earned back where nothing else was lost; silent where no route was in reach."""
    said = []
    if len(not_sure) == 1:
        question, answer = not_sure[0]
        said.append(f"“{question}” {'is in doubt' if answer == 'doubtful' else 'cannot be answered'}")
    elif not_sure:
        said.append(f"{_NUMBERS[len(not_sure)]} key checks give no clear answer")
    if one_place:
        said.append("one place never exceeds low")
    if not said and not locked:
        said.append("the plan was not locked before the outcome data were seen")
    return [_step("back", 0, f"{', and '.join(said)}.", head="None back:")] if said else []
