r"""The effects of a series of counts: ratios first, then what they come to in events and in rates.

With :math:`\theta` the log of what happened over what was expected and :math:`Y_1` the events seen with the
pilot, the total effect is :math:`Y_1(1 - e^{-\theta})`: events avoided are its negative. Both ends are
transformed, so that nothing implies fewer than no events, and the range leaves out 0 exactly when that of the
ratio does. The average is the total over the number of periods, or over the people where there is a rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ucimpact.errors import EstimationError
from ucimpact.inference.count_series_errors import (
    CountErrors,
    CountFit,
    HacPoisson,
    NegativeBinomial,
)
from ucimpact.methods.count_its_design import CountDesign
from ucimpact.methods.series_fit import LogRatio, as_counts, as_share

LEAST_DF = 3
"""Periods before the start less terms under which nothing is foretold."""

Row = dict[str, Any]


def log_average(fit: CountFit, ratio: LogRatio, level: float) -> Row:
    """The log of what happened over what was expected, with its interval."""
    shift = ratio.theta - float(ratio.towards @ fit.coef)
    return {"term": "log_average", **fit.row(ratio.towards, level, shift=shift)}


def average_of(design: CountDesign, fit: CountFit, level: float) -> Row:
    """The row of the average effect and nothing else."""
    seen = float(design.y[design.segments.after].sum())
    return as_counts(log_average(fit, design.ratio(fit.coef), level), seen * design.each, "average")


class CountEffects:
    """The rows of a fitted series, and the covariance of those that came together.

    Parameters
    ----------
    design : CountDesign
    fit : CountFit
    level : float
        Coverage of the intervals.
    """

    def __init__(self, design: CountDesign, fit: CountFit, level: float) -> None:
        self.design, self.fit, self.level = design, fit, level
        self.ratio = design.ratio(fit.coef)
        self.rows: list[Row] = []
        self._directions: list[np.ndarray] = []
        self._build()

    @property
    def route(self) -> str:
        """Key of the procedure of the headline, see ``inference.count_series_errors.ROUTES``."""
        return self.fit.decided(self.ratio.towards)[0]

    @property
    def routes(self) -> dict[str, str]:
        """Key of the procedure of each effect, by its term."""
        known = zip(self.rows, self._directions, strict=True)
        return {row["term"]: self.fit.decided(c)[0] for row, c in known if np.isfinite(c).all()}

    def dfs(self, *, modelled: bool) -> dict[str, float]:
        """Degrees of freedom of each effect by its term: how many independent periods the series is worth.

        Satterthwaite's of the weighted AR(1) where what carries over is ``modelled``.
        """
        known = zip(self.rows, self._directions, strict=True)
        contrasts = {row["term"]: c for row, c in known if np.isfinite(c).all()}
        if not modelled:
            return dict.fromkeys(contrasts, float(self.design.series.residual_df))
        wide = self.fit.padded(np.vstack(list(contrasts.values())))
        found = self.design.series.reml.dfs(wide)
        return {term: float(df) for term, df in zip(contrasts, found, strict=True)}

    def _log(self, contrast: np.ndarray) -> Row:
        return self.fit.row(contrast, self.level)

    def _add(self, row: Row, direction: np.ndarray | None, **more: Any) -> None:
        self.rows.append({**row, **more})
        nothing = np.full(self.design.series.columns, np.nan)
        self._directions.append(nothing if direction is None else direction)

    def _build(self) -> None:
        design, segments, towards = self.design, self.design.segments, self.ratio.towards
        theta = log_average(self.fit, self.ratio, self.level)
        seen = float(design.y[segments.after].sum())
        logs = {name: design.narrow(c) for name, c in segments.contrasts().items()}
        later = {since: design.narrow(c) for since, c in segments.at_periods(design.data.frequency).items()}
        self._add(as_counts(theta, seen * design.each, "average"), towards)
        if "level_change" in logs:
            first = int(np.flatnonzero(segments.after)[0])
            self._add(
                self._at(first, design.narrow(segments.effect[first]), "level_change"), logs["level_change"]
            )
        self._add(as_counts(theta, seen, "cumulative"), towards)
        self._add(as_share(theta), towards)
        self._add(theta, towards)
        for name in ("level_change", "slope_change"):
            if name in logs:
                self._add({"term": f"log_{name}", **self._log(logs[name])}, logs[name])
        for since, contrast in later.items():
            at = int(np.flatnonzero(segments.since == since)[0])
            self._add(self._at(at, contrast, "effect_at"), contrast, event_time=since)

    def _at(self, at: int, contrast: np.ndarray, term: str) -> Row:
        """The effect in one period, in the units of effects, from its log ratio."""
        design = self.design
        with_it = design.narrow(design.segments.expected[at] + design.segments.effect[at])
        mean = float(np.exp(design.series.offset[at] + with_it @ self.fit.coef)) * design.unit[at]
        return as_counts(self._log(contrast), mean, term)

    def realised(self, errors: CountErrors) -> None:
        """Add the total that the pilot's periods really differed by, with the noise of those periods.

        It is foretold from the periods before alone. Newey and West's variance and the negative binomial have
        no forecast with them, and where something stands in the later periods that was not there before there
        is nothing to foretell from.
        """
        if isinstance(errors, (HacPoisson, NegativeBinomial)) or self.design.before is None:
            return
        before, which = self.design.before
        if before.residual_df < LEAST_DF or np.linalg.matrix_rank(before.x[before.used]) < before.columns:
            return
        try:
            fit = errors.of(before)
            total, contrast = before.foretold(which)
        except EstimationError:
            return
        shift = float(np.log(total))
        log_expected = fit.row(contrast, self.level, shift=shift)
        observed = float(self.design.y[which].sum())
        estimate = observed - float(np.exp(log_expected["estimate"]))
        error = float(np.exp(log_expected["estimate"])) * log_expected["std_error"]
        chance = fit.row(contrast, self.level, shift=shift - float(np.log(max(observed, 0.5))))["p_value"]
        row = {
            "term": "cumulative_realised",
            "estimate": estimate,
            "std_error": error,
            "statistic": estimate / error,
            "df": log_expected["df"],
            "p_value": chance,
            "conf_low": observed - float(np.exp(log_expected["conf_high"])),
            "conf_high": observed - float(np.exp(log_expected["conf_low"])),
        }
        self._add(row, None)

    def covariance(self) -> np.ndarray:
        """Covariance of the rows: each with its own standard error, correlated as the ratios are."""
        directions = np.vstack(self._directions)
        joint = directions @ self.fit.cov @ directions.T
        spread = np.sqrt(np.diag(joint))
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = joint / np.outer(spread, spread)
        np.fill_diagonal(correlation, 1.0)
        errors = np.array([row["std_error"] for row in self.rows])
        return np.asarray(np.outer(errors, errors) * correlation)

    def counterfactual(self) -> pd.DataFrame:
        """What was expected in every period without the pilot, in the units of the effects."""
        design, data = self.design, self.design.data
        without = design.narrow(design.segments.expected)
        limits = self.fit.limits(without, self.level, leader=self.ratio.towards)
        scale = design.exposure * design.unit
        return pd.DataFrame(
            {
                "period": [data.frequency.iso(int(o)) for o in data.ordinals],
                "label": data.labels(),
                "since": design.segments.since,
                "observed": data.values(design.outcome) * design.unit,
                "expected": np.exp(without @ self.fit.coef) * scale,
                "low": np.exp(limits[:, 0]) * scale,
                "high": np.exp(limits[:, 1]) * scale,
                "used": design.segments.used,
            }
        )
