"""Small-number rules. The only place where a count is hidden or rounded.

An :class:`~ucimpact.evaluation.Evaluation` holds full numbers; what is written to a file, printed or
drawn is its released form. Under ``hes2018`` (the rule for hospital episode statistics) a count of 1
to 7 is hidden and every other count is rounded to the nearest 5. Rates that are a count over a
population are worked out again from the rounded count, and sentences are written again from the
released numbers, so that table, chart, alt text and sentence cannot differ.

Open organisation-level data may say ``profile = "none"``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.diagnostics.check import Check
from ucimpact.disclosure import cohort, people, unsaid
from ucimpact.disclosure.cohort_checks import of_groups
from ucimpact.disclosure.comparable import comparable
from ucimpact.disclosure.counts import GIVE_BACK, Log, nearest, rounded_in
from ucimpact.disclosure.robust import released as of_robust
from ucimpact.errors import DisclosureError
from ucimpact.estimate import Estimate
from ucimpact.evaluation import Analysis, Evaluation

BY_PERIOD = ("event", "event_log", "group_time", "calendar", "group", "relative", "site")
"""Effects of single periods, starts or sites, which are a count less others."""
PROFILES = ("hes2018", "none")

__all__ = ["PROFILES", "Log", "release", "rounded_in"]


def release(evaluation: Evaluation) -> Evaluation:
    """The evaluation as it may leave the building.

    Raises
    ------
    DisclosureError
        For a profile that is not known, rather than guessing that it is safe.
    """
    profile = evaluation.study["release"]["profile"]
    if profile not in PROFILES:
        raise DisclosureError(f"release profile {profile!r} is not known; use one of: {', '.join(PROFILES)}")
    if profile == "none":
        return replace(evaluation, disclosure={"profile": "none", "suppressed": 0, "rounded": 0, "log": []})
    log = Log()
    if evaluation.data.get("rows_are") == "people":
        evaluation = people.people(evaluation, log)
    analyses = tuple(_analysis(analysis, log) for analysis in evaluation.analyses)
    checks = tuple(_check(check, log) for check in evaluation.checks)
    of_people = evaluation.data.get("kind") == "cohort"
    finding = _finding(dict(evaluation.finding), log, of_people=of_people)
    data = _data(dict(evaluation.data), log)
    if of_people and data.get("cohort"):
        checks = tuple(of_groups(check, evaluation.data["cohort"], data["cohort"]) for check in checks)
    valuation = None if evaluation.valuation is None else _valuation(dict(evaluation.valuation), log)
    robust = of_robust(evaluation.robust, analyses, log, of_people=data.get("rows_are") == "people")
    if of_people and valuation is not None:
        valuation = people.valuation_of_people(valuation)
    decision, certainty = dict(evaluation.decision), dict(evaluation.certainty)
    if of_people:
        decision = unsaid.in_figures(decision)
    if of_people and unsaid.is_unsaid(analyses, evaluation.valuation):
        valuation = None if valuation is None else unsaid.of_money(valuation, log)
        decision = unsaid.of_decision(decision, finding)
    if of_people and finding.get("refused") == unsaid.REASON:
        certainty = unsaid.of_certainty(certainty)
        checks = tuple(unsaid.of_check(check) for check in checks)
    summary = {
        "profile": profile,
        "suppressed": len(log.hidden),
        "rounded": log.rounded,
        "log": sorted(set(log.hidden)),
    }
    return replace(
        evaluation,
        analyses=analyses,
        checks=checks,
        finding=finding,
        data=data,
        certainty=certainty,
        decision=decision,
        valuation=valuation,
        comparable=_comparable(evaluation, analyses, log),
        robust=robust,
        disclosure=summary,
    ).rephrased()


def _analysis(analysis: Analysis, log: Log) -> Analysis:
    estimate = analysis.estimate
    if estimate is None or not estimate.extras.get("events"):
        return analysis
    extras = dict(estimate.extras)
    hidden = len(log.hidden)
    if extras.get("comparison"):
        extras["comparison"] = _rows(extras["comparison"], "mean", f"{analysis.label}: comparison", log)
    frame = estimate.counterfactual
    if extras.get("events_beside") is not None:
        extras["events_beside"] = log.count(extras["events_beside"], f"{analysis.label}: not with the pilot")
    if extras.get("observed") is not None and frame is not None and "events" in frame:
        extras["observed"] = _as_released(extras["observed"], frame, log, analysis.label)
    if frame is not None and "events" in frame:
        rows = _rows(serialise.plain(frame), "observed", f"{analysis.label}: by period", log)
        frame = pd.DataFrame(rows, columns=list(frame.columns))
    effects = estimate.effects
    of_site = (effects["term"] == "site").to_numpy()
    effects = effects[~of_site].reset_index(drop=True)
    made = _cumulative(replace(estimate, effects=effects, extras=extras, counterfactual=frame), log)
    if len(log.hidden) > hidden:
        made = _without_paths(made)
        log.hidden.append(f"{analysis.label}: effects by period and residuals, which would give counts back")
    if of_site.any():
        log.hidden.append(
            f"{analysis.label}: effects of single sites in numbers; a ratio beside gives counts"
        )
    return replace(analysis, estimate=made)


NAMING = {
    "leave_one_place_out": "place by place",
    "carried_by": "place by place",
    "leave_out_months": "period by period",
}
"""Checks whose rows are of single places or periods: they would give the figures of one back."""


def _check(check: Check, log: Log) -> Check:
    """A check without the rows that would give the figures of one place, or one period, back."""
    if check.name not in NAMING or not check.table:
        return check
    log.hidden.append(f"check: {check.question} The rows, {NAMING[check.name]}")
    return replace(check, table=[])


def _without_paths(estimate: Estimate) -> Estimate:
    """The estimate without what would give a hidden count back.

    The effect in a period is that period's figure less others, and a residual is a figure less its
    expectation: where one count is hidden all of them go, with what was expected beside a hidden figure.
    """
    keep = (~estimate.effects["term"].isin(BY_PERIOD)).to_numpy()
    extras = {name: value for name, value in estimate.extras.items() if name not in GIVE_BACK}
    frame = estimate.counterfactual
    if frame is not None:
        known = frame["observed"].notna()
        frame = frame.assign(**{name: frame[name].where(known) for name in ("expected", "low", "high")})
    return replace(
        estimate,
        effects=estimate.effects[keep].reset_index(drop=True),
        cov=None,
        influence=None,
        sampling_units=(),
        extras=extras,
        counterfactual=frame,
    )


def _as_released(observed: float, frame: pd.DataFrame, log: Log, label: str) -> float | None:
    """The mean over the pilot, worked out again from the number of events as it is shown."""
    events = float(np.nansum(frame.loc[frame["since"] >= 0, "events"]))
    shown = log.count(events, f"{label}: during the pilot")
    return None if shown is None else observed * (shown / events if events else 1.0)


def _rows(rows: list[dict[str, Any]], column: str, where: str, log: Log) -> list[dict[str, Any]]:
    """Rows with ``events`` released, and the rate in ``column`` worked out again from it."""
    out = []
    for row in rows:
        events = row.get("events")
        if events is None or not math.isfinite(events):
            out.append(dict(row))
            continue
        shown = log.count(events, f"{where}, {row.get('label', '')}")
        rate = row[column]
        again = np.nan if shown is None else (rate * shown / events if events else rate)
        out.append({**row, "events": np.nan if shown is None else shown, column: again})
    return out


def _cumulative(estimate: Estimate, log: Log) -> Estimate:
    """The number of events over the pilot, to the rounding of the rule."""
    effects = estimate.effects.copy()
    rows = effects.index[effects["term"].isin(["cumulative", "cumulative_realised"])]
    for row in rows:
        for column in ("estimate", "conf_low", "conf_high"):
            effects.loc[row, column] = nearest(effects.loc[row, column])
        log.rounded += 1
    return replace(estimate, effects=effects)


def _comparable(evaluation: Evaluation, analyses: tuple[Analysis, ...], log: Log) -> dict[str, Any] | None:
    """What a league may know: nothing by organisation where a count of the main analysis is hidden."""
    if evaluation.comparable is None:
        return None
    shown = next(analysis for analysis in analyses if analysis.role == "primary")
    events = evaluation.finding.get("observed_events")
    released = log.count(events, "observed during the pilot") if events else None
    return comparable(
        evaluation.comparable,
        log,
        of_people=evaluation.data.get("rows_are") == "people",
        unsaid=shown.refused,
        times=released / events if released and events else None,
        bare=shown.estimate is None or shown.estimate.influence is None,
    )


def _finding(finding: dict[str, Any], log: Log, *, of_people: bool = False) -> dict[str, Any]:
    events = finding.get("observed_events")
    if of_people and events:
        finding = people.of_persons(finding, log.count(events, "observed during the pilot"), events)
    if events is not None:
        shown = log.count(events, "observed during the pilot")
        finding["observed_events"] = shown
        for name in ("observed", "expected"):
            if finding.get(name) is not None and shown is None:
                finding[name] = None
        if shown is not None and events and finding.get("observed") is not None:
            finding["observed"] *= shown / events
            if finding.get("est") is not None and finding["scale"] == "identity":
                finding["expected"] = finding["observed"] - finding["est"]
    if of_people and finding.get("differed"):
        finding["differed"] = rounded_in(finding["differed"])
    if of_people and finding.get("starts"):
        finding["starts"] = None
    if finding.get("people_analysed") is not None:
        finding["people_analysed"] = log.count(finding["people_analysed"], "people analysed")
    if finding.get("naive"):
        finding["naive"] = _naive(finding["naive"], finding, events, log)
    if finding.get("avoided"):
        rounded = {name: nearest(value) for name, value in finding["avoided"].items()}
        sides = [np.sign(value) for value in (finding["avoided"]["lo"], finding["avoided"]["hi"])]
        kept = [np.sign(rounded["lo"]), np.sign(rounded["hi"])] == sides and rounded["est"] != 0
        finding["avoided"] = rounded if kept else None
        log.rounded += 1
    return finding


def _naive(
    naive: dict[str, Any] | float, finding: dict[str, Any], events: float | None, log: Log
) -> dict[str, Any] | float:
    """Before and after, each from its count as it is shown."""
    if not isinstance(naive, dict):
        return naive
    made = dict(naive)
    for name in ("before", "after"):
        n = made.pop(f"events_{name}", None)
        if n is None or made.get(name) is None:
            continue
        shown = log.count(n, f"events {name}")
        made[name] = None if shown is None else made[name] * (shown / n if n else 1)
    if events is not None and finding.get("observed") is None:
        made["after"] = None
    known = made.get("before") and made.get("after") is not None
    made["change"] = made["after"] / made["before"] - 1 if known else None
    return made


def _valuation(valuation: dict[str, Any], log: Log) -> dict[str, Any]:
    """The numbers of events that were valued, rounded as the same numbers are elsewhere; pounds stay.

    A modelled number that rounds to nothing is hidden: its pounds beside it are not nothing.
    """
    rows = []
    for row in valuation.get("outcomes") or ():
        shown: dict[str, float | None] = {name: nearest(row[name]) for name in ("change", "low", "high")}
        if not shown["change"] and row["change"]:
            log.hidden.append(f"{row['label']}: number of events that were valued")
            shown = dict.fromkeys(shown, None)
        log.rounded += 1
        rows.append({**row, **shown})
    return {**valuation, "outcomes": rows}


def _data(data: dict[str, Any], log: Log) -> dict[str, Any]:
    counts = dict(data["counts"])
    if counts.get("events") is not None:
        counts["events"] = log.count(counts["events"], "events in all")
    data["counts"] = counts
    if data.get("rows_are") != "people":
        return data
    data["counts"] = {name: log.count(value, name) for name, value in counts.items()}
    data["left_out"] = [
        {
            **{k: v for k, v in row.items() if k != "pilot"},
            "n": log.count(row["n"], f"left out: {row['reason']}"),
        }
        for row in data["left_out"]
    ]
    data["starts"] = [
        {**row, "units": log.count(row["units"], f"started {row['label']}")}
        for row in data.get("starts") or ()
    ]
    if data.get("cohort"):
        data["cohort"] = cohort.released(data["cohort"], counts, log)
    data["flow"] = cohort.flow(data["flow"], log)
    return data
