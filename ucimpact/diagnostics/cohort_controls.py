"""Whether outcomes that the service cannot change are alike, and how large a bias they leave room for.

References
----------
.. [1] Lipsitch, M., Tchetgen Tchetgen, E. and Cohen, T. (2010). Negative controls: a tool for detecting
   confounding and bias in observational studies. *Epidemiology* 21(3), 383-388.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ucimpact.diagnostics.check import Check
from ucimpact.diagnostics.cohort_balance import label_of
from ucimpact.estimate import Estimate
from ucimpact.inference.sensitivity import BIAS_A_UNIT, DOUBTFUL, FEWEST_CONTROLS, Control, Verdict, in_pool
from ucimpact.inference.sensitivity import bias_not_excluded as not_excluded
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.words.certainty import QUESTIONS
from ucimpact.words.numbers import capital
from ucimpact.words.trials import differed_sentence, size_sentence, unseen_sentence

LIMIT = 1.96
OTHER_MULTIPLES = (1.0, 2.0, 4.0, 6.0)
"""How many times as far the result may be moved, for a reader who holds another multiple than ours."""


def negative_controls(
    controls: NegativeControls | None,
    estimate: Estimate,
    labels: Mapping[str, str] | None = None,
    *,
    times: float = BIAS_A_UNIT,
) -> Check:
    """Whether outcomes that the service cannot change are alike in the two groups [1]_.

    The rule is that of :func:`ucimpact.inference.sensitivity.verdict`: the pooled ratio decides, deaths can
    only cast doubt, and too few controls cannot tell. Whatever the answer, the size of bias that cannot be
    ruled out is said, with what it assumes.

    Parameters
    ----------
    controls : NegativeControls or None
    estimate : Estimate
        Its headline says which difference in deaths would explain the result.
    labels : mapping of str to str, optional
    times : float, default 4
        How many times as far as the controls the result is taken to be moved.
    """
    question = QUESTIONS["negative_controls"]
    if controls is None or not controls.rows:
        text = f"No outcome that the service cannot change was supplied. {size_sentence(None)}"
        return Check(name="negative_controls", question=question, answer="cannot tell", text=text)
    effect = float(estimate.headline["estimate"])
    verdict = controls.verdict(effect)
    pooled, number = controls.pooled, int(in_pool(controls.controls).sum())
    room = None if pooled is None else not_excluded(pooled, times)
    said = []
    if pooled is not None:
        ratio, low, high = (math.exp(pooled.log_ratio + by * LIMIT * pooled.std_error) for by in (0, -1, 1))
        which = "1 outcome" if number == 1 else f"{number} outcomes taken together"
        said.append(
            f"Among people with the service, {which} stood at {ratio:.2f} times the others "
            f"(likely range {low:.2f} to {high:.2f})."
        )
    said.append(_because(verdict, number))
    said.append(differed_sentence(*differing(controls, effect, labels)))
    said.append(size_sentence(room, times))
    said += [_one_control(row, labels) for row in controls.rows]
    return Check(
        name="negative_controls",
        question=question,
        answer=verdict.state,
        text=" ".join(filter(None, said)),
        statistic=pooled.z if pooled is not None else None,
        table=[{**row, "label": label_of(row["column"], labels)} for row in controls.rows],
    )


def _because(verdict: Verdict, number: int) -> str:
    if verdict.because == "pooled":
        return (
            "Chance alone would hardly give that, so unlike people were compared. "
            "Nothing can be claimed from the result."
            if verdict.state == "fails"
            else "Chance alone would seldom give that, so the groups may be unlike in what records miss."
        )
    return {
        "deaths": "Deaths differ in the direction that would explain the result.",
        "few controls": f"At least {FEWEST_CONTROLS} such outcomes are needed; {number or 'none'} could be "
        "worked out.",
        "few deaths": "With under 10 deaths, and nothing held out from before, too little could be seen.",
        "none apart": "That is no further from 1 than chance would take it.",
    }[verdict.because]


def differing(
    controls: NegativeControls, effect: float, labels: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Labels of what differed where the answer is doubtful: from before the service, and after it.

    Those more than 1.64 standard errors off in the direction of the pooled ratio (else the one that moves it
    most), or the deaths that would explain the result. Both lists are empty for any other answer.
    """
    verdict = controls.verdict(effect)
    pooled = controls.pooled
    if verdict.state != "doubtful" or pooled is None:
        return [], []
    if verdict.because == "deaths":
        chosen = [c for c in controls.controls if c.reach == "deaths" and c.z * effect > 0]
        chosen = [max(chosen, key=lambda c: abs(c.z))]
    else:
        side = [c for c in controls.controls if c.z * pooled.log_ratio > 0]
        chosen = [c for c in side if abs(c.z) > DOUBTFUL] or [max(side, key=_pull(controls))]
    told: tuple[list[str], list[str]] = ([], [])
    for control in chosen:
        told[0 if control.reach == "before" else 1].append(label_of(control.name, labels))
    return told


def _pull(controls: NegativeControls) -> Any:
    assert controls.pooled is not None
    weight = dict(zip((c.name for c in controls.controls), controls.pooled.weights, strict=True))

    def pull(control: Control) -> float:
        return float(weight[control.name]) * abs(control.log_ratio)

    return pull


def _one_control(row: Mapping[str, Any], labels: Mapping[str, str] | None) -> str:
    label = capital(label_of(row["column"], labels))
    if row["ratio"] is None:
        return f"{label} is not counted: {row['why']}."
    text = f"{label}: {row['ratio']:.2f} times ({row['low']:.2f} to {row['high']:.2f})."
    return f"{text} {unseen_sentence(row['low'], row['high'])}" if row["reach"] == "deaths" else text


def bias(controls: NegativeControls | None, *, times: float = BIAS_A_UNIT) -> dict[str, Any]:
    """The size of bias that the controls leave room for: the ``bias`` of an estimate's extras.

    Returns
    -------
    dict
        ``not_excluded`` (log ratio; None without controls), ``ratio``, ``times``, ``text``, and ``rows`` with
        the same for other multiples (``times, not_excluded, ratio``).
    """
    pooled = None if controls is None else controls.pooled
    if pooled is None:
        empty = dict.fromkeys(("not_excluded", "ratio"))
        return {**empty, "times": times, "text": size_sentence(None), "rows": []}
    room = not_excluded(pooled, times)
    multiples = sorted({*OTHER_MULTIPLES, times})
    rooms = {many: not_excluded(pooled, many) for many in multiples}
    return {
        "not_excluded": room,
        "ratio": math.exp(room),
        "times": times,
        "text": size_sentence(room, times),
        "rows": [{"times": many, "not_excluded": log, "ratio": math.exp(log)} for many, log in rooms.items()],
    }
