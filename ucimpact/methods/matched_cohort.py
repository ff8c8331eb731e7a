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

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate
from ucimpact.inference.learners import Learner
from ucimpact.inference.pairing import Order
from ucimpact.methods.cohort_account import ALIKE, MANY_LOST, UNLIKE
from ucimpact.methods.cohort_controls import Asked, NegativeControls
from ucimpact.methods.cohort_method import CohortMethod
from ucimpact.methods.cohort_subgroups import subgroup_findings
from ucimpact.methods.cohort_yes_no import told_as_share
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_account import estimate_of
from ucimpact.methods.matched_cohort_design import (
    clock_findings,
    column_findings,
    group_findings,
    matching_findings,
    outcome_findings,
)
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, Family, Model, compare
from ucimpact.methods.matched_cohort_pairs import Pairs, match
from ucimpact.methods.matched_cohort_rules import (
    Bins,
    Caliper,
    Matching,
    Rules,
    bins_of,
    calipers_of,
    field_problems,
)
from ucimpact.methods.matched_cohort_sample import Sample

__all__ = ["ALIKE", "MANY_LOST", "UNLIKE", "Bins", "Caliper", "MatchedCohort", "NegativeControls"]


@dataclass(frozen=True, kw_only=True)
class MatchedCohort(CohortMethod):
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
    matching : str, default "nearest"
        ``"nearest"`` (greedy, one pilot person at a time), ``"optimal"`` (pairs with the least sum of
        distances), ``"full"`` (everybody in the set that suits best, around a pilot or a comparison person),
        ``"cem"`` (alike in every coarsened column) or ``"subclass"`` (cut by the score).
    distance : str or classifier, default "logit"
        What makes people near: ``"logit"`` or ``"score"`` (propensity), ``"mahalanobis"``,
        ``"robust-mahalanobis"``, a column that holds a score, or a learner whose cross-fitted logit is the
        score: ``"gradient-boosting"``, ``"random-forest"``, or a classifier that follows scikit-learn.
    caliper : float, "none" or None, default 0.2
        Largest distance within a pair in standard deviations of the distance (of the logit for Mahalanobis).
        ``"none"`` matches however far.
    calipers : tuple of Caliper, default ()
        Columns and the largest difference of each within a pair, in its own units; in Python also a mapping.
    ratio : float, default 1
        Comparison people sought for each pilot person; their average where max_ratio is given.
    min_ratio : float, optional
        Fewest comparison people for a pilot person: nearest a whole number below ``ratio``; full 0.25 lets
        up to four pilot people share one.
    max_ratio : float, optional
        Most comparison people for a pilot person. Nearest gives many to those like the comparison people.
    replace : bool, default False
        Whether a comparison person may serve several sets.
    reuse_max : int, optional
        Sets that a comparison person may serve at most: 1 is without replacement.
    order : str, default "largest"
        Whose turn is first: ``"largest"`` or ``"smallest"`` distance, ``"closest"`` pair, ``"random"`` or
        ``"data"`` (by row).
    subclasses : int, default 6
        Sets into which subclassification cuts the pilot people.
    bins : tuple of Bins, default ()
        How coarsened exact matching cuts columns; others by Sturges' rule. In Python also a mapping.
    workers : int, default 1
        Processes that match strata side by side, with the same sets; a varying ratio is matched in one.
    family : str, default "poisson"
        ``"poisson"`` or ``"negative-binomial"`` (counts; a rate where days at risk are known, and the
        share of people for a yes or no), ``"gaussian"`` or ``"bootstrap"`` (difference of means),
        ``"gamma"`` (amounts above 0) or ``"two-part"`` (amounts of which many are 0).
    adjust : bool, default True
        Put the covariates into the outcome model too.
    subgroups : tuple of str, default ()
        Columns of kinds for each of which the effect is told.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For a random order, a learner, draws, and pairs that are alike in all that is named.
    """

    exact: tuple[str, ...] = ()
    antiexact: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    matching: Matching = "nearest"
    distance: str | Learner = "logit"
    caliper: float | Literal["none"] | None = 0.2
    calipers: tuple[Caliper, ...] = ()
    ratio: float = 1
    min_ratio: float | None = None
    max_ratio: float | None = None
    replace: bool = False
    reuse_max: int | None = None
    order: Order = "largest"
    subclasses: int = 6
    bins: tuple[Bins, ...] = ()
    workers: int = 1
    family: Family = "poisson"
    adjust: bool = True
    subgroups: tuple[str, ...] = ()
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        self._as_tuples("exact", "antiexact", "covariates", "subgroups")
        object.__setattr__(self, "calipers", calipers_of(self.calipers))
        object.__setattr__(self, "bins", bins_of(self.bins))
        if self.caliper == "none":
            object.__setattr__(self, "caliper", None)
        wide = self.caliper is None or (isinstance(self.caliper, int | float) and self.caliper > 0)
        refuse_fields(
            *(
                outcome_among(self.outcome, getattr(self, name), f"stand in {name}")
                for name in ("exact", "antiexact", "covariates")
            ),
            None if wide else f'caliper = {self.caliper!r}: give a number above 0, such as 0.2, or "none"',
            level_problem(self.level),
            not_one_of("family", self.family, get_args(Family)),
            not_one_of("order", self.order, get_args(Order)),
            not_one_of("matching", self.matching, get_args(Matching)),
            outcome_among(self.outcome, (str(self.distance),), "be the distance"),
            outcome_among(self.outcome, [one.column for one in self.calipers], "have a caliper"),
            *(field_problems(self) if self.matching in get_args(Matching) else ()),
        )

    @property
    def rules(self) -> Rules:
        """What a set must share, without the outcome."""
        return Rules(
            matching=self.matching,
            exact=self.exact,
            antiexact=self.antiexact,
            covariates=self.covariates,
            distance=self.distance,
            caliper=None if self.caliper is None else float(self.caliper),
            calipers=self.calipers,
            ratio=self.ratio,
            min_ratio=self.min_ratio,
            max_ratio=self.max_ratio,
            replace=self.replace,
            reuse_max=self.reuse_max,
            order=self.order,
            subclasses=self.subclasses,
            bins=self.bins,
            workers=self.workers,
            seed=self.seed,
        )

    def _findings(self, cohort: Cohort) -> list[Finding]:
        if groups := group_findings(cohort):
            return groups
        return [
            *clock_findings(cohort, self.outcome),
            *self._matching_findings(cohort),
            *outcome_findings(cohort, self.outcome, self.family),
            *subgroup_findings(cohort, self.subgroups, (self.outcome,)),
        ]

    def _matching_findings(self, cohort: Cohort) -> list[Finding]:
        rules = self.rules
        numbers = [*self.covariates, *(one.column for one in self.calipers)]
        return [
            *matching_findings(rules, cohort.recurs),
            *column_findings(cohort, numbers, rules.column, (*self.exact, *self.antiexact)),
        ]

    def pairs(self, cohort: Cohort) -> Pairs:
        """The matched sets, their audit and balance, and who was lost; no outcome is looked at.

        Raises
        ------
        DesignError, EstimationError
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
        EstimationError
            Where people are too many for the matching, naming the way out.
        """
        warnings = enforce(self.check_design(cohort))
        cohort, told = told_as_share(cohort, self.outcome, self.family)
        pairs = match(cohort, self.rules)
        y = cohort.values(self.outcome)
        sample = Sample.of(cohort, pairs, np.isfinite(y))
        sample.enforce(self.outcome, sample.events(y) if self.family in COUNTS else None)
        compared = compare(self._model, sample, y, offset=self.family in COUNTS)
        found = Effects(self._model, sample, compared.contrast, y)
        return estimate_of(self, self._model, pairs, sample, y, compared, found, (*warnings, *told))

    def _asked(self, cohort: Cohort) -> Asked[Any]:
        pairs = self.pairs(cohort)
        used = {*self.covariates, *self.exact, self.rules.column}
        return Asked.by_model(
            self._model, cohort, lambda known: Sample.of(cohort, pairs, known), len(pairs.sets), used
        )

    @property
    def _model(self) -> Model:
        covariates = self.covariates if self.adjust else ()
        return Model(family=self.family, covariates=covariates, level=self.level, seed=self.seed)
