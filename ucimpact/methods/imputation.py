r"""Staggered starts by imputation: what would have happened, from everything seen without the pilot.

.. math:: y_{it} = \alpha_i + \gamma_t + x_{it}'\beta + \varepsilon_{it} \;\text{ without the pilot}, \qquad
          \hat\tau_{it} = y_{it} - \hat\alpha_i - \hat\gamma_t - x_{it}'\hat\beta \;\text{ with it}

Effects of units, periods and covariates are fitted where and when the pilot did not run; each observation
with the pilot is held against them, and the differences are averaged [1]_. No unit with the pilot ever serves
as a comparison, so effects may grow, fade and differ between starts.

The number is causal when without the pilot all units would have moved in parallel *throughout*: every period
before the start counts as much as the last one. That makes it the most precise of its kind where errors are
independent, and the worst hit where units drifted apart long before the start:
:class:`~ucimpact.methods.callaway_santanna.CallawaySantAnna` leans on the last period before the start
alone. It is broken by whatever breaks any comparison, and by units that change before their start because
they know that it is coming.

The path before the start is a regression of its own, on untreated observations alone, with one coefficient
for each time before the start and the last one as the reference [1]_ (section 4.4). The path after it is
measured from the whole time before, so the two do not join up into one line.

References
----------
.. [1] Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting event-study designs: robust and efficient
   estimation. *Review of Economic Studies* 91(6), 3253-3285.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, get_args

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.estimate import Estimate
from ucimpact.inference.cell_averages import averages
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.imputation import Imputation, pooled_cells
from ucimpact.inference.staggered import Terms
from ucimpact.inference.two_way import cr1_factor, lost_columns, regress, telling_columns
from ucimpact.methods.cohort_tables import (
    empty_covariates,
    flat_outcome,
    named_periods,
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
class ImputationDiD:
    """Hold each pilot unit against what units and periods without the pilot say of it.

    Parameters
    ----------
    outcome : str
        Panel column in natural units, e.g. emergency admissions per 1,000 people per month.
    covariates : tuple of str, default ()
        Time-varying columns that the pilot cannot have changed.
    leave_out : bool, default True
        Whether ``Analytic()`` and ``Multiplier()`` hold each place against the others of its start alone, not
        against a mean that it is part of. False is the plain form of other software.
    cov : Auto, Analytic, Multiplier or Randomisation, default Auto()
        How uncertainty is measured; the default counts places and says what it chose.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    covariates: tuple[str, ...] = ()
    leave_out: bool = True
    cov: Covariance = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        refuse_fields(
            level_problem(self.level),
            outcome_among(self.outcome, self.covariates),
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
        findings, sample, imputation = self._lay_out(panel)
        warnings = enforce(findings)
        assert sample is not None and imputation is not None
        terms = terms_of(sample, imputation, self.leave_out)
        # paths before and after the start do not join: one is measured from its end, the other from all of it
        extras = {"reference": {"event_time": -1, "after": "the mean of all that was seen before"}}
        return estimate_of(self, "imputation", sample, terms, warnings=warnings, extras=extras)

    def _lay_out(self, panel: Panel) -> tuple[list[Finding], Sample | None, Imputation | None]:
        sample, findings = sample_of(panel, self.outcome, self.covariates)
        if sample is None:
            return findings, None, None
        findings = findings + flat_outcome(sample)
        treated = sample.ordinals[None, :] >= sample.start[:, None]
        imputation = Imputation(panel_of(sample), treated)
        nothing = np.zeros((0, len(sample.cohorts) + 1, len(sample.ordinals)))
        lost = lost_columns(imputation.untreated, nothing)
        where = " where the pilot does not run" if lost else ""
        findings += empty_covariates(self.covariates, lost, where)
        findings += _not_known(sample, imputation)
        findings += place_findings(self, sample)
        if not any(finding.level == "refuse" for finding in findings):
            findings += _lone_starts(sample, imputation)
        return findings, sample, imputation


def _not_known(sample: Sample, imputation: Imputation) -> list[Finding]:
    """Treated observations that nothing without the pilot speaks for, by reason."""
    treated = (sample.weights > 0) & imputation.treated
    if not treated.any():
        text = f"no pilot unit has a value of `{sample.outcome_name}` from its start on"
        return [Finding("refuse", text, "Fill in the missing values, or choose another outcome")]
    gone = treated & ~imputation.known
    if not gone.any():
        return []
    free = imputation.untreated.weights > 0
    reasons = []
    empty = np.flatnonzero(~free.any(axis=0) & gone.any(axis=0))
    if len(empty):
        reasons.append(f"in {named_periods(sample, list(empty))} no unit without the pilot was seen")
    unseen = int((gone.any(axis=1) & ~free.any(axis=1)).sum())
    if unseen:
        reasons.append(f"{unseen} pilot unit{'s were' if unseen > 1 else ' was'} not seen before the start")
    if not reasons:
        reasons.append("no chain of untreated observations ties those units to those periods")
    number, every = int(gone.sum()), int(treated.sum())
    why = "; ".join(reasons)
    if number == every:
        text = f"no effect can be told from units and periods: {why}"
        return [Finding("refuse", text, "Bring units without the pilot, and periods before the start")]
    text = f"{number} of {every} unit-periods with the pilot have no effect and are left out: {why}"
    return [Finding("warn", text, "The average speaks for the others alone")]


def _lone_starts(sample: Sample, imputation: Imputation) -> list[Finding]:
    counts = imputation.place_counts(sample.places)
    pooled = pooled_cells(counts, since_of(sample))[1]
    if not pooled or int((counts.max(axis=1) > 0).sum()) < 2:
        return []
    text = (
        f"one place alone started in {named_starts(sample, pooled)}, so for its share of the variance it is "
        "held against the places that started nearest to it"
    )
    return [Finding("warn", text, "")]


def terms_of(sample: Sample, imputation: Imputation, leave_out: bool) -> Terms:
    """The imputed effects and the path before the start, with what each unit adds.

    Parameters
    ----------
    sample : Sample
    imputation : Imputation
    leave_out : bool
        See :class:`ImputationDiD`.
    """
    since, mass = since_of(sample), imputation.mass[:-1]
    known = mass > 0
    after = averages(mass, sample.cohorts, sample.ordinals, sizes_of(sample), known)
    cautious, plain = imputation.influence(
        after,
        imputation.deviations(sample.places, since, leave_out=leave_out),
        imputation.within_cells,  # Auto() pools starts and undoes the shrinking itself
    )
    later = Terms(
        after.rows,
        after.of(imputation.cells[:-1]),
        cautious,
        after.cohort_share,
        after.by_cohort(imputation.cells[:-1]),
        fixed=plain,
        loadings=imputation.loadings(after),
        cells=known,
    )
    return _joined(_before(sample, imputation, since), later)


def _before(sample: Sample, imputation: Imputation, since: Array) -> Terms | None:
    """One coefficient for each time before the start but the last, on untreated observations alone."""
    panel = imputation.untreated
    mass = panel.mass[:-1]
    times = np.unique(since[(mass > 0) & (since < 0)])
    times = times[times != times.max(initial=-1)][::-1]  # latest first: what is lost is the earliest
    tables = np.array([with_never((since == time).astype(float)) for time in times])
    tables = tables.reshape(-1, panel.n_cohorts, len(sample.ordinals))
    keep = np.array(telling_columns(panel, tables), dtype=np.intp)[::-1]
    if not len(keep):
        return None
    fit = regress(panel, tables[keep])
    each = np.eye(len(keep))
    share = np.array([(mass * (since == times[k])).sum(axis=1) for k in keep]).T
    scores = fit.influence(each)
    # fixest's CR1, since it is an ordinary regression: the imputed effects have no such factor
    factor = cr1_factor(int(sample.places.max()) + 1, panel.n_rows, fit.n_parameters)
    return Terms(
        tuple({"term": "event", "event_time": int(times[k])} for k in keep),
        fit.coef,
        scores * np.sqrt(factor),
        share / share.sum(axis=0),
        np.tile(fit.coef, (len(share), 1)),
        fixed=scores,
        loadings=fit.loadings(each),
    )


def _joined(before: Terms | None, after: Terms) -> Terms:
    """The rows before the start put in their place, behind the average."""
    if before is None:
        return after
    number = len(before.rows)
    order = np.array([number, *range(number), *range(number + 1, number + len(after.rows))])
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(before, name), getattr(after, name)], axis=-1)[..., order]
        for name in ("estimate", "influence", "fixed", "cohort_share", "cohort_effect")
    }
    rows = before.rows + after.rows
    loadings = None
    if before.loadings is not None and after.loadings is not None:
        loadings = np.concatenate([before.loadings, after.loadings], axis=1)[:, order]
    return replace(after, rows=tuple(rows[k] for k in order), loadings=loadings, **whole)
