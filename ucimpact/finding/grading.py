"""From the facts of a study and its checks to the level of certainty, with a reason for every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact import words
from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.diagnostics.check import Check
from ucimpact.estimate import Estimate
from ucimpact.finding.numbers import compared, known, percent_of, pilot_groups
from ucimpact.study import Study


def certainty(
    study: Study,
    data: Panel | Series | Cohort,
    estimate: Estimate,
    found: Mapping[str, Any],
    checks: Sequence[Check],
    sensitivity: Sequence[tuple[float | None, float | None, float | None]],
    dates: Sequence[tuple[float | None, float | None, float | None]],
    *,
    designs: Sequence[tuple[float, float, float]] = (),
    locked: bool = False,
    plan_changed: bool = False,
) -> dict[str, Any]:
    """The level and its steps, from the facts of the study and the checks that count.

    ``designs`` are effects by designs with different comparisons, the main one first, all in per cent;
    ``locked`` and ``plan_changed`` say whether a plan was locked before outcome data, and then changed.
    """
    counted = [check for check in checks if check.counted and check.name in words.QUESTIONS]
    panel = isinstance(data, Panel)
    rule = estimate.extras.get("rule") or {}
    off_zero = found["lo"] is not None and not found["lo"] <= 0 <= found["hi"]
    facts: dict[str, Any] = {}
    if isinstance(data, Cohort):
        facts = _facts_of_people(study, data, estimate)
    elif panel and not compared(estimate):
        facts = {
            "before": estimate.extras["before"],
            "after": estimate.extras["after"],
            "per_year": int(data.frequency.per_year or 12),
            "periods": f"{data.frequency.noun}s",
            "places": found["n1"],
        }
    elif panel:
        facts = {
            "place_level": True,
            "n1": found["n1"],
            "n0": found["n0"],
            "breakdown": found["breakdown"] if off_zero else None,
            "variance_flag": bool(rule.get("variance_flag")),
            "places": found["n1"],
        }
    else:
        facts = {
            "before": estimate.extras["before"],
            "after": estimate.extras["after"],
            "df": known((estimate.extras.get("df") or {}).get("average")),
            "per_year": int(data.frequency.per_year or 12),
            "periods": f"{data.frequency.noun}s",
        }
    random = study.context.allocation == "lot"
    own_past = panel and not compared(estimate)
    grade = words.grade(
        allocation="series" if own_past else _allocation(data, random=random),
        claim=found["claim"],
        est=found["est"],
        lo=found["lo"],
        hi=found["hi"],
        w=found["w"],
        better=found["better"],
        kind=found["kind"],
        percent=found["scale"] == "log",
        outcome=found["outcome"],
        chosen="people" if isinstance(data, Cohort) else "places",
        supported="supported" if isinstance(data, Cohort) else "with the pilot",
        checks={check.name: check.answer for check in counted},
        questions={check.name: check.question for check in counted},
        one_place=found["one_place"],
        sensitivity=() if found["key_fail"] else sensitivity,
        dates=dates,
        proxy=found["proxy"],
        designs=designs if len(designs) > 1 else (),
        locked=locked,
        plan_changed=plan_changed,
        **facts,
    )
    return grade.to_dict()


def _allocation(data: Panel | Series | Cohort, *, random: bool) -> str:
    if isinstance(data, Cohort):
        compared = data.pilot is not None and not data.is_pilot.all()
        return "random" if random and compared else "comparison" if compared else "before-after"
    if isinstance(data, Panel):
        return "random" if random else "comparison"
    return "series"


def _facts_of_people(study: Study, data: Cohort, estimate: Estimate) -> dict[str, Any]:
    """What the steps ask of a cohort: how many, in how many groups, out of how many, and their controls."""
    analysed = estimate.counts.get("matched_pilot", data.counts()["pilot"])
    value = (estimate.extras.get("e_value") or {}).get("limit")
    pooled = (estimate.extras.get("controls") or {}).get("pooled")
    ratio = percent_of(estimate)
    facts: dict[str, Any] = {
        "n1": analysed,
        "n0": estimate.counts.get("matched_comparison"),
        "places": pilot_groups(data),
        "analysed": analysed / study.data.eligible if study.data.eligible else None,
        "e_value": known(value),
        "linked": study.data.linked,
        "follow_up_short": _followed_for_less(study),
    }
    if pooled and ratio and ratio["ratio"] > 0:
        facts["controls"] = (pooled["log_ratio"], pooled["std_error"], float(np.log(ratio["ratio"])))
    return facts


def _followed_for_less(study: Study) -> bool:
    """Whether people were followed for fewer days than the question is about."""
    asked, primary = study.data.asked_days, study.primary
    days = study.data.follow_up_days
    if primary.counted is not None:
        days = float(primary.counted.days[1])
    return asked is not None and days is not None and days < asked
