"""How a matched comparison is written down as an estimate, and what a reader should know of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ucimpact.estimate import Estimate, effects_frame
from ucimpact.methods.cohort_account import (
    UNEVEN,
    cares_of_balance,
    cares_of_few,
    cares_of_left_out,
    cares_of_lost,
    cares_of_uneven,
    counts_of,
    extras_of,
    record_of,
    told_strength,
)
from ucimpact.methods.cohort_hidden_odds import hidden_odds, scores
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_effects import COUNTS, Compared, Effects, Model
from ucimpact.methods.matched_cohort_pairs import Pairs
from ucimpact.methods.matched_cohort_sample import Sample

Array = np.ndarray

FEW_SETS = 8


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
    extras = extras_of(method, model, pairs, sample, y, found, sets=sample.sets, adjusted=compared.adjusted)
    extras |= {
        "balance": _with_strength(pairs, sample, y, model),
        "audit": pairs.audit,
        "flow": flow(pairs, sample),
        "weights": weights_of(sample),
    }
    if (by_site := pairs.balance_by_site(cohort)) is not None:
        extras["balance_by_site"] = by_site
    if pairs.overlap is not None:
        extras["overlap"] = pairs.overlap
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
        counts={**counts_of(pairs, sample, events), "sets": sample.sets},
        warnings=(*warnings, *_cares(pairs, sample, events, found), *compared.warnings),
        **record_of(method),
        draws_from=found.draws_from,
        extras=extras,
    )


def _with_strength(pairs: Pairs, sample: Sample, y: Array, model: Model) -> list[dict[str, Any]]:
    """The balance with how much each covariate foretells the outcome among the comparison people."""
    shown = pairs.shown
    at = np.full(len(y), -1)
    at[shown.rows] = np.arange(len(shown.rows))
    others = ~sample.treated
    x = shown.x[at[sample.row[others]]]
    return told_strength(pairs.balance, shown.names, x, sample, y, model, weights=sample.weight[others])


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


def _cares(
    pairs: Pairs, sample: Sample, events: tuple[float, float] | None, effects: Effects
) -> tuple[str, ...]:
    """What came of the matching that a reader should know."""
    found = [
        *cares_of_left_out(pairs, sample),
        *cares_of_lost(pairs, "had no match", "Compare a wider caliper or fewer kinds under exact"),
        *cares_of_balance(
            pairs,
            "matching",
            "Compare a narrower caliper",
            "Match on it exactly, narrow the caliper, or bring more comparison people",
        ),
    ]
    if sample.sets < FEW_SETS:
        text = f"{sample.sets} matched sets are too few for a likely range that can be trusted"
        found.append(Finding("warn", text, "Bring more people"))
    found += cares_of_few(sample, events, "the matched pilot people", "their comparison people")
    if sample.sets > UNEVEN + 1:  # fewer sets are told to be too few
        found += cares_of_uneven(sample, effects)
    return tuple(map(str, found))
