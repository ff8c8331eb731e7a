"""Who is compared with whom: the rules of the matching, the sets, their audit and balance, and who was lost.

The outcome is not looked at here, so the same rules give the same sets for every outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ucimpact.data.cohort import MISSING, Cohort
from ucimpact.errors import EstimationError
from ucimpact.inference import balance, propensity
from ucimpact.inference.matched_sets import Sets, audit
from ucimpact.inference.pairing import Order, mahalanobis_scale, nearest, robust_scale

Array = np.ndarray
SCORES = ("logit", "score", "mahalanobis", "robust-mahalanobis")
"""Distances worked out here; any other is a column."""

MANY = 500_000
"""From this many people covariates are held in single precision; every sum is in double."""

FEWEST_DESCRIBED = 10
"""Fewer lost people than this are counted and not described: a mean of few tells of each."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a pair must share, and who is near; the fields of ``MatchedCohort`` that match."""

    exact: tuple[str, ...]
    antiexact: tuple[str, ...]
    covariates: tuple[str, ...]
    distance: str
    caliper: float | None
    ratio: int
    replace: bool
    order: Order
    seed: int

    @property
    def column(self) -> str | None:
        """The column that is the distance, if one is."""
        return None if self.distance in SCORES else self.distance


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Matched sets and all that is known of them before any outcome is seen.

    Attributes
    ----------
    sets : DataFrame
        One line a person in a set: ``set``, ``row`` (of the cohort, from 0), ``treated``, ``weight`` (1 for
        the pilot person, 1 over the people found for the others).
    matched : Sets
        The same as arrays.
    balance_before, balance_after : list of dict
        ``name, pilot_mean, comparison_mean, smd, variance_ratio, ks`` of everybody and of the matched.
    audit : dict
        What was checked again after the matching, and how often.
    lost : dict
        ``n`` pilot people of ``of`` without a match, the ``reasons`` and how they ``differ`` from the matched
        (not said of fewer than 10 people).
    left_out : list of dict
        Rows that could not be matched because something was empty: ``n, reason``.
    caliper : float or None
        In the units of the distance.
    """

    sets: pd.DataFrame
    matched: Sets
    balance_before: list[dict[str, Any]]
    balance_after: list[dict[str, Any]]
    audit: dict[str, int]
    lost: dict[str, Any]
    left_out: list[dict[str, Any]]
    caliper: float | None

    @property
    def balance(self) -> list[dict[str, Any]]:
        """One row a covariate, before and after beside one another."""
        return [
            {
                "name": after["name"],
                "label": str(after["name"]).replace("_", " "),
                "pilot_before": before["pilot_mean"],
                "pilot": after["pilot_mean"],
                "comparison_before": before["comparison_mean"],
                "comparison": after["comparison_mean"],
                "smd_before": before["smd"],
                "smd": after["smd"],
                "variance_ratio_before": before["variance_ratio"],
                "variance_ratio": after["variance_ratio"],
                "ks_before": before["ks"],
                "ks": after["ks"],
            }
            for before, after in zip(self.balance_before, self.balance_after, strict=True)
        ]

    @property
    def max_smd(self) -> float | None:
        """Largest standardised difference that is left; None where no covariate was named."""
        return balance.max_smd(self.balance_after) if self.balance_after else None


def match(cohort: Cohort, rules: Rules) -> Pairs:
    """Match the pilot people of a cohort, check every set again, and describe what came of it.

    Raises
    ------
    EstimationError
        Where the propensity score has no maximum (the covariate is named), or the audit finds a broken rule.
    """
    rows, left_out = _complete(cohort, rules)
    treated = cohort.is_pilot[rows]
    strata = _product(cohort, rules.exact, rows)
    forbid = [cohort.codes(name)[rows] for name in rules.antiexact]
    if cohort.recurs:
        forbid.append(cohort.persons[rows])
    x = _columns(cohort, rules.covariates, rows)
    distance, covariates, inverse = _nearness(cohort, rules, rows, x, treated)
    caliper = None
    if rules.caliper is not None and distance is not None and (rules.covariates or rules.column):
        caliper = rules.caliper * float(distance.std(ddof=1))
    found = nearest(
        distance,
        treated,
        strata=strata,
        forbid=forbid,
        caliper=caliper,
        ratio=rules.ratio,
        replace=rules.replace,
        order=rules.order,
        covariates=covariates,
        inverse_cov=inverse,
        seed=rules.seed,
    )
    checked = audit(
        found,
        distance,
        treated,
        strata=strata,
        forbid=forbid,
        caliper=caliper,
        ratio=rules.ratio,
        replace=rules.replace,
    )
    names, shown = _balanced(cohort, rules, rows, x)
    before = balance.table(shown, names, treated)
    after = balance.table(shown, names, treated, found.weights(len(rows))) if len(found.treated) else []
    reasons = _why_lost(found, distance, treated, strata, forbid, caliper, rules)
    lost = {
        "n": len(found.unmatched),
        "of": int(treated.sum()),
        "reasons": reasons,
        "differ": _how_lost_differ(found, names, shown, treated),
    }
    matched = Sets(
        rows[found.treated],
        np.where(found.controls >= 0, rows[found.controls], -1),
        rows[found.unmatched],
    )
    return Pairs(
        sets=matched.members(),
        matched=matched,
        balance_before=before if after else [],
        balance_after=after,
        audit=checked,
        lost=lost,
        left_out=left_out,
        caliper=caliper,
    )


def _complete(cohort: Cohort, rules: Rules) -> tuple[Array, list[dict[str, Any]]]:
    """Rows with everything that the matching needs; the others counted at their first empty cell."""
    keep = np.ones(len(cohort.table), dtype=bool)
    left_out = []
    kinds = [(name, cohort.codes(name) == MISSING) for name in (*rules.exact, *rules.antiexact)]
    numbers = [*rules.covariates, *([rules.column] if rules.column else [])]
    for name, empty in [*kinds, *((name, np.isnan(cohort.values(name))) for name in dict.fromkeys(numbers))]:
        if lacking := int((keep & empty).sum()):
            pilot = int((keep & empty & cohort.is_pilot).sum())
            reason = f"`{name}` was empty, so nobody could be matched on it"
            left_out.append({"n": lacking, "pilot": pilot, "reason": reason})
        keep &= ~empty
    return np.flatnonzero(keep), left_out


def _product(cohort: Cohort, names: Sequence[str], rows: Array) -> Array | None:
    """One code for each combination of the kinds of several columns; None for no column."""
    strata: Array | None = None
    for name in names:
        codes = cohort.codes(name)[rows]
        joint = codes if strata is None else strata * (codes.max(initial=0) + 1) + codes
        strata = np.unique(joint, return_inverse=True)[1].reshape(-1)
    return strata


def _columns(cohort: Cohort, names: Sequence[str], rows: Array) -> Array:
    x = np.empty((len(rows), len(names)), dtype=np.float32 if len(rows) > MANY else np.float64)
    for place, name in enumerate(names):
        x[:, place] = cohort.values(name)[rows]
    return x


def _balanced(cohort: Cohort, rules: Rules, rows: Array, x: Array) -> tuple[list[str], Array]:
    """The covariates, then use before the index date that is known for everybody and was not matched on."""
    more = [n for n in cohort.before if n not in (*rules.covariates, *rules.exact)]
    known = [n for n in more if np.isfinite(cohort.values(n)[rows]).all()]
    shown = np.column_stack([x, _columns(cohort, known, rows)]) if known else x
    return [*rules.covariates, *known], shown


def _nearness(
    cohort: Cohort, rules: Rules, rows: Array, x: Array, treated: Array
) -> tuple[Array | None, Array | None, Array | None]:
    """The distance with a caliper, and covariates with an inverse covariance for Mahalanobis distance."""
    if rules.column:
        return cohort.values(rules.column)[rows], None, None
    if not rules.covariates:  # all that is named must be the same: whom to take is left to chance
        chance = np.random.default_rng(rules.seed).random(len(rows))
        return chance, None, None
    mahalanobis = rules.distance.endswith("mahalanobis")
    distance: Array | None = None
    if not mahalanobis or rules.caliper is not None:
        fitted = _propensity(rules, x, treated)
        distance = fitted.score if rules.distance == "score" else fitted.linear
    if not mahalanobis:
        return distance, None, None
    columns, inverse = (
        robust_scale(x) if rules.distance.startswith("robust") else mahalanobis_scale(x, treated)
    )
    return distance, columns, inverse


def _propensity(rules: Rules, x: Array, treated: Array) -> propensity.Propensity:
    try:
        return propensity.fit(x, treated)
    except EstimationError as error:
        text = str(error)
        for place, name in enumerate(rules.covariates):
            text = text.replace(f"column {place} of the covariates", f"the covariate `{name}`")
        raise EstimationError(text) from None


def _why_lost(
    found: Sets,
    distance: Array | None,
    treated: Array,
    strata: Array | None,
    forbid: Sequence[Array],
    caliper: float | None,
    rules: Rules,
) -> list[dict[str, Any]]:
    """Of the pilot people without a match: nobody of their kind, nobody near, or all who were near taken."""
    kind = np.zeros(len(treated), dtype=np.int64) if strata is None else strata
    asked = np.zeros(int(kind.max(initial=0)) + 1, dtype=bool)
    asked[kind[found.unmatched]] = True
    others = np.flatnonzero(~treated & asked[kind])
    far = np.zeros(len(treated)) if distance is None else distance
    order = others[np.lexsort((far[others], kind[others]))]
    sorted_kind, sorted_far = kind[order], far[order]
    counts = {"kind": 0, "near": 0, "taken": 0}
    for row in found.unmatched:
        first, last = np.searchsorted(sorted_kind, [kind[row], kind[row] + 1])
        if first == last:
            counts["kind"] += 1
            continue
        if caliper is not None:
            slack = caliper * 1e-12
            ends = [far[row] - caliper - slack, far[row] + caliper + slack]
            first, last = first + np.searchsorted(sorted_far[first:last], ends)
        near = order[first:last]
        for codes in forbid:
            near = near[codes[near] != codes[row]]
        counts["taken" if len(near) else "near"] += 1
    named = ", ".join(f"`{name}`" for name in rules.exact)
    words = {
        "kind": f"nobody else was alike in {named}",
        "near": "nobody else was near enough" if caliper is not None else "nobody else was allowed",
        "taken": "all who were near enough were matched to others",
    }
    return [{"n": counts[key], "reason": text} for key, text in words.items() if counts[key]]


def _how_lost_differ(found: Sets, names: list[str], x: Array, treated: Array) -> list[dict[str, Any]]:
    """Means of the lost and of the matched pilot people, in standard deviations of all pilot people apart."""
    if len(found.unmatched) < FEWEST_DESCRIBED or len(found.treated) < FEWEST_DESCRIBED:
        return []
    spread = x[treated].std(axis=0, ddof=1)
    lost, matched = x[found.unmatched].mean(axis=0), x[found.treated].mean(axis=0)
    rows = [
        {
            "name": name,
            "label": name.replace("_", " "),
            "lost": float(lost[place]),
            "matched": float(matched[place]),
            "smd": float((lost[place] - matched[place]) / spread[place]) if spread[place] > 0 else 0.0,
        }
        for place, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -abs(row["smd"]))
