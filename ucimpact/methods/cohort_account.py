"""How a comparison of people is written down, matched or weighted, and what a reader should know of any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.errors import EstimationError
from ucimpact.inference import learners
from ucimpact.inference.prognosis import prognosis, with_strength
from ucimpact.inference.uneven import worth
from ucimpact.methods.cohort_sample import CohortSample
from ucimpact.methods.cohort_subgroups import subgroups
from ucimpact.methods.design_finding import Finding
from ucimpact.methods.matched_cohort_design import delay_of
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, Model

Array = np.ndarray

ALIKE, UNLIKE = 0.10, 0.25
"""Largest standardised difference that is called alike, and above which no effect should be claimed."""

MANY_LOST = 0.10
FEW_EVENTS, FEW_CLUSTERS = 5, 10
UNEVEN, LARGEST = 10.0, 5
"""Below so many degrees of freedom the share of the largest few is told: ranges held the truth in 82%."""


class Comparison(Protocol):
    """Who is compared with whom, before any outcome is seen: matched sets, or weights."""

    @property
    def balance_after(self) -> list[dict[str, Any]]: ...

    @property
    def max_smd(self) -> float | None: ...

    @property
    def lost(self) -> dict[str, Any]: ...

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Rows that could not be compared, with ``n``, ``pilot`` and ``reason``."""
        ...


class KnownSample(CohortSample, Protocol):
    """Those of them whose outcome is known."""

    @property
    def left_out(self) -> list[dict[str, Any]]: ...


def extras_of(
    method: Any,
    model: Model,
    comparison: Comparison,
    sample: KnownSample,
    y: Array,
    found: Effects,
    *,
    sets: int,
    adjusted: Sequence[str],
) -> dict[str, Any]:
    """What the report says of any comparison; the way of comparing adds its own."""
    cohort = sample.cohort
    told: dict[str, Any] = {
        "observed": found.observed,
        "expected": found.observed - found.att,
        "horizon": cohort.horizon,
        "person_time": sample.person_time,
        "max_smd": comparison.max_smd,
        "lost": comparison.lost,
        "e_value": found.e_value(),
        "comparison_log_variance": found.comparison_log_variance,
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
            "sets": sets,
            "adjusted_for": list(adjusted),
            "refused": None,
        },
    }
    if method.subgroups:
        told["subgroups"] = subgroups(model, sample, y, method.subgroups)
    return told


def counts_of(
    comparison: Comparison, sample: KnownSample, events: tuple[float, float] | None
) -> dict[str, Any]:
    """How many people and events there are on either side, and who was left out."""
    return {
        **sample.cohort.counts(),
        "matched_pilot": sample.size,
        "matched_comparison": int(np.unique(sample.row[~sample.treated]).size),
        "events_pilot": events and events[0],
        "events_comparison": events and events[1],
        "left_out": [*comparison.left_out, *sample.left_out],
    }


def record_of(method: Any) -> dict[str, Any]:
    """The settings of a method and the version, as the parts of an estimate that hold them."""
    return {
        "spec": {f.name: _spoken(getattr(method, f.name)) for f in fields(method)},
        "provenance": {"version": __version__, "seed": method.seed},
    }


def _spoken(value: Any) -> Any:
    try:
        return serialise.plain(value)
    except TypeError:
        return learners.name_of(value)


def told_strength(
    rows: list[dict[str, Any]],
    names: Sequence[str],
    x: Array,
    sample: CohortSample,
    y: Array,
    model: Model,
    *,
    weights: Array | None = None,
) -> list[dict[str, Any]]:
    """The rows of a balance with how much each covariate foretells the outcome among the comparison people.

    Parameters
    ----------
    rows : list of dict
    names : sequence of str
        Of the columns of ``x``.
    x : array (n_comparison, k)
        Of the comparison lines of the sample.
    sample : CohortSample
    y : array
        By row of the cohort.
    model : Model
    weights : array (n_comparison,), optional
    """
    others = ~sample.treated
    days = sample.days if model.family in COUNTS else None
    exposure = None if days is None else days[others]
    try:
        told = prognosis(y[sample.row[others]], x, weights=weights, exposure=exposure)
    except EstimationError:
        return rows
    return with_strength(rows, list(names), told)


def cares_of_left_out(comparison: Comparison, sample: KnownSample) -> list[Finding]:
    """Rows that were left out, reason by reason."""
    return [
        Finding(
            "warn", f"{row['n']:,} people were left out ({row['pilot']:,} of them pilot): {row['reason']}"
        )
        for row in (*comparison.left_out, *sample.left_out)
    ]


def cares_of_lost(comparison: Comparison, words: str, way_out: str = "") -> list[Finding]:
    """Many pilot people who are not in the comparison; ``words`` say so of them."""
    lost = comparison.lost
    if lost["n"] <= MANY_LOST * lost["of"]:
        return []
    why = "; ".join(f"{row['n']:,}: {row['reason']}" for row in lost["reasons"])
    text = f"{lost['n']:,} of {lost['of']:,} pilot people {words} ({why}), so the result is about the others"
    return [Finding("warn", text, way_out)]


def cares_of_balance(comparison: Comparison, done: str, near: str, far: str) -> list[Finding]:
    """The balance as a gate.

    Parameters
    ----------
    comparison : Comparison
    done : str
        What was done to make people alike, "matching".
    near, far : str
        The way out where they differ a little, and where they are unlike.
    """
    if comparison.max_smd is None or comparison.max_smd <= ALIKE:
        return []
    apart = [row for row in comparison.balance_after if row["smd"] is None or abs(row["smd"]) > ALIKE]
    named = ", ".join(f"`{row['name']}`" for row in apart)
    if comparison.max_smd <= UNLIKE:
        return [Finding("warn", f"after {done} the two groups still differ a little in {named}", near)]
    text = (
        f"after {done} the two groups are still unlike in {named}, by more than a quarter of a standard "
        "deviation, so nothing should be claimed from the result"
    )
    return [Finding("warn", text, far)]


def cares_of_few(
    sample: CohortSample, events: tuple[float, float] | None, pilot: str, others: str
) -> list[Finding]:
    """Few events of either side, by the names of the sides, and few clusters."""
    found = []
    if events is not None and min(events) < FEW_EVENTS:
        text = (
            f"there were {events[0]:g} events among {pilot} and {events[1]:g} among {others}: too few for a "
            "likely range that can be trusted"
        )
        way_out = "Follow people for longer, or take an outcome that happens more often"
        found.append(Finding("warn", text, way_out))
    clusters = sample.cohort.clusters
    if clusters is not None and (number := int(np.unique(clusters[sample.row]).size)) < FEW_CLUSTERS:
        text = (
            f"there are {number} clusters in `{sample.cohort.cluster}`, so the likely range may be too narrow"
        )
        found.append(Finding("warn", text, "Compare the result place by place, as a panel"))
    return found


def cares_of_uneven(sample: CohortSample, found: Effects) -> list[Finding]:
    """Whether a few people or sets make the likely range, which no number of events makes up for."""
    influence, clusters = found.contrast.difference_influence, sample.clusters
    ways = clusters if isinstance(clusters, tuple) else (clusters,)
    codes = min(ways, key=lambda way: worth(influence, way))
    if worth(influence, codes) >= UNEVEN:
        return []
    squares = np.sort(np.bincount(np.unique(codes, return_inverse=True)[1].reshape(-1), influence) ** 2)
    text = (
        f"the {LARGEST} that count most ({sample.words} by {sample.words}) make "
        f"{squares[-LARGEST:].sum() / squares.sum():.0%} of what the likely range is worked out from: it may "
        "be too narrow"
    )
    return [Finding("warn", text, "Bring more people, or follow them for longer")]
