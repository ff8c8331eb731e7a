r"""Difference-in-differences for a pilot that starts everywhere at once.

.. math:: y_{it} = \alpha_i + \gamma_t + \tau D_{it} + x_{it}'\beta + \varepsilon_{it}

:math:`\tau` is the average effect on the pilot units (ATT), per unit and period, when without the pilot
the pilot and comparison units would have moved in parallel. It is biased by anything else that changed
for one group at the start, by pilots given to places in an unusual spell, and by comparison units that
the pilot reached too.

Units that start at different times would be compared with one another [1]_, so they are refused: there are
methods for starts that differ (callaway-santanna, imputation, count-did).

Uncertainty comes from places, the level at which the pilot was given out, and never from rows. By
default :class:`~ucimpact.inference.few_clusters.Auto` counts them and chooses the procedure that held
its false positives in that situation. The estimate is the same whatever the procedure.

The path gives the difference in each period less that in the last period before the start. A
counterfactual is what the pilot units would have done had they kept their own mean before the start and
moved with the others.

References
----------
.. [1] Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment
   timing. *Journal of Econometrics* 225(2), 254-277.
.. [2] Donald, S. G. and Lang, K. (2007). Inference with difference-in-differences and other panel
   data. *Review of Economics and Statistics* 89(2), 221-233.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, get_args

import numpy as np
import pandas as pd

from ucimpact import serialise
from ucimpact.data.panel import Panel
from ucimpact.errors import EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.comparison import Comparison
from ucimpact.inference.contrasts import Contrasts
from ucimpact.inference.few_clusters import ENOUGH, Auto, Chosen, choose
from ucimpact.inference.linear import collinear
from ucimpact.inference.named import Named, by_place, care, chosen_by_name, hindrance
from ucimpact.inference.paths import (
    enough_shapes,
    hotelling,
    polynomials,
    simultaneous_critical,
)
from ucimpact.inference.two_groups import Inferred, Refused, Robust, SizeModelT, critical
from ucimpact.methods.common_start import Sample, refuse_starts, sample_of, unweighted_total
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.field_checks import level_problem, no_covariance, outcome_among, refuse_fields

Array = np.ndarray
Covariance = Auto | Named
BAND_DRAWS = 4_999


WITHOUT = f"Leave the covariates out, or bring {ENOUGH} pilot and {ENOUGH} comparison places"


@dataclass(frozen=True, kw_only=True)
class DifferenceInDifferences:
    """Compare the change in pilot units with the change in comparison units.

    Parameters
    ----------
    outcome : str
        Panel column in natural units, e.g. emergency admissions per 1,000 people per month.
    covariates : tuple of str, default ()
        Time-varying columns that the pilot cannot have changed.
    log : bool, default False
        Analyse the logarithm: effects are ratios of typical values. Refused where there are zeros.
    cov : Covariance, default Auto()
        How uncertainty is measured; the default counts places and says what it chose. By name: CR1, CR2,
        CR3, WildBootstrap, ConleyTaber, FermanPinto, IbragimovMuller, Randomisation.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    covariates: tuple[str, ...] = ()
    log: bool = False
    cov: Covariance = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        refuse_fields(
            level_problem(self.level),
            outcome_among(self.outcome, self.covariates),
            no_covariance(self.cov, get_args(Covariance)),
        )

    def check_design(self, panel: Panel) -> list[Finding]:
        """What these data refuse, and what needs care, before anything is worked out."""
        return self._lay_out(panel)[0]

    def fit(self, panel: Panel) -> Estimate:
        """The average effect (``att``), the number of events, the relative effect and the path.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        findings, sample = self._lay_out(panel)
        warnings = enforce(findings)
        assert sample is not None
        comparison = sample.comparison
        effect = comparison.effect
        chosen = self._choose(sample, effect)
        found = chosen.procedure.infer(effect, self.level)
        path = _path(self, sample, chosen)
        rows = [_row("att", found, 0), *self._scaled(sample, found), *path.rows]
        parts = [effect.residuals(), *([path.contrasts.residuals()] if path.contrasts else [])]
        return Estimate(
            method="did",
            estimand="ATT",
            outcome=self.outcome,
            scale="log" if self.log else "identity",
            effects=effects_frame(rows),
            cov=_covariance(rows, np.concatenate(parts)),
            influence=effect.influence(),
            sampling_units=sample.place_names,
            counterfactual=path.counterfactual,
            counts=sample.counts,
            warnings=warnings + chosen.warnings + path.warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            provenance=_provenance(self),
            draws_from=_procedure_words(chosen, found),
            extras={
                "noun": panel.frequency.noun,
                "rule": {**chosen.account, "refused": chosen.refused},
                **path.extras,
            },
        )

    # -- the design ----------------------------------------------------------------------

    def _lay_out(self, panel: Panel) -> tuple[list[Finding], Sample | None]:
        findings = refuse_starts(panel)
        if findings:
            return findings, None
        outcome = panel.values(self.outcome)
        covariates = np.array([panel.values(name) for name in self.covariates]).reshape(-1, len(outcome))
        known = np.isfinite(outcome)
        if self.log and (bad := int((outcome[known] <= 0).sum())):
            return [
                Finding(
                    "refuse",
                    f"log=True needs values above 0, and {bad} of {int(known.sum())} values of "
                    f"`{self.outcome}` are 0 or less",
                    "Leave log out: the difference in natural units comes with a relative effect too",
                )
            ], None
        sample, findings = sample_of(panel, outcome, covariates, self.outcome, log=self.log)
        if sample is None:
            return findings, None
        comparison = sample.comparison
        y = comparison.outcome[comparison.weights > 0]
        if np.ptp(y) <= 1e-12 * max(np.abs(y).max(), 1e-300):
            value = np.exp(y[0]) if self.log else y[0]
            text = f"`{self.outcome}` is {value:g} throughout"
            findings.append(Finding("refuse", text, "Choose an outcome that varies"))
        elif not comparison.spans_the_start:
            findings.append(
                Finding(
                    "refuse",
                    "pilot and comparison units are never seen in the same period on both sides of the start",
                    "Bring rows of both for some period before and some period after",
                )
            )
        else:
            findings += self._collinear(comparison)
            findings += self._places(comparison)
            findings += unweighted_total(panel, self.outcome)
        return findings, sample

    def _collinear(self, comparison: Comparison) -> list[Finding]:
        columns = np.concatenate([comparison.treated[None], comparison.covariates])
        lost = collinear(columns, comparison.effects.absorb(columns), comparison.weights)
        found = []
        for k in lost:
            if k == 0:
                text, way_out = "the pilot cannot be told from unit and period effects", "Bring more periods"
            else:
                text = (
                    f"covariate `{self.covariates[k - 1]}` does not change over time within units, or is the "
                    "same in all of them, or repeats another covariate"
                )
                way_out = "Leave it out: unit and period effects already hold it"
            found.append(Finding("refuse", text, way_out))
        return found

    def _places(self, comparison: Comparison) -> list[Finding]:
        pilot = comparison.place_pilot
        n1, n0 = int(pilot.sum()), int((~pilot).sum())
        found = []
        if (isinstance(self.cov, Auto) or by_place(self.cov)) and comparison.mixed_places:
            found.append(
                Finding(
                    "refuse",
                    f"{comparison.mixed_places} places hold both pilot and comparison units, so the "
                    "pilot was not given out by place",
                    "Leave the places out if it was given out unit by unit, or the comparison units of "
                    "those places if it was given out by place",
                )
            )
        elif not isinstance(self.cov, Auto):
            if why := hindrance(self.cov, n1, n0, self.level):
                found.append(Finding("refuse", *why))
            elif text := care(self.cov, n1, n0):
                where = f"{type(self.cov).__name__} with {n1} pilot and {n0} comparison places"
                found.append(Finding("warn", f"{where}: {text}", "Compare Auto()"))
        if self.covariates and min(n1, n0) < ENOUGH:
            if isinstance(self.cov, Auto):
                found.append(Finding("warn", _unsettled(n1, n0), WITHOUT))
            else:
                text = f"with covariates, {n1} pilot and {n0} comparison places this range was never measured"
                found.append(Finding("warn", text, "Compare the result without covariates"))
        return found

    # -- uncertainty ---------------------------------------------------------------------

    def _choose(self, sample: Sample, effect: Contrasts) -> Chosen:
        if isinstance(self.cov, Auto):
            places = sample.places
            chosen = choose(effect, places, self.cov, self.level)
            if self.covariates and min(places.n1, places.n0) < ENOUGH and chosen.refused is None:
                return chosen.refuse(f"{_unsettled(places.n1, places.n0)}. {WITHOUT}.")
            return chosen
        return chosen_by_name(self.cov, effect, sample.places, self.level)

    def _scaled(self, sample: Sample, found: Inferred) -> list[dict[str, Any]]:
        """The rows ``cumulative`` and ``relative``."""
        row = _row("att", found, 0)
        limits = ("estimate", "conf_low", "conf_high")
        kept = {name: row[name] for name in ("statistic", "df", "p_value")}
        if self.log:
            return [{"term": "relative", **kept, **{name: np.expm1(row[name]) for name in limits}}]
        times = sample.exposure
        cumulative = {name: row[name] * times for name in (*limits, "std_error")}
        relative = {name: _relative(row[name], sample.observed) for name in limits}
        if not np.isfinite(relative["conf_low"] + relative["conf_high"]):
            relative |= {"conf_low": np.nan, "conf_high": np.nan}
        return [{"term": "cumulative", **kept, **cumulative}, {"term": "relative", **kept, **relative}]


# -- the path ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Path:
    rows: list[dict[str, Any]]
    contrasts: Contrasts | None
    counterfactual: pd.DataFrame
    extras: dict[str, Any]
    warnings: tuple[str, ...]


def _path(did: DifferenceInDifferences, sample: Sample, chosen: Chosen) -> _Path:
    """One effect a period, the expected path, the test before the start and the others' own paths."""
    comparison, panel = sample.comparison, sample.panel
    observed, others = (_period_means(comparison, group) for group in (comparison.pilot, ~comparison.pilot))
    expected = np.full((3, len(panel.ordinals)), np.nan)
    extras: dict[str, Any] = {"comparison": _comparison_rows(did, panel, others)}
    rows_of = [comparison.event_combinations(), comparison.gap_combinations()]
    moving = rows_of[1].any(axis=1)  # a single period before the start is its own mean
    rows_of[1] = rows_of[1][moving]
    if len(comparison.before_seen) > 1:
        rows_of.append(comparison.slope_combination())
    first, last = len(rows_of[0]), len(rows_of[0]) + len(rows_of[1])
    try:
        contrasts = comparison.path(np.concatenate(rows_of))
    except EstimationError as error:
        extras["pre_trend"] = {"why": "There is no path over time to compare before the pilot."}
        warning = f"No path over time is given: {error}."
        return _Path([], None, _counterfactual(did, sample, observed, expected), extras, (warning,))
    found = chosen.procedure.infer(contrasts, did.level)
    path, gaps, slope = (found.part(slice(*ends)) for ends in ((0, first), (first, last), (last, None)))
    half = _band(did, contrasts.only(slice(first)), path, chosen)
    rows = []
    for k, period in enumerate(comparison.events):
        rows.append(
            {
                **_row("event", path, k),
                "event_time": int(comparison.since[period]),
                "period": panel.frequency.iso(int(panel.ordinals[period])),
                "conf_low_simultaneous": float(np.fmin(path.estimate[k] - half[k], path.low[k])),
                "conf_high_simultaneous": float(np.fmax(path.estimate[k] + half[k], path.high[k])),
            }
        )
    expected[:, comparison.seen] = observed[comparison.seen]
    expected[:, comparison.seen[moving]] -= np.array([gaps.estimate, gaps.high, gaps.low])
    since = int(comparison.since[comparison.reference])
    iso = panel.frequency.iso(int(panel.ordinals[comparison.reference]))
    extras["reference"] = {"event_time": since, "period": iso}
    before = half[comparison.since[comparison.events] < 0]
    extras["pre_trend"] = _pre_trend(sample, chosen, slope, before)
    if sample.places.n1 == 1:
        extras["placebo"] = _placebo(sample)
    frame = _counterfactual(did, sample, observed, expected)
    return _Path(rows, contrasts.only(slice(first)), frame, extras, ())


def _band(did: DifferenceInDifferences, contrasts: Contrasts, path: Inferred, chosen: Chosen) -> Array:
    """Half widths of the simultaneous bands, shape (n_events,)."""
    if chosen.refused is not None:
        return np.full(len(path.estimate), np.nan)
    by_t = np.isfinite(path.df)
    df = np.where(by_t, path.df, len(contrasts.pilot) - 2.0)
    correlation = contrasts.correlation()
    factor = simultaneous_critical(correlation, df, did.level, draws=BAND_DRAWS, seed=_seed(did))
    halves = (path.high - path.low) / 2 / critical(did.level, df)  # an interval that is no t is stretched
    return np.asarray(factor * np.where(by_t, path.std_error, halves))


def _pre_trend(sample: Sample, chosen: Chosen, slope: Inferred, half: Array) -> dict[str, Any]:
    comparison, places = sample.comparison, sample.places
    before, since = comparison.before_seen, comparison.since.astype(float)
    if len(before) < 2:
        noun = sample.panel.frequency.noun
        return {"why": f"With one {noun} before the pilot there is no path to compare."}
    share = comparison.weights[comparison.pilot].sum(axis=0)
    late, early = (float(np.average(since[m], weights=share[m])) for m in (comparison.after, before))
    known: dict[str, Any] = {
        "slope": float(slope.estimate[0]),
        "slope_low": float(slope.low[0]),
        "slope_high": float(slope.high[0]),
        "slope_at_middle": float(slope.estimate[0] * (late - early)),
        "bands_half_width_max": float(np.max(half)) if len(half) else None,
    }
    number = enough_shapes(places.n1 + places.n0, len(before))
    if chosen.refused is not None:
        return {**known, "why": chosen.refused}
    if number < 1:
        return {**known, "why": "There are too few places to test the path before the pilot."}
    shapes = np.zeros((number, len(since)))
    shapes[:, before] = polynomials(since[before], number)
    contrasts = comparison.path(shapes)
    spread = chosen.spread
    if places.size_ratio > 1:
        spread = spread * SizeModelT(places.sizes, spread).joint_shape(contrasts)
    test = hotelling(contrasts, spread, pooled=min(places.n1, places.n0) < ENOUGH)
    if test is None:
        return {**known, "why": "The places moved too much alike before the pilot to judge by."}
    words = ("slope", "bend", "S-bend")[:number]
    return {
        **known,
        "statistic": test.statistic,
        "df_num": test.df_num,
        "df_den": test.df_den,
        "p_value": test.p_value,
        "procedure": f"Hotelling's F of {', '.join(words)}, one number a place each",
    }


def _placebo(sample: Sample) -> dict[str, Any]:
    comparison = sample.comparison
    estimates, paths = comparison.placebos()
    others = np.flatnonzero(~comparison.place_pilot)
    return {
        "event_time": [int(s) for s in comparison.since[comparison.events]],
        "units": [sample.place_names[k] for k in others],
        "estimates": serialise.plain(estimates),
        "paths": serialise.plain(paths),
    }


def _period_means(comparison: Comparison, group: Array) -> Array:
    w = comparison.weights[group]
    total = w.sum(axis=0)
    return np.where(
        total > 0, (w * comparison.outcome[group]).sum(axis=0) / np.where(total > 0, total, 1), np.nan
    )


def _counterfactual(
    did: DifferenceInDifferences, sample: Sample, observed: Array, expected: Array
) -> pd.DataFrame:
    panel = sample.panel
    back = np.exp if did.log else np.asarray  # geometric means, for an analysis of logarithms
    return pd.DataFrame(
        {
            "period": [panel.frequency.iso(int(o)) for o in panel.ordinals],
            "label": panel.labels(),
            "since": sample.comparison.since,
            "observed": back(observed),
            "expected": back(expected[0]),
            "low": back(expected[1]),
            "high": back(expected[2]),
        }
    )


def _comparison_rows(did: DifferenceInDifferences, panel: Panel, means: Array) -> list[dict[str, Any]]:
    shown = np.exp(means) if did.log else means
    return [
        {"period": panel.frequency.iso(int(o)), "label": panel.frequency.label(int(o)), "mean": float(m)}
        for o, m in zip(panel.ordinals, shown, strict=True)
    ]


# -- the estimate ------------------------------------------------------------------------


def _unsettled(n1: int, n0: int) -> str:
    """Why an adjusted effect of few places has no range."""
    return (
        f"With covariates, {n1} pilot and {n0} comparison places nobody has measured how wide a likely range "
        "must be, so no p-value and no range are given"
    )


def _row(term: str, found: Inferred, k: int) -> dict[str, Any]:
    return {
        "term": term,
        "estimate": float(found.estimate[k]),
        "std_error": float(found.std_error[k]),
        "statistic": float(found.statistic[k]),
        "df": float(found.df[k]),
        "p_value": float(found.p_value[k]),
        "conf_low": float(found.low[k]),
        "conf_high": float(found.high[k]),
    }


def _relative(effect: float, observed: float) -> float:
    """The effect over what was expected, the observed mean held; ``nan`` where nothing was expected."""
    expected = observed - effect
    return effect / expected if expected > 0 else float("nan")


def _covariance(rows: list[dict[str, Any]], residuals: Array) -> Array:
    """Covariance of the effects: their standard errors, and the correlation of the places' contrasts.

    A relative effect is not linear in the others: ``nan``.
    """
    source = [{"att": 0, "cumulative": 0, "event": 1}.get(row["term"], -1) for row in rows]
    events = np.cumsum([s == 1 for s in source])
    at = np.array([e if s == 1 else s for s, e in zip(source, events, strict=True)])
    size = np.sqrt((residuals**2).sum(axis=1))
    unit = residuals / np.where(size > 0, size, 1.0)[:, None]
    correlation = unit @ unit.T
    np.fill_diagonal(correlation, 1.0)
    errors = np.array([np.nan if s < 0 else row["std_error"] for s, row in zip(source, rows, strict=True)])
    full: Array = correlation[np.ix_(at, at)] * np.outer(errors, errors)
    return full


def _procedure_words(chosen: Chosen, found: Inferred) -> str:
    if isinstance(chosen.procedure, Refused):
        return chosen.name
    if isinstance(chosen.procedure, Robust) and np.isfinite(found.df[0]):
        return f"{chosen.name} ({found.df[0]:.1f})"
    return chosen.name


def _seed(did: DifferenceInDifferences) -> int:
    return int(getattr(did.cov, "seed", 1))


def _provenance(did: DifferenceInDifferences) -> dict[str, Any]:
    from ucimpact import __version__

    return {"version": __version__, "seed": _seed(did)}
