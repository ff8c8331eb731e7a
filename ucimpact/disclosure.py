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
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.errors import DisclosureError
from ucimpact.estimate import Estimate
from ucimpact.evaluation import Analysis, Evaluation

HIDDEN = (1, 7)
ROUND_TO = 5
GIVE_BACK = ("residuals", "placebo", "placebo_dates", "placebo_rank", "reference", "rho", "coefficients")
"""Extras from which a hidden count could be worked out again."""
PROFILES = ("hes2018", "none")


@dataclass
class Log:
    """What was hidden and rounded, by place in the document; never the value itself."""

    hidden: list[str] = field(default_factory=list)
    rounded: int = 0

    def count(self, value: float | None, where: str) -> float | None:
        """The count as it may be shown: None where hidden."""
        if value is None or not math.isfinite(value):
            return None
        size = abs(value)
        if HIDDEN[0] <= round(size) <= HIDDEN[1]:
            self.hidden.append(where)
            return None
        self.rounded += 1
        return math.copysign(ROUND_TO * math.floor(size / ROUND_TO + 0.5), value) if size else 0.0


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
        evaluation = _people(evaluation, log)
    analyses = tuple(_analysis(analysis, log) for analysis in evaluation.analyses)
    finding = _finding(dict(evaluation.finding), log)
    data = _data(dict(evaluation.data), log)
    summary = {
        "profile": profile,
        "suppressed": len(log.hidden),
        "rounded": log.rounded,
        "log": sorted(set(log.hidden)),
    }
    return replace(evaluation, analyses=analyses, finding=finding, data=data, disclosure=summary).rephrased()


def _analysis(analysis: Analysis, log: Log) -> Analysis:
    estimate = analysis.estimate
    if estimate is None or not estimate.extras.get("events"):
        return analysis
    extras = dict(estimate.extras)
    hidden = len(log.hidden)
    if extras.get("comparison"):
        extras["comparison"] = _rows(extras["comparison"], "mean", f"{analysis.label}: comparison", log)
    frame = estimate.counterfactual
    if frame is not None and "events" in frame:
        rows = _rows(serialise.plain(frame), "observed", f"{analysis.label}: by period", log)
        frame = pd.DataFrame(rows, columns=list(frame.columns))
    made = _cumulative(replace(estimate, extras=extras, counterfactual=frame), log)
    if len(log.hidden) > hidden:
        made = _without_paths(made)
        log.hidden.append(f"{analysis.label}: effects by period and residuals, which would give counts back")
    return replace(analysis, estimate=made)


def _without_paths(estimate: Estimate) -> Estimate:
    """The estimate without what would give a hidden count back.

    The effect in a period is that period's figure less others, and a residual is a figure less its
    expectation: where one count is hidden all of them go, with what was expected beside a hidden figure.
    """
    keep = (~estimate.effects["term"].isin(["event", "relative"])).to_numpy()
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
    rows = effects.index[effects["term"] == "cumulative"]
    for row in rows:
        for column in ("estimate", "conf_low", "conf_high"):
            effects.loc[row, column] = _nearest(effects.loc[row, column])
        log.rounded += 1
    return replace(estimate, effects=effects)


def _nearest(value: float) -> float:
    """A modelled number of events to the nearest 5: it is no count of anybody, so none is hidden."""
    if value is None or not math.isfinite(value):
        return float("nan")
    return math.copysign(ROUND_TO * math.floor(abs(value) / ROUND_TO + 0.5), value) + 0.0


def _finding(finding: dict[str, Any], log: Log) -> dict[str, Any]:
    events = finding.get("observed_events")
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
    if finding.get("avoided"):
        rounded = {name: _nearest(value) for name, value in finding["avoided"].items()}
        sides = [np.sign(value) for value in (finding["avoided"]["lo"], finding["avoided"]["hi"])]
        kept = [np.sign(rounded["lo"]), np.sign(rounded["hi"])] == sides and rounded["est"] != 0
        finding["avoided"] = rounded if kept else None
        log.rounded += 1
    return finding


def _data(data: dict[str, Any], log: Log) -> dict[str, Any]:
    counts = dict(data["counts"])
    if counts.get("events") is not None:
        counts["events"] = log.count(counts["events"], "events in all")
    data["counts"] = counts
    if data.get("rows_are") != "people":
        return data
    data["counts"] = {name: log.count(value, name) for name, value in counts.items()}
    data["left_out"] = [
        {**row, "n": log.count(row["n"], f"left out: {row['reason']}")} for row in data["left_out"]
    ]
    data["flow"] = [{**row, "n": log.count(row["n"], f"flow: {row['text']}")} for row in data["flow"]]
    return data


def _people(evaluation: Evaluation, log: Log) -> Evaluation:
    """Where rows are people: nobody is counted out loud, and a handful of people are not reported on.

    Raises
    ------
    DisclosureError
        For a pilot or a comparison of fewer than 8 people.
    """
    counts = evaluation.data["counts"]
    groups = {"had the pilot": counts.get("pilot_units"), "had not": counts.get("comparison_units")}
    few = [name for name, n in groups.items() if n is not None and n <= HIDDEN[1]]
    if few:
        raise DisclosureError(
            f"Fewer than {HIDDEN[1] + 1} people {' and '.join(few)}: a report would be about people who "
            "could be known. Add people, or report on places"
        )
    analyses = []
    for analysis in evaluation.analyses:
        estimate = analysis.estimate
        if estimate is not None:
            shown = {
                name: log.count(value, f"{analysis.label}: {name}")
                for name, value in estimate.counts.items()
                if name != "left_out"
            }
            drop = (*GIVE_BACK, "comparison")
            extras = {name: value for name, value in estimate.extras.items() if name not in drop}
            rule = dict(extras.get("rule") or {})
            rule |= {name: log.count(rule[name], name) for name in ("n1", "n0", "places") if name in rule}
            estimate = replace(
                estimate,
                counts=shown,
                extras=extras | ({"rule": rule} if rule else {}),
                influence=None,
                sampling_units=(),
                counterfactual=None,
                effects=estimate.effects[estimate.effects["term"] != "event"].reset_index(drop=True),
                cov=None,
            )
        analyses.append(replace(analysis, estimate=estimate))
    return replace(evaluation, analyses=tuple(analyses))
