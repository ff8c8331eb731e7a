"""An evaluation of people: the matched comparison, before and after beside it, checks and words.

With nobody to compare with, before and after is all there is. It is worked out, never as a finding: the
report then says what may be claimed, and how much of the change picking people at a bad time gives by
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ucimpact import finding as findings
from ucimpact import words
from ucimpact.data.cohort import Cohort
from ucimpact.data.periods import Frequency
from ucimpact.decision import decide
from ucimpact.diagnostics import cohort_checks
from ucimpact.diagnostics import context as context_checks
from ucimpact.diagnostics.check import Check
from ucimpact.diagnostics.unrecorded import sensitivity
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.evaluation.comparable import comparable, line_of
from ucimpact.evaluation.document import (
    Analysis,
    Evaluation,
    Progress,
    Role,
    analysis_of,
    intervals_of,
    level_problem,
    now,
    spoken_of,
    study_document,
    valued,
)
from ucimpact.evaluation.people_document import analysed, data_document
from ucimpact.evaluation.robust import Robust
from ucimpact.evaluation.triangulation import Others
from ucimpact.methods import METHODS, build
from ucimpact.methods.matched_cohort import NegativeControls
from ucimpact.study import Outcome, Records, Study

FAMILIES = {
    "count": "poisson",
    "binary": "poisson",
    "cost": "gaussian",
    "score": "gaussian",
    "duration": "gaussian",
}
"""The model of an outcome beside the main one, whose own is declared: for a yes or no the ratio of risks."""
NAIVE = "before-after"
NO_FINDING = {
    **dict.fromkeys(
        ("est", "lo", "hi", "se", "found_se", "claim", "percent", "avoided", "expected", "p_value")
    ),
    "refused": "there is nobody to compare with",
}
"""Before and after stands under ``naive``, and nowhere where an effect would be read."""
BESIDE = "what people without the service went on to have, at the same count before"


class PeopleWork:
    """The steps of one evaluation of people, in order."""

    def __init__(
        self, study: Study, records: Records, progress: Progress, others: Others | None = None
    ) -> None:
        self.study, self.progress, self.records = study, progress, records
        self.robust = Robust(study, records, others, self.tell)
        self.main_outcome = study.primary
        self.controls = tuple(o for o in study.outcomes if o.negative_control)
        self.steps = 4 + len(study.outcomes) + len(study.sensitivity) + self.robust.steps
        self.done = 0
        self.alone = study.method.name == NAIVE
        self.cohort = self.people()

    def people(self) -> Cohort:
        """Who is compared, one row each."""
        return _cohort(self.records)

    def tell(self, what: str) -> None:
        self.progress(what, self.done, self.steps)
        self.done += 1

    # -- fitting -------------------------------------------------------------------------

    def method(self, outcome: Outcome, name: str, options: Mapping[str, Any]) -> Any:
        """A method set up for an outcome, with what the study says of the data."""
        return build(name, options_of(self.study, outcome, name, options), outcome=outcome.column)

    def fit(
        self, outcome: Outcome, name: str, options: Mapping[str, Any], records: Records | None = None
    ) -> Estimate:
        """One method on one outcome, of these records or others."""
        cohort = self.cohort if records is None else _cohort(records)
        method = self.method(outcome, name, options)
        found: Estimate = method.fit(seen_by(outcome, cohort))
        return found

    def attempt(
        self, role: Role, label: str, note: str, run: Callable[[], Estimate], outcome: Outcome
    ) -> Analysis:
        """An analysis that may be refused without ending the evaluation."""
        self.tell(label)
        try:
            estimate = run()
        except (DesignError, EstimationError, DataError) as error:
            return Analysis(role=role, label=label, note=note, kind=outcome.kind, refused=str(error))
        units = findings.units_of(estimate, self.cohort, None, self.study, outcome)
        made = analysis_of(role, label, note or units.per, estimate, units)
        return replace(made, kind=outcome.kind, better=outcome.better)

    # -- the evaluation ------------------------------------------------------------------

    def evaluation(self) -> Evaluation:
        study, cohort, outcome = self.study, self.cohort, self.main_outcome
        self.tell("Main analysis")
        estimate = self.fit(outcome, study.method.name, study.method.options)
        controls = self.negative_controls()
        if not self.alone:
            estimate = replace(estimate, extras={**estimate.extras, **self.unrecorded(estimate, controls)})
        units = findings.units_of(estimate, cohort, None, study, outcome)
        main = analysis_of("primary", "Main analysis", "", estimate, units)
        main = replace(main, kind=outcome.kind, better=outcome.better)
        beside = [o for o in study.outcomes if o.column != outcome.column]
        others = [self.other(o) for o in beside]
        sensitivity = [self.sensitivity(entry) for entry in study.sensitivity]
        naive = self.naive(estimate)
        self.tell("Checks")
        checks = self.checks(estimate, main, controls)
        found = findings.finding(study, outcome, cohort, estimate, units, checks)
        found["design"] = NAIVE if self.alone else "comparison"
        found["people_analysed"] = analysed(estimate, cohort)
        found["horizon"] = cohort.horizon
        found["naive"] = _naive(naive.estimate if naive else None, units)
        found["differed"] = None if controls is None else self.differed(estimate, controls)
        if self.alone:
            found |= NO_FINDING
        elif found["naive"] is not None:
            found["naive"] |= _by_matched(found)
        data = data_document(study, self.records, cohort, estimate)
        if not self.alone:
            self.robust.look(main, units, self.choice, found, data)
        certainty = findings.certainty(
            study, cohort, estimate, found, checks, intervals_of(sensitivity), [], **self.robust.of_certainty
        )
        if self.alone:
            certainty = _without_comparison(certainty)
        found = {**found, "level": certainty["level"]}
        self.tell("Words")
        pairs = [(outcome, main), *zip(beside, others, strict=True)]
        worth = valued(study, found, pairs, people=float(analysed(estimate, cohort)))
        found |= spoken_of(worth, outcome.column)
        evaluation = Evaluation(
            study=study_document(study, self.records),
            data=data,
            analyses=(
                main,
                *others,
                *sensitivity,
                *([naive] if naive and not self.alone else []),
                *self.robust.analyses,
            ),
            checks=tuple(checks),
            finding=found,
            certainty=certainty,
            valuation=None if worth is None else worth.to_dict(),
            decision=decide(study, found, certainty, [check.to_dict() for check in checks], worth),
            comparable=comparable(study, outcome, cohort, self.records, estimate, found, worth),
            league=line_of(study),
            robust=self.robust.document(found, pairs, sensitivity),
            created=now(),
            seed=study.release.seed,
        )
        return evaluation.rephrased()

    def other(self, outcome: Outcome) -> Analysis:
        """The main method on another declared outcome."""
        role: Role = "control" if outcome.negative_control else "outcome"
        method = self.study.method

        def run() -> Estimate:
            return self.fit(outcome, method.name, method.options)

        if self.alone and outcome.before is None:
            self.tell(outcome.label)
            told = "no column says how often it happened before"
            return Analysis(role=role, label=outcome.label, kind=outcome.kind, refused=told)
        return self.attempt(role, outcome.label, "", run, outcome)

    def sensitivity(self, entry: Any) -> Analysis:
        """A declared sensitivity analysis of the main outcome."""
        label = entry.note or entry.name

        def run() -> Estimate:
            records = None if entry.window is None else self.records.within(entry.window)
            return self.fit(self.main_outcome, entry.name, entry.options, records)

        return self.attempt("sensitivity", label, entry.note, run, self.main_outcome)

    def choice(self, name: str, options: Mapping[str, Any], window: Any) -> Estimate:
        """The main outcome by one combination of choices."""
        here = window == (self.study.data.window or "all")
        return self.fit(self.main_outcome, name, options, None if here else self.records.within(window))

    def has_before(self) -> bool:
        """Whether the same thing was counted before."""
        outcome = self.main_outcome
        return outcome.before is not None and (
            self.study.data.before_days is not None or outcome.kind == "score"
        )

    def naive(self, estimate: Estimate) -> Analysis | None:
        """What plain before and after would have claimed of those with the service."""
        if not self.has_before():
            return None
        if self.alone:
            return self.attempt("naive", "Before and after alone", "", lambda: estimate, self.main_outcome)

        def run() -> Estimate:
            method = self.method(self.main_outcome, NAIVE, {})
            found: Estimate = method.fit(seen_by(self.main_outcome, self.compared_people()))
            return found

        return self.attempt("naive", "Before and after alone", "", run, self.main_outcome)

    def compared_people(self) -> Cohort:
        """The people of the main result and all beside them: before and after is asked of the same."""
        method = self.method(self.main_outcome, self.study.method.name, self.study.method.options)
        keep = ~self.cohort.is_pilot
        keep[method.pairs(self.cohort).matched.treated] = True
        return self.cohort.where(keep)

    def negative_controls(self) -> NegativeControls | None:
        """What those with the service and those beside them had alike that the service cannot change."""
        if not self.controls or self.alone:
            return None
        method = self.method(self.main_outcome, self.study.method.name, self.study.method.options)
        named = {
            kind: tuple(o.column for o in self.controls if o.negative_control == kind)
            for kind in ("deaths", "before")
        }
        columns = tuple(outcome.column for outcome in self.controls)
        found: NegativeControls = method.controls(self.cohort, columns, **named)
        return found

    def unrecorded(self, estimate: Estimate, controls: NegativeControls | None) -> dict[str, Any]:
        """What can be said of that which was not recorded, beside what the method itself tells of it."""
        outcome = self.main_outcome
        label = findings.mid_sentence(outcome.label)
        told: dict[str, Any] = {
            "sensitivity": sensitivity(estimate, controls, outcome=label, kind=outcome.kind)
        }
        if controls is not None:
            told |= {"controls": controls.to_dict(), "bias": cohort_checks.bias(controls)}
        return told

    def differed(self, estimate: Estimate, controls: NegativeControls) -> str | None:
        """In what else those with the service differed, where that casts doubt on the result."""
        ratio = findings.percent_of(estimate)
        effect = float(np.log(ratio["ratio"])) if ratio and ratio["ratio"] > 0 else 0.0
        return words.differed_clause(*cohort_checks.differing(controls, effect, self.labels())) or None

    def labels(self) -> dict[str, str]:
        """Columns as readers meet them."""
        return {outcome.column: outcome.label for outcome in self.study.outcomes}

    # -- checks --------------------------------------------------------------------------

    def checks(self, estimate: Estimate, main: Analysis, controls: NegativeControls | None) -> list[Check]:
        """Every question that these people and this method allow, the key checks first."""
        declared, cohort = self.study.context, self.cohort
        frequency, start = _start_of(cohort)
        events = [replace(event, same_outcome=False) for event in declared.events]
        common = [
            context_checks.other_change(
                events, logged=declared.events_logged, frequency=frequency, start=start
            ),
            context_checks.same_coding(declared.coding),
        ]
        if self.alone:
            return common
        labels = self.labels()
        includes = main.lo is None or main.hi is None or main.lo <= 0 <= main.hi
        asked = cohort_checks.of_estimate(
            cohort, estimate, controls, labels=labels, includes_no_change=includes
        )
        return [*asked, *common]


def options_of(study: Study, outcome: Outcome, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a method for an outcome, with what the study says of the data.

    Raises
    ------
    UsageError
        For a level that is not 95%, or before and after without a time before.
    """
    options = dict(options)
    if told := level_problem(options):
        raise UsageError(told)
    if options.get("estimand", "ATT") != "ATT":
        raise UsageError(
            f'estimand = "{options["estimand"]}" is of other people than those who had the service. A report '
            "says what it did for them, so take the key out; in Python all of them are open"
        )
    fields = METHODS[name].__dataclass_fields__
    if "family" in fields and (outcome.column != study.primary.column or "family" not in options):
        options["family"] = FAMILIES[outcome.kind]
    if "seed" in fields:
        options.setdefault("seed", study.release.seed)
    if name == NAIVE:
        if outcome.before is None:
            raise UsageError(
                f"{outcome.label}: before and after needs the same thing before. Name its column: "
                '[[outcome]] before = "admissions_before"'
            )
        options.setdefault("before", outcome.before)
        if outcome.kind != "score":  # a score is of a day, so it is compared as it stands
            if study.data.before_days is None and "before_days" not in options:
                raise UsageError(
                    "before and after needs the days that `before` was counted over. Add before_days = 90 "
                    "under [data]"
                )
            options.setdefault("before_days", study.data.before_days)
        chosen = study.data.chosen
        if chosen is not None:
            options.setdefault("at_least", chosen.at_least)
            options.setdefault("at_event", chosen.at_event)
            options.setdefault("chosen_by", chosen.column)
    return options


def seen_by(outcome: Outcome, cohort: Cohort) -> Cohort:
    """The people as an outcome is analysed: days at risk matter for what is counted, not for a mean."""
    return cohort if outcome.kind == "count" else _without_days(cohort)


def _cohort(records: Records) -> Cohort:
    assert isinstance(records.data, Cohort)
    return records.data


def _without_days(cohort: Cohort) -> Cohort:
    """The cohort without days at risk: a mean or a cost is of a person, however long they lived."""
    return replace(cohort, follow_up=None, horizon=cohort.horizon)


def _start_of(cohort: Cohort) -> tuple[Frequency, int]:
    """The month in which the first of those with the service entered."""
    if cohort.index_date is None:
        return Frequency("number"), 0
    days = cohort.table[cohort.index_date].to_numpy(dtype="datetime64[D]")[cohort.is_pilot]
    frequency = Frequency("month")
    return frequency, int(frequency.ordinal(np.min(days).astype(object)))


def _naive(estimate: Estimate | None, units: findings.Units) -> dict[str, Any] | None:
    """Before and after in the units of the finding, with what selection alone would give."""
    if estimate is None:
        return None
    before, after = float(estimate.extras["expected"]), float(estimate.extras["observed"])
    told = estimate.extras.get("regression") or {}
    shown = {
        "before": before * units.factor,
        "after": after * units.factor,
        "change": (after - before) / before if before else None,
        "events_before": estimate.counts.get("events_before"),
        "events_after": estimate.counts.get("events_after"),
        "from": told.get("from"),
        "model": BESIDE if told.get("from") == "comparison people" else told.get("model"),
        "before_days": estimate.extras.get("before_days"),
        "dispersion": told.get("dispersion"),
        "less_than_selection": bool(told.get("less_than_selection")),
        "why": told.get("why") or told.get("why_no_share"),
    }
    for name in ("expected_after", "low", "high", "fall", "fall_low", "fall_high"):
        value = told.get(name)
        shown[name] = None if value is None or not np.isfinite(value) else float(value) * units.factor
    for name in ("share", "share_low", "share_high"):
        value = told.get(name)
        shown[name] = None if value is None or not np.isfinite(value) else float(value)
    return shown


def _without_comparison(certainty: Mapping[str, Any]) -> dict[str, Any]:
    """The certainty of before and after alone: that nobody was compared is the whole reason."""
    steps = [step for step in certainty["steps"] if step["code"].startswith("A")]
    return {**certainty, "steps": steps, "line": words.certainty_line(certainty["level"], ["A3"])}


def _by_matched(found: Mapping[str, Any]) -> dict[str, Any]:
    """What would have come without the service, by the matched people: alike in more than that count."""
    naive, expected = found["naive"], found["expected"]
    seen = naive["before"] - naive["after"]
    if expected is None or None in (found["lo"], found["hi"]) or seen <= 0:
        return {}
    ends = (expected, found["observed"] - found["lo"], found["observed"] - found["hi"])
    shares = [min(max((naive["before"] - end) / seen, 0.0), 1.0) for end in ends]
    falls = [naive["before"] - end for end in ends]
    return {
        "expected_after": expected,
        "low": ends[2],
        "high": ends[1],
        "fall": falls[0],
        "fall_low": falls[1],
        "fall_high": falls[2],
        "share": shares[0],
        "share_low": shares[1],
        "share_high": shares[2],
        "less_than_selection": falls[0] > seen,
        "model": "what similar people without the service had",
        "why": None,
    }
