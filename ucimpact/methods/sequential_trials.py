r"""A trial on every day on which the service could begin: those who start beside those who could have.

A visit comes on day :math:`d` after discharge to people who are out of hospital on that day, not admitted
again and alive. Whoever compares the visited with the unvisited from discharge on gives the visited :math:`d`
days in which nothing can happen to them; whoever takes people who are never visited as comparison people
chooses them by their future. Both are answers to no question. A trial on each day, with one time zero for
both arms, is [1]_:

.. math:: \theta = \log R_1 - \log R_0, \qquad
          R_a = \frac{\sum_{i \in a} w_i y_i}{\sum_{i \in a} w_i t_i} ,

where row :math:`i` is a discharge (or a person) and a day on which the service could begin, treated when it
does, :math:`y_i` what happens in the :math:`H` days after the end of that day and :math:`t_i` the days at
risk. Those who start weigh 1, comparison rows the odds of the daily hazard [2]_, rescaled in each day to
those who start on it (:mod:`ucimpact.inference.trial_weights`); ``by="matching"`` takes the nearest of the
same day. The effect is that on the people who start (ATT), when among people alike in what was recorded up to
that day who starts is chance.

Comparison people who start later stay where they are, in the headline: the question is then the service now
against care as usual, in which some have it later. ``question="this-stay"`` and ``"never"`` follow them only
until they start, and let those who are left stand in for them. They are other questions, with other numbers.

A person is in many trials, often on both sides, so influences are summed by person,

.. math:: \psi_i = \pm \frac{w_i (y_i - R_a t_i)}{\sum_{j \in a} w_j y_j}, \qquad
          V = \frac{G}{G-1} \sum_p \Bigl(\sum_{i \in p} \psi_i\Bigr)^2 .

References
----------
.. [1] Hernan, M. A., Sauer, B. C., Hernandez-Diaz, S., Platt, R. and Shrier, I. (2016). Specifying a target
   trial prevents immortal time bias and other self-inflicted injuries in observational analyses. *Journal of
   Clinical Epidemiology* 79, 70-75.
.. [2] Keogh, R. H., Gran, J. M., Seaman, S. R., Davies, G. and Vansteelandt, S. (2023). Causal inference in
   survival analysis using longitudinal observational data: sequential trials and marginal structural models.
   *Statistics in Medicine* 42(13), 2191-2225.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, get_args

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.data.histories import Histories
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.sensitivity import Reach
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.field_checks import below, level_problem, not_one_of, outcome_among, refuse_fields
from ucimpact.methods.matched_cohort_controls import NegativeControls
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, Family, Model, compare
from ucimpact.methods.sequential_trials_controls import negative_controls
from ucimpact.methods.sequential_trials_design import (
    Question,
    design_findings,
    field_problems,
    outcome_findings,
    unanswered,
)
from ucimpact.methods.sequential_trials_emulation import Emulation, Plan, emulate
from ucimpact.methods.sequential_trials_extras import extras_of
from ucimpact.methods.sequential_trials_sample import Followed, TrialSample, sample_of, with_events
from ucimpact.methods.sequential_trials_table import Every, Measured, Opening
from ucimpact.methods.sequential_trials_view import Trials, trials_of
from ucimpact.study.declare import Counted

__all__ = ["Measured", "SequentialTrials", "Trials"]

Array = np.ndarray
By = Literal["weights", "matching"]


@dataclass(frozen=True, kw_only=True)
class SequentialTrials:
    """Compare people on the day on which the service begins with people for whom it could have begun.

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
    question : {"usual-care", "this-stay", "never"}, default "usual-care"
        Against what: care as usual, with the service later for some; no service after this discharge; none at
        all.
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
    season : bool, default True
        Put the time of year into the score.
    level : float, default 0.95
        Coverage of the intervals.
    seed : int, default 1
        For ties, and for the draw of comparison rows where there are more than two million.
    subgroups : tuple of str, default ()
        Columns of people by whose kinds the effect is shown apart.
    """

    takes: ClassVar[type] = Histories

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
    later: str = "keep"
    controls_pool: str = "all"
    adjust: bool = False
    family: Family = "poisson"
    cluster_by: Literal["person", "cluster"] = "person"
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
            not_one_of("family", self.family, get_args(Family)),
            not_one_of("cluster_by", self.cluster_by, ("person", "cluster")),
            *field_problems(self),
        )

    # -- what is asked -------------------------------------------------------------------

    @property
    def counting(self) -> Counted:
        """What is counted, given or by default."""
        return self.counted or Counted(event=self.outcome, days=(0, self.horizon))

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
        )

    def check_design(self, histories: Histories) -> list[Finding]:
        """What these data refuse, and what needs care, before any trial is made."""
        need(histories, Histories, "Histories(people, events, person=..., service_start=...)")
        return [*design_findings(histories, self), *outcome_findings(histories, self)]

    # -- the answer ----------------------------------------------------------------------

    def emulation(self, histories: Histories) -> Emulation:
        """The trials, their weights and sets; no outcome is looked at.

        Raises
        ------
        DesignError
            Where these data hold no trial, naming the way out.
        """
        need(histories, Histories, "Histories(people, events, person=..., service_start=...)")
        enforce(design_findings(histories, self))
        return emulate(histories, self.plan)

    def trials(self, histories: Histories) -> Trials:
        """Those who start and the people matched with them, as tables."""
        return trials_of(self.emulation(histories))

    def sample(
        self, emulation: Emulation, *, by: By | None = None, question: Question | None = None
    ) -> tuple[TrialSample, Array, Followed]:
        """Lines with the outcome known, the outcome, and how they were followed."""
        sample, y, what = sample_of(
            emulation,
            self.counting,
            by=by or self.by,
            question=question or self.question,
            whole=self.family not in COUNTS,
            cluster_by=self.cluster_by,
        )
        return (sample if self.family in COUNTS else with_events(sample, y)), y, what

    def fit(self, histories: Histories, *, pictures: bool = True) -> Estimate:
        """The effect per person over the days counted (``att``), in all, and as a ratio.

        Parameters
        ----------
        pictures : bool
            Whether the estimate carries what a report shows beside the number: other ways, what naive ways
            would have said, the months before, each place. Without them it is four times as fast.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        warnings = enforce(self.check_design(histories))
        emulation = emulate(histories, self.plan)
        sample, y, what = self.sample(emulation)
        if what.refused is not None:
            raise DesignError(unanswered(self.question, what.refused))
        events = sample.events(y) if self.family in COUNTS else None
        sample.enforce(self.outcome, events)
        compared = compare(self.model, sample, y, offset=self.family in COUNTS)
        found = Effects(self.model, sample, compared.contrast, y)
        more, cares = extras_of(self, emulation, sample, y, found, pictures=pictures)
        return Estimate(
            method="sequential-trials",
            estimand="ATT",
            outcome=self.outcome,
            effects=effects_frame(found.rows),
            cov=found.cov,
            influence=found.by_set,
            sampling_units=sample.names,
            counts={
                **histories.counts(),
                "rows": len(emulation.rows.day),
                "pilot": int(emulation.everybody.treated.sum()),
                "comparison": int((~emulation.rows.treated).sum()),
                "matched_pilot": sample.size,
                "matched_comparison": int(np.unique(sample.person[~sample.treated]).size),
                "sets": sample.size,
                "events_pilot": events and events[0],
                "events_comparison": events and events[1],
                "left_out": emulation.left_out,
            },
            warnings=(*warnings, *emulation.notes, *cares, *compared.warnings),
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            provenance={"version": __version__, "seed": self.seed},
            draws_from=found.draws_from if np.isfinite(found.df) else f"CR1 variance by {sample.words}",
            extras={
                "observed": found.observed,
                "expected": found.observed - found.att,
                "horizon": sample.cohort.horizon,
                "person_time": sample.person_time,
                "df": found.df,
                "e_value": found.e_value(),
                "rule": {
                    "procedure": "bootstrap" if self.family == "bootstrap" else "cr1",
                    "reason": sample.words,
                    "df": found.df,
                    "sets": sample.size,
                    "adjusted_for": list(compared.adjusted),
                    "refused": None,
                },
                **more,
            },
        )

    def controls(
        self, histories: Histories, columns: Mapping[str, tuple[Counted, Reach]]
    ) -> NegativeControls:
        """Outcomes that the service cannot have changed, in the same trials.

        Parameters
        ----------
        columns : mapping of str to (Counted, {"deaths", "after", "before"})
            Windows of ``"before"`` end on or before the trial day, such as (-730, -366).
        """
        return negative_controls(self, self.emulation(histories), columns)

    @property
    def model(self) -> Model:
        """How the outcome is modelled."""
        names = (*self.covariates, *(what.name for what in self.measured))
        return Model(
            family=self.family, covariates=names if self.adjust else (), level=self.level, seed=self.seed
        )
