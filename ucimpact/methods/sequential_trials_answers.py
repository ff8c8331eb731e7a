"""The same trials asked in other ways, and what the trials are in numbers: the key ``trials``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.data.histories import DEATH
from ucimpact.errors import DesignError, EstimationError, UsageError
from ucimpact.inference.agreement import agreement
from ucimpact.methods.cohort_selection import selection
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, compare
from ucimpact.methods.sequential_trials_asked import Asked
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_naive import naive
from ucimpact.methods.sequential_trials_sample import TrialSample
from ucimpact.words.trials import delay_sentence, immortal_sentence, later_sentence, question_sentence

Array = np.ndarray

SOON = 30
"""Days of the shorter follow-up that stands beside a longer."""


def trials_told(
    method: Asked, emulation: Emulation, sample: TrialSample, y: Array, found: Effects
) -> dict[str, Any]:
    """The key ``trials``."""
    counted, opening, every = method.counting, emulation.plan.opening, emulation.everybody
    simple, ratio = naive(emulation, counted, method.level)
    days, number = np.unique(every.delay, return_counts=True)
    triggered = opening.trigger is not None
    later, waited = emulation.later(counted.days[1]), float(every.delay.mean()) if triggered else None
    others, agree = _other_ways(method, emulation, sample, found)
    told = {
        "trigger": opening.trigger,
        "within": opening.within if triggered else None,
        "every": opening.every,
        "discharges": every.units if triggered else None,
        "person_days": every.eligible,
        "served": int(np.isfinite(emulation.histories.start).sum()),
        "placed": int(every.treated.sum()),
        "elsewhere": emulation.elsewhere,
        "later_share": later,
        "mean_delay": waited,
        "delays": [{"day": int(d), "n": int(n)} for d, n in zip(days, number, strict=True)]
        if triggered
        else [],
        "question": question_sentence(method.question, horizon=counted.days[1]),
        "later": later_sentence(method.question, later, horizon=counted.days[1]),
        "delay": _waited(emulation, waited),
        "estimand": method.question,
        "immortal": {
            "ratio": ratio,
            "text": None if ratio is None else immortal_sentence(ratio, outcome=_plain(method.outcome)),
        },
        "naive": simple,
        "alternatives": others,
        "agree": agree,
    }
    picked = _picked(method, emulation, sample, y)
    return told if picked is None else {**told, "selection": picked}


def _waited(emulation: Emulation, mean: float | None) -> str:
    """How long people waited, and what the clocks do about it."""
    every = emulation.plan.opening.every
    if every == "day":
        return delay_sentence(mean, since=None if mean is None else "discharge")
    return (
        f"Both clocks start at the end of the {every} in which the service began, so what happened within "
        f"the {every} counts for neither side. Each person is compared with people who had not had it by "
        "then."
    )


def _picked(method: Asked, emulation: Emulation, sample: TrialSample, y: Array) -> dict[str, Any] | None:
    """What being picked at a bad time gives by itself: the same days before, without the stay that picks."""
    counted, rows = method.counting, emulation.rows
    days = counted.days[1] - counted.days[0]
    if counted.event == DEATH or method.question != "usual-care" or days > emulation.plan.opening.lookback:
        return None
    opened = rows.known if rows.opened is None else rows.opened[rows.unit] - 1
    before = emulation.histories.measure(
        counted.event, sample.person, opened[sample.place], -days, 0, value=counted.value
    )
    if getattr(counted, "any", False):
        before = (before > 0).astype(float)
    return selection(
        before,
        y,
        sample.treated,
        days_before=float(days),
        days_after=float(days) if sample.days is None else sample.days,
        horizon=float(days),
        weights=sample.weight,
        clusters=sample.codes,
        outcome=method.outcome,
        level=method.level,
    )


def _plain(outcome: str) -> str:
    return outcome[:1].lower() + outcome[1:] if outcome[1:2].islower() else outcome


def _other_ways(
    method: Asked, emulation: Emulation, sample: TrialSample, found: Effects
) -> tuple[list[dict[str, Any]], bool | None]:
    """Other ratios (the other of weights and matching first), and whether that one agrees."""
    rows, agree = [], None
    for label, note, changed in _variants(method):
        try:
            other = replace(method, **changed)
            own, its_y, what = other.sample(emulation)
            if what.refused is not None:
                continue
            own.enforce(method.outcome, own.events(its_y) if other.family in COUNTS else None)
            answer = Effects(
                other.model,
                own,
                compare(other.model, own, its_y, offset=other.per_day).contrast,
                its_y,
            )
        except (DesignError, EstimationError, UsageError):
            continue
        if "by" in changed:
            agree = _agree(sample, found, own, answer)
        if answer.ratio is None:
            continue
        shown = {name: float(answer.ratio[key]) for name, key in ENDS.items()}
        rows.append({"label": label, **shown, "note": note})
    return rows, agree


ENDS = {"ratio": "estimate", "low": "conf_low", "high": "conf_high"}


def _variants(method: Asked) -> list[tuple[str, str, dict[str, Any]]]:
    """Label, note and changed fields of each other way that applies."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    if method.question == "strategy":
        return [
            ("On those who started, against care as usual", "Another question", {"question": "usual-care"})
        ]
    if method.by == "weights":
        label = (
            f"The {method.ratio} nearest of the same day"
            if method.ratio > 1
            else "The nearest of the same day"
        )
        found.append((label, "Matched in place of weighted", {"by": "matching"}))
    else:
        found.append(
            ("Weighted", "Everybody eligible on the day, in place of the nearest", {"by": "weights"})
        )
    if not method.adjust and (method.covariates or method.measured):
        found.append(("Adjusted once more", "Covariates in the outcome model too", {"adjust": True}))
    counted = method.counting
    if counted.days[0] == 0 and counted.days[1] > SOON and method.family in COUNTS:
        soon = replace(counted, days=(0, SOON))
        found.append((f"Over {SOON} days", "A shorter follow-up", {"counted": soon}))
    asked = {"question": "this-stay"}
    if (
        method.question == "usual-care"
        and method.trigger
        and method.family in COUNTS
        and counted.days[0] == 0
    ):
        text = "People beside them are followed until a visit after the same stay"
        found.append(("Against no service after this stay", text, asked))
    if method.question != "usual-care":
        text = "People beside them may have the service later"
        found.append(("Against care as usual", text, {"question": "usual-care", "later": "keep"}))
    if method.cluster_by == "person":
        found.append(
            ("People of a place alike", "The likely range between places", {"cluster_by": "cluster"})
        )
    return found


def _agree(sample: TrialSample, found: Effects, own: TrialSample, answer: Effects) -> bool | None:
    """Whether the two ways differ by no more than chance between them gives."""
    linear = found.ratio is None or answer.ratio is None
    values, parts = [], []
    for effects, lines in ((found, sample), (answer, own)):
        contrast = effects.contrast
        values.append(contrast.difference if linear else contrast.log_ratio)
        influence = contrast.difference_influence if linear else contrast.log_ratio_influence
        parts.append(lines.by_set(np.asarray(influence)[:, None])[:, 0])
    return agreement(values[0], parts[0], values[1], parts[1]).agree
