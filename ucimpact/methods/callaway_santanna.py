r"""Difference-in-differences for starts that differ, each against units that have not started (group-time).

For the units that start at :math:`g` and each period :math:`t`, the change since the last period before the
start is held against the same change in units without the pilot,

.. math:: ATT(g,t) = E[Y_t - Y_{g-1} \mid G = g] - E_X\bigl[E[Y_t - Y_{g-1} \mid X, C] \mid G = g\bigr],

and these cells are averaged: over all of them (``att``), by time since the start, by start, by calendar [1]_.
That is the effect on the pilot units when, among units with the same covariates, those that start at g would
have moved as units C without the pilot do. Units that have started are never a comparison, so effects that
grow or differ between starts do no harm. C never start (the default) or have not started yet.

Without covariates all four estimators are the same difference of means. With covariates, which are read
before the start and may well be constant, ``"dr"`` needs the score or the regression to be right, ``"ipw"``
the score, ``"reg"`` the regression [2]_.

It is not for a pilot that stops, for starts that followed an unusual spell, for comparison units that the
pilot reached, or for counts of few events, where a ratio moves alike and a difference does not
(:class:`~ucimpact.methods.count_did.CountDiD`).

References
----------
.. [1] Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
   *Journal of Econometrics* 225(2), 200-230.
.. [2] Sant'Anna, P. H. C. and Zhao, J. (2020). Doubly robust difference-in-differences estimators.
   *Journal of Econometrics* 219(1), 101-122.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.estimate import Estimate
from ucimpact.inference.drdid import Estimator
from ucimpact.inference.drdid_sections import Influence
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.group_time import (
    Base,
    Control,
    Design,
    GroupTime,
    Impossible,
    on_panel,
    on_sections,
)
from ucimpact.inference.influence_parts import InParts
from ucimpact.inference.linear import collinear
from ucimpact.inference.staggered import Analytic
from ucimpact.methods.callaway_santanna_terms import (
    Laid,
    influence_of,
    lay,
    terms_of,
    wald_before,
    without_units,
)
from ucimpact.methods.cohort_tables import flat_outcome, named_starts
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import (
    PERIODS,
    below,
    level_problem,
    no_covariance,
    not_one_of,
    outcome_among,
    refuse_fields,
)
from ucimpact.methods.staggered_estimate import CHOICES, Covariance, estimate_of, place_findings
from ucimpact.methods.staggered_sample import Sample, sample_of

Array = np.ndarray
Gaps = Literal["pairs", "drop", "sections"]
NO_PATH = (
    "Each period before the start is measured from the one before it, so there is no path to test. Use the "
    "universal base period."
)
SMALL = 5
"""A cohort with fewer units than this and its covariates is warned of."""
FLAT = 1e-12


@dataclass(frozen=True, kw_only=True)
class CallawaySantAnna:
    """Compare the units of each start with units that have not started, then average.

    Parameters
    ----------
    outcome : str
        Panel column in natural units, e.g. emergency admissions per 1,000 people per month.
    covariates : tuple of str, default ()
        Columns that decide how units would have moved; the value in the earlier of the two periods is used.
    control_group : {"never-treated", "not-yet-treated"}, default "never-treated"
        Who is held against: units that never start, or all that have not started by then.
    estimator : {"dr", "dr-improved", "ipw", "reg"}, default "dr"
        How covariates are used: score and regression, the same by tilting, score alone, regression alone.
    anticipation : int, default 0
        Periods before the start in which the pilot may already have had an effect.
    base_period : {"universal", "varying"}, default "universal"
        Periods before the start are measured from the last of them, or each from the one before it.
    balance : int, optional
        Periods after the start up to which the path is of the same units throughout.
    gaps : {"pairs", "drop", "sections"}, default "pairs"
        A unit that was not seen throughout: used wherever it was seen in both periods of a comparison, left
        out, or its rows used as those of other units of its start.
    cross_sections : bool, default False
        Each row is a unit of its own (a patient), seen once; name the place in the panel's ``cluster``.
    cov : Auto, Analytic, Multiplier or Randomisation, default Auto()
        How uncertainty is measured; the default counts places and says what it chose. ``Analytic()`` gives
        the errors of R's did 2.1.2 to the last digit, with what is not right in two of them.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    covariates: tuple[str, ...] = ()
    control_group: Control = "never-treated"
    estimator: Literal["dr", "dr-improved", "ipw", "reg"] = "dr"
    anticipation: int = 0
    base_period: Base = "universal"
    balance: int | None = None
    gaps: Gaps = "pairs"
    cross_sections: bool = False
    cov: Covariance = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        refuse_fields(
            level_problem(self.level),
            outcome_among(self.outcome, self.covariates),
            not_one_of("control_group", self.control_group, get_args(Control)),
            not_one_of("estimator", self.estimator, ("dr", "dr-improved", "ipw", "reg")),
            not_one_of("base_period", self.base_period, get_args(Base)),
            not_one_of("gaps", self.gaps, get_args(Gaps)),
            below("anticipation", self.anticipation, 0, PERIODS),
            below("balance", self.balance, 0, "a number of periods after the start"),
            no_covariance(self.cov, get_args(Covariance), CHOICES),
        )

    def check_design(self, panel: Panel) -> list[Finding]:
        """What these data refuse, and what needs care, before anything is worked out."""
        return self._lay_out(panel)[0]

    def fit(self, panel: Panel) -> Estimate:
        """The average effect (``att``), the number of events, the path, and averages by start and period.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        findings, sample, laid = self._lay_out(panel)
        warnings = enforce(findings)
        assert sample is not None and laid is not None
        linear = not self.covariates and not self._by_rows(sample) and sample.balanced
        estimated, held = (influence_of(laid, with_shares=way) for way in (True, False))
        terms = terms_of(laid, estimated, held, linear=linear and sample.unit_weights is not None)
        if not (sample.balanced or self._by_rows(sample)):
            terms = replace(terms, fewest=_fewest(sample, terms.cells))
        extras = self._extras(sample, laid, held if isinstance(self.cov, Auto) else estimated)
        return estimate_of(self, "callaway-santanna", sample, terms, warnings=warnings, extras=extras)

    # -- the design ----------------------------------------------------------------------

    def _lay_out(self, panel: Panel) -> tuple[list[Finding], Sample | None, Laid | None]:
        sample, findings = self._sample(panel)
        if sample is None:
            return findings, None, None
        findings += flat_outcome(sample)
        findings += place_findings(self, sample)
        findings += self._small_starts(sample)
        findings += self._repeated(sample)
        if any(finding.level == "refuse" for finding in findings):
            return findings, sample, None
        design = Design(
            ordinals=sample.ordinals,
            cohorts=sample.cohorts,
            cohort=sample.cohort,
            control=self.control_group,
            base=self.base_period,
            anticipation=self.anticipation,
        )
        try:
            found = self._cells(sample, design)
        except Impossible as error:
            return [*findings, self._impossible(sample, error)], sample, None
        findings += self._cell_findings(sample, design, found)
        if any(finding.level == "refuse" for finding in findings):
            return findings, sample, None
        as_in_did = isinstance(self.cov, Analytic)
        laid = lay(design, found, _unit_weights(sample), self.balance, as_in_did=as_in_did)
        return findings, sample, laid

    def _sample(self, panel: Panel) -> tuple[Sample | None, list[Finding]]:
        sample, findings = sample_of(
            panel,
            self.outcome,
            self.covariates,
            anticipation=self.anticipation,
            seen_before=not self.cross_sections and self.gaps != "sections",
        )
        if sample is None:
            return None, findings
        seen_before = sample.start - self.anticipation > sample.ordinals[0]
        if not seen_before.all():
            if not (seen_before & sample.pilot).any():
                noun = panel.frequency.noun
                text = f"no {noun} is left before any start with anticipation = {self.anticipation}"
                return None, [*findings, Finding("refuse", text, "Bring earlier figures, or anticipate less")]
            sample = without_units(sample, seen_before, "that were not seen before the anticipation")
        if not (sample.balanced or self._by_rows(sample)):
            whole = np.bincount(sample.unit, minlength=len(sample.start)) == len(sample.ordinals)
            if self.gaps == "drop":
                sides = (whole & sample.pilot).any() and (whole & ~sample.pilot).any()
                if not sides:
                    text = "no pilot unit, or no comparison unit, was seen in every period"
                    return None, [*findings, Finding("refuse", text, 'Use gaps = "pairs"')]
                sample = without_units(sample, whole, "not seen in every period")
        if not self._by_rows(sample) and len(sample.unit) == len(sample.start) > 1:
            text = "every unit was seen in one period alone, so no change can be told"
            findings.append(Finding("refuse", text, "Use cross_sections = true"))
        return sample, findings

    def _by_rows(self, sample: Sample) -> bool:
        return self.cross_sections or (self.gaps == "sections" and not sample.balanced)

    def _small_starts(self, sample: Sample) -> list[Finding]:
        """Starts with so few units that covariates cannot be used, or the cells hang on a few."""
        columns = len(self.covariates)
        if not columns:
            return []
        found = []
        number = np.bincount(sample.cohort, minlength=len(sample.cohorts) + 1)
        if self.estimator != "reg":
            gone = np.flatnonzero(number[:-1] <= columns)
            if len(gone):
                text = (
                    f"{columns} covariate{'s' if columns > 1 else ''} cannot tell who is like the "
                    f"{int(number[gone].max())} or fewer units that started in "
                    f"{named_starts(sample, list(gone))}"
                )
                way_out = 'Leave the covariates out, use estimator = "reg", or put starts together by quarter'
                found.append(Finding("refuse", text, way_out))
            small = np.flatnonzero((number[:-1] > columns) & (number[:-1] < columns + SMALL))
            if len(small):
                text = (
                    f"{number[small].min()} to {number[small].max()} units started in each of "
                    f"{named_starts(sample, list(small))}: a score from so few is uncertain"
                )
                found.append(Finding("warn", text, "Compare the result without covariates"))
        if self.control_group == "never-treated" and number[-1] <= columns + 1:
            text = f"{number[-1]} comparison units cannot carry {columns} covariates"
            way_out = 'Leave covariates out, or use control_group = "not-yet-treated"'
            found.append(Finding("refuse", text, way_out))
        return found

    def _repeated(self, sample: Sample) -> list[Finding]:
        """Covariates that the others give, which a score would take for one that parts the two sides."""
        if len(sample.x) < 2:
            return []
        x = np.stack(sample.x)
        away = x - x.mean(axis=1, keepdims=True)
        scale = np.sqrt((away**2).mean(axis=1))
        flat = scale <= FLAT * np.abs(x).max(axis=1)
        if flat.any():
            return []  # said where the cells are worked out
        z = away / scale[:, None]
        return [
            Finding(
                "refuse",
                f"covariate `{self.covariates[k]}` says nothing of its own among comparison units: it is the "
                "same in all of them, or repeats other covariates",
                "Leave it out",
            )
            for k in collinear(z, z, np.ones(z.shape[1]))
        ]

    # -- the cells -----------------------------------------------------------------------

    def _cells(self, sample: Sample, design: Design) -> GroupTime:
        estimator: Estimator = self.estimator
        if self._by_rows(sample):
            x = np.stack(sample.x, axis=1) if sample.x else None
            way: Influence = "drdid" if isinstance(self.cov, Analytic) else "derived"
            rows = (sample.unit, sample.period, sample.y, sample.w)
            return on_sections(design, *rows, x, estimator, way)
        weights = sample.unit_weights
        return on_panel(
            design,
            sample.outcome,
            sample.weights if weights is None else None if sample.panel.weight is None else weights,
            _constant(sample) if sample.x else None,
            None if sample.balanced else sample.weights > 0,
            estimator,
        )

    def _impossible(self, sample: Sample, error: Impossible) -> Finding:
        label = sample.panel.frequency.label
        text = error.why
        if error.column is not None:
            text = text.replace(
                f"column {error.column} of the covariates", f"covariate `{self.covariates[error.column]}`"
            )
            text = text.replace("a covariate ", f"covariate `{self.covariates[error.column]}` ")
        start = label(int(sample.cohorts[error.cell.cohort]))
        when = label(int(sample.ordinals[error.cell.period]))
        way_out = "Leave it out, join its rare categories, or leave that start out"
        return Finding("refuse", f"for the units that started in {start}, in {when}: {text}", way_out)

    def _cell_findings(self, sample: Sample, design: Design, found: GroupTime) -> list[Finding]:
        since = design.ordinals[found.period] - design.cohorts[found.cohort]
        if not (since >= 0).any():
            text = "no start was seen with a comparison both before and after it"
            return [
                Finding("refuse", text, "Bring rows of both for some period before and some period after")
            ]
        findings = []
        if found.missing:
            total = len(found.missing) + len(found.cells)
            text = (
                f"{len(found.missing)} of {total} cells of start and period have nobody on one of the two "
                "sides, and are left out"
            )
            findings.append(Finding("warn", text, "The averages speak for the others alone"))
        gone = np.setdiff1d(np.arange(len(design.cohorts)), found.cohort[since >= 0])
        if len(gone):
            text = (
                f"units that started in {named_starts(sample, list(gone))} have no effect after their start"
            )
            findings.append(Finding("warn", text, "The average speaks for the others alone"))
        findings += self._earlier_bases(sample, design, found, since)
        if found.dropped:
            text = (
                f"{found.dropped} comparison units look so like pilot units (a score of 0.995 or more) that "
                "each would count for 199 others, and are left out of the weighted comparison"
            )
            findings.append(Finding("warn", text, "Compare the result without covariates"))
        return findings

    def _earlier_bases(self, sample: Sample, design: Design, found: GroupTime, since: Array) -> list[Finding]:
        """Starts measured from earlier than the last period before them, in which nobody was seen."""
        after = since >= -self.anticipation
        gap = design.cohorts[found.cohort] - self.anticipation - design.ordinals[found.base]
        moved = np.unique(found.cohort[after & (gap > 1)])
        if not len(moved):
            return []
        before = "before the start" if not self.anticipation else "before the anticipation of the start"
        text = (
            f"nothing was seen in the last period {before} in {named_starts(sample, list(moved))}, so an "
            "earlier one is the reference there"
        )
        return [Finding("warn", text)]

    def _extras(self, sample: Sample, laid: Laid, influence: InParts) -> dict[str, Any]:
        extras: dict[str, Any] = {
            "cells": {"number": len(laid.found.cells), "left_out": len(laid.found.missing)},
            "cells_before": wald_before(laid, influence, sample.places, len(sample.place_names)),
        }
        if self.base_period == "varying":
            extras["reference"] = {"event_time": -1, "base_period": "varying"}
            extras["pre_trend"] = {"why": NO_PATH}
        return extras


def _fewest(sample: Sample, cells: Array | None) -> int:
    """Fewest units of a start behind a treated cell that is used."""
    seen = np.zeros((len(sample.cohorts) + 1, len(sample.ordinals)), dtype=np.int64)
    np.add.at(seen, sample.cohort, sample.weights > 0)
    used = sample.ordinals[None, :] >= sample.cohorts[:, None] if cells is None else cells
    return int(seen[:-1][used].min())


def _constant(sample: Sample) -> Array:
    """Covariates (k, n_units) where none changes within a unit, else (k, n_units, n_periods)."""
    if sample.is_whole:
        views = [column.reshape(sample.shape) for column in sample.x]
        if all(bool((view == view[:, :1]).all()) for view in views):
            return np.array([view[:, 0] for view in views])
    return sample.covariates


def _unit_weights(sample: Sample) -> Array:
    """Weight of each unit in the shares of cohorts: its first, or the mean of those seen."""
    if sample.unit_weights is not None:
        return sample.unit_weights
    if sample.balanced:
        return np.asarray(sample.weights[:, 0])
    rows = np.bincount(sample.unit, minlength=len(sample.start))
    return np.asarray(np.bincount(sample.unit, sample.w, len(sample.start)) / rows)
