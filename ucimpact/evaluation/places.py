"""An evaluation of places or of one series: the main analysis, the others, moved dates, checks and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ucimpact import finding as findings
from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.decision import decide
from ucimpact.design import OF_COUNTS
from ucimpact.diagnostics.check import Check
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
from ucimpact.evaluation.comparable import comparable, line_of
from ucimpact.evaluation.dates import MOVES, moved, nothing_left
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
from ucimpact.evaluation.places_checks import Asked, checks_of_panel, checks_of_series
from ucimpact.evaluation.prepared import (
    Prepared,
    base_of,
    is_rated,
    of_places,
    prepare,
    while_it_runs,
    with_events,
)
from ucimpact.evaluation.record import data_document
from ucimpact.evaluation.robust import Robust
from ucimpact.evaluation.triangulation import Others
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods import build
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.study import Outcome, Records, Study


class PlacesWork:
    """The steps of one evaluation, in order."""

    def __init__(
        self, study: Study, records: Records, progress: Progress, others: Others | None = None
    ) -> None:
        self.study, self.records, self.progress = study, records, progress
        self.robust = Robust(study, records, others, self.tell)
        self.main_outcome = next(o for o in study.outcomes if o.primary)
        self.steps = 3 + len(study.outcomes) + len(study.sensitivity) + 2 * len(MOVES) + self.robust.steps
        self.done = 0
        data = of_places(records)
        self.bases = {o.column: base_of(data, o) for o in study.outcomes if is_rated(data, o)}

    def tell(self, what: str) -> None:
        self.progress(what, self.done, self.steps)
        self.done += 1

    # -- fitting -------------------------------------------------------------------------

    def fit(
        self,
        outcome: Outcome,
        records: Records,
        name: str,
        options: Mapping[str, Any],
        *,
        brief: bool = False,
    ) -> tuple[Prepared, Estimate]:
        """One method on one outcome, with the events behind each period noted for small-number rules.

        ``brief``: without path and averages, where the method can do without.
        """
        per = self.bases.get(outcome.column)
        prepared = prepare(of_places(records), outcome, per, method=name)
        method = self.method(name, options, prepared)
        if name in OF_COUNTS and outcome.kind != "count":
            raise DesignError(
                f"{name} is for counts, and {outcome.label} is a {outcome.kind}. Name a method for it in its "
                '[[outcome]], such as method = "callaway-santanna"'
            )
        fitted = getattr(method, "brief", method.fit) if brief else method.fit
        if outcome.kind != "count":
            return prepared, while_it_runs(fitted(prepared.data), prepared.data)
        estimate = while_it_runs(fitted(prepared.data), prepared.data)
        return prepared, with_events(estimate, prepared.data, outcome.column)

    def method(self, name: str, options: Mapping[str, Any], prepared: Prepared) -> Any:
        """The method of these options for an outcome as it is analysed."""
        options = dict(options)
        if told := level_problem(options):
            raise UsageError(told)
        if isinstance(prepared.data, Series) and self.study.data.covid is not None:
            options.setdefault("covid", self.study.data.covid)
        method = build(name, options, outcome=prepared.column)
        if isinstance(getattr(method, "cov", None), Auto):
            method = replace(method, cov=replace(method.cov, seed=self.study.release.seed))
        return method

    def attempt(
        self, role: Role, label: str, note: str, run: Callable[[], Estimate], units: findings.Units
    ) -> Analysis:
        """An analysis that may be refused without ending the evaluation."""
        try:
            estimate = run()
        except (DesignError, EstimationError, DataError) as error:
            return Analysis(role=role, label=label, note=note, refused=str(error))
        return analysis_of(role, label, note, estimate, units)

    # -- the evaluation ------------------------------------------------------------------

    def evaluation(self) -> Evaluation:
        study = self.study
        self.tell("Main analysis")
        prepared, estimate = self.fit(
            self.main_outcome, self.records, study.method.name, study.method.options
        )
        units = findings.units_of(estimate, prepared.data, prepared.rate, study, self.main_outcome)
        outcome = self.main_outcome
        w = findings.worthwhile_of(study, outcome, prepared.data, units)
        main = analysis_of("primary", "Main analysis", "", estimate, units)
        main = replace(main, kind=self.main_outcome.kind, better=self.main_outcome.better)
        beside = [o for o in study.outcomes if o is not self.main_outcome]
        others = [self.other_outcome(o) for o in beside]
        sensitivity = [self.sensitivity(entry, units) for entry in study.sensitivity]
        dates = self.moved_dates(units)
        self.tell("Checks")
        controls = [
            (o.label, a.estimate)
            for o, a in zip(beside, others, strict=True)
            if o.negative_control and a.estimate is not None
        ]
        asked = Asked(
            study=study, data=prepared.data, estimate=estimate, units=units, w=w, main=main, dates=dates,
            controls=controls,
        )  # fmt: skip
        checks = self.checks(asked, [a.estimate for a in sensitivity if a.estimate is not None])
        found = findings.finding(study, self.main_outcome, prepared.data, estimate, units, checks)
        data = data_document(study, self.records, prepared.data, estimate)
        self.robust.look(main, units, self.choice, found, data)
        certainty = findings.certainty(
            study, prepared.data, estimate, found, checks, intervals_of(sensitivity), intervals_of(dates),
            **self.robust.of_certainty,
        )  # fmt: skip
        found = {**found, "level": certainty["level"]}
        self.tell("Words")
        pairs = [(outcome, main), *zip(beside, others, strict=True)]
        worth = valued(study, found, pairs)
        found |= spoken_of(worth, outcome.column)
        evaluation = Evaluation(
            study=study_document(study, self.records),
            data=data,
            analyses=(main, *others, *sensitivity, *dates, *self.robust.analyses),
            checks=tuple(checks),
            finding=found,
            certainty=certainty,
            valuation=None if worth is None else worth.to_dict(),
            decision=decide(study, found, certainty, [check.to_dict() for check in checks], worth),
            comparable=comparable(study, outcome, prepared.data, self.records, estimate, found, worth),
            league=line_of(study),
            robust=self.robust.document(found, pairs, sensitivity),
            created=now(),
            seed=study.release.seed,
        )
        return evaluation.rephrased()

    def other_outcome(self, outcome: Outcome) -> Analysis:
        """The main method on another declared outcome, in that outcome's own units."""
        self.tell(outcome.label)
        method = self.study.method
        name, options = (outcome.method, {}) if outcome.method else (method.name, method.options)
        try:
            prepared, estimate = self.fit(outcome, self.records, name, options)
        except (DesignError, EstimationError) as error:
            return Analysis(role="outcome", label=outcome.label, kind=outcome.kind, refused=str(error))
        units = findings.units_of(estimate, prepared.data, prepared.rate, self.study, outcome)
        made = analysis_of("outcome", outcome.label, units.per, estimate, units)
        return replace(made, kind=outcome.kind, better=outcome.better)

    def sensitivity(self, entry: Any, units: findings.Units) -> Analysis:
        """A declared sensitivity analysis of the main outcome, in the main analysis's units."""
        label = entry.note or entry.name
        self.tell(label)

        def run() -> Estimate:
            records = self.records if entry.window is None else self.records.within(entry.window)
            return self.fit(self.main_outcome, records, entry.name, entry.options)[1]

        return self.attempt("sensitivity", label, entry.note, run, units)

    def choice(self, name: str, options: Mapping[str, Any], window: Any) -> Estimate:
        """The main outcome by one combination of choices, without its path."""
        here = window == (self.study.data.window or "all")
        records = self.records if here else self.records.within(window)
        return self.fit(self.main_outcome, records, name, options, brief=True)[1]

    def moved_dates(self, units: findings.Units) -> list[Analysis]:
        """The main analysis with the window's start, then its end, moved in by 1, 2 and 3 periods."""
        data = of_places(self.records)
        noun, analyses = data.frequency.noun, []
        for end in (False, True):
            for move in MOVES:
                if end and nothing_left(data, move):
                    continue
                count = f"{move} {noun}{'s' if move > 1 else ''}"
                label = f"{count} {'fewer at the end' if end else 'later to begin'}"
                self.tell(label)
                analyses.append(self.moved(label, move, units, end=end))
        return analyses

    def moved(self, label: str, move: int, units: findings.Units, *, end: bool) -> Analysis:
        """The main analysis without ``move`` periods at one end."""
        try:
            part, note = moved(self.records, move, end=end)
        except DataError as error:
            return Analysis(role="dates", label=label, refused=str(error))

        def run() -> Estimate:
            return self._main(part)

        return self.attempt("dates", label, note, run, units)

    # -- checks --------------------------------------------------------------------------

    def checks(self, asked: Asked, others: Sequence[Estimate]) -> list[Check]:
        """Every question that these data and this method allow, the key checks first."""
        if isinstance(asked.data, Panel):
            return checks_of_panel(asked, self.again, others)
        declared = self.study.method
        prepared = Prepared(asked.data, asked.estimate.outcome, None)
        method = self.method(declared.name, declared.options, prepared)
        choices = method if isinstance(method, SeriesChoices) else None
        return checks_of_series(asked, self.placebo_years(), choices, _fitted)

    def again(self, panel: Panel) -> Estimate:
        """The main analysis of another panel."""
        return self._main(replace(self.records, data=panel))

    def _main(self, records: Records) -> Estimate:
        """The effects of the main analysis on other records, without their path."""
        method = self.study.method
        return self.fit(self.main_outcome, records, method.name, method.options, brief=True)[1]

    def placebo_years(self) -> list[dict[str, Any]]:
        """The main analysis with window and break moved by whole years, where the file reaches."""
        try:
            whole = self.records.within("all").data
        except (DataError, DesignError):  # what is wrong outside the window does not touch the answer
            return []
        data = of_places(self.records)
        assert isinstance(whole, Series) and isinstance(data, Series)
        per_year = data.frequency.per_year
        if per_year is None:
            return []
        rows = []
        for years in (-3, -2, -1, 1, 2, 3):
            shift = round(years * per_year)
            low, high = data.ordinals[0] + shift, data.ordinals[-1] + shift
            keep = (whole.ordinals >= low) & (whole.ordinals <= high)
            if keep.sum() != len(data.ordinals) or low < data.start_ordinal <= high:
                continue  # the file does not reach, or the pilot itself begins inside
            start = data.start_ordinal + shift
            moved = whole.where(keep, start=_start_value(whole, start))
            try:
                _, estimate = self.fit(
                    self.main_outcome,
                    replace(self.records, data=moved),
                    self.study.method.name,
                    self.study.method.options,
                )
            except (DesignError, EstimationError):
                continue
            relative = estimate.effect("relative")
            rows.append(
                {
                    "years": years,
                    "start": data.frequency.label(start),
                    "percent": float(relative["estimate"]),
                    "low": float(relative["conf_low"]),
                    "high": float(relative["conf_high"]),
                }
            )
        return rows


def _fitted(method: Any, data: Series) -> Estimate:
    estimate: Estimate = method.fit(data)
    return estimate


def _start_value(series: Series, ordinal: int) -> Any:
    frequency = series.frequency
    return ordinal if frequency.kind == "number" else frequency.first_day(ordinal)
