"""An evaluation of places or of one series: the main analysis, the others, moved dates, checks and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact import finding as findings
from ucimpact.data.cohort import Cohort
from ucimpact.data.panel import Panel, Rate
from ucimpact.data.series import Series
from ucimpact.decision import decide
from ucimpact.diagnostics import context as context_checks
from ucimpact.diagnostics import panel_checks, series_checks
from ucimpact.diagnostics.check import Check
from ucimpact.errors import DataError, DesignError, EstimationError, UsageError
from ucimpact.estimate import Estimate
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
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods import build
from ucimpact.study import Outcome, Records, Study

MOVES = (1, 2, 3)
"""Periods by which the window's start and end are moved in turn."""
RATE_BASES = (1_000.0, 10_000.0, 100_000.0)
"""A chart counts per 1,000 people, or the first base at which the mean is 1 or more."""


@dataclass(frozen=True)
class Prepared:
    """Data with the outcome in the form in which it is analysed."""

    data: Panel | Series
    column: str
    rate: Rate | None


def of_places(records: Records) -> Panel | Series:
    """The data of records that are no cohort."""
    assert not isinstance(records.data, Cohort)
    return records.data


def base_of(data: Panel | Series, outcome: Outcome) -> float:
    """The people that a rate counts by: the first base at which the mean is 1 or more."""
    assert data.population is not None
    mean = np.nansum(data.values(outcome.column)) / np.nansum(data.values(data.population))
    return next((base for base in RATE_BASES if mean * base >= 1), RATE_BASES[-1])


def prepare(data: Panel | Series, outcome: Outcome, per: float | None = None) -> Prepared:
    """The outcome as it is analysed: a count with a population becomes a rate per person.

    In a panel each unit then weighs by its people, unless the study declares weights: a mean of places
    would give a large fall in one small place as a fall for everybody.
    """
    if outcome.kind != "count" or data.population is None:
        return Prepared(data, outcome.column, None)
    if isinstance(data, Panel) and data.weight is None:
        data = data.weighted_by_people()
    per = per or base_of(data, outcome)
    name = f"{outcome.column} per {per:,.0f}"
    rated = data.with_rate(outcome.column, per=per, name=name)
    return Prepared(rated, name, rated.rates[name])


class PlacesWork:
    """The steps of one evaluation, in order."""

    def __init__(self, study: Study, records: Records, progress: Progress) -> None:
        self.study, self.records, self.progress = study, records, progress
        self.main_outcome = next(o for o in study.outcomes if o.primary)
        self.steps = 3 + len(study.outcomes) + len(study.sensitivity) + 2 * len(MOVES)
        self.done = 0
        data = of_places(records)
        rated = [o for o in study.outcomes if o.kind == "count"] if data.population else []
        self.bases = {outcome.column: base_of(data, outcome) for outcome in rated}

    def tell(self, what: str) -> None:
        self.progress(what, self.done, self.steps)
        self.done += 1

    # -- fitting -------------------------------------------------------------------------

    def fit(
        self, outcome: Outcome, records: Records, name: str, options: Mapping[str, Any]
    ) -> tuple[Prepared, Estimate]:
        """One method on one outcome, with the events behind each period noted for small-number rules."""
        per = self.bases.get(outcome.column)
        prepared = prepare(of_places(records), outcome, per)
        options = dict(options)
        if told := level_problem(options):
            raise UsageError(told)
        if isinstance(of_places(records), Series) and self.study.data.covid is not None:
            options.setdefault("covid", self.study.data.covid)
        method = build(name, options, outcome=prepared.column)
        if isinstance(getattr(method, "cov", None), Auto):
            method = replace(method, cov=replace(method.cov, seed=self.study.release.seed))
        if outcome.kind != "count":
            return prepared, method.fit(prepared.data)
        return prepared, with_events(method.fit(prepared.data), prepared.data, outcome.column)

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
        w, outcome = findings.worthwhile_in(self.main_outcome, units), self.main_outcome
        main = analysis_of("primary", "Main analysis", "", estimate, units)
        main = replace(main, kind=self.main_outcome.kind)
        beside = [o for o in study.outcomes if o is not self.main_outcome]
        others = [self.other_outcome(o) for o in beside]
        sensitivity = [self.sensitivity(entry, units) for entry in study.sensitivity]
        dates = self.moved_dates(units)
        self.tell("Checks")
        checks = self.checks(prepared, estimate, units, w, main, dates)
        found = findings.finding(study, self.main_outcome, prepared.data, estimate, units, checks)
        certainty = findings.certainty(
            study, prepared.data, estimate, found, checks, intervals_of(sensitivity), intervals_of(dates)
        )
        found = {**found, "level": certainty["level"]}
        self.tell("Words")
        pairs = [(outcome, main), *zip(beside, others, strict=True)]
        worth = valued(study, found, pairs)
        found |= spoken_of(worth)
        evaluation = Evaluation(
            study=study_document(study, self.records),
            data=data_document(study, self.records, prepared.data, estimate),
            analyses=(main, *others, *sensitivity, *dates),
            checks=tuple(checks),
            finding=found,
            certainty=certainty,
            valuation=None if worth is None else worth.to_dict(),
            decision=decide(study, found, certainty, [check.to_dict() for check in checks], worth),
            created=now(),
            seed=study.release.seed,
        )
        return evaluation.rephrased()

    def other_outcome(self, outcome: Outcome) -> Analysis:
        """The main method on another declared outcome, in that outcome's own units."""
        self.tell(outcome.label)
        try:
            prepared, estimate = self.fit(
                outcome, self.records, self.study.method.name, self.study.method.options
            )
        except (DesignError, EstimationError) as error:
            return Analysis(role="outcome", label=outcome.label, kind=outcome.kind, refused=str(error))
        units = findings.units_of(estimate, prepared.data, prepared.rate, self.study, outcome)
        made = analysis_of("outcome", outcome.label, units.per, estimate, units)
        return replace(made, kind=outcome.kind)

    def sensitivity(self, entry: Any, units: findings.Units) -> Analysis:
        """A declared sensitivity analysis of the main outcome, in the main analysis's units."""
        label = entry.note or entry.name
        self.tell(label)

        def run() -> Estimate:
            records = self.records if entry.window is None else self.records.within(entry.window)
            return self.fit(self.main_outcome, records, entry.name, entry.options)[1]

        return self.attempt("sensitivity", label, entry.note, run, units)

    def moved_dates(self, units: findings.Units) -> list[Analysis]:
        """The main analysis with the window's start, then its end, moved in by 1, 2 and 3 periods."""
        data = of_places(self.records)
        noun = data.frequency.noun
        analyses = []
        for end in (False, True):
            for move in MOVES:
                count = f"{move} {noun}{'s' if move > 1 else ''}"
                label = f"{count} {'fewer at the end' if end else 'later to begin'}"
                self.tell(label)
                run = self._moved(move, end)
                analyses.append(self.attempt("dates", label, "", run, units))
        return analyses

    def _moved(self, move: int, end: bool) -> Callable[[], Estimate]:
        def run() -> Estimate:
            data = of_places(self.records)
            ordinals = data.ordinals[data.period_codes] if isinstance(data, Panel) else data.ordinals
            last, first = data.ordinals[-1] - move, data.ordinals[0] + move
            keep = ordinals <= last if end else ordinals >= first
            part = replace(self.records, data=data.where(keep))
            return self.fit(self.main_outcome, part, self.study.method.name, self.study.method.options)[1]

        return run

    # -- checks --------------------------------------------------------------------------

    def checks(
        self,
        prepared: Prepared,
        estimate: Estimate,
        units: findings.Units,
        w: float | None,
        main: Analysis,
        dates: list[Analysis],
    ) -> list[Check]:
        """Every question that these data and this method allow, the key checks first."""
        data, declared = prepared.data, self.study.context
        ranged = main.lo is not None and main.hi is not None
        includes = main.lo is not None and main.hi is not None and main.lo <= 0 <= main.hi
        found: list[Check | None] = []
        if isinstance(data, Panel):
            smallest = None if w is None or units.term == "relative" else w / units.factor
            if units.term == "relative" and w is not None:
                smallest = float(np.log1p(w / 100))
            found.append(panel_checks.pre_trend(estimate, worthwhile=smallest))
            start, controlled = data.starts[0], True
        else:
            per_year = data.frequency.per_year
            years = None if per_year is None else data.counts()["before"] / int(per_year)
            found.append(series_checks.season(estimate, years_before=years))
            start, controlled = data.start_ordinal, False
        found += [
            context_checks.other_change(
                declared.events, logged=declared.events_logged, frequency=data.frequency, start=start
            ),
            context_checks.same_coding(declared.coding),
            panel_checks.unmeasured(includes_no_change=includes, controlled=controlled) if ranged else None,
        ]
        if isinstance(data, Panel):
            found += [
                panel_checks.as_changeable(estimate),
                panel_checks.placebo_units(estimate, includes_no_change=includes),
            ]
        else:
            found += [
                series_checks.residuals(estimate),
                series_checks.placebo_dates(estimate, includes_no_change=includes),
                series_checks.placebo_years(
                    float(estimate.effect("relative")["estimate"]), self.placebo_years()
                ),
            ]
        found.append(_dates_check(main, dates))
        return [check for check in found if check is not None]

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


def _start_value(series: Series, ordinal: int) -> Any:
    frequency = series.frequency
    return ordinal if frequency.kind == "number" else frequency.first_day(ordinal)


def _dates_check(main: Analysis, dates: list[Analysis]) -> Check:
    """Whether moving the dates changes the answer: an estimate outside the range, or of other sign."""
    moved = [a for a in dates if a.est is not None]
    question = "Does the result depend on the dates chosen?"
    if main.est is None or main.lo is None or main.hi is None:
        text = "Without a likely range there is nothing to hold other dates against."
        return Check(name="dates", question=question, answer="cannot tell", text=text, counted=False)
    if not moved:
        text = "There are too few periods to move the dates."
        return Check(name="dates", question=question, answer="cannot tell", text=text, counted=False)
    away = [a for a in moved if depends_on_dates(main, a)]
    rows = [{"label": a.label, "estimate": a.est, "low": a.lo, "high": a.hi} for a in moved]
    if away:
        text = (
            f"{len(away)} of {len(moved)} shifts of up to three periods give an answer outside the range or "
            "of the other sign."
        )
        return Check(name="dates", question=question, answer="doubtful", text=text, table=rows, counted=False)
    text = (
        "Beginning or ending up to three periods away leaves every answer within the range "
        f"({len(moved)} tried)."
    )
    return Check(name="dates", question=question, answer="holds", text=text, table=rows, counted=False)


def depends_on_dates(main: Analysis, moved: Analysis) -> bool:
    """An estimate with moved dates that lies outside the main range, or has the other sign."""
    assert main.lo is not None and main.hi is not None and main.est is not None
    if moved.est is None:
        return False
    return not main.lo <= moved.est <= main.hi or moved.est * main.est < 0


def with_events(estimate: Estimate, data: Panel | Series, column: str) -> Estimate:
    """The estimate with the number of events behind each shown figure, for small-number rules."""
    frame = estimate.counterfactual
    if frame is None:
        return estimate
    counts = data.values(column)
    extras = {**estimate.extras, "events": True}
    if isinstance(data, Panel):
        pilot = data.pilot_units[data.unit_codes]
        by_period = [
            np.bincount(data.period_codes[rows], np.nan_to_num(counts[rows]), len(data.ordinals))
            for rows in (pilot, ~pilot)
        ]
        if extras.get("comparison"):
            extras["comparison"] = [
                {**row, "events": float(n)} for row, n in zip(extras["comparison"], by_period[1], strict=True)
            ]
        events = by_period[0]
    else:
        events = counts
    return replace(estimate, counterfactual=frame.assign(events=events), extras=extras)


def _how_rated(data: Panel | Series) -> list[str]:
    """Notes on how a rate was made: of average months in a series, weighed by people in a panel."""
    if isinstance(data, Panel) and data.rates and data.weight == f"mean {data.population}":
        return ["Each unit weighs by its mean number of people, so that effects and totals are per person."]
    if not isinstance(data, Series) or not data.rates or data.frequency.kind not in ("month", "quarter"):
        return []
    days = 365.25 / (data.frequency.per_year or 1)
    noun = data.frequency.noun
    return [f"Rates are for a {noun} of average length ({days:.1f} days), so that a short {noun} is no fall."]


def data_document(study: Study, records: Records, data: Panel | Series, estimate: Estimate) -> dict[str, Any]:
    """What went in, what was left out and why, and what remained."""
    counts = {**data.counts(), **{k: v for k, v in estimate.counts.items() if k != "left_out"}}
    left_out = [*records.left_out, *estimate.counts.get("left_out", ())]
    noun = data.frequency.noun
    flow: list[dict[str, Any]] = [{"kind": "in", "n": records.rows_read, "text": "rows read"}]
    flow += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in left_out]
    if isinstance(data, Panel):
        text = (
            f"rows analysed: {counts['pilot_units']} pilot and {counts['comparison_units']} comparison units "
            f"over {counts['periods']} {noun}s"
        )
    else:
        text = f"{noun}s analysed: {counts['before']} before the start and {counts['after']} after"
    flow.append({"kind": "end", "n": counts["rows"], "text": text})
    return {
        "kind": study.data.kind,
        "rows_are": study.data.rows,
        "frequency": noun,
        "window": [data.frequency.label(int(data.ordinals[i])) for i in (0, -1)],
        "start": data.frequency.label(data.starts[0] if isinstance(data, Panel) else data.start_ordinal),
        "counts": counts,
        "flow": flow,
        "left_out": left_out,
        "coercions": [*records.coercions, *_how_rated(data)],
    }
