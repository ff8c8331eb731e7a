r"""Interrupted time series of counts: events in one service or area, before and after a date.

.. math:: E(y_t) = n_t \exp\{\alpha + \beta t + \delta\,1\{t \ge t_1\}
   + \gamma\,(t - t_1)\,1\{t \ge t_1\} + \text{season}_t\}

:math:`n_t` are the people at risk times the length of the period; without a population the length alone, so
that a short February is no fall. :math:`\delta` is the log of the ratio in the first period that counts after
the start and :math:`\gamma` its change per period. The headline comes from the ratio over all of them,

.. math:: \theta = \log \sum_A \mu_t - \log \sum_A \mu^0_t,

with :math:`\mu^0` the mean without the pilot: a total of :math:`Y_1(1 - e^{-\theta})` events where
:math:`Y_1` were seen, that over the periods or the people for the average, and :math:`e^\theta - 1` as a
share of what was expected. So they never disagree, and no range implies fewer than no events.

It is the pilot's effect if, without the pilot, the *ratio* by which the rate moved each period and the season
from before would have gone on: nothing else changed at that date, the way of counting least of all, and the
pilot did not start because of a peak.

Rates wander [2]_, and counts vary by chance on top. How much of the variation is which cannot be learned
from a few dozen months, so the interval is averaged over it
(:mod:`ucimpact.inference.count_series_errors`). The quasi-Poisson interval of the usual tutorial [1]_ and
Newey and West's are too narrow where rates wander (``docs/methods/count_its.md``). They can be asked for,
to compare.

References
----------
.. [1] Bernal, J. L., Cummins, S. and Gasparrini, A. (2017). Interrupted time series regression for
   the evaluation of public health interventions. *Int. J. Epidemiology* 46(1), 348-355.
.. [2] Zeger, S. L. (1988). A regression model for time series of counts. *Biometrika* 75(4), 621-629.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ucimpact import serialise
from ucimpact.data.series import Series
from ucimpact.errors import DesignError, EstimationError
from ucimpact.estimate import Estimate, effects_frame
from ucimpact.inference.count_series_errors import (
    ROUTES,
    CountErrors,
    CountFit,
    HacPoisson,
    Mixture,
    NegativeBinomial,
    QuasiPoisson,
    WeightedReml,
)
from ucimpact.methods import count_its_design, count_its_findings
from ucimpact.methods.count_its_checks import carried_over, left_over, placebo_dates
from ucimpact.methods.count_its_design import CountChoices, CountDesign
from ucimpact.methods.count_its_effects import CountEffects, average_of
from ucimpact.methods.design_finding import Finding, enforce
from ucimpact.methods.series_account import season_account
from ucimpact.methods.series_alternatives import (
    covid_choices,
    depends_on_covid,
    depends_on_trend,
    trend_choices,
)


@dataclass(frozen=True, kw_only=True)
class CountITS(CountChoices):
    """Compare counts after a date with their own path before, by ratio.

    Parameters
    ----------
    outcome : str
        Series column of counts: whole numbers of events. The people at risk are the series' population.
    errors : Mixture, WeightedReml, QuasiPoisson, NegativeBinomial or HacPoisson, default Mixture()
        How uncertainty is measured: ``Mixture()`` averages over how much of the variation carries over;
        ``WeightedReml()`` takes an AR(1) for all of it. The other three are for comparison and too narrow
        where rates wander.
    """

    errors: Mixture | WeightedReml | QuasiPoisson | NegativeBinomial | HacPoisson = field(
        default_factory=Mixture
    )

    def wrong_choices(self) -> list[str]:
        """What is wrong with the fields, whatever the data."""
        wrong = super().wrong_choices()
        if not isinstance(self.errors, CountErrors):
            wrong.append(
                "errors must be Mixture(), WeightedReml(), QuasiPoisson(), NegativeBinomial() or HacPoisson()"
            )
        return wrong

    def check_design(self, data: Series) -> list[Finding]:
        """What speaks against this analysis of these data, each with the way out."""
        found = super().check_design(data)
        if any(finding.level == "refuse" for finding in found):
            return found
        design = CountDesign.of(data, self)
        return [*found, *(count_its_design.refusals(design) or count_its_design.cautions(design))]

    def fit(self, data: Series) -> Estimate:
        """Return the average effect after the start, then ratios, totals and those that follow.

        Raises
        ------
        DesignError
            Where these data cannot answer, naming the way out.
        """
        warnings, design, fit, told = self._solved(data)
        told.realised(self.errors)
        rho = carried_over(design, self.errors)
        fresh, test = left_over(design, fit, rho)
        counterfactual = told.counterfactual()
        warnings += tuple(
            count_its_findings.care(design, route=told.route, left_over=test, counterfactual=counterfactual)
        )
        shown = covid_choices(self, data, lambda other: other._average(data))
        trends = trend_choices(self, data, lambda other: other._average(data))
        warnings += (*depends_on_covid(shown, told.rows[0]), *depends_on_trend(trends, told.rows[0]))
        extras = self._account(data, design, told) | {
            "rho": rho,
            "coefficients": coefficients(design, fit),
            "residuals": np.where(design.segments.used, fresh, np.nan),
            "ljung_box": {"statistic": test.statistic, "lags": test.lags, "p_value": test.p_value},
            "trend_choices": trends,
            **({"covid_choices": shown} if shown else {}),
            **negative_binomial(fit),
            **placebo_dates(design, self.errors, self.level),
        }
        made = self._made(data, design, fit, told, warnings, extras)
        return replace(made, counterfactual=counterfactual)

    def brief(self, data: Series) -> Estimate:
        """The effects of :meth:`fit` and how sure they are, without the path and what is asked of it.

        The realised total, placebo dates and other ways of treating trend and COVID are left out too.
        """
        warnings, design, fit, told = self._solved(data)
        return self._made(data, design, fit, told, warnings, self._account(data, design, told))

    def _solved(self, data: Series) -> tuple[tuple[str, ...], CountDesign, CountFit, CountEffects]:
        """What to be careful about, the regression, its fit and the effects."""
        warnings = enforce(self.check_design(data))
        design = CountDesign.of(data, self)
        try:
            fit = self.errors.of(design.series)
        except EstimationError as error:
            way_out = 'Use errors = "Mixture" or "QuasiPoisson", or longer periods'
            raise DesignError(str(Finding("refuse", str(error), way_out))) from None
        return warnings, design, fit, CountEffects(design, fit, self.level)

    def _account(self, data: Series, design: CountDesign, told: CountEffects) -> dict[str, Any]:
        """What was fitted, in plain values."""
        segments = design.segments
        return {
            "noun": data.frequency.noun,
            "dispersion": design.series.dispersion,
            "season": season_account(segments),
            "before": int(segments.before.sum()),
            "after": int(segments.after.sum()),
            "n": int(segments.used.sum()),
            "residual_df": design.series.residual_df,
            "deviance": design.series.poisson.deviance,
            "df": told.dfs(modelled=isinstance(self.errors, (Mixture, WeightedReml))),
            "route": told.routes,
            "exposure": exposure_of(data, days=self.days),
        }

    def _made(
        self,
        data: Series,
        design: CountDesign,
        fit: CountFit,
        told: CountEffects,
        warnings: tuple[str, ...],
        extras: dict[str, Any],
    ) -> Estimate:
        segments = design.segments
        return Estimate(
            method="count-its",
            estimand="average effect after the start",
            outcome=self.outcome,
            effects=effects_frame(told.rows),
            cov=told.covariance(),
            counts=data.counts() | {"used": int(segments.used.sum()), "left_out": segments.left_out},
            warnings=warnings,
            spec={f.name: serialise.plain(getattr(self, f.name)) for f in fields(self)},
            draws_from=ROUTES[told.route].format(df=fit.df(told.ratio.towards)),
            extras=serialise.plain(extras),
        )

    def _average(self, data: Series) -> dict[str, Any]:
        """The row of the average effect and nothing else.

        Where a negative binomial has no theta it is the Poisson model.
        """
        design = CountDesign.of(data, self)
        try:
            fit = self.errors.of(design.series)
        except EstimationError:
            fit = QuasiPoisson().of(design.series)
        return average_of(design, fit, self.level)


def coefficients(design: CountDesign, fit: CountFit) -> list[dict[str, Any]]:
    """The regression's own coefficients, of the log mean; time counts from the start, 0 in its period."""
    spread = np.sqrt(np.diag(fit.cov))
    return [
        {"name": name, "estimate": fit.coef[at], "std_error": spread[at]}
        for at, name in enumerate(design.segments.names)
    ]


def negative_binomial(fit: CountFit) -> dict[str, Any]:
    """Theta, its standard error and the likelihood, where a negative binomial was fitted."""
    found = fit.negative_binomial
    if found is None:
        return {}
    return {
        "theta": found.theta,
        "theta_std_error": found.theta_std_error,
        "log_likelihood": found.log_likelihood,
        "deviance": found.deviance,
    }


def exposure_of(data: Series, *, days: bool) -> str:
    """What counts are held against, in words."""
    people = None if data.population is None else f"people ({data.population})"
    dated = days and data.frequency.kind in ("month", "quarter")
    length = f"days in the {data.frequency.noun}" if dated else None
    return " times ".join(part for part in (people, length) if part) or f"each {data.frequency.noun} alike"
