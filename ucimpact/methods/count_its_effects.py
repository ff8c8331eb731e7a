r"""The effects of a series of counts: ratios first, then what they come to in events and in rates.

With :math:`\theta` the log of what happened over what was expected and :math:`Y_1` the events seen with the
pilot, the total effect is :math:`Y_1(1 - e^{-\theta})`: events avoided are its negative. Both ends are
transformed, so that nothing implies fewer than no events, and the range leaves out 0 exactly when that of the
ratio does. The average is the total over the number of periods, or over the people where there is a rate.
Where few events were seen with the pilot the lower end is held to what was expected, see :func:`held`.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    theta = log_average(fit, design.ratio(fit.coef), level)
    return in_numbers(design, fit, level, theta, seen * design.each, "average", design.totals(fit.coef))


def held(
    row: Mapping[str, Any], seen: Any, without: Mapping[str, Any], with_it: Mapping[str, Any]
) -> dict[str, Any]:
    r"""The lower limit and the error of an effect in numbers where few events were seen with the pilot.

    The ratio of what was expected to next to nothing has no upper limit to speak of, and what was expected
    has. With limits of both log means the difference is no lower than (Zou and Donner 2008)

    .. math:: d - \sqrt{(\mu^1 - l^1)^2 + (u^0 - \mu^0)^2}

    and the limit is the higher of the two, never on the other side of 0 than that of the ratio.

    Parameters
    ----------
    row : mapping
        The effect in numbers from the ratio.
    seen : float or array
        The mean with the pilot, in the same units.
    without, with_it : mapping
        Log means without and with the pilot, with their limits; only distances from their estimates count.
    """
    expected = seen - row["estimate"]
    below = -seen * np.expm1(with_it["conf_low"] - with_it["estimate"])
    above = expected * np.expm1(without["conf_high"] - without["estimate"])
    bound = np.minimum(row["estimate"] - np.hypot(below, above), 0.0)
    error = np.hypot(seen * with_it["std_error"], expected * without["std_error"])
    return {"conf_low": np.maximum(row["conf_low"], bound), "std_error": np.minimum(row["std_error"], error)}


def in_numbers(
    design: CountDesign,
    fit: CountFit,
    level: float,
    log_row: Row,
    seen: float,
    term: str,
    means: tuple[np.ndarray, np.ndarray],
) -> Row:
    """An effect in numbers from the log ratio of the second of two log means to the first, as contrasts."""
    row = as_counts(log_row, seen, term)
    if not design.few:
        return row
    row |= held(row, seen, *(fit.row(contrast, level) for contrast in means))
    return row | {"statistic": row["estimate"] / row["std_error"] if row["std_error"] > 0 else np.nan}


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

    def _counts(self, log_row: Row, seen: float, term: str, without: np.ndarray, with_it: np.ndarray) -> Row:
        return in_numbers(self.design, self.fit, self.level, log_row, seen, term, (without, with_it))

    def _build(self) -> None:
        design, segments, towards = self.design, self.design.segments, self.ratio.towards
        theta = log_average(self.fit, self.ratio, self.level)
        seen = float(design.y[segments.after].sum())
        logs = {name: design.narrow(c) for name, c in segments.contrasts().items()}
        later = {since: design.narrow(c) for since, c in segments.at_periods(design.data.frequency).items()}
        totals = design.totals(self.fit.coef)
        self._add(self._counts(theta, seen * design.each, "average", *totals), towards)
        if "level_change" in logs:
            self._add(self._at(design.whole(), logs["level_change"], "level_change"), logs["level_change"])
        self._add(self._counts(theta, seen, "cumulative", *totals), towards)
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
        without = design.narrow(design.segments.expected[at])
        with_it = without + contrast
        mean = float(np.exp(design.series.offset[at] + with_it @ self.fit.coef)) * design.unit[at]
        return self._counts(self._log(contrast), mean, term, without, with_it)

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
