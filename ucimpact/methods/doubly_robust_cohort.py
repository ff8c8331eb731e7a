r"""People who had the service beside the others, by a model of who had it and a model of what came of it.

The mean that people with the service would have had without it is foreseen from their covariates by a model
of the comparison people, and put right by what that model misses among comparison people weighed to be like
them (:mod:`ucimpact.inference.crossfit`). It is right if *either* the chance of having had the service *or*
the outcome is learned well [1]_, and neither has to be a straight line: any learner may stand in, since
nobody is foreseen by a model that has seen them [2]_.

Where days at risk are known a rate is the ratio of two such means, of events and of days, so that death and
leaving may differ between people as they will.

It is causal under the same condition as a matched cohort: that people alike in what was recorded would have
fared alike without the service. A flexible learner makes better use of what was recorded and knows no more.

With a few hundred people the plain models (``"logistic"``, ``"linear"``) are the surer choice; flexible
learners want thousands.

References
----------
.. [1] Bang, H. and Robins, J. M. (2005). Doubly robust estimation in missing data and causal inference
   models. *Biometrics* 61(4), 962-973.
.. [2] Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. and Robins, J. (2018).
   Double/debiased machine learning for treatment and structural parameters. *The Econometrics Journal*
   21(1), C1-C68.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.estimate import Estimate
from ucimpact.inference import crossfit, learners
from ucimpact.inference.balancing_weights import by_score
from ucimpact.inference.crossfit import Family, Target
from ucimpact.inference.folds import deal
from ucimpact.inference.gcomputation import Contrast
from ucimpact.inference.learners import Learner
from ucimpact.inference.overlap import overlap
from ucimpact.methods.cohort_columns import Columns
from ucimpact.methods.cohort_controls import Asked
from ucimpact.methods.cohort_method import CohortMethod
from ucimpact.methods.cohort_weighing import Weighing, need_both
from ucimpact.methods.cohort_yes_no import told_as_share
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import below, level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_effects import Model
from ucimpact.methods.weighted_estimate import estimate_of, learner_problem, weighting_findings
from ucimpact.methods.weighted_sample import WeightedSample

Array = np.ndarray

FEW_FOR_LEARNERS = 1_000
"""With fewer people a flexible learner leaves more unlike, and its range is narrower, than it should be."""


@dataclass(frozen=True, eq=False)
class LearnedSample(WeightedSample):
    """Weighed people, with the parts into which they were dealt and their chances, once a dealing."""

    dealt: list[tuple[Array, Array]]


@dataclass(frozen=True, kw_only=True)
class DoublyRobustCohort(CohortMethod):
    """Compare people who had the service with what models of the others foresee for people like them.

    Parameters
    ----------
    outcome : str
        Cohort column: a count, 0/1, a cost or a score after the index date.
    covariates : tuple of str, default ()
        Columns of numbers that decide who has the service and what comes of it, known at the index date.
    kinds : tuple of str, default ()
        Columns of any sort, such as hospital and sex.
    estimand : str, default "ATT"
        For whom: ``"ATT"`` (who had the service), ``"ATE"`` (everybody) or ``"ATC"`` (who had not).
    score : str, default "logistic"
        How the chance of having had the service is learned: ``"logistic"``, ``"gradient-boosting"``,
        ``"random-forest"``, or a classifier that follows scikit-learn.
    model : str, default "linear"
        How the mean outcome is learned: ``"linear"``, ``"log-linear"`` (amounts from 0),
        ``"gradient-boosting"``, ``"random-forest"``, or a regressor that follows scikit-learn.
    family : str, default "poisson"
        ``"poisson"`` (amounts not below 0; a rate where days at risk are known, and the share of people for a
        yes or no) or ``"gaussian"``.
    folds : int, default 10
        Parts into which people are dealt; each is foreseen by models of the others.
    repeats : int, default 2
        How often they are dealt; the answers are averaged. What chance of the dealing is left was a tenth of
        a standard error with 1,500 people.
    bound : float, default 0.01
        A chance nearer than this to 0 or 1 counts as this, so that nobody weighs without limit.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For the dealing and the learners.
    """

    subgroups: ClassVar[tuple[str, ...]] = ()

    outcome: str
    covariates: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    estimand: Target = "ATT"
    score: str | Learner = "logistic"
    model: str | Learner = "linear"
    family: Family = "poisson"
    folds: int = 10
    repeats: int = 2
    bound: float = 0.01
    level: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        self._as_tuples("covariates", "kinds")
        refuse_fields(
            outcome_among(self.outcome, self.covariates),
            outcome_among(self.outcome, self.kinds, "stand in kinds"),
            not_one_of("estimand", self.estimand, get_args(Target)),
            not_one_of("family", self.family, get_args(Family)),
            learner_problem("score", self.score, "classifier"),
            learner_problem("model", self.model, "regressor"),
            'model = "log-linear" is for amounts from 0: give family = "poisson"'
            if (self.model, self.family) == ("log-linear", "gaussian")
            else None,
            below("folds", self.folds, 2, "a whole number from 2"),
            below("repeats", self.repeats, 1, "a whole number from 1"),
            None if 0 < self.bound < 0.5 else f"bound = {self.bound!r}: give a number such as 0.01",
            level_problem(self.level),
        )

    def _findings(self, cohort: Cohort) -> list[Finding]:
        return weighting_findings(cohort, self.outcome, self.family, self.covariates, self.kinds)

    def pairs(self, cohort: Cohort) -> Weighing:
        """The weights that the learned chances give everybody, their balance, and who was lost.

        Raises
        ------
        DesignError, EstimationError
            Where nothing can be learned of these people, naming the way out.
        """
        enforce(weighting_findings(cohort, None, self.family, self.covariates, self.kinds))
        return self._sample(cohort).weighing

    def fit(self, cohort: Cohort) -> Estimate:
        """The effect per person over the horizon (``att``), in all, and as a ratio.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        warnings = enforce(self.check_design(cohort))
        cohort, told = told_as_share(cohort, self.outcome, self.family)
        y = cohort.values(self.outcome)
        sample = self._sample(cohort, np.isfinite(y))
        counted = self.family == "poisson"
        sample.enforce(self.outcome, sample.events(y) if counted else None)
        contrast = self._contrast(sample, y, offset=counted)
        return estimate_of(
            "doubly-robust-cohort",
            self,
            sample,
            y,
            self._told,
            contrast,
            adjusted=(*self.covariates, *self.kinds),
            warnings=(*warnings, *told, *self._cares(len(sample.row))),
            note=f", each of {self.folds} parts foreseen by the others, dealt {self.repeats} times",
            more={"learners": {"score": learners.name_of(self.score), "model": learners.name_of(self.model)}},
        )

    def _asked(self, cohort: Cohort) -> Asked[LearnedSample]:
        everybody = self._sample(cohort)

        def sample_of(known: Array) -> LearnedSample:
            there = known[everybody.weighing.columns.row].all()
            return everybody if there else self._sample(cohort, known)

        def contrast(sample: LearnedSample, y: Array, offset: bool) -> Contrast:
            return self._contrast(sample, y, offset=offset, family="poisson")

        return Asked(
            cohort=cohort,
            sample_of=sample_of,
            contrast=contrast,
            lines=len(cohort.table),
            used={*self.covariates, *self.kinds},
            level=self.level,
        )

    def _cares(self, people: int) -> tuple[str, ...]:
        """Whether flexible learners have enough people."""
        plain = self.score in learners.CHANCES and self.model in learners.MEANS
        if plain or people >= FEW_FOR_LEARNERS:
            return ()
        text = f"{people:,} people are few for learners that can bend, and the likely range may be too narrow"
        way_out = 'Compare score = "logistic" with model = "linear"'
        return (str(Finding("warn", text, way_out)),)

    # -- steps -----------------------------------------------------------------------------

    @property
    def _told(self) -> Model:
        return Model(family=self.family, covariates=(), level=self.level, seed=self.seed)

    def _sample(self, cohort: Cohort, known: Array | None = None) -> LearnedSample:
        """Everybody whose outcome is known, dealt, and weighed by chances learned of them alone."""
        columns = Columns.of(cohort, self.covariates, self.kinds, known)
        need_both(columns)
        dealt = self._dealt(columns)
        return LearnedSample(self._weighing(columns, dealt), False, dealt)

    def _dealt(self, columns: Columns) -> list[tuple[Array, Array]]:
        """Parts and cross-fitted chances, once for each dealing."""
        persons, found = columns.cohort.persons[columns.row], []
        for k in range(self.repeats):
            part = deal(columns.x, columns.treated, self.folds, self.seed + k, units=persons)
            chance = learners.chance_by_part(self.score, columns.x, columns.treated, part, self.seed)
            found.append((part, chance))
        return found

    def _weighing(self, columns: Columns, dealt: list[tuple[Array, Array]]) -> Weighing:
        chance = np.mean([found for _, found in dealt], axis=0)
        held = self._held(chance)
        weights = by_score(held, columns.x, columns.treated, self.estimand, fitted=False).even()
        seen = overlap(np.log(chance / (1 - chance)), columns.treated)
        left_out, lost = list(columns.left_out), list(columns.lost)
        return Weighing.of(columns, columns, weights.with_capped(held != chance), lost, left_out, seen)

    def _held(self, chance: Array) -> Array:
        return np.asarray(np.clip(chance, self.bound, 1 - self.bound))

    def _contrast(
        self,
        sample: LearnedSample,
        y: Array,
        *,
        offset: bool,
        family: Family | None = None,
    ) -> Contrast:
        """Mean outcomes with and without the service of the people of the estimand, over their own days."""
        place, treated, days = sample.at, sample.treated, sample.days if offset else None
        x, outcome = sample.weighing.columns.x[place], y[sample.row]
        found = []
        for part, chance in sample.dealt:
            here, held = part[place], self._held(chance[place])

            def means(values: Array, kind: Family, here: Array = here, held: Array = held) -> crossfit.Means:
                none = np.zeros(len(values))
                chances = crossfit.inverse_chances(held, self.estimand)
                told = [  # the own mean of the people of the estimand needs no model
                    none
                    if own == self.estimand
                    else crossfit.foreseen(self.model, kind, x, values, arm * weight, here, self.seed)
                    for own, arm, weight in zip(("ATT", "ATC"), (treated, ~treated), chances, strict=True)
                ]
                return crossfit.means(values, treated, held, told[0], told[1], self.estimand)

            told = means(outcome, family or self.family)
            found.append(told if days is None else told.over(means(days, "gaussian")))
        whole = crossfit.averaged(found)
        weight = sample.weight[treated]
        times = 1.0 if days is None else float(weight @ days[treated] / weight.sum())
        return Contrast(
            whole.with_service * times,
            whole.without * times,
            whole.with_influence * times,
            whole.without_influence * times,
            2,
        )
