"""Questions asked of a comparison of people: alike, on one clock, alike in what the service cannot change?

Balance, course and overlap stand in :mod:`~ucimpact.diagnostics.cohort_balance`, outcomes beyond the
service's reach in :mod:`~ucimpact.diagnostics.cohort_controls`. :func:`of_estimate` asks all of them, in the
order in which they are printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.diagnostics.check import Answer, Check
from ucimpact.diagnostics.cohort_balance import (
    NAMED,
    balance,
    balance_by_site,
    label_of,
    overlap,
    trajectory,
    weights,
)
from ucimpact.diagnostics.cohort_controls import bias, differing, negative_controls
from ucimpact.estimate import Estimate
from ucimpact.inference.sensitivity import BIAS_A_UNIT
from ucimpact.methods.matched_cohort import MANY_LOST, UNLIKE, NegativeControls
from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.numbers import joint, mid_sentence
from ucimpact.words.trials import agreement_sentence, delay_sentence, immortal_sentence

__all__ = [
    "agreement",
    "balance",
    "balance_by_site",
    "bias",
    "clock",
    "differing",
    "negative_controls",
    "of_estimate",
    "overlap",
    "served_later",
    "trajectory",
    "unmeasured",
    "weights",
    "who_was_lost",
]

WHO_WAS_LOST = "Were nearly all who had the service compared?"
SERVED_LATER = "Did most of those compared with go without the service?"
MOST = 0.5
"""Above this share of those compared with who had it later, little of the service is left to see (J)."""
STRONG = 1.5
"""E-value of the limit nearest no change, from which something unrecorded would have to be strong (J)."""


def of_estimate(
    cohort: Cohort,
    estimate: Estimate,
    controls: NegativeControls | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    includes_no_change: bool | None = None,
    times: float = BIAS_A_UNIT,
) -> list[Check]:
    """Every check that a comparison of people allows, the key checks first.

    Parameters
    ----------
    cohort : Cohort
        Whom the estimate is of; for trials, their light cohort.
    estimate : Estimate
        Its ``extras`` say what there is to ask of.
    controls : NegativeControls, optional
    labels : mapping of str to str, optional
        Columns as readers meet them.
    includes_no_change : bool, optional
        Of the likely range of the finding, where that is not the estimate's own.
    times : float
        How many times as far as the controls the result is taken to be moved.
    """
    asked = [
        balance(estimate, labels),
        trajectory(estimate),
        clock(cohort, estimate, labels),
        negative_controls(controls, estimate, labels, times=times),
        agreement(estimate),
        unmeasured(estimate, includes_no_change=includes_no_change),
        served_later(estimate),
        who_was_lost(estimate),
        overlap(estimate),
        weights(estimate),
        balance_by_site(estimate, labels),
    ]
    return [check for check in asked if check is not None]


def clock(cohort: Cohort, estimate: Estimate | None = None, labels: Mapping[str, str] | None = None) -> Check:
    """Whether the clocks of both groups started on the same day as the service.

    Holds where every service began on the index date, doubtful where that is not recorded for all, fails
    where it began later. Trials start both clocks on the day of the service by design; the check then says
    how long people waited, and what clocks that start before the wait would have shown.
    """
    if estimate is not None and (trials := estimate.extras.get("trials")):
        text = _waited(trials, label_of(estimate.outcome, labels))
        return Check(name="clock", question=QUESTIONS["clock"], answer="holds", text=text)
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


def _waited(trials: Mapping[str, Any], outcome: str) -> str:
    since = "discharge" if trials.get("trigger") else None
    said = [trials.get("delay") or delay_sentence(trials.get("mean_delay"), since=since)]
    ratio = (trials.get("immortal") or {}).get("ratio")
    if ratio is not None and since is not None:
        said.append(immortal_sentence(ratio, outcome=mid_sentence(outcome), since=since))
    return " ".join(said)


def agreement(estimate: Estimate) -> Check | None:
    """Whether weighting and matching give the same answer; None for a method that has one way alone.

    They rest on the same people, so a gap of more than two standard errors of the gap says that they lean on
    different ones. It is doubtful and never fails: which of the two is right cannot be told from it.
    """
    trials = estimate.extras.get("trials") or {}
    others = [row for row in trials.get("alternatives") or () if row.get("ratio") is not None]
    agree = trials.get("agree")
    if not others:
        return None
    rows = [*_headline_ratio(estimate), others[0]]
    answer: Answer = "cannot tell" if agree is None else "holds" if agree else "doubtful"
    return Check(
        name="agreement",
        question=QUESTIONS["agreement"],
        answer=answer,
        text=agreement_sentence(rows, agree),
        table=[dict(row) for row in others],
    )


def _headline_ratio(estimate: Estimate) -> list[dict[str, Any]]:
    """The ratio of the main result, as a row beside other ways; empty where it has none."""
    if "relative" not in set(estimate.effects["term"]):
        return []
    row = estimate.effect("relative")
    ends = [1 + float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    if not np.isfinite(ends).all() or min(ends) <= 0:
        return []
    return [{"label": "the result", "ratio": ends[0], "low": ends[1], "high": ends[2]}]


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
        if odds := (estimate.extras.get("sensitivity") or {}).get("rosenbaum"):
            text += f" {odds['text']}"
    return Check(
        name="unmeasured",
        question=QUESTIONS["unmeasured"],
        answer=answer,
        text=text,
        statistic=None if strength is None else float(strength),
    )


def served_later(estimate: Estimate) -> Check | None:
    """Whether most of those compared with went without the service; printed and not counted.

    Doubtful where over half had it within the follow-up: the number then says what starting sooner does, and
    little of what having it does. None where nobody is said to have had it later.
    """
    trials = estimate.extras.get("trials") or {}
    share = trials.get("later_share")
    if share is None or not trials.get("later"):
        return None
    most = share > MOST
    text = str(trials["later"])
    if most:
        text += " So the result says what starting sooner changed, and little of what having it at all does."
    return Check(
        name="served_later",
        question=SERVED_LATER,
        answer="doubtful" if most else "holds",
        text=text,
        statistic=float(share),
        counted=False,
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
