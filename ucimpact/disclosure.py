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
    if extras.get("comparison"):
        extras["comparison"] = _rows(extras["comparison"], "mean", f"{analysis.label}: comparison", log)
    frame = estimate.counterfactual
    if frame is not None and "events" in frame:
        rows = _rows(serialise.plain(frame), "observed", f"{analysis.label}: by period", log)
        frame = pd.DataFrame(rows, columns=list(frame.columns))
    return replace(
        analysis, estimate=_cumulative(replace(estimate, extras=extras, counterfactual=frame), log)
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
        finding["avoided"] = rounded if any(rounded.values()) else None
        log.rounded += 1
    return finding


def _data(data: dict[str, Any], log: Log) -> dict[str, Any]:
    counts = dict(data["counts"])
    if counts.get("events") is not None:
        counts["events"] = log.count(counts["events"], "events in all")
    data["counts"] = counts
    if data.get("rows_are") != "people":
        return data
    counts["rows"] = log.count(counts.get("rows"), "rows")
    data["left_out"] = [
        {**row, "n": log.count(row["n"], f"left out: {row['reason']}")} for row in data["left_out"]
    ]
    data["flow"] = [{**row, "n": log.count(row["n"], f"flow: {row['text']}")} for row in data["flow"]]
    return data
