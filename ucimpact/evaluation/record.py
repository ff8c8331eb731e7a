"""What went into an evaluation of places, what was left out and why, and what remained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ucimpact.data.calendar import covid_periods
from ucimpact.data.panel import Panel
from ucimpact.data.periods import one_period
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
        used, before = _used(data, estimate), data.since < 0
        n, ahead = int(used.sum()), int((used & before).sum())
        text = f"{noun}s analysed: {ahead} before the start and {n - ahead} after"
    flow.append({"kind": "end", "n": counts["rows"] if isinstance(data, Panel) else n, "text": text})
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
        "far": _far(study, records.far),
        **({} if isinstance(data, Panel) else series_document(data, estimate)),
    }


def _far(study: Study, told: Sequence[str]) -> list[str]:
    """Values far beyond their column; only that there are some where small numbers are hidden."""
    if not told or study.release.profile == "none":
        return list(told)
    return ["Some values lie far beyond their column and are used as they stand: ucimpact check names them."]


COVID = "March 2020 to June 2021"


def series_document(series: Series, estimate: Estimate) -> dict[str, Any]:
    """Which periods of a series do not count, and what else changed in it and how that was taken out."""
    return {"not_counted": not_counted(series, estimate), "changes": changes_of(series, estimate)}


def not_counted(series: Series, estimate: Estimate) -> list[dict[str, Any]]:
    """Each stretch of periods that does not count: its first and last as files name them, ``n``, and why."""
    out, spec = ~_used(series, estimate), estimate.spec
    phasing = (series.since >= 0) & (series.since < int(spec.get("phase_in") or 0))
    pandemic = covid_periods(series.frequency, series.ordinals) & (spec.get("covid") == "drop")
    why = np.where(phasing, "phase-in", np.where(pandemic, COVID, "no value"))
    stretches: list[dict[str, Any]] = []
    for at in np.flatnonzero(out):
        if stretches and stretches[-1]["reason"] == why[at] and at and out[at - 1]:
            stretches[-1].update(
                last=series.frequency.iso(int(series.ordinals[at])), n=stretches[-1]["n"] + 1
            )
        else:
            iso = series.frequency.iso(int(series.ordinals[at]))
            stretches.append({"first": iso, "last": iso, "n": 1, "reason": str(why[at])})
    return stretches


def changes_of(series: Series, estimate: Estimate) -> list[dict[str, Any]]:
    """Other changes that the model takes out of the series, in the order of their dates.

    Each has ``first`` and ``last`` (None where it stays), ``label`` of the first period, ``name``, ``shape``,
    ``recounted`` (a new definition of what is counted), and ``step`` or ``share``: its step in the units of
    the outcome or, in a model of logarithms, as a share; both None where the model does not give it.
    """
    frequency, spec, told = series.frequency, estimate.spec, []
    for row in spec.get("changes") or ():
        start = one_period(row["start"], frequency)
        last = start if row["shape"] == "pulse" else None
        if row["until"] is not None:
            last = one_period(row["until"], frequency)
        label = frequency.label(start)
        called = row["name"] or f"change of {label}"
        told.append((start, last, called, row["shape"], _recounted(series, start), _size(estimate, called)))
    pandemic = covid_periods(frequency, series.ordinals)
    if pandemic.any() and spec.get("covid") in ("dummy", "segment"):
        first, last = (int(series.ordinals[pandemic][at]) for at in (0, -1))
        shape = "level" if spec["covid"] == "dummy" else "level-slope"
        told.append((first, last, COVID, shape, False, _size(estimate, "COVID level")))
    return [
        {
            "first": frequency.iso(start),
            "last": None if last is None else frequency.iso(last),
            "label": frequency.label(start),
            "name": name,
            "shape": shape,
            "recounted": recounted,
            **size,
        }
        for start, last, name, shape, recounted, size in sorted(told, key=lambda row: row[0])
    ]


def _used(series: Series, estimate: Estimate) -> np.ndarray:
    """Periods of the series that count, shape (n_periods,)."""
    frame = estimate.counterfactual
    if frame is None or "used" not in frame or len(frame) != len(series.ordinals):
        return np.ones(len(series.ordinals), dtype=bool)
    return np.asarray(frame["used"].to_numpy(dtype=bool))


def _recounted(series: Series, start: int) -> bool:
    """Whether the outcome is counted in another way from this period on, by the column that says so."""
    at = int(start - series.ordinals[0])
    if series.definition is None or not 0 < at < len(series.ordinals):
        return False
    ways = series.table[series.definition]
    return bool(ways.iloc[at] != ways.iloc[at - 1])


def _size(estimate: Estimate, called: str) -> dict[str, float | None]:
    """The step of a change, as the coefficients tell it."""
    rows: Mapping[str, float] = {
        str(row["name"]): float(row["estimate"]) for row in estimate.extras.get("coefficients") or ()
    }
    step = next(
        (rows[name] for name in (called, f"{called}: level change", f"{called}: pulse") if name in rows), None
    )
    if step is None or not math.isfinite(step):
        return {"step": None, "share": None}
    logs = estimate.scale == "log" or estimate.effects["term"].eq("log_average").any()
    return {"step": None, "share": math.expm1(step)} if logs else {"step": step, "share": None}


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
