r"""Staggered starts by one regression, with an effect for each start at each time since it.

.. math:: y_{it} = \alpha_i + \gamma_t + \sum_g \sum_{e \ne -1} \delta_{ge}\, 1\{G_i = g\}\, 1\{t - g = e\}
                   + x_{it}'\beta + \varepsilon_{it}, \qquad
          \tau_e = \sum_g \hat\pi_{ge}\, \hat\delta_{ge}

:math:`\delta_{ge}` is the effect on the units that started at g, e periods on, when without the pilot they
would have moved in parallel with the comparison units from the last period before their start [1]_. The
ordinary event study mixes effects of different starts and times, with weights that may be negative; here each
start is estimated by itself and weighed by its share :math:`\hat\pi_{ge}` of what was seen at that time.

Comparison units are those that never start, or, where there are none, those that start last: then what
happened from their start on is left out. Units that have not started *yet* are no comparison here, so with
few that never start :class:`~ucimpact.methods.imputation.ImputationDiD` and
:class:`~ucimpact.methods.callaway_santanna.CallawaySantAnna` are more precise. On a balanced panel without
covariates the effects are those of Callaway and Sant'Anna with units that never start as the comparison.

Shares are held fixed in the variance, as fixest's ``sunab`` does: the effects are of *these* pilots.

References
----------
.. [1] Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with
   heterogeneous treatment effects. *Journal of Econometrics* 225(2), 175-199.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, get_args

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.estimate import Estimate
from ucimpact.inference.cell_averages import averages
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.linear import collinear
from ucimpact.inference.saturated import Levels, levels_of, linked_periods, within
from ucimpact.inference.staggered import Terms
from ucimpact.inference.two_way import CohortPanel, cr1_factor, regress
from ucimpact.methods.cohort_tables import (
    empty_covariates,
    flat_outcome,
    named_starts,
    panel_of,
    since_of,
    sizes_of,
    with_never,
)
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import level_problem, no_covariance, outcome_among, refuse_fields
from ucimpact.methods.staggered_estimate import CHOICES, Covariance, estimate_of, place_findings
from ucimpact.methods.staggered_sample import Sample, sample_of

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class SunAbraham:
    """Estimate every start by itself against units that never start, then average by time since the start.

    Parameters
    ----------
    outcome : str
        Panel column in natural units, e.g. emergency admissions per 1,000 people per month.
    covariates : tuple of str, default ()
        Time-varying columns that the pilot cannot have changed.
    also_reference : int, optional
        A second time before the start at which the effect is taken to be 0 beside the last one, such as the
        earliest (-12). It adds precision and an assumption.
    cov : Auto, Analytic, Multiplier or Randomisation, default Auto()
        How uncertainty is measured; the default counts places and says what it chose.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    covariates: tuple[str, ...] = ()
    also_reference: int | None = None
    cov: Covariance = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        near = self.also_reference is not None and self.also_reference >= -1
        refuse_fields(
            level_problem(self.level),
            outcome_among(self.outcome, self.covariates),
            f"also_reference = {self.also_reference}: give a time before the start other than -1, say -12"
            if near
            else None,
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
        findings, sample, cells = self._lay_out(panel)
        warnings = enforce(findings)
        assert sample is not None and cells is not None
        terms = terms_of(sample, cells)
        return estimate_of(self, "sun-abraham", sample, terms, warnings=warnings)

    def _lay_out(self, panel: Panel) -> tuple[list[Finding], Sample | None, _Cells | None]:
        sample, findings = sample_of(panel, self.outcome, self.covariates)
        if sample is None:
            return findings, None, None
        findings = findings + flat_outcome(sample)
        grids = panel_of(sample)
        lost = collinear(grids.x, within(grids, grids.x), grids.weights) if self.covariates else []
        findings += empty_covariates(self.covariates, lost)
        cells = _cells(sample, grids, self.also_reference)
        findings += _not_known(sample, cells)
        findings += place_findings(self, sample)
        return findings, sample, cells


# -- cells -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cells:
    """Which cells have an effect, and the period each cohort is measured from (-1 for none)."""

    panel: CohortPanel
    known: Array
    reference: Array
    second: Array


def _cells(sample: Sample, panel: CohortPanel, also: int | None) -> _Cells:
    since = since_of(sample)
    others = linked_periods(panel.blocks[-1])
    known = np.zeros(since.shape, dtype=bool)
    reference = np.full(len(since), -1)
    for g, row in enumerate(since):
        own = linked_periods(panel.blocks[g])
        usable = np.flatnonzero((own >= 0) & (others >= 0) & (row < 0))
        if len(usable):
            r = int(usable[-1])
            reference[g] = r
            known[g] = (own == own[r]) & (others == others[r])
            known[g, r] = False
    second = known & (since == also) if also is not None else np.zeros_like(known)
    return _Cells(panel, known & ~second, reference, second)


def _not_known(sample: Sample, cells: _Cells) -> list[Finding]:
    since, mass = since_of(sample), cells.panel.mass[:-1]
    run = (since >= 0) & (mass > 0)
    found = []
    if not (run & cells.known).any():
        text = "no start was seen with the comparison units both before and after it"
        return [Finding("refuse", text, "Bring rows of both for some period before and some period after")]
    lost = np.flatnonzero(run.any(axis=1) & ~(run & cells.known).any(axis=1))
    if len(lost):
        text = (
            f"units that started in {named_starts(sample, list(lost))} were never seen with the comparison "
            "units on both sides of the start, so they have no effect"
        )
        found.append(Finding("warn", text, "The average speaks for the others alone"))
    moved = [g for g, r in enumerate(cells.reference) if r >= 0 and since[g, r] != -1]
    if moved:
        text = (
            f"nothing was seen in the last period before the start in {named_starts(sample, moved)}, so an "
            "earlier one is the reference there"
        )
        found.append(Finding("warn", text))
    return found


def terms_of(sample: Sample, cells: _Cells) -> Terms:
    """Averages of the cells, with what each unit adds.

    For ``Analytic()`` it is multiplied so that its squares add up to fixest's CR1 variance; ``Auto()`` has
    factors of its own."""
    panel = cells.panel
    mass = panel.mass[:-1]
    known = cells.known & (mass > 0)
    every = averages(mass, sample.cohorts, sample.ordinals, sizes_of(sample), known)
    if cells.second.any():
        rows = np.argwhere(known)
        tables = np.zeros((len(rows), *mass.shape))
        tables[np.arange(len(rows)), rows[:, 0], rows[:, 1]] = 1.0
        fit = regress(panel, with_never(tables))
        effects = np.zeros(mass.shape)
        effects[known] = fit.coef
        directions = every.table[:, known].T
        influence, loadings = fit.influence(directions), fit.loadings(directions)
        parameters = fit.n_parameters
    else:
        levels = levels_of(panel)
        contrasts = _contrasts(every.table, cells.reference)
        effects = np.where(known, _gaps(levels, cells.reference), 0.0)
        influence = levels.influence(contrasts)
        loadings = np.moveaxis(contrasts, 0, 1) if panel.is_plain and not len(panel.x) else None
        parameters = levels.n_parameters
    factor = cr1_factor(int(sample.places.max()) + 1, panel.n_rows, parameters)
    return Terms(
        every.rows,
        every.of(effects),
        influence * np.sqrt(factor),
        every.cohort_share,
        every.by_cohort(effects),
        fixed=influence,
        loadings=loadings,
        cells=known & (since_of(sample) >= 0),
    )


def _contrasts(table: Array, reference: Array) -> Array:
    """Averages of cells as contrasts of levels, shape (n_effects, n_cohorts + 1, n_periods)."""
    own = np.array(table)
    never = table.sum(axis=1)
    for g in np.flatnonzero(reference >= 0):
        total = table[:, g].sum(axis=1)
        own[:, g, reference[g]] -= total
        never[:, reference[g]] -= total
    return np.concatenate([own, -never[:, None]], axis=1)


def _gaps(levels: Levels, reference: Array) -> Array:
    """Each cell's effect, shape (n_cohorts, n_periods)."""
    at = np.maximum(reference, 0)
    own, never = levels.levels[:-1], levels.levels[-1]
    return np.asarray(own - own[np.arange(len(at)), at][:, None] - never + never[at][:, None])
