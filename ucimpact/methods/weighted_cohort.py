r"""People who had the service beside the others, each weighed until the two groups are alike.

Nobody is left without a partner and nobody is thrown away: every comparison person counts as much as makes
their group, taken together, like the people who had the service. By **entropy balancing** the weights are
those nearest to even under which the means of all covariates agree to the last digit [1]_; by the **score**
they follow from the chance :math:`e_i` of having had the service, for the effect on those who had it (ATT)
the odds :math:`e_i/(1-e_i)` [2]_. With these weights

.. math:: \log E[y_i] = \log t_i + \alpha + \theta T_i

and :math:`e^\theta` is the rate ratio; costs and scores have a linear, gamma or two-part model in its place.
The effects are those of a matched cohort and are causal under the same condition: that people alike in what
was recorded would have fared alike without the service.

**What weights cost.** A few people with large weights decide. The effective number of people,
:math:`(\sum w)^2 / \sum w^2`, says how many without weights would have told as much.

**Likely range.** Weights are estimated, and what that adds (or takes off) is carried through the equations
that gave them (:mod:`ucimpact.inference.balancing_weights`); ``errors="known"`` is the plain sandwich. Where
a learner gave the score its share is not known and weights are taken as known. People, or the clusters of
the cohort, are the units of evidence; the t distribution has as many degrees of freedom as a variance of
that unevenness is worth.

References
----------
.. [1] Hainmueller, J. (2012). Entropy balancing for causal effects: a multivariate reweighting method to
   produce balanced samples in observational studies. *Political Analysis* 20(1), 25-46.
.. [2] Hirano, K., Imbens, G. W. and Ridder, G. (2003). Efficient estimation of average treatment effects
   using the estimated propensity score. *Econometrica* 71(4), 1161-1189.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate
from ucimpact.inference.balancing_weights import Target
from ucimpact.inference.learners import Learner
from ucimpact.methods.cohort_controls import Asked
from ucimpact.methods.cohort_method import CohortMethod
from ucimpact.methods.cohort_subgroups import subgroup_findings
from ucimpact.methods.cohort_weighing import By, Weighing, WeightRules, weigh
from ucimpact.methods.cohort_yes_no import told_as_share
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_effects import COUNTS, Family, Model, compare
from ucimpact.methods.weighted_estimate import estimate_of, learner_problem, weighting_findings
from ucimpact.methods.weighted_sample import WeightedSample


@dataclass(frozen=True, kw_only=True)
class WeightedCohort(CohortMethod):
    """Compare people who had the service with the others, weighed until both groups are alike.

    Parameters
    ----------
    outcome : str
        Cohort column: a count, 0/1, a cost or a score after the index date.
    covariates : tuple of str, default ()
        Columns of numbers in which the groups are to be alike, all known at the index date.
    kinds : tuple of str, default ()
        Columns of any sort, such as hospital and sex, of which each kind is to have the same share.
    by : str, default "entropy"
        ``"entropy"`` (balancing: the means agree to the last digit) or ``"score"`` (propensity).
    estimand : str, default "ATT"
        For whom: ``"ATT"`` (who had the service), ``"ATE"`` (everybody), ``"ATC"`` (who had not) or ``"ATO"``
        (people about whom it was open, by the score only).
    moments : int, default 1
        1 for the means of covariates, 2 for their spread too.
    score : str, default "logistic"
        How the chance of having had the service is learned: ``"logistic"``, ``"gradient-boosting"``,
        ``"random-forest"``, or a classifier that follows scikit-learn.
    trim : float, "common" or "none", default "none"
        Whom to leave out: 0.05 leaves out chances above 0.95 (and below 0.05 unless for the ATT),
        ``"common"`` pilot people beyond all comparison people (and the reverse for the ATE).
    cap : float or "none", default "none"
        Quantile at which the weights of each group are cut, such as 0.99; balance is then no longer exact.
    adjust : bool, default False
        Put the covariates into the outcome model too, for the ATT.
    family : str, default "poisson"
        ``"poisson"`` or ``"negative-binomial"`` (counts; a rate where days at risk are known, and the
        share of people for a yes or no), ``"gaussian"`` or ``"bootstrap"`` (difference of means),
        ``"gamma"`` (amounts above 0) or ``"two-part"``.
    subgroups : tuple of str, default ()
        Columns of kinds for each of which the effect is told.
    errors : str, default "estimated"
        Whether the likely range knows that weights were ``"estimated"`` or takes them as ``"known"``.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For a learner, and for draws.
    """

    covariates: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    by: By = "entropy"
    estimand: Target = "ATT"
    moments: int = 1
    score: str | Learner = "logistic"
    trim: float | Literal["common", "none"] = "none"
    cap: float | Literal["none"] = "none"
    adjust: bool = False
    family: Family = "poisson"
    subgroups: tuple[str, ...] = ()
    errors: Literal["estimated", "known"] = "estimated"
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        self._as_tuples("covariates", "kinds", "subgroups")
        trims = self.trim in ("common", "none") or (isinstance(self.trim, float) and 0 < self.trim < 0.5)
        caps = self.cap == "none" or (isinstance(self.cap, float) and 0.5 <= self.cap < 1)
        refuse_fields(
            outcome_among(self.outcome, self.covariates),
            outcome_among(self.outcome, self.kinds, "stand in kinds"),
            not_one_of("by", self.by, get_args(By)),
            not_one_of("estimand", self.estimand, get_args(Target)),
            None if self.moments in (1, 2) else f"moments = {self.moments!r}: give 1 or 2",
            not_one_of("family", self.family, get_args(Family)),
            not_one_of("errors", self.errors, ("estimated", "known")),
            learner_problem("score", self.score, "classifier"),
            None
            if trims
            else f'trim = {self.trim!r}: give a number under 0.5 such as 0.05, "common" or "none"',
            None if caps else f'cap = {self.cap!r}: give a quantile such as 0.99, or "none"',
            'estimand = "ATO" follows from a chance: give by = "score"'
            if (self.estimand, self.by) == ("ATO", "entropy")
            else None,
            "adjust is for the ATT: the doubly robust cohort adjusts for other people"
            if self.adjust and self.estimand != "ATT"
            else None,
            level_problem(self.level),
        )

    @property
    def rules(self) -> WeightRules:
        """By what people are weighed, without the outcome."""
        return WeightRules(
            covariates=self.covariates,
            kinds=self.kinds,
            by=self.by,
            estimand=self.estimand,
            moments=self.moments,
            score=self.score,
            trim=self.trim,
            cap=self.cap,
            seed=self.seed,
        )

    def _findings(self, cohort: Cohort) -> list[Finding]:
        return [
            *weighting_findings(cohort, self.outcome, self.family, self.covariates, self.kinds),
            *subgroup_findings(cohort, self.subgroups, (self.outcome,)),
        ]

    def pairs(self, cohort: Cohort) -> Weighing:
        """The weights of everybody, their balance, and who was lost; no outcome is looked at.

        Those of an estimate are of the people whose outcome is known.

        Raises
        ------
        DesignError, EstimationError
            Where these people cannot be weighed, naming the way out.
        """
        enforce(weighting_findings(cohort, None, self.family, self.covariates, self.kinds))
        return weigh(cohort, self.rules)

    def fit(self, cohort: Cohort) -> Estimate:
        """The effect per person over the horizon (``att``), in all, and as a ratio.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        EstimationError
            Where no weights make the groups alike, naming the covariate.
        """
        warnings = enforce(self.check_design(cohort))
        cohort, told = told_as_share(cohort, self.outcome, self.family)
        y = cohort.values(self.outcome)
        weighing = weigh(cohort, self.rules, np.isfinite(y))
        sample = self._sample(weighing)
        sample.enforce(self.outcome, sample.events(y) if self.family in COUNTS else None)
        compared = compare(self._model, sample, y, offset=self.family in COUNTS)
        carried = self.errors == "estimated" and bool(weighing.weights.equations)
        return estimate_of(
            "weighted-cohort",
            self,
            sample,
            y,
            self._model,
            compared.contrast,
            adjusted=compared.adjusted,
            warnings=(*warnings, *told, *compared.warnings),
            note=" for weights that were estimated" if carried else " for weights as known",
        )

    def _asked(self, cohort: Cohort) -> Asked[Any]:
        everybody = self.pairs(cohort)
        used = {*self.covariates, *self.kinds}

        def sample_of(known: np.ndarray) -> WeightedSample:
            there = known[everybody.columns.row].all()
            return self._sample(everybody if there else weigh(cohort, self.rules, known))

        return Asked.by_model(self._model, cohort, sample_of, len(cohort.table), used)

    def _sample(self, weighing: Weighing) -> WeightedSample:
        return WeightedSample(weighing, self.errors == "estimated")

    @property
    def _model(self) -> Model:
        covariates = self.covariates if self.adjust else ()
        return Model(family=self.family, covariates=covariates, level=self.level, seed=self.seed)
