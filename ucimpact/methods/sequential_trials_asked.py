"""What is asked of sequential trials: the fields of the method, and what follows from them alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ucimpact.errors import DesignError
from ucimpact.inference import learners
from ucimpact.inference.learners import Learner
from ucimpact.methods.field_checks import below, level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_effects import COUNTS, Family, Model
from ucimpact.methods.sequential_trials_covariates import Plan
from ucimpact.methods.sequential_trials_design import Question, field_problems, too_many
from ucimpact.methods.sequential_trials_emulation import Emulation
from ucimpact.methods.sequential_trials_sample import Followed, TrialSample, sample_of, with_events
from ucimpact.methods.sequential_trials_strategy import strategy_sample
from ucimpact.methods.sequential_trials_table import Every, Measured, Opening
from ucimpact.methods.sequential_trials_whole import yes_or_no
from ucimpact.study.declare import Counted

Array = np.ndarray
By = Literal["weights", "matching"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked.

    Parameters
    ----------
    outcome : str
        Name of the outcome; also the kind of events that is counted where ``counted`` is not given.
    counted : Counted, optional
        What is counted over which days after time zero; by default events of the kind ``outcome`` over the
        horizon.
    trigger : str, optional
        Kind of stay whose discharge opens the trials, such as "emergency admission". Without it everybody is
        in the trial of every day, week or month in which anybody starts.
    within : int, default 14
        Last day after discharge on which the service may begin.
    every : {"day", "week", "month"}, default "day"
        Length of a trial's interval, without a trigger.
    covariates : tuple of str, default ()
        Columns of people, numbers.
    measured : tuple of Measured, default ()
        What had happened to people by the trial day: tables ``[[method.measured]]`` with event, days, and
        where wanted value, at ("trial" or "trigger") and log.
    exact : tuple of str, default ()
        Columns of people that must be the same, of any kind.
    lookback : int, default 365
        Days of records before time zero that everybody must have.
    horizon : int, default 90
        Days of follow-up for the pictures and for what is not given with days of its own.
    at_home : bool, default True
        Whether people in hospital at time zero are left out. Set it to false, without a trigger, where the
        service begins in hospital.
    by : {"weights", "matching"}, default "weights"
        Odds weights, or the nearest of the same day.
    ratio : int, default 3
        Comparison rows sought for each start.
    caliper : float, "none" or None, default 0.2
        Largest difference of the logit within a set, in standard deviations.
    reuse_within_day : int, default 1
        Sets of one day that a comparison row may serve; from day to day it is always free.
    question : {"usual-care", "this-stay", "never", "strategy"}, default "usual-care"
        Against what: care as usual, with the service later for some; no service after this discharge; none at
        all. Or of everybody discharged: start on the days that were seen, against nobody.
    grace : {"random", "natural"}, default "random"
        For ``"strategy"``: a start day drawn from the delays that were seen, or any day within the grace,
        which is refused unless half of the discharges start.
    later : str, default "keep"
        What becomes of comparison people who start later: ``"keep"``, or ``"censor"`` for the other two
        questions.
    controls_pool : str, default "all"
        Everybody who could have started that day. No other pool is open.
    adjust : bool, default False
        Put the covariates into the outcome model too.
    family : str, default "poisson"
        As for a matched cohort.
    cluster_by : {"person", "cluster"}, default "person"
        Whose sums the variance is of.
    learner : str or classifier, optional
        What learns the daily hazard in place of the pooled logit, cross-fitted by person:
        "gradient-boosting", "random-forest" (of scikit-learn), or an object with ``fit`` and
        ``predict_proba``.
    season : bool, default True
        Put the time of year into the score.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For ties, and for the draw of comparison rows where there are more than a million.
    subgroups : tuple of str, default ()
        Columns of people by whose kinds the effect is shown apart.
    """

    outcome: str
    counted: Counted | None = None
    trigger: str | None = None
    within: int = 14
    every: Every = "day"
    covariates: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    exact: tuple[str, ...] = ()
    lookback: int = 365
    horizon: int = 90
    at_home: bool = True
    by: By = "weights"
    ratio: int = 3
    caliper: float | Literal["none"] | None = 0.2
    reuse_within_day: int = 1
    question: Question = "usual-care"
    grace: Literal["random", "natural"] = "random"
    later: str = "keep"
    controls_pool: str = "all"
    adjust: bool = False
    family: Family = "poisson"
    cluster_by: Literal["person", "cluster"] = "person"
    learner: str | Learner | None = None
    season: bool = True
    level: float = 0.95
    seed: int = 1
    subgroups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("covariates", "exact", "subgroups"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        object.__setattr__(self, "measured", tuple(self.measured))
        if self.caliper == "none":
            object.__setattr__(self, "caliper", None)
        wide = self.caliper is None or (isinstance(self.caliper, int | float) and self.caliper > 0)
        refuse_fields(
            *(
                outcome_among(self.outcome, getattr(self, name), f"stand in {name}")
                for name in ("covariates", "exact")
            ),
            None if wide else f'caliper = {self.caliper!r}: give a number above 0, such as 0.2, or "none"',
            below("within", self.within, 0, "a number of days, such as 14"),
            below("lookback", self.lookback, 0, "a number of days, such as 365"),
            below("horizon", self.horizon, 1, "a number of days, such as 90"),
            below("ratio", self.ratio, 1, "a whole number from 1"),
            below("reuse_within_day", self.reuse_within_day, 1, "a whole number from 1"),
            level_problem(self.level),
            not_one_of("every", self.every, get_args(Every)),
            not_one_of("by", self.by, get_args(By)),
            not_one_of("question", self.question, get_args(Question)),
            not_one_of("grace", self.grace, ("random", "natural")),
            not_one_of("family", self.family, get_args(Family)),
            not_one_of("cluster_by", self.cluster_by, ("person", "cluster")),
            _learner_problem(self.learner),
            *field_problems(self),
        )

    # -- what is asked -------------------------------------------------------------------

    @property
    def counting(self) -> Counted:
        """What is counted, given or by default."""
        return self.counted or Counted(event=self.outcome, days=(0, self.horizon))

    @property
    def per_day(self) -> bool:
        """Whether days at risk stand below the outcome: of numbers; not of a yes or no, or a cost."""
        return self.family in COUNTS and not yes_or_no(self.counting)

    @property
    def plan(self) -> Plan:
        """What no outcome changes."""
        return Plan(
            opening=Opening(
                trigger=self.trigger,
                within=self.within,
                every=self.every,
                lookback=self.lookback,
                at_home=self.at_home,
                horizon=self.horizon,
                seed=self.seed,
            ),
            covariates=self.covariates,
            measured=self.measured,
            exact=self.exact,
            season=self.season,
            ratio=self.ratio,
            caliper=None if self.caliper is None else float(self.caliper),
            reuse_within_day=self.reuse_within_day,
            learner=self.learner,
        )

    def sample(
        self, emulation: Emulation, *, by: By | None = None, question: Question | None = None
    ) -> tuple[TrialSample, Array, Followed]:
        """Lines with the outcome known, the outcome, and how they were followed."""
        asked = question or self.question
        if self.counting.days[1] <= 0:
            asked = "usual-care"  # what lies before is the same for every question
        if asked != "usual-care" and emulation.everybody.rate < 1:
            raise DesignError(too_many(asked, emulation.everybody.eligible))
        if asked == "strategy":
            return strategy_sample(emulation, self.counting, cluster_by=self.cluster_by, grace=self.grace)
        sample, y, what = sample_of(
            emulation,
            self.counting,
            by=by or self.by,
            question=asked,
            per_day=self.per_day,
            cluster_by=self.cluster_by,
        )
        return (sample if self.family in COUNTS else with_events(sample, y)), y, what

    @property
    def model(self) -> Model:
        """How the outcome is modelled."""
        names = (*self.covariates, *(what.name for what in self.measured))
        return Model(
            family=self.family, covariates=names if self.adjust else (), level=self.level, seed=self.seed
        )


def _learner_problem(learner: object) -> str | None:
    """What cannot learn a hazard."""
    if learner is None or learner in learners.WORDS or learners.is_classifier(learner):
        return None
    words = " or ".join(f'"{word}"' for word in learners.WORDS)
    return f"learner = {learner!r}: give {words}, or an object with fit and predict_proba"
