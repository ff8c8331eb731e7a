"""Who is compared with whom in sequential trials: covariates, hazard, weights and sets, for every outcome.

No outcome is looked at here. The result is kept for as long as the histories live, so that all outcomes of a
study, its negative controls and its pictures stand on the same trials.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logit

from ucimpact.data.histories import Histories
from ucimpact.errors import DesignError, EstimationError
from ucimpact.inference import balance, learners, trial_hazard, trial_weights
from ucimpact.inference.matched_sets import Sets, audit
from ucimpact.inference.pairing import nearest
from ucimpact.methods.sequential_trials_covariates import SEASON, STAY, Plan, complete
from ucimpact.methods.sequential_trials_outside import began_in_no_trial
from ucimpact.methods.sequential_trials_table import Opening, Rows, rows_of

Array = np.ndarray

A_GROUP = 5
"""Practices have an intercept of their own where those with a start have so many on average."""
FEW_STARTS = 5
"""With fewer who begin, any covariate may tell them from the others."""
MOST_SHOWN = 200_000
"""Rows of which balance before is worked out; of more, every k-th."""


@dataclass(frozen=True, eq=False)
class Emulation:
    """The trials.

    Attributes
    ----------
    rows : Rows
        Those on days and in practices where somebody starts, with every covariate known.
    x : array (n, k)
    names : tuple of str
    hazard : Hazard
    weight : array (n,)
        Odds weights.
    sets : Sets
        The matched sets, in rows.
    """

    histories: Histories
    plan: Plan
    rows: Rows
    x: Array
    names: tuple[str, ...]
    hazard: trial_hazard.Hazard
    weight: Array
    strata: Array
    sets: Sets
    caliper: float | None
    audit: dict[str, int]
    left_out: list[dict[str, Any]]
    notes: tuple[str, ...]
    everybody: Rows
    by_group: bool
    idle: int
    """Rows on days, or in practices, where nobody begins."""
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def elsewhere(self) -> list[dict[str, Any]]:
        """Those who had the service and began it in no trial, with the reason."""
        placed = np.zeros(self.histories.n, dtype=bool)
        placed[self.everybody.person[self.everybody.treated]] = True
        return began_in_no_trial(self.histories, self.plan.opening, placed)

    @cached_property
    def matched(self) -> Array:
        """Weight of every row in the matched sets, shape (n,)."""
        out = np.zeros(len(self.rows.day))
        of_set, _, controls = self.sets.pairs()
        np.add.at(out, controls, 1.0 / self.sets.found[of_set])
        out[self.sets.treated] = 1.0
        return out

    @cached_property
    def at_risk(self) -> Array:
        """Days of follow-up of each row within the horizon."""
        return self.histories.at_risk(self.rows.person, self.rows.day, self.plan.opening.horizon)

    @cached_property
    def start(self) -> Array:
        """Day on which the service began for the person of each row; ``inf`` for never."""
        start = self.histories.start[self.rows.person]
        return np.where(np.isfinite(start), start, np.inf)

    def weights(self, by: str) -> Array:
        """The weights of one of the two ways."""
        return self.weight if by == "weights" else self.matched

    def rescaled(self, rows: Array, weight: Array) -> Array:
        """Weights of some rows, the comparison rows of each day again as heavy as those who start."""
        return trial_weights.rescaled(weight, self.rows.treated[rows], self.strata[rows])

    def later(self, horizon: int) -> float:
        """Share of the weight of comparison rows whose people begin the service within so many days."""
        others = ~self.rows.treated
        begun = (self.start > self.rows.day) & (self.start <= self.rows.day + horizon)
        weight = self.weight[others]
        return float(weight[begun[others]].sum() / weight.sum()) if weight.sum() > 0 else 0.0

    def shown(self, rows: Array) -> Array:
        """Covariates of some rows as a reader knows them: numbers and not their logarithms."""
        x = self.x[rows].copy()
        logs = {what.name for what in self.plan.measured if what.log} | {STAY}
        for place, name in enumerate(self.names):
            if name in logs:
                x[:, place] = np.expm1(x[:, place])
        return np.asarray(x)

    def balance(self, by: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Balance before and after; standardised on everybody who starts."""
        if ("balance", by) not in self.cache:
            treated = self.rows.treated
            others = np.flatnonzero(~treated)
            every = max(1, -(-len(others) // MOST_SHOWN))
            keep = np.sort(np.concatenate([np.flatnonzero(treated), others[::every]]))
            before = balance.table(self.shown(keep), self.names, treated[keep])
            used = np.flatnonzero(treated | (self.weights(by) > 0))
            after = balance.table(self.shown(used), self.names, treated[used], self.weights(by)[used])
            self.cache["balance", by] = (before, after)
        found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = self.cache["balance", by]
        return found


def emulate(histories: Histories, plan: Plan) -> Emulation:
    """The trials of these histories, worked out once.

    Raises
    ------
    DesignError
        Where nobody begins the service on a day on which others could have.
    EstimationError
        Where the hazard has no maximum; the covariate is named.
    """
    kept: dict[Plan, Emulation] = vars(histories).setdefault("_emulations", {})  # they go when it goes
    if plan not in kept:
        kept[plan] = _emulated(histories, plan)
    return kept[plan]


def _emulated(histories: Histories, plan: Plan) -> Emulation:
    everybody = rows_of(histories, plan.opening)
    if not everybody.treated.any():
        raise DesignError(nobody_starts(plan.opening))
    rows, x, names, left_out = complete(histories, plan, everybody)
    group, notes = _grouped(histories, rows)
    keep = _both_arms(rows, [rows.trial] if group is None else [rows.trial, group])
    alone = rows.where(~keep)
    if lost := int(alone.treated.sum()):
        left_out.append({"n": lost, "pilot": lost, "reason": "nobody else was eligible on the day"})
    idle = int((~alone.treated).sum())
    rows, x = rows.where(keep), x[keep]
    group = None if group is None else group[keep]
    if not rows.treated.any():
        raise DesignError(
            "on no day could somebody else have begun the service when a person did: bring more people"
        )
    hazard, told = _without_stay(plan, rows, x, names, group)
    notes += told
    if hazard.left_out:
        named = ", ".join(f"`{names[k]}`" for k in hazard.left_out)
        notes.append(
            f"{named} said nothing beyond the day and the other covariates, and was left out of the score"
        )
    strata = _strata(histories, plan, rows)
    weight = trial_weights.odds(hazard.chance, rows.treated, strata)
    caliper = None if plan.caliper is None else plan.caliper * float(hazard.linear.std(ddof=1))
    rules: dict[str, Any] = {
        "strata": strata,
        "caliper": caliper,
        "ratio": plan.ratio,
        "replace": plan.reuse_within_day > 1,
        "reuse_max": plan.reuse_within_day,
    }
    sets = nearest(hazard.linear, rows.treated, order="largest", seed=plan.opening.seed, **rules)
    checked = {**audit(sets, hazard.linear, rows.treated, **rules), **_audited(histories, rows)}
    return Emulation(
        histories=histories,
        plan=plan,
        rows=rows,
        x=x,
        names=names,
        hazard=hazard,
        weight=weight,
        strata=strata,
        sets=sets,
        caliper=caliper,
        audit=checked,
        left_out=left_out,
        notes=tuple(notes),
        everybody=everybody,
        by_group=group is not None,
        idle=idle,
    )


class _ToldApart(EstimationError):
    """A covariate, by its number, tells those who start from others."""

    def __init__(self, told: str, column: int) -> None:
        super().__init__(told)
        self.column = column


def _without_stay(
    plan: Plan, rows: Rows, x: Array, names: tuple[str, ...], group: Array | None
) -> tuple[trial_hazard.Hazard, list[str]]:
    """The hazard and, where the length of the stay (which nobody named) had to go from it, a note."""
    own = names.index(STAY) if STAY in names else -1
    try:
        return _hazard(plan, rows, x, names, group), []
    except _ToldApart as error:
        if error.column != own:
            raise
    rest = [k for k in range(len(names)) if k != own]
    hazard = _hazard(plan, rows, x[:, rest], tuple(names[k] for k in rest), group)
    note = (
        f"the {STAY} tells some who begin the service from everybody else, so it is left out of the score; "
        "see how alike the groups are in it"
    )
    whole = replace(
        hazard,
        coef=np.insert(hazard.coef, own, 0.0),
        left_out=tuple(rest[k] for k in hazard.left_out),
    )
    return whole, [note]


def _hazard(
    plan: Plan, rows: Rows, x: Array, names: tuple[str, ...], group: Array | None
) -> trial_hazard.Hazard:
    """The pooled logit, or a learner cross-fitted by person with day and practice beside the covariates."""
    if plan.learner is not None:
        columns = [x, rows.trial] if group is None else [x, rows.trial, group]
        found = learners.chance(
            plan.learner, np.column_stack(columns), rows.treated, seed=plan.opening.seed, units=rows.person
        )
        return trial_hazard.Hazard(
            coef=np.full(len(names), np.nan),
            left_out=(),
            linear=logit(found),
            chance=found,
            iterations=0,
            converged=True,
        )
    try:
        return trial_hazard.fit(x, rows.treated, rows.trial, group=group)
    except trial_hazard.Separated as error:
        one_day = len(np.unique(rows.day[rows.treated])) == 1
        told = told_apart(plan, names, error.column, int(rows.treated.sum()), one_day=one_day)
        raise _ToldApart(told, error.column) from None


def told_apart(plan: Plan, names: tuple[str, ...], column: int, starts: int, *, one_day: bool) -> str:
    """Why no score could be learned, in the words of the study file."""
    name = names[column]
    own = [k for k, what in enumerate(plan.measured) if what.name == name]
    called, way_out = f"the covariate `{name}`", "Leave it out, or join its rare kinds"
    if own:
        what = plan.measured[own[-1]]
        value = "" if what.value is None else f', value = "{what.value}"'
        called = (
            f"what is measured under [[method.measured]] number {own[-1] + 1} (event = "
            f'"{what.event}", days = {list(what.days)}{value})'
        )
        way_out = "Leave that table out, or measure more days"
    elif name in SEASON:
        called, way_out = "the time of year", "Set season = false"
    if one_day and starts > 1:
        called += ", when all of them begin on one day,"
    if starts < FEW_STARTS:
        return (
            f"{starts} {'person begins' if starts == 1 else 'people begin'} the service in the trials, and "
            f"so few are too few to learn who begins it: {called} alone tells them from everybody else. "
            f"Bring more people, {FEW_STARTS} who begin at the very least"
        )
    return (
        f"{called[:1].upper()}{called[1:]} (perhaps with others) tells some of the {starts:,} who begin the "
        f"service from everybody else, so there is nobody to compare them with. {way_out}"
    )


def nobody_starts(opening: Opening) -> str:
    """Why there is no trial."""
    if opening.trigger is None:
        return (
            "nobody begins the service on a day on which he or she is registered, observed for "
            f"{opening.lookback} days and out of hospital. Shorten lookback, or set at_home = false where "
            "the service begins in hospital"
        )
    return (
        f"nobody begins the service within {opening.within} days of a discharge from {opening.trigger} and "
        "before the next stay. Name the trigger that opens the service, widen `within`, or leave the "
        "trigger out"
    )


def _grouped(histories: Histories, rows: Rows) -> tuple[Array | None, list[str]]:
    """Practices with an intercept of their own, where that can be afforded."""
    if histories.cluster is None or histories.clusters is None:
        return None, []
    group = histories.clusters[rows.person]
    treated = np.bincount(group[rows.treated], minlength=int(group.max()) + 1)
    size = np.bincount(group, minlength=len(treated))
    there = treated > 0
    named = histories.cluster.replace("_", " ")
    if size[there].sum() < size.sum() / 2:
        note = (
            f"under half of the people who could have begun the service belong to a {named} where anybody "
            f"did, so people of every {named} are compared. Where the service is offered by {named}, take "
            'cluster_by = "cluster", or compare the places as a panel'
        )
        return None, [note]
    if treated.sum() < A_GROUP * there.sum():
        return None, [
            f"there are too few starts for each {named} to have a level of its own in the score, so it is "
            "left out"
        ]
    return group, []


def _both_arms(rows: Rows, families: list[Array]) -> Array:
    """Rows of days and groups in which somebody starts and somebody does not."""
    keep = np.ones(len(rows.day), dtype=bool)
    while True:
        before = int(keep.sum())
        for codes in families:
            n = int(codes.max(initial=0)) + 1
            began = np.bincount(codes[keep], rows.treated[keep], n)
            size = np.bincount(codes[keep], minlength=n)
            keep &= ((began > 0) & (began < size))[codes]
        if int(keep.sum()) == before:
            return keep


def _strata(histories: Histories, plan: Plan, rows: Rows) -> Array:
    """One code for each day and combination of kinds."""
    codes = rows.trial.astype(np.int64)
    for name in plan.exact:
        own = histories.codes(name)[rows.person]
        codes = np.unique(codes * (int(own.max()) + 1) + own, return_inverse=True)[1].reshape(-1)
    return codes


def _audited(histories: Histories, rows: Rows) -> dict[str, int]:
    """The rules of time, asked again of every row with nothing but its dates."""
    start = histories.start[rows.person]
    broken = {
        "a comparison row that has begun the service": ~rows.treated & (start <= rows.day),
        "somebody who starts on another day": rows.treated & ~((start > rows.known) | (start == rows.day)),
        "a person who had died": histories.death[rows.person] <= rows.day,
        "a person who had left": histories.leave[rows.person] <= rows.day,
    }
    if rows.opened is not None and rows.closed is not None:
        kind_days = rows.closed[rows.unit]
        broken["a trial before its discharge"] = rows.day < kind_days
    for rule, wrong in broken.items():
        if wrong.any():
            raise EstimationError(
                f"the trials break a rule ({rule}) {int(wrong.sum())} times: nothing was estimated. This is "
                "a fault in ucimpact; please report it"
            )
    return {"rows": len(rows.day), "clock": len(rows.day)}
