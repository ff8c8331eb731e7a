"""How a matched comparison is written down as an estimate, and what a reader should know of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference import learners
from ucimpact.inference.prognosis import prognosis, with_strength
from ucimpact.methods.cohort_hidden_odds import hidden_odds, scores
from ucimpact.methods.cohort_subgroups import subgroups
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_design import delay_of
from ucimpact.methods.matched_cohort_effects import COUNTS, Compared, Effects, Model
from ucimpact.methods.matched_cohort_pairs import Pairs
from ucimpact.methods.matched_cohort_sample import Sample

Array = np.ndarray

ALIKE, UNLIKE = 0.10, 0.25
"""Largest standardised difference that is called alike, and above which no effect should be claimed."""

MANY_LOST = 0.10
FEW_SETS, FEW_EVENTS, FEW_CLUSTERS = 8, 5, 10


def estimate_of(
    method: Any,
    model: Model,
    pairs: Pairs,
    sample: Sample,
    y: Array,
    compared: Compared,
    found: Effects,
    warnings: tuple[str, ...],
) -> Estimate:
    """The effects with everything that the report says of them."""
    cohort = sample.cohort
    events = sample.events(y) if model.family in COUNTS else None
    extras: dict[str, Any] = {
        "observed": found.observed,
        "expected": found.observed - found.att,
        "horizon": cohort.horizon,
        "person_time": sample.person_time,
        "balance": _with_strength(pairs, sample, y, model),
        "max_smd": pairs.max_smd,
        "audit": pairs.audit,
        "lost": pairs.lost,
        "flow": flow(pairs, sample),
        "weights": weights_of(sample),
        "e_value": found.e_value(),
        "delay": delay_of(cohort, method.outcome),
        "clock": {
            "index_date": cohort.index_date is not None,
            "service_start": cohort.service_start is not None,
        },
        "df": found.df,
        "rule": {
            "procedure": "bootstrap" if model.family == "bootstrap" else "cr1",
            "reason": sample.words,
            "df": found.df,
            "sets": sample.sets,
            "adjusted_for": list(compared.adjusted),
            "refused": None,
        },
    }
    if (by_site := pairs.balance_by_site(cohort)) is not None:
        extras["balance_by_site"] = by_site
    if pairs.overlap is not None:
        extras["overlap"] = pairs.overlap
    if method.subgroups:
        extras["subgroups"] = subgroups(model, sample, y, method.subgroups)
    days = sample.days if model.family in COUNTS else None
    hidden = hidden_odds(scores(y[sample.row], days), sample.set, sample.treated, found.att)
    if hidden is not None:
        extras["sensitivity"] = {"rosenbaum": hidden}
    return Estimate(
        method="matched-cohort",
        estimand="ATT",
        outcome=method.outcome,
        effects=effects_frame(found.rows),
        cov=found.cov,
        influence=found.by_set,
        sampling_units=sample.names,
        counts={
            **cohort.counts(),
            "matched_pilot": sample.size,
            "matched_comparison": int(np.unique(sample.row[~sample.treated]).size),
            "sets": sample.sets,
            "events_pilot": events and events[0],
            "events_comparison": events and events[1],
            "left_out": [*pairs.left_out, *sample.left_out],
        },
        warnings=(*warnings, *_cares(pairs, sample, events), *compared.warnings),
        spec={f.name: _spoken(getattr(method, f.name)) for f in fields(method)},
        provenance={"version": __version__, "seed": method.seed},
        draws_from=found.draws_from,
        extras=extras,
    )


def _spoken(value: Any) -> Any:
    try:
        return serialise.plain(value)
    except TypeError:
        return learners.name_of(value)


def _with_strength(pairs: Pairs, sample: Sample, y: Array, model: Model) -> list[dict[str, Any]]:
    """The balance with how much each covariate foretells the outcome among the comparison people."""
    shown = pairs.shown
    at = np.full(len(y), -1)
    at[shown.rows] = np.arange(len(shown.rows))
    others = ~sample.treated
    rows = sample.row[others]
    days = sample.days if model.family in COUNTS else None
    try:
        told = prognosis(
            y[rows],
            shown.x[at[rows]],
            weights=sample.weight[others],
            exposure=None if days is None else days[others],
        )
    except EstimationError:
        return pairs.balance
    return with_strength(pairs.balance, shown.names, told)


def weights_of(sample: Sample) -> dict[str, Any]:
    """How many comparison people without weights would tell as much, and the share of the heaviest."""
    others = ~sample.treated
    whole = np.bincount(sample.row[others], sample.weight[others])
    whole = whole[whole > 0]
    return {
        "ess": float(whole.sum() ** 2 / (whole**2).sum()),
        "of": len(whole),
        "largest_share": float(whole.max() / whole.sum()),
        "trimmed": 0,
    }


def flow(pairs: Pairs, sample: Sample) -> list[dict[str, Any]]:
    """Who went in, who was left out and why, and who remained."""
    cohort = sample.cohort
    rows: list[dict[str, Any]] = [{"kind": "in", "n": len(cohort.table), "text": "people on the list"}]
    rows += [
        {"kind": "out", "n": row["n"], "text": row["reason"]}
        for row in (*pairs.left_out, *pairs.lost["reasons"])
    ]
    different = int(np.unique(pairs.sets.loc[~pairs.sets["treated"], "row"]).size)
    incomplete = sum(row["n"] - row["pilot"] for row in pairs.left_out)
    if beside := int((~cohort.is_pilot).sum()) - incomplete - different:
        rows.append({"kind": "out", "n": beside, "text": "people without the service who were in no set"})
    rows += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in sample.left_out]
    rows.append({"kind": "end", "n": sample.size, "text": "people supported and analysed"})
    others = int(np.unique(sample.row[~sample.treated]).size)
    rows.append({"kind": "end", "n": others, "text": "people beside them"})
    return rows


def _cares(pairs: Pairs, sample: Sample, events: tuple[float, float] | None) -> tuple[str, ...]:
    """What came of the matching that a reader should know."""
    found = []
    for row in (*pairs.left_out, *sample.left_out):
        text = f"{row['n']:,} people were left out ({row['pilot']:,} of them pilot): {row['reason']}"
        found.append(Finding("warn", text))
    lost = pairs.lost
    if lost["n"] > MANY_LOST * lost["of"]:
        text = (
            f"{lost['n']:,} of {lost['of']:,} pilot people had no match ({_why(lost)}), so the result is "
            "about the others"
        )
        found.append(Finding("warn", text, "Compare a wider caliper or fewer kinds under exact"))
    found += _unlike(pairs)
    if sample.sets < FEW_SETS:
        text = f"{sample.sets} matched sets are too few for a likely range that can be trusted"
        found.append(Finding("warn", text, "Bring more people"))
    if events is not None and min(events) < FEW_EVENTS:
        text = (
            f"there were {events[0]:g} events among the matched pilot people and {events[1]:g} among their "
            "comparison people: too few for a likely range that can be trusted"
        )
        way_out = "Follow people for longer, or take an outcome that happens more often"
        found.append(Finding("warn", text, way_out))
    clusters = sample.cohort.clusters
    if clusters is not None and (number := int(np.unique(clusters[sample.row]).size)) < FEW_CLUSTERS:
        text = (
            f"there are {number} clusters in `{sample.cohort.cluster}`, so the likely range may be too narrow"
        )
        found.append(Finding("warn", text, "Compare the result place by place, as a panel"))
    return tuple(map(str, found))


def _why(lost: dict[str, Any]) -> str:
    return "; ".join(f"{row['n']:,}: {row['reason']}" for row in lost["reasons"])


def _unlike(pairs: Pairs) -> list[Finding]:
    """The balance as a gate."""
    if pairs.max_smd is None or pairs.max_smd <= ALIKE:
        return []
    apart = [row for row in pairs.balance_after if row["smd"] is None or abs(row["smd"]) > ALIKE]
    named = ", ".join(f"`{row['name']}`" for row in apart)
    if pairs.max_smd <= UNLIKE:
        text = f"after matching the two groups still differ a little in {named}"
        return [Finding("warn", text, "Compare a narrower caliper")]
    text = (
        f"after matching the two groups are still unlike in {named}, by more than a quarter of a standard "
        "deviation, so nothing should be claimed from the result"
    )
    way_out = "Match on it exactly, narrow the caliper, or bring more comparison people"
    return [Finding("warn", text, way_out)]
