"""What went into an evaluation of places, what was left out and why, and what remained."""

from __future__ import annotations

from typing import Any

from ucimpact.data.panel import Panel
from ucimpact.data.series import Series
from ucimpact.estimate import Estimate
from ucimpact.evaluation.prepared import how_rated
from ucimpact.finding import unit_noun
from ucimpact.study import Records, Study
from ucimpact.words import plural_of


def data_document(study: Study, records: Records, data: Panel | Series, estimate: Estimate) -> dict[str, Any]:
    """What went in, what was left out and why, and what remained."""
    counts = {**data.counts(), **{k: v for k, v in estimate.counts.items() if k != "left_out"}}
    left_out = [*records.left_out, *estimate.counts.get("left_out", ())]
    noun = data.frequency.noun
    flow: list[dict[str, Any]] = [{"kind": "in", "n": records.rows_read, "text": "rows read"}]
    flow += [{"kind": "out", "n": row["n"], "text": row["reason"]} for row in left_out]
    if isinstance(data, Panel):
        text = (
            f"rows analysed: {counts['pilot_units']} pilot and {counts['comparison_units']} comparison "
            f"{plural_of(unit_noun(study))} over {counts['periods']} {noun}s"
        )
    else:
        text = f"{noun}s analysed: {counts['before']} before the start and {counts['after']} after"
    flow.append({"kind": "end", "n": counts["rows"], "text": text})
    starts = data.starts if isinstance(data, Panel) else (data.start_ordinal,)
    label = data.frequency.label
    return {
        "kind": study.data.kind,
        "rows_are": study.data.rows,
        "frequency": noun,
        "window": [data.frequency.label(int(data.ordinals[i])) for i in (0, -1)],
        "start": " to ".join(label(start) for start in dict.fromkeys((starts[0], starts[-1]))),
        "starts": starts_document(data, estimate),
        "unit_noun": unit_noun(study),
        "counts": counts,
        "flow": flow,
        "left_out": left_out,
        "coercions": [*records.coercions, *how_rated(data)],
    }


def starts_document(data: Panel | Series, estimate: Estimate) -> list[dict[str, Any]]:
    """When the pilot started, and in how many units."""
    label = data.frequency.label
    if isinstance(data, Series):
        only = data.start_ordinal
        return [{"start": data.frequency.iso(only), "label": label(only), "units": 1}]
    if estimate.extras.get("starts"):
        return [dict(row) for row in estimate.extras["starts"]]
    return [
        {
            "start": data.frequency.iso(start),
            "label": label(start),
            "units": int((data.start_ordinals == start).sum()),
        }
        for start in data.starts
    ]
