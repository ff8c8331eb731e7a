r"""People who had the service beside people like them who had not.

Each pilot person is given comparison people of the same kind (``exact``) and nearest in the propensity score,
within a caliper [1]_. In the matched people, weighted so that both sides of a set count the same,

.. math:: \log E[y_i] = \log t_i + \alpha + \theta T_i + x_i'\beta

with :math:`t_i` the days at risk: :math:`e^\theta` is the rate ratio. Costs and scores have a linear, gamma
or two-part model in its place. The covariates stand in it once more, for what the matching left unlike [2]_.
The effect is that on the matched pilot people (ATT), by g-computation,

.. math:: \Delta = \frac{H \sum_{T_i=1} (\hat\mu^1_i - \hat\mu^0_i)}{\sum_{T_i=1} t_i} ,

per person over the horizon of :math:`H` days. It is causal when people alike in what was recorded would have
fared alike without the service. Nothing in the data can show that. What can be seen is whether outcomes that
the service cannot change stayed the same (:meth:`MatchedCohort.controls`), and how strong something
unrecorded would have to be (the E-value).

The clock must start for both groups on the same day: a ``service_start`` after the ``index_date`` is immortal
time and is refused (:mod:`ucimpact.methods.matched_cohort_design`).

Sets are the units of evidence [3]_; where people recur or are used again, people are too, and the two
variances are joined. The t distribution has as many degrees of freedom as a variance of that unevenness is
worth,

.. math:: \nu = \frac{2 (\sum_s g_s^2)^2}{\sum_s g_s^4 - (\sum_s g_s^2)^2 / S}

with :math:`g_s` the influence of set :math:`s` of :math:`S` [4]_: about :math:`S` for an even outcome, far
fewer where a few costs decide. Limits of ratios are worked out on the log scale.

References
----------
.. [1] Rosenbaum, P. R. and Rubin, D. B. (1985). Constructing a control group using multivariate matched
   sampling methods that incorporate the propensity score. *The American Statistician* 39(1), 33-38.
.. [2] Ho, D. E., Imai, K., King, G. and Stuart, E. A. (2007). Matching as nonparametric preprocessing for
   reducing model dependence in parametric causal inference. *Political Analysis* 15(3), 199-236.
.. [3] Abadie, A. and Spiess, J. (2022). Robust post-matching inference. *Journal of the American Statistical
   Association* 117(538), 983-995.
.. [4] Pan, W. and Wall, M. M. (2002). Small-sample adjustments in using the sandwich variance estimator in
   generalized estimating equations. *Statistics in Medicine* 21(10), 1429-1441, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.pairing import Order
from ucimpact.inference.sensitivity import Reach
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.field_checks import below, level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_controls import NegativeControls, negative_controls
from ucimpact.methods.matched_cohort_design import (
    clock_findings,
    column_findings,
    delay_of,
    group_findings,
    matching_findings,
    outcome_findings,
)
from ucimpact.methods.matched_cohort_effects import Effects, Family, Model, compare
from ucimpact.methods.matched_cohort_pairs import Pairs, Rules, match
from ucimpact.methods.matched_cohort_sample import Sample

__all__ = ["ALIKE", "MANY_LOST", "UNLIKE", "MatchedCohort", "NegativeControls"]

ALIKE, UNLIKE = 0.10, 0.25
"""Largest standardised difference that is called alike, and above which no effect should be claimed."""

MANY_LOST = 0.10
FEW_SETS, FEW_EVENTS, FEW_CLUSTERS = 8, 5, 10


@dataclass(frozen=True, kw_only=True)
class MatchedCohort:
    """Compare people who had the service with people like them who had not.

    Parameters
    ----------
    outcome : str
        Cohort column: a count, 0/1, a cost or a score after the index date.
    exact : tuple of str, default ()
        Columns that must be the same within a pair, such as practice and sex; kinds of any sort.
    antiexact : tuple of str, default ()
        Columns that must differ within a pair, such as the team that might treat both.
    covariates : tuple of str, default ()
        Columns of numbers on which pairs should be alike, all known at the index date.
    distance : str, default "logit"
        What makes people near: ``"logit"`` or ``"score"`` (propensity), ``"mahalanobis"``,
        ``"robust-mahalanobis"``, or a column that holds a score.
    caliper : float, "none" or None, default 0.2
        Largest distance within a pair in standard deviations of the distance (of the logit for Mahalanobis).
        ``"none"`` matches however far.
    ratio : int, default 1
        Comparison people sought for each pilot person.
    replace : bool, default False
        Whether a comparison person may serve several sets.
    order : str, default "largest"
        Whose turn is first: ``"largest"`` or ``"smallest"`` distance, ``"closest"`` pair, ``"random"`` or
        ``"data"`` (by row).
    family : str, default "poisson"
        ``"poisson"`` (counts and 0/1; a rate where days at risk are known), ``"gaussian"`` (difference of
        means), ``"gamma"`` (amounts above 0) or ``"two-part"`` (amounts of which many are 0).
    adjust : bool, default True
        Put the covariates into the outcome model too.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For a random order, and for pairs that are alike in all that is named.
    """

    takes: ClassVar[type] = Cohort

    outcome: str
    exact: tuple[str, ...] = ()
    antiexact: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    distance: str = "logit"
    caliper: float | Literal["none"] | None = 0.2
    ratio: int = 1
    replace: bool = False
    order: Order = "largest"
    family: Family = "poisson"
    adjust: bool = True
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("exact", "antiexact", "covariates"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        if self.caliper == "none":
            object.__setattr__(self, "caliper", None)
        wide = self.caliper is None or (isinstance(self.caliper, int | float) and self.caliper > 0)
        refuse_fields(
            *(
                outcome_among(self.outcome, getattr(self, name), f"stand in {name}")
                for name in ("exact", "antiexact", "covariates")
            ),
            None if wide else f'caliper = {self.caliper!r}: give a number above 0, such as 0.2, or "none"',
            below("ratio", self.ratio, 1, "a whole number from 1"),
            level_problem(self.level),
            not_one_of("family", self.family, get_args(Family)),
            not_one_of("order", self.order, get_args(Order)),
            outcome_among(self.outcome, (self.distance,), "be the distance"),
        )

    @property
    def rules(self) -> Rules:
        """What a pair must share, without the outcome."""
        return Rules(
            exact=self.exact,
            antiexact=self.antiexact,
            covariates=self.covariates,
            distance=self.distance,
            caliper=None if self.caliper is None else float(self.caliper),
            ratio=self.ratio,
            replace=self.replace,
            order=self.order,
            seed=self.seed,
        )

    def check_design(self, cohort: Cohort) -> list[Finding]:
        """What these data refuse, and what needs care, before anybody is matched."""
        need(cohort, Cohort, "Cohort(table, person=..., pilot=...)")
        cohort.values(self.outcome)
        if groups := group_findings(cohort):
            return groups
        return [
            *clock_findings(cohort, self.outcome),
            *self._matching_findings(cohort),
            *outcome_findings(cohort, self.outcome, self.family),
        ]

    def _matching_findings(self, cohort: Cohort) -> list[Finding]:
        column = self.rules.column
        return [
            *matching_findings(self.rules),
            *column_findings(cohort, self.covariates, column, (*self.exact, *self.antiexact)),
        ]

    def pairs(self, cohort: Cohort) -> Pairs:
        """The matched sets, their audit and balance, and who was lost; no outcome is looked at.

        Raises
        ------
        DesignError
            Where these data cannot be matched, naming the way out.
        """
        enforce([*group_findings(cohort), *self._matching_findings(cohort)])
        return match(cohort, self.rules)

    def fit(self, cohort: Cohort) -> Estimate:
        """The effect per person over the horizon (``att``), in all, and as a ratio.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        warnings = enforce(self.check_design(cohort))
        pairs = match(cohort, self.rules)
        y = cohort.values(self.outcome)
        sample = Sample.of(cohort, pairs, np.isfinite(y))
        events = sample.events(y) if self.family == "poisson" else None
        sample.enforce(self.outcome, events)
        compared = compare(self._model, sample, y, offset=self.family == "poisson")
        found = Effects(self._model, sample, compared.contrast, y)
        return Estimate(
            method="matched-cohort",
            estimand="ATT",
            outcome=self.outcome,
            effects=effects_frame(found.rows),
            cov=found.cov,
            influence=found.by_set,
            sampling_units=sample.names,
            counts={
                **cohort.counts(),
                "matched_pilot": sample.size,
                "matched_comparison": int(np.unique(sample.row[~sample.treated]).size),
                "sets": sample.size,
                "events_pilot": events and events[0],
                "events_comparison": events and events[1],
                "left_out": [*pairs.left_out, *sample.left_out],
            },
            warnings=(*warnings, *_cares(pairs, sample, events), *compared.warnings),
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            provenance={"version": __version__, "seed": self.seed},
            draws_from=f"CR1 variance by {sample.words} with {found.df:.1f} degrees of freedom",
            extras={
                "observed": found.observed,
                "expected": found.observed - found.att,
                "horizon": cohort.horizon,
                "person_time": sample.person_time,
                "balance": pairs.balance,
                "max_smd": pairs.max_smd,
                "audit": pairs.audit,
                "lost": pairs.lost,
                "e_value": found.e_value(),
                "delay": delay_of(cohort, self.outcome),
                "clock": {
                    "index_date": cohort.index_date is not None,
                    "service_start": cohort.service_start is not None,
                },
                "df": found.df,
                "rule": {
                    "procedure": "cr1",
                    "reason": sample.words,
                    "df": found.df,
                    "sets": sample.size,
                    "adjusted_for": list(compared.adjusted),
                    "refused": None,
                },
            },
        )

    def controls(
        self,
        cohort: Cohort,
        columns: Sequence[str],
        *,
        deaths: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> NegativeControls:
        """Outcomes that the service cannot have changed, on the same sets.

        Parameters
        ----------
        columns : sequence of str
            Counts or 0/1 columns.
        deaths : sequence of str
            Those of them that are deaths, which the service may have changed a little.
        before : sequence of str
            Those from before the index date that were held out of the matching; ``cohort.before`` are too.
        """
        pairs = self.pairs(cohort)
        held_out = (*before, *cohort.before)
        reach: dict[str, Reach] = {
            name: "deaths" if name in deaths else "before" if name in held_out else "after"
            for name in columns
        }
        used = {*self.covariates, *self.exact, self.rules.column}
        return negative_controls(self._model, cohort, pairs, reach, used)

    @property
    def _model(self) -> Model:
        return Model(family=self.family, covariates=self.covariates if self.adjust else (), level=self.level)


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
    if sample.size < FEW_SETS:
        text = f"{sample.size} matched sets are too few for a likely range that can be trusted"
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
