r"""The two-way fixed effects event study, for comparison, with what its average is made of beside it.

.. math:: y_{it} = \alpha_i + \gamma_t + \tau D_{it} + x_{it}'\beta + \varepsilon_{it}, \qquad
          y_{it} = \alpha_i + \gamma_t + \sum_{e \ne -1} \tau_e\, 1\{t - g_i = e\} + x_{it}'\beta
                   + \varepsilon_{it}

The first is the average effect (``att``), the second the path. Both are what most published evaluations
report, and both are right when the pilot starts everywhere at once or when its effect is the same for every
start and, in the first, at all times. Otherwise units that already have the pilot stand in for what would
have happened without it [1]_, and a coefficient of the path holds effects of other times [2]_: the number can
have the wrong sign. Take :class:`~ucimpact.methods.callaway_santanna.CallawaySantAnna`,
:class:`~ucimpact.methods.imputation.ImputationDiD` or
:class:`~ucimpact.methods.sun_abraham.SunAbraham` then, and this one only to show a reader how far it is off.

``extras["bacon"]`` takes the average apart into comparisons of two groups, with the weight of each
(:mod:`ucimpact.inference.bacon`).

References
----------
.. [1] Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. *Journal of
   Econometrics* 225(2), 254-277.
.. [2] Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with
   heterogeneous treatment effects. *Journal of Econometrics* 225(2), 175-199.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np

from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate
from ucimpact.inference.bacon import by_kind, decompose
from ucimpact.inference.few_clusters import Auto
from ucimpact.inference.staggered import Terms
from ucimpact.inference.two_way import CohortPanel, cr1_factor, lost_columns, regress, telling_columns
from ucimpact.methods.cohort_tables import empty_covariates, flat_outcome, panel_of, since_of, with_never
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import level_problem, no_covariance, outcome_among, refuse_fields
from ucimpact.methods.staggered_estimate import CHOICES, Covariance, estimate_of, place_findings
from ucimpact.methods.staggered_sample import Sample, sample_of

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class EventStudy:
    """Regress on unit effects, period effects and the pilot, as most evaluations do; for comparison.

    Parameters
    ----------
    outcome : str
        Panel column in natural units, e.g. emergency admissions per 1,000 people per month.
    covariates : tuple of str, default ()
        Time-varying columns that the pilot cannot have changed.
    cov : Auto, Analytic, Multiplier or Randomisation, default Auto()
        How uncertainty is measured; the default counts places and says what it chose. ``Analytic()`` is
        fixest's clustered variance, CR1.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    covariates: tuple[str, ...] = ()
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
        """The two-way coefficient (``att``), the number of events, and the path.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        findings, sample, grids = self._lay_out(panel)
        warnings = enforce(findings)
        assert sample is not None and grids is not None
        terms, dropped = terms_of(sample, grids)
        if dropped:
            warnings += (_dropped(dropped),)
        extras = {"bacon": bacon_of(sample, grids)}
        return estimate_of(self, "event-study", sample, terms, warnings=warnings, extras=extras)

    def _lay_out(self, panel: Panel) -> tuple[list[Finding], Sample | None, CohortPanel | None]:
        sample, findings = sample_of(panel, self.outcome, self.covariates)
        if sample is None:
            return findings, None, None
        findings = findings + flat_outcome(sample)
        grids = panel_of(sample)
        lost = lost_columns(grids, _pilot_table(sample))
        if 0 in lost:
            text = "the pilot cannot be told from unit and period effects"
            findings.append(Finding("refuse", text, "Bring more periods, or units without the pilot"))
        findings += empty_covariates(self.covariates, [k - 1 for k in lost if k])
        if len(sample.cohorts) > 1:
            # where all have it in the end, those that start last are the comparison, and a start as well
            starts = sum(start > panel.ordinals[0] for start in panel.starts)
            findings.append(_mixed(bacon_of(sample, grids), starts))
        findings += place_findings(self, sample)
        return findings, sample, grids


def _mixed(bacon: dict[str, Any], starts: int) -> Finding:
    share = ""
    if "by_kind" in bacon:
        late = [row["weight"] for row in bacon["by_kind"] if row["kind"] == "later against earlier"]
        share = f" ({late[0] if late else 0:.0%} of the weight)"
    text = (
        f"the pilot starts at {starts} different times, and two-way fixed effects hold units against others "
        f"that already have it{share}: where effects grow, fade or differ, even the sign may be wrong"
    )
    return Finding(
        "warn", text, "Use callaway-santanna, imputation or sun-abraham; this one is for comparison"
    )


def _dropped(times: tuple[int, ...]) -> str:
    named = ", ".join(str(time) for time in times)
    return (
        f"No effect is given at {named} periods from the start: with so little seen of the comparison units "
        "it cannot be told from unit and period effects and the other times."
    )


def _pilot_table(sample: Sample) -> Array:
    return with_never((since_of(sample) >= 0).astype(float))[None]


def terms_of(sample: Sample, panel: CohortPanel) -> tuple[Terms, tuple[int, ...]]:
    """The static coefficient and the path, with what each unit adds, and the times that had to be left out.

    For ``Analytic()`` it is multiplied so that its squares add up to fixest's CR1 variance; ``Auto()`` has
    factors of its own."""
    since, mass = since_of(sample), panel.mass[:-1]
    times = np.unique(since[mass > 0])
    before = times[times < 0]
    reference = -1 if -1 in before or not len(before) else int(before[-1])
    # those before the start last and the earliest of them at the end: what is lost is the earliest
    times = np.concatenate([times[times >= 0], before[before != reference][::-1]])
    tables = np.array([with_never((since == time).astype(float)) for time in times])
    keep = np.array(telling_columns(panel, tables), dtype=np.intp)
    if not (times[keep] >= 0).any():
        raise EstimationError(
            "no effect by time since the start can be told from unit and period effects and the covariates. "
            "Bring more periods, or leave covariates out"
        )
    lost = np.setdiff1d(times, times[keep])
    keep = keep[np.argsort(times[keep])]
    path, static = regress(panel, tables[keep]), regress(panel, _pilot_table(sample))
    later = (times[keep] >= 0).astype(float)
    directions = np.column_stack([np.eye(len(keep)), later / later.sum()])
    rows: list[dict[str, Any]] = [{"term": "simple"}]
    rows += [{"term": "event", "event_time": int(times[k])} for k in keep]
    rows.append({"term": "dynamic_average"})
    estimate = np.concatenate([static.coef[:1], path.coef @ directions])
    cells = [mass * (since >= 0), *(mass * (since == times[k]) for k in keep), mass * (since >= 0)]
    share = np.array([cell.sum(axis=1) / cell.sum() for cell in cells]).T
    one, many = static.loadings(np.eye(1)), path.loadings(directions)
    whole = one is not None and many is not None and not sample.pilot.all()
    scores = np.column_stack([static.influence(np.eye(1)), path.influence(directions)])
    places = int(sample.places.max()) + 1
    each = [cr1_factor(places, panel.n_rows, fit.n_parameters) for fit in (static, path)]
    factors = np.repeat(each, [1, directions.shape[1]])
    terms = Terms(
        tuple(rows),
        estimate,
        scores * np.sqrt(factors),
        share,
        np.tile(estimate, (len(share), 1)),
        fixed=scores,
        loadings=np.concatenate([one, many], axis=1) if whole else None,
    )
    return terms, tuple(int(time) for time in lost)


def bacon_of(sample: Sample, panel: CohortPanel) -> dict[str, Any]:
    """The average taken apart, as plain values, or why it cannot be.

    Returns
    -------
    dict
        ``components``: for each comparison ``pilot`` and ``other`` (starts in ISO form; None for units that
        never start), ``kind``, ``estimate`` and ``weight``; ``by_kind``: weight and weighted mean of each
        kind; ``static``: the sum of weights times estimates.
    """
    if len(panel.x):
        return {"why": "With covariates the coefficient is no average of comparisons of two groups."}
    if not panel.is_plain:
        return {"why": "It needs every unit in every period, with weights that do not change within a unit."}
    mass = panel.mass[:, 0]
    means = panel.sums(panel.weights * panel.outcome) / np.where(mass > 0, mass, 1.0)[:, None]
    first = np.searchsorted(sample.ordinals, sample.cohorts)
    found = decompose(means, mass, first)
    iso = [sample.panel.frequency.iso(int(start)) for start in sample.cohorts]
    return {
        "components": [
            {
                "pilot": iso[c.pilot],
                "other": None if c.other is None else iso[c.other],
                "kind": c.kind,
                "estimate": c.estimate,
                "weight": c.weight,
            }
            for c in found
        ],
        "by_kind": by_kind(found),
        "static": sum(c.weight * c.estimate for c in found),
    }
