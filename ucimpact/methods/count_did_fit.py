"""From what was expected without the pilot to an Estimate, for every method with a log link.

One log ratio gives the difference of rates, the total and the ratio; the path, the averages, the two scales
and what was expected follow from the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from ucimpact import serialise
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.count_effects import Found, Sets, expected_by_level, found_in
from ucimpact.inference.count_rule import Rule
from ucimpact.methods.count_did_path import Path, comparison_rows, counterfactual, placebo
from ucimpact.methods.count_did_rows import Family, family_of, numbers
from ucimpact.methods.count_did_sample import CountSample, silent_names

Array = np.ndarray


class RatioMethod(Protocol):
    """What is read of a method."""

    @property
    def outcome(self) -> str: ...

    @property
    def anticipation(self) -> int: ...

    @property
    def level(self) -> float: ...


class RuleOf(Protocol):
    """Which rule decides how sure the main effect is."""

    def __call__(self, main: Found, sample: CountSample, whole: Sets) -> Rule: ...


class RatioFit:
    """The steps of one fit, in order.

    Parameters
    ----------
    method : RatioMethod
        A dataclass whose fields are the analysis choices.
    key : str
        Its key in the register.
    sample : CountSample
    rule : RuleOf
    seed : int
        Of the draws behind bands.
    """

    def __init__(
        self, method: RatioMethod, key: str, sample: CountSample, rule: RuleOf, seed: int = 1
    ) -> None:
        self.method, self.key, self.sample, self.seed = method, key, sample, seed
        whole = Sets(np.where(sample.told, 0, -1), 1)
        main = found_in(sample.expected, whole, 1.0)
        self.rule = rule(main, sample, whole)
        ratio = float(np.exp(main.contributions.estimate[0]))
        self.ratio = ratio if np.isfinite(ratio) and ratio > 0 else 1.0
        uncertainty, tau2 = self.rule.uncertainty(main.contributions, whole=True)
        self.main = Family(main, uncertainty, tau2, sample.per, method.level, self.ratio, True)
        reference = -1 - method.anticipation
        self.path = Path(sample, self.rule, method.level, self.ratio, self.seed, reference)
        self.whole = whole

    def headline(self, warnings: tuple[str, ...]) -> Estimate:
        """The first effects alone."""
        method, sample = self.method, self.sample
        return Estimate(
            method=self.key,
            estimand="ATT",
            outcome=method.outcome,
            effects=effects_frame(self._head()),
            counts=sample.sample.counts | {"pilot_periods": int(sample.told.sum())},
            warnings=warnings + self.rule.warnings,
            spec=_spec(method),
            provenance=_provenance(self.seed),
            draws_from=_words(self.rule, self.main),
            extras={
                "noun": sample.panel.frequency.noun,
                "rule": {**self.rule.account, "refused": self.rule.refused},
            },
        )

    def estimate(self, warnings: tuple[str, ...], extras: Mapping[str, Any] | None = None) -> Estimate:
        """Everything: effects, path, averages, what was expected."""
        method, sample, path = self.method, self.sample, self.path
        rows = self._head()
        events = path.rows()
        rows += events + path.average_row() + self._averages()
        silent = silent_names(sample)
        counts = {**sample.sample.counts, "silent_units": len(silent["units"])}
        counts["pilot_periods"] = int(sample.told.sum())
        started = sample.sample
        panel = sample.panel
        told: dict[str, Any] = {
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
            "reference": {
                "event_time": path.reference,
                **({"moved": int(path.moved.sum())} if path.moved.any() else {}),
            },
            "pre_trend": path.pre_trend(path.family),
            "scales": path.scales(self.main, self._by_level()),
            "silent": silent,
        }
        if len(started.cohorts) == 1:
            told["comparison"] = comparison_rows(sample)
            if self.rule.account["n1"] == 1:
                told["placebo"] = placebo(sample, path, self.main)
        return Estimate(
            method=self.key,
            estimand="ATT",
            outcome=method.outcome,
            scale="identity",
            effects=effects_frame(rows),
            cov=self._covariance(rows),
            influence=self._influence(),
            sampling_units=started.place_names,
            counterfactual=counterfactual(sample, self.rule, method.level, self.ratio),
            counts=counts,
            warnings=warnings + self.rule.warnings + path.warnings(),
            spec=_spec(method),
            provenance=_provenance(self.seed),
            draws_from=_words(self.rule, self.main),
            extras={**told, **(extras or {})},
        )

    @property
    def exposure(self) -> float:
        """What turns an effect on the rate into a total: people with the pilot by period, over ``per``."""
        counts = self.sample.counts
        weights = np.where(counts.weights > 0, counts.weights, 1.0)
        return float((counts.people / weights)[self.sample.told].sum() / self.sample.per)

    # -- rows ----------------------------------------------------------------------------

    def _head(self) -> list[dict[str, Any]]:
        """``att``, ``cumulative``, ``relative`` and ``rate_ratio``: one number on four scales."""
        att = numbers(self.main.rate, 0)
        log = numbers(self.main.log, 0)
        events = self.exposure
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


def _spec(method: RatioMethod) -> dict[str, Any]:
    names = [f.name for f in fields(method)]  # type: ignore[arg-type]
    return {name: serialise.plain(getattr(method, name)) for name in names}


def _provenance(seed: int) -> dict[str, Any]:
    from ucimpact import __version__

    return {"version": __version__, "seed": seed}
