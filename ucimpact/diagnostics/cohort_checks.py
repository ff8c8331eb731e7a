"""Questions asked of a comparison of people: alike, on one clock, alike in what the service cannot change?

References
----------
.. [1] Stuart, E. A. (2010). Matching methods for causal inference: a review and a look forward.
   *Statistical Science* 25(1), 1-21: differences under 0.1 are small, above 0.25 regression cannot be trusted
   to mend them.
.. [2] Lipsitch, M., Tchetgen Tchetgen, E. and Cohen, T. (2010). Negative controls: a tool for detecting
   confounding and bias in observational studies. *Epidemiology* 21(3), 383-388.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.estimate import Estimate
from ucimpact.methods.matched_cohort import ALIKE, MANY_LOST, UNLIKE, NegativeControls
from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.numbers import capital, joint

WHO_WAS_LOST = "Were nearly all who had the service compared?"
STRONG = 1.5
"""E-value of the limit nearest no change, from which something unrecorded would have to be strong (J)."""

LIMIT = 1.96
NAMED = 4


def balance(estimate: Estimate, labels: Mapping[str, str] | None = None) -> Check:
    """Whether the matched groups are alike in everything that was named.

    Holds up to 0.10 standard deviations for each measure, doubtful to 0.25, fails above.
    """
    rows = estimate.extras.get("balance") or []
    names = {row["name"]: _label(row["name"], labels) for row in rows}
    sizes = {row["name"]: math.inf if row["smd"] is None else abs(row["smd"]) for row in rows}
    answer: Answer
    if not rows:
        answer, text = "cannot tell", "No measure was named on which the two groups could be compared."
    elif (largest := max(sizes.values())) <= ALIKE:
        where = names[max(sizes, key=lambda name: sizes[name])]
        answer = "holds"
        text = (
            f"After matching, none of the {len(rows)} measures differs by more than a tenth of a standard "
            f"deviation. The largest difference is {largest:.2f}, in {where}."
        )
    else:
        apart = sorted((n for n in sizes if sizes[n] > ALIKE), key=lambda name: -sizes[name])
        told = [names[name] for name in apart[:NAMED]]
        told += [f"{len(apart) - NAMED} more"] if len(apart) > NAMED else []
        widest = f", by up to {largest:.2f} standard deviations" if math.isfinite(largest) else ""
        if largest > UNLIKE:
            answer = "fails"
            text = f"After matching, the two groups are still unlike in {joint(told)}{widest}."
            text += " Nothing can be claimed from the result."
        else:
            answer = "doubtful"
            text = f"After matching, the two groups still differ a little in {joint(told)}{widest}."
    table = [{name: row[name] for name in ("name", "label", "smd_before", "smd")} for row in rows]
    largest_known = max((size for size in sizes.values() if math.isfinite(size)), default=None)
    return Check(
        name="balance",
        question=QUESTIONS["balance"],
        answer=answer,
        text=text,
        statistic=largest_known,
        table=table,
    )


def clock(cohort: Cohort) -> Check:
    """Whether the clocks of both groups started on the same day as the service.

    Holds where every service began on the index date, doubtful where that is not recorded for all, fails
    where it began later.
    """
    days = cohort.delay
    answer: Answer = "cannot tell"
    if cohort.index_date is None:
        text = "The day on which each person’s clock started is not recorded."
    elif days is None:
        answer = "doubtful"
        text = (
            "The clock starts on the index date. When the service began is not recorded, so it is inferred."
        )
    else:
        known = np.isfinite(days)
        late, early = (int((side(days[known], 0)).sum()) for side in (np.greater, np.less))
        if late:
            answer = "fails"
            text = (
                f"For {late:,} of {len(days):,} people the service began after the clock had started. "
                "Until then nothing that bars a person from it can have happened to them."
            )
        elif early or not known.all():
            answer = "doubtful"
            what = "had begun before" if early else "began on a day that is not recorded, not surely on"
            number = early or int((~known).sum())
            text = f"For {number:,} of {len(days):,} people the service {what} the index date."
        else:
            answer = "holds"
            text = "Everybody’s clock starts on the index date, the day on which the service was given."
    return Check(name="clock", question=QUESTIONS["clock"], answer=answer, text=text)


def negative_controls(
    controls: NegativeControls | None, estimate: Estimate, labels: Mapping[str, str] | None = None
) -> Check:
    """Whether outcomes that the service cannot change are alike in the matched groups [2]_.

    The rule is that of :func:`ucimpact.inference.sensitivity.verdict`: the pooled ratio decides, deaths can
    only cast doubt, and too few controls cannot tell.
    """
    question = QUESTIONS["negative_controls"]
    if controls is None or not controls.rows:
        text = "No outcome that the service cannot change was supplied."
        return Check(name="negative_controls", question=question, answer="cannot tell", text=text)
    verdict = controls.verdict(float(estimate.headline["estimate"]))
    pooled, number = controls.pooled, len(controls.controls)
    said = []
    if pooled is not None:
        limits = [math.exp(pooled.log_ratio + by * LIMIT * pooled.std_error) for by in (0, -1, 1)]
        which = "1 outcome" if number == 1 else f"{number} outcomes taken together"
        said.append(
            f"Among people with the service, {which} stood at {limits[0]:.2f} times the others "
            f"(likely range {limits[1]:.2f} to {limits[2]:.2f})."
        )
    said.append(
        {
            "pooled": "Chance alone would hardly give that, so unlike people were compared. "
            "Nothing can be claimed from the result."
            if verdict.state == "fails"
            else "Chance alone would seldom give that, so the groups may be unlike in what records miss.",
            "deaths": "Deaths differ in the direction that would explain the result.",
            "few controls": f"At least 3 such outcomes are needed; {number or 'none'} could be worked out.",
            "few deaths": "With under 10 deaths, and nothing held out from before, too little could be seen.",
            "none apart": "That is no further from 1 than chance would take it.",
        }[verdict.because]
    )
    if verdict.not_excluded is not None and verdict.state in ("holds", "cannot tell"):
        room = 100 * math.expm1(verdict.not_excluded)
        said.append(f"A bias of the result by up to {room:.0f}% could not have been seen in them.")
    said += [_one_control(row, labels) for row in controls.rows]
    return Check(
        name="negative_controls",
        question=question,
        answer=verdict.state,
        text=" ".join(said),
        statistic=pooled.z if pooled is not None else None,
        table=[{**row, "label": _label(row["column"], labels)} for row in controls.rows],
    )


def _one_control(row: Mapping[str, Any], labels: Mapping[str, str] | None) -> str:
    label = capital(_label(row["column"], labels))
    if row["ratio"] is None:
        return f"{label} is not counted: {row['why']}."
    return f"{label}: {row['ratio']:.2f} times ({row['low']:.2f} to {row['high']:.2f})."


def unmeasured(estimate: Estimate, *, includes_no_change: bool | None = None) -> Check:
    """How strong something unrecorded would have to be to explain the result: the E-value of the limit."""
    if includes_no_change is None:
        head = estimate.headline
        includes_no_change = not (head["conf_low"] > 0 or head["conf_high"] < 0)
    strength = (estimate.extras.get("e_value") or {}).get("limit")
    answer: Answer = "cannot tell"
    if includes_no_change:
        text = "The likely range already includes no change, so there is nothing to explain away."
    elif strength is None:
        text = "The result has no ratio, so the strength of what would explain it is not worked out."
    else:
        answer = "holds" if strength >= STRONG else "doubtful"
        need = "would have to" if answer == "holds" else "would only have to"
        text = (
            f"To explain the result, something unrecorded {need} multiply both the chance of having the "
            f"service and the outcome by {strength:.2f}. That is beyond all that people were matched on."
        )
    return Check(
        name="unmeasured",
        question=QUESTIONS["unmeasured"],
        answer=answer,
        text=text,
        statistic=None if strength is None else float(strength),
    )


def who_was_lost(estimate: Estimate) -> Check | None:
    """How many with the service had nobody like them, and in what they differ; None where nobody was lost."""
    lost = estimate.extras.get("lost") or {}
    if not lost.get("n"):
        return None
    many = lost["n"] > MANY_LOST * lost["of"]
    text = f"There was nobody like them for {lost['n']:,} of {lost['of']:,} people with the service."
    if many:
        text += " The result is about the others."
    if unlike := [row["label"] for row in lost.get("differ") or () if abs(row["smd"]) > UNLIKE]:
        text += f" They differ from the others in {joint(unlike[:NAMED])}."
    return Check(
        name="who_was_lost",
        question=WHO_WAS_LOST,
        answer="doubtful" if many else "holds",
        text=text,
        table=[dict(row) for row in lost.get("reasons") or ()],
        counted=False,
    )


def _label(column: str, labels: Mapping[str, str] | None) -> str:
    return (labels or {}).get(column) or column.replace("_", " ")
