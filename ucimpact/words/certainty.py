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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ucimpact.words.claims import benefit
from ucimpact.words.never import LONGEST
from ucimpact.words.numbers import capital
from ucimpact.words.sentences import LEVELS, rank
from ucimpact.words.steps import (
    ALLOCATION_COST,
    BACK,
    PHRASES,
    Interval,
    Step,
    allocation_step,
    analyses_step,
    checks_step,
    dates_step,
    directness_step,
    imprecision_step,
    make_step,
    places_step,
    series_step,
)

R1_PILOT, R1_OTHERS, R1_PLACES = 6, 10, 2
R3_BENEFIT, R3_E_VALUE = 2.0, 2.0
BIAS_ROOM = 4.0
QUESTIONS = {
    "pre_trend": "Did pilot and comparison move alike before the pilot?",
    "season": "Can the time of year be told from the effect?",
    "balance": "Were the two groups alike at the start?",
    "trajectory": "Did both groups go the same way month by month before the start?",
    "clock": "Did both clocks start at the same moment?",
    "negative_controls": "Did outcomes that the pilot cannot change stay the same?",
    "agreement": "Do weighting and matching give the same answer?",
    "other_change": "Did anything else change at the same time?",
    "same_coding": "Was the outcome counted in the same way throughout?",
    "unmeasured": "Could something unrecorded explain the result?",
}
"""The key checks, and the question that stands for each unless the check brings its own."""


ASKED_OF_ALL = ("other_change", "same_coding", "unmeasured")
"""Key checks that every design has; one that nobody asked cannot tell."""


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """The level, its steps in order, the line that sums them up, and what the level can never pass."""

    level: str
    steps: tuple[Step, ...]
    line: str
    caps: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        steps = [{"code": s.code, "cost": s.cost, "head": s.head, "text": s.text} for s in self.steps]
        caps = [{"level": level, "text": text} for level, text in self.caps]
        return {"level": self.level, "steps": steps, "line": self.line, "caps": caps}


def certainty_line(level: str, steps: Sequence[str], chosen: str = "people") -> str:
    """ "Certainty is low: people were not chosen by lot." from the codes of :data:`PHRASES`."""
    rank(level)
    phrases = [PHRASES[code].format(chosen=chosen) for code in dict.fromkeys(steps)]
    if not phrases:
        return f"Certainty is {level}."
    line = f"Certainty is {level}: {_listed(phrases)}."
    if len(line.split()) <= LONGEST:
        return line
    half = (len(phrases) + 1) // 2
    return f"Certainty is {level}: {_listed(phrases[:half])}. {capital(_listed(phrases[half:]))}."


def _listed(phrases: Sequence[str]) -> str:
    return ", and ".join([", ".join(phrases[:-1]), phrases[-1]]) if len(phrases) > 1 else phrases[0]


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
        :data:`QUESTIONS` are read, and one of :data:`ASKED_OF_ALL` that is absent cannot tell;
        ``questions`` brings their wording.
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
        analyses_step(est, others, w, lo=lo, hi=hi) if est is not None else None,
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

    asked = {**dict.fromkeys(ASKED_OF_ALL, "cannot tell"), **answers}
    not_sure = [(wording[name], answer) for name, answer in asked.items() if answer != "holds"]
    eligible = cost == ALLOCATION_COST[allocation] == 2
    route = None
    if eligible and not not_sure and est is not None and lo is not None and hi is not None:
        route = _route(
            benefit(est, lo, hi, better), w, better, others, designs, answers,
            locked=locked, n1=n1, n0=n0, places=places, e_value=e_value,
        )  # fmt: skip
    if route:
        taken.append(make_step("back", -1, BACK[route]))

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
        level=LEVELS[level],
        steps=tuple(taken),
        line=certainty_line(LEVELS[level], named, chosen),
        caps=tuple((LEVELS[at], made.text) for at, made in caps),
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
    return level, make_step("cap", 0, text, phrase, head=f"At most {LEVELS[level]}:")


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
    return [make_step("back", 0, f"{', and '.join(said)}.", head="None back:")] if said else []
