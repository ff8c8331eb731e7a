"""What a weighted comparison refuses and warns of, and how it is written down as an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference import learners
from ucimpact.inference.gcomputation import Contrast
from ucimpact.methods.cohort_account import (
    MANY_LOST,
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
from ucimpact.methods.cohort_findings import nothing_named
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_design import (
    clock_findings,
    column_findings,
    group_findings,
    outcome_findings,
)
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, Model
from ucimpact.methods.weighted_sample import WeightedSample

Array = np.ndarray

FEW_EFFECTIVE = 30
LARGEST = 0.05
"""Share of the whole weight that a single person may carry before a reader is told."""


def weighting_findings(
    cohort: Cohort, outcome: str | None, family: str, covariates: Sequence[str], kinds: Sequence[str]
) -> list[Finding]:
    """What these data refuse, and what needs care; without an outcome only what bars the weighting."""
    if groups := group_findings(cohort):
        return groups
    if not (covariates or kinds):
        way_out = "Name covariates (age, use of care before the index date), or kinds"
        columns = [nothing_named("in which the groups", way_out)]
    else:
        columns = column_findings(cohort, covariates, None, kinds)
    if outcome is None:
        return columns
    return [*clock_findings(cohort, outcome), *columns, *outcome_findings(cohort, outcome, family)]


def learner_problem(name: str, value: object, kind: Literal["classifier", "regressor"]) -> str | None:
    """A word that stands for no learner, or an object that is none."""
    own = learners.CHANCES if kind == "classifier" else learners.MEANS
    known = (*own, *learners.WORDS)
    is_one = learners.is_classifier if kind == "classifier" else learners.is_regressor
    if value in known or (not isinstance(value, str) and is_one(value)):
        return None
    listed = ", ".join(f'"{word}"' for word in known)
    return (
        f"{name} = {learners.name_of(value)!r}: give one of {listed}, or a {kind} that follows scikit-learn"
    )


def estimate_of(
    key: str,
    method: Any,
    sample: WeightedSample,
    y: Array,
    model: Model,
    contrast: Contrast,
    *,
    adjusted: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    note: str = "",
    more: dict[str, Any] | None = None,
) -> Estimate:
    """The estimate of a weighted comparison, with the rows and extras of a matched one."""
    weighing, target = sample.weighing, method.estimand
    found = Effects(model, sample, contrast, y)
    events = sample.events(y) if model.family in COUNTS else None
    keep, rows = _of_target(found.rows, target)
    names = sample.names
    extras = extras_of(method, model, weighing, sample, y, found, sets=sample.size, adjusted=adjusted)
    extras |= {
        "balance": _with_strength(sample, y, model),
        "balance_by_site": weighing.balance_by_site,
        "overlap": weighing.overlap,
        "weights": weighing.summary,
        "flow": flow(sample),
        **(more or {}),
    }
    return Estimate(
        method=key,
        estimand=target,
        outcome=method.outcome,
        effects=effects_frame(rows),
        cov=found.cov[np.ix_(keep, keep)],
        influence=found.by_set[:, keep] if names else None,
        sampling_units=names,
        counts=counts_of(weighing, sample, events),
        warnings=(*warnings, *_cares(sample, events, found)),
        **record_of(method),
        draws_from=f"{found.draws_from}{note}",
        extras=extras,
    )


def _of_target(rows: list[dict[str, Any]], target: str) -> tuple[list[int], list[dict[str, Any]]]:
    """The rows of the people whom the effect is for: only that on the supported tells what was avoided."""
    if target == "ATT":
        return list(range(len(rows))), rows
    keep = [k for k, row in enumerate(rows) if row["term"] != "cumulative"]
    renamed = [
        {**rows[k], "term": target.lower() if rows[k]["term"] == "att" else rows[k]["term"]} for k in keep
    ]
    return keep, renamed


def _with_strength(sample: WeightedSample, y: Array, model: Model) -> list[dict[str, Any]]:
    """The balance with how much each covariate foretells the outcome among the comparison people."""
    weighing = sample.weighing
    names, shown = weighing.columns.shown()
    return told_strength(weighing.balance, names, shown[sample.at[~sample.treated]], sample, y, model)


def flow(sample: WeightedSample) -> list[dict[str, Any]]:
    """Who went in, who was left out and why, and who remained."""
    weighing = sample.weighing
    rows: list[dict[str, Any]] = [{"kind": "in", "n": len(sample.cohort.table), "text": "people on the list"}]
    rows += [
        {"kind": "out", "n": row["n"], "text": row["reason"]}
        for row in (*weighing.left_out, *weighing.lost["reasons"], *sample.left_out)
    ]
    rows.append({"kind": "end", "n": sample.size, "text": "people supported and analysed"})
    text = "others beside them, weighed until they are like those supported"
    rows.append({"kind": "end", "n": int((~sample.treated).sum()), "text": text})
    return rows


def _cares(sample: WeightedSample, events: tuple[float, float] | None, effects: Effects) -> tuple[str, ...]:
    """What came of the weighting that a reader should know."""
    weighing = sample.weighing
    found = [
        *cares_of_left_out(weighing, sample),
        *cares_of_lost(weighing, "are not in it"),
        *cares_of_balance(
            weighing,
            "weighting",
            'Compare by = "entropy"',
            "Name it among the covariates, or bring people who are alike in it",
        ),
    ]
    summary = weighing.summary
    if summary["ess"] < FEW_EFFECTIVE or summary["largest_share"] > LARGEST:
        text = (
            f"the {summary['of']:,} comparison people tell as much as {summary['ess']:,.0f} would without "
            f"weights, and one of them carries {summary['largest_share']:.0%} of the whole weight"
        )
        found.append(
            Finding("warn", text, "Leave out people who have no counterpart (trim), or compare matched sets")
        )
    if outside := weighing.overlap["outside"]:
        text = f"{outside:.1%} of the pilot people had a chance of the service that nobody else had"
        if outside > MANY_LOST / 2:
            found.append(Finding("warn", text, 'Compare trim = "common", which leaves them out'))
    found += cares_of_few(sample, events, "the pilot people", "the comparison people")
    found += cares_of_uneven(sample, effects)
    return tuple(map(str, found))
