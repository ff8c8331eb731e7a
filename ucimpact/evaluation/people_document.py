"""What the document of an evaluation of people tells of those who came in, went out and were compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ucimpact import serialise
from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.periods import Frequency
from ucimpact.estimate import Estimate
from ucimpact.study import Records, Study

TOLD = (
    *("balance", "lost", "max_smd", "audit", "horizon", "delay", "balance_by_site", "overlap", "trajectory"),
    *("incidence", "cumulative_count", "weights", "subgroups", "trials", "controls", "bias", "sensitivity"),
)
"""What an estimate of people tells besides its numbers, for the report."""


def data_document(study: Study, records: Records, cohort: Cohort, estimate: Estimate) -> dict[str, Any]:
    """What went in, what was left out and why, and who remained."""
    whole = records.data if isinstance(records.data, Histories) else cohort
    counts = {**whole.counts(), **{k: v for k, v in estimate.counts.items() if k != "left_out"}}
    left_out = [*records.left_out, *estimate.counts.get("left_out", ())]
    window: list[str] = []
    if cohort.index_date is not None:
        days = cohort.table[cohort.index_date].to_numpy(dtype="datetime64[D]")
        frequency = Frequency("month")
        window = [
            frequency.label(int(frequency.ordinal(day.astype(object)))) for day in (days.min(), days.max())
        ]
    extras = dict(estimate.extras)
    extras["balance"] = [{**row, "yes_no": _is_yes_no(cohort, row)} for row in extras.get("balance") or ()]
    return {
        "kind": "cohort",
        "rows_are": "people",
        "frequency": "day",
        "window": window,
        "start": window[0] if window else None,
        "counts": counts,
        "flow": _flow(records, cohort, estimate, counts),
        "left_out": left_out,
        "coercions": list(records.coercions),
        "cohort": serialise.plain({name: extras[name] for name in TOLD if name in extras}),
        "eligible": study.data.eligible,
    }


def _flow(
    records: Records, cohort: Cohort, estimate: Estimate, counts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Who came in, who went out and why, and who was compared, in order."""
    flow: list[dict[str, Any]] = [{"kind": "in", "n": records.rows_read, "text": "rows read"}]
    if "flow" in estimate.extras:
        flow += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in records.left_out]
        return flow + list(estimate.extras["flow"])
    left_out = [*records.left_out, *estimate.counts.get("left_out", ())]
    flow += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in left_out]
    flow.append({"kind": "end", "n": analysed(estimate, cohort), "text": "people supported and analysed"})
    if "matched_comparison" in counts:
        text = "similar people beside them, out of all those who were not supported"
        flow.append({"kind": "end", "n": counts["matched_comparison"], "text": text})
    return flow


def _is_yes_no(cohort: Cohort, row: Mapping[str, Any]) -> bool:
    """Whether a measure is a yes or no; a kind, or what was counted up to a day, has no column."""
    if "yes_no" in row:
        return bool(row["yes_no"])
    if row["name"] not in cohort.table.columns:
        return row.get("variance_ratio_before") is None
    values = cohort.values(row["name"])
    return bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())


def analysed(estimate: Estimate, cohort: Cohort) -> int:
    """People with the service who stand behind an estimate."""
    counts = {**cohort.counts(), **estimate.counts}
    return int(counts.get("matched_pilot") or counts.get("analysed") or counts["pilot"])
