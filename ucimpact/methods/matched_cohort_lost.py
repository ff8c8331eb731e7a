"""Pilot people without a match: why, and how they differ from the matched."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.inference.grouped_sets import Groups
from ucimpact.inference.matched_sets import Sets
from ucimpact.methods.cohort_balance import FEWEST_DESCRIBED, differing
from ucimpact.methods.matched_cohort_matching import People
from ucimpact.methods.matched_cohort_rules import Rules

Array = np.ndarray


def why_lost(found: Sets | Groups, people: People, rules: Rules) -> list[dict[str, Any]]:
    """Of the pilot people without a match: nobody of their kind, nobody near, or all who were near taken."""
    unmatched = found.unmatched
    if rules.matching == "cem":
        reason = "nobody else lay in the same stretch of every column"
        return [{"n": len(unmatched), "reason": reason}] if len(unmatched) else []
    treated, strata = people.treated, people.strata
    kind = np.zeros(len(treated), dtype=np.int64) if strata is None else strata
    asked = np.zeros(int(kind.max(initial=0)) + 1, dtype=bool)
    asked[kind[unmatched]] = True
    others = np.flatnonzero(~treated & asked[kind])
    far = np.zeros(len(treated)) if people.distance is None else people.distance
    order = others[np.lexsort((far[others], kind[others]))]
    sorted_kind, sorted_far = kind[order], far[order]
    counts = {"kind": 0, "near": 0, "taken": 0}
    for row in unmatched:
        first, last = np.searchsorted(sorted_kind, [kind[row], kind[row] + 1])
        if first == last:
            counts["kind"] += 1
            continue
        if people.caliper is not None:
            slack = people.caliper * 1e-12
            ends = [far[row] - people.caliper - slack, far[row] + people.caliper + slack]
            first, last = first + np.searchsorted(sorted_far[first:last], ends)
        near = order[first:last]
        for codes in people.forbid:
            near = near[codes[near] != codes[row]]
        for column, width in people.calipers:
            near = near[np.abs(column[near] - column[row]) <= width]
        counts["taken" if len(near) else "near"] += 1
    named = ", ".join(f"`{name}`" for name in rules.exact)
    bounded = people.caliper is not None or len(people.calipers)
    words = {
        "kind": f"nobody else was alike in {named}" if named else "there was nobody else",
        "near": "nobody else was near enough" if bounded else "nobody else was allowed",
        "taken": "all who were near enough were matched to others",
    }
    if rules.matching == "subclass":
        words["taken"] = f"nobody else was alike in {named} and had a score in the same subclass"
    return [{"n": counts[key], "reason": text} for key, text in words.items() if counts[key]]


def how_lost_differ(found: Sets | Groups, names: list[str], x: Array, treated: Array) -> list[dict[str, Any]]:
    """Means of the lost and of the matched pilot people, in standard deviations of all pilot people apart."""
    if len(found.unmatched) < FEWEST_DESCRIBED or len(found.treated) < FEWEST_DESCRIBED:
        return []
    spread = x[treated].std(axis=0, ddof=1)
    lost, matched = x[found.unmatched].mean(axis=0), x[found.treated].mean(axis=0)
    return differing((name, lost[place], matched[place], spread[place]) for place, name in enumerate(names))
