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
from ucimpact.data.people_columns import day_numbers
from ucimpact.errors import EstimationError
from ucimpact.inference import balance, learners, overlap, propensity
from ucimpact.inference.grouped_sets import Groups
from ucimpact.inference.matched_sets import Sets
from ucimpact.inference.pairing import mahalanobis_scale, robust_scale
from ucimpact.methods.cohort_balance import beside, by_site
from ucimpact.methods.matched_cohort_lost import how_lost_differ, why_lost
from ucimpact.methods.matched_cohort_matching import People, sets_of
from ucimpact.methods.matched_cohort_rules import Rules

Array = np.ndarray
MANY = 500_000
"""From this many people covariates are held in single precision; every sum is in double."""

FOLDS = 5
"""Parts in which a learner of the score is cross-fitted."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The columns of the balance: ``rows`` of the cohort (n,), ``names`` and values ``x`` (n, k)."""

    rows: Array
    names: list[str]
    x: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Matched sets and all that is known of them before any outcome is seen.

    Attributes
    ----------
    sets : DataFrame
        One line a person in a set: ``set``, ``row`` (of the cohort, from 0), ``treated``, ``weight`` (1 for
        pilot people, the pilot people of the set over its comparison people for the others).
    matched : Sets or Groups
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
    overlap : dict or None
        ``coefficient`` and ``outside`` of the score, where one was worked out.
    shown : Shown
        The people who could be matched and the columns of the balance.
    """

    sets: pd.DataFrame
    matched: Sets | Groups
    balance_before: list[dict[str, Any]]
    balance_after: list[dict[str, Any]]
    audit: dict[str, int]
    lost: dict[str, Any]
    left_out: list[dict[str, Any]]
    caliper: float | None
    overlap: dict[str, float] | None
    shown: Shown

    @property
    def balance(self) -> list[dict[str, Any]]:
        """One row a covariate, before and after beside one another."""
        return beside(self.balance_before, self.balance_after)

    def balance_by_site(self, cohort: Cohort) -> list[dict[str, Any]] | None:
        """The largest difference at each cluster; None where the cohort names none."""
        if not len(self.shown.names):
            return None
        rows = self.shown.rows
        weights = self.matched.weights(len(cohort.table))[rows]
        return by_site(cohort, rows, self.shown.names, self.shown.x, weights)

    @property
    def max_smd(self) -> float | None:
        """Largest standardised difference that is left; None where no covariate was named."""
        return balance.max_smd(self.balance_after) if self.balance_after else None


def match(cohort: Cohort, rules: Rules) -> Pairs:
    """Match the pilot people of a cohort, check every set again, and describe what came of it.

    Raises
    ------
    EstimationError
        Where the propensity score has no maximum (the covariate is named), where people are too many for the
        matching asked for, or the audit finds a broken rule.
    """
    rows, left_out = _complete(cohort, rules)
    if rules.order != "data":
        rows = _by_person(cohort, rows)
    x = _columns(cohort, rules.covariates, rows)
    treated = cohort.is_pilot[rows]
    distance, covariates, inverse = _nearness(cohort, rules, rows, x, treated)
    caliper = None
    if (
        rules.by_pairs
        and rules.caliper is not None
        and distance is not None
        and (rules.covariates or rules.column)
    ):
        caliper = rules.caliper * float(distance.std(ddof=1))
    forbid = [cohort.codes(name)[rows] for name in rules.antiexact]
    if cohort.recurs and rules.by_pairs:
        forbid.append(cohort.persons[rows])
    people = People(
        treated=treated,
        strata=_product(cohort, rules.exact, rows),
        forbid=forbid,
        x=x,
        distance=distance,
        covariates=covariates,
        inverse_cov=inverse,
        caliper=caliper,
        calipers=[(cohort.values(one.column)[rows], one.width) for one in rules.calipers],
    )
    found, checked = sets_of(rules, people)
    names, shown = _balanced(cohort, rules, rows, x)
    weights = found.weights(len(rows))
    before = balance.table(shown, names, treated)
    after = balance.table(shown, names, treated, weights) if found.number else []
    lost = {
        "n": len(found.unmatched),
        "of": int(treated.sum()),
        "reasons": why_lost(found, people, rules),
        "differ": how_lost_differ(found, names, shown, treated),
    }
    matched = found.among(rows)
    return Pairs(
        sets=matched.members(),
        matched=matched,
        balance_before=before if after else [],
        balance_after=after,
        audit=checked,
        lost=lost,
        left_out=left_out,
        caliper=caliper,
        overlap=_overlap(rules, distance, treated),
        shown=Shown(rows, names, shown),
    )


def _complete(cohort: Cohort, rules: Rules) -> tuple[Array, list[dict[str, Any]]]:
    """Rows with everything that the matching needs; the others counted at their first empty cell."""
    keep = np.ones(len(cohort.table), dtype=bool)
    left_out = []
    kinds = [(name, cohort.codes(name) == MISSING) for name in (*rules.exact, *rules.antiexact)]
    for name, empty in [*kinds, *((name, np.isnan(cohort.values(name))) for name in rules.numbers)]:
        if lacking := int((keep & empty).sum()):
            pilot = int((keep & empty & cohort.is_pilot).sum())
            reason = f"`{name}` was empty, so nobody could be matched on it"
            left_out.append({"n": lacking, "pilot": pilot, "reason": reason})
        keep &= ~empty
    return np.flatnonzero(keep), left_out


def _by_person(cohort: Cohort, rows: Array) -> Array:
    """Rows in the order of their people and days, so that ties do not hang on how a file was sorted."""
    keys = [cohort.persons[rows]]
    if cohort.recurs and cohort.index_date is not None:
        keys.insert(0, day_numbers(cohort.table[cohort.index_date])[0][rows])
    return np.asarray(rows[np.lexsort(keys)])


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
    if rules.matching == "cem":
        return None, None, None
    if rules.column:
        return cohort.values(rules.column)[rows], None, None
    if not rules.covariates:  # all that is named must be the same: whom to take is left to chance
        chance = np.random.default_rng(rules.seed).random(len(rows))
        return chance, None, None
    if rules.learner is not None:
        units = cohort.persons[rows] if cohort.recurs else None
        chance = learners.chance(rules.learner, x, treated, FOLDS, rules.seed, units=units)
        return np.log(chance / (1 - chance)), None, None
    named = str(rules.distance)
    mahalanobis = named.endswith("mahalanobis")
    distance: Array | None = None
    if not mahalanobis or rules.caliper is not None:
        fitted = _propensity(rules, x, treated)
        distance = fitted.score if named == "score" else fitted.linear
    if not mahalanobis:
        return distance, None, None
    columns, inverse = robust_scale(x) if named.startswith("robust") else mahalanobis_scale(x, treated)
    return distance, columns, inverse


def _propensity(rules: Rules, x: Array, treated: Array) -> propensity.Propensity:
    try:
        return propensity.fit(x, treated)
    except EstimationError as error:
        text = str(error)
        for place, name in enumerate(rules.covariates):
            text = text.replace(f"column {place} of the covariates", f"the covariate `{name}`")
        raise EstimationError(text) from None


def _overlap(rules: Rules, distance: Array | None, treated: Array) -> dict[str, float] | None:
    """How far the scores of the two groups lie over one another."""
    if distance is None or not (rules.covariates or rules.column) or treated.all() or not treated.any():
        return None
    return overlap.overlap(distance, treated)
