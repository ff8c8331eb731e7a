r"""Difference-in-differences for counts, with the people at risk, for pilots that start when they start.

.. math:: E(y_{it}) = n_{it}\exp(\alpha_i + \gamma_t + \delta_{g(i)t} D_{it})

:math:`n_{it}` is the population (list size), which may change from month to month; every start g has an
effect of its own in every period. What was expected without the pilot is
:math:`E_{it} = n_{it}\exp(\alpha_i + \gamma_t)`, with unit and period effects from the cells without the
pilot [1]_, and the headline is

.. math:: b = \log \sum_{D=1} y_{it} - \log \sum_{D=1} E_{it} .

The rate ratio is :math:`e^b`; events avoided are :math:`Y_1(e^{-b} - 1)`, with the limits of b and the events
:math:`Y_1` of the pilot as they were seen; the effect on the rate is that over the people. So all of them
come from one number and never disagree.

It answers what would have happened if, without the pilot, rates had moved by the same *per cent* everywhere.
Where groups start from different rates that is not the same as by the same number: both are given side by
side. It is biased by anything else that changed for the pilot units at the start, and by comparison units
that the pilot reached. It takes counts; for a mean, a share of people or a cost use another method.

References
----------
.. [1] Wooldridge, J. M. (2023). Simple approaches to nonlinear difference-in-differences with panel data.
   *The Econometrics Journal* 26(3), C31-C66.
.. [2] Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with
   heterogeneous treatment effects. *Journal of Econometrics* 225(2), 175-199.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np

from ucimpact import serialise
from ucimpact.data.panel import Panel
from ucimpact.errors import UsageError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.count_effects import Sets, expected_by_level, found_in
from ucimpact.inference.count_rule import QuasiPoisson, Rule, choose
from ucimpact.inference.covariance import CR1
from ucimpact.inference.few_clusters import Auto
from ucimpact.methods.count_did_path import Path, comparison_rows, counterfactual, placebo
from ucimpact.methods.count_did_rows import Family, family_of, numbers
from ucimpact.methods.count_did_sample import CountSample, lay_out, silent_names
from ucimpact.methods.design_finding import Finding, enforce

Array = np.ndarray
Control = Literal["never-treated", "not-yet-treated"]
CONTROLS = ("never-treated", "not-yet-treated")


@dataclass(frozen=True, kw_only=True)
class CountDiD:
    """Compare how rates of events moved in pilot units and in others, by ratio.

    Parameters
    ----------
    outcome : str
        Panel column of counts, e.g. emergency admissions; or a rate made of one by ``Panel.with_rate``.
    control_group : {"not-yet-treated", "never-treated"}, default "not-yet-treated"
        Whose rates say how the others would have moved: all units until they start, or those that never do.
    anticipation : int, default 0
        Periods before the start in which the pilot may already have had an effect.
    per : float, optional
        People that rates are told by; left out, 1,000, or what the panel's rate says.
    cov : Auto, CR1 or QuasiPoisson, default Auto()
        How uncertainty is measured; the default counts places and says what it chose.
    level : float, default 0.95
        Coverage of the intervals.
    """

    takes: ClassVar[type] = Panel

    outcome: str
    control_group: Control = "not-yet-treated"
    anticipation: int = 0
    per: float | None = None
    cov: Auto | CR1 | QuasiPoisson = field(default_factory=Auto)
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0.5 <= self.level < 1:
            raise UsageError(f"level = {self.level}: give a number from 0.5 to below 1, such as 0.95")
        if self.control_group not in CONTROLS:
            listed = " or ".join(f'"{choice}"' for choice in CONTROLS)
            raise UsageError(f"control_group = {self.control_group!r}: give {listed}")
        if self.anticipation < 0:
            raise UsageError(f"anticipation = {self.anticipation}: give a number of periods, 0 for none")
        if self.per is not None and not self.per > 0:
            raise UsageError(f"per = {self.per}: give a number of people, such as 1000")
        if not isinstance(self.cov, Auto | CR1 | QuasiPoisson):
            raise UsageError(f"cov = {self.cov!r}: give Auto(), CR1() or QuasiPoisson()")

    def check_design(self, panel: Panel) -> list[Finding]:
        """What these data refuse, and what needs care, before anything is worked out."""
        return lay_out(self, panel)[0]

    def fit(self, panel: Panel) -> Estimate:
        """The effect on the rate (``att``), on the number of events, the ratio, and the path.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        return self._fitted(panel, lambda fit, warnings: fit.estimate(warnings))

    def brief(self, panel: Panel) -> Estimate:
        """The same without its path and its averages, for an analysis that is done again and again.

        Raises
        ------
        DesignError
            As :meth:`fit` does.
        """
        return self._fitted(panel, lambda fit, warnings: fit.headline(warnings))

    def _fitted(self, panel: Panel, told: Callable[[_Fit, tuple[str, ...]], Estimate]) -> Estimate:
        findings, sample = lay_out(self, panel)
        warnings = enforce(findings)
        assert sample is not None
        return told(_Fit(self, sample), warnings)


class _Fit:
    """The steps of one fit, in order."""

    def __init__(self, method: CountDiD, sample: CountSample) -> None:
        self.method, self.sample = method, sample
        whole = Sets(np.where(sample.told, 0, -1), 1)
        main = found_in(sample.expected, whole, 1.0)
        self.rule = choose(
            main,
            sample.expected,
            whole,
            method.cov,
            level=method.level,
            noun=sample.noun,
            dispersion=sample.fit.dispersion,
        )
        ratio = float(np.exp(main.contributions.estimate[0]))
        self.ratio = ratio if np.isfinite(ratio) and ratio > 0 else 1.0
        uncertainty, tau2 = self.rule.uncertainty(main.contributions, whole=True)
        self.main = Family(main, uncertainty, tau2, sample.per, method.level, self.ratio, True)
        self.seed = int(getattr(method.cov, "seed", 1))
        reference = -1 - method.anticipation
        self.path = Path(sample, self.rule, method.level, self.ratio, self.seed, reference)
        self.whole = whole

    def headline(self, warnings: tuple[str, ...]) -> Estimate:
        """The first effects alone."""
        method, sample = self.method, self.sample
        return Estimate(
            method="count-did",
            estimand="ATT",
            outcome=method.outcome,
            effects=effects_frame(self._head()),
            counts=sample.sample.counts | {"pilot_periods": int(sample.told.sum())},
            warnings=warnings + self.rule.warnings,
            spec={f.name: serialise.plain(getattr(method, f.name)) for f in fields(method)},
            provenance=_provenance(self.seed),
            draws_from=_words(self.rule, self.main),
            extras={
                "noun": sample.panel.frequency.noun,
                "rule": {**self.rule.account, "refused": self.rule.refused},
            },
        )

    def estimate(self, warnings: tuple[str, ...]) -> Estimate:
        method, sample, path = self.method, self.sample, self.path
        rows = self._head()
        events = path.rows()
        rows += events + path.average_row() + self._averages()
        silent = silent_names(sample)
        counts = {**sample.sample.counts, "silent_units": len(silent["units"])}
        counts["pilot_periods"] = int(sample.told.sum())
        started = sample.sample
        panel = sample.panel
        extras: dict[str, Any] = {
            "noun": panel.frequency.noun,
            "rule": {**self.rule.account, "refused": self.rule.refused},
            "starts": [
                {
                    "start": panel.frequency.iso(int(start)),
                    "label": panel.frequency.label(int(start)),
                    "units": int((started.start == start).sum()),
                }
                for start in started.cohorts
            ],
            "observed": float(self.main.found.observed[0] * self.main.unit[0]),
            "per": sample.per,
            "reference": {"event_time": path.reference},
            "pre_trend": path.pre_trend(path.family),
            "scales": path.scales(self.main, self._by_level()),
            "silent": silent,
        }
        if len(started.cohorts) == 1:
            extras["comparison"] = comparison_rows(sample)
            if self.rule.account["n1"] == 1:
                extras["placebo"] = placebo(sample, path, self.main)
        return Estimate(
            method="count-did",
            estimand="ATT",
            outcome=method.outcome,
            scale="identity",
            effects=effects_frame(rows),
            cov=self._covariance(rows),
            influence=self._influence(),
            sampling_units=started.place_names,
            counterfactual=counterfactual(sample, self.rule, method.level, self.ratio),
            counts=counts,
            warnings=warnings + self.rule.warnings,
            spec={f.name: serialise.plain(getattr(method, f.name)) for f in fields(method)},
            provenance=_provenance(self.seed),
            draws_from=_words(self.rule, self.main),
            extras=extras,
        )

    # -- rows ----------------------------------------------------------------------------

    def _head(self) -> list[dict[str, Any]]:
        """``att``, ``cumulative``, ``relative`` and ``rate_ratio``: one number on four scales."""
        att = numbers(self.main.rate, 0)
        log = numbers(self.main.log, 0)
        events = 1.0 / float(self.main.unit[0])
        limits = ("estimate", "conf_low", "conf_high")
        kept = {name: log[name] for name in ("df", "p_value")} | {"statistic": log["statistic"]}
        att |= {"statistic": log["statistic"]}
        total = {name: att[name] * events for name in (*limits, "std_error")}
        ratio = float(np.exp(log["estimate"]))
        error = {"std_error": ratio * log["std_error"]}
        return [
            {"term": "att", **att},
            {"term": "cumulative", **kept, **total},
            {"term": "relative", **kept, **error, **{name: float(np.expm1(log[name])) for name in limits}},
            {"term": "rate_ratio", **kept, **error, **{name: float(np.exp(log[name])) for name in limits}},
        ]

    def _averages(self) -> list[dict[str, Any]]:
        """By start, by period, and by both."""
        sample = self.sample
        starts = sample.sample.cohorts
        cohort = np.broadcast_to(sample.counts.cohort[:, None], sample.told.shape)
        period = np.broadcast_to(np.arange(sample.told.shape[1]), sample.told.shape)
        iso = sample.panel.frequency.iso
        ordinals = sample.sample.ordinals
        rows: list[dict[str, Any]] = []
        for term, label in (("group", cohort), ("calendar", period)):
            family, values = self._family(label, held=True)
            at = starts if term == "group" else ordinals
            key = "group" if term == "group" else "period"
            for k, value in enumerate(values):
                rows.append({"term": term, **numbers(family.rate, k), key: iso(int(at[value]))})
            weight = np.ones(len(values))
            if term == "group":
                weight = np.array([float((sample.counts.cohort == value).sum()) for value in values])
            found, _ = family.combined(weight[None, :] / weight.sum())
            rows.append({"term": f"{term}_average", **numbers(found, 0)})
        family, values = self._family(cohort * len(ordinals) + period, held=False)
        for k, value in enumerate(values):
            start, when = divmod(int(value), len(ordinals))
            named = {"group": iso(int(starts[start])), "period": iso(int(ordinals[when]))}
            rows.append({"term": "group_time", **numbers(family.rate, k), **named})
        return rows

    def _family(self, label: Array, *, held: bool) -> tuple[Family, Array]:
        sample = self.sample
        sets, values = sample.sets(label)
        family = family_of(
            sample.expected,
            sets,
            self.rule,
            per=sample.per,
            level=self.method.level,
            ratio=self.ratio,
            held=held,
        )
        return family, values

    def _by_level(self) -> Family:
        """The whole effect where rates and not their logarithms would have moved in parallel."""
        sample = self.sample
        level = expected_by_level(sample.counts, sample.expected)
        return family_of(
            level,
            self.whole,
            self.rule,
            per=sample.per,
            level=self.method.level,
            ratio=self.ratio,
            held=True,
            whole=True,
        )

    # -- uncertainty ---------------------------------------------------------------------

    def _covariance(self, rows: list[dict[str, Any]]) -> Array:
        """Of ``att`` with ``cumulative``, of the events, and of the log events; ``nan`` for other pairs."""
        out = np.full((len(rows), len(rows)), np.nan)
        error = np.array([float(row["std_error"]) for row in rows])
        terms = [row["term"] for row in rows]
        out[np.diag_indices(len(rows))] = error**2
        out[:2, :2] = np.outer(error[:2], error[:2])
        if self.path.family is not None:
            for term in ("event", "event_log"):
                at = np.array([k for k, name in enumerate(terms) if name == term], dtype=np.intp)
                if len(at):
                    out[np.ix_(at, at)] = self.path.family.correlation * np.outer(error[at], error[at])
        return out

    def _influence(self) -> Array:
        """What each place adds to ``att``, shape (n_places, 1)."""
        contributions = self.main.found.contributions
        scale = float(self.main.unit[0] * self.main.found.expected[0])
        return np.asarray(contributions.added.T * scale)


def _words(rule: Rule, main: Family) -> str:
    if rule.kind == "auto" and np.isfinite(main.uncertainty.df[0]):
        return f"{rule.name} ({main.uncertainty.df[0]:.1f} degrees of freedom)"
    return rule.name


def _provenance(seed: int) -> dict[str, Any]:
    from ucimpact import __version__

    return {"version": __version__, "seed": seed}
