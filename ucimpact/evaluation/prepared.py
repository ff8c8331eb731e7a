"""Records in the form in which a method analyses them, and the events behind each figure it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucimpact.data.cohort import Cohort
from ucimpact.data.histories import Histories
from ucimpact.data.panel import Panel, Rate
from ucimpact.data.series import Series
from ucimpact.design import OF_COUNTS
from ucimpact.estimate import Estimate
from ucimpact.methods.series_changes import Shape
from ucimpact.study import Outcome, Records

Array = np.ndarray
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
    assert not isinstance(records.data, Cohort | Histories)
    return records.data


def is_rated(data: Panel | Series, outcome: Outcome) -> bool:
    """Whether an outcome is told per person: a count, and in a panel pounds too."""
    kinds = ("count", "cost") if isinstance(data, Panel) else ("count",)
    return data.population is not None and outcome.kind in kinds


def base_of(data: Panel | Series, outcome: Outcome) -> float:
    """The people that a rate counts by: the first base at which the mean is 1 or more."""
    assert data.population is not None
    mean = np.nansum(data.values(outcome.column)) / np.nansum(data.values(data.population))
    return next((base for base in RATE_BASES if mean * base >= 1), RATE_BASES[-1])


def prepare(
    data: Panel | Series, outcome: Outcome, per: float | None = None, *, method: str = ""
) -> Prepared:
    """The outcome as it is analysed: a count, or a cost, with a population becomes a rate per person.

    In a panel each unit then weighs by its people, unless the study declares weights: a mean of places
    would give a large fall in one small place as a fall for everybody. A method of counts takes the count
    itself and the people at risk; the rate is noted, so that its effects can be told per person.
    """
    if not is_rated(data, outcome):
        return Prepared(data, outcome.column, None)
    counts = method in OF_COUNTS
    if isinstance(data, Panel) and data.weight is None and not counts:
        data = data.weighted_by_people()
    per = per or base_of(data, outcome)
    name = f"{outcome.column} per {per:,.0f}"
    rated = data.with_rate(outcome.column, per=per, name=name)
    return Prepared(rated, outcome.column if counts else name, rated.rates[name])


def how_rated(data: Panel | Series) -> list[str]:
    """Notes on how a rate was made: of average months in a series, weighed by people in a panel."""
    if isinstance(data, Panel) and data.rates and data.weight == f"mean {data.population}":
        return ["Each unit weighs by its mean number of people, so that effects and totals are per person."]
    if not isinstance(data, Series) or not data.rates or data.frequency.kind not in ("month", "quarter"):
        return []
    days = 365.25 / (data.frequency.per_year or 1)
    noun = data.frequency.noun
    return [f"Rates are for a {noun} of average length ({days:.1f} days), so that a short {noun} is no fall."]


def while_it_runs(estimate: Estimate, data: Panel | Series) -> Estimate:
    """The estimate with the periods of a change that does not last marked as ``running``.

    Its effect is that of those periods alone, so what was seen and expected must be theirs too.
    """
    frame, spec = estimate.counterfactual, estimate.spec
    lasting = spec.get("shape") not in ("pulse", "temporary")
    if lasting or frame is None or "running" in frame or not isinstance(data, Series):
        return estimate
    phase_in = int(spec.get("phase_in") or 0)
    shape = Shape(
        kind=str(spec["shape"]),
        left_out=0 if spec.get("phase") == "ramp" else phase_in,
        last=None if spec.get("until") is None else data.ordinal(spec["until"]) - data.start_ordinal,
    )
    return replace(estimate, counterfactual=frame.assign(running=shape.runs(data.since)))


# -- the events behind each shown figure ---------------------------------------------------


def with_events(estimate: Estimate, data: Panel | Series, column: str) -> Estimate:
    """The estimate with the number of events behind each shown figure, for small-number rules."""
    frame = estimate.counterfactual
    extras: dict[str, Any] = {**estimate.extras, "events": True}
    if frame is None:
        return replace(estimate, extras=extras)
    counts = data.values(column)
    if isinstance(data, Series):
        return replace(estimate, counterfactual=frame.assign(events=counts), extras=extras)
    if by_time_since_start(estimate):
        seen = {} if "events" in frame else _by_event_time(data, counts, frame["since"].to_numpy())
        extras["events_beside"] = float(np.nansum(counts[~data.treated]))
        return replace(estimate, counterfactual=frame.assign(**seen), extras=extras)
    pilot = data.pilot_units[data.unit_codes]
    by_period = [
        np.bincount(data.period_codes[rows], np.nan_to_num(counts[rows]), len(data.ordinals))
        for rows in (pilot, ~pilot)
    ]
    if extras.get("comparison"):
        extras["comparison"] = [
            {**row, "events": float(n)} for row, n in zip(extras["comparison"], by_period[1], strict=True)
        ]
    return replace(estimate, counterfactual=frame.assign(events=by_period[0]), extras=extras)


def by_time_since_start(estimate: Estimate) -> bool:
    """Whether what was observed and expected is told by time since each unit's own start."""
    frame = estimate.counterfactual
    return frame is not None and len(frame) > 0 and not frame["period"].astype(str).str.len().any()


def _by_event_time(data: Panel, counts: Array, since: Array) -> dict[str, Array]:
    """Events and units behind each time since the start, without the units that were seen only with it."""
    start = data.start_ordinals[data.unit_codes]
    known = np.isfinite(start) & np.isfinite(counts) & (start > data.ordinals[0])
    at = (data.ordinals[data.period_codes] - start)[known].astype(int)
    place = np.searchsorted(since, at)
    place = np.clip(place, 0, len(since) - 1)
    fits = since[place] == at
    events = np.bincount(place[fits], counts[known][fits], len(since))
    return {"events": events, "units": np.bincount(place[fits], minlength=len(since)).astype(float)}
