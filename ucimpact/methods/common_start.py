"""A panel whose pilot units start together, laid out as arrays around that start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.errors import UsageError
from ucimpact.inference.comparison import Comparison
from ucimpact.inference.few_clusters import Places
from ucimpact.inference.linear import grid
from ucimpact.methods.design_finding import Finding

Array = np.ndarray
MANY_MISSING = 0.1


@dataclass(frozen=True)
class Sample:
    """What is analysed: arrays, and what to call them.

    Attributes
    ----------
    comparison : Comparison
    places : Places
    place_names : tuple of str
    panel : Panel
    observed : float
        Mean outcome of the pilot units after the start.
    exposure : float
        What turns an effect per unit and period into a number of events.
    counts : dict
        What was used and what was left out.
    """

    comparison: Comparison
    places: Places
    place_names: tuple[str, ...]
    panel: Panel
    observed: float
    exposure: float
    counts: dict[str, Any]


def refuse_starts(panel: Panel, *, one: bool = True) -> list[Finding]:
    """What rules out a comparison around the start (``one``: a single one); empty where nothing does."""
    if not isinstance(panel, Panel):
        raise UsageError(
            f"a panel is needed, found a {type(panel).__name__}: give Panel(table, unit=..., period=..., "
            "start=...)"
        )
    if not panel.pilot_units.any():
        return [
            Finding(
                "refuse",
                "there is no pilot: no unit has a start",
                f"Write the first pilot period of the pilot units in the column `{panel.start}`",
            )
        ]
    if (stopped := np.flatnonzero(panel.stopped)).size:
        names = ", ".join(panel.units[k] for k in stopped[:3]) + (", ..." if len(stopped) > 3 else "")
        return [
            Finding(
                "refuse",
                f"the pilot stops in {len(stopped)} unit{'s' if len(stopped) > 1 else ''} ({names}) before "
                "the data do, and what lasts after it is no effect of a running pilot",
                "End the data with the last period in which every pilot still ran, or leave out the rows of "
                "those units after they stopped",
            )
        ]
    if one and panel.pilot_units.all():
        return [
            Finding(
                "refuse",
                f"all {len(panel.units)} units have the pilot, so there is nothing to compare with",
                "Bring units without the pilot, or analyse the pilot's own series with InterruptedTimeSeries",
            )
        ]
    if one and len(panel.starts) > 1:
        shown = ", ".join(panel.frequency.label(s) for s in panel.starts[:3])
        more = ", ..." if len(panel.starts) > 3 else ""
        return [
            Finding(
                "refuse",
                f"the pilot starts at {len(panel.starts)} different times ({shown}{more}), and units that "
                "start at different times would be compared with one another",
                "Use a method for staggered starts (callaway-santanna, imputation, count-did for counts), or "
                "analyse one start at a time",
            )
        ]
    if one and panel.ordinals[0] >= panel.starts[0]:
        return [
            Finding(
                "refuse",
                f"there is no {panel.frequency.noun} before the start "
                f"({panel.frequency.label(panel.starts[0])})",
                "Bring the same figures for some time before it",
            )
        ]
    return []


UNLIKE = 1.5
"""Lists of which the largest is so many times the smallest differ enough for a mean of units to mislead."""


def unweighted_total(panel: Panel, outcome: str) -> list[Finding]:
    """A rate whose units count alike, whatever their size, turned into a number of events."""
    if outcome not in panel.rates or panel.population is None or panel.weight is not None:
        return []
    people = panel.values(panel.population)[panel.pilot_units[panel.unit_codes]]
    if people.max() < UNLIKE * people.min():
        return []
    text = (
        "every unit counts alike whatever its list, so the number of events supposes that the effect is the "
        "same in large and small lists"
    )
    return [Finding("warn", text, "Use panel.weighted_by_people() for an effect per person")]


def sample_of(
    panel: Panel, outcome: Array, covariates: Array, name: str, *, log: bool
) -> tuple[Sample | None, list[Finding]]:
    """The rows that can be used, as grids; None with a refusal where too few remain.

    Parameters
    ----------
    panel : Panel
        With one start: see :func:`refuse_starts`.
    outcome : array (n_rows,)
        In natural units.
    covariates : array (n_covariates, n_rows)
    name : str
        Column of the outcome.
    log : bool
        Whether the logarithm is analysed.
    """
    units, periods = panel.unit_codes, panel.period_codes
    weight = panel.values(panel.weight) if panel.weight else np.ones(len(outcome))
    left_out = []
    keep = np.isfinite(outcome)
    left_out.append((int((~keep).sum()), f"rows without a value of `{name}`"))
    whole = np.isfinite(covariates).all(axis=0)
    left_out.append((int((keep & ~whole).sum()), "rows without a value of a covariate"))
    keep &= whole
    left_out.append((int((keep & (weight <= 0)).sum()), "rows with a weight of 0"))
    keep &= weight > 0

    after = panel.ordinals[periods] >= panel.starts[0]
    number = len(panel.units)
    both = (np.bincount(units[keep & after], minlength=number) > 0) & (
        np.bincount(units[keep & ~after], minlength=number) > 0
    )
    one_sided = keep & ~both[units]
    lost = int(np.unique(units[one_sided]).size)
    reason = f"rows of {lost} unit{'s' if lost != 1 else ''} seen on one side of the start alone"
    left_out.append((int(one_sided.sum()), reason))
    keep &= ~one_sided

    pilot = panel.pilot_units[both]
    findings = []
    for there, group in ((pilot, "pilot"), (~pilot, "comparison")):
        if not there.any():
            findings.append(
                Finding(
                    "refuse",
                    f"no {group} unit has a value of `{name}` both before and after the start",
                    "Fill in the missing values, or choose another outcome",
                )
            )
    if findings:
        return None, findings
    missing = sum(n for n, _ in left_out)
    if missing > MANY_MISSING * len(outcome):
        findings.append(
            Finding(
                "warn",
                f"{missing} of {len(outcome)} rows could not be used",
                "Ask whether they are missing for a reason that has to do with the pilot",
            )
        )

    code = np.cumsum(both) - 1
    shape = (int(both.sum()), len(panel.ordinals))
    at = (code[units[keep]], periods[keep])
    y = np.log(outcome[keep]) if log else outcome[keep]
    weights = grid(weight[keep], *at, shape)
    names, places = np.unique(panel.cluster_codes[both], return_inverse=True)
    comparison = Comparison(
        outcome=grid(y, *at, shape),
        covariates=np.array([grid(x[keep], *at, shape) for x in covariates]).reshape(-1, *shape),
        weights=weights,
        pilot=pilot,
        since=panel.ordinals - panel.starts[0],
        places=places.reshape(-1),
    )
    pilot_after = keep & panel.treated
    observed = float(np.average(outcome[pilot_after], weights=weight[pilot_after]))
    exposure = float(pilot_after.sum())
    if (rate := panel.rates.get(name)) is not None and panel.population is not None:
        exposure = float(panel.values(panel.population)[pilot_after].sum() / rate.per)
    used = [{"n": n, "reason": reason} for n, reason in left_out if n]
    counts = {
        "rows": int(keep.sum()),
        "units": shape[0],
        "pilot_units": int(pilot.sum()),
        "comparison_units": int((~pilot).sum()),
        "places": len(names),
        "pilot_places": int(comparison.place_pilot.sum()),
        "periods": shape[1],
        "before": int((~comparison.after).sum()),
        "after": int(comparison.after.sum()),
        "pilot_periods": int(pilot_after.sum()),
        "left_out": used,
    }
    known = Places(
        pilot=comparison.place_pilot,
        sizes=_sizes(panel, keep, both, comparison),
        before=comparison.variance_before(),
        periods_before=int((weights[:, ~comparison.after].sum(axis=0) > 0).sum()),
        noun="units" if panel.cluster is None else "places",
    )
    place_names = tuple(panel.place_names[int(k)] for k in names)
    return Sample(comparison, known, place_names, panel, observed, exposure, counts), findings


def _sizes(panel: Panel, keep: Array, both: Array, comparison: Comparison) -> Array:
    """People in each place: mean population of its units added up; else weights; else units."""
    column = panel.population or panel.weight
    if column is None:
        each = np.ones(int(both.sum()))
    else:
        units = panel.unit_codes[keep]
        number = len(panel.units)
        total = np.bincount(units, panel.values(column)[keep], number)
        each = (total / np.maximum(np.bincount(units, minlength=number), 1))[both]
    return np.bincount(comparison.places, each, len(comparison.place_pilot))
