"""How much each person counts for: the rules of the weighting, the weights, their balance, and who was lost.

What became of people is not looked at here, only for whom it is known: the same rules give the same weights
for every outcome that is known for the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.errors import DesignError, EstimationError
from ucimpact.inference import balance, learners, propensity
from ucimpact.inference.balancing_weights import Target, Weights, by_entropy, by_score, effective_size, within
from ucimpact.inference.learners import Learner
from ucimpact.inference.overlap import overlap
from ucimpact.methods.cohort_balance import FEWEST_DESCRIBED, beside, by_site, differing
from ucimpact.methods.cohort_columns import Columns

Array = np.ndarray
By = Literal["entropy", "score"]

FOLDS = 5
"""Parts in which a learner of the score is cross-fitted."""


@dataclass(frozen=True, kw_only=True)
class WeightRules:
    """By what people are weighed; the fields of ``WeightedCohort`` that weigh."""

    covariates: tuple[str, ...]
    kinds: tuple[str, ...]
    by: By
    estimand: Target
    moments: int
    score: str | Learner
    trim: float | Literal["common", "none"]
    cap: float | Literal["none"]
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighing:
    """Weights and all that is known of them before any outcome is seen.

    Attributes
    ----------
    columns : Columns
        Who is weighed, and by what.
    weights : Weights
        Of them, groups adding up alike.
    balance_before, balance_after : list of dict
        ``name, pilot_mean, comparison_mean, smd, variance_ratio, ks`` without and with weights.
    lost : dict
        ``n`` pilot people of ``of`` who are not in it, with ``reasons`` and how they ``differ``.
    left_out : list of dict
        Rows that could not be weighed.
    overlap : dict
        ``coefficient`` and ``outside``, before anybody is trimmed.
    """

    columns: Columns
    weights: Weights
    balance_before: list[dict[str, Any]]
    balance_after: list[dict[str, Any]]
    lost: dict[str, Any]
    left_out: list[dict[str, Any]]
    overlap: dict[str, float]

    @classmethod
    def of(
        cls,
        everybody: Columns,
        used: Columns,
        weights: Weights,
        gone: list[dict[str, Any]],
        left_out: list[dict[str, Any]],
        seen: dict[str, float],
    ) -> Weighing:
        """What came of the weights of ``used``; ``gone`` are reasons why pilot people are not among them."""
        names, shown = used.shown()
        pooled = weights.target != "ATT"
        before, after = (
            balance.table(shown, names, used.treated, given, pooled=pooled)
            for given in (None, weights.weights)
        )
        return cls(
            columns=used,
            weights=weights,
            balance_before=before,
            balance_after=after,
            lost={
                "n": sum(row["n"] for row in gone),
                "of": int(everybody.treated.sum()) + sum(row["n"] for row in everybody.lost),
                "reasons": gone,
                "differ": _how_lost_differ(used),
            },
            left_out=left_out,
            overlap=seen,
        )

    @property
    def matched(self) -> SimpleNamespace:
        """``treated``: rows of the cohort of the pilot people, as matched sets tell theirs."""
        return SimpleNamespace(treated=self.columns.row[self.columns.treated])

    @property
    def balance(self) -> list[dict[str, Any]]:
        """One row a covariate, without and with weights beside one another."""
        known = self.columns.cohort.table.columns
        return [
            row if row["name"] in known else {**row, "yes_no": True}
            for row in beside(self.balance_before, self.balance_after)
        ]

    @property
    def balance_by_site(self) -> list[dict[str, Any]]:
        """The largest difference at each of the cohort's clusters; empty without them."""
        columns = self.columns
        names, shown = columns.shown()
        return by_site(columns.cohort, columns.row, names, shown, self.weights.weights) or []

    @property
    def max_smd(self) -> float | None:
        """Largest standardised difference that is left; None where nothing can be shown."""
        return balance.max_smd(self.balance_after) if self.balance_after else None

    @property
    def summary(self) -> dict[str, Any]:
        """How much the weights cost: people who would tell as much without them, and the largest share."""
        others, pilot = (self.weights.weights[arm] for arm in (~self.columns.treated, self.columns.treated))
        varied = pilot if self.weights.target == "ATC" else others
        return {
            "ess": effective_size(varied),
            "of": len(varied),
            "largest_share": float(varied.max() / varied.sum()),
            "trimmed": self.weights.capped,
            "ess_pilot": effective_size(pilot),
            "of_pilot": len(pilot),
        }


def weigh(cohort: Cohort, rules: WeightRules, known: Array | None = None) -> Weighing:
    """Weigh the people of a cohort, and describe what came of it.

    Parameters
    ----------
    cohort : Cohort
    rules : WeightRules
    known : array of bool, optional
        By row of the cohort, for whom the outcome is known: only they are weighed. Everybody without it.

    Raises
    ------
    DesignError
        Where nobody is left of a group.
    EstimationError
        Where no weights balance, or the score has no maximum; the covariate is named.
    """
    everybody = Columns.of(cohort, rules.covariates, rules.kinds, known)
    need_both(everybody)
    if rules.by == "entropy" and rules.trim == "none":  # what no weights reach is told first, by its name
        weights, score = _balanced(everybody, rules), _score(everybody, rules)
    else:
        score = _score(everybody, rules)
    seen = overlap(np.log(score / (1 - score)), everybody.treated)
    used, lost, left_out = everybody, list(everybody.lost), list(everybody.left_out)
    if rules.trim != "none":
        keep = within(score, everybody.treated, rules.estimand, rules.trim)
        reason = "their chance of having the service was beyond the bounds"
        if gone := int((~keep & everybody.treated).sum()):
            lost.append({"n": gone, "reason": reason})
        if gone := int((~keep & ~everybody.treated).sum()):
            left_out.append({"n": gone, "pilot": 0, "reason": reason})
        used = everybody.where(keep)
        need_both(used)
    if rules.by == "score":
        weights = _by_score(used, score if used is everybody else _score(used, rules), rules)
    elif used is not everybody:
        weights = _balanced(used, rules)
    if rules.cap != "none":
        weights = weights.cut(float(rules.cap))
    weights = weights.even()
    return Weighing.of(everybody, used, weights, lost, left_out, seen)


def need_both(columns: Columns) -> None:
    """Refuse to compare with nobody."""
    pilot = int(columns.treated.sum())
    others = len(columns.row) - pilot
    if min(pilot, others) < 2:
        every = int(columns.cohort.is_pilot.sum())
        raise DesignError(
            f"{pilot} of {every:,} pilot people and {others} comparison people can be weighed, and at least "
            "2 of each are needed. Name fewer kinds, trim less, or bring more people."
        )


def _moments(columns: Columns, moments: int) -> Array:
    """The columns, with the squares of those that are no yes or no where two moments are asked for."""
    if moments == 1:
        return columns.x
    x = columns.x
    scale = np.maximum(np.abs(x).max(axis=0, initial=0.0), 1e-300)
    more = [k for k in range(len(columns.covariates)) if not np.isin(x[:, k], (0.0, 1.0)).all()]
    return np.column_stack([x, *((x[:, k] / scale[k]) ** 2 for k in more)])


def _score(columns: Columns, rules: WeightRules) -> Array:
    """The chance of having had the service, strictly between 0 and 1."""
    x = _moments(columns, rules.moments if rules.by == "score" else 1)
    if rules.score != "logistic":
        persons = columns.cohort.persons[columns.row]
        return learners.chance(rules.score, x, columns.treated, FOLDS, rules.seed, units=persons)
    keep = learners.telling(x)
    try:
        return np.asarray(propensity.fit(x[:, keep], columns.treated).score)
    except EstimationError as error:
        raise EstimationError(_named(str(error), columns, keep)) from None


def _by_score(columns: Columns, score: Array, rules: WeightRules) -> Weights:
    x = _moments(columns, rules.moments)
    fitted = rules.score == "logistic"
    return by_score(score, x[:, learners.telling(x)], columns.treated, rules.estimand, fitted=fitted)


def _balanced(columns: Columns, rules: WeightRules) -> Weights:
    x = _moments(columns, rules.moments)
    spread = x[columns.treated].std(axis=0, ddof=1, dtype=np.float64)
    try:
        return by_entropy(x, columns.treated, rules.estimand, spread)
    except EstimationError as error:
        text = _named(str(error), columns, np.arange(x.shape[1]))
        way_out = 'Or weigh by = "score", which needs less, and look at the balance'
        raise EstimationError(f"{text}. {way_out}") from None


def _named(text: str, columns: Columns, keep: Array) -> str:
    """An error about numbered columns of a part of them, told by their names."""
    more = len(columns.names)
    for place in reversed(range(len(keep))):
        k = int(keep[place])
        name = columns.names[k] if k < more else "the square of a covariate"
        text = text.replace(f"column {place} of the covariates", name)
    for way in ("match exactly on it", "name it under exact"):
        text = text.replace(way, "name it under kinds")
    return text


def _how_lost_differ(used: Columns) -> list[dict[str, Any]]:
    """Means of the lost and of the weighed pilot people, in standard deviations of all pilot people apart."""
    cohort, there = used.cohort, np.zeros(len(used.cohort.table), dtype=bool)
    there[used.row] = True
    found = []
    for name in used.covariates:
        values = cohort.values(name)
        known = np.isfinite(values) & cohort.is_pilot & used.known
        lost, kept = values[known & ~there], values[known & there]
        if min(len(lost), len(kept)) < FEWEST_DESCRIBED:
            continue
        found.append((name, lost.mean(), kept.mean(), float(values[known].std(ddof=1))))
    return differing(found)
