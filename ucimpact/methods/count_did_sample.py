"""Counts of a panel laid out around its starts: what is compared, per how many people, what is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.inference.count_effects import Counts, Expected, Sets, expected_by_ratio
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.linear import grid
from ucimpact.inference.ppml import Family, PpmlFit
from ucimpact.methods.count_did_late import MUCH, late_finding, none_before, silent_finding
from ucimpact.methods.design_finding import Finding, need
from ucimpact.methods.staggered_sample import Sample, sample_of

Array = np.ndarray
Control = Literal["never-treated", "not-yet-treated"]
CONTROLS = ("never-treated", "not-yet-treated")
PER = 1_000.0


class CountMethod(Protocol):
    """What is read of a method."""

    @property
    def outcome(self) -> str: ...

    @property
    def control_group(self) -> str: ...

    @property
    def anticipation(self) -> int: ...

    @property
    def per(self) -> float | None: ...


@dataclass(frozen=True, eq=False)
class CountSample:
    """What is analysed.

    Attributes
    ----------
    sample : Sample
    counts : Counts
    since : array (n_units, n_periods)
        Periods since the unit's start; far below 0 for units that never start.
    treated, free : bool array (n_units, n_periods)
        Cells with the pilot, and cells that show what happens without it.
    per : float
        People that a rate counts by; 1 without a population, where a rate is a mean count.
    expected : Expected
    fit : PpmlFit
    family : {"poisson", "gamma"}
    counted : bool
        Whether the outcome is a count.
    """

    sample: Sample
    counts: Counts
    since: Array
    treated: Array
    free: Array
    per: float
    expected: Expected
    fit: PpmlFit
    family: Family = "poisson"
    counted: bool = True

    def expected_from(self, free: Array) -> Expected:
        """What is expected when other cells show what happens without the pilot."""
        return expected_by_ratio(self.counts, free, family=self.family, counted=self.counted)[0]

    @property
    def panel(self) -> Panel:
        """The panel behind it."""
        return self.sample.panel

    @property
    def noun(self) -> str:
        """What places are called."""
        return "units" if self.panel.cluster is None else "places"

    @cached_property
    def told(self) -> Array:
        """Cells with the pilot for which something was expected."""
        return np.asarray(self.treated & ~np.isnan(self.expected.value))

    @cached_property
    def silent_before(self) -> tuple[Array, Array]:
        """Pilot units with events after the start alone, and those for which that is hardly chance."""
        return none_before(self.counts, self.free, self.told, self.fit, counted=self.counted)

    @property
    def late(self) -> Array:
        """Pilot units whose events seem to have been recorded late, shape (n_units,)."""
        return self.silent_before[1]

    def sets(self, label: Array) -> tuple[Sets, Array]:
        """Sets of the cells with one value of ``label`` each, and those values; ``told`` cells alone."""
        values, codes = np.unique(label[self.told], return_inverse=True)
        coded = np.full(label.shape, -1)
        coded[self.told] = codes.reshape(-1)
        return Sets(coded, len(values)), values


def whole_numbers(values: Array) -> bool:
    """Whether all are counts."""
    known = values[np.isfinite(values)]
    return bool(np.all(np.abs(known - np.round(known)) <= 1e-9 * np.maximum(1.0, np.abs(known))))


def numerator_of(panel: Panel, method: CountMethod) -> tuple[str, float]:
    """The column of counts, and the people that its rate counts by."""
    rate = panel.rates.get(method.outcome)
    if rate is not None:
        return rate.numerator, method.per or rate.per
    if panel.population is None:
        return method.outcome, 1.0
    noted = next((r.per for r in panel.rates.values() if r.numerator == method.outcome), PER)
    return method.outcome, method.per or noted


def lay_out(
    method: CountMethod, panel: Panel, *, family: Family = "poisson", counted: bool = True
) -> tuple[list[Finding], CountSample | None]:
    """What these data refuse and what needs care; the sample where nothing is refused.

    Parameters
    ----------
    family : {"poisson", "gamma"}
    counted : bool
        Whether the outcome has to be a count; else an amount not below 0.
    """
    need(panel, Panel, "Panel(table, unit=..., period=..., start=...)")
    column, per = numerator_of(panel, method)
    if panel.weight is not None and panel.weight == f"mean {panel.population}":
        panel = replace(panel, weight=None)  # the people at risk weigh already
    values = panel.values(column)
    known = values[np.isfinite(values)]
    if (known < 0).any():
        return [_refuse(f"`{column}` has values below 0", "Use did or callaway-santanna")], None
    if counted and not whole_numbers(known):
        way_out = (
            "Bring the counts, with the people at risk as the population; for a mean or a cost use did or "
            "cost-did"
        )
        return [_refuse(f"`{column}` holds numbers that are not counts", way_out)], None
    sample, findings = sample_of(panel, column, anticipation=method.anticipation)
    if sample is None:
        return findings, None
    if not sample.y.any():
        return [*findings, _refuse(f"`{column}` is 0 throughout", "Choose an outcome that happens")], None
    amount = sample.y if sample.people is None else sample.y / np.where(sample.people > 0, sample.people, 1.0)
    if not counted and np.ptp(amount) <= 1e-12 * float(np.abs(amount).max()):
        each = f"{sample.y[0]:g}" if sample.people is None else "the same for each person"
        return [
            *findings,
            _refuse(f"`{column}` is {each} throughout", "Choose an outcome that varies"),
        ], None
    said = list(findings)
    found, laid = _compared(method, sample, per, list(said), family, counted)
    if laid is None:
        return found, None
    late = laid.late
    if not late.any() or not (laid.told & ~late[:, None]).any():
        return found, laid
    return _without(method, laid, late, said, family, counted)


def _without(
    method: CountMethod, laid: CountSample, out: Array, said: list[Finding], family: Family, counted: bool
) -> tuple[list[Finding], CountSample | None]:
    """The same without pilot units whose events began to be recorded late."""
    panel, first = laid.panel, laid.sample
    codes = unit_codes(laid)[out]
    rows = np.isin(panel.unit_codes, codes)
    raw = np.where(laid.counts.weights > 0, laid.sample.outcome, 0.0)
    reason, finding = late_finding(
        [str(panel.units[int(k)]) for k in codes], float(raw[out].sum()), counted=counted
    )
    sample, again = sample_of(panel.where(~rows), first.outcome_name, anticipation=method.anticipation)
    if sample is None:
        return again, None
    number = int((laid.counts.seen & out[:, None]).sum())
    sample.counts["left_out"].append({"n": number, "reason": reason})
    return _compared(method, sample, laid.per, [*said, finding], family, counted)


def _compared(
    method: CountMethod,
    sample: Sample,
    per: float,
    findings: list[Finding],
    family: Family,
    counted: bool,
) -> tuple[list[Finding], CountSample | None]:
    shape = sample.shape
    start = sample.start
    pilot = np.isfinite(start)
    since = np.where(
        pilot[:, None], sample.ordinals[None, :] - np.where(pilot, start, 0)[:, None], -(10**6)
    ).astype(np.int64)
    weights = sample.weights
    seen = weights > 0
    people = (
        grid(sample.people, sample.unit, sample.period, shape)
        if sample.people is not None
        else np.ones(shape)
    )
    treated = seen & (since >= 0)
    free = seen & (since < -method.anticipation)
    without = pilot & ~free.any(axis=1)
    if without.any():
        number = int(without.sum())
        rows = int(seen[without].sum())
        sample.counts["left_out"].append(
            {
                "n": rows,
                "reason": f"rows of {number} unit{'s' if number > 1 else ''} never seen without the pilot",
            }
        )
        weights = np.where(without[:, None], 0.0, weights)
        seen, treated = weights > 0, treated & ~without[:, None]
        free = free & seen
    if not treated.any():
        text = "no pilot unit was seen both before and after its start"
        return [*findings, _refuse(text, "Fill in the missing values, or choose another outcome")], None
    cohort = np.where(pilot, sample.cohort, len(sample.cohorts))
    counts = Counts(
        np.where(seen, sample.outcome, 0.0) * weights,
        np.where(seen, people, 0.0) * weights,
        weights,
        cohort,
        sample.places,
        ~pilot,
    )
    mixed = _mixed(sample, pilot)
    if mixed and isinstance(getattr(method, "cov", Auto()), Auto):
        which = f"{mixed} places hold" if mixed > 1 else "one place holds"
        findings.append(
            _refuse(
                f"{which} both pilot and comparison units, so the pilot was not given out by place",
                "Leave the places out if it was given out unit by unit, or the comparison units of those "
                "places if it was given out by place",
            )
        )
    try:
        expected, fit = expected_by_ratio(
            counts, free, never_only=method.control_group == "never-treated", family=family, counted=counted
        )
    except EstimationError as error:
        return [*findings, _refuse(str(error), "Bring more periods, or choose an outcome that happens")], None
    total = np.where(treated & ~np.isnan(expected.value), expected.value, 0.0).sum()
    if total <= 0:
        text = "nothing was expected without the pilot: its units had no event before it, or the others none"
        findings.append(_refuse(text, "Choose an outcome that happens more often"))
    lost = int((treated & np.isnan(expected.value)).sum())
    if lost:
        sample.counts["left_out"].append(
            {"n": lost, "reason": "rows with the pilot in periods in which nobody is without it"}
        )
    findings += _silent(sample, counts)
    told = (sample, counts, since, treated, free, per, expected, fit, family, counted)
    laid = CountSample(*told)
    return findings + _only_after(laid), laid


def _only_after(laid: CountSample) -> list[Finding]:
    """Pilot units that had no event before their start, perhaps by chance, and much of what came after."""
    silent = laid.silent_before[0]
    if not silent.any():
        return []
    after = np.where(laid.told, laid.counts.y, 0.0)
    part = float(after[silent].sum() / after.sum())
    if part < MUCH:
        return []
    return [silent_finding([str(laid.panel.units[int(k)]) for k in unit_codes(laid)[silent]], part)]


def _mixed(sample: Sample, pilot: Array) -> int:
    number = int(sample.places.max()) + 1
    with_pilot = np.bincount(sample.places[pilot], minlength=number) > 0
    without = np.bincount(sample.places[~pilot], minlength=number) > 0
    return int((with_pilot & without).sum())


def _silent(sample: Sample, counts: Counts) -> list[Finding]:
    """Units and periods in which nothing ever happened: they stay among the people, and are told of."""
    found = []
    units = counts.seen.any(axis=1) & ~(counts.y > 0).any(axis=1)
    periods = counts.seen.any(axis=0) & ~(counts.y > 0).any(axis=0)
    for number, what in ((int(units.sum()), "unit"), (int(periods.sum()), sample.panel.frequency.noun)):
        if number:
            had = f"{number} {what}s had no event at all" if number > 1 else f"one {what} had no event at all"
            stay = "they say" if number > 1 else "it says"
            found.append(
                Finding("warn", f"{had}: {stay} nothing of how rates moved; the people stay in the rates")
            )
    return found


def silent_names(sample: CountSample) -> dict[str, Any]:
    """Units and periods in which nothing ever happened, by name."""
    counts, panel = sample.counts, sample.panel
    seen_units = unit_codes(sample)
    units = counts.seen.any(axis=1) & ~(counts.y > 0).any(axis=1)
    periods = counts.seen.any(axis=0) & ~(counts.y > 0).any(axis=0)
    names = [panel.units[int(seen_units[k])] for k in np.flatnonzero(units)] if units.any() else []
    when = [panel.frequency.iso(int(sample.sample.ordinals[k])) for k in np.flatnonzero(periods)]
    return {"units": names, "periods": when}


def unit_codes(sample: CountSample) -> Array:
    """Code in the panel of each unit of the sample, shape (n_units,)."""
    known = sample.sample
    panel = sample.panel
    values = panel.values(known.outcome_name)
    weight = panel.values(panel.weight) if panel.weight else np.ones(len(values))
    start = panel.start_ordinals[panel.unit_codes]
    when = panel.ordinals[panel.period_codes]
    keep = np.isfinite(values) & (weight > 0) & ~(start <= panel.ordinals[0]) & np.isin(when, known.ordinals)
    number = len(panel.units)
    early = np.bincount(panel.unit_codes[keep & (when < start)], minlength=number) > 0
    keep &= (early | ~panel.pilot_units)[panel.unit_codes]
    return np.unique(panel.unit_codes[keep])


def _refuse(text: str, way_out: str) -> Finding:
    return Finding("refuse", text, way_out)
