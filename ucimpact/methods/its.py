r"""Interrupted time series: one service or area, before and after a date.

.. math:: y_t = \alpha + \beta t + \delta\,1\{t \ge t_1\} + \gamma\,(t - t_1)\,1\{t \ge t_1\}
   + \text{season}_t + u_t, \qquad u_t = \rho u_{t-1} + \epsilon_t

:math:`t_1` is the first period that counts after the start. :math:`\delta` is the change in that
period, :math:`\gamma` the change of slope per period, and the effect in period :math:`t` is
:math:`\delta + \gamma(t - t_1)`. It is the pilot's effect if, without the pilot, the line and the
season from before would have gone on: nothing else changed at that date, and the pilot did not start
because of a peak. One series cannot check that; a comparison series or a log of other changes can.

Each effect is one contrast :math:`c'\beta` with the variance of the whole sum, never a sum of
monthly limits. With the average effect :math:`a'\beta` and the expected mean over the same periods
:math:`e'\beta`, the interval of the relative effect :math:`\theta = a'\beta / e'\beta` holds every
:math:`\theta` at which the same procedure finds :math:`(a - \theta e)'\beta = 0` credible [1]_: it
leaves out 0 exactly when the average's does.

The interval is that of :mod:`ucimpact.inference.timeseries`: REML for :math:`\rho`, Kenward-Roger
variance, Satterthwaite degrees of freedom, and the average over :math:`\rho` where those are under 5.
From 36 periods on it is averaged over errors that remember two periods
(:mod:`ucimpact.inference.second_order`): an AR(1) taken for granted covers too seldom where they do.

Other shapes of the change, and other changes in the same series, are columns alike:
:mod:`ucimpact.methods.series_changes`. Not for counts with a mean under 20, nor for two changes close
together. Fewer than two years before the start cannot tell season from change: the estimate says so.
The segmented form is that of [2]_, the case for REML in short series [3]_.

References
----------
.. [1] Fieller, E. C. (1954). Some problems in interval estimation. *JRSS B* 16(2), 175-185.
.. [2] Bernal, J. L., Cummins, S. and Gasparrini, A. (2017). Interrupted time series regression for
   the evaluation of public health interventions. *Int. J. Epidemiology* 46(1), 348-355.
.. [3] Turner, S. L. et al. (2021). Evaluation of statistical methods used to analyse interrupted time
   series studies. *BMC Medical Research Methodology* 21, 181.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ucimpact import serialise
from ucimpact.data.series import Series
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.fitted_series import FittedSeries
from ucimpact.inference.residuals import ljung_box
from ucimpact.inference.timeseries import Reml
from ucimpact.methods import its_findings
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.its_design import SegmentedDesign
from ucimpact.methods.its_ranges import ROUTES, Ranges, covariance
from ucimpact.methods.series_account import coefficients, lags, placebo_dates, season_account
from ucimpact.methods.series_alternatives import (
    covid_choices,
    depends_on_covid,
    depends_on_trend,
    trend_choices,
)
from ucimpact.methods.series_choices import SeriesChoices
from ucimpact.methods.series_errors import SeriesErrors, on_errors, unknown_errors
from ucimpact.methods.series_realised import realised
from ucimpact.methods.series_season import widened


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solved:
    """A series fitted: rows of effects, with the contrast along which each moves."""

    warnings: tuple[str, ...]
    design: SegmentedDesign
    fit: FittedSeries
    ranges: Ranges
    contrasts: dict[str, np.ndarray]
    rows: list[dict[str, Any]]
    directions: list[np.ndarray]
    relative: float
    routes: dict[str, str]
    dfs: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class InterruptedTimeSeries(SeriesChoices):
    """Compare a series after a date with its own path before.

    Parameters
    ----------
    outcome : str
        Series column in natural units: a rate, or counts with a mean of 20 or more.
    errors : default Reml()
        ``Reml()``; or, for comparison with other programs, ``Ols()``, ``Ml()``, ``Arma(p, q, method)``,
        ``PraisWinsten()``, ``NeweyWest(lags, prewhite, adjust)`` or ``Hac(prewhite, adjust)``. In a study
        file by name: ``errors = "NeweyWest"``.
    """

    widens_for_season: ClassVar[bool] = True

    errors: SeriesErrors = field(default_factory=Reml)

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        return wrong + unknown_errors(self.errors)

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out. Nothing is fitted."""
        found = super().check_design(data)
        if any(finding.level == "refuse" for finding in found):
            return found
        design = self.design(data)
        found += its_findings.small_counts(data, design, outcome=self.outcome)
        return found + on_errors(data, design, self.errors)

    def fit(self, data: Series) -> Estimate:
        """Return the average effect after the start, then those it is made of and those that follow."""
        solved = self._solved(data)
        design, fit, ranges, contrasts = solved.design, solved.fit, solved.ranges, solved.contrasts
        fresh = fit.whitened(fit.residuals, design.used)
        left_over = ljung_box(
            fresh,
            fit.whitened(design.named, design.used),
            design.used,
            lags(data, design),
            fitted=fit.fitted,
        )
        rows, directions = list(solved.rows), list(solved.directions)
        if total := realised(design, self.errors, self.level):
            rows.append(total)
            directions.append(np.full_like(directions[0], np.nan))
        effects = effects_frame(rows)
        counterfactual = self._counterfactual(data, design, fit, ranges)
        warnings = solved.warnings + tuple(
            its_findings.care(
                data,
                design,
                fit,
                left_over=left_over,
                routes=solved.routes,
                dfs=solved.dfs,
                counterfactual=counterfactual,
                relative=solved.relative,
            )
        )
        shown = covid_choices(self, data, lambda other: other._average(data))
        trends = trend_choices(self, data, lambda other: other._average(data))
        warnings += (*depends_on_covid(shown, rows[0]), *depends_on_trend(trends, rows[0]))
        extras = self._account(data, solved) | {
            "coefficients": coefficients(design, fit),
            "residuals": np.where(design.used, fresh, np.nan),
            "ljung_box": {
                "statistic": left_over.statistic,
                "lags": left_over.lags,
                "p_value": left_over.p_value,
            },
            "as_ar1": ranges.beside(contrasts),
            "trend_choices": trends,
            **({"covid_choices": shown} if shown else {}),
            **placebo_dates(data, design, fit, self.errors, self.level),
        }
        cov = covariance(effects["std_error"].to_numpy(), np.vstack(directions), fit)
        return replace(
            self._told(data, solved, effects, warnings, extras), cov=cov, counterfactual=counterfactual
        )

    def brief(self, data: Series) -> Estimate:
        """The effects of :meth:`fit` and how sure they are, without the path and what is asked of it.

        The realised total, placebo dates and other ways of treating trend and COVID are left out too: a
        tenth of the time.
        """
        solved = self._solved(data)
        effects = effects_frame(solved.rows)
        return self._told(data, solved, effects, solved.warnings, self._account(data, solved))

    def _solved(self, data: Series) -> _Solved:
        """The regression, its effects and how each range came about."""
        warnings = enforce(self.check_design(data))
        design = self.design(data)
        fit = self.errors.of(design.y, design.x)
        contrasts, later = design.contrasts(), design.at_periods(data.frequency)
        ranges = self._ranges(design, fit)
        relative, towards = ranges.relative(contrasts["average"], design.expected_average())
        rows = ranges.rows([*contrasts.items(), *(("effect_at", contrast) for contrast in later.values())])
        rows.insert(len(contrasts), relative)
        for row, since in zip(rows[len(contrasts) + 1 :], later, strict=True):
            row["event_time"] = since
        directions = [*contrasts.values(), towards, *later.values()]
        return _Solved(
            warnings=warnings,
            design=design,
            fit=fit,
            ranges=ranges,
            contrasts=contrasts,
            rows=[
                self._with_season(design, fit, row, contrast)
                for row, contrast in zip(rows, directions, strict=True)
            ],
            directions=directions,
            relative=float(relative["estimate"]),
            routes={term: ranges.route(term, contrast) for term, contrast in contrasts.items()},
            dfs={term: float(fit.dfs(contrast)[0]) for term, contrast in contrasts.items()},
        )

    def _account(self, data: Series, solved: _Solved) -> dict[str, Any]:
        """What was fitted, in plain values."""
        design, fit = solved.design, solved.fit
        return {
            "noun": data.frequency.noun,
            "rho": fit.rho,
            "sigma": fit.sigma,
            "season": season_account(design),
            "before": int(design.before.sum()),
            "after": int(design.after.sum()),
            "n": int(design.used.sum()),
            "df": solved.dfs,
            "route": solved.routes,
            "errors": fit.account(),
        }

    def _told(
        self,
        data: Series,
        solved: _Solved,
        effects: pd.DataFrame,
        warnings: tuple[str, ...],
        extras: dict[str, Any],
    ) -> Estimate:
        design = solved.design
        return Estimate(
            method="its",
            estimand="average effect after the start",
            outcome=self.outcome,
            effects=effects,
            counts=data.counts() | {"used": int(design.used.sum()), "left_out": design.left_out},
            warnings=warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            draws_from=ROUTES[solved.routes["average"]].format(df=solved.dfs["average"]),
            extras=serialise.plain(extras),
        )

    def _ranges(self, design: SegmentedDesign, fit: FittedSeries) -> Ranges:
        average = design.contrasts()["average"]
        return Ranges.of(fit, average, used=int(design.used.sum()), level=self.level)

    def _average(self, data: Series) -> dict[str, Any]:
        """The row of the average effect and nothing else."""
        design = self.design(data)
        fit = self.errors.of(design.y, design.x)
        contrast = design.contrasts()["average"]
        return self._with_season(design, fit, self._ranges(design, fit).row("average", contrast), contrast)

    def _with_season(
        self, design: SegmentedDesign, fit: FittedSeries, row: dict[str, Any], contrast: np.ndarray
    ) -> dict[str, Any]:
        """A row with what not knowing a season from elsewhere adds to it."""
        if design.profile is None:
            return row
        adds = float(design.profile.adds(design, fit, contrast)[0])
        return widened(row, adds, df=design.residual_df, level=self.level)

    def _counterfactual(
        self, data: Series, design: SegmentedDesign, fit: FittedSeries, ranges: Ranges
    ) -> pd.DataFrame:
        """What was expected in every period without the pilot; before the start, the fitted path.

        The limits are of the expected mean, by the procedure of the average effect. ``running`` marks the
        periods over which effects are averaged and summed, which a pulse or a temporary pilot leaves again.
        """
        limits = ranges.procedure("average", ranges.average).limits(design.expected, self.level)
        if design.profile is not None:
            middle = limits.mean(axis=1, keepdims=True)
            error = np.ptp(limits, axis=1) / 2 / stdtrit(design.residual_df, (1 + self.level) / 2)
            adds = design.profile.adds(design, fit, design.expected)
            share = np.divide(adds, error**2, out=np.zeros_like(adds), where=error > 0)
            limits = middle + (limits - middle) * np.sqrt(1 + share)[:, None]
        return pd.DataFrame(
            {
                "period": [data.frequency.iso(int(o)) for o in data.ordinals],
                "label": data.labels(),
                "since": design.since,
                "observed": data.values(self.outcome),
                "expected": fit.estimates(design.expected),
                "low": limits[:, 0],
                "high": limits[:, 1],
                "used": design.used,
                "running": design.shape.runs(design.since),
            }
        )
