"""An evaluation of people whose service began on days of their own: sequential trials on two tables.

The numbers come from the trials. What the report, the checks and the money ask of people besides is read from
a light cohort: everybody in a trial who had the service and those matched to them, with the outcomes counted
from each one's own time zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate
from ucimpact.evaluation.people import NAIVE, PeopleWork, options_of
from ucimpact.inference.sensitivity import Reach
from ucimpact.methods import build
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.methods.sequential_trials_whole import seen_whole, yes_or_no
from ucimpact.study import Counted, Outcome, Records, Study

EARLIER = "{} before"
"""Column of the light cohort: the same thing over as many days before time zero."""


class TrialsWork(PeopleWork):
    """The steps of an evaluation by sequential trials, in order."""

    def people(self) -> Cohort:
        """Those with the service and those matched to them, with what was counted of each."""
        self.histories = histories_of(self.records)
        self.main_outcome = _with_before(self.main_outcome)
        method = self.method(self.main_outcome, self.study.method.name, self.study.method.options)
        trials = method.trials(self.histories)
        columns = {}
        for outcome in self.study.outcomes:
            columns[outcome.column] = _counted(self.histories, trials, counted_of(outcome))
        earlier = _earlier(counted_of(self.main_outcome))
        columns[EARLIER.format(self.main_outcome.column)] = _counted(self.histories, trials, earlier)
        cohort: Cohort = trials.cohort
        return replace(cohort, table=cohort.table.assign(**columns))

    def method(self, outcome: Outcome, name: str, options: Mapping[str, Any]) -> Any:
        """A method set up for an outcome, with what the study says of the data."""
        if name != NAIVE:
            return build(name, trial_options(self.study, outcome, name, options), outcome=outcome.column)
        counted = counted_of(outcome)
        chosen = {}
        if self.study.method.options.get("trigger") == counted.event:
            chosen = {"at_least": 1, "at_event": True, "chosen_by": outcome.before}
        asked = {"before_days": float(counted.days[1] - counted.days[0]), **chosen, **options}
        return build(name, options_of(self.study, outcome, name, asked), outcome=outcome.column)

    def fit(
        self, outcome: Outcome, name: str, options: Mapping[str, Any], records: Records | None = None
    ) -> Estimate:
        """One method on one outcome, of these records or others."""
        histories = self.histories if records is None else histories_of(records)
        method = self.method(outcome, name, options)
        main = records is None and outcome is self.main_outcome and options is self.study.method.options
        found: Estimate = method.fit(histories, pictures=main)
        return found

    def compared_people(self) -> Cohort:
        """Those with the service and those matched to them."""
        return self.cohort

    def has_before(self) -> bool:
        """Whether the main outcome is of the days from time zero, so that as many before can be counted."""
        counted = counted_of(self.main_outcome)
        return counted.days[0] == 0 and counted.event != "death"

    def negative_controls(self) -> NegativeControls | None:
        """What the service cannot have changed, counted in the same trials."""
        if not self.controls:
            return None
        method = self.method(self.main_outcome, self.study.method.name, self.study.method.options)
        columns = {outcome.column: (counted_of(outcome), _reach(outcome)) for outcome in self.controls}
        found: NegativeControls = method.controls(self.histories, columns)
        return found


def histories_of(records: Records) -> Histories:
    """The two tables of a study."""
    assert isinstance(records.data, Histories)
    return records.data


def counted_of(outcome: Outcome) -> Counted:
    """What is counted of each person.

    Raises
    ------
    UsageError
        Where the study does not say.
    """
    if outcome.counted is None:
        raise UsageError(
            f"{outcome.label}: with a table of events an outcome says what is counted. Add "
            'counted = { event = "emergency admission", days = [0, 90] }'
        )
    return outcome.counted


def trial_options(study: Study, outcome: Outcome, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of sequential trials for an outcome."""
    if options.get("question") == "strategy":
        raise UsageError(
            'question = "strategy" is of everybody who left hospital, not of those who had the service. A '
            "report says what it did for them, so take the key out; in Python it is open"
        )
    asked = {**options_of(study, outcome, name, options), "counted": counted_of(outcome)}
    asked.setdefault("horizon", int(study.data.follow_up_days or counted_of(outcome).days[1]))
    return asked


def _with_before(outcome: Outcome) -> Outcome:
    """The main outcome, with the column of the same thing before."""
    return replace(outcome, before=EARLIER.format(outcome.column))


def _earlier(counted: Counted) -> Counted:
    """The same thing over as many days up to time zero."""
    first, last = counted.days
    return replace(counted, days=(first - last, 0))


def _counted(histories: Histories, trials: Any, counted: Counted) -> Any:
    """What was counted of each row of the light cohort: a number, or 1 and 0 of who was seen all along."""
    person, day = trials.cohort_person, trials.cohort_day
    found = histories.measure(counted.event, person, day, *counted.days, value=counted.value)
    if not yes_or_no(counted):
        return found
    whole = seen_whole(histories, person, day, max(counted.days[1], 0))
    return np.where(whole | (counted.days[1] <= 0), found > 0, np.nan)


def _reach(outcome: Outcome) -> Reach:
    if outcome.negative_control == "deaths":
        return "deaths"
    return "before" if outcome.negative_control == "before" else "after"
