"""A segmented regression of one series, fitted: the parts that methods on several series share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ucimpact.inference.mixture import TMixture
from ucimpact.inference.residuals import LjungBox, innovations, ljung_box
from ucimpact.inference.timeseries import Ar1Fit, Reml
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_ranges import Ranges

PATTERN = 0.05
"""Chance in the residual check below which what is left over has a pattern."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesFit:
    """A design with its REML fit.

    Attributes
    ----------
    design : SegmentedDesign
    fit : Ar1Fit
    lags : int
        Of the residual check.
    level : float
        Coverage of the intervals.
    """

    design: SegmentedDesign
    fit: Ar1Fit
    lags: int
    level: float

    @classmethod
    def of(cls, design: SegmentedDesign, *, lags: int, level: float) -> SeriesFit:
        """The fit of a design."""
        return cls(design=design, fit=Reml().of(design.y, design.x), lags=lags, level=level)

    @cached_property
    def fresh(self) -> np.ndarray:
        """What is new in each period after what carried over, shape (n,); 0 where not used."""
        return innovations(self.fit.residuals, self.fit.rho, self.design.used)

    @cached_property
    def left_over(self) -> LjungBox:
        """Whether the residuals still have a pattern."""
        used = self.design.used
        named = innovations(self.design.named, self.fit.rho, used)
        return ljung_box(self.fresh, named, used, self.lags, fitted=int(self.fit.var_rho > 0))

    def ranges(self, average: np.ndarray) -> Ranges:
        """The intervals, where ``average`` (p,) is the contrast of the average effect."""
        return Ranges.of(self.fit, average, used=int(self.design.used.sum()), level=self.level)

    @property
    def ljung_box(self) -> dict[str, Any]:
        """The residual check as plain values."""
        found = self.left_over
        return {"statistic": found.statistic, "lags": found.lags, "p_value": found.p_value}


@dataclass(frozen=True, kw_only=True, eq=False)
class LogRatio:
    r"""The log of what was seen over what was expected, after the start, and the contrast it moves along.

    .. math:: \theta = \log\sum_A \mu^1_t - \log\sum_A \mu^0_t, \qquad
       g = \frac{\sum_A \dot\mu^1_t}{\sum_A \mu^1_t} - \frac{\sum_A \dot\mu^0_t}{\sum_A \mu^0_t}

    where :math:`\mu^1` and :math:`\mu^0` are the means with and without the pilot and a dot is the gradient
    by the coefficients.

    Attributes
    ----------
    theta : float
    towards : array (p,)
    """

    theta: float
    towards: np.ndarray

    @classmethod
    def of_log_means(cls, log_means: np.ndarray, with_it: np.ndarray, without: np.ndarray) -> LogRatio:
        """Of a log-linear model.

        Parameters
        ----------
        log_means : array (m, 2)
            Log mean of each period with and without the pilot.
        with_it, without : array (m, p)
            The rows of the design.
        """
        means = np.exp(log_means - log_means.max())
        shares = means / means.sum(axis=0)
        theta = float(np.log(means[:, 0].sum()) - np.log(means[:, 1].sum()))
        return cls(theta=theta, towards=shares[:, 0] @ with_it - shares[:, 1] @ without)

    @classmethod
    def of_means(cls, average: np.ndarray, expected: np.ndarray, coef: np.ndarray) -> LogRatio:
        """Of a linear model, from the contrasts of the average effect and of the expected mean.

        The ratio is ``nan`` where either mean is not above 0.
        """
        without = float(expected @ coef)
        with_it = without + float(average @ coef)
        if not (without > 0 and with_it > 0):
            return cls(theta=np.nan, towards=np.full_like(average, np.nan))
        towards = (average + expected) / with_it - expected / without
        return cls(theta=float(np.log(with_it / without)), towards=towards)

    def row(self, ranges: Ranges, coef: np.ndarray, term: str = "log_average") -> dict[str, Any]:
        """The log ratio with its interval: that of its contrast, moved to where it lies."""
        if not np.isfinite(self.theta):
            return {"term": term, "estimate": np.nan}
        found = ranges.row("average", self.towards)
        shift = self.theta - float(self.towards @ coef)
        moved = {name: found[name] + shift for name in ("estimate", "conf_low", "conf_high")}
        procedure = ranges.procedure("average", self.towards)
        assert isinstance(procedure, Ar1Fit | TMixture)
        there = replace(procedure, coef=procedure.coef + self.towards * shift / (self.towards @ self.towards))
        chance = float(there.below(self.towards)[0])
        statistic = self.theta / found["std_error"] if found["std_error"] > 0 else np.nan
        p_value = 2 * min(chance, 1 - chance)
        return {**found, **moved, "term": term, "statistic": statistic, "p_value": p_value}


def as_counts(log_row: dict[str, Any], seen: float, term: str) -> dict[str, Any]:
    r"""An effect in numbers from the log ratio: :math:`d = s(1 - e^{-\theta})` of what was seen, s.

    Both limits are transformed, so the interval leaves out 0 exactly when that of the ratio does.
    """
    if not np.isfinite(log_row["estimate"]):
        return {"term": term, "estimate": np.nan}
    low, estimate, high = (
        -seen * float(np.expm1(-log_row[name])) for name in ("conf_low", "estimate", "conf_high")
    )
    error = abs(seen) * float(np.exp(-log_row["estimate"])) * log_row["std_error"]
    statistic = estimate / error if error > 0 else np.nan
    named = {"estimate": estimate, "std_error": error, "statistic": statistic}
    return {**log_row, **named, "term": term, "conf_low": low, "conf_high": high}


def as_share(log_row: dict[str, Any], term: str = "relative") -> dict[str, Any]:
    r"""The log ratio as a share of what was expected: :math:`e^\theta - 1`."""
    if not np.isfinite(log_row["estimate"]):
        return {"term": term, "estimate": np.nan}
    low, estimate, high = (float(np.expm1(log_row[name])) for name in ("conf_low", "estimate", "conf_high"))
    error = (1 + estimate) * log_row["std_error"]
    statistic = estimate / error if error > 0 else np.nan
    named = {"estimate": estimate, "std_error": error, "statistic": statistic}
    return {**log_row, **named, "term": term, "conf_low": low, "conf_high": high}
