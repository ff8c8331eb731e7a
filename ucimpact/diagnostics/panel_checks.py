"""Questions asked of a comparison of pilot with other units.

References
----------
Roth, J. (2022). Pretest with caution. *American Economic Review: Insights* 4(3), 305-322: a test of
trends before the pilot that finds nothing is no pass unless it could have found something that
matters, so the answer here also looks at the width of the bands, and the text says which drift would have
been missed.
"""

from __future__ import annotations

import numpy as np

from ucimpact.diagnostics.check import Answer, Check
from ucimpact.diagnostics.honest_did import HonestResult
from ucimpact.diagnostics.missed_trends import missed_sentence
from ucimpact.estimate import Estimate

PRE_TREND = "Did pilot and comparison move together before the pilot?"
AS_CHANGEABLE = "Was the pilot as steady from month to month as the others?"
PLACEBO_UNITS = "Do places without the pilot show changes as large?"
UNMEASURED = "Could something unrecorded explain the result?"

DOUBT, FAIL = 0.10, 0.01
ENOUGH_BREAKDOWN = 1.0
"""A finding that survives a drift as bad as the worst seen before the pilot (J)."""
LONE_PLACE_RANK = 0.10


def pre_trend(estimate: Estimate, *, worthwhile: float | None) -> Check:
    """Joint test of the gaps before the pilot, their bands, and the slope carried into the pilot.

    Holds if the joint test finds nothing (10%) *and* every simultaneous band lies inside the smallest
    worthwhile effect; fails if it finds gaps (1%) whose slope, carried to the middle of the pilot, is
    half of the estimate or more; bands too wide to say are "cannot tell". The text ends with the steady drift
    that such a test misses half of the time
    (:mod:`ucimpact.diagnostics.missed_trends` has the full answers).

    Parameters
    ----------
    estimate : Estimate
        With ``extras["pre_trend"]`` and a path of ``event`` effects.
    worthwhile : float, optional
        Smallest worthwhile effect in units of the headline effect, positive.
    """
    found = estimate.extras.get("pre_trend") or {}
    p = found.get("p_value")
    path = estimate.path()
    before = path[path["event_time"] < -1] if len(path) else path
    table = [
        {
            "event_time": int(row["event_time"]),
            "gap": row["estimate"],
            "low": row["conf_low_simultaneous"],
            "high": row["conf_high_simultaneous"],
        }
        for _, row in before.iterrows()
    ]
    if p is None or not np.isfinite(p):
        text = found.get("why") or "There are too few periods before the pilot to compare."
        return Check(name="pre_trend", question=PRE_TREND, answer="cannot tell", text=text, table=table)
    chance = _in_100(p)
    carried = abs(found.get("slope_at_middle") or 0.0)
    bands = [abs(v) for row in table for v in (row["low"], row["high"]) if v is not None and np.isfinite(v)]
    widest = max(bands, default=np.inf)
    size = abs(float(estimate.headline["estimate"]))
    seen = (
        "Before the pilot the two differed by amounts that chance alone would give in "
        f"{chance} of 100 comparisons."
    )
    if p < FAIL and carried >= 0.5 * size:
        answer = "fails"
        text = f"{seen} Carried on into the pilot, that drift would make up half of the result or more."
    elif p < DOUBT:
        answer, text = "doubtful", f"{seen} That is a sign of different paths."
    elif worthwhile is None:
        answer = "cannot tell"
        text = f"{seen} No worthwhile effect was agreed, so a gap that matters cannot be ruled out."
    elif widest <= worthwhile:
        answer, text = "holds", f"{seen} Gaps as large as a worthwhile effect are ruled out."
    else:
        answer, text = (
            "cannot tell",
            f"{seen} The {_noun(estimate)}s are too unsteady to rule out a gap as large as a worthwhile "
            "effect.",
        )
    return Check(
        name="pre_trend",
        question=PRE_TREND,
        answer=answer,  # type: ignore[arg-type]
        text=f"{text} {missed_sentence(estimate)}".strip(),
        statistic=found.get("statistic"),
        p_value=float(p),
        table=table,
    )


def as_changeable(estimate: Estimate) -> Check | None:
    """Whether the pilot units' month-to-month variance before the pilot stands out."""
    rule = estimate.extras.get("rule") or {}
    ratio = rule.get("flag_ratio")
    if ratio is None or not np.isfinite(ratio):
        return None
    flagged = bool(rule.get("variance_flag"))
    noun = _noun(estimate)
    text = f"Before the pilot its variance from {noun} to {noun} was {ratio:.1f} times that of the others"
    text += "; the likely range was widened for it." if flagged else "; more than twice would be a warning."
    return Check(
        name="as_changeable",
        question=AS_CHANGEABLE,
        answer="doubtful" if flagged else "holds",
        text=text,
        statistic=float(ratio),
        counted=False,
    )


def placebo_units(estimate: Estimate, *, includes_no_change: bool = False) -> Check | None:
    """Rank of the pilot's effect among the effects that places without it would show.

    Where the likely range includes no change others are expected to show as much, and nothing follows.
    """
    placebo = estimate.extras.get("placebo") or {}
    others = np.abs(np.asarray(placebo.get("estimates", ()), dtype=float))
    others = others[np.isfinite(others)]
    if not others.size:
        return None
    size = abs(float(estimate.headline["estimate"]))
    larger = int((others >= size * (1 - 1e-9)).sum())
    share = (1 + larger) / (1 + others.size)
    text = f"{larger} of {others.size} places without the pilot show a change at least as large, up or down."
    if others.size < 9:
        answer = "cannot tell"
    else:
        unusual = share <= LONE_PLACE_RANK
        answer = "holds" if unusual else "cannot tell" if includes_no_change else "doubtful"
    return Check(
        name="placebo_units",
        question=PLACEBO_UNITS,
        answer=answer,  # type: ignore[arg-type]
        text=text,
        statistic=float(larger),
        p_value=share,
        counted=False,
    )


def unmeasured(*, includes_no_change: bool, controlled: bool, honest: HonestResult | None = None) -> Check:
    """How far pilot and comparison would have had to drift apart to explain the result.

    Holds if the breakdown value of :class:`~ucimpact.diagnostics.honest_did.HonestDiD` is 1 or more: the
    range still leaves out no change when the drift after the start moves by as much as the worst seen
    before it. Doubtful below 1. Cannot tell where the range includes no change, in a series without
    comparison, where no drift could be bounded, and where the range measured from the end of the time
    before, from which drifts are counted, includes no change already. It never fails.

    Parameters
    ----------
    includes_no_change : bool
        Whether the likely range of the headline holds 0.
    controlled : bool
        Whether there are places without the pilot.
    honest : HonestResult, optional
        With ``kind="relative-magnitudes"``; for an evaluation
        ``HonestDiD(target="headline", together="auto").of(estimate)``.
    """
    answer: Answer = "cannot tell"
    statistic, table = None, []
    if includes_no_change:
        text = "The likely range already includes no change, so there is nothing to explain away."
    elif not controlled:
        text = "With one series and nothing to compare it with, the data cannot answer."
    elif honest is None or honest.kind != "relative-magnitudes":
        text = (
            "How far the pilot places would have had to drift away from the others to explain the result "
            "was not worked out."
        )
    else:
        span = f"{honest.together} {honest.noun}s" if honest.together > 1 else honest.noun
        table = [dict(row) for row in honest.rows]
        if honest.breakdown is None:
            text = (
                f"Measured from the last {span} before the pilot alone, the range includes no change, so no "
                "drift can be ruled out."
            )
        else:
            statistic = honest.breakdown
            answer = "holds" if honest.breakdown >= ENOUGH_BREAKDOWN else "doubtful"
            step = f"one spell of {span} to the next" if honest.together > 1 else f"{span} to {span}"
            text = f"{honest.sentence} Violations are moves of pilot against comparison from {step}."
    return Check(
        name="unmeasured",
        question=UNMEASURED,
        answer=answer,
        text=text,
        statistic=statistic,
        table=table,
    )


def _in_100(p: float) -> str:
    if p < 0.01:
        return "fewer than 1"
    return f"{round(100 * p):d}"


def _noun(estimate: Estimate) -> str:
    return str(estimate.extras.get("noun", "month"))
