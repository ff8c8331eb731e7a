"""Whether two groups of people are alike: in what was recorded, by site, month by month, and in overlap.

Balance is a gate. It fails where a measure that strongly predicts the outcome stays a tenth of a standard
deviation apart, or any measure a quarter [1]_; the first biases the result by about its own size times the
strength, however small it looks. Which measures predict strongly is said by the comparison people's own
outcomes (:mod:`ucimpact.inference.prognosis`).

References
----------
.. [1] Stuart, E. A. (2010). Matching methods for causal inference: a review and a look forward.
   *Statistical Science* 25(1), 1-21: differences under 0.1 are small, above 0.25 regression cannot be trusted
   to mend them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.special import ndtri, stdtrit

from ucimpact.diagnostics.check import Answer, Check
from ucimpact.estimate import Estimate
from ucimpact.methods.matched_cohort import ALIKE, MANY_LOST, UNLIKE
from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.numbers import joint, number
from ucimpact.words.planning import per_cent
from ucimpact.words.trials import TIME_OF_YEAR

BY_SITE = "Were the two groups alike at each site?"
OVERLAP = "Were there people like them without the service?"
WEIGHTS = "Does the comparison rest on many people?"
NAMED = 4
FEWEST_AT_SITE = 10
MOST_BESIDE = 3
"""Lines beside each pilot person that count at a site: more are mostly the same few people again."""
FEW_BEFORE = 20
"""Events of those with the service in the months before, below which their course cannot be told."""
CHANCE, HARDLY_CHANCE = 0.05, 0.01
LAST = -3
"""The months nearest the start, from this one on: they decide who is picked."""
MUCH = 0.25
"""A gap of this share of the pilot people's own rate matters (a judgement)."""
HEAVY = 0.05
"""A single person should not carry more of the comparison than this (a judgement)."""


def balance(estimate: Estimate, labels: Mapping[str, str] | None = None) -> Check:
    """Whether the groups are alike in everything that was named.

    Holds up to 0.10 standard deviations for each measure. Above it a measure that strongly predicts the
    outcome fails, as any does above 0.25; others are doubtful.
    """
    rows = estimate.extras.get("balance") or []
    names = {row["name"]: label_of(row["name"], labels) for row in rows}
    sizes = {row["name"]: math.inf if row["smd"] is None else abs(row["smd"]) for row in rows}
    strong = {row["name"] for row in rows if row.get("strong")}
    largest = max(sizes.values(), default=None)
    apart = sorted((n for n in sizes if sizes[n] > ALIKE), key=lambda name: -sizes[name])
    unlike = [name for name in apart if sizes[name] > UNLIKE]
    strongly = [name for name in apart if name in strong]
    how = "After weighting" if estimate.extras.get("weights") else "After matching"
    answer: Answer
    if largest is None:
        answer, text = "cannot tell", "No measure was named on which the two groups could be compared."
    elif not apart:
        where = names[max(sizes, key=lambda name: sizes[name])]
        answer = "holds"
        text = (
            f"{how}, none of the {len(rows)} measures differs by more than a tenth of a standard deviation. "
            f"The largest difference is {largest:.2f}, in {where}."
        )
    elif unlike:
        answer = "fails"
        told = _told([names[name] for name in apart])
        text = f"{how}, the two groups are still unlike in {told}{_widest(largest)}."
        text += " Nothing can be claimed from the result."
    elif strongly:
        answer = "fails"
        told = _told([names[name] for name in strongly])
        predict = "which predicts" if len(strongly) == 1 else "which predict"
        far = _widest(max(sizes[name] for name in strongly))
        text = f"{how}, the two groups still differ in {told}, {predict} the outcome strongly{far}."
        text += " Nothing can be claimed from the result."
    else:
        answer = "doubtful"
        told = _told([names[name] for name in apart])
        text = f"{how}, the two groups still differ a little in {told}{_widest(largest)}."
    kept = ("name", "label", "smd_before", "smd", "strong")
    return Check(
        name="balance",
        question=QUESTIONS["balance"],
        answer=answer,
        text=text,
        statistic=max((size for size in sizes.values() if math.isfinite(size)), default=None),
        table=[{name: row[name] for name in kept if name in row} for row in rows],
    )


def _told(names: Sequence[str]) -> str:
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return joint([*names[:NAMED], *more])


def _widest(size: float) -> str:
    return f", by up to {size:.2f} standard deviations" if math.isfinite(size) else ""


def balance_by_site(estimate: Estimate, labels: Mapping[str, str] | None = None) -> Check | None:
    """Whether the groups are alike at each site too; printed and not counted.

    Small sites differ by chance, so a site is named only where its largest difference passes 0.25 and what
    chance gives the largest of so many measures at so many sites, by Student's t: counts are skewed, and the
    mean of a site's few people strays further than a normal would.
    """
    rows = [row for row in estimate.extras.get("balance_by_site") or [] if row.get("max_smd") is not None]
    if len(rows) < 2:
        return None
    measures = max(len(estimate.extras.get("balance") or []), 1)
    tail = 1 - CHANCE / (2 * measures * len(rows))
    unlike = [row for row in rows if row["max_smd"] > max(UNLIKE, _by_chance(row, tail))]
    if unlike:
        worst = max(unlike, key=lambda row: row["max_smd"])
        where = label_of(str(worst["worst"]), labels)
        text = (
            f"At {number(len(unlike))} of the {number(len(rows))} sites the groups differ by more than "
            f"chance gives, most in {where}. Alike in all may hide unlike at each."
        )
    else:
        text = (
            f"At none of the {number(len(rows))} sites do the groups differ by more than chance would give."
        )
    return Check(
        name="balance_by_site",
        question=BY_SITE,
        answer="doubtful" if unlike else "holds",
        text=text,
        statistic=max(row["max_smd"] for row in rows),
        table=[dict(row) for row in rows],
        counted=False,
    )


def _by_chance(row: Mapping[str, Any], tail: float) -> float:
    """How far chance alone takes a site's measure; a site with too few people is never told from chance."""
    pilot, comparison = row["n_pilot"], min(row["n_comparison"], MOST_BESIDE * row["n_pilot"])
    if pilot < FEWEST_AT_SITE or not comparison:
        return math.inf
    return float(stdtrit(pilot - 1, tail)) * math.sqrt(1 / pilot + 1 / comparison)


def trajectory(estimate: Estimate) -> Check | None:
    """Whether both groups went the same way month by month before the start.

    None where nobody counted it, or nobody had any of it, as with deaths.

    A gap is told from chance in the month where it is largest (in standard errors), allowing for the number
    of months. Beyond 5% it is doubtful; beyond 1%, in one of the last three months and over a quarter of
    the pilot people's own rate, it fails.
    """
    told = estimate.extras.get("trajectory") or {}
    rows = sorted(told.get("rows") or [], key=lambda row: row["month"])
    if not rows:
        return None
    question, name = QUESTIONS["trajectory"], "trajectory"
    events = [row.get("events_pilot") for row in rows]
    known = [event for event in events if event is not None]
    if len(known) == len(rows) and not sum(known) and not any(row["comparison"] for row in rows):
        return None
    if len(known) == len(rows) and sum(known) < FEW_BEFORE:
        text = "Those with the service had too few events before it for their course to be told."
        return Check(name=name, question=question, answer="cannot tell", text=text, table=months(rows))
    scores = {row["month"]: z for row in rows if (z := _score(row)) is not None}
    if not scores:
        text = "How far chance moves the months before is not known, so their course cannot be told."
        return Check(name=name, question=question, answer="cannot tell", text=text, table=months(rows))
    far, very_far = (float(ndtri(1 - p / (2 * len(scores)))) for p in (CHANCE, HARDLY_CHANCE))
    worst = max(scores, key=lambda month: abs(scores[month]))
    row = next(row for row in rows if row["month"] == worst)
    gap = abs(row["pilot"] - row["comparison"])
    answer: Answer = "holds"
    if abs(scores[worst]) > far:
        matters = gap > MUCH * row["pilot"] and worst >= LAST and abs(scores[worst]) > very_far
        answer = "fails" if matters else "doubtful"
    return Check(
        name=name,
        question=question,
        answer=answer,
        text=course_told(row, answer, per=told.get("per", 100)),
        statistic=float(scores[worst]),
        table=months(rows),
    )


def worst_month(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The month where the gap is largest in standard errors; None where no month has an error."""
    scores = {row["month"]: abs(z) for row in rows if (z := _score(row)) is not None}
    return max(sorted(scores), key=lambda month: scores[month]) if scores else None


def course_told(row: Mapping[str, Any], answer: Answer, *, per: float = 100) -> str:
    """The months before in words.

    Parameters
    ----------
    row : mapping
        ``month, pilot, comparison`` of the month with the largest gap; rates that may not be shown are None.
    answer : {"holds", "doubtful", "fails"}
    per : float
        People to whom the rates belong.
    """
    worst = row["month"]
    when = "the last month" if worst == -1 else f"month {number(-worst)} before the start"
    shown = row["pilot"] is not None and row["comparison"] is not None
    size = f"{when}, when too few had any for figures to be shown"
    if shown:
        ends = [number(row[group], 1) for group in ("pilot", "comparison")]
        size = f"{ends[0]} a month per {number(per)}, against {ends[1]}"
    if answer == "holds":
        text = "Month by month before the start the two groups differ by no more than chance gives. "
        return (
            f"{text}The largest gap is {size}, in {when}."
            if shown
            else f"{text}The largest gap is in {size}."
        )
    text = "Before the start the two groups were on different paths"
    text += f": {size}, in {when}." if shown else f", most of all in {size}."
    return f"{text} Nothing can be claimed from the result." if answer == "fails" else text


def _score(row: Mapping[str, Any]) -> float | None:
    """The gap of a month in standard errors; by counting alone where no error came with it."""
    gap = row["pilot"] - row["comparison"]
    error = row.get("std_error")
    if error is None:
        pilot, comparison = row.get("events_pilot"), row.get("events_comparison")
        if not pilot or not comparison:
            return None
        error = math.sqrt(row["pilot"] ** 2 / pilot + row["comparison"] ** 2 / comparison)
    return gap / error if error > 0 else None


def months(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rates of the two groups, a row a month."""
    return [{name: row[name] for name in ("month", "pilot", "comparison")} for row in rows]


def overlap(estimate: Estimate) -> Check | None:
    """Whether there were people like those with the service; printed and not counted."""
    told = estimate.extras.get("overlap") or {}
    if told.get("outside") is None:
        return None
    outside = float(told["outside"])
    answer: Answer = "doubtful" if outside > MANY_LOST else "holds"
    text = overlap_told(outside, told.get("coefficient"), answer)
    return Check(
        name="overlap",
        question=OVERLAP,
        answer=answer,
        text=text,
        statistic=outside,
        counted=False,
    )


def overlap_told(outside: float | None, coefficient: float | None, answer: Answer) -> str:
    """How far the groups overlap, in words; a share that may not be shown is None."""
    size = "A few" if outside is None else "None" if not outside else per_cent(100 * outside)
    text = (
        f"{size} of those with the service were likelier, or less likely, to have it than anybody without it."
    )
    if answer == "doubtful":
        text += " For them the result leans on the model and not on people."
    if coefficient is not None:
        text += f" Chances of having it overlap by {per_cent(100 * coefficient)}."
    return text


def weights(estimate: Estimate) -> Check | None:
    """Whether a few people carry the comparison; printed and not counted."""
    told = estimate.extras.get("weights") or {}
    ess, share = told.get("ess"), told.get("largest_share")
    if ess is None or share is None:
        return None
    pilot = estimate.counts.get("matched_pilot")
    few = pilot is not None and ess < pilot / 2
    heavy = share > HEAVY
    text = f"The weights make the comparison as sure as {number(ess)} people of equal weight would."
    text += f" The heaviest carries {per_cent(100 * share)} of it." if share else ""
    if few:
        text += " That is under half of those with the service, so few are like them."
    if heavy:
        text += " So much should not hang on one."
    return Check(
        name="weights",
        question=WEIGHTS,
        answer="doubtful" if few or heavy else "holds",
        text=text,
        statistic=float(ess),
        counted=False,
    )


def label_of(column: str, labels: Mapping[str, str] | None) -> str:
    """A column as a reader meets it."""
    return (labels or {}).get(column) or TIME_OF_YEAR.get(column) or column.replace("_", " ")
