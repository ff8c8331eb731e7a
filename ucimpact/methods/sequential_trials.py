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
from typing import Any, ClassVar

import numpy as np

from ucimpact import __version__, serialise
from ucimpact.data.histories import Histories
from ucimpact.errors import DesignError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference import learners
from ucimpact.inference.sensitivity import Reach
from ucimpact.methods.cohort_controls import NegativeControls
from ucimpact.methods.design_finding import Finding, enforce, need
from ucimpact.methods.matched_cohort_effects import COUNTS, Effects, compare
from ucimpact.methods.sequential_trials_asked import Asked
from ucimpact.methods.sequential_trials_controls import negative_controls
from ucimpact.methods.sequential_trials_design import design_findings, outcome_findings, unanswered
from ucimpact.methods.sequential_trials_emulation import Emulation, emulate
from ucimpact.methods.sequential_trials_extras import extras_of
from ucimpact.methods.sequential_trials_table import Measured
from ucimpact.methods.sequential_trials_view import Trials, trials_of
from ucimpact.study.declare import Counted

__all__ = ["Measured", "SequentialTrials", "Trials"]


@dataclass(frozen=True, kw_only=True)
class SequentialTrials(Asked):
    """Compare people on the day on which the service begins with people for whom it could have begun."""

    takes: ClassVar[type] = Histories

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
        compared = compare(self.model, sample, y, offset=self.per_day)
        found = Effects(self.model, sample, compared.contrast, y)
        more, cares = extras_of(self, emulation, sample, y, found, pictures=pictures)
        estimand = "ATE" if self.question == "strategy" else "ATT"
        keep, rows = _of_estimand(found.rows, estimand)
        return Estimate(
            method="sequential-trials",
            estimand=estimand,
            outcome=self.outcome,
            effects=effects_frame(rows),
            cov=found.cov[np.ix_(keep, keep)],
            influence=found.by_set[:, keep],
            sampling_units=sample.names,
            counts={
                **histories.counts(),
                "rows": len(emulation.rows.day),
                "pilot": int(emulation.everybody.treated.sum()),
                "comparison": int((~emulation.rows.treated).sum()),
                "matched_pilot": sample.size,
                "matched_comparison": int(np.unique(sample.person[~sample.treated]).size),
                "comparison_rows": int((~sample.treated).sum()),
                "sets": sample.size,
                "events_pilot": events and events[0],
                "events_comparison": events and events[1],
                "left_out": [*emulation.left_out, *what.left_out],
            },
            warnings=(*warnings, *emulation.notes, *what.cares, *cares, *compared.warnings),
            spec={f.name: _spoken(getattr(self, f.name)) for f in fields(self)},
            provenance={"version": __version__, "seed": self.seed},
            draws_from=found.draws_from.replace(" with inf degrees of freedom", ""),
            extras={
                "observed": found.observed,
                "expected": found.observed - found.att,
                "horizon": sample.cohort.horizon,
                "person_time": sample.person_time,
                "df": found.df,
                "e_value": found.e_value(),
                "comparison_log_variance": found.comparison_log_variance,
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

    def brief(self, histories: Histories) -> Estimate:
        """The same estimate without its pictures."""
        return self.fit(histories, pictures=False)

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


def _of_estimand(rows: list[dict[str, Any]], estimand: str) -> tuple[list[int], list[dict[str, Any]]]:
    """The rows that an estimand has: of everybody there is no number avoided, since not everybody started."""
    if estimand == "ATT":
        return list(range(len(rows))), rows
    keep = [k for k, row in enumerate(rows) if row["term"] != "cumulative"]
    return keep, [{**rows[k], "term": "ate" if rows[k]["term"] == "att" else rows[k]["term"]} for k in keep]


def _spoken(value: object) -> Any:
    """A field as a plain value; a learner by its name."""
    return learners.name_of(value) if learners.is_classifier(value) else serialise.plain(value)
