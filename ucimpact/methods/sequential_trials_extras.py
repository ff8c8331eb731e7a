"""What an estimate of sequential trials carries besides its effects: balance, flow, other answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.inference import balance, trial_weights
from ucimpact.inference.overlap import overlap
from ucimpact.inference.prognosis import Prognosis, prognosis, with_strength
from ucimpact.methods.cohort_account import cares_of_uneven
from ucimpact.methods.cohort_hidden_odds import hidden_odds, scores
from ucimpact.methods.cohort_subgroups import subgroups
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_effects import Effects
from ucimpact.methods.sequential_trials_answers import trials_told
from ucimpact.methods.sequential_trials_asked import Asked
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_pictures import by_place, how_often, months_before, what_came_first
from ucimpact.methods.sequential_trials_sample import TrialSample
from ucimpact.methods.sequential_trials_table import drawn

Array = np.ndarray

ALIKE, UNLIKE, MANY_LOST = 0.10, 0.25, 0.10
FEW_SETS = 20
ENOUGH = 20_000
"""Comparison rows from which it is worked out what foretells the outcome; of more, every k-th."""


def extras_of(
    method: Asked,
    emulation: Emulation,
    sample: TrialSample,
    y: Array,
    found: Effects,
    *,
    pictures: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The extras, and what a reader should know of them."""
    before, after = emulation.balance(method.by)
    counted, label = method.counting, method.outcome
    shown = _balance_rows(before, after)
    if pictures and sample.size >= FEW_SETS:
        shown = with_strength(shown, emulation.names, _foretells(sample, y, emulation))
    lost = lost_of(emulation, sample, method.by)
    others = ~sample.treated
    weight = np.bincount(np.unique(sample.person[others], return_inverse=True)[1], sample.weight[others])
    extras: dict[str, Any] = {
        "balance": shown,
        "max_smd": balance.max_smd(after) if after else None,
        "overlap": overlap(emulation.hazard.linear, emulation.rows.treated),
        "audit": emulation.audit,
        "lost": lost,
        "flow": flow_of(emulation, sample, lost),
        "delay": {"known": lost["of"], "unknown": 0, "after": 0, "before": 0, "mean": 0.0, "ratio": None},
        "clock": {"index_date": True, "service_start": True},
    }
    if method.by == "weights":
        extras["weights"] = {
            "ess": trial_weights.effective(weight),
            "of": len(weight),
            "rows": int(others.sum()),
            "largest_share": trial_weights.largest_share(weight),
            "trimmed": 0,
        }
    if method.subgroups:
        finite = replace(
            sample, sure=False
        )  # a test of several effects at once needs finite degrees of freedom
        extras["subgroups"] = subgroups(method.model, finite, y, method.subgroups)
    if pictures and counted.days[1] > 0:
        shapes = {
            "balance_by_site": by_place(emulation, sample),
            "trajectory": months_before(emulation, counted, sample),
            "incidence": what_came_first(emulation, counted, sample, label, method.level),
            "cumulative_count": how_often(emulation, counted, sample, label, method.level),
            "trials": trials_told(method, emulation, sample, y, found),
        }
        if method.by == "matching" and method.reuse_within_day == 1:
            shapes["sensitivity"] = _hidden_odds(emulation, sample, y, found)
        extras |= {name: told for name, told in shapes.items() if told}
    return extras, (*_cares(emulation, extras, sample), *map(str, cares_of_uneven(sample, found)))


def _hidden_odds(
    emulation: Emulation, sample: TrialSample, y: Array, found: Effects
) -> dict[str, Any] | None:
    """How much hidden bias the matched sets bear."""
    of_set = np.full(len(emulation.rows.day), -1)
    codes, pilot, control = emulation.sets.pairs()
    of_set[pilot], of_set[control] = codes, codes
    own = of_set[sample.place]
    days = sample.days if sample.cohort.horizon else None
    told = hidden_odds(scores(y, days), own, sample.treated, found.att)
    return None if told is None else {"rosenbaum": told}


def _foretells(sample: TrialSample, y: Array, emulation: Emulation) -> Prognosis:
    """How strongly each covariate goes with the outcome among comparison rows."""
    others = np.flatnonzero(~sample.treated)
    others = others[:: max(1, -(-len(others) // ENOUGH))]
    return prognosis(
        y[others],
        emulation.x[sample.place[others]],
        weights=sample.weight[others],
        exposure=None if sample.days is None else sample.days[others],
        clusters=sample.codes[others],
    )


def _balance_rows(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": new["name"],
            "label": str(new["name"]).replace("_", " "),
            "pilot_before": old["pilot_mean"],
            "pilot": new["pilot_mean"],
            "comparison_before": old["comparison_mean"],
            "comparison": new["comparison_mean"],
            "smd_before": old["smd"],
            "smd": new["smd"],
            "variance_ratio_before": old["variance_ratio"],
            "variance_ratio": new["variance_ratio"],
            "ks_before": old["ks"],
            "ks": new["ks"],
        }
        for old, new in zip(before, after, strict=True)
    ]


def lost_of(emulation: Emulation, sample: TrialSample, by: str) -> dict[str, Any]:
    """Those who start and are not in the comparison, and why."""
    of = int(emulation.everybody.treated.sum())
    reasons = [{"n": row["pilot"], "reason": row["reason"]} for row in emulation.left_out if row["pilot"]]
    alone = int((emulation.rows.treated & (emulation.weights(by) == 0)).sum())
    if alone:
        text = (
            "nobody of the same day was near enough" if by == "matching" else "nobody of their kind was there"
        )
        reasons.append({"n": alone, "reason": text})
    unseen = of - sample.size - sum(row["n"] for row in reasons)
    if unseen > 0:
        reasons.append({"n": unseen, "reason": "the outcome was not seen for long enough"})
    return {"n": of - sample.size, "of": of, "reasons": reasons, "differ": []}


def flow_of(emulation: Emulation, sample: TrialSample, lost: dict[str, Any]) -> list[dict[str, Any]]:
    """From everybody in the records to those compared, every step with its number."""
    every = emulation.everybody
    trigger = emulation.plan.opening.trigger
    rows = list(every.flow)
    if trigger:
        text = "person-days on which the service could have begun"
        rows += [{"kind": "in", "n": every.eligible, "text": text}, *drawn(every)]
    rows += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in emulation.left_out]
    if emulation.idle:
        text = "of these, on days or at places where nobody began the service"
        rows.append({"kind": "out", "n": emulation.idle, "text": text})
    if emulation.idle or emulation.left_out:
        what = "person-days" if trigger else "people and trials"
        rows.append({"kind": "in", "n": len(emulation.rows.day), "text": f"{what} compared"})
    served = int(np.isfinite(emulation.histories.start).sum())
    rows.append({"kind": "in", "n": served, "text": "people who had the service"})
    for row in emulation.elsewhere:
        rows.append({"kind": "out", "n": row["n"], "text": f"began it in no trial: {row['reason']}"})
    rows.append({"kind": "in", "n": lost["of"], "text": "people who began the service in one of the trials"})
    rows += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in lost["reasons"]]
    rows.append({"kind": "end", "n": sample.size, "text": "people who began the service, in the comparison"})
    others = np.unique(sample.person[~sample.treated])
    start = emulation.histories.start[others]
    later = int(np.isfinite(start).sum())
    text = f"different people beside them, {later:,} of whom had the service themselves on another day"
    rows.append({"kind": "end", "n": len(others), "text": text})
    return rows


def _cares(emulation: Emulation, extras: dict[str, Any], sample: TrialSample) -> tuple[str, ...]:
    """What came of the trials that a reader should know."""
    found = []
    lost = extras["lost"]
    for row in emulation.left_out:
        text = f"{row['n']:,} people were left out ({row['pilot']:,} of them starting): {row['reason']}"
        found.append(Finding("warn", text))
    if lost["n"] > MANY_LOST * lost["of"]:
        why = "; ".join(f"{row['n']:,}: {row['reason']}" for row in lost["reasons"])
        text = (
            f"{lost['n']:,} of {lost['of']:,} people who began the service are not in the comparison ({why})"
        )
        found.append(Finding("warn", text))
    elsewhere = emulation.elsewhere
    if (n := sum(row["n"] for row in elsewhere)) > MANY_LOST * (n + lost["of"]):
        why = "; ".join(f"{row['n']:,}: {row['reason']}" for row in elsewhere)
        text = f"{n:,} of {n + lost['of']:,} people who had the service began it in no trial ({why})"
        found.append(Finding("warn", text, "Check the trigger and the days within which the service begins"))
    if sample.size < FEW_SETS:
        text = (
            f"{sample.size} people who began the service are too few for a likely range that can be trusted"
        )
        found.append(Finding("warn", text, "Bring more people"))
    if (smd := extras["max_smd"]) is not None and smd > ALIKE:
        apart = [row for row in extras["balance"] if row["smd"] is None or abs(row["smd"]) > ALIKE]
        named = ", ".join(f"`{row['name']}`" for row in apart)
        if smd <= UNLIKE:
            text, way_out = (
                f"the two groups still differ a little in {named}",
                "Compare by the other of weights and matching",
            )
        else:
            text = (
                f"the two groups are still unlike in {named}, by more than a quarter of a standard "
                "deviation, so nothing should be claimed from the result"
            )
            way_out = "Compare fewer columns at once, or bring more people"
        found.append(Finding("warn", text, way_out))
    return tuple(map(str, found))
