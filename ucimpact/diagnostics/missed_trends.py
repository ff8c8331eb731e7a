"""What the test of the time before the pilot could have missed, and what gaps it rules out.

A test that finds nothing is worth what it could have found (Roth 2022): the check of the time before the
pilot says which steady drift it would have missed, in the size that such a drift gives the result. The
equivalence form asks the other way round which gaps are ruled out (Dette and Schumann 2024). Both are
printed beside the key check ``pre_trend`` and take no step of their own. See
:mod:`ucimpact.inference.pretrends`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.diagnostics.check import Answer, Check
from ucimpact.diagnostics.honest_did import event_path
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.honest_path import EventPath
from ucimpact.inference.paths import polynomials
from ucimpact.inference.pretrends import Joint, Margins, OneByOne, equivalence

POWER = "What drift could the test before the pilot have missed?"
EQUIVALENCE = "Are gaps that matter ruled out before the pilot?"
HALF, MOSTLY = 0.5, 0.8
TEST_LEVEL = 0.90
"""The key check doubts at 10%, so that is the test whose power is asked."""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Steady drifts that the test would see half of the time, and four times in five.

    Attributes
    ----------
    half, mostly : float
        Slopes, in units of the effects per period.
    half_adds, mostly_adds : float
        What they add to the headline effect.
    one_by_one_half, one_by_one_mostly : float
        Slopes for the rule that looks whether any single period's range leaves out 0.
    adds_if_passed : float
        What the drift seen half of the time adds to the average of the path, among data sets in which that
        rule sees nothing.
    """

    half: float
    mostly: float
    half_adds: float
    mostly_adds: float
    one_by_one_half: float
    one_by_one_mostly: float
    adds_if_passed: float


def missed(estimate: Estimate) -> Missed:
    """The drifts that would have been missed.

    Raises
    ------
    EstimationError
        Where there is no path before the pilot, or no range for it.
    """
    path, _ = event_path(estimate)
    test = _test_of(estimate, path)
    half, mostly = test.slope_for(HALF), test.slope_for(MOSTLY)
    distance = _distance(estimate, path)
    single = OneByOne(path)
    since = path.times[path.after] >= 0
    weights = since / since.sum()
    return Missed(
        half=half,
        mostly=mostly,
        half_adds=half * distance,
        mostly_adds=mostly * distance,
        one_by_one_half=single.slope_for(HALF),
        one_by_one_mostly=single.slope_for(MOSTLY),
        adds_if_passed=single.bias(half, weights)[1],
    )


def _test_of(estimate: Estimate, path: EventPath) -> Joint:
    """The joint test that the estimate carries: the same shapes of the same leads, and its degrees of
    freedom."""
    told = estimate.extras.get("pre_trend") or {}
    before = path.times[path.before]
    leads = np.isin(before, told.get("leads") or before)
    if not leads.any():
        raise EstimationError(told.get("why") or "There is no path over time to compare before the pilot.")
    number = int(told.get("df_num") or leads.sum())
    df_den = float(told.get("df_den") or np.inf)
    rows = np.eye(len(before))[leads]
    if number < leads.sum():
        line = np.append(before[leads], path.reference)
        rows = polynomials(line, number)[:, :-1] @ rows
    return Joint(path, rows=rows, df_den=df_den, level=TEST_LEVEL)


def _distance(estimate: Estimate, path: EventPath) -> float:
    """Periods by which a drift moves the headline: from the middle of what it is measured from."""
    told = estimate.extras.get("pre_trend") or {}
    slope, carried = told.get("slope"), told.get("slope_at_middle")
    if slope and carried is not None and np.isfinite(slope) and np.isfinite(carried):
        return float(carried / slope)
    since = path.times[path.after]
    return float(since[since >= 0].mean() - path.reference)


def missed_sentence(estimate: Estimate) -> str:
    """What a steady drift that is missed half of the time would make of the result; empty if not known."""
    try:
        found = missed(estimate)
    except EstimationError:
        return ""
    part = _part_of_result(found.half_adds, estimate)
    return f"A steady drift that comes to {part} would have been missed half of the time." if part else ""


def pre_trend_power(estimate: Estimate, *, worthwhile: float | None) -> Check:
    """Roth's question: which steady drift would the test have seen?

    Holds if a drift that the test sees four times in five adds less than a worthwhile effect; otherwise it
    cannot tell, as when none was agreed.
    """
    try:
        found = missed(estimate)
    except EstimationError as error:
        return Check(
            name="pre_trend_power", question=POWER, answer="cannot tell", text=str(error), counted=False
        )
    noun = str(estimate.extras.get("noun", "period"))
    seen = worthwhile is not None and abs(found.mostly_adds) <= worthwhile
    answer: Answer = "holds" if seen else "cannot tell"
    text = missed_sentence(estimate)
    if worthwhile is None:
        text += " No worthwhile effect was agreed to hold it against."
    elif seen:
        text += " A drift as large as a worthwhile effect would have been seen four times in five."
    else:
        text += " A drift as large as a worthwhile effect could have been missed."
    rows = [
        {"seen": HALF, "drift": found.half, "adds": found.half_adds, "one_by_one": found.one_by_one_half},
        {
            "seen": MOSTLY,
            "drift": found.mostly,
            "adds": found.mostly_adds,
            "one_by_one": found.one_by_one_mostly,
        },
    ]
    return Check(
        name="pre_trend_power",
        question=POWER,
        answer=answer,
        text=text.strip(),
        statistic=found.half,
        table=[{**row, "per": noun} for row in rows],
        counted=False,
    )


def pre_trend_equivalence(estimate: Estimate, *, worthwhile: float | None) -> Check:
    """Whether gaps before the pilot as large as a worthwhile effect are ruled out.

    Holds if the largest gap is shown to be smaller (at 5%); cannot tell otherwise: a gap that is not ruled
    out need not be there.
    """
    try:
        path, _ = event_path(estimate)
        margins = equivalence(path)
    except EstimationError as error:
        return Check(
            name="pre_trend_equivalence",
            question=EQUIVALENCE,
            answer="cannot tell",
            text=str(error),
            counted=False,
        )
    noun = str(estimate.extras.get("noun", "period"))
    holds = worthwhile is not None and margins.largest <= worthwhile
    part = _part_of_result(margins.largest, estimate)
    text = f"In no {noun} before the pilot was the gap larger than {part}, as far as chance allows to say."
    if not part:
        text = "There is no result to hold the gaps before the pilot against."
    elif worthwhile is None:
        text += " No worthwhile effect was agreed to hold it against."
    elif holds:
        text += " That is less than a worthwhile effect."
    elif margins.mean <= worthwhile:
        text += f" A single {noun} could have had a gap that matters; all {noun}s together had none."
    else:
        text += " That leaves room for a gap that matters."
    return Check(
        name="pre_trend_equivalence",
        question=EQUIVALENCE,
        answer="holds" if holds else "cannot tell",
        text=text,
        statistic=margins.largest,
        table=_margin_rows(margins),
        counted=False,
    )


def _margin_rows(margins: Margins) -> list[dict[str, Any]]:
    return [
        {"gap": "largest", "ruled_out_above": margins.largest},
        {"gap": "largest, by two one-sided tests", "ruled_out_above": margins.tost},
        {"gap": "mean", "ruled_out_above": margins.mean},
        {"gap": "root mean square", "ruled_out_above": margins.root_mean_square},
    ]


def _part_of_result(value: float, estimate: Estimate) -> str:
    """ "30% of the result", "as much as the result itself", "2.4 times the result"; empty for a result of
    0."""
    size = abs(float(estimate.headline["estimate"]))
    if not size > 0 or not np.isfinite(value):
        return ""
    share = abs(value) / size
    if share < 0.01:
        return "under 1% of the result"
    if share < 0.95:
        return f"{100 * share:.0f}% of the result"
    if share < 1.05:
        return "as much as the result itself"
    return f"{share:.1f} times the result"
