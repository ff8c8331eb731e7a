"""What a weighted comparison refuses and warns of, and how it is written down as an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Literal

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.data.cohort import Cohort
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference import learners
from ucimpact.inference.gcomputation import Contrast
from ucimpact.inference.prognosis import prognosis, with_strength
from ucimpact.methods.cohort_subgroups import subgroups
from ucimpact.methods.cohort_weighing import Weighing
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_design import (
    clock_findings,
    column_findings,
    delay_of,
    group_findings,
    outcome_findings,
)
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, Model
from ucimpact.methods.weighted_sample import WeightedSample

Array = np.ndarray

ALIKE, UNLIKE = 0.10, 0.25
"""Largest standardised difference that is called alike, and above which no effect should be claimed."""

MANY_LOST = 0.10
FEW_EVENTS, FEW_CLUSTERS = 5, 10
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
        named = Finding(
            "refuse",
            "nothing is named in which the groups should be alike",
            "Name covariates (age, use of care before the index date), or kinds",
        )
        columns = [named]
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
    cohort, weighing, target = sample.cohort, sample.weighing, method.estimand
    found = Effects(model, sample, contrast, y)
    events = sample.events(y) if model.family in COUNTS else None
    keep, rows = _of_target(found.rows, target)
    names = sample.names
    extras = {
        "observed": found.observed,
        "expected": found.observed - found.att,
        "horizon": cohort.horizon,
        "person_time": sample.person_time,
        "balance": _with_strength(sample, y, model),
        "balance_by_site": weighing.balance_by_site,
        "max_smd": weighing.max_smd,
        "lost": weighing.lost,
        "overlap": weighing.overlap,
        "weights": weighing.summary,
        "flow": flow(sample),
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
            "sets": sample.size,
            "adjusted_for": list(adjusted),
            "refused": None,
        },
        **(more or {}),
    }
    if method.subgroups:
        extras["subgroups"] = subgroups(model, sample, y, method.subgroups)
    return Estimate(
        method=key,
        estimand=target,
        outcome=method.outcome,
        effects=effects_frame(rows),
        cov=found.cov[np.ix_(keep, keep)],
        influence=found.by_set[:, keep] if names else None,
        sampling_units=names,
        counts={
            **cohort.counts(),
            "matched_pilot": sample.size,
            "matched_comparison": int(np.unique(sample.row[~sample.treated]).size),
            "events_pilot": events and events[0],
            "events_comparison": events and events[1],
            "left_out": [*weighing.left_out, *sample.left_out],
        },
        warnings=(*warnings, *_cares(sample, events)),
        spec={f.name: _spoken(getattr(method, f.name)) for f in fields(method)},
        provenance={"version": __version__, "seed": method.seed},
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


def _spoken(value: Any) -> Any:
    try:
        return serialise.plain(value)
    except TypeError:
        return learners.name_of(value)


def _with_strength(sample: WeightedSample, y: Array, model: Model) -> list[dict[str, Any]]:
    """The balance with how much each covariate foretells the outcome among the comparison people."""
    weighing = sample.weighing
    rows = weighing.balance
    names, shown = weighing.columns.shown()
    others = sample.place[~sample.treated]
    exposure = None
    if model.family in COUNTS and sample.days is not None:
        exposure = sample.days[~sample.treated]
    try:
        told = prognosis(y[weighing.columns.row[others]], shown[others], exposure=exposure)
    except EstimationError:
        return rows
    return with_strength(rows, names, told)


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


def _cares(sample: WeightedSample, events: tuple[float, float] | None) -> tuple[str, ...]:
    """What came of the weighting that a reader should know."""
    found, weighing = [], sample.weighing
    for row in (*weighing.left_out, *sample.left_out):
        text = f"{row['n']:,} people were left out ({row['pilot']:,} of them pilot): {row['reason']}"
        found.append(Finding("warn", text))
    lost = weighing.lost
    if lost["n"] > MANY_LOST * lost["of"]:
        why = "; ".join(f"{row['n']:,}: {row['reason']}" for row in lost["reasons"])
        text = (
            f"{lost['n']:,} of {lost['of']:,} pilot people are not in it ({why}), so the result is about the "
            "others"
        )
        found.append(Finding("warn", text))
    found += _unlike(weighing)
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
    if events is not None and min(events) < FEW_EVENTS:
        text = (
            f"there were {events[0]:g} events among the pilot people and {events[1]:g} among the comparison "
            "people: too few for a likely range that can be trusted"
        )
        found.append(
            Finding("warn", text, "Follow people for longer, or take an outcome that happens more often")
        )
    clusters = sample.cohort.clusters
    if clusters is not None and (number := int(np.unique(clusters[sample.row]).size)) < FEW_CLUSTERS:
        text = (
            f"there are {number} clusters in `{sample.cohort.cluster}`, so the likely range may be too narrow"
        )
        found.append(Finding("warn", text, "Compare the result place by place, as a panel"))
    return tuple(map(str, found))


def _unlike(weighing: Weighing) -> list[Finding]:
    """The balance as a gate."""
    if weighing.max_smd is None or weighing.max_smd <= ALIKE:
        return []
    apart = [row for row in weighing.balance_after if row["smd"] is None or abs(row["smd"]) > ALIKE]
    named = ", ".join(f"`{row['name']}`" for row in apart)
    if weighing.max_smd <= UNLIKE:
        text = f"after weighting the two groups still differ a little in {named}"
        return [Finding("warn", text, 'Compare by = "entropy"')]
    text = (
        f"after weighting the two groups are still unlike in {named}, by more than a quarter of a standard "
        "deviation, so nothing should be claimed from the result"
    )
    return [Finding("warn", text, "Name it among the covariates, or bring people who are alike in it")]
