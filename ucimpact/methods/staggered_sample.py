"""A panel whose pilot units start when they start, laid out as arrays.

Rows without a value, a covariate or weight are left out and counted, and so are units that have the pilot
from the first period on: nobody saw them without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.inference.linear import grid
from ucimpact.methods.common_start import MANY_MISSING, refuse_starts
from ucimpact.methods.design_finding import Finding

Array = np.ndarray


AT_ONCE = 65_536
"""Rows added up at a time."""


@dataclass(frozen=True)
class CohortSums:
    """Sums over the rows of each cohort, those that never start last, each (n_cohorts + 1, n_periods)."""

    rows: Array
    weight: Array
    outcome: Array
    """Of weight times outcome."""
    people: Array


@dataclass(frozen=True)
class Sample:
    """What is analysed, row by row, and as grids of units by periods where they are asked for.

    Attributes
    ----------
    unit, period : array (n_rows,)
        Codes of the unit and of the period of each row.
    y, w : array (n_rows,)
        Outcome and weight (1 without weights).
    x : tuple of arrays (n_rows,)
        Covariates.
    people : array (n_rows,), optional
        Population.
    start : array (n_units,)
        Ordinal of the first pilot period; ``inf`` for never.
    ordinals : array (n_periods,)
    places : array (n_units,)
        Place of each unit, coded from 0.
    place_names : tuple of str
    panel : Panel
    outcome_name : str
    counts : dict
        What was used and what was left out.
    """

    unit: Array
    period: Array
    y: Array
    w: Array
    x: tuple[Array, ...]
    people: Array | None
    start: Array
    ordinals: Array
    places: Array
    place_names: tuple[str, ...]
    panel: Panel
    outcome_name: str
    counts: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Units and periods."""
        return len(self.start), len(self.ordinals)

    def _grid(self, values: Array) -> Array:
        if self.is_whole:
            return np.asarray(values.reshape(self.shape))
        return np.asarray(grid(values, self.unit, self.period, self.shape))

    @cached_property
    def is_whole(self) -> bool:
        """Whether rows stand unit by unit and period by period with none missing: a grid is then a view."""
        return _is_whole(self.unit, self.period, self.shape)

    @cached_property
    def outcome(self) -> Array:
        """Outcome, shape (n_units, n_periods); 0 where nothing was seen."""
        return self._grid(self.y)

    @cached_property
    def weights(self) -> Array:
        """Weight of each cell, shape (n_units, n_periods); 0 where nothing was seen."""
        return self._grid(self.w)

    @cached_property
    def covariates(self) -> Array:
        """Covariates, shape (n_covariates, n_units, n_periods)."""
        return np.array([self._grid(x) for x in self.x]).reshape((-1, *self.shape))

    @cached_property
    def cohorts(self) -> Array:
        """The different starts as ordinals, in order, shape (n_cohorts,)."""
        return np.asarray(np.unique(self.start[np.isfinite(self.start)]).astype(np.int64))

    @cached_property
    def cohort(self) -> Array:
        """Cohort of each unit, coded from 0; ``n_cohorts`` for never, shape (n_units,)."""
        found = np.searchsorted(self.cohorts, np.where(np.isfinite(self.start), self.start, np.inf))
        return np.asarray(found)

    @property
    def pilot(self) -> Array:
        """Which units ever start, shape (n_units,)."""
        return np.asarray(np.isfinite(self.start))

    @cached_property
    def treated(self) -> Array:
        """Whether the pilot runs in each row, shape (n_rows,)."""
        return np.asarray(self.ordinals[self.period] >= self.start[self.unit])

    @cached_property
    def by_cohort(self) -> CohortSums:
        """Rows, weights, outcomes and people added up by cohort and period."""
        size = (len(self.cohorts) + 1) * len(self.ordinals)
        out = np.zeros((4, size))
        for first in range(0, len(self.y), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            cell = self.cohort[self.unit[part]] * len(self.ordinals) + self.period[part]
            out[0] += np.bincount(cell, minlength=size)
            out[1] += np.bincount(cell, self.w[part], size)
            out[2] += np.bincount(cell, self.w[part] * self.y[part], size)
            if self.people is not None:
                out[3] += np.bincount(cell, self.people[part], size)
        return CohortSums(*out.reshape(4, len(self.cohorts) + 1, len(self.ordinals)))

    @cached_property
    def balanced(self) -> bool:
        """Whether every unit was seen in every period."""
        return len(self.y) == self.shape[0] * self.shape[1]

    @cached_property
    def unit_weights(self) -> Array | None:
        """Weight of each unit, shape (n_units,); None where it changes from period to period."""
        if self.w.strides == (0,):
            return np.ones(len(self.start))
        low, high = np.full(len(self.start), np.inf), np.zeros(len(self.start))
        np.minimum.at(low, self.unit, self.w)
        np.maximum.at(high, self.unit, self.w)
        return high if bool(np.all(high - low <= 1e-12 * high)) else None


def sample_of(
    panel: Panel,
    outcome: str,
    covariates: tuple[str, ...] = (),
    *,
    values: Array | None = None,
    anticipation: int = 0,
    seen_before: bool = True,
) -> tuple[Sample | None, list[Finding]]:
    """The rows that can be used; None with a refusal where these data cannot answer.

    Parameters
    ----------
    panel : Panel
    outcome : str
        Column of the outcome, in natural units.
    covariates : tuple of str
    values : array (n_rows,), optional
        The outcome itself where it is not a column as it stands (a logarithm).
    anticipation : int
        Periods before the start in which the pilot may already have had an effect.
    seen_before : bool
        Whether a pilot unit must have been seen before its start; not where each row is a unit of its own.
    """
    findings = refuse_starts(panel, one=False)
    if findings:
        return None, findings
    y = panel.values(outcome) if values is None else values
    x = tuple(panel.values(name) for name in covariates)
    w = panel.values(panel.weight) if panel.weight else np.broadcast_to(1.0, len(y))
    units, number = panel.unit_codes, len(panel.units)
    keep = np.isfinite(y)
    left_out = [(int((~keep).sum()), f"rows without a value of `{outcome}`")]
    have = int(keep.sum())
    for column in x:
        keep &= np.isfinite(column)
    left_out.append((have - int(keep.sum()), "rows without a value of a covariate"))
    left_out.append((int((keep & (w <= 0)).sum()), "rows with a weight of 0"))
    keep &= w > 0
    always = panel.start_ordinals <= panel.ordinals[0]
    if always.any():
        lost = int(always.sum())
        reason = f"rows of {lost} unit{'s' if lost > 1 else ''} with the pilot from the first period on"
        left_out.append((int((keep & always[units]).sum()), reason))
        keep &= ~always[units]
    if seen_before and not panel.is_balanced:
        new = _never_seen_before(panel, keep) & ~always
        if new.any():
            lost = int(new.sum())
            reason = f"rows of {lost} pilot unit{'s' if lost > 1 else ''} not seen before the start"
            left_out.append((int((keep & new[units]).sum()), reason))
            keep &= ~new[units]
    last = None
    if not (np.isnan(panel.start_ordinals[~always]).any() or always.all()):
        last = float(np.nanmax(panel.start_ordinals))
        late = panel.ordinals[panel.period_codes] >= last - anticipation
        label = panel.frequency.label(int(last) - anticipation)
        left_out.append(
            (int((keep & late).sum()), f"rows from {label} on, when no unit is without the pilot")
        )
        keep &= ~late
    seen = np.ones(number, dtype=bool)
    if not keep.all():
        seen[:] = False
        seen[units[keep]] = True
    findings = _enough(panel, seen, always, outcome)
    if any(finding.level == "refuse" for finding in findings):
        return None, findings
    if last is not None:
        findings.append(
            Finding(
                "warn",
                "every unit has the pilot in the end, so those that start last are the comparison until they "
                "do, and nothing is said of the time after",
            )
        )
    missing = sum(n for n, reason in left_out if "without the pilot" not in reason)
    if missing > MANY_MISSING * len(y):
        findings.append(
            Finding(
                "warn",
                f"{missing} of {len(y)} rows could not be used",
                "Ask whether they are missing for a reason that has to do with the pilot",
            )
        )
    start = panel.start_ordinals[seen]
    start = np.where(np.isnan(start) | (start == (np.nan if last is None else last)), np.inf, start)
    return _laid_out(panel, outcome, (y, w, x), keep, seen, start, left_out), findings


def _never_seen_before(panel: Panel, keep: Array) -> Array:
    """Pilot units of which no row that can be used lies before their start, shape (n_units,)."""
    early = keep & (panel.ordinals[panel.period_codes] < panel.start_ordinals[panel.unit_codes])
    seen = np.bincount(panel.unit_codes[early], minlength=len(panel.units)) > 0
    after = np.bincount(panel.unit_codes[keep], minlength=len(panel.units)) > 0
    return np.asarray(panel.pilot_units & ~seen & after)


def _enough(panel: Panel, seen: Array, always: Array, outcome: str) -> list[Finding]:
    noun = panel.frequency.noun
    if always[panel.pilot_units].all():
        return [
            Finding(
                "refuse",
                f"there is no {noun} before the start: every pilot unit has the pilot from the first one on",
                "Bring the same figures for some time before it",
            )
        ]
    pilot = panel.pilot_units & ~always
    if not (seen & pilot).any():
        return [
            Finding(
                "refuse",
                f"no pilot unit has a value of `{outcome}`",
                "Fill in the missing values, or choose another outcome",
            )
        ]
    never = seen & ~panel.pilot_units
    if not never.any() and len(np.unique(panel.start_ordinals[seen & pilot])) < 2:
        return [
            Finding(
                "refuse",
                "every unit has the pilot from the same time on, so there is nothing to compare with",
                "Bring units without the pilot, or analyse the pilot's own series with InterruptedTimeSeries",
            )
        ]
    return []


def _laid_out(
    panel: Panel,
    outcome: str,
    arrays: tuple[Array, Array, tuple[Array, ...]],
    keep: Array,
    seen: Array,
    start: Array,
    left_out: list[tuple[int, str]],
) -> Sample:
    y, w, x = arrays
    code = np.cumsum(seen) - 1
    every = bool(keep.all())
    unit = panel.unit_codes if every else code[panel.unit_codes[keep]]
    period = panel.period_codes if every else panel.period_codes[keep]
    people = panel.values(panel.population) if panel.population else None
    if not every:
        y, w, x = y[keep], w[keep], tuple(column[keep] for column in x)
        people = None if people is None else people[keep]
    used = np.ones(len(panel.ordinals), dtype=bool)
    if not every:
        used = np.bincount(period, minlength=len(panel.ordinals)) > 0
    if not used.all():
        period = (np.cumsum(used) - 1)[period]
    n, t = int(seen.sum()), int(used.sum())
    if not _is_whole(unit, period, (n, t)):
        order = np.argsort(unit.astype(np.int64) * t + period, kind="stable")
        unit, period, y, w = unit[order], period[order], y[order], w[order]
        x = tuple(column[order] for column in x)
        people = None if people is None else people[order]
    names, places = np.unique(panel.cluster_codes[seen], return_inverse=True)
    ordinals = panel.ordinals[used]
    first = np.searchsorted(ordinals, start)  # n_periods for never
    pilot = np.isfinite(start)
    starts = start[pilot]
    counts = {
        "rows": len(y),
        "units": n,
        "pilot_units": int(pilot.sum()),
        "comparison_units": int((~pilot).sum()),
        "places": len(names),
        "pilot_places": len(np.unique(places.reshape(-1)[pilot])),
        "periods": t,
        "before": int(starts.max() - ordinals[0]),
        "after": int(ordinals[-1] - starts.min() + 1),
        "pilot_periods": _pilot_periods(unit, period, first),
        "left_out": [{"n": number, "reason": reason} for number, reason in left_out if number],
    }
    every_name = panel.place_names
    place_names = every_name if len(names) == len(every_name) else tuple(every_name[int(k)] for k in names)
    known = (unit, period, y, w, x, people)
    return Sample(*known, start, ordinals, places.reshape(-1), place_names, panel, outcome, counts)


def _pilot_periods(unit: Array, period: Array, first: Array) -> int:
    """Rows from the start of their unit on."""
    parts = [slice(at, at + AT_ONCE) for at in range(0, len(unit), AT_ONCE)]
    return int(sum(int((period[part] >= first[unit[part]]).sum()) for part in parts))


def _is_whole(unit: Array, period: Array, shape: tuple[int, int]) -> bool:
    n, t = shape
    if len(unit) != n * t:
        return False
    same = bool((unit.reshape(shape) == np.arange(n)[:, None]).all())
    return same and bool((period.reshape(shape) == np.arange(t)).all())
