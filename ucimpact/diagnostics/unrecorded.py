"""What something unrecorded would have to be like to explain a result.

The ``sensitivity`` of an estimate's extras:

======================= ==========================================================================
key                     what stands there
======================= ==========================================================================
``e_value``             ``estimate``, ``limit``
``rosenbaum``           as the method gives it (:mod:`ucimpact.methods.cohort_hidden_odds`):
                        ``gamma``, ``over``, ``rows``, ``text``
``tipping``             ``rows`` (``strength, comparison, estimate, limit``), ``text``
``bias_analysis``       ``rows`` (``name, ratio, low, high, bias, bias_low, bias_high, beyond,
                        text``), ``text``
======================= ==========================================================================

A key whose question has no answer is absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ucimpact.estimate import Estimate
from ucimpact.inference.bias_analysis import Belief, Stated, with_belief, with_controls
from ucimpact.inference.tipping_point import tipping
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.words.numbers import mid_sentence
from ucimpact.words.unrecorded import (
    belief_sentence,
    controls_bias_sentence,
    tipping_sentence,
    untipped_sentence,
)

MULTIPLE = Stated(3.2, 4.2, "ratio")
"""How many times as far as pooled controls a result was moved where severity jumps and decays."""
PICTURE = (2.0, 0.3)
"""The factor that is said in words: it doubles the outcome, and three comparison people in ten have it."""


def sensitivity(
    estimate: Estimate,
    controls: NegativeControls | None = None,
    *,
    beliefs: Sequence[Belief] = (),
    times: Stated = MULTIPLE,
    outcome: str = "the outcome",
    kind: str = "count",
    seed: int = 1,
) -> dict[str, Any]:
    """Everything that can be said of what was not recorded, from an estimate and its controls.

    Parameters
    ----------
    estimate : Estimate
        Read are its row ``relative`` and its extras.
    controls : NegativeControls, optional
    beliefs : sequence of Belief
        What somebody stated of unrecorded factors, before the result was seen.
    times : Stated
        How many times as far as the controls the result is moved.
    outcome, kind : str
        In words, and as declared.
    """
    found = dict(estimate.extras.get("sensitivity") or {})
    if estimate.extras.get("e_value"):
        found["e_value"] = dict(estimate.extras["e_value"])
    ratio = _ratio(estimate)
    if ratio is None:
        return found
    point, low, high, error, df = ratio
    told = mid_sentence(outcome)
    found["tipping"] = _tipping(point, low, high, told)
    rows = []
    pooled = None if controls is None else controls.pooled
    if pooled is not None:
        left = with_controls(
            math.log(point), error, (pooled.log_ratio, pooled.std_error), times, df=df, seed=seed
        )
        text = controls_bias_sentence((times.low, times.high), (left.ratio, left.low, left.high), kind=kind)
        rows.append({**left.to_dict(), "text": text})
    for belief in beliefs:
        left = with_belief(math.log(point), error, belief, df=df, seed=seed)
        pilot, others, far = ((b.low, b.high) for b in (belief.pilot, belief.comparison, belief.strength))
        what_is_left = (left.ratio, left.low, left.high)
        text = belief_sentence(belief.name, pilot, others, far, what_is_left, outcome=told, kind=kind)
        rows.append({**left.to_dict(), "text": text})
    if rows:
        found["bias_analysis"] = {"rows": rows, "text": rows[0]["text"]}
    return found


def _ratio(estimate: Estimate) -> tuple[float, float, float, float, float] | None:
    """Ratio, limits, standard error of its log and degrees of freedom."""
    if "relative" not in set(estimate.effects["term"]):
        return None
    row = estimate.effect("relative")
    point, low, high = (1 + float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    error = float(row["std_error"]) / point if point > 0 else math.nan
    if not all(map(math.isfinite, (point, low, high, error))) or low <= 0:
        return None
    df = float(row["df"])
    return point, low, high, error, df if math.isfinite(df) and df > 0 else math.inf


def _tipping(point: float, low: float, high: float, outcome: str) -> dict[str, Any]:
    rows = tipping(point, low, high).to_dict()["rows"]
    reached = [row for row in rows if row["estimate"] is not None]
    if not reached:
        most, widest = (max(row[name] for row in rows) for name in ("strength", "comparison"))
        return {"rows": rows, "text": untipped_sentence(most, widest, outcome=outcome)}
    strength, share = PICTURE
    row = min(reached, key=lambda r: (abs(r["strength"] - strength), abs(r["comparison"] - share)))
    text = tipping_sentence(
        row["strength"], row["comparison"], row["estimate"], row["limit"], outcome=outcome
    )
    return {"rows": rows, "text": text}
